"""Histories by name, each with what has to come of it."""

import random

from .counting import state
from .device import Device, Relay, floor_of, make_again
from .histories import ACCOUNTS
from .properties import check_exchange, check_founded, hold
from .rules import ADMIN, IDS, MEMBER, READER, Act, Entry


class Story:
    """A group that A founded, with B and C as members by his acts; B is an admin."""

    def __init__(self):
        self.head = Entry(None, "A", [("found", "A1")])
        self.first, self.acts = self.head, []
        self.joined("B1")
        self.joined("C1")
        self.base = self.entry(("role", "B1", ADMIN))

    def entry(self, *changes, by=None, on=None):
        on = on or self.head
        e = Entry(on, by or on.rights.owner[0], changes)
        if e.valid and on is self.head:
            self.head = e
        return e

    def act(self, stay, kind, subject=None, at=None, kept=(), device="0", policy=1):
        a = Act(at or self.head, stay, kind, subject, [k.id for k in kept], device, policy)
        self.acts.append(a)
        return a

    def joined(self, stay, by="A1"):
        return self.act(by, "add", stay), self.act(stay, "accept")

    def settle(self, known=None, *more):
        s = state(self.head, self.acts if known is None else known)
        return self.entry(("settle", floor_of(s)), *more)

    def now(self, *without):
        return state(self.head, [a for a in self.acts if a not in without])

    def who(self, *without):
        return " ".join(sorted(self.now(*without).live))

    def device(self, *items):
        """A device that has all lists and gets these items, or else the log, its floors and all acts."""
        d = Device(self.first)
        for item in (
            *(("list", x) for x in ACCOUNTS),
            *self.head.log(),
            *(e.rights.floor for e in self.head.log() if e.rights.floor),
        ):
            if not items or isinstance(item, tuple):
                d.offer(item)
        for item in items or self.acts:
            d.offer(item)
        return d

    def keys(self, *items):
        return " ".join(sorted(self.device(*items).receivers()[0]))


def keep(*acts):
    return "keep", frozenset(a.id for a in acts)


def lift(*acts):
    return "lift", frozenset(a.id for a in acts)


def equal(one, two):
    hold(one == two, "expected", two, "got", one)


def lowered_admin_keeps_what_the_entry_lists():
    g = Story()
    d, e = g.joined("D1", "B1"), g.joined("E1", "B1")
    g.entry(("role", "B1", MEMBER), keep(d[0]))
    equal(g.who(), "A1 B1 C1 D1")  # 4: listed counts, unlisted does not
    g.joined("X1", "B1")
    g.act("B1", "add", "X2", at=g.base), g.act("X2", "accept")
    equal(g.who(), "A1 B1 C1 D1")  # 4: nor what names an old entry
    g.entry(("role", "B1", ADMIN))
    equal(g.who(), "A1 B1 C1 D1")  # void stays void when the right comes back


def act_that_its_named_entry_does_not_permit_never_counts():
    g = Story()
    old = g.act("C1", "add", "D1"), g.act("D1", "accept")
    g.entry(("role", "C1", ADMIN))
    g.entry(keep(*old))
    equal(g.who(), "A1 B1 C1")


def added_again_after_a_removal():
    g = Story()
    g.act("B1", "remove", "C1")
    equal(g.who(), "A1 B1")
    g.act("C1", "accept")
    equal(g.who(), "A1 B1")
    g.joined("C2", "B1")
    equal(g.who(), "A1 B1 C2")
    equal(g.keys(), "A1 B1 C2")


def removed_admin_signs_on():
    g = Story()
    d, e = g.joined("D1", "B1"), g.joined("E1", "B1")
    r = g.act("A1", "remove", "B1", kept=d)
    equal(g.who(), "A1 C1 D1")  # 2: what the removal keeps counts
    dev = g.device()
    x, c = g.act("B1", "add", "X1"), g.act("B1", "remove", "C1")
    g.act("X1", "accept")
    for a in g.acts:
        dev.offer(a)
    equal(" ".join(sorted(dev.receivers()[0])), "A1 C1 D1")  # 2: he adds nobody, and stops nobody's keys
    g.act("B1", "leave")
    equal(g.who(), "A1 C1 D1")  # 2: nor takes back what was kept


