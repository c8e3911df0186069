"""Messages for people: made by field, shown by field, and the same bytes again."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.message import Message

QUOTE = jit.wire_message(
    "test of a quote",
    36,
    """
    0   type    char
    1   stock   text[8]
    9   size    u32
    13  number  u64
    21  move    i16.2
    23  price   u32.4
    27  level   u64.8
    35  mark    char
    """,
)


@pytest.mark.modes
def test_a_message_is_made_by_its_fields_and_shows_them():
    quote = Message.of(
        QUOTE, type="q", stock="AAPL", size=100, move="-1.25", price="185.01", level=Decimal(4000)
    )
    assert bytes(quote) == (
        b"qAAPL    \0\0\0d" + bytes(8) + b"\xff\x83" + b"\0\x1c\x3a\xf4"
        b"\0\0\0\x5d\x21\xdb\xa0\0" + b" "
    )
    assert quote.stock == "AAPL" and quote.mark == ""
    assert (quote.size, quote.number) == (100, 0)
    assert (str(quote.price), str(quote.move)) == ("185.0100", "-1.25")
    assert quote.level == 4000
    assert repr(quote) == (
        "<test of a quote stock=AAPL size=100 number=0 move=-1.25 price=185.0100 "
        "level=4000.00000000 mark=>"
    )
    assert quote.record["size"] == 100
    assert {"stock", "price", "fields"} <= set(dir(quote))


@pytest.mark.modes
@given(st.binary(min_size=36, max_size=36))
def test_any_bytes_return_and_show(raw):
    quote = Message.read(QUOTE, raw)
    assert bytes(quote) == raw
    assert quote == Message.read(QUOTE, raw) and hash(quote) == hash(Message.read(QUOTE, raw))
    assert raw[1:9].isascii() is quote.stock.isascii() or "\\x" in quote.stock
    assert quote.number == int.from_bytes(raw[13:21], "big")
    assert quote.level * 10**8 == int.from_bytes(raw[27:35], "big")
    assert "\n" not in repr(quote) or b"\n" in raw


def test_what_a_message_shows_makes_it_again():
    quote = Message.of(QUOTE, type="q", stock="Z", number=2**64 - 1, level="184467440737.09551615")
    assert Message.of(QUOTE, **quote.fields) == quote
    assert quote != Message.of(QUOTE, type="q")
    assert quote != "a quote"


REFUSED = [
    ({"size": 2**32}, "give 0 to 4294967295"),
    ({"size": -1}, "does not fit into size"),
    ({"size": 1.5}, "give a whole number"),
    ({"size": True}, "give a whole number"),
    ({"stock": "NINELETTER"}, "at most 8 letters"),
    ({"stock": 7}, "at most 8 letters"),
    ({"mark": "ab"}, "at most 1 letters"),
    ({"price": "185.00001"}, "in steps of 1/10,000"),
    ({"price": "429496.7296"}, "give 0 to 429496"),
    ({"move": "-327.69"}, "does not fit into move"),
    ({"price": "much"}, "does not read as a number"),
    ({"shares": 1}, "no field 'shares'.*Its fields are type, stock"),
]


@pytest.mark.parametrize("values, words", REFUSED, ids=lambda value: str(value)[:30])
def test_what_does_not_fit_is_refused(values, words):
    with pytest.raises(InputError, match=words):
        Message.of(QUOTE, **values)


def test_a_wrong_length_and_a_wrong_name_are_told():
    with pytest.raises(InputError, match="has 36 bytes, not 35"):
        Message.read(QUOTE, bytes(35))
    with pytest.raises(AttributeError, match="has no 'shares'; it has type, stock"):
        _ = Message.of(QUOTE).shares
