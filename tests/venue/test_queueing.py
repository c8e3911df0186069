"""The estimates of a queue position: against the formulas as one writes them, and their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest

from hftlib.venue.queueing import log_of, share_behind
from hftlib.venue.tables import LOG, POWER

pytestmark = pytest.mark.modes


def test_the_logarithm_is_the_logarithm():
    chance = np.random.default_rng(1)
    values = [1.0, 2.0, 3.0, 1 + 2.0**-52, 2.0**60]
    values += (1 + chance.random(200) * 2.0 ** chance.integers(0, 50, 200)).tolist()
    for value in values:
        assert log_of(value) == pytest.approx(math.log(value), rel=4e-16, abs=1e-18)


@pytest.mark.parametrize("ahead", [0.0, 1.0, 7.0, 1e6])
@pytest.mark.parametrize("behind", [0.0, 1.0, 30.0, 1e5])
def test_the_share_behind_is_what_the_formula_says(ahead: float, behind: float):
    if ahead + behind == 0:
        assert share_behind(LOG, 0, ahead, behind) == 1.0
        return
    logs = math.log1p(behind) / (math.log1p(behind) + math.log1p(ahead))
    assert share_behind(LOG, 0, ahead, behind) == pytest.approx(logs, rel=1e-14)
    for power in range(1, 9):
        wanted = behind**power / (behind**power + ahead**power)
        assert share_behind(POWER, power, ahead, behind) == pytest.approx(wanted, rel=1e-14)


def test_an_estimate_below_nothing_counts_as_nothing():
    assert share_behind(POWER, 2, -1.0, 5.0) == 1.0
    assert share_behind(POWER, 2, 5.0, -1.0) == 0.0
