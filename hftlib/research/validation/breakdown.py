"""Where the P&L comes from: by the market's volatility or trend, time of day, or labels.

    regimes(result)                                   calm, middle and stormy minutes
    regimes(result, by="time", step="10s")            hours of the day, in the result's zone
    regimes(pnl, by="trend", market=prices)           a series of P&L and one of prices
    regimes(pnl, by=labels)                           any words, one for each step

A strategy that earns everywhere a little will earn tomorrow; one that earns in a single regime has
made one bet. It fails where a regime loses by more than luck, or where more than `at_most` of the
gains are from one regime, and far more than it has of the time. This describes: a step's
volatility and trend are those of the `window` steps that end with it, so nobody could have traded
by them.

Worst case: a few passes over the series for each regime, of which there are at most REGIMES_MAX.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.research import charts
from hftlib.research.sheets import Sheet
from hftlib.research.validation.given import (
    ROWS_LEAST,
    Series,
    percent,
    same_steps,
    series_of,
    share,
    whole,
)
from hftlib.research.validation.market import market_of, trend, volatility
from hftlib.research.validation.verdict import Verdict

Array = np.ndarray[Any, Any]
NAME = "Regimes"
REGIMES_MAX = 200
LOPSIDED = 1.5  # more of the gains than of the time, from which it is a bet
KINDS = ("volatility", "trend", "time", "weekday")
_THIRDS = {0: "calm", 1: "middle", 2: "stormy"}
_TRENDS = {-1: "falling", 0: "sideways", 1: "rising"}
_NONE = ("None", "nan", "NaT", "<NA>")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class Part:
    """What one regime brought."""

    name: str
    steps: int
    pnl: float
    mean: float
    error: float  # of the mean

    @property
    def score(self) -> float:
        """The mean in its own errors: beyond 2 it is hardly luck."""
        if self.error > 0:
            return self.mean / self.error
        return 0.0 if self.mean == 0 else math.copysign(math.inf, self.mean)


def regimes(
    pnl: Any,
    by: Any = "volatility",
    *,
    market: Any = None,
    step: Any = "1m",
    window: int = 30,
    at_most: float = 0.8,
    certainty: float = 0.95,
) -> Verdict:
    """Whether what was earned hangs on one kind of market or one time of the day."""
    at_most, certainty = share(at_most, "at_most"), share(certainty, "certainty")
    window = whole(window, "window", 2, 1_000_000)
    series, prices = _given(pnl, by, market, step)
    labels = _labelled(series, by, prices, window)
    kind = by if isinstance(by, str) else "label"
    parts = _parts(series, labels)
    judged = [one for one in parts if one.steps >= ROWS_LEAST]
    counted = sum(one.steps for one in parts)
    figures: dict[str, Any] = {
        "by": kind,
        "regimes": len(parts),
        "steps of time": len(series),
        "steps without a regime": len(series) - counted,
    }
    table = _table(parts, counted)
    if len(judged) < 2:
        said = (
            f"{len(judged)} regimes by {kind} have {ROWS_LEAST} steps of time or more, and two "
            f"are needed to compare: {len(series):,} steps are too few or all alike."
        )
        return Verdict(NAME, None, said, figures, tables=(table,))
    total, gains = sum(one.pnl for one in judged), sum(max(0.0, one.pnl) for one in judged)
    best, worst = (chosen(judged, key=lambda one: one.score) for chosen in (max, min))
    most = max(judged, key=lambda one: one.pnl)
    # The more regimes are looked at, the more of them lose by luck.
    bar = -NormalDist().inv_cdf(1.0 - (1.0 - certainty) / len(judged))
    losing = [one for one in judged if one.score < bar]
    from_one = most.pnl / gains if gains > 0 else math.nan
    figures |= {
        "P&L": total,
        "regimes with a gain": sum(one.pnl > 0 for one in judged),
        "regimes with a loss beyond luck": len(losing),
        "best": best.name,
        "worst": worst.name,
        "share of gains from one regime": from_one,
        "at most": at_most,
    }
    lopsided = from_one > at_most and from_one > LOPSIDED * most.steps / counted
    why = _why(total, losing, lopsided, most, from_one)
    gain = f"{figures['regimes with a gain']} of {len(judged)} regimes by {kind} bring a gain. "
    said = gain + (why or f"None loses by more than luck; the weakest is {worst.name}.")
    picture = charts.bars(
        [one.name for one in judged],
        [one.mean for one in judged],
        errors=[2 * one.error for one in judged],
        title=f"P&L of a step by {kind}, with twice its error",
    )
    return Verdict(NAME, not why, said, figures, picture, (table,))


def _given(pnl: Any, by: Any, market: Any, step: Any) -> tuple[Series, Array | None]:
    """The series, and prices of the market at its steps if they are needed."""
    if isinstance(by, str) and by not in KINDS:
        do = f"Give one of {', '.join(KINDS)}, or a label for each step."
        raise InputError(f"by={shown(by)} is not known", where="by", do=do)
    result = None
    if callable(getattr(pnl, "pnl", None)) and getattr(pnl, "columns", None) is None:
        result, pnl = pnl, pnl.pnl(step)
    series = series_of(pnl, "regimes")
    if not isinstance(by, str) or by not in ("volatility", "trend"):
        return series, None
    if market is not None:
        prices = series_of(market, "market")
        same_steps(prices, series, "market", "The market and the P&L")
        return series, prices.values
    if result is None:
        do = "Give market= with its price at each step, or the result instead of its P&L."
        raise InputError(f"The {by} of which market?", where="market", do=do)
    return series, market_of(result, series.index)


def _labelled(series: Series, by: Any, prices: Array | None, window: int) -> list[Any]:
    """The regime of each step, or None where it has none."""
    if not isinstance(by, str):
        return _own(by, len(series))
    if by == "volatility":
        return _named(volatility(prices, window), _THIRDS)
    if by == "trend":
        return _named(trend(prices, window), _TRENDS)
    index = series.index
    if not hasattr(index, "hour"):
        do = "Give a Series whose index is its times, such as result.pnl('1m')."
        raise InputError("The steps have no times", where="pnl", do=do)
    if by == "weekday":
        return [_DAYS[one] for one in index.day_of_week]
    return [f"{one:02d}:00" for one in index.hour]


def _own(labels: Any, steps: int) -> list[Any]:
    try:
        made = list(labels)
    except TypeError:
        do = f"Give one of {', '.join(KINDS)}, or a label for each step."
        raise InputError(f"by={shown(labels)} is not known", where="by", do=do) from None
    if len(made) != steps:
        what = f"There are {len(made):,} labels for {steps:,} steps"
        raise InputError(what, where="by", do="Give one for each step, None where there is none.")
    named = [None if str(one) in _NONE else str(one) for one in made]
    if len(set(named)) > REGIMES_MAX:
        what = f"{len(set(named)):,} regimes are more than {REGIMES_MAX}"
        raise InputError(what, where="by", do="Give words that many steps share.")
    return named


def _named(codes: Array, names: dict[int, str]) -> list[Any]:
    return [None if one != one else names[int(one)] for one in codes.tolist()]


def _parts(series: Series, labels: list[Any]) -> list[Part]:
    order = {
        name: number for number, name in enumerate((*_THIRDS.values(), *_TRENDS.values(), *_DAYS))
    }
    names = sorted({one for one in labels if one is not None}, key=lambda n: (order.get(n, -1), n))
    given = np.array([one if one is not None else "" for one in labels], dtype=object)
    there = np.array([one is not None for one in labels], bool)
    made = []
    for name in names:
        values = series.values[there & (given == name)]
        count = len(values)
        error = float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else 0.0
        made.append(Part(name, count, float(values.sum()), float(values.mean()), error))
    return made


def _why(total: float, losing: list[Part], lopsided: bool, most: Part, share_: float) -> str:
    """Why it fails, or nothing."""
    if losing:
        names = ", ".join(one.name for one in losing[:3])
        return f"By more than luck it loses in {len(losing)} of them: {names}."
    if total <= 0:
        return f"In all it brings {total:,.4g}."
    if lopsided:
        return f"But {percent(share_)} of the gains are from one, {most.name}: it is one bet."
    return ""


def _table(parts: list[Part], counted: int) -> Sheet:
    rows = [
        (one.name, one.steps, percent(one.steps / counted), one.pnl, one.mean, one.score)
        for one in parts
    ]
    heads = ("regime", "steps", "of the time", "P&L", "a step", "in its errors")
    return Sheet("Regimes", heads, rows)
