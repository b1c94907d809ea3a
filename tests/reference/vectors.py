"""Makes and verifies the files of tests/vectors.

    vectors.py verify DIRECTORY   runs every script there, and compares
    vectors.py write DIRECTORY    makes all files afresh, from fresh randomness

It does not know the crate: the same files are run against that by tests/vectors.rs.
"""

import sys
from pathlib import Path

from conversation import conversation
from script import *


def aead():
    """ChaCha20-HMAC-SHA256 in its general form: a record is Seal(K, N, L_RECORD || kind || 0x01 || context, state)."""
    s = Script()
    s("identity", of="alice")
    for context in (b"", b"identity", bytes(range(64))):
        key = os.urandom(32)
        sealed = s("seal-identity", of="alice", key=key, context=context, state=None)["record"]
        s("unseal-identity", of="alice", key=key, context=context, record=sealed)
    for at in (1, 24, 25, 88, 89, 104):
        s("unseal-identity", of="alice", key=key, context=context, record=flip(sealed, at), expect="rejected")
    s("unseal-identity", of="alice", key=flip(key, 0), context=context, record=sealed, expect="rejected")
    s("unseal-identity", of="alice", key=key, context=context[:-1], record=sealed, expect="rejected")
    s("unseal-identity", of="alice", key=key, context=context + b"\0", record=sealed, expect="rejected")
    return s


def curve_keys():
    """X25519 keys by their u, and Ed25519 keys by their y, that are not keys."""
    def le(n):
        return n.to_bytes(32, "little")
    x = [(le(u), "low-order") for u in sorted(U_OF_SMALL_ORDER)]
    x += [(le(u), "non-canonical") for u in (P, P + 1, 2**255 - 1, 2)]
    ed = [(le(y), "low-order") for y in sorted(Y_OF_SMALL_ORDER)]
    ed += [(le(P + 3), "non-canonical"), (le(2), "non-canonical"), (b"\xff" * 32, "non-canonical")]
    return x, ed


def dh_keys():
    """Which encodings of Ed25519 and X25519 keys are keys: an identity key is one of each."""
    s, (x, ed) = Script(), curve_keys()
    good = [s("identity", of=name)["public"] for name in ("alice", "bob")]
    for key in good:
        s("identity-key", key=key)
    s("identity-key", key=good[0][:32] + (9).to_bytes(32, "little"))
    s("identity-key", key=good[0][:63] + bytes([good[0][63] | 0x80]), expect="non-canonical")
    for key, word in x:
        s("identity-key", key=good[0][:32] + key, expect=word)
    for key, word in ed:
        s("identity-key", key=key + good[0][32:], expect=word)
    return s


def kem():
    """ML-KEM-768 by seed and randomness; `shared_of_damaged` is what decapsulates when the first bit has changed."""
    s = Script()
    for _ in range(3):
        s("kem", shared=None, shared_of_damaged=None)
    return s


def bundle():
    """Bundles, good ones and each kind that is refused. All but the ones with a bad signature are signed well."""
    s = Script()
    one_time, last_resort = s.parties("bob", one_time=1)
    bob = s.world.identities["bob"]
    mallory = Identity(os.urandom)

    def verify(data, expect="", now=NOW, pinned=bob.public):
        s("verify", bundle=data, pinned=pinned, now=now, **({"expect": expect} if expect else {}))

    def edited(data, at, new):
        body = data[:at] + new + data[at + len(new):-64]
        return body + sign(bob.ed, L_BUNDLE + body)

    for data in (one_time, last_resort):
        verify(data)
        verify(data[:-1], "malformed"), verify(data + b"\0", "malformed"), verify(b"", "malformed")
        for at in (0, 1, 34, 87, 124):
            verify(edited(data, at, bytes([data[at] ^ 3])), "malformed")
        verify(edited(data, 67, bytes(4)), "malformed")
        verify(edited(data, 120, pack(">I", 0 if data is one_time else 7)), "malformed")
        verify(flip(data, 67), "bad-signature"), verify(flip(data, 86), "bad-signature")
        verify(flip(data, len(data) - 64), "bad-signature"), verify(flip(data, len(data) - 1), "bad-signature")
        verify(data, "identity-mismatch", pinned=mallory.public)
        verify(data, "identity-mismatch", pinned=bob.public[:32] + mallory.public[32:])
        verify(data, "identity-mismatch", pinned=mallory.public[:32] + bob.public[32:])
        verify(data, now=NOW + 30 * DAY - 1), verify(data, "expired", now=NOW + 30 * DAY)
        verify(data, now=NOW - DAY), verify(data, "not-yet-valid", now=NOW - DAY - 1)
        unreduced = bytes([0x01, data[126] & 0xf0 | 0x0d])
        verify(edited(data, 125, unreduced), "non-canonical")
    verify(edited(one_time, 1309, b"\x12"), "malformed")
    malleable = (int.from_bytes(one_time[-32:], "little") + Q).to_bytes(32, "little")
    verify(one_time[:-32] + malleable, "bad-signature")
    verify(one_time[:-64] + signature_with_small_r(bob, L_BUNDLE + one_time[:-64]), "bad-signature")
    x, ed = curve_keys()
    for key, word in x:
        verify(edited(one_time, 88, key), word)
    for at, (key, word) in ((1310, x[0]), (1310, x[-1]), (35, x[0]), (35, x[-1]), (2, ed[0]), (2, ed[-1])):
        data = edited(one_time, at, key)
        verify(data, word, pinned=data[2:34] + data[35:67])
    return s


