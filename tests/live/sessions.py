"""Sessions with another implementation: both directions, shuffled, with losses, and messages that must be refused."""
import hashlib
import hmac

from peer import Refused, flipped, must_refuse

WHAT = "sessions"
WINDOW = 12


class Session:
    """bisik and one other implementation, with everything that bisik did."""

    def __init__(self, run, name, bisik, other, row):
        self.run, self.name, self.bisik, self.other, self.row = run, name, bisik, other, row
        me = bisik.call("init", name=bisik.name)
        them = other.call("init", name=other.name)
        self.record = {"identity_private": me["identityPrivate"], "registration_id": me["registrationId"],
                       "peer_identity": them["identityKey"], "peer_identity_private": them["identityPrivate"],
                       "signed": None, "one_time": None, "events": []}
        self.them = them

    def event(self, **event):
        self.record["events"].append(event)

    def begin_with(self, bundle):
        """bisik initiates, first with a signature that is not the peer's."""
        bad = {**bundle, "signedPreKeySignature": flipped(bundle["signedPreKeySignature"], 40)}
        must_refuse(self.run.counts, self.name, self.row, "wrong signature of a signed pre-key", "BundleError::BadSignature",
                    lambda: self.bisik.call("process_bundle", address=self.other.address, bundle=bad))
        drawn = self.run.bytes(32).hex()
        self.bisik.call("process_bundle", address=self.other.address, bundle=bundle, random=drawn)
        self.event(do="refuse bundle", bundle=bad)
        self.event(do="initiate", bundle=bundle, random=drawn)

    def publish(self, one_time):
        """The other side initiates, with a bundle of bisik's."""
        made = self.bisik.call("gen_bundle", preKeyId=9 if one_time else None, signedPreKeyId=4, includePrivate=True)
        self.record["signed"] = [4, made["private"]["signedPreKeyPrivate"]]
        if one_time:
            self.record["one_time"] = [9, made["private"]["preKeyPrivate"]]
        self.other.call("process_bundle", address=self.bisik.address, bundle=made["bundle"])

    def write(self, from_bisik):
        plaintext = self.run.bytes(self.run.random.choice((0, 1, 15, 16, 17, 100, 300)))
        if not from_bisik:
            return False, plaintext, self.other.encrypt(self.bisik, plaintext)
        drawn = self.run.bytes(32).hex()
        message = self.bisik.encrypt(self.other, plaintext, random=drawn)
        self.event(do="write", plaintext=plaintext.hex(), random=drawn, type=message["type"], body=message["body"])
        return True, plaintext, message

    def deliver(self, sent):
        from_bisik, plaintext, message = sent
        counted = self.run.counts.row(self.name, self.row)
        if from_bisik:
            assert self.other.decrypt(self.bisik, message) == plaintext
            counted["to"] += 1
            return
        assert self.bisik.decrypt(self.other, message) == plaintext
        counted["from"] += 1
        self.event(do="read", type=message["type"], body=message["body"], plaintext=plaintext.hex())

    def refuse(self, why, code, message):
        must_refuse(self.run.counts, self.name, self.row, why, code, lambda: self.bisik.decrypt(self.other, message))
        self.event(do="refuse", type=message["type"], body=message["body"], code=code)

    def reload(self):
        """Stores bisik's state and loads it again."""
        record = self.bisik.call("dump_session", address=self.other.address)["record"]
        self.bisik.call("delete_session", address=self.other.address)
        self.bisik.call("load_session", address=self.other.address, record=record)

    def windows(self, count, late=True):
        """Both send at random. Each window is delivered in another order, some of it in the next window, some never.
        Some messages to bisik are changed, which must change nothing, and some arrive twice."""
        random, held = self.run.random, []
        for _ in range(count):
            sent = [self.write(random.random() < 0.5) for _ in range(WINDOW)] + held
            random.shuffle(sent)
            held, sent = (sent[:2], sent[2:]) if late else ([], sent)
            for one in sent:
                if random.random() < 0.05:
                    continue
                to_bisik, message = not one[0], one[2]
                if to_bisik and random.random() < 0.1:
                    self.refuse("changed tag", "DecryptError::Rejected", changed(message))
                self.deliver(one)
                if to_bisik and random.random() < 0.1:
                    self.refuse("replay", "DecryptError::Replayed", message)
            self.reload()
        for one in held:
            self.deliver(one)


def changed(message):
    """Flips one bit of the tag: the last byte, or in a first message the last byte of the inner message."""
    body = message["body"]
    if message["type"] != 3:
        return {**message, "body": flipped(body)}
    return {**message, "body": flipped(body, end_of_inner(bytes.fromhex(body)) - 1)}


def end_of_inner(body):
    """The end of field 4 of a first message."""
    at = 1
    while True:
        tag, at = varint(body, at)
        value, at = varint(body, at)
        if tag & 7 == 2:
            at += value
            if tag >> 3 == 4:
                return at


def varint(body, at):
    value = shift = 0
    while True:
        byte, at = body[at], at + 1
        value, shift = value | (byte & 127) << shift, shift + 7
        if byte < 128:
            return value, at


