"""`hft.sweep`: a strategy over its tapes with many parameters; a Sweep.

    sweep = hft.sweep(Maker, ["mon.tape", "tue.tape"], {"edge_ticks": [1, 2], "clip": (100, 900)},
                      objective="sharpe", method="random", trials=200, folder="sweeps/maker")
    sweep.frame, sweep.best(5), sweep.pnl, sweep.heatmap("edge_ticks", "clip"), sweep.plateau()

Trials run over threads, since compiled code needs no lock of Python's; over a Ray cluster where
`cluster="ray"` or HFT_CLUSTER says so. What is written is in `folder`: the same call goes on there
after Ctrl-C or a kill, and with more `trials` after its end. Without a folder it is temporary, and
kept if the sweep is interrupted.

A trial that fails is a row that says why; only if all of them fail does the sweep. Every trial
counts in the registry (`hft.trials_of`), whatever became of it.

Worst case: memory of some 90 MB a thread, however many trials; the P&L of all steps is on disk.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import count as counted_from
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.times import Duration
from hftlib.core.units import is_whole, shown
from hftlib.engine.log import HORIZONS_NS
from hftlib.execution.curves import VolumeCurve
from hftlib.research.setting_up import Settings
from hftlib.research.sweep.asking import Asked, asked
from hftlib.research.sweep.counting import Counter, told
from hftlib.research.sweep.folder import Folder
from hftlib.research.sweep.guided import BATCH, Guide
from hftlib.research.sweep.on_threads import Job, Threads
from hftlib.research.sweep.swept import Sweep
from hftlib.research.sweep.trying import DONE, FAILED, Outcome
from hftlib.risk.limits import Limits
from hftlib.risk.people import Directive
from hftlib.terminal import Advance, patience

COUNT_SECONDS = 30.0


def sweep(
    strategy: Any,
    tapes: Any,
    space: Mapping[str, Any] | None = None,
    *,
    objective: Any = "sharpe",
    method: str = "grid",
    trials: int | None = None,
    seed: int = 0,
    step: Duration = "1m",
    venue: Settings = None,
    limits: Limits | Path | str | None = None,
    curves: Mapping[str, VolumeCurve] | None = None,
    directives: Sequence[Directive] = (),
    horizons: Sequence[Duration] = HORIZONS_NS,
    every: Duration | None = None,
    workers: int | None = None,
    cluster: str | None = None,
    folder: Path | str | None = None,
    experiment: str | None = None,
    prune: bool = True,
) -> Sweep:
    """Run the trials that the folder does not have yet, and show them all.

    `space` is what to vary, {"edge_ticks": [1, 2], "clip": (100, 1000)}; without one, each
    parameter's own low and high. `method` is "grid", "random" or "optuna"; `prune` lets Optuna
    give trials up on a part of the tapes. `step` is of the P&L that is kept of each trial.
    """
    what = asked(
        strategy, tapes, space, objective, method, trials, seed, step,
        {"venue": venue, "limits": limits, "curves": curves, "directives": directives,
         "horizons": horizons, "every": every},
    )  # fmt: skip
    hands = _hands(workers)
    pool = _pool(what, hands, cluster)
    place = Folder(folder, what.identity, sum(what.course.counts))
    counter = Counter(place, what.tags, experiment)
    try:
        place.reserve(what.trials)
        try:
            with pool as running, patience() as advance:
                _run(what, place, running, hands, prune, counter, advance)
        except KeyboardInterrupt:
            _say_interrupted(place, what)
            raise
        finally:
            _count(counter)
        return _ended(what, place, counter)
    finally:
        place.close()


def _run(
    what: Asked,
    place: Folder,
    pool: Any,
    hands: int,
    prune: bool,
    counter: Counter,
    advance: Advance,
) -> None:
    """All trials that are not over yet."""
    told_at = time.monotonic()
    trials = (
        _guided(what, place, pool, hands, prune)
        if what.method == "optuna"
        else _planned(what, place, pool)
    )
    for outcome in trials:
        place.keep(outcome)
        advance(len(place.states) / what.trials, _so_far(what, place))
        if time.monotonic() - told_at > COUNT_SECONDS:
            _count(counter)
            told_at = time.monotonic()


def _planned(what: Asked, place: Folder, pool: Any) -> Iterator[Outcome]:
    """A grid, or chance: what each trial is is known beforehand."""
    there = frozenset(place.states)
    jobs: Iterator[Job] = (
        (number, params, ())
        for number, params in enumerate(what.combinations())
        if number not in there
    )
    yield from pool.outcomes(jobs)


def _guided(what: Asked, place: Folder, pool: Any, hands: int, prune: bool) -> Iterator[Outcome]:
    """Optuna's choice, some trials at a time; those that a kill left open come first."""
    guide = Guide(place.path / "study.log", what.space, what.seed)
    rows = {row["number"]: row for row in place.rows()}
    at_once = max(BATCH, hands)
    for begin in counted_from(0, at_once):
        numbers = range(begin, min(begin + at_once, what.trials))
        if not numbers:
            return
        bars = guide.bars(what.course.parts) if prune else []
        jobs: list[Job] = []
        for number in numbers:
            if number < guide.asked:
                params = guide.params(number)
            else:
                _, params = guide.ask()
            if number not in rows:
                jobs.append((number, params, bars))
        for outcome in pool.outcomes(jobs):
            rows[outcome.number] = outcome.row()
            yield outcome
        for number in numbers:  # in their order, whoever was first
            guide.tell(rows.pop(number))


