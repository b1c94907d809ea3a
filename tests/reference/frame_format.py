"""Section 12.2 of docs/spec/conversations.md: frames by themselves; and the step of scripts about them."""

from dataclasses import dataclass, field
from struct import pack

from bisik import check_identity
from primitives import otherwise, require

VERSION, NUMBERS, SEQUENCES = 2, 2**60, 2**35
(FOR_OWN, OPENING, CHECKPOINT, ASK, ANSWER, FIRST_WORDS, REPLACED_BY, LOST, NAMED, EPHEMERAL) = (
    1 << bit for bit in range(10))
SHOWN, CLOSED, NAMES, DIGESTS = 144, 128, 64, 64
MESSAGE, WITHDRAWN, DECISION, RECEIPT = range(1, 5)
LETTER = 16
LONGEST = 256 * 1_024


def varint(value):
    if value < 0x80:
        return bytes([value])
    return bytes([value & 0x7f | 0x80]) + varint(value >> 7)


class Bytes:
    """What has not been read yet."""

    def __init__(self, data):
        self.data = data

    def take(self, length):
        require(len(self.data) >= length, "malformed")
        taken, self.data = self.data[:length], self.data[length:]
        return taken

    def number(self, length=8):
        return int.from_bytes(self.take(length), "big")

    def varint(self):
        """At most nine bytes, in the shortest form."""
        value = 0
        for place in range(9):
            byte = self.number(1)
            value |= (byte & 0x7f) << 7 * place
            if byte < 0x80:
                require(place == 0 or byte != 0, "malformed")
                return value
        require(False, "malformed")

    def items(self, size, least, most):
        """Strictly ascending. Names ascend by number, then by tag: as their bytes do."""
        count = self.varint()
        require(least <= count <= most, "malformed")
        items = [self.take(size) for _ in range(count)]
        require(all(one < other for one, other in zip(items, items[1:])), "malformed")
        return items


def bounded(value, limit=NUMBERS):
    require(0 <= value < limit, "malformed")
    return value


@dataclass
class Frame:
    own_list: int
    other_list: int
    lists_digest: bytes
    last: int
    base: int
    horizon: int
    highest: int | None = None
    for_own: int = 0
    conversation: bytes | None = None
    account: bytes | None = None
    offered: bytes | None = None
    checkpoint: bytes | None = None
    shown: list = field(default_factory=list)
    closed: list = field(default_factory=list)
    ask: bytes | None = None
    answer: bytes | None = None
    first_words: list = field(default_factory=list)
    replaced_by: bytes | None = None
    lost: list = field(default_factory=list)
    kind: int | None = None
    name: bytes | None = None
    body: bytes | None = None
    ephemeral: bytes | None = None

    def flags(self):
        fields = (self.for_own, self.conversation, self.checkpoint, self.ask, self.answer, self.first_words,
                  self.replaced_by, self.lost, self.name, self.ephemeral)
        return sum(1 << bit for bit, value in enumerate(fields) if value not in (None, 0, []))

    def encode(self):
        parts = [bytes([VERSION]), pack(">H", self.flags()), varint(self.own_list), varint(self.other_list),
                 self.lists_digest, self.conversation, self.account, self.offered, self.checkpoint,
                 pack(">Q", self.last), varint(self.last + 1 - self.base),
                 pack(">Q", self.horizon), varint(0 if self.highest is None else self.highest - self.horizon + 1),
                 varint(len(self.shown)), *self.shown, varint(len(self.closed)), *self.closed,
                 self.ask, self.answer,
                 varint(len(self.first_words)) if self.first_words else b"", *self.first_words,
                 self.replaced_by,
                 varint(len(self.lost)) if self.lost else b"", *self.lost,
                 b"" if self.kind is None else bytes([self.kind]), self.name, self.body, self.ephemeral]
        return b"".join(part for part in parts if part is not None)

    @classmethod
    def decode(cls, data):                                                                              # P-12.9
        read = Bytes(data)
        version = read.number(1)
        require(version <= VERSION, "unsupported-version")                                              # P-12.8
        require(version == VERSION, "malformed")
        flags = read.number(2)
        require(flags < 2 * EPHEMERAL and flags & (NAMED | EPHEMERAL) != NAMED | EPHEMERAL, "malformed")
        f = cls(bounded(read.varint(), SEQUENCES), bounded(read.varint(), SEQUENCES), read.take(16), 0, 0, 0)
        f.for_own = flags & FOR_OWN
        if flags & OPENING:
            f.conversation = read.take(16)
            if f.for_own:                                                                               # P-12.11
                f.account = read.take(64)
                otherwise("malformed", check_identity, f.account)
            f.offered = read.take(32)
        f.checkpoint = read.take(16) if flags & CHECKPOINT else None
        f.last = bounded(read.number())
        f.base = bounded(f.last + 1 - read.varint())
        f.horizon = bounded(read.number())
        above = read.varint()
        f.highest = bounded(f.horizon + above - 1) if above else None
        f.shown, f.closed = read.items(8, 0, SHOWN), read.items(8, 0, CLOSED)
        require(not set(f.shown) & set(f.closed), "malformed")
        f.ask = read.take(4) if flags & ASK else None
        f.answer = read.take(4) if flags & ANSWER else None
        f.first_words = read.items(16, 1, DIGESTS) if flags & FIRST_WORDS else []
        f.replaced_by = read.take(8) if flags & REPLACED_BY else None
        f.lost = read.items(16, 1, NAMES) if flags & LOST else []
        for name in f.lost:
            bounded(int.from_bytes(name[:8], "big"))
        if flags & NAMED:
            f.kind, f.name = read.number(1), read.take(16)
            require(f.kind != 0, "malformed")                                                           # P-12.10
            bounded(int.from_bytes(f.name[:8], "big"))
            f.body = read.take(len(read.data))
            require(f.kind != WITHDRAWN or not f.body, "malformed")
            require(len(f.body) <= LONGEST, "malformed")
        elif flags & EPHEMERAL:
            f.ephemeral = read.take(len(read.data))
            require(len(f.ephemeral) <= LONGEST, "malformed")
        require(not read.data, "malformed")
        return f


class FrameSteps:
    """The steps of scripts about frames by themselves."""

    def read_frame(self, step, draw):
        """Its fields; the frame is encoded again to the same bytes."""
        frame = Frame.decode(step["frame_read"])
        require(frame.encode() == step["frame_read"], "another encoding")
        fields = vars(frame) | {name: b"".join(getattr(frame, name)) for name in ("shown", "closed", "first_words", "lost")}
        return {name: value for name, value in fields.items() if value is not None}
