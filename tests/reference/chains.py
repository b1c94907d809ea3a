"""Section 14 of docs/spec/chains.md and section 14.6 of docs/formats.md, written from them."""

from primitives import *
from ratchet import chain_step

L_GROUP_CHAIN, L_GROUP_MESSAGE = b"bisik-1 group chain\0", b"bisik-1 group message\0"
L_GROUP_SIGNED, L_GROUP_VIEW = b"bisik-1 group signature\0", b"bisik-1 group view\0"
L_GROUP_LISTS, L_AUDIENCE = b"bisik-1 group device lists\0", b"bisik-1 audience\0"
HISTORY, AUDIENCE, NO_ORIGIN, NO_CHAIN = 1, 2, bytes(32), bytes(8)
DISTRIBUTION, OVERHEAD, LONGEST = 194, 117, 1 << 26
MESSAGES, AGE, AHEAD = 1_000, 7 * 86_400, 86_400
KEPT, KEPT_FOR, CHAINS, ENDED, REMEMBERED = 2_000, 2_000, 5, 16, 64
NO_VIEW, NO_LISTS = bytes(8), bytes(32)


def chain_id(signing_key):
    return sha256(L_GROUP_CHAIN, signing_key)[:8]


def audience(account, draw):
    return sha256(L_AUDIENCE, account, draw(16))


def view_of(epoch, entry, acts, lists):
    return pack(">H", epoch % 2**16) + sha256(L_GROUP_VIEW, entry, acts, lists)[:6]


def lists_digest(lists):
    """Of 104 bytes each: account key, sequence and hash of its list."""
    return sha256(L_GROUP_LISTS, *sorted(lists))


def walk(key, steps):
    """The message keys of the next `steps` messages, and the chain key behind them."""
    keys = []
    for _ in range(steps):
        key, kept = chain_step(key)[1], chain_step(key)[0]
        keys.append(kept)
    return keys, key


# 14.1 Distributions

class Distribution:
    def __init__(self, group, origin, view, index, key, signing_key, before, length, flags, begun, lists):
        self.group, self.origin, self.view, self.index, self.key = group, origin, view, index, key
        self.signing_key, self.before, self.length, self.flags = signing_key, before, length, flags
        self.begun, self.lists, self.id = begun, lists, chain_id(signing_key)

    def encode(self):
        return (b"\1" + self.group + self.origin + self.view + pack(">I", self.index) + self.key + self.signing_key
                + self.before + pack(">IBQ", self.length, self.flags, self.begun) + self.lists)

    @classmethod
    def decode(cls, data):                                                                                # P-14.3
        require(data, "malformed")
        require(data[0] == 1, "unsupported-version")
        require(len(data) == DISTRIBUTION, "malformed")
        index, (length, flags, begun) = unpack(">I", data[73:77])[0], unpack(">IBQ", data[149:162])
        signing_key = ed25519_check(data[109:141])
        self = cls(data[1:33], data[33:65], data[65:73], index, data[77:109], signing_key, data[141:149], length,
                   flags, begun, data[162:])
        require(flags < 4 and index < MESSAGES and (self.origin == NO_ORIGIN) == bool(flags & AUDIENCE), "malformed")
        require(self.before != self.id and (self.before != NO_CHAIN or length == 0) and length <= MESSAGES, "malformed")
        require(not flags & AUDIENCE or (self.view, self.lists) == (NO_VIEW, NO_LISTS), "malformed")
        return self

    def constants(self):
        return self.group, self.origin, self.signing_key, self.flags, self.begun, self.before, self.length


# 14.2 Messages

class Message:
    def __init__(self, data):                                                                             # P-14.6
        require(data, "malformed")
        require(data[0] == 1, "unsupported-version")
        require(OVERHEAD <= len(data) <= OVERHEAD + LONGEST, "malformed")
        self.chain, self.index, self.r = data[1:9], unpack(">I", data[9:13])[0], data[13:29]
        self.ciphertext, self.tag, self.signature = data[29:-80], data[-80:-64], data[-64:]
        require(self.index < MESSAGES, "malformed")


def digest(group, origin, account, device, signing_key, index, r, ciphertext):                            # P-14.4
    return sha256(L_GROUP_MESSAGE, group, origin, account, pack(">I", device), signing_key, pack(">I", index), r,
                  ciphertext)


# 14.3 Sending

