"""The script of content.txt: bodies, votes, and names of documents."""

from attachments import Pointer
from script import *


def content_():
    """Bodies of every class of lengths, and refused ones; votes: their definition, key, who can open them; names of documents."""
    s = Script()
    for size in (1, 2, 3, 4, 10, 20, 100, 1_000, 4_000):
        body = s("text", sent_ms=NOW * 1_000 + size, words=b"a" * size)["body"]
        s("read-body", body=body)
    bodies_that_are_refused(s)
    votes(s)
    file_names(s)
    return s


def bodies_that_are_refused(s):
    def read(protobuf, expect=""):
        s("read-body", body=content.pad(protobuf), **({"expect": expect} if expect else {}))
    for size in (1, 50):
        body = s("text", sent_ms=NOW * 1_000, words=b"a" * size)["body"]
        for wrong in (b"", body[:3], body[:-1], body + b"\0", body + bytes(len(body)), flip(body, 0), flip(body, 3),
                      flip(body, len(body) - 1)):
            s("read-body", body=wrong, expect="malformed")
    head, halo = content.envelope(os.urandom, NOW * 1_000), content.part(16, content.part(1, b"halo"))
    unknown = content.part(94, b"an invoice")
    read(head + halo), read(head + unknown), read(head + halo + content.part(200, b"later") + content.number(8, 1))
    read(head, "malformed"), read(head + halo + halo, "malformed"), read(head + halo + unknown, "malformed")
    read(head + content.number(94, 1), "malformed"), read(head + head + halo, "malformed")
    read(head + content.part(16, content.part(1, b"halo") * 2), "malformed")
    read(head + content.part(16, content.part(1, b"\xff")), "malformed"), read(head + halo[:-1], "malformed")
    read(head + content.part(16, b""), "out-of-range"), read(head + b"\x0b\x0c" + halo, "malformed")
    read(content.part(1, bytes(15)) + halo, "malformed")
    read(content.envelope(os.urandom, content.LATEST + 1) + halo, "out-of-range")


def votes(s):
    def framed(*options):
        return b"".join(content.framed(option.encode()) for option in options)
    ana, budi = b"ana", os.urandom(64)
    all_ = [str(number) for number in range(32)]
    for of, options, most in (("two", ["ya", "tidak"], 1), ("many", all_, 32), ("same", ["ya", "tidak"], 1)):
        s("poll", of=of, author=ana, sent_ms=NOW * 1_000, question="makan di mana?".encode(), options=framed(*options),
          most_choices=most, definition=None)
    for of, voter, choices in (("two", budi, 1), ("two", budi, 0), ("two", ana, 2), ("many", budi, 2**32 - 1)):
        step = s("vote", of=of, voter=voter, sent_ms=NOW * 1_000, choices=choices, vote_key=None)
        s("open-vote", of=of, voter=voter, ballot=step["ballot"])
    s("vote", of="two", voter=ana, sent_ms=NOW, choices=3, expect="out-of-range", draws=b"")
    s("vote", of="two", voter=ana, sent_ms=NOW, choices=4, expect="out-of-range", draws=b"")
    ballot = s("vote", of="two", voter=budi, sent_ms=0, choices=2)["ballot"]

    def refused(expect, ballot, of="two", voter=budi):
        s("open-vote", of=of, voter=voter, ballot=ballot, expect=expect)
    refused("rejected", ballot, voter=ana), refused("rejected", ballot, voter=budi[:-1])
    refused("rejected", ballot, of="same"), refused("malformed", ballot[:-1]), refused("malformed", ballot + b"\0")
    for at in (0, 23, 24, 43, 44, 59):
        refused("rejected", flip(ballot, at))
    poll = s.world.polls["two"]
    for sent_ms, choices in ((0, 3), (0, 4), (content.LATEST + 1, 1)):
        refused("invalid", poll.seal(budi, pack(">QQI", 9, sent_ms, choices), os.urandom))


def file_names(s):
    def document(name, expect=""):
        pointer = Pointer(bytes(32), bytes(32), 1_000, b"application/pdf").encode()
        body = content.document(os.urandom, NOW * 1_000, pointer, b"https://blobs/1", name.encode())
        s("read-body", body=body, **({"expect": expect} if expect else {}))
    for name in ("laporan.pdf", ".profile", "..pdf", "報告.pdf", "سند.pdf", "می\u200cخواهم.txt", "👩\u200d👧 ❤\ufe0f.jpg",
                 "Screenshot at 11.47.30\u202fAM.png", "a . b", "console", "COM", "com10.log", "null", "my.con", "é" * 127 + "e"):
        document(name)
    for name in ("", "/etc/passwd", "a\\b", "C:evil.exe", "a.txt:b", ".", "..", "...", ".. ", "evil.exe.", "evil.exe ",
                 " a", "a\u3000", "CON", "prn.txt", "Aux", "nul.tar.gz", "CONIN$", "conout$.txt", "COM0", "lpt9.log", "COM¹",
                 "lpt³.txt", "NUL .txt", "a\nb", "a\x7fb", "a\x85b", "a\u061cb", "\u200ea", "\u200fa", "a\u2028b", "a\u2029b",
                 "a\u202efdp.exe", "\u2066a", "a\u2069"):
        document(name, "out-of-range")
    document("é" * 128, "too-long")
