"""Section 1.7 of docs/spec/conventions.md, texts of values, and section 12.10 of docs/spec/conversations.md, addressed
envelopes; and the steps of scripts about them.
"""

import base64

from accounts import Certificate, DeviceList
from bisik import *
from hosted_devices import Disclosure

BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
ENVELOPE, MOST = 1, 524288
L_CONVERSATION = b"bisik-1 conversation id\0"


def base45(data):
    """RFC 9285."""
    text = ""
    for at in range(0, len(data), 2):
        number, digits = int.from_bytes(data[at:at + 2], "big"), len(data[at:at + 2]) + 1
        for _ in range(digits):
            number, digit = divmod(number, 45)
            text += BASE45[digit]
    return text


def from_base45(text):
    data = b""
    for at in range(0, len(text), 3):
        symbols = text[at:at + 3]
        require(len(symbols) > 1 and all(symbol in BASE45 for symbol in symbols), "malformed")
        number = sum(BASE45.index(symbol) * 45**place for place, symbol in enumerate(symbols))
        require(number < 256 ** (len(symbols) - 1), "malformed")
        data += number.to_bytes(len(symbols) - 1, "big")
    return data


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def from_base64url(text):
    require(all(symbol.isascii() and (symbol.isalnum() or symbol in "-_") for symbol in text), "malformed")
    require(len(text) % 4 != 1, "malformed")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    require(base64url(data) == text, "malformed")
    return data


def from_hex(text):
    require(len(text) % 2 == 0 and all(symbol in "0123456789abcdefABCDEF" for symbol in text), "malformed")
    return bytes.fromhex(text)


# What the bytes of each form must be.

def of_length(length):
    return lambda data: require(len(data) == length, "malformed")


def identity_key(data):
    require(len(data) == 64, "malformed")
    check_identity(data)


def public_key(data):
    require(len(data) == 32, "malformed")
    x25519_check(data)


def disclosure_hash(data):
    require(len(data) == 32, "malformed")
    require(any(data), "zero")


def bundle(data):
    """The checks of a bundle's encoding come before those of its identity."""
    try:
        verify_bundle(data, b"", 0)
    except Refused as refused:
        require(str(refused) == "identity-mismatch", str(refused))


def message(data):
    require(data[:1] in (b"\x21", b"\x22"), "malformed")
    require(len(data) >= (1341 if data[0] == 0x21 else 133), "malformed")


def qr_code(data):
    require(data[:1] not in (b"\x52", b"\x53"), "wrong-step")
    require(len(data) == 130 and data[:2] == b"\x51\1", "malformed")
    otherwise("malformed", check_identity, data[2:66])


def envelope(data):                                                                           # P-12.59, P-12.60
    require(data, "malformed")
    require(data[0] <= ENVELOPE, "unsupported-version")
    require(data[0] == ENVELOPE and 137 <= len(data) <= MOST, "malformed")
    message(data[137:])


FORMS = {  # P-1.9
    "identity-key": (bytes.hex, from_hex, identity_key), "account-key": (bytes.hex, from_hex, identity_key),
    "public-key": (bytes.hex, from_hex, public_key),
    "message-id": (bytes.hex, from_hex, of_length(16)), "conversation-id": (bytes.hex, from_hex, of_length(16)),
    "bundle-id": (bytes.hex, from_hex, of_length(8)), "list-id": (bytes.hex, from_hex, of_length(40)),
    "disclosure-hash": (bytes.hex, from_hex, disclosure_hash),
    "bundle": (base64url, from_base64url, bundle), "list": (base64url, from_base64url, DeviceList),
    "certificate": (base64url, from_base64url, Certificate), "disclosure": (base64url, from_base64url, Disclosure),
    "message": (base64url, from_base64url, message), "envelope": (base64url, from_base64url, envelope),
    "qr-code": (base45, from_base45, qr_code)}


class TextSteps:
    def show(self, step, draw):
        write, read, check = FORMS[step["form"]]
        check(step["value"])
        shown = write(step["value"])
        require(read(shown) == step["value"], "another text")
        return {"shown": shown.encode()}

    def read_text(self, step, draw):
        _, read, check = FORMS[step["form"]]
        value = read(step["written"].decode())
        check(value)
        return {"value": value}

    def read_envelope(self, step, draw):
        data = step["envelope_read"]
        envelope(data)
        receiver, sender = data[1:65], data[69:133]
        fields = {"receiver": receiver, "receiver_index": int.from_bytes(data[65:69], "big"), "sender_account": sender,
                  "sender_index": int.from_bytes(data[133:137], "big"), "message": data[137:]}
        if receiver != sender:                                                                            # P-12.61
            fields["conversation"] = sha256(L_CONVERSATION, min(receiver, sender), max(receiver, sender))[:16]
        return fields
