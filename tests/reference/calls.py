"""Section 9 of docs/spec/calls.md, written from it and from RFC 9605, for its default suite."""

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from primitives import *

L_CALL, L_CALL_CONFIRM = b"bisik-1 call transcript\0", b"bisik-1 call confirmation\0"
L_CALL_SRTP, L_CALL_SFRAME = b"bisik-1 call srtp\0", b"bisik-1 call sframe\0"
L_EPOCH_BASE, L_EPOCH_RECIPIENT = b"bisik-1 call epoch base\0", b"bisik-1 call epoch recipient\0"
OFFER, ANSWER, EPOCH_KEY, SUITE = b"\x41", b"\x42", b"\x43", b"\5"
PUBLIC_OFFER, PUBLIC_ANSWER, WINDOW, EPOCHS, LATE = 1233, 1137, 1024, 3, 512


# 9.2 A call of two

class Keys:
    """Everything that both sides derive."""

    def __init__(self, session_id, caller, callee, offer, answer, agreement, encapsulated):
        self.transcript = sha256(L_CALL, session_id, caller, callee, offer[:PUBLIC_OFFER], answer[:PUBLIC_ANSWER])
        self.agreement, self.encapsulated = agreement, encapsulated
        self.prk = extract(bytes(32), agreement, encapsulated, offer[PUBLIC_OFFER:])
        self.confirmation = expand(self.prk, L_CALL_CONFIRM + self.transcript, 32)

    def shown(self, sending, receiving):                                                                  # P-9.4
        def both(label, length):
            return [expand(self.prk, label + d + self.transcript, length) for d in (sending, receiving)]
        names = "srtp_sending", "srtp_receiving", "base_sending", "base_receiving"
        return dict(zip(names, both(L_CALL_SRTP, 44) + both(L_CALL_SFRAME, 32))) | {
            "transcript": self.transcript, "agreement": self.agreement, "encapsulated": self.encapsulated,
            "prk": self.prk}


class Calling:
    def __init__(self, own, session, draw):                                                               # P-9.1
        self.own, self.session, self.id = own, session, draw(16)
        self.x, self.seed = draw(32), draw(64)
        self.offer = OFFER + self.id + x25519_public(self.x) + kem_public(self.seed) + draw(32)

    def complete(self, answer, session):
        require(len(answer) == PUBLIC_ANSWER + 32 and answer[:1] == ANSWER, "malformed")
        key, ciphertext = x25519_check(answer[17:49]), answer[49:PUBLIC_ANSWER]
        require(answer[1:17] == self.id, "other-call")                                                    # P-9.2
        require(session.peer == self.session.peer, "other-device")
        keys = Keys(self.session.id, self.own, self.session.peer, self.offer, answer, dh(self.x, key),
                    decapsulate(self.seed, ciphertext))
        require(fits(answer[PUBLIC_ANSWER:], keys.confirmation), "rejected")                              # P-9.3
        return keys.shown(b"\1", b"\2")


def accept(offer, own, session, draw):
    require(len(offer) == PUBLIC_OFFER + 32 and offer[:1] == OFFER, "malformed")
    key, kem = x25519_check(offer[17:49]), kem_check(offer[49:PUBLIC_OFFER])
    x = draw(32)
    ciphertext, encapsulated = encapsulate(kem, draw(32))
    answer = ANSWER + offer[1:17] + x25519_public(x) + ciphertext
    keys = Keys(session.id, session.peer, own, offer, answer, dh(x, key), encapsulated)
    return {"signal": answer + keys.confirmation} | keys.shown(b"\2", b"\1")


# 9.3 A group call, as two of its participants see it

