"""The script of tests/vectors/frame.txt: frames between devices of conversations, and frames that are refused."""

import copy

from script import *
from talks import *
from hosted_devices import terms

PERSON, BUSINESS = b"\1\0" + NONE, b"\2\0" + NONE


def frame_():
    """Conversations of accounts with several devices: six kinds of frames, lost and crossed sessions, lists that differ."""
    s = Script()
    messages_and_what_is_owed(Accounts(s))
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
        """(to, sender as seen there, id, message) by name."""
        found, data = [], step["letters"]
        talk, (primary, index) = self.s.world.known("talks")[of], self.home(of)
        peer = next(name for name, _ in self.names if self.key(name) == talk.peer.account)
        while data:
            own, at, id = data[0], *unpack(">I16s", data[1:21])
            end = 25 + unpack(">I", data[21:25])[0]
            to = self.names[primary if own else peer, at]
            found.append((to, bytes([own]) + pack(">I", index), id, data[25:end]))
            data = data[end:]
        return found

    def deliver(self, letters, now=NOW):
        """Returns the kind that each was received as."""
        return [self.s("receive", of=to, sender=sender, message_id=id, message=message, now=now)
                for to, sender, id, message in letters]

    def refuse(self, letter, expect, **changes):
        to, sender, id, message = letter
        values = {"sender": sender, "message_id": id, "message": message} | changes
        self.s("receive", of=to, **values, now=NOW, expect=expect)


def events(steps):
    return [step["events"] for step in steps]


def messages_and_what_is_owed(accounts):
    s = accounts.s
    accounts.account("alice", "laptop"), accounts.account("bob")
    accounts.device("alice", "laptop", "bob")
    accounts.converse("bob", "alice", "laptop"), accounts.converse("alice", "bob")

    # A message and its copy, in the pre-key headers of two sessions, and frames that are refused in a pre-key header.
    to_bob, to_laptop = accounts.send("alice", b"halo", "bob", "laptop")
    accounts.refuse(to_bob, "misbehaved", message_id=flip(to_bob[2], 0))
    accounts.refuse(to_bob, "unknown-device", sender=bytes(4) + b"\7"), accounts.refuse(to_bob, "rejected", sender=bytes(4) + b"\1")
    first_frames_that_are_refused(accounts, to_bob)
    accounts.deliver([to_bob, to_laptop])
    accounts.refuse(to_bob, "replayed")
    # Acknowledgements, from a device of the peer and from an own one.
    assert events(accounts.deliver(accounts.flush("bob"))) == ["delivered"]
    assert events(accounts.deliver(accounts.flush("laptop"))) == ["delivered"]
    accounts.deliver(accounts.send("bob", b"halo juga", "laptop"))
    accounts.deliver(accounts.flush("alice")), accounts.deliver(accounts.flush("laptop"))
    frames_that_are_refused(accounts)

    # Bob has lost a message: he asks for it in a session that replaces the others, and gets it again.
    lost, copied = accounts.send("alice", b"jam tujuh")
    accounts.deliver([copied])
    accounts.refuse(lost, "rejected", message=flip(lost[3], 200))
    s("ask-again", of="bob", message_id=lost[2], sender=lost[1])
    s("ask-again", of="bob", message_id=bytes(16), sender=lost[1])
    assert events(accounts.deliver(accounts.flush("bob", "alice"))) == ["session-replaced,not-sent-again"]
    again = accounts.flush("alice")
    assert {id for _, _, id, _ in again} >= {lost[2]}
    accounts.deliver([letter for letter in again if letter[2] == lost[2]])
    accounts.deliver(accounts.flush("bob"))
    s("ask-again", of="bob", message_id=lost[2], sender=lost[1], expect="given-up")
    for _ in range(2):
        s("ask-again", of="bob", message_id=bytes(16), sender=lost[1])
        assert events(accounts.deliver(accounts.flush("bob"))) == ["not-sent-again"]
    s("ask-again", of="bob", message_id=bytes(16), sender=lost[1], expect="given-up")

    # Alice uses a list that Bob does not have.
    newer = s("issue-list", of="alice", now=NOW + DAY)["list"]
    s("take-list", of="alice", seen=newer, now=NOW + DAY)
    to_bob, _ = accounts.send("alice", b"daftar baru")
    assert events(accounts.deliver([to_bob])) == ["list-outdated"]
    s("take-list", of="bob", seen=newer, now=NOW + DAY)
    to_bob, _ = accounts.send("alice", b"sudah sama")
    assert events(accounts.deliver([to_bob])) == [""]


