#!/usr/bin/env python3
"""A peer of wat in Python: copy this file and edn.py, nothing but Python 3.9 is needed. docs/protocol.md is what it follows.

    $ echo '#wat/req [1 21] 4' | python3 peer.py          # a child that doubles numbers
    $ echo '21 22 "x"' | python3 peer.py parent double.ts # a parent: calls `wat double.ts` with each value

    from peer import serve, spawn
    sys.exit(serve(lambda body, request: body * 2))       # a child
    with spawn(["wat", "double.ts"]) as child:            # a parent
        print(child.call(21))
"""

import fcntl
import itertools
import os
import queue
import re
import signal
import subprocess
import sys
import threading
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

from edn import Big, Keyword, Map, Reader, Tagged, WatError, write

WORKERS = 256  # requests and values at work at once
PLACES = 2 * WORKERS  # and as many again are taken; then nothing is read, neither a cancel nor a stop
SHARES = {signal.SIGTERM: 0.4, signal.SIGINT: 0.4, signal.SIGHUP: 0.4, signal.SIGPIPE: 1}  # of a child's grace
DONE = 0  # what is no signal
VARIABLES = ("ADDRESS", "NAME", "STOP_GRACE_MS", "MAX_FRAME_BYTES", "LIFELINE_FD", "SEAT", "THREAD")


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


class Request:
    def __init__(self, body, number=None):
        self.body, self.number = body, number  # a plain value has no number
        self.cancelled = threading.Event()


class Server:
    def __init__(self, handler):
        told = {name: os.environ.pop(f"WAT_{name}", None) for name in VARIABLES}
        self.handler, self.address = handler, told["ADDRESS"]
        self.grace = positive(told["STOP_GRACE_MS"]) or 5000
        limit = positive(told["MAX_FRAME_BYTES"]) or 16 * 1024 * 1024
        self.reader, self.writer = Reader(os.dup(0), limit), Writer(os.dup(1), limit)
        # Whatever else reads stdin or prints, here or in what is started from here, must not touch the frames.
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        self.lifeline = positive(told["LIFELINE_FD"])
        self.places, self.taken = threading.Condition(), 0
        self.in_any_order, self.in_order = ThreadPoolExecutor(WORKERS), ThreadPoolExecutor(1)
        self.lock, self.requests = threading.Lock(), {}
        self.stopping, self.code = threading.Event(), 0
        self.events, self.tell = os.pipe()  # numbers of signals, and DONE
        os.set_blocking(self.tell, False)

    def run(self):
        # A signal that comes just before a wait would be lost on a handler; a byte in a pipe is not.
        signal.set_wakeup_fd(self.tell)
        for name in SHARES.keys() - {signal.SIGPIPE}:  # which Python makes an error of the write
            signal.signal(name, lambda *_: None)
        if self.address is not None:
            ready = {"protocol": 1, "pid": os.getpid(), "address": self.address or "/"}
            self.say(write(Tagged("wat/ready", keyed(ready))))
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
                self.take(self.reader.read())
            except EOFError:
                return self.finish()
            except WatError as error:
                self.code = 65
                record("fault", **fault(error, self.address))
                if number := number_of("req", self.reader.head):
                    self.say(self.refuse(Request(None, number), error))
            except BaseException as error:  # a mistake in here: nobody would answer any more
                record("panic", **fault(error, self.address))
                os._exit(2)

    def take(self, form):
        if not is_frame(form):
            return self.stopping.is_set() or self.begin(self.in_order, self.answer_plain, Request(form))
        tag, value = form.tag, form.value
        if tag == "wat/req" and is_call(value, 2) and value[0] not in self.requests:
            request = Request(value[1], value[0])
            if self.stopping.is_set():
                return self.say(self.refuse(request, WatError("offline", "stopping")))
            with self.lock:
                self.requests[request.number] = request
            return self.begin(self.in_any_order, self.answer, request)
        if tag == "wat/cancel" and is_call(value, 1):
            with self.lock:
                request = self.requests.pop(value[0], None)
            return request and request.cancelled.set()
        if tag == "wat/stop" and isinstance(value, dict) and isinstance(value.get(Keyword("grace-ms")), (int, float)):
            return self.stop(value[Keyword("grace-ms")])
        raise WatError("malformed", f"a child does not take this #{tag}")

    def begin(self, pool, answer, request):
        with self.places:
            self.places.wait_for(lambda: self.taken < PLACES)  # until then nothing is read
            self.taken += 1
        pool.submit(answer, request).add_done_callback(self.done)

    def done(self, _):
        with self.places:
            self.taken -= 1
            self.places.notify_all()

    def finish(self):
        with self.places:
            self.places.wait_for(lambda: self.taken == 0)
        os.write(self.tell, bytes([DONE]))

    def answer(self, request):
        try:
            if self.stopping.is_set():
                raise WatError("offline", "stopping")
            reply = self.writer.fit(write_frame("rep", request.number, self.handler(request.body, request)))
        except BaseException as error:  # also sys.exit: every request is answered
            reply = self.refuse(request, error)
        with self.lock:
            if request.cancelled.is_set():
                return
            del self.requests[request.number]
        self.say(reply)

    def refuse(self, request, error):
        told = fault(error, self.address)
        try:
            return self.writer.fit(write_frame("err", request.number, keyed(told)))
        except (WatError, ValueError):  # its data is nothing that EDN can carry
            return write_frame("err", request.number, keyed({**told, "message": ascii(told["message"]), "data": None}))

    def answer_plain(self, request):
        if self.stopping.is_set():
            return
        try:
            answer = self.handler(request.body, request)
            if is_frame(answer):
                raise WatError("denied", f"#{answer.tag} is reserved")
            self.say(self.writer.fit(write(answer)))
        except BaseException as error:
            self.code = self.code or 1
            record("fault", **fault(error, self.address))

    def say(self, line):
        try:
            self.writer.say(line)
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