class OwnChain:
    def __init__(self, group, origin, account, device, own, history, now, draw):
        self.group, self.origin, self.account, self.device, self.own = group, origin, account, device, own
        self.given, self.before, self.length, self.revision = {}, NO_CHAIN, 0, 0
        self.begin(history, now, draw)

    def begin(self, history, now, draw):                                                                  # P-14.1
        self.history, self.begun, self.asked, self.index = history, now, 0, 0
        self.key, self.secret = draw(32), draw(32)
        self.signing_key = ed25519_public(self.secret)

    def renew(self, origin, history, now, draw):                                                          # P-14.12
        before, length = chain_id(self.signing_key), self.index
        self.given = {device: 2 for device, given in self.given.items() if given & 1 and self.asked != 2}
        self.before, self.length = (before, length) if self.given else (NO_CHAIN, 0)
        self.origin, self.revision = origin, self.revision + 1
        self.begin(history, now, draw)

    def ask(self, why):
        if why > self.asked:
            self.asked, self.revision = why, self.revision + 1

    def ready(self, targets, now):                                                                        # P-14.7, P-14.8
        require(self.asked != 2, "restored"), require(self.asked != 1, "rekey")
        require(all(device in targets for device, given in self.given.items() if given & 1), "device-left")
        require(self.index < MESSAGES, "messages")
        require(now - self.begun < AGE and self.begun - now <= AHEAD, "age")

    def give(self, device, targets, now, view, lists):                                                    # P-14.11
        self.ready(targets, now)
        require(device in targets and device != self.own, "not-a-target")
        if self.origin == NO_ORIGIN:
            view, lists = NO_VIEW, NO_LISTS
        given = self.given.get(device, 0)
        self.revision += not given & 1
        self.given[device] = given | 1                                                                    # P-14.10
        before, length = (self.before, self.length) if given & 2 else (NO_CHAIN, 0)
        return Distribution(self.group, self.origin, view, self.index, self.key, self.signing_key, before, length,
                            self.flags(), self.begun, lists).encode()

    def flags(self):
        return HISTORY * self.history + AUDIENCE * (self.origin == NO_ORIGIN)

    def write(self, targets, now, view, body, draw):
        self.ready(targets, now)
        view = NO_VIEW if self.origin == NO_ORIGIN else view
        key, (message_key, next_key) = self.key, chain_step(self.key)
        numbered = chain_id(self.signing_key) + pack(">I", self.index)
        r = mac(message_key, b"\3", draw(16), numbered, view, body)[:16]                                  # P-14.5
        message, found = self.sealed(message_key, self.index, r, view + body)
        self.key, self.index, self.revision = next_key, self.index + 1, self.revision + 1                # P-14.13
        return {"message": message, "ck": key, "mk": message_key, "next_ck": next_key, "r": r} | found

    def sealed(self, message_key, index, r, plaintext):
        ciphertext = stream(message_key, r + pack(">Q", 1), plaintext)
        d = digest(self.group, self.origin, self.account, self.device, self.signing_key, index, r, ciphertext)
        t = tag(message_key, d)
        signature = sign(self.secret, L_GROUP_SIGNED + d + t)
        message = b"\1" + chain_id(self.signing_key) + pack(">I", index) + r + ciphertext + t + signature
        return message, {"digest": d, "body_tag": t}

    def encode(self):                                                                                     # 14.6
        given = b"".join(device + bytes([given]) for device, given in sorted(self.given.items()))
        return (pack(">Q", self.revision) + scope(self.origin == NO_ORIGIN, self.group) + self.origin
                + sender(self.account, self.device, self.own) + pack(">BQBI", self.history, self.begun, self.asked, self.index)
                + self.key + self.secret + self.before + pack(">II", self.length, len(self.given)) + given)


def scope(is_audience, group):
    return bytes([is_audience]) + group


def sender(account, device, identity):
    return account + pack(">I", device) + identity


# 14.4 Receiving

class Chain:
    def __init__(self, given):
        self.given, self.id, self.first, self.next, self.heard = given, given.id, given.index, given.index, 0
        self.key, self.kept, self.used = given.key, {}, {}

    def encode(self):
        given, runs = self.given, []
        for number, (key, at) in sorted(self.kept.items()):
            if runs and runs[-1][0] + len(runs[-1][2]) == number and runs[-1][1] == at:
                runs[-1][2].append(key)
            else:
                runs.append((number, at, [key]))
        runs = [pack(">III", first, at, len(keys)) + b"".join(keys) for first, at, keys in runs]
        used = [pack(">I", number) + r for number, r in self.used.items()]
        return (given.origin + given.signing_key + given.before
                + pack(">IBQ", given.length, given.flags & HISTORY, given.begun)
                + pack(">III", self.first, self.next, self.heard) + (b"\1" + self.key if self.key else b"\0")
                + pack(">I", len(runs)) + b"".join(runs) + pack(">I", len(used)) + b"".join(used))


