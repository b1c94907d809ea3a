"""The properties, each checked in every history. Their numbers are those of docs/models/README.md."""

import random

from .counting import literally, state
from .device import Device, make_again
from .histories import ACCOUNTS, KINDS, World
from .rules import ADMIN, BY_RIGHT, OWNER, Act, Entry, fate, permitted


def hold(condition, name, *what):
    if not condition:
        raise AssertionError(name, *what)


def check_keys(w, d, took):
    """3, 7, 9: nobody gets keys whom the device knows to be out, until the log lifts it; nor by a link."""
    stays, _ = d.receivers()
    took.update((i, a) for i, a in d.held.items() if a.kind in ("remove", "leave", "close"))
    if d.frozen or not d.ready():
        return hold(not stays, "5: no keys while frozen or without the floor")
    s = d.state()
    hold(d.head.rights.owner in stays, "6: the owner gets keys")
    hold(stays <= s.live, "3: keys only to members")
    over = [a for a in (*d.held.values(), *d.remembered.values()) if a.id not in s.counted]
    for x in s.live - stays:  # a member is without keys only for an act that became void
        links = {j.subject for j in s.joins.get(x, ())}
        hold(
            any(
                a.kind in ("remove", "leave") and a.subject[0] == x[0] or a.kind == "close" and a.subject in links
                for a in over
            ),
            "3: all other members get keys",
            x,
        )
    for a in took.values():
        if fate(a, d.head)[2] or a.subject == d.head.rights.owner:
            continue
        if a.kind in ("remove", "leave"):
            hold(a.subject not in stays, "3: a removal acts at once, void or not, until lifted", a.subject)
        if a.kind == "remove":
            hold(
                not [x for x in stays & s.only_joined if x[0] == a.subject[0] and x != a.subject],
                "7: no keys by a link after a removal",
                a.subject,
            )
        if a.kind == "close":
            for x in stays & s.only_joined:
                kept = {i for b in took.values() if b.kind == "close" and b.subject == a.subject for i in b.kept}
                hold(
                    any(j.subject != a.subject or j.id in kept for j in s.joins[x]),
                    "7: no keys by a link whose closing is known",
                    x,
                )


def check_truth(w, head, s):
    """4, 7, 8: judged by the true times, which no rule sees."""
    g, by_id = head.rights, {a.id: a for a in w.acts}
    log, counted = head.log(), [by_id[i] for i in s.counted]
    removals = [a for a in counted if a.kind == "remove"]
    leaves = [a for a in counted if a.kind == "leave"]
    closings = [a for a in counted if a.kind == "close"]
    kept_by_log = {i for e in log for c in e.changes if c[0] == "keep" for i in c[1]}
    for a in counted:
        hold(not g.floor or a.epoch >= g.settle, "11: acts below the floor never count", a.kind)
        if a.id in kept_by_log:
            continue
        later = [e for e in log[a.epoch :] if e.when < a.when]
        hold(not any(a.device in e.rights.barred for e in later), "8: a barred device changes nothing", a.stay, a.kind)
        if a.needs_right():
            hold(all(e.rights.role(a.stay) <= ADMIN for e in (log[-1], *later)), "4: nobody dates back", a.stay, a.kind)
            hold(
                not (a.kind == "remove" and g.role(a.stay) == ADMIN and g.role(a.subject) <= ADMIN),
                "4: an admin removes no admin",
            )
            ended = [r for r in removals if r.subject == a.stay]
            if ended:
                hold(any(a.id in r.kept for r in ended), "2: who was removed changes nothing", a.stay, a.kind)
            else:
                hold(
                    not any(l.stay == a.stay and l.when < a.when for l in leaves),
                    "2: who left changes nothing",
                    a.stay,
                    a.kind,
                )
    for x in s.live & s.only_joined:
        hold(not any(r.subject[0] == x[0] for r in removals), "7: who was removed does not come back by a link", x)
        ways = [
            j
            for j in s.joins[x]
            if not [c for c in closings if c.subject == j.subject]
            or any(j.id in c.kept for c in closings if c.subject == j.subject)
        ]
        hold(ways, "7: a closed link brings nobody in", x)
    gone = {r.subject for r in removals} | {l.stay for l in leaves}
    said = {a.stay for a in counted if a.kind in ("accept", "join")}
    dead = {x for x in g.old if g.floor and x not in g.floor.stays}
    for x in ({a.subject for a in counted if a.kind == "add"} | set(g.named)) & said - gone - dead:
        hold(x in s.live, "1: who was added, accepted and not removed is a member", x)
    for x in dead - {g.owner}:
        hold(x not in s.live, "11: who was out at the floor stays out", x)
    for a in counted:
        if a.needs_right() and a.stay in dead and a.id not in kept_by_log:
            hold(
                any(r.subject == a.stay and a.id in r.kept for r in removals),
                "11: who was out at the floor has no right",
                a.stay,
            )
    for a in w.acts:  # what has to count, does
        f = fate(a, head)
        if not a.permitted or f[0] or a.epoch < g.settle:
            continue
        if (
            a.kind in BY_RIGHT
            and a.subject != g.owner
            and a.stay not in dead
            and any(r.subject == a.stay and a.id in r.kept for r in removals)
        ):
            hold(a.id in s.counted, "4: what a removal keeps of the removed counts", a.stay, a.kind)
        if f[1] and a.kind in BY_RIGHT and a.subject != g.owner:
            hold(a.id in s.counted, "4: what the log keeps counts", a.stay, a.kind)
        if f[1] and a.kind == "join":
            hold(a.stay in s.added, "7: a join that the log keeps counts", a.stay)
        if a.kind in ("remove", "leave"):
            overs = [e.epoch for e in log[a.epoch :] if ("over", a.subject) in e.changes]
            hold(
                not overs or any(c[0] == "keep" and a.id in c[1] for e in log[overs[-1] :] for c in e.changes),
                "6: handing over lifts what ended the new owner's stay",
                a.subject,
            )
    for e in log[1:]:
        hold(e.author == e.prev.rights.owner[0], "6: only the owner writes the log")
    hold(g.owner in s.live and sum(r == OWNER for r in g.roles.values()) == 1, "6: exactly one owner, who is a member")


