"""The script of tests/vectors/group-letter.txt: what devices of a group send each other, and what is none of it."""

from attachments import Pointer
from belonging import *
from rooms import *

CHAIN_ID, VIEW = bytes(range(8)), bytes(range(8, 16))
SMALL_ORDER = bytes(32) + bytes(32)


def group_letter():
    """Bodies of messages of a group, letters, what a device asks and answers, and histories; and what is refused."""
    s = Script()
    told = quiet_group()
    bodies(s, told), letters(s, told), digests(s), answers(s, told), histories(s, told)
    return s


def quiet_group():
    """Alice has founded a group, and settled it once."""
    told = Told(Script())
    told.said = [(ENTRY_ITEM, told.known.entries[0].data)]

    def tell(kind, statement):
        told.said.append(({"entry": ENTRY_ITEM, "act": ACT, "floor": FLOOR}[kind], statement))
        assert told.known.offer(kind, statement) == "taken", kind
    told.tell = tell
    for person in PEOPLE[1:]:
        stay = told.new_stay(person)
        tell("act", told.act("alice", ADD, stay))
        if person != "dave":
            tell("act", told.act(person, ACCEPT, stay=stay))
    floor = told.known.count().make_floor().encode()
    tell("entry", told.entry(bytes([SETTLE]) + sha256(L["group floor"], floor)))
    tell("floor", floor)
    tell("act", told.act("dave", ACCEPT, stay=told.stays[3]))
    tell("entry", told.entry(bytes([SETTING, 5, 0, 1, 2])))
    for _ in range(6):
        tell("act", told.act("alice", ADD, told.new_stay(told.chosen.choice(PEOPLE[1:]))))
    return told


def list_name(told, person):
    known = told.lists[person]
    return told.account(person) + pack(">Q", known.sequence) + known.hash()


def items_of(told):
    return [(ENTRY_ITEM, told.said[0][1]), told.said[1], (FLOOR, b""), (LIST, list_name(told, "bob"))]


def bodies(s, told):
    def no(*all):
        for body in all:
            s("read-group-body", group_body=body, expect="malformed")
    items = write_items(items_of(told))
    for body in (b"\1", b"\1halo", b"\2", b"\2" + items, b"\2" + write_items([(ACT, b"")] * 512)):
        s("read-group-body", group_body=body)
    no(b"", b"\0halo", b"\3halo", b"\xff", b"\2" + write_items([(ACT, b"")] * 513))
    no(*(b"\2" + items[:at] for at in (1, 4, len(items) - 1, len(items) - 104)))
    no(*(b"\2" + write_items([(kind, b"")]) for kind in (0, 5, 255)))
    no(b"\2" + pack(">BI", ACT, 2**32 - 1), b"\2" + write_items([(LIST, bytes(103))]), b"\2" + write_items([(LIST, bytes(105))]))
    no(b"\2" + write_items([(LIST, os.urandom(32) + b"\xff" * 32 + bytes(40))]))


def letters(s, told):
    group = told.known.group
    signing = ed25519_public(os.urandom(32))
    given = (b"\1" + group + os.urandom(32) + VIEW + pack(">I", 999) + os.urandom(32) + signing + bytes(12) + b"\1"
             + pack(">Q", NOW) + os.urandom(32))
    asks = question(group, told.known, os.urandom(32))
    pointer = Pointer(os.urandom(32), os.urandom(32), 4 << 20, HISTORY_TYPE)
    good = [bytes([CHAIN]) + given, bytes([STATEMENTS]) + group + write_items(items_of(told)), bytes([STATEMENTS]) + group, asks,
            bytes([LACKING]) + group + CHAIN_ID, bytes([KNOCK]) + group + os.urandom(96),
            bytes([MESSAGES]) + group, bytes([MESSAGES]) + group + (CHAIN_ID + pack(">I", 999)) * 64,
            bytes([AGAIN]) + group + CHAIN_ID + pack(">I", 7) + VIEW + b"halo", bytes([AGAIN]) + group + CHAIN_ID + bytes(12),
            bytes([HISTORY]) + group + pointer.encode()]
    for letter in good:
        s("read-letter", letter_read=letter)

    def no(*all):
        for letter in all:
            s("read-letter", letter_read=letter, expect="malformed")
    no(b"", *(bytes([kind]) + group for kind in (0, 10, 255)), *(letter[:20] for letter in good))
    no(*(bytes([kind]) + letter[1:] for letter in good[3:6] for kind in (0, 11)))
    fixed = [good[0], asks, good[4], good[5], good[7], good[10]]
    no(*(letter[:-1] for letter in fixed), *(letter + b"\0" for letter in fixed))
    no(good[9][:-1], good[7] + CHAIN_ID + bytes(4), bytes([MESSAGES]) + group + bytes(11))
    no(*(bytes([CHAIN]) + wrong for wrong in (b"\2" + given[1:], given[:153] + b"\4" + given[154:], given[:73] + pack(">I", 1_000) + given[77:])))
    for size, media_type in ((2**22 + 1, HISTORY_TYPE), (5, b"image/jpeg"), (5, HISTORY_TYPE[:-1] + b"i")):
        no(bytes([HISTORY]) + group + Pointer(pointer.ak, pointer.root, size, media_type).encode())
    no(bytes([HISTORY]) + group + Pointer(pointer.ak, pointer.root, 5, HISTORY_TYPE, 1, bytes(41 + 40)).encode())


