"""The script of group-chain.txt: chains of keys."""

from struct import pack

import chains
from keys import curve_keys
from script import *

GROUP, ORIGIN, VIEW, LISTS = bytes([0x67]) * 32, bytes([0x0e]) * 32, bytes(range(8)), bytes([0x11]) * 32


def group_chain():
    """Chains of keys: who is given them, messages in and out of order, chains that end, records, and what is refused."""
    s = Script()
    for name in ("alice", "phone", "bob", "carol"):
        s("identity", of=name)
    values(s)
    s("begin-chain", of="phone", peer="alice", device=3, group=GROUP, origin=bytes(32), history=0, now=NOW, expect="no-origin")
    s("begin-chain", of="phone", peer="alice", device=3, group=GROUP, origin=ORIGIN, history=0, now=NOW)
    s("renew-chain", of="phone", origin=bytes(32), history=0, now=NOW, expect="no-origin")
    distributions(s)
    messages(s)
    renewed(s)
    forgotten(s)
    no_room(s)
    named(s)
    plans(s)
    audience(s)
    return s


def values(s):
    keys = [s.world.identities[name].public for name in ("alice", "bob")]
    lists = [key + os.urandom(40) for key in sorted(keys)]
    digest = s("lists-digest", lists_of=b"".join(lists))["lists"]
    s("lists-digest", lists_of=b"")
    for epoch in (1, 65_535, 65_536, 2**40 + 7):
        s("group-view", epoch=epoch, entry=os.urandom(32), acts=os.urandom(32), lists=digest)


def give(s, to, of="phone", **more):
    return s("give-chain", of=of, peer=to, view=VIEW, lists=LISTS, **more)["given"]


def write(s, body, of="phone", **wanted):
    return s("write-group", of=of, view=VIEW, plaintext=body, **wanted)["message"]


def take(s, given, at="bob", of="phone", **more):
    s("take-chain", of=at, peer=of, given=given, given_up=None, kept_keys=None, **more)


def open_(s, message, at="bob", of="phone"):
    s("open-group", of=at, peer=of, message=message, given_up=None, kept_keys=None)


def refused(s, expect, message, at="bob", of="phone"):
    s("open-group", of=at, peer=of, message=message, expect=expect)


def records(s, at="bob", of="phone", wrong=False):
    key = s.__dict__.setdefault("key", os.urandom(32))
    for verb, more in (("chain", {}), ("chains", {"peer": of})):
        name, context = (of if verb == "chain" else at), verb.encode()
        sealed = s(f"seal-{verb}", of=name, **more, key=key, context=context, state=None)["record"]
        s(f"unseal-{verb}", of=name, **more, key=key, context=context, record=sealed)
        for other, changed in ((b"other", sealed), (context, flip(sealed, 60))) if wrong else ():
            s(f"unseal-{verb}", of=name, **more, key=key, context=other, record=changed, expect="rejected")


def distributions(s):
    given = give(s, "bob")
    s("follow-sender", of="bob", peer="phone", group=GROUP)
    s("follow-sender", of="carol", peer="phone", group=GROUP, audience=1)

    def no(expect, data, at="bob", **more):
        s("take-chain", of=at, peer="phone", given=data, expect=expect, **more)
    for wrong in (b"", given[:-1], given + b"\0", b"\1"):
        no("malformed", wrong)
    no("unsupported-version", b"\2" + given[1:]), no("unsupported-version", b"\0")
    no("malformed", given[:33] + bytes(32) + given[65:]), no("malformed", given[:153] + b"\2" + given[154:])
    for flags in (4, 5, 0x80, 0xff):
        no("malformed", given[:153] + bytes([flags]) + given[154:])
    for index, length in ((1_000, 1_001), (2**32 - 1, 2**32 - 1)):
        no("malformed", given[:73] + pack(">I", index) + given[77:])
        no("malformed", given[:141] + b"\7" * 8 + pack(">I", length) + given[153:])
    no("malformed", given[:149] + b"\0\0\0\1" + given[153:])
    no("malformed", given[:141] + chains.chain_id(given[109:141]) + given[149:])
    for key, word in curve_keys()[1]:
        no(word, given[:109] + key + given[141:])
    no("other-group", flip(given, 1)), no("other-group", given, at="carol"), no("other-device", given, via="alice")
    shown = given[:33] + bytes(40) + given[73:153] + b"\2" + given[154:162] + bytes(32)
    no("other-group", shown)
    for at in (65, 72, 162, 193):
        no("malformed", flip(shown, at), at="carol")
    take(s, given), take(s, given)
    for at in (33, 148, 153, 154):
        no("contradicts", flip(given, at))
    no("contradicts", flip(given, 77))


