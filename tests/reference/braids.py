"""The scripts of tests/vectors/braid.txt and epochs.txt: the braid alone, and in a ratchet."""

from braid import *
from script import *


def braid():
    """The braid alone: two epochs, with and without loss, and parts that are wrong."""
    s = Script()
    for lost in (lambda number: False, lambda number: number % 3 == 1, lambda number: number % 4 == 1):
        s("start-braids", secret=os.urandom(32))
        epochs(s, lost)
    parts_that_are_wrong(s)
    return s


def epochs_():
    """A ratchet through four epochs, whose secrets are mixed into its root; the states of both sides."""
    s = Script()
    s.start_ratchets()
    key = os.urandom(32)
    for of, at, turns in (("initiator", "responder", 101), ("responder", "initiator", 100), ("responder", "initiator", 167)):
        s("exchange", of=of, peer=at, turns=turns)
        for name in (of, at):
            s("seal-ratchet", of=name, key=key, context=b"", state=None)
    assert s.world.ratchets["initiator"].mixed >= 3
    return s


def turn(s, of, at, steps=1, waits=0, lost=False, change=None, **wanted):
    step = s("braid-send", of=of, steps=steps, waits=waits, **wanted)
    part = change(step["part"]) if change else step["part"]
    if not lost:
        step = s("braid-receive", of=at, part_read=part, **wanted)
    return step


def epochs(s, lost):
    """Two of them. The state is there when it is another one than before, and after every tenth turn."""
    number, braids = 0, s.world.braids
    while min(b.epoch for b in braids.values()) < 3:
        of, at = ("initiator", "responder") if number % 2 == 0 else ("responder", "initiator")
        before = braids[of].state, braids[at].state
        turn(s, of, at, steps=int(number > 0), waits=0, lost=lost(number))
        if (braids[of].state, braids[at].state) != before or number % 20 == 0:
            for name in (of, at):
                s("braid-state", of=name, state=None)
        number += 1


def parts_that_are_wrong(s):
    """A header, a vector and a ciphertext with one bit changed: the decoder starts again. A lower epoch is ignored."""
    s("start-braids", secret=os.urandom(32))
    braids, changed, number = s.world.braids, set(), 0
    while braids["initiator"].epoch == 1:
        of, at = ("initiator", "responder") if number % 2 == 0 else ("responder", "initiator")
        kinds = {HDR: "header", EK: "vector", EK_CT1_ACK: "vector", CT2: "ciphertext"}

        def change(part):
            what = kinds.get(part[0])
            if what and what not in changed:
                changed.add(what)
                return flip(part, len(part) - 1)
            return part
        step = turn(s, of, at, change=change, waits=int(number == 7))
        number += 1
    turn(s, "responder", "initiator", change=lambda part: part[:1] + pack(">I", 1) + part[5:])
    for name in braids:
        s("braid-state", of=name, state=None)
