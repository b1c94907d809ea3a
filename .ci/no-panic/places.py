"""Prints the places in the source from which a linked program can panic, and fails on any that is not listed.

    places.py known.txt PROGRAM ...

Each panic passes a `core::panic::Location` to its handler: file, line and column. Functions that are marked
`#[track_caller]`, such as those of slices and options, pass on the place that called them. The linker discards what cannot
be reached, so the locations that are left in the program are the places that can panic.
"""

import fnmatch
import re
import struct
import sys


def main(known, *programs):
    listed = {}
    for line in open(known):
        place, _, reason = line.partition(":")
        if reason and not line.startswith("#"):
            file, *lines = place.split()
            listed.update({(file, line): False for line in lines})
    unknown = {}
    for program in programs:
        for path, line in locations(program):
            match = [key for key in listed if fnmatch.fnmatch(named(path), key[0]) and key[1] in ("*", str(line))]
            listed.update({key: True for key in match})
            if not match:
                unknown.setdefault(f"{named(path)}:{line}", []).append(program.rpartition("/")[2])
    for place, entries in sorted(unknown.items()):
        print(f"{place} can panic, from {', '.join(entries)}")
    for key in sorted(key for key, met in listed.items() if not met):
        print(f"{' '.join(key)} is listed and cannot panic any more")
    print(f"{len(programs)} entry points, {len(listed)} places listed, {len(unknown)} unknown")
    return 0 if programs and not unknown and all(listed.values()) else 1


def named(path):
    """A dependency by its name, without directory and version; code of this repository keeps its path."""
    crate = re.fullmatch(r".*/registry/src/[^/]+/(.+?)-\d[^/]*/(.*)", path)
    standard = re.fullmatch(r".*/library/((?:core|alloc)/src/.*)", path)
    return "/".join(crate.groups()) if crate else standard[1] if standard else path


def locations(program):
    """File and line of each `Location`: in a 32-bit program four words, of which the first two are the name of the file."""
    data = open(program, "rb").read()
    assert data[:5] == b"\x7fELF\x01", "a 32-bit program"
    (table,) = struct.unpack_from("<I", data, 32)
    size, count = struct.unpack_from("<HH", data, 46)
    headers = [struct.unpack_from("<10I", data, table + index * size) for index in range(count)]
    loaded = [(address, data[offset : offset + length]) for _, kind, flags, address, offset, length, *_ in headers
              if kind == 1 and flags & 2]
    found = set()
    for _, section in loaded:
        for at in range(0, len(section) - 15, 4):
            address, length, line, column = struct.unpack_from("<4I", section, at)
            if 3 < length < 400 and 0 < line < 100_000 and 0 < column < 1_000:
                name = next((text[address - start :][:length] for start, text in loaded
                             if start <= address < start + len(text)), b"")
                if len(name) == length and name.endswith(b".rs") and name.isascii():
                    found.add((name.decode(), line))
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
