"""Makes and verifies the files of tests/vectors.

    vectors.py verify DIRECTORY   runs every script there, and compares
    vectors.py write DIRECTORY    makes all files afresh, from fresh randomness

tests/formats/vectors.rs runs the same files against the crate.
"""

import sys
from pathlib import Path

from braids import braid, epochs_
from conversation import conversation
from devices import device
from frames import frame_
from hosting import hosted_devices
from resuming import resumption_
from script import *
from selling import business_


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
    for key in with_torsion(good[0][32:]):
        s("identity-key", key=good[0][:32] + key, expect="mixed-order")
    for key, word in ed:
        s("identity-key", key=key + good[0][32:], expect=word)
    return s


def with_torsion(key):
    """The key's point plus each point of small order but the neutral one: seven keys that agree like it."""
    def add(one, other):
        (u, v), (x, y) = one, other
        slope = (3 * u * u + 2 * 486662 * u + 1) * pow(2 * v, -1, P) if one == other else (y - v) * pow(x - u, -1, P)
        w = (slope * slope - 486662 - u - x) % P
        return w, (slope * (u - w) - v) % P

    def point(u):
        square = (u**3 + 486662 * u * u + u) % P
        v = pow(square, (P + 3) // 8, P)
        return u, v if v * v % P == square else v * pow(2, (P - 1) // 4, P) % P
    torsion, start = [point(U_OF_ORDER_8[0])], point(int.from_bytes(key, "little"))
    while len(torsion) < 7:
        torsion.append(add(torsion[0], torsion[-1]))
    return [add(start, each)[0].to_bytes(32, "little") for each in torsion]


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
        verify(edited(data, 79, pack(">Q", NOW + 30 * DAY + 1)), "valid-too-long")
        unreduced = bytes([0x01, data[126] & 0xf0 | 0x0d])
        verify(edited(data, 125, unreduced), "non-canonical")
    verify(edited(one_time, 1309, b"\x12"), "malformed")
    malleable = (int.from_bytes(one_time[-32:], "little") + Q).to_bytes(32, "little")
    verify(one_time[:-32] + malleable, "bad-signature")
    verify(one_time[:-64] + signature_with_small_r(bob, L_BUNDLE + one_time[:-64]), "bad-signature")
    for of_a, of_r in ((0, 1), (0, 4), (1, 0), (3, 2)):
        verify_with_torsion(verify, bob, one_time, of_a, of_r)
    x, ed = curve_keys()
    for key, word in x:
        verify(edited(one_time, 88, key), word)
    for at, (key, word) in ((1310, x[0]), (1310, x[-1]), (35, x[0]), (35, x[-1]), (2, ed[0]), (2, ed[-1])):
        data = edited(one_time, at, key)
        verify(data, word, pinned=data[2:34] + data[35:67])
    s("identity", of="alice")
    for published in (one_time, last_resort):
        for now in (NOW - DAY, NOW, NOW + DAY):
            s("initiate", of="alice", peer="bob", bundle=published, verified=NOW, now=now)
        for now, word in ((NOW - DAY - 1, "clock-went-back"), (NOW + DAY + 1, "bundle-expired")):
            s("initiate", of="alice", peer="bob", bundle=published, verified=NOW, now=now, expect=word, draws=b"")
        late = NOW + 30 * DAY - 1
        s("initiate", of="alice", peer="bob", bundle=published, verified=late, now=late)
        s("initiate", of="alice", peer="bob", bundle=published, verified=late, now=late + 1, expect="bundle-expired",
          draws=b"")
    return s


def verify_with_torsion(verify, identity, data, of_a, of_r):
    """`A` and `R` of the signature have these multiples of a point of order 8 as torsion parts: it verifies."""
    small = [edwards_decode(key) for key, word in curve_keys()[1] if word == "low-order"]
    order_8 = next(p for p in small if edwards_encode(edwards_times(4, p)) != edwards_encode(NEUTRAL))
    a, r = secret_scalar(identity), int.from_bytes(os.urandom(32), "little")
    public, r_encoded = (edwards_encode(edwards_sum(edwards_times(n, BASE), edwards_times(part, order_8)))
                         for n, part in ((a, of_a), (r, of_r)))
    body = data[:2] + public + data[34:-64]
    k = int.from_bytes(hashlib.sha512(r_encoded + public + L_BUNDLE + body).digest(), "little")
    s = ((r + k * a) % Q).to_bytes(32, "little")
    verify(body + r_encoded + s, pinned=public + data[35:67])
    verify(body + r_encoded + flip(s, 0), "bad-signature", pinned=public + data[35:67])


def secret_scalar(identity):
    return int.from_bytes(hashlib.sha512(identity.ed).digest()[:32], "little") & (2**254 - 8) | 2**254


def signature_with_small_r(identity, message):
    """R is the neutral element: the equation holds, so a verifier must check R itself."""
    r, public = (1).to_bytes(32, "little"), identity.public[:32]
    a = secret_scalar(identity)
    k = int.from_bytes(hashlib.sha512(r + public + message).digest(), "little")
    return r + (k * a % Q).to_bytes(32, "little")


def handshake():
    """Both sides of the handshake with all that it derives (`binding` is TF), and pre-key headers that are refused."""
    s, inner = Script(), dict.fromkeys(("to", "dh0", "dh1", "dh2", "dh3", "dh4", "ss", "ki", "sealed_identity", "prk"))
    one_time, last_resort = s.parties("alice", "bob", one_time=1)
    for published in (one_time, last_resort):
        for disclosure in (bytes(32), os.urandom(32)):
            s("handshake", of="alice", peer="bob", bundle=published, now=NOW, disclosure=disclosure, **inner)
    s("initiate", of="bob", peer="bob", bundle=one_time, now=NOW, draws=b"", expect="own-bundle")
    s("initiate", of="alice", peer="bob", bundle=one_time, now=NOW)
    first = s("encrypt", of="alice", plaintext=b"halo")["message"]
    pre_key_headers_that_are_refused(s, first)
    s("accept", of="bob", message=of_himself(s, one_time), now=NOW, expect="rejected")
    accept_other_versions_and_numbers(s)
    s("accept", of="bob", message=first, now=NOW)
    s("accept", of="bob", message=first, now=NOW, expect="unknown-pre-key")
    s("initiate", of="alice", peer="bob", bundle=last_resort, now=NOW, disclosure=bytes(31) + b"\1")
    first = s("encrypt", of="alice", plaintext=b"under a disclosure")["message"]
    s("accept", of="bob", message=first, now=NOW, expect="rejected")
    s("accept", of="bob", message=first, now=NOW + 33 * DAY, disclosure=bytes(31) + b"\1", expect="unknown-pre-key")
    s("accept", of="bob", message=first, now=NOW + 33 * DAY - 1, disclosure=bytes(31) + b"\1")
    s("accept", of="bob", message=first, now=NOW, disclosure=bytes(31) + b"\1", expect="replayed")
    memory_of_one_initiator(s, last_resort)
    return s


def accept_other_versions_and_numbers(s):
    """First messages of the present session whose header says something else."""
    session = s.world.sessions["alice"]
    for changes, word in (({"version": 0x22}, "unsupported-version"), ({"version": 0x01}, "rejected"), ({"pn": 1}, "rejected"),
                          ({"n": 2_001}, "ahead"), ({"mixed": 1}, "rejected"), ({"bound": 1}, "rejected")):
        message = b"\x21" + session.opening[1:] + forged(session.ratchet, **changes)
        s("accept", of="bob", message=message, now=NOW, expect=word)


def memory_of_one_initiator(s, last_resort):
    """One initiator may set up sixteen sessions with one last-resort key."""
    for number in range(16):
        s("initiate", of="alice", peer="bob", bundle=last_resort, now=NOW)
        first = s("encrypt", of="alice", plaintext=b"")["message"]
        s("accept", of="bob", message=first, now=NOW, **({"expect": "too-many-set-ups"} if number == 15 else {}))


def of_himself(s, published):
    """The pre-key header that Bob would make for his own bundle."""
    bob = s.world.identities["bob"]
    bundle = verify_bundle(published, bob.public, NOW)
    bundle.identity = bytes(32) + bundle.identity[32:]
    return Session.initiate(bob, bundle, os.urandom, NOW).encrypt(b"", os.urandom)


def pre_key_headers_that_are_refused(s, first):
    x, _ = curve_keys()
    def accept(message, word):
        s("accept", of="bob", message=message, now=NOW, expect=word)
    for at in (36, 40):
        accept(flip(first, at), "unknown-pre-key")
    for at in (41, 1128, 1129, 1208, 1209, 1340):
        accept(flip(first, at), "rejected")
    for key, word in x:
        word = "rejected" if key == (2).to_bytes(32, "little") else "malformed"
        accept(first[:1] + key + first[33:], word)
    accept(b"\x23" + first[1:], "malformed"), accept(first[:1340], "malformed")
    accept(b"\x22" + first[1209:], "not-first")


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


def media():
    """Attachments: blobs and pointers, thumbnails, files of several chunks by their digest, and what is refused."""
    s, wanted = Script(), dict.fromkeys(("chunk_key", "base_nonce", "commitment"))
    for file in (b"", b"halo, dunia", bytes(32), os.urandom(33), os.urandom(1_000)):
        step = s("encrypt-file", file=file, media_type="text/plain", **wanted)
        s("decrypt-file", pointer=step["pointer"], blob=step["blob"])
    for size in (65_535, 65_536, 65_537, 131_072, 1_000_000):
        s("encrypt-long-file", size=size, media_type="video/mp4", **wanted)
    step = s("encrypt-file", file=b"a photo", media_type="image/svg+xml")
    made = s("add-thumbnail", pointer=step["pointer"], thumbnail=os.urandom(100))["with_thumbnail"]
    s("decrypt-thumbnail", pointer=made), s("decrypt-file", pointer=made, blob=step["blob"])
    s("add-thumbnail", pointer=step["pointer"], thumbnail=b"", expect="other-size")
    s("add-thumbnail", pointer=step["pointer"], thumbnail=bytes(32_769), expect="too-large")
    s("decrypt-thumbnail", pointer=flip(made, len(made) - 1), expect="rejected")
    blobs_that_are_refused(s, step["pointer"], step["blob"])
    pointers_that_are_refused(s, step["pointer"], made)
    return s


def blobs_that_are_refused(s, pointer, blob):
    def refused(expect, blob, pointer=pointer):
        s("decrypt-file", pointer=pointer, blob=blob, expect=expect)
    for at in (0, 23, 24, 55, 56, 87, 88, 103):
        refused("rejected", flip(blob, at))
    refused("incomplete", blob[:-1]), refused("incomplete", b""), refused("rejected", blob + b"\0")
    for at in (1, 33, 72, 74):
        changed = flip(pointer, at)
        refused("rejected", blob, changed)
    ak, salt, context = pointer[1:33], blob[:24], context_of(7, b"image/svg+xml")
    for padding in (b"\1".ljust(25, b"\0"), b"\1".rjust(25, b"\0")):
        other = BISIK.encrypt(ak, salt, context, b"a photo" + padding)
        refused("rejected", other, Pointer(ak, sha256(other), 7, b"image/svg+xml").encode())


def pointers_that_are_refused(s, pointer, made):
    def refused(data):
        s("decrypt-file", pointer=data, blob=b"", expect="malformed")
    refused(b""), refused(b"\2" + pointer[1:]), refused(pointer[:-1]), refused(pointer + b"\0")
    refused(made[:-1]), refused(made + b"\0")
    fixed, rest = pointer[:65], pointer[73:]
    refused(fixed + pack(">Q", 2**53 + 1) + rest)
    s("decrypt-file", pointer=fixed + pack(">Q", 2**53) + rest, blob=b"", expect="incomplete")
    longest = b"a/" + b"b" * 125
    for media_type in (b"", b"image", b"image/", b"/svg", b"Image/svg", b"a/b/c", b"a/b;c=d", b"-a/b", longest + b"b"):
        refused(Pointer(bytes(32), bytes(32), 7, media_type).encode())
    s("decrypt-file", pointer=Pointer(bytes(32), bytes(32), 7, longest).encode(), blob=b"", expect="incomplete")


def content_():
    """Bodies of every class of lengths, bodies that are refused, and votes: their definition, key, and who can open them."""
    s = Script()
    for size in (1, 2, 3, 4, 10, 20, 100, 1_000, 4_000):
        body = s("text", sent_ms=NOW * 1_000 + size, words=b"a" * size)["body"]
        s("read-body", body=body)
    bodies_that_are_refused(s)
    votes(s)
    return s


def bodies_that_are_refused(s):
    def read(protobuf, expect=""):
        s("read-body", body=content.pad(protobuf), **({"expect": expect} if expect else {}))
    for size in (1, 50):
        body = s("text", sent_ms=NOW * 1_000, words=b"a" * size)["body"]
        for wrong in (b"", body[:3], body[:-1], body + b"\0", body + bytes(len(body)), flip(body, 0), flip(body, 3),
                      flip(body, len(body) - 1)):
            s("read-body", body=wrong, expect="malformed")
    head, halo = content.envelope(os.urandom, NOW * 1_000), content.part(16, content.part(1, b"halo"))
    unknown = content.part(94, b"an invoice")
    read(head + halo), read(head + unknown), read(head + halo + content.part(200, b"later") + content.number(8, 1))
    read(head, "malformed"), read(head + halo + halo, "malformed"), read(head + halo + unknown, "malformed")
    read(head + content.number(94, 1), "malformed"), read(head + head + halo, "malformed")
    read(head + content.part(16, content.part(1, b"halo") * 2), "malformed")
    read(head + content.part(16, content.part(1, b"\xff")), "malformed"), read(head + halo[:-1], "malformed")
    read(head + content.part(16, b""), "out-of-range"), read(head + b"\x0b\x0c" + halo, "malformed")
    read(content.part(1, bytes(15)) + halo, "malformed")
    read(content.envelope(os.urandom, content.LATEST + 1) + halo, "out-of-range")


def votes(s):
    def framed(*options):
        return b"".join(content.framed(option.encode()) for option in options)
    ana, budi = b"ana", os.urandom(64)
    all_ = [str(number) for number in range(32)]
    for of, options, most in (("two", ["ya", "tidak"], 1), ("many", all_, 32), ("same", ["ya", "tidak"], 1)):
        s("poll", of=of, author=ana, sent_ms=NOW * 1_000, question="makan di mana?".encode(), options=framed(*options),
          most_choices=most, definition=None)
    for of, voter, choices in (("two", budi, 1), ("two", budi, 0), ("two", ana, 2), ("many", budi, 2**32 - 1)):
        step = s("vote", of=of, voter=voter, sent_ms=NOW * 1_000, choices=choices, vote_key=None)
        s("open-vote", of=of, voter=voter, ballot=step["ballot"])
    s("vote", of="two", voter=ana, sent_ms=NOW, choices=3, expect="out-of-range", draws=b"")
    s("vote", of="two", voter=ana, sent_ms=NOW, choices=4, expect="out-of-range", draws=b"")
    ballot = s("vote", of="two", voter=budi, sent_ms=0, choices=2)["ballot"]

    def refused(expect, ballot, of="two", voter=budi):
        s("open-vote", of=of, voter=voter, ballot=ballot, expect=expect)
    refused("rejected", ballot, voter=ana), refused("rejected", ballot, voter=budi[:-1])
    refused("rejected", ballot, of="same"), refused("malformed", ballot[:-1]), refused("malformed", ballot + b"\0")
    for at in (0, 23, 24, 43, 44, 59):
        refused("rejected", flip(ballot, at))
    poll = s.world.polls["two"]
    for sent_ms, choices in ((0, 3), (0, 4), (content.LATEST + 1, 1)):
        refused("invalid", poll.seal(budi, pack(">QQI", 9, sent_ms, choices), os.urandom))


FILES = {"aead": aead, "dh": dh_keys, "kem": kem, "bundle": bundle, "handshake": handshake, "root": root,
         "chain": chain, "braid": braid, "epochs": epochs_, "resumption": resumption_, "header": header, "message": message, "ratchet": ratchet, "conversation": conversation,
         "state": state, "media": media, "call": call, "content": content_, "device": device,
         "endpoint": hosted_devices, "frame": frame_, "business": business_}


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
