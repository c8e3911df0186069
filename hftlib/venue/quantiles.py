"""Quantile tables: a distribution as whole numbers, from which a draw is one look and one line.

    body   1,025 values   at shares 0, 1/1024, 2/1024, ... 1
    tail   1,025 values   the last of these steps cut again: 1023/1024 + i/1048576

The rare long latencies are the ones that cost money, so the tail is kept to one in a million. Both
kinds of table are made with exact arithmetic (integers, the decimal module), never by the C
library, so they are the same bytes on any machine.

Worst case: 16 KB a table; a fraction of a second for the first lognormal one of a process.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np

STEPS = 1024
VALUES = 2 * (STEPS + 1)
_FINE = STEPS * STEPS
# The shares of a table's rows, as counts of 1 / 2**20.
_SHARES = [*range(0, _FINE + 1, STEPS), *range(_FINE - STEPS, _FINE + 1)]
_DIGITS = 40


def of_values(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The table of measured whole numbers; between two of them lies a straight line."""
    ordered = np.sort(values)
    last = len(ordered) - 1
    made = np.zeros(VALUES, np.int64)
    for row, share in enumerate(_SHARES):
        below, part = divmod(share * last, _FINE)
        low, high = int(ordered[below]), int(ordered[min(below + 1, last)])
        made[row] = low + (2 * (high - low) * part + _FINE) // (2 * _FINE)
    return made


def lognormal(median: int, p99: int, most: int) -> np.ndarray[Any, Any]:
    """The table of a lognormal distribution with these two quantiles, cut off at `most`.

    The first row and the last stand for the outermost millionth half way, for they have no end.
    """
    made = np.zeros(VALUES, np.int64)
    with localcontext() as context:
        context.prec = _DIGITS
        middle = Decimal(median).ln()
        spread = (Decimal(p99).ln() - middle) / normal_quantile(Fraction(99, 100))
        for row, z in enumerate(_normal_rows()):
            value = (middle + spread * z).exp()
            made[row] = min(int(value.to_integral_value(ROUND_HALF_EVEN)), most)
    return made


@cache
def _normal_rows() -> tuple[Decimal, ...]:
    half = Fraction(1, 2 * _FINE)
    return tuple(
        normal_quantile(min(max(Fraction(share, _FINE), half), 1 - half)) for share in _SHARES
    )


@cache
def normal_quantile(share: Fraction) -> Decimal:
    """Where the normal distribution has this share below, to some 30 digits."""
    if share > Fraction(1, 2):
        return -normal_quantile(1 - share)
    with localcontext() as context:
        context.prec = _DIGITS
        wanted = Decimal(share.numerator) / share.denominator
        # A float's digits may differ by machine; each step of Newton doubles those that do not.
        z = Decimal(NormalDist().inv_cdf(float(share)))
        for _ in range(2):
            density = (-z * z / 2).exp() / _ROOT_2_PI
            z -= (_normal_share(z) - wanted) / density
        return z.quantize(Decimal("1e-25"))


def _normal_share(z: Decimal) -> Decimal:
    """The normal distribution below z, by its series: all terms have one sign, so none cancel."""
    term = total = z
    odd = 1
    while abs(term) > Decimal("1e-38"):
        odd += 2
        term = term * z * z / odd
        total += term
    return Decimal("0.5") + total * (-z * z / 2).exp() / _ROOT_2_PI


_ROOT_2_PI = Decimal("2.506628274631000502415765284811045253006986740609938316629923576")
