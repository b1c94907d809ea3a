"""The braid (section 5 of docs/spec/session.md): ML-KEM-768 in chunks beside the messages, one key after another.

`draw` is None in a message that makes no step, and otherwise gives what the step's draw expands to.
"""

from dataclasses import dataclass, field
from functools import lru_cache

from primitives import *

L_EPOCH, L_AUTH = b"bisik-1 braid epoch\0", b"bisik-1 braid authenticator\0"
L_BRAID_HEADER, L_BRAID_CT = b"bisik-1 braid header\0", b"bisik-1 braid ciphertext\0"
NONE, HDR, EK, EK_CT1_ACK, CT1_ACK, CT1, CT2 = range(7)
WITH_CHUNK = {HDR, EK, EK_CT1_ACK, CT1, CT2}
STATES = (KEYS_UNSAMPLED, KEYS_SAMPLED, HEADER_SENT, CT1_RECEIVED, EK_SENT_CT1_RECEIVED, NO_HEADER_RECEIVED,
          HEADER_RECEIVED, CT1_SAMPLED, EK_RECEIVED_CT1_SAMPLED, CT1_ACKNOWLEDGED, CT2_SAMPLED) = range(11)
HEADER_CHUNKS, VECTOR_CHUNKS, CT1_CHUNKS, CT2_CHUNKS = 3, 36, 30, 5
DECODED = {HEADER_SENT: CT1_CHUNKS, EK_SENT_CT1_RECEIVED: CT2_CHUNKS, NO_HEADER_RECEIVED: HEADER_CHUNKS,
           CT1_SAMPLED: VECTOR_CHUNKS, CT1_ACKNOWLEDGED: VECTOR_CHUNKS}
AHEAD = 8


# The erasure code over GF(2^16), modulo 0x1100B

POWERS = [1]
while len(POWERS) < 2**16 - 1:
    POWERS.append(POWERS[-1] << 1 ^ (0x1100B if POWERS[-1] >> 15 else 0))
LOGS = {power: n for n, power in enumerate(POWERS)}


def times(a, b):
    return POWERS[(LOGS[a] + LOGS[b]) % 65_535] if a and b else 0


def value_at(x, points):
    """The block at x of the polynomials through the blocks `points`, by their x."""
    total = [0] * 16
    for at, block in points.items():
        weight = 0
        for other in points:
            if other != at:
                weight += LOGS[x ^ other] - LOGS[at ^ other]
        weight = POWERS[weight % 65_535]
        total = [sum_ ^ times(weight, value) for sum_, value in zip(total, unpack(">16H", block))]
    return pack(">16H", *total)