def signature_with_small_r(identity, message):
    """R is the neutral element: the equation holds, and anyone who verifies must look at R."""
    r, public = (1).to_bytes(32, "little"), identity.public[:32]
    a = int.from_bytes(hashlib.sha512(identity.ed).digest()[:32], "little") & (2**254 - 8) | 2**254
    k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little")
    return r + (k * a % Q).to_bytes(32, "little")


def handshake():
    """Both sides of the handshake with all that it derives (`binding` is TF), and first flights that are refused."""
    s, inner = Script(), dict.fromkeys(("to", "dh1", "dh2", "dh3", "dh4", "ss", "ki", "sealed_identity", "prk"))
    one_time, last_resort = s.parties("alice", "bob", one_time=1)
    for published in (one_time, last_resort):
        for disclosure in (bytes(32), os.urandom(32)):
            s("handshake", of="alice", peer="bob", bundle=published, now=NOW, disclosure=disclosure, **inner)
    s("initiate", of="bob", peer="bob", bundle=one_time, now=NOW, draws=b"", expect="own-bundle")
    s("initiate", of="alice", peer="bob", bundle=one_time, now=NOW)
    first = s("encrypt", of="alice", plaintext=b"halo")["message"]
    first_flights_that_are_refused(s, first)
    s("accept", of="bob", message=of_himself(s, one_time), expect="rejected")
    s("accept", of="bob", message=first)
    s("accept", of="bob", message=first, expect="unknown-pre-key")
    s("initiate", of="alice", peer="bob", bundle=last_resort, now=NOW, disclosure=bytes(31) + b"\1")
    first = s("encrypt", of="alice", plaintext=b"under a disclosure")["message"]
    s("accept", of="bob", message=first, expect="rejected")
    s("accept", of="bob", message=first, disclosure=bytes(31) + b"\1")
    s("accept", of="bob", message=first, disclosure=bytes(31) + b"\1", expect="replayed")
    return s


def of_himself(s, published):
    """What Bob makes of his own bundle when he does not notice whose it is."""
    bob = s.world.identities["bob"]
    bundle = verify_bundle(published, bob.public, NOW)
    bundle.identity = bytes(32) + bundle.identity[32:]
    return Session.initiate(bob, bundle, os.urandom).encrypt(b"", os.urandom)


def first_flights_that_are_refused(s, first):
    x, _ = curve_keys()
    for at in (36, 40):
        s("accept", of="bob", message=flip(first, at), expect="unknown-pre-key")
    for at in (41, 1128, 1129, 1208, 1209, 1340):
        s("accept", of="bob", message=flip(first, at), expect="rejected")
    for key, word in x:
        word = "rejected" if key == (2).to_bytes(32, "little") else "malformed"
        s("accept", of="bob", message=first[:1] + key + first[33:], expect=word)
    s("accept", of="bob", message=b"\x23" + first[1:], expect="malformed")
    s("accept", of="bob", message=first[:1340], expect="malformed")
    s("accept", of="bob", message=b"\x22" + first[1209:], expect="not-first")


