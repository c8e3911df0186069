"""What a trial is judged by: a figure of its results, or a function of them; more is better.

    "sharpe", "pnl_net", "pnl_bp" ...       any figure of `result.stats`
    "-drawdown"                             less is better
    lambda result: ...                      a number for one Result

Over several tapes money and counts add up, Sharpe and drawdown are of the P&L of all their steps
in one line, and anything else, a function's answer as well, is the mean over tapes.

Worst case: a figure that nothing can be said of is NaN, and such a trial is never the best.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.engine.log import HORIZONS_NS
from hftlib.research.result_figures import figures_at
from hftlib.research.result_measures import horizon_names
from hftlib.strategy.fields import nearest

FIGURES = ("pnl_net", "sharpe", "drawdown", "fills", "turnover", "fees", "orders")
_ADDED = {"pnl_gross", "pnl_net", "fees", "turnover", "fills", "orders", "orders_refused"}
_ALWAYS_OPEN = {"spot", "perpetual"}
NAN = float("nan")


@dataclass(frozen=True)
class Objective:
    """What is made as large as can be."""

    name: str
    function: Callable[[Any], float] | None = None

    def of(self, results: Sequence[Any], figures: dict[str, Any]) -> float:
        """The value for the results of all tapes; `figures` are theirs together."""
        if self.function is not None:
            given = [self.function(one) for one in results]
            return float(np.mean([_number(one) for one in given]))
        name = self.name.removeprefix("-")
        sign = -1.0 if self.name.startswith("-") else 1.0
        value = figures[name] if name in figures else _mean(results, name)
        return sign * float(value)

    @property
    def identity(self) -> str:
        """The same for the same: of a function its name and what it does."""
        if self.function is None:
            return self.name
        code = getattr(self.function, "__code__", None)
        if code is None:
            return self.name
        plain = [one for one in code.co_consts if isinstance(one, int | float | str | type(None))]
        told = f"{code.co_code.hex()}{plain}{code.co_names}"
        return f"{self.name} {hashlib.sha256(told.encode()).hexdigest()[:12]}"


def objective_of(objective: Any, horizons: Sequence[int] = HORIZONS_NS) -> Objective:
    """The objective a user means."""
    if isinstance(objective, Objective):
        return objective
    if callable(objective):
        return Objective(str(getattr(objective, "__name__", "objective")), objective)
    known = {one.name for one in figures_at(horizon_names(tuple(horizons)))}
    if not isinstance(objective, str) or objective.removeprefix("-") not in known:
        near = nearest(objective.lstrip("-"), known, "figure") if isinstance(objective, str) else ""
        raise InputError(
            f"{shown(objective)} is nothing to judge trials by",
            where="hft.sweep(objective=...)",
            do=near or 'Give the name of a figure, "sharpe", or a function of a Result.',
        )
    return Objective(objective)


def figures_of(results: Sequence[Any], steps: np.ndarray[Any, Any], step_ns: int) -> dict[str, Any]:
    """The figures of a trial's row: of one tape its own, of several of all together."""
    told = [_total(one) for one in results]
    if len(told) == 1:
        return {name: told[0][name] for name in FIGURES}
    made = {name: sum(one[name] for one in told) for name in FIGURES if name in _ADDED}
    curve = np.append(0.0, np.cumsum(steps))
    made["drawdown"] = float((np.maximum.accumulate(curve) - curve).max())
    spread = float(steps.std(ddof=1)) if len(steps) > 1 else 0.0
    kinds = {one.kind for result in results for one in result.instruments}
    year_s = 365 * 86_400.0 if kinds <= _ALWAYS_OPEN else 252 * 6.5 * 3_600
    scale = math.sqrt(year_s * 1e9 / step_ns)
    made["sharpe"] = float(steps.mean()) / spread * scale if spread > 0 else NAN
    return {name: made[name] for name in FIGURES}


def _total(result: Any) -> dict[str, Any]:
    """A result's figures; of one that has nothing, zeros."""
    if not result.stats.totals:
        return {name: NAN if name == "sharpe" else 0 for name in FIGURES}
    made: dict[str, Any] = result.stats.total
    return made


def _mean(results: Sequence[Any], name: str) -> float:
    values = [_total(one).get(name, NAN) for one in results]
    if name in _ADDED:
        return float(np.sum(values))
    return float(np.mean(values))


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InputError(
            f"The objective answered {shown(value)}, which is no number",
            where="hft.sweep(objective=...)",
            do="Answer a float; float('nan') where nothing can be said.",
        ) from None
