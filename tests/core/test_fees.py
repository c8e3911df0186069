"""Fees are exact to the money unit, rounded against us once, and never wrap."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.fees import FEES, PER_LOT_MAX, RATE_MAX, VALUE_MAX, Fees, fee_of
from hftlib.core.instruments import Instrument, Instruments

EXAMPLES = settings(max_examples=1000 if jit.COMPILED else 200)
MAKER, TAKER = 0, 1

rates = st.integers(-RATE_MAX, RATE_MAX) | st.integers(-10, 10)
amounts = st.integers(-PER_LOT_MAX, PER_LOT_MAX) | st.integers(-10, 10)
quantities = st.integers(0, 62).flatmap(lambda bits: st.integers(0, 1 << bits))
prices = st.integers(0, 62).flatmap(lambda bits: st.integers(-(1 << bits), 1 << bits))


def instrument(price_unit: str = "0.0001", lot_unit: str = "1") -> Instrument:
    table = Instruments()
    table.add("ACME", venue="XNAS", price_unit=price_unit, lot_unit=lot_unit)
    return table[0]


def laid(fees: Fees, of: Instrument | None = None) -> np.ndarray:
    place = np.zeros(1, FEES)
    fees.lay(place, instrument() if of is None else of)
    return place


def cost(place: np.ndarray, taker: int, price: int, quantity: int) -> int:
    return int(fee_of(place.ctypes.data, taker, price, quantity))


def twin(rate: int, per_lot: int, minimum: int, price: int, quantity: int) -> int:
    """The rule of the module, in fractions."""
    value = min(abs(price) * quantity, VALUE_MAX)
    sign = -1 if per_lot < 0 else 1
    millions = min(quantity // 10**6 * abs(per_lot), VALUE_MAX) * sign
    by_lot = millions + Fraction(quantity % 10**6 * per_lot, 10**6)
    fee = math.ceil(Fraction(value * rate, 10**9) + by_lot)
    return minimum if 0 < fee < minimum else fee


@pytest.mark.modes
@EXAMPLES
@given(rates, amounts, st.integers(0, 10**6), prices, quantities, st.booleans())
@example(RATE_MAX, PER_LOT_MAX, 0, 1 << 62, 1 << 62, True)
@example(-RATE_MAX, -PER_LOT_MAX, 0, -(1 << 62), 1 << 62, False)
@example(1, 0, 0, 1, 1, True)
@example(-1, -1, 0, 1, 1, True)
@example(1, 500_000, 0, 500_000_001, 1, True)
@example(999_999_999 // 2, 1, 0, 10**9 - 1, 10**6 - 1, True)
def test_the_fee_of_any_fill_is_the_fraction_rounded_up(
    rate, per_lot, minimum, price, quantity, taker
):
    place = np.zeros(1, FEES)
    role = "taker" if taker else "maker"
    place[f"{role}_rate"], place[f"{role}_per_lot"] = rate, per_lot
    place["minimum"] = minimum
    wanted = twin(rate, per_lot, minimum, price, quantity)
    assert cost(place, int(taker), price, quantity) == wanted
    other = MAKER if taker else TAKER
    assert cost(place, other, price, quantity) == 0


@pytest.mark.modes
def test_a_share_at_10_dollars_pays_and_earns_what_the_price_list_says():
    # 10.00 USD is 100,000 price units; 100 shares are worth 10,000,000 money units of 0.0001 USD.
    place = laid(Fees(maker="-0.2bp", taker="1.5bp"))
    assert cost(place, TAKER, 100_000, 100) == 1_500  # 0.15 USD
    assert cost(place, MAKER, 100_000, 100) == -200  # 0.02 USD back
    per_share = laid(Fees(maker_per_unit="-0.0020", taker_per_unit="0.0030"))
    assert cost(per_share, TAKER, 100_000, 100) == 3_000  # 0.30 USD
    assert cost(per_share, MAKER, 100_000, 100) == -2_000


@pytest.mark.modes
def test_a_part_of_a_money_unit_is_never_given_to_us():
    place = laid(Fees(maker="-1bp", taker="1bp"))
    assert cost(place, TAKER, 1, 1) == 1  # 0.0001 of a unit is charged as one
    assert cost(place, MAKER, 1, 1) == 0  # and as a rebate it is none
    assert cost(place, MAKER, 1, 19_999) == -1


@pytest.mark.modes
def test_a_coin_in_small_lots_costs_the_same_per_coin():
    coin = instrument(price_unit="0.01", lot_unit="0.00001")
    place = laid(Fees(taker_per_unit="2.5"), coin)
    # Two coins are 200,000 lots; five dollars are 50,000,000 money units of 0.0000001 USD.
    assert cost(place, TAKER, 6_000_000, 200_000) == 50_000_000


@pytest.mark.modes
def test_the_least_fee_is_for_fills_that_are_charged():
    place = laid(Fees(maker="-1bp", taker="1bp", minimum="0.35"))
    assert cost(place, TAKER, 100_000, 1) == 3_500
    assert cost(place, TAKER, 100_000, 10_000) == 100_000
    assert cost(place, MAKER, 100_000, 10_000) == -100_000
    assert cost(place, TAKER, 0, 1) == 0


@pytest.mark.modes
def test_memory_of_zeros_charges_nothing():
    assert cost(np.zeros(1, FEES), TAKER, 10**9, 10**9) == 0


@pytest.mark.parametrize(
    ("given_as", "counted"),
    [
        ("1.5bp", 150_000),
        ("1.5 bps", 150_000),
        ("-0.2bp", -20_000),
        ("0.02%", 200_000),
        ("0.00015", 150_000),
        (0.00015, 150_000),
        (Fraction(1, 8), 125_000_000),
        (0, 0),
    ],
)
def test_a_rate_may_be_written_in_each_of_these_ways(given_as, counted):
    assert laid(Fees(maker=given_as))["maker_rate"][0] == counted


def test_an_amount_finer_than_a_millionth_is_rounded_against_us():
    assert laid(Fees(taker_per_unit="0.00000000001"))["taker_per_lot"][0] == 1
    assert laid(Fees(taker_per_unit="-0.00000000001"))["taker_per_lot"][0] == 0


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"maker": "1.5 points"}, "does not read as a number"),
        ({"maker": "fast%"}, "does not read as a number"),
        ({"taker": 1}, "more than half of the value"),
        ({"taker": "1/3"}, "finer than a billionth"),
        ({"taker": None}, "not taken as a number"),
        ({"taker": float("nan")}, "not a finite number"),
        ({"minimum": -1}, "none"),
        ({"maker_per_unit": "cheap"}, "does not read as a number"),
    ],
)
def test_what_is_no_fee_is_refused_with_a_sentence(wrong, named):
    with pytest.raises(InputError, match=named):
        Fees(**wrong)


@pytest.mark.parametrize("wrong", [{"taker_per_unit": 10**9}, {"minimum": 10**20}])
def test_a_fee_beyond_what_the_record_holds_is_refused_when_laid(wrong):
    with pytest.raises(InputError, match="ACME"):
        laid(Fees(**wrong))


def test_memory_of_another_record_is_refused():
    with pytest.raises(InputError, match="no single FEES record"):
        Fees().lay(np.zeros(2, FEES), instrument())


def test_fees_read_as_text():
    assert Fees().text == "none"
    fees = Fees(maker="-0.2bp", taker="0.02%", taker_per_unit="0.0030", minimum="0.35")
    assert fees.text == (
        "maker -0.2 bp, taker 2 bp, taker 0.0030 per unit, at least 0.35 a charged fill"
    )
