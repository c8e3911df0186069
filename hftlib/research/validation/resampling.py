"""How else the same P&L could have come out: a stationary bootstrap, with a span of confidence.

    bootstrap(pnl)                                    the Sharpe ratio of a step, above 0?
    bootstrap(pnl, "pnl")                             what was made in all
    bootstrap(pnl, "drawdown", at_most=5_000)         the largest fall from a peak, in money
    bootstrap(pnl, lambda steps: np.median(steps), at_least=0.0)

P&L is put together anew from pieces of itself, of random length so that what moves together stays
together, as long as `block` says or as its own correlation asks for. The middle `confidence` of
what comes out is the span. It must lie above `at_least` and below `at_most`.

Worst case: draws times steps, some 2 s for 1,000 draws of 100,000 steps, with a bar from 2 s on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.research import charts
from hftlib.research.validation.blocks import block_length
from hftlib.research.validation.given import (
    ROWS_LEAST,
    number,
    percent,
    series_of,
    share,
    whole,
)
from hftlib.research.validation.verdict import Verdict
from hftlib.terminal import patience

Array = np.ndarray[Any, Any]
Statistic = Callable[[Array], float]
NAME = "Bootstrap of the P&L"
DRAWS_MAX = 100_000


def bootstrap(
    pnl: Any,
    statistic: str | Statistic = "sharpe",
    *,
    confidence: float = 0.95,
    at_least: float | None = None,
    at_most: float | None = None,
    draws: int = 1_000,
    block: int | None = None,
    seed: int = 0,
) -> Verdict:
    """Within which span a statistic of this P&L may lie, drawn by chance."""
    series, measure = series_of(pnl, "bootstrap"), _measure(statistic)
    confidence, draws = share(confidence, "confidence"), whole(draws, "draws", 100, DRAWS_MAX)
    seed = whole(seed, "seed", 0, 2**32 - 1)
    if at_least is None and at_most is None and statistic in ("sharpe", "pnl"):
        at_least = 0.0
    bounds = {
        name: number(value, name)
        for name, value in (("at_least", at_least), ("at_most", at_most))
        if value is not None
    }
    called = statistic if isinstance(statistic, str) else _called(statistic)
    word = _WORDS.get(called, called)
    figures: dict[str, Any] = {"steps of time": len(series), "confidence": confidence}
    figures |= {name.replace("_", " "): value for name, value in bounds.items()}
    if len(series) < ROWS_LEAST or not np.ptp(series.values):
        said = f"{len(series):,} steps of time say nothing about luck: at least {ROWS_LEAST} do."
        if len(series) >= ROWS_LEAST:
            said = "The P&L is the same in all steps: no other could come of it."
        return Verdict(NAME, None, said, figures)
    length = block_length(series.values, block)
    seen, drawn = (
        _applied(measure, series.values),
        _drawn(series.values, measure, draws, length, seed),
    )
    low, high = (
        float(one) for one in np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    )
    figures = {word: seen, "lower end": low, "upper end": high, **figures}
    figures |= {
        "draws": draws,
        "block, steps": length,
        "share of draws below 0": float(np.mean(drawn < 0)),
    }
    said = (
        f"The {word} is {seen:,.4g}; with {percent(confidence)} confidence it lies between "
        f"{low:,.4g} and {high:,.4g}. "
    )
    passed, why = _judged(low, high, bounds)
    marks = {"seen": seen, **{name.replace("_", " "): value for name, value in bounds.items()}}
    picture = charts.histogram(drawn, title=f"{word} of {draws:,} draws", marks=marks)
    return Verdict(NAME, passed, said + why, figures, picture)


def ratio(values: Array) -> float:
    """The Sharpe ratio of a step; of what never changes, none."""
    most = float(np.abs(values).max(initial=0.0))
    if most == 0.0 or len(values) < 2:
        return 0.0
    scaled = values / most
    deviation = float(scaled.std(ddof=1))
    return float(scaled.mean()) / deviation if deviation > 1e-12 else 0.0


def drawdown(values: Array) -> float:
    """The largest fall from a peak; the begin is one."""
    curve = np.concatenate([np.zeros(1), np.cumsum(values)])
    return float(np.max(np.maximum.accumulate(curve) - curve))


def _total(values: Array) -> float:
    return float(values.sum())


_MEASURES: dict[str, Statistic] = {"sharpe": ratio, "pnl": _total, "drawdown": drawdown}
_WORDS = {"sharpe": "Sharpe ratio of a step", "pnl": "P&L", "drawdown": "largest drawdown"}


def _drawn(values: Array, measure: Statistic, draws: int, length: int, seed: int) -> Array:
    from arch.bootstrap import StationaryBootstrap

    made, pieces = np.empty(draws), StationaryBootstrap(length, values, seed=seed)
    with patience() as advance:
        for number_, (given, _) in enumerate(pieces.bootstrap(draws)):
            made[number_] = _applied(measure, np.asarray(given[0]))
            advance((number_ + 1) / draws, "draws")
    return made


def _applied(measure: Statistic, values: Array) -> float:
    """What a stranger's function says, if it says a number."""
    try:
        made = float(measure(values))
    except Exception as error:
        what = f"The statistic failed: {type(error).__name__}: {error}"
        do = "It is called with an array of P&L by steps and returns one number."
        raise InputError(what, where="statistic", do=do) from error
    if not math.isfinite(made):
        do = "Let it return a finite number for any order of the steps."
        raise InputError(f"The statistic came to {made}", where="statistic", do=do)
    return made


def _judged(low: float, high: float, bounds: dict[str, float]) -> tuple[bool | None, str]:
    if not bounds:
        return None, "No bound was given to judge it by: give at_least= or at_most=."
    under = "at_least" in bounds and not low > bounds["at_least"]
    over = "at_most" in bounds and not high <= bounds["at_most"]
    if under:
        return False, f"It is not surely above {bounds['at_least']:,.4g}."
    if over:
        return False, f"It is not surely within {bounds['at_most']:,.4g}."
    return True, "All of that is within what is asked."


def _measure(statistic: Any) -> Statistic:
    if isinstance(statistic, str) and statistic in _MEASURES:
        return _MEASURES[statistic]
    if callable(statistic):
        return statistic
    do = f"Give one of {', '.join(_MEASURES)}, or a function of an array that returns a number."
    raise InputError(f"statistic={shown(statistic)} is not known", where="statistic", do=do)


def _called(statistic: Any) -> str:
    name = str(getattr(statistic, "__name__", "statistic"))
    return "statistic" if name == "<lambda>" else name
