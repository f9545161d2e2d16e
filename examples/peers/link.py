"""One end of a link, for peer.py: calls, answers and references both ways. docs/protocol.md is what it follows.

The other side is a parent or a child; nothing in here knows which. A link speaks protocol 1 until `speak(2)`.
"""

import itertools
import os
import queue
import re
import threading
import time
import traceback
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

from edn import RAW_BYTES, RAW_MARK, Keyword, List, Map, Symbol, Tagged, WatError, write

WORKERS = 256  # handlers at work at once
CALL_PLACES, CALL_WINDOW_BYTES = 256, 4 * 1024 * 1024  # requests that wait for the other side's handlers
VALUE_WINDOW_BYTES = 256 * 1024  # plain values that the other side has not taken
MAX_TIMER_MS = 2**31 - 1
MAX_FRAME_BYTES = 16 * 1024 * 1024
LEAST_RAW_BYTES = 1024  # bytes go raw, and not as base64, from this length on


class Ref:
    """The right to call something. It can stand anywhere in a call, a reply or what is given.

    `Ref(handler)` makes one of `handler(body, request)`. One that has come is given back by `release()`, at the end of a
    `with`, or when nobody here has it any more.
    """

    def __init__(self, handler=None, link=None, number=None):
        self.handler, self.link, self.number = handler, link, number  # made here, or what its number is there
        self.seen = 0  # how often it has come
        self.given = {}  # its number on each link that it was given on
        self.error = None  # why it works no more
        self.pool = ThreadPoolExecutor(WORKERS)  # its own: what waits for it must not keep it from being begun

    def call(self, body, timeout=None, meta=None):
        """What it answers. Raises the fault; `timeout` is in seconds, `meta` a dict of names and values."""
        if self.link and not self.error:
            return self.link.call(body, timeout, meta, to=self.number)
        return self(body, Request(body))

    def ask(self, method, *arguments, **options):
        """Calls a method of an object: `counter.ask("add", 1)`."""
        return self.call(List((Symbol(method), *arguments)), **options)

    def __call__(self, body, request):
        """Answers a request, as a handler does: one that has come by one link can be given on by another."""
        if self.error:
            raise self.error
        if self.handler:
            return self.handler(body, request)
        return self.call(body, request.time_left(), request.meta)

    def revoke(self):
        """Of one that was made here: from now on it works for nobody."""
        self.end(WatError("denied", "the reference has been revoked"))

    def release(self):
        if self.link:
            self.link.release(self)

    def end(self, error):
        self.error = self.error or error
        for link in list(self.given):
            link.withdraw(self, error)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.release()

    def __del__(self):
        if self.link and self.seen:
            self.link.unwanted.put((self.number, self.seen))  # in here nothing may wait for a lock or a pipe


class Request:
    """`cancelled` is an Event, `meta` what the caller gave along, `given` what this process was started with."""

    def __init__(self, body, number=None, head=None, ref=None, given=None):
        head = head or {}
        self.body, self.number, self.ref = body, number, ref  # a plain value has no number
        meta, timeout = head.get(Keyword("meta")), head.get(Keyword("timeout-ms"))
        self.meta, self.given = meta if isinstance(meta, dict) else Map(), given or Map()
        known = isinstance(timeout, (int, float)) and 0 <= timeout <= MAX_TIMER_MS  # longer is never
        self.deadline = time.monotonic() + timeout / 1000 if known else None
        self.cancelled = threading.Event()

    def time_left(self):
        """Seconds until the caller gives up; None where it has not said."""
        return None if self.deadline is None else max(0, self.deadline - time.monotonic())


class Credit:
    """How much may be sent that the other side has not begun or taken; whoever has more to send waits."""

    def __init__(self, places, window):
        self.places, self.window, self.room = places, window, threading.Condition()
        self.sizes, self.total, self.lifted = {}, 0, False

    def spend(self, number, size):
        with self.room:
            self.room.wait_for(lambda: self.lifted or (len(self.sizes) < self.places and self.total < self.window))
            self.sizes[number] = size  # more than what is left: what is there may have been taken and not told
            self.total += size

    def give_back(self, *numbers):
        with self.room:
            self.total -= sum(self.sizes.pop(number, 0) for number in numbers)
            self.room.notify_all()

    def lift(self):
        """The other side can tell no more."""
        with self.room:
            self.lifted = True
            self.room.notify_all()


