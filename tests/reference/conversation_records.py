"""Reads the golden conversations, heads and blocks, by sections 6.4 to 6.7 and 12.6 of docs/formats.md:
conversation_records.py DIRECTORY."""

import sys
from pathlib import Path

from bisik import ed25519_public, open_record, x25519_public
from primitives import require
from talks import conversation_id

KEY = bytes([0x42] * 32)
ACCOUNT, CONVERSATION, PEER, LINK, BODY, INBOX = 7, 8, 15, 16, 17, 18
ENTRY = 102


class State:
    """What has not been read yet."""

    def __init__(self, data):
        self.data = data

    def take(self, length):
        require(len(self.data) >= length, "rejected")
        taken, self.data = self.data[:length], self.data[length:]
        return taken

    def number(self, length=4):
        return int.from_bytes(self.take(length), "big")

    def flag(self):
        flag = self.number(1)
        require(flag <= 1, "rejected")
        return bool(flag)

    def optional(self, length):
        return self.take(length) if self.flag() else None

    def many(self, read, most=2**32, ascending=False):
        """A count, and as many entries; `read` is a length or a function."""
        count = self.number()
        require(count <= most, "rejected")
        entries = [self.take(read) if isinstance(read, int) else read() for _ in range(count)]
        require(not ascending or all(a < b for a, b in zip(entries, entries[1:])), "rejected")
        return entries

    def device(self):
        return self.flag(), self.number()

    def end(self):
        require(not self.data, "rejected")

    # 6.3, 10.6

    def pre_keys(self):
        def generation():
            self.take(4 + 8 + 8 + 64 + 64 + 64 + 8), self.many(16, ascending=True)
        self.take(64 + 8), self.many(generation), generation(), self.many(4 + 4 + 64 + 64 + 64, ascending=True)

    def directory(self):
        key = self.take(64)
        self.take(8 + 32 + 8 + 4), self.many(ENTRY, 64, ascending=True), self.many(8 + 32, 8)
        return key

    # 6.4, 6.5

    def session(self):
        self.take(8 + 16)
        peer, _, name, opening = self.take(64), self.take(32), self.take(8), self.number(1)
        require(opening <= 3, "rejected")
        self.take((1_208 + 64 + 32, 0, 32, 64)[opening])
        if opening == 0:
            self.many(1 + 8 + 32, 4, ascending=True)
        self.take(32 + 4 + 32)
        turn = self.number(1)
        require(turn <= 2, "rejected")
        self.take((0, 64 + 32 + 32 + 4, 32)[turn])
        self.take(32 + 4)
        require((self.number(1) != 0) == (name != bytes(8)), "rejected")
        ended = iter([False])
        self.many(lambda: self.chain(next(ended, True)), 5)
        self.optional(32), self.many(32, 3), self.take(4), self.many(4 + 4 + 8, 8), self.take(1 + 4)
        self.optional(4 + 32), self.take(4 + 4 + 4), self.flag()
        self.braid()
        return peer

    def chain(self, has_ended):
        self.take(4 + 4 + 32 + 32 + 4 + (0 if has_ended else 32))
        self.many(lambda: (self.take(4 + 4), self.many(32)))

    def braid(self):
        state = self.number(1)
        self.take(4 + 32 + 32)
        seed, header, m, ct1 = 64, 64, 32, 960

        def long_text():
            self.take(2), self.take(32 * self.number(1))

        def decoder(count):
            blocks, others = self.number((count + 7) // 8), self.number(1)
            self.take(2 * others), self.take(32 * (blocks.bit_count() + others))
        for part in ((), (seed, 2 + 96), (seed, long_text, 30), (seed, long_text, ct1), (seed, ct1, 5), (3,), (header,),
                     (header, m, long_text, 36), (header, m, long_text, 2 + 160), (header, m, 36), (2 + 160,))[state]:
            if part in (30, 5, 3, 36):
                decoder(part)
            else:
                part() if callable(part) else self.take(part)

    # 12.6

    def link(self):
        found = {"key": self.take(64), "owes": self.flag(), "once": self.flag()}
        self.take(4)
        newest, horizon = self.number(), (self.number(8), self.take(1 + 8))[0]
        known = self.many(lambda: (self.take(8), self.number(8), self.flag()), 128, ascending=True)
        previews = self.many(lambda: (self.take(8), self.number(8), self.take(4 + 16)), 16, ascending=True)
        require(all(number >= horizon for _, number, _ in known + previews), "rejected")
        require(not {tag for tag, *_ in known} & {tag for tag, *_ in previews}, "rejected")
        self.take(4 + 1 + 8), self.many(16, 64)
        found["raised"] = self.flag()
        self.take(1 + 8), self.flag(), self.optional(4)
        found["recent"] = self.many(8, 32)
        found["sessions"] = self.many(lambda: self.slot(found["key"]), 6)
        require(all(serial <= newest for serial, _ in found["sessions"]), "rejected")
        require(all(a < b for (a, _), (b, _) in zip(found["sessions"], found["sessions"][1:])), "rejected")
        require(found["once"] or not any(live for _, live in found["sessions"]), "rejected")
        self.many(32, 6), self.many(8, 16)
        return found

    def slot(self, key):
        """(serial, live)"""
        serial, flags = self.number(), [self.flag() for _ in range(8)]
        self.take(1 + 4 + 4 + 4), self.optional(4), self.optional(4), self.optional(8), self.take(4 * 4)
        self.many(4 + 4, 6), self.many(16, 64)
        require(serial and self.session() == key, "rejected")
        return serial, flags[1]

    def kept(self):
        id, kind = self.take(16), self.number(1)
        require(1 <= kind <= 5 or kind == 16, "rejected")
        self.take(8 + 8), self.flag()
        require(self.many(lambda: (self.device(), self.number()), ascending=True), "rejected")
        return id[:8], kind

    def entry(self):
        """(number, kind)"""
        number, kind = self.number(8), self.number(1)
        require(kind == 0 or 16 <= kind <= 32, "rejected")
        if kind in (16, 17, 18, 20, 21, 22, 23, 24, 25, 30, 32):
            self.device()
        if kind in (16, 17, 18, 24, 25, 32):
            self.take(16)
        flags = {17: 1, 26: 1}.get(kind, 0)
        [self.flag() for _ in range(flags)]
        if kind == 20:
            require(self.number(1) <= 2, "rejected")
            self.flag(), self.flag()
        if kind == 26:
            self.take(8)
        if kind == 28:
            self.take((ENTRY, ENTRY, 2 * ENTRY, 16, 8)[self.number(1) - 1])
        return number, kind

    def received(self):
        """(kind, device, body)"""
        kind, device = self.number(1), self.device()
        require(1 <= kind <= 7, "rejected")
        self.take(0 if kind in (4, 5) else 16 + 8), self.take({3: ENTRY, 6: ENTRY, 7: 128}.get(kind, 0))
        body = self.take(self.number())
        return kind, device, body


class Conversation:
    def __init__(self, id, head, blocks):
        self.id, self.blocks = id, blocks
        state = State(open_record(KEY, CONVERSATION, id, head))
        state.take(8)
        self.flags = [state.flag(), state.flag(), state.number(1), state.flag(), state.flag()]
        require(self.flags[2] <= 3, "rejected")
        last, _ = state.number(8), state.number(8)
        self.names = iter(state.many(8))
        peer = self.block(PEER)
        self.peer = peer.directory()
        peer.take(peer.number()), peer.end()
        devices = state.many(state.device, ascending=True)
        self.links = dict(zip(devices, [self.whole(LINK, State.link) for _ in devices]))
        state.take(8)
        kept = state.many(state.kept, 64, ascending=True)
        require(all(int.from_bytes(number, "big") <= last for number, _ in kept), "rejected")
        self.kept = [(kind, self.block(BODY).data) for _, kind in kept]
        newest, entries = state.number(8), state.many(state.entry, ascending=True)
        require(all(number <= newest for number, _ in entries), "rejected")
        self.received = [self.whole(INBOX, State.received) for _, kind in entries if kind == 0]
        state.end()
        require(next(self.names, None) is None, "rejected")

    def block(self, kind):                                                                                # P-6.5
        name = next(self.names)
        block = self.blocks[self.id[:8] + name]
        require(block[1:9] == name, "rejected")
        return State(open_record(KEY, kind, self.id[:8], block))

    def whole(self, kind, read):
        block = self.block(kind)
        found = read(block)
        block.end()
        return found


def main(directory):
    def golden(name):
        return bytes.fromhex(Path(directory, f"{name}.hex").read_text())

    def read(account, name):
        state = State(open_record(KEY, ACCOUNT, b"", golden(account)))
        state.take(8)
        ed, x = state.take(32), state.take(32)
        state.pre_keys()
        is_primary, own = state.flag(), state.directory()
        require(is_primary == (own == ed25519_public(ed) + x25519_public(x)), "rejected")
        blocks, found = State(golden(f"{name}-blocks")), {}
        while blocks.data:
            id = blocks.take(16)
            found[id] = blocks.take(blocks.number())
        talk = Conversation(conversation_id(own, golden(f"{name}-peer")), golden(name), found)
        assert talk.peer == golden(f"{name}-peer") and {block[:8] for block in found} == {talk.id[:8]}
        print(f"{directory}: {name} of {len(talk.links)} links in {len(found)} blocks agrees")
        return talk

    talk = read("account", "conversation")
    assert talk.flags[2] and talk.kept == [(1, b"kept")] and talk.received == [(1, (False, 0), b"waits")]
    assert [device for device, link in talk.links.items() if link["raised"]] == [(False, 0)]
    assert all(len(link["recent"]) == len(set(link["recent"])) for link in talk.links.values())
    read("account-hosted", "conversation-hosted")


if __name__ == "__main__":
    main(*sys.argv[1:])
