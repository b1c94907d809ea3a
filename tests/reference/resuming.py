"""The script of tests/vectors/resumption.txt: sessions that are bound to an older one, and when a session is confirmed."""

from script import *


def resumption_():
    """Standing from waiting to confirmed; a session bound by a resumption secret, at each place; labels that fit nothing."""
    s = Script()
    one, two, three, four, last = s.parties("alice", "bob", one_time=4)
    set_up(s, one)
    s("resume", of="alice", labels_read=bytes(32), expect="too-late")
    for of, at in (("bob", "alice"), ("alice", "bob")) * 3:
        s.exchange(of, at, b"halo")
        for name in (of, at):
            s("standing", of=name)
    s("remember", of="alice"), s("remember", of="bob")

    # Bound at place 1, with the newest secret.
    labels = set_up(s, two, offering=1)
    s("resume", of="bob", labels_read=labels, place=None)
    s("standing", of="bob")
    records(s)
    s("resume", of="bob", labels_read=labels, expect="too-late")
    answered_with_another_byte(s)
    confirm(s)
    s("remember", of="alice"), s("remember", of="bob")

    # Labels of another flight fit nothing; those of a newer and an older session are at two places.
    stale = labels
    labels = set_up(s, three, offering=2)
    s("resume", of="bob", labels_read=stale, place=None)
    s("resume", of="bob", labels_read=bytes(8) + labels[8:], place=None)
    confirm(s)
    s("forget", of="bob", forget=1), s("forget", of="alice", forget=0)
    records(s)

    # Not bound, although it was offered; and nothing offered.
    for published in (four, last):
        set_up(s, published, offering=1 if published is four else 0)
        confirm(s)
    s("resume", of="bob", labels_read=labels, expect="too-late")
    return s


def set_up(s, published, offering=0):
    step = s("initiate", of="alice", peer="bob", bundle=published, now=NOW, offering=offering, labels=None)
    s("standing", of="alice")
    first = s("encrypt", of="alice", plaintext=b"halo")["message"]
    records(s, "alice")
    s("accept", of="bob", message=first, now=NOW)
    s("standing", of="bob")
    return step["labels"]


def answered_with_another_byte(s):
    """The initiator has one offer: places 2 to 4 and a changed byte are refused, and nothing changes."""
    for bound in (0, 2, 4, 5):
        session = copy.deepcopy(s.world.sessions["bob"])
        ratchet = session.ratchet
        ratchet.send(b"", os.urandom)
        message = b"\x22" + forged_answer(ratchet, bound)
        s("decrypt", of="alice", message=message, expect="diverged")


def forged_answer(ratchet, bound):
    hk, ck, n = ratchet.sending
    header = Header(ratchet.pair[1], 0, n, 0, bound)
    return write_message(ratchet.binding, hk, chain_step(ck)[0], header.encode(), b"", bytes(16))


def confirm(s):
    step = s("encrypt", of="bob", plaintext=b"hai")
    s("decrypt", of="alice", message=step["message"], peer="bob", expect="wrong-identity")
    s("decrypt", of="alice", message=step["message"], standing=None)
    s("standing", of="alice"), s("standing", of="bob")
    step = s("encrypt", of="alice", plaintext=b"lagi")
    s("decrypt", of="bob", message=step["message"], standing=None)
    s("standing", of="bob")
    records(s)


def records(s, *names):
    for of in names or ("alice", "bob"):
        s("seal-session", of=of, key=bytes(32), context=of.encode(), state=None)