def bad(talk, id):
    """Frames that P-12.3 refuses from a peer's device, each derived from a valid one."""
    lists = Lists.of(talk.device.list, talk.peer)
    good = frame(MESSAGE, 0, talk.id, id, lists, b"halo")
    yield from (good[:at] for at in (0, 1, 66))
    yield from (b"\2" + good[1:], good[:1] + b"\0" + good[2:], good[:1] + b"\7" + good[2:], good[:2] + b"\2" + good[3:])
    yield from (flip(good, 3), flip(good, 18), flip(good, 19), flip(good, 34))
    yield frame(COPY, 0, talk.id, id, lists, b"halo")
    for kind in (ACKNOWLEDGEMENT, REQUEST):
        yield from (frame(kind, 0, talk.id, id, lists, bytes(length)) for length in (0, 15, 17, 257 * 16))
    for kind in (DECISION, RECEIPT):
        yield from (frame(kind, 0, talk.id, id, lists, bytes([1]) * length) for length in (0, 302, 438))


def first_frames_that_are_refused(accounts, letter):
    """In the pre-key header of a separate session, whose pre-keys are not used up."""
    to, sender, id, _ = letter
    talk = accounts.s.world.known("talks")["alice"]
    for data in list(bad(talk, id))[:6]:
        bundle = verify_bundle(accounts.bundles[to], accounts.key(to), NOW)
        session = Session.initiate(talk.device.identity, bundle, os.urandom, NOW)
        accounts.refuse((to, sender, id, session.encrypt(data, os.urandom)), "misbehaved")


def frames_that_are_refused(accounts):
    """In an existing session, which does not change."""
    talk, id = accounts.s.world.known("talks")["alice"], os.urandom(16)
    for data in bad(talk, id):
        session = copy.deepcopy(active(talk.links[False, 0]).session)
        accounts.refuse(("bob", bytes(5), id, session.encrypt(data, os.urandom)), "misbehaved")
    lists = Lists.of(talk.device.list, talk.peer)
    for kind in (MESSAGE, RECEIPT):
        session = copy.deepcopy(active(talk.links[True, 1]).session)
        data = frame(kind, 0, talk.id, id, lists, b"halo")
        accounts.refuse(("laptop", b"\1" + bytes(4), id, session.encrypt(data, os.urandom)), "misbehaved")


def crossed_and_forked(accounts):
    """Both send first; both continue in the session with the smaller id. Dedi was shown another list of Cici's."""
    accounts.account("cici"), accounts.account("dedi")
    accounts.device("cici", "dedi")
    other = accounts.s("found-account", of="cici", terms=PERSON, now=NOW + 1)["list"]
    accounts.converse("dedi", "cici"), accounts.converse("cici", "dedi", seen=other)
    crossing = accounts.send("cici", b"dari Cici", "dedi") + accounts.send("dedi", b"dari Dedi", "cici")
    assert events(accounts.deliver(crossing)) == ["lists-forked"] * 2
    for _ in range(2):
        accounts.deliver(accounts.send("cici", b"lagi")), accounts.deliver(accounts.send("dedi", b"juga"))
        accounts.deliver(accounts.flush("cici")), accounts.deliver(accounts.flush("dedi"))


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
    assert [step["received"] for step in told] == ["decision", "nothing"] and told[1]["events"] == "label"
    s("countersign", of="endpoint", sender=bytes(5), decision=told[0]["decision"], now=NOW + 60, **disclosed)
    accounts.deliver(accounts.flush("endpoint"))
    received = accounts.deliver(accounts.send("rini", b"kuota saya hilang", "shop"))
    assert [step.get("delete_by") for step in received] == [None, NOW + 30 * DAY, None]
    for name in ("shop", "endpoint", "tablet"):
        accounts.deliver(accounts.flush(name))
