"""A child on examples/peers/peer.py that answers everything with itself, except for a few keywords."""
import os, sys, threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../examples/peers"))
from peer import Keyword, Server, record

held = []


def answer(body, request):
    word = body.name if isinstance(body, Keyword) else None
    if word == "hold":
        held.append(threading.Event())
        held[-1].wait()
    if word == "release":
        for one in held:
            one.set()
    if word == "wait":
        request.cancelled.wait()
        record("log", level=Keyword("info"), message="cancelled")
    if word == "env":
        return [name for name in os.environ if name.startswith("WAT_")]
    if word == "print":
        print("#wat/rep [1 1]", flush=True)
        os.system("echo '#wat/rep [1 1]'; cat")
    if word == "throw":
        raise KeyError("gone")
    if word == "die":
        record("panic", type=Keyword("wat/handler"), message="python gave up")
        os._exit(9)
    if word == "given":
        return request.given
    if word == "by-lines":
        return server.reader.by_lines
    return body


server = Server(answer)
sys.exit(server.run())
