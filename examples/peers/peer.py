#!/usr/bin/env python3
"""A peer of wat in Python: copy this file, link.py and edn.py. Python 3.9 is all they need.

    $ echo '#wat/req [1 21] 4' | python3 peer.py          # a child that doubles numbers
    $ echo '21 22 "x"' | python3 peer.py parent double.ts # a parent: calls `wat double.ts` with each value

    from peer import serve, spawn
    sys.exit(serve(lambda body, request: body * 2))       # a child
    with spawn(["wat", "double.ts"]) as child:            # a parent
        print(child.call(21))

References: `Ref(handler)` can stand in a call, a reply or `given`, and what comes as one is a Ref, with `call`.
"""

import fcntl
import os
import queue
import re
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

from edn import Big, Keyword, Map, Reader, Tagged, WatError, write
from link import MAX_FRAME_BYTES, WORKERS, Link, Ref, Request, Writer
from link import fault, is_frame, keyed, named, number_of, start

PLACES = 2 * WORKERS  # of protocol 1: so much is taken; then nothing is read, neither a cancel nor a stop
SHARES = {signal.SIGTERM: 0.4, signal.SIGINT: 0.4, signal.SIGHUP: 0.4, signal.SIGPIPE: 1}  # of a child's grace
DONE = 0  # what is no signal
VARIABLES = "ADDRESS NAME STOP_GRACE_MS MAX_FRAME_BYTES LIFELINE_FD PROTOCOL GIVEN SEAT GUARD_FD THREAD".split()


def serve(handler):
    """Answers what comes on stdin until that ends or a stop is asked for; gives the exit code.

    `handler(body, request)` returns the answer or raises. It runs in a thread; `request.cancelled` is an Event. Plain
    values are answered one after the other. What it prints goes to stderr.
    """
    return Server(handler).run()


def spawn(argv, **options):
    """Starts a child, such as ["wat", "double.ts"]: see Child."""
    return Child(argv, **options)


def record(kind, **fields):
    """A line on stderr, such as record("log", level=Keyword("info"), message="…")."""
    sys.stderr.write(write(Tagged(f"wat/{kind}", keyed(fields))) + "\n")
    sys.stderr.flush()


# A child


