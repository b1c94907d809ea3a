"""The script of tests/vectors/frame-format.txt: frames by themselves, and bytes that are none."""

from dataclasses import replace

from frame_format import *
from script import *


def frame_format_():
    """Frames by themselves: every field alone, all together, the largest and smallest values, and bytes that are none."""
    s = Script()

    def read(frame, expect=None):
        data = frame if isinstance(frame, bytes) else frame.encode()
        s("read-frame", frame_read=data, **({"expect": expect} if expect else {}))
        return data

    def no(*frames):
        for frame in frames:
            read(frame, "malformed")

    account = s("identity", of="bob")["public"]
    bare = Frame(1, 2, os.urandom(16), last=0, base=1, horizon=0)
    last = NOW * 1_024
    usual = replace(bare, last=last, base=last, horizon=last - 5, highest=last - 2, shown=tags(2), kind=MESSAGE,
                    name=name(last), body=b"halo")
    every = everything(account)
    for frame in (bare, usual, every):
        read(frame)
    each_field_alone(read, bare, account)
    for kind in (MESSAGE, DECISION, RECEIPT, 5, 16, 17, 255):
        read(replace(bare, kind=kind, name=name(7), body=b"isi"))
    read(replace(bare, kind=WITHDRAWN, name=name(7), body=b""))
    read(replace(bare, kind=MESSAGE, name=name(0), body=b"")), read(replace(bare, ephemeral=b""))
    at_the_bounds(read, bare)

    for version in (3, 4, 255):
        read(bytes([version]), "unsupported-version"), read(bytes([version]) + every.encode()[1:], "unsupported-version")
    no(b"", b"\0", b"\1" + every.encode()[1:], b"\0" + every.encode()[1:])
    flags(no, bare, usual)
    numbers(no, bare)
    lists(no, bare)
    contents(no, bare, usual)
    accounts(no, bare, account)
    for frame, step in ((bare.encode(), 1), (every.encode()[:-len(every.body)], 5)):
        no(*(frame[:at] for at in range(len(frame) - 1, 0, -step)))
    no(bare.encode() + b"\0")
    return s


def tags(count):
    return sorted(os.urandom(8) for _ in range(count))


def name(number):
    return pack(">Q", number) + os.urandom(8)


def digests(count):
    return sorted(os.urandom(16) for _ in range(count))


def names(count):
    return sorted(name(number * 3) for number in range(count))


def everything(account):
    return Frame(127, 128, os.urandom(16), last=300, base=173, horizon=16_000, highest=32_382, for_own=1,
                 conversation=os.urandom(16), account=account, offered=os.urandom(32), checkpoint=os.urandom(16),
                 shown=tags(3), closed=tags(2), ask=os.urandom(4), answer=bytes(3) + b"\1", first_words=digests(2),
                 replaced_by=os.urandom(8), lost=names(2), kind=MESSAGE, name=name(300), body=b"halo")


def each_field_alone(read, bare, account):
    opening = {"conversation": os.urandom(16), "offered": os.urandom(32)}
    for fields in (dict(for_own=1), opening, opening | dict(for_own=1, account=account), dict(checkpoint=os.urandom(16)),
                   dict(ask=os.urandom(4)), dict(answer=os.urandom(4)), dict(first_words=digests(1)),
                   dict(replaced_by=os.urandom(8)), dict(lost=names(1)), dict(shown=tags(1)), dict(closed=tags(1)),
                   dict(ephemeral=b"mengetik"), dict(highest=0)):
        read(replace(bare, **fields))


def at_the_bounds(read, bare):
    read(replace(bare, own_list=SEQUENCES - 1, other_list=SEQUENCES - 1))
    read(replace(bare, own_list=0, other_list=0))
    read(replace(bare, last=NUMBERS - 2, base=NUMBERS - 1)), read(replace(bare, last=NUMBERS - 1, base=0))
    read(replace(bare, horizon=NUMBERS - 1, highest=NUMBERS - 1)), read(replace(bare, highest=NUMBERS - 1))
    read(replace(bare, horizon=NUMBERS - 1))
    for places in range(1, 9):
        for value in (2**(7 * places) - 1, 2**(7 * places)):
            read(replace(bare, last=value - 1, base=0, highest=value - 1, own_list=min(value, SEQUENCES - 1)))
    for count in (127, 128):
        read(replace(bare, shown=tags(count), closed=tags(count)))
    read(replace(bare, shown=tags(SHOWN), closed=tags(CLOSED), first_words=digests(DIGESTS), lost=names(NAMES)))
    read(replace(bare, lost=[pack(">Q", NUMBERS - 1) + bytes([last]) * 8 for last in range(3)]))


