"""Reads the golden session with blocks by sections 6.5 and 6.7 of docs/formats.md: blocks.py DIRECTORY."""

import sys
from pathlib import Path
from struct import unpack_from

from bisik import open_record
from primitives import Refused, fits, pack, require, sha256, stream, tag
from ratchet import L_MESSAGE, parts

KEY, SESSION, SKIPPED_KEYS, GROUP = bytes([0x42] * 32), 3, 14, 24


def open_block(key, prefix, name, block):                                                                 # P-6.5
    content = open_record(key, SKIPPED_KEYS, prefix, block)
    require(block[1:9] == name, "rejected")
    return content


def keys_of(content):
    """(step, number): (key, kept at), in order."""
    count, runs = unpack_from(">I", content)[0], []
    for at in range(count):
        runs.append(unpack_from(">IIII", content, 4 + 16 * at))
    numbers = [(step, first + i, kept) for step, first, kept, n in runs for i in range(n)]
    keys = content[4 + 16 * count:]
    require(all(n for *_, n in runs) and 1 <= len(numbers) <= GROUP and len(keys) == 32 * len(numbers), "rejected")
    require(numbers == sorted(set(numbers)) and [k for *_, k in numbers] == sorted(k for *_, k in numbers), "rejected")
    return {(step, n): keys[32 * i:32 * i + 32] for i, (step, n, _) in enumerate(numbers)}


def read(mk, binding, message):
    r, encrypted, _, body, body_tag = parts(message)
    require(fits(body_tag, tag(mk, sha256(L_MESSAGE, binding, r, encrypted, body))), "rejected")
    return stream(mk, r + pack(">Q", 1), body)


def main(directory):
    def golden(name):
        return bytes.fromhex(Path(directory, f"session-blocks{name}.hex").read_text())

    head = open_record(KEY, SESSION, b"session-blocks", golden(""))
    prefix, opening = head[8:16], 8 + 16 + 64 + 32 + 8
    assert head[opening] == 2, "an accepted session"
    binding, names = head[opening + 33:opening + 65], [head[-16:-8], head[-8:]]
    blocks = [golden("-1"), golden("-2")]
    kept = {}
    for name, block in zip(names, blocks):
        keys = keys_of(open_block(KEY, prefix, name, block))
        assert len(keys) == GROUP and (not kept or max(kept) < min(keys))
        kept |= keys
    assert read(kept[2, 5], binding, golden("-late-1")[1:]) == b"session-blocks-late-1"
    assert read(kept[2, 47], binding, golden("-late-2")[1:]) == b"session-blocks-late-2"
    # The last two of the 50 keys are in the head: a run of chain 2, kept with the second message received.
    assert max(kept) == (2, 47) and head.count(pack(">III", 48, 2, 2)) == 1
    for other in (names[1], bytes(8)):
        try:
            open_block(KEY, prefix, other, blocks[0])
        except Refused:
            continue
        raise AssertionError("a block opened under another name")
    print(f"{directory}: a session with {len(kept)} keys in {len(blocks)} blocks agrees")


main(*sys.argv[1:])
