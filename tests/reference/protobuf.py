"""Protobuf without a schema (docs/spec/content.md, section 7.2): fields, written and taken apart.

It does not know what they mean.
"""

from primitives import require


def varint(value):
    low, rest = value % 128, value // 128
    return bytes([low + 128]) + varint(rest) if rest else bytes([low])


def number(at, value):
    """A field that is a number; as proto3 has it, 0 is not written."""
    return varint(at * 8) + varint(value) if value else b""


def part(at, value):
    return varint(at * 8 + 2) + varint(len(value)) + value


def read_varint(data):
    value, shift = 0, 0
    for index, byte in enumerate(data):
        value += (byte % 128) << shift
        shift += 7
        if byte < 128:
            require(value < 2**64, "malformed")
            return value, data[index + 1:]
    require(False, "malformed")


def records(data):                                                                                        # P-7.3
    """Number, and value where it is a number or bytes."""
    while data:
        tag, data = read_varint(data)
        require(8 <= tag < 2**32 and tag % 8 in (0, 1, 2, 5), "malformed")
        value = None
        if tag % 8 == 0:
            value, data = read_varint(data)
        else:
            length = {1: 8, 5: 4}.get(tag % 8)
            if length is None:
                length, data = read_varint(data)
            require(len(data) >= length, "malformed")
            value, data = data[:length], data[length:]
        yield tag // 8, value
