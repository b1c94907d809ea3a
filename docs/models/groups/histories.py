"""Random histories: what is made, and three devices that hear of it in some order, some of it very late."""

import random

from .counting import state
from .device import Device, Relay, floor_of
from .rules import ADMIN, IDS, MEMBER, READER, Act, Entry, Floor, fate

ACCOUNTS = "ABCDEX"
KINDS = "add add add add remove remove remove accept accept accept accept leave leave".split()
KINDS += "open close join join join retire rekey".split()
ENTRIES = ("role role role role role role keep keep lift bar admit over over settle withdraw").split()


class World:
    """A history: what was made, and devices of A, B and C that hear of it in some order, of some of it very late."""

    def __init__(self, seed, forks):
        IDS.seed(seed)
        self.rng, self.clock = random.Random(seed), 0
        first = Entry(None, "A", [("found", "A1")])
        self.entries, self.acts, self.stays, self.links = [first], [], ["A1"], []
        self.devices = {x: Device(first) for x in "ABC"}
        self.relay, self.owed, self.took, self.fork, self.notes = (
            Relay(first),
            {x: [] for x in "ABC"},
            {x: {} for x in "ABC"},
            None,
            [],
        )
        self.floors = []
        self.kinds, self.changes = self.some_of(KINDS), self.some_of(ENTRIES)
        self.start()
        for n in range(self.rng.choice((10, 16, 24, 40))):
            self.step()
        if forks:
            self.equivocate()

    def some_of(self, kinds):
        """Kinds without some of them, so that those which are left meet more often."""
        without = self.rng.sample(sorted(set(kinds)), self.rng.choice((0, 4, 6)))
        return [k for k in kinds if k not in without]

    def publish(self, item):
        for x, owed in self.owed.items():
            if self.rng.random() < 0.85:  # the rest comes when all is over
                owed.append(item)

    def start(self):  # mostly a group with an admin and a member
        self.entry([("role", "B1", ADMIN), ("admit", "D")])
        for stay in ("B1", "C1"):
            self.keep_act(Act(self.entries[-1], "A1", "add", stay))
            self.keep_act(Act(self.entries[-1], stay, "accept"))

    def keep_act(self, act):
        self.clock += 1
        act.when = self.clock
        self.acts.append(act)
        self.publish(act)
        for stay in (act.stay, act.subject if act.kind in ("add", "remove") else act.stay):
            if stay not in self.stays:
                self.stays.append(stay)
        if act.kind == "open":
            self.links.append(act.id)
        return act

    def entry(self, changes):
        self.clock += 1
        head = self.relay.newest
        e = Entry(head, head.rights.owner[0], changes, self.clock)
        if e.valid and self.relay.store(e):
            self.entries.append(e)
            self.publish(e)
            if any(c[0] == "settle" for c in changes):
                self.floors.append(e.rights.floor)
                self.publish(e.rights.floor)
            return e

    def some_act(self, stays, entries, kinds, device=None, extra=()):
        """Anything that somebody could sign: any named entry, any list of kept acts."""
        rng = self.rng
        stay, kind = rng.choice(stays), rng.choice(kinds)
        if kind in ("remove", "add", "open", "close") and rng.random() < 0.6:
            best = [x for x in stays if self.entries[-1].rights.role(x) <= ADMIN]
            stay = rng.choice(best) if best else stay
        e = entries[-1] if rng.random() < 0.55 else rng.choice(entries)
        subject = rng.choice(self.stays)
        if kind in ("add", "join") and rng.random() < 0.5:
            fresh = rng.choice(ACCOUNTS if kind == "add" else stay[0]) + str(rng.randrange(1, 5))
            stay, subject = (fresh, subject) if kind == "join" else (stay, fresh)
        if kind in ("close", "join"):
            if not self.links:
                return None
            subject = rng.choice(self.links)
        if kind == "retire":
            subject = rng.choice("DE")
        of = {"leave": stay, "remove": subject}.get(kind)
        some = [
            a.id for a in (*self.acts, *extra) if (a.stay == of if of else a.kind == "join" and a.subject == subject)
        ]
        kept = [i for i in some if rng.random() < 0.6] if kind in ("leave", "remove", "close") else ()
        device = device or ("1" if rng.random() < 0.2 else "0")
        act = Act(e, stay, kind, subject, kept, device, rng.choice((1, 1, 2)))
        return act if act.permitted or rng.random() < 0.1 else None

    def step(self):
        rng, r = self.rng, self.rng.random()
        if r < 0.5:
            act = self.some_act(self.stays, self.entries, self.kinds)
            if act:
                self.keep_act(act)
        elif r < 0.68:
            self.some_entry()
        for _ in range(rng.choice((0, 1, 2, 3))):
            x = rng.choice("ABC")
            if self.owed[x]:
                i = rng.randrange(len(self.owed[x]))
                self.give(x, self.owed[x].pop(0 if rng.random() < 0.6 else i))

    def give(self, x, item):
        d = self.devices[x]
        if rng_chance(self.rng, 0.1):
            d.offer(("list", self.rng.choice(ACCOUNTS)))
        d.offer(item)
        self.took[x].update((i, a) for i, a in d.held.items() if a.kind in ("remove", "leave", "close"))

    def some_entry(self):
        """The owner's device fetches the log, then writes what it likes, knowing the acts that it has."""
        rng, head = self.rng, self.relay.newest
        x = head.rights.owner[0]
        d = self.devices[x]
        for item in (*self.entries, *self.floors):
            self.give(x, item)
        if d.frozen or d.head is not head:
            return
        changes, last = [], []
        for _ in range(rng.choice((1, 1, 2))):
            kind = rng.choice(self.changes)
            stay = rng.choice(self.stays)
            if kind == "role":
                role = rng.choice((ADMIN, ADMIN, MEMBER, MEMBER, READER))
                changes.append(("role", stay, role))
                if role != ADMIN and rng.random() < 0.5:
                    changes.append(
                        ("keep", frozenset(a.id for a in d.held.values() if a.stay == stay and rng.random() < 0.7))
                    )
            elif kind in ("keep", "lift") and self.acts:
                changes.append((kind, frozenset(a.id for a in rng.sample(self.acts, min(len(self.acts), 2)))))
            elif kind == "bar":
                changes.append(("bar", rng.choice("ABCDX") + "1"))
            elif kind in ("admit", "withdraw"):
                changes.append((kind, rng.choice("DE")))
            elif kind == "over":
                last = [("over", rng.choice([y for y in self.stays if y[0] in "ABC"]))]
            elif kind == "settle" and rng.random() < 0.6:
                draft = Entry(head, x, changes + last)  # after the other changes of the entry, handing over included
                if draft.valid:
                    changes.append(("settle", floor_of(state(draft, d.held.values()))))
                    break
        if changes or last:
            self.entry(changes + last)

    def equivocate(self):
        e = self.rng.choice(self.entries[1:])
        self.fork = Entry(e.prev, e.author, [("role", self.rng.choice(self.stays), ADMIN)], self.clock)
        if not self.fork.valid:
            self.fork = None

    def everything(self):
        return [*self.entries, *self.floors, *self.acts, *(("list", x) for x in ACCOUNTS)]

    def deliver_all(self, d, rounds=12):
        for _ in range(rounds):
            before, items = (d.head, len(d.held), len(d.aside)), self.everything()
            self.rng.shuffle(items)
            for item in items:
                d.offer(item)
            if (d.head, len(d.held), len(d.aside)) == before and d.head is self.entries[-1]:
                return d

    def show(self):
        names = {a.id: f"a{i}" for i, a in enumerate(self.acts)}
        word = lambda x: (
            "{" + " ".join(names.get(i, "?") for i in x) + "}"
            if isinstance(x, frozenset)
            else x.stays if isinstance(x, Floor) else x
        )
        lines = [
            (e.when, f"e{e.epoch} {e.author}: {[tuple(word(y) for y in c) for c in e.changes]}") for e in self.entries
        ]
        for a in self.acts:
            void, confirmed, _ = fate(a, self.entries[-1]) or (True, False, False)
            line = f"{names[a.id]} {a.stay}/{a.device[1]} {a.kind} {names.get(a.subject, a.subject)} at e{a.epoch}"
            line += f" keeps {word(a.kept)}{'' if a.permitted else ' not permitted'}"
            lines.append((a.when, f"{line}{' void' if void else ''}{' confirmed' if confirmed else ''}"))
        s = state(self.entries[-1], self.acts)
        return (
            "\n".join(text for _, text in sorted(lines))
            + f"\ncount {sorted(names[i] for i in s.counted)} live {sorted(s.live)} pending {sorted(s.pending)}"
        )


def rng_chance(rng, p):
    return rng.random() < p
