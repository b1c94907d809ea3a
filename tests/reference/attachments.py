"""Section 8 of docs/spec/attachments.md, written from it and from the public specification c2sp.org/chunked-encryption.

`Form` is the public form with its parameters: `BISIK` is the form used here, and c2sp.py tests the published ones.
"""

from dataclasses import dataclass
from struct import pack, unpack

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from primitives import chacha20, fits, mac, require, sha256

SALT, HEADER = 24, 56


@dataclass
class Form:
    """Chunks under a counter, the last one short, after a salt and a commitment to key and context."""
    hash: hashes.HashAlgorithm
    cipher: type
    key_length: int
    label: bytes
    chunk: int

    def keys(self, key, salt, context):
        """What the cipher of chunks takes, and the commitment."""
        require(len(key) == self.key_length, "malformed")
        info = self.label + b"\0" + salt + context
        okm = HKDFExpand(self.hash, self.cipher.secrets(self.key_length) + 32, info).derive(key)
        return okm[:-32], okm[-32:]

    def encrypt(self, key, salt, context, plaintext):
        secrets, commitment = self.keys(key, salt, context)
        cipher = self.cipher(secrets)
        pieces = [plaintext[at:at + self.chunk] for at in range(0, len(plaintext) + 1, self.chunk)]
        return salt + commitment + b"".join(cipher.seal(i, piece) for i, piece in enumerate(pieces))

    def decrypt(self, key, context, blob):
        secrets, commitment = self.keys(key, blob[:SALT], context)
        require(fits(blob[SALT:HEADER], commitment), "rejected")                                          # P-8.4
        cipher, plaintext = self.cipher(secrets), b""
        for i, sealed in enumerate(self.sealed_chunks(blob)):
            plaintext += cipher.open(i, sealed)                                                           # P-8.5
        return plaintext

    def sealed_chunks(self, blob):
        length, rest = self.chunk + self.cipher.TAG, blob[HEADER:]
        while len(rest) >= length:
            yield rest[:length]
            rest = rest[length:]
        yield rest                                                                                        # P-8.3


class ChaChaHmac:                                                                                         # 8.1
    TAG = 32

    def __init__(self, secrets):
        self.key, self.mac = secrets[:32], secrets[32:]

    @staticmethod
    def secrets(key_length):
        return 2 * key_length

    def stream(self, i, data):
        return chacha20(self.key, bytes(4) + pack(">IQ", 0, i), data)

    def tag(self, i, ciphertext):
        return mac(self.mac, ciphertext, pack(">Q", i))

    def seal(self, i, piece):
        ciphertext = self.stream(i, piece)
        return ciphertext + self.tag(i, ciphertext)

    def open(self, i, sealed):
        require(len(sealed) >= self.TAG, "rejected")
        ciphertext = sealed[:-self.TAG]
        require(fits(sealed[-self.TAG:], self.tag(i, ciphertext)), "rejected")
        return self.stream(i, ciphertext)


BISIK = Form(hashes.SHA256(), ChaChaHmac, 32, b"bisik-1 attachment\0", 65_536)
LARGEST, LARGEST_THUMBNAIL = 2**53, 32_768


def padded_length(size):                                                                                  # 8.2, 7
    if size <= 32:
        return 32
    e = size.bit_length() - 1
    unit = 1 << (e - e.bit_length())
    return (size + unit - 1) // unit * unit


def blob_length(size):
    padded = padded_length(size)
    return HEADER + padded + ChaChaHmac.TAG * (padded // BISIK.chunk + 1)


def root_of(blob):                                                                                        # 8.2
    return sha256(blob[:HEADER], *(sealed[-ChaChaHmac.TAG:] for sealed in BISIK.sealed_chunks(blob)))


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
    root: bytes
    size: int
    media_type: bytes
    thumbnail_size: int = 0
    thumbnail: bytes = b""

    def encode(self):
        media_type = bytes([len(self.media_type)]) + self.media_type
        return (b"\1" + self.ak + self.root + pack(">Q", self.size) + media_type
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
        require(root_of(blob) == self.root, "rejected")                                                   # P-8.6
        return file

    def read_thumbnail(self):
        return read_blob(self.ak, None, self.thumbnail_size, self.thumbnail)


def is_media_type(text):                                                                                  # P-8.7
    first = b"abcdefghijklmnopqrstuvwxyz0123456789"
    names = text.split(b"/")
    good = all(name[:1] and name[:1] in first and not set(name) - set(first + b"!#$&-^_.+") for name in names)
    return len(names) == 2 and len(text) <= 127 and good
