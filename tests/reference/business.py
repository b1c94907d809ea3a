"""Section 7.8 of docs/spec/content.md: business content, read and checked."""

import re
from struct import pack, unpack

from primitives import require
from protobuf import number, part, records, varint

# A field is its name and type: "text", "bytes", "number", "double", or a message; a list has its limit after it. From 1, in order.
REFERENCE = (("author", "bytes"), ("id", "bytes"))
MENTION = (("start", "number"), ("length", "number"), ("person", "bytes"))
TEXT = (("body", "text"), ("mentions", MENTION, 256))
BLOB = (("pointer", "bytes"), ("location", "text"))
OPENING = (("day", "number"), ("from_min", "number"), ("to_min", "number"))
PRICE = (("amount", "number"), ("currency", "text"))
LINE = (("item", "text"), ("title", "text"), ("quantity", "number"), ("price", PRICE))
CHOICE = (("id", "text"), ("title", "text"))
ROW = (("choice", CHOICE), ("description", "text"))
SECTION = (("title", "text"), ("rows", ROW, 100))
BUTTON = (("title", "text"), ("id", "text"), ("link", "text"), ("number", "text"))
KINDS = {
    64: (("text", TEXT),),
    65: (("text", TEXT),),
    66: (("name", "text"), ("about", "text"), ("address", "text"), ("email", "text"), ("sites", "text", 4),
         ("hours", OPENING, 28), ("time_zone", "text")),
    67: (("id", "text"), ("title", "text"), ("description", "text"), ("price", PRICE), ("picture", BLOB),
         ("availability", "number")),
    68: (("lines", LINE, 100), ("note", TEXT)),
    69: (("text", TEXT), ("choices", CHOICE, 16)),
    70: (("text", TEXT), ("label", "text"), ("sections", SECTION, 16)),
    71: (("text", TEXT), ("footer", "text"), ("buttons", BUTTON, 16)),
    72: (("of", REFERENCE), ("id", "text"), ("title", "text")),
    73: (("origin", "number"), ("id", "text"), ("link", "text"), ("headline", "text"), ("text", "text")),
}
GREETING, AWAY, PROFILE, ITEM, CART, REPLIES, LIST, BUTTONS, SELECTION, REFERRAL = KINDS
MOST = 10**15


def write(schema, values):
    out = b""
    for at, (name, kind, *bound) in enumerate(schema, 1):
        value = values.get(name)
        for each in value if bound and value else [value]:
            if each is None or each == [] or kind in ("text", "bytes") and not each and not bound:
                continue
            if kind == "number":
                out += number(at, each)
            elif kind == "double":
                out += varint(at * 8 + 1) + pack("<d", each) if each else b""
            else:
                out += part(at, each.encode() if kind == "text" else each if kind == "bytes" else write(kind, each))
    return out


def read(schema, data):                                                                                   # P-7.3, P-7.4
    defaults = {"text": "", "bytes": b"", "number": 0, "double": 0.0}
    values = {name: [] if bound else defaults.get(kind) if isinstance(kind, str) else None for name, kind, *bound in schema}
    found = set()
    for at, value in records(data):
        if at > len(schema):
            continue
        name, kind, *bound = schema[at - 1]
        require(isinstance(value, int) == (kind == "number"), "malformed")
        if kind == "text":
            try:
                value = value.decode()
            except UnicodeDecodeError:
                require(False, "malformed")
        elif kind == "double":
            require(len(value) == 8, "malformed")
            value, = unpack("<d", value)
        elif not isinstance(kind, str):
            value = read(kind, value)
        if bound:
            values[name].append(value)
            require(len(values[name]) <= bound[0], "malformed")
        else:
            require(at not in found, "malformed")
            found.add(at)
            values[name] = value
    return values


def within(value, least, most):
    require(least <= value <= most, "out-of-range")


def bounded(text, least, most):
    length = len(text if isinstance(text, list) else text.encode())
    require(length >= least, "out-of-range")
    require(length <= most, "too-long")


def check_text(text, optional=False):
    if text is None and optional:
        return
    require(text is not None, "malformed")
    bounded(text["body"], 1, 65_536)


def check_price(price, optional=False):
    if price is None and optional:
        return
    require(price is not None, "malformed")
    within(price["amount"], 0, MOST)
    require(re.fullmatch("[A-Z]{3}", price["currency"]), "out-of-range")