class Server(Link):
    def __init__(self, handler):
        told = {name: os.environ.pop(f"WAT_{name}", None) for name in VARIABLES}
        limit = positive(told["MAX_FRAME_BYTES"]) or MAX_FRAME_BYTES
        super().__init__(Reader(os.dup(0), limit), Writer(os.dup(1), limit), handler, told["ADDRESS"])
        if told["ADDRESS"] is not None:
            self.speak(positive(told["PROTOCOL"]) or 1)
        self.is_given = told["GIVEN"] is not None
        self.grace = positive(told["STOP_GRACE_MS"]) or 5000
        # Whatever else reads stdin or prints, here or in what is started from here, must not touch the frames.
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        self.lifeline = positive(told["LIFELINE_FD"])
        self.room, self.taken = threading.Condition(), 0
        self.in_order, self.code = ThreadPoolExecutor(1), 0
        self.events, self.tell = os.pipe()  # numbers of signals, and DONE
        os.set_blocking(self.tell, False)

    def run(self):
        # A signal that comes just before a wait would be lost on a handler; a byte in a pipe is not.
        signal.set_wakeup_fd(self.tell)
        for name in SHARES.keys() - {signal.SIGPIPE}:  # which Python makes an error of the write
            signal.signal(name, lambda *_: None)
        if self.address is not None:
            ready = {"protocol": self.protocol, "pid": os.getpid(), "address": self.address or "/"}
            self.say(write(Tagged("wat/ready", keyed(ready))).encode())
        start(self.listen)
        if self.lifeline:
            os.set_inheritable(self.lifeline, False)
            start(self.watch)
        died_of = None
        while (event := os.read(self.events, 1)[0]) != DONE:
            if event in SHARES and not self.stopping.is_set():
                died_of = event
                self.stop(self.grace * (SHARES[event] if self.address is not None else 1), event)
        signal.set_wakeup_fd(-1)
        if died_of:
            signal.signal(died_of, signal.SIG_DFL)
            os.kill(os.getpid(), died_of)
        return self.code

    def listen(self):
        while True:
            try:
                form = self.reader.read()
                if is_frame(form):
                    self.take(form)
                elif not self.stopping.is_set():
                    self.begin(self.in_order, self.answer_plain, Request(form, given=self.given))
            except EOFError:
                self.lose(WatError("offline", "the input has ended: no reply can come"))
                return self.finish()
            except WatError as error:
                self.code = 65
                record("fault", **fault(error, self.address))
                if number := number_of("(?:req|call)", self.reader.head):
                    self.say(self.refusal(Request(None, number), error))
            except BaseException as error:  # a mistake in here: nobody would answer any more
                record("panic", **fault(error, self.address))
                os._exit(2)

    def take(self, form):
        if super().take(form):
            return
        tag, value = form.tag, form.value
        if tag == "wat/stop" and isinstance(value, dict) and isinstance(value.get(Keyword("grace-ms")), (int, float)):
            self.stop(value[Keyword("grace-ms")])
        elif tag == "wat/end":
            start(self.finish)
        elif tag == "wat/given" and self.is_given and isinstance(value, tuple) and len(value) == 3:
            self.is_given, self.given = False, self.resolved(*value[1:])
        else:
            raise WatError("malformed", f"a child does not take this #{tag}")

    def begin(self, pool, answer, request):
        with self.room:
            # With credit the other side waits; without, nothing is read until there is room.
            self.room.wait_for(lambda: self.taken < PLACES or self.protocol > 1)
            self.taken += 1
        pool.submit(answer, request).add_done_callback(self.done)

    def done(self, _):
        with self.room:
            self.taken -= 1
            self.room.notify_all()

    def finish(self):
        with self.room:
            self.room.wait_for(lambda: self.taken == 0)
        os.write(self.tell, bytes([DONE]))

    def answer_plain(self, request):
        self.value_taken()
        if self.stopping.is_set():
            return
        try:
            self.send(self.handler(request.body, request))
        except BaseException as error:
            self.code = self.code or 1
            record("fault", **fault(error, self.address))

    def say(self, line):
        try:
            super().say(line)
        except BrokenPipeError:
            os.write(self.tell, bytes([signal.SIGPIPE]))

    def stop(self, grace_ms, died_of=None):
        """Nothing new is begun; ends when what is in flight is done, at the latest when the time is over."""
        self.stopping.set()
        start(self.finish)
        deadline = threading.Timer(0.9 * grace_ms / 1000, os._exit, [128 + died_of if died_of else self.code])
        deadline.daemon = True
        deadline.start()

    def watch(self):
        while os.read(self.lifeline, 1):
            pass
        self.stop(self.grace)


# A parent


