"""The log and the acts (docs/spec/groups.md, 13.1 to 13.3), and what the log says of an act (P-13.8).

`RULES` has a switch for each rule that a twin leaves out."""

import random

OWNER, ADMIN, MEMBER, READER = 0, 1, 2, 3


class Rules:
    """What the specification says. Each twin changes one of these."""

    counted_by = "every entry"  # P-13.8; twins: "named" (only there), "newest" (only there)
    peers = False  # twin: admins remove admins
    by_stay = True  # P-13.12; twin: a removal ends all stays of the account, for good
    ended_acts = True  # P-13.9; twin: acts of an ended stay count, whatever is kept
    leaves = "one"  # P-13.9; twins: "any" leave may keep, "before removal" (undoes its keep)
    closing_binds = True  # P-13.11; twin: closing a link does not touch joins
    removed_join = False  # P-13.11; twin: who was removed comes back by a link
    roles_add = True  # P-13.12; twin: `role` does not add the stay that it names
    bars = True  # P-13.8; twin: a barred device's acts count
    hand_over_lifts = True  # P-13.8; twin: it does not
    retire_stays = False  # P-13.8; twin: retire is never void
    accept_needs_add = True  # P-13.10; twin: it counts without
    least = True  # P-13.10; twin: of a stay's accepts and leaves a device takes the first two
    joins_once = True  # P-13.11; twin: every stay and every link that a join names counts anew
    takes_counting = True  # P-13.7; twin: it takes whatever is permitted in the newest rights
    careful = True  # P-13.13; twin: keys go to live stays
    careful_account = True  # P-13.13; twin: ... but a join hides from a removal of the account
    careful_links = True  # P-13.13; twin: ... but not for joins by links whose closing is void
    floor_ends = True  # P-13.15; twin: stays that the floor lacks keep their rights
    floor_suspends = True  # P-13.15; twin: suspensions end with the floor
    floor_drops = True  # P-13.15; twin: acts below the floor count
    again = True  # P-13.15; twin: nobody makes again what the floor lacks
    freezes = True  # P-13.4; twin: the first of two entries is followed
    swaps = True  # 13.1; twin: the relay stores an entry over anything
    hand_over_signed = True  # P-13.1; twin: a former owner's entries are taken
    confirmed_join = True  # P-13.11; twin: a kept join needs its link all the same


RULES = Rules()
IDS = random.Random(1)  # ids of acts and entries; reseeded with each history


class Refused(Exception):
    pass


# ---- the log (13.1, 13.2) --------------------------------------------------------------------------------------------


class Floor:
    """What counts at a settle (13.6): stays that have not ended, and whether they are accepted; open links and their
    policy; endpoints that were retired; accounts of which a removal counted."""

    def __init__(self, stays, links, retired, removed):
        self.stays, self.links = dict(stays), dict(links)
        self.retired, self.removed = frozenset(retired), frozenset(removed)


class Rights:
    """What the log says after an entry. Three sets are not in the encoding, but follow from the log since the newest
    settle: `named`, the stays that `role`, `hand over` or founding named; `owners`, those of them that were the
    owner's; and `old`, the stays that the rights held at that settle."""

    def __init__(self, before=None):
        b = before
        self.owner = b.owner if b else None
        self.roles = dict(b.roles) if b else {}
        self.admitted = b.admitted if b else frozenset()
        self.barred = b.barred if b else frozenset()
        self.settle = b.settle if b else 0
        self.floor = b.floor if b else None
        self.named, self.owners, self.old = (b.named, b.owners, b.old) if b else (frozenset(),) * 3

    def role(self, stay):
        return self.roles.get(stay, MEMBER)

    def ended_by_floor(self, stay):
        return RULES.floor_ends and stay in self.old and stay not in self.floor.stays and stay != self.owner