def digests(s):
    hashes = [os.urandom(32) for _ in range(40)]
    for some in ([], hashes[:1], hashes, hashes[::-1], [bytes(32), b"\x07" + bytes(31), b"\x08" + bytes(31), b"\xff" * 32]):
        s("part-digests", act_hashes=b"".join(some))


def answers(s, told):
    names = sorted(list_name(told, person) for person in ("alice", "bob"))
    same, other = lists_digest(names), lists_digest(names[:1])
    known, nothing = told.known, bytes(32)

    def ask(of, lists=same, epoch=None, entry=None, settled=None, parts=None):
        asked = question(known.group, of, lists) if of else bytes([QUESTION]) + known.group + bytes(8 + 32 + 8) + lists + bytes(256)
        said = asked[33:]
        if epoch is not None:
            said = pack(">Q", epoch) + said[8:]
        if entry is not None:
            said = said[:8] + entry + said[40:]
        if settled is not None:
            said = said[:40] + pack(">Q", settled) + said[48:]
        if parts is not None:
            said = said[:80] + parts(said[80:])
        s("answer-question", of="one", letter_read=asked[:33] + said)
    s("tell-group", of="one", statements=write_items(told.said), lists_of=b"".join(names))
    ask(known), ask(known, other), ask(None), ask(None, nothing)
    early = Membership(told.said[0][1], {})
    ask(early)
    for kind, item in told.said[1:9]:
        early.offer({ENTRY_ITEM: "entry", ACT: "act", FLOOR: "floor"}[kind], item)
        ask(early)
    # Another log, an epoch that is not there yet, an older and a newer floor, and one part that differs.
    ask(known, entry=os.urandom(32)), ask(known, epoch=1), ask(known, epoch=2**64 - 1), ask(known, epoch=4)
    ask(known, settled=0), ask(known, settled=9)
    for part in (0, 17, 31):
        ask(known, parts=lambda parts: parts[:8 * part] + os.urandom(8) + parts[8 * part + 8:])


def histories(s, told):
    group, (alice, bob) = told.known.group, [told.account(person) for person in ("alice", "bob")]

    def history(*messages, made=NOW):
        return History(group, alice, made, list(messages)).encode()

    def message(index=0, ago=5, content=b"halo", account=bob, device=1, chain=CHAIN_ID):
        return (account, device, chain, index, NOW - ago, content)
    first, second = message(1, 9), message(2, 9, b"")
    whole = history(first, second, message(999, 0))
    for data in (whole, history(first), history(message(0, MOST_AGE)), history(*(message(n) for n in range(100))),
                 history(message(1, 9, device=0), first), history(message(5, 9, account=min(alice, bob)), message(5, 9, account=max(alice, bob)))):
        s("read-history", history_read=data)

    def no(*all):
        for data in all:
            s("read-history", history_read=data, expect="malformed")
    no(b"", b"\0" + whole[1:], whole + b"\0", *(whole[:at] for at in range(1, len(whole), 37)))
    no(history(), history(second, first), history(first, first), history(message(1, 9), message(1, 8)), history(message(1_000)))
    no(history(message(0, MOST_AGE + 1)), history(message(0, -1)), history(*(message(n) for n in range(101))))
    no(history(message(account=alice[:32] + b"\xff" * 32)), History(group, alice[:32] + bytes(32), NOW, [first]).encode())
    no(whole[:105] + pack(">I", 2**32 - 1) + whole[109:], whole[:105] + pack(">I", 2) + whole[109:])
    for version in (2, 255):
        s("read-history", history_read=bytes([version]) + whole[1:], expect="newer-version")
