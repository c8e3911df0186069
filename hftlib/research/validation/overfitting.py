"""Probability of backtest overfitting, by combinatorially symmetric cross-validation (CSCV).

    pbo(sweep.pnl)                         in how many halves of the time does the best trial of
                                           the other half do no better than the middle one
    pbo(matrix, slices=24, samples=20_000) some of the ways to choose halves, drawn by `seed`

Time is cut into `slices` pieces. Each way to choose half of them is one experiment: the best trial
of the chosen half is looked up in the other half. Where it stands there, from 0 (the worst) to 1,
is what the search for the best is worth. Noise gives about one half, an edge hardly any.

Each experiment needs sums and sums of squares by slice only, so all of them are two products of
matrices. Trials that are the same up to a factor are computed once and counted as often as they
are there. Worst case: memory of a few blocks of 2 M numbers; experiments times trials of time.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.research import charts
from hftlib.research.sheets import Sheet
from hftlib.research.validation.given import Matrix, matrix_of, one_of, percent, share, whole
from hftlib.research.validation.verdict import Verdict
from hftlib.terminal import patience

Array = np.ndarray[Any, Any]
NAME = "Probability of backtest overfitting"
WAYS_MAX = 200_000
SLICES_MAX = 64
ROWS_A_SLICE = 5  # fewer are no sample of what a slice is like
_BLOCK = 2_000_000
_DECIMALS = 12  # beyond them two performances differ by rounding alone
_FLAT = 1e-14


@dataclass(frozen=True)
class Cscv:
    """For each experiment: who was chosen, what it did inside and outside, where it stood."""

    chosen: Array
    inside: Array
    outside: Array
    place: Array  # from 0, the worst, to 1

    @property
    def overfitted(self) -> float:
        return float(np.mean(self.place <= 0.5))


def pbo(
    trials: Any,
    slices: int = 16,
    *,
    at_most: float = 0.2,
    statistic: str = "sharpe",
    samples: int | None = None,
    seed: int = 0,
) -> Verdict:
    """How often the best trial of one half of the time is in the lower half in the other."""
    matrix = matrix_of(trials, "pbo")
    at_most, statistic = share(at_most, "at_most"), one_of(statistic, "statistic", _STATISTICS)
    slices = _even(slices)
    ways = _ways(slices, samples, whole(seed, "seed", 0))
    firsts, copies = different(matrix.values, statistic == "sharpe")
    figures: dict[str, Any] = {
        "probability of overfitting": math.nan,
        "at most": at_most,
        "trials": matrix.columns,
        "different trials": len(firsts),
        "steps of time": matrix.rows,
        "slices": slices,
        "experiments": len(ways),
    }
    lacking = _lacking(matrix, len(firsts), slices)
    if lacking:
        return Verdict(NAME, None, lacking, figures)
    found = cscv(matrix.values[:, firsts], copies, ways, statistic)
    figures["probability of overfitting"] = chance = found.overfitted
    figures["chance of a loss outside"] = float(np.mean(found.outside < 0))
    figures["slope of outside against inside"] = _slope(found)
    said = (
        f"In {percent(chance)} of {len(ways):,} experiments the best of {matrix.columns:,} trials "
        f"in one half of the time was no better than the middle one in the other half; at most "
        f"{percent(at_most)} are allowed. "
    )
    passed = chance <= at_most
    said += (
        "What was best stays good, so the choice holds more than luck."
        if passed
        else "What was best does not stay good: the choice is little more than luck."
    )
    picture = charts.histogram(
        found.place,
        title="Where the best trial inside stood outside",
        across="share of trials that it beat",
        marks={"worst": 0.0, "middle": 0.5, "best": 1.0},
    )
    return Verdict(NAME, passed, said, figures, picture, (_chosen(found, matrix, firsts),))


def cscv(values: Array, copies: Array, ways: Array, statistic: str = "sharpe") -> Cscv:
    """The experiments: `ways` has a row for each, 1 for the slices inside and 0 for the others."""
    slices = ways.shape[1]
    bounds = np.linspace(0, len(values), slices + 1).astype(np.int64)  # as equal as can be
    scale = np.abs(values).max(axis=0 if statistic == "sharpe" else None)
    scaled = values / np.where(scale > 0, scale, 1.0)
    centre = scaled.mean(axis=0)
    scaled = scaled - centre  # a variance from sums loses its digits to a large mean
    sums = np.add.reduceat(scaled, bounds[:-1], axis=0)
    squares = np.add.reduceat(scaled * scaled, bounds[:-1], axis=0)
    sliced = (sums, squares, np.diff(bounds).astype(float), centre)
    total, columns = float(copies.sum()), values.shape[1]
    made: list[tuple[Array, ...]] = []
    block = max(1, _BLOCK // columns)
    with patience() as advance:
        for first in range(0, len(ways), block):
            some = ways[first : first + block].astype(float)
            inside = _performance(some, *sliced, statistic)
            outside = _performance(1.0 - some, *sliced, statistic)
            rows, best = np.arange(len(some)), inside.argmax(axis=1)
            reached = outside[rows, best]
            below = (outside < reached[:, None]) @ copies
            equal = (outside == reached[:, None]) @ copies
            place = (below + (equal + 1.0) / 2) / (total + 1.0)
            made.append((best, inside[rows, best], reached, place))
            advance((first + len(some)) / len(ways), "experiments")
    return Cscv(*(np.concatenate(one) for one in zip(*made, strict=True)))


def different(values: Array, scaled: bool = True) -> tuple[Array, Array]:
    """The first of each kind of column, and how many there are; a factor makes no other kind."""
    most = np.abs(values).max(axis=0 if scaled else None, initial=0.0)
    unit = np.round(values / np.where(most > 0, most, 1.0), _DECIMALS) + 0.0
    kinds: dict[bytes, list[int]] = {}
    for number, column in enumerate(np.ascontiguousarray(unit.T)):
        kinds.setdefault(column.tobytes(), []).append(number)
    firsts = np.array([one[0] for one in kinds.values()], np.int64)
    return firsts, np.array([float(len(one)) for one in kinds.values()])


def _performance(
    ways: Array, sums: Array, squares: Array, counts: Array, centre: Array, statistic: str
) -> Array:
    """Of each experiment and trial; who never traded in these slices brought nothing."""
    count = (ways @ counts)[:, None]
    moved = ways @ sums / count
    mean = moved + centre
    if statistic == "pnl":
        return np.round(mean, _DECIMALS)
    spread = ways @ squares / count
    variance = (spread - moved * moved) * count / (count - 1.0)
    flat = variance <= _FLAT * np.maximum(spread, np.finfo(float).tiny)
    made = mean / np.sqrt(np.where(flat, 1.0, variance))
    always = np.where(np.abs(mean) <= 1e-9, 0.0, np.copysign(np.inf, mean))
    return np.round(np.where(flat, always, made), _DECIMALS)


def _even(slices: Any) -> int:
    slices = whole(slices, "slices", 4, SLICES_MAX)
    if slices % 2:
        do = f"Give an even number, such as {slices - 1} or {slices + 1}: half of them are chosen."
        raise InputError(f"{slices} slices have no half", where="slices", do=do)
    return slices


def _ways(slices: int, samples: int | None, seed: int) -> Array:
    """A row for each way to choose half of the slices; each beside what it leaves."""
    half, there = slices // 2, math.comb(slices, slices // 2)
    if samples is None and there > WAYS_MAX:
        what = f"{slices} slices can be halved in {there:,} ways, more than {WAYS_MAX:,}"
        do = "Give slices=16, or samples=20_000 to draw some of the ways."
        raise InputError(what, where="slices", do=do)
    if samples is None or whole(samples, "samples", 100, WAYS_MAX) >= there:
        chosen = np.array(list(itertools.combinations(range(slices), half)))
        ways = np.zeros((there, slices), np.int8)
        ways[np.arange(there)[:, None], chosen] = 1
        return ways
    draw = np.random.default_rng(seed).random((samples // 2, slices))
    some = (np.argsort(np.argsort(draw, axis=1), axis=1) < half).astype(np.int8)
    return np.concatenate([some, 1 - some])


def _lacking(matrix: Matrix, kinds: int, slices: int) -> str:
    """Why nothing can be told, or nothing."""
    if matrix.columns < 2:
        return f"{matrix.columns} trial leaves nothing to choose from: at least 2 are needed."
    if kinds < 2:
        return f"All {matrix.columns:,} trials brought the same: there is nothing to choose from."
    needed = ROWS_A_SLICE * slices
    if matrix.rows >= needed:
        return ""
    fewer = matrix.rows // ROWS_A_SLICE // 2 * 2
    other = f", or slices={fewer} would do" if fewer >= 4 else ""
    return (
        f"{matrix.rows:,} steps of time are too few for {slices} slices: {needed:,} steps"
        f"{other}. Shorter steps make more of them."
    )


def _slope(found: Cscv) -> float:
    """How much of what is better inside is better outside: 1 is all of it, 0 or less is none."""
    known = np.isfinite(found.inside) & np.isfinite(found.outside)
    x, y = found.inside[known], found.outside[known]
    if len(x) < 2 or float(np.ptp(x)) == 0.0:
        return math.nan
    x = x - x.mean()
    return float(x @ (y - y.mean()) / (x @ x))


def _chosen(found: Cscv, matrix: Matrix, firsts: Array) -> Sheet:
    counts = np.bincount(found.chosen, minlength=len(firsts)) / len(found.chosen)
    order = np.argsort(-counts, kind="stable")[:5]
    rows = [(matrix.names[firsts[one]], percent(counts[one])) for one in order if counts[one]]
    return Sheet("Chosen most often", ("trial", "of experiments"), rows)


_STATISTICS = ("sharpe", "pnl")
