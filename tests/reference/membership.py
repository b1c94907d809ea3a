"""Section 13 of docs/spec/groups.md: who is a member of a group, and the steps of scripts about it.

Nothing here is kept from one count to the next: every device counts all of its acts again whenever it is asked.
"""

from accounts import DeviceList, check, signature
from bisik import *

L = {name: b"bisik-1 " + name.encode() + b"\0" for name in (
    "group id", "group entry", "hash of a group entry", "group rights", "group owner", "group act",
    "hash of a group act", "group link", "group acts", "group floor")}
FOUND, ROLE, SETTING, ADMIT, WITHDRAW, BAR, KEEP, LIFT, HAND_OVER, SETTLE, CONTINUES, END = range(1, 13)
ADD, ACCEPT, LEAVE, REMOVE, RETIRE, OPEN, CLOSE, JOIN, REKEY = range(1, 10)
OWNER, ADMIN, MEMBER, READER = range(4)
SIZES = {ROLE: 81, ADMIT: 168, WITHDRAW: 64, BAR: 128, HAND_OVER: 144, SETTLE: 32, CONTINUES: 64, END: 0, FOUND: 48}
RIGHTFUL = (ADD, REMOVE, OPEN, CLOSE, REKEY)


class Later(Refused):
    """Of a later version."""


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, n):
        require(len(self.data) >= n, "malformed")
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def number(self, n):
        return int.from_bytes(self.take(n), "big")

    def ids(self, most=1024):
        count = self.number(2)
        require(count <= most, "malformed")
        ids = [self.take(16) for _ in range(count)]
        require(ids == sorted(set(ids)), "malformed")
        return ids

    def end(self):
        require(not self.data, "malformed")


def listed(items):
    return pack(">H", len(items)) + b"".join(items)


def keys_in(*keys):
    for key in keys:
        otherwise("malformed", check_identity, key)


# 13.1 Entries

def read_changes(data):
    changes, reader = [], Reader(data)
    while reader.data:
        require(len(changes) < 256, "malformed")
        kind = reader.number(1)
        if kind in (KEEP, LIFT):
            changes.append((kind, reader.ids()))
        elif kind == SETTING:
            key, length = reader.number(1), reader.number(2)
            require(length <= 4096, "malformed")
            value = reader.take(length)
            require(not value or setting_accepts(key, value), "malformed")
            changes.append((kind, key, value))
        elif kind in SIZES:
            changes.append((kind, reader.take(SIZES[kind])))
            require(kind != ROLE or changes[-1][1][80] in (ADMIN, MEMBER, READER), "malformed")
        else:
            raise Later("newer-version")
    return changes


def setting_accepts(key, value):                                                                          # 13.2
    def text(most):
        try:
            return len(value) <= most and value.decode("utf-8") is not None
        except UnicodeDecodeError:
            return False
    rules = {1: lambda: text(255), 2: lambda: text(2048), 3: lambda: value in (b"\1", b"\2"), 4: lambda: len(value) == 4,
             5: lambda: value in (b"\1", b"\2", b"\3"), 6: lambda: len(value) <= 1024,
             7: lambda: len(value) <= 2048 and len(value) % 32 == 0}
    return rules.get(key, lambda: True)()


class Entry:
    def __init__(self, data):
        reader = Reader(data)
        require(reader.number(1) == 1, "newer-version")
        self.data, self.group, self.epoch, self.previous = data, reader.take(32), reader.number(8), reader.take(32)
        self.author, self.time, length = reader.take(64), reader.number(8), reader.number(2)
        otherwise("malformed", x25519_decode, self.author[32:])
        require(length <= 32768, "malformed")
        self.encoded, self.rights = reader.take(length), reader.take(32)
        reader.take(64), reader.end()
        self.hash = sha256(L["hash of a group entry"], data)

    def verify(self, owner):                                                                              # P-13.1
        otherwise("bad-signature", lambda _: check(owner, L["group entry"], self.data[:-64], self.data[-64:]), None)
        self.changes = read_changes(self.encoded)
        for kind, *said in self.changes:
            if kind in (ROLE, HAND_OVER, WITHDRAW):
                keys_in(said[0][:64])
            elif kind in (ADMIT, BAR):
                keys_in(said[0][:64], said[0][64:128])

    def lists(self, kind):
        return {act for changed, *said in self.changes if changed == kind for act in said[0]}

    def names(self):
        """The stays that the entry names, and whether it hands the group over to them."""
        return {said[0][:80]: kind == HAND_OVER for kind, *said in self.changes if kind in (ROLE, HAND_OVER)}


