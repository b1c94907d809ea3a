"""An independent implementation of bisik-1, written from docs/spec alone; section numbers are those of its documents.

For tests only: see primitives.py. `draw(n)` returns n bytes of randomness.
"""

from dataclasses import dataclass, field

from primitives import *
from ratchet import *

# 1.6 Labels, and all limits

L_BUNDLE, L_RECORD = b"bisik-1 pre-key bundle\0", b"bisik-1 sealed record\0"
L_OPEN, L_FULL = b"bisik-1 handshake transcript open\0", b"bisik-1 handshake transcript full\0"
L_IDENTITY, L_PQXDH = b"bisik-1 handshake identity\0", b"bisik-1_CURVE25519_SHA-256_ML-KEM-768\0"
L_RATCHET, L_HEDGE = b"bisik-1 handshake ratchet\0", b"bisik-1 hedge\0"
L_ENTRY, L_RESUME = b"bisik-1 replay initiator\0", b"bisik-1 session resumption\0"
HOUR, DAY, OLDER = 3_600, 86_400, 16
FLIGHTS, OF_STRANGERS, OF_ONE, PLACES = 1_024, 768, 16, 4


# 2 Keys

class Identity:
    def __init__(self, draw):
        self.ed, self.x = draw(32), draw(32)
        self.public = ed25519_public(self.ed) + x25519_public(self.x)

    def draw(self, kind, draw, *context):                                                                 # P-2.12
        """What the draw S expands to; with the hedge in it, a generator that repeats itself does no harm."""
        return expanding(mac(extract(L_HEDGE, self.x), L_DRAW + kind, draw(32), *context))

    def encode(self):                                                                                     # 6.2
        return self.ed + self.x


def check_identity(key):
    return ed25519_check(key[:32]) + x25519_identity_check(key[32:])


def name(x, taken):                                                                                       # P-2.4
    number, = unpack(">I", sha256(x25519_public(x))[:4])
    while number == 0 or number in taken:
        number = (number + 1) % 2**32
    return number


@dataclass
class PreKey:
    """A generation, or a one-time pair of one."""
    id: int
    x: bytes
    kem: bytes
    generation: int = 0
    created: int = 0
    expires: int = 0
    replaced: int = 0
    flights: list = field(default_factory=list)
    signature: bytes = b""


class PreKeys:
    def __init__(self, identity, now, draw):
        self.identity, self.revision, self.generations, self.one_time = identity, 0, {}, {}
        self.generate(now, draw)

    def generate(self, now, draw):
        drawn = self.identity.draw(b"\x03", draw, b"\x01")
        x, kem = drawn(b"\x10", 32), drawn(b"\x12", 64)
        g = PreKey(name(x, self.generations), x, kem, created=now, expires=now + 30 * DAY)                # P-2.8
        for older in list(self.generations.values())[-1:]:
            older.replaced = now
        self.current = self.generations[g.id] = g
        g.signature = sign(self.identity.ed, L_BUNDLE + self.unsigned(g))

    def rotate(self, now, draw):                                                                          # 2.4
        held, current = len(self.generations), self.current
        today = now >= current.created + 4 * DAY or current.created > now + DAY
        full = len(current.flights) >= OF_STRANGERS and now >= current.created + 6 * HOUR                 # P-3.8
        due = today or full
        if due:
            self.generate(now, draw)                                                                      # P-2.7
            if not today and any(pair.generation == current.id for pair in self.one_time.values()):
                current.replaced = current.created + 4 * DAY            # its one-time bundles are handed out until then
        for g in list(self.generations.values())[:-1]:
            if now >= g.replaced + 3 * DAY or now >= g.created + 33 * DAY:
                del self.generations[g.id]                                                                # P-2.8
        while len(self.generations) > OLDER + 1:
            del self.generations[next(iter(self.generations))]
        self.one_time = {i: pair for i, pair in self.one_time.items() if pair.generation in self.generations}
        self.revision += due or len(self.generations) != held

    def replenish(self, draw):
        drawn = self.identity.draw(b"\x03", draw, b"\x02")
        x = drawn(b"\x10", 32)
        pair = PreKey(name(x, self.one_time), x, drawn(b"\x12", 64), self.current.id)
        self.revision, self.one_time[pair.id] = self.revision + 1, pair
        pair.signature = sign(self.identity.ed, L_BUNDLE + self.unsigned(self.current, pair))
        return self.bundle(pair)

    def unsigned(self, g, pair=None):                                                                     # 2.3
        ik = self.identity.public
        head = b"\x01\x12" + ik[:32] + b"\x11" + ik[32:] + pack(">IQQ", g.id, g.created, g.expires)
        head += b"\x11" + x25519_public(g.x) + pack(">I", pair.id if pair else 0)
        if pair is None:
            return head + b"\x14" + kem_public(g.kem)
        return head + b"\x13" + kem_public(pair.kem) + b"\x11" + x25519_public(pair.x)

    def bundle(self, pair=None):
        return self.unsigned(self.current, pair) + (pair or self.current).signature

    def encode(self):                                                                                     # 6.3
        def secrets(key):
            return key.x + x25519_public(key.x) + key.kem + key.signature
        out = self.identity.public + pack(">QI", self.revision, len(self.generations) - 1)
        for g in self.generations.values():
            out += pack(">IQQ", g.id, g.created, g.expires) + secrets(g)
            out += pack(">QI", g.replaced, len(g.flights)) + b"".join(sorted(g.flights))
        out += pack(">I", len(self.one_time))
        return out + b"".join(pack(">II", i, k.generation) + secrets(k) for i, k in sorted(self.one_time.items()))


