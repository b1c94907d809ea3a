"""Section 12 of docs/spec/conversations.md: frames, the sessions with one device, pending work; and the steps of
scripts about them.

Of the limits it has those of a frame; of labels only whether the user consented to a hosted device.
"""

import copy
from dataclasses import dataclass

from accounts import DeviceList, Directory
from bisik import *
from hosted_devices import L_RECEIPT, Decision, Disclosure, decide
from accounts import signature

L_ID, L_LISTS = b"bisik-1 conversation id\0", b"bisik-1 conversation device lists\0"
L_BOTH = b"bisik-1 conversation disclosures\0"
MESSAGE, COPY, ACKNOWLEDGEMENT, REQUEST, DECISION, RECEIPT = range(1, 7)
NONE, HOUR = bytes(32), 3_600


def conversation_id(one, other):                                                                          # 12.1
    return sha256(L_ID, *sorted((one, other)))[:16]


def under(one, other):                                                                                    # P-12.6
    named = sorted(disclosure for disclosure in (one, other) if disclosure != NONE)
    return sha256(L_BOTH, *named) if len(named) == 2 else (named + [NONE])[0]


# 12.2 Frames

@dataclass
class Lists:
    """The sequence numbers of the sender's lists, its own account's first, and a digest of both."""
    own: int
    peer: int
    digest: bytes

    @classmethod
    def of(cls, own, peer):
        return cls(own.sequence, peer.sequence, sha256(L_LISTS, own.hash(), peer.hash())[:16])


def frame(kind, fresh, conversation, id, lists, body):
    return bytes([1, kind, fresh]) + conversation + id + pack(">QQ", lists.own, lists.peer) + lists.digest + body


class Frame:
    def __init__(self, data, conversation, id, own):                                                      # P-12.3
        require(len(data) >= 67 and data[0] == 1 and 1 <= data[1] <= 6 and data[2] <= 1, "misbehaved")
        self.kind, self.fresh, self.body = data[1], bool(data[2]), data[67:]
        require(data[3:19] == conversation and data[19:35] == id, "misbehaved")
        require(self.kind not in ((MESSAGE, RECEIPT) if own else (COPY,)), "misbehaved")
        self.lists = Lists(*unpack(">QQ", data[35:51]), data[51:67])
        if self.kind in (ACKNOWLEDGEMENT, REQUEST):
            self.ids = [self.body[at:at + 16] for at in range(0, len(self.body), 16)]
            require(1 <= len(self.ids) <= 256 and len(self.body) % 16 == 0, "misbehaved")
        if self.kind == DECISION:
            otherwise("misbehaved", Decision, self.body[:302])
            require(own or len(self.body) == 302, "misbehaved")
            if own:
                otherwise("misbehaved", Disclosure, self.body[302:])
        if self.kind == RECEIPT:
            require(len(self.body) == 438, "misbehaved")
            otherwise("misbehaved", Decision, self.body[:302])


# 12.3 Sessions with one device

@dataclass
class Slot:
    session: Session
    candidate: bool = True
    fresh: bool = False

    def replaces(self):
        return self.candidate and self.fresh and self.session.waiting()


def active(slots):                                                                                        # P-12.7
    candidates = [slot for slot in slots if slot.candidate]
    confirmed = [slot for slot in candidates if slot.session.standing() == "confirmed"]
    return min(confirmed or candidates, key=lambda slot: slot.session.id, default=None)


def add_of_peer(slots, session, fresh):                                                                   # P-12.8
    if fresh:
        for slot in slots:
            slot.candidate = slot.replaces()
    slots.append(Slot(session, fresh or not any(slot.replaces() for slot in slots)))


WHY = {"replayed": "replayed", "duplicate": "replayed", "spent": "replayed", "forked": "lost", "diverged": "lost",
       "ahead": "lost", "too-far": "lost", "unknown-pre-key": "lost", "too-many-set-ups": "replay-cache-full",
       "strangers-full": "replay-cache-full"}


def told(refused):
    return Refused(WHY.get(str(refused), "rejected"))


@dataclass
class Device:
    """The state of a device over all its conversations."""
    identity: Identity
    pre_keys: PreKeys
    list: DeviceList
    disclosure: Disclosure | None