def leaver_and_the_acts_that_he_keeps():
    g = Story()
    d, e = g.joined("D1", "B1"), g.joined("E1", "B1")
    g.act("B1", "leave", kept=d)
    equal(g.who(), "A1 C1 D1")
    late = g.joined("X1", "B1")
    equal(g.who(), "A1 C1 D1")
    g.act("B1", "leave", kept=(*d, *late))  # the residue: a second leave keeps nothing, also not this
    equal(g.who(), "A1 C1")
    g.act("A1", "remove", "B1", kept=d)  # and who may remove him says what stands
    equal(g.who(), "A1 C1 D1")


def removal_that_became_void_still_stops_keys():
    g = Story()
    early = g.act("B1", "remove", "C1")
    before = g.device()
    low = g.entry(("role", "B1", MEMBER))
    equal(g.who(), "A1 B1 C1")  # 3: C is a member again, and gets no keys from who knew it
    before.offer(low)
    equal(" ".join(sorted(before.receivers()[0])), "A1 B1")
    equal(g.keys(), "A1 B1 C1")  # who heard of the lowering first does not take the removal
    before.offer(g.entry(lift(early)))
    equal(" ".join(sorted(before.receivers()[0])), "A1 B1 C1")


def removed_account_does_not_come_back_by_a_link():
    g = Story()
    link, other = g.act("A1", "open"), g.act("A1", "open")
    g.act("D1", "join", link.id)
    equal(g.who(), "A1 B1 C1 D1")
    out = g.act("B1", "remove", "D1")
    g.act("D2", "join", other.id)
    equal(g.who(), "A1 B1 C1")
    dev = g.device()
    dev.offer(g.entry(("role", "B1", MEMBER)))  # the removal is void now, the second join counts
    equal(g.who(), "A1 B1 C1 D1 D2")
    for a in g.acts:
        dev.offer(a)
    equal(" ".join(sorted(dev.receivers()[0])), "A1 B1 C1")  # 7: and still no keys from who knew the removal
    g.entry(keep(out))
    g.joined("D3")
    equal(g.who(), "A1 B1 C1 D3")  # added anew


def closed_link():
    g = Story()
    link = g.act("B1", "open")
    d, e = g.act("D1", "join", link.id), g.act("E1", "join", link.id)
    shut = g.act("B1", "close", link.id, kept=[d])
    equal(g.who(), "A1 B1 C1 D1")  # 7: bound to the closing
    g.act("A1", "close", link.id)
    equal(g.who(), "A1 B1 C1 D1")  # kept by one closing
    equal(g.keys(), "A1 B1 C1 D1")
    g.entry(("role", "B1", MEMBER))
    equal(g.who(), "A1 B1 C1")  # the link was B's
    g.entry(keep(d))
    equal(g.who(), "A1 B1 C1 D1")  # the log's word on the join


def leaver_opens_a_link_that_he_closed():
    g = Story()
    link = g.act("A1", "open")
    shut = g.act("B1", "close", link.id)
    dev = g.device()
    g.act("B1", "leave"), g.act("X1", "join", link.id)
    equal(g.who(), "A1 C1 X1")  # the residue of taking back one's own acts
    for a in g.acts:
        dev.offer(a)
    equal(" ".join(sorted(dev.receivers()[0])), "A1 C1")  # 7: no keys from who knew the closing


def link_of_policy_two():
    g = Story()
    link = g.act("A1", "open", policy=2)
    g.act("D1", "join", link.id), g.act("A1", "close", link.id)
    equal(g.who(), "A1 B1 C1")
    g.act("B1", "add", "D1")
    equal(g.who(), "A1 B1 C1 D1")  # the join is his consent, whatever became of the link


