"""Sealed answers (sections 7.5 and 7.9 of docs/spec/content.md): one construction for votes, answers to events, reactions."""

from struct import pack

from primitives import expand, extract, mac, require, seal, unseal


def framed(data):
    return pack(">I", len(data)) + data


def answer_key(secret, label, definition, person):                                                # P-7.13, P-7.23
    return expand(extract(bytes(32), secret), label + definition + framed(person), 32)


def seal_answer(key, answer, draw):
    nonce = mac(key, b"\x03", draw(24), answer)[:24]
    return nonce + seal(key, nonce, b"", answer)


def open_answer(key, sealed, length):
    require(len(sealed) == 24 + length + 16, "malformed")
    return unseal(key, sealed[:24], b"", sealed[24:])
