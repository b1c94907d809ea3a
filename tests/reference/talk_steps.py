"""The steps of scripts about conversations. A device has one conversation."""

from accounts import DeviceList, Directory
from bisik import *
from hosted_devices import Disclosure
from links import number
from talks import Device, Talk


def listed(data):
    """Byte strings, each after its length."""
    found = []
    while data:
        length = unpack(">I", data[:4])[0] + 4
        found, data = found + [data[4:length]], data[length:]
    return found


def framed(data):
    return pack(">I", len(data)) + data


def address(data):
    return bool(data[0]), *unpack(">I", data[1:])


def written(letters):
    named = (bytes([own]) + pack(">I", index) + framed(message) for (own, index), _, message in letters)
    return {"letters": b"".join(named), "frames": b"".join(framed(data) for _, data, _ in letters)}


class TalkSteps:
    def settled(self, step):
        return self.known("devices")[step["of"]]

    def talk(self, step):
        return self.known("talks")[step["of"]]

    def stated(self, step):
        """The disclosure of a step, verified as of its date; `None` if there is none."""
        if "disclosed" not in step:
            return None
        disclosure = Disclosure(step["disclosed"])
        return disclosure.verify(disclosure.account)

    def device(self, step, draw):
        identity, own = self.identities[step["of"]], Directory(step["seen"], step["pinned"], step["now"]).list
        pre_keys = PreKeys(identity, step["now"], draw)
        self.known("devices")[step["of"]] = Device(identity, pre_keys, own, self.stated(step))
        return {"bundle": pre_keys.bundle()}

    def converse(self, step, draw):
        peer = Directory(step["seen"], step["pinned"], step["now"]).list
        talk = self.known("talks")[step["of"]] = Talk(self.settled(step), peer)
        return {"conversation": talk.id}

    def take_list(self, step, draw):
        talk, new = self.talk(step), DeviceList(step["seen"])
        if new.account == talk.device.list.account:
            talk.device.list = new
        else:
            talk.follow(new)
        return {}

    def agree(self, step, draw):
        self.talk(step).agree(self.stated(step), step["now"], draw)
        return {}

    def accept_contact(self, step, draw):
        self.talk(step).accept()
        return {}

    def withdraw_message(self, step, draw):
        self.talk(step).withdraw(step["named"])
        return {}

    def countersign(self, step, draw):
        talk, disclosure = self.talk(step), self.stated(step)
        return {"receipt": talk.countersign(address(step["sender"]), step["decision"], disclosure, step["now"], draw)}

    def send(self, step, draw):
        id = self.talk(step).send(step["plaintext"], step["now"], draw)
        return self.flush(step, draw) | {"message_id": id}

    def flush(self, step, draw):
        return written(self.talk(step).flush(listed(step["bundles"]), step["now"], draw))

    def receive(self, step, draw):
        talk = self.talk(step)
        received, id, body = talk.receive(address(step["sender"]), step["message"], step["now"])
        results = {"received": received, "events": ",".join(name for name, *_ in talk.events)}
        talk.events = []
        if received == "letter":                                                                          # P-12.64
            results["message_id"] = id
        if received in ("message", "unconfirmed-message", "sent"):
            results |= {"plaintext": body, "message_id": id}
            if delete_by := talk.device.deadline(step["now"]):                                            # P-11.21
                results["delete_by"] = delete_by
        if received == "decision":
            results["decision"] = body
        if received == "decision-receipt":
            results["receipt"] = body
        return results
