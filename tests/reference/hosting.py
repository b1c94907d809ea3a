"""The script of tests/vectors/endpoint.txt: disclosures, decisions and receipts, and those that are refused."""

from accounts import certify, issue
from hosted_devices import *
from script import *

FOREVER, MONTH = 2**64 - 1, 30 * DAY
PARTIES = ("business", "endpoint", "operator")
BY = tuple(zip(("operator", "endpoint", "business"), (L_DISC_OPERATOR, L_DISC_ENDPOINT, L_DISC_ACCOUNT)))


def hosted_devices():
    """Disclosures with their hashes, decisions about them and receipts; and what is refused of each."""
    s = Script()
    for name in (*PARTIES, "second", "rival", "phone", "customer"):
        s("identity", of=name)
    key = {name: identity.public for name, identity in s.world.identities.items()}

    def draft(endpoint="endpoint", operator="operator", issued=NOW, expires=NOW + 90 * DAY, sequence=1, previous=bytes(32),
              custody=4, name=b"Awan Pesan", roles=3, at_rest=MONTH, in_use=3_600, region=b"", purposes=1):
        said = terms(custody, key[operator], name, roles, at_rest, in_use, region, purposes)
        dates = pack(">QQQ", issued, expires, sequence)
        return b"\1" + key["business"] + key[endpoint] + said + dates + previous

    def disclose(**changes):
        hosted, operator = changes.get("endpoint", "endpoint"), changes.get("operator", "operator")
        return s("disclose", of="business", peer=hosted, operator=operator, draft=draft(**changes))["disclosed"]

    one = disclose()
    for name in ("operator", "rival"):
        s("operator-number", key=key[name])
    good_ones(s, key, disclose)
    chains(s, key, disclose, one)
    drafts_that_are_refused(s, key, draft)
    disclosures_that_are_refused(s, key, draft, one)
    decisions(s, key, disclose, one)
    return s


def verify(s, key, disclosed, expect="", now=NOW, pinned="business", **known):
    s("verify-disclosure", disclosed=disclosed, pinned=key[pinned], now=now, **known, **({"expect": expect} if expect else {}))


def good_ones(s, key, disclose):
    for changes in ({"custody": 5, "roles": 7, "purposes": 7, "region": b"ID"}, {"custody": 6, "roles": 1, "purposes": 0},
                    {"at_rest": 0, "name": "阿里云".encode()}, {"name": "Müller & Söhne, Inc.".encode()}, {"name": "अमूल".encode()}, {"at_rest": FOREVER, "in_use": FOREVER},
                    {"name": b"x" * 64, "region": b"ABCDEFGHIJ-01234"}, {"expires": NOW + YEAR}):
        verify(s, key, disclose(**changes))


def chains(s, key, disclose, one):
    h = sha256(L_DISC_HASH, one)
    two = disclose(sequence=2, previous=h, at_rest=7 * DAY)
    three = disclose(sequence=3, previous=sha256(L_DISC_HASH, two))
    other_one = disclose(at_rest=1)
    other_two = disclose(sequence=2, previous=sha256(L_DISC_HASH, other_one))
    for known, seen in ((one, one), (one, two), (two, three), (one, three), (one, disclose(endpoint="second"))):
        verify(s, key, seen, known=known)
    for known, seen, expect in ((two, one, "rolled-back"), (three, one, "rolled-back"), (one, other_one, "forked"),
                                (one, other_two, "forked"), (one, disclose(operator="rival"), "key-reused")):
        verify(s, key, seen, expect, known=known)
    verify(s, key, one, now=NOW - DAY), verify(s, key, one, "not-yet-valid", now=NOW - DAY - 1)
    verify(s, key, one, now=NOW + 90 * DAY - 1), verify(s, key, one, "expired", now=NOW + 90 * DAY)
    verify(s, key, one, "other-account", pinned="endpoint")
    verify(s, key, two, "other-account", pinned="customer")


def drafts_that_are_refused(s, key, draft):
    def refused(expect, data, **parties):
        named = {"of": "business", "peer": "endpoint", "operator": "operator"} | parties
        s("disclose", **named, draft=data, expect=expect)
    good = draft()
    for wrong in (b"", good[:-1], good + b"\0", b"\2" + good[1:], draft(custody=3), draft(custody=7), draft(roles=0),
                  draft(roles=8), draft(purposes=8), draft(expires=NOW), draft(expires=NOW + YEAR + 1), draft(sequence=0),
                  draft(sequence=2), draft(previous=b"\1" * 32), draft(region=b"I"), draft(region=b"id"),
                  draft(region=b"ABCDEFGHIJKLMNOPQ"), draft(operator="business"), draft(operator="endpoint"),
                  draft(endpoint="business"), draft(issued=2**64 - 2, expires=2**64 - 1)[:-41] + bytes(41)):
        refused("malformed", wrong)
    for name in (b"", b" Awan", b"Awan ", b"Awan\n", b"\xff", b"x" * 65, b"-", b"123", b"(Awan", b"a  b", b"Awan''"):
        refused("malformed", draft(name=name))
    for name in ("Awan'\u2019s", "\"Awan\"", "\u201cAwan\u201d", "M\u0435ta", "\u963f Awan", "Aw\u202ean", "Aw\u200ban", "Awan\u0301",
                 "Awan: a", "awan.id/a", "a@b"):
        refused("malformed", draft(name=name.encode()))
    for script in SCRIPTS:
        for low, high in script:
            for beside in (low - 1, high + 1):
                if not (0xd800 <= beside < 0xe000) and script_of(chr(beside)) is None and chr(beside) not in MARKS + "0123456789":
                    refused("malformed", draft(name=f"{chr(script[0][0])}{chr(beside)}".encode()))
    refused("other-party", good, of="customer"), refused("other-party", good, peer="second")
    refused("other-party", good, operator="rival")


