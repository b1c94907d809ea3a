"""Section 9 of docs/spec/calls.md, written from it and from RFC 9605, for its default suite."""

import hmac

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from accounts import EMOJI
from primitives import *

L_CALL, L_CALL_CONFIRM = b"bisik-1 call transcript\0", b"bisik-1 call confirmation\0"
L_CALL_SRTP, L_CALL_SFRAME = b"bisik-1 call srtp\0", b"bisik-1 call sframe\0"
L_EPOCH_BASE, L_EPOCH_RECIPIENT = b"bisik-1 call epoch base\0", b"bisik-1 call epoch recipient\0"
L_EPOCH_NEXT, L_CALL_COMMIT = b"bisik-1 call epoch next\0", b"bisik-1 call commitment\0"
L_CALL_WORDS = b"bisik-1 call words\0"
COMMITMENT, OPENING, ROUNDS_AHEAD = b"\x46", b"\x47", 64
OFFER, ANSWER, EPOCH_KEY, SUITE = b"\x41", b"\x42", b"\x43", b"\5"
PUBLIC_OFFER, PUBLIC_ANSWER, WINDOW, LATE = 1233, 1137, 1024, 512
AHEAD, OLDER, STAYS, NONE = 8, 2, 3, 1 << 16


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


# 9.3 A group call, as a device sees it that has a session with one of the others

class Epoch:
    """One epoch of a device: B, and its secret."""

    def __init__(self, group, view, call, epoch, number, sender, secret):
        self.group, self.view, self.call, self.epoch = group, view, call, epoch
        self.number, self.sender, self.secret = number, sender, secret
        self.bound = group + view + call + pack(">IH", epoch, number) + SUITE + sender

    def expand(self, label, secret, more=b""):
        return expand(extract(bytes(32), secret), label + sha256(label, self.bound, more), 32)

    def next(self):                                                                                       # P-9.6
        after = Epoch(self.group, self.view, self.call, self.epoch + 1, self.number, self.sender, None)
        after.secret = after.expand(L_EPOCH_NEXT, self.secret)
        return after

    def after(self, steps):
        return self if steps == 0 else self.next().after(steps - 1)

    def fresh(self, view, secret):
        return Epoch(self.group, view, self.call, self.epoch + 1, self.number, self.sender, secret)

    def confirmation(self, known, recipient, session):
        return self.expand(L_EPOCH_RECIPIENT, self.secret, pack(">I", known) + recipient + session.id)

    def frames(self):
        return Frames(self.number, self.epoch, self.expand(L_EPOCH_BASE, self.secret))


class Stay:
    """The keys of one stay of the other device."""

    def __init__(self, said):
        self.said, self.current, self.older, self.heard, self.told = said, [said.frames()], [], 0, 0

    def take(self, said):                                                                                 # P-9.14
        steps = said.epoch - self.said.epoch
        if 0 <= steps <= AHEAD and fits(self.said.after(steps).secret, said.secret):
            return "known"
        if steps <= 0:
            return "old"
        before = [key for key in self.current + self.older if 1 <= said.epoch - key.epoch < 16 - AHEAD]   # P-9.10
        self.older = sorted(before, key=lambda key: -key.epoch)[:OLDER]
        for key in self.older:
            key.left = min(key.left, LATE)
        self.said, self.current = said, [said.frames()]
        return "new-epoch"

    def open(self, key_id, *rest):
        for key in self.current + self.older:
            if key.id == key_id:
                try:
                    plaintext = key.open(*rest)
                except Refused as refused:
                    require(str(refused) != "rejected" or key.epoch == self.said.epoch, "unknown-key")    # P-9.18
                    raise
                self.older = [key for key in self.older if key.left]
                return plaintext
        steps = (key_id - self.said.epoch) % 16
        require(1 <= steps <= AHEAD, "unknown-key")
        key = self.said.after(steps).frames()
        try:
            plaintext = key.open(*rest)
        except Refused:
            raise Refused("unknown-key") from None
        self.current.append(key)
        return plaintext