def flags(no, bare, usual):
    for frame in (bare, usual):
        data = frame.encode()
        for flag in [1 << bit for bit in range(10, 16)] + [NAMED | EPHEMERAL]:
            no(data[:1] + pack(">H", frame.flags() | flag) + data[3:])
        for flag in (OPENING, CHECKPOINT, ASK, ANSWER, FIRST_WORDS, REPLACED_BY, LOST):
            no(bare.encode()[:1] + pack(">H", flag) + bare.encode()[3:])


def numbers(no, bare):
    """Values that are too large, and numbers that are not in their shortest form. The fields are those of `bare`."""
    data = bare.encode()
    head, digest, mark = data[:3], bare.lists_digest, pack(">QBQB", 0, 0, 0, 0)
    for large in (SEQUENCES, NUMBERS - 1, 2**63 - 1, 2**64 - 1):
        no(replace(bare, own_list=large), replace(bare, other_list=large))
    for long in (b"\x80\0", b"\x81\0", b"\x81\x80\0", b"\xff\xff\xff\xff\xff\x7f", b"\x80" * 9 + b"\1", b"\xff" * 20):
        no(head + long + b"\2" + digest + mark + b"\0\0", head + b"\1" + long + digest + mark + b"\0\0")
    for long in (b"\x80\0", b"\x81\0", b"\x80" * 8 + b"\0", b"\x80" * 9 + b"\0", b"\x80" * 9 + b"\1"):
        start = head + b"\1\2" + digest
        no(start + pack(">Q", 500) + long + pack(">QB", 0, 0) + b"\0\0")
        no(start + pack(">QBQ", 0, 0, 0) + long + b"\0\0")
        no(start + mark + long + b"\0", start + mark + b"\0" + long)
    no(replace(bare, last=NUMBERS, base=1), replace(bare, last=2**64 - 1, base=2**64 - 1))
    no(replace(bare, last=NUMBERS - 1, base=NUMBERS), replace(bare, last=5, base=-1))
    no(replace(bare, horizon=NUMBERS), replace(bare, horizon=2**63), replace(bare, highest=NUMBERS))
    no(replace(bare, horizon=NUMBERS - 1, highest=NUMBERS), replace(bare, horizon=1, highest=2**63 - 2))


def lists(no, bare):
    two, lost = tags(2), names(2)
    for field in ("shown", "closed"):
        no(replace(bare, **{field: two[::-1]}), replace(bare, **{field: [two[0], two[0]]}))
    no(replace(bare, shown=two, closed=two[1:]), replace(bare, shown=two, closed=two[:1]))
    no(replace(bare, shown=tags(SHOWN + 1)), replace(bare, closed=tags(CLOSED + 1)))
    no(replace(bare, shown=tags(SHOWN + 1), closed=tags(CLOSED)), replace(bare, closed=tags(256)))
    no(replace(bare, lost=lost[::-1]), replace(bare, lost=[lost[0], lost[0]]), replace(bare, lost=names(NAMES + 1)))
    no(replace(bare, lost=[name(NUMBERS)]), replace(bare, lost=[name(1), name(2**63)]))
    data = bare.encode()
    no(data[:1] + pack(">H", LOST) + data[3:] + b"\0", data[:1] + pack(">H", LOST) + data[3:] + b"\x81\0" + name(1))
    words = digests(2)
    no(replace(bare, first_words=words[::-1]), replace(bare, first_words=[words[0], words[0]]))
    no(replace(bare, first_words=digests(DIGESTS + 1)), data[:1] + pack(">H", FIRST_WORDS) + data[3:] + b"\0")
    same = name(4)
    no(replace(bare, lost=[same[:15] + b"\2", same[:15] + b"\1"]))


def contents(no, bare, usual):
    no(replace(usual, kind=0), replace(usual, name=name(NUMBERS)), replace(usual, name=name(2**64 - 1)))
    no(replace(usual, kind=WITHDRAWN), replace(bare, body=b"halo"))


def accounts(no, bare, account):
    """The account's key in an opening for an own device, and only there."""
    opening = {"conversation": os.urandom(16), "offered": os.urandom(32)}
    own = replace(bare, for_own=1, **opening)
    no(own, replace(own, account=bytes(64)), replace(own, account=b"\xff" * 64))
    no(replace(own, account=account[:32] + bytes(32)), replace(own, account=(1).to_bytes(32, "little") + account[32:]))
    no(replace(own, account=account[:63] + bytes([account[63] | 0x80])))
    no(replace(own, account=account, for_own=0))
