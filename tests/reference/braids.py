"""The scripts of tests/vectors/braid.txt and epochs.txt: the braid alone, and in a ratchet."""

import copy

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


def sides(number):
    return ("initiator", "responder") if number % 2 == 0 else ("responder", "initiator")


def states(world):
    return [braid.state for braid in world.braids.values()]


def ahead(s, number, lost, stop):
    """How many turns there are before one of which `stop` says so, found on a copy."""
    world, turns = copy.deepcopy(s.world), 0
    while True:
        of, at = sides(number + turns)
        before = states(world)
        part = world.braid_send({"of": of, "steps": 1, "waits": 0}, os.urandom)["part"]
        if not lost(number + turns):
            world.braid_receive({"of": at, "part_read": part}, None)
        if stop(number + turns, part, states(world) != before, min(b.epoch for b in world.braids.values())):
            return turns
        turns += 1


def exchange(s, number, lost, turns):
    of, at = sides(number)
    s("braid-exchange", of=of, peer=at, turns=turns, lost=bytes(lost(number + turn) for turn in range(turns)))


def epochs(s, lost):
    """Two of them. Of the first, each turn after which a state is another one, with both states; what is between those, and
    the second, by its digests."""
    number, braids = 0, s.world.braids
    while min(b.epoch for b in braids.values()) < 3:
        first = min(b.epoch for b in braids.values()) == 1
        turns = ahead(s, number, lost, lambda number, part, changed, epoch: number == 0 or epoch > 2 or first and changed)
        if turns:
            exchange(s, number, lost, turns)
            number += turns
        turn(s, *sides(number), steps=int(number > 0), lost=lost(number))
        for name in braids:
            s("braid-state", of=name, state=None)
        number += 1


def parts_that_are_wrong(s):
    """A header, a vector and a ciphertext with one bit changed: the decoder starts again. A lower epoch is ignored."""
    s("start-braids", secret=os.urandom(32))
    kinds = {HDR: "header", EK: "vector", EK_CT1_ACK: "vector", CT2: "ciphertext"}
    braids, changed, number, never = s.world.braids, set(), 0, lambda number: False

    def change(part):
        what = kinds.get(part[0])
        if what and what not in changed:
            changed.add(what)
            return flip(part, len(part) - 1)
        return part

    while braids["initiator"].epoch == 1:
        pending = set(kinds.values()) - changed
        turns = ahead(s, number, never, lambda number, part, state, epoch: number in (0, 7) or state
                      or kinds.get(part[0]) in pending)
        if turns:
            exchange(s, number, never, turns)
            number += turns
        turn(s, *sides(number), steps=int(number > 0), change=change, waits=int(number == 7))
        number += 1
    turn(s, "responder", "initiator", change=lambda part: part[:1] + pack(">I", 1) + part[5:])
    for name in braids:
        s("braid-state", of=name, state=None)
