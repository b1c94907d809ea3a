"""Section 7 of docs/spec/content.md, as far as the scripts need it: bodies, texts, polls and votes.

Of the schema it writes texts, documents and polls, and reads texts and documents; business.py has business content.
"""

import re
from dataclasses import dataclass, field
from struct import pack, unpack

import business
import group
from answers import answer_key, framed, open_answer, seal_answer
from primitives import require, sha256
from protobuf import number, part, records

L_POLL, L_VOTE = b"bisik-1 poll\0", b"bisik-1 poll vote\0"
DOCUMENT = (("blob", business.BLOB), ("file_name", "text"), ("caption", business.TEXT))
LONGEST_BODY, LATEST = 262_144, 253_402_300_799_999


# 7.1 Bodies

def padme(length):                                                                                        # P-7.1
    if length <= 32:
        return 32
    exponent = length.bit_length() - 1
    step = 2 ** (exponent - (exponent.bit_length() - 1) - 1)
    return -(-length // step) * step


def pad(protobuf):
    return (pack(">I", len(protobuf)) + protobuf).ljust(padme(4 + len(protobuf)), b"\0")


def unpad(body):                                                                                          # P-7.2
    require(len(body) <= LONGEST_BODY, "too-long")
    require(len(body) >= 4, "malformed")
    length, = unpack(">I", body[:4])
    protobuf = body[4:4 + length]
    require(len(protobuf) == length and pad(protobuf) == body, "malformed")
    return protobuf


# 7.2 Contents

def envelope(draw, sent_ms):
    return part(1, draw(16)) + number(2, sent_ms)


def text(draw, sent_ms, words):
    return pad(envelope(draw, sent_ms) + part(16, part(1, words)))


def singular(data, known):                                                                                # P-7.4
    fields = {}
    for at, value in records(data):
        require(at not in known or at not in fields, "malformed")
        fields[at] = value
    return fields


def document(draw, sent_ms, pointer, location, name):
    blob = part(1, pointer) + part(2, location)
    return pad(envelope(draw, sent_ms) + part(20, part(1, blob) + part(2, name)))


HIDDEN = {*range(0x20), *range(0x7F, 0xA0), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)}
BLANKS = "".join(map(chr, [0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000]))
DEVICE = re.compile("(?:con|prn|aux|nul|conin[$]|conout[$]|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE | re.ASCII)


def check_file_name(name):                                                                                # P-7.8
    business.bounded(name, 1, 255)
    require(not {*map(ord, name)} & ({*map(ord, "/\\:")} | HIDDEN), "out-of-range")
    require(name == name.lstrip(BLANKS).rstrip(BLANKS + "."), "out-of-range")
    require(not DEVICE.fullmatch(name.partition(".")[0].rstrip(BLANKS)), "out-of-range")


def read_body(body):
    """The text of a text, the file name of a document, or the number of another kind; for a cart also the total."""
    protobuf = unpad(body)
    kinds = [(at, value) for at, value in records(protobuf) if 16 <= at <= 127]
    require(len(kinds) == 1 and isinstance(kinds[0][1], bytes), "malformed")                              # P-7.5
    fields = singular(protobuf, (*range(1, 8), 9))
    require(len(fields.get(1, b"")) == 16, "malformed")
    require(fields.get(2, 0) <= LATEST, "out-of-range")                                                   # P-7.7
    (kind, value), = kinds
    require(fields.get(7, 0) <= 1, "malformed")
    group.check_secret(kind, fields.get(9, b""))
    if kind in group.KINDS:
        return group.judge(kind, value)
    if kind in business.KINDS:
        return business.judge(kind, value, fields.get(7, 0))
    if kind == 20:
        name = business.read(DOCUMENT, value)["file_name"]
        check_file_name(name)
        return {"file_name": name.encode()}
    if kind != 16:
        return {"kind": kind}
    words = singular(value, (1,)).get(1, b"")
    try:
        words.decode()
    except UnicodeDecodeError:
        require(False, "malformed")
    require(words, "out-of-range")
    require(len(words) <= 65_536, "too-long")
    return {"words": words}


# 7.5 Votes

@dataclass
class Poll:
    secret: bytes
    id: bytes
    author: bytes
    question: bytes
    options: list
    most_choices: int
    sequences: dict = field(default_factory=dict)

    def body(self, sent_ms):
        options = b"".join(part(3, option) for option in self.options)
        poll = part(1, self.secret) + part(2, self.question) + options + number(4, self.most_choices)
        return pad(envelope(lambda _: self.id, sent_ms) + part(27, poll))

    def definition(self):
        options = pack(">II", self.most_choices, len(self.options)) + b"".join(map(framed, self.options))
        return sha256(L_POLL, self.id, framed(self.author), framed(self.question), options)

    def key(self, voter):                                                                                 # P-7.13
        return answer_key(self.secret, L_VOTE, self.definition(), voter)

    def allows(self, sent_ms, choices):                                                                   # P-7.14
        return (choices < 2 ** len(self.options) and choices.bit_count() <= self.most_choices and sent_ms <= LATEST)

    def seal(self, voter, vote, draw):
        return seal_answer(self.key(voter), vote, draw)

    def cast(self, voter, sent_ms, choices, draw):
        require(self.allows(sent_ms, choices), "out-of-range")
        self.sequences[voter] = self.sequences.get(voter, 0) + 1                                          # P-7.15
        return self.seal(voter, pack(">QQI", self.sequences[voter], sent_ms, choices), draw)

    def open(self, voter, sealed):                                                                        # P-7.12
        _, sent_ms, choices = unpack(">QQI", open_answer(self.key(voter), sealed, 20))
        require(self.allows(sent_ms, choices), "invalid")
        return sent_ms, choices


# 7.8 Businesses

def answers(body, author, answer):                                                                        # P-7.19
    """The title of the option that `answer` chooses, if `body`, written by `author`, offers it."""
    said, chosen = ({at: value for at, value in records(unpad(each))} for each in (body, answer))
    kind = next(at for at in said if 16 <= at <= 127)
    require(kind in business.KINDS, "not-offered")
    offered = business.offered(kind, business.read(business.KINDS[kind], said[kind]))
    selection = business.read(business.KINDS[business.SELECTION], chosen[business.SELECTION])
    require(selection["of"] == {"author": author, "id": said[1]}, "not-offered")
    require(offered.get(selection["id"]) == selection["title"], "not-offered")
    return {"title": selection["title"].encode()}
