"""A parent on examples/peers/peer.py: argv is the command of a child that behaves as careful-double.ts."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../examples/peers"))
from peer import Keyword, WatError, spawn, write


def told(call):
    try:
        return call()
    except WatError as error:
        return [Keyword(error.code), error.message]


child = spawn(sys.argv[1:], address="/python/child")
ready = child.ready.result(20)
print(write([ready[Keyword("protocol")], ready[Keyword("pid")] == child.process.pid, ready[Keyword("address")]]))
replies = [child.request(n) for n in range(100)]
print(write(sum(reply.result(20) for reply in replies)))
print(write(told(lambda: child.call("no number"))))
print(write(told(lambda: child.call(Keyword("wait"), timeout=0.3))))
child.send(5)
print(write(child.recv(20)))
print(write({Keyword(key): value for key, value in child.stop().items()}))
print(write(told(lambda: child.call(1))))