class Entry:
    """One entry. `prev` stands for the hash of the one before, `author` is the account whose key signed it."""

    def __init__(self, prev, author, changes, when=0):
        self.id, self.prev, self.author, self.changes, self.when = (
            IDS.getrandbits(48),
            prev,
            author,
            tuple(changes),
            when,
        )
        self.epoch = prev.epoch + 1 if prev else 1
        self.valid, self.rights = True, None
        try:
            self.rights = self.apply()
        except Refused:
            self.valid = False

    def apply(self):  # P-13.1, P-13.2
        def need(condition):
            if not condition:
                raise Refused()

        r = Rights(self.prev.rights if self.prev else None)
        need(not self.prev or self.author == r.owner[0] or not RULES.hand_over_signed)
        kept, lifted, last = set(), set(), None
        for change in self.changes:
            kind, what = change[0], change[1]
            need(last != "over" and (last != "settle" or kind == "over"))
            last = kind
            if kind == "found":
                need(not self.prev)
                r.owner, r.roles, r.named, r.owners = what, {what: OWNER}, frozenset({what}), frozenset({what})
            elif kind == "role":
                need(what != r.owner and change[2] in (ADMIN, MEMBER, READER))
                r.roles[what] = change[2]
                r.named |= {what}
            elif kind == "admit":
                r.admitted |= {what}
            elif kind == "withdraw":
                r.admitted -= {what}
            elif kind == "bar":
                need(what[1] != "0")  # never a primary
                r.barred |= {what}
            elif kind == "keep":
                kept |= what
            elif kind == "lift":
                lifted |= what
            elif kind == "over":
                need(what[0] != r.owner[0])
                r.roles[r.owner], r.roles[what], r.owner = ADMIN, OWNER, what
                r.named, r.owners, r.old = r.named | {what}, r.owners | {what}, r.old - {what}
            elif kind == "settle":
                r.settle, r.floor = self.epoch, what
                r.named, r.owners, r.old = frozenset(), frozenset(), frozenset(r.roles)
        need(not kept & lifted)
        need(r.settle != self.epoch or r.floor.stays.get(r.owner))  # a device would refuse the floor
        return r

    def log(self):
        e, out = self, []
        while e:
            out.append(e)
            e = e.prev
        return out[::-1]


# ---- acts (13.3) -----------------------------------------------------------------------------------------------------

BY_RIGHT = ("add", "remove", "open", "close", "rekey")  # kinds that need a right; retire needs one for others


class Act:
    """One act. `entry` is the named one. `subject` is a stay (add, remove), a link (close, join) or an account whose
    endpoint is meant (retire). `when` is the true time, which no rule sees and some properties do."""

    def __init__(self, entry, stay, kind, subject=None, kept=(), device="0", policy=1, when=0):
        self.id = IDS.getrandbits(48)
        self.entry, self.stay, self.kind, self.kept, self.device = entry, stay, kind, frozenset(kept), stay[0] + device
        self.subject = stay if kind in ("accept", "leave") else subject
        self.policy, self.when, self.epoch, self.fates = policy, when, entry.epoch, {}
        self.permitted = permitted(self, entry.rights) and (kind != "retire" or subject in entry.rights.admitted)
        if kind == "leave" and self.kept and entry.rights.role(stay) > ADMIN:
            self.permitted = False  # who is no admin keeps nothing

    def needs_right(self):
        return self.kind in BY_RIGHT or (self.kind == "retire" and self.subject != self.stay[0])


def permitted(act, rights):
    """The table of 13.3 and P-13.5."""
    if act.device in rights.barred and RULES.bars:
        return False
    if act.kind in ("accept", "join"):
        return True
    if act.kind == "leave":
        return act.device[1] == "0" and act.stay != rights.owner
    if act.kind == "retire" and (act.subject == act.stay[0] or RULES.retire_stays):
        return True
    role = rights.role(act.stay)
    if act.kind == "remove" and role == ADMIN:
        return (
            act.subject != act.stay
            and act.subject != rights.owner
            and (rights.role(act.subject) >= MEMBER or RULES.peers)
        )
    if act.kind == "remove" and role == OWNER:
        return act.subject != rights.owner
    return role <= ADMIN


def fate(act, head):
    """P-13.8: (void, confirmed, lifted) of an act in the log that ends with `head`; None if the log lacks its entry."""
    todo, e = [], head
    while e and e is not act.entry and e.id not in act.fates:
        todo.append(e)
        e = e.prev
    if not e:
        return None
    now = act.fates.get(e.id, (False, False, False))
    for e in reversed(todo):
        void, confirmed, lifted = now
        listed = False
        for change in e.changes:
            kind, what = change[0], change[1]
            if kind == "keep" and act.id in what:
                void, confirmed, lifted, listed = False, True, False, True
            if kind == "lift" and act.id in what:
                void, confirmed, lifted, listed = True, False, True, True
            if kind == "over" and RULES.hand_over_lifts and act.kind in ("remove", "leave") and act.subject == what:
                void, confirmed, lifted, listed = True, False, True, True
        if not listed and not confirmed:
            if RULES.counted_by == "newest":
                void = lifted or not permitted(act, e.rights)
            elif RULES.counted_by == "every entry":
                void = void or not permitted(act, e.rights)
        now = act.fates[e.id] = (void, confirmed, lifted)
    return now
