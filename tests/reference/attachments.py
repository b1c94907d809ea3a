"""Section 8 of docs/spec/attachments.md, written from it and from the public specification c2sp.org/chunked-encryption.

`Form` is the public form with its parameters: `BISIK` is the form used here, and c2sp.py tests the published ones.
"""

from dataclasses import dataclass
from struct import pack, unpack

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from primitives import fits, require, sha256

TAG, SALT, HEADER = 16, 24, 56


@dataclass
class Form:
    """Chunks under a counter, the last one short, after a salt and a commitment to key and context."""
    hash: hashes.HashAlgorithm
    aead: type
    key_length: int
    label: bytes
    chunk: int

    def keys(self, key, salt, context):
        require(len(key) == self.key_length, "malformed")
        info = self.label + b"\0" + salt + context
        okm = HKDFExpand(self.hash, self.key_length + 12 + 32, info).derive(key)
        return okm[:self.key_length], okm[self.key_length:-32], okm[-32:]

    @staticmethod
    def nonce(base, i):
        return (int.from_bytes(base, "big") ^ i).to_bytes(12, "big")

    def encrypt(self, key, salt, context, plaintext):
        chunk_key, base, commitment = self.keys(key, salt, context)
        pieces = [plaintext[at:at + self.chunk] for at in range(0, len(plaintext) + 1, self.chunk)]
        sealed = (self.aead(chunk_key).encrypt(self.nonce(base, i), piece, None) for i, piece in enumerate(pieces))
        return salt + commitment + b"".join(sealed)

    def decrypt(self, key, context, blob):
        chunk_key, base, commitment = self.keys(key, blob[:SALT], context)
        require(fits(blob[SALT:HEADER], commitment), "rejected")                                          # P-8.4
        plaintext, i, rest, ended = b"", 0, blob[HEADER:], False
        while not ended:
            sealed, rest = rest[:self.chunk + TAG], rest[self.chunk + TAG:]
            ended = len(sealed) < self.chunk + TAG                                                        # P-8.3
            try:
                plaintext += self.aead(chunk_key).decrypt(self.nonce(base, i), sealed, None)
            except InvalidTag:
                require(False, "rejected")                                                                # P-8.5
            i += 1
        return plaintext


BISIK = Form(hashes.SHA256(), ChaCha20Poly1305, 32, b"bisik-1 attachment\0", 65_536)
LARGEST, LARGEST_THUMBNAIL = 2**53, 32_768


def padded_length(size):                                                                                  # 8.2, 7
    if size <= 32:
        return 32
    e = size.bit_length() - 1
    unit = 1 << (e - e.bit_length())
    return (size + unit - 1) // unit * unit


def blob_length(size):
    padded = padded_length(size)
    return HEADER + padded + TAG * (padded // BISIK.chunk + 1)


def context_of(size, media_type):                                                                         # 8.1
    return b"\2" + pack(">Q", size) if media_type is None else b"\1" + pack(">Q", size) + media_type


def make_blob(ak, salt, media_type, file):
    return BISIK.encrypt(ak, salt, context_of(len(file), media_type), file.ljust(padded_length(len(file)), b"\0"))


def read_blob(ak, media_type, size, blob):
    require(len(blob) >= blob_length(size), "incomplete")
    require(len(blob) == blob_length(size), "rejected")
    plaintext = BISIK.decrypt(ak, context_of(size, media_type), blob)
    require(plaintext[size:] == bytes(len(plaintext) - size), "rejected")                                 # P-8.2
    return plaintext[:size]


@dataclass
class Pointer:                                                                                            # 8.4
    ak: bytes
    digest: bytes
    size: int
    media_type: bytes
    thumbnail_size: int = 0
    thumbnail: bytes = b""

    def encode(self):
        media_type = bytes([len(self.media_type)]) + self.media_type
        return (b"\1" + self.ak + self.digest + pack(">Q", self.size) + media_type
                + pack(">I", self.thumbnail_size) + self.thumbnail)

    @staticmethod
    def decode(data):                                                                                     # P-8.8
        require(len(data) >= 74 and data[0] == 1, "malformed")
        m = data[73]
        require(len(data) >= 78 + m, "malformed")
        pointer = Pointer(data[1:33], data[33:65], *unpack(">Q", data[65:73]), data[74:74 + m],
                          *unpack(">I", data[74 + m:78 + m]), data[78 + m:])
        require(pointer.size <= LARGEST and is_media_type(pointer.media_type), "malformed")
        require(pointer.thumbnail_size <= LARGEST_THUMBNAIL, "malformed")
        length = blob_length(pointer.thumbnail_size) if pointer.thumbnail_size else 0
        require(len(pointer.thumbnail) == length, "malformed")
        return pointer

    def read(self, blob):
        require(len(blob) >= blob_length(self.size), "incomplete")
        file = read_blob(self.ak, self.media_type, self.size, blob)
        require(sha256(blob) == self.digest, "rejected")                                                  # P-8.6
        return file

    def read_thumbnail(self):
        return read_blob(self.ak, None, self.thumbnail_size, self.thumbnail)


def is_media_type(text):                                                                                  # P-8.7
    first = b"abcdefghijklmnopqrstuvwxyz0123456789"
    names = text.split(b"/")
    good = all(name[:1] and name[:1] in first and not set(name) - set(first + b"!#$&-^_.+") for name in names)
    return len(names) == 2 and len(text) <= 127 and good
