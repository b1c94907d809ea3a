"""Section 11 of docs/spec/hosting.md: disclosures, decisions and receipts, and the steps of scripts about them.

The steps of a script determine which decisions a user makes.
"""

from accounts import DeviceList, check, signature
from bisik import *

L_DISC_OPERATOR, L_DISC_ENDPOINT = b"bisik-1 disclosure operator\0", b"bisik-1 disclosure endpoint\0"
L_DISC_ACCOUNT, L_DISC_HASH = b"bisik-1 disclosure account\0", b"bisik-1 hash of a disclosure\0"
L_OPERATOR = b"bisik-1 operator number\0"
L_DECISION, L_RECEIPT = b"bisik-1 decision\0", b"bisik-1 decision receipt\0"
YEAR = 366 * DAY
REGION = set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
MARKS = " &'\u2019()+,-."
# The scripts of section 11.1, from first to last letter of each range.
SCRIPTS = [[tuple(int(end, 16) for end in (span + "-" + span).split("-")[:2]) for span in script.split()] for script in (
    "41-5a 61-7a c0-d6 d8-f6 f8-17f 1e00-1ef9", "386 388-38a 38c 38e-3a1 3a3-3ce", "400-481 48a-52f", "531-556 561-587",
    "5d0-5ea", "620-63a 641-64a 671-6d3", "900-94d 958-961", "980-9cd 9dc-9e1 9f0-9f1", "a01-a4d a59-a5e a70-a75",
    "a81-acd ae0-ae1", "b01-b4d b5c-b61 b71", "b82-bcd", "c00-c4d c58-c61", "c80-ccd cde-ce1", "d00-d4d d5f-d61 d7a-d7f",
    "d81-ddf", "e01-e3a e40-e4e", "e81-ece edc-edf", "1000-103f", "10d0-10fa 10fd-10ff", "1200-135a", "1780-17b3 17b6-17d2",
    "a980-a9c0", "3005-3007 3041-3096 30a1-30fa 30fc 3400-4dbf 4e00-9fff ac00-d7a3")]


def script_of(letter):
    return next((n for n, script in enumerate(SCRIPTS) if any(low <= ord(letter) <= high for low, high in script)), None)


# 11.1 Terms

def terms(custody, operator, name, roles, at_rest, in_use, region, purposes):
    return (bytes([custody]) + operator + bytes([len(name)]) + name + bytes([roles]) + pack(">QQ", at_rest, in_use)
            + bytes([len(region)]) + region + bytes([purposes]))


def check_name(name):                                                                                     # P-11.2
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("malformed") from None
    letters = [c for c in text if c not in MARKS and c not in "0123456789"]
    require(len(name) <= 64 and letters and len({script_of(c) for c in letters} - {None}) == 1, "malformed")
    require(all(script_of(c) is not None for c in letters), "malformed")
    require(text[0] not in MARKS and text[-1] != " ", "malformed")
    same = text.replace("\u2019", "'")
    require(not any(mark * 2 in same for mark in MARKS), "malformed")


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

    def verify(self, user, disclosure, now):                                                              # P-11.19
        """`user` is the device list of the account that decided."""
        require(self.account == user.account and self.peer == disclosure.account, "other-account")
        require(self.disclosure == disclosure.hash, "other-disclosure")
        own_held = {certificate.device for certificate in user.certificates if certificate.terms[0] <= 3}
        require(self.device in own_held, "not-listed")
        check(self.device, L_DECISION, self.data[:-64], self.data[-64:])
        require(self.choice != 1 or self.decided <= now + DAY, "not-yet-valid")                           # P-11.27
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

    def operator_number(self, step, draw):                                                                # P-11.25
        digest = sha256(L_OPERATOR, step["key"])
        groups = (int.from_bytes(digest[5 * n:5 * n + 5], "big") % 100_000 for n in range(6))
        return {"number": " ".join(f"{group:05}" for group in groups)}

    def verify_disclosure(self, step, draw):
        known = Disclosure(step["known"]) if "known" in step else None
        return {"hash": Disclosure(step["disclosed"]).verify(step["pinned"], step["now"], known).hash}

    def disclosed(self, step):
        disclosure = Disclosure(step["disclosed"])
        return disclosure.verify(disclosure.account)

    def user(self, step):
        seen = DeviceList(step["seen"])
        seen.authentic(), seen.claims()
        return seen

    def decide(self, step, draw):
        """Withdrawal comes a second after consent; reconsidering, which is round 1, a second after refusal."""
        choice, round, later = {"consent": (1, 0, 0), "refuse": (2, 0, 0), "withdraw": (3, 0, 1),
                                "reconsider": (1, 1, 1)}[step["choice"]]
        device, disclosure = self.identities[step["of"]], self.disclosed(step)
        return {"decision": decide(choice, step["own"], device, disclosure, round, step["now"] + later)}

    def acknowledge(self, step, draw):
        hosted, disclosure, decision = self.identities[step["of"]], self.disclosed(step), Decision(step["decision"])
        require(hosted.public == disclosure.hosted, "other-endpoint")
        decision.verify(self.user(step), disclosure, step["now"])
        note = decision.data + hosted.public + pack(">Q", step["now"])
        return {"receipt": note + signature(hosted, L_RECEIPT, note)}

    def verify_receipt(self, step, draw):
        receipt = step["receipt"]
        require(len(receipt) == 438, "malformed")
        decision, hosted, disclosure = Decision(receipt[:302]), receipt[302:366], self.disclosed(step)
        otherwise("malformed", check_identity, hosted)
        decision.verify(self.user(step), disclosure, *unpack(">Q", receipt[366:374]))
        require(hosted == disclosure.hosted, "other-endpoint")
        check(hosted, L_RECEIPT, receipt[:-64], receipt[-64:])
        return {}
