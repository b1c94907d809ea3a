"""Version 4 with libsignal-client, which begins sessions and answers them: shuffled, with losses, doubles and restarts, over
several epochs of the post-quantum ratchet, and messages that must be refused."""
from peer import Refused, flipped, must_refuse
from sessions import changed

WINDOW = 12
NAMES = ("cd613e30-d8f1-4adf-91b7-584a2265b1f5", "1e2feb89-414c-443c-9027-c4d1c386bbc4")


class Pair:
    """bisik and libsignal-client; with service ids as names, or without."""

    def __init__(self, run, name, bisik, other, service_ids, row):
        self.run, self.name, self.row = run, name, row
        self.us, self.them = bisik, other
        names = NAMES if service_ids else (bisik.name, other.name)
        self.ours, self.theirs = ({"name": one, "device": 1} for one in names)
        bisik.call("init", suite="signal4", name=names[0])
        other.call("init", name=names[1])
        self.counted = run.counts.row(name, row)

    def begin(self, from_bisik, one_time, number):
        wanted = {"preKeyId": number if one_time else None, "kyberPreKeyId": 1000 + number}
        if not from_bisik:
            wanted = wanted if one_time else {}
            bundle = self.us.call("gen_bundle", **wanted)["bundle"]
            self.them.call("process_bundle", address=self.ours, bundle=bundle)
            return
        bundle = self.them.call("gen_bundle", signedPreKeyId=number, lastResort=not one_time, **wanted)["bundle"]
        for field in ("signedPreKeySignature", "kyberPreKeySignature"):
            bad = {**bundle, field: flipped(bundle[field], 40)}
            must_refuse(self.run.counts, self.name, self.row, "wrong signature of a bundle", "BundleError::BadSignature",
                        lambda: self.us.call("process_bundle", address=self.theirs, bundle=bad))
        self.us.call("process_bundle", address=self.theirs, bundle=bundle)

    def write(self, from_bisik):
        plaintext = self.run.bytes(self.run.random.choice((0, 1, 15, 16, 17, 100, 300)))
        sender, to = (self.us, self.theirs) if from_bisik else (self.them, self.ours)
        return from_bisik, plaintext, sender.call("encrypt", to=to, plaintext=plaintext.hex())

    def decrypt(self, at_bisik, message):
        reader, sender = (self.us, self.theirs) if at_bisik else (self.them, self.ours)
        result = reader.call("decrypt", **{"from": sender}, type=message["type"], body=message["body"])
        return bytes.fromhex(result["plaintext"])

    def deliver(self, sent):
        from_bisik, plaintext, message = sent
        assert self.decrypt(not from_bisik, message) == plaintext
        self.counted["to" if from_bisik else "from"] += 1

    def refuse(self, why, code, message):
        must_refuse(self.run.counts, self.name, self.row, why, code, lambda: self.decrypt(True, message))

    def record(self):
        return self.us.call("dump_session", address=self.theirs)

    def reload(self):
        """Stores bisik's state and loads it again."""
        record = self.record()["record"]
        self.us.call("delete_session", address=self.theirs)
        self.us.call("load_session", address=self.theirs, record=record)

    def windows(self, count):
        random, held = self.run.random, []
        for _ in range(count):
            sent = [self.write(random.random() < 0.5) for _ in range(WINDOW)] + held
            random.shuffle(sent)
            held, sent = sent[:2], sent[2:]
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


def sessions(run, name, bisik, other, windows):
    """Begun by either side, with one-time keys and without, with service ids as names and without."""
    for begins in (True, False):
        for one_time in (True, False):
            pair = Pair(run, name, bisik, other, begins == one_time, "sessions of version 4")
            pair.begin(begins, one_time, 7)
            first = [pair.write(begins) for _ in range(4)]
            if not begins:
                pair.refuse("changed pre-key message", "AcceptError::Rejected", changed(first[-1][2]))
            for one in reversed(first):
                pair.deliver(one)
            pair.deliver(pair.write(not begins))
            pair.windows(windows)
            if not begins:
                pair.us.call("delete_session", address=pair.theirs)
                code = "AcceptError::UnknownPreKey" if one_time else "AcceptError::Replayed"
                pair.refuse("pre-key message of a forgotten session", code, first[0][2])


def long(run, name, bisik, other, count):
    """One session over several epochs, in order, with losses."""
    pair = Pair(run, name, bisik, other, True, "a long session of version 4")
    pair.begin(True, True, 3)
    pair.deliver(pair.write(True))
    for _ in range(count):
        sent = pair.write(run.random.random() < 0.5)
        if run.random.random() > 0.05:
            pair.deliver(sent)
    epoch = pair.record()["epoch"]
    assert epoch > count // 400, f"the post-quantum ratchet is in epoch {epoch}"


def at_once(run, name, bisik, other, rounds):
    """Both begin at the same time, again and again; what is in transit in the old state is still read."""
    pair = Pair(run, name, bisik, other, True, "sessions of version 4 begun at once")
    for at in range(rounds):
        pair.begin(True, True, 10 + at)
        pair.begin(False, True, 10 + at)
        for sent in [pair.write(True), pair.write(False)]:
            pair.deliver(sent)
        for _ in range(8):
            pair.deliver(pair.write(run.random.random() < 0.5))


def every_byte(run, name, bisik, other):
    """Each byte of a message, changed. What libsignal-client refuses when bisik wrote it, and the reverse."""
    pair = Pair(run, name, bisik, other, True, "changed bytes of messages of version 4")
    pair.begin(True, True, 3)
    for from_bisik in (True, False, True):
        pair.deliver(pair.write(from_bisik))
    before = pair.record()["record"]
    to_bisik, to_them = pair.write(False), pair.write(True)
    for sent in (to_bisik, to_them):
        from_bisik, _, message = sent
        for at in range(len(message["body"]) // 2):
            wrong = {**message, "body": flipped(message["body"], at)}
            try:
                pair.decrypt(not from_bisik, wrong)
            except Refused as refused:
                if not from_bisik:
                    run.counts.refused(name, pair.row, "changed byte", refused.code)
                continue
            raise SystemExit(f"a message with byte {at} changed was read")
    pair.deliver(to_bisik)
    pair.deliver(to_them)
    assert pair.record()["record"] != before
