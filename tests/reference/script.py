"""Test vectors as scripts (docs/spec/test-vectors.md, appendix A): read them, write them, run them against bisik.py.

A step that lacks its results, or its randomness, gets them when it is run: that is how vectors are made. A step that
has them is compared.
"""

import copy
import os

from accounts import AccountSteps
from bisik import *
from braid_steps import BraidSteps
import calls
import chain_steps
from chain_steps import ChainSteps
import content
from content_steps import ContentSteps
from frame_format import FrameSteps
from hosted_devices import HostedDeviceSteps
from membership import MembershipSteps
import room_steps
from room_steps import RoomSteps
from talk_steps import TalkSteps
from texts import TextSteps

NOW = 1_800_000_000
DECIMAL = {"now", "verified", "offering", "place", "given_up", "bound", "chains_received", "forget", "turns", "steps", "waits", "wrong", "kept_keys", "revision", "size", "sent_ms", "most_choices", "choices", "attendance", "guests", "kind", "index", "removed",
           "delete_by", "total", "own_list", "other_list", "for_own", "last", "base", "horizon", "highest", "receiver_index", "sender_index"} | chain_steps.DECIMAL | room_steps.DECIMAL
WORDS = {"do", "number", "of", "with", "expect", "media_type", "code", "digits", "operator", "choice", "received", "events",
         "standing", "form", "news", "recipients", "taken"}
INPUTS = WORDS - {"standing", "number", "news", "recipients", "taken"} | {"now", "verified", "offering", "labels_read", "forget", "turns", "lost", "steps", "waits", "part_read", "pinned", "disclosure", "key", "context", "binding", "secret", "bundle", "message",
                  "plaintext", "record", "size", "file", "blob", "pointer", "thumbnail", "offer", "answer", "call",
                  "group", "view", "views", "epoch_key", "commitment_read", "opening_read", "metadata", "sealed_frame", "words", "body",
                  "sent_ms", "question", "options", "most_choices", "author", "voter", "choices", "ballot", "terms",
                  "index", "added", "updated", "removed", "seen", "draft", "disclosed", "known", "own", "decision",
                  "receipt", "bundles", "sender", "named", "frame_read", "value", "written", "envelope_read", "person", "attendance", "guests", "sealed_answer", "statement"}
WORDS |= chain_steps.WORDS
INPUTS |= chain_steps.WORDS | chain_steps.INPUTS | room_steps.INPUTS
# Values that only this implementation can see. A step names those it wants.
INNER = set("to dh0 dh1 dh2 dh3 dh4 ss ki sealed_identity prk secrets shared shared_of_damaged rk ck0 hk0 hk1 pq0 "
            "agreement next_rk next_hk rs hk given_up standing labels ck mk next_ck header encrypted_header header_tag r digest body_tag state kept_keys "
            "chunk_key mac_key commitment transcript encapsulated definition vote_key frames".split())


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


