"""The script of tests/vectors/device.txt: an account's history, lists that are refused, and linking."""

import os

from accounts import *
from script import *

PERSON, BUSINESS, SERVER = bytes([1, 0]) + bytes(32), bytes([2, 0]) + bytes(32), bytes([3, 1]) + bytes(32)
HOSTED = [bytes([custody, automated]) + bytes([custody]) * 32 for custody, automated in ((4, 0), (5, 1), (6, 0))]


def device():
    """Certificates, device lists and their hashes, directories, linking with its strings; and what is refused of each."""
    s = Script()
    for name in ("phone", "laptop", "server", "other", "owner"):
        s("identity", of=name)
    history(s)
    dishonest_primaries(s)
    recovering(s)
    linking(s)
    return s


def history(s):
    phone = s.world.identities["phone"].public
    lists = [s("found-account", of="phone", terms=PERSON, now=NOW)["list"]]
    s("trust-list", of="peer", seen=lists[0], pinned=phone, now=NOW)

    def certificate(of, index, terms, account="phone"):
        return s("certify", of=of, **{"peer": account}, index=index, terms=terms)["certificate"]

    def issue(now=NOW, **change):
        lists.append(s("issue-list", of="phone", now=now, **change)["list"])
    issue(added=certificate("laptop", 1, BUSINESS))
    s("follow-list", of="peer", seen=lists[1], now=NOW)
    issue(added=certificate("server", 2, SERVER))
    for terms in HOSTED:
        issue(updated=certificate("server", 2, terms))
    for seen in lists[2:]:
        s("follow-list", of="peer", seen=seen, now=NOW)
    s("follow-list", of="peer", seen=lists[-1], now=NOW)
    s("trust-list", of="late", seen=lists[1], pinned=phone, now=NOW)
    issue(removed=1), issue(now=NOW + WEEK)
    s("follow-list", of="late", seen=lists[-1], now=NOW + WEEK)
    s("follow-list", of="peer", seen=lists[-2], now=NOW), s("follow-list", of="peer", seen=lists[-1], now=NOW + WEEK)
    for seen in lists[:-1]:
        s("follow-list", of="peer", seen=seen, now=NOW + WEEK, expect="rolled-back")

    def refused(expect, **change):
        s("issue-list", of="phone", now=NOW + WEEK, expect=expect, **change)
    refused("is-primary", removed=0), refused("unknown-device", removed=1)
    refused("other-index", added=certificate("laptop", 1, PERSON))
    refused("other-index", added=certificate("laptop", 4, PERSON))
    refused("already-listed", added=certificate("server", 3, HOSTED[0]))
    refused("was-hosted", added=certificate("server", 3, PERSON)), refused("was-hosted", updated=certificate("server", 2, SERVER))
    refused("bad-possession", added=certificate("laptop", 3, PERSON, account="laptop"))
    refused("bad-possession", added=flip(certificate("laptop", 3, PERSON), 69))
    refused("unknown-device", updated=certificate("laptop", 2, PERSON))
    refused("malformed", added=certificate("laptop", 3, PERSON)[:-1])