def write_entry(owner, group, epoch, previous, time, encoded, rights):
    text = b"\1" + group + pack(">Q", epoch) + previous + owner.public + pack(">QH", time, len(encoded)) + encoded + rights
    return text + signature(owner, L["group entry"], text)


class Rights:
    """13.2. What the log says after an entry."""

    def __init__(self):
        self.owner, self.ended, self.roles, self.settings, self.endpoints = None, 0, {}, {}, {}
        self.barred, self.settled = set(), (0, bytes(32))

    def after(self, entry, group):                                                                        # P-13.2
        require(not self.ended, "ended")
        r, changes = Rights(), entry.changes
        r.__dict__ = {name: value.copy() if hasattr(value, "copy") else value for name, value in vars(self).items()}
        last = [kind for kind, *_ in changes]
        require([kind for kind in last if kind in (SETTLE, HAND_OVER)] in ([], [SETTLE], [HAND_OVER], [SETTLE, HAND_OVER]),
                "not-permitted")
        require(not last or all(kind not in (SETTLE, HAND_OVER) for kind in last[:-2]), "not-permitted")
        require(len(last) < 2 or last[-2] not in (SETTLE, HAND_OVER) or last[-2:] == [SETTLE, HAND_OVER], "not-permitted")
        require(last.count(CONTINUES) <= (entry.epoch == 1), "not-permitted")
        named = [act for kind, *said in changes if kind in (KEEP, LIFT) for act in said[0]]
        require(len(named) == len(set(named)), "not-permitted")
        for place, (kind, *said) in enumerate(changes):
            require((kind == FOUND) == (entry.epoch == 1 and place == 0), "not-permitted")
            r.change(kind, said, entry, group)
        require(entry.epoch > 1 or last[:1] == [FOUND], "not-permitted")
        fits = (len(r.roles) <= 4096 and len(r.settings) <= 64 and sum(map(len, r.settings.values())) <= 16384
                and len(r.endpoints) <= 64 and len(r.barred) <= 256)
        require(fits, "full")
        return r

    def change(self, kind, said, entry, group):
        if kind == FOUND:
            self.owner = entry.author + said[0][32:]
            self.roles[self.owner] = OWNER
        elif kind == ROLE:
            require(said[0][:80] != self.owner, "not-permitted")
            self.roles[said[0][:80]] = said[0][80]
        elif kind == SETTING:
            self.settings.pop(said[0], None)
            if said[1]:
                self.settings[said[0]] = said[1]
        elif kind == ADMIT:
            self.endpoints[said[0][:64]] = said[0]
        elif kind == WITHDRAW:
            self.endpoints.pop(said[0], None)
        elif kind == BAR:
            require(said[0][:64] != said[0][64:], "not-permitted")
            self.barred.add(said[0])
        elif kind == HAND_OVER:
            new, consent = said[0][:80], said[0][80:]
            text = group + pack(">Q", entry.epoch) + entry.previous
            require(new != self.owner, "not-permitted")
            otherwise("not-permitted", lambda _: check(new[:64], L["group owner"], text, consent), None)
            self.roles[self.owner], self.roles[new], self.owner = ADMIN, OWNER, new
        elif kind == SETTLE:
            self.settled = entry.epoch, said[0]
        elif kind == END:
            self.ended = 1

    def hash(self):
        roles = [stay + bytes([role]) for stay, role in sorted(self.roles.items())]
        settings = [bytes([key]) + pack(">H", len(value)) + value for key, value in sorted(self.settings.items())]
        endpoints = [self.endpoints[key] for key in sorted(self.endpoints)]
        return sha256(L["group rights"], b"\1", self.owner, bytes([self.ended]), listed(roles), listed(settings),
                      listed(endpoints), listed(sorted(self.barred)), pack(">Q", self.settled[0]), self.settled[1])

    def role(self, stay):
        return self.roles.get(stay, MEMBER)


# 13.3 Acts