def disclosures_that_are_refused(s, key, draft, one):
    """Signed well by other parties or in another order; and every part damaged."""
    def signed(body, parties=BY, over_all=True):
        out = body
        for name, label in parties:
            out += signature(s.world.identities[name], label, out if over_all else body)
        return out
    assert signed(draft()) == one
    for place in range(3):
        for other in ("rival", "customer"):
            verify(s, key, signed(draft(), [(other if at == place else name, label) for at, (name, label) in enumerate(BY)]),
                   "bad-signature")
        verify(s, key, signed(draft(), [(name, L_DECISION if at == place else label) for at, (name, label) in enumerate(BY)]),
               "bad-signature")
    verify(s, key, signed(draft(), over_all=False), "bad-signature")
    for custody in (0, 1, 2, 3, 7):
        verify(s, key, signed(draft(custody=custody)), "malformed")
    size = len(one)
    for at in (size - 1, size - 64, size - 65, size - 128, size - 129, size - 192, size - 225, size - 241):
        verify(s, key, flip(one, at), "malformed" if at == size - 225 else "bad-signature")
    for wrong in (b"", one[:-1], one + b"\0", one[:-64], flip(one, 0)):
        verify(s, key, wrong, "malformed")


def decisions(s, key, disclose, one):
    renewed = disclose(sequence=2, previous=sha256(L_DISC_HASH, one))
    own, later = key["customer"], NOW + 60
    identities = s.world.identities
    held = bytes([1, 0]) + bytes(32)

    def listed(account, **devices):
        """A device list of the account, with each device under its terms."""
        owner = identities[account]
        certificates = [certify(owner, owner.public, 0, held)]
        certificates += [certify(identities[name], owner.public, n, terms) for n, (name, terms) in enumerate(devices.items(), 1)]
        return issue(owner, 1, bytes(32), NOW, certificates, len(certificates)).data
    user = listed("customer", phone=held)
    for choice in ("refuse", "withdraw", "reconsider", "consent"):
        made = s("decide", of="phone", own=own, disclosed=one, choice=choice, now=NOW)["decision"]
        receipt = s("acknowledge", of="endpoint", seen=user, disclosed=one, decision=made, now=later)["receipt"]
        s("verify-receipt", seen=user, disclosed=one, receipt=receipt)
        if choice == "withdraw":
            early = s("acknowledge", of="endpoint", seen=user, disclosed=one, decision=made, now=1)["receipt"]
            s("verify-receipt", seen=user, disclosed=one, receipt=early)

    def refused(expect, decision=made, of="endpoint", seen=user, disclosed=one, now=later):
        s("acknowledge", of=of, seen=seen, disclosed=disclosed, decision=decision, now=now, expect=expect)
    hosted = listed("customer", phone=bytes([4, 0]) + sha256(L_DISC_HASH, one))
    refused("other-account", seen=listed("phone")), refused("other-disclosure", disclosed=renewed)
    refused("not-listed", seen=listed("customer")), refused("not-listed", seen=hosted)
    refused("other-endpoint", of="operator"), refused("not-yet-valid", now=NOW - DAY - 1)
    for wrong in (b"", made[:-1], made + b"\0", flip(made, 0), made[:1] + b"\0" + made[2:], made[:1] + b"\4" + made[2:]):
        refused("malformed", wrong)
    for at in (226, 237, 238, 301):
        refused("bad-signature", flip(made, at))
    phone, disclosure = identities["phone"], Disclosure(one)
    refused("expired", decide(1, own, phone, disclosure, 0, disclosure.expires), now=disclosure.expires)
    refused("bad-signature", made[:66] + key["customer"] + made[130:])
    # Forged by the vendor: in the user's name, by a key of its own.
    forged = decide(1, own, identities["rival"], disclosure, 0, NOW)
    refused("not-listed", forged)
    note = forged + key["endpoint"] + pack(">Q", NOW)
    forged = note + signature(identities["endpoint"], L_RECEIPT, note)

    def spoiled(expect, receipt=receipt, seen=user, disclosed=one):
        s("verify-receipt", seen=seen, disclosed=disclosed, receipt=receipt, expect=expect)
    spoiled("not-listed", forged), spoiled("not-listed", seen=hosted)
    spoiled("other-disclosure", disclosed=renewed), spoiled("other-account", seen=listed("phone"))
    for at in (366, 373, 374, 437, 238):
        spoiled("bad-signature", flip(receipt, at))
    for wrong in (b"", receipt[:-1], receipt + b"\0"):
        spoiled("malformed", wrong)
    note = receipt[:302] + key["operator"] + receipt[366:374]
    spoiled("other-endpoint", note + signature(s.world.identities["operator"], L_RECEIPT, note))