def dishonest_primaries(s):
    """Everything is signed well, except the certificates of other devices."""
    phone, laptop = s.world.identities["phone"], s.world.identities["laptop"]
    other = s.world.identities["other"]
    base = [certify(phone, phone.public, 0, PERSON), certify(laptop, phone.public, 5, PERSON)]
    known = issue(phone, 7, b"\7" * 32, NOW, base, 9)
    s("trust-list", of="strict", seen=known.data, pinned=phone.public, now=NOW)
    for now, word in ((NOW - DAY, ""), (NOW - DAY - 1, "not-yet-valid"), (NOW + MONTH - 1, ""), (NOW + MONTH, "expired")):
        s("trust-list", of="strict", seen=known.data, pinned=phone.public, now=now, **({"expect": word} if word else {}))
    s("trust-list", of="strict", seen=known.data, pinned=other.public, now=NOW, expect="other-account")

    def resigned(text, signer=phone):
        return text + sign(phone.ed, L_LIST + signer.public + text)

    def refused(expect, data, now=NOW):
        s("follow-list", of="strict", seen=data, now=now, expect=expect)
    good = issue(phone, 8, known.hash(), NOW + 1, base, 9).data
    body = good[:-64]
    refused("malformed", b""), refused("malformed", good[:-1]), refused("malformed", good + b"\0")
    for at, new in ((0, b"\2"), (65, bytes(8)), (65, pack(">Q", 2**35)), (65, bytes(7) + b"\1"), (73, bytes(32)), (113, body[105:113]),
                    (113, pack(">Q", NOW + 2 + MONTH)), (121, pack(">I", 1)), (121, pack(">I", 3)), (len(body) - 4, pack(">I", 5)),
                    (125, pack(">I", 1)), (129, other.public), (291, bytes(4)), (295, phone.public), (193, b"\0"),
                    (193, b"\4"), (193, b"\7"), (194, b"\2"), (359, b"\4"), (361, b"\1"), (327, bytes(32))):
        refused("malformed", resigned(body[:at] + new + body[at + len(new):]))
    for at in (70, 75, 120, 130 + 166, 359 + 2 + 34, len(body) - 1, len(body), len(good) - 1):
        changed = flip(good, at)
        refused("bad-signature", changed)
    refused("bad-signature", body + sign(phone.ed, L_LIST + body)), refused("bad-signature", resigned(body, laptop))
    refused("other-account", issue(other, 8, known.hash(), NOW, [certify(other, other.public, 0, PERSON)], 9).data)
    refused("forked", issue(phone, 7, known.hash(), NOW, base, 9).data)
    refused("forked", issue(phone, 8, b"\7" * 32, NOW, base, 9).data)
    refused("rolled-back", issue(phone, 6, b"\6" * 32, NOW, base, 9).data)
    refused("not-yet-valid", good, NOW - DAY), refused("expired", good, NOW + 1 + MONTH)
    returned, swapped = certify(other, phone.public, 4, PERSON), certify(other, phone.public, 5, PERSON)
    for devices, next_index in (([base[0], returned, base[1]], 9), ([base[0], swapped], 9), (base, 8)):
        for sequence in (8, 9, 2**35 - 1):
            refused("index-reused", issue(phone, sequence, known.hash(), NOW, devices, next_index).data)
    wrong = [certify(other, other.public, 9, PERSON), certify(other, phone.public, 10, PERSON)[4:],
             certify(other, phone.public, 9, BUSINESS), certify(laptop, phone.public, 9, PERSON)]
    for certificate in wrong:
        possession = base + [pack(">I", 9) + other.public + PERSON + certificate[-64:]]
        refused("bad-possession", issue(phone, 8, known.hash(), NOW, possession, 10).data)
    for key, word in ((other.public[:32] + bytes(32), "malformed"), (other.public[:32] + b"\2" + bytes(31), "malformed"),
                      (b"\2" + bytes(31) + other.public[32:], "malformed")):
        text = body[:121] + pack(">I", 3) + b"".join(base) + pack(">I", 9) + key + PERSON + bytes(64) + pack(">I", 10)
        refused(word, resigned(text))
    s("follow-list", of="strict", seen=good, now=NOW)
    # A known entry is not verified again; eight lists are remembered, over gaps too.
    unsigned = [certificate[:-64] + bytes(64) for certificate in base]
    seen = [known.data, good]
    for sequence in range(10, 27, 2):
        seen.append(issue(phone, sequence, b"\5" * 32, NOW, unsigned, 9).data)
        s("follow-list", of="strict", seen=seen[-1], now=NOW)
        if sequence in (10, 24, 26):
            refused("forked" if sequence < 26 else "rolled-back", issue(phone, 8, b"\5" * 32, NOW, base, 9).data)
    for data in seen[:-1]:
        refused("rolled-back", data)
    many = base[:1] + [certificate[:3] + bytes([9 + at]) + os.urandom(64) + certificate[68:]
                       for at in range(64) for certificate in base[1:]]
    refused("malformed", b"\1" + bytes(64) + body[65:121] + pack(">I", 65) + b"".join(many) + bytes(4 + 64))


