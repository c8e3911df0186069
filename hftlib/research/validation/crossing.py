"""Combinatorial cross-validation, purged and embargoed: many pasts and futures out of one.

    hft.validation.cross_validation(Maker, tapes, {"edge": [1, 2, 3]}, groups=6, test_groups=2)

The steps are cut into groups; for each choice of `test_groups` of them the best set is chosen on
the rest and tried on these. Put together (`purgedcv`), the tests make paths, each through all of
the time and none of it seen when it was chosen: groups=6, test_groups=2 makes 15 choices, 5 paths.

Every set runs once over everything, so a lot held across an edge belongs to both sides. So what
lies before or after a test by less than `purge` is not chosen on, which is how long the longest lot
was held unless said; after a test another `embargo` is left out.

Pass if the mean of the paths is above zero with t of at least 1.645, and nine of ten paths earn.
Worst case: a run of every set over every tape; groups over `test_groups` choices among all sets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import duration_ns, duration_text
from hftlib.core.units import is_whole, shown
from hftlib.research import charts
from hftlib.research.sheets import Sheet
from hftlib.research.validation.judging import (
    NS_PER_HOUR,
    T_WANTED,
    best_of,
    ratio,
    require_steps,
    step_of,
    steps_in,
    t_of,
    too_few,
    year_steps,
)
from hftlib.research.validation.judging import objective as objective_of
from hftlib.research.validation.trying import checked_settings, sets_of, tapes_of
from hftlib.research.validation.verdict import Verdict
from hftlib.research.validation.whole import Whole, whole_of
from hftlib.terminal import patience

Array = np.ndarray[Any, Any]
GROUPS_MAX, CHOICES_MAX = 32, 5_000
PATHS_WANTED = 0.9
_LEFT_MIN = 0.25  # of what is not tested, that must be left to choose on
_LINES = 8
_WHERE = "cross_validation(groups=..., step=...)"


def cross_validation(
    strategy: Any,
    tapes: Any,
    space: Any = None,
    *,
    groups: int = 6,
    test_groups: int = 2,
    embargo: Any = "1m",
    purge: Any = None,
    objective: Any = "sharpe",
    step: Any = None,
    **settings: Any,
) -> Verdict:
    """Sharpe out of sample over the paths; a fail where a choice does not carry over."""
    chosen_by = objective_of(objective)
    split = checked_split(groups, test_groups, embargo, purge)
    held = tapes_of(tapes)
    given = checked_settings(settings, held, "cross_validation")
    sets, step_ns = sets_of(space), step_of(step, held)
    require_steps(steps_in(held, step_ns), groups, step_ns, _WHERE)
    whole = whole_of(strategy, held, sets, given, step_ns)
    return crossed(whole, *split, chosen_by)


def checked_split(
    groups: Any, test_groups: Any, embargo: Any, purge: Any
) -> tuple[int, int, int, int | None]:
    """Groups, those tested, embargo and purge in ns; or a refusal."""
    where = "cross_validation(groups=..., test_groups=...)"
    if not is_whole(groups) or not 2 <= groups <= GROUPS_MAX:
        do = f"Give 2 to {GROUPS_MAX}."
        raise InputError(f"{shown(groups)} is no number of groups", where=where, do=do)
    if not is_whole(test_groups) or not 1 <= test_groups < groups:
        do = f"Give 1 to {groups - 1}: the rest is chosen on."
        what = f"{shown(test_groups)} of {groups} groups cannot be tested on"
        raise InputError(what, where=where, do=do)
    if math.comb(groups, test_groups) > CHOICES_MAX:
        what = f"{math.comb(groups, test_groups):,} choices are too many"
        raise InputError(what, where=where, do="Take fewer groups.")
    times = []
    for name, value in (("embargo", embargo), ("purge", purge)):
        times.append(None if value is None else duration_ns(value, field=name))
        if times[-1] is not None and times[-1] < 0:
            do = "Give a duration such as '1m', or 0."
            raise InputError(f"{shown(value)} is no time to leave out", where=name, do=do)
    return groups, test_groups, times[0] or 0, times[1]


def crossed(
    whole: Whole,
    groups: int,
    test_groups: int,
    embargo_ns: int,
    purge_ns: int | None,
    chosen_by: Callable[[Array], float],
) -> Verdict:
    """The same from runs that are there already."""
    require_steps(len(whole.times), groups, whole.step_ns, _WHERE)
    told = purge_ns is not None
    purge_ns = purge_ns if purge_ns is not None else max(one.held_ns for one in whole.briefs)
    cv = _splitter(whole, groups, test_groups, embargo_ns, purge_ns)
    tests, left, columns = [], 1.0, []
    choices = math.comb(groups, test_groups)
    with patience() as advance:
        for number, (train, test) in enumerate(cv.split(whole.matrix)):
            advance(number / choices, f"choice {number + 1:,} of {choices:,}")
            left = min(left, len(train) / (len(whole.times) - len(test)))
            column = best_of(whole.matrix[train], chosen_by) if len(train) else 0
            columns.append(column)
            tests.append(whole.matrix[test, column])
    paths = cv.reconstruct_paths(tests)
    return _verdict(whole, paths, columns, left, (groups, test_groups, embargo_ns, purge_ns), told)


def _splitter(whole: Whole, groups: int, test_groups: int, embargo_ns: int, purge_ns: int) -> Any:
    """A step is known at its end; what was held then may go on for `purge`."""
    import pandas as pd
    from purgedcv import CombinatorialPurgedCV

    ends = pd.Series(whole.times.view("datetime64[ns]"))
    begins = ends - pd.Timedelta(whole.step_ns - 1, unit="ns")
    return CombinatorialPurgedCV(
        groups,
        test_groups,
        prediction_times=begins,
        evaluation_times=ends + pd.Timedelta(purge_ns, unit="ns"),
        purge_horizon=pd.Timedelta(0),
        embargo=pd.Timedelta(embargo_ns, unit="ns"),
    )


def _verdict(
    whole: Whole,
    paths: Array,
    columns: list[int],
    left: float,
    split: tuple[int, int, int, int],
    told: bool,
) -> Verdict:
    groups, test_groups, embargo_ns, purge_ns = split
    a_year = year_steps(whole.tapes, whole.step_ns)
    sharpes = np.array([ratio(one, a_year) for one in paths])
    earned, mean = int((paths.sum(axis=1) > 0).sum()), paths.mean(axis=0)
    t, fills = t_of(mean), whole.briefs[_usual(columns)].fills
    gone = duration_text(purge_ns)
    passed: bool | None = None
    if few := too_few(fills, mean):
        sentence = f"{few} Take longer tapes."
    elif left < _LEFT_MIN:
        why = "as asked" if told else "as long as the longest lot was held"
        sentence = (
            f"With {gone} purged around each test, {why}, only {left:.0%} of the rest is left"
            " to choose on. Take longer tapes, or say purge=."
        )
    else:
        passed = bool(t >= T_WANTED and earned >= PATHS_WANTED * len(paths))
        sentence = (
            f"{earned} of {len(paths)} paths out of sample earn, at a Sharpe of"
            f" {np.nanmedian(sharpes) if np.isfinite(sharpes).any() else math.nan:,.2f} a year in"
            f" the middle (t of their mean {t:.2f}), with {gone} purged around each test and"
            f" {duration_text(embargo_ns)} of embargo."
        )
    figures = {
        "paths": len(paths),
        "paths above zero": earned,
        "t of their mean": t,
        "sharpe, median": float(np.median(sharpes)),
        "sharpe, lowest": float(sharpes.min()),
        "sharpe, highest": float(sharpes.max()),
        "P&L, mean of paths": float(paths.sum(axis=1).mean()),
        "groups": groups,
        "tested at a time": test_groups,
        "choices": len(columns),
        "sets chosen": len(set(columns)),
        "sets of parameters": len(whole.sets),
        "left to choose on, least": left,
        "purge": gone,
        "embargo": duration_text(embargo_ns),
        "step": duration_text(whole.step_ns),
    }
    name = "Combinatorial cross-validation"
    return Verdict(name, passed, sentence, figures, _picture(whole, paths, sharpes), (
        _table(whole, columns),
    ))  # fmt: skip


def _usual(columns: list[int]) -> int:
    """The set chosen most often."""
    return max(set(columns), key=columns.count)


def _table(whole: Whole, columns: list[int]) -> Sheet:
    rows = []
    for column in sorted(set(columns), key=lambda one: -columns.count(one))[:20]:
        params = ", ".join(f"{k}={v}" for k, v in whole.sets[column].items())
        rows.append((params or "as it is", columns.count(column)))
    return Sheet("Sets, by how often they were chosen", ("parameters", "choices"), rows)


def _picture(whole: Whole, paths: Array, sharpes: Array) -> str:
    if len(paths) > _LINES:
        title = f"Sharpe of a year over {len(paths):,} paths out of sample"
        return charts.histogram(sharpes, title=title, across="Sharpe", marks={"nothing": 0.0})
    hours = whole.step_ns / NS_PER_HOUR * np.arange(1, paths.shape[1] + 1)
    return charts.lines(
        {f"path {n}": (hours, np.cumsum(one)) for n, one in enumerate(paths, 1)},
        title="P&L of each path, all of it out of sample",
        across="hours of trading",
        up="P&L",
        zero=True,
    )