@dataclass
class Bundle:
    unsigned: bytes
    identity: bytes
    generation: int
    signed: bytes
    one_time_id: int
    kem: bytes
    one_time: bytes | None
    expires: int
    verified: int


def verify_bundle(data, expected, now):
    require(len(data) in (1373, 1406) and data[0] == 1, "malformed")                                      # P-1.8
    generation, created, expires = unpack(">IQQ", data[67:87])
    one_time_id, = unpack(">I", data[120:124])
    require((one_time_id != 0) == (len(data) == 1406) and generation != 0, "malformed")
    require(data[1] == 0x12 and data[34] == data[87] == 0x11, "malformed")
    require(data[124] == (0x13 if one_time_id else 0x14), "malformed")
    require(one_time_id == 0 or data[1309] == 0x11, "malformed")
    identity, signed = check_identity(data[2:34] + data[35:67]), x25519_check(data[88:120])
    kem = kem_check(data[125:1309])
    one_time = x25519_check(data[1310:1342]) if one_time_id else None
    require(identity == expected, "identity-mismatch")                                                    # P-2.5
    verify(identity[:32], L_BUNDLE + data[:-64], data[-64:])
    require(created <= now + DAY, "not-yet-valid")                                                        # P-2.6
    require(expires > now, "expired")
    require(expires - created <= 30 * DAY, "valid-too-long")                                              # P-2.5
    return Bundle(data[:-64], identity, generation, signed, one_time_id, kem, one_time, expires, now)


# 3 Session setup

class Handshake:
    """3.1, for either side: first the key that seals the identity, then the rest."""

    def __init__(self, unsigned, ek, ct, disclosure, dh0, dh2, dh3, dh4, ss):
        self.dh0, self.dh2, self.dh3, self.dh4, self.ss = dh0, dh2, dh3, dh4, ss
        self.to = sha256(L_OPEN, sha256(unsigned), ek, ct, disclosure)
        self.ki = expand(extract(bytes(32), b"\xff" * 32, dh2, dh3, dh4, ss), L_IDENTITY + self.to, 32)

    def finish(self, ika, dh0, dh1):
        self.dh0, self.dh1, self.binding = dh0, dh1, sha256(L_FULL, self.to, ika)
        self.prk = extract(bytes(32), b"\xff" * 32, dh0, dh1, self.dh2, self.dh3, self.dh4, self.ss)       # P-3.2
        okm = expand(self.prk, L_PQXDH + L_RATCHET + self.binding, 176)
        self.secrets, self.session_id = okm[:160], okm[160:]
        return self


def initiate(identity, bundle, draw, now, disclosure=bytes(32)):                                          # 3.2
    require(bundle.identity != identity.public, "own-bundle")                                             # P-3.4
    require(now < bundle.expires and now <= bundle.verified + DAY, "bundle-expired")                      # P-2.5
    require(now + DAY >= bundle.verified, "clock-went-back")
    drawn = identity.draw(b"\x01", draw, sha256(bundle.unsigned), disclosure)                             # P-3.3
    eks, a0 = drawn(b"\x10", 32), drawn(b"\x13", 32)
    ek, (ct, ss) = x25519_public(eks), encapsulate(bundle.kem, drawn(b"\x11", 32))
    dh2, dh3 = dh(eks, bundle.identity[32:]), dh(eks, bundle.signed)
    dh4 = dh(eks, bundle.one_time) if bundle.one_time else b""
    h = Handshake(bundle.unsigned, ek, ct, disclosure, None, dh2, dh3, dh4, ss)
    h.sealed_identity = xchacha20poly1305_seal(h.ki, bytes(24), h.to, identity.public)
    h.first_flight = ek + pack(">II", bundle.generation, bundle.one_time_id) + ct + h.sealed_identity
    h.ratchet_pair, h.random_labels = (a0, x25519_public(a0)), drawn(b"\x14", 32)
    return h.finish(identity.public, dh(identity.x, bundle.identity[32:]), dh(identity.x, bundle.signed))


