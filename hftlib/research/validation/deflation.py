"""Is the best of many trials better than the best of so many without any edge? Deflated Sharpe.

    deflated_sharpe(sweep.pnl[best], all=sweep.pnl)             as many trials as columns
    deflated_sharpe(pnl, all=sweep.pnl, trials=1_200)           as many as were ever tried
    deflated_sharpe(pnl, trials=1_200, variance=0.0004)         without their P&L
    deflated_sharpe(pnl, trials=1_200)                          spread as by luck: 1 / steps
    independent_trials(sweep.pnl)                               how many of them are not alike

Who tries more finds more by luck, so the ratio is held against what the best of all trials does
by luck. All trials count, of earlier days as well; the number of independent ones, which is more
friendly, is said beside it: going from the best ratio down, a trial counts if it moves together
with none that counted before.

Worst case: independent trials times trials times steps of time, with a bar from 2 s on, and twice
the memory of the matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.research import charts
from hftlib.research.validation.given import (
    Series,
    matrix_of,
    number,
    percent,
    same_steps,
    series_of,
    share,
    whole,
)
from hftlib.research.validation.moments import (
    Moments,
    expected_best,
    moments,
    probability,
    sharpes,
    steps_needed,
)
from hftlib.research.validation.track_record import (
    enough,
    missing,
    shape,
    together,
    whole_steps,
    year,
)
from hftlib.research.validation.verdict import Verdict
from hftlib.terminal import patience

Array = np.ndarray[Any, Any]
NAME = "Deflated Sharpe ratio"
ALIKE = 0.5  # a correlation from which two trials are one idea
_POINTS = 60
_BLOCK = 512


@dataclass(frozen=True)
class Tried:
    """How many trials there were, how many independent ones, and how their ratios vary."""

    count: int
    independent: int | None
    variance: float
    known: bool  # False: the variance is what luck alone makes
    ratios: Array


def deflated_sharpe(
    pnl: Any,
    *,
    trials: int | None = None,
    variance: float | None = None,
    all: Any = None,  # noqa: A002  (all of them: what a reader expects here)
    at_least: float = 0.95,
    steps_a_year: float | None = None,
) -> Verdict:
    """How probable it is that the best trial's true Sharpe ratio is above what luck finds."""
    series, at_least = series_of(pnl, "deflated_sharpe"), share(at_least, "at_least")
    known = moments(series.values)
    tried = _tried(series, trials, variance, all)
    bar = expected_best(tried.count, tried.variance)
    chance, needed = probability(known, bar), steps_needed(known, bar, at_least)
    figures: dict[str, Any] = {
        "probability": chance,
        "at least": at_least,
        "trials": tried.count,
        "Sharpe ratio of a step": known.sharpe,
        "best by luck": bar,
        **year(known.sharpe, steps_a_year),
        "variance of trials' ratios": tried.variance,
        **_independent(known, tried),
        "steps of time": known.steps,
        "steps needed": whole_steps(needed),
        **shape(series, known),
    }
    lacking = missing(known)
    if lacking:
        return Verdict(NAME, None, lacking, figures)
    said = (
        f"The best of {_many(tried.count)} has a Sharpe ratio of {known.sharpe:.4g} a step; luck "
        f"alone finds {bar:.4g} among so many. That it is above luck has a probability of "
        f"{percent(chance)}; at least {percent(at_least)} is asked. {_beside(figures, tried)}"
        f"{enough(known, needed)}{together(series)}"
    )
    return Verdict(NAME, chance >= at_least, said, figures, _picture(known, tried, bar))


def independent_trials(trials: Any, *, alike: float = ALIKE) -> int:
    """How many trials do not move together: no two of those counted correlate by `alike`."""
    matrix = matrix_of(trials, "independent_trials")
    return _count_independent(matrix.values, share(alike, "alike"))


def _count_independent(values: Array, alike: float) -> int:
    if len(values) < 2:
        return 0
    ratios = sharpes(values)
    off = values - values.mean(axis=0)
    length = np.sqrt((off * off).sum(axis=0))
    moves = length > 1e-12 * np.maximum(np.abs(values).max(axis=0, initial=0.0), 1e-300)
    off = off[:, moves] / length[moves]
    order = np.argsort(-np.nan_to_num(ratios[moves], nan=-np.inf), kind="stable")
    counted = off[:, :0]
    with patience() as advance:
        for first in range(0, len(order), _BLOCK):
            some = off[:, order[first : first + _BLOCK]]
            if counted.shape[1]:
                some = some[:, (counted.T @ some).max(axis=0) < alike]
            near, taken = some.T @ some >= alike, list[int]()
            for one in range(some.shape[1]):
                if not near[one, taken].any():
                    taken.append(one)
            counted = np.column_stack([counted, some[:, taken]])
            advance((first + _BLOCK) / len(order), "trials compared")
    return int(counted.shape[1])


def _tried(series: Series, trials: Any, variance: Any, everything: Any) -> Tried:
    count = None if trials is None else whole(trials, "trials")
    if variance is not None:
        variance = number(variance, "variance", least=0.0, such_as="0.0004")
    if everything is None:
        if count is None:
            do = "Give trials=, as the registry counts them, or all= with the P&L of each."
            raise InputError("How many trials there were is not said", where="trials", do=do)
        luck = 1.0 / max(1, len(series) - 1)
        known = variance is not None
        return Tried(count, None, variance if known else luck, known, np.zeros(0))
    matrix = matrix_of(everything, "all")
    same_steps(series, matrix, "all", "The best and the matrix")
    if count is not None and count < matrix.columns:
        do = "Give every trial that was ever made, at least those of the matrix."
        what = f"{count:,} trials were said, and the matrix has {matrix.columns:,}"
        raise InputError(what, where="trials", do=do)
    ratios = sharpes(matrix.values)
    ratios = ratios[np.isfinite(ratios)]
    spread = float(np.var(ratios, ddof=1)) if len(ratios) > 1 else 0.0
    independent = _count_independent(matrix.values, ALIKE)
    used = spread if variance is None else variance
    return Tried(count or matrix.columns, independent, used, True, ratios)


def _independent(known: Moments, tried: Tried) -> dict[str, Any]:
    if tried.independent is None:
        return {}
    bar = expected_best(tried.independent, tried.variance)
    return {
        "independent trials": tried.independent,
        "best by luck of those": bar,
        "probability with those": probability(known, bar),
    }


def _beside(figures: dict[str, Any], tried: Tried) -> str:
    if tried.independent is not None:
        with_those = percent(figures["probability with those"])
        return f"With the {tried.independent:,} that move apart it would be {with_those}. "
    return "" if tried.known else "How the trials varied is not known; luck alone is assumed. "


def _many(count: int) -> str:
    return "1 trial" if count == 1 else f"{count:,} trials"


def _picture(known: Moments, tried: Tried, bar: float) -> str:
    marks = {"best by luck": bar, "this one": known.sharpe}
    if len(tried.ratios) > 1:
        title = "Sharpe ratio of a step, of all trials"
        return charts.histogram(tried.ratios, title=title, marks=marks)
    most = max(10, 10 * tried.count)
    counts = np.unique(np.geomspace(1, most, _POINTS).astype(np.int64))
    chances = [probability(known, expected_best(int(one), tried.variance)) for one in counts]
    if not math.isfinite(chances[0]):
        return ""
    return charts.lines(
        {"probability": (np.log10(counts), chances)},
        title="Probability that it is above luck, had so many been tried",
        across="trials, as powers of ten",
        marks={"tried": math.log10(tried.count)},
    )
