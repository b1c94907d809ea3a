"""Every log and every set of acts of a small scope."""

import sys
import time
from itertools import combinations

from .counting import literally, state
from .device import Device
from .properties import check_keys, hold
from .rules import ADMIN, IDS, MEMBER, Act, Entry, Floor, fate


class Small:
    """Three accounts: A founded, B is an admin, C a member; B opened a link. At most three further entries, and at most
    four further acts of A, of B and a companion, of C and of a second stay of C. Of acts that differ only in the named
    entry, one of each fate in the log is enough, because nothing else of the named entry has an effect. Logs with equal
    rights and equal acts are looked at once."""

    def __init__(self):
        IDS.seed(3)
        first = Entry(None, "A", [("found", "A1")])
        self.base = Entry(first, "A", [("role", "B1", ADMIN)])
        e = self.base
        self.open = Act(e, "B1", "open")
        self.start = [Act(e, "A1", "add", "C1"), Act(e, "B1", "accept"), Act(e, "C1", "accept"), self.open]
        self.join = Act(e, "C2", "join", self.open.id)
        self.of_b = [Act(e, "B1", "add", "C2"), Act(e, "B1", "remove", "C1")]
        self.link = self.open.id

    def acts(self, e):
        """What may name the entry e."""
        first = e is self.base
        mine, close, b = self.of_b, Act(e, "B1", "close", self.link), [a.id for a in self.of_b]
        yield from (mine if first else [Act(e, "B1", "add", "C2"), Act(e, "B1", "remove", "C1")])
        yield from (
            close,
            Act(e, "B1", "remove", "C1", device="1"),
            Act(e, "B1", "leave"),
            Act(e, "B1", "leave", None, b),
            Act(e, "B1", "remove", "A1"),
        )
        yield from (
            Act(e, "A1", "remove", "B1"),
            Act(e, "A1", "remove", "B1", b),
            Act(e, "A1", "remove", "C1"),
            Act(e, "A1", "close", self.link, [self.join.id]),
        )
        yield from (
            Act(e, "C1", "leave"),
            Act(e, "C1", "remove", "B1"),
            Act(e, "C1", "add", "C2"),
            Act(e, "C2", "accept"),
            Act(e, "C2", "accept", device="1"),
        )
        yield from (self.join if first else Act(e, "C2", "join", self.link), Act(e, "C2", "leave"))

    def changes(self):
        floor = lambda *stays: (
            "settle",
            Floor({x: True for x in stays}, {self.link: 1}, (), [x for x in "ABC" if x + "1" not in stays]),
        )
        own = ("keep", frozenset(a.id for a in self.of_b))
        return [
            [("role", "B1", MEMBER)],
            [("role", "B1", MEMBER), own],
            [("role", "B1", ADMIN)],
            [("role", "C1", ADMIN)],
            [("role", "C2", MEMBER)],
            [("bar", "B1")],
            [own],
            [("keep", frozenset({self.join.id}))],
            [("lift", frozenset({self.of_b[1].id}))],
            [("over", "B1")],
            [("over", "C1")],
            [floor("A1", "B1", "C1")],
            [floor("A1", "C1")],
            [floor("A1", "B1")],
        ]

    def logs(self):
        todo = [self.base]
        for depth in range(3):
            todo = [n for e in todo for c in self.changes() if (n := Entry(e, e.rights.owner[0], c)).valid]
            yield from todo


def universe(small, head):
    """The acts that may matter in this log, one of each fate."""
    out, seen = [], set()
    for e in head.log()[1:]:
        for a in small.acts(e):
            void, confirmed, lifted = fate(a, head)
            below = a.epoch < head.rights.settle
            if not a.permitted or (void or below) and (lifted or a.kind not in ("remove", "leave", "close")):
                continue
            listed = a.id if a is small.join or a in small.of_b else 0
            key = (
                (a.kind, a.subject, a.kept, void or below)
                if void or below
                else (a.stay, a.device, a.kind, a.subject, a.kept, confirmed, lifted, listed)
            )
            if key not in seen:
                seen.add(key)
                out.append((key, a))
    return out


def exhaustive():
    small, looked, sets, logs, start = Small(), set(), 0, 0, time.time()
    for head in small.logs():
        g = head.rights
        acts = universe(small, head)
        logs += 1
        base = tuple(fate(a, head) + (a.epoch < g.settle,) for a in small.start)
        key = (
            g.owner,
            tuple(sorted(g.roles.items())),
            g.barred,
            g.named,
            g.owners,
            g.old,
            tuple(sorted(g.floor.stays)) if g.floor else None,
            frozenset(k for k, _ in acts),
            base,
        )
        if key in looked:
            continue
        looked.add(key)
        memo = {}
        for size in range(5):
            for some in combinations([a for _, a in acts], size):
                try:
                    check_small(small, head, some, memo)
                except AssertionError as x:
                    print(
                        [c for e in head.log()[1:] for c in e.changes],
                        [(a.id, a.stay, a.device, a.kind, a.subject, a.epoch, sorted(a.kept)) for a in some],
                    )
                    raise
                sets += 1
    print(
        f"{logs} logs, {len(looked)} different; {sets} sets of acts: all properties hold ({time.time() - start:.0f} s)"
    )
    sys.stdout.flush()


