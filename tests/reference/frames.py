"""The script of tests/vectors/frame.txt: what devices of conversations send to each other, and what they refuse."""

import copy
from dataclasses import replace

import frame_format
from hearing import NONE, lists
from hosted_devices import terms
from script import *
from talk_steps import framed

PERSON, BUSINESS = b"\1\0" + NONE, b"\2\0" + NONE


def frame_():
    """Conversations of accounts: first contacts, what is sent again, withdrawn, given up, lost sessions, decisions."""
    s = Script()
    accounts = Accounts(s)
    first_contact(accounts)
    written_before_the_answer(Accounts(s))
    frames_that_are_refused(accounts)
    sent_again(accounts)
    a_lost_session(accounts)
    lists_that_differ(accounts)
    crossed_and_forked(Accounts(s))
    decisions(Accounts(s))
    return s


class Accounts:
    """Devices by their account's name and index, and their bundles."""

    def __init__(self, s):
        self.s, self.names, self.bundles, self.lists = s, {}, {}, {}

    def key(self, name):
        return self.s.world.identities[name].public

    def account(self, *names, custody=PERSON):
        """The first device is the primary; returns the newest list."""
        primary = names[0]
        for name in names:
            self.s("identity", of=name)
        self.lists[primary] = self.s("found-account", of=primary, terms=custody, now=NOW)["list"]
        for index, name in enumerate(names[1:], 1):
            self.add(primary, name, index, custody)
        for index, name in enumerate(names):
            self.names[primary, index] = name

    def add(self, primary, name, index, terms):
        added = self.s("certify", of=name, peer=primary, index=index, terms=terms)["certificate"]
        self.lists[primary] = self.s("issue-list", of=primary, now=NOW, added=added)["list"]
        self.names[primary, index] = name

    def home(self, name):
        return next((primary, index) for (primary, index), at in self.names.items() if at == name)

    def device(self, *names, **disclosed):
        for name in names:
            primary, _ = self.home(name)
            seen = self.lists[primary]
            made = self.s("device", of=name, seen=seen, pinned=self.key(primary), now=NOW, **disclosed)
            self.bundles[name] = made["bundle"]

    def converse(self, peer, *names, seen=None, **disclosed):
        for name in names:
            self.s("converse", of=name, seen=seen or self.lists[peer], pinned=self.key(peer), now=NOW, **disclosed)

    def offered(self, *names):
        return b"".join(framed(self.bundles[name]) for name in names)

    def send(self, of, plaintext, *needed, now=NOW):
        bundles = self.offered(*needed)
        return self.letters(of, self.s("send", of=of, plaintext=plaintext, bundles=bundles, now=now, frames=None))

    def flush(self, of, *needed, now=NOW):
        return self.letters(of, self.s("flush", of=of, bundles=self.offered(*needed), now=now, frames=None))

    def letters(self, of, step):
        """(to, sender as seen there, message) by name."""
        found, data = [], step["letters"]
        talk, (primary, index) = self.s.world.known("talks")[of], self.home(of)
        peer = next(name for name, _ in self.names if self.key(name) == talk.peer.account)
        while data:
            own, at, length = unpack(">BII", data[:9])
            to = self.names[primary if own else peer, at]
            found.append((to, bytes([own]) + pack(">I", index), data[9:9 + length]))
            data = data[9 + length:]
        return found

    def deliver(self, letters, now=NOW):
        """Returns the steps."""
        return [self.s("receive", of=to, sender=sender, message=message, now=now) for to, sender, message in letters]

    def refuse(self, letter, expect, now=NOW, **changes):
        to, sender, message = letter
        self.s("receive", of=to, **({"sender": sender, "message": message} | changes), now=now, expect=expect)

    def settle(self, *names, now=NOW):
        """Everything that is due, until nothing is."""
        steps = []
        while letters := [letter for name in names for letter in self.flush(name, now=now)]:
            steps += self.deliver(letters, now)
        return steps

    def talk(self, name):
        return self.s.world.known("talks")[name]


def events(steps):
    return [step["events"] for step in steps]


def received(steps):
    return [step["received"] for step in steps]