def speak(run, name, bisik, other, bisik_begins, one_time, windows):
    """A whole session. Several first messages arrive in reverse order; the first of them is refused when it is
    changed."""
    session = Session(run, name, bisik, other, WHAT)
    if bisik_begins:
        bundle = other.call("gen_bundle", preKeyId=7 if one_time else None, signedPreKeyId=3)["bundle"]
        session.begin_with(bundle)
    else:
        session.publish(one_time)
    first = [session.write(bisik_begins) for _ in range(4)]
    if not bisik_begins:
        session.refuse("changed pre-key message", "AcceptError::Rejected", changed(first[-1][2]))
    for one in reversed(first):
        session.deliver(one)
    session.deliver(session.write(not bisik_begins))
    session.windows(windows)
    if not bisik_begins:
        bisik.call("delete_session", address=other.address)
        code = "AcceptError::UnknownPreKey" if one_time else "AcceptError::Replayed"
        session.event(do="forget")
        session.refuse("pre-key message of a forgotten session", code, first[0][2])
    return session.record


def begun_again(run, bisik, others, rounds):
    """One process of bisik with sessions with several others at once. Each in turn loses its state, or both initiate at
    once. Messages in transit in the old state are still read."""
    begun = set()
    bisik.call("init", name=bisik.name)
    for _, other in others:
        other.call("init", name=other.name)
    for at in range(rounds):
        for name, other in others:
            counted = run.counts.row(name, "sessions begun again")

            def exchange(sent):
                sender, receiver, plaintext, message = sent
                assert receiver.decrypt(sender, message) == plaintext
                counted["to" if sender is bisik else "from"] += 1

            def write(sender, receiver):
                plaintext = run.bytes(run.random.randrange(100))
                return sender, receiver, plaintext, sender.encrypt(receiver, plaintext)

            old = [write(other, bisik) for _ in range(3)] if name in begun else []
            forgets, both = at % 3 == 1, at % 3 == 2
            if forgets:
                other.call("delete_session", address=bisik.address)
            if forgets or both:
                bundle = bisik.call("gen_bundle", preKeyId=1000 * at + len(name), signedPreKeyId=1)["bundle"]
                other.call("process_bundle", address=bisik.address, bundle=bundle)
            if not forgets:
                bundle = other.call("gen_bundle", preKeyId=at + 1, signedPreKeyId=at + 1)["bundle"]
                bisik.call("process_bundle", address=other.address, bundle=bundle)
            begun.add(name)
            first = [write(other, bisik)] if both or forgets else []
            first += [] if forgets else [write(bisik, other)]
            # A side that lost its state reads nothing in the old one: a late message would only make bisik send in
            # it.
            for sent in old + first if forgets else first + old:
                exchange(sent)
            for _ in range(6):
                sender, receiver = run.random.sample((bisik, other), 2)
                exchange(write(sender, receiver))


def crossed(run, name, bisik, other, most):
    """Both begin at once, then write and read at random, and read the rest. In at most `most` runs may the other leave
    something unread or write what cannot be read."""
    what, damaged, sides = "begun by both at once", 0, (bisik, other)
    for at in range(16):
        for peer in sides:
            private = bytearray(run.bytes(32))
            private[0], private[31] = private[0] & 248, private[31] & 127 | 64
            peer.call("init", name=peer.name, identityPrivate=private.hex())
        bundles = [peer.call("gen_bundle", preKeyId=at + 1, signedPreKeyId=1)["bundle"] for peer in sides]
        waiting, unread = {bisik: [], other: []}, 0

        def write(sender):
            receiver, plaintext = sides[sender is bisik], run.bytes(20)
            waiting[receiver].append((plaintext, sender.encrypt(receiver, plaintext)))

        def read(receiver):
            plaintext, message = waiting[receiver].pop(0)
            try:
                assert receiver.decrypt(sides[receiver is bisik], message) == plaintext
            except Refused:
                return 1
            run.counts.row(name, what)["from" if receiver is bisik else "to"] += 1
            return 0

        for peer, bundle in zip(sides, reversed(bundles)):
            peer.call("process_bundle", address=sides[peer is bisik].address, bundle=bundle)
            write(peer)
        for _ in range(40):
            peer, writes = run.random.choice(sides), run.random.random() < 0.5
            if writes:
                write(peer)
            elif waiting[peer]:
                unread += read(peer)
        for peer in sides:
            unread += sum(read(peer) for _ in range(len(waiting[peer])))
        for peer in sides:
            write(peer)
            unread += read(sides[peer is bisik])
        damaged += unread > 0
        run.counts.other(name, what, "left unread", unread)
    assert damaged <= most, f"{name}, {what}: something unread in {damaged} of 16 runs"


# ---- libsignal-client, which sets up no session of this version: its record is made here
# ----------------------------