def root():
    """The root chain: where a ratchet starts, and its steps. The sealed states hold the same values."""
    s = Script()
    s.start_ratchets(prk=None, rk=None, hk_i=None, hk_r=None)
    key = os.urandom(32)
    for of, at in (("initiator", "responder"), ("responder", "initiator")) * 2:
        s("seal-ratchet", of=of, key=key, context=b"", state=None)
        step = s("encrypt", of=of, plaintext=b"", rk=None, agreement=None, next_rk=None, ck=None, hk=None, nhk=None)
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


def forged(sender, secret=None, hk=None, key=None, pn=None, n=None, rest=bytes(44), body_key=True):
    """A message as `sender`, a ratchet, could make it, with another header; `secret` is its pair of a new chain.

    All else is right: what is refused is refused for that header alone.
    """
    if secret:
        own, number, (_, ck, _) = x25519_public(secret), 0, root_step(sender.rk, dh(secret, sender.peer))
        hk = hk or sender.nhks
    else:
        own, (current, ck, number) = sender.pair[1], sender.sending
        hk = hk or current
    n = number if n is None else n
    for _ in range(number, n):
        ck = chain_step(ck)[1]
    mk = chain_step(ck)[0] if body_key else bytes(32)
    values = pack(">II", sender.pn if pn is None else pn, n)
    return write_message(sender.binding, hk, mk, (key or own) + values + rest, b"", bytes(16))


def header():
    """Headers, and headers that contradict what was received, with tags that fit."""
    s, (x, _) = Script(), curve_keys()
    wanted = dict.fromkeys(("hk", "header", "r", "encrypted_header", "header_tag"))

    def refused(expect, sender, **changes):
        s("decrypt", of="responder", message=forged(sender, **changes), expect=expect)

    def initiator():
        return copy.copy(s.world.ratchets["initiator"])

    s.start_ratchets()
    first = s("encrypt", of="initiator", plaintext=b"halo", **wanted)["message"]
    refused("diverged", initiator(), pn=1), refused("too-far-ahead", initiator(), n=25_001)
    s("decrypt", of="responder", message=first)
    secret = os.urandom(32)
    refused("diverged", initiator(), secret=secret)
    s("encrypt", of="initiator", plaintext=b"lost", **wanted)
    s.exchange("initiator", "responder", b"dunia")
    same = initiator()
    s.exchange("responder", "initiator", b"hai")
    next_ = initiator()
    for sender, new in ((same, {}), (next_, {"secret": secret})):
        for at in (0, 43):
            refused("diverged", sender, rest=flip(bytes(44), at), **new)
        refused("diverged", sender, body_key=False, **new)
    for key, _ in x:
        refused("diverged", next_, secret=secret, key=key)
    refused("diverged", same, key=x25519_public(secret)), refused("replayed", same, n=0)
    refused("diverged", same, n=1), refused("too-far-ahead", same, n=3 + 25_001)
    refused("diverged", next_, secret=same.pair[0]), refused("diverged", next_, secret=secret, pn=2)
    refused("too-far-ahead", next_, secret=secret, pn=3 + 25_001)
    refused("too-far-ahead", next_, secret=secret, n=25_001)
    for _ in range(2):
        step = s("encrypt", of="initiator", plaintext=b"a step", **wanted)
        s("decrypt", of="responder", message=step["message"], kept_keys=None)
        refused("diverged", same), refused("diverged", same, n=1), refused("replayed", same, n=0)
        refused("diverged", same, n=1, key=initiator().pair[1])
        s.exchange("responder", "initiator", b"hai")
    refused("diverged", initiator(), secret=same.pair[0])
    s("decrypt", of="responder", message=forged(initiator(), secret=secret))
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
    """The ratchet alone: first messages each way; skipped, late, doubled, given-up ones; steps; 25,000 missing."""
    s = Script()
    s.start_ratchets()
    s("encrypt", of="responder", plaintext=b"too early", expect="awaiting-first-message")
    sent = [s("encrypt", of="initiator", plaintext=b"message %d" % n)["message"] for n in range(5)]
    for n in (2, 0, 4):
        s("decrypt", of="responder", message=sent[n], kept_keys=None)
        s("decrypt", of="responder", message=sent[n], expect="replayed")
    answers = [s("encrypt", of="responder", plaintext=b"answer %d" % n)["message"] for n in range(3)]
    s("decrypt", of="initiator", message=answers[1], kept_keys=None)
    s("decrypt", of="initiator", message=answers[0], kept_keys=None)
    sent.append(s("encrypt", of="initiator", plaintext=b"after a step")["message"])
    s("decrypt", of="responder", message=sent[5], kept_keys=None)
    s("decrypt", of="responder", message=sent[1], kept_keys=None)
    for n in range(3):
        s.exchange("responder", "initiator", b"ping")
        s.exchange("initiator", "responder", b"pong")
    s("decrypt", of="responder", message=sent[3], kept_keys=None)
    s("decrypt", of="initiator", message=answers[2], kept_keys=None)
    s.exchange("responder", "initiator", b"ping")
    s.exchange("initiator", "responder", b"the sixth chain: the first is forgotten")
    s("decrypt", of="responder", message=sent[3], expect="rejected")
    s("decrypt", of="responder", message=sent[5], expect="replayed")
    sender = s.world.ratchets["initiator"]
    s("decrypt", of="responder", message=forged(sender, n=25_002), expect="too-far-ahead")
    s("decrypt", of="responder", message=forged(sender, n=25_001), kept_keys=None)
    s("decrypt", of="responder", message=forged(sender, n=23_000), expect="replayed")
    s("decrypt", of="responder", message=forged(sender, n=23_001), kept_keys=None)
    return s


