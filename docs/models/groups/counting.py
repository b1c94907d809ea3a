"""Which acts count, and who is a member (13.4 and 13.5), twice: in steps, and as the rules are written."""

from .rules import MEMBER, OWNER, RULES, Floor, fate


class State:
    """What `state` returns: the acts that count, the live stays, and what follows from them."""

    def __init__(self, counted, live, added, pending, links, retired, removed, only_joined, joins, repeats, policies):
        self.counted, self.live, self.added, self.pending = (
            frozenset(counted),
            frozenset(live),
            frozenset(added),
            frozenset(pending),
        )
        self.links, self.retired, self.removed = dict(links), frozenset(retired), frozenset(removed)
        self.only_joined, self.joins, self.repeats, self.policies = only_joined, joins, repeats, policies

    def same(self):
        return self.counted, self.live, self.pending, tuple(sorted(self.links.items())), self.retired, self.removed

    def members(self):
        return {stay[0] for stay in self.live}


def standing(head, acts):
    """Permitted acts that are not below the floor and not void by P-13.8, by ascending id; and which are confirmed."""
    out, confirmed, settle = [], set(), head.rights.settle if RULES.floor_drops else 0
    for a in acts:
        if a.permitted and a.epoch >= settle:
            f = a.fates.get(head.id) or fate(a, head)
            if f and not f[0]:
                out.append(a)
                if f[1]:
                    confirmed.add(a.id)
    out.sort(key=lambda a: a.id)
    return out, confirmed


def kept_at_end(act, rights, removals, leaves):
    """P-13.9: whether an act that needs a right stands although its author's stay may have ended."""
    if not RULES.ended_acts:
        return True
    by, left = removals.get(act.stay), leaves.get(act.stay)
    if RULES.leaves == "before removal" and left and not all(act.id in l.kept for l in left):
        return False
    if by or rights.ended_by_floor(act.stay):
        return any(act.id in r.kept for r in by or ())
    if left and RULES.leaves == "any":
        return any(act.id in l.kept for l in left)
    return not left or (len(left) == 1 and act.id in left[0].kept)


def state(head, acts):
    """P-13.8 to P-13.12, a function of the log and of a set of acts. Each step looks only at steps before it."""
    g = head.rights
    acts, confirmed = standing(head, acts)
    floor = g.floor or Floor({}, {}, (), ())
    by_log = (set(g.named) if RULES.roles_add else set(g.owners)) | set(floor.stays)
    counted, removals, leaves, alike, repeats = set(), {}, {}, {}, set()

    def first(a, key, many=1):  # of those that do the same: the least ids, and what is confirmed
        alike[key] = alike.get(key, 0) + 1
        if alike[key] <= many or a.id in confirmed:
            return True
        repeats.add(a.id)
        return False

    # Step 1: who with rights is out. Only the owner, who cannot be removed, and the log end a stay that has rights.
    for a in acts:
        if a.kind == "leave" and a.stay == g.owner:
            continue
        if a.kind == "leave" and a.stay in by_log and first(a, ("leave", a.stay), 2):
            leaves.setdefault(a.stay, []).append(a)
            counted.add(a.id)
        if a.kind == "remove" and a.subject != g.owner and (a.id in confirmed or a.stay == g.owner):
            removals.setdefault(a.subject, []).append(a)
            counted.add(a.id)
    # Step 2: the acts that need a right.
    weak, adds, opens, closes, retired = {}, {}, dict(floor.links), {}, set(floor.retired)
    for a in acts:
        if a.id in counted or (a.needs_right() and a.id not in confirmed and not kept_at_end(a, g, removals, leaves)):
            continue
        if a.kind == "remove" and a.subject != g.owner:
            weak.setdefault(a.subject, []).append(a)  # stays without rights: they end no author of step 2
            counted.add(a.id)
        if a.kind == "add":
            adds.setdefault(a.subject, []).append(a)
            counted.add(a.id)
        if a.kind == "open":
            opens[a.id] = a.policy
            counted.add(a.id)
        if a.kind == "close":
            closes.setdefault(a.subject, []).append(a)
            counted.add(a.id)
        if a.kind == "rekey":
            counted.add(a.id)
        if a.kind == "retire" and first(a, ("retire", a.subject)):
            retired.add(a.subject)
            counted.add(a.id)
    for stay, some in weak.items():
        removals.setdefault(stay, []).extend(some)
    # Step 3: joins.
    removed = {stay[0] for stay in removals}
    added, accepted, by_join, joins = by_log | set(adds), set(g.owners), set(), {}
    accepted |= {stay for stay, yes in floor.stays.items() if yes}
    for a in acts:
        if a.kind != "join":
            continue
        link, sure = a.subject, a.id in confirmed and RULES.confirmed_join
        closed = closes.get(link) if RULES.closing_binds else None
        back = a.stay[0] in floor.removed or any(r[0] == a.stay[0] and r != a.stay for r in removals)
        by_link = (
            link in opens
            and not (closed and not any(a.id in c.kept for c in closed))
            and (not back or RULES.removed_join)
        )
        if a.stay in added:  # otherwise: then it is an acceptance, whatever became of its link
            good, one = True, ("join", a.stay)
        else:
            good, one = by_link, ("join", a.stay[0], link)
        if sure or (good and (first(a, one) or not RULES.joins_once)):
            counted.add(a.id)
            accepted.add(a.stay)
            joins.setdefault(a.stay, []).append(a)
            if sure or (by_link and opens[link] == 1):
                by_join.add(a.stay)
    sure = {a.stay for some in joins.values() for a in some if a.id in confirmed}
    only_joined = by_join - added - sure
    added |= by_join
    # Step 4: what everybody says for himself.
    for a in acts:
        if (
            a.kind == "accept"
            and (a.stay in added or not RULES.accept_needs_add)
            and (not RULES.least or first(a, ("accept", a.stay)))
        ):
            accepted.add(a.stay)
            counted.add(a.id)
        if (
            a.kind == "leave"
            and a.stay != g.owner
            and a.id not in counted
            and (a.stay in added or not RULES.accept_needs_add)
            and first(a, ("leave", a.stay), 2)
        ):
            leaves.setdefault(a.stay, []).append(a)
            counted.add(a.id)

    def ended(stay):
        gone = stay in removals or stay in leaves or g.ended_by_floor(stay)
        return gone or (not RULES.by_stay and any(r[0] == stay[0] for r in removals))

    there = {stay for stay in added if not ended(stay)}
    live = (there & accepted) | {g.owner}
    return State(
        counted,
        live,
        added,
        there - live,
        {k: p for k, p in opens.items() if k not in closes},
        retired,
        removed | floor.removed,
        only_joined,
        joins,
        repeats,
        opens,
    )


