"""Syndace's Double Ratchet, Oldmemo and XEdDSA as a peer in lines of JSON. X3DH is written out here, with the same formula, and
messages that open a session are written and read here. Does not know what is tested."""
import asyncio
import json
import os
import sys

import doubleratchet as dr
import oldmemo.oldmemo as om
import xeddsa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from doubleratchet.recommended import diffie_hellman_ratchet_curve25519 as dh25519

public = xeddsa.priv_to_curve25519_pub
un = bytes.fromhex


class Ratchet(om.DoubleRatchetImpl):
    """Field 3 is the number of messages for Oldmemo, and the number of the last one on this wire."""

    @staticmethod
    def _build_associated_data(associated_data, header):
        last = max(header.previous_sending_chain_length - 1, 0)
        return om.DoubleRatchetImpl._build_associated_data(
            associated_data, header._replace(previous_sending_chain_length=last))


SETTINGS = dict(
    diffie_hellman_ratchet_class=dh25519.DiffieHellmanRatchet, root_chain_kdf=om.RootChainKDFImpl,
    message_chain_kdf=om.MessageChainKDFImpl, message_chain_constant=om.DoubleRatchetImpl.MESSAGE_CHAIN_CONSTANT,
    dos_protection_threshold=2000, max_num_skipped_message_keys=2000, aead=om.AEADImpl)


def clamp(private):
    private = bytearray(private)
    private[0] &= 248
    private[31] = private[31] & 127 | 64
    return bytes(private)


def typed(key):
    return b"\x05" + key


def raw(key):
    if len(key) != 33 or key[0] != 5:
        raise ValueError("not a public key")
    return key[1:]


def secret(agreed):
    kdf = HKDF(hashes.SHA256(), length=32, salt=bytes(32), info=om.StateImpl.INFO)
    return kdf.derive(b"\xff" * 32 + b"".join(agreed))


def sign(private, message):
    """With the sign bit of the key in the last bit."""
    signature = bytearray(xeddsa.ed25519_priv_sign(private, message))
    signature[63] |= xeddsa.priv_to_ed25519_pub(private)[31] & 0x80
    return bytes(signature)


def verify(key, message, signature):
    signature = bytearray(signature)
    negative = bool(signature[63] & 0x80)
    signature[63] &= 0x7F
    return bool(xeddsa.ed25519_verify(bytes(signature), xeddsa.curve25519_pub_to_ed25519_pub(key, negative), message))


def varint(number):
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(message):
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte, at = message[at], at + 1
            value, shift = value | (byte & 127) << shift, shift + 7
            if byte < 128:
                return value

    while at < len(message):
        tag = number()
        value = number()
        if tag & 7 == 2:
            value, at = message[at:at + value], at + value
        found[tag >> 3] = value
    return found


