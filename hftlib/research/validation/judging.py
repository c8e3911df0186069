"""What P&L by steps is judged by: an objective, Sharpe, and whether a mean is above zero by chance.

    objective("sharpe")(changes)      higher is better; "pnl", or a function of the changes
    t_of(changes)                     the mean over its standard error, both of dependent steps

The error is that of Newey and West (1987), with Bartlett weights over the third root of the count:
what is held over several steps makes them follow each other, and a plain error would be too small.

Worst case: some tens of passes over the steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import duration_ns, duration_text
from hftlib.core.units import shown
from hftlib.research.result import Result
from hftlib.research.result_curve import STEPS_NS
from hftlib.research.tape import Tape
from hftlib.research.validation.holding import longest_held

Array = np.ndarray[Any, Any]
T_WANTED = 1.645  # one in twenty by chance, one side
FILLS_MIN, STEPS_MIN = 20, 20
STEPS_WANTED = 250
STEPS_A_PIECE = 5
NS_PER_HOUR = 3_600 * 10**9
_YEAR_S, _ALWAYS_S = 252 * 6.5 * 3_600, 365 * 86_400.0


@dataclass(frozen=True)
class Brief:
    """What is kept of one run."""

    times: Array  # the end of each step, ns
    pnl: Array
    fills: int
    orders: int
    refused: int
    ended: str
    held_ns: int

    @property
    def total(self) -> float:
        return float(self.pnl.sum())


def brief_of(result: Result, step_ns: int) -> Brief:
    """The steps of one run, and what it did."""
    steps = result.pnl(f"{step_ns}ns")
    times, pnl = steps.index.as_unit("ns").asi8.copy(), steps.to_numpy(np.float64).copy()
    # An answer may come after the tape's end: what it changes belongs to the last step.
    begin, end = int(result.about["begin"]), int(result.about["end"])
    count = max(1, -(-(end - begin) // step_ns))
    if len(pnl) > count:
        pnl[count - 1] += pnl[count:].sum()
    return Brief(
        times=times[:count],
        pnl=pnl[:count],
        fills=len(result.records["fills"]),
        orders=len(result.records["orders"]),
        refused=sum(result.refused.values()),
        ended=result.ended,
        held_ns=longest_held(result),
    )


def joined(briefs: Sequence[Brief]) -> Brief:
    """Runs one after another as one."""
    nothing = np.zeros(0)
    return Brief(
        times=np.concatenate([np.zeros(0, np.int64), *(one.times for one in briefs)]),
        pnl=np.concatenate([nothing, *(one.pnl for one in briefs)]),
        fills=sum(one.fills for one in briefs),
        orders=sum(one.orders for one in briefs),
        refused=sum(one.refused for one in briefs),
        ended=next((one.ended for one in briefs if one.ended), ""),
        held_ns=max((one.held_ns for one in briefs), default=0),
    )


def step_of(step: Any, tapes: Sequence[Tape]) -> int:
    """The step a user means; without one the largest that leaves a few hundred."""
    if step is not None:
        width = duration_ns(step, field="step")
        if width <= 0:
            do = "Give a step such as '1s' or '1m'."
            raise InputError(f"{shown(step)} is no step of time", where="step", do=do)
        return width
    span = sum(one.duration for one in tapes)
    fitting = [one for one in STEPS_NS if span // one >= STEPS_WANTED]
    return fitting[-1] if fitting else STEPS_NS[0]


def steps_in(tapes: Sequence[Tape], step_ns: int) -> int:
    """How many steps these tapes have."""
    return sum(max(1, -(-one.duration // step_ns)) for one in tapes)


def require_steps(count: int, pieces: int, step_ns: int, where: str) -> None:
    """Refuse pieces of a few steps: nothing is told by them."""
    if count < pieces * STEPS_A_PIECE:
        step = duration_text(step_ns)
        raise InputError(
            f"{count:,} steps of {step} are too few for {pieces} pieces",
            where=where,
            do="Take longer tapes, a finer step or fewer pieces.",
        )


def year_steps(tapes: Sequence[Tape], step_ns: int) -> float:
    """How many steps a year of trading has, by the convention of a result's statistics."""
    kinds = {one.instruments[row].kind for one in tapes for row in one.rows}
    always = bool(kinds) and kinds <= {"spot", "perpetual"}
    return (_ALWAYS_S if always else _YEAR_S) * 1e9 / step_ns


def objective(name: Any) -> Callable[[Array], float]:
    """What sets of parameters are chosen by, as a function of the changes of each step."""
    known: dict[str, Callable[[Array], float]] = {
        "sharpe": ratio,
        "pnl": lambda changes: float(changes.sum()),
        "pnl_net": lambda changes: float(changes.sum()),
        "calmar": _by_drawdown,
    }
    if callable(name):
        return lambda changes: float(name(changes))
    if not isinstance(name, str) or name not in known:
        do = f"Give one of {', '.join(known)}, or a function of the P&L of each step."
        raise InputError(f"{shown(name)} is no objective", where="objective", do=do)
    return known[name]


def ratio(changes: Array, steps_a_year: float = 1.0) -> float:
    """Sharpe: of one step, or of a year; NaN where nothing moved."""
    if len(changes) < 2:
        return math.nan
    spread = float(changes.std(ddof=1))
    if spread <= 1e-12 * float(np.abs(changes).max(initial=0.0)) or spread == 0.0:
        return math.nan
    return float(changes.mean()) / spread * math.sqrt(steps_a_year)


def t_of(changes: Array) -> float:
    """The mean over its error, which knows that steps follow each other; NaN where nothing is."""
    count = len(changes)
    if count < 2 or not np.any(changes):
        return math.nan
    centred = changes - changes.mean()
    lags = max(1, round(count ** (1 / 3)))
    variance = float(centred @ centred)
    for lag in range(1, min(lags, count - 1) + 1):
        weight = 1 - lag / (lags + 1)
        variance += 2 * weight * float(centred[lag:] @ centred[:-lag])
    if variance <= 0.0:
        return math.copysign(math.inf, float(changes.mean()))
    return float(changes.mean()) * count / math.sqrt(variance)


def best_of(matrix: Array, chosen_by: Callable[[Array], float]) -> int:
    """The column the objective likes best; what it cannot judge comes last."""
    marks = [chosen_by(matrix[:, column]) for column in range(matrix.shape[1])]
    return int(np.argmax([-math.inf if math.isnan(one) else one for one in marks]))


def too_few(fills: int, changes: Array) -> str:
    """Why nothing can be told, or nothing to say."""
    moved = int(np.count_nonzero(changes))
    if fills < FILLS_MIN:
        return f"There are {fills:,} fills, and fewer than {FILLS_MIN} tell nothing."
    if moved < STEPS_MIN:
        return f"P&L moved in {moved:,} steps, and fewer than {STEPS_MIN} tell nothing."
    return ""


def an_hour(changes: Array, step_ns: int) -> float:
    """P&L of an hour, from steps."""
    return float(changes.mean()) * NS_PER_HOUR / step_ns if len(changes) else math.nan


def _by_drawdown(changes: Array) -> float:
    """What was earned over the deepest fall; without a fall it is what was earned, a lot."""
    curve = np.append(0.0, np.cumsum(changes))
    fall = float((np.maximum.accumulate(curve) - curve).max())
    total = float(curve[-1])
    return total / fall if fall > 0 else total * 1e9
