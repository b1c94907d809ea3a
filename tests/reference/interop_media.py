"""Sections 8, 10 and 12 of docs/interop.md: attachments, message secrets, and the app state that devices share.

    interop_media.py verify DIRECTORY   computes the files of tests/vectors/interop again from their inputs, and compares
    interop_media.py write DIRECTORY    makes them afresh, from fresh randomness

tests/interop runs the same files against the crate.
"""

import hashlib
import hmac
import os
import struct
import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KINDS = ["Image", "Video", "Audio", "Document", "History", "App State", "Sticker Pack", "Link Thumbnail",
         "Document Thumbnail", "Image Thumbnail", "Video Thumbnail", "Payment Background"]
USES = ["Poll Vote", "Enc Reaction", "Enc Comment", "Report Token", "Event Response", "Event Edit", "Message Edit",
        "Poll Edit", "Poll Add Option"]
WINDOW = 65_536


def hkdf(secret, info, length):
    return HKDF(hashes.SHA256(), length, None, info).derive(secret)


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def sha256(data):
    return hashlib.sha256(data).digest()


def cbc(key, iv, plaintext):
    n = 16 - len(plaintext) % 16
    cipher = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return cipher.update(plaintext + bytes([n]) * n) + cipher.finalize()


def file_of(size):
    """A file in which no two blocks are alike."""
    return b"".join(struct.pack("<I", i * 2_654_435_761 % 2**32) for i in range(size // 4 + 1))[:size]


def media(i):
    kind, key, size = i["kind"], bytes.fromhex(i["key"]), int(i["size"])
    okm = hkdf(key, f"WhatsApp {kind} Keys".encode(), 112)
    iv, cipher, authenticate = okm[:16], okm[16:48], okm[48:80]
    ciphertext = cbc(cipher, iv, file_of(size))
    blob = ciphertext + mac(authenticate, iv + ciphertext)[:10]
    whole, sidecar, at = iv + blob, b"", 0
    while True:
        sidecar += mac(authenticate, whole[at:at + WINDOW + 16])[:10]
        at += WINDOW
        if at + 16 >= len(whole):
            break
    return {"file_sha256": sha256(file_of(size)), "file_enc_sha256": sha256(blob), "sidecar": sidecar,
            "last_bytes": blob[-26:]}


def secret_key(i):
    info = i["parent"] + i["parent_sender"] + i["author"] + i["use"]
    return hkdf(bytes.fromhex(i["secret"]), info.encode(), 32)


def add_on(i):
    bound = i["use"] in ("Poll Vote", "Event Response")
    ad = f"{i['parent']}\0{i['author']}".encode() if bound else None
    payload = AESGCM(secret_key(i)).encrypt(bytes.fromhex(i["iv"]), bytes.fromhex(i["plaintext"]), ad)
    return {"payload": payload, "token": mac(secret_key(i | {"use": "Report Token"}), b"fields")[:16]}


def bots(i):
    return {"bot": hkdf(bytes.fromhex(i["secret"]), b"Bot Message", 32)}


def retry(i):
    key = hkdf(bytes.fromhex(i["key"]), b"WhatsApp Media Retry Notification", 32)
    plaintext = bytes.fromhex(i["plaintext"])
    return {"payload": AESGCM(key).encrypt(bytes.fromhex(i["iv"]), plaintext, i["message"].encode())}


def app_state(i):
    index, cipher, value, snapshot, patch = struct.unpack("32s" * 5, hkdf(bytes.fromhex(i["key"]), b"WhatsApp Mutation Keys", 160))
    key_id, iv, version = bytes.fromhex(i["id"]), bytes.fromhex(i["iv"]), struct.pack(">Q", int(i["version"]))
    lanes, tags, found = [0] * 64, b"", {"index_tag": mac(index, b'["pin","111"]')}
    for operation in (1, 2):
        body = iv + cbc(cipher, iv, bytes.fromhex(i["plaintext"]))
        signed = bytes([operation]) + key_id + body + struct.pack(">Q", len(key_id) + 1)
        tag = hmac.new(value, signed, hashlib.sha512).digest()[:32]
        found[("set", "remove")[operation - 1]] = body + tag
        tags += tag
        added = struct.unpack("<64H", hkdf(tag, b"WhatsApp Patch Integrity", 128))
        lanes = [(a + b) % 2**16 for a, b in zip(lanes, added)]
    found["hash"] = struct.pack("<64H", *lanes)
    found["snapshot_tag"] = mac(snapshot, found["hash"] + version + i["collection"].encode())
    found["patch_tag"] = mac(patch, found["snapshot_tag"] + tags + version + i["collection"].encode())
    return found


def some(n):
    return os.urandom(n).hex()


def media_inputs():
    sizes = [0, 1, 15, 16, 17, 100, WINDOW - 26, WINDOW - 16, WINDOW - 1, WINDOW, WINDOW + 1, 3 * WINDOW - 22]
    return [(media, {"kind": kind, "key": some(32), "size": str(size)}) for kind, size in zip(KINDS, sizes)]


def secret_inputs():
    vote = b"".join(b"\x0a\x20" + sha256(name) for name in (b"Bakso", b"Sate Ayam"))
    names = {"parent": "3EB0ABCD", "parent_sender": "111@s.whatsapp.net", "author": "222@s.whatsapp.net"}
    blocks = [(add_on, {"use": use, **names, "secret": some(32), "iv": some(12), "plaintext": vote.hex()})
              for use in USES]
    blocks.append((bots, {"secret": some(32)}))
    return blocks + [(retry, {"message": "3EB0ABCD", "key": some(32), "iv": some(12), "plaintext": some(40)})]


def app_state_inputs():
    names = ["critical_block", "critical_unblock_low", "regular_high", "regular_low", "regular"]
    return [(app_state, {"collection": name, "version": str(2**(13 * at)), "key": some(32), "id": some(at + 1), "iv": some(16),
                         "plaintext": some(17 * at)}) for at, name in enumerate(names)]


FILES = {
    "app_state.txt": ("Values of every collection, their hash, and the tags of snapshot and patch.", app_state_inputs),
    "media.txt": ("Attachments of every kind, of sizes at the edges of blocks and windows.", media_inputs),
    "message_secret.txt": ("Add-ons of every use, the secret of bots, and an answer that asks for media again.", secret_inputs),
}


def read(path):
    blocks = [{}]
    for line in path.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            blocks[-1][name.strip()] = value.strip()
        elif not line:
            blocks.append({})
    return [block for block in blocks if block]


def write(directory):
    for name, (title, inputs) in FILES.items():
        lines = [f"# {title} Made by tests/reference/interop_media.py."]
        for compute, given in inputs():
            found = {name: value.hex() for name, value in compute(given).items()}
            lines += [""] + [f"{name} = {value}".rstrip() for name, value in (given | found).items()]
        (directory / name).write_text("\n".join(lines) + "\n")


def verify(directory):
    for name, (_, inputs) in FILES.items():
        blocks, computes = read(directory / name), [compute for compute, _ in inputs()]
        assert len(blocks) == len(computes), name
        for block, compute in zip(blocks, computes):
            for key, value in compute(block).items():
                assert block[key] == value.hex(), f"{name}: {key} of {block}"


if __name__ == "__main__":
    {"verify": verify, "write": write}[sys.argv[1]](Path(sys.argv[2]))
