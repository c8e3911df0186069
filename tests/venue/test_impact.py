"""Impact moves later prices against us, fades by its half life, and is the same on any machine."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.events import BUY, SELL
from hftlib.core.instruments import Instrument, Instruments
from hftlib.venue.impact import (
    IMPACT,
    NOTHING,
    SHIFT_MAX,
    Impact,
    impact_after_fill,
    impact_shift,
    share_left,
    shifted,
)

EXAMPLES = settings(max_examples=300 if jit.COMPILED else 60)
SECOND = 10**9
NOON = 1_795_262_400 * SECOND


def instrument(lot_unit: str = "1") -> Instrument:
    """A tick is 100 price units."""
    table = Instruments()
    table.add("ACME", venue="XNAS", tick=100, lot_unit=lot_unit)
    return table[0]


def laid(impact: Impact, of: Instrument | None = None) -> np.ndarray:
    place = np.zeros(1, IMPACT)
    impact.lay(place, instrument() if of is None else of)
    return place


def take(place: np.ndarray, side: int, quantity: int, time: int) -> None:
    impact_after_fill(place.ctypes.data, side, quantity, time)


def shift(place: np.ndarray, time: int) -> int:
    return int(impact_shift(place.ctypes.data, time))


class Twin:
    """The formula of the module, with the C library's powers and every fill kept."""

    def __init__(self, permanent: float, transient: float, half_life: int, exponent: float):
        self.terms = permanent, transient
        self.half_life, self.exponent = half_life, exponent
        self.fills: list[tuple[int, int]] = []

    def shift(self, time: int) -> float:
        net = sum(signed for _, signed in self.fills)
        # The count fades faster than the shift where the shift is its root.
        rate = 1 / (self.half_life * self.exponent)
        fading = math.fsum(signed * 2.0 ** (-(time - at) * rate) for at, signed in self.fills)
        return sum(
            term * math.copysign(abs(count) ** self.exponent, count)
            for term, count in zip(self.terms, (net, fading), strict=True)
        )


@pytest.mark.modes
def test_a_thousand_shares_move_the_price_as_it_was_written():
    place = laid(Impact(permanent="0.1", transient=1, half_life="30s", per=1000))
    assert shift(place, NOON) == 0
    take(place, BUY, 1000, NOON)
    assert shift(place, NOON) == 110  # 0.1 and 1 ticks of 100 price units
    assert shift(place, NOON + 30 * SECOND) == 60
    assert shift(place, NOON + 60 * SECOND) == 35
    assert shift(place, NOON + 3600 * SECOND) == 10


@pytest.mark.modes
def test_by_the_root_four_times_as_much_moves_twice_as_far():
    place = laid(Impact(transient=1, half_life="30s", exponent=0.5, per=1000))
    take(place, SELL, 1000, NOON)
    assert shift(place, NOON) == -100
    take(place, SELL, 3000, NOON)
    assert shift(place, NOON) == -200
    assert shift(place, NOON + 30 * SECOND) == -100  # the half life is that of the shift


@pytest.mark.modes
@pytest.mark.parametrize("exponent", [1, 0.5])
def test_a_trade_in_pieces_shifts_as_far_as_the_whole(exponent):
    terms = Impact(permanent=1, transient=2, exponent=exponent, per=100)
    whole, pieces = laid(terms), laid(terms)
    take(whole, BUY, 700, NOON)
    for quantity in (1, 99, 250, 350):
        take(pieces, BUY, quantity, NOON)
    assert shift(whole, NOON) == shift(pieces, NOON)
    assert shift(whole, NOON + SECOND) == shift(pieces, NOON + SECOND)


@pytest.mark.modes
def test_what_is_bought_and_sold_again_at_once_leaves_nothing():
    place = laid(Impact(permanent=1, transient=2, per=100))
    take(place, BUY, 300, NOON)
    take(place, SELL, 300, NOON)
    assert shift(place, NOON) == 0


@pytest.mark.modes
def test_a_shift_makes_a_price_worse_and_never_better():
    place = laid(Impact(permanent=1, per=100))
    take(place, BUY, 100, NOON)
    at = place.ctypes.data
    assert shifted(at, BUY, 5000, NOON) == 5100
    assert shifted(at, SELL, 5000, NOON) == 5000
    take(place, SELL, 200, NOON)
    assert shifted(at, BUY, 5000, NOON) == 5000
    assert shifted(at, SELL, 5000, NOON) == 4900


@pytest.mark.modes
def test_a_part_of_a_price_unit_counts_as_a_whole_one_until_it_is_nothing():
    place = laid(Impact(transient="0.01", half_life="1s", per=1))
    take(place, SELL, 1, NOON)  # one price unit
    assert shift(place, NOON) == -1
    assert shift(place, NOON + 9 * SECOND) == -1
    assert shift(place, NOON + 10 * SECOND) == 0  # 1/1024 is nothing


