"""Test vectors as scripts (docs/spec/test-vectors.md, appendix A): read them, write them, run them against bisik.py.

A step that lacks its results, or its randomness, gets them when it is run: that is how vectors are made. A step that
has them is compared.
"""

import copy
import os

from accounts import AccountSteps
from attachments import BISIK, LARGEST_THUMBNAIL, Pointer, context_of, make_blob
from bisik import *
import calls
import content
from hosted_devices import HostedDeviceSteps
from talks import TalkSteps

NOW = 1_800_000_000
DECIMAL = {"now", "kept_keys", "revision", "size", "sent_ms", "most_choices", "choices", "kind", "index", "removed",
           "delete_by", "total"}
WORDS = {"do", "of", "with", "expect", "media_type", "code", "digits", "operator", "choice", "received", "events"}
INPUTS = WORDS | {"now", "pinned", "disclosure", "key", "context", "binding", "secret", "bundle", "message",
                  "plaintext", "record", "size", "file", "blob", "pointer", "thumbnail", "offer", "answer", "call",
                  "participant", "other", "epoch_key", "metadata", "sealed_frame", "words", "body",
                  "sent_ms", "question", "options", "most_choices", "author", "voter", "choices", "ballot", "terms",
                  "index", "added", "updated", "removed", "seen", "draft", "disclosed", "known", "own", "decision",
                  "receipt", "bundles", "sender", "message_id"}
# Values that only this implementation can see. A step names those it wants.
INNER = set("to dh1 dh2 dh3 dh4 ss ki sealed_identity prk shared shared_of_damaged rk hk_i hk_r agreement next_rk hk "
            "nhk ck mk next_ck header encrypted_header header_tag r digest body_tag state kept_keys "
            "chunk_key base_nonce commitment transcript encapsulated definition vote_key frames".split())


class Differs(Exception):
    """The vectors and this implementation disagree."""


def decode(name, value):
    if name in WORDS:
        return value
    return int(value) if name in DECIMAL else bytes.fromhex(value)


def parse(text):
    steps, step = [], {}
    for line in text.splitlines() + [""]:
        if line.startswith("#"):
            continue
        if line.strip():
            name, value = (part.strip() for part in line.split("=", 1))
            if name in step:
                raise Differs(f"{name} stands there twice")
            step[name] = decode(name, value)
        elif step:
            steps.append(step)
            step = {}
    return steps


def render(steps, comment):
    lines = [f"# {line}" for line in comment.splitlines()]
    for step in steps:
        values = {name: value.hex() if isinstance(value, bytes) else value for name, value in step.items()}
        lines += [""] + [f"{name} = {value}".rstrip() for name, value in values.items()]
    return "\n".join(lines) + "\n"


class Draws:
    """The randomness of one step: replayed if it is listed, otherwise fresh and recorded."""

    def __init__(self, listed):
        self.listed, self.taken = listed, b""

    def __call__(self, n):
        start = len(self.taken)
        drawn = os.urandom(n) if self.listed is None else self.listed[start:start + n]
        self.taken += drawn
        if len(drawn) != n:
            raise Differs("more randomness is drawn than listed")
        return drawn