def check_link(link):                                                                                     # P-7.21
    bounded(link, 1, 2_048)
    require(re.fullmatch(r"https://[^/?#@\\\s]+(?:[/?#][^\\\s]*)?", link) and link.isascii() and link.isprintable(),
            "out-of-range")


def all_different(ids):                                                                                   # P-7.20
    require(len(set(ids)) == len(ids), "out-of-range")


def check_choice(choice):
    require(choice is not None, "malformed")
    bounded(choice["id"], 1, 255), bounded(choice["title"], 1, 255)


def total(lines):                                                                                         # P-7.18
    require(lines, "out-of-range")
    require(len({line["price"]["currency"] for line in lines}) == 1, "out-of-range")
    amount = sum(line["quantity"] * line["price"]["amount"] for line in lines)
    within(amount, 0, MOST)
    return {"total": amount}


def check(kind, v):
    if kind in (GREETING, AWAY, REPLIES, LIST, BUTTONS):
        check_text(v["text"])
    if kind == PROFILE:
        bounded(v["name"], 1, 255), bounded(v["about"], 0, 1_024), bounded(v["address"], 0, 1_024)
        require(not v["email"] or re.fullmatch("[!-?A-~]+@[!-?A-~]+", v["email"]), "out-of-range")
        bounded(v["email"], 0, 254), bounded(v["time_zone"], bool(v["hours"]), 64)
        for site in v["sites"]:
            check_link(site)
        end = (0, 0)
        for hours in v["hours"]:
            within(hours["day"], 1, 7), within(hours["to_min"], 1, 1_440)
            require(hours["from_min"] < hours["to_min"] and (hours["day"], hours["from_min"]) >= end, "out-of-range")
            end = hours["day"], hours["to_min"]
    if kind == ITEM:
        bounded(v["id"], 1, 64), bounded(v["title"], 1, 255), bounded(v["description"], 0, 4_096)
        check_price(v["price"], optional=True), within(v["availability"], 0, 2**31 - 1)
    if kind == CART:
        for line in v["lines"]:
            bounded(line["item"], 1, 64), bounded(line["title"], 1, 255), within(line["quantity"], 1, 9_999)
            check_price(line["price"])
        check_text(v["note"], optional=True), all_different([line["item"] for line in v["lines"]])
        return total(v["lines"])
    if kind == REPLIES:
        bounded(v["choices"], 1, 16), all_different([choice["id"] for choice in v["choices"]])
        for choice in v["choices"]:
            check_choice(choice)
    if kind == LIST:
        rows = [row for section in v["sections"] for row in section["rows"]]
        bounded(v["label"], 1, 255), bounded(rows, 1, 100)
        for row in rows:
            check_choice(row["choice"]), bounded(row["description"], 0, 1_024)
        for section in v["sections"]:
            bounded(section["title"], 0, 255), bounded(section["rows"], 1, 100)
        all_different([row["choice"]["id"] for row in rows])
    if kind == BUTTONS:
        bounded(v["footer"], 0, 255), bounded(v["buttons"], 1, 16)
        for button in v["buttons"]:
            bounded(button["title"], 1, 255), bounded(button["id"], 0, 255)
            require(sum(bool(button[name]) for name in ("id", "link", "number")) == 1, "malformed")
            if button["link"]:
                check_link(button["link"])
            require(not button["number"] or re.fullmatch("[+][1-9][0-9]{2,14}", button["number"]), "out-of-range")
        all_different([button["id"] for button in v["buttons"] if button["id"]])
    if kind == SELECTION:
        require(v["of"] and len(v["of"]["id"]) == 16, "malformed")
        within(len(v["of"]["author"]), 1, 128), check_choice(v)
    if kind == REFERRAL:
        within(v["origin"], 0, 2**31 - 1), bounded(v["id"], not v["link"], 255)
        if v["link"]:
            check_link(v["link"])
        bounded(v["headline"], 0, 255), bounded(v["text"], 0, 1_024)
    return {}


def judge(kind, value, automated):
    values = read(KINDS[kind], value)
    require(automated or kind not in (GREETING, AWAY), "out-of-range")                                    # P-7.17
    return {"kind": kind} | check(kind, values)


def offered(kind, v):
    """Titles by id."""
    if kind == LIST:
        return {row["choice"]["id"]: row["choice"]["title"] for section in v["sections"] for row in section["rows"]}
    if kind == BUTTONS:
        return {button["id"]: button["title"] for button in v["buttons"] if button["id"]}
    return {choice["id"]: choice["title"] for choice in v["choices"]} if kind == REPLIES else {}