@pytest.mark.modes
def test_zeros_are_no_impact_and_neither_is_one_without_terms():
    for place in (np.zeros(1, IMPACT), laid(Impact())):
        take(place, BUY, 10**9, NOON)
        assert shift(place, NOON + 1) == 0


@pytest.mark.modes
def test_the_shift_ends_somewhere():
    place = laid(Impact(permanent=10**6, per=1))
    lots = SHIFT_MAX // 10**8  # a lot moves it by a million ticks
    take(place, SELL, lots, NOON)
    assert shift(place, NOON) == -lots * 10**8
    take(place, SELL, 1, NOON)
    assert shift(place, NOON) == -SHIFT_MAX
    take(place, SELL, 1 << 62, NOON)
    assert shift(place, NOON) == -SHIFT_MAX


@pytest.mark.modes
def test_time_that_steps_back_fades_nothing_and_leaves_no_future():
    place = laid(Impact(transient=1, half_life="1s", per=1))
    take(place, BUY, 1, NOON)
    take(place, BUY, 1, NOON - SECOND)
    assert shift(place, NOON - SECOND) == 200
    assert shift(place, NOON + SECOND) == 100


@pytest.mark.modes
def test_lots_smaller_than_one_are_counted_in_coins():
    place = laid(Impact(permanent=1, per=2), instrument(lot_unit="0.001"))
    take(place, BUY, 2000, NOON)
    assert shift(place, NOON) == 100


@pytest.mark.modes
@pytest.mark.parametrize("exponent", [1, 0.5])
def test_a_random_day_agrees_with_the_formula(exponent):
    chance = random.Random(7)
    place = laid(Impact(permanent="0.3", transient="1.7", half_life="5s", exponent=exponent, per=9))
    tick = 100 / 9**exponent
    twin = Twin(0.3 * tick, 1.7 * tick, 5 * SECOND, exponent)
    time = NOON
    for _ in range(300):
        time += chance.randrange(3 * SECOND)
        side, quantity = chance.choice((BUY, SELL)), chance.randrange(1, 500)
        take(place, side, quantity, time)
        twin.fills.append((time, quantity if side == BUY else -quantity))
        later = time + chance.randrange(20 * SECOND)
        exact, found = twin.shift(later), shift(place, later)
        assert abs(exact) - NOTHING - 1e-6 <= abs(found) < abs(exact) + 1 + 1e-6
        assert found == 0 or (found > 0) == (exact > 0)


@pytest.mark.modes
@EXAMPLES
@given(st.integers(0, 1 << 62), st.integers(1, 1 << 52))
@example(1099, 1)
@example(1100, 1)
def test_what_is_left_is_the_power_of_two(elapsed, half_life):
    left = share_left(elapsed, half_life)
    halves = Fraction(elapsed, half_life)
    if halves > 1000:
        assert 0 <= left < 1e-300
    else:
        assert left == pytest.approx(2.0 ** -float(halves), rel=1e-12)
    assert share_left(elapsed + half_life, half_life) <= left


@pytest.mark.modes
def test_the_very_bits_of_what_is_left_are_those_of_any_machine():
    """Recorded once: compiled, uncompiled and elsewhere must find the same ones."""
    found = [float(share_left(n * 7_919_191, 30_000_017)).hex() for n in (0, 1, 2, 3, 50, 999)]
    assert found == [
        "0x1.0000000000000p+0",
        "0x1.aa63a330b8533p-1",
        "0x1.6317e0f2e2962p-1",
        "0x1.27b7f875f9aeep-1",
        "0x1.be2416445c41ap-14",
        "0x1.393b77654f19cp-264",
    ]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"permanent": -1}, "none"),
        ({"transient": "much"}, "does not read as a number"),
        ({"half_life": 0}, "no half life"),
        ({"half_life": "soon"}, "does not read as a duration"),
        ({"exponent": 2}, "not an exponent"),
        ({"per": 0}, "no quantity"),
    ],
)
def test_what_is_no_impact_is_refused_with_a_sentence(wrong, named):
    with pytest.raises(InputError, match=named):
        Impact(**wrong)


def test_memory_of_another_record_is_refused():
    with pytest.raises(InputError, match="no single IMPACT record"):
        Impact().lay(np.zeros(64, np.uint8), instrument())


def test_impact_reads_as_text():
    assert Impact(permanent="0.1", transient=1, half_life="30s", per=1000).text == (
        "ticks: 0.1 for good and 1 with a half life of 30 s, per 1000 taken, by the quantity"
    )
