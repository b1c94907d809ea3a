"""Sections 12.4 to 12.7 of docs/spec/conversations.md: everything that one device keeps about one other device."""

from dataclasses import dataclass, field

from bisik import *

MINUTE, HEAL_PEER, HEAL_OWN, STALE, UNASKED = 60, 4, 2, 3, b"\0\0\0\1"
BACK_OFF = (15 * MINUTE, HOUR, 4 * HOUR, 12 * HOUR, DAY)
WAITS = (0, 0, 0, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, DAY)


def number(id):
    return int.from_bytes(id[:8], "big")


class Names:
    """12.4: what a receiver remembers. By tag: (number, closed), and (number, serial number of the session, digest)."""

    def __init__(self):
        self.horizon, self.known, self.previews, self.waiting, self.since = 0, {}, {}, 0, None

    def look(self, id):                                                                                   # P-12.16
        if number(id) < self.horizon or id[8:] in self.known:
            return "before"
        return "preview" if id[8:] in self.previews else "new"

    def receive(self, id, closed):
        self.previews.pop(id[8:], None)
        self.known[id[8:]] = number(id), closed

    def preview(self, id, serial, digest):                                                                # P-12.22
        if self.look(id) != "new" or len(self.previews) >= 16:
            return False
        self.previews[id[8:]] = number(id), serial, digest
        return True

    def acknowledgement_due(self, now):                                                                   # P-12.19
        return self.waiting > 0 and (self.waiting >= 8 or not self.since <= now < self.since + 10 * MINUTE)

    def will_acknowledge(self, now):
        self.waiting, self.since = self.waiting + 1, self.since if self.waiting else now

    def raise_to(self, base):                                                                             # P-12.17
        self.horizon = max(self.horizon, base)
        self.forget_below()
        while len(self.known) > 128:
            self.horizon = max(self.horizon, min(n for n, _ in self.known.values()) + 1)
            self.forget_below()

    def forget_below(self):
        for names in (self.known, self.previews):
            for tag in [tag for tag, (n, *_) in names.items() if n < self.horizon]:
                del names[tag]

    def report(self, serial):                                                                             # P-12.18
        shown = [tag for tag, (_, closed) in self.known.items() if not closed]
        shown += [tag for tag, (_, of, _) in self.previews.items() if of == serial]
        return {"horizon": self.horizon, "highest": max((n for n, _ in self.known.values()), default=None),
                "shown": sorted(shown), "closed": sorted(tag for tag, (_, closed) in self.known.items() if closed)}


def back_off(tries):
    return BACK_OFF[min(tries, len(BACK_OFF) - 1)]


class Author:
    """12.5: when to send again, and what was given up."""

    def __init__(self):
        self.transmissions, self.tries, self.next, self.lost = 0, 0, None, []

    def lose(self, id):                                                                                   # P-12.30
        self.lost, self.tries = (self.lost + [id])[-64:], min(self.tries, 2)

    def told(self, listed, horizon, last):
        before = len(self.lost)
        self.lost = [id for id in self.lost if id[8:] not in listed]
        self.lost = [pack(">Q", last) + id[8:] if number(id) < horizon else id for id in self.lost]
        return len(self.lost) != before

    def notice(self, now):
        """A clock that goes back makes no try later than the present wait."""
        if self.next is not None:
            self.next = min(self.next, now + back_off(self.tries))

    def is_time(self, now):                                                                               # P-12.27
        return self.next is None or self.next <= now

    def is_due(self, waits, at_once, now):
        return at_once or self.is_time(now) and bool(waits or self.lost and self.tries < 6)               # P-12.30

    def tried(self, now):
        self.next, self.tries = now + back_off(self.tries), self.tries + 1

    def sent(self, now):
        if self.next is None:
            self.next, self.tries = now + back_off(0), 1

    def heard(self, waits, news, asks, speaks, now):                                                      # P-12.28
        if not waits and not self.lost:
            self.next, self.tries = None, 0
        elif news:
            self.next, self.tries = now + back_off(0), 1
        elif asks or speaks and self.tries >= STALE:
            soon = now if asks else now + MINUTE
            self.next, self.tries = soon if self.next is None else min(self.next, soon), 1


class Doubt:
    """12.7: reactions to what nobody authenticated."""

    def __init__(self):
        self.raised, self.used, self.used_at, self.ask, self.wants_session = False, 0, 0, None, False

    def has_token(self, now):                                                                             # P-12.47
        return self.used == 0 or now >= min(self.used_at, now) + WAITS[min(self.used, len(WAITS)) - 1]

    def take_token(self, now):
        if self.used and min(self.used_at, now) + 2 * DAY <= now:
            self.used = 0
        self.used, self.used_at = self.used + 1, now


@dataclass
class Slot:
    """One session."""
    session: Session
    serial: int
    ours: bool
    last_resort: bool
    live: bool = False
    unwanted: bool = False
    early: bool = False
    sent: bool = False
    compared: bool = False
    settled: bool = False
    tried: int = 0
    order: int = 0
    heard: int = 0
    bound_to: int = 0
    ask: bytes | None = None
    answer: bytes | None = None
    tell: bytes | None = None
    origins: list = field(default_factory=list)
    beside: dict = field(default_factory=dict)
    words: set = field(default_factory=set)

    def confirmed(self):
        return self.session.standing() == "confirmed"

    def fresh(self):                                                                                      # P-12.43
        return not self.confirmed() and not self.unwanted and self.tried < 3

    def bound(self):
        return bool(self.session.bound())

    def origin(self):
        place = self.session.bound()
        return self.origins[place - 1] if self.ours and place else self.bound_to

    def asks(self, pays):                                                                                 # P-12.48
        unpaid = not self.confirmed() and not self.bound() and self.answer and not pays
        return bool(self.tell or (self.ask or self.answer) and not unpaid)


