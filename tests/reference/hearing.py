"""Sections 12.4 and 12.9 of docs/spec/conversations.md: what a frame does, and decisions."""

from accounts import signature
from bisik import *
from frame_format import DECISION, LETTER, MESSAGE, RECEIPT, WITHDRAWN
from hosted_devices import L_RECEIPT, Decision, Disclosure, decide
from links import UNASKED, number

L_LISTS, L_WORDS = b"bisik-1 conversation device lists\0", b"bisik-1 conversation first words\0"
NONE, PRIVATE, NOTHING = bytes(32), 5, ("nothing", None, b"")


def words(kind, id, body):                                                                                # P-12.23
    return sha256(L_WORDS, bytes([kind]), id, body)[:16]


def lists(own, peer):                                                                                     # 12.2
    return own.sequence, peer.sequence, sha256(L_LISTS, own.hash(), peer.hash())[:16]


def understood(kind, body, own):                                                                          # P-12.10
    try:
        if kind == DECISION:
            Decision(body[:302])
            require(own or len(body) == 302, "malformed")
            if own:
                Disclosure(body[302:])
        if kind == RECEIPT:
            require(not own and len(body) == 438, "malformed")
            Decision(body[:302])
            otherwise("malformed", check_identity, body[302:366])
    except Refused:
        return False
    return kind in (MESSAGE, WITHDRAWN, DECISION, RECEIPT, LETTER) or kind == PRIVATE and own


