"""The script of tests/vectors/text.txt: texts of values, addressed envelopes, and what is none."""

from devices import PERSON
from script import *
from texts import *


def texts_():
    """Texts of public values and of a QR code, addressed envelopes, and what is refused of each."""
    s = Script()
    bundles = s.parties("alice", "bob", one_time=1)
    alice, bob = s.world.identities["alice"].public, s.world.identities["bob"].public
    first = s("initiate", of="alice", peer="bob", bundle=bundles[0], now=NOW) and \
        s("encrypt", of="alice", plaintext=b"halo")["message"]
    listed = s("found-account", of="alice", terms=PERSON, now=NOW)["list"]
    certificate = s("certify", of="bob", peer="alice", index=1, terms=PERSON)["certificate"]
    code = s("link-by-qr-code", of="laptop")["shown"]
    ordinary = b"\x22" + os.urandom(132)
    values = {"identity-key": alice, "account-key": bob, "public-key": x25519_public(os.urandom(32)),
              "message-id": os.urandom(16),
              "conversation-id": os.urandom(16), "bundle-id": bundles[0][67:71] + bundles[0][120:124],
              "list-id": pack(">Q", 1) + os.urandom(32), "disclosure-hash": os.urandom(32), "list": listed,
              "certificate": certificate, "message": ordinary, "envelope": address(bob, 0, alice, 2, ordinary),
              "qr-code": code}
    for form, value in values.items():
        shown(s, form, value)
    for bundle in bundles:
        shown(s, "bundle", bundle)
    no_keys(s, alice)
    s("read-text", form="disclosure-hash", written=b"00" * 32, expect="zero")
    code_of_another_kind = b"\x51\2" + code[2:]
    for wrong, word in ((code_of_another_kind, "malformed"), (code[:128], "malformed"), (b"\x52" + code[1:], "wrong-step")):
        s("read-text", form="qr-code", written=base45(wrong).encode(), expect=word)
    envelopes(s, alice, bob, ordinary, first)
    return s


def shown(s, form, value):
    text = s("show", form=form, value=value)["shown"]
    s("read-text", form=form, written=text)
    if FORMS[form][0] == bytes.hex:
        s("read-text", form=form, written=text.upper())
        wrong = [text + b"0", text + b"00", text[:-1] + b"g", b"0x" + text[2:]]
    elif form == "qr-code":
        wrong = [text.lower(), text + b"000", text[:-3] + b"GGW", text[:-1] + b"_"]
    else:
        wrong = [text + b"=", text[:-4] + b"+" + text[-3:], text[:-4] + b"/" + text[-3:]]
        if len(value) % 3:
            last = bytes([text[-1]]).decode()
            order = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
            wrong.append(text[:-1] + order[order.index(last) + 1].encode())
    for text in [b"", text[:-1], b" " + text, text + b" ", text + b"\n", text[:-2] + "é".encode()] + wrong:
        s("read-text", form=form, written=text, expect="malformed")


def no_keys(s, good):
    for half, word in ((bytes(32), "low-order"), ((2).to_bytes(32, "little"), "non-canonical"), (b"\xff" * 32, "non-canonical")):
        for form in ("identity-key", "account-key"):
            s("read-text", form=form, written=(good[:32] + half).hex().encode(), expect=word)
        s("read-text", form="public-key", written=half.hex().encode(), expect=word)


def address(receiver, receiver_index, sender, sender_index, message):
    return bytes([ENVELOPE]) + receiver + pack(">I", receiver_index) + sender + pack(">I", sender_index) + message


def envelopes(s, alice, bob, ordinary, first):
    for data in (address(bob, 0, alice, 0, first), address(alice, 7, bob, 2**32 - 1, ordinary),
                 address(alice, 1, alice, 0, ordinary), address(bytes(64), 0, b"\xff" * 64, 0, ordinary)):
        s("read-envelope", envelope_read=data)
    good = address(bob, 0, alice, 0, ordinary)
    for data in (b"", b"\0" + good[1:], good[:1], good[:64], good[:136], good[:137], good[:-1],
                 good[:137] + b"\x21" + good[138:], good[:137] + b"\x23" + good[138:]):
        s("read-envelope", envelope_read=data, expect="malformed")
    for version in (2, 255):
        for data in (bytes([version]), bytes([version]) + good[1:]):
            s("read-envelope", envelope_read=data, expect="unsupported-version")
