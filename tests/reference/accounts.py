"""Section 10 of docs/spec/accounts.md: certificates, device lists, directories and linking, and the steps of scripts
about them.
"""

import re
from dataclasses import dataclass

from bisik import *

L_POSSESSION, L_LIST, L_LIST_HASH = b"bisik-1 device possession\0", b"bisik-1 device list\0", b"bisik-1 hash of a device list\0"
L_COMMITMENT, L_ANSWER, L_REVEAL = b"bisik-1 link commitment\0", b"bisik-1 link answer\0", b"bisik-1 link reveal\0"
L_LINK, L_SAS = b"bisik-1 link transcript\0", b"bisik-1 link short authentication string\0"
WEEK, MONTH, MOST, CERTIFICATE = 7 * DAY, 30 * DAY, 64, 166
QR_CODE, TYPED_CODE = 1, 2
# Read from the table of section 10.5, column by column.
EMOJI = ("🐯🐵🐘🐊🐢🐍🐸🐳🐙🦀🐞🐝🦉🐧🐓🦋🌵🌴🌻🍄🌽🥕🍌🍇🍓🍉🍍🍞🧀🥚🍩🎂"
         "🌋🌈🌙🔥⚡⛵🚂🚲🚀🚁🚜⚓🏠⛺🗼🎡🔑🔨🔔⏰📷🎒👓👟🎩🌂🎈🎁🎸🥁🏆⚽")
BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def signature(identity, label, text):
    return sign(identity.ed, label + identity.public + text)


def check(public, label, text, signed):
    verify(public[:32], label + public + text, signed)


# 10.2 Entries and certificates

def certify(device, account, index, terms):
    return pack(">I", index) + device.public + terms + signature(device, L_POSSESSION, account + pack(">I", index) + terms)


@dataclass
class Certificate:
    data: bytes

    def __post_init__(self):
        require(len(self.data) == CERTIFICATE, "malformed")
        self.index, = unpack(">I", self.data[:4])
        self.device, self.terms, self.possession = self.data[4:68], self.data[68:102], self.data[102:]
        custody, automated, disclosure = self.terms[0], self.terms[1], self.terms[2:]
        require(1 <= custody <= 6 and automated <= 1, "malformed")                                        # P-10.3
        require((custody <= 3) == (disclosure == bytes(32)), "malformed")
        otherwise("malformed", x25519_decode, self.device[32:])

    def verify(self, account):                                                                            # P-10.4
        otherwise("malformed", check_identity, self.device)
        text = account + self.data[:4] + self.terms
        otherwise("bad-possession", lambda _: check(self.device, L_POSSESSION, text, self.possession), None)


# 10.3 Device list

class DeviceList:
    def __init__(self, data):
        require(len(data) >= 193 and data[0] == 1, "malformed")
        self.data, self.account, self.previous = data, otherwise("malformed", check_identity, data[1:65]), data[73:105]
        self.sequence, = unpack(">Q", data[65:73])
        self.issued, self.expires, count = unpack(">QQI", data[105:125])
        require(count <= MOST and len(data) == 193 + CERTIFICATE * count, "malformed")
        end = 125 + CERTIFICATE * count
        self.certificates = [Certificate(data[at:at + CERTIFICATE]) for at in range(125, end, CERTIFICATE)]
        self.next_index, = unpack(">I", data[end:end + 4])
        self.consistent()

    def consistent(self):                                                                                 # P-10.7
        require(0 < self.sequence < 2**35 and (self.sequence == 1) == (self.previous == bytes(32)), "malformed")
        require(self.issued < self.expires <= self.issued + MONTH, "malformed")
        require(self.certificates and self.certificates[0].index == 0, "malformed")
        require(self.certificates[0].device == self.account, "malformed")
        indices, devices = [c.index for c in self.certificates], {c.device for c in self.certificates}
        require(indices == sorted(set(indices)) and indices[-1] < self.next_index, "malformed")
        require(len(devices) == len(indices), "malformed")

    def hash(self):
        return sha256(L_LIST_HASH, self.data)

    def authentic(self):                                                                                  # P-10.5
        check(self.account, L_LIST, self.data[:-64], self.data[-64:])

    def timely(self, now):                                                                                # P-10.6
        require(self.issued <= now + DAY, "not-yet-valid")
        require(self.expires > now, "expired")

    def claims(self, known=()):                                                                           # P-10.23
        for certificate in self.certificates:
            if certificate.data[:102] not in known:
                certificate.verify(self.account)

    def leaves(self, certificate):
        """Whether a directory that knows this list accepts the entry in a later one."""
        own = {c.index: c.device for c in self.certificates}
        return certificate.index >= self.next_index or own.get(certificate.index) == certificate.device