def first_contact(accounts):
    s = accounts.s
    accounts.account("alice", "laptop"), accounts.account("bob")
    accounts.device("alice", "laptop", "bob")
    accounts.converse("bob", "alice", "laptop"), accounts.converse("alice", "bob")

    # A message and its copy, in the pre-key messages of two sessions, and frames that are refused there.
    to_bob, to_laptop = accounts.send("alice", b"halo", "bob", "laptop")
    accounts.refuse(to_bob, "unknown-device", sender=bytes(4) + b"\7")
    accounts.refuse(to_bob, "unreadable", sender=bytes(4) + b"\1")
    first_frames_that_are_refused(accounts, to_bob)
    steps = accounts.deliver([to_bob, to_laptop])
    assert received(steps) == ["unconfirmed-message", "nothing"] and events(steps)[0] == "label-changed,request"
    # Damaged or not, it was received, as its last bytes say.
    accounts.refuse(to_bob, "duplicate"), accounts.refuse(to_bob, "duplicate", message=flip(to_bob[2], 1250))

    # Nothing goes back before Bob accepts; then the answer says that he has the message.
    assert not accounts.flush("bob")
    s("accept-contact", of="bob")
    assert "delivered" in accounts.deliver(accounts.flush("bob"))[0]["events"]
    accounts.deliver(accounts.flush("laptop"))
    # In the next chain: Alice's first words to Bob, and the copy again for her laptop, which shows it now.
    assert received(accounts.deliver(accounts.flush("alice"))) == ["nothing", "sent"]
    # An acknowledgement waits for ten minutes.
    assert not accounts.flush("laptop", now=NOW + 599)
    assert events(accounts.deliver(accounts.flush("laptop", now=NOW + 600), NOW + 600)) == ["delivered"]
    # Bob writes, and Alice's laptop hears of him for the first time. (It has accepted him: Alice has written to him.)
    steps = accounts.deliver(accounts.send("bob", b"halo juga", "laptop"))
    assert received(steps) == ["message", "unconfirmed-message"]
    accounts.settle("alice", "laptop", "bob"), accounts.settle("alice", "laptop", "bob", now=NOW + 600)


def written_before_the_answer(accounts):
    """Somebody with Fajar's pre-keys and identity secret writes in chain 0 in the name of Eka, as a copy of her session
    does here: before Fajar's answer, and when it is too late."""
    s = accounts.s
    accounts.account("eka"), accounts.account("fajar")
    accounts.device("eka", "fajar")
    accounts.converse("fajar", "eka"), accounts.converse("eka", "fajar")
    accounts.send("eka", b"satu", "fajar")
    talk = accounts.talk("eka")
    [slot], [kept] = talk.links[False, 0].slots, talk.kept
    early = replace(bare(talk, False), conversation=talk.id, offered=slot.session.labels(), kind=1)

    def forged(session, name, frame=early):
        return "fajar", bytes(5), session.encrypt(replace(frame, name=name, body=b"kirim uang").encode(), os.urandom)

    thief = copy.deepcopy(slot.session)
    assert received(accounts.deliver([forged(thief, kept.id)])) == ["unconfirmed-message"]
    late = forged(thief, pack(">Q", talk.last + 1) + os.urandom(8))
    for text in (b"dua", b"tiga"):
        accounts.send("eka", text)
    s("accept-contact", of="fajar")
    accounts.deliver(accounts.flush("fajar"))
    # Her next chain says what she wrote, and has it again.
    session, wanted = copy.deepcopy(slot.session), replace(bare(talk, False), base=int.from_bytes(kept.id[:8]))
    for frame, shown in ((wanted, "nothing"), (replace(wanted, kind=1, name=kept.id, body=kept.body), "message")):
        [step] = accounts.deliver([("fajar", bytes(5), session.encrypt(frame.encode(), os.urandom))])
        assert step["received"] == shown and step["events"].endswith("not-the-peers"), step
    assert received(accounts.deliver([late])) == ["nothing"]


def bare(talk, sender_is_own):
    """A frame that is received, without an opening."""
    return frame_format.Frame(*lists(talk.device.list, talk.peer), last=talk.last, base=talk.last + 1, horizon=0,
                              for_own=int(sender_is_own))


