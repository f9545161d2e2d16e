"""A parent on examples/peers/peer.py: what its wat-vm is given, calls back, lends and lets go."""
import os, sys, threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../examples/peers"))
from edn import Keyword, List, Symbol
from peer import Ref, WatError, spawn, write


def told(call):
    try:
        return call()
    except WatError as error:
        return [Keyword(error.code), error.message]


count = []
counter = Ref(lambda body, request: count.append(body) or len(count))
child = spawn(sys.argv[1:], given={"counter": counter, "n": 7})
child.ready.result(20)
print(write(child.call("given", 20)))
print(write([child.call("count", 20), count]))
lent = child.call("lend", 20)
print(write([lent.call(20), lent.ask("add", 1), child.call([lent], 20)]))  # it is no object of methods
echo = Ref(lambda body, request: [body, request.meta[Keyword("user")]])
print(write(child.call([echo, "x"], 20)))
lent.release()
print(write(told(lambda: lent.call(1))))
counter.revoke()
print(write(told(lambda: child.call("count", 20))))
print(write(len(child.exports)))
print(write({Keyword(key): value for key, value in child.stop().items()}))
