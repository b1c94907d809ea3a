"""The scripts of root.txt, chain.txt, header.txt, message.txt and ratchet.txt: the ratchet without a session."""

from keys import curve_keys
from script import *


def root():
    """The root chain: where a ratchet starts, and its steps. The sealed states hold the same values."""
    s = Script()
    s.start_ratchets(prk=None, rk=None, ck0=None, hk0=None, hk1=None, pq0=None)
    key = os.urandom(32)
    for of, at in (("initiator", "responder"), ("responder", "initiator")) * 2:
        s("seal-ratchet", of=of, key=key, context=b"", state=None)
        steps = bool(s.world.ratchets[of].sending is None)
        wanted = ("rk", "agreement", "next_rk", "next_hk", "rs") if steps else ()
        step = s("encrypt", of=of, plaintext=b"", ck=None, hk=None, **dict.fromkeys(wanted))
        s("decrypt", of=at, message=step["message"])
        s("seal-ratchet", of=at, key=key, context=b"", state=None)
    return s


def chain():
    """The symmetric chain. The receiver gets the last message first: its sealed state holds the earlier keys."""
    s = Script()
    s.start_ratchets()
    key = os.urandom(32)
    steps = [s("encrypt", of="initiator", plaintext=b"", ck=None, mk=None, next_ck=None) for _ in range(4)]
    s("decrypt", of="responder", message=steps[-1]["message"], kept_keys=None)
    for of in ("initiator", "responder"):
        s("seal-ratchet", of=of, key=key, context=b"", state=None)
    return s


def forged(sender, secret=None, hk=None, body_key=True, plaintext=b"", **changes):
    """A message as the ratchet `sender` could make it, with another header; `secret` is its pair of a new chain.
    Everything else is right, so that a refusal is because of the header alone."""
    sender = copy.deepcopy(sender)
    if secret:
        sender.own_step(secret)
    own, (current, ck, number) = sender.pair[1], sender.sending
    values = {"key": own, "pn": sender.pn, "n": number, "mixed": sender.mixed, "epoch": sender.braid.epoch} | changes
    for _ in range(number, min(values["n"], 30_000)):
        ck = chain_step(ck)[1]
    mk = chain_step(ck)[0] if body_key else bytes(32)
    return write_message(sender.binding, hk or current, mk, Header(**values).encode(), plaintext, bytes(16))


OUT_OF_RANGE = ({"version": 0x01}, {"bound": 5}, {"bound": 1}, {"kind": 7}, {"epoch": 0}, {"number": 1}, {"chunk": bytes(31) + b"\1"},
                {"kind": 4, "number": 1}, {"mixed": 1}, {"epoch": 3}, {"n": 2**32 - 1})


def header():
    """Headers, and headers that contradict what was received, with tags that fit."""
    s, (x, _) = Script(), curve_keys()
    wanted = dict.fromkeys(("hk", "header", "r", "encrypted_header", "header_tag"))

    def refused(expect, sender, **changes):
        s("decrypt", of="responder", message=forged(sender, **changes), expect=expect)

    def initiator():
        return copy.deepcopy(s.world.ratchets["initiator"])

    s.start_ratchets()
    first = s("encrypt", of="initiator", plaintext=b"halo", **wanted)["message"]
    refused("diverged", initiator(), pn=1), refused("ahead", initiator(), n=2_001)
    for key, _ in x:
        refused("diverged", initiator(), key=key)
    for changes in OUT_OF_RANGE:
        refused("diverged", initiator(), **changes)
    s("decrypt", of="responder", message=first)
    refused("forked", initiator(), n=0)
    s("decrypt", of="responder", message=first, expect="duplicate")
    secret = os.urandom(32)
    s("encrypt", of="initiator", plaintext=b"lost", **wanted)
    s.exchange("initiator", "responder", b"dunia")
    same = initiator()
    s.exchange("responder", "initiator", b"hai")
    next_ = initiator()
    for sender, new in ((same, {}), (next_, {"secret": secret})):
        for changes in OUT_OF_RANGE:
            refused("diverged", sender, **new, **changes)
        for version in (0x10, 0x12, 0x22, 0xff):
            refused("unsupported-version", sender, **new, version=version)
        refused("diverged", sender, body_key=False, **new)
    for key, _ in x:
        refused("diverged", next_, secret=secret, key=key)
    refused("forked", same, key=x25519_public(secret)), refused("forked", same, n=0)
    refused("diverged", same, n=1, body_key=False), refused("ahead", same, n=3 + 2_000)
    refused("diverged", next_, secret=same.pair[0]), refused("diverged", next_, secret=secret, pn=2)
    refused("ahead", next_, secret=secret, pn=3 + 2_000)
    refused("ahead", next_, secret=secret, n=2_000)
    refused("ahead", next_, secret=secret, pn=3 + 1_000, n=1_000)
    for _ in range(2):
        step = s("encrypt", of="initiator", plaintext=b"a step", **wanted)
        s("decrypt", of="responder", message=step["message"], kept_keys=None)
        refused("rejected", same), refused("rejected", same, n=1, body_key=False), refused("forked", same, n=0)
        refused("forked", same, n=1, key=initiator().pair[1]), refused("rejected", same, version=0x22)
        for changes in OUT_OF_RANGE:
            refused("rejected", same, **{"n": 1} | changes)
        s.exchange("responder", "initiator", b"hai")
    refused("diverged", initiator(), secret=same.pair[0])
    s("decrypt", of="responder", message=forged(initiator(), secret=secret, version=0x31))
    s("decrypt", of="responder", message=forged(same, n=1, kind=5, number=9, epoch=1))
    return s