def bad(talk):
    """Frames from a device of the peer that are refused, and why."""
    good = bare(talk, False).encode()
    yield from ((good[:at], "misbehaved") for at in (0, 1, len(good) - 1))
    yield from ((data, "misbehaved") for data in (good + b"\0", b"\1" + good[1:], good[:2] + b"\x02" + good[3:]))
    yield from ((bytes([version]) + good[1:], "newer-version") for version in (3, 255))
    yield bare(talk, True).encode(), "misbehaved"
    yield replace(bare(talk, False), shown=[bytes(8), bytes(8)]).encode(), "misbehaved"


def opening(frame, talk, session, **changes):
    return replace(frame, **({"conversation": talk.id, "offered": session.labels()} | changes))


def first_frames_that_are_refused(accounts, letter):
    """In pre-key messages of separate sessions, whose pre-keys are not used up."""
    to, sender, _ = letter
    talk = accounts.talk("alice")

    def first():
        bundle = verify_bundle(accounts.bundles[to], accounts.key(to), NOW)
        return Session.initiate(talk.device.identity, bundle, os.urandom, NOW)

    session = first()
    good, own = opening(bare(talk, False), talk, session), bare(talk, True)
    wrong = [bare(talk, False), replace(good, conversation=flip(talk.id, 15)),
             opening(own, talk, session, account=talk.peer.account)]
    for data, why in [*list(bad(talk))[:8], *((frame.encode(), "misbehaved") for frame in wrong)]:
        accounts.refuse((to, sender, first().encrypt(data, os.urandom)), why)
    # To an own device: without the peer's account key, with no key, and with the key of another conversation.
    bundle = verify_bundle(accounts.bundles["laptop"], accounts.key("laptop"), NOW)
    for named in (None, bytes(64), talk.device.list.account):
        session = Session.initiate(talk.device.identity, bundle, os.urandom, NOW)
        data = opening(own, talk, session, account=named).encode()
        accounts.refuse(("laptop", b"\1" + bytes(4), session.encrypt(data, os.urandom)), "misbehaved")


def frames_that_are_refused(accounts):
    """In an existing session, which does not change."""
    talk = accounts.talk("alice")

    def session(to):
        return copy.deepcopy(talk.links[to].newest_live().session)

    for data, why in bad(talk):
        accounts.refuse(("bob", bytes(5), session((False, 0)).encrypt(data, os.urandom)), why)
    opened = replace(bare(talk, False), conversation=talk.id, offered=bytes(32))
    accounts.refuse(("bob", bytes(5), session((False, 0)).encrypt(opened.encode(), os.urandom)), "misbehaved")
    for_peer = session((True, 1)).encrypt(bare(talk, False).encode(), os.urandom)
    accounts.refuse(("laptop", b"\1" + bytes(4), for_peer), "misbehaved")


def sent_again(accounts):
    s, late = accounts.s, NOW + 15 * 60

    def overtaken(*now, withdrawn=None):
        """What is sent again once Bob has a later message."""
        lost, copied = accounts.send("alice", b"jam tujuh")
        if withdrawn:
            s("withdraw-message", of="alice", named=s.steps[-1]["message_id"])
        steps = accounts.deliver([copied] + accounts.send("alice", b"atau delapan"))
        assert received(steps) == ["sent", "message", "sent"]
        accounts.deliver(accounts.flush("bob", now=NOW + 600), NOW + 600)
        return lost, accounts.flush("alice", now=NOW + 600)

    lost, again = overtaken()
    assert received(accounts.deliver(again, NOW + 600)) == ["message"]
    # The first transmission comes after all: its name is known.
    assert received(accounts.deliver([lost], NOW + 600)) == ["nothing"]
    accounts.settle("alice", "laptop", "bob", now=NOW + 1200)
    lost, again = overtaken(withdrawn=True)
    assert "nothing" in received(accounts.deliver(again, NOW + 600))
    assert received(accounts.deliver([lost], NOW + 600)) == ["nothing"]
    accounts.settle("alice", "laptop", "bob", now=NOW + 1200)

    # By the clock, the third time to the laptop in a new session too, and at last it is given up: at the second of two
    # looks an hour apart.
    accounts.send("alice", b"hilang")
    written = s.steps[-1]["message_id"]
    assert len(accounts.flush("alice", now=late)) == 2 and not accounts.flush("alice", now=late)
    accounts.flush("alice", "laptop", now=NOW + 14 * DAY), accounts.flush("alice", now=NOW + 14 * DAY + HOUR - 1)
    given_up = accounts.flush("alice", now=NOW + 14 * DAY + HOUR)
    s("withdraw-message", of="alice", named=written, expect="not-kept")
    given_up += accounts.flush("alice", now=NOW + 15 * DAY + HOUR)
    steps = accounts.deliver(given_up, NOW + 15 * DAY + HOUR)
    assert "lost" in ",".join(events(steps))
    accounts.settle("alice", "laptop", "bob", now=NOW + 15 * DAY + HOUR)
    accounts.settle("alice", "laptop", "bob", now=NOW + 15 * DAY + 2 * HOUR)


