"""The script of handshake.txt: both sides of a set-up, and pre-key headers that are refused."""

from keys import curve_keys
from messages import forged
from script import *


def handshake():
    """Both sides of the handshake with all that it derives (`binding` is TF), and pre-key headers that are refused."""
    s, inner = Script(), dict.fromkeys(("to", "dh0", "dh1", "dh2", "dh3", "dh4", "ss", "ki", "sealed_identity", "prk"))
    one_time, last_resort = s.parties("alice", "bob", one_time=1)
    for published in (one_time, last_resort):
        for disclosure in (bytes(32), os.urandom(32)):
            s("handshake", of="alice", peer="bob", bundle=published, now=NOW, disclosure=disclosure, **inner)
    s("initiate", of="bob", peer="bob", bundle=one_time, now=NOW, draws=b"", expect="own-bundle")
    s("initiate", of="alice", peer="bob", bundle=one_time, now=NOW)
    first = s("encrypt", of="alice", plaintext=b"halo")["message"]
    pre_key_headers_that_are_refused(s, first)
    s("accept", of="bob", message=of_himself(s, one_time), now=NOW, expect="rejected")
    accept_other_versions_and_numbers(s)
    s("accept", of="bob", message=first, now=NOW)
    s("accept", of="bob", message=first, now=NOW, expect="unknown-pre-key")
    s("initiate", of="alice", peer="bob", bundle=last_resort, now=NOW, disclosure=bytes(31) + b"\1")
    first = s("encrypt", of="alice", plaintext=b"under a disclosure")["message"]
    s("accept", of="bob", message=first, now=NOW, expect="rejected")
    s("accept", of="bob", message=first, now=NOW + 33 * DAY, disclosure=bytes(31) + b"\1", expect="unknown-pre-key")
    s("accept", of="bob", message=first, now=NOW + 33 * DAY - 1, disclosure=bytes(31) + b"\1")
    s("accept", of="bob", message=first, now=NOW, disclosure=bytes(31) + b"\1", expect="replayed")
    memory_of_one_initiator(s, last_resort)
    return s


def accept_other_versions_and_numbers(s):
    """First messages of the present session whose header says something else."""
    session = s.world.sessions["alice"]
    for changes, word in (({"version": 0x22}, "unsupported-version"), ({"version": 0x01}, "rejected"), ({"pn": 1}, "rejected"),
                          ({"n": 2_001}, "ahead"), ({"mixed": 1}, "rejected"), ({"bound": 1}, "rejected")):
        message = b"\x21" + session.opening[1:] + forged(session.ratchet, **changes)
        s("accept", of="bob", message=message, now=NOW, expect=word)


def memory_of_one_initiator(s, last_resort):
    """One initiator may set up sixteen sessions with one last-resort key."""
    for number in range(16):
        s("initiate", of="alice", peer="bob", bundle=last_resort, now=NOW)
        first = s("encrypt", of="alice", plaintext=b"")["message"]
        s("accept", of="bob", message=first, now=NOW, **({"expect": "too-many-set-ups"} if number == 15 else {}))


def of_himself(s, published):
    """The pre-key header that Bob would make for his own bundle."""
    bob = s.world.identities["bob"]
    bundle = verify_bundle(published, bob.public, NOW)
    bundle.identity = bytes(32) + bundle.identity[32:]
    return Session.initiate(bob, bundle, os.urandom, NOW).encrypt(b"", os.urandom)


def pre_key_headers_that_are_refused(s, first):
    x, _ = curve_keys()
    def accept(message, word):
        s("accept", of="bob", message=message, now=NOW, expect=word)
    for at in (36, 40):
        accept(flip(first, at), "unknown-pre-key")
    for at in (41, 1128, 1129, 1208, 1209, 1340):
        accept(flip(first, at), "rejected")
    for key, word in x:
        word = "rejected" if key == (2).to_bytes(32, "little") else "malformed"
        accept(first[:1] + key + first[33:], word)
    accept(b"\x23" + first[1:], "malformed"), accept(first[:1340], "malformed")
    accept(b"\x22" + first[1209:], "not-first")
