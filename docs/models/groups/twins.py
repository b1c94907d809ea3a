"""Twins: the rules with one of them left out. Each has to fail a scenario or a history."""

from .properties import check_history
from .rules import RULES
from .scenarios import scenarios

TWINS = {
    "counted by the named state alone": dict(counted_by="named"),
    "counted by the newest state alone": dict(counted_by="newest"),
    "admins remove admins": dict(peers=True),
    "stays by account instead of by name": dict(by_stay=False),
    "no keep lists: an ended stay's acts all count": dict(ended_acts=False),
    "kept by any of several leaves": dict(leaves="any"),
    "a leave takes back what a removal keeps": dict(leaves="before removal"),
    "joins not bound to the closing of their link": dict(closing_binds=False),
    "removed accounts come back by a link": dict(removed_join=True),
    "a kept join needs its link": dict(confirmed_join=False),
    "roles add nobody": dict(roles_add=False),
    "barred devices count": dict(bars=False),
    "handing over lifts nothing": dict(hand_over_lifts=False),
    "retire is never void": dict(retire_stays=True),
    "accept and leave count without an add": dict(accept_needs_add=False),
    "a bound on accepts and leaves by order of arrival": dict(least=False),
    "every join counts": dict(joins_once=False),
    "whatever the newest rights permit is taken": dict(takes_counting=False),
    "keys to all live stays": dict(careful=False),
    "keys by a link to who was removed": dict(careful_account=False),
    "keys by a link that was closed": dict(careful_links=False),
    "stays that the floor lacks keep their rights": dict(floor_ends=False),
    "suspensions end with the floor": dict(floor_suspends=False),
    "acts below the floor count": dict(floor_drops=False),
    "nothing is made again after a floor": dict(again=False),
    "the first of two entries is followed": dict(freezes=False),
    "the relay stores any entry": dict(swaps=False),
    "a former owner writes the log": dict(hand_over_signed=False),
}


def twins(count):
    """Runs every twin; the names of those that hold, which must be none."""
    held = []
    for name, change in TWINS.items():
        for key, value in change.items():
            setattr(RULES, key, value)
        failed, found = scenarios(), None
        for n in range(1, count + 1):
            try:
                check_history(n)
            except AssertionError as x:
                found = f"history {n}: {x.args[0]}"
                break
        for key in change:
            delattr(RULES, key)
        print(
            f"  {name}: {', '.join(f for f, _ in failed) or 'no scenario'}; {found or f'none of {count} histories'}",
            flush=True,
        )
        if not failed and not found:
            held.append(name)
    return held
