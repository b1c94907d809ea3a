"""Executable model of group membership: docs/spec/groups.md, sections 13.1 to 13.6 (P-13.1 to P-13.15).

    python3 docs/models/membership.py                   scenarios, some hundred histories, all twins; under 20 seconds
    python3 docs/models/membership.py explore N SEED    N random histories, the first with this seed
    python3 docs/models/membership.py exhaustive        every log and set of acts of a small scope; some minutes
    python3 docs/models/membership.py twins N           what each broken twin fails, in scenarios and in N histories

Python 3.9 or later, standard library only. Expected: the last line begins with "all hold", and the exit status is 0. A
failure prints the property and the whole history, which its seed repeats. docs/models/README.md has the properties.

What is modelled. A log of entries that the owner's primary device writes, with forks; acts, which are signed statements
of any device; `state(head, acts)`, a pure function; devices that receive entries, acts, floors and device lists in any
order, lose what they keep aside, and give keys. Signatures and hashes are perfect: nobody makes an act or an entry of
another, and an act can list only acts that exist. Ids are drawn at random, so "the least id" prefers nobody. Everybody
has the key of every link, and signs whatever he is able to: acts that name old entries, with any list of kept acts.

Accounts are letters; a stay is a letter and a number, "B1", and so says whose it is. Device 0 is the primary, 1 a
companion."""

import sys
import time

sys.dont_write_bytecode = True  # before the model is imported: nothing is left in the tree

from groups.exhaustive import arrivals, exhaustive
from groups.properties import check_history
from groups.scenarios import SCENARIOS, scenarios
from groups.twins import TWINS, twins


def explore(count, seed):
    start, entries, acts = time.time(), 0, 0
    for n in range(seed, seed + count):
        w = check_history(n)
        entries, acts = entries + len(w.entries), acts + len(w.acts)
    print(
        f"{count} histories from seed {seed}, {entries} entries, {acts} acts: all properties hold",
        f"({time.time() - start:.0f} s)",
        flush=True,
    )


def main(words):
    start, held = time.time(), []
    try:
        if not words:
            failed = scenarios()
            for name, why in failed:
                print("FAILED", name, *why)
            if failed:
                return 1
            print(f"{len(SCENARIOS)} scenarios hold", flush=True)
            explore(400, 1)
            held = twins(40)
        elif words[0] == "explore":
            explore(int(words[1]), int(words[2]))
        elif words[0] == "exhaustive":
            arrivals()
            exhaustive()
        elif words[0] == "twins":
            held = twins(int(words[1]) if words[1:] else 400)
    except AssertionError as x:
        print("FAILED", *x.args)
        print(x.world.show() if hasattr(x, "world") else "")
        return 1
    if held:
        print("FAILED: these twins hold:", *held, sep="\n  ")
        return 1
    print(f"all hold{'' if words else f', and {len(TWINS)} of {len(TWINS)} twins fail'} ({time.time() - start:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