def state():
    """Sealed records of every kind, what is in them (`state`), and records that are refused."""
    s = Script()
    key, two, one, last_resort = os.urandom(32), *s.parties("alice", "bob", one_time=2)

    def seal_(kind, of):
        step = s(f"seal-{kind}", of=of, key=key, context=kind.encode(), state=None)
        s(f"unseal-{kind}", of=of, key=key, context=kind.encode(), record=step["record"])
        return step["record"]

    seal_("identity", "alice"), seal_("pre-keys", "bob")
    s("rotate", of="bob", now=NOW + 7 * DAY - 1)
    current = s("rotate", of="bob", now=NOW + 7 * DAY)["bundle"]
    s("replenish", of="bob")
    for published in (last_resort, current, current, one):
        s("initiate", of="alice", peer="bob", bundle=published, now=NOW + 7 * DAY)
        first = [s("encrypt", of="alice", plaintext=b"%d" % n)["message"] for n in range(4)]
        seal_("session", "alice")
        if published is one:
            other = first[0][:33] + current[67:71] + first[0][37:]
            s("accept", of="bob", message=other, expect="unknown-pre-key")
        s("accept", of="bob", message=first[3])
    seal_("session", "bob")
    s("decrypt", of="alice", message=s("encrypt", of="bob", plaintext=b"hai")["message"])
    record = seal_("session", "alice")
    s("decrypt", of="bob", message=first[0])
    s("decrypt", of="bob", message=first[0], expect="replayed")
    s("decrypt", of="alice", message=first[1], expect="other-session")
    records_that_are_refused(s, key, record)
    pre_keys = seal_("pre-keys", "bob")
    s("unseal-session", of="alice", key=key, context=b"pre-keys", record=pre_keys, expect="rejected")
    s("rotate", of="bob", now=NOW + 44 * DAY - 1), seal_("pre-keys", "bob")
    s("rotate", of="bob", now=NOW + 44 * DAY), seal_("pre-keys", "bob")
    s("accept", of="bob", message=first[1], expect="unknown-pre-key")
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


FILES = {"aead": aead, "dh": dh_keys, "kem": kem, "bundle": bundle, "handshake": handshake, "root": root,
         "chain": chain, "header": header, "message": message, "ratchet": ratchet, "conversation": conversation,
         "state": state}


def write(directory):
    for name, make in FILES.items():
        made = make()
        (directory / f"{name}.txt").write_text(render(made.steps, make.__doc__))
        print(f"{name}.txt: {len(made.steps)} steps written")


def check(directory):
    files = sorted(directory.glob("*.txt"))
    assert files, "no vectors there"
    for file in files:
        world, steps = World(), parse(file.read_text())
        for number, step in enumerate(steps, 1):
            try:
                world.run(step)
            except Exception as error:
                sys.exit(f"{file}: step {number} ({step.get('do')}): {error!r}")
        print(f"{file.name}: {len(steps)} steps agree")


if __name__ == "__main__":
    {"verify": check, "write": write}[sys.argv[1]](Path(sys.argv[2]))
