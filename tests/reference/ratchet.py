"""Section 4 of docs/spec/session.md: messages, and the ratchet with the braid mixed into its root.

`draw(n)` returns n bytes of randomness.
"""

import copy
from dataclasses import dataclass, field

from braid import Braid, CT2, WITH_CHUNK
from primitives import *

L_START, L_STEP, L_MESSAGE = b"bisik-1 ratchet start\0", b"bisik-1 ratchet root step\0", b"bisik-1 message\0"
L_DRAW = b"bisik-1 draw\0"
FAR, KEPT, CHAINS, REMEMBERED, ACCEPTS, LONGEST = 25_000, 2_000, 5, 8, 3, 67_108_864
VERSION, ZERO, INITIATOR, RESPONDER = 0x11, bytes(32), 0, 1


def expanding(secret):
    """What the draw S gives by its place."""
    return lambda place, length: expand(secret, L_DRAW + place, length)


@dataclass
class Chain:
    """A receiving chain; a finished one has no chain key. Of kept keys: (key, messages received when it was kept)."""
    step: int
    mixed: int
    hk: bytes
    key: bytes
    ck: bytes | None
    n: int = 0
    kept: dict = field(default_factory=dict)

    def keep_to(self, n, at):
        """At most the newest 2,000 are worth keeping; returns how many of the missing are not."""
        lost = max(0, n - self.n - KEPT)
        while self.n < n:
            key, self.ck = chain_step(self.ck)
            if self.n >= n - KEPT:
                self.kept[self.n] = key, at
            self.n += 1
        return lost


def chain_step(ck):                                                                                       # 4.3
    return mac(ck, b"\x01"), mac(ck, b"\x02")


def ratchet_start(binding, secret):
    """RK0, CK0, HK0, HK1, PQ0 of a ratchet without a session."""
    return cut(expand(extract(binding, secret), L_START, 160))


def cut(okm):
    return tuple(okm[at:at + 32] for at in range(0, len(okm), 32))


def root_step(rk, step, mixed, bound, stepping, other, agreement, own_id=ZERO, r=ZERO, k=ZERO):             # 4.2
    """RK', CK, HK of the next chain, RS."""
    info = L_STEP + pack(">IIB", step, mixed, bound) + stepping + other
    return cut(expand(extract(rk, agreement, own_id, r, k), info, 128))


def write_message(binding, hk, mk, header, plaintext, randomness):                                        # 4.4
    r = mac(mk, b"\x03", randomness, header, plaintext)[:16]                                              # P-4.6
    encrypted, body = stream(hk, r + pack(">Q", 0), header), stream(mk, r + pack(">Q", 1), plaintext)
    d = sha256(L_MESSAGE, binding, r, encrypted, body)
    body_tag = tag(mk, d)
    return r + encrypted + tag(hk, d, body_tag) + body + body_tag


def parts(message):                                                                                       # 4.1
    return message[:16], message[16:100], message[100:116], message[116:-16], message[-16:]


@dataclass
class Header:
    """84 bytes."""
    key: bytes
    pn: int
    n: int
    mixed: int
    bound: int = 0
    kind: int = 0
    epoch: int = 1
    number: int = 0
    chunk: bytes = ZERO
    version: int = VERSION

    def encode(self):
        low = pack(">BBIIH", self.version, self.bound << 4 | self.kind, self.epoch, self.mixed, self.number)
        return self.key + pack(">II", self.pn, self.n) + low + self.chunk

    @classmethod
    def decode(cls, data):
        pn, n, version, low, epoch, mixed, number = unpack(">IIBBIIH", data[32:52])
        return cls(data[:32], pn, n, mixed, low >> 4, low & 15, epoch, number, data[52:], version)

    def in_range(self):
        whole = self.kind in WITH_CHUNK or (self.number, self.chunk) == (0, ZERO)
        return self.version >> 4 >= 1 and self.bound <= 4 and self.kind <= CT2 and self.epoch >= 1 and whole