class World(AccountSteps, HostedDeviceSteps, TalkSteps):
    """The keys and sessions of all parties, by name. Every method is a verb of the scripts, and returns its results by
    name."""

    def __init__(self):
        self.identities, self.pre_keys, self.sessions, self.ratchets = {}, {}, {}, {}
        self.calling, self.groups, self.polls = {}, {}, {}

    def run(self, step, complete=False):
        """Runs one step. With `complete`, missing results and those that are `None` are filled in."""
        draw = Draws(step.get("draws", None if complete else b""))
        try:
            results, word = getattr(self, step["do"].replace("-", "_"))(step, draw), None
        except Refused as refused:
            results, word = {}, str(refused)
        if draw.listed is None and draw.taken:
            step["draws"] = draw.taken
        if draw.taken != step.get("draws", b""):
            raise Differs("less randomness is drawn than listed")
        results = {name: value for name, value in results.items() if name in step or name not in INNER}
        if word:
            results["expect"] = word
        for name, value in results.items():
            if complete and step.get(name) is None:
                step[name] = value
            if step.get(name) != value:
                raise Differs(f"{name}: {step.get(name)} stands there, {value} it is")
        if complete and "expect" in step and not word:
            step.pop("expect")
        if set(step) - INPUTS - set(results) - {"draws"} or "expect" in step and not word:
            raise Differs(f"{sorted(step)} stand there, {sorted(results)} came of it")

    # Keys

    def identity(self, step, draw):
        self.identities[step["of"]] = Identity(draw)
        return {"public": self.identities[step["of"]].public}

    def identity_key(self, step, draw):
        check_identity(step["key"])
        return {}

    def generate(self, step, draw):
        self.pre_keys[step["of"]] = PreKeys(self.identities[step["of"]], step["now"], draw)
        return {"bundle": self.pre_keys[step["of"]].bundle()}

    def replenish(self, step, draw):
        return {"bundle": self.pre_keys[step["of"]].replenish(draw)}

    def rotate(self, step, draw):
        self.pre_keys[step["of"]].rotate(step["now"], draw)
        return {"bundle": self.pre_keys[step["of"]].bundle()}

    def verify(self, step, draw):
        verify_bundle(step["bundle"], step["pinned"], step["now"])
        return {}

    def kem(self, step, draw):
        """Draws a seed and an encapsulation's randomness."""
        seed = draw(64)
        ciphertext, shared = encapsulate(kem_public(seed), draw(32))
        if decapsulate(seed, ciphertext) != shared:
            raise Differs("the encapsulated and the decapsulated secret")
        damaged = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
        return {"encapsulation_key": kem_public(seed), "ciphertext": ciphertext, "shared": shared,
                "shared_of_damaged": decapsulate(seed, damaged)}

    # Session setup

    def verified(self, step):
        return verify_bundle(step["bundle"], self.identities[step["with"]].public, step["now"])

    def handshake(self, step, draw):
        ours, theirs, disclosure = self.identities[step["of"]], self.identities[step["with"]], step["disclosure"]
        at_initiator = vars(initiate(ours, self.verified(step), draw, disclosure))
        at_responder = vars(respond(theirs, self.pre_keys[step["with"]], at_initiator["first_flight"], disclosure)[0])
        if at_responder.pop("peer") != ours.public or at_responder.items() - at_initiator.items():
            raise Differs("initiator and responder")
        return at_initiator

    def initiate(self, step, draw):
        ours, disclosure = self.identities[step["of"]], step.get("disclosure", bytes(32))
        self.sessions[step["of"]] = Session.initiate(ours, self.verified(step), draw, disclosure)
        return {"session_id": self.sessions[step["of"]].id}

    def accept(self, step, draw):
        of, disclosure = step["of"], step.get("disclosure", bytes(32))
        session, plaintext = Session.accept(self.identities[of], self.pre_keys[of], step["message"], disclosure)
        self.sessions[of] = session
        return {"session_id": session.id, "plaintext": plaintext}

    # Messages

    def start_ratchets(self, step, draw):
        """Draws the responder's pair."""
        secret, start = draw(32), (step["binding"], step["secret"])
        self.ratchets["initiator"] = Ratchet(*start, peer=x25519_public(secret))
        self.ratchets["responder"] = Ratchet(*start, pair=(secret, x25519_public(secret)))
        return dict(zip(("prk", "rk", "hk_i", "hk_r"), (extract(*start), *root_start(*start))))

    def encrypt(self, step, draw):
        ratchet = self.ratchets.get(step["of"])
        if ratchet is None:
            return {"message": self.sessions[step["of"]].encrypt(step["plaintext"], draw)}
        before = copy.copy(ratchet)
        message = ratchet.send(step["plaintext"], draw)
        return {"message": message} | trace(before, message, draw.taken)

    def decrypt(self, step, draw):
        ratchet, session = self.ratchets.get(step["of"]), self.sessions.get(step["of"])
        plaintext = ratchet.receive(step["message"]) if ratchet else session.decrypt(step["message"])
        return {"plaintext": plaintext, "kept_keys": sum(len(c.kept) for c in (ratchet or session.ratchet).chains)}

    # Calls

    def party(self, step):
        return self.identities[step["of"]].public, self.sessions[step["of"]]

    def call(self, step, draw):
        self.calling[step["of"]] = calls.Calling(*self.party(step), draw)
        return {"signal": self.calling[step["of"]].offer}

    def call_accept(self, step, draw):
        return calls.accept(step["offer"], *self.party(step), draw)

    def call_complete(self, step, draw):
        results = self.calling[step["of"]].complete(step["answer"], self.party(step)[1])
        del self.calling[step["of"]]
        return results

    def group_call(self, step, draw):
        own, session = self.party(step)
        group = calls.Group(step["call"], own, step["participant"], step["other"], session, draw)
        self.groups[step["of"]] = group
        return {"signal": group.key_for(session)}

    def epoch_key(self, step, draw):
        self.groups[step["of"]].accept_key(step["epoch_key"], self.party(step)[1])
        return {}

    def seal_frame(self, step, draw):
        return {"frame": self.groups[step["of"]].seal(step["metadata"], step["plaintext"])}

    def open_frame(self, step, draw):
        return {"plaintext": self.groups[step["of"]].open(step["metadata"], step["sealed_frame"])}

    # Content

    def text(self, step, draw):
        return {"body": content.text(draw, step["sent_ms"], step["words"])}

    def read_body(self, step, draw):
        return content.read_body(step["body"])

    def answers(self, step, draw):
        return content.answers(step["body"], step["author"], step["answer"])

    def poll(self, step, draw):
        """Draws the poll's secret, then its id."""
        options, rest = [], step["options"]
        while rest:
            length = unpack(">I", rest[:4])[0] + 4
            options, rest = options + [rest[4:length]], rest[length:]
        poll = content.Poll(draw(32), draw(16), step["author"], step["question"], options, step["most_choices"])
        self.polls[step["of"]] = poll
        return {"body": poll.body(step["sent_ms"]), "definition": poll.definition()}

    def vote(self, step, draw):
        poll, voter = self.polls[step["of"]], step["voter"]
        return {"ballot": poll.cast(voter, step["sent_ms"], step["choices"], draw), "vote_key": poll.key(voter)}

    def open_vote(self, step, draw):
        sent_ms, choices = self.polls[step["of"]].open(step["voter"], step["ballot"])
        return {"sent_ms": sent_ms, "choices": choices}

    # Attachments

    def attachment(self, file, media_type, draw):
        ak, salt = draw(32), draw(24)
        blob = make_blob(ak, salt, media_type, file)
        pointer = Pointer(ak, sha256(blob), len(file), media_type)
        inner = zip(("chunk_key", "base_nonce", "commitment"), BISIK.keys(ak, salt, context_of(len(file), media_type)))
        return {"blob": blob, "pointer": pointer.encode()} | dict(inner)

    def encrypt_file(self, step, draw):
        return self.attachment(step["file"], step["media_type"].encode(), draw)

    def encrypt_long_file(self, step, draw):
        made = self.attachment(long_file(step["size"]), step["media_type"].encode(), draw)
        return {name: value for name, value in made.items() if name != "blob"}

    def add_thumbnail(self, step, draw):
        pointer = Pointer.decode(step["pointer"])
        require(len(step["thumbnail"]) <= LARGEST_THUMBNAIL, "too-large")
        require(step["thumbnail"], "other-size")
        pointer.thumbnail_size = len(step["thumbnail"])
        pointer.thumbnail = make_blob(pointer.ak, draw(24), None, step["thumbnail"])
        return {"with_thumbnail": pointer.encode()}

    def decrypt_file(self, step, draw):
        return {"file": Pointer.decode(step["pointer"]).read(step["blob"])}

    def decrypt_thumbnail(self, step, draw):
        return {"thumbnail": Pointer.decode(step["pointer"]).read_thumbnail()}

    # Sealed state

    def sealed(self, step, draw, kind, value):
        state = value[step["of"]].encode()
        return {"record": record(step["key"], draw, kind, step["context"], state), "state": state}

    def unsealed(self, step, kind, value):
        """The crate continues with the opened state, and may thereby go back in time; here it must be the present
        state."""
        if open_record(step["key"], kind, step["context"], step["record"]) != value[step["of"]].encode():
            raise Differs("the record holds another state")
        return {}

    def seal_identity(self, step, draw):
        return self.sealed(step, draw, IDENTITY, self.identities)

    def seal_pre_keys(self, step, draw):
        return self.sealed(step, draw, PRE_KEYS, self.pre_keys)

    def seal_session(self, step, draw):
        return self.sealed(step, draw, SESSION, self.sessions) | {"revision": self.sessions[step["of"]].revision}

    def seal_ratchet(self, step, draw):
        return self.sealed(step, draw, RATCHET, self.ratchets)

    def unseal_identity(self, step, draw):
        return self.unsealed(step, IDENTITY, self.identities)

    def unseal_pre_keys(self, step, draw):
        return self.unsealed(step, PRE_KEYS, self.pre_keys)

    def unseal_session(self, step, draw):
        return self.unsealed(step, SESSION, self.sessions)

    def unseal_ratchet(self, step, draw):
        return self.unsealed(step, RATCHET, self.ratchets)


