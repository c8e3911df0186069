"""Arithmetic of strategies that is the same in both modes, and that raises where C would not.

    whole(value)                 the value for an int field: a float is refused when compiling
    to_int(value, how, line)     int(), floor(), ceil(), round(); raises for what is no int64
    within(index, count, line)   the index, if an array of `count` items has it
    divisor(value, line)         the value, unless it is zero
    power(value, exponent)       the C library's pow, always a float
    square(value)                the value times itself

`how`, `count` and `line` are written into the code by whoever rewrites a strategy: numba's own
checks do not say in which line they failed. What is emitted: `checked_code.py`.
Worst case: uncompiled integers do not wrap.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from llvmlite import ir

from hftlib.core.jit.lowering import lowers

TRUNCATED, FLOOR, CEIL, ROUNDED = range(4)
_ROUNDINGS: tuple[Callable[[float], int], ...] = (int, math.floor, math.ceil, round)
NO_INT = "a number that is no whole number of 64 bits, or not a number at all, became an int"
OUTSIDE = "the index is outside of the array"
BY_ZERO = "division by zero"
FLOAT_FOR_INT = "a float is put where a whole number belongs"


def whole(value: int) -> int:
    if isinstance(value, float):
        raise TypeError(FLOAT_FOR_INT)
    return int(value)


def to_int(value: float, how: int, line: int) -> int:
    """The number as an int: by the rounding `how`."""
    del line
    if isinstance(value, float) and not -(2.0**63) <= value < 2.0**63:
        raise ValueError(NO_INT)
    return int(_ROUNDINGS[how](value))


def within(index: int, count: int, line: int) -> int:
    del line
    if isinstance(index, float):
        raise TypeError("an index is a whole number")
    if not -count <= index < count:
        raise IndexError(OUTSIDE)
    return index


def divisor(value: float, line: int) -> float:
    del line
    if value == 0:
        raise ZeroDivisionError(BY_ZERO)
    return value


def power(value: float, exponent: float) -> float:
    try:
        return math.pow(value, exponent)
    except (OverflowError, ValueError):
        # Python refuses what is infinite, or no real number.
        if value < 0 and not float(exponent).is_integer():
            return math.nan
        odd = float(exponent).is_integer() and int(exponent) % 2 == 1
        return math.copysign(math.inf, value) if odd else math.inf


@lowers(power, "float64(float64, float64)")
def _(_context: Any, builder: Any, value: Any, exponent: Any) -> Any:
    from numba.core import cgutils

    kind = ir.FunctionType(value.type, (value.type, value.type))
    run = cgutils.get_or_insert_function(builder.module, kind, "pow")
    # Known for what it is, it would become exp2, sqrt or a division wherever one of the two is a
    # constant, and those round otherwise.
    run.attributes.add("nobuiltin")
    return builder.call(run, [value, exponent])


def square(value: float) -> float:
    return value * value
