"""What the checks of `hft.validate` are made from: a strategy tried, or a sweep that was run.

Trials are counted with those of earlier days, which the registry knows by the strategy's name.
What a sweep has run is not run again, but for its best set, whose fills and holding times it does
not keep. Worst case: 8 bytes for each step and set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hftlib.core.errors import HftError, InputError
from hftlib.core.units import shown
from hftlib.research.result import Result
from hftlib.research.sweep.counting import trials_of
from hftlib.research.validation.judging import best_of, brief_of, joined, step_of
from hftlib.research.validation.judging import objective as objective_of
from hftlib.research.validation.trying import (
    Job,
    checked_settings,
    run_jobs,
    sets_of,
    tapes_of,
)
from hftlib.research.validation.whole import Whole, whole_of

Array = np.ndarray[Any, Any]
_SWEEP = ("pnl", "frame", "space", "strategy", "tapes", "settings")


@dataclass(frozen=True)
class Material:
    """What checks are made from."""

    whole: Whole
    strategy: Any
    settings: Mapping[str, Any]
    chosen_by: Callable[[Array], float]
    trials: int
    sweep: Any = None
    param: str = "clip"
    runs: int = 100
    seed: int = 0
    cuts: int = 4
    embargo: Any = None

    @cached_property
    def best(self) -> int:
        """The set that the objective likes best, over all of the time."""
        return best_of(self.whole.matrix, self.chosen_by)

    @property
    def with_best(self) -> dict[str, Any]:
        """Settings of a backtest with that set."""
        params = self.settings.get("params")
        if self.whole.sets[self.best]:
            params = {**(params or {}), **self.whole.sets[self.best]}
        return {**self.settings, "params": params}

    @cached_property
    def matrix(self) -> Any:
        """A column for each set, a row for each step."""
        import pandas as pd

        index = pd.DatetimeIndex(self.whole.times.view("datetime64[ns]"), tz="UTC", name="time")
        return pd.DataFrame(self.whole.matrix, index=index.tz_convert(self.whole.tapes[0].zone))

    @property
    def step(self) -> str:
        """The step of P&L, as a duration."""
        return f"{self.whole.step_ns}ns"

    @property
    def pnl(self) -> Any:
        """The steps of the best set."""
        return self.matrix[self.best].rename("pnl")

    @cached_property
    def result(self) -> Result:
        """The best set over the last tape."""
        jobs = [Job(self.whole.tapes[-1], {}, self.with_best)]
        made: Result = run_jobs(self.strategy, jobs)[0]
        return made


def material_of(
    subject: Any,
    tapes: Any,
    space: Any,
    objective: Any,
    step: Any,
    settings: Mapping[str, Any],
    trials: int | None,
    seed: int,
) -> dict[str, Any]:
    is_sweep = all(hasattr(subject, name) for name in _SWEEP)
    if is_sweep:
        return _of_sweep(subject, tapes, space, objective, settings, trials, seed)
    if tapes is None:
        raise InputError(
            "There is no tape to validate on",
            where="hft.validate(strategy, tapes)",
            do="Pass hft.open_tape(path), or several; a sweep brings its own.",
        )
    chosen_by = objective_of(objective or "sharpe")
    held = tapes_of(tapes)
    given = checked_settings(settings, held, "validate")
    sets, step_ns = sets_of(space), step_of(step, held)
    whole = whole_of(subject, held, sets, given, step_ns)
    return {
        "whole": whole,
        "strategy": subject,
        "settings": given,
        "chosen_by": chosen_by,
        "trials": _count(trials, len(sets) + _registered(subject)),
        "seed": seed,
    }


def _of_sweep(
    sweep: Any,
    tapes: Any,
    space: Any,
    objective: Any,
    settings: Mapping[str, Any],
    trials: int | None,
    seed: int,
) -> dict[str, Any]:
    """What a sweep has run is not run again, but for its best set."""
    if tapes is not None or space is not None or settings:
        odd = (
            "tapes" if tapes is not None else "space" if space is not None else next(iter(settings))
        )
        raise InputError(
            f"A sweep has its {odd} already",
            where=f"hft.validate(sweep, {odd}=...)",
            do="Leave it out, or validate the strategy: hft.validate(strategy, tapes, space).",
        )
    held = tapes_of(list(sweep.tapes))
    given = checked_settings(dict(sweep.settings), held, "validate")
    if not sweep.pnl.shape[1]:
        raise InputError(
            "No trial of this sweep ran to its end",
            where="hft.validate(sweep)",
            do="Look at the column `why` of sweep.frame.",
        )
    sets = _sets_of_sweep(sweep)
    known = objective or getattr(sweep, "objective", None)
    chosen_by = objective_of(known if _is_objective(known) else "sharpe")
    matrix = sweep.pnl.to_numpy(np.float64)
    best = best_of(matrix, chosen_by)
    times = sweep.pnl.index.as_unit("ns").asi8.copy()
    step_ns = int(np.diff(times).min()) if len(times) > 1 else 1
    jobs = [Job(one, sets[best], {"every": step_ns, **given}) for one in held]
    parts = run_jobs(sweep.strategy, jobs, lambda result: brief_of(result, step_ns))
    firsts = tuple(int(np.searchsorted(times, one.begin, "right")) for one in held)
    whole = Whole(held, sets, step_ns, times, firsts, matrix, [joined(parts)] * len(sets))
    return {
        "whole": whole,
        "strategy": sweep.strategy,
        "settings": given,
        "chosen_by": chosen_by,
        "trials": _count(trials, max(sweep.trials, _registered(sweep.strategy))),
        "sweep": sweep,
        "seed": seed,
    }


def _sets_of_sweep(sweep: Any) -> list[dict[str, Any]]:
    """The parameters of each column of its P&L."""
    frame = sweep.frame.set_index("number")
    params = frame.loc[list(sweep.pnl.columns), sweep.space.names]
    return [dict(one) for one in params.to_dict("records")]


def _is_objective(name: Any) -> bool:
    try:
        objective_of(name)
    except InputError:
        return False
    return isinstance(name, str)


def _registered(strategy: Any) -> int:
    """The trials of earlier days; where there is no registry, nobody knows of any."""
    known = getattr(strategy, "__name__", None) or getattr(strategy, "name", None)
    try:
        return trials_of(known) if isinstance(known, str) and known.isidentifier() else 0
    except HftError:
        return 0


def _count(trials: Any, otherwise: int) -> int:
    made = otherwise if trials is None else trials
    if not isinstance(made, int) or isinstance(made, bool) or made < 1:
        do = "Give how many sets were ever tried, at least 1."
        raise InputError(f"{shown(trials)} is no number of trials", where="trials", do=do)
    return made
