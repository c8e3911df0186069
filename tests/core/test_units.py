"""Unit is exact or refuses: properties, a slow twin made of Fractions, limits, every refusal."""

from __future__ import annotations

import copy
import math
import pickle
from dataclasses import FrozenInstanceError
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from hftlib.core.errors import InputError
from hftlib.core.units import (
    INT64_MAX,
    INT64_MIN,
    Unit,
    as_int64,
    exact_fraction,
    is_whole,
    refusal,
    shown,
)

GRIDS = ("0.0001", "0.01", "0.05", "0.5", "1", "100", "25000", "1/32", "1/3", "7/12", "1e-8")
GRIDS += ("1e-18", "1/9223372036854775807", "9223372036854775807", "3/9223372036854775807")
# Denominators of their own that no float64 holds, where dividing by the nearest one goes wrong.
GRIDS += ("1/9007199254740993", "7/9007199254740995", "1/6148914691236517205")
TEXT_GRIDS = tuple(grid for grid in GRIDS if Unit(grid).decimals is not None)

units = st.sampled_from(GRIDS).map(Unit)
text_units = st.sampled_from(TEXT_GRIDS).map(Unit)
counts = st.integers(INT64_MIN, INT64_MAX) | st.integers(-(10**6), 10**6)
# Every size of count has its own chance, the limits of float64 more than one.
counts |= st.integers(45, 62).flatmap(lambda power: st.integers(2**power, 2 ** (power + 1) - 1))
counts |= st.builds(int.__add__, st.sampled_from([2**50, 2**52, 2**53]), st.integers(-3, 3))


def slow_count(unit: Unit, value: float) -> int | None:
    """The twin of the float rule: every grid value within half a step of the float is tried."""
    if not math.isfinite(value):
        return None
    below, above = math.nextafter(value, -math.inf), math.nextafter(value, math.inf)
    if math.isinf(below) or math.isinf(above):
        return None
    low = (Fraction(below) + Fraction(value)) / 2 / unit.size
    high = (Fraction(above) + Fraction(value)) / 2 / unit.size
    first, last = math.ceil(low), math.floor(high)
    if last - first > 3:
        return None
    meant = [n for n in range(first, last + 1) if float(n * unit.size) == value]
    return meant[0] if len(meant) == 1 and INT64_MIN <= meant[0] <= INT64_MAX else None


def count_or_none(unit: Unit, value: Any) -> int | None:
    try:
        return unit.count(value)
    except InputError:
        return None


def refused(call: Any, *parts: str) -> InputError:
    with pytest.raises(InputError) as caught:
        call()
    for part in parts:
        assert part in str(caught.value), f"{part!r} is missing in {caught.value}"
    return caught.value


# --- there and back -----------------------------------------------------------------------------


@given(text_units, counts)
def test_text_and_decimal_come_back(unit: Unit, count: int) -> None:
    text = unit.text(count)
    assert unit.count(text) == count
    assert unit.value(count) == Decimal(text)
    assert Fraction(unit.value(count)) == unit.fraction(count) == count * unit.size
    assert unit.count(unit.value(count)) == count
    assert len(text.partition(".")[2]) == unit.decimals


@given(units, counts)
def test_fraction_comes_back(unit: Unit, count: int) -> None:
    fraction = unit.fraction(count)
    assert unit.count(fraction) == count
    assert unit.count(f"{fraction.numerator}/{fraction.denominator}") == count


@given(units, counts)
@example(Unit(1), 2**52 + 1)
def test_floats_come_back_or_are_refused(unit: Unit, count: int) -> None:
    nearest = float(count * unit.size)
    if abs(count) < 2**51:
        assert unit.count(nearest) == count
    else:
        assert count_or_none(unit, nearest) in (count, None)


@given(units, st.lists(counts, max_size=20))
def test_array_values_are_the_nearest_floats(unit: Unit, given_counts: list[int]) -> None:
    got = unit.values(np.array(given_counts, dtype=np.int64))
    assert got.dtype == np.float64
    assert got.tolist() == [float(count * unit.size) for count in given_counts]


# --- the slow twin and the two paths --------------------------------------------------------------