def issue(identity, sequence, previous, now, certificates, next_index):
    text = b"\1" + identity.public + pack(">Q", sequence) + previous + pack(">QQI", now, now + MONTH, len(certificates))
    text += b"".join(certificates) + pack(">I", next_index)
    return DeviceList(text + signature(identity, L_LIST, text))


class Primary:
    def __init__(self, identity, terms, now):
        self.identity = identity
        self.list = issue(identity, 1, bytes(32), now, [certify(identity, identity.public, 0, terms)], 1)
        self.hosted = []

    def change(self, now, added=None, updated=None, removed=None):
        devices, next_index = {c.index: c.data for c in self.list.certificates}, self.list.next_index
        for new in (added, updated):                                                                      # P-10.24
            if new is not None and Certificate(new).terms[0] <= 3:
                halves = {half for key in self.hosted for half in (key[:32], key[32:])}
                require(not halves & {new[4:36], new[36:68]}, "was-hosted")
        if added is not None:
            certificate = Certificate(added)
            require(certificate.index == next_index, "other-index")                                       # P-10.10
            require(certificate.device not in {c.device for c in self.list.certificates}, "already-listed")
            otherwise("bad-possession", certificate.verify, self.identity.public)
            devices[certificate.index], next_index = added, next_index + 1
        if updated is not None:
            certificate = Certificate(updated)
            require(devices.get(certificate.index, bytes(68))[4:68] == certificate.device, "unknown-device")
            otherwise("bad-possession", certificate.verify, self.identity.public)
            devices[certificate.index] = updated
        if removed is not None:
            require(removed != 0, "is-primary")
            require(devices.pop(removed, None), "unknown-device")
        certificates = [certificate for _, certificate in sorted(devices.items())]
        self.list = issue(self.identity, self.list.sequence + 1, self.list.hash(), now, certificates, next_index)
        self.hosted += [c.device for c in self.list.certificates if c.terms[0] > 3]

    def recover(self, now, seen):                                                                         # P-10.26
        """Continues from the newest of the lists. Two histories: P-10.27."""
        newest = max(seen, key=lambda known: known.sequence)
        newest = self.list if self.list.sequence > newest.sequence else newest
        others = [known for known in seen + [self.list] if known.data != newest.data]
        forked = any(known.sequence == newest.sequence for known in others)
        stay = [c for c in newest.certificates[1:] if all(known.leaves(c) for known in others)]
        first = certify(self.identity, self.identity.public, 0, newest.certificates[0].terms)
        next_index = max(known.next_index for known in others + [newest])
        sequence = newest.sequence + (2 if forked else 1)
        self.list = issue(self.identity, sequence, newest.hash(), now, [first] + [c.data for c in stay], next_index)


# 10.4 Following an account

