"""A parent on examples/peers/peer.py: its child answers every call, value and reference with what it got."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../examples/peers"))
from peer import Keyword, Map, Ref, spawn, write


def some(size, start=0):
    """Bytes of all kinds, those among them that mark raw bytes."""
    return bytes(0xFF if at % 3 == 0 else (start + at * 7) & 0xFF for at in range(size))


got = []
child = spawn(sys.argv[1:], given={"bytes": some(2000)})
child.ready.result(20)
print(write(child.call("given", 20) == some(2000)))
for size in (0, 1, 1023, 1024, 65536, 3_000_000):
    body = Map({Keyword("one"): some(size), Keyword("more"): ("ÿ", some(1500, 1), some(1500, 2), some(3))})
    child.send(body)
    calls = [child.request(body) for _ in range(3)]
    back = child.call((Ref(lambda body, request: got.append(body) or body), bytearray(some(size))), 20)
    answered = all(call.result(20) == body for call in calls)
    print(write([child.recv(20) == body, answered, got.pop() == back == some(size)]))
print(write(child.reader.by_lines))
print(write({Keyword(key): value for key, value in child.stop().items()}))