def kept_join_needs_no_link():
    g = Story()
    link = g.act("B1", "open")
    join = g.act("D1", "join", link.id)
    g.entry(("role", "B1", MEMBER), keep(join))
    late = g.device()  # it never takes the void act that opened the link
    equal(" ".join(sorted(late.state().live)), "A1 B1 C1 D1")


def who_has_a_role_stays_when_the_adder_falls():
    g = Story()
    g.joined("D1", "B1")
    g.entry(("role", "D1", READER))
    g.entry(("role", "B1", MEMBER))
    equal(g.who(), "A1 B1 C1 D1")


def stolen_companion():
    g = Story()
    g.act("B1", "remove", "C1", device="1")
    g.act("B1", "remove", "A1", device="1"), g.act("B1", "leave", device="1")
    equal(g.who(), "A1 B1")  # 8: before it is barred, what the role allows, and no leave
    named = g.head
    g.entry(("bar", "B1"))  # here "B1" is device 1 of B
    g.act("B1", "add", "X1", at=named, device="1"), g.act("X1", "accept")
    equal(g.who(), "A1 B1 C1")


def barred_companion_accepts_no_invitation():
    g = Story()
    g.act("A1", "add", "D1")
    old = g.entry(("role", "D1", MEMBER))
    g.entry(("bar", "D1"))
    g.act("D1", "accept", at=old, device="1"), g.act("D1", "join", 7, at=g.base, device="1")
    equal(g.who(), "A1 B1 C1")
    g.act("D1", "accept")
    equal(g.who(), "A1 B1 C1 D1")


def two_admins_at_once():
    g = Story()
    g.entry(("role", "C1", ADMIN))
    g.act("B1", "remove", "C1"), g.act("C1", "remove", "B1")  # neither can
    one, two = g.joined("D1", "B1"), g.joined("D2", "C1")  # both add D
    equal(g.who(), "A1 B1 C1 D1 D2")
    g.act("B1", "remove", "D1"), g.act("C1", "remove", "D2")
    equal(g.who(), "A1 B1 C1")
    s = g.now()
    check_founded(g.head, g.acts, s, random.Random(1))


def handing_over():
    g = Story()
    d, out = g.joined("D1"), g.act("A1", "remove", "B1")
    old = g.head
    g.entry(keep(out), ("over", "C1"))
    equal(g.who(), "A1 C1 D1")  # 6: his acts are kept
    hold(not g.entry(("role", "A1", ADMIN), by="A").valid, "6: a former owner writes no entry")
    g.act("A1", "remove", "C1", at=old), g.act("C1", "leave", at=old)
    equal(g.who(), "A1 C1 D1")  # 6: what he could as owner is over
    fork = g.entry(("role", "X1", ADMIN), by="A", on=old)
    dev = g.device()
    dev.offer(fork)
    equal(dev.receivers()[0], frozenset())  # a former owner can still equivocate: read-only


def handing_over_to_who_is_out():
    g = Story()
    out = g.act("A1", "remove", "C1")
    g.entry(keep(out))
    g.entry(("over", "C1"))
    equal(g.who(), "A1 B1 C1")
    equal(g.keys(), "A1 B1 C1")
    g.entry(("over", "B1"))
    equal(g.who(), "A1 B1 C1")  # 6: the new owner lives on when he hands over in his turn


def owner_who_keeps_his_own_leave_gets_keys():
    g = Story()
    left = g.act("C1", "leave")
    g.entry(("over", "C1"))
    g.entry(keep(left))
    equal(g.who(), "A1 B1 C1")
    equal(g.keys(), "A1 B1 C1")


def equivocating_owner():
    g = Story()
    e, fork = g.entry(("role", "C1", ADMIN)), g.entry(("role", "C1", READER), on=g.base)
    for order in ((e, fork), (fork, e)):
        dev = g.device(*g.base.log(), *g.acts, *order, g.joined("D1")[0])
        equal(dev.receivers()[0], frozenset())  # 5: whatever came first
        hold("D1" not in dev.state().added, "5: nothing is taken any more")