class Act:
    def __init__(self, data):
        require(270 <= len(data) <= 270 + 80 + 2 + 1024 * 16, "malformed")
        reader = Reader(data[:-64])
        require(reader.number(1) == 1, "newer-version")
        self.data, self.group, self.epoch, self.entry = data, reader.take(32), reader.number(8), reader.take(32)
        self.stay, self.index, self.list, self.time = reader.take(80), reader.number(4), reader.take(40), reader.number(8)
        otherwise("malformed", x25519_decode, self.stay[32:64])
        require((self.index == 0) == (self.list == bytes(40)), "malformed")
        self.account, self.kind, self.body = self.stay[:64], reader.number(1), reader.data
        self.hash = sha256(L["hash of a group act"], data)
        self.id = self.hash[:16]

    def verify(self, device):                                                                             # P-13.5
        otherwise("bad-signature", lambda _: check(device, L["group act"], self.data[:-64], self.data[-64:]), None)
        self.device = device

    def read(self):
        reader, self.target, self.kept = Reader(self.body), None, []
        require(ADD <= self.kind <= REKEY, "newer-version")
        if self.kind in (ADD, REMOVE):
            self.target = reader.take(80)
            keys_in_ = self.target[:64],
        elif self.kind == RETIRE:
            self.endpoint, self.of = reader.take(64), reader.take(64)
            keys_in_ = self.endpoint, self.of
        else:
            keys_in_ = ()
        if self.kind == OPEN:
            self.link = reader.take(33)
            require(self.link[32] in (1, 2), "malformed")
        elif self.kind in (CLOSE, JOIN):
            self.link = reader.take(16)
        if self.kind == JOIN:
            self.proof = reader.take(64)
        if self.kind in (LEAVE, REMOVE, CLOSE):
            self.kept = reader.ids()
        reader.end()
        keys_in(*keys_in_)
        if self.kind == OPEN:
            otherwise("malformed", ed25519_check, self.link[:32])
        self.ends = self.target if self.kind == REMOVE else self.stay if self.kind == LEAVE else None

    def permitted(self, rights, first=False):
        role, leads = rights.role(self.stay), rights.role(self.stay) in (OWNER, ADMIN)
        if self.account + self.device in rights.barred:
            return False
        if self.kind in (ACCEPT, JOIN):
            return True
        if self.kind == LEAVE:
            return self.index == 0 and role != OWNER and (not first or not self.kept or leads)
        if self.kind == REMOVE:
            below = rights.role(self.target) not in (OWNER, ADMIN)
            return self.target != self.stay and (role == OWNER or role == ADMIN and below)
        if self.kind == RETIRE:
            admitted = rights.endpoints.get(self.endpoint, bytes(128))[64:128] == self.of
            return (admitted or not first) and (leads or self.of == self.account)
        return leads


def write_act(device, index, list_id, group, epoch, entry, stay, time, kind, body=b""):
    text = (b"\1" + group + pack(">Q", epoch) + entry + stay + pack(">I", index) + list_id + pack(">QB", time, kind) + body)
    return text + signature(device, L["group act"], text)


class Floor:
    """13.6."""

    def __init__(self, data=None):
        self.stays, self.links, self.retired, self.removed = {}, {}, set(), set()
        if data is None:
            return
        reader = Reader(data)
        require(reader.number(1) == 1, "malformed")

        def items(size, most):
            count = reader.number(2)
            require(count <= most, "malformed")
            found = [reader.take(size) for _ in range(count)]
            return found
        stays, links = items(81, 2048), items(49, 64)
        retired, removed = items(64, 4096), items(64, 4096)
        reader.end()
        for found, names in ((stays, 80), (links, 16), (retired, 64), (removed, 64)):
            require(sorted({item[:names] for item in found}) == [item[:names] for item in found], "malformed")
        require(all(stay[80] <= 1 for stay in stays) and all(link[48] in (1, 2) for link in links), "malformed")
        self.stays, self.links = {s[:80]: s[80] for s in stays}, {k[:16]: k[16:] for k in links}
        self.retired, self.removed = set(retired), set(removed)

    def encode(self):
        return (b"\1" + listed([stay + bytes([accepted]) for stay, accepted in sorted(self.stays.items())])
                + listed([key + link for key, link in sorted(self.links.items())])
                + listed(sorted(self.retired)) + listed(sorted(self.removed)))


