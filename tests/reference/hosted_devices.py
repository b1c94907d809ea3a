"""Section 11 of docs/spec/hosting.md: disclosures, decisions and receipts, and the steps of scripts about them.

The steps of a script determine which decisions a user makes.
"""

from accounts import check, signature
from bisik import *

L_DISC_OPERATOR, L_DISC_ENDPOINT = b"bisik-1 disclosure operator\0", b"bisik-1 disclosure endpoint\0"
L_DISC_ACCOUNT, L_DISC_HASH = b"bisik-1 disclosure account\0", b"bisik-1 hash of a disclosure\0"
L_DECISION, L_RECEIPT = b"bisik-1 decision\0", b"bisik-1 decision receipt\0"
YEAR = 366 * DAY
REGION = set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
DECEPTIVE = [(0, 0x1f), (0x7f, 0x9f), (0xad, 0xad), (0x34f, 0x34f), (0x61c, 0x61c), (0x115f, 0x1160), (0x17b4, 0x17b5),
             (0x180b, 0x180f), (0x200b, 0x200f), (0x2028, 0x202e), (0x2060, 0x206f), (0x3164, 0x3164), (0xfe00, 0xfe0f),
             (0xfeff, 0xfeff), (0xffa0, 0xffa0), (0xfff0, 0xfffb), (0xe0000, 0xe0fff)]


# 11.1 Terms

def terms(custody, operator, name, roles, at_rest, in_use, region, purposes):
    return (bytes([custody]) + operator + bytes([len(name)]) + name + bytes([roles]) + pack(">QQ", at_rest, in_use)
            + bytes([len(region)]) + region + bytes([purposes]))


def check_name(name):                                                                                     # P-11.2
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("malformed") from None
    require(1 <= len(name) <= 64 and text.strip() == text, "malformed")
    require(not any(low <= ord(c) <= high for c in text for low, high in DECEPTIVE), "malformed")


class Reader:
    def __init__(self, data):
        self.data = data

    def take(self, n):
        require(len(self.data) >= n, "malformed")
        taken, self.data = self.data[:n], self.data[n:]
        return taken

    def number(self, n):
        return int.from_bytes(self.take(n), "big")

    def key(self):
        return otherwise("malformed", check_identity, self.take(64))


class Body:
    """The text that all three parties sign."""

    def __init__(self, data):
        reader = Reader(data)
        require(reader.number(1) == 1, "malformed")
        self.data, self.account, self.hosted, self.custody = data, reader.key(), reader.key(), reader.number(1)
        self.operator = reader.key()
        check_name(reader.take(reader.number(1)))
        roles, self.at_rest, self.in_use = reader.number(1), reader.number(8), reader.number(8)
        region, purposes = reader.take(reader.number(1)), reader.number(1)
        require(self.custody in (4, 5, 6) and 1 <= roles <= 7 and purposes <= 7, "malformed")              # P-11.1
        require(not region or 2 <= len(region) <= 16 and set(region) <= REGION, "malformed")              # P-11.2
        self.issued, self.expires, self.sequence = reader.number(8), reader.number(8), reader.number(8)
        self.previous, self.rest = reader.take(32), reader.data
        require(len({self.account[:32], self.hosted[:32], self.operator[:32]}) == 3, "malformed")        # P-11.4
        require(self.issued < self.expires <= min(self.issued + YEAR, 2**64 - 1), "malformed")            # P-11.5
        require(self.sequence > 0 and (self.sequence == 1) == (self.previous == bytes(32)), "malformed")


# 11.2 Disclosure

class Disclosure(Body):
    def __init__(self, data):
        super().__init__(data)
        require(len(self.rest) == 192, "malformed")
        self.hash = sha256(L_DISC_HASH, data)

    def verify(self, account, now=None, known=None):
        require(self.account == account, "other-account")                                                 # P-11.7
        check(self.operator, L_DISC_OPERATOR, self.data[:-192], self.data[-192:-128])
        check(self.hosted, L_DISC_ENDPOINT, self.data[:-128], self.data[-128:-64])
        check(self.account, L_DISC_ACCOUNT, self.data[:-64], self.data[-64:])
        require(now is None or self.issued <= now + DAY, "not-yet-valid")                                 # P-11.8
        require(now is None or self.expires > now, "expired")
        if known and known.hosted == self.hosted:
            require(self.operator == known.operator, "key-reused")                                        # P-11.10
            require(self.sequence >= known.sequence, "rolled-back")                                       # P-11.9
            require(self.sequence != known.sequence or self.hash == known.hash, "forked")
            require(self.sequence != known.sequence + 1 or self.previous == known.hash, "forked")
        return self


