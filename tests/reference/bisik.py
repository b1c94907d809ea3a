"""An independent implementation of bisik-1, written from docs/spec alone; section numbers are those of its documents.

It does not know the crate. For tests only: see primitives.py. `draw(n)` gives n bytes of randomness.
"""

import copy
from dataclasses import dataclass, field

from primitives import *

# 1.6 Labels, and every bound

L_BUNDLE, L_RECORD = b"bisik-1 pre-key bundle", b"bisik-1 sealed record"
L_OPEN, L_FULL = b"bisik-1 handshake transcript open", b"bisik-1 handshake transcript full"
L_IDENTITY, L_PQXDH = b"bisik-1 handshake identity", b"bisik-1_CURVE25519_SHA-256_ML-KEM-768"
L_RATCHET, L_PQ = b"bisik-1 handshake ratchet", b"bisik-1 handshake post-quantum ratchet"
L_ID, L_ROOT, L_STEP = b"bisik-1 handshake session id", b"bisik-1 ratchet root", b"bisik-1 ratchet root step"
L_HK_I, L_HK_R = b"bisik-1 ratchet header initiator", b"bisik-1 ratchet header responder"
L_MESSAGE = b"bisik-1 message"
DAY, JUMP, KEPT, CHAINS, FLIGHTS, OLDER, LONGEST = 86_400, 25_000, 2_000, 5, 1_024, 16, 67_108_864


# 2 Keys

class Identity:
    def __init__(self, draw):
        self.ed, self.x = draw(32), draw(32)
        self.public = ed25519_public(self.ed) + x25519_public(self.x)

    def encode(self):                                                                                     # 6.2
        return self.ed + self.x


def check_identity(key):
    return ed25519_check(key[:32]) + x25519_check(key[32:])


def name(x, taken):                                                                                       # P-2.3
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
    flights: list = field(default_factory=list)
    signature: bytes = b""


class PreKeys:
    def __init__(self, identity, now, draw):
        self.identity, self.revision, self.generations, self.one_time = identity, 0, {}, {}
        self.generate(now, draw)

    def generate(self, now, draw):
        x = draw(32)
        g = self.current = PreKey(name(x, self.generations), x, draw(64), created=now, expires=now + 30 * DAY)  # P-2.7
        self.generations[g.id] = g
        g.signature = sign(self.identity.ed, L_BUNDLE + self.unsigned(g))

    def rotate(self, now, draw):                                                                          # 2.4
        held, current = len(self.generations), self.current
        due = now >= current.created + 7 * DAY or current.created > now + DAY or len(current.flights) >= FLIGHTS
        if due:
            self.generate(now, draw)                                                                      # P-2.6
        for g in [g for g in self.generations.values() if g is not self.current and now >= g.expires + 14 * DAY]:
            del self.generations[g.id]                                                                    # P-2.7
        while len(self.generations) > OLDER + 1:
            older = list(self.generations.values())[:-1]
            del self.generations[([g for g in older if len(g.flights) >= FLIGHTS] + older)[0].id]
        self.one_time = {i: pair for i, pair in self.one_time.items() if pair.generation in self.generations}
        self.revision += due or len(self.generations) != held

    def replenish(self, draw):
        x = draw(32)
        pair = PreKey(name(x, self.one_time), x, draw(64), self.current.id)
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
            out += pack(">I", len(g.flights)) + b"".join(sorted(g.flights))
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
    require(identity == expected, "identity-mismatch")                                                    # P-2.4
    verify(identity[:32], L_BUNDLE + data[:-64], data[-64:])
    require(created <= now + DAY, "not-yet-valid")                                                        # P-2.5
    require(expires > now, "expired")
    return Bundle(data[:-64], identity, generation, signed, one_time_id, kem, one_time)


# 3 Session setup

