"""A curve of equity and what is said of it: Sharpe with its error, drawdown.

A curve is what a strategy would own at each sample had it begun with nothing: cash, less fees,
plus what it holds at the middle of the book. While the book has no middle the last one known
counts; before there was any, what is held has no value and the curve no number (NaN).

Sharpe is the mean change over a step of a regular grid over its standard deviation, times the root
of how many steps a year has. The grid runs in trading time: stretches of more than half an hour in
which neither the market nor the position moved (nights, week-ends) are taken out. The step is the
largest of a ladder that leaves a hundred changes, and none finer than the samples. Its standard
error is that of Lo (2002) with the terms for skew and kurtosis (Mertens 2002):

    sqrt((1 - skew S + (kurtosis - 1) / 4 S^2) / n)     for a ratio S of n changes

It takes the changes as independent, so their autocorrelation stands beside it.

Worst case: a few arrays as long as the curve, and one sort of all its times.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
NS_PER_S = 10**9
QUIET_NS = 1800 * NS_PER_S
STEPS_NS = tuple(
    int(seconds * NS_PER_S) for seconds in (0.001, 0.01, 0.1, 1, 5, 10, 30, 60, 300, 900, 3600)
)
CHANGES_WANTED = 100


@dataclass(frozen=True, slots=True)
class Series:
    """One instrument's samples, in currency and units; `mid` is the last one known."""

    times: Array
    position: Array
    cash: Array
    fees: Array
    mid: Array
    volume: Array
    worth: float  # of a price of 1 times a quantity of 1

    @property
    def holding(self) -> Array:
        """What the position is worth."""
        return np.where(self.position == 0, 0.0, self.position * self.mid * self.worth)


