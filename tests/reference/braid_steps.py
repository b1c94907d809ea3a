"""The verbs of the braid alone."""

from braid import *


class BraidSteps:
    def start_braids(self, step, draw):
        for name, initiator in (("initiator", True), ("responder", False)):
            self.braids[name] = Braid.start(initiator, step["secret"])
        return {}

    def braid_send(self, step, draw):
        """Draws a seed of 64 or an encapsulation's randomness, if it `steps` and the state wants it."""
        braid = self.braids[step["of"]]
        drawing = (lambda place, length: draw(length)) if step["steps"] else None
        (kind, epoch, number, data), secret = braid.send(drawing, bool(step["waits"]))
        return {"part": pack(">BIH", kind, epoch, number) + data, "state": braid.encode()} | self.epoch_secret(secret)

    def braid_receive(self, step, draw):
        braid, part = self.braids[step["of"]], step["part_read"]
        secret, wrong = braid.receive(*unpack(">BIH", part[:7]), part[7:])
        return {"wrong": int(wrong), "state": braid.encode()} | self.epoch_secret(secret)

    def braid_exchange(self, step, draw):
        """`turns` parts, in turn, `of` first, with a byte each in `lost`: 1 if it does not arrive. The digest of all parts,
        that of the states of sender and receiver after each turn, the secrets in the order in which they are there, and how many
        parts were wrong."""
        names, parts, states, secrets, wrong = (step["of"], step["with"]), b"", b"", b"", 0
        for turn, lost in zip(range(step["turns"]), step["lost"], strict=True):
            of, at = names[turn % 2], names[1 - turn % 2]
            results = [self.braid_send({"of": of, "steps": 1, "waits": 0}, draw)]
            parts += results[0]["part"]
            if not lost:
                results.append(self.braid_receive({"of": at, "part_read": results[0]["part"]}, None))
                wrong += results[1]["wrong"]
            secrets += b"".join(result.get("epoch_secret", b"") for result in results)
            states += self.braids[of].encode() + self.braids[at].encode()
        return {"parts": sha256(parts), "states": sha256(states), "epoch_secrets": secrets, "wrong": wrong}

    def braid_state(self, step, draw):
        return {"state": self.braids[step["of"]].encode()}

    @staticmethod
    def epoch_secret(secret):
        return {"epoch_secret": secret} if secret else {}
