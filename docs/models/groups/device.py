"""What a device does with what arrives, and to whom it gives keys (P-13.3 to P-13.7, P-13.13, P-13.15)."""

from .counting import state
from .rules import RULES, Act, Entry, Floor, fate, permitted


class Device:
    ASIDE = 6  # small, so that much is lost and has to be given again
    STAYS, JOINS = 2048, 4096  # scenarios have less

    def __init__(self, first):
        self.head, self.known, self.floors, self.lists = first, {first.id}, set(), set()
        self.held, self.remembered, self.aside, self.frozen = {}, {}, [], False
        self.changed()

    def changed(self, memo=None):
        self.memo, self.refused = memo, set()  # the state, and what it refuses: both only to save time

    def state(self):
        if self.memo is None:
            self.memo = state(self.head, self.held.values())
        return self.memo

    def ready(self):  # it has the floor that its log names
        return not self.head.rights.settle or self.head.rights.floor in self.floors

    def offer(self, item):
        """Gives the device an entry, an act, a floor, or ("list", account)."""
        changed = self.once(item)
        while changed:
            changed, again, self.aside = False, self.aside, []
            for other in again:
                changed |= self.once(other)

    def put_aside(self, item):
        self.aside = [x for x in self.aside if x is not item][-self.ASIDE + 1 :] + [item]
        return False

    def once(self, item):
        if isinstance(item, Entry):
            return self.entry(item)
        if isinstance(item, Act):
            return self.act(item)
        known, key = (self.floors, item) if isinstance(item, Floor) else (self.lists, item[1])
        changed = key not in known
        known.add(key)
        self.changed()
        return changed

    def entry(self, e):
        if e.id in self.known or not e.valid:
            return False
        if not e.prev or e.prev.id not in self.known:
            return self.put_aside(e)
        if e.prev is not self.head:
            if RULES.freezes:  # two entries of one epoch that both verify
                self.known.add(e.id)
                self.frozen = True
            return False
        if self.frozen:
            return False
        self.known.add(e.id)
        self.head = e
        self.changed()
        if RULES.floor_drops:
            for a in [a for a in self.held.values() if a.epoch < e.rights.settle]:
                del self.held[a.id]
                if a.kind in ("remove", "leave", "close", "retire") and RULES.floor_suspends:
                    self.remembered[a.id] = a
        return True

    def act(self, a):
        if a.id in self.held or a.id in self.refused or self.frozen:
            return False
        if a.entry.id not in self.known or (a.device[1] != "0" and a.stay[0] not in self.lists):
            return self.put_aside(a)
        settle = self.head.rights.settle if RULES.floor_drops else 0
        if not a.permitted or a.epoch < settle:
            return False
        if not self.ready():
            return self.put_aside(a)
        if (
            not RULES.least
            and a.kind in ("accept", "leave")
            and sum(b.stay == a.stay and b.kind == a.kind for b in self.held.values()) > 1
        ):
            return False
        self.refused.add(a.id)
        if fate(a, self.head)[0] and RULES.takes_counting:  # it cannot count
            return False
        after = state(self.head, [*self.held.values(), a])
        stays = [len(s.live | s.pending) for s in (self.state(), after)]
        if a.kind in ("add", "join") and stays[1] > max(self.STAYS, stays[0]):
            return False  # no room (13.6)
        if a.kind == "join":
            idle = {b.id for b in self.held.values() if b.kind == "join"} - after.counted - after.repeats
            if sum(b.kind == "join" for b in self.held.values()) - len(idle) >= self.JOINS:
                return False
        if a.id in after.counted | after.repeats or (not RULES.takes_counting and permitted(a, self.head.rights)):
            self.held[a.id] = a
            self.changed(after)
            return True
        opened = {b.id for b in self.held.values() if b.kind == "open"} | set(after.policies)
        lacks = a.stay not in after.added and (
            a.kind in ("accept", "leave") or (a.kind == "join" and a.subject not in opened)
        )
        return self.put_aside(a) if lacks else False

    def copy(self):
        other = Device(self.head)
        other.known, other.floors, other.lists = set(self.known), set(self.floors), set(self.lists)
        other.aside = list(self.aside)
        other.held, other.remembered, other.frozen = dict(self.held), dict(self.remembered), self.frozen
        return other

    def receivers(self):
        """P-13.13: the stays whose devices get keys, and the accounts whose admitted endpoints do."""
        if self.frozen or not self.ready():
            return frozenset(), frozenset()
        s = self.state()
        said = [a for a in (*self.held.values(), *self.remembered.values()) if not fate(a, self.head)[2]]
        gone = {a.subject for a in said if a.kind in ("remove", "leave")} if RULES.careful else set()
        shut = {}  # link -> the joins that some closing of it keeps
        for a in said:
            if a.kind == "close":
                shut.setdefault(a.subject, set()).update(a.kept)
        out = set()
        for stay in s.live - gone:
            if RULES.careful and stay in s.only_joined:
                back = any(a.kind == "remove" and a.subject[0] == stay[0] and a.subject != stay for a in said)
                adding = [j for j in s.joins[stay] if s.policies.get(j.subject) == 1]
                ways = [j for j in adding if j.subject not in shut or j.id in shut[j.subject]]
                if (back and RULES.careful_account) or (not ways and RULES.careful_links):
                    continue
            out.add(stay)
        out.add(self.head.rights.owner)
        retired = s.retired | ({a.subject for a in said if a.kind == "retire"} if RULES.careful else set())
        return frozenset(out), frozenset(self.head.rights.admitted - retired)


class Relay:
    """Stores an entry only over the one that it names as the one before."""

    def __init__(self, first):
        self.newest = first

    def store(self, e):
        if e.prev is not self.newest and RULES.swaps:
            return False
        self.newest = e
        return True


def floor_of(s):
    """The floor that the owner's device makes of what counts (13.6)."""
    return Floor({**{x: True for x in s.live}, **{x: False for x in s.pending}}, s.links, s.retired, s.removed)


def make_again(head, act, when=0):
    """P-13.15: what the device of an act's author makes if the newest floor lacks the act, or None."""
    g, f = head.rights, head.rights.floor
    if not RULES.again or not f or act.epoch >= g.settle or (fate(act, head) or (0, 0, 1))[2]:
        return None
    missing = {
        "leave": act.stay in f.stays,
        "remove": act.subject in f.stays,
        "close": act.subject in f.links,
        "retire": act.subject not in f.retired,
        "accept": f.stays.get(act.stay) is False,
    }
    new = Act(head, act.stay, act.kind, act.subject, device=act.device[1], when=when)
    return new if missing.get(act.kind) and new.permitted else None