def trace(before, message, draws):
    """Intermediate values of a message, computed from the state before it rather than taken from inside."""
    values, (r, encrypted_header, header_tag, body, body_tag) = {}, parts(message)
    if before.sending:
        hk, ck, _ = before.sending
    else:
        hk, agreement = before.nhks, dh(draws[:32], before.peer)
        rk, ck, nhk = root_step(before.rk, agreement)
        values = {"rk": before.rk, "agreement": agreement, "next_rk": rk, "nhk": nhk}
    mk, next_ck = chain_step(ck)
    return values | {"ck": ck, "mk": mk, "next_ck": next_ck, "hk": hk, "r": r, "encrypted_header": encrypted_header,
                     "header": stream(hk, r + bytes(8), encrypted_header), "header_tag": header_tag,
                     "body_tag": body_tag, "digest": sha256(L_MESSAGE, before.binding, r, encrypted_header, body)}


def long_file(size):
    """SHA-256 of the concatenation of u64(0), u64(1), ..."""
    return b"".join(sha256(pack(">Q", i)) for i in range(size // 32 + 1))[:size]


class Script:
    """A script in the making: every line is run when it is added."""

    def __init__(self):
        self.world, self.steps = World(), []

    def __call__(self, do, **values):
        step = {"do": do} | {"with" if name == "peer" else name: value for name, value in values.items()}
        self.world.run(step, complete=True)
        self.steps.append(step)
        return step

    def parties(self, *names, one_time=0):
        """Identities for all, and pre-keys for the last; returns the bundles: one-time ones, then the last-resort
        bundle."""
        for name in names:
            self("identity", of=name)
        last_resort = self("generate", of=names[-1], now=NOW)["bundle"]
        return [self("replenish", of=names[-1])["bundle"] for _ in range(one_time)] + [last_resort]

    def start_ratchets(self, **wanted):
        self("start-ratchets", binding=os.urandom(32), secret=os.urandom(32), **wanted)

    def exchange(self, of, at, plaintext):
        self("decrypt", of=at, message=self("encrypt", of=of, plaintext=plaintext)["message"])


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
