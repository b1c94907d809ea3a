"""Sections 2 to 4 of docs/interop.md, computed independently: tests/vectors/interop/conversation.txt.

    interop.py verify DIRECTORY   computes everything there again from its private keys, and compares
    interop.py write DIRECTORY    makes the file afresh, from fresh randomness

tests/interop/conversation.rs runs the same file against the crate. For tests only: it is slow, runs in variable time
and wipes nothing.
"""

import hashlib
import hmac
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

NAME = "conversation.txt"
COMMENT = "# Conversations on the wire of others, computed by tests/reference/interop.py."


def hmac256(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def hkdf(salt, ikm, info, length):
    prk, block, output, i = hmac256(salt, ikm), b"", b"", 1
    while len(output) < length:
        block = hmac256(prk, block + info + bytes([i]))
        output, i = output + block, i + 1
    return output[:length]


def public(private):
    return b"\x05" + X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def dh(private, theirs):
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(theirs[1:]))


def varint(n):
    output = bytearray()
    while n >= 0x80:
        output.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(output + bytes([n]))


def number(field, n):
    return varint(field << 3) + varint(n)


def string(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def encrypt(cipher_key, iv, plaintext):
    pad = 16 - len(plaintext) % 16
    encryptor = Cipher(algorithms.AES(cipher_key), modes.CBC(iv)).encryptor()
    return encryptor.update(plaintext + bytes([pad]) * pad) + encryptor.finalize()


def x3dh(agreements):
    return hkdf(bytes(32), b"\xff" * 32 + b"".join(agreements), b"WhisperText", 64)[:32]


class Party:
    """One side of one session. `pair` is its own ratchet pair, `theirs` the peer's ratchet key."""

    def __init__(self, identity, peer, root, pair, theirs):
        self.identity, self.peer, self.root, self.pair, self.theirs = identity, peer, root, pair, theirs
        self.sending, self.counter, self.last = None, 0, 0

    def step(self, pair, theirs):
        output = hkdf(self.root, dh(pair, theirs), b"WhisperRatchet", 64)
        self.root = output[:32]
        return output[32:]

    def encrypt(self, plaintext, draws, version=0x33, previous=None, extra=b"", backwards=False):
        if self.sending is None:
            self.pair = draws()
            self.sending, self.counter = self.step(self.pair, self.theirs), 0
        keys = hkdf(bytes(32), hmac256(self.sending, b"\x01"), b"WhisperMessageKeys", 80)
        self.sending = hmac256(self.sending, b"\x02")
        fields = [
            string(1, public(self.pair)),
            number(2, self.counter),
            number(3, self.last if previous is None else previous),
            string(4, encrypt(keys[:32], keys[64:], plaintext)),
        ]
        self.counter += 1
        message = bytes([version]) + b"".join(fields[::-1] if backwards else fields) + extra
        return message + hmac256(keys[32:64], public(self.identity) + self.peer + message)[:8]

    def heard(self, theirs):
        """The peer's new ratchet key has arrived: the receiving half of the step. The tested side does the reading."""
        if theirs == self.theirs:
            return
        self.step(self.pair, theirs)
        self.theirs = theirs
        if self.sending is not None:
            self.last = max(self.counter - 1, 0)
        self.sending = None


def prekey_message(one_time_id, base, identity, inside, registration_id, signed_id, version=0x33):
    return (bytes([version]) + (number(1, one_time_id) if one_time_id is not None else b"")
            + string(2, public(base)) + string(3, public(identity)) + string(4, inside)
            + number(5, registration_id) + number(6, signed_id))


class Script:
    """The blocks of the file. Private keys and draws come from the file to verify, or are made afresh."""

    def __init__(self, known=None):
        self.known, self.blocks = iter(known) if known else None, []

    def begin(self, **inputs):
        self.given = next(self.known) if self.known else {}
        self.block = inputs
        self.blocks.append(self.block)

    def draw(self, name):
        value = bytes.fromhex(self.given[name]) if self.known else os.urandom(32)
        self.block[name] = value.hex()
        return value

    def put(self, name, value):
        self.block[name] = value if isinstance(value, str) else value.hex()


def conversation(s, one_time):
    s.begin(do="begin", one_time_id="77" if one_time else "none", signed_id="16777214", initiator_id="4660", responder_id="1")
    a, b, spk, opk, ek = (s.draw(f"{name}_private") for name in ("initiator", "responder", "signed", "one_time", "base"))
    ours = [dh(a, public(spk)), dh(ek, public(b)), dh(ek, public(spk)), dh(ek, public(opk))]
    theirs = [dh(spk, public(a)), dh(b, public(ek)), dh(spk, public(ek)), dh(opk, public(ek))]
    assert ours == theirs, "both sides agree"
    root = x3dh(ours if one_time else ours[:3])
    alice = Party(a, public(b), root, None, public(spk))
    bob = Party(b, public(a), root, spk, None)

    def say(who, text, wrap=False, **how):
        sender, receiver = (alice, bob) if who == "initiator" else (bob, alice)
        s.begin(do="read" if how else "write and read", of=who, kind="pkmsg" if wrap else "msg")
        s.put("plaintext", text)
        message = sender.encrypt(text, lambda: s.draw("ratchet_private"), **how)
        if wrap:
            version = how.get("version", 0x33)
            message = prekey_message(77 if one_time else None, ek, a, message, 4660, 16777214, version)
        s.put("message", message)
        receiver.heard(public(sender.pair))

    say("initiator", b"", wrap=True)
    say("initiator", bytes(range(16)), wrap=True)
    say("responder", b"fifteen bytes..")
    for n in range(3):
        say("initiator", words(n))
        for m in range(2 + n):
            say("responder", words(10 * n + m))
    # Variants of other implementations: the later version, an empty chain's number, unknown fields, another order.
    say("initiator", b"version 3.4", version=0x34)
    say("initiator", b"below zero", previous=0xFFFFFFFF)
    say("initiator", b"below zero, in 64 bits", previous=2**64 - 1)
    say("initiator", b"a field of later versions", extra=string(5, b"unknown") + number(9, 300))
    say("initiator", b"backwards", backwards=True)
    say("responder", b"the number of messages", previous=5)
    for n in range(130):
        say("responder", bytes([n]) * (n % 20))


def words(n):
    return f"message {n}, ".encode() * (n + 1)


def scripts(known=None):
    s = Script(known)
    conversation(s, one_time=True)
    conversation(s, one_time=False)
    return s.blocks


def render(blocks):
    return COMMENT + "\n" + "".join("\n" + "".join(f"{k} = {v}".rstrip() + "\n" for k, v in b.items()) for b in blocks)


def parse(text):
    blocks = [{}]
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        if not line.strip():
            blocks.append({})
            continue
        name, value = (part.strip() for part in line.split("=", 1))
        blocks[-1][name] = value
    return [block for block in blocks if block]


def main(verb, directory):
    path = Path(directory) / NAME
    if verb == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(scripts()))
        return
    text = path.read_text()
    if render(scripts(parse(text))) != text:
        sys.exit(f"{path} differs")
    print(f"{path}: {text.count('message =')} messages agree")


if __name__ == "__main__":
    main(*sys.argv[1:])
