"""The verbs of group-letter.txt (docs/spec/test-vectors.md, A.2)."""

from struct import pack

import rooms
from chains import Distribution
from membership import Membership
from primitives import Refused, require

DECIMAL, WORDS = {"settled_epoch", "newest_epoch", "made"}, set()
INPUTS = {"group_body", "letter_read", "history_read", "act_hashes", "statements"}
OFFERED = {rooms.ENTRY_ITEM: "entry", rooms.ACT: "act", rooms.FLOOR: "floor"}
FORMS = {rooms.CHAIN: "chain", rooms.STATEMENTS: "statements", rooms.QUESTION: "question", rooms.LACKING: "lacking-chain",
         rooms.KNOCK: "knock", rooms.MESSAGES: "lacking-messages", rooms.AGAIN: "again", rooms.HISTORY: "history"}


def reading(read, data):
    """What does not decode is malformed, whatever it fails at."""
    try:
        return read(data)
    except Refused as refused:
        raise Refused(str(refused) if str(refused) == "newer-version" else "malformed") from None


def of_items(items):
    return {"item_kinds": bytes(kind for kind, _ in items), "item_lengths": b"".join(pack(">I", len(item)) for _, item in items)}


class RoomSteps:
    def read_group_body(self, step, draw):
        kind, said = reading(rooms.read_body, step["group_body"])
        return {"content": said} if kind == rooms.CONTENT else of_items(said)

    def read_letter(self, step, draw):
        kind, group, said = reading(rooms.read_letter, step["letter_read"])
        state = rooms.State(said) if isinstance(said, bytes) else None
        if kind == rooms.CHAIN:
            reading(Distribution.decode, said)
            fields = {"distribution": said}
        elif kind == rooms.STATEMENTS:
            fields = of_items(said)
        elif kind == rooms.QUESTION:
            fields = {"newest_epoch": state.number(8), "entry": state.take(32), "settled_epoch": state.number(8),
                      "lists": state.take(32), "parts": state.data}
        elif kind == rooms.KNOCK:
            fields = {"link": state.take(16), "random": state.take(16), "link_signature": state.data}
        elif kind == rooms.AGAIN:
            chain, index, view, content = said
            fields = {"chain": chain, "index": index, "view": view, "content": content}
        elif kind == rooms.HISTORY:
            fields = {"pointer": said.encode()}
        else:
            fields = {"chain": said} if kind == rooms.LACKING else {"lacking": said}
        return {"form": FORMS[kind], "group": group} | fields

    def read_history(self, step, draw):
        read = reading(rooms.read_history, step["history_read"])
        require(read.encode() == step["history_read"], "another encoding")
        names = [m[0] + pack(">I", m[1]) + m[2] + pack(">I", m[3]) for m in read.messages]
        return {"group": read.group, "account": read.by, "made": read.made, "names": b"".join(names),
                "times": b"".join(pack(">Q", m[4]) for m in read.messages),
                "contents": b"".join(pack(">I", len(m[5])) + m[5] for m in read.messages)}

    def part_digests(self, step, draw):
        data = step["act_hashes"]
        return {"parts": b"".join(rooms.part_digests([data[at:at + 32] for at in range(0, len(data), 32)]))}

    def tell_group(self, step, draw):
        """All of `statements`, of which the first is the group's first entry."""
        _, items = rooms.read_body(bytes([rooms.STATEMENTS]) + step["statements"])
        known = Membership(items[0][1], {})
        for kind, item in items[1:]:
            known.offer(OFFERED[kind], item)
        names = [step["lists_of"][at:at + 104] for at in range(0, len(step["lists_of"]), 104)]
        self.told_groups = getattr(self, "told_groups", {}) | {step["of"]: (known, names)}
        return {"question": rooms.question(known.group, known, rooms.lists_digest(names))}

    def answer_question(self, step, draw):
        return {"answer": rooms.write_items(rooms.answer(*self.told_groups[step["of"]], step["letter_read"]))}
