"""Reads the golden records of the feature `interop` by the layouts of docs/formats.md: interop_records.py DIRECTORY."""

import sys
from io import BytesIO
from pathlib import Path

from bisik import open_record
from interop import hkdf, hmac256, public
from primitives import require, x25519_decode
from protobuf import records

# `32` is 32 bytes. `?` and `!` mark a value that is present only after a byte 1 or 0. `8*entry` is a count of at most 8
# and that many entries; in `8^entry` they begin with ascending numbers.
LAYOUTS = {
    "session": "revision key u32 key 41*state",
    "state": "key u32 revision !unanswered 32 ?pair ?key ?sending u32 5*receiving 2016*ended",
    "unanswered": "u32 flag u32",
    "sending": "32 u32",
    "receiving": "key 32 u32 2000^skipped",
    "ended": "8 2000^skipped",
    "skipped": "u32 32",
    "pre-keys": "key revision u32 8*signed 1000^one-time",
    "signed": "u32 pair 64 1024*key",
    "one-time": "u32 pair",
    "pair": "32 key",
    "identity": "32 u32",
    "group-sender": "revision ?16 u32 u32 32 pair 32",
    "group-receiver": "revision 5*sender-key",
    "sender-key": "?16 u32 u32 u32 u32 32 key 2000^skipped",
}
KINDS = {"session": 9, "pre-keys": 10, "identity": 11, "group-sender": 12, "group-receiver": 13}
NUMBERS = {"flag": (1, 1), "u32": (4, 2**32 - 1), "revision": (8, 2**63 - 2)}


def take(state, length, most=None):
    taken = state.read(length)
    require(len(taken) == length and (most is None or int.from_bytes(taken, "big") <= most), "rejected")
    return taken if most is None else int.from_bytes(taken, "big")


def read(state, word):
    if word in LAYOUTS:
        return [read(state, part) for part in LAYOUTS[word].split()]
    if word[0] in "?!":
        return read(state, word[1:]) if take(state, 1, most=1) == (word[0] == "?") else None
    most, _, entry = word.replace("^", "*").partition("*")
    if entry:
        entries = [read(state, entry) for _ in range(take(state, 4, int(most)))]
        require("*" in word or all(a[0] < b[0] for a, b in zip(entries, entries[1:])), "rejected")
        return entries
    if word == "key":
        return x25519_decode(take(state, 32))
    return take(state, *NUMBERS[word]) if word in NUMBERS else take(state, int(word))


def main(directory):
    def golden(name):
        return bytes.fromhex(Path(directory, f"interop_{name.replace('-', '_')}.hex").read_text())

    def opened(name, context):
        state = BytesIO(open_record(bytes([0x42] * 32), KINDS[name], context, golden(name)))
        values = read(state, name)
        require(not state.read(), "rejected")
        return values

    (secret, _), (owner, _, _, signed, one_time) = opened("identity", b"identity"), opened("pre-keys", b"keys")
    assert public(secret)[1:] == owner and all(public(own)[1:] == key for _, (own, key), *_ in signed + one_time)
    _, ours, _, peer, states = opened("session", b"peer")
    chains = {key[:8]: chain for *_, receiving, _ in states for key, *chain in receiving}
    chains |= {key: [None, 0, skipped] for *_, ended in states for key, skipped in ended}
    for message in map(golden, ("waits", "waits_too", "comes")):
        fields = dict(records(message[1:-8]))
        chain, following, skipped = chains[fields[1][1:9]]
        kept = dict(skipped).get(fields[2])
        seed = kept or hmac256(chain, b"\x01")
        assert bool(kept) != (chain is not None and fields[2] >= following)
        keys = hkdf(bytes(32), seed, b"WhisperMessageKeys", 80)
        assert hmac256(keys[32:64], b"\x05" + peer + b"\x05" + ours + message[:-8])[:8] == message[-8:]
    _, form, number, iteration, chain, pair, _ = opened("group-sender", b"sender")
    known, number_known, missing, complete, *rest, _ = opened("group-receiver", b"receiver")[1][0]
    assert [known, number_known] == [form, number] and missing <= complete <= iteration
    assert rest == [iteration, chain, public(pair[0])[1:]]
    print(f"{directory}: {len(KINDS)} records of the feature `interop` agree")


main(*sys.argv[1:])
