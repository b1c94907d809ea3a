"""The script of state.txt: sealed records."""

from script import *


def state():
    """Sealed records of every kind, what is in them (`state`), and records that are refused."""
    s = Script()
    key, two, one, last_resort = os.urandom(32), *s.parties("alice", "bob", one_time=2)

    def seal_(kind, of):
        step = s(f"seal-{kind}", of=of, key=key, context=kind.encode(), state=None)
        s(f"unseal-{kind}", of=of, key=key, context=kind.encode(), record=step["record"])
        return step["record"]

    seal_("identity", "alice"), seal_("pre-keys", "bob")
    s("rotate", of="bob", now=NOW + 4 * DAY - 1)
    current = s("rotate", of="bob", now=NOW + 4 * DAY)["bundle"]
    s("replenish", of="bob")
    now = NOW + 4 * DAY
    for published in (last_resort, current, current, one):
        s("initiate", of="alice", peer="bob", bundle=published, now=now)
        first = [s("encrypt", of="alice", plaintext=b"%d" % n)["message"] for n in range(4)]
        seal_("session", "alice")
        if published is one:
            other = first[0][:33] + current[67:71] + first[0][37:]
            s("accept", of="bob", message=other, now=now, expect="unknown-pre-key")
        s("accept", of="bob", message=first[3], now=now)
    seal_("session", "bob")
    s("decrypt", of="alice", message=s("encrypt", of="bob", plaintext=b"hai")["message"])
    record = seal_("session", "alice")
    s("decrypt", of="bob", message=first[0])
    s("decrypt", of="bob", message=first[0], expect="duplicate")
    s("decrypt", of="alice", message=first[1], expect="other-session")
    records_that_are_refused(s, key, record)
    pre_keys = seal_("pre-keys", "bob")
    s("unseal-session", of="alice", key=key, context=b"pre-keys", record=pre_keys, expect="rejected")
    s("rotate", of="bob", now=NOW + 7 * DAY - 1), seal_("pre-keys", "bob")
    s("rotate", of="bob", now=NOW + 7 * DAY), seal_("pre-keys", "bob")
    s("accept", of="bob", message=first[1], now=NOW + 7 * DAY, expect="unknown-pre-key")
    s.start_ratchets()
    for of in ("initiator", "responder"):
        seal_("ratchet", of)
    return s


def records_that_are_refused(s, key, record):
    def refused(expect, record, key=key, context=b"session"):
        s("unseal-session", of="alice", key=key, context=context, record=record, expect=expect)
    refused("rejected", record, key=flip(key, 31)), refused("rejected", record, context=b"sessiom")
    refused("unknown-version", b"\2" + record[1:]), refused("rejected", b""), refused("rejected", record[:40])
    refused("rejected", record[:-1]), refused("rejected", record + b"\0"), refused("rejected", flip(record, 30))