def respond(identity, prekeys, flight, now, known=True, disclosure=bytes(32)):                            # 3.3
    ek, (generation, one_time), ct = flight[:32], unpack(">II", flight[32:40]), flight[40:1128]
    g, pair = prekeys.generations.get(generation), prekeys.one_time.get(one_time)
    require(g is not None and (one_time == 0 or pair is not None), "unknown-pre-key")                     # P-3.7
    require(pair is None or pair.generation == g.id, "unknown-pre-key")
    require(now < g.created + 33 * DAY, "unknown-pre-key")                                                # P-2.8
    x25519_check(ek)
    dh2, dh3, dh4 = dh(identity.x, ek), dh(g.x, ek), dh(pair.x, ek) if pair else b""
    ss, unsigned = decapsulate((pair or g).kem, ct), prekeys.unsigned(g, pair)
    h = Handshake(unsigned, ek, ct, disclosure, None, dh2, dh3, dh4, ss)
    h.peer = check_identity(xchacha20poly1305_open(h.ki, bytes(24), h.to, flight[1128:]))
    require(h.peer != identity.public, "rejected")                                                        # P-3.4
    h.finish(h.peer, dh(identity.x, h.peer[32:]), dh(g.x, h.peer[32:]))
    h.refusal = None
    if pair is None:                                                                                      # P-3.8
        initiator = sha256(L_ENTRY, h.peer)[:8]
        if initiator + h.session_id[:8] in g.flights:
            h.refusal = "replayed"
        elif sum(entry[:8] == initiator for entry in g.flights) >= OF_ONE:
            h.refusal = "too-many-set-ups"
        elif len(g.flights) >= (FLIGHTS if known else OF_STRANGERS):
            h.refusal = "strangers-full"
        h.entry = initiator + h.session_id[:8]
    return h, g, pair


def resumption(rs, place, tf=b""):                                                                        # P-3.17
    return mac(rs, L_RESUME, bytes([place]), tf)