def forged(s, index, r=b"\5" * 16, body=b"forged", key=None, of="phone", at="bob"):
    """A message as the sender could make it, whatever it has written before."""
    own, chain = s.world.own_chains[of], s.world.chains[at, of].find(chains.chain_id(s.world.own_chains[of].signing_key))
    if key is None:
        key = chain.kept[index][0] if index in chain.kept else chains.chain_step(chains.walk(chain.key, index - chain.next)[1])[0]
    return own.sealed(key, index, r, VIEW + body)[0]


def messages(s):
    wanted = dict.fromkeys(("ck", "mk", "next_ck", "r", "digest", "body_tag"))
    written = [write(s, b"halo" * n, **(wanted if n < 2 else {})) for n in range(8)]
    refused(s, "needs-chain", flip(written[0], 1))
    beyond = [written[0][:9] + pack(">I", index) + written[0][13:] for index in (1_000, 2**32 - 1)]
    for wrong in (b"", written[0][:116], *beyond):
        refused(s, "malformed", wrong)
    refused(s, "unsupported-version", b"\2" + written[0][1:])
    for at in (11, 12, 13, 28, 29, 36, 37, 52, 53, 84, 85, 116):
        refused(s, "rejected", flip(written[0], at))
    refused(s, "rejected", written[3][:-64] + written[2][-64:])
    for n in (0, 3, 2):
        open_(s, written[n])
        refused(s, "replayed", written[n])
    records(s, wrong=True)
    # A good signature under another key; the sender, gone back.
    refused(s, "rejected", forged(s, 5, key=bytes(32))), refused(s, "went-back", forged(s, 3, key=bytes(32)))
    refused(s, "rejected", forged(s, 1, key=bytes(32)))
    # A later distribution changes nothing; an earlier one adds what a newcomer lacks.
    later = give(s, "bob")
    take(s, later)
    s("follow-sender", of="carol", peer="phone", group=GROUP)
    early = give(s, "carol")
    write(s, b"before"), take(s, give(s, "carol"), at="carol")
    last = write(s, b"after")
    open_(s, last, at="carol"), refused(s, "not-given", written[7], at="carol")
    s("take-chain", of="carol", peer="phone", given=flip(early, 77), expect="contradicts")
    take(s, early, at="carol"), refused(s, "not-given", written[7], at="carol")
    for n in (7, 6, 1, 4, 5):
        open_(s, written[n])
    open_(s, last)
    records(s, at="carol")


def renewed(s):
    late = write(s, b"late")
    write(s, b"lost")
    thiefs = forged(s, s.world.own_chains["phone"].index)
    s("renew-chain", of="phone", origin=ORIGIN, history=1, now=NOW + 5)
    given = give(s, "bob")
    give(s, "alice")
    take(s, given)
    first = write(s, b"new")
    refused(s, "closed", thiefs), open_(s, late), refused(s, "replayed", late)
    open_(s, first)
    records(s)
    # The former chain arrives after the next one.
    s("follow-sender", of="carol", peer="phone", group=GROUP)
    take(s, give(s, "carol"), at="carol")
    records(s, at="carol")
    # The last one first.
    open_(s, forged(s, 999)), open_(s, forged(s, 998, body=b"")), open_(s, forged(s, 500, body=b""))
    # The sender is removed.
    s("close-chains", of="bob", peer="phone", given_up=None, kept_keys=None)
    open_(s, forged(s, 501, body=b"gap"))
    s("take-chain", of="bob", peer="phone", given=give(s, "bob"), expect="closed")


def forgotten(s):
    """More chains than are kept, and than are remembered."""
    s("follow-sender", of="carol", peer="phone", group=GROUP)
    for n in range(24):
        s("renew-chain", of="phone", origin=ORIGIN, history=0, now=NOW + n)
        given = give(s, "carol")
        given = given[:141] + bytes(12) + given[153:]
        write(s, b"kept")
        take(s, given, at="carol")
        message = write(s, b"%d" % n)
        if n < 7 or n > 20:
            open_(s, message, at="carol")
        if n == 0:
            first = message, given
    refused(s, "needs-chain", first[0], at="carol")
    records(s, at="carol")
    take(s, first[1], at="carol")