@dataclass(frozen=True, slots=True)
class Curve:
    """Equity over time, of one instrument or of several of one currency."""

    times: Array
    gross: Array
    net: Array
    exposure: Array  # what is held, long and short added
    exposure_net: Array  # long less short
    moved: Array  # whether anything changed since the sample before


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall below an earlier top, and the longest time below one."""

    depth: float
    begin: int  # the top before it
    trough: int
    end: int  # when that top was reached again, or the end of the curve
    longest_ns: int

    @property
    def duration_ns(self) -> int:
        return self.end - self.begin


@dataclass(frozen=True, slots=True)
class Sharpe:
    """The ratio of a year and its standard error, and what they were taken from."""

    ratio: float
    error: float
    step_ns: int
    changes: int
    skew: float
    kurtosis: float
    autocorrelation: float


def curve_of(series: list[Series]) -> Curve:
    """The sum of these, at every time at which one of them has a sample."""
    times = np.unique(np.concatenate([np.zeros(0, np.int64), *(one.times for one in series)]))
    sums = {name: np.zeros(len(times)) for name in ("gross", "fees", "exposure", "exposure_net")}
    moved = np.zeros(len(times), bool)
    for one in series:
        at = np.searchsorted(one.times, times, side="right") - 1
        there = at >= 0
        holding = one.holding
        sums["gross"] += _taken(one.cash + holding, at, there)
        sums["fees"] += _taken(one.fees, at, there)
        sums["exposure"] += _taken(np.abs(holding), at, there)
        sums["exposure_net"] += _taken(holding, at, there)
        moved[1:] |= _changed(one, at)
    return Curve(
        times=times,
        gross=sums["gross"],
        net=sums["gross"] - sums["fees"],
        exposure=sums["exposure"],
        exposure_net=sums["exposure_net"],
        moved=moved,
    )


def drawdown_of(times: Array, values: Array) -> Drawdown:
    """The drawdown of a curve; its start counts as a top."""
    known = ~np.isnan(values)
    times, values = times[known], values[known]
    if not len(values):
        return Drawdown(0.0, 0, 0, 0, 0)
    depths = np.maximum.accumulate(values) - values
    worst = int(np.argmax(depths))
    if depths[worst] == 0:
        return Drawdown(0.0, int(times[0]), int(times[0]), int(times[0]), 0)
    # Where the depth is zero the curve is at its top; the first value always is.
    tops = np.flatnonzero(depths == 0)
    after = int(np.searchsorted(tops, worst))
    end = tops[after] if after < len(tops) else len(times) - 1
    return Drawdown(
        depth=float(depths[worst]),
        begin=int(times[tops[after - 1]]),
        trough=int(times[worst]),
        end=int(times[end]),
        longest_ns=_longest_below(times, depths),
    )


def sharpe_of(curve: Curve, begin: int, year_s: float, step_ns: int | None = None) -> Sharpe:
    """Sharpe of the net curve, which was zero at `begin`."""
    clock, values = _trading_time(curve, begin)
    span = int(clock[-1]) if len(clock) else 0
    step = step_ns or _step_for(span, clock)
    grid = np.arange(0, span + 1, step) if span else np.zeros(0, np.int64)
    at = np.searchsorted(clock, grid, side="right") - 1
    changes = np.diff(values[at]) if len(grid) else np.zeros(0)
    changes = changes[~np.isnan(changes)]
    count = len(changes)
    spread = float(changes.std(ddof=1)) if count > 1 else 0.0
    if count < 2 or spread <= 1e-12 * float(np.abs(changes).max()):
        nan = float("nan")
        return Sharpe(nan, nan, step, count, nan, nan, nan)
    centred = changes - changes.mean()
    second = float(np.mean(centred**2))
    skew = float(np.mean(centred**3)) / second**1.5
    kurtosis = float(np.mean(centred**4)) / second**2
    ratio = float(changes.mean()) / spread
    variance = (1 - skew * ratio + (kurtosis - 1) / 4 * ratio**2) / count
    scale = (year_s * NS_PER_S / step) ** 0.5
    follow = float(np.sum(centred[1:] * centred[:-1]) / np.sum(centred**2))
    error = max(0.0, variance) ** 0.5 * scale
    return Sharpe(ratio * scale, error, step, count, skew, kurtosis, follow)


def _taken(values: Array, at: Array, there: Array) -> Array:
    """The value last sampled, nothing before the first sample."""
    if not len(values):
        return np.zeros(len(at))
    return np.where(there, values[np.maximum(at, 0)], 0.0)


def _changed(one: Series, at: Array) -> Array:
    if not len(one.times):
        return np.zeros(max(0, len(at) - 1), bool)
    found = np.zeros(len(at) - 1, bool)
    for values in (one.position, one.cash, one.fees, one.volume, one.mid):
        taken = values[np.maximum(at, 0)]
        equal = (taken[1:] == taken[:-1]) | (np.isnan(taken[1:]) & np.isnan(taken[:-1]))
        found |= ~equal
    return found


def _longest_below(times: Array, depths: Array) -> int:
    """The longest time from a top to the next moment at one, with a fall between them."""
    below = np.flatnonzero(depths > 0)
    breaks = np.diff(below) > 1
    tops = below[np.append(True, breaks)] - 1
    ends = np.minimum(below[np.append(breaks, True)] + 1, len(times) - 1)
    return int((times[ends] - times[tops]).max())


def _trading_time(curve: Curve, begin: int) -> tuple[Array, Array]:
    """Nanoseconds since `begin` in which the market was awake, and the net curve there."""
    if not len(curve.times):
        return np.zeros(0, np.int64), np.zeros(0)
    begin = min(begin, int(curve.times[0]))
    times = np.append(begin, curve.times)
    values = np.append(0.0, curve.net)
    awake = np.append(True, curve.moved)
    awake[-1] = True
    if len(times) > 1:
        awake[1] = True
    knots = times[awake]
    lengths = np.diff(knots)
    lengths[lengths > QUIET_NS] = 0
    clock_at_knots = np.append(0, np.cumsum(lengths))
    place = np.searchsorted(knots, times, side="right") - 1
    after = np.minimum(times - knots[place], np.append(lengths, 0)[place])
    return clock_at_knots[place] + after, values


def _step_for(span: int, clock: Array) -> int:
    """The largest step that leaves a hundred changes, but none finer than the samples are."""
    spacing = float(np.median(np.diff(clock))) if len(clock) > 1 else 0.0
    coarse = [step for step in STEPS_NS if step >= 0.9 * spacing] or [STEPS_NS[-1]]
    fitting = [step for step in coarse if span // step >= CHANGES_WANTED]
    return fitting[-1] if fitting else coarse[0]