class Child:
    """A process that speaks the wire on its stdin and stdout. Its records join our own on stderr.

    `ready` and what `request` gives are Futures. Leaving a `with` block stops it.
    """

    def __init__(self, argv, address="/child", grace_ms=5000, env=None):
        theirs, self.lifeline = lifeline()
        told = {"ADDRESS": address, "STOP_GRACE_MS": grace_ms, "LIFELINE_FD": theirs}
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
        self.reader, self.writer = Reader(self.process.stdout.fileno()), Writer(self.process.stdin.fileno())
        self.numbers, self.last, self.calls = itertools.count(1), 0, {}
        self.ready, self.exited, self.values = Future(), Future(), queue.Queue()
        self.lock = threading.Lock()
        start(self.wait, start(self.listen))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def call(self, body, timeout=None):
        """The reply to a request. Raises the fault; `timeout` is in seconds."""
        future = self.request(body)
        try:
            return future.result(timeout)
        except FutureTimeout:
            with self.lock:
                self.calls.pop(future.number, None)
            self.say(write_frame("cancel", future.number))
            raise WatError("timeout", f"no reply within {timeout} s") from None

    def request(self, body):
        future, text = Future(), write(body)
        with self.lock:
            self.last = future.number = next(self.numbers)
            self.calls[future.number] = future
        self.say(f"#wat/req [{future.number} {text}]")
        if self.exited.done():
            self.reject_all()
        return future

    def send(self, value):
        """Sends a plain value."""
        if is_frame(value):
            raise WatError("denied", f"#{value.tag} is reserved")
        self.say(write(value))

    def recv(self, timeout=None):
        """The next plain value; raises EOFError when the child has ended, queue.Empty after `timeout` seconds."""
        value = self.values.get(timeout=timeout)
        if value is EOFError:
            self.values.put(EOFError)
            raise EOFError
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
        self.say(f"#wat/stop {{:grace-ms {self.grace_ms}}}")
        self.process.stdin.close()

    def say(self, line):
        try:
            self.writer.say(line)
        except (OSError, ValueError):
            pass  # it has ended or is stopping; whoever waits for a reply learns it from `wait`

    def listen(self):
        while True:
            try:
                self.take(self.reader.read())
            except EOFError:
                return
            except WatError as error:
                record("fault", type=Keyword(f"wat/{error.code}"), message=error.message)
                number = number_of("(?:rep|err)", self.reader.head)
                self.settle(number, lambda future, error=error: future.set_exception(error))

    def take(self, form):
        if not is_frame(form):
            return self.values.put(form)
        tag, value = form.tag, form.value
        if tag == "wat/ready" and isinstance(value, dict):
            return self.ready.done() or self.ready.set_result(value)
        if tag == "wat/rep" and is_call(value, 2) and value[0] <= self.last:
            return self.settle(value[0], lambda future: future.set_result(value[1]))
        if tag == "wat/err" and is_call(value, 2) and value[0] <= self.last and isinstance(value[1], dict):
            return self.settle(value[0], lambda future: future.set_exception(error_of(value[1])))
        if tag == "wat/req" and is_call(value, 2):
            refusal = WatError("no-handler", "a parent does not serve its children")
            return self.say(write_frame("err", value[0], keyed(fault(refusal, "/"))))
        if tag != "wat/cancel":
            raise WatError("malformed", f"a parent does not take this #{tag}")

    def settle(self, number, settle):
        with self.lock:
            future = self.calls.pop(number, None)  # none when it is late: that is no error
        if future:
            settle(future)

    def wait(self, listening):
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        with self.lock:
            code = self.process.wait()
        listening.join(0.2)  # to the end of the pipe, but not for somebody else who holds it open
        self.exited.set_result({"signal": signal.Signals(-code).name} if code < 0 else {"code": code})
        self.reject_all()
        self.values.put(EOFError)
        if not self.ready.done():
            self.ready.set_exception(WatError("offline", "ended before it was ready"))
        os.close(self.lifeline)

    def reject_all(self):
        error = WatError("offline", "the child has ended", self.exited.result())
        for number in list(self.calls):
            self.settle(number, lambda future: future.set_exception(error))


