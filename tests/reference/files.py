"""The script of media.txt: attachments."""

from attachments import BISIK, ChaChaHmac, Pointer, context_of, make_blob, root_of
from script import *


def media():
    """Attachments: blobs and pointers, thumbnails, files of several chunks by their root, and what is refused."""
    s, wanted = Script(), dict.fromkeys(("chunk_key", "mac_key", "commitment"))
    for file in (b"", b"halo, dunia", bytes(32), os.urandom(33), os.urandom(1_000)):
        step = s("encrypt-file", file=file, media_type="text/plain", **wanted)
        s("decrypt-file", pointer=step["pointer"], blob=step["blob"])
    for size in (65_535, 65_536, 65_537, 131_072, 1_000_000):
        s("encrypt-long-file", size=size, media_type="video/mp4", **wanted)
    step = s("encrypt-file", file=b"a photo", media_type="image/svg+xml")
    made = s("add-thumbnail", pointer=step["pointer"], thumbnail=os.urandom(100))["with_thumbnail"]
    s("decrypt-thumbnail", pointer=made), s("decrypt-file", pointer=made, blob=step["blob"])
    s("add-thumbnail", pointer=step["pointer"], thumbnail=b"", expect="other-size")
    s("add-thumbnail", pointer=step["pointer"], thumbnail=bytes(32_769), expect="too-large")
    s("decrypt-thumbnail", pointer=flip(made, len(made) - 1), expect="rejected")
    blobs_that_are_refused(s, step["pointer"], step["blob"])
    pointers_that_are_refused(s, step["pointer"], made)
    return s


def blobs_that_are_refused(s, pointer, blob):
    def refused(expect, blob, pointer=pointer):
        s("decrypt-file", pointer=pointer, blob=blob, expect=expect)
    for at in (0, 23, 24, 55, 56, 87, 88, 103, 104, 119):
        refused("rejected", flip(blob, at))
    refused("incomplete", blob[:-1]), refused("incomplete", b""), refused("rejected", blob + b"\0")
    for at in (1, 33, 72, 74):
        changed = flip(pointer, at)
        refused("rejected", blob, changed)
    ak, salt, context = pointer[1:33], blob[:24], context_of(7, b"image/svg+xml")
    for padding in (b"\1".ljust(25, b"\0"), b"\1".rjust(25, b"\0")):
        other = BISIK.encrypt(ak, salt, context, b"a photo" + padding)
        refused("rejected", other, Pointer(ak, root_of(other), 7, b"image/svg+xml").encode())
    other = blob[:56] + flip(blob, 60)[56:88]                # by another receiver, who has the key
    other += ChaChaHmac(BISIK.keys(ak, salt, context)[0]).tag(0, other[56:])
    refused("rejected", other)
    s("decrypt-file", pointer=Pointer(ak, root_of(other), 7, b"image/svg+xml").encode(), blob=other)
    other = make_blob(ak, bytes(24), b"image/svg+xml", b"a photo")
    refused("rejected", other), refused("rejected", bytes(24) + blob[24:]), refused("rejected", blob[:24] + other[24:])
    refused("rejected", other[:56] + blob[56:]), refused("rejected", blob[:56] + other[56:])


def pointers_that_are_refused(s, pointer, made):
    def refused(data):
        s("decrypt-file", pointer=data, blob=b"", expect="malformed")
    refused(b""), refused(b"\2" + pointer[1:]), refused(pointer[:-1]), refused(pointer + b"\0")
    refused(made[:-1]), refused(made + b"\0")
    fixed, rest = pointer[:65], pointer[73:]
    refused(fixed + pack(">Q", 2**53 + 1) + rest)
    s("decrypt-file", pointer=fixed + pack(">Q", 2**53) + rest, blob=b"", expect="incomplete")
    longest = b"a/" + b"b" * 125
    for media_type in (b"", b"image", b"image/", b"/svg", b"Image/svg", b"a/b/c", b"a/b;c=d", b"-a/b", longest + b"b"):
        refused(Pointer(bytes(32), bytes(32), 7, media_type).encode())
    s("decrypt-file", pointer=Pointer(bytes(32), bytes(32), 7, longest).encode(), blob=b"", expect="incomplete")