class Group:
    def __init__(self, call, group, view, own, draw):
        self.has_group, self.view = bool(group), view or bytes(32)
        number, secret = draw(2), draw(32)                                                                # P-9.15
        self.derived, self.given, self.others = 0, False, set()
        self.stays, self.gone, self.turn = {}, [], 0
        self.install(Epoch(group or bytes(32), self.view, call, 0, unpack(">H", number)[0], own, secret))

    def install(self, epoch):
        self.epoch, self.sealing, self.counter = epoch, epoch.frames(), 0

    def advance(self, draw):
        """The next secret follows, or is fresh."""
        if self.derived < AHEAD and self.epoch.view == self.view:
            self.derived += 1
            self.install(self.epoch.next())
            return "one-device"
        self.renew(draw)
        return "everybody"

    def renew(self, draw):
        self.derived, self.given = 0, False
        self.install(self.epoch.fresh(self.view, draw(32)))

    def begin_stay(self, draw):
        last, number = self.epoch, unpack(">H", draw(2))[0]
        self.derived, self.given = 0, False
        self.install(Epoch(last.group, self.view, last.call, 0, number, last.sender, draw(32)))

    def join(self, device, draw):                                                                         # P-9.7
        require(device not in self.others, "already-in-call")
        recipients = self.advance(draw)
        self.others.add(device)
        return recipients

    def leave(self, device, session, draw):
        require(device in self.others, "not-in-call")
        self.renew(draw)
        self.others.remove(device)
        if device == session.peer:
            for stay in self.stays.values():
                self.forget(stay)
            self.stays = {}

    def forget(self, stay):
        self.gone.append((stay.said.number, max(key.epoch for key in stay.current)))

    def key_for(self, session):
        require(session.peer in self.others, "not-in-call")
        self.given = True
        newest = max(self.stays.values(), key=lambda stay: stay.told, default=None)
        known, epoch = newest.said.number if newest else NONE, self.epoch
        return (EPOCH_KEY + epoch.call + epoch.view + pack(">IH", epoch.epoch, epoch.number) + SUITE + pack(">I", known)
                + epoch.secret + epoch.confirmation(known, session.peer, session))

    def accept_key(self, key, session, views, draw):
        require(len(key) == 124 and key[:1] == EPOCH_KEY and 1 <= key[55] <= 5, "malformed")
        view, (epoch, number), (known,) = key[17:49], unpack(">IH", key[49:55]), unpack(">I", key[56:60])
        require(known <= NONE, "malformed")
        require(session.standing() == "confirmed", "unconfirmed")
        require(key[1:17] == self.epoch.call, "other-call")                                               # P-9.5
        require(session.peer in self.others, "not-in-call")
        said = Epoch(self.epoch.group, view, self.epoch.call, epoch, number, session.peer, key[60:92])
        right = said.confirmation(known, self.epoch.sender, session)
        require(key[55:56] == SUITE and (self.has_group or not any(view)) and fits(key[92:], right), "rejected")
        require(not self.has_group or view in views and self.view in views, "unknown-view")               # P-9.16
        news = self.take(said)
        answer = "nobody"
        if known != self.epoch.number:
            answer = self.advance(draw) if self.given else "one-device"
        return {"news": news, "recipients": answer}

    def take(self, said):                                                                                 # P-9.15
        stay, news = self.stays.get(said.number), "new-stay"
        if stay:
            news = stay.take(said)
        else:
            if any(number == said.number and said.epoch <= newest for number, newest in self.gone):
                return "old"
            if len(self.stays) == STAYS:
                self.forget(self.stays.pop(min(self.stays, key=lambda number: self.stays[number].heard)))
            stay = self.stays[said.number] = Stay(said)
        if news == "old":
            return news
        self.turn += 1
        stay.told = self.turn
        if news == "new-stay":
            stay.heard = self.turn
        return news

    def seal(self, metadata, plaintext):
        frame = self.sealing.seal(self.counter, metadata, plaintext)                                      # P-9.11
        self.counter += 1
        return frame

    def open(self, metadata, frame):
        key_id, counter, length = header_decode(frame)
        stay = self.stays.get(key_id >> 4)
        require(stay, "unknown-key")
        plaintext = stay.open(key_id, counter, length, metadata, frame)
        self.turn += 1
        stay.heard = self.turn
        return plaintext


# 9.7 Spoken comparison, of two

class Comparison:
    def __init__(self, call, own, session, draw):
        self.call, self.own, self.session, self.peer, self.heard = call, own, session, session.peer, False
        self.begin(1, draw)

    def begin(self, number, draw):
        self.round, self.bytes, self.opened, self.hash, self.theirs = number, draw(16), False, None, None

    def commit(self, device, value):
        return sha256(L_CALL_COMMIT, self.call, pack(">H", self.round), device, value)

    def commitment(self):
        return COMMITMENT + self.call + pack(">H", self.round) + self.commit(self.own, self.bytes)

    def again(self, draw):
        self.begin(self.round + 1, draw)
        return self.commitment()

    def take_commitment(self, signal, draw):                                                             # P-9.20
        require(len(signal) == 51 and signal[:1] == COMMITMENT, "malformed")
        require(self.session.standing() == "confirmed", "unconfirmed")
        require(signal[1:17] == self.call, "other-call")
        ahead = unpack(">H", signal[17:19])[0] - self.round
        require(0 <= ahead and (ahead <= ROUNDS_AHEAD or not self.heard), "other-round")
        require(not (ahead and self.opened), "begins-again")
        self.heard = self.heard or ahead or self.hash in (None, signal[19:])
        results = {}
        if ahead:
            self.begin(self.round + ahead, draw)
            results["signal"] = self.commitment()
        require(self.hash in (None, signal[19:]), "changed")
        self.hash, self.opened = signal[19:], True                                                       # P-9.19
        return results | {"opening": OPENING + self.call + pack(">H", self.round) + self.bytes}

    def take_opening(self, signal):
        require(len(signal) == 35 and signal[:1] == OPENING, "malformed")
        require(self.session.standing() == "confirmed", "unconfirmed")
        require(signal[1:17] == self.call, "other-call")
        number = unpack(">H", signal[17:19])[0]
        require(number >= self.round, "other-round")
        require(number == self.round and self.hash, "too-early")
        require(fits(self.hash, self.commit(self.peer, signal[19:])), "changed")
        self.theirs = signal[19:]
        both = sorted([(self.own, self.bytes), (self.peer, self.theirs)])                                # P-9.21
        bits = int.from_bytes(sha256(L_CALL_WORDS, self.call, pack(">H", self.round), *sum(both, ()))[:3], "big")
        return "".join(EMOJI[bits >> shift & 63] for shift in (18, 12, 6, 0)).encode()


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

    def __init__(self, number, epoch, base):
        self.id = number * 16 + epoch % 16                                                                # P-9.10
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
