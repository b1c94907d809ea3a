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
    comparison(s)
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
    s("identity", of="carol")
    confirm(s)
    group, view = os.urandom(32), os.urandom(32)
    for group, view in ((b"", b""), (group, view)):
        a_group_call(s, group, view)


def confirm(s):
    """Keys and comparisons are taken from confirmed sessions only."""
    call = os.urandom(16)
    hers, _ = [s("compare", of=of, call=call)["signal"] for of in ("alice", "bob")]
    s("compare-commitment", of="bob", commitment_read=hers, expect="unconfirmed")
    start = {"call": os.urandom(16), "group": b"", "view": b""}
    key, _ = [s("group-call", of=of, **start)["signal"] for of in ("alice", "bob")]
    s("epoch-key", of="bob", epoch_key=key, views=b"", expect="unconfirmed")
    for of, to in (("bob", "alice"), ("alice", "bob")):
        s("decrypt", of=to, message=s("encrypt", of=of, plaintext=b"hai")["message"])
    s("epoch-key", of="bob", epoch_key=key, views=b"")


def a_group_call(s, group, view):
    start = {"call": os.urandom(16), "group": group, "view": view}
    at_alice, at_bob = [s("group-call", of=of, **start)["signal"] for of in ("alice", "bob")]

    def gives(key, of="bob", **expected):
        return s("epoch-key", of=of, epoch_key=key, views=view, **expected)

    def key(of):
        return s("call-key", of=of)["signal"]

    def sealed(of="alice"):
        return s("seal-frame", of=of, metadata=b"", plaintext=os.urandom(9))["frame"]

    def opens(frame, of="bob", **expected):
        s("open-frame", of=of, metadata=b"", sealed_frame=frame, **expected)

    for wrong in (b"", at_alice[:-1], at_alice + b"\0", flip(at_alice, 0), flip(at_alice, 56), flip(at_alice, 59)):
        gives(wrong, expect="malformed")
    for suite in (0, 6, 255):
        gives(at_alice[:55] + bytes([suite]) + at_alice[56:], expect="malformed")
    gives(flip(at_alice, 1), expect="other-call"), gives(at_bob, expect="rejected")
    for at in (17, 48, 49, 52, 53, 54, 55, 57, 60, 91, 92, 123):
        gives(flip(at_alice, at), expect="rejected")
    if group:
        s("epoch-key", of="bob", epoch_key=at_alice, views=os.urandom(32), expect="unknown-view")
    early = sealed()
    opens(early, expect="unknown-key")
    # Bob has given Alice a key: asked again, he goes on to the next. Alice takes it, and derives it.
    gives(at_alice), gives(at_alice), gives(at_bob, "alice"), gives(key("bob"), "alice")
    opens(early), opens(early, expect="replayed")
    [frames(s, *ends, forged="unknown-key") for ends in (("alice", "bob"), ("bob", "alice"))]
    # Others join and leave: eight keys follow from one another, then one is fresh.
    kept = []
    for turn in range(3):
        kept.append(sealed())
        s("call-join", of="alice", **{"with": "carol"})
        opens(sealed())
        if turn == 1:
            gives(key("alice"))
        if turn < 2:
            s("call-leave", of="alice", **{"with": "carol"})
            late = sealed()
            opens(late, expect="unknown-key")
            gives(key("alice")), opens(late)
    for frame in kept:
        opens(frame)
    gives(at_alice)
    # Alice loses her state and comes again, four times: she draws another number for each stay.
    stays = []
    for _ in range(4):
        gives(s("group-call", of="alice", **start)["signal"])
        stays.append(sealed())
        opens(stays[-1])
        gives(key("bob"), "alice")
        opens(sealed("bob"), "alice")
    for frame in stays:
        opens(frame, expect="unknown-key" if frame is stays[0] else "replayed")
    gives(key("alice"))
    s("call-stay", of="alice")
    gives(key("alice")), opens(sealed()), frames(s, "alice", "bob")
    # Bob hears that she left, and that she came.
    last = key("alice")
    s("call-leave", of="bob", **{"with": "alice"})
    gives(last, expect="not-in-call")
    s("call-join", of="bob", **{"with": "alice"})
    gives(last), gives(key("bob"), "alice"), gives(key("alice"))
    opens(sealed()), opens(sealed("bob"), "alice")