class World(AccountSteps, BraidSteps, ChainSteps, ContentSteps, FrameSteps, HostedDeviceSteps, MembershipSteps, RoomSteps, TalkSteps, TextSteps):
    """The keys and sessions of all parties, by name. Every method is a verb of the scripts, and returns its results by
    name."""

    def __init__(self):
        self.identities, self.pre_keys, self.sessions, self.ratchets = {}, {}, {}, {}
        self.kept_offers, self.kept_accepts, self.braids = {}, {}, {}
        self.comparisons, self.calling, self.groups, self.polls, self.sequences = {}, {}, {}, {}, {}
        self.own_chains, self.chains = {}, {}

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
        return verify_bundle(step["bundle"], self.identities[step["with"]].public, step.get("verified", step["now"]))

    def handshake(self, step, draw):
        ours, theirs, disclosure = self.identities[step["of"]], self.identities[step["with"]], step["disclosure"]
        at_initiator = vars(initiate(ours, self.verified(step), draw, step["now"], disclosure))
        flight, keys = at_initiator["first_flight"], self.pre_keys[step["with"]]
        at_responder = vars(respond(theirs, keys, flight, step["now"], disclosure=disclosure)[0])
        both = at_initiator.keys() & at_responder.keys()
        if at_responder["peer"] != ours.public or any(at_initiator[name] != at_responder[name] for name in both):
            raise Differs("initiator and responder")
        public = at_initiator.pop("ratchet_pair")[1]
        return at_initiator | {"ratchet_key": public}

    def initiate(self, step, draw):
        ours, disclosure = self.identities[step["of"]], step.get("disclosure", bytes(32))
        self.sessions[step["of"]] = Session.initiate(ours, self.verified(step), draw, step["now"], disclosure,
                                                       self.offers(step))
        return {"session_id": self.sessions[step["of"]].id, "labels": self.sessions[step["of"]].labels()}

    def offers(self, step):
        return self.kept_offers.get(step["of"], [])[:step.get("offering", 0)]

    def remember(self, step, draw):
        """Keeps what the session of `of` can resume another with, newest first, for `initiate` and `resume`."""
        of, ratchet = step["of"], self.sessions[step["of"]].ratchet
        self.kept_offers[of] = [rs for rs in [ratchet.offer] if rs] + self.kept_offers.get(of, [])
        self.kept_accepts[of] = ratchet.accepts + self.kept_accepts.get(of, [])
        return {}

    def resume(self, step, draw):
        session = self.sessions[step["of"]]
        found = session.resume(step["labels_read"], self.kept_accepts.get(step["of"], []))
        return {"place": found[0] if found else 0} | ({"index": found[1]} if found else {})

    def forget(self, step, draw):
        """Resumption secrets: all, or those that bound the session."""
        session = self.sessions[step["of"]]
        session.forget_resumption(session.ratchet.name if step.get("forget") else None)
        return {}

    def standing(self, step, draw):
        session = self.sessions[step["of"]]
        bound = {} if session.bound() is None else {"bound": session.bound()}
        return {"standing": session.standing(), "chains_received": session.chains_received()} | bound

    def accept(self, step, draw):
        of, disclosure = step["of"], step.get("disclosure", bytes(32))
        session, plaintext = Session.accept(self.identities[of], self.pre_keys[of], step["message"], step["now"], disclosure,
                                            known=step.get("known") != b"\0")
        self.sessions[of] = session
        return {"session_id": session.id, "plaintext": plaintext, "standing": session.standing()}

    # Messages

    def start_ratchets(self, step, draw):
        """Draws for the initiator's first pair."""
        start = ratchet_start(step["binding"], step["secret"])
        drawn = expanding(mac(start[0], L_DRAW + b"\x02", draw(32), pack(">I", 0)))
        secret = drawn(b"\x13", 32)
        pair = secret, x25519_public(secret)
        self.ratchets["initiator"] = Ratchet(INITIATOR, step["binding"], start, pair=pair)
        self.ratchets["responder"] = Ratchet(RESPONDER, step["binding"], start)
        prk = extract(step["binding"], step["secret"])
        return {"prk": prk} | dict(zip(("rk", "ck0", "hk0", "hk1", "pq0"), start))

    def encrypt(self, step, draw):
        ratchet = self.ratchets.get(step["of"])
        if ratchet is None:
            return {"message": self.sessions[step["of"]].encrypt(step["plaintext"], draw)}
        before = copy.deepcopy(ratchet)
        message = ratchet.send(step["plaintext"], draw)
        return {"message": message} | trace(before, ratchet, message)

    def decrypt(self, step, draw, giving_up=False):
        of = step["of"]
        ratchet, session = self.ratchets.get(of), self.sessions.get(of)
        if ratchet:
            plaintext, given_up = ratchet.receive(step["message"], giving_up=giving_up)
        else:
            plaintext, given_up = session.decrypt(self.identities[step.get("with", of)], step["message"], giving_up)
        results = {} if ratchet else {"standing": session.standing()}
        kept = sum(len(c.kept) for c in (ratchet or session.ratchet).chains)
        return results | {"plaintext": plaintext, "given_up": given_up, "kept_keys": kept}

    def decrypt_giving_up(self, step, draw):
        return self.decrypt(step, draw, giving_up=True)

    def exchange(self, step, draw):
        """`turns` empty messages, in turn, `of` first, and each is read at once; the digest of all."""
        names, sent = (step["of"], step["with"]), b""
        for turn in range(step["turns"]):
            of, at = names[turn % 2], names[1 - turn % 2]
            message = self.encrypt({"of": of, "plaintext": b""}, draw)["message"]
            sent += message
            self.decrypt({"of": at, "message": message}, None)
        return {"messages": sha256(sent)}

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
        group = self.groups[step["of"]] = calls.Group(step["call"], step["group"], step["view"], own, draw)
        group.join(session.peer, draw)
        return {"signal": group.key_for(session)}

    def call_join(self, step, draw):
        return {"recipients": self.groups[step["of"]].join(self.identities[step["with"]].public, draw)}

    def call_leave(self, step, draw):
        self.groups[step["of"]].leave(self.identities[step["with"]].public, self.party(step)[1], draw)
        return {}

    def call_stay(self, step, draw):
        self.groups[step["of"]].begin_stay(draw)
        return {}

    def call_key(self, step, draw):
        return {"signal": self.groups[step["of"]].key_for(self.party(step)[1])}

    def epoch_key(self, step, draw):
        views = [step["views"][at:at + 32] for at in range(0, len(step["views"]), 32)]
        return self.groups[step["of"]].accept_key(step["epoch_key"], self.party(step)[1], views, draw)

    def compare(self, step, draw):
        own, session = self.party(step)
        self.comparisons[step["of"]] = calls.Comparison(step["call"], own, session, draw)
        return {"signal": self.comparisons[step["of"]].commitment()}

    def compare_again(self, step, draw):
        return {"signal": self.comparisons[step["of"]].again(draw)}

    def compare_commitment(self, step, draw):
        return self.comparisons[step["of"]].take_commitment(step["commitment_read"], draw)

    def compare_opening(self, step, draw):
        return {"emoji": self.comparisons[step["of"]].take_opening(step["opening_read"])}

    def seal_frame(self, step, draw):
        return {"frame": self.groups[step["of"]].seal(step["metadata"], step["plaintext"])}

    def open_frame(self, step, draw):
        return {"plaintext": self.groups[step["of"]].open(step["metadata"], step["sealed_frame"])}

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


def trace(before, after, message):
    """Intermediate values of a message, computed from the states before and after it rather than taken from inside."""
    values, (r, encrypted_header, header_tag, body, body_tag) = {}, parts(message)
    if before.sending:
        hk, ck, _ = before.sending
    else:
        hk, agreement = before.next_hk, dh(after.pair[0], before.peer)
        k = before.pending[1] if after.mixed != before.mixed else ZERO
        rk, ck, next_hk, rs = root_step(before.rk, after.step, after.mixed, 0, after.pair[1], before.peer, agreement, k=k)
        values = {"rk": before.rk, "agreement": agreement, "next_rk": rk, "next_hk": next_hk, "rs": rs}
    mk, next_ck = chain_step(ck)
    return values | {"ck": ck, "mk": mk, "next_ck": next_ck, "hk": hk, "r": r, "encrypted_header": encrypted_header,
                     "header": stream(hk, r + bytes(8), encrypted_header), "header_tag": header_tag,
                     "body_tag": body_tag, "digest": sha256(L_MESSAGE, before.binding, r, encrypted_header, body)}


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