def _ended(what: Asked, place: Folder, counter: Counter) -> Sweep:
    states = list(place.states.values())
    if states and all(state == FAILED for state in states):
        why = min(place.rows(), key=lambda row: int(row["number"]))["why"]
        raise StateError(
            f"All {len(states):,} trials failed, the first with: {why}",
            where=f"hft.sweep({what.course.strategy.name}, ...)",
            do="Try one alone with hft.backtest.",
        )
    made = Sweep(what, place)
    try:
        counter.close(made.summary, made.best_rows(5))
    except HostError as error:
        warnings.warn(told(error), stacklevel=3)
    return made


def _count(counter: Counter) -> None:
    try:
        counter.count()
    except HostError as error:
        warnings.warn(told(error), stacklevel=4)


def _so_far(what: Asked, place: Folder) -> str:
    words = f"{len(place.states):,} of {what.trials:,} trials"
    best = max(place.objectives.values(), default=None)
    return words if best is None else f"{words}, best {what.course.objective.name} {best:,.4g}"


def _say_interrupted(place: Folder, what: Asked) -> None:
    done = sum(state == DONE for state in place.states.values())
    place.is_temporary = False
    print(
        f"Stopped with {done:,} of {what.trials:,} trials done. The same call with "
        f"folder={str(place.path)!r} goes on.",
        file=sys.stderr,
    )


def _hands(workers: Any) -> int:
    if workers is None:
        return len(os.sched_getaffinity(0))
    if not is_whole(workers) or not 1 <= workers <= 1024:
        raise InputError(
            f"{shown(workers)} is no number of workers",
            where="hft.sweep(workers=...)",
            do="Give a whole number, at most that of processors; or leave it out.",
        )
    return int(workers)


def _pool(what: Asked, hands: int, cluster: str | None) -> Any:
    """Where trials run."""
    named = cluster if cluster is not None else os.environ.get("HFT_CLUSTER", "")
    if named in ("", "threads"):
        return Threads(what.course, hands)
    if isinstance(named, str) and (named == "ray" or named.startswith("ray://")):
        from hftlib.research.sweep.on_ray import Ray

        return Ray(what, hands, "" if named == "ray" else named)
    raise InputError(
        f"{shown(named)} is no place to run trials",
        where="hft.sweep(cluster=...)" if cluster is not None else "HFT_CLUSTER",
        do='Use "threads", "ray", or the address of a cluster, "ray://host:10001".',
    )
