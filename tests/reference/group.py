"""Section 7.9 of docs/spec/content.md: what people share in groups, read and checked; sealed answers."""

from dataclasses import dataclass
from struct import pack, unpack

from answers import answer_key, framed, open_answer, seal_answer
from business import REFERENCE, all_different, bounded, read, within
from primitives import require, sha256
from protobuf import records

L_EVENT, L_RSVP = b"bisik-1 event\0", b"bisik-1 event answer\0"
L_REACTED, L_REACTION = b"bisik-1 content of reactions\0", b"bisik-1 sealed reaction\0"
COORDINATES = (("latitude", "double"), ("longitude", "double"), ("accuracy_m", "number"))
COUNT = (("choice", "number"), ("emoji", "text"), ("people", "number"))
KINDS = {
    35: (("target", REFERENCE), ("until_s", "number")),
    36: (("target", REFERENCE),),
    37: (("secret", "bytes"), ("title", "text"), ("description", "text"), ("from_s", "number"), ("to_s", "number"),
         ("place", "text"), ("at", COORDINATES), ("most_guests", "number"), ("replaces", "bytes"),
         ("cancelled", "number")),
    38: (("event", REFERENCE), ("sealed", "bytes")),
    39: (("target", REFERENCE), ("sealed", "bytes")),
    40: (("target", "bytes"), ("counts", COUNT, 64)),
    41: (("items", "bytes", 100),),
    42: (("target", REFERENCE),),
}
PIN, UNPIN, EVENT, RSVP, REACTION, TALLY, ALBUM, REMOVE = KINDS
# Kinds that may be acknowledged: only these may have a secret.
SHOWN = {*range(16, 25), 27, EVENT, 64, 65, *range(67, 73)}
KNOWN = {*range(16, 43), *range(64, 74)}
LATEST, LAST_SECOND = 253_402_300_799_999, 253_402_300_799


def check_reference(reference):
    require(reference is not None, "malformed")
    within(len(reference["author"]), 1, 128)
    require(len(reference["id"]) == 16, "malformed")


def check_event(v):
    require(len(v["secret"]) == 32 and len(v["replaces"]) in (0, 16) and v["cancelled"] <= 1, "malformed")
    if v["at"]:
        within(v["at"]["latitude"], -90, 90), within(v["at"]["longitude"], -180, 180)
        within(v["at"]["accuracy_m"], 0, 20_037_508)
    bounded(v["title"], 1, 255), bounded(v["description"], 0, 4_096), bounded(v["place"], 0, 1_024)
    within(v["most_guests"], 0, 100), within(v["from_s"], 0, LAST_SECOND), within(v["to_s"], 0, LAST_SECOND)
    require(not v["to_s"] or v["to_s"] > v["from_s"], "out-of-range")
    require(v["replaces"] or not v["cancelled"], "out-of-range")                                              # P-7.27


def judge(kind, value):
    v = read(KINDS[kind], value)
    if kind in (PIN, UNPIN, REMOVE, REACTION):
        check_reference(v["target"])
    if kind == PIN:
        within(v["until_s"], 0, LAST_SECOND)
    if kind == EVENT:
        check_event(v)
    if kind == RSVP:
        check_reference(v["event"])
    if kind in (RSVP, REACTION):
        require(len(v["sealed"]) == (60 if kind == RSVP else 121), "malformed")
    if kind == TALLY:
        require(len(v["target"]) == 16, "malformed")
        for count in v["counts"]:
            require(bool(count["choice"]) != bool(count["emoji"]), "malformed")
        for count in v["counts"]:
            within(count["choice"], 0, 32), bounded(count["emoji"], 0, 64), within(count["people"], 1, 2**32 - 1)
        all_different([(count["choice"], count["emoji"]) for count in v["counts"]])
    if kind == ALBUM:
        require(all(len(item) == 16 for item in v["items"]), "malformed")
        within(len(v["items"]), 2, 100), all_different(v["items"])
    return {"kind": kind}


def check_secret(kind, secret):                                                                               # P-7.26
    require(len(secret) in (0, 32), "malformed")
    require(not secret or kind in SHOWN or kind not in KNOWN, "not-allowed")


@dataclass
class Answering:
    """The answers of one type to one content."""
    secret: bytes
    label: bytes
    definition: bytes
    length: int
    check: object

    def key(self, person):
        return answer_key(self.secret, self.label, self.definition, person)

    def seal(self, person, sequence, sent_ms, said, draw):
        return seal_answer(self.key(person), pack(">QQ", sequence, sent_ms) + said, draw)

    def open(self, person, sealed):                                                                           # P-7.24
        answer = open_answer(self.key(person), sealed, self.length)
        sequence, sent_ms = unpack(">QQ", answer[:16])
        require(sent_ms <= LATEST, "invalid")
        return {"sent_ms": sent_ms} | self.check(answer[16:])


def parts(protobuf):
    """The metadata and the kind of a body, by field number."""
    return dict(records(protobuf))


def answers_to_event(protobuf, author):
    fields = parts(protobuf)
    event = read(KINDS[EVENT], fields[EVENT])
    at = event["at"]
    if at:
        at = pack(">ddI", at["latitude"] + 0.0, at["longitude"] + 0.0, at["accuracy_m"])
    definition = sha256(
        L_EVENT, fields[1], framed(author), framed(event["title"].encode()), framed(event["description"].encode()),
        pack(">QQ", event["from_s"], event["to_s"]), framed(event["place"].encode()), framed(at or b""),
        pack(">I", event["most_guests"]), framed(event["replaces"]))

    def check(said):
        attendance, guests = unpack(">HH", said)
        require(not event["cancelled"] and attendance <= 3 and guests <= event["most_guests"], "invalid")
        require(attendance in (1, 2) or not guests, "invalid")
        return {"attendance": attendance, "guests": guests}

    return Answering(event["secret"], L_RSVP, definition, 20, check), event


def reactions_to(protobuf, body, author):
    fields = parts(protobuf)
    definition = sha256(L_REACTED, fields[1], framed(author), framed(body))

    def check(said):
        emoji, rest = said[1:1 + said[0]], said[1 + said[0]:]
        require(said[0] <= 64 and not any(rest), "invalid")
        try:
            emoji.decode()
        except UnicodeDecodeError:
            require(False, "invalid")
        return {"words": emoji}

    return Answering(fields[9], L_REACTION, definition, 81, check)