def restored_owner():
    g = Story()
    relay = Relay(g.base)
    new = g.entry(("role", "C1", ADMIN))
    hold(relay.store(new), "5: the relay stores the next entry")
    old = g.entry(("role", "C1", READER), on=g.base)  # from a backup that ends with `base`
    hold(not relay.store(old), "5: a restored owner does not equivocate by mistake")


def accept_of_what_nobody_added():
    g = Story()
    add, accept = g.joined("D1", "B1")
    low = g.entry(("role", "B1", MEMBER))
    late = g.device()
    early = g.device(*g.base.log(), *g.acts, low)
    equal(early.state().same(), late.state().same())  # 1: digests agree
    before = dict(late.held)
    for n in range(50):  # strangers, and who is out, take no room
        late.offer(g.act("X1", "accept")), late.offer(g.act("X2", "leave"))
    equal(late.held, before)


def many_that_do_the_same():
    g = Story()
    g.act("B1", "add", "D1")
    some = [g.act("D1", "accept") for n in range(4)] + [g.act("D1", "leave") for n in range(4)]
    one, two = g.device(*g.head.log(), *g.acts), g.device(*g.head.log(), *g.acts[:-8], *reversed(some))
    check_exchange(None, [one, two])  # 1: in any order
    hold(len(two.state().counted & {a.id for a in some}) == 3, "1: one accept and two leaves count")


def many_joins():
    g = Story()
    link = g.act("A1", "open")
    g.act("B1", "add", "D1")
    for n in range(20):  # of a stay that is added, by links that do not exist; and of many stays by one link
        g.act("D1", "join", n), g.act("E%d" % n, "join", link.id)
    counted = [a for a in g.acts if a.kind == "join" and a.id in g.now().counted]
    equal(sorted(a.stay[0] for a in counted), ["D", "E"])
    check_founded(g.head, g.acts, g.now(), random.Random(1))


def group_filled_by_a_link():
    g = Story()
    link = g.act("A1", "open")
    some = [g.act(x + "1", "join", link.id) for x in "MNOPQRSTX"]
    one, two = Device(g.first), Device(g.first)
    for d, joins in ((one, some), (two, some[::-1])):
        d.STAYS = 6
        for item in (*g.head.log(), *g.acts[:-9], *joins):
            d.offer(item)
    hold(len(one.state().live) == len(two.state().live) == 6, "a bound")
    hold(one.state().live != two.state().live, "at the bound devices differ")
    g.act("A1", "close", link.id, kept=[some[0], some[8]])
    for d in (one, two, one, two):
        for a in g.acts:
            d.offer(a)
    equal(one.state().same(), two.state().same())  # 1: until what fills it is void; what was refused is taken again
    equal(" ".join(sorted(two.state().live)), "A1 B1 C1 M1 X1")


def group_filled_by_requests():
    g = Story()
    link = g.act("A1", "open", policy=2)
    some = [g.act(x + "1", "join", link.id) for x in "MNOPQRSTX"]
    d = Device(g.first)
    d.JOINS = 6
    for item in (*g.head.log(), *g.acts):
        d.offer(item)
    equal(len(d.state().joins), 6)
    for item in (g.act("A1", "add", "D1"), g.act("D1", "accept"), g.act("B1", "leave")):
        d.offer(item)  # who asks keeps nobody from being added, and nobody from leaving
    equal(" ".join(sorted(d.state().live)), "A1 C1 D1")
    d.offer(g.act("A1", "close", link.id, kept=[some[0]]))
    d.offer(g.act("A1", "open"))
    d.offer(g.act("X1", "join", g.acts[-1].id))
    equal(" ".join(sorted(d.state().live)), "A1 C1 D1 X1")


