"""Section 12 of docs/spec/conversations.md: messages that are kept, what is due, and what an arrival does.

Of the limits it has those of a frame, of a link, and of kept messages; of labels only whether the user consented to a
hosted device. What is made is stored and handed over at once.
"""

import copy
from dataclasses import dataclass, replace

from bisik import *
from accounts import DeviceList
from frame_format import DECISION, MESSAGE, RECEIPT, WITHDRAWN, Frame
from hearing import NONE, Hearing, lists, words
from hosted_devices import Disclosure
from links import HEAL_OWN, HEAL_PEER, UNASKED, Link, number

L_ID, L_BOTH = b"bisik-1 conversation id\0", b"bisik-1 conversation disclosures\0"

WHY = {"replayed": "duplicate", "ahead": "unreadable", "unsupported-version": "newer-version",
       "too-many-set-ups": "replay-cache-full", "strangers-full": "replay-cache-full"}
TELLING = ("duplicate", "forked", "ahead", "too-far", "unsupported-version")


def conversation_id(one, other):                                                                          # 12.1
    return sha256(L_ID, *sorted((one, other)))[:16]


def under(one, other):                                                                                    # P-12.35
    named = sorted(disclosure for disclosure in (one, other) if disclosure != NONE)
    return sha256(L_BOTH, *named) if len(named) == 2 else (named + [NONE])[0]


@dataclass
class Device:
    """The state of a device over all its conversations."""
    identity: Identity
    pre_keys: PreKeys
    list: DeviceList
    disclosure: Disclosure | None

    def deadline(self, now):                                                                              # P-12.58
        stated = self.disclosure
        return min(now, stated.expires) + max(stated.at_rest, stated.in_use) if stated else None

    def entry(self):
        return next(c for c in self.list.certificates if c.device == self.identity.public)


@dataclass
class Kept:
    id: bytes
    kind: int
    body: bytes
    at: int
    until: int | None
    waiting: dict                           # By device the number of the last transmission to it, 0 if one is due.
    sent: bool = False


@dataclass
class Plan:
    """What is due for one device."""
    pays: bool
    clock: bool
    heals: bool
    sends: bool
    needs_session: bool