class Group:
    def __init__(self, call, own, participant, other, session, draw):
        self.call, self.own, self.participant, self.other = call, own, participant, other
        self.keys, self.counter = [], 0
        draw(32)                                                          # epoch 0, in which nobody else was there
        self.secret, self.epoch = draw(32), 1                                                             # P-9.7
        self.sealing = Frames(participant, 1, self.base(participant, 1, self.secret, own))

    def bound(self, participant, epoch, sender):
        return self.call + pack(">Q", epoch) + participant + SUITE + sender

    def base(self, participant, epoch, secret, sender):
        context = sha256(L_EPOCH_BASE, self.bound(participant, epoch, sender))
        return expand(extract(bytes(32), secret), L_EPOCH_BASE + context, 32)

    def confirmation(self, participant, epoch, secret, sender, recipient, session):
        context = sha256(L_EPOCH_RECIPIENT, self.bound(participant, epoch, sender), recipient, session.id)
        return expand(extract(bytes(32), secret), L_EPOCH_RECIPIENT + context, 32)

    def key_for(self, session):
        tag = self.confirmation(self.participant, self.epoch, self.secret, self.own, session.peer, session)
        return EPOCH_KEY + self.call + pack(">Q", self.epoch) + self.participant + SUITE + self.secret + tag

    def accept_key(self, key, session):
        require(len(key) == 92 and key[:1] == EPOCH_KEY and 1 <= key[27] <= 5, "malformed")
        epoch, participant, suite, secret = unpack(">Q", key[17:25])[0], key[25:27], key[27:28], key[28:60]
        require(key[1:17] == self.call, "other-call")                                                     # P-9.5
        right = self.confirmation(participant, epoch, secret, session.peer, self.own, session)
        require(participant == self.other and suite == SUITE and fits(key[60:], right), "rejected")
        require(not self.keys or epoch > self.keys[0].epoch, "stale")                                     # P-9.14
        frames = Frames(participant, epoch, self.base(participant, epoch, secret, session.peer))
        older = [old for old in self.keys if old.id != frames.id]                                         # P-9.10
        for old in older:
            old.left = min(old.left, LATE)
        self.keys = [frames] + older[:EPOCHS - 1]

    def seal(self, metadata, plaintext):
        frame = self.sealing.seal(self.counter, metadata, plaintext)                                      # P-9.11
        self.counter += 1
        return frame

    def open(self, metadata, frame):
        key_id, counter, length = header_decode(frame)
        frames = next((frames for frames in self.keys if frames.id == key_id), None)
        require(frames, "unknown-key")
        plaintext = frames.open(counter, length, metadata, frame)
        self.keys = [frames for frames in self.keys if frames.left]
        return plaintext


# 9.4 Frames, 9.5 Receiving

def number(value):
    """Four bits and the bytes that follow."""
    if value < 8:
        return value, b""
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return 8 + len(body) - 1, body


def header(key_id, counter):
    (k, key), (c, ctr) = number(key_id), number(counter)
    return bytes([k << 4 | c]) + key + ctr


def header_decode(frame):
    require(frame, "malformed")
    values, at = [], 1
    for bits in (frame[0] >> 4, frame[0] & 15):
        length = max(bits - 7, 0)
        values.append(int.from_bytes(frame[at:at + length], "big") if length else bits)
        at += length
    require(header(*values) == frame[:at], "malformed")                                                   # P-9.9
    return *values, at


def hmac512(key, *parts):
    return hmac.digest(key, b"".join(parts), "sha512")


class Frames:
    """One key of AES_256_GCM_SHA512_128, to seal with or to open with."""

    def __init__(self, participant, epoch, base):
        self.id = int.from_bytes(participant, "big") * 16 + epoch % 16                                    # P-9.10
        self.epoch, self.highest, self.received, self.left = epoch, -1, set(), float("inf")
        secret, end = hmac512(bytes(64), base), pack(">QH", self.id, 5)
        self.key = hmac512(secret, b"SFrame 1.0 Secret key ", end, b"\1")[:32]
        self.salt = hmac512(secret, b"SFrame 1.0 Secret salt ", end, b"\1")[:12]

    def nonce(self, counter):
        return (int.from_bytes(self.salt, "big") ^ counter).to_bytes(12, "big")

    def seal(self, counter, metadata, plaintext):
        head = header(self.id, counter)
        return head + AESGCM(self.key).encrypt(self.nonce(counter), plaintext, head + metadata)

    def open(self, counter, length, metadata, frame):                                                     # P-9.13
        require(len(frame) >= length + 16, "malformed")
        require(counter + WINDOW > self.highest, "too-late")
        require(counter not in self.received, "replayed")
        try:
            plaintext = AESGCM(self.key).decrypt(self.nonce(counter), frame[length:], frame[:length] + metadata)
        except InvalidTag:
            raise Refused("rejected") from None
        self.received.add(counter)
        self.highest, self.left = max(self.highest, counter), self.left - 1
        return plaintext