def hkdf(salt, secret, info, length):
    prk, out, block = hmac.digest(salt, secret, hashlib.sha256), b"", b""
    while len(out) < length:
        block = hmac.digest(prk, block + info + bytes([len(out) // 32 + 1]), hashlib.sha256)
        out += block
    return out[:length]


def field(number, value):
    if isinstance(value, int):
        return number_of(number << 3) + number_of(value)
    return number_of(number << 3 | 2) + number_of(len(value)) + value


def number_of(value):
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


class Crafted:
    """libsignal-client's side of X3DH: agreements by libsignal-client, derivations and the record from here."""

    def __init__(self, other, them, ours):
        self.other, self.them, self.ours = other, them, ours

    def agree(self, private, public):
        return bytes.fromhex(self.other.call("agree", privateKey=private, publicKey=public)["shared"])

    def root(self, agreed):
        kept = hkdf(bytes(32), b"\xff" * 32 + b"".join(agreed), b"WhisperText", 64)
        return kept[:32], kept[32:]

    def load(self, of, root, sending, chain, receiving, base):
        private, public = (bytes.fromhex(half) for half in sending)
        state = field(1, 3) + field(2, bytes.fromhex(self.them["identityKey"])) + field(3, bytes.fromhex(self.ours))
        state += field(4, root) + field(5, 0)
        state += field(6, field(1, public) + field(2, private) + field(3, field(1, 0) + field(2, chain)))
        if receiving:
            state += field(7, field(1, bytes.fromhex(receiving[0])) + field(3, field(1, 0) + field(2, receiving[1])))
        state += field(10, 1) + field(11, 1) + field(13, bytes.fromhex(base))
        self.other.call("load_session", address=of.address, record=field(1, state).hex())


def crafted(run, name, bisik, other, bisik_begins, one_time, windows):
    """The ratchet with libsignal-client. It never writes first messages: those that it sends before bisik has replied
    are wrapped in one here, because the outer part is not authenticated."""
    session = Session(run, name, bisik, other, "sessions by a loaded record")
    us = bisik.call("gen_bundle", preKeyId=9 if one_time else None, signedPreKeyId=4, includePrivate=True)
    bundle, private = us["bundle"], us["private"]
    side = Crafted(other, session.them, bundle["identityKey"])
    if bisik_begins:
        begin_at_bisik(run, session, side, one_time)
        first = [session.write(True) for _ in range(3)]
        base = bisik.call("inspect", type=3, body=first[0][2]["body"])["baseKey"]
        agreed = [side.agree(session.signed["privateKey"], bundle["identityKey"]),
                  side.agree(session.them["identityPrivate"], base), side.agree(session.signed["privateKey"], base)]
        if one_time:
            agreed.append(side.agree(session.one["privateKey"], base))
        root, chain = side.root(agreed)
        side.load(bisik, root, (session.signed["privateKey"], session.signed["publicKey"]), chain, None, base)
    else:
        session.record["signed"] = [4, private["signedPreKeyPrivate"]]
        session.record["one_time"] = [9, private["preKeyPrivate"]] if one_time else None
        base, ratchet = other.call("gen_keypair"), other.call("gen_keypair")
        signed = bundle["signedPreKeyPublic"]
        agreed = [side.agree(session.them["identityPrivate"], signed), side.agree(base["privateKey"], bundle["identityKey"]),
                  side.agree(base["privateKey"], signed)]
        if one_time:
            agreed.append(side.agree(base["privateKey"], bundle["preKeyPublic"]))
        root, unused = side.root(agreed)
        step = hkdf(root, side.agree(ratchet["privateKey"], signed), b"WhisperRatchet", 64)
        keys = (ratchet["privateKey"], ratchet["publicKey"])
        side.load(bisik, step[:32], keys, step[32:], (signed, unused), base["publicKey"])
        first = [wrapped(session.write(False), bundle, base, session.them) for _ in range(3)]
        session.refuse("changed pre-key message", "AcceptError::Rejected", changed(first[-1][2]))
    for one in reversed(first):
        session.deliver(one)
    session.deliver(session.write(not bisik_begins))
    session.windows(windows)
    return session.record


def begin_at_bisik(run, session, side, one_time):
    session.signed, session.one = session.other.call("gen_keypair"), session.other.call("gen_keypair")
    key, identity = session.signed["publicKey"], session.them["identityPrivate"]
    signature = session.other.call("sign", privateKey=identity, message=key)["signature"]
    session.begin_with({
        "registrationId": 1, "deviceId": 1, "identityKey": session.them["identityKey"], "preKeyId": 7 if one_time else None,
        "preKeyPublic": session.one["publicKey"] if one_time else None, "signedPreKeyId": 3, "signedPreKeyPublic": key,
        "signedPreKeySignature": signature})


def wrapped(sent, bundle, base, them):
    from_bisik, plaintext, message = sent
    body = b"" if bundle["preKeyId"] is None else field(1, bundle["preKeyId"])
    body += field(2, bytes.fromhex(base["publicKey"])) + field(3, bytes.fromhex(them["identityKey"]))
    body += field(4, bytes.fromhex(message["body"])) + field(5, 1) + field(6, bundle["signedPreKeyId"])
    return from_bisik, plaintext, {"type": 3, "body": (b"\x33" + body).hex()}
