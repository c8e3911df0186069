"""Checked arithmetic: compiled and in Python the same values, and the same refusals."""

import math

import numpy as np
import pytest

from hftlib.core import jit
from hftlib.core.jit.checked import divisor, power, square, to_int, within
from hftlib.core.object_code import link

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


@jit.compiled("float64(float64)")
def halved(value):
    return power(0.5, value)


@jit.compiled("float64(float64)")
def doubled(value):
    return power(2.0, value)


@jit.compiled("float64(float64)")
def rooted(value):
    return power(value, 0.5)


@jit.compiled("float64(float64)")
def inverted(value):
    return power(value, -1.0)


@jit.compiled("float64(float64)")
def cubed(value):
    return power(value, 3.0)


def test_a_constant_makes_no_other_power_of_it():
    """A compiler knows shorter ways for these, which end in other last digits."""
    random = np.random.default_rng(6)
    for value in [*random.uniform(0.01, 40, 2_000).tolist(), 0.0, -0.0, math.inf, -math.inf]:
        assert repr(halved(value)) == repr(power(0.5, value))
        assert repr(doubled(value)) == repr(power(2.0, value))
        assert repr(rooted(value)) == repr(power(value, 0.5))
        assert repr(inverted(value)) == repr(power(value, -1.0))
        assert repr(cubed(value)) == repr(power(value, 3.0))


@jit.callback("float64(float64)")
def halved_for_a_file(value):
    return power(0.5, value)


@pytest.mark.skipif(not jit.COMPILED or jit.BOUNDS_CHECKED, reason="nothing is emitted then")
def test_a_power_can_be_emitted():
    call = jit.caller("float64(float64)")
    address = link(jit.emit(halved_for_a_file))
    for value in (3.25, 13.37, -7.1):
        assert call(address, value) == math.pow(0.5, value)