@lru_cache(4_096)
def chunk(text, number):
    blocks = {at: text[32 * at:32 * at + 32] for at in range(len(text) // 32)}
    return blocks[number] if number in blocks else value_at(number, blocks)


def decoded(chunks, count):
    """The text, of as many chunks as are needed."""
    assert len(chunks) == count
    return b"".join(chunks.get(at) or value_at(at, chunks) for at in range(count))


# The key schedule

def hkdf(ikm, info, length):
    return expand(extract(bytes(32), ikm), info, length)


def updated(root, epoch, secret):
    """(root, key) of the authenticator."""
    okm = hkdf(root + secret, L_AUTH + pack(">I", epoch), 64)
    return okm[:32], okm[32:]


def epoch_secret(epoch, shared):
    return hkdf(shared, L_EPOCH + pack(">I", epoch), 32)


@lru_cache(64)
def key_of(seed):
    return kem_split(kem_public(seed))


@lru_cache(64)
def first_of(header, m):
    return kem_first(header, m)


@lru_cache(64)
def second_of(header, vector, m):
    return kem_second(header, vector, m)


@dataclass
class Braid:
    state: int
    epoch: int
    root: bytes
    key: bytes
    seed: bytes = b""
    header: bytes = b""
    m: bytes = b""
    vector: bytes = b""
    ct1: bytes = b""
    chunks: dict = field(default_factory=dict)
    next: int = 0

    @classmethod
    def start(cls, initiator, secret):                                                                    # P-5.1
        return cls(KEYS_UNSAMPLED if initiator else NO_HEADER_RECEIVED, 1, *updated(bytes(32), 1, secret))

    def tag(self, label, text):
        return mac(self.key, label + pack(">I", self.epoch) + text)

    def text(self):
        """What is being sent in chunks."""
        if self.state == KEYS_SAMPLED:
            header = key_of(self.seed)[0]
            return header + self.tag(L_BRAID_HEADER, header)
        if self.state in (HEADER_SENT, CT1_RECEIVED):
            return key_of(self.seed)[1]
        if self.state in (CT1_SAMPLED, EK_RECEIVED_CT1_SAMPLED):
            return first_of(self.header, self.m)[0]
        if self.state == CT2_SAMPLED:
            return self.second()
        return None

    def second(self):
        ct1, ct2 = first_of(self.header, self.m)[0], second_of(self.header, self.vector, self.m)
        return ct2 + self.tag(L_BRAID_CT, ct1 + ct2)

    def go(self, state, **changes):
        self.state, self.chunks = state, {}
        for name, value in changes.items():
            setattr(self, name, value)

    def update(self, secret):
        self.root, self.key = updated(self.root, self.epoch, secret)

    def send(self, draw, waits):
        """((type, epoch, number, chunk), the epoch's secret or `None`). With `waits` a secret is pending."""
        secret = None
        if self.state == KEYS_UNSAMPLED and draw:                                                         # P-5.5
            self.go(KEYS_SAMPLED, seed=draw(b"\x12", 64), next=0)
        elif self.state == HEADER_RECEIVED and draw and not waits:                                        # P-5.2
            self.m = draw(b"\x11", 32)
            secret = epoch_secret(self.epoch, first_of(self.header, self.m)[1])
            self.update(secret)
            self.go(CT1_SAMPLED, next=0)
        kind = {KEYS_SAMPLED: HDR, HEADER_SENT: EK, CT1_RECEIVED: EK_CT1_ACK, EK_SENT_CT1_RECEIVED: CT1_ACK,
                CT1_SAMPLED: CT1, EK_RECEIVED_CT1_SAMPLED: CT1, CT2_SAMPLED: CT2}.get(self.state, NONE)
        number, data = 0, bytes(32)
        if kind in WITH_CHUNK:
            number, data = self.next, chunk(self.text(), self.next)
            self.next = (self.next + 1) % 2**16
        return (kind, self.epoch, number, data), secret

    def receive(self, kind, epoch, number, data):
        """(the epoch's secret or `None`, whether something was wrong: P-5.6)"""
        if epoch == self.epoch + 1 and self.state == CT2_SAMPLED:
            self.go(KEYS_UNSAMPLED, epoch=epoch, header=b"", m=b"", vector=b"", next=0)
        elif epoch == self.epoch:
            return getattr(self, f"in_{self.state}", lambda *_: (None, False))(kind, number, data)
        return None, False

    def keep(self, number, data, count):
        """The text, once it is whole."""
        self.chunks = dict(self.chunks)
        self.chunks.setdefault(number, data)
        return decoded(self.chunks, count) if len(self.chunks) == count else None

    def in_1(self, kind, number, data):                                                                   # KeysSampled
        if kind == CT1:
            self.go(HEADER_SENT, next=0)
            self.keep(number, data, CT1_CHUNKS)
        return None, False

    def in_2(self, kind, number, data):                                                                   # HeaderSent
        if kind == CT1:
            ct1 = self.keep(number, data, CT1_CHUNKS)
            if ct1:
                self.go(CT1_RECEIVED, ct1=ct1)                                           # the encoder goes on
        return None, False

    def in_3(self, kind, number, data):                                                                   # Ct1Received
        if kind == CT2:
            self.go(EK_SENT_CT1_RECEIVED, next=0)
            self.keep(number, data, CT2_CHUNKS)
        return None, False

    def in_4(self, kind, number, data):                                                                   # EkSentCt1Received
        text = self.keep(number, data, CT2_CHUNKS) if kind == CT2 else None
        if text is None:
            return None, False
        secret = epoch_secret(self.epoch, decapsulate(self.seed, self.ct1 + text[:128]))
        before = self.root, self.key
        self.update(secret)
        if not fits(text[128:], self.tag(L_BRAID_CT, self.ct1 + text[:128])):
            (self.root, self.key), self.chunks = before, {}
            return None, True
        self.go(NO_HEADER_RECEIVED, epoch=self.epoch + 1, seed=b"", ct1=b"")
        return secret, False

    def in_5(self, kind, number, data):                                                                   # NoHeaderReceived
        text = self.keep(number, data, HEADER_CHUNKS) if kind == HDR else None
        if text is None:
            return None, False
        if not fits(text[64:], self.tag(L_BRAID_HEADER, text[:64])):
            self.chunks = {}
            return None, True
        self.go(HEADER_RECEIVED, header=text[:64])
        return None, False

    def in_7(self, kind, number, data):                                                                   # Ct1Sampled
        if kind not in (EK, EK_CT1_ACK):
            return None, False
        vector, wrong = self.take_vector(number, data)
        if vector:
            self.go(EK_RECEIVED_CT1_SAMPLED if kind == EK else CT2_SAMPLED, vector=vector)
            if kind != EK:
                self.next = 0
        elif kind == EK_CT1_ACK:
            self.state, self.next = CT1_ACKNOWLEDGED, 0                                  # the decoder goes on
        return None, wrong

    def in_8(self, kind, number, data):                                                                   # EkReceivedCt1Sampled
        if kind in (EK_CT1_ACK, CT1_ACK):
            self.go(CT2_SAMPLED, next=0)
        return None, False

    def in_9(self, kind, number, data):                                                                   # Ct1Acknowledged
        if kind not in (EK, EK_CT1_ACK):
            return None, False
        vector, wrong = self.take_vector(number, data)
        if vector:
            self.go(CT2_SAMPLED, vector=vector, next=0)
        return None, wrong

    def take_vector(self, number, data):
        vector = self.keep(number, data, VECTOR_CHUNKS)
        if vector and kem_join(self.header, vector) is None:
            self.chunks = {}
            return None, True
        return vector, False

    def encode(self):                                                                                     # 6.4
        """What every state keeps, in its order: the texts being sent, or the chunks ahead, and the decoder."""
        state, out = self.state, bytes([self.state]) + pack(">I", self.epoch) + self.root + self.key
        if state in (KEYS_SAMPLED, HEADER_SENT, CT1_RECEIVED, EK_SENT_CT1_RECEIVED):
            out += self.seed
        if state in (HEADER_RECEIVED, CT1_SAMPLED, EK_RECEIVED_CT1_SAMPLED, CT1_ACKNOWLEDGED):
            out += self.header + self.m
        if state in (KEYS_SAMPLED, CT2_SAMPLED):
            out += pack(">H", self.next) + self.text()
        if state in (HEADER_SENT, CT1_RECEIVED, CT1_SAMPLED, EK_RECEIVED_CT1_SAMPLED):
            ahead = range(self.next, self.next + -self.next % AHEAD)
            out += pack(">HB", self.next, len(ahead)) + b"".join(chunk(self.text(), number) for number in ahead)
        if state in (CT1_RECEIVED, EK_SENT_CT1_RECEIVED):
            out += self.ct1
        if state == EK_RECEIVED_CT1_SAMPLED:
            out += pack(">H", 0) + self.second()
        if state in DECODED:
            out += self.decoder(DECODED[state])
        return out

    def decoder(self, count):
        """A bitmap of the blocks that are there, the numbers of the other chunks, and the chunks by number."""
        bits = sum(1 << (-count % 8 + count - 1 - number) for number in self.chunks if number < count)
        others = [number for number in sorted(self.chunks) if number >= count]
        out = bits.to_bytes((count + 7) // 8, "big") + bytes([len(others)]) + pack(f">{len(others)}H", *others)
        return out + b"".join(self.chunks[number] for number in sorted(self.chunks))
