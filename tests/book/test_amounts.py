"""Amounts are what exact arithmetic gives, in no more digits than they need."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sights import table

from hftlib.book.amounts import Amounts


def amounts(**facts: Any) -> Amounts:
    return Amounts(table("X", **facts)[0])


COUNTS = st.integers(-(2**56), 2**56)
UNITS = st.sampled_from(["0.0001", "0.01", "1", "5", "0.25", "1/32", "1e-8"])


@given(COUNTS, COUNTS, UNITS, st.integers(1, 10**5))
def test_texts_are_exact_and_equally_long(one, other, unit, tick):
    told = amounts(price_unit=unit, tick=tick)
    decimals = told.decimals((one, other))
    size = Fraction(unit)
    for count in (one, other):
        text = told.price_text(count, decimals)
        assert Fraction(text.replace(",", "")) == count * size
        assert len(text.partition(".")[2]) == decimals
    assert Fraction(told.mid_text(one, other).replace(",", "")) == (one + other) * size / 2
    if decimals:  # one less would not do for all of them
        assert any((n * size * 10 ** (decimals - 1)).denominator > 1 for n in (one, other, tick))


@given(COUNTS, UNITS)
def test_numbers_are_the_nearest_floats(count, unit):
    told = amounts(price_unit=unit, lot_unit=unit)
    assert told.price(count) == float(count * Fraction(unit))
    assert told.price(count, 2) == float(count * Fraction(unit) / 2)
    assert told.quantity(count) == (
        count * int(unit) if unit in ("1", "5") else float(count * Fraction(unit))
    )
    assert Fraction(told.quantity_text(count).replace(",", "")) == count * Fraction(unit)


def test_cents_are_cents_until_a_price_is_finer():
    told = amounts(tick=100)
    assert told.decimals([2894700]) == 2 and told.price_text(2894700, 2) == "289.47"
    assert told.decimals([2894700, 2894750]) == 3 and told.price_text(2894700, 3) == "289.470"
    assert told.mid_text(2894700, 2894800) == "289.475"
    assert told.mid_text(2894700, 2894900) == "289.48"
    assert amounts(tick=1).decimals([10000]) == 4


def test_a_unit_without_an_end_is_shown_to_nine_digits():
    told = amounts(price_unit="1/7", lot_unit="1/3")
    assert told.decimals([3]) == 0
    assert told.price_text(3, 0) == "0.428571429" and told.quantity_text(2) == "0.666666667"
    assert told.mid_text(3, 4) == "0.5"


@pytest.mark.parametrize(
    ("kind", "noun"),
    [("equity", "shares"), ("future", "contracts"), ("", "quantity")],
)
def test_heads_name_the_unit(kind, noun):
    assert amounts(kind=kind).quantity_head == noun
    assert amounts(currency="EUR").price_head == "price EUR"
    assert amounts(currency="").price_head == "price"