def a_lost_session(accounts):
    """Something arrives that nothing reads: a token pays for an ask, in the old session and in a new one."""
    now = NOW + 16 * DAY
    [to_bob, to_laptop] = accounts.send("alice", b"rusak", now=now)
    accounts.deliver([to_laptop], now)
    accounts.refuse(to_bob, "unreadable", message=flip(to_bob[2], 50), now=now)
    accounts.refuse(to_bob, "unreadable", message=b"\x22" + bytes(200), now=now)
    late, first = accounts.flush("bob", "alice", now=now)
    assert (late[2][0], first[2][0]) == (0x22, 0x21)
    # Only the new session is heard: it takes the place of the old one, to which it is bound.
    answers = accounts.deliver([first], now) and accounts.flush("alice", now=now)
    steps = accounts.deliver(answers, now)
    assert "session-replaced" in ",".join(events(steps))
    steps = accounts.settle("bob", "alice", "laptop", now=now)
    assert "session-replaced" in ",".join(events(steps)) and "message" in received(steps)
    # The other way round the old one proves healthy, and the new one is never used.
    accounts.refuse(("bob", bytes(5), b"\x22" + bytes(201)), "unreadable", now=now)
    asks = accounts.flush("bob", "alice", now=now)
    accounts.deliver(asks[:1], now)
    accounts.deliver(accounts.flush("alice", now=now), now)
    accounts.deliver(asks[1:], now)
    steps = accounts.settle("alice", "bob", "laptop", now=now)
    assert "session-replaced" not in ",".join(events(steps))
    # The first ask in the oldest session comes after all: if Alice leads, she gives up what was confirmed later.
    accounts.deliver([late], now), accounts.settle("bob", "alice", "laptop", now=now)


def lists_that_differ(accounts):
    s, now = accounts.s, NOW + 16 * DAY
    newer = s("issue-list", of="alice", now=now)["list"]
    s("take-list", of="alice", seen=newer, now=now)
    to_bob, *_ = accounts.send("alice", b"daftar baru", now=now)
    assert events(accounts.deliver([to_bob], now)) == ["list-outdated"]
    s("take-list", of="bob", seen=newer, now=now)
    to_bob, *to_laptop = accounts.send("alice", b"sudah sama", now=now)
    assert events(accounts.deliver([to_bob], now)) == [""]
    # The laptop leaves: nothing is sent to it, and nothing taken of it.
    to_bob, *_ = accounts.send("laptop", b"dari laptop", now=now)
    newer = s("issue-list", of="alice", now=now, removed=1)["list"]
    for name in ("alice", "bob"):
        s("take-list", of=name, seen=newer, now=now)
    accounts.refuse(to_bob, "unknown-device", now=now)
    left = accounts.send("alice", b"tinggal satu", now=now)
    assert {to for to, *_ in left} == {"bob"} and "devices" in events(accounts.deliver(left, now))[0]
    assert {to for to, *_ in accounts.send("bob", b"dua lagi", now=now)} == {"alice"}