class Chains:
    """Of one sending device, in one group or audience."""

    def __init__(self, group, is_audience, account, device, identity):
        self.group, self.is_audience, self.account, self.device = group, is_audience, account, device
        self.identity, self.chains, self.ended, self.received, self.revision = identity, [], [], 0, 0

    def find(self, id):
        return next((chain for chain in self.chains if chain.id == id), None)

    def kept_keys(self):
        return sum(len(chain.kept) for chain in self.chains)

    def is_ended(self, id):
        return any(ended == id for ended, _, _ in self.ended)

    def take(self, data, peer):
        given = Distribution.decode(data)
        require(peer == self.identity, "other-device")                                                    # P-14.14
        require((given.group, bool(given.flags & AUDIENCE)) == (self.group, self.is_audience), "other-group")
        require(not self.is_ended(given.id), "closed")
        chain = self.find(given.id)
        return self.take_known(chain, given) if chain else self.take_new(given)

    def take_new(self, given):
        named = [entry[1:] for entry in self.ended] + [(c.given.before, c.given.length) for c in self.chains]
        named = [length for before, length in named if before == given.id][:1]
        lost = self.end(given.before, given.length)                                                       # P-14.20
        if len(self.chains) == CHAINS:                                                                    # P-14.23
            lost += len(self.chains[0].kept)
            self.forget(self.chains[0])
        self.chains.append(Chain(given))
        for length in named:
            lost += self.end(given.id, length)
        self.revision += 1
        return True, lost

    def take_known(self, chain, given):                                                                   # P-14.15
        require(chain.given.constants() == given.constants(), "contradicts")
        require(chain.key, "closed")
        ahead = given.index - chain.next
        if ahead >= 0:
            require(ahead or given.key == chain.key, "contradicts")
            return False, 0
        if given.index >= chain.first:
            return False, 0
        keys, there = walk(given.key, chain.first - given.index)
        require(walk(there, chain.next - chain.first)[1] == chain.key, "contradicts")
        self.keep(chain, given.index, keys)
        chain.first, self.revision = given.index, self.revision + 1
        return True, self.tidy()

    def keep(self, chain, first, keys):
        chain.kept |= {first + at: (key, self.received) for at, key in enumerate(keys)}

    def open(self, data):
        message = Message(data)
        require(not self.is_ended(message.chain), "closed")
        chain = self.find(message.chain)
        require(chain, "needs-chain")
        given = chain.given
        d = digest(given.group, given.origin, self.account, self.device, given.signing_key, message.index, message.r,
                   message.ciphertext)
        otherwise("rejected", lambda _: verify(given.signing_key, L_GROUP_SIGNED + d + message.tag, message.signature), None)  # P-14.16
        number, ahead, keys, behind = message.index, message.index - chain.next, [], None
        if ahead >= 0:
            require(chain.key, "closed")
            keys, there = walk(chain.key, ahead)                                                          # P-14.17
            key, behind = chain_step(there)
        else:
            if number not in chain.kept:                                                                  # P-14.18
                if number in chain.used:
                    raise Refused("replayed" if chain.used[number] == message.r[:4] else "went-back")
                require(number >= chain.first, "not-given")
                require(chain.key or number < chain.heard, "closed")
                raise Refused("spent")
            key = chain.kept[number][0]
        require(fits(message.tag, tag(key, d)), "rejected")
        plaintext = stream(key, message.r + pack(">Q", 1), message.ciphertext)
        require(not self.is_audience or plaintext[:8] == NO_VIEW, "rejected")                             # P-14.6
        # Nothing was changed before this line.
        self.received = min(self.received + 1, 2**32 - 1)
        lost = 0
        if behind:
            self.keep(chain, chain.next, keys)
            chain.key, chain.next = behind, number + 1
        else:
            del chain.kept[number]                                                                        # P-14.19
        chain.heard = max(chain.heard, number + 1)
        chain.used[number] = message.r[:4]
        if len(chain.used) > REMEMBERED:
            del chain.used[next(iter(chain.used))]
        for other in self.chains:                                                                         # P-14.22
            due = [n for n, (_, at) in other.kept.items() if self.received - at >= KEPT_FOR]
            lost += len(due)
            for n in due:
                del other.kept[n]
        lost += self.tidy()
        self.revision += 1
        return {"plaintext": plaintext[8:], "view": plaintext[:8], "index": number, "given_up": lost}

    def end(self, id, length):                                                                            # P-14.20
        chain = self.find(id)
        if chain is None or chain.key is None:
            return 0
        key, chain.key = chain.key, None
        if length > chain.next:
            self.keep(chain, chain.next, walk(key, length - chain.next)[0])
            chain.next = length
        return self.tidy()

    def close(self):                                                                                      # P-14.21
        lost = 0
        for chain in self.chains:
            above = [number for number in chain.kept if number >= chain.heard]
            for number in above:
                del chain.kept[number]
            lost, chain.key = lost + len(above), None
            chain.next = min(chain.next, max(chain.heard, chain.first))
        self.tidy()
        self.revision += 1
        return lost

    def tidy(self):                                                                                       # P-14.23
        lost = 0
        for chain in self.chains:
            for number in sorted(chain.kept)[:max(self.kept_keys() - KEPT, 0)]:
                del chain.kept[number]
                lost += 1
        for chain in [chain for chain in self.chains if not chain.key and not chain.kept]:
            self.forget(chain)
        return lost

    def forget(self, chain):
        self.chains.remove(chain)
        self.ended = (self.ended + [(chain.id, chain.given.before, chain.given.length)])[-ENDED:]

    def encode(self):                                                                                     # 14.6
        return (pack(">Q", self.revision) + scope(self.is_audience, self.group)
                + sender(self.account, self.device, self.identity) + pack(">II", self.received, len(self.ended))
                + b"".join(id + before + pack(">I", length) for id, before, length in self.ended)
                + pack(">I", len(self.chains)) + b"".join(c.encode() for c in self.chains))
