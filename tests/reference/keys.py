"""The scripts of aead.txt, dh.txt, kem.txt and bundle.txt: sealed records by key, encodings of keys, and bundles."""

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
