"""The script of tests/vectors/business.txt: business content, and content that is refused."""

from business import *
from script import *


def text(words):
    return {"body": words}


def line(item, quantity, amount, currency="IDR"):
    return {"item": item, "title": "Kopi", "quantity": quantity, "price": {"amount": amount, "currency": currency}}


def choices(*ids):
    return [{"id": id, "title": id.upper()} for id in ids]


def rows(*ids):
    return [{"choice": choice, "description": "x"} for choice in choices(*ids)]


LINK = "https://kopi.example/menu?meja=4"
OFFERS = {REPLIES: {"text": text("?"), "choices": choices("panas", "dingin")},
          LIST: {"text": text("?"), "label": "Buka", "sections": [{"title": "A", "rows": rows("a", "dingin")},
                                                                  {"rows": rows("b")}]},
          BUTTONS: {"text": text("?"), "footer": "Meja 4", "buttons": [
              {"title": "DINGIN", "id": "dingin"}, {"title": "Situs", "link": LINK},
              {"title": "Telepon", "number": "+628123456789"}]}}
GOOD = [(GREETING, {"text": text("Selamat datang")}), (AWAY, {"text": text("Tutup")}),
        (PROFILE, {"name": "Kopi Pojok", "email": "halo@kopi.example", "sites": [LINK], "time_zone": "Asia/Jakarta",
                   "hours": [{"day": day, "from_min": 420, "to_min": 1_260} for day in range(1, 7)]}),
        (PROFILE, {"name": "Kopi Pojok"}), (ITEM, {"id": "kopi", "title": "Kopi"}),
        (ITEM, {"id": "kopi", "title": "Kopi", "price": {"amount": 1_800_000, "currency": "IDR"}, "availability": 9}),
        (CART, {"lines": [line("kopi", 2, 1_800_000), line("roti", 9_999, 1)], "note": text("panas")}),
        (CART, {"lines": [line("a", 1, MOST - 3), line("b", 3, 1)]}), (CART, {"lines": [line("gratis", 1, 0)]}),
        (REFERRAL, {"origin": 1, "id": "kampanye", "headline": "Kopi"}), (REFERRAL, {"link": LINK}), *OFFERS.items()]
BAD = [("malformed", GREETING, {}), ("out-of-range", AWAY, {"text": {}}),
       *[("out-of-range", PROFILE, {"name": "K"} | wrong) for wrong in (
           {"sites": ["http://kopi.example"]}, {"sites": ["https://bank.example@x.example"]}, {"email": "halo"},
           {"hours": [{"day": 1, "to_min": 9}]}, {"time_zone": "x", "hours": [{"day": 8, "to_min": 9}]},
           {"time_zone": "x", "hours": [{"day": 1, "from_min": 9, "to_min": 9}]})],
       ("malformed", PROFILE, {"name": "K", "sites": [LINK] * 5}), ("too-long", ITEM, {"id": "a" * 65, "title": "A"}),
       ("out-of-range", ITEM, {"id": "a", "title": "A", "price": {"amount": 1, "currency": "idr"}}),
       *[("out-of-range", CART, {"lines": lines}) for lines in (
           [], [line("a", 0, 1)], [line("a", 10_000, 1)], [line("a", 1, 1), line("a", 1, 1)],
           [line("a", 1, 1), line("b", 1, 1, "USD")], [line("a", 1, MOST), line("b", 1, 1)], [line("a", 9_999, MOST)],
           [line("a", 1, 2**64 - 1)], [line("a", 9_999, 2**64 // 9_999 + 1)])],
       ("malformed", CART, {"lines": [line("a", 1, 1) | {"price": None}]}),
       ("malformed", CART, {"lines": [line(str(at), 1, 1) for at in range(101)]}),
       ("out-of-range", REPLIES, {"text": text("?"), "choices": choices("a", "a")}),
       ("malformed", REPLIES, {"text": text("?"), "choices": choices(*"abcdefghijklmnopq")}),
       ("too-long", LIST, {"text": text("?"), "label": "B", "sections": [
           {"rows": rows(*(f"{section}-{at}" for at in range(51)))} for section in range(2)]}),
       ("out-of-range", LIST, {"text": text("?"), "label": "B", "sections": [{"rows": rows("a")}, {"rows": rows("a")}]}),
       *[("malformed", BUTTONS, {"text": text("?"), "buttons": [{"title": "x"} | wrong]}) for wrong in (
           {}, {"id": "a", "link": LINK}, {"link": LINK, "number": "+62811"})],
       *[("out-of-range", BUTTONS, {"text": text("?"), "buttons": [{"title": "x"} | wrong]}) for wrong in (
           {"link": "javascript:alert(1)"}, {"number": "+0811"}, {"number": "0811"})],
       ("malformed", SELECTION, {"id": "a", "title": "A"}), ("out-of-range", REFERRAL, {"origin": 1}),
       ("out-of-range", SELECTION, {"of": {"author": b"", "id": bytes(16)}, "id": "a", "title": "A"})]


def business_():
    """Each kind of content of businesses, what is refused of each, and what is an answer to what was offered."""
    s = Script()
    for kind, values in GOOD:
        s("read-body", body=body(kind, values))
    for expect, kind, values in BAD:
        s("read-body", body=body(kind, values), expect=expect)
    for kind in (GREETING, AWAY):
        s("read-body", body=body(kind, {"text": text("halo")}, automated=0), expect="out-of-range")
        s("read-body", body=body(kind, {"text": text("halo")}, automated=2), expect="malformed")
    good = write(KINDS[CART], GOOD[6][1])
    for twice in (good + part(2, b"") * 2, good[:1] + b"\xff" + good[2:], good + b"\x0b"):
        s("read-body", body=wrapped(CART, twice), expect="malformed")
    s("read-body", body=wrapped(CART, good[:-9]), expect="malformed")
    selections(s)
    return s


def wrapped(kind, value, automated=1, id=bytes(16)):
    return content.pad(part(1, id) + number(2, NOW * 1_000) + number(7, automated) + part(kind, value))


def body(kind, values, **envelope):
    return wrapped(kind, write(KINDS[kind], values), **envelope)


def selections(s):
    author, id = b"kopi pojok", os.urandom(16)
    for kind, values in OFFERS.items():
        asked = body(kind, values, id=id)

        def answer(expect="", chosen="dingin", title="DINGIN", to=id, by=author):
            made = body(SELECTION, {"of": {"author": by, "id": to}, "id": chosen, "title": title}, automated=0)
            s("read-body", body=made)
            s("answers", body=asked, author=author, answer=made, **({"expect": expect} if expect else {}))
        answer(), answer("not-offered", chosen="gratis"), answer("not-offered", title="Gratis")
        answer("not-offered", to=flip(id, 0)), answer("not-offered", by=b"toko lain"), answer("not-offered", chosen=LINK)
    said = content.text(lambda _: id, NOW * 1_000, b"dingin")
    s("answers", body=said, author=author, expect="not-offered",
      answer=body(SELECTION, {"of": {"author": author, "id": id}, "id": "dingin", "title": "dingin"}))