class Directory:
    def __init__(self, data, pinned, now):
        self.list = DeviceList(data)
        require(self.list.account == pinned, "other-account")                                             # P-10.1
        self.list.authentic()
        self.list.timely(now)
        self.list.claims()
        self.recent = {}

    def follow(self, data, now):                                                                          # P-10.9
        new, known = DeviceList(data), self.list
        require(new.account == known.account, "other-account")
        if new.data == known.data:
            return new.timely(now)
        new.authentic()
        if new.sequence < known.sequence:                                                                 # P-10.22
            require(new.hash() in self.recent.get(new.sequence, [new.hash()]), "forked")
            raise Refused("rolled-back")
        require(new.sequence != known.sequence, "forked")
        require(new.sequence != known.sequence + 1 or new.previous == known.hash(), "forked")             # P-10.21
        require(new.next_index >= known.next_index, "index-reused")                                       # P-10.10
        require(all(known.leaves(c) for c in new.certificates), "index-reused")
        new.timely(now)
        new.claims({c.data[:102] for c in known.certificates})
        self.recent[known.sequence] = [known.hash()]
        self.recent = dict(list(self.recent.items())[-8:])
        self.list = new


# 10.5 Linking

def commitment(method, companion, nonce, secret):                                                         # P-10.12
    return sha256(L_COMMITMENT, bytes([method]), companion, nonce, secret)


class Link:
    """Everything that both sides know about a linking."""

    def __init__(self, method, secret, hello):
        self.method, self.secret, self.hello = method, secret, hello

    def tag(self, *parts):                                                                                # P-10.13
        return mac(self.secret, *parts) if self.method == QR_CODE else b""

    def take(self, kind, length, message):
        """Checks kind and length. Returns the message without its tag, and the tag."""
        steps = (b"\x51", b"\x52", b"\x53")
        require(message[:1] == kind, "wrong-step" if message[:1] in steps else "malformed")               # P-10.16
        require(len(message) == length + (32 if self.method == QR_CODE else 0), "malformed")
        return message[:length], message[length:]

    def compare(self, answer, nonce):                                                                     # P-10.14
        self.transcript = sha256(L_LINK, self.hello, answer, nonce)
        s = expand(extract(self.secret, self.transcript), L_SAS, 16)
        bits, number = int.from_bytes(s, "big") >> 92, int.from_bytes(s[8:], "big") % 10**12
        emoji = "".join(EMOJI[bits >> shift & 63] for shift in (30, 24, 18, 12, 6, 0))
        return {"emoji": emoji.encode(), "digits": " ".join(re.findall("...", f"{number:012}"))}


class Companion:
    def __init__(self, method, draw):
        self.identity, self.nonce = Identity(draw), draw(32)
        self.secret = draw(32) if method == QR_CODE else bytes(32)
        self.code = draw(5) if method == TYPED_CODE else None
        hello = b"\x51" + bytes([method]) + self.identity.public
        hello += commitment(method, self.identity.public, self.nonce, self.secret)
        self.link = Link(method, self.secret, hello)

    def answer(self, message):
        body, tag = self.link.take(b"\x52", 167, message)
        require(body[1:33] == sha256(self.link.hello), "other-link")
        require(tag == self.link.tag(L_ANSWER, body), "rejected")
        self.account = otherwise("malformed", check_identity, body[33:97])
        index, = unpack(">I", body[97:101])
        require(index != 0, "malformed")
        self.certificate = certify(self.identity, self.account, index, body[101:135])
        Certificate(self.certificate)
        string = self.link.compare(body, self.nonce)
        reveal = b"\x53" + self.nonce + self.certificate[-64:]
        return {"reveal": reveal + self.link.tag(L_REVEAL, self.link.transcript, reveal)} | string

    def finish(self, data, now):                                                                          # P-10.18
        directory = Directory(data, self.account, now)
        require(self.certificate[:102] in [c.data[:102] for c in directory.list.certificates], "not-listed")
        return directory