# 11.5 Decisions

def decide(choice, account, device, disclosure, round, decided):
    text = bytes([1, choice]) + account + device.public + disclosure.account + disclosure.hash
    text += pack(">IQ", round, decided)
    return text + signature(device, L_DECISION, text)


class Decision:
    def __init__(self, data):
        require(len(data) == 302 and data[0] == 1 and data[1] in (1, 2, 3), "malformed")
        self.data, self.choice, self.disclosure = data, data[1], data[194:226]
        self.account, self.device, self.peer = (otherwise("malformed", check_identity, data[at:at + 64]) for at in (2, 66, 130))
        self.decided, = unpack(">Q", data[230:238])
        require(self.disclosure != bytes(32) and self.account != self.peer, "malformed")

    def verify(self, account, disclosure, now):                                                           # P-11.19
        require(self.account == account and self.peer == disclosure.account, "other-account")
        require(self.disclosure == disclosure.hash, "other-disclosure")
        check(self.device, L_DECISION, self.data[:-64], self.data[-64:])
        require(self.decided <= now + DAY, "not-yet-valid")
        require(self.choice != 1 or self.decided < disclosure.expires, "expired")


class HostedDeviceSteps:
    """The verbs of scripts. `identities` holds the keys of all parties by name."""

    def disclose(self, step, draw):
        account, hosted, operator = (self.identities[step[name]] for name in ("of", "with", "operator"))
        body = Body(step["draft"])
        require(not body.rest, "malformed")
        require([body.operator, body.hosted, body.account] == [operator.public, hosted.public, account.public],
                "other-party")                                                                            # P-11.3
        disclosed = body.data
        for party, label in ((operator, L_DISC_OPERATOR), (hosted, L_DISC_ENDPOINT), (account, L_DISC_ACCOUNT)):
            disclosed += signature(party, label, disclosed)
        return {"disclosed": disclosed, "hash": sha256(L_DISC_HASH, disclosed)}

    def verify_disclosure(self, step, draw):
        known = Disclosure(step["known"]) if "known" in step else None
        return {"hash": Disclosure(step["disclosed"]).verify(step["pinned"], step["now"], known).hash}

    def disclosed(self, step):
        disclosure = Disclosure(step["disclosed"])
        return disclosure.verify(disclosure.account)

    def decide(self, step, draw):
        """Withdrawal comes a second after consent; reconsidering, which is round 1, a second after refusal."""
        choice, round, later = {"consent": (1, 0, 0), "refuse": (2, 0, 0), "withdraw": (3, 0, 1),
                                "reconsider": (1, 1, 1)}[step["choice"]]
        device, disclosure = self.identities[step["of"]], self.disclosed(step)
        return {"decision": decide(choice, step["own"], device, disclosure, round, step["now"] + later)}

    def acknowledge(self, step, draw):
        hosted, disclosure, decision = self.identities[step["of"]], self.disclosed(step), Decision(step["decision"])
        require(hosted.public == disclosure.hosted, "other-endpoint")
        decision.verify(step["pinned"], disclosure, step["now"])
        note = decision.data + hosted.public + pack(">Q", step["now"])
        return {"receipt": note + signature(hosted, L_RECEIPT, note)}

    def verify_receipt(self, step, draw):
        receipt = step["receipt"]
        require(len(receipt) == 438, "malformed")
        decision, hosted, disclosure = Decision(receipt[:302]), receipt[302:366], self.disclosed(step)
        otherwise("malformed", check_identity, hosted)
        decision.verify(step["pinned"], disclosure, *unpack(">Q", receipt[366:374]))
        require(hosted == disclosure.hosted, "other-endpoint")
        check(hosted, L_RECEIPT, receipt[:-64], receipt[-64:])
        return {}