def no_room(s):
    """More keys than are kept: those of the oldest chain are given up. Then the sender is removed."""
    s("follow-sender", of="carol", peer="phone", group=GROUP)
    for n in range(3):
        s("renew-chain", of="phone", origin=ORIGIN, history=0, now=NOW)
        take(s, give(s, "carol"), at="carol")
        if n == 0:
            early = forged(s, 5, key=bytes(32), at="carol")
        open_(s, forged(s, 999 - n, at="carol"), at="carol")
    refused(s, "spent", early, at="carol"), records(s, at="carol")
    above = forged(s, 998, key=bytes(32), at="carol")
    s("close-chains", of="carol", peer="phone", given_up=None, kept_keys=None)
    refused(s, "closed", above, at="carol"), open_(s, forged(s, 996, at="carol"), at="carol")


def named(s):
    """A chain that arrives when the one that named it has ended."""
    s("renew-chain", of="phone", origin=ORIGIN, history=0, now=NOW)
    first = give(s, "carol")
    late = [write(s, b"late"), write(s, b"later")]
    s("follow-sender", of="carol", peer="phone", group=GROUP)
    take(s, first, at="carol")
    thiefs = forged(s, 2, at="carol")
    s("follow-sender", of="carol", peer="phone", group=GROUP)
    for n in range(2):
        s("renew-chain", of="phone", origin=ORIGIN, history=0, now=NOW)
        take(s, give(s, "carol"), at="carol")
    records(s, at="carol"), take(s, first, at="carol"), records(s, at="carol")
    refused(s, "closed", thiefs, at="carol")
    for message in reversed(late):
        open_(s, message, at="carol")
    # A chain that was read to its end makes room for the next one.
    s("follow-sender", of="carol", peer="phone", group=GROUP)
    for n in range(6):
        given = give(s, "carol")
        take(s, given[:141] + bytes(12) + given[153:] if n < 5 else given, at="carol")
        lost, last = write(s, b"lost"), write(s, b"last")
        open_(s, last, at="carol")
        if n == 4:
            open_(s, lost, at="carol")
        s("renew-chain", of="phone", origin=ORIGIN, history=0, now=NOW)
    records(s, at="carol")


def plans(s):
    bob, carol = (s.world.identities[name].public for name in ("bob", "carol"))
    s("renew-chain", of="phone", origin=ORIGIN, history=0, now=NOW)
    give(s, "bob"), give(s, "carol")

    def plan(now, targets=bob + carol, **more):
        s("plan-chain", of="phone", now=now, targets=targets, **more)
    plan(NOW), plan(NOW + 7 * DAY - 1), plan(NOW - DAY)
    plan(NOW + 7 * DAY, expect="age"), plan(NOW - DAY - 1, expect="age")
    plan(NOW, targets=bob, expect="device-left"), plan(NOW, targets=b"", expect="device-left")
    s("write-group", of="phone", view=VIEW, plaintext=b"", targets=carol, expect="device-left")
    s("give-chain", of="phone", peer="alice", view=VIEW, lists=LISTS, targets=bob + carol, expect="not-a-target")
    s("rekey-chain", of="phone"), plan(NOW, expect="rekey"), records(s, at="carol")
    s("renew-chain", of="phone", origin=ORIGIN, history=0, now=NOW), plan(NOW)
    s("rekey-chain", of="phone"), s("restored-chain", of="phone"), plan(NOW, expect="restored"), records(s, at="carol")
    s("renew-chain", of="phone", origin=ORIGIN, history=0, now=NOW), give(s, "bob"), records(s, at="carol")


def audience(s):
    group = s("audience-id", of="alice")["group"]
    s("begin-chain", of="phone", peer="alice", device=0, group=group, history=1, now=NOW)
    s("follow-sender", of="bob", peer="phone", group=group, audience=1)
    s("follow-sender", of="carol", peer="phone", group=group)
    given = give(s, "bob")
    s("take-chain", of="carol", peer="phone", given=given, expect="other-group")
    take(s, given)
    open_(s, write(s, b"status")), refused(s, "rejected", forged(s, 1)), records(s)