def recovering(s):
    """The owner's record is of before its newest lists, and others' are signed with its key."""
    owner, laptop, server = (s.world.identities[name] for name in ("owner", "laptop", "server"))
    first = s("found-account", of="owner", terms=PERSON, now=NOW)["list"]
    devices = [certify(owner, owner.public, 0, PERSON), certify(laptop, owner.public, 1, PERSON)]
    newer = issue(owner, 4, b"\4" * 32, NOW, devices + [certify(server, owner.public, 2, SERVER)], 5).data
    s("trust-list", of="friend", seen=first, pinned=owner.public, now=NOW)
    s("follow-list", of="friend", seen=newer, now=NOW)
    s("recover-list", of="owner", seen=flip(newer, len(newer) - 1), now=NOW, expect="no-list")
    following = s("recover-list", of="owner", seen=newer, now=NOW)["list"]
    s("follow-list", of="friend", seen=following, now=NOW)
    # Two histories at one number, in which index 5 is two devices.
    s("trust-list", of="elsewhere", seen=following, pinned=owner.public, now=NOW)
    mine = s("issue-list", of="owner", now=NOW, added=certify(s.world.identities["other"], owner.public, 5, PERSON))["list"]
    phone = s.world.identities["phone"]
    theirs = DeviceList(following)
    theirs = issue(owner, 6, theirs.hash(), NOW, [c.data for c in theirs.certificates] + [certify(phone, owner.public, 5, PERSON)], 6)
    s("follow-list", of="friend", seen=mine, now=NOW), s("follow-list", of="elsewhere", seen=theirs.data, now=NOW)
    s("follow-list", of="friend", seen=theirs.data, now=NOW, expect="forked")
    joined = s("recover-list", of="owner", seen=theirs.data, now=NOW)["list"]
    assert DeviceList(joined).sequence == 8 and [c.index for c in DeviceList(joined).certificates] == [0, 1, 2]
    s("follow-list", of="friend", seen=joined, now=NOW), s("follow-list", of="elsewhere", seen=joined, now=NOW)


def linking(s):
    for verb in ("link-by-qr-code", "link-by-typed-code"):
        for name, terms in (("tablet", PERSON), ("desk", HOSTED[0])):
            shown = s(verb, of=name)["shown"]
            answer = s("link-invite", of="phone", seen=shown, terms=terms)["link_answer"]
            refused_answers(s, name, answer, shown)
            made = s("link-answer", of=name, seen=answer)
            refused_reveals(s, made["reveal"], shown, answer)
            certificate = s("link-reveal", of="phone", seen=made["reveal"])["certificate"]
            before = s("issue-list", of="phone", now=NOW)["list"]
            s("link-finish", of=name, seen=before, now=NOW, expect="not-listed")
            seen = s("issue-list", of="phone", now=NOW, added=certificate)["list"]
            s("link-finish", of=name, seen=seen, now=NOW)
    hello = s.world.companions["tablet"].link.hello
    for wrong in (b"", hello[:-1], hello + b"\0", flip(hello, 0), flip(hello, 1), hello[:34] + b"\2" + bytes(31) + hello[66:]):
        s("link-invite", of="phone", seen=wrong, terms=PERSON, expect="malformed")
    s("link-invite", of="phone", seen=b"\x53" + hello[1:], terms=PERSON, expect="wrong-step")


def refused_answers(s, name, answer, shown):
    def refused(expect, data):
        s("link-answer", of=name, seen=data, expect=expect)
    refused("wrong-step", shown[:98]), refused("malformed", answer[:-1]), refused("malformed", answer + b"\0")
    refused("other-link", flip(answer, 1)), refused("other-link", flip(answer, 32))
    if len(shown) == 130:
        for at in (33, 96, 97, 100, 101, 102, 134, 135, 166, 167, 198):
            refused("rejected", flip(answer, at))
    else:
        refused("malformed", answer[:97] + bytes(4) + answer[101:]), refused("malformed", flip(answer, 103))
        refused("malformed", answer[:65] + bytes(32) + answer[97:])


def refused_reveals(s, reveal, shown, answer):
    def refused(expect, data):
        s("link-reveal", of="phone", seen=data, expect=expect)
    refused("wrong-step", answer), refused("malformed", reveal[:-1]), refused("malformed", reveal + b"\0")
    for at in (1, 32, 33, 96, len(reveal) - 1):
        refused("rejected", flip(reveal, at))
