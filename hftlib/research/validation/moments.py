"""A Sharpe ratio and how sure it is: the arithmetic, of single numbers, without a verdict.

    known = moments(values)                       Moments: sharpe, skew, kurtosis, steps
    probability(known, against=0.0)               that the true ratio is above `against`
    steps_needed(known, 0.0, 0.95)                how long a record would have to be
    expected_best(trials=100, variance=0.002)     what the best of so many does by luck alone

All ratios are of one step of time; an annual one is larger by the root of the steps in a year, and
an annual variance of ratios by the steps in a year. Kurtosis is 3 for a normal distribution.

Bailey and Lopez de Prado, "The Sharpe ratio efficient frontier" (2012) and "The deflated Sharpe
ratio" (2014). Both take steps for independent of each other: what moves together over several
steps is less sure than said. Worst case: a few passes over one series.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_NORMAL = NormalDist()
_FLAT = 1e-14


@dataclass(frozen=True)
class Moments:
    """Of one series; `sharpe` is not a number where the series never changes."""

    sharpe: float
    skew: float
    kurtosis: float
    steps: int

    @property
    def spread(self) -> float:
        """Variance of the ratio's estimate, times the steps: 1 for a normal series of no edge."""
        ratio = self.sharpe
        return max(0.0, 1.0 - self.skew * ratio + (self.kurtosis - 1.0) / 4.0 * ratio * ratio)


def moments(values: Array) -> Moments:
    most = float(np.abs(values).max(initial=0.0))
    if len(values) < 2 or most == 0.0:
        return Moments(math.nan, math.nan, math.nan, len(values))
    scaled = values / most  # a factor changes no moment, and squares of it may overflow
    off = scaled - scaled.mean()
    variance = float(np.mean(off * off))
    if variance <= _FLAT * float(np.mean(scaled * scaled)):
        return Moments(math.nan, math.nan, math.nan, len(values))
    ratio = float(scaled.mean()) / math.sqrt(variance * len(values) / (len(values) - 1))
    skew, kurtosis = float(np.mean(off**3)), float(np.mean(off**4))
    return Moments(ratio, skew / variance**1.5, kurtosis / variance**2, len(values))


def sharpes(values: Array) -> Array:
    """Of each column; 0 for one that never traded, not a number for another that never changes."""
    most = np.abs(values).max(axis=0, initial=0.0)
    if len(values) < 2:
        return np.full(values.shape[1], np.nan)
    scaled = values / np.where(most > 0, most, 1.0)
    mean, deviation = scaled.mean(axis=0), scaled.std(axis=0, ddof=1)
    flat = deviation <= math.sqrt(_FLAT)
    made = mean / np.where(flat, 1.0, deviation)
    return np.asarray(np.where(flat, np.where(most == 0, 0.0, np.nan), made))


def probability(known: Moments, against: float = 0.0) -> float:
    """That the true ratio is above `against` (PSR)."""
    if known.spread <= 0.0 or math.isnan(known.sharpe):
        return math.nan
    return _NORMAL.cdf((known.sharpe - against) * math.sqrt((known.steps - 1) / known.spread))


def steps_needed(known: Moments, against: float, certainty: float) -> float:
    """How many steps like these make it so certain; no number of them where it is not above."""
    if not known.sharpe > against:
        return math.inf
    return 1.0 + known.spread * (_NORMAL.inv_cdf(certainty) / (known.sharpe - against)) ** 2


def expected_best(trials: int, variance: float) -> float:
    """The best ratio among so many without any edge, their ratios varying by so much."""
    if trials < 2:
        return 0.0  # nothing was chosen
    gamma = float(np.euler_gamma)
    first = _NORMAL.inv_cdf(1.0 - 1.0 / trials)
    second = _NORMAL.inv_cdf(1.0 - 1.0 / (trials * math.e))
    return math.sqrt(variance) * ((1.0 - gamma) * first + gamma * second)


def neighbours(values: Array) -> float:
    """How much a step says about the next one: their correlation."""
    off = values - values.mean()
    below = float(off @ off)
    return float(off[1:] @ off[:-1]) / below if below > 0 else math.nan