def asking_beside_a_closed_link():
    g = Story()
    one, asks = g.act("A1", "open"), g.act("A1", "open", policy=2)
    g.act("D1", "join", one.id), g.act("D1", "join", asks.id)
    g.act("B1", "close", one.id)
    d = g.device(*g.head.log(), *g.acts)
    equal(" ".join(sorted(d.state().live)), "A1 B1 C1")
    d.offer(g.entry(("role", "B1", MEMBER)))  # the closing is void: D is a member, by the link that was closed alone
    equal(" ".join(sorted(d.state().live)), "A1 B1 C1 D1")
    equal(" ".join(sorted(d.receivers()[0])), "A1 B1 C1")  # 7


def endpoint_retired_by_who_is_out():
    g = Story()
    on = g.entry(("admit", "D"))
    g.entry(("role", "B1", MEMBER))
    g.act("B1", "retire", "D", at=on), g.act("X1", "retire", "E")
    equal(g.now().retired, frozenset())
    g.act("D1", "retire", "D")  # its own account may
    equal(g.now().retired, frozenset("D"))


def acts_withheld_for_weeks():
    g = Story()
    secret = g.joined("D1", "B1")
    for n in range(20):
        g.entry(("role", "C1", (READER, MEMBER)[n % 2]))
    dev = g.device(*g.head.log(), *g.acts[:4])
    equal(" ".join(sorted(dev.receivers()[0])), "A1 B1 C1")
    for a in secret:
        dev.offer(a)
    equal(" ".join(sorted(dev.receivers()[0])), "A1 B1 C1 D1")  # 9: B is an admin still
    out = g.act("A1", "remove", "B1", kept=secret)
    dev.offer(out)
    for a in (g.act("B1", "add", "X1", at=g.base), g.act("X1", "accept", at=g.base)):
        dev.offer(a)
    equal(" ".join(sorted(dev.receivers()[0])), "A1 C1 D1")


def settling():
    g = Story()
    out = g.act("A1", "remove", "B1")
    g.settle()
    equal(g.who(), "A1 C1")
    g.act("B1", "accept"), g.act("B1", "add", "X1"), g.act("X1", "accept")
    equal(g.who(), "A1 C1")  # 11: out at the floor is out, and has no right
    g.act("B1", "add", "X2", at=g.base), g.act("X2", "accept")
    equal(g.who(), "A1 C1")  # 11: acts below never count
    g.entry(("over", "B1"))
    equal(g.who(), "A1 B1 C1 X1")  # whom the log makes the owner is in, with his acts


def settle_and_suspensions():
    g = Story()
    early = g.act("B1", "remove", "C1")
    dev = g.device()
    e = g.entry(("role", "B1", MEMBER))
    f = g.settle()
    for item in (e, f, f.rights.floor):
        dev.offer(item)
    equal(" ".join(sorted(dev.state().live)), "A1 B1 C1")
    equal(" ".join(sorted(dev.receivers()[0])), "A1 B1")  # 11: suspensions stay
    dev.offer(g.entry(lift(early)))
    equal(" ".join(sorted(dev.receivers()[0])), "A1 B1 C1")


def settle_that_missed_something():
    g = Story()
    known = list(g.acts)
    link = g.act("A1", "open")
    known.append(link)
    missed = [g.act("C1", "leave"), g.act("B1", "close", link.id)]
    g.settle(known)
    equal(g.who(), "A1 B1 C1")
    g.acts += [a for a in (make_again(g.head, a) for a in missed) if a]
    equal(g.who(), "A1 B1")
    hold(link.id not in g.now().links, "11: a closing is made again")


def device_without_the_floor():
    g = Story()
    f = g.settle()
    d = g.joined("D1")
    dev = g.device(*g.head.log(), *g.acts)
    equal(dev.receivers()[0], frozenset())
    dev.offer(f.rights.floor)
    equal(" ".join(sorted(dev.receivers()[0])), "A1 B1 C1 D1")  # what was aside is taken


SCENARIOS = [f for f in list(globals().values()) if hasattr(f, "__code__") and f.__code__.co_argcount == 0]


def scenarios():
    """The names of the scenarios that fail."""
    failed = []
    for f in SCENARIOS:
        IDS.seed(7)
        try:
            f()
        except AssertionError as x:
            failed.append((f.__name__, x.args))
    return failed