class Raws(list):
    """The bytes that a frame holds, and that go ahead of it."""

    def refer(self, thing):
        """What stands for it in the frame; None for what does not go this way."""
        if isinstance(thing, (bytes, bytearray)) and len(thing) >= LEAST_RAW_BYTES:
            self.append(thing)
            return f"#wat/bytes {len(self) - 1}"
        return None

    def ahead(self, text):
        """The line, with them ahead of it."""
        parts = [RAW_MARK + RAW_BYTES + len(raw).to_bytes(4, "big") + raw for raw in self]
        return b"".join([*parts, text.encode()])


class Link:
    def __init__(self, reader, writer, handler=None, address="/"):
        self.reader, self.writer, self.handler, self.address, self.protocol = reader, writer, handler, address, 1
        self.lock = threading.RLock()
        self.pool, self.requests = ThreadPoolExecutor(WORKERS), {}  # what the other side calls
        self.numbers, self.last, self.calls = itertools.count(1), 0, {}  # what is called there
        self.places = Credit(CALL_PLACES, CALL_WINDOW_BYTES)
        self.window, self.sent, self.told, self.taken_here = Credit(2**63, VALUE_WINDOW_BYTES), 0, 0, 0
        self.last_export, self.exports = 0, {}  # number: [reference, how often it was given]
        self.imports, self.unwanted = weakref.WeakValueDictionary(), queue.SimpleQueue()
        self.given, self.stopping = Map(), threading.Event()
        start(self.give_back_unwanted)

    def speak(self, protocol):
        """From here on: what both sides know."""
        self.protocol = min(2, protocol)
        self.reader.takes_raw = self.protocol > 1

    # Calls from here

    def call(self, body, timeout=None, meta=None, to=None):
        future = self.request(body, timeout, meta, to)
        try:
            return future.result(timeout)
        except FutureTimeout:
            self.settle(future.number, lambda _: None)
            self.say(write_frame("cancel", future.number))
            raise WatError("timeout", f"no reply within {timeout} s") from None

    def request(self, body, timeout=None, meta=None, to=None):
        """The same without waiting: gives a Future."""
        future = Future()
        with self.lock:
            self.last = future.number = next(self.numbers)
            future.to = to
            self.calls[future.number] = future
        head = {"to": to, "timeout-ms": timeout and max(1, int(timeout * 1000)), "meta": named(meta) if meta else None}
        try:
            line = self.frame("req", "call", future.number, body, head)
        except BaseException:
            self.calls.pop(future.number, None)
            raise
        self.places.spend(future.number, len(line))
        self.say(line)
        return future

    def settle(self, number, settle):
        with self.lock:
            future = self.calls.pop(number, None)  # none when it is late: that is no error
        self.places.give_back(number)
        if future:
            settle(future)

    def reject_all(self, error, to=None):
        for number, future in list(self.calls.items()):
            if to is None or future.to == to:
                self.settle(number, lambda future: future.set_exception(error))

    def lose(self, error):
        """The other side says no more: nothing that was called there is answered, and what it gave works no more."""
        self.reject_all(error)
        self.places.lift()
        self.window.lift()
        for ref in list(self.imports.values()):
            ref.end(error)

    def send(self, value):
        """Sends a plain value, when the other side has room for it."""
        if is_frame(value):
            raise WatError("denied", f"#{value.tag} is reserved")
        raws = Raws()
        line = self.writer.fit(raws.ahead(write(value, raws.refer if self.protocol > 1 else None)))
        with self.lock:
            self.sent += 1
            number = self.sent
        if self.protocol > 1:
            self.window.spend(number, len(line))
        self.say(line)

    # Calls from the other side

    def take(self, form):
        """Does what a frame says; False for one that is not about calls and references."""
        tag, value = form.tag, form.value
        if tag == "wat/req" and is_call(value, 2):
            return self.asked(Request(value[1], value[0], given=self.given))
        if tag == "wat/call" and is_call(value, 3) and isinstance(value[1], dict):
            return self.called(*value[:3])
        if tag == "wat/cancel" and is_call(value, 1):
            return self.forget(value[0]) or True
        if tag == "wat/begun" and are_numbers(value):
            return self.places.give_back(*value) or True
        if tag == "wat/taken" and is_call(value, 1):
            return self.taken_there(min(value[0], self.sent))
        if tag in ("wat/release", "wat/unused") and are_numbers(value) and len(value) % 2 == 0:
            return [self.given_back(*pair) for pair in zip(value[::2], value[1::2])] or True
        if tag == "wat/gone" and is_call(value, 2) and isinstance(value[1], dict):
            return self.gone(value[0], error_of(value[1]))
        if tag == "wat/lines" and isinstance(value, dict):
            self.reader.by_lines = True
            return True
        if tag in ("wat/rep", "wat/ret", "wat/err") and is_call(value, 2) and value[0] <= self.last:
            return self.answered(tag, *value)
        return False

    def called(self, number, head, body):
        try:
            body = self.resolved(head, body)
        except WatError as error:
            self.say(self.refusal(Request(None, number), error))
            raise
        to = head.get(Keyword("to"))
        return self.asked(Request(body, number, head, None if to is None else self.exported(to), self.given))

    def asked(self, request):
        if request.number in self.requests:
            return False
        if self.stopping.is_set():
            self.say(self.refusal(request, WatError("offline", "stopping")))
        elif request.ref is None and self.handler is None:
            self.say(self.refusal(request, WatError("no-handler", "nobody serves here")))
        else:
            self.requests[request.number] = request
            self.begin(request.ref.pool if request.ref else self.pool, self.answer, request)
        return True

    def begin(self, pool, answer, request):
        pool.submit(answer, request)

    def answer(self, request):
        if self.protocol > 1:
            self.say(write_frame("begun", request.number))
        try:
            if self.stopping.is_set():
                raise WatError("offline", "stopping")
            line = self.frame("rep", "ret", request.number, (request.ref or self.handler)(request.body, request))
        except BaseException as error:  # also sys.exit: every request is answered
            line = self.refusal(request, error)
        if self.requests.pop(request.number, None):  # else it is cancelled, or has been answered
            self.say(line)

    def refusal(self, request, error):
        told = fault(error, self.address)
        try:
            return self.writer.fit(write_frame("err", request.number, keyed(told)))
        except (WatError, ValueError):  # its data is nothing that EDN can carry
            return write_frame("err", request.number, keyed({**told, "message": ascii(told["message"]), "data": None}))

    def forget(self, number):
        request = self.requests.pop(number, None)
        if request:
            request.cancelled.set()

    def answered(self, tag, number, *rest):
        if tag == "wat/err":
            if not isinstance(rest[0], dict):
                return False
            self.settle(number, lambda future: future.set_exception(error_of(rest[0])))
        elif tag == "wat/rep":
            self.settle(number, lambda future: future.set_result(rest[0]))
        elif len(rest) == 2 and isinstance(rest[0], dict):
            body = self.resolved(*rest)  # also of a late reply: what it brings is given back
            self.settle(number, lambda future: future.set_result(body))
        else:
            return False
        return True

    def value_taken(self):
        """A plain value of the other side has been taken."""
        with self.lock:
            self.taken_here += 1
            count = self.taken_here
        if self.protocol > 1:
            self.say(write_frame("taken", count))

    def taken_there(self, count):
        self.window.give_back(*range(self.told + 1, count + 1))
        self.told = max(self.told, count)
        return True

    # References

    def frame(self, plain, headed, number, body, head=None, known=False):
        """A frame, with a head where there is something to say in it. `known`: the other side knows references."""
        takes_raw, refs, raws = self.protocol > 1, [], Raws()
        known = known or takes_raw

        def refer(thing):
            if not isinstance(thing, Ref):
                return raws.refer(thing) if takes_raw else None
            if not known:
                raise WatError("encode", "the other side does not know references")
            if thing.error:
                raise thing.error
            if thing not in refs:
                refs.append(thing)
            return f"#wat/ref {refs.index(thing)}"

        text, head = write(body, refer), keyed(head or {}) if known else Map()
        if not refs and not head and plain:
            return self.writer.fit(raws.ahead(f"#wat/{plain} [{number} {text}]"))
        with self.lock:
            mentions = [self.mention(ref) for ref in refs]
            try:
                head = Map({**head, Keyword("refs"): mentions}) if refs else head
                return self.writer.fit(raws.ahead(f"#wat/{headed} [{number} {write(head)} {text}]"))
            except WatError:  # it is not sent after all
                for ref in refs:
                    if ref.link is not self:
                        self.given_back(ref.given[self], 1)
                raise

    def mention(self, ref):
        if ref.link is self:
            return -ref.number
        if self not in ref.given:
            self.last_export += 1
            ref.given[self] = self.last_export
            self.exports[self.last_export] = [ref, 0]
        self.exports[ref.given[self]][1] += 1
        return [ref.given[self], {Keyword("address"): self.address or "/"}]

    def resolved(self, head, body):
        mentions = head.get(Keyword("refs")) or ()
        if not mentions:
            return body
        if not isinstance(mentions, tuple):
            raise WatError("malformed", ":refs is a vector of references")
        with self.lock:
            refs = [self.arrived(mention) for mention in mentions]
        return replaced(body, refs)

    def arrived(self, mention):
        if type(mention) is int and mention < 0:
            return self.exported(-mention)
        if not is_call(mention, 2):
            raise WatError("malformed", "a mention in :refs is [id about] or -id")
        ref = self.imports.get(mention[0])
        if ref is None:
            ref = self.imports[mention[0]] = Ref(link=self, number=mention[0])
        ref.seen += 1
        return ref

    def exported(self, number):
        with self.lock:
            if is_number(number) and number in self.exports:
                return self.exports[number][0]
        lost = Ref(lambda body, request: None)
        lost.error = WatError("denied", "this reference was never given, or works no more")
        return lost

    def given_back(self, number, count):
        with self.lock:
            if number not in self.exports:
                return
            export = self.exports[number]
            export[1] -= count
            if export[1] <= 0:
                del self.exports[number], export[0].given[self]

    def release(self, ref):
        with self.lock:
            seen, ref.seen = ref.seen, 0
            if self.imports.get(ref.number) is ref:
                del self.imports[ref.number]
        if seen:
            self.say(write_frame("release", ref.number, seen))
        ref.end(WatError("denied", "this reference has been released"))

    def give_back_unwanted(self):
        while pair := self.unwanted.get():
            self.say(write_frame("release", *pair))

    def gone(self, number, error):
        ref = self.imports.pop(number, None)
        if ref:
            ref.seen = 0
            ref.end(error)
        self.reject_all(error, number)
        return True

    def withdraw(self, ref, error):
        """Tells the other side that it works no more, and answers what is under way at it."""
        with self.lock:
            number = ref.given.pop(self, None)
            if self.exports.pop(number, None) is None:
                return
            under_way = [request for request in list(self.requests.values()) if request.ref is ref]
            for request in under_way:
                self.forget(request.number)
        self.say(write_frame("gone", number, keyed(fault(error, self.address))))
        for request in under_way:
            self.say(self.refusal(request, error))

    def say(self, line):
        self.writer.say(line)


