"""Sections 15.1, 15.3 and 15.7 of docs/spec/rooms.md: bodies, letters, answers and histories. And the records of a group at
one device, by section 15.6 of docs/formats.md: rooms.py DIRECTORY."""

import sys
from pathlib import Path
from struct import pack

from attachments import Pointer
from bisik import ed25519_public, open_record, x25519_public
from chains import lists_digest
from conversation_records import ACCOUNT, KEY, State
from membership import Membership
from primitives import Refused, otherwise, require, sha256, x25519_decode

CHAIN_RECORD, DESK, DEVICES = 19, 26, 27
CONTENT, STATEMENTS = 1, 2
CHAIN, QUESTION, LACKING, KNOCK, MESSAGES, AGAIN, HISTORY = 1, 3, 4, 5, 6, 7, 8
ENTRY_ITEM, ACT, FLOOR, LIST = 1, 2, 3, 4
L_GROUP_PART = b"bisik-1 group acts part\0"
HISTORY_TYPE, MOST_BYTES, MOST_MESSAGES, MOST_AGE, MOST_CONTENT = b"application/vnd.bisik.history", 4 << 20, 100, 14 * 86_400, 256 << 10


def read_items(state, count=None):                                                                       # P-15.1
    items = []
    while (state.data if count is None else len(items) < count):
        require(count is not None or len(items) < 512, "malformed")
        kind, item = state.number(1), state.take(state.number())
        require(ENTRY_ITEM <= kind <= LIST and (kind != LIST or len(item) == 104), "malformed")
        if kind == LIST:
            otherwise("malformed", x25519_decode, item[32:64])
        items.append((kind, item))
    return items


def write_items(items):
    return b"".join(bytes([kind]) + pack(">I", len(item)) + item for kind, item in items)


def read_body(data):                                                                                     # P-15.1
    """(kind, content or items)"""
    state = State(data)
    kind = state.number(1)
    require(kind in (CONTENT, STATEMENTS), "malformed")
    return kind, state.data if kind == CONTENT else read_items(state)


def read_pointer(data):                                                                                  # P-15.19
    pointer = Pointer.decode(data)
    require(pointer.media_type == HISTORY_TYPE and not pointer.thumbnail_size, "malformed")
    require(pointer.size <= MOST_BYTES, "malformed")
    return pointer


def read_letter(data):                                                                                   # P-15.2
    """(kind, group, what it says)"""
    state = State(data)
    kind = state.number(1)
    if kind == CHAIN:
        require(len(state.data) == 194, "malformed")
        return kind, state.data[1:33], state.data
    group = state.take(32)
    if kind == STATEMENTS:
        return kind, group, read_items(state)
    if kind == AGAIN:
        return kind, group, (state.take(8), state.number(), state.take(8), state.data)
    if kind == HISTORY:
        return kind, group, read_pointer(state.data)
    if kind == MESSAGES:
        require(len(state.data) % 12 == 0 and len(state.data) <= 64 * 12, "malformed")
        return kind, group, state.data
    lengths = {QUESTION: 8 + 32 + 8 + 32 + 32 * 8, LACKING: 8, KNOCK: 16 + 16 + 64}
    require(kind in lengths, "malformed")
    said = state.take(lengths[kind])
    state.end()
    return kind, group, said


def part_digests(hashes):                                                                                # 15.1
    return [sha256(L_GROUP_PART, *sorted(h for h in hashes if h[0] >> 3 == part))[:8] for part in range(32)]


def question(group, known, lists):                                                                       # P-15.7
    parts = part_digests([act.hash for act in known.count().counts])
    said = pack(">Q", len(known.entries)) + known.entries[-1].hash + pack(">Q", known.settled) + lists
    return bytes([QUESTION]) + group + said + b"".join(parts)


def answer(known, own_lists, asked):                                                                     # P-15.8
    """The items of the answer of a device that knows `known`, and by name the lists `own_lists`, to a question."""
    kind, group, said = read_letter(asked)
    require(kind == QUESTION and group == known.group, "malformed")
    state = State(said)
    epoch, entry, settled, lists = state.number(8), state.take(32), state.number(8), state.take(32)
    parts = [state.take(8) for _ in range(32)]
    agrees = epoch == 0 or epoch > len(known.entries) or known.entries[epoch - 1].hash == entry
    items = [(ENTRY_ITEM, e.data) for e in known.entries if e.epoch >= epoch + agrees]
    if known.settled > settled:
        items.append((FLOOR, known.floor.encode()))
    counts = sorted(known.count().counts, key=lambda act: act.hash)
    ours = part_digests([act.hash for act in counts])
    items += [(ACT, act.data) for act in counts if parts[act.hash[0] >> 3] != ours[act.hash[0] >> 3]]
    if lists != lists_digest(own_lists):
        items += [(LIST, name) for name in own_lists]
    return items


class History:                                                                                           # 15.7
    """What a member passes on: messages are (account, device, chain id, index, time, content)."""

    def __init__(self, group, by, made, messages):
        self.group, self.by, self.made, self.messages = group, by, made, messages

    def encode(self):
        said = [m[0] + pack(">I", m[1]) + m[2] + pack(">IQI", m[3], m[4], len(m[5])) + m[5] for m in self.messages]
        return b"\1" + self.group + self.by + pack(">QI", self.made, len(said)) + b"".join(said)