class Ratchet:
    """The state, and its two operations. A session gives `peer_identity` (to a responder, for step 1) and, with a
    message that may be of step 1, the initiator's identity secret; and the values R by their place."""

    def __init__(self, side, binding, secrets, pair=None, peer_identity=None):
        self.rk, ck, hk, self.next_hk, seed = secrets
        self.side, self.binding, self.step, self.pn, self.bound = side, binding, 0, 0, 0
        self.pair, self.sending, self.peer, self.chains = pair, None, None, []
        if side == INITIATOR:
            self.sending = hk, ck, 0
        else:
            self.chains = [Chain(0, 0, hk, ZERO, ck)]
        self.name, self.offer, self.accepts, self.received, self.remembered, self.peer_reads = bytes(8), None, [], 0, [], 0
        self.mixed, self.pending, self.age = 0, None, [0, 0, 0, 0]
        self.braid, self.peer_identity, self.shares = Braid.start(side == INITIATOR, seed), peer_identity, {}

    # 4.4

    def send(self, plaintext, draw):
        require(len(plaintext) <= LONGEST, "too-long")                                                    # P-4.19
        drawn = None
        if self.sending is None:
            require(self.peer is not None, "awaiting-first-message")                                      # P-4.11
            drawn = expanding(mac(self.rk, L_DRAW + b"\x02", draw(32), pack(">I", self.step + 1)))        # P-4.2
            self.own_step(drawn(b"\x10", 32))
        (kind, epoch, number, data), secret = self.braid.send(drawn, self.pending is not None)
        if secret:
            self.pending = epoch, secret                                                                  # P-5.2
        hk, ck, n = self.sending
        mk, ck = chain_step(ck)
        self.sending, bound = (hk, ck, n + 1), self.bound if self.step == 1 else 0
        header = Header(self.pair[1], self.pn, n, self.mixed, bound, kind, epoch, number, data)
        self.age[0] += 1
        return write_message(self.binding, hk, mk, header.encode(), plaintext, draw(16))

    def own_step(self, secret):
        first, public, k = self.step == 0, x25519_public(secret), ZERO
        if self.pending and self.pending[0] < self.braid.epoch:                                           # P-5.3
            k = self.mix()
        else:
            self.age[2] += 1
        own_id = dh(secret, self.peer_identity) if first and self.peer_identity else ZERO                 # P-3.13
        r = self.shares[self.bound][1] if first and self.bound else ZERO                                  # P-3.17
        self.step += 1
        self.rk, ck, hk, rs = root_step(self.rk, self.step, self.mixed, self.bound if first else 0, public, self.peer,
                                        dh(secret, self.peer), own_id, r, k)
        self.pair, self.sending, self.next_hk, self.peer = (secret, public), (self.next_hk, ck, 0), hk, None
        self.accepts, self.shares = [rs] + self.accepts[:ACCEPTS - 1], {}

    def mix(self):
        (self.mixed, k), self.pending, self.age = self.pending, None, [0, 0, 0, 0]
        return k

    # 4.5

    def receive(self, message, identity_secret=None, giving_up=False):
        """(plaintext, how many keys were given up)"""
        after = copy.deepcopy(self)
        results = after.advance(message, identity_secret, giving_up)
        self.__dict__ = after.__dict__                                                                    # P-4.8
        return results

    def advance(self, message, identity_secret, giving_up):
        require(132 <= len(message) <= 132 + LONGEST, "malformed")
        r, encrypted, header_tag, body, body_tag = parts(message)
        d = sha256(L_MESSAGE, self.binding, r, encrypted, body)
        known = [(chain.hk, chain) for chain in self.chains]
        step = [(self.next_hk, None)] if self.sending else []
        for hk, chain in known[:1] + step + known[1:]:
            if fits(header_tag, tag(hk, d, body_tag)):                                                    # P-4.5
                break
        else:
            raise Refused("rejected")
        header = Header.decode(stream(hk, r + pack(">Q", 0), encrypted))
        ended = any(chain is older for older in self.chains[1:])
        doubt = "rejected" if ended else "diverged"                                                       # P-4.20
        require(header.version & 15 == 1, "rejected" if ended else "unsupported-version")                 # P-4.4
        require(header.in_range() and header.n < 2**32 - 1, doubt)
        self.compare(chain, header, doubt)
        if chain and header.n < chain.n and header.n not in chain.kept:
            self.used(chain, header.n, d)
        require(chain is None or chain.ck or header.n < chain.n, doubt)
        self.room(chain, header, giving_up)
        ended, at = self.chains[0] if chain is None and self.chains else None, self.received + 1          # P-4.17
        chain, lost = chain or self.stepped(header, identity_secret), 0
        if header.n >= chain.n:
            lost += chain.keep_to(header.n, at)
            chain.keep_to(header.n + 1, at)
        mk, _ = chain.kept.pop(header.n)                                                                  # P-4.9
        require(fits(body_tag, tag(mk, d)), doubt)
        if chain is self.chains[0]:                                                                       # P-5.7
            self.take_braid(header)
        if ended:
            lost += ended.keep_to(header.pn, at)
            ended.ck = None
        chain.key, self.peer_reads, self.received = header.key, header.version >> 4, self.received + 1
        if not self.sending:
            self.peer = self.chains[0].key
        self.remembered = [(chain.step, header.n, d[:8])] + self.remembered[:REMEMBERED - 1]              # P-4.21
        self.age[1] += 1
        return stream(mk, r + pack(">Q", 1), body), lost + self.let_go()

    def compare(self, chain, header, doubt):
        """The comparisons of receiving, 2."""
        if chain:
            first = self.side == RESPONDER and chain.step == 0 and chain.key == ZERO
            require(first or header.key == chain.key, "forked")                                           # P-4.21
            require(header.bound == (self.bound if chain.step == 1 else 0), doubt)
            require(header.mixed == chain.mixed, doubt)                                                   # P-5.4
            require(not first or header.pn == 0, doubt)
            if first:
                otherwise(doubt, x25519_check, header.key)
        else:
            require(all(header.key != c.key for c in self.chains), doubt)
            otherwise(doubt, x25519_check, header.key)
            require(header.bound == 0 or self.step == 0 and header.bound in self.shares, doubt)           # P-3.17
            require(header.pn >= (self.chains[0].n if self.chains else 0), doubt)
            require(self.chains or header.pn == 0, doubt)
            new = self.pending and self.pending[0] == header.mixed == self.mixed + 1
            require(header.mixed == self.mixed or new, doubt)
        require(header.epoch <= self.braid.epoch + 1, doubt)

    def used(self, chain, n, d):                                                                          # P-4.21
        for step, number, digest in self.remembered:
            if (step, number) == (chain.step, n):
                raise Refused("duplicate" if digest == d[:8] else "forked")
        raise Refused("spent")

    def room(self, chain, header, giving_up):                                                             # section 8
        if chain:
            gaps = [max(0, header.n - chain.n)]
        else:
            gaps = [header.n] + [header.pn - c.n for c in self.chains[:1]]
        if giving_up:
            require(max(gaps) <= FAR, "too-far")                                                          # P-4.16
        elif sum(gaps):
            require(sum(len(c.kept) for c in self.chains) + sum(gaps) <= KEPT, "ahead")                   # P-4.15

    def stepped(self, header, identity_secret):
        """Receiving, 4: the next header key verified the header. The braid is not touched."""
        first, k = self.step == 0, ZERO
        if header.mixed != self.mixed:
            k = self.mix()
        else:
            self.age[2] += 1
        own_id = dh(identity_secret, header.key) if first and identity_secret else ZERO
        r = self.shares[header.bound][1] if header.bound else ZERO
        if first:
            self.bound, self.name = header.bound, self.shares[header.bound][0] if header.bound else bytes(8)
        self.step += 1
        self.rk, ck, hk, self.offer = root_step(self.rk, self.step, self.mixed, header.bound, header.key, self.pair[1],
                                                dh(self.pair[0], header.key), own_id, r, k)
        self.chains.insert(0, Chain(self.step, self.mixed, self.next_hk, header.key, ck))
        self.pn, self.sending, self.pair, self.next_hk, self.shares = self.sending[2], None, None, hk, {}  # P-4.7
        return self.chains[0]

    def take_braid(self, header):
        epoch = self.braid.epoch
        secret, wrong = self.braid.receive(header.kind, header.epoch, header.number, header.chunk)
        if secret:
            self.pending = epoch, secret
        if wrong:
            self.age[3] |= 1                                                                              # P-5.6

    def let_go(self):
        """Keys that end, and chains; returns how many keys."""
        before = sum(len(c.kept) for c in self.chains)
        del self.chains[CHAINS:]                                                                          # P-4.18
        for c in self.chains:
            c.kept = {n: (key, at) for n, (key, at) in c.kept.items() if self.received - at < KEPT}       # P-4.17
        kept = [(c, n) for c in reversed(self.chains) for n in sorted(c.kept)]
        for c, n in kept[:max(0, len(kept) - KEPT)]:                                                      # P-4.14
            del c.kept[n]
        self.chains = self.chains[:2] + [c for c in self.chains[2:] if c.kept]
        return before - sum(len(c.kept) for c in self.chains)

    def encode(self):                                                                                     # 6.4
        out = self.binding + pack(">I", self.step) + self.rk
        if self.sending:
            hk, ck, n = self.sending
            out += b"\1" + self.pair[0] + self.pair[1] + hk + ck + pack(">I", n)
        else:
            out += b"\0" if self.peer is None else b"\2" + self.peer
        out += self.next_hk + pack(">IBI", self.pn, self.bound, len(self.chains))
        for c in self.chains:
            out += pack(">II", c.step, c.mixed) + c.hk + c.key + pack(">I", c.n) + (c.ck or b"") + runs(c.kept)
        out += option(self.offer) + pack(">I", len(self.accepts)) + b"".join(self.accepts) + pack(">I", self.received)
        out += pack(">I", len(self.remembered))
        out += b"".join(pack(">II", step, n) + digest for step, n, digest in self.remembered)
        out += bytes([self.peer_reads]) + pack(">I", self.mixed)
        out += option(self.pending and pack(">I", self.pending[0]) + self.pending[1])
        return out + pack(">IIIB", *self.age) + self.braid.encode()


def option(value):
    return b"\x00" if value is None else b"\x01" + value


def runs(kept):
    """Consecutive numbers that were kept at once."""
    found = []
    for n in sorted(kept):
        key, at = kept[n]
        if found and found[-1][0] + len(found[-1][2]) == n and found[-1][1] == at:
            found[-1][2].append(key)
        else:
            found.append((n, at, [key]))
    packed = (pack(">III", first, at, len(keys)) + b"".join(keys) for first, at, keys in found)
    return pack(">I", len(found)) + b"".join(packed)