class Writer:
    def __init__(self, fd, limit=MAX_FRAME_BYTES):
        self.fd, self.limit, self.lock = fd, limit, threading.Lock()

    def fit(self, line):
        if len(line) > self.limit:
            raise WatError("too-large", f"over {self.limit} bytes")
        return line

    def say(self, line):
        data = memoryview(line + b"\n")
        with self.lock:
            while data:
                data = data[os.write(self.fd, data) :]


def replaced(value, refs):
    """The body with each `#wat/ref n` in it replaced by the reference in place n."""
    if isinstance(value, Tagged):
        if value.tag != "wat/ref":
            return Tagged(value.tag, replaced(value.value, refs))
        if type(value.value) is not int or not 0 <= value.value < len(refs):
            raise WatError("malformed", "#wat/ref names no reference of its frame")
        return refs[value.value]
    if isinstance(value, dict):
        return Map((replaced(key, refs), replaced(one, refs)) for key, one in value.items())
    if isinstance(value, (tuple, frozenset)):
        return type(value)(replaced(one, refs) for one in value)
    return value


def is_frame(form):
    return isinstance(form, Tagged) and form.tag.startswith("wat/")


def is_call(value, least):
    return isinstance(value, tuple) and len(value) >= least and is_number(value[0])


def are_numbers(value):
    return isinstance(value, tuple) and all(map(is_number, value))


def is_number(value):
    return type(value) is int and 0 < value < 2**53


def number_of(kind, head):
    """Which call a form that cannot be read would have belonged to."""
    match = re.match(rf"#wat/{kind}[\s,]*\[[\s,]*(\d+)[\s,]", head)
    return int(match[1]) if match else None


def write_frame(kind, number, *body):
    return f"#wat/{kind} [{' '.join([str(number), *map(write, body)])}]".encode()


def keyed(fields):
    return Map((Keyword(name), value) for name, value in fields.items() if value is not None)


def named(fields):
    """A dict whose keys may be strings, as a map with keyword keys."""
    return Map((Keyword(key) if isinstance(key, str) else key, value) for key, value in fields.items())


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


def start(function, *arguments):
    thread = threading.Thread(target=function, args=arguments, daemon=True)
    thread.start()
    return thread