def check_small(small, head, some, memo):
    d = Device(head)
    d.floors.add(head.rights.floor)
    settle = head.rights.settle
    every = [*small.start, *some]
    d.held = {a.id: a for a in every if a.epoch >= settle}
    d.remembered = {a.id: a for a in every if a.epoch < settle and a.kind in ("remove", "leave", "close")}
    s, stays = d.state(), d.receivers()[0]
    memo[frozenset(a.id for a in some)] = s, stays
    for begin in (s.counted, set(), set(d.held))[: 1 if len(some) > 3 else 3]:  # 10
        for _ in range(12):
            now = literally(head, d.held.values(), begin)
            if now == begin:
                break
            begin = now
        hold(begin == s.counted, "10: one solution from any start")
    check_keys(None, d, {a.id: a for a in some})  # 3, 6, 7, 9
    for x in head.rights.old:
        hold(
            x in head.rights.floor.stays
            or x == head.rights.owner
            or x not in s.live
            or ("over", x) in [c for e in head.log() for c in e.changes],
            "11: who was out at the floor stays out",
        )
    for a in some:
        s0, stays0 = memo[frozenset(b.id for b in some if b is not a)]
        if a.id not in s.counted:
            hold(s0.same() == s.same(), "1: what does not count has no influence", a.kind)
            continue
        inside = {x[0] for x in s0.live | s0.pending}
        kept = fate(a, head)[1] or any(a.id in b.kept for b in some if b.id in s.counted)
        if kept or a.stay[0] in inside and not (a.device in head.rights.barred and not fate(a, head)[1]):
            continue
        of = lambda some: {x for x in some if x[0] in inside}  # 2, 8: an act of somebody who is out
        new = s.live - s0.live
        if a.kind != "leave":
            hold(
                of(s.live) == of(s0.live) and s.links == s0.links and of(stays) == of(stays0),
                "2: who is out changes nothing",
                a.kind,
            )
            hold(
                all(x in s.only_joined and a.subject in s0.links and x[0] not in s0.removed for x in new),
                "2: who is out adds nobody",
            )
        else:
            rest = state(head, [b for b in d.held.values() if b.id in s.counted or b.stay != a.stay])
            hold(of(rest.live) == of(s.live), "2: a leaver takes back his own acts and no more")
            hold(stays <= stays0, "2: no keys by what a leaver takes back")


def one_of_each(small, head):
    """The permitted acts of this log, one of each fate after each entry. An act that names a later entry is left out if
    one that names an earlier entry has the same fates from there on: it is as if that one arrived later."""
    out = []
    for e in head.log()[1:]:
        for a in small.acts(e):
            after = [x for x in head.log() if x.epoch >= a.epoch]
            listed = a.id if a is small.join or a in small.of_b else 0
            key = (a.stay, a.device, a.kind, a.subject, a.kept, listed), [
                (fate(a, x), a.epoch < x.rights.settle) for x in after
            ]
            if a.permitted and not any(key[0] == other and key[1] == fates[-len(after) :] for (other, fates), _ in out):
                out.append((key, a))
    return [a for _, a in out]


def arrivals():
    """Every order in which a device hears of up to two further entries and two further acts, from any named entry."""
    small, start, logs, orders = Small(), time.time(), 0, 0
    for head in small.logs():
        entries = head.log()[2:]
        if len(entries) > 2:
            break
        logs += 1
        first = Device(head.log()[0])
        for item in (("list", "A"), ("list", "B"), ("list", "C"), small.base, *small.start):
            first.offer(item)
        for some in combinations(one_of_each(small, head), 2):
            whole = state(head, [*small.start, *some])
            todo = [(first, {}, entries, some)]
            while todo:
                d, took, still, acts = todo.pop()
                for item in (*still[:1], *acts):
                    c, now = d.copy(), dict(took)
                    c.offer(item)
                    if isinstance(item, Entry) and any(change[0] == "settle" for change in item.changes):
                        c.offer(item.rights.floor)
                    check_keys(None, c, now)
                    left = (
                        (still[1:], acts)
                        if isinstance(item, Entry)
                        else (still, tuple(a for a in acts if a is not item))
                    )
                    if left[0] or left[1]:
                        todo.append((c, now, *left))
                        continue
                    orders += 1
                    for a in (*some, *small.start, *some):  # what was refused, or lost, is given again
                        c.offer(a)
                    check_keys(None, c, now)
                    hold(c.state().same() == whole.same(), "1: equal log and acts, equal state, in any order")
    print(f"{logs} logs, {orders} orders of arrival: all properties hold ({time.time() - start:.0f} s)", flush=True)
