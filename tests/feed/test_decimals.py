"""Text becomes units exactly as `hftlib.core.units` would have it, or is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core.errors import InputError
from hftlib.core.units import INT64_MAX, Unit
from hftlib.feed.decimals import NoNumberError, OffGridError, counter

UNITS = ["0.01", "0.00000001", "1/32", "0.5", "25", "1"]


@given(st.sampled_from(UNITS), st.integers(0, 10**12), st.integers(0, 9))
def test_it_answers_as_the_slow_door_does(unit, digits, decimals):
    text = f"{Decimal(digits).scaleb(-decimals):f}"
    try:
        expected = Unit(unit).count(text)
    except InputError:
        with pytest.raises(OffGridError):
            counter(unit, "price")(text)
    else:
        assert counter(unit, "price")(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", ".", "1.", ".5", "-1", "+1", "1e5", "1_0", " 1", "\u0661", "NaN", "1" * 41, None, 1.5],
)
def test_what_is_no_plain_number_is_refused(text):
    with pytest.raises(NoNumberError):
        counter("0.01", "price")(text)


def test_a_whole_number_need_not_be_text():
    assert counter("0.01", "price")(7) == 700
    with pytest.raises(NoNumberError):
        counter("0.01", "price")(True)


def test_int64_is_the_end():
    assert counter(1, "price")(str(INT64_MAX)) == INT64_MAX
    with pytest.raises(OffGridError):
        counter(1, "price")(str(INT64_MAX + 1))


@pytest.mark.parametrize(
    ("text", "fitting"), [("25.42618900", "0.000001"), ("1.05", "0.01"), ("7", "1"), ("7.0", "1")]
)
def test_a_refusal_names_a_unit_that_would_do(text, fitting):
    assert OffGridError(text).fitting == fitting
    counter(fitting, "price")(text)
