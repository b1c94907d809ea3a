"""A whole conversation as a script, a different one each time: random messages over an unreliable network.

The results are filled in by running it.
"""

import random

from script import *


def conversation(plan=None, turns=24):
    """A whole conversation: messages late, lost, doubled and damaged, restarts, and both states at the end."""
    s, plan = Script(), plan or random.SystemRandom()
    one_time, _ = s.parties("alice", "bob", one_time=1)
    s("initiate", of="alice", peer="bob", bundle=one_time, now=NOW)
    first = [s("encrypt", of="alice", plaintext=b"halo %d" % n)["message"] for n in range(plan.randint(1, 3))]
    plan.shuffle(first)
    s("accept", of="bob", message=first.pop(), now=NOW)
    under_way, key = {"alice": [], "bob": first}, os.urandom(32)
    for turn in range(turns):
        of, at = plan.sample(("alice", "bob"), 2)
        for _ in range(plan.randrange(3)):
            text = b"%d: " % turn + plan.randbytes(plan.choice((0, 1, 60, 300)))
            under_way[at].append(s("encrypt", of=of, plaintext=text)["message"])
        deliver(s, plan, at, under_way[at])
        if plan.random() < 0.2:
            s("unseal-session", of=at, key=key, context=at.encode(),
              record=s("seal-session", of=at, key=key, context=at.encode())["record"])
    for of in ("alice", "bob"):
        for message in under_way[of]:
            s("decrypt", of=of, message=message, kept_keys=None, expect=None)
        s("seal-session", of=of, key=key, context=of.encode(), state=None)
    s("seal-pre-keys", of="bob", key=key, context=b"pre-keys", state=None)
    return s


def deliver(s, plan, at, under_way):
    """Delivers some of the messages in transit, in any order; some damaged, some twice, some never."""
    plan.shuffle(under_way)
    for message in [under_way.pop() for _ in range(plan.randint(0, len(under_way)))]:
        fate = plan.random()
        if fate < 0.15:
            s("decrypt", of=at, message=flip(message, -plan.randint(1, 132) % len(message)), expect="rejected")
        if fate > 0.1:
            s("decrypt", of=at, message=message, kept_keys=None, expect=None)
        if fate > 0.85:
            s("decrypt", of=at, message=message, expect=None)