def comparison(s):
    """Rounds that both begin, that one begins and the other follows or does not, and one after a restart."""
    call = os.urandom(16)
    hers, his = [s("compare", of=of, call=call)["signal"] for of in ("alice", "bob")]

    def commits(at, data, **expected):
        return s("compare-commitment", of=at, commitment_read=data, **expected)

    def opens(at, data, **expected):
        s("compare-opening", of=at, opening_read=data, **expected)

    for wrong in (b"", hers[:-1], hers + b"\0", flip(hers, 0)):
        commits("bob", wrong, expect="malformed"), opens("bob", wrong, expect="malformed")
    commits("bob", flip(hers, 1), expect="other-call")
    commits("bob", hers[:17] + b"\0\0" + hers[19:], expect="other-round")
    by_bob = commits("bob", hers)["opening"]
    commits("bob", hers[:17] + b"\0\x42" + hers[19:], expect="other-round")
    commits("bob", hers), commits("bob", flip(hers, 50), expect="changed")
    opens("alice", by_bob, expect="too-early")
    by_alice = commits("alice", his)["opening"]
    for at in (19, 34):
        opens("alice", flip(by_bob, at), expect="changed")
    opens("alice", flip(by_bob, 1), expect="other-call")
    opens("alice", by_bob), opens("bob", by_alice), opens("bob", by_alice)
    # Bob has opened: he takes part in another round once his user wants it.
    hers = s("compare-again", of="alice")["signal"]
    commits("bob", hers, expect="begins-again")
    his = s("compare-again", of="bob")["signal"]
    by_bob_again = commits("bob", hers)["opening"]
    opens("alice", by_bob, expect="other-round"), opens("alice", by_bob_again, expect="too-early")
    opens("bob", commits("alice", his)["opening"]), opens("alice", by_bob_again)
    hers, his = [s("compare-again", of=of)["signal"] for of in ("alice", "bob")]
    opens("alice", commits("bob", hers)["opening"], expect="too-early")
    opens("bob", commits("alice", his)["opening"])
    # Alice begins two more; Bob has begun one, and follows her before he opens.
    for of in ("alice", "bob", "alice"):
        hers = s("compare-again", of=of)["signal"]
    followed = commits("bob", hers)
    opens("bob", commits("alice", followed["signal"])["opening"]), opens("alice", followed["opening"])
    # Alice begins from the start again, and takes up the round that Bob is in.
    for _ in range(70):
        his = s("compare-again", of="bob")["signal"]
    s("compare", of="alice", call=call)
    followed = commits("alice", his)
    opens("alice", commits("bob", followed["signal"])["opening"]), opens("bob", followed["opening"])


def frames(s, of, at, forged="rejected"):
    def refused(expect, frame, metadata=b"stream"):
        s("open-frame", of=at, metadata=metadata, sealed_frame=frame, expect=expect)
    for size in (0, 1, 60, 1_200):
        frame = s("seal-frame", of=of, metadata=b"stream", plaintext=os.urandom(size))["frame"]
        refused(forged, frame, b"streal"), refused(forged, frame + b"\0")
        refused(forged, flip(frame, len(frame) - 1)), refused(forged, flip(frame, len(frame) - 16))
        s("open-frame", of=at, metadata=b"stream", sealed_frame=frame)
        refused("replayed", frame), refused("malformed", frame[:10])
    for config in (b"", b"\x80\7", b"\x08\7", b"\x09\0\xff"):
        refused("malformed", config + bytes(16) if config else b"")
    many = [s("seal-frame", of=of, metadata=b"stream", plaintext=b"")["frame"] for _ in range(12)]
    for index in (11, 3, 10, 0):
        s("open-frame", of=at, metadata=b"stream", sealed_frame=many[index])
        refused("replayed", many[index])