class Hearing:
    """A part of `Talk`."""

    def apply(self, sender, link, slot, frame, now):
        """What the program gets: (what, its message id, bytes)."""
        answers = self.answers(sender)
        if not answers and not self.requested:                                                            # P-12.51
            self.requested = True
            self.tell("request")
        link.hear(slot)
        if not slot.confirmed():
            if answers:
                slot.answer = slot.answer or frame.ask or UNASKED
            return NOTHING if link.once or sender[0] else self.preview(link, slot, frame)                 # P-12.38
        if frame.conversation:                                                                            # P-12.23
            return NOTHING
        if answers and frame.ask:                                                                         # P-12.49
            slot.answer = frame.ask
        if slot.live:
            self.healthy(sender, link, slot, frame)
        if not slot.ours and not slot.compared:                                                           # P-12.23
            slot.compared = True
            for tag, (n, serial, digest) in sorted(link.names.previews.items()):
                if serial == slot.serial:
                    what = "confirmed" if digest in frame.first_words else "not-the-peers"
                    self.tell(what, pack(">Q", n) + tag, sender)
        had = [other.session.id[:8] for other in link.slots] + link.gone
        if frame.replaced_by and frame.replaced_by not in had:                                            # P-3.23
            self.tell("replaced-by-another", sender)
        self.compare_lists(frame, sender[0])
        self.settle_own(sender, link, frame, now)
        link.owes |= answers and bool(frame.lost)
        for id in frame.lost:                                                                             # P-12.20
            if link.names.look(id) == "new":
                link.names.known[id[8:]] = number(id), True
                self.tell("lost", id, sender)
        received = self.take(sender, link, frame, answers, now)
        link.names.raise_to(frame.base)
        return received

    def healthy(self, sender, link, slot, frame):
        if frame.answer and frame.answer == link.doubt.ask:                                               # P-12.40
            link.doubt.ask = None
            if slot is link.newest_live():
                link.give_up_new()
                link.doubt.wants_session = False
        if frame.ask and self.leads(link.key):                                                            # P-12.41
            later = [other for other in link.slots if other.live and other.order > slot.order]
            for other in later:
                other.live = False
            if later:
                self.tell("session-replaced", sender, slot.serial)
        link.outlived(slot)
        link.settle_secrets(slot)

    def preview(self, link, slot, frame):                                                                 # P-12.22
        if frame.kind not in (MESSAGE, DECISION) or not understood(frame.kind, frame.body, False):
            return NOTHING
        if not link.names.preview(frame.name, slot.serial, words(frame.kind, frame.name, frame.body)):
            return NOTHING
        return "decision" if frame.kind == DECISION else "unconfirmed-message", frame.name, frame.body

    def compare_lists(self, frame, own):                                                                  # P-12.4
        ours = lists(self.device.list, self.peer) if own else lists(self.peer, self.device.list)
        theirs = frame.own_list, frame.other_list, frame.lists_digest
        for side in range(2):
            if theirs[side] > ours[side]:
                self.tell("list-outdated", own if side == 0 else not own, theirs[side])
        if theirs[:2] == ours[:2] and theirs != ours:
            self.tell("lists-forked")

    def settle_own(self, sender, link, frame, now):                                                       # P-12.25
        if frame.horizon > self.base(sender) or (frame.highest or 0) > self.last:                         # P-12.52
            self.last = max(self.last, min(max(frame.horizon, frame.highest or 0), 2**59))
            self.tell("restored", sender)
        settled, newest, news = [], 0, False
        for kept in self.kept:
            if sender not in kept.waiting:
                continue
            tag, below = kept.id[8:], number(kept.id) < frame.horizon
            if tag in frame.shown or tag in frame.closed or below:
                sent, news = kept.waiting.pop(sender), True
                is_listed = tag in frame.shown or tag in frame.closed
                newest = max(newest, sent if is_listed else 0)
                settled += [(kept.id, tag in frame.shown, is_listed)] if kept.kind != WITHDRAWN else []
        self.kept = [kept for kept in self.kept if kept.waiting]
        waiting = [kept for kept in self.kept if sender in kept.waiting]
        for kept in waiting:                                                                              # P-12.26
            if kept.waiting[sender] < newest:
                kept.waiting[sender] = 0
        for id, _, is_listed in settled:
            if not is_listed:
                link.author.lose(pack(">Q", self.last) + id[8:])
        news |= link.author.told(frame.shown + frame.closed, frame.horizon, self.last)
        link.author.heard(bool(waiting), news, frame.ask is not None, frame.name is not None, now)
        for id, shown, _ in settled:
            self.tell("delivered" if shown else "given-up", id, sender)

    def take(self, sender, link, frame, answers, now):                                                    # P-12.16
        if frame.ephemeral is not None:
            return "ephemeral", None, frame.ephemeral
        if frame.name is None:
            return NOTHING
        seen, digest = link.names.look(frame.name), words(frame.kind, frame.name, frame.body)
        another = frame.kind != WITHDRAWN and seen == "preview" and link.names.previews[frame.name[8:]][2] != digest
        if seen != "before":
            link.names.receive(frame.name, frame.kind == WITHDRAWN)
        if seen == "new" and answers:
            link.names.will_acknowledge(now)
        link.owes |= seen != "new" and answers
        if another:
            self.tell("not-the-peers", frame.name, sender)
        elif seen == "preview" and frame.kind != WITHDRAWN:
            self.tell("confirmed", frame.name, sender)
        if seen != "new" and not another or frame.kind == WITHDRAWN:
            return NOTHING
        if not understood(frame.kind, frame.body, sender[0]):
            self.tell("not-understood", frame.name, sender)
            return NOTHING
        if frame.kind == DECISION and sender[0]:
            self.adopt(Decision(frame.body[:302]), Disclosure(frame.body[302:]))
            return NOTHING
        if frame.kind == MESSAGE and sender[0]:                                                           # P-12.51
            self.accept()
        what = {MESSAGE: "sent" if sender[0] else "message", PRIVATE: "own", DECISION: "decision",
                RECEIPT: "decision-receipt", LETTER: "letter"}                                            # P-12.64
        return what[frame.kind], frame.name, frame.body

    # 12.9 Who else reads

    def adopt(self, decision, disclosure):
        """From another own device: in these scripts, always a consent."""
        decision.verify(self.device.list, disclosure.verify(self.peer.account), decision.decided)
        self.agreed.add(decision.disclosure)
        self.observe()

    def agree(self, disclosure, now, draw):
        decision = decide(1, self.device.list.account, self.device.identity, disclosure, 0, now)
        self.agreed.add(disclosure.hash)
        self.observe()
        self.accept()
        own = [to for to in self.devices() if to[0]]
        hosted = [to for to, c in self.devices().items() if not to[0] and c.device == disclosure.hosted]
        self.keep(DECISION, decision + disclosure.data, own, now, draw)
        self.keep(DECISION, decision, hosted, now, draw)

    def countersign(self, sender, decision, disclosure, now, draw):
        Decision(decision).verify(self.peer, disclosure, now)
        note = decision + self.device.identity.public + pack(">Q", now)
        receipt = note + signature(self.device.identity, L_RECEIPT, note)
        self.accept()
        self.keep(RECEIPT, receipt, [sender], now, draw)
        return receipt