class Session:
    """The session that section 3 sets up, and the envelope of section 4.1."""

    def __init__(self, handshake, own, peer, disclosure, opening, ratchet):
        self.revision, self.id, self.peer, self.disclosure = 0, handshake.session_id, peer, disclosure
        self.own, self.opening, self.ratchet, self.label_bytes = own, opening, ratchet, b""

    @classmethod
    def initiate(cls, identity, bundle, draw, now, disclosure=bytes(32), offers=()):
        h = initiate(identity, bundle, draw, now, disclosure)
        ratchet = Ratchet(INITIATOR, h.binding, cut(h.secrets), pair=h.ratchet_pair)
        session = cls(h, identity.public, bundle.identity, disclosure, b"\0" + h.first_flight, ratchet)
        labels = [h.random_labels[at:at + 8] for at in range(0, 32, 8)]
        for place, rs in enumerate(offers, 1):
            labels[place - 1] = resumption(rs, 1, h.binding)[:8]
            ratchet.shares[place] = resumption(rs, 3)[:8], resumption(rs, 2, h.binding)
        session.label_bytes = b"".join(labels)
        return session

    @classmethod
    def accept(cls, identity, prekeys, envelope, now, disclosure=bytes(32), known=True):
        require(envelope[:1] in (b"\x21", b"\x22"), "malformed")
        require(envelope[:1] == b"\x21", "not-first")
        require(len(envelope) >= 1341, "malformed")
        flight = envelope[1:1209]
        otherwise("malformed", x25519_decode, flight[:32])
        try:
            h, g, pair = respond(identity, prekeys, flight, now, known, disclosure)
            ratchet = Ratchet(RESPONDER, h.binding, cut(h.secrets), peer_identity=h.peer[32:])
            plaintext, _ = ratchet.receive(envelope[1209:])
            require(pair or h.refusal is None, h.refusal)
        except Refused as refused:
            tellable = ("unknown-pre-key", "replayed", "too-many-set-ups", "strangers-full", "ahead",
                        "unsupported-version")
            raise refused if str(refused) in tellable else Refused("rejected") from None
        prekeys.revision += 1                                                                             # P-3.6
        if pair:
            del prekeys.one_time[pair.id]                                                                 # P-2.10
        else:
            g.flights.append(h.entry)
        return cls(h, identity.public, h.peer, disclosure, b"\2" + sha256(flight), ratchet), plaintext

    def waiting(self):
        return self.opening[0] == 0

    def standing(self):                                                                                   # P-3.14
        if self.ratchet.side == INITIATOR:
            return "waiting" if self.waiting() else "confirmed"
        return "confirmed" if self.ratchet.chains[0].step >= 2 else "unconfirmed"

    def bound(self):
        """`None` while it is not known."""
        return None if self.waiting() else self.ratchet.bound

    def labels(self):
        return self.label_bytes if self.waiting() else None

    def chains_received(self):                                                                            # P-3.11
        step = self.ratchet.chains[0].step if self.ratchet.chains else 0
        return (step + 1) // 2 if self.ratchet.side == INITIATOR else step // 2 + 1

    def is_first_flight(self, flight):
        return self.opening == b"\0" + flight or self.opening[:33] in (b"\2" + sha256(flight), b"\3" + sha256(flight))

    def resume(self, labels, held):                                                                       # P-3.17
        """(place, index in `held`), or `None`."""
        require(self.opening[0] == 2 and self.ratchet.step == 0, "too-late")
        for place in range(1, PLACES + 1):
            for index, rs in enumerate(held):
                if fits(labels[8 * place - 8:8 * place], resumption(rs, 1, self.ratchet.binding)[:8]):
                    r, self.ratchet.name = resumption(rs, 2, self.ratchet.binding), resumption(rs, 3)[:8]
                    self.ratchet.bound, self.ratchet.shares = place, {place: (self.ratchet.name, r)}
                    self.opening, self.revision = b"\3" + self.opening[1:], self.revision + 1
                    return place, index
        return None

    def forget_resumption(self, named=None):                                                              # P-3.22
        def keeps(rs):
            return named is not None and rs is not None and resumption(rs, 3)[:8] != named
        ratchet, before = self.ratchet, (self.ratchet.offer, self.ratchet.accepts)
        ratchet.offer = ratchet.offer if keeps(ratchet.offer) else None
        ratchet.accepts = [rs for rs in ratchet.accepts if keeps(rs)]
        self.revision += (ratchet.offer, ratchet.accepts) != before

    def encrypt(self, plaintext, draw):
        message, self.revision = self.ratchet.send(plaintext, draw), self.revision + 1
        if self.opening[0] == 3:
            self.opening = b"\2" + self.opening[1:]
        return b"\x21" + self.opening[1:] + message if self.waiting() else b"\x22" + message             # P-3.5

    def decrypt(self, identity, envelope, giving_up=False):
        """(plaintext, how many keys were given up)"""
        require(not self.waiting() or identity.public == self.own, "wrong-identity")
        require(envelope[:1] in (b"\x21", b"\x22"), "malformed")
        first = envelope[0] == 0x21
        require(len(envelope) >= (1341 if first else 133), "malformed")
        ours = self.ratchet.side == RESPONDER and self.is_first_flight(envelope[1:1209])
        require(not first or ours, "other-session")                                                       # P-3.10
        results = self.ratchet.receive(envelope[1209 if first else 1:], identity.x, giving_up)
        if self.waiting():
            self.opening, self.label_bytes = b"\1", b""
        self.revision += 1
        return results

    def encode(self):                                                                                     # 6.5
        out = pack(">Q", self.revision) + self.id + self.peer + self.disclosure + self.ratchet.name + self.opening
        if self.waiting():
            shares = sorted(self.ratchet.shares.items())
            out += self.own + self.label_bytes + pack(">I", len(shares))
            out += b"".join(bytes([place]) + name + r for place, (name, r) in shares)
        if self.opening[0] == 3:
            out += self.ratchet.shares[self.ratchet.bound][1]
        return out + self.ratchet.encode()


# 6 Sealed state

IDENTITY, PRE_KEYS, SESSION, RATCHET = 1, 2, 3, 4


def associated(kind, context):
    return L_RECORD + bytes([kind, 1]) + context


def record(key, draw, kind, context, state):
    a = associated(kind, context)
    nonce = mac(key, b"\x03", draw(24), pack(">Q", len(a)), a, state)[:24]                                # P-6.3
    return b"\x01" + nonce + seal(key, nonce, a, state)


def open_record(key, kind, context, sealed):
    require(sealed[:1] in (b"", b"\x01"), "unknown-version")                                              # P-6.2
    require(len(sealed) >= 41, "rejected")
    return unseal(key, sealed[1:25], associated(kind, context), sealed[25:])                              # P-6.1