class Talk(Hearing):
    def __init__(self, device, peer):
        self.device, self.peer, self.agreed, self.events = device, peer, set(), []
        self.id = conversation_id(device.list.account, peer.account)
        self.links, self.kept, self.last, self.overdue = {}, [], 0, None
        self.accepted = self.requested = False
        self.label = None
        self.observe()

    # The parties

    def devices(self):
        """By (own, index): the peer's devices first, then the other own ones."""
        peers = [((False, c.index), c) for c in self.peer.certificates if self.peer.account != self.device.list.account]
        own = [((True, c.index), c) for c in self.device.list.certificates if c.device != self.device.identity.public]
        return dict(peers + own)

    def under(self, certificate):
        return under(self.device.entry().terms[2:], certificate.terms[2:])

    def permitted(self):                                                                                  # P-12.57
        return all(c.terms[2:] in self.agreed | {NONE} for c in self.peer.certificates)

    def observe(self):
        label = [(c.terms[2:], c.terms[2:] in self.agreed) for c in self.peer.certificates if c.terms[2:] != NONE]
        if label != self.label:
            self.label = label
            self.tell("label-changed")

    def answers(self, to):                                                                                # P-12.51
        return to[0] or self.accepted

    def leads(self, key):
        return self.device.identity.public < key

    def accept(self):
        if not self.accepted:
            self.accepted = True
            for slot in (slot for link in self.links.values() for slot in link.slots):
                if not slot.ours and not slot.confirmed():
                    slot.answer = slot.answer or UNASKED

    def tell(self, event, *about):                                                                        # P-12.13
        if (event, *about) not in self.events:
            self.events.append((event, *about))

    def follow(self, peer):
        before = {c.index: c.data[:102] for c in self.peer.certificates}
        self.peer = peer
        self.observe()
        self.reconcile()
        after = {c.index: c.data[:102] for c in peer.certificates}
        for index in sorted(before.keys() | after.keys()):
            if before.get(index) != after.get(index):
                self.tell("devices", index, after.get(index))

    def reconcile(self):                                                                                  # P-12.5
        current = self.devices()
        self.links = {to: link for to, link in self.links.items() if to in current and current[to].device == link.key}
        for to, link in self.links.items():
            link.retire_others(self.under(current[to]))
        for kept in self.kept:
            kept.waiting = {to: sent for to, sent in kept.waiting.items() if to in current}
        self.kept = [kept for kept in self.kept if kept.waiting]

    # 12.5 Sending

    def keep(self, kind, body, devices, now, draw):
        self.last = max(self.last + 1, min(now, 2**38) * 1024)                                            # P-12.24
        id = pack(">Q", self.last) + draw(8)
        if devices:
            self.kept.append(Kept(id, kind, body, now, self.device.deadline(now), dict.fromkeys(devices, 0)))
        while len(self.kept) > 64 or sum(len(kept.body) for kept in self.kept) > 2**20:                   # P-12.29
            self.give_up(self.kept.pop(0))
        return id

    def give_up(self, kept):
        for to in sorted(kept.waiting) if kept.kind != WITHDRAWN else ():
            if to in self.links:
                self.links[to].author.lose(kept.id)
            self.tell("given-up", kept.id, to)

    def expire(self, now):
        self.drop([kept for kept in self.kept if kept.until and kept.until <= now])
        old = [kept for kept in self.kept if kept.at + 14 * DAY <= now]
        if old and self.overdue is not None and self.overdue <= now:
            if now < self.overdue + HOUR:
                return
            self.drop(old)
            old = []
        self.overdue = now if old else None

    def drop(self, old):
        self.kept = [kept for kept in self.kept if kept not in old]
        for kept in old:
            self.give_up(kept)

    def send(self, body, now, draw):
        require(self.permitted(), "blocked")
        self.accept()
        return self.keep(MESSAGE, body, self.devices(), now, draw)

    def withdraw(self, id):                                                                               # P-12.31
        kept = next((kept for kept in self.kept if kept.id == id), None)
        require(kept, "not-kept")
        kept.kind, kept.body = WITHDRAWN, b""
        if not kept.sent:
            self.kept.remove(kept)

    def waiting(self, to):
        """What may be sent there."""
        speaks = to[0] or self.permitted()
        return [kept for kept in self.kept if to in kept.waiting and (speaks or kept.kind in (DECISION, RECEIPT))]

    def plan(self, to, key, now):
        if not self.answers(to):
            return Plan(False, False, False, False, False)
        speaks, waiting = to[0] or self.permitted(), self.waiting(to)
        link = self.links.get(to) or Link(key)
        pays = speaks and (link.doubt.raised or link.has_unbound_offers()) and link.doubt.has_token(now)
        current = link.current(self.leads(key))
        at_once = any(kept.waiting[to] == 0 for kept in waiting)
        due = bool(speaks or waiting) and link.author.is_due(waiting, at_once, now)
        clock = due and link.author.is_time(now)
        heals = clock and link.author.tries >= (HEAL_OWN if to[0] else HEAL_PEER) and link.once           # P-12.50
        wants = pays and link.doubt.raised or heals or link.doubt.wants_session
        sends = due and bool(waiting)
        needs = wants and speaks and not link.unanswered() or due and not current and not link.once  # P-12.30
        return Plan(pays, clock, heals, sends, needs)

    def flush(self, bundles, now, draw):
        devices, new = self.devices(), {}
        needed = [to for to, c in devices.items() if self.plan(to, c.device, now).needs_session]
        for to, data in zip(needed, bundles, strict=True):
            origins, offers = self.links[to].offers() if to in self.links else ([], [])
            bundle = verify_bundle(data, devices[to].device, now)
            session = Session.initiate(self.device.identity, bundle, draw, now, self.under(devices[to]), offers)
            new[to] = session, not bundle.one_time, origins
        self.reconcile()
        self.expire(now)
        letters = []
        for to, certificate in devices.items():
            if to in self.links:
                self.links[to].author.notice(now)
            plan = self.plan(to, certificate.device, now)
            if to in new:
                self.links.setdefault(to, Link(certificate.device)).add_ours(*new[to])
            if to in self.links:
                self.carry_out(self.links[to], plan, now, draw)
                letters += self.write_to(to, self.links[to], plan, now, draw)
        return letters

    def carry_out(self, link, plan, now, draw):
        doubt = link.doubt
        if plan.pays:                                                                                     # P-12.48
            doubt.take_token(now)
            if doubt.raised:
                doubt.raised, doubt.ask, doubt.wants_session = False, draw(4), True
                current = link.current(self.leads(link.key))
                if current and current.live:
                    current.ask = doubt.ask
        if plan.clock:
            link.author.tried(now)
            link.owes |= not plan.sends
        if plan.heals:
            doubt.ask, doubt.wants_session = doubt.ask or draw(4), True
        if doubt.wants_session and link.unanswered():
            link.unanswered().ask, doubt.wants_session = doubt.ask, False

    def write_to(self, to, link, plan, now, draw):
        speaks, current = (to[0] or self.permitted()) and self.answers(to), None
        messages, owed = [], False
        if self.answers(to):
            current = link.current(self.leads(link.key))
        if current:
            waiting = self.waiting(to) if plan.sends else []
            messages = [kept for kept in waiting if kept.waiting[to] == 0] or (waiting[:1] if plan.clock else [])
            if messages:
                link.author.sent(now)
            owed = messages or speaks and (link.owes or link.names.acknowledgement_due(now))
        due = [slot for slot in link.slots if speaks and slot.asks(plan.pays) or owed and slot is current]
        base = self.base(to)
        return [letter for slot in due for letter in
                self.write_in(to, link, slot, messages if slot is current else [], slot is current, base, draw)]

    def base(self, to):                                                                                   # P-12.34
        waiting = [number(kept.id) for kept in self.kept if to in kept.waiting]
        lost = [number(id) for id in self.links[to].author.lost] if to in self.links else []
        return min(waiting + lost, default=self.last + 1)

    def write_in(self, to, link, slot, messages, is_current, base, draw):
        if is_current:
            link.names.waiting, link.owes = 0, False
        slot.tried, slot.sent = slot.tried + 1, True
        session, chains = slot.session, slot.session.chains_received()
        if chains > 1:
            slot.words = set()
        bare = Frame(*lists(self.device.list, self.peer), last=self.last, base=base, for_own=int(to[0]),
                     **link.names.report(slot.serial), ask=slot.ask, answer=slot.answer, replaced_by=slot.tell,
                     lost=sorted(set(link.author.lost)),
                     first_words=sorted(slot.words) if slot.ours and chains == 1 else [])
        slot.ask = slot.answer = slot.tell = None
        waits = session.waiting()
        if waits:
            bare.conversation, bare.offered = self.id, session.labels()
            bare.account = self.peer.account if to[0] else None
        letters = []
        for kept in messages or [None]:
            frame = replace(bare, kind=kept.kind, name=kept.id, body=kept.body) if kept else bare
            data = frame.encode()
            letters.append((to, data, session.encrypt(data, draw)))
            bare.ask = bare.answer = bare.replaced_by = None
            if kept:
                if not link.once and waits and len(slot.words) < 64:
                    slot.words.add(words(kept.kind, kept.id, kept.body))
                link.author.transmissions += 1
                kept.waiting[to], kept.sent = link.author.transmissions, True
        return letters

    # 12.4 Receiving

    def receive(self, sender, message, now):
        """The received thing, as (what, its message id, bytes)."""
        certificate = self.devices().get(sender)
        require(certificate, "unknown-device")                                                            # P-12.3
        if sender in self.links and self.links[sender].key != certificate.device:
            del self.links[sender]
        link, first = self.links.get(sender) or Link(certificate.device), message[:1] == b"\x21"
        if link.slots and (not first or any(slot.session.is_first_flight(message[1:1209]) for slot in link.slots)):
            slot, frame, confirms = self.read(sender, link, message)
        else:
            (slot, frame), confirms = self.set_up(sender, link, message, certificate, now), False
        self.links[sender] = link
        link.recent = (link.recent + [message[-8:]])[-32:]
        if confirms:
            if link.confirm(slot, now):
                self.tell("session-replaced", sender, slot.serial)
            self.reconcile()
        return self.apply(sender, link, slot, frame, now)

    def read(self, sender, link, message):                                                                # P-12.15
        for giving_up in (False, True):
            reasons = []
            for slot in reversed(link.slots):
                session = copy.deepcopy(slot.session)
                try:
                    data, _ = session.decrypt(self.device.identity, message, giving_up)
                except Refused as refused:
                    reasons.append(str(refused))
                    continue
                frame, before = self.checked(sender, data, message), slot.confirmed()
                slot.session = session
                return slot, frame, slot.confirmed() and not before
            reason = min(reasons, key=lambda one: TELLING.index(one) if one in TELLING else len(TELLING))
            if reason != "ahead":
                break
        if reason == "duplicate":
            raise Refused("duplicate")
        require(reason != "unsupported-version", "newer-version")
        require(reason not in ("ahead", "too-far"), "unreadable")
        if reason == "forked":
            self.tell("forked", sender)
        self.doubt(sender, link, message)

    def set_up(self, sender, link, message, certificate, now):
        if message[:1] != b"\x21":
            self.doubt(sender, link, message)
        keys = copy.deepcopy(self.device.pre_keys)
        try:
            session, data = Session.accept(self.device.identity, keys, message, now, self.under(certificate))
            require(session.peer == certificate.device, "rejected")
        except Refused as refused:
            if str(refused) in WHY:
                raise Refused(WHY[str(refused)]) from None
            self.doubt(sender, link, message)
        frame = self.checked(sender, data, message)
        last_resort = len(keys.one_time) == len(self.device.pre_keys.one_time)
        self.device.pre_keys = keys
        return link.add_theirs(session, frame.offered, last_resort), frame

    def doubt(self, sender, link, message):                                                               # P-12.46
        require(message[-8:] not in link.recent, "duplicate")
        if self.answers(sender):
            self.links[sender], link.doubt.raised = link, True
        raise Refused("unreadable")

    def checked(self, sender, data, message):                                                             # P-12.12
        try:
            frame = Frame.decode(data)
        except Refused as refused:
            raise Refused("newer-version" if str(refused) == "unsupported-version" else "misbehaved") from None
        require(bool(frame.for_own) == sender[0] and bool(frame.conversation) == (message[:1] == b"\x21"), "misbehaved")
        require(frame.conversation in (None, self.id) and frame.account in (None, self.peer.account), "misbehaved")
        return frame