class Handshake:
    """3.1, for either side: first what the identity is sealed under, then the rest."""

    def __init__(self, unsigned, ek, ct, disclosure, dh2, dh3, dh4, ss):
        self.dh2, self.dh3, self.dh4, self.ss = dh2, dh3, dh4, ss
        self.to = sha256(L_OPEN, sha256(unsigned), ek, ct, disclosure)
        self.ki = expand(extract(bytes(32), b"\xff" * 32, dh2, dh3, dh4, ss), L_IDENTITY + self.to, 32)

    def finish(self, ika, dh1):
        self.dh1, self.binding = dh1, sha256(L_FULL, self.to, ika)
        self.prk = extract(bytes(32), b"\xff" * 32, dh1, self.dh2, self.dh3, self.dh4, self.ss)
        self.secret = expand(self.prk, L_PQXDH + L_RATCHET + self.binding, 32)
        self.post_quantum_seed = expand(self.prk, L_PQXDH + L_PQ + self.binding, 32)
        self.session_id = expand(self.prk, L_PQXDH + L_ID + self.binding, 16)
        return self


def initiate(identity, bundle, draw, disclosure=bytes(32)):                                               # 3.2
    require(bundle.identity != identity.public, "own-bundle")                                             # P-3.3
    eks = draw(32)                                                                                        # P-3.2
    ek, (ct, ss) = x25519_public(eks), encapsulate(bundle.kem, draw(32))
    dh2, dh3 = dh(eks, bundle.identity[32:]), dh(eks, bundle.signed)
    dh4 = dh(eks, bundle.one_time) if bundle.one_time else b""
    h = Handshake(bundle.unsigned, ek, ct, disclosure, dh2, dh3, dh4, ss)
    h.sealed_identity = xchacha20poly1305_seal(h.ki, bytes(24), h.to, identity.public)
    h.first_flight = ek + pack(">II", bundle.generation, bundle.one_time_id) + ct + h.sealed_identity
    return h.finish(identity.public, dh(identity.x, bundle.signed))


def respond(identity, prekeys, flight, disclosure=bytes(32)):                                             # 3.3
    ek, (generation, one_time), ct = flight[:32], unpack(">II", flight[32:40]), flight[40:1128]
    g, pair = prekeys.generations.get(generation), prekeys.one_time.get(one_time)
    require(g is not None and (one_time == 0 or pair is not None), "unknown-pre-key")                     # P-3.6
    require(pair is None or pair.generation == g.id, "unknown-pre-key")
    x25519_check(ek)
    dh2, dh3, dh4 = dh(identity.x, ek), dh(g.x, ek), dh(pair.x, ek) if pair else b""
    ss, unsigned = decapsulate((pair or g).kem, ct), prekeys.unsigned(g, pair)
    h = Handshake(unsigned, ek, ct, disclosure, dh2, dh3, dh4, ss)
    h.peer = check_identity(xchacha20poly1305_open(h.ki, bytes(24), h.to, flight[1128:]))
    require(h.peer != identity.public, "rejected")                                                        # P-3.3
    h.finish(h.peer, dh(g.x, h.peer[32:]))
    require(pair is not None or h.session_id not in g.flights, "replayed")                                # P-3.7
    require(pair is not None or len(g.flights) < FLIGHTS, "replay-cache-full")
    return h, g, pair


