"""Checked arithmetic: compiled and in Python the same values, and the same refusals."""

import math

import numpy as np
import pytest

from hftlib.core import jit
from hftlib.core.jit.checked import divisor, power, square, to_int, within

pytestmark = pytest.mark.modes
CASES = [0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, 1e-300, 3e9, -3e9, 2.0**62, -(2.0**63)]


@jit.compiled("int64(float64)")
def truncated(value):
    return to_int(value, 0, 1)


@jit.compiled("int64(float64)")
def floored(value):
    return to_int(value, 1, 1)


@jit.compiled("int64(float64)")
def raised(value):
    return to_int(value, 2, 1)


@jit.compiled("int64(float64)")
def rounded(value):
    return to_int(value, 3, 1)


@jit.compiled("int64(int64)")
def placed(index):
    return within(index, 5, 1)


@jit.compiled("float64(float64, float64)")
def powered(value, exponent):
    return power(value, exponent)


@jit.compiled("int64(int64)")
def squared(value):
    return square(value)


@jit.compiled("float64(float64)")
def divided(value):
    return 1.0 / divisor(value, 1)


@pytest.mark.parametrize("value", CASES)
def test_roundings_are_python_s_own(value):
    assert truncated(value) == int(value)
    assert floored(value) == math.floor(value)
    assert raised(value) == math.ceil(value)
    assert rounded(value) == round(value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 2.0**63, -(2.0**64)])
@pytest.mark.parametrize("how", [truncated, floored, raised, rounded])
def test_what_is_no_int64_is_refused(how, value):
    with pytest.raises(ValueError, match="64 bits"):
        how(value)


def test_an_index_has_to_be_within():
    assert [placed(index) for index in range(-5, 5)] == list(range(-5, 5))
    for index in (-6, 5, 2**40):
        with pytest.raises(IndexError, match="outside"):
            placed(index)


def test_zero_does_not_divide():
    assert divided(4.0) == 0.25 and math.isnan(divided(math.nan))
    for zero in (0.0, -0.0):
        with pytest.raises(ZeroDivisionError, match="division by zero"):
            divided(zero)


def test_powers_are_those_of_the_c_library():
    random = np.random.default_rng(5)
    pairs = random.uniform(-30, 30, (500, 2)).tolist()
    pairs += [(0.0, -1.0), (-0.0, -3.0), (-8.0, 1 / 3), (1e200, 2.5), (-1e200, 3.0), (2.0, -1.0)]
    for value, exponent in pairs:
        assert repr(powered(value, exponent)) == repr(power(value, exponent))
    assert squared(-7) == 49
