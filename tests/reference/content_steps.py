"""The verbs of contents and attachments."""

from attachments import BISIK, LARGEST_THUMBNAIL, Pointer, context_of, make_blob, root_of
from bisik import *
import content
import group


class ContentSteps:
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

    # Answers that only holders of a content read

    def sequence(self, step):
        """The next of this person to this content."""                                                        # P-7.25
        name = step["body"], step["author"], step["person"]
        self.sequences[name] = self.sequences.get(name, 0) + 1
        return self.sequences[name]

    def rsvp(self, step, draw):
        answering, event = group.answers_to_event(content.unpad(step["body"]), step["author"])
        require(not event["cancelled"], "not-allowed")
        require(step["guests"] <= event["most_guests"], "out-of-range")
        said = pack(">HH", step["attendance"], step["guests"])
        sealed = answering.seal(step["person"], self.sequence(step), step["sent_ms"], said, draw)
        return {"sealed_answer": sealed, "definition": answering.definition, "vote_key": answering.key(step["person"])}

    def open_rsvp(self, step, draw):
        answering, _ = group.answers_to_event(content.unpad(step["body"]), step["author"])
        return answering.open(step["person"], step["sealed_answer"])

    def reactions(self, step):
        protobuf = content.unpad(step["body"])
        require(group.parts(protobuf).get(9), "malformed")
        return group.reactions_to(protobuf, step["body"], step["author"])

    def react(self, step, draw):
        answering, emoji = self.reactions(step), step["words"]
        require(len(emoji) <= 64, "too-long")
        said = (bytes([len(emoji)]) + emoji).ljust(65, b"\0")
        sealed = answering.seal(step["person"], self.sequence(step), step["sent_ms"], said, draw)
        return {"sealed_answer": sealed, "definition": answering.definition, "vote_key": answering.key(step["person"])}

    def open_reaction(self, step, draw):
        return self.reactions(step).open(step["person"], step["sealed_answer"])

    # Attachments

    def attachment(self, file, media_type, draw):
        ak, salt = draw(32), draw(24)
        blob = make_blob(ak, salt, media_type, file)
        pointer = Pointer(ak, root_of(blob), len(file), media_type)
        secrets, commitment = BISIK.keys(ak, salt, context_of(len(file), media_type))
        inner = {"chunk_key": secrets[:32], "mac_key": secrets[32:], "commitment": commitment}
        return {"blob": blob, "pointer": pointer.encode()} | inner

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


def long_file(size):
    """SHA-256 of the concatenation of u64(0), u64(1), ..."""
    return b"".join(sha256(pack(">Q", i)) for i in range(size // 32 + 1))[:size]