# 13.4 and 13.5 What counts, and who is a member

class Count:
    """The acts `held` by a device, counted."""

    def __init__(self, device, held):
        self.device, self.held, self.counts = device, sorted(held, key=lambda act: act.hash), []
        self.newest, self.floor, self.since = device.rights[-1], device.floor, device.settled
        self.standing, self.repeating = {act.hash: self.by_log(act) for act in self.held}, set()
        owner = self.newest.owner

        def stage(act):
            confirmed = self.standing[act.hash][0]
            if act.kind == REMOVE:
                return 1 if confirmed or act.stay == owner else 2
            if act.kind == LEAVE:
                return 1 if self.added_by_log(act.stay) else 5
            return {JOIN: 4, ACCEPT: 5}.get(act.kind, 3)
        for act in sorted(self.held, key=stage):
            if self.judge(act):
                self.counts.append(act)
        self.stays = {stay for act in self.held for stay in (act.stay, act.target) if stay}
        self.stays |= set(self.newest.roles) | set(self.floor.stays)

    def by_log(self, act):                                                                                # P-13.8
        confirmed = void = lifted = False
        for entry, rights in zip(self.device.entries[act.epoch:], self.device.rights[act.epoch:]):
            handed = act.ends is not None and entry.names().get(act.ends, False)
            if handed or act.id in entry.lists(LIFT):
                confirmed, void, lifted = False, True, True
            elif act.id in entry.lists(KEEP):
                confirmed, void, lifted = True, False, False
            elif not act.permitted(rights) and not confirmed:
                void = True
        return confirmed, void, lifted

    def counting(self, kind, **fields):
        return [act for act in self.counts if act.kind == kind and all(getattr(act, k) == v for k, v in fields.items())]

    def named_since(self, stay, handed=False):
        entries = self.device.entries[self.since:]
        named = any(stay in entry.names() and (entry.names()[stay] or not handed) for entry in entries)
        return named or not self.since and stay == self.device.founder

    def added_by_log(self, stay):
        return stay == self.newest.owner or stay in self.floor.stays or self.named_since(stay)

    def ended_below(self, stay):                                                                          # P-13.15
        held = self.since and stay in self.device.rights[self.since - 1].roles
        return bool(held) and stay != self.newest.owner and stay not in self.floor.stays and not self.named_since(stay, True)

    def outlived(self, act):                                                                              # P-13.9
        removals, leaves = self.counting(REMOVE, target=act.stay), self.counting(LEAVE, stay=act.stay)
        if removals or self.ended_below(act.stay):
            return not any(act.id in removal.kept for removal in removals)
        return len(leaves) > 1 or len(leaves) == 1 and act.id not in leaves[0].kept

    def added(self, stay):
        """P-13.12, a."""
        if self.adds(stay):
            return True
        return any(self.standing[join.hash][0] or (self.opened(join.link) or b"\0")[-1] == 1 and self.proved(join)
                   for join in self.counting(JOIN, stay=stay))

    def opened(self, link):
        found = [act.link for act in self.counting(OPEN) if act.id == link]
        return found[0] if found else self.floor.links.get(link)

    def proved(self, join):
        opening = [act.link for act in self.held if act.kind == OPEN and act.id == join.link]
        key = opening[0] if opening else self.device.floor.links.get(join.link, bytes(33))
        try:
            ed25519_check(key[:32])
            verify(key[:32], L["group link"] + self.device.group + join.stay, join.proof)
            return True
        except Refused:
            return False

    def judge(self, act):
        confirmed, void, _ = self.standing[act.hash]
        if void:
            return False
        lasting = act.kind in RIGHTFUL or act.kind == RETIRE and act.of != act.account
        if lasting and not confirmed and self.outlived(act):
            return False
        same = {ACCEPT: dict(stay=act.stay), LEAVE: dict(stay=act.stay)}
        if act.kind == RETIRE:
            same[RETIRE] = dict(endpoint=act.endpoint)
        if act.kind in same and not confirmed:
            lower = [other for other in self.counting(act.kind, **same[act.kind]) if other.hash < act.hash]
            if len(lower) >= (2 if act.kind == LEAVE else 1):                                             # P-13.11
                self.repeating.add(act.hash)
                return False
        if act.kind in (REMOVE, LEAVE) and act.ends == self.newest.owner:                                 # P-13.10
            return False
        if act.kind in (ACCEPT, LEAVE):
            return self.added(act.stay)
        if act.kind == JOIN:
            return self.joins(act, confirmed)
        return True

    def adds(self, stay):
        """Whether the log, the floor or an add does."""
        return bool(self.added_by_log(stay) or self.counting(ADD, target=stay))

    def joins(self, act, confirmed):                                                                      # P-13.11
        if confirmed:
            return True
        others = [other for other in self.counting(JOIN) if other.hash < act.hash and not self.standing[other.hash][0]]
        if self.adds(act.stay):
            least = not any(other.stay == act.stay for other in others)
        else:
            closings = self.counting(CLOSE, link=act.link)
            removed = {other.target for other in self.counting(REMOVE) if other.target[:64] == act.account} - {act.stay}
            if not (self.opened(act.link) and self.proved(act) and not removed and act.account not in self.floor.removed
                    and (not closings or any(act.id in closing.kept for closing in closings))):
                return False
            least = not any((other.account, other.link) == (act.account, act.link) and not self.adds(other.stay)
                            for other in others)
        if not least:
            self.repeating.add(act.hash)
        return least

    def ended(self, stay):
        return bool(self.counting(REMOVE, target=stay) or self.counting(LEAVE, stay=stay) or self.ended_below(stay))

    def accepted(self, stay):
        return bool(self.counting(ACCEPT, stay=stay) or self.counting(JOIN, stay=stay) or self.floor.stays.get(stay)
                    or self.named_since(stay, True))

    def live(self):                                                                                       # P-13.12
        owner = self.newest.owner
        return {stay for stay in self.stays if stay == owner
                or self.added(stay) and self.accepted(stay) and not self.ended(stay)}

    def receiving(self):                                                                                  # P-13.13
        if self.device.equivocated or self.device.awaits_floor():
            return set()
        held = [act for act in self.held if not self.standing[act.hash][2]]
        carried = {kind: {what for act_id, (sort, what) in self.device.carried.items()
                          if sort == kind and act_id not in self.device.lifted_now()} for kind in (REMOVE, CLOSE)}
        cut = {act.ends for act in held if act.ends} | {s for s in carried[REMOVE] if not self.named_since(s, True)}
        return {stay for stay in self.live() if stay == self.newest.owner
                or stay not in cut and not self.doubted(stay, held, carried[CLOSE])}

    def doubted(self, stay, held, carried):
        joins = self.counting(JOIN, stay=stay)
        if self.adds(stay) or any(self.standing[j.hash][0] for j in joins):
            return False
        if any(act.kind == REMOVE and act.target[:64] == stay[:64] and act.target != stay for act in held):
            return True

        def closed(join):
            closings = [act for act in held if act.kind == CLOSE and act.link == join.link]
            return (closings or join.link in carried) and not any(join.id in closing.kept for closing in closings)
        at_once = [join for join in joins if (self.opened(join.link) or b"\0")[-1] == 1]
        return all(closed(join) for join in at_once)

    def digest(self):                                                                                     # P-13.14
        return sha256(L["group acts"], *sorted(act.hash for act in self.counts))

    def make_floor(self):
        floor, closed = Floor(), {act.link for act in self.counting(CLOSE)}
        floor.stays = {stay: int(stay == self.newest.owner or self.accepted(stay)) for stay in self.stays
                       if stay == self.newest.owner or self.added(stay) and not self.ended(stay)}
        links = self.floor.links | {act.id: act.link for act in self.counting(OPEN)}
        floor.links = {key: link for key, link in links.items() if key not in closed}
        floor.retired = self.floor.retired | {act.endpoint for act in self.counting(RETIRE)}
        floor.removed = self.floor.removed | {act.target[:64] for act in self.counting(REMOVE)}
        return floor


