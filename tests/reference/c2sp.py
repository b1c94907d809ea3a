"""attachments.py, with the parameters of c2sp.org/chunked-encryption, against the published vectors.

It shows that the public form in section 8 of docs/spec/attachments.md is the published one.
"""

import hashlib
import json
import zlib
from pathlib import Path

from attachments import Form
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from primitives import Refused, require


class AesGcm:
    """The published cipher of chunks: an AEAD, whose nonce is the chunk's number on a derived base."""
    TAG = 16

    def __init__(self, secrets):
        self.aead, self.base = AESGCM(secrets[:-12]), int.from_bytes(secrets[-12:], "big")

    @staticmethod
    def secrets(key_length):
        return key_length + 12

    def nonce(self, i):
        return (self.base ^ i).to_bytes(12, "big")

    def seal(self, i, piece):
        return self.aead.encrypt(self.nonce(i), piece, None)

    def open(self, i, sealed):
        try:
            return self.aead.decrypt(self.nonce(i), sealed, None)
        except InvalidTag:
            require(False, "rejected")


def form(bits):
    return Form(hashes.SHA512(), AesGcm, bits // 8, b"c2sp.org/chunked-encryption@v1+AEAD_AES_%d_GCM" % bits, 16_384)


def check(bits):
    file = Path(__file__).parent / f"c2sp/c2sp_chunked_encryption_aes_{bits}_gcm_test.json"
    published, done = form(bits), 0
    for group in json.loads(file.read_text())["testGroups"]:
        for test in group["tests"]:
            key, context = bytes.fromhex(test["key"]), bytes.fromhex(test["ctx"])
            blob = zlib.decompress(bytes.fromhex(test["ct"]))
            try:
                plaintext = published.decrypt(key, context, blob)
            except Refused:
                plaintext = None
            assert (plaintext is not None) == (test["result"] == "valid"), test["comment"]
            if plaintext is not None:
                assert hashlib.sha512(plaintext).hexdigest() == test["msgSha512"], test["comment"]
                assert published.encrypt(key, blob[:24], context, plaintext) == blob, test["comment"]
            done += 1
    assert done > 30, "the file was read"
    print(f"{file.name}: {done} vectors agree")


if __name__ == "__main__":
    check(128)
    check(256)