class Child(Link):
    """A process that speaks the wire on its stdin and stdout. Its records join our own on stderr.

    `given`, a dict of values and references, is what it finds as given. `ready` and what `request` gives are Futures;
    what it speaks is known when it is ready. Leaving a `with` block stops it.
    """

    def __init__(self, argv, address="/child", grace_ms=5000, env=None, given=None):
        theirs, self.lifeline = lifeline()
        told = {"ADDRESS": address, "STOP_GRACE_MS": grace_ms, "LIFELINE_FD": theirs, "PROTOCOL": 2}
        told = {**told, **({"GIVEN": 1} if given else {})}
        self.grace_ms = grace_ms
        self.process = subprocess.Popen(
            argv,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[theirs],
            start_new_session=True,
            env={**os.environ, **(env or {}), **{f"WAT_{name}": str(value) for name, value in told.items()}},
        )
        os.close(theirs)
        super().__init__(Reader(self.process.stdout.fileno()), Writer(self.process.stdin.fileno()))
        self.ready, self.exited, self.values = Future(), Future(), queue.Queue()
        if given:
            self.say(self.frame(None, "given", 1, named(given), known=True))
        start(self.wait, start(self.listen))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def request(self, *arguments, **options):
        future = super().request(*arguments, **options)
        if self.exited.done():
            self.lose(self.offline())
        return future

    def recv(self, timeout=None):
        """The next plain value; raises EOFError when the child has ended, queue.Empty after `timeout` seconds."""
        value = self.values.get(timeout=timeout)
        if value is EOFError:
            self.values.put(EOFError)
            raise EOFError
        self.value_taken()
        return value

    def stop(self):
        """Asks, then sends SIGTERM, then SIGKILL. Gives how it ended, {"code": 0} or {"signal": "SIGKILL"}."""
        start(self.ask)  # a full pipe may make it wait
        for share, number in ((0.6, signal.SIGTERM), (0.4, signal.SIGKILL)):
            try:
                return self.exited.result(share * self.grace_ms / 1000)
            except FutureTimeout:
                self.signal(number)
        return self.exited.result()

    def signal(self, number):
        with self.lock:
            if self.process.returncode is None:  # else it has been reaped, and the number may be another's
                os.killpg(self.process.pid, number)

    def ask(self):
        self.say(f"#wat/stop {{:grace-ms {self.grace_ms}}}".encode())
        if self.protocol == 1:  # what it calls while it stops is answered
            self.process.stdin.close()

    def say(self, line):
        try:
            super().say(line)
        except (OSError, ValueError):
            pass  # it has ended or is stopping; whoever waits for a reply learns it from `wait`

    def listen(self):
        while True:
            try:
                form = self.reader.read()
                if is_frame(form):
                    self.take(form)
                else:
                    self.values.put(form)
            except EOFError:
                return
            except WatError as error:
                record("fault", type=Keyword(f"wat/{error.code}"), message=error.message)
                number = number_of("(?:rep|ret|err)", self.reader.head)
                self.settle(number, lambda future, error=error: future.set_exception(error))

    def take(self, form):
        if super().take(form):
            return
        if form.tag != "wat/ready" or not isinstance(form.value, dict):
            raise WatError("malformed", f"a parent does not take this #{form.tag}")
        if not self.ready.done():
            self.speak(form.value.get(Keyword("protocol"), 1))
            self.ready.set_result(form.value)

    def wait(self, listening):
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        with self.lock:
            code = self.process.wait()
        listening.join(0.2)  # to the end of the pipe, but not for somebody else who holds it open
        self.exited.set_result({"signal": signal.Signals(-code).name} if code < 0 else {"code": code})
        self.lose(self.offline())
        for number in list(self.exports):
            self.given_back(number, self.exports[number][1])
        self.values.put(EOFError)
        self.unwanted.put(None)
        self.pool.shutdown(wait=False)
        if not self.ready.done():
            self.ready.set_exception(WatError("offline", "ended before it was ready"))
        os.close(self.lifeline)

    def offline(self):
        return WatError("offline", "the child has ended", self.exited.result())


def lifeline():
    """A pipe whose writing end closes when we are gone, whatever we die of. `wat` itself uses 3 and 4."""
    reading, writing = os.pipe()
    moved = fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(reading)
    return moved, writing


def positive(text):
    return int(text) if text and re.fullmatch("0*[1-9][0-9]*", text) else None


# The command


def double(body, request):
    if isinstance(body, Ref):
        body = body.call(None, request.time_left(), request.meta)
    if type(body) in (int, float, Big):
        return type(body)(body * 2)
    raise WatError("denied", "numbers only", Map({Keyword("got"): body}))


def parent(argv):
    """Calls the program with every value of stdin, prints the replies in their order, and stops it."""
    child, calls, failed = spawn(["wat", *argv]), queue.Queue(WORKERS), []

    def show():
        while call := calls.get():
            try:
                print(write(call.result()), flush=True)
            except WatError as error:
                failed.append(error)
                record("fault", **fault(error, None))
            except BrokenPipeError:
                os._exit(128 + signal.SIGPIPE)  # nobody reads; the child sees its lifeline end

    shown, values = start(show), Reader(0)
    try:
        while True:
            calls.put(child.request(values.read()))
    except EOFError:
        calls.put(None)
    shown.join()
    ended = child.stop()
    return 0 if ended == {"code": 0} and not failed else 1


if __name__ == "__main__":
    sys.exit(parent(sys.argv[2:]) if sys.argv[1:2] == ["parent"] else serve(double))