class Membership:
    """A group as one device knows it."""

    def __init__(self, first, lists):
        entry = Entry(first)
        require(entry.group == entry.previous == bytes(32) and entry.epoch == 1, "not-permitted")
        entry.verify(entry.author)
        self.group, self.lists = sha256(L["group id"], first), lists
        self.entries, self.rights = [entry], [Rights().after(entry, self.group)]
        require(self.rights[0].hash() == entry.rights, "other-rights")
        self.founder, self.settled, self.floor = self.rights[0].owner, 0, Floor()
        self.held, self.carried, self.equivocated = [], {}, False
        self.aside_entries, self.aside_acts = [], []

    def count(self):
        return Count(self, self.held)

    def link(self, name):
        """The key of a link, whether or not the act that opens it counts."""
        found = [act.link for act in self.held if act.kind == OPEN and act.id == name]
        return found[0] if found else self.floor.links.get(name)

    def lifted_now(self):
        """The acts that the last entry to say anything of them lifts."""
        said = {}
        for entry in self.entries:
            said |= {act: kind for kind in (KEEP, LIFT) for act in entry.lists(kind)}
        return {act for act, kind in said.items() if kind == LIFT}

    def offer(self, kind, data):
        taken = {"entry": self.offer_entry, "act": self.offer_act, "floor": self.offer_floor}[kind](data)
        while taken == "taken" and not self.equivocated and self.retry():
            pass
        return taken

    def retry(self):
        """Entries first, all that follow; then the acts, as if all of them arrived at once."""
        more = True
        while more:
            entries, self.aside_entries, more = self.aside_entries, [], False
            for data in entries:
                try:
                    more |= self.offer_entry(data) == "taken"
                except Refused:
                    pass
        if self.equivocated:
            return False
        acts, self.aside_acts, ready = self.aside_acts, [], []
        for data in acts:
            try:
                ready += [act for act in [self.verified(data)] if not isinstance(act, str)]
            except Refused:
                pass
        return "taken" in self.take(ready)

    def offer_entry(self, data):
        require(not self.equivocated, "equivocated")
        entry = Entry(data)
        if any(known.data == data for known in self.entries):
            return "known"
        require(entry.group == self.group, "other-group")
        before = self.entries[entry.epoch - 2] if 1 < entry.epoch <= len(self.entries) + 1 else None
        if before is None or before.hash != entry.previous:                                               # P-13.3
            require(entry.epoch > 1, "not-permitted")
            self.aside_entries = [kept for kept in self.aside_entries if kept != data] + [data]
            return "aside"
        rights = self.rights[entry.epoch - 2]
        require(entry.author == rights.owner[:64], "not-permitted")
        entry.verify(entry.author)
        after = rights.after(entry, self.group)
        require(after.hash() == entry.rights, "other-rights")
        if entry.epoch <= len(self.entries):                                                              # P-13.4
            self.equivocated = True
        else:
            self.entries.append(entry), self.rights.append(after)
            self.forget()
        return "taken"

    def awaits_floor(self):
        return self.rights[-1].settled[0] != self.settled

    def offer_act(self, data):
        act = self.verified(data)
        if isinstance(act, str):
            return act
        taken, = self.take([act])
        require(taken != "does-not-count", taken)
        return taken

    def verified(self, data):
        """The act, or what becomes of it."""
        require(not self.equivocated, "equivocated")
        act = Act(data)
        require(act.group == self.group, "other-group")
        if any(known.data == data for known in self.held):
            return "known"
        require(act.epoch >= self.settled, "settled")
        device = act.account
        if act.index:
            devices = self.lists.get((act.account, act.list))
            if devices is None:
                return self.keep_aside(data)
            require(act.index in devices, "unknown-device")
            device = devices[act.index]
        act.verify(device)
        if not 0 < act.epoch <= len(self.entries) or self.entries[act.epoch - 1].hash != act.entry:
            return self.keep_aside(data)
        if self.awaits_floor() and act.epoch >= self.rights[-1].settled[0]:                               # P-13.15
            return self.keep_aside(data)
        act.read()
        require(act.permitted(self.rights[act.epoch - 1], first=True), "not-permitted")
        return act

    def keep_aside(self, data):                                                                           # P-13.6
        self.aside_acts = [kept for kept in self.aside_acts if kept != data] + [data]
        return "aside"

    def take(self, acts):                                                                                 # P-13.7
        """What becomes of acts that arrive at once: they are judged together."""
        kept = {name for act in acts for name in getattr(act, "kept", ())}
        entering = [act for act in acts if not self.void_alone(act, kept)]
        count, held = Count(self, self.held + entering), len(self.held)
        self.held += [act for act in entering if act in count.counts or act.hash in count.repeating]
        if len(self.held) > held:
            self.forget()
        return ["taken" if act in self.held else self.lacking(act, count if act in entering else None) for act in acts]

    def lacking(self, act, count):                                                                        # P-13.6
        if count and not count.standing[act.hash][1] and act.hash not in count.repeating:
            lacks_stay = act.kind in (ACCEPT, LEAVE) and not count.added(act.stay) and act.stay != self.rights[-1].owner
            if lacks_stay or act.kind == JOIN and self.link(act.link) is None:
                return self.keep_aside(act.data)
        return "does-not-count"

    def void_alone(self, act, kept):
        """Whether an act is void whatever else arrives with it."""
        count = Count(self, self.held + [act])
        confirmed, void, _ = count.standing[act.hash]
        return void or act.kind in RIGHTFUL and act.id not in kept and not confirmed and count.outlived(act)

    def forget(self):                                                                                     # P-13.7
        """Forgets what one author repeats: its primary, or any of its companions."""
        count, said, self.held = self.count(), {}, []
        for act in count.held:
            other = act.kind == RETIRE and act.of != act.account
            name = (act.kind, act.account, act.index == 0) + {
                ACCEPT: (act.stay,), LEAVE: (act.stay,), JOIN: (act.stay if count.adds(act.stay) else getattr(act, "link", None),),
                RETIRE: (getattr(act, "endpoint", None), act.stay if other else None)}.get(act.kind, (act.hash,))
            repeats = act.hash in count.repeating
            if repeats and said.get(name, 0) >= (2 if act.kind == LEAVE else 1):
                continue
            if repeats or act in count.counts:
                said[name] = said.get(name, 0) + 1
            self.held.append(act)

    def offer_floor(self, data):                                                                          # P-13.15
        require(not self.equivocated, "equivocated")
        epoch, named = self.rights[-1].settled
        require(epoch and named == sha256(L["group floor"], data), "unknown-floor")
        if epoch == self.settled:
            return "known"
        floor = Floor(data)
        require(floor.stays.get(self.rights[epoch - 1].owner) == 1, "malformed")
        count = self.count()
        for act in self.held:
            if act.epoch < epoch and not count.standing[act.hash][2] and act.kind in (REMOVE, LEAVE, CLOSE):
                self.carried[act.id] = (REMOVE, act.ends) if act.ends else (CLOSE, act.link)
        self.carried = {key: (kind, what) for key, (kind, what) in self.carried.items()
                        if what in (floor.stays if kind == REMOVE else floor.links) and key not in self.lifted_now()
                        and not (kind == REMOVE and count.named_since(what, True))}
        self.held = [act for act in self.held if act.epoch >= epoch]
        self.settled, self.floor = epoch, floor
        self.forget()
        return "taken"