def check_founded(head, acts, s, rng):
    """10: the rules, read without steps, have one solution: from any assumption they lead to what `state` says."""
    hold(literally(head, acts, s.counted) == s.counted, "10: what counts follows from what counts")
    ids = [a.id for a in acts]
    for start in (set(), set(ids), {i for i in ids if rng.random() < 0.5}):
        for _ in range(len(acts) + 6):
            now = literally(head, acts, start)
            if now == start:
                break
            start = now
        hold(start == s.counted, "10: one solution from any start")


def attack(w, d, rng, leaves):
    """2: everybody who is out of d's view, alone or together, with barred devices of anybody, signs whatever he can."""
    if d.frozen or not d.ready():
        return
    s0, (r0, e0), head = d.state(), d.receivers(), d.head
    inside = {x[0] for x in s0.live | s0.pending}
    out = [x for x in ACCOUNTS if x not in inside]
    stays = [x for x in w.stays if x[0] in out] + [x + "9" for x in out]
    thieves = [x for x in w.stays if x[0] + "1" in head.rights.barred]
    made, log = [], head.log()
    for _ in range(rng.choice((2, 4, 8))):
        thief = thieves and rng.random() < 0.3
        if not (stays or thief):
            break
        kinds = [k for k in KINDS if leaves or k != "leave"]
        a = w.some_act(thieves if thief else stays, log, kinds, "1" if thief else None, made)
        if a and a.permitted and (a.stay[0] in out or thief):
            made.append(a)
            if a.kind == "open":
                w.links.append(a.id)
    c = d.copy()
    for x in ACCOUNTS:
        c.offer(("list", x))
    s0, (r0, e0) = c.state(), c.receivers()
    if {x[0] for x in s0.live | s0.pending} - inside:  # a list that was missing brought somebody in
        return
    for _ in range(2):
        rng.shuffle(made)
        for a in made:
            c.offer(a)
    s1, (r1, e1) = c.state(), c.receivers()
    of = lambda some: {x for x in some if x[0] in inside}
    new = {x for x in s1.live | s1.pending if x not in s0.live | s0.pending}
    for x in new:
        open_links = [j for j in s1.joins.get(x, ()) if j.subject in s0.links]
        hold(x in s1.only_joined and open_links and x[0] not in s0.removed or leaves, "2: who is out adds nobody", x)
    for x in r1 - r0:
        hold(
            x in new and any(j.subject in s0.links for j in s1.joins.get(x, ())) and x[0] not in s0.removed,
            "2: no keys to who is out",
            x,
        )
    own = {a.subject for a in made if a.kind == "retire" and a.subject == a.stay[0]}
    hold(e1 <= e0 and e0 - e1 <= own, "2: who is out retires only endpoints of his own")
    if not leaves:
        hold(
            of(s1.live) == of(s0.live) and s1.links == s0.links,
            "2: who is out changes no membership",
            of(s0.live) ^ of(s1.live),
        )
        hold(of(r1) == of(r0), "2: who is out stops nobody's keys", of(r0) ^ of(r1))
    else:  # the residue: exactly his own acts are as if never made
        left = {a.stay for a in made if a.kind == "leave"}
        rest = [a for a in c.held.values() if a.id in s1.counted or a.stay not in left]
        was = [a for a in c.held.values() if a.id in s0.counted and a.stay not in left or a.id in s1.counted]
        hold(
            of(state(head, rest).live) == of(s1.live) == of(state(head, was).live),
            "2: a leaver takes back his own acts and no more",
        )
        hold(of(r0) - of(r1) <= set(s0.live) - set(s1.live), "2: a leaver stops nobody's keys but of whom he added")


