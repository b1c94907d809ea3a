"""The script of tests/vectors/group-content.txt: what people share in groups, what is refused of it, and sealed answers."""

from struct import pack

from business import write
from group import *
from protobuf import number, part
from script import *

ANA, ID, OTHER = b"ana", bytes(range(16)), bytes(range(1, 17))
TARGET = {"author": ANA, "id": ID}
HERE = {"latitude": -6.2, "longitude": 106.8, "accuracy_m": 12}
DINNER = {"secret": bytes(range(32)), "title": "makan malam", "from_s": NOW + 86_400}
FULL = DINNER | {"description": "di warung", "to_s": NOW + 90_000, "place": "Warung Bu Sri", "at": HERE, "most_guests": 3,
                 "replaces": OTHER}
HEART = "\u2764".encode()


def count(people, **answer):
    return {"people": people} | answer


GOOD = [(PIN, {"target": TARGET}), (PIN, {"target": TARGET, "until_s": LAST_SECOND}), (UNPIN, {"target": TARGET}),
        (EVENT, DINNER), (EVENT, FULL), (EVENT, FULL | {"cancelled": 1}),
        (EVENT, DINNER | {"at": {"latitude": 0.0, "longitude": 0.0}}), (EVENT, DINNER | {"from_s": 0, "to_s": 1}),
        (EVENT, DINNER | {"title": "a" * 255, "description": "a" * 4_096, "place": "a" * 1_024, "most_guests": 100}),
        (RSVP, {"event": TARGET, "sealed": bytes(60)}), (REACTION, {"target": TARGET, "sealed": bytes(121)}),
        (TALLY, {"target": ID}), (TALLY, {"target": ID, "counts": [count(17, emoji="\u2764"), count(2**32 - 1, choice=32)]}),
        (TALLY, {"target": ID, "counts": [count(at, choice=at) for at in range(1, 33)]}),
        (ALBUM, {"items": [ID, OTHER]}), (ALBUM, {"items": [bytes([at]) * 16 for at in range(100)]}),
        (REMOVE, {"target": TARGET})]
BAD = [*[("malformed", kind, {}) for kind in (PIN, UNPIN, EVENT, RSVP, REACTION, TALLY, REMOVE)],
       *[("malformed", kind, {"target": TARGET | {"id": ID[1:]}}) for kind in (PIN, UNPIN, REMOVE)],
       *[("out-of-range", kind, {"target": {"id": ID}}) for kind in (PIN, UNPIN, REMOVE)],
       ("out-of-range", PIN, {"target": TARGET, "until_s": LAST_SECOND + 1}),
       *[("malformed", EVENT, DINNER | wrong) for wrong in (
           {"secret": bytes(31)}, {"replaces": bytes(15)}, {"cancelled": 2, "replaces": ID})],
       *[("out-of-range", EVENT, DINNER | wrong) for wrong in (
           {"title": ""}, {"from_s": LAST_SECOND + 1}, {"to_s": LAST_SECOND + 1}, {"to_s": DINNER["from_s"]},
           {"most_guests": 101}, {"cancelled": 1}, {"at": HERE | {"latitude": 90.5}},
           {"at": HERE | {"accuracy_m": 20_037_509}})],
       *[("too-long", EVENT, DINNER | wrong) for wrong in (
           {"title": "a" * 256}, {"description": "a" * 4_097}, {"place": "a" * 1_025})],
       *[("malformed", RSVP, {"event": TARGET, "sealed": bytes(size)}) for size in (0, 59, 61, 121)],
       *[("malformed", REACTION, {"target": TARGET, "sealed": bytes(size)}) for size in (0, 60, 120, 122)],
       *[("malformed", TALLY, {"target": ID, "counts": [wrong]}) for wrong in (count(1), count(1, choice=1, emoji="a"))],
       *[("out-of-range", TALLY, {"target": ID, "counts": wrong}) for wrong in (
           [count(0, choice=1)], [count(1, choice=33)], [count(1, choice=1), count(2, choice=1)],
           [count(1, emoji="a"), count(2, emoji="a")])],
       ("too-long", TALLY, {"target": ID, "counts": [count(1, emoji="a" * 65)]}),
       ("malformed", TALLY, {"target": ID, "counts": [count(1, emoji=f"{at}") for at in range(65)]}),
       *[("out-of-range", ALBUM, {"items": wrong}) for wrong in ([], [ID], [ID, ID], [ID, OTHER, ID])],
       ("malformed", ALBUM, {"items": [ID, OTHER[1:]]}),
       ("malformed", ALBUM, {"items": [bytes([at]) * 16 for at in range(101)]})]


def wrapped(kind, value, secret=b"", id=ID):
    secret = part(9, secret) if secret else b""
    return content.pad(part(1, id) + number(2, NOW * 1_000) + secret + part(kind, value))


def body(kind, values, **envelope):
    return wrapped(kind, write(KINDS[kind], values), **envelope)


def group_():
    """Pins, events, tallies, albums, removals, and what is refused of each; answers to events; sealed reactions."""
    s = Script()
    for kind, values in GOOD:
        s("read-body", body=body(kind, values))
    for expect, kind, values in BAD:
        s("read-body", body=body(kind, values), expect=expect)
    good = write(KINDS[EVENT], FULL)
    for twice in (good + part(2, b"a"), good + part(7, b""), good + number(10, 1) * 2):
        s("read-body", body=wrapped(EVENT, twice), expect="malformed")
    secrets(s), answers_to_events(s), reactions(s)
    return s