def literally(head, acts, assumed):
    """The rules as they are written, without steps: which acts count if those in `assumed` do, for property 10."""
    g = head.rights
    acts, confirmed = standing(head, acts)
    floor = g.floor or Floor({}, {}, (), ())
    on = [a for a in acts if a.id in assumed]
    removals, leaves = {}, {}
    for a in on:
        if a.kind == "remove":
            removals.setdefault(a.subject, []).append(a)
        if a.kind == "leave":
            leaves.setdefault(a.stay, []).append(a)
    by_log = set(g.named) | set(floor.stays)
    adds = {a.subject for a in on if a.kind == "add"}
    opens = {**floor.links, **{a.id: a.policy for a in on if a.kind == "open"}}

    def by_link(a):
        closed = [c for c in on if c.kind == "close" and c.subject == a.subject]
        back = a.stay[0] in floor.removed or any(r[0] == a.stay[0] and r != a.stay for r in removals)
        return a.subject in opens and not back and (not closed or any(a.id in c.kept for c in closed))

    by_join = {a.stay for a in on if a.kind == "join" and (a.id in confirmed or (by_link(a) and opens[a.subject] == 1))}
    out = set()
    for a in acts:
        same = [b for b in on if b.kind == a.kind and b.id < a.id and b.subject == a.subject]
        if a.kind == "join":
            same = [b for b in on if b.kind == "join" and b.id < a.id and b.id not in confirmed]
            if a.stay in by_log | adds:
                same = [b for b in same if b.stay == a.stay]
            else:
                same = [
                    b for b in same if b.stay[0] == a.stay[0] and b.subject == a.subject and b.stay not in by_log | adds
                ]
        if a.needs_right() and a.id not in confirmed and not kept_at_end(a, g, removals, leaves):
            continue
        same = same if a.id not in confirmed else []
        if a.kind in ("remove", "leave") and a.subject == g.owner or a.kind in ("accept", "retire", "join") and same:
            continue
        if (
            a.kind == "leave"
            and len(same) > 1
            or a.kind in ("accept", "leave")
            and a.stay not in by_log | adds | by_join
        ):
            continue
        if a.kind == "join" and not (a.id in confirmed or a.stay in by_log | adds or by_link(a)):
            continue
        out.add(a.id)
    return out