class Session:
    """What section 3 sets up, and the envelope of section 4.1."""

    def __init__(self, handshake, peer, disclosure, opening, ratchet):
        self.revision, self.id, self.peer, self.disclosure = 0, handshake.session_id, peer, disclosure
        self.opening, self.ratchet = opening, ratchet

    @classmethod
    def initiate(cls, identity, bundle, draw, disclosure=bytes(32)):
        h = initiate(identity, bundle, draw, disclosure)
        ratchet = Ratchet(h.binding, h.secret, peer=bundle.signed)
        return cls(h, bundle.identity, disclosure, b"\0" + h.first_flight, ratchet)

    @classmethod
    def accept(cls, identity, prekeys, envelope, disclosure=bytes(32)):
        require(envelope[:1] in (b"\x21", b"\x22"), "malformed")
        require(envelope[:1] == b"\x21", "not-first")
        require(len(envelope) >= 1341, "malformed")
        flight = envelope[1:1209]
        otherwise("malformed", x25519_decode, flight[:32])
        try:
            h, g, pair = respond(identity, prekeys, flight, disclosure)
            ratchet = Ratchet(h.binding, h.secret, pair=(g.x, x25519_public(g.x)))
            plaintext = ratchet.receive(envelope[1209:])
        except Refused as refused:
            tellable = "unknown-pre-key", "replayed", "replay-cache-full", "too-far-ahead"
            raise refused if str(refused) in tellable else Refused("rejected") from None
        prekeys.revision += 1                                                                             # P-3.5
        if pair:
            del prekeys.one_time[pair.id]                                                                 # P-2.9
        else:
            g.flights.append(h.session_id)
        return cls(h, h.peer, disclosure, b"\2" + sha256(flight), ratchet), plaintext

    def encrypt(self, plaintext, draw):
        message, self.revision = self.ratchet.send(plaintext, draw), self.revision + 1
        return b"\x21" + self.opening[1:] + message if self.opening[0] == 0 else b"\x22" + message        # P-3.4

    def decrypt(self, envelope):
        require(envelope[:1] in (b"\x21", b"\x22"), "malformed")
        first = envelope[0] == 0x21
        require(len(envelope) >= (1341 if first else 133), "malformed")
        require(not first or self.opening == b"\2" + sha256(envelope[1:1209]), "other-session")           # P-3.9
        plaintext = self.ratchet.receive(envelope[1209 if first else 1:])
        self.revision, self.opening = self.revision + 1, b"\1" if self.opening[0] == 0 else self.opening
        return plaintext

    def encode(self):                                                                                     # 6.5
        fixed = pack(">Q", self.revision) + self.id + self.peer + self.disclosure
        return fixed + self.opening + self.ratchet.encode()


# 4 Messages

@dataclass
class Chain:
    """A receiving chain; an ended one has no chain key."""
    hk: bytes
    key: bytes
    ck: bytes | None
    n: int = 0
    kept: dict = field(default_factory=dict)

    def keep_to(self, n):
        require(n - self.n <= JUMP, "too-far-ahead")                                                      # P-4.9
        while self.n < n:
            self.kept[self.n], self.ck = chain_step(self.ck)
            self.n += 1


def chain_step(ck):                                                                                       # 4.3
    return mac(ck, b"\x01"), mac(ck, b"\x02")


def root_start(binding, secret):                                                                          # 4.2
    prk = extract(binding, secret)
    return expand(prk, L_ROOT, 32), expand(prk, L_HK_I, 32), expand(prk, L_HK_R, 32)


def root_step(rk, agreement):
    okm = expand(extract(rk, agreement), L_STEP, 96)
    return okm[:32], okm[32:64], okm[64:]


def write_message(binding, hk, mk, header, plaintext, randomness):                                        # 4.4
    r = mac(mk, b"\x03", randomness, header, plaintext)[:16]                                                 # P-4.3
    encrypted, body = stream(hk, r + pack(">Q", 0), header), stream(mk, r + pack(">Q", 1), plaintext)
    d = sha256(L_MESSAGE, binding, r, encrypted, body)
    body_tag = tag(mk, d)
    return r + encrypted + tag(hk, d, body_tag) + body + body_tag


def parts(message):                                                                                       # 4.1
    return message[:16], message[16:100], message[100:116], message[116:-16], message[-16:]