class Invited:
    """The primary's side, from the message that it received."""

    def __init__(self, seen, primary, terms, draw):
        method = QR_CODE if len(seen) == 130 else TYPED_CODE
        hello, secret = seen[:98], seen[98:] or bytes(32)
        require(hello[:1] == b"\x51", "wrong-step" if hello[:1] in (b"\x52", b"\x53") else "malformed")
        require(len(hello) == 98 and len(secret) == 32 and hello[1] == method, "malformed")
        self.companion, self.primary = otherwise("malformed", check_identity, hello[2:66]), primary
        self.link = Link(method, secret, hello)
        account, index = primary.identity.public, pack(">I", primary.list.next_index)
        self.body = b"\x52" + sha256(hello) + account + index + terms + draw(32)
        self.answer = self.body + self.link.tag(L_ANSWER, self.body)

    def reveal(self, message):
        body, tag = self.link.take(b"\x53", 97, message)
        string = self.link.compare(self.body, body[1:33])
        require(tag == self.link.tag(L_REVEAL, self.link.transcript, body), "rejected")
        opened = commitment(self.link.method, self.companion, body[1:33], self.link.secret)
        require(opened == self.link.hello[66:], "rejected")
        certificate = self.body[97:101] + self.companion + self.body[101:135] + body[33:]
        otherwise("rejected", Certificate(certificate).verify, self.primary.identity.public)
        return {"certificate": certificate} | string


class AccountSteps:
    """The verbs about accounts. Their state is created on first use."""

    def known(self, kind):
        return self.__dict__.setdefault(kind, {})

    def certify(self, step, draw):
        account = self.identities[step["with"]].public
        return {"certificate": certify(self.identities[step["of"]], account, step["index"], step["terms"])}

    def found_account(self, step, draw):
        self.known("primaries")[step["of"]] = Primary(self.identities[step["of"]], step["terms"], step["now"])
        return self.issued(step)

    def issue_list(self, step, draw):
        changes = {name: step.get(name) for name in ("added", "updated", "removed")}
        self.known("primaries")[step["of"]].change(step["now"], **changes)
        return self.issued(step)

    def recover_list(self, step, draw):
        primary = self.known("primaries")[step["of"]]
        seen = DeviceList(step["seen"])
        require(seen.account == primary.identity.public, "no-list")
        otherwise("no-list", lambda _: seen.authentic(), None)
        primary.recover(step["now"], [seen])
        return self.issued(step)

    def issued(self, step):
        made = self.known("primaries")[step["of"]].list
        return {"list": made.data, "hash": made.hash()}

    def trust_list(self, step, draw):
        self.known("directories")[step["of"]] = Directory(step["seen"], step["pinned"], step["now"])
        return {"hash": self.known("directories")[step["of"]].list.hash()}

    def follow_list(self, step, draw):
        directory = self.known("directories")[step["of"]]
        directory.follow(step["seen"], step["now"])
        return {"hash": directory.list.hash()}

    def link_by_qr_code(self, step, draw):
        companion = self.known("companions")[step["of"]] = Companion(QR_CODE, draw)
        return {"shown": companion.link.hello + companion.secret}

    def link_by_typed_code(self, step, draw):
        companion = self.known("companions")[step["of"]] = Companion(TYPED_CODE, draw)
        number = int.from_bytes(companion.code, "big")
        code = "".join(BASE32[number >> shift & 31] for shift in range(35, -5, -5))
        return {"shown": companion.link.hello, "code": f"{code[:4]}-{code[4:]}"}

    def link_invite(self, step, draw):
        primary = self.known("primaries")[step["of"]]
        self.known("invited")[step["of"]] = Invited(step["seen"], primary, step["terms"], draw)
        return {"link_answer": self.known("invited")[step["of"]].answer}

    def link_answer(self, step, draw):
        return self.known("companions")[step["of"]].answer(step["seen"])

    def link_reveal(self, step, draw):
        return self.known("invited")[step["of"]].reveal(step["seen"])

    def link_finish(self, step, draw):
        return {"hash": self.known("companions")[step["of"]].finish(step["seen"], step["now"]).list.hash()}