def check_exchange(w, devices):
    """1: devices that tell each other only what counts with them (P-13.14) agree."""
    for _ in range(20):
        before = [len(d.held) for d in devices]
        for d in devices:
            for other in devices:
                for i in d.state().counted - other.state().counted:
                    if i in d.held:
                        other.offer(d.held[i])
        if before == [len(d.held) for d in devices]:
            break
    for d in devices[1:]:
        hold(d.state().same() == devices[0].state().same(), "1: digests lead to agreement")


def check_history(seed):
    rng = random.Random(~seed)
    w = World(seed, seed % 13 == 0)
    try:
        for x, d in w.devices.items():
            check_keys(w, d, w.took[x])
        attack(w, w.devices[rng.choice("ABC")], rng, rng.random() < 0.5)
        if w.fork:
            return check_frozen(w)
        devices = list(w.devices.values())
        for d in devices:  # the log reaches all; of the acts what it did
            for item in (*w.entries, *w.floors, *(("list", x) for x in ACCOUNTS)):
                d.offer(item)
        check_exchange(w, [d.copy() for d in devices])
        for x, d in w.devices.items():
            check_keys(w, d, w.took[x])
        settle_again(w)
        head = w.entries[-1]
        s = state(head, w.acts)
        for x, d in [
            *rng.sample(sorted(w.devices.items(), key=lambda item: item[0]), 2),
            ("new", Device(w.entries[0])),
        ]:
            hold(w.deliver_all(d), "1: delivery comes to an end")
            hold(d.state().same() == s.same(), "1: equal log and acts, equal state, in any order", x)
            check_keys(w, d, w.took.get(x, {}))
            former = [e.author for e in w.entries if e.author != head.rights.owner[0]]
            if former:
                forged = Entry(head, former[0], [("role", "X1", ADMIN)])
                d.offer(forged)
                hold(d.head is head, "6: a former owner's entries are refused")
        check_truth(w, head, s)
        check_founded(head, w.acts, s, rng)
        attack(w, rng.choice(devices), rng, rng.random() < 0.5)
    except AssertionError as x:
        x.args = (*x.args, f"seed {seed}")
        x.world = w
        raise
    return w


def check_frozen(w):
    """5: who has seen two entries of one epoch gives no keys and takes nothing any more."""
    for d in w.devices.values():
        for item in [*w.entries, w.fork, *w.entries]:
            d.offer(item)
        hold(d.frozen and not d.receivers()[0], "5: read-only where both were seen")
        before = set(d.held)
        for a in w.acts:
            d.offer(a)
        hold(set(d.held) == before, "5: read-only where both were seen")
    return w


def settle_again(w):
    """11: what the floor lacks is made again by its author's device, if he still may."""
    head = w.entries[-1]
    if not head.rights.floor:
        return
    old = [a for a in w.acts if a.epoch < head.rights.settle and (fate(a, head) or (1, 1, 1))[0] is False]
    for a in old:
        new = make_again(head, a)
        if new:
            w.keep_act(new)
    s = state(head, w.acts)
    for a in old:
        if a.subject not in head.rights.floor.stays or not a.permitted or not permitted(a, head.rights):
            continue
        if a.kind == "leave":
            hold(a.stay not in s.live, "11: a leave that the floor lacks is made again", a.stay)
        if a.kind == "remove" and a.stay in s.live:
            hold(a.subject not in s.live, "11: a removal that the floor lacks is made again", a.subject)