def read_history(data):                                                                                  # P-15.20
    require(not data or data[0] < 2, "newer-version")
    require(len(data) <= MOST_BYTES, "malformed")
    state = State(data)
    require(state.number(1) == 1, "malformed")
    history = History(state.take(32), state.take(64), state.number(8), [])
    for _ in range(state.number()):
        message = (state.take(64), state.number(), state.take(8), state.number(), state.number(8), state.take(state.number()))
        require(message[3] <= 999 and len(message[5]) <= MOST_CONTENT, "malformed")
        require(0 <= history.made - message[4] <= MOST_AGE, "malformed")
        history.messages.append(message)
    state.end()
    names = [m[:4] for m in history.messages]
    places = [(m[4], m[:4]) for m in history.messages]
    require(1 <= len(names) <= MOST_MESSAGES and len(set(names)) == len(names) and places == sorted(places), "malformed")
    for account in [history.by] + [m[0] for m in history.messages]:
        otherwise("malformed", x25519_decode, account[32:])                                               # P-1.1
    return history


class Desk(State):                                                                                       # P-15.14
    def member(self):
        return self.take(64), self.number(), self.take(64)

    def items(self):
        return read_items(self, self.number())

    def made(self):
        kind = self.number(1)
        require(kind in (1, 2), "rejected")
        to = self.member() if kind == 2 else None
        return to, self.take(self.number())

    def notice(self):
        return self.take(64), self.flag() or self.items()

    def stay(self):
        return self.take(80)

    def event(self):
        kind = self.number(1)
        require(1 <= kind <= 20, "rejected")
        stays = {1: 1, 2: 1, 3: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 2, 16: 1}.get(kind, 0)
        named = [self.stay() for _ in range(stays)]
        if kind in (1, 4) and self.flag():
            self.stay()
        if kind == 6 and self.flag():
            self.take(16), self.stay()
        self.take({8: 2, 10: 1, 11: 64, 12: 64, 13: 17, 14: 16, 15: 17, 17: 8}.get(kind, 0))
        if kind == 15:
            self.stay()
        return kind, named

    def received(self):
        number, kind = self.number(8), self.number(1)
        require(1 <= kind <= 5, "rejected")
        if kind == 2:
            return number, self.event()
        device = self.member()
        if kind == 1:
            self.take(8 + 4), self.flag(), self.flag(), self.take(8), self.take(self.number())
        if kind == 4:
            self.number()
        if kind == 5:
            read_pointer(self.take(self.number()))
        return number, device

    def read(self):
        self.take(8)
        self.local, _ = self.member(), self.number(8)
        self.outbox, self.said, _ = self.many(self.made), self.items(), self.flag()
        self.notices, self.told = self.many(self.notice, ascending=True), self.many(64, ascending=True)
        _, last = self.optional(16), self.number(8)
        self.inbox = self.many(self.received)
        require(all(a[0] < b[0] for a, b in zip(self.inbox, self.inbox[1:])), "rejected")
        require(all(number <= last for number, _ in self.inbox), "rejected")
        self.many(lambda: (self.member(), self.take(self.number())), 64)
        serial = self.number(8)
        self.kept = self.many(lambda: (self.number(8), self.take(8 + 4 + 8 + 8 + 8), self.take(self.number())), 64, True)
        self.since = self.many(lambda: (self.take(64), self.number(8)), ascending=True)
        require(all(number <= serial for number, *_ in self.kept), "rejected")
        self.end()
        return self


def main(directory):
    def golden(name):
        return bytes.fromhex(Path(directory, f"{name}.hex").read_text())

    group = golden("room-id")
    account = State(open_record(KEY, ACCOUNT, b"", golden("room-account")))
    account.take(8)
    own = ed25519_public(account.take(32)) + x25519_public(account.take(32))
    desk = Desk(open_record(KEY, DESK, group, golden("room-desk"))).read()
    assert desk.local == (own, 0, own)
    devices = State(open_record(KEY, DEVICES, group + b"\2", golden("room-devices")))
    devices.take(8)
    peers = devices.many(devices.directory, ascending=True)
    assert devices.number() == 0 and len(peers) == 1
    devices.end()

    assert [body for *_, body in desk.kept] == [b"halo"] and desk.since == []
    # The messages, in the order in which they were made, of the chain in its record.
    chain = State(open_record(KEY, CHAIN_RECORD, group + b"\3", golden("room-chain")))
    chain.take(8 + 1 + 32 + 32 + 132 + 1 + 8 + 1)
    length, _, signing = chain.number(), chain.take(32), ed25519_public(chain.take(32))
    messages = [body for to, body in desk.outbox if to is None]
    assert b"".join(messages) == golden("room-messages") and len(messages) == length
    for index, message in enumerate(messages):
        assert message[:13] == b"\1" + sha256(b"bisik-1 group chain\0", signing)[:8] + pack(">I", index)

    # The letter that invites, followed by an implementation of its own.
    (to, letter), = [(to, body) for to, body in desk.outbox if to is not None]
    kind, named, items = read_letter(letter)
    assert (kind, named, to[0]) == (STATEMENTS, group, peers[0])
    known = Membership(items[0][1], {})
    assert known.group == group
    for kind, item in items[1:]:
        if kind != LIST:
            assert known.offer({ENTRY_ITEM: "entry", ACT: "act", FLOOR: "floor"}[kind], item) == "taken"
    invited = [stay for stay in known.count().stays if known.count().added(stay)]
    assert {stay[:64] for stay in invited} == {own, peers[0]} and len(known.count().live()) == 1
    (number, (event, stays)), = desk.inbox
    assert (number, event, stays[0][:64]) == (1, 1, peers[0])
    assert [item[:64] for kind, item in items if kind == LIST] == [own]

    asks = question(group, known, bytes(32))
    assert read_letter(asks)[0] == QUESTION and len(asks) == 369
    for wrong in (asks + b"\0", asks[:-1], b"\x08" + asks[1:], b""):
        try:
            read_letter(wrong)
            raise AssertionError("it was read")
        except Refused:
            pass
    print(f"{directory}: a group with {len(messages)} messages and a letter agrees")


if __name__ == "__main__":
    main(*sys.argv[1:])