def crossed_and_forked(accounts):
    """Both write first: each goes on in the session of the other, and one of both leads. Dedi was shown another list of
    Cici's."""
    accounts.account("cici"), accounts.account("dedi")
    accounts.device("cici", "dedi")
    other = accounts.s("found-account", of="cici", terms=PERSON, now=NOW + 1)["list"]
    accounts.converse("dedi", "cici"), accounts.converse("cici", "dedi", seen=other)
    crossing = accounts.send("cici", b"dari Cici", "dedi") + accounts.send("dedi", b"dari Dedi", "cici")
    assert received(accounts.deliver(crossing)) == ["unconfirmed-message"] * 2
    steps = accounts.settle("cici", "dedi")
    assert "lists-forked" in ",".join(events(steps))
    for _ in range(2):
        accounts.deliver(accounts.send("cici", b"lagi")), accounts.deliver(accounts.send("dedi", b"juga"))
    accounts.settle("cici", "dedi", now=NOW + 600)
    # A kind that nobody knows yet is acknowledged like a message. So is a message for own devices from the peer.
    talk = accounts.talk("cici")
    session = copy.deepcopy(talk.links[False, 0].current(talk.leads(accounts.key("dedi"))).session)
    for kind in (5, 17, 255):
        name = pack(">Q", talk.last + 1) + os.urandom(8)
        unknown = replace(bare(talk, False), last=talk.last + 1, kind=kind, name=name, body=b"baru")
        message = session.encrypt(unknown.encode(), os.urandom)
        [step] = accounts.deliver([("dedi", bytes(5), message)], NOW + 600)
        assert step["events"].endswith("not-understood"), step["events"]
    # A letter is given to nobody but the layer of groups.
    name = pack(">Q", talk.last + 2) + os.urandom(8)
    letter = replace(bare(talk, False), last=talk.last + 2, kind=16, name=name, body=b"surat")
    [step] = accounts.deliver([("dedi", bytes(5), session.encrypt(letter.encode(), os.urandom))], NOW + 600)
    assert step["received"] == "letter", step
    # Cici has not given these numbers: she hears of them, and takes herself for a restored device.
    [step] = accounts.deliver(accounts.flush("dedi", now=NOW + 1200), NOW + 1200)
    assert "restored" in step["events"]


def decisions(accounts):
    """A customer consents to a hosted device: her other device receives the decision with the disclosure, the hosted
    device without it."""
    s = accounts.s
    accounts.account("rini", "tablet"), accounts.account("shop", custody=BUSINESS)
    for name in ("endpoint", "operator"):
        s("identity", of=name)
    said = terms(4, accounts.key("operator"), b"Awan Layanan", 7, 30 * DAY, HOUR, b"ID", 1)
    draft = b"\1" + accounts.key("shop") + accounts.key("endpoint") + said + pack(">QQQ", NOW, NOW + 90 * DAY, 1) + NONE
    one = s("disclose", of="shop", peer="endpoint", operator="operator", draft=draft)
    disclosed = {"disclosed": one["disclosed"]}
    accounts.add("shop", "endpoint", 1, b"\4\0" + one["hash"])
    accounts.device("rini", "tablet", "shop"), accounts.device("endpoint", **disclosed)
    accounts.converse("shop", "rini", "tablet", **disclosed), accounts.converse("rini", "shop", "endpoint")

    s("send", of="rini", plaintext=b"kuota saya hilang", bundles=accounts.offered("shop", "endpoint", "tablet"), now=NOW,
      expect="blocked")
    s("agree", of="rini", now=NOW, **disclosed)
    told = accounts.deliver(accounts.flush("rini", "endpoint", "tablet"))
    assert received(told) == ["decision", "nothing"]
    s("countersign", of="endpoint", sender=bytes(5), decision=told[0]["decision"], now=NOW + 60, **disclosed)
    steps = accounts.settle("endpoint", "tablet", "rini")
    assert "decision-receipt" in received(steps)
    steps = accounts.deliver(accounts.send("rini", b"kuota saya hilang", "shop"))
    assert [step.get("delete_by") for step in steps if step["received"] != "nothing"] == [None, NOW + 30 * DAY, None]
    accounts.settle("shop", "endpoint", "tablet", "rini", now=NOW + 600)