class Link:
    def __init__(self, key):
        self.key, self.names, self.author, self.doubt = key, Names(), Author(), Doubt()
        self.owes, self.once, self.clock, self.serial = False, False, 0, 0
        self.slots, self.former, self.recent, self.gone = [], [], [], []

    def slot(self, serial):
        return next((slot for slot in self.slots if slot.serial == serial), None)

    def live(self):
        return [slot for slot in self.slots if slot.live]

    def newest_live(self):
        return max(self.live(), key=lambda slot: slot.order, default=None)

    def current(self, leads):                                                                             # P-12.36
        if self.live() or self.once:
            return max(self.live(), key=lambda slot: slot.order if leads else slot.heard, default=None)
        theirs = [slot for slot in self.slots if not slot.ours and slot.fresh()]
        return (theirs or [slot for slot in self.slots if slot.ours and slot.fresh()] or [None])[-1]

    def unanswered(self):
        return next((slot for slot in reversed(self.slots) if slot.ours and slot.fresh()), None)

    def has_unbound_offers(self):
        return any(slot.answer and not slot.confirmed() and not slot.bound() for slot in self.slots)

    def offers(self):                                                                                     # P-12.44
        """(serial numbers, secrets), at most four: live sessions first, the newest first."""
        confirmed = sorted((slot for slot in self.slots if slot.confirmed()), key=lambda s: (not s.live, -s.order))
        offered = [(slot.serial, slot.session.ratchet.offer) for slot in confirmed if slot.session.ratchet.offer][:4]
        return [serial for serial, _ in offered], [secret for _, secret in offered]

    def add_ours(self, session, last_resort, origins):
        slot = self.add(session, True, last_resort)
        slot.origins = origins
        slot.beside = {live.serial: live.session.chains_received() for live in self.live()}
        self.make_room()

    def add_theirs(self, session, labels, last_resort):
        held = [(rs, slot.serial) for slot in self.slots if slot.confirmed() for rs in slot.session.ratchet.accepts]
        held += [(rs, 0) for rs in self.former]
        resumed = session.resume(labels, [rs for rs, _ in held])
        slot = self.add(session, False, last_resort)
        slot.bound_to = held[resumed[1]][1] if resumed else 0
        self.make_room()
        return slot

    def add(self, session, ours, last_resort):
        self.serial += 1
        early = all(slot.session.chains_received() < 2 for slot in self.live())
        self.slots.append(Slot(session, self.serial, ours, last_resort, early=early))
        return self.slots[-1]

    def make_room(self):                                                                                  # P-12.42
        ranks = (lambda s: s.confirmed() and not s.live, lambda s: not (s.confirmed() or s.ours or s.sent),
                 lambda s: not (s.confirmed() or s.ours), lambda s: not s.live)
        while len(self.slots) > 6:
            gone = next(slot for rank in ranks for slot in self.slots[:-1] if rank(slot))
            self.slots.remove(gone)
            if gone.ours or gone.sent:                                                                    # P-3.23
                self.gone = (self.gone + [gone.session.id[:8]])[-16:]
            if gone.confirmed():
                self.former = (gone.session.ratchet.accepts + self.former)[:6]

    def hear(self, slot):
        self.clock += 1
        slot.heard, slot.tried = self.clock, 0

    def confirm(self, slot, now):                                                                         # P-12.37
        """Whether another session was live."""
        self.clock += 1
        slot.order = slot.heard = self.clock
        if slot.unwanted:
            return False
        origin, before = self.slot(slot.origin()), self.newest_live()
        if before and not (slot.bound() and origin and origin.live):                                      # P-3.23
            before.tell = slot.session.id[:8]
        slot.live = self.once = True
        for other in self.slots:
            newest = sorted((live.order for live in self.live()), reverse=True)[:2]
            other.live = other.live and other.order >= newest[-1]
            other.unwanted |= other.ours and not other.confirmed()
        self.doubt.wants_session, self.doubt.used = False, min(self.doubt.used, 4)
        self.author.next, self.author.tries = now, 0
        self.owes |= slot.ours
        return before is not None

    def give_up_new(self, which=lambda slot: True):                                                       # P-12.40
        for slot in self.slots:
            if slot.ours and not slot.confirmed() and which(slot):
                slot.unwanted, slot.ask = True, None

    def outlived(self, by):
        chains = by.session.chains_received()
        self.give_up_new(lambda slot: by.serial in slot.beside and chains >= slot.beside[by.serial] + 2)

    def settle_secrets(self, slot):                                                                       # P-3.22
        if slot.settled or slot.session.chains_received() < 4:
            return
        slot.settled, self.former = True, []
        for other in self.slots:
            if other.confirmed() and not other.live and other.order < slot.order:
                other.session.forget_resumption()
            elif slot.bound():
                other.session.forget_resumption(slot.session.ratchet.name)

    def retire_others(self, disclosure):                                                                  # P-12.45
        others = [slot for slot in self.slots if slot.session.disclosure != disclosure]
        for slot in others:
            slot.live, slot.unwanted = False, slot.unwanted or not slot.confirmed()
        self.once = self.once and (bool(self.live()) or not others)