class MembershipSteps:
    """The verbs of scripts about groups."""

    def know_list(self, step, draw):
        known = DeviceList(step["seen"])
        known.authentic()
        own = {c.index: c.device for c in known.certificates if c.terms[0] <= 3}
        self.signers = getattr(self, "signers", {})
        self.signers[known.account, pack(">Q", known.sequence) + known.hash()] = own
        return {}

    def follow_group(self, step, draw):
        self.memberships = getattr(self, "memberships", {})
        followed = Membership(step["statement"], self.__dict__.setdefault("signers", {}))
        self.memberships[step["of"]] = followed
        return {"group_id": followed.group} | self.seen_by(followed)

    def offer_entry(self, step, draw):
        return self.offered("entry", step)

    def offer_act(self, step, draw):
        return self.offered("act", step)

    def offer_floor(self, step, draw):
        return self.offered("floor", step)

    def offered(self, kind, step):
        membership = self.memberships[step["of"]]
        return {"taken": membership.offer(kind, step["statement"])} | self.seen_by(membership)

    @staticmethod
    def seen_by(membership):
        count = membership.count()
        return {"members": b"".join(sorted({stay[:64] for stay in count.live()})),
                "receivers": b"".join(sorted({stay[:64] for stay in count.receiving()})),
                "newest_entry": membership.entries[-1].hash, "acts_digest": count.digest()}