class Talk:
    def __init__(self, device, peer, disclosures):
        self.device, self.peer, self.disclosures = device, peer, disclosures
        self.id = conversation_id(device.list.account, peer.account)
        self.links, self.healed, self.sent, self.seen = {}, {}, {}, []
        self.acknowledgements, self.resends, self.notes, self.wanted = set(), set(), {}, {}
        self.agreed = set()

    def devices(self):
        """By (own, index): the peer's devices first, then the other own ones."""
        peers = [((False, c.index), c) for c in self.peer.certificates]
        own = [((True, c.index), c) for c in self.device.list.certificates if c.device != self.device.identity.public]
        return dict(peers + own)

    def under(self, certificate):
        own = next(c for c in self.device.list.certificates if c.device == self.device.identity.public)
        return under(own.terms[2:], certificate.terms[2:])

    def permitted(self):                                                                                  # P-12.15
        return all(c.terms[2:] in self.agreed | {NONE} for c in self.peer.certificates)

    def reconcile(self):
        """Deletes sessions with removed devices; those under outdated terms are no longer used for sending."""
        current = self.devices()
        self.links = {to: slots for to, slots in self.links.items() if to in current}
        for to, slots in self.links.items():
            for slot in slots:
                slot.candidate = slot.candidate and slot.session.disclosure == self.under(current[to])

    def has_session(self, to):
        return active(self.links.get(to, [])) is not None

    def initiate(self, needed, bundles, now, draw):
        made, devices = [], self.devices()
        for to, bundle in zip(needed, bundles, strict=True):
            bundle = verify_bundle(bundle, devices[to].device, now)
            made.append((to, Session.initiate(self.device.identity, bundle, draw, now, self.under(devices[to]))))
        return made

    def write(self, to, kind, id, body, draw):
        slot = active(self.links[to])
        data = frame(kind, slot.fresh and slot.session.waiting(), self.id, id,
                     Lists.of(self.device.list, self.peer), body)
        return to, id, data, slot.session.encrypt(data, draw)

    def send(self, body, bundles, now, draw):                                                             # 12.4
        require(self.permitted(), "blocked")
        self.reconcile()
        needed = [to for to in self.devices() if not self.has_session(to)]
        for to, session in self.initiate(needed, bundles, now, draw):
            self.links.setdefault(to, []).append(Slot(session))
        id = draw(16)
        letters = [self.write(to, COPY if to[0] else MESSAGE, id, body, draw) for to in self.devices()]
        self.sent[id] = body, {to for to, *_ in letters}
        return letters

    def owed(self):
        due = {device for device, _, is_due in self.wanted.values() if is_due}
        owed = due | {to for to, _ in self.acknowledgements | self.resends} | {to for to, _ in self.notes}
        return sorted(to for to in owed if self.permitted() or to[0] or any(at == to for at, _ in self.notes))

    def heals(self, to, now):                                                                             # P-12.10
        wants = any(device == to and is_due for device, _, is_due in self.wanted.values())
        return wants and self.healed.get(to, 0) + HOUR <= now

    def flush(self, bundles, now, draw):                                                                  # 12.5
        self.reconcile()
        owed = self.owed()
        needed = [to for to in self.devices() if to in owed and (self.heals(to, now) or not self.has_session(to))]
        for to, session in self.initiate(needed, bundles, now, draw):
            slots, heals = self.links.setdefault(to, []), self.heals(to, now)
            if heals:
                self.healed[to] = now
                for slot in slots:
                    slot.candidate = False
            slots.append(Slot(session, fresh=heals))
        letters = []
        for to in owed:
            for kind in (DECISION, RECEIPT):
                if (to, kind) in self.notes:
                    letters.append(self.write(to, kind, draw(16), self.notes.pop((to, kind)), draw))
            if self.permitted() or to[0]:
                letters += self.flush_to(to, draw)
        draw(16)
        return letters

    def flush_to(self, to, draw):
        letters = []
        requests = sorted(id for id, (device, _, is_due) in self.wanted.items() if device == to and is_due)
        for id in requests:
            self.wanted[id] = (*self.wanted[id][:2], False)
        acknowledged = sorted(id for at, id in self.acknowledgements if at == to)
        self.acknowledgements -= {(to, id) for id in acknowledged}
        for kind, ids in ((REQUEST, requests), (ACKNOWLEDGEMENT, acknowledged)):
            if ids:
                letters.append(self.write(to, kind, draw(16), b"".join(ids), draw))
        for id in sorted(id for at, id in self.resends if at == to):
            self.resends.remove((to, id))
            if id in self.sent:
                letters.append(self.write(to, COPY if to[0] else MESSAGE, id, self.sent[id][0], draw))
        return letters

    def ask_again(self, id, sender):
        if id in self.seen:
            return False
        device, attempts, _ = self.wanted.get(id, (sender, 0, False))
        if attempts >= 3:
            del self.wanted[id]
            return False
        self.wanted[id] = device, attempts + 1, True
        return True

    def receive(self, sender, id, message, now):
        before = copy.deepcopy((self.device.pre_keys, self.links))
        try:
            got = self.open(sender, id, message, now)
        except Refused:
            self.device.pre_keys, self.links = before
            raise
        events = self.compare(got.lists, sender[0]) + ["session-replaced"] * got.fresh
        received, body = self.take(got, sender, id, events)
        return received, body, events

    def open(self, sender, id, message, now):
        certificate = self.devices().get(sender)
        require(certificate, "unknown-device")                                                            # P-12.4
        slots, first = self.links.setdefault(sender, []), message[:1] == b"\x21"
        opened = [slot for slot in slots if slot.session.is_first_flight(message[1:1209])]
        if slots and (not first or opened):
            return self.open_known(slots, sender, id, message)
        require(first, "lost")
        try:
            session, data = Session.accept(self.device.identity, self.device.pre_keys, message, now,
                                           self.under(certificate))
        except Refused as refused:
            raise told(refused) from None
        require(session.peer == certificate.device, "rejected")
        got = Frame(data, self.id, id, sender[0])
        add_of_peer(slots, session, got.fresh)
        return got

    def open_known(self, slots, sender, id, message):
        reasons = []
        for slot in reversed(slots):
            session = copy.deepcopy(slot.session)
            try:
                data, _ = session.decrypt(self.device.identity, message)
            except Refused as refused:
                reasons.append(str(told(refused)))
                continue
            slot.session = session
            got = Frame(data, self.id, id, sender[0])
            got.fresh = False
            return got
        raise Refused(next((reason for reason in reasons if reason != "rejected"), "rejected"))

    def compare(self, theirs, own):                                                                       # P-12.5
        ours = Lists.of(self.device.list, self.peer) if own else Lists.of(self.peer, self.device.list)
        events = ["list-outdated"] * ((theirs.own > ours.own) + (theirs.peer > ours.peer))
        same = (theirs.own, theirs.peer) == (ours.own, ours.peer)
        return events + ["lists-forked"] * (same and theirs.digest != ours.digest)

    def take(self, got, sender, id, events):
        if got.kind in (MESSAGE, COPY):
            self.wanted.pop(id, None)
            self.acknowledgements.add((sender, id))
            if id in self.seen:
                return "nothing", b""
            self.seen.append(id)
            return ("message" if got.kind == MESSAGE else "sent"), got.body
        if got.kind == ACKNOWLEDGEMENT:
            for each in got.ids:
                waiting = self.sent.get(each, (b"", set()))[1]
                if sender in waiting:
                    waiting.remove(sender)
                    events.append("delivered")
                if each in self.sent and not waiting:
                    del self.sent[each]
        if got.kind == REQUEST:
            for each in got.ids:                                                                          # P-12.14
                if sender in self.sent.get(each, (b"", set()))[1]:
                    self.resends.add((sender, each))
                else:
                    events.append("not-sent-again")
        if got.kind == DECISION and sender[0]:
            events += self.adopt(Decision(got.body[:302]), Disclosure(got.body[302:]))
        if got.kind == DECISION and not sender[0]:
            return "decision", got.body
        return ("decision-receipt", got.body) if got.kind == RECEIPT else ("nothing", b"")

    def adopt(self, decision, disclosure):
        """From another own device: in these scripts, always a consent."""
        decision.verify(self.device.list, disclosure.verify(self.peer.account), decision.decided)
        self.agreed.add(decision.disclosure)
        return ["label"]

    def agree(self, disclosure, now):
        decision = decide(1, self.device.list.account, self.device.identity, disclosure, 0, now)
        self.agreed.add(disclosure.hash)
        for to, certificate in self.devices().items():
            if to[0]:
                self.notes[to, DECISION] = decision + disclosure.data
            elif certificate.device == disclosure.hosted:
                self.notes[to, DECISION] = decision

    def countersign(self, sender, decision, disclosure, now):
        Decision(decision).verify(self.peer, disclosure, now)
        note = decision + self.device.identity.public + pack(">Q", now)
        receipt = note + signature(self.device.identity, L_RECEIPT, note)
        self.notes[sender, RECEIPT] = receipt
        return receipt