def secrets(s):
    """A secret only where something is shown, or where nobody knows what it is."""
    halo = part(1, b"halo")
    s("read-body", body=wrapped(16, halo, secret=bytes(32))), s("read-body", body=wrapped(94, b"", secret=bytes(32)))
    s("read-body", body=body(EVENT, DINNER, secret=bytes(32)))
    for length in (1, 31, 33):
        s("read-body", body=wrapped(16, halo, secret=bytes(length)), expect="malformed")
    for kind, values in ((PIN, {"target": TARGET}), (TALLY, {"target": ID}), (ALBUM, {"items": [ID, OTHER]})):
        s("read-body", body=body(kind, values, secret=bytes(32)), expect="not-allowed")


def answers_to_events(s):
    budi, plain, full = os.urandom(64), body(EVENT, DINNER), body(EVENT, FULL)

    def rsvp(event, attendance, guests=0, person=budi, **more):
        return s("rsvp", body=event, author=ANA, person=person, sent_ms=NOW * 1_000, attendance=attendance, guests=guests,
                 **more)

    def opened(sealed, event=full, expect="", person=budi, author=ANA):
        s("open-rsvp", body=event, author=author, person=person, sealed_answer=sealed, **({"expect": expect} if expect else {}))
    for event, attendance, guests in ((plain, 1, 0), (plain, 0, 0), (full, 1, 3), (full, 2, 1), (full, 3, 0), (full, 0, 0)):
        step = rsvp(event, attendance, guests, definition=None, vote_key=None)
        opened(step["sealed_answer"], event)
    rsvp(plain, 1, 1, expect="out-of-range", draws=b""), rsvp(full, 2, 4, expect="out-of-range", draws=b"")
    cancelled = body(EVENT, FULL | {"cancelled": 1})
    rsvp(cancelled, 1, expect="not-allowed", draws=b"")
    sealed = rsvp(full, 1, 2)["sealed_answer"]
    opened(sealed, cancelled, "invalid")
    opened(sealed, expect="rejected", person=ANA), opened(sealed, expect="rejected", author=b"an")
    opened(sealed, body(EVENT, FULL, id=OTHER), "rejected")
    for change in ({"secret": bytes(32)}, {"title": "makan"}, {"description": "di warung "}, {"from_s": NOW}, {"to_s": 0},
                   {"place": ""}, {"at": None}, {"at": HERE | {"latitude": 6.2}}, {"most_guests": 4}, {"replaces": b""}):
        opened(sealed, body(EVENT, FULL | change), "rejected")
    zero = rsvp(body(EVENT, DINNER | {"at": {"longitude": 1.0}}), 3)["sealed_answer"]
    opened(zero, body(EVENT, DINNER | {"at": {"longitude": 1.0}}))
    for at in (0, 23, 24, 43, 44, 59):
        opened(flip(sealed, at), expect="rejected")
    opened(sealed[:-1], expect="malformed"), opened(sealed + b"\0", expect="malformed")
    answering, _ = answers_to_event(content.unpad(full), ANA)
    for sent_ms, attendance, guests in ((0, 1, 4), (0, 4, 0), (0, 0, 1), (0, 3, 1), (0, 256, 0), (LATEST + 1, 1, 0)):
        opened(answering.seal(budi, 9, sent_ms, pack(">HH", attendance, guests), os.urandom), expect="invalid")
    as_vote = Answering(FULL["secret"], content.L_VOTE, answering.definition, 20, None)
    opened(as_vote.seal(budi, 1, 0, pack(">HH", 1, 0), os.urandom), expect="rejected")


def reactions(s):
    budi, secret = os.urandom(64), os.urandom(32)
    news, other = (wrapped(16, part(1, words), secret=secret) for words in (b"buka pukul sembilan", b"buka pukul delapan"))

    def react(emoji, to=news, **more):
        return s("react", body=to, author=ANA, person=budi, sent_ms=NOW * 1_000, words=emoji, **more)

    def opened(sealed, to=news, expect="", person=budi, author=ANA):
        s("open-reaction", body=to, author=author, person=person, sealed_answer=sealed, **({"expect": expect} if expect else {}))
    for emoji in (HEART, b"", HEART, b"a" * 64):
        opened(react(emoji, definition=None, vote_key=None)["sealed_answer"])
    react(b"a" * 65, expect="too-long", draws=b"")
    react(HEART, to=wrapped(16, part(1, b"halo")), expect="malformed", draws=b"")
    sealed = react(HEART)["sealed_answer"]
    opened(sealed, other, "rejected"), opened(sealed, expect="rejected", person=ANA)
    opened(sealed, expect="rejected", author=budi), opened(sealed, wrapped(16, part(1, b"halo")), "malformed")
    opened(sealed, wrapped(16, part(1, b"buka pukul sembilan"), secret=bytes(32)), "rejected")
    for at in (0, 23, 24, 104, 105, 120):
        opened(flip(sealed, at), expect="rejected")
    opened(sealed[:-1], expect="malformed"), opened(sealed + b"\0", expect="malformed")
    answering = reactions_to(content.unpad(news), news, ANA)
    for sent_ms, said in ((0, b"\x41".ljust(65, b"a")), (0, b"\x01\xff".ljust(65, b"\0")), (0, b"\x01ab".ljust(65, b"\0")),
                          (0, bytes(64) + b"\1"), (0, b"\xff" + bytes(64)), (LATEST + 1, bytes(65))):
        opened(answering.seal(budi, 9, sent_ms, said, os.urandom), expect="invalid")
