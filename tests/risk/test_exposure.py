"""Money: rounded to the nearest, and never beyond what sums can hold."""

import numpy as np
import pytest

from hftlib.core import jit
from hftlib.risk.exposure import MONEY_MAX, money

modes = pytest.mark.modes


@jit.compiled("int64(float64)")
def told(amount: float) -> int:
    return money(amount)


@modes
@pytest.mark.parametrize(
    ("amount", "whole"),
    [
        (0.0, 0),
        (0.49, 0),
        (0.5, 1),
        (-0.5, 0),
        (-0.51, -1),
        (1.5, 2),
        (2.0**53, 2**53),
        (2.0**56, MONEY_MAX),
        (2.0**57, MONEY_MAX),
        (-(2.0**56), -MONEY_MAX),
        (-(2.0**57), -MONEY_MAX),
        (np.inf, MONEY_MAX),
        (-np.inf, -MONEY_MAX),
        (np.nan, MONEY_MAX),
    ],
)
def test_money_is_whole_and_bounded(amount, whole):
    assert told(amount) == whole