# Steps

def listed(data):
    """Byte strings, each after its length."""
    found = []
    while data:
        length = unpack(">I", data[:4])[0] + 4
        found, data = found + [data[4:length]], data[length:]
    return found


def framed(data):
    return pack(">I", len(data)) + data


def address(data):
    return bool(data[0]), *unpack(">I", data[1:])


def written(letters):
    named = (bytes([own]) + pack(">I", index) + id + framed(message) for (own, index), id, _, message in letters)
    return {"letters": b"".join(named), "frames": b"".join(framed(data) for _, _, data, _ in letters)}


class TalkSteps:
    """The verbs about conversations. A device has one conversation."""

    def settled(self, step):
        return self.known("devices")[step["of"]]

    def talk(self, step):
        return self.known("talks")[step["of"]]

    def stated(self, step):
        """The disclosure of a step, verified as of its date; `None` if there is none."""
        if "disclosed" not in step:
            return None
        disclosure = Disclosure(step["disclosed"])
        return disclosure.verify(disclosure.account)

    def device(self, step, draw):
        identity, own = self.identities[step["of"]], Directory(step["seen"], step["pinned"], step["now"]).list
        pre_keys = PreKeys(identity, step["now"], draw)
        self.known("devices")[step["of"]] = Device(identity, pre_keys, own, self.stated(step))
        return {"bundle": pre_keys.bundle()}

    def converse(self, step, draw):
        peer = Directory(step["seen"], step["pinned"], step["now"]).list
        talk = self.known("talks")[step["of"]] = Talk(self.settled(step), peer, self.stated(step))
        return {"conversation": talk.id}

    def take_list(self, step, draw):
        talk, new = self.talk(step), DeviceList(step["seen"])
        if new.account == talk.device.list.account:
            talk.device.list = new
        else:
            talk.peer = new
        return {}

    def agree(self, step, draw):
        self.talk(step).agree(self.stated(step), step["now"])
        return {}

    def countersign(self, step, draw):
        talk, disclosure = self.talk(step), self.stated(step)
        return {"receipt": talk.countersign(address(step["sender"]), step["decision"], disclosure, step["now"])}

    def send(self, step, draw):
        return written(self.talk(step).send(step["plaintext"], listed(step["bundles"]), step["now"], draw))

    def flush(self, step, draw):
        return written(self.talk(step).flush(listed(step["bundles"]), step["now"], draw))

    def receive(self, step, draw):
        talk = self.talk(step)
        received, body, events = talk.receive(address(step["sender"]), step["message_id"], step["message"], step["now"])
        results = {"received": received, "events": ",".join(events)}
        if received in ("message", "sent"):
            results["plaintext"] = body
            disclosure = talk.device.disclosure
            if disclosure:                                                                                # P-11.21
                counted = min(step["now"], disclosure.expires)
                results["delete_by"] = counted + max(disclosure.at_rest, disclosure.in_use)
        if received == "decision":
            results["decision"] = body
        if received == "decision-receipt":
            results["receipt"] = body
        return results

    def ask_again(self, step, draw):
        require(self.talk(step).ask_again(step["message_id"], address(step["sender"])), "given-up")
        return {}