class Peer:
    def init(self, a):
        self.identity = clamp(os.urandom(32))
        self.registration_id = a.get("registrationId", 4242)
        self.one_time, self.signed, self.sessions = {}, {}, {}
        return dict(identityKey=typed(public(self.identity)).hex(), identityPrivate=self.identity.hex(),
                    registrationId=self.registration_id)

    def gen_bundle(self, a):
        one, signed = a["preKeyId"], a["signedPreKeyId"]
        self.signed[signed] = os.urandom(32)
        if one is not None:
            self.one_time[one] = os.urandom(32)
        key = typed(public(self.signed[signed]))
        return dict(bundle=dict(
            registrationId=self.registration_id, deviceId=1, identityKey=typed(public(self.identity)).hex(), preKeyId=one,
            preKeyPublic=None if one is None else typed(public(self.one_time[one])).hex(), signedPreKeyId=signed,
            signedPreKeyPublic=key.hex(), signedPreKeySignature=sign(self.identity, key).hex()))

    def process_bundle(self, a):
        bundle = a["bundle"]
        theirs, signed = raw(un(bundle["identityKey"])), raw(un(bundle["signedPreKeyPublic"]))
        if not verify(theirs, typed(signed), un(bundle["signedPreKeySignature"])):
            raise ValueError("signature")
        base = os.urandom(32)
        agreed = [xeddsa.x25519(*pair) for pair in ((self.identity, signed), (base, theirs), (base, signed))]
        if bundle["preKeyPublic"]:
            agreed.append(xeddsa.x25519(base, raw(un(bundle["preKeyPublic"]))))
        self.sessions[a["address"]["name"]] = dict(
            ratchet=None, secret=secret(agreed), signed=signed, peer=theirs, base=typed(public(base)),
            opening=(bundle["preKeyId"], bundle["signedPreKeyId"]))
        return {}

    async def encrypt(self, a):
        session, plaintext = self.sessions[a["to"]["name"]], un(a["plaintext"])
        parties = typed(public(self.identity)) + typed(session["peer"])
        if session["ratchet"] is None:
            session["ratchet"], message = await Ratchet.encrypt_initial_message(
                shared_secret=session["secret"], recipient_ratchet_pub=session["signed"], message=plaintext,
                associated_data=parties, **SETTINGS)
        else:
            message = await session["ratchet"].encrypt_message(plaintext, parties)
        if session["opening"] is None:
            return dict(type=1, body=message.ciphertext.hex())
        one, signed = session["opening"]
        body = b"\x33" + (b"" if one is None else field(1, one)) + field(2, session["base"])
        body += field(3, typed(public(self.identity))) + field(4, message.ciphertext)
        return dict(type=3, body=(body + field(5, self.registration_id) + field(6, signed)).hex())

    async def decrypt(self, a):
        name, body = a["from"]["name"], un(a["body"])
        if a["type"] == 3:
            outer = fields(body[1:])
            theirs, base, body = raw(outer[3]), raw(outer[2]), outer[4]
            if self.sessions.get(name, {}).get("base") != outer[2]:
                return await self.accept(name, outer, theirs, base)
        session = self.sessions[name]
        parties = typed(session["peer"]) + typed(public(self.identity))
        plaintext = await session["ratchet"].decrypt_message(self.encrypted(body), parties)
        session["opening"] = None
        return dict(plaintext=plaintext.hex())

    async def accept(self, name, outer, theirs, base):
        signed = self.signed[outer[6]]
        agreed = [xeddsa.x25519(*pair) for pair in ((signed, theirs), (self.identity, base), (signed, base))]
        if 1 in outer:
            agreed.append(xeddsa.x25519(self.one_time.pop(outer[1]), base))
        ratchet, plaintext = await Ratchet.decrypt_initial_message(
            shared_secret=secret(agreed), own_ratchet_priv=signed, message=self.encrypted(outer[4]),
            associated_data=typed(theirs) + typed(public(self.identity)), **SETTINGS)
        self.sessions[name] = dict(ratchet=ratchet, peer=theirs, opening=None, base=outer[2])
        return dict(plaintext=plaintext.hex())

    @staticmethod
    def encrypted(message):
        header = fields(message[1:-8])
        return dr.EncryptedMessage(dr.Header(raw(header[1]), header.get(3, 0) + 1, header.get(2, 0)), message)

    def sign(self, a):
        return dict(signature=sign(clamp(un(a["privateKey"])), un(a["message"])).hex())

    def verify(self, a):
        return dict(valid=verify(raw(un(a["publicKey"])), un(a["message"]), un(a["signature"])))

    def agree(self, a):
        return dict(shared=xeddsa.x25519(un(a["privateKey"]), raw(un(a["publicKey"]))).hex())


async def main():
    peer = Peer()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            result = getattr(peer, request["op"])(request)
            reply = dict(ok=True, result=await result if asyncio.iscoroutine(result) else result)
        except Exception as error:
            reply = dict(ok=False, error=dict(name=type(error).__name__, code=None, message=str(error)))
        print(json.dumps(dict(id=request["id"], **reply)), flush=True)


asyncio.run(main())