@st.composite
def floats_near(draw: st.DrawFn, unit: Unit) -> float:
    """Mostly grid values, a few steps of the float away from them, and anything else."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.floats())
    value = float(draw(counts) * unit.size)
    for _ in range(draw(st.integers(0, 2))):
        value = math.nextafter(value, draw(st.sampled_from([-math.inf, math.inf])))
    return value


@settings(deadline=None, max_examples=1000)
@given(st.data())
def test_scalar_floats_agree_with_the_twin(data: st.DataObject) -> None:
    unit = data.draw(units)
    value = data.draw(floats_near(unit))
    assert count_or_none(unit, value) == slow_count(unit, value)
    assert count_or_none(unit, np.float64(value)) == slow_count(unit, value)


@settings(deadline=None, max_examples=500)
@given(st.data())
def test_arrays_agree_with_scalars_element_by_element(data: st.DataObject) -> None:
    unit = data.draw(units)
    values = data.draw(st.lists(floats_near(unit), max_size=12))
    single = [count_or_none(unit, value) for value in values]
    good = [value for value, count in zip(values, single, strict=True) if count is not None]
    assert unit.counts(np.array(good)).tolist() == [count for count in single if count is not None]
    if None in single:
        first, bad = single.index(None), single.count(None)
        told = (f"price[{first}]", f"the first of {bad} refused among {len(values)} values")
        refused(lambda: unit.counts(np.array(values)), *told)


@given(units, st.sampled_from("bhilBHIL"), st.data())
def test_integer_arrays_agree_with_scalars(unit: Unit, code: str, data: st.DataObject) -> None:
    limits = np.iinfo(code)
    size = unit.size.numerator
    # Half of the values are multiples of the numerator, or hardly any would be on the grid.
    multiples = st.integers(limits.min // size, limits.max // size).map(lambda n: n * size)
    inside = st.integers(int(limits.min), int(limits.max))
    values = data.draw(st.lists(inside | multiples.filter(lambda n: n >= limits.min), max_size=9))
    single = [count_or_none(unit, value) for value in values]
    good = [value for value, count in zip(values, single, strict=True) if count is not None]
    answer = unit.counts(np.array(good, dtype=code))
    assert answer.dtype == np.int64
    assert answer.tolist() == [count for count in single if count is not None]
    assert single == [count_or_none(unit, np.dtype(code).type(value)) for value in values]
    if None in single:
        refused(lambda: unit.counts(np.array(values, dtype=code)), f"price[{single.index(None)}]")


@given(units, st.decimals(allow_nan=False, allow_infinity=False, places=6) | st.fractions())
def test_exact_kinds_agree_with_plain_division(unit: Unit, value: Decimal | Fraction) -> None:
    quotient = Fraction(value) / unit.size
    right = quotient.denominator == 1 and INT64_MIN <= quotient <= INT64_MAX
    assert count_or_none(unit, value) == (quotient.numerator if right else None)
    assert count_or_none(unit, str(value)) == count_or_none(unit, value)


@given(st.integers(-(10**15), 10**15), st.integers(0, 8))
def test_a_short_decimal_means_itself_as_a_float(digits: int, places: int) -> None:
    unit = Unit(Fraction(1, 10**places))
    value = float(Decimal(digits).scaleb(-places))
    assert unit.count(value) == digits == unit.count(repr(value))


@given(units, st.data())
def test_rounding_is_the_fraction_rounded(unit: Unit, data: st.DataObject) -> None:
    value = data.draw(st.fractions(-1000, 1000) | counts.map(lambda n: n * unit.size))
    quotient = value / unit.size
    assume(INT64_MIN <= quotient <= INT64_MAX)
    assert unit.rounded(value, "down") == math.floor(quotient)
    assert unit.rounded(value, "up") == math.ceil(quotient)
    assert unit.rounded(value, "nearest") == round(quotient)


def test_rounding_a_float_sees_the_grid_value_it_stands_for() -> None:
    cent = Unit("0.01")
    # The binary value of 0.29 lies under 0.29, and that of 0.1 over 0.1.
    assert cent.rounded(0.29, "down") == cent.rounded(0.29, "up") == 29
    assert cent.rounded(0.1, "up") == 10
    assert cent.rounded(0.1 + 0.2, "down") == 30
    assert cent.rounded(0.1 + 0.2, "up") == 31
    assert cent.rounded(-1.005, "down") == -101
    assert [cent.rounded(text, "nearest") for text in ("0.005", "0.015", "0.025")] == [0, 2, 2]


# --- what a unit is -------------------------------------------------------------------------------


def test_every_way_to_name_a_unit_gives_the_same_one() -> None:
    ways = ("0.25", "1/4", ".25", "25e-2", Decimal("0.250"), Fraction(1, 4), 0.25, np.float64(0.25))
    assert {Unit(way) for way in ways} == {Unit("0.25")}
    assert Unit(5) == Unit("5") == Unit(np.int32(5)) == Unit(5.0)
    assert Unit(0.1) == Unit("0.1")
    assert Unit("0.25") != Unit("0.5")


def test_a_unit_does_not_change_and_travels() -> None:
    unit = Unit("0.0001")
    with pytest.raises(FrozenInstanceError):
        unit.size = Fraction(1)  # type: ignore[misc]
    for other in (pickle.loads(pickle.dumps(unit)), copy.copy(unit), copy.deepcopy(unit)):
        assert other == unit and hash(other) == hash(unit) and other.decimals == 4


@pytest.mark.parametrize(
    ("grid", "text", "decimals"),
    [("0.0001", "0.0001", 4), ("1/32", "0.03125", 5), ("1/3", "1/3", None), ("100", "100", 0)],
)
def test_a_unit_reads_back_from_its_repr(grid: str, text: str, decimals: int | None) -> None:
    unit = Unit(grid)
    assert (str(unit), repr(unit), unit.decimals) == (text, f"Unit({text!r})", decimals)
    assert eval(repr(unit)) == unit


def test_text_has_the_decimals_of_the_grid() -> None:
    assert Unit("0.01").text(5) == "0.05"
    assert Unit("0.01").text(-5) == "-0.05"
    assert Unit("0.01").text(12300) == "123.00"
    assert Unit("1/32").text(3233) == "101.03125"
    assert Unit("100").text(-7) == "-700"
    assert str(Unit("1e-18").value(INT64_MIN)) == "-9.223372036854775808"


def test_floats_that_no_short_decimal_names() -> None:
    # The shortest decimals that print as these are off their grids, but the floats are exact.
    assert Unit("1/1024").count(123456789 + 1 / 1024) == 123456789 * 1024 + 1
    assert Unit("1/3").count(1 / 3) == 1
    assert Unit("1/3").counts(np.array([1 / 3, 2 / 3, -7.0])).tolist() == [1, 2, -21]


def test_zero_has_no_sign() -> None:
    assert Unit("0.01").count(-0.0) == 0
    assert Unit("0.01").count("-0.00") == 0
    assert Unit("0.01").text(0) == "0.00"
    assert not np.signbit(Unit("0.01").values(Unit("0.01").counts(np.array([-0.0]))))[0]


# --- arrays ---------------------------------------------------------------------------------------


def test_arrays_keep_their_shape_and_leave_the_input_alone() -> None:
    cent = Unit("0.01")
    table = np.array([[0.01, 0.02], [1.0, -3.5]])
    assert cent.counts(table).tolist() == [[1, 2], [100, -350]]
    assert cent.counts(table.T).tolist() == [[1, 100], [2, -350]]
    assert cent.counts(table[:, ::-1].astype(">f8")).tolist() == [[2, 1], [-350, 100]]
    assert cent.counts(np.array(0.5)).shape == ()
    assert cent.counts(np.array([])).tolist() == []
    assert cent.values(np.array([[1], [2]], dtype=np.uint8)).tolist() == [[0.01], [0.02]]
    assert table.tolist() == [[0.01, 0.02], [1.0, -3.5]]
    same = np.array([1, 2])
    assert not np.shares_memory(Unit(1).counts(same), same)


def test_a_bad_element_is_named_by_its_place() -> None:
    cent = Unit("0.01")
    table = np.array([[0.01, 0.02], [math.nan, 0.005]])
    refused(lambda: cent.counts(table, field="bid"), "nan", "bid[1, 0]", "2 refused among 4 values")
    refused(lambda: cent.counts(np.array([1.0, 1.005])), "1.005", "1.00", "1.01", "price[1]")
    huge = np.array([1, 2**63], dtype=np.uint64)
    refused(lambda: Unit(1).counts(huge), "9223372036854775808", "price[1]")
    refused(lambda: Unit(1).values(huge, field="lots"), "9223372036854775808", "lots[1]")


def test_a_column_of_nonsense_is_refused_without_the_slow_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[float] = []
    count = Unit.count
    spy = lambda self, value, **named: calls.append(value) or count(self, value, **named)  # noqa: E731
    monkeypatch.setattr(Unit, "count", spy)
    for nonsense in (1e300, math.inf, math.nan, 0.005):
        calls.clear()
        refused(lambda value=nonsense: Unit("0.01").counts(np.full(10**5, value)), "of 100000")
        assert len(calls) == 1


@pytest.mark.parametrize(
    "array",
    [
        [1.0, 2.0],
        1.0,
        None,
        "1.0",
        np.array([True]),
        np.array(["1.0"]),
        np.array([1.0], dtype=np.float32),
        np.array([1.0], dtype=np.longdouble),
        np.array([1 + 0j]),
        np.array([Decimal("1")]),
        np.array([1], dtype="M8[ns]"),
        np.array([1], dtype="m8[ns]"),
        np.ma.masked_array([1.0, 9e9], mask=[False, True]),
    ],
)
def test_other_arrays_are_refused(array: Any) -> None:
    refused(lambda: Unit(1).counts(array, field="ask"), "ask", type(array).__name__)
    refused(lambda: Unit(1).values(array, field="lots"), "lots", type(array).__name__)


def test_values_takes_counts_only() -> None:
    refused(lambda: Unit(1).values(np.array([1.0])), "counts", "integers")


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("grid", TEXT_GRIDS)
def test_the_limits_of_int64(grid: str) -> None:
    unit = Unit(grid)
    for limit, beyond in ((INT64_MAX, INT64_MAX + 1), (INT64_MIN, INT64_MIN - 1)):
        assert unit.count(limit * unit.size) == limit
        assert unit.count(unit.text(limit)) == limit
        assert unit.rounded(limit * unit.size, "up") == limit
        message = str(refused(lambda over=beyond: unit.count(over * unit.size), "price"))
        assert unit.text(limit) in message
        refused(lambda over=beyond: unit.text(over), "count", str(beyond))
        refused(lambda over=beyond: unit.fraction(over), "count", str(beyond))
        between = (2 * limit + (1 if limit > 0 else -1)) * unit.size / 2
        refused(lambda value=between: unit.rounded(value, "nearest"), "price", "does not fit")


def test_the_limits_of_int64_in_arrays() -> None:
    limits = np.array([INT64_MIN, INT64_MAX])
    assert Unit(1).counts(limits).tolist() == limits.tolist()
    assert Unit("0.5").counts(np.array([2**62 - 1, -(2**62)])).tolist() == [2**63 - 2, -(2**63)]
    refused(lambda: Unit("0.5").counts(np.array([2**62])), str(2**62), "price[0]")
    refused(lambda: Unit("0.5").counts(np.array([-(2**62) - 1])), str(-(2**62) - 1), "price[0]")


def test_the_limits_of_a_unit() -> None:
    assert Unit(INT64_MAX).count(INT64_MAX) == 1
    assert Unit(Fraction(1, 2**62)).decimals == 62
    for wrong in (INT64_MAX + 1, Fraction(1, INT64_MAX + 1), "0", "-0.01", 0, -1, 0.0, "1e-19"):
        refused(lambda size=wrong: Unit(size, field="tick"), shown(wrong), "tick", "positive")


def test_floats_that_stand_for_two_prices_are_refused() -> None:
    below = float(2**53 - 2)
    assert Unit(1).count(below) == 2**53 - 2
    refused(lambda: Unit(1).count(2.0**53), "9007199254740992", "9007199254740993", "text")
    refused(lambda: Unit("1e-18").count(1.5, field="quantity"), "1.5", "quantity", "text")
    assert Unit("1e-18").count("1.5") == 15 * 10**17


# --- refusals -------------------------------------------------------------------------------------


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, Decimal("NaN"), Decimal("-Inf")])
def test_what_is_not_finite_is_refused(value: Any) -> None:
    refused(lambda: Unit("0.01").count(value, field="bid"), str(value), "bid", "not a finite")
    refused(lambda: Unit(value), str(value), "unit", "not a finite")


@pytest.mark.parametrize(
    ("value", "below", "above"),
    [("1.005", "1.00", "1.01"), (-0.015, "-0.02", "-0.01"), (Fraction(1, 3), "0.33", "0.34")],
)
def test_off_grid_names_its_neighbours(value: Any, below: str, above: str) -> None:
    told = (shown(value), below, above, "limit_price", "Unit.rounded")
    refused(lambda: Unit("0.01").count(value, field="limit_price"), *told)


def test_off_lot_names_its_neighbours() -> None:
    refused(lambda: Unit(100).count(250, field="quantity"), "250", "200", "300", "quantity")
    refused(lambda: Unit("1/3").count("0.5"), "'0.5'", "1/3", "2/3", "price")


GARBAGE = ["", " ", "abc", "1,000.00", "1_000", " 1", "1 ", "1.2.3", "--1", "0x10", "1e", "1e9999"]
GARBAGE += [
    "nan",
    "inf",
    "Infinity",
    "\u0661",
    "\u00bd",
    "1/0",
    "1/2/3",
    "1/-2",
    ".",
    "\x00",
    "\ud800",
]
GARBAGE += ["9" * 200, "1\n"]


@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_text_is_refused(text: str) -> None:
    told = ("the value given as bid", shown(text)[:20])
    refused(lambda: Unit("0.01").count(text, field="bid"), *told)


NOT_NUMBERS = [True, False, np.True_, None, b"1.0", [1], (1,), {}, 1j, object(), Unshowable()]
NOT_NUMBERS += [np.array(1.0), np.timedelta64(1, "s"), np.datetime64("2026")]
NOT_NUMBERS += [np.float32(1.5), np.float16(1), np.longdouble(1)]


@pytest.mark.parametrize("value", NOT_NUMBERS)
def test_other_types_are_refused(value: Any) -> None:
    refused(lambda: Unit("0.01").count(value, field="bid"), "bid", type(value).__name__, "Decimal")
    refused(lambda: as_int64(value, "lots"), "lots", "whole number")
    refused(lambda: Unit("0.01").text(value), "count", "whole number")
    assert not is_whole(value)


@pytest.mark.parametrize("value", [Decimal("1e401"), Decimal("1e-401"), Decimal("1e999999")])
def test_endless_decimals_are_refused_before_they_cost_memory(value: Decimal) -> None:
    refused(lambda: Unit("0.01").count(value, field="bid"), "bid", str(value), "digits")


def test_numbers_too_long_to_print_are_refused_too() -> None:
    refused(lambda: Unit("0.01").count(10**5000, field="bid"), "a int that cannot be shown", "bid")
    refused(lambda: as_int64(10**5000, "lots"), "a int that cannot be shown", "lots")


@pytest.mark.parametrize("direction", ["sideways", "", "UP", None, 1, [], Unshowable()])
def test_a_direction_is_one_of_three(direction: Any) -> None:
    told = ("1.005", "bid", "'down'", "'nearest'", shown(direction))
    refused(lambda: Unit("0.01").rounded(1.005, direction, field="bid"), *told)


def test_thirds_have_no_decimal_text() -> None:
    for call in (Unit("1/3").text, Unit("1/3").value):
        refused(lambda method=call: method(2), "2 units of 1/3", "count", "fraction")


def test_a_message_is_one_bounded_line() -> None:
    assert shown("x" * 500) == "'" + "x" * 79 + "…"
    assert "\n" not in shown(np.ones((4, 4)))
    assert "the value given as bid" in str(refusal("it is wrong", "bid", "Mend it."))


anything = st.one_of(
    st.text(),
    st.binary(),
    st.integers(),
    st.floats(),
    st.decimals(allow_nan=True),
    st.fractions(),
    st.complex_numbers(),
    st.booleans(),
    st.none(),
    st.dates(),
    st.lists(st.integers(), max_size=3),
    st.from_regex(r"[-+0-9./eE_ ]{0,12}", fullmatch=True),
    st.sampled_from(
        [object(), Unshowable(), Unit, np.nan, Decimal("sNaN"), ..., {1: 2}, np.ones(2)]
    ),
)


@settings(deadline=None, max_examples=1000)
@given(anything, anything, units)
def test_only_input_error_ever_escapes(value: Any, other: Any, unit: Unit) -> None:
    array = np.empty(1, dtype=object)
    array[0] = value
    calls = (
        lambda: Unit(value),
        lambda: unit.count(value),
        lambda: unit.rounded(value, other),
        lambda: unit.rounded(value, "nearest"),
        lambda: unit.counts(value),
        lambda: unit.counts(array),
        lambda: unit.values(value),
        lambda: unit.text(value),
        lambda: unit.value(value),
        lambda: unit.fraction(value),
        lambda: exact_fraction(value, "field"),
        lambda: as_int64(value, "field"),
    )
    for call in calls:
        try:
            call()
        except InputError as error:
            assert error.what and error.where and error.do