def message():
    """Messages with all that they are made of. The salt is r; `digest` is what both tags authenticate."""
    s = Script()
    s.start_ratchets()
    wanted = dict.fromkeys(("mk", "hk", "r", "encrypted_header", "digest", "body_tag", "header_tag"))
    for plaintext in (b"", b"halo, dunia", bytes(64), os.urandom(65), os.urandom(1_024)):
        step = s("encrypt", of="initiator", plaintext=plaintext, **wanted)
        s("decrypt", of="responder", message=flip(step["message"], -1 % len(step["message"])), expect="rejected")
        s("decrypt", of="responder", message=step["message"])
    for at in (0, 15, 16, 99, 100, 115, 116, 131, 132, 147):
        s("decrypt", of="responder", message=flip(step["message"], at), expect="rejected")
    s("decrypt", of="responder", message=step["message"][:131], expect="malformed")
    s("decrypt", of="responder", message=b"", expect="malformed")
    s("decrypt", of="responder", message=step["message"] + b"\0", expect="rejected")
    return s


def ratchet():
    """The ratchet alone: first messages each way; skipped, late, doubled, given-up ones; steps; forks."""
    s = Script()
    s.start_ratchets()
    s("encrypt", of="responder", plaintext=b"too early", expect="awaiting-first-message")
    sent = [s("encrypt", of="initiator", plaintext=b"message %d" % n)["message"] for n in range(5)]
    for n in (2, 0, 4):
        s("decrypt", of="responder", message=sent[n], kept_keys=None)
        s("decrypt", of="responder", message=sent[n], expect="duplicate")
    answers = [s("encrypt", of="responder", plaintext=b"answer %d" % n)["message"] for n in range(3)]
    s("decrypt", of="initiator", message=answers[1], kept_keys=None)
    s("decrypt", of="initiator", message=answers[0], kept_keys=None)
    sent.append(s("encrypt", of="initiator", plaintext=b"after a step")["message"])
    s("decrypt", of="responder", message=sent[5], kept_keys=None)
    s("decrypt", of="responder", message=sent[1], kept_keys=None)
    for n in range(3):
        s.exchange("responder", "initiator", b"ping")
        s.exchange("initiator", "responder", b"pong")
    s("decrypt", of="responder", message=sent[3], kept_keys=None, given_up=None)
    s("decrypt", of="initiator", message=answers[2], kept_keys=None)
    s("decrypt", of="responder", message=sent[3], expect="rejected")
    forks(s)
    chains_that_end(s)
    given_up(s)
    return s


def forks(s):
    """Two messages with one number, and two steps from one root; eight messages are remembered."""
    start = copy.deepcopy(s.world.ratchets["initiator"])
    first = s("encrypt", of="initiator", plaintext=b"one")["message"]
    s("decrypt", of="responder", message=first)
    s("decrypt", of="responder", message=first, expect="duplicate")
    s("decrypt", of="responder", message=forged(start, plaintext=b"other"), expect="forked")
    for number in range(8):
        s("decrypt", of="responder", message=first, expect="duplicate")
        s.exchange("initiator", "responder", b"%d" % number)
    s("decrypt", of="responder", message=first, expect="spent")
    s.exchange("responder", "initiator", b"ping")
    start = copy.deepcopy(s.world.ratchets["initiator"])
    s.exchange("initiator", "responder", b"a step")
    s("decrypt", of="responder", message=forged(start, secret=os.urandom(32), hk=start.next_hk), expect="forked")


def chains_that_end(s):
    """Keys are kept for four older chains; the fifth older one is forgotten, and its key given up."""
    late = s("encrypt", of="initiator", plaintext=b"late")["message"]
    s("encrypt", of="initiator", plaintext=b"never")
    for number in range(5):
        s("encrypt", of="initiator", plaintext=b"lost: an older chain without kept keys is forgotten")
        s.exchange("initiator", "responder", b"%d" % number)
        s.exchange("responder", "initiator", b"ping")
        step = s("encrypt", of="initiator", plaintext=b"pong")
        s("decrypt", of="responder", message=step["message"], kept_keys=None, given_up=None)
        if number == 3:
            s("decrypt", of="responder", message=late, kept_keys=None, given_up=None)


def given_up(s):
    """A gap of 2,000 and one more; 25,000 and one more."""
    def sender():
        return copy.deepcopy(s.world.ratchets["initiator"])
    base = sender().sending[2]

    def at(n, of="decrypt", **results):
        s(of, of="responder", message=forged(sender(), n=base + n), **results)
    room = 2_000 - sum(len(chain.kept) for chain in s.world.ratchets["responder"].chains)
    at(room + 1, expect="ahead"), at(room, kept_keys=None, given_up=None), at(room + 1, kept_keys=None, given_up=None)
    at(room + 3, expect="ahead"), at(room + 4_001, expect="ahead")
    far = room + 2 + 25_000
    at(far + 1, "decrypt-giving-up", expect="too-far")
    at(far, "decrypt-giving-up", kept_keys=None, given_up=None)
    at(far - 2_001, expect="spent"), at(far - 2_000, kept_keys=None), at(far - 1, kept_keys=None)
    s("seal-ratchet", of="responder", key=os.urandom(32), context=b"", state=None)
