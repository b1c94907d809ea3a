"""The script of tests/vectors/membership.txt: a group's history, told to two devices in two orders, and what is refused."""

import os
import random

from accounts import certify, issue
from membership import *
from script import *

PERSON = bytes([1, 0]) + bytes(32)
PEOPLE, DEVICES = ("alice", "bob", "carol", "dave"), ("phone", "laptop")


def groups_():
    """Entries, acts and floors of a group, offered to two devices in two orders, and what each sees; and what is refused."""
    s = Script()
    told = Told(s)
    told.ordinary()
    for turn in range(70):
        told.something(turn)
        if turn % 10 == 9:
            told.rest()
    told.settle()
    for turn in range(30):
        told.something(turn)
    told.rest()
    told.damaged()
    told.equivocate()
    return s


class Told:
    """Somebody who knows everything writes in everybody's name."""

    def __init__(self, s):
        self.s, self.late, self.chosen = s, [], random.Random(os.urandom(16))
        for person in PEOPLE:
            for device in DEVICES:
                s("identity", of=f"{person}-{device}")
        self.identities, self.lists = s.world.identities, {}
        for person in PEOPLE:
            phone, laptop = (self.identities[f"{person}-{device}"] for device in DEVICES)
            self.lists[person] = issue(phone, 1, bytes(32), NOW, [certify(phone, phone.public, 0, PERSON),
                                                                  certify(laptop, phone.public, 1, PERSON)], 2)
            if person != "dave":
                s("know-list", seen=self.lists[person].data)
        found = bytes([FOUND]) + os.urandom(48) + bytes([SETTING, 1, 0, 6]) + b"Lombok"
        self.known = None
        first = self.entry(found)
        self.known = Membership(first, s.world.__dict__.setdefault("signers", {}))
        self.stays, self.links, self.floors = [self.known.founder], [], []
        for of in ("one", "other"):
            s("follow-group", of=of, statement=first)

    # What is written

    def entry(self, encoded, time=NOW):
        owner = self.identities["alice-phone"]
        group, epoch, previous, before = bytes(32), 1, bytes(32), Rights()
        if self.known:
            group, epoch, previous = self.known.group, len(self.known.entries) + 1, self.known.entries[-1].hash
            before = self.known.rights[-1]
        draft = Entry(write_entry(owner, group, epoch, previous, time, encoded, bytes(32)))
        draft.changes = read_changes(encoded)
        return write_entry(owner, group, epoch, previous, time, encoded, before.after(draft, group).hash())

    def act(self, person, kind, body=b"", stay=None, device=0, epoch=None):
        epoch = epoch or len(self.known.entries)
        listed_in = self.lists[person]
        name = pack(">Q", listed_in.sequence) + listed_in.hash() if device else bytes(40)
        identity = self.identities[f"{person}-{DEVICES[device]}"]
        return write_act(identity, device, name, self.known.group, epoch, self.known.entries[epoch - 1].hash,
                         stay or self.stay(person), NOW + self.chosen.randrange(1000), kind, body)

    def account(self, person):
        return self.identities[f"{person}-phone"].public

    def stay(self, person):
        own = [stay for stay in self.stays if stay[:64] == self.account(person)]
        return self.chosen.choice(own) if own else self.account(person) + os.urandom(16)

    def new_stay(self, person):
        self.stays.append(self.account(person) + os.urandom(16))
        return self.stays[-1]

    # Who is told

    def tell(self, kind, statement):
        """The first device at once; the other later, in another order."""
        try:
            self.known.offer(kind, statement)
        except Refused:
            pass
        self.s(f"offer-{kind}", of="one", statement=statement)
        self.late.append((kind, statement))

    def rest(self):
        self.chosen.shuffle(self.late)
        for kind, statement in self.late:
            self.s(f"offer-{kind}", of="other", statement=statement)
        self.late = []

    def ordinary(self):
        for person in PEOPLE[1:]:
            stay = self.new_stay(person)
            self.tell("act", self.act("alice", ADD, stay, device=self.chosen.randrange(2)))
            self.tell("act", self.act(person, ACCEPT, stay=stay))
        bob = self.stays[1]
        self.tell("entry", self.entry(bytes([ROLE]) + bob + bytes([ADMIN]) + bytes([SETTING, 9, 0, 1, 7])))
        self.tell("act", self.act("dave", ACCEPT, stay=self.stays[3], device=1))
        self.s("know-list", seen=self.lists["dave"].data)
        self.rest()

    def kept(self, most=4):
        acts = [act.id for act in self.known.held]
        return listed(sorted(self.chosen.sample(acts, min(len(acts), self.chosen.randrange(most)))))

    def something(self, turn):
        """Mostly what an honest device would write; often what another would."""
        chosen, honest = self.chosen, self.chosen.random() < 0.75
        leaders = [person for person in PEOPLE if any(
            self.known.rights[-1].role(stay) in (OWNER, ADMIN) for stay in self.stays if stay[:64] == self.account(person))]
        first = max(1, self.known.settled)
        epoch = len(self.known.entries) if honest else chosen.randrange(first, len(self.known.entries) + 1)
        leader, other = chosen.choice(leaders if honest else PEOPLE), chosen.choice(PEOPLE)
        with_ = {"device": chosen.randrange(2), "epoch": epoch}
        kind = chosen.choice([ADD, ACCEPT, ACCEPT, LEAVE, REMOVE, REMOVE, OPEN, CLOSE, JOIN, JOIN, REKEY, "entry", "entry"])
        if kind == "entry":
            return self.something_of_the_owner()
        if kind == ADD:
            stay = self.new_stay(other) if honest else self.stay(other)
            return self.tell("act", self.act(leader, ADD, stay, **with_))
        if kind == REMOVE:
            return self.tell("act", self.act(leader, REMOVE, self.stay(other) + self.kept(), **with_))
        if kind == OPEN:
            secret = os.urandom(32)
            data = self.act(leader, OPEN, ed25519_public(secret) + bytes([1 + chosen.randrange(2)]), **with_)
            self.links.append((sha256(L["hash of a group act"], data)[:16], secret))
            return self.tell("act", data)
        if kind in (CLOSE, JOIN) and not self.links:
            return self.tell("act", self.act(leader, REKEY, **with_))
        if kind == CLOSE:
            return self.tell("act", self.act(leader, CLOSE, chosen.choice(self.links)[0] + self.kept(), **with_))
        if kind == JOIN:
            link, secret = chosen.choice(self.links)
            # Mostly by a link; sometimes for a stay that may be added otherwise, by a link that may not be.
            stay = self.new_stay(other) if chosen.random() < 0.7 else self.stay(other)
            link = link if honest or chosen.random() < 0.5 else os.urandom(16)
            proof = sign(secret if honest else os.urandom(32), L["group link"] + self.known.group + stay)
            return self.tell("act", self.act(other, JOIN, link + proof, stay=stay, **with_))
        if kind == LEAVE:
            if honest and turn % 3:
                return None
            kept = self.kept() if other in leaders or chosen.random() < 0.1 else listed([])
            return self.tell("act", self.act(other, LEAVE, kept, device=0, epoch=epoch))
        return self.tell("act", self.act(leader if kind == REKEY else other, kind, **with_))

    def something_of_the_owner(self):
        chosen, acts = self.chosen, [act.id for act in self.known.held]
        target = self.stay(chosen.choice(PEOPLE[1:]))
        laptop = self.identities[f"{chosen.choice(PEOPLE[1:])}-laptop"]
        changes = [bytes([ROLE]) + target + bytes([chosen.choice([ADMIN, MEMBER, READER])]) + bytes([KEEP]) + self.kept(12)]
        if acts:
            changes += [bytes([chosen.choice([KEEP, LIFT])]) + listed([chosen.choice(acts)])]
        if chosen.random() < 0.05:
            owner = next(p for p in PEOPLE if self.identities[f"{p}-laptop"] is laptop)
            changes = [bytes([BAR]) + self.account(owner) + laptop.public]
        self.tell("entry", self.entry(chosen.choice(changes)))

    def settle(self):
        self.rest()
        floor = self.known.count().make_floor().encode()
        self.tell("entry", self.entry(bytes([SETTLE]) + sha256(L["group floor"], floor)))
        early = self.act("alice", ADD, self.new_stay("bob"))
        self.tell("act", early)
        self.s("offer-floor", of="one", statement=floor[:-1])
        self.tell("floor", floor)
        self.s("offer-floor", of="one", statement=floor)
        self.s("offer-act", of="one", statement=self.act("alice", REKEY, epoch=1))
        self.rest()
        self.s("offer-floor", of="other", statement=floor)

    # What is refused

    def damaged(self):
        def refused(kind, statement):
            self.s(f"offer-{kind}", of="one", statement=statement)
        entry, act = self.entry(bytes([SETTING, 1, 0, 1]) + b"x"), self.act("alice", REKEY)
        for kind, good in (("entry", entry), ("act", act)):
            refused(kind, b""), refused(kind, good[:-1]), refused(kind, flip(good, 0)), refused(kind, flip(good, 1))
            refused(kind, flip(good, len(good) - 1)), refused(kind, flip(good, 140))
        for encoded in (bytes([13]), bytes([ROLE]) + self.stays[1] + bytes([4]), bytes([SETTING, 3, 0, 1, 3]),
                        bytes([KEEP]) + listed([b"\2" * 16, b"\1" * 16])):
            owner, known = self.identities["alice-phone"], self.known
            refused("entry", write_entry(owner, known.group, len(known.entries) + 1, known.entries[-1].hash, NOW, encoded,
                                         bytes(32)))
        for kind, body in ((10, b""), (ADD, self.stays[1][:-1]), (ADD, bytes(80)), (REMOVE, self.stays[1] + b"\0"),
                           (OPEN, bytes(33)), (REKEY, b"\0")):
            refused("act", self.act("alice", kind, body))
        bob = self.identities["bob-phone"]
        refused("act", write_act(bob, 0, bytes([1]) * 40, self.known.group, 1, self.known.entries[0].hash, self.stays[1],
                                 NOW, REKEY))

    def equivocate(self):
        rival = self.entry(bytes([SETTING, 1, 0, 5]) + b"other")
        self.tell("entry", self.entry(bytes([SETTING, 1, 0, 3]) + b"one"))
        self.s("offer-entry", of="one", statement=rival)
        self.s("offer-act", of="one", statement=self.act("alice", REKEY))
        self.s("offer-entry", of="other", statement=rival)
        self.rest()
