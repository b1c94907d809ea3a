"""The script of call.txt: signals and frames of calls."""

from keys import curve_keys
from script import *


def call():
    """Calls of two and of many, with every reason to refuse a signal or a frame."""
    s = Script()
    _, last_resort = s.parties("alice", "bob", one_time=1)
    s("initiate", of="alice", peer="bob", bundle=last_resort, now=NOW)
    s("accept", of="bob", message=s("encrypt", of="alice", plaintext=b"halo")["message"], now=NOW)
    wanted = dict.fromkeys(("transcript", "agreement", "encapsulated", "prk"))
    for caller, callee in (("alice", "bob"), ("bob", "alice")):
        offer = s("call", of=caller)["signal"]
        answer = s("call-accept", of=callee, offer=offer, **wanted)["signal"]
        if caller == "alice":
            signals_that_are_refused(s, caller, callee, offer, answer)
        s("call-complete", of=caller, answer=answer)
    group_call(s)
    return s


def signals_that_are_refused(s, caller, callee, offer, answer):
    def offered(expect, data):
        s("call-accept", of=callee, offer=data, expect=expect)

    def answered(expect, data):
        s("call-complete", of=caller, answer=data, expect=expect)
    for refuse, data in ((offered, offer), (answered, answer)):
        for wrong in (b"", data[:-1], data + b"\0", flip(data, 0)):
            refuse("malformed", wrong)
        for key, word in curve_keys()[0]:
            refuse(word, data[:17] + key + data[49:])
    offered("non-canonical", offer[:49] + b"\xff" * 3 + offer[52:])
    answered("other-call", flip(answer, 1)), answered("other-call", flip(answer, 16))
    for at in (49, 1136, 1137, 1168):
        answered("rejected", flip(answer, at))
    # The offer was changed in transit, and the callee has answered the changed one.
    for at in (len(offer) - 32, len(offer) - 1):
        answered("rejected", s("call-accept", of=callee, offer=flip(offer, at))["signal"])


def group_call(s):
    id, alice, bob = os.urandom(16), b"\0\1", b"\0\x12"
    at_alice = s("group-call", of="alice", call=id, participant=alice, other=bob)["signal"]
    at_bob = s("group-call", of="bob", call=id, participant=bob, other=alice)["signal"]

    def refused(expect, data):
        s("epoch-key", of="bob", epoch_key=data, expect=expect)
    for wrong in (b"", at_alice[:-1], at_alice + b"\0", flip(at_alice, 0)):
        refused("malformed", wrong)
    for suite in (0, 6, 255):
        refused("malformed", at_alice[:27] + bytes([suite]) + at_alice[28:])
    refused("other-call", flip(at_alice, 1)), refused("rejected", at_bob)
    for at in (17, 24, 25, 26, 27, 28, 59, 60, 91):
        refused("rejected", flip(at_alice, at))
    early = s("seal-frame", of="alice", metadata=b"", plaintext=b"early")["frame"]
    s("open-frame", of="bob", metadata=b"", sealed_frame=early, expect="unknown-key")
    s("epoch-key", of="bob", epoch_key=at_alice), refused("stale", at_alice)
    s("epoch-key", of="alice", epoch_key=at_bob)
    s("open-frame", of="bob", metadata=b"", sealed_frame=early)
    frames(s, "alice", "bob"), frames(s, "bob", "alice")


def frames(s, of, at):
    def refused(expect, frame, metadata=b"stream"):
        s("open-frame", of=at, metadata=metadata, sealed_frame=frame, expect=expect)
    for size in (0, 1, 60, 1_200):
        frame = s("seal-frame", of=of, metadata=b"stream", plaintext=os.urandom(size))["frame"]
        refused("rejected", frame, b"streal"), refused("rejected", frame + b"\0"), refused("malformed", frame[:10])
        refused("rejected", flip(frame, len(frame) - 1)), refused("rejected", flip(frame, len(frame) - 16))
        s("open-frame", of=at, metadata=b"stream", sealed_frame=frame)
        refused("replayed", frame)
    for config in (b"", b"\x80\7", b"\x08\7", b"\x09\0\xff"):
        refused("malformed", config + bytes(16) if config else b"")
    many = [s("seal-frame", of=of, metadata=b"stream", plaintext=b"")["frame"] for _ in range(12)]
    for index in (11, 3, 10, 0):
        s("open-frame", of=at, metadata=b"stream", sealed_frame=many[index])
        refused("replayed", many[index])