class Ratchet:
    """4.6: the state, and its two operations."""

    def __init__(self, binding, secret, peer=None, pair=None):
        """`peer` for the initiator, `pair` for the responder: the signed pre-key."""
        self.binding, self.pair, self.peer, self.sending, self.chains, self.pn = binding, pair, peer, None, [], 0
        self.rk, hki, hkr = root_start(binding, secret)
        self.nhks, self.nhkr = (hki, hkr) if pair is None else (hkr, hki)

    def send(self, plaintext, draw):
        require(len(plaintext) <= LONGEST, "too-long")                                                    # P-4.13
        if self.sending is None:
            require(self.peer is not None, "awaiting-first-message")                                      # P-4.8
            secret = draw(32)
            self.pair = secret, x25519_public(secret)
            self.rk, ck, nhks = root_step(self.rk, dh(secret, self.peer))
            self.sending, self.nhks = (self.nhks, ck, 0), nhks
        hk, ck, n = self.sending
        mk, ck = chain_step(ck)
        self.sending, header = (hk, ck, n + 1), self.pair[1] + pack(">II", self.pn, n) + bytes(44)
        return write_message(self.binding, hk, mk, header, plaintext, draw(16))

    def receive(self, message):
        after = copy.deepcopy(self)
        plaintext = after.advance(message)
        self.__dict__ = after.__dict__                                                                    # P-4.4
        return plaintext

    def advance(self, message):
        require(132 <= len(message) <= 132 + LONGEST, "malformed")
        r, encrypted, header_tag, body, body_tag = parts(message)
        d = sha256(L_MESSAGE, self.binding, r, encrypted, body)
        known = [(chain.hk, chain) for chain in self.chains]
        for hk, chain in known[:1] + [(self.nhkr, None)] + known[1:]:
            if fits(header_tag, tag(hk, d, body_tag)):                                                    # P-4.2
                break
        else:
            raise Refused("rejected")
        header = stream(hk, r + pack(">Q", 0), encrypted)
        key, (pn, n) = header[:32], unpack(">II", header[32:40])
        require(header[40:] == bytes(44), "diverged")                                                     # P-4.1
        mk = self.message_key(chain or self.begin(key, pn, n), key, n)
        require(fits(body_tag, tag(mk, d)), "diverged")                                                   # P-4.7
        del self.chains[CHAINS:]                                                                          # P-4.12
        kept = [(chain, n) for chain in reversed(self.chains) for n in sorted(chain.kept)]
        for chain, n in kept[:max(0, len(kept) - KEPT)]:                                                  # P-4.11
            del chain.kept[n]
        return stream(mk, r + pack(">Q", 1), body)

    def begin(self, key, pn, n):
        """Receive, 2: the next header key opened it."""
        nr = self.chains[0].n if self.chains else 0
        require(not self.chains or self.sending is not None, "diverged")                                  # P-4.7
        require(all(key != chain.key for chain in self.chains), "diverged")
        require(pn >= nr and (self.chains or pn == 0) and self.pair is not None, "diverged")
        require(pn - nr <= JUMP and n <= JUMP, "too-far-ahead")                                           # P-4.9
        for newest in self.chains[:1]:
            newest.keep_to(pn)
            newest.ck = None
        agreement = dh(self.pair[0], otherwise("diverged", x25519_check, key))
        self.rk, ck, nhkr = root_step(self.rk, agreement)
        self.chains.insert(0, Chain(self.nhkr, key, ck))
        self.nhkr, self.peer = nhkr, key
        if self.sending:
            self.pn, self.sending = self.sending[2], None
        return self.chains[0]

    def message_key(self, chain, key, n):
        """Receive, 1: the key of message `n`."""
        require(key == chain.key, "diverged")                                                             # P-4.7
        if n < chain.n:
            require(n in chain.kept, "replayed")                                                          # P-4.6
        else:
            require(chain.ck is not None, "diverged")                                                     # P-4.7
            chain.keep_to(n)
            chain.keep_to(n + 1)
        return chain.kept.pop(n)                                                                          # P-4.5

    def encode(self):                                                                                     # 6.4
        def option(value):
            return b"\x00" if value is None else b"\x01" + value
        sending = self.sending and self.sending[0] + self.sending[1] + pack(">I", self.sending[2])
        out = self.binding + self.rk + option(self.pair and self.pair[0] + self.pair[1]) + option(self.peer)
        out += option(sending) + self.nhks + pack(">I", self.pn) + self.nhkr + pack(">I", len(self.chains))
        for c in self.chains:
            out += c.hk + c.key + pack(">I", c.n) + option(c.ck) + pack(">I", len(c.kept))
            out += b"".join(pack(">I", n) + c.kept[n] for n in sorted(c.kept))
        return out


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
