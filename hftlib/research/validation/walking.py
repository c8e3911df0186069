"""Walk-forward: chosen on the past, tried on what came next, again and again.

    hft.validation.walk_forward(Maker, tapes, {"edge": [1, 2, 3]}, folds=5, anchored=True)

    anchored   ████████▒▒            rolling   ████████▒▒
               ██████████▒▒                      ████████▒▒
               ████████████▒▒                      ████████▒▒      █ chosen on   ▒ tried on

The tapes are cut into `folds` + 2 pieces of as many steps each. Each fold's choice is made by what
all sets brought before it; then the chosen one begins anew, flat and knowing nothing, on the piece
that follows. Only those pieces are judged: pass if P&L is above zero with t of at least 1.645, most
folds earn, and efficiency (P&L an hour out of sample over in sample) is at least `efficiency_min`.

Worst case: a run of every set over every tape, and one more over the pieces.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import duration_text
from hftlib.core.units import is_whole, shown
from hftlib.research import charts
from hftlib.research.clocks import clock_text
from hftlib.research.sheets import Sheet
from hftlib.research.validation.judging import (
    NS_PER_HOUR,
    T_WANTED,
    Brief,
    an_hour,
    best_of,
    brief_of,
    joined,
    ratio,
    require_steps,
    step_of,
    steps_in,
    t_of,
    too_few,
    year_steps,
)
from hftlib.research.validation.judging import objective as objective_of
from hftlib.research.validation.trying import (
    Job,
    checked_settings,
    run_jobs,
    sets_of,
    tapes_of,
)
from hftlib.research.validation.verdict import Verdict
from hftlib.research.validation.whole import Whole, whole_of

Array = np.ndarray[Any, Any]
TRAIN = 2  # pieces that the first choice is made on, and each of a rolling one
FOLDS_MAX = 100
_WHERE = "walk_forward(folds=..., step=...)"
_TO_SECONDS = len("2026-01-05 09:30:00")


@dataclass(frozen=True)
class Fold:
    """A choice, and what came of it."""

    first: int  # of the steps it was chosen on
    cut: int  # where these end and the others begin
    last: int
    column: int
    inside: Array
    outside: Brief


def walk_forward(
    strategy: Any,
    tapes: Any,
    space: Any = None,
    *,
    folds: int = 5,
    anchored: bool = True,
    objective: Any = "sharpe",
    step: Any = None,
    efficiency_min: float = 0.5,
    **settings: Any,
) -> Verdict:
    """In sample against out of sample, fold by fold; a fail where a choice does not carry over."""
    if not is_whole(folds) or not 1 <= folds <= FOLDS_MAX:
        what = f"{shown(folds)} is no number of folds"
        raise InputError(what, where="walk_forward(folds=...)", do=f"Give 1 to {FOLDS_MAX}.")
    if anchored not in (True, False):
        do = "Give True, all the past, or False, the last of it."
        raise InputError(f"{shown(anchored)} is no", where="walk_forward(anchored=...)", do=do)
    if not isinstance(efficiency_min, int | float) or isinstance(efficiency_min, bool):
        do = "Give a share such as 0.5."
        what = f"{shown(efficiency_min)} is no efficiency"
        raise InputError(what, where="walk_forward(efficiency_min=...)", do=do)
    chosen_by = objective_of(objective)
    held = tapes_of(tapes)
    given = checked_settings(settings, held, "walk_forward")
    sets, step_ns = sets_of(space), step_of(step, held)
    require_steps(steps_in(held, step_ns), folds + TRAIN, step_ns, _WHERE)
    whole = whole_of(strategy, held, sets, given, step_ns)
    return walked(strategy, whole, given, folds, anchored, chosen_by, efficiency_min)


def walked(
    strategy: Any,
    whole: Whole,
    settings: Any,
    folds: int,
    anchored: bool,
    chosen_by: Callable[[Array], float],
    efficiency_min: float = 0.5,
) -> Verdict:
    """The same from runs that are there already."""
    edges = _edges(whole, folds + TRAIN)
    plans = []
    for fold in range(folds):
        cut, last = edges[fold + TRAIN], edges[fold + TRAIN + 1]
        first = 0 if anchored else edges[fold]
        inside = whole.matrix[first:cut]
        plans.append((first, cut, last, best_of(inside, chosen_by)))
    given = {"every": whole.step_ns, **settings}
    jobs, owners = [], []
    for number, (_, cut, last, column) in enumerate(plans):
        for piece in whole.pieces(cut, last):
            jobs.append(Job(piece, whole.sets[column], given))
            owners.append(number)
    briefs = run_jobs(strategy, jobs, lambda result: brief_of(result, whole.step_ns))
    made = [
        Fold(
            *plan,
            whole.matrix[plan[0] : plan[1], plan[3]],
            joined([one for one, owner in zip(briefs, owners, strict=True) if owner == number]),
        )
        for number, plan in enumerate(plans)
    ]
    return _verdict(whole, made, anchored, efficiency_min)


def _edges(whole: Whole, pieces: int) -> list[int]:
    """Where pieces begin; where there are enough tapes, between two of them."""
    count = len(whole.times)
    require_steps(count, pieces, whole.step_ns, _WHERE)
    edges = np.linspace(0, count, pieces + 1).round().astype(int)
    if len(whole.firsts) >= pieces:
        begins = np.array([*whole.firsts, count])
        nearest = [int(begins[np.abs(begins - edge).argmin()]) for edge in edges]
        if len(set(nearest)) == len(nearest):
            return nearest
    return [int(edge) for edge in edges]


def _verdict(whole: Whole, folds: list[Fold], anchored: bool, efficiency_min: float) -> Verdict:
    outside = joined([one.outside for one in folds])
    inside = float(np.mean([an_hour(one.inside, whole.step_ns) for one in folds]))
    hourly, t = an_hour(outside.pnl, whole.step_ns), t_of(outside.pnl)
    efficiency = hourly / inside if inside > 0 else math.nan
    earned = sum(one.outside.total > 0 for one in folds)
    a_year = year_steps(whole.tapes, whole.step_ns)
    way = "anchored" if anchored else "rolling"
    said = f"Chosen on {'all' if anchored else 'the last'} of the past among {len(whole.sets):,}"
    said += f" {'sets' if len(whole.sets) > 1 else 'set'}, it brought {outside.total:,.2f} out of"
    said += f" sample, in {earned} of {len(folds)} folds above zero (t {t:.2f})"
    passed: bool | None = None
    if few := too_few(outside.fills, outside.pnl):
        sentence = f"{few} Take longer tapes."
    elif not inside > 0:
        passed, sentence = False, f"{said}; even in sample the best set loses."
    else:
        passed = bool(t >= T_WANTED and 2 * earned > len(folds) and efficiency >= efficiency_min)
        sentence = f"{said}: {efficiency:.0%} an hour of what it brought in sample."
    figures = {
        "P&L out of sample": outside.total,
        "t of it": t,
        "P&L an hour in sample": inside,
        "P&L an hour out of sample": hourly,
        "efficiency": efficiency,
        "efficiency wanted": efficiency_min,
        "folds": len(folds),
        "folds above zero": earned,
        "sharpe in sample": float(np.mean([ratio(one.inside, a_year) for one in folds])),
        "sharpe out of sample": ratio(outside.pnl, a_year),
        "fills out of sample": outside.fills,
        "runs that ended early": sum(bool(one.outside.ended) for one in folds),
        "sets of parameters": len(whole.sets),
        "step": duration_text(whole.step_ns),
    }
    return Verdict(
        f"Walk-forward, {way}",
        passed,
        sentence,
        figures,
        _picture(whole, folds, way),
        (_table(whole, folds, a_year),),
    )


def _table(whole: Whole, folds: list[Fold], a_year: float) -> Sheet:
    zone, rows = whole.tapes[0].zone, []
    for number, one in enumerate(folds, 1):
        params = ", ".join(f"{k}={v}" for k, v in whole.sets[one.column].items())
        until = clock_text(int(whole.times[one.cut - 1]), zone)[:_TO_SECONDS]
        rows.append(
            (
                number,
                until,
                params or "as it is",
                ratio(one.inside, a_year),
                ratio(one.outside.pnl, a_year),
                an_hour(one.inside, whole.step_ns),
                an_hour(one.outside.pnl, whole.step_ns),
                one.outside.fills,
            )
        )
    heads = ("fold", "chosen until", "parameters", "sharpe in", "sharpe out")
    return Sheet("Folds", (*heads, "P&L/h in", "P&L/h out", "fills out"), rows)


def _picture(whole: Whole, folds: list[Fold], way: str) -> str:
    """What was chosen before against what was best in hindsight, over the same steps."""
    pnl = np.concatenate([one.outside.pnl for one in folds])
    after = whole.matrix[folds[0].cut : folds[-1].last]
    hindsight = np.cumsum(after[:, int(np.argmax(after.sum(axis=0)))])
    hours = whole.step_ns / NS_PER_HOUR
    marks, done = {}, 0
    for number, one in enumerate(folds, 1):
        marks[f"{number}"] = done * hours
        done += len(one.outside.pnl)
    return charts.lines(
        {
            "out of sample": (hours * np.arange(1, len(pnl) + 1), np.cumsum(pnl)),
            "best in hindsight": (hours * np.arange(1, len(after) + 1), hindsight),
        },
        title=f"Walk-forward, {way}: P&L of the pieces it was not chosen on",
        across="hours of trading; a mark where each fold begins",
        up="P&L",
        marks=marks,
        zero=True,
    )