def lifeline():
    """A pipe whose writing end closes when we are gone, whatever we die of. `wat` itself uses 3 and 4."""
    reading, writing = os.pipe()
    moved = fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(reading)
    return moved, writing


# Both


class Writer:
    def __init__(self, fd, limit=16 * 1024 * 1024):
        self.fd, self.limit, self.lock = fd, limit, threading.Lock()

    def fit(self, line):
        if len(line.encode()) > self.limit:
            raise WatError("too-large", f"over {self.limit} bytes")
        return line

    def say(self, line):
        data = memoryview(line.encode() + b"\n")
        with self.lock:
            while data:
                data = data[os.write(self.fd, data) :]


def is_frame(form):
    return isinstance(form, Tagged) and form.tag.startswith("wat/")


def is_call(value, least):
    return isinstance(value, tuple) and len(value) >= least and type(value[0]) is int and 0 < value[0] < 2**53


def number_of(kind, head):
    """Which call a form that cannot be read would have belonged to."""
    match = re.match(rf"#wat/{kind}[\s,]*\[[\s,]*(\d+)[\s,]", head)
    return int(match[1]) if match else None


def write_frame(kind, number, *body):
    return f"#wat/{kind} [{' '.join([str(number), *map(write, body)])}]"


def keyed(fields):
    return Map((Keyword(name), value) for name, value in fields.items() if value is not None)


def fault(error, address):
    known = isinstance(error, WatError)
    return {
        "type": Keyword(f"wat/{error.code}" if known else "wat/handler"),
        "message": str(error),
        "address": address,
        "data": error.data if known else Map({Keyword("name"): type(error).__name__}),
        "stack": None if known else "".join(traceback.format_tb(error.__traceback__)).rstrip(),
    }


def error_of(value):
    kind = value.get(Keyword("type"))
    code = kind.name.removeprefix("wat/") if isinstance(kind, Keyword) else "handler"
    return WatError(code, str(value.get(Keyword("message"), "")), value.get(Keyword("data")))


def positive(text):
    return int(text) if text and re.fullmatch("0*[1-9][0-9]*", text) else None


def start(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread


# The command


def double(body, request):
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
