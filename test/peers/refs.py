"""A child on examples/peers/peer.py that does with references what it is asked to: a vector of a word and more."""
import os, sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../examples/peers"))
from edn import Keyword
from peer import Ref, WatError, serve

kept = []
own = Ref(lambda body, request: body * 2)


def answer(body, request):
    word, *rest = body
    if word == "call":  # a reference that the call has brought, and with what
        return rest[0].call(rest[1])
    if word == "use":  # the one that was given at the start
        return request.given[Keyword("service")].call(rest[0], timeout=5, meta={"by": "python"})
    if word == "add":  # a method
        return rest[0].ask("add", *rest[1:])
    if word == "keep":
        kept.append(rest[0])
        return kept[0] is rest[0]
    if word == "drop":
        kept.clear()
    if word == "kept":
        return kept[0].call(rest[0])
    if word == "back":
        return [*rest]
    if word == "make":
        return own
    if word == "mine":
        return rest[0] is own
    if word == "revoke":
        own.revoke()
    if word == "late":
        return [request.time_left() < 5, request.meta[Keyword("user")]]
    if word == "nest":  # calls a reference with one of this process, which that calls
        return rest[0].call(own)
    if word == "told":
        try:
            return rest[0].call(1)
        except WatError as error:
            return [Keyword(error.code), error.message]
    return None


sys.exit(serve(answer))
