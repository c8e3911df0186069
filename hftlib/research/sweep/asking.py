"""What a sweep is asked: each argument in its usual forms, checked before any trial runs.

    what = asked(strategy, tapes, space, objective, method, trials, seed, step, settings)
    what.course, what.combinations(), what.trials, what.identity

Worst case: the strategy is compiled here, once, and not by each thread.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.times import duration_ns
from hftlib.core.units import is_whole, shown
from hftlib.engine.log import HORIZONS_NS
from hftlib.research.lineup import strategy_of
from hftlib.research.result_steps import STEPS_MAX
from hftlib.research.setting_up import (
    curves_of,
    every_of,
    horizons_of,
    limits_of,
    settings_of,
    tape_of,
)
from hftlib.research.sweep.objective import objective_of
from hftlib.research.sweep.reruns import Ground
from hftlib.research.sweep.space import GRID_MAX, Space, space_of
from hftlib.research.sweep.trying import Course
from hftlib.research.tape import Tape
from hftlib.strategy.classes import Strategy

METHODS = ("grid", "random", "optuna")
TRIALS = 100  # where nobody says how many
_PARTS = 64


@dataclass(frozen=True)
class Asked:
    """A sweep, as far as it is known before its first trial."""

    course: Course
    space: Space
    method: str
    trials: int
    seed: int
    settings: dict[str, Any]  # what hft.backtest takes beside strategy, tape and params

    @property
    def tapes(self) -> tuple[Tape, ...]:
        return tuple(one.tape for one in self.course.grounds)

    def combinations(self) -> Iterator[dict[str, Any]]:
        """The parameters of each trial, where they are known beforehand."""
        if self.method == "grid":
            return (self.space.grid_at(number) for number in range(self.trials))
        return iter(self.space.drawn(self.trials, self.seed))

    @property
    def identity(self) -> dict[str, Any]:
        """What has to be the same for a folder to go on; more trials may be asked for."""
        course, ground = self.course, self.course.grounds[0]
        told = [
            repr(sorted((name, repr(one)) for name, one in each.venues.items()))
            for each in course.grounds
        ]
        told += [ground.limits.text, repr(list(ground.directives)), repr(ground.horizons)]
        told += [f"{name} {one!r}" for name, one in sorted(ground.curves.items())]
        told += [str(each.every_ns) for each in course.grounds]
        return {
            "strategy": f"{course.strategy.name} {course.strategy.digest[:16]}",
            "tapes": [tape_text(tape) for tape in self.tapes],
            "space": [one.as_json() for one in self.space.dimensions],
            "objective": course.objective.identity,
            "method": self.method,
            "seed": self.seed,
            "step": course.step_ns,
            "settings": hashlib.sha256("\0".join(told).encode()).hexdigest()[:16],
        }

    @property
    def tags(self) -> dict[str, str]:
        """What the registry knows the sweep by."""
        strategy = self.course.strategy
        return {
            "strategy": strategy.name,
            "strategy_digest": strategy.digest,
            "objective": self.course.objective.name,
            "method": self.method,
            "seed": str(self.seed),
            "tapes": ", ".join(tape_text(tape) for tape in self.tapes)[:4_000],
            "space": str([one.as_json() for one in self.space.dimensions])[:4_000],
        }


def asked(
    strategy: Any,
    tapes: Any,
    space: Any,
    objective: Any,
    method: Any,
    trials: Any,
    seed: Any,
    step: Any,
    settings: dict[str, Any],
) -> Asked:
    """All of it, checked."""
    base = _base(strategy)
    opened = tuple(tape_of(tape) for tape in _listed(tapes))
    step_ns = duration_ns(step, field="step")
    if step_ns <= 0:
        do = "Give a duration such as '1m'."
        raise InputError(f"{shown(step)} is no step of time", where="hft.sweep(step=...)", do=do)
    grounds, given = _grounds(opened, settings, step_ns)
    counts = tuple(max(1, -(-tape.duration // step_ns)) for tape in opened)
    if max(counts) > STEPS_MAX:
        what = f"Steps of {shown(step)} are {max(counts):,} of one tape"
        raise InputError(what, where="hft.sweep(step=...)", do="Give a longer step.")
    wanted = space_of(space, base)
    number = _trials(wanted, method, trials)
    if not is_whole(seed) or seed < 0:
        do = "Give a whole number from 0 on."
        raise InputError(f"{shown(seed)} is no seed", where="hft.sweep(seed=...)", do=do)
    judged = objective_of(objective, grounds[0].horizons)
    base.entry(True)  # compiled here, and refused here
    course = Course(base, grounds, judged, step_ns, counts)
    return Asked(course, wanted, method, number, int(seed), given)


def tape_text(tape: Tape) -> str:
    """What events a tape or slice has."""
    here = tape.selection
    rows = "" if here.rows is None else f" of {list(here.rows)}"
    return f"{tape.digest[:16]} {here.first}:{here.last}{rows}"


def _base(strategy: Any) -> Any:
    made = strategy_of(strategy, None)
    if not isinstance(made, Strategy):
        what = type(made).__name__
        do = "Pass a class that is decorated with @hft.strategy, or one made of it."
        raise InputError(
            f"{what} has no parameters to vary", where="hft.sweep(strategy, ...)", do=do
        )
    return made


def _listed(tapes: Any) -> list[Any]:
    given = list(tapes) if isinstance(tapes, list | tuple) else [tapes]
    if not given:
        do = "Give a tape, its path, or a list of them."
        raise InputError("There are no tapes", where="hft.sweep(strategy, tapes)", do=do)
    from hftlib.research.store import found

    return [found(one) if isinstance(one, str) else one for one in given]


def _grounds(
    tapes: tuple[Tape, ...], settings: Mapping[str, Any], step_ns: int
) -> tuple[tuple[Ground, ...], dict[str, Any]]:
    """What runs over each tape share; and the same as hft.backtest takes it."""
    limits, after = limits_of(settings["limits"]), horizons_of(settings["horizons"])
    longest = max(tapes, key=lambda tape: tape.duration)
    every = (
        _within(step_ns, every_of(None, longest))
        if settings["every"] is None
        else every_of(settings["every"], longest)
    )
    curves, directives = settings["curves"], tuple(settings["directives"])
    made = tuple(
        Ground(
            tape,
            settings_of(settings["venue"], tape),
            limits,
            curves_of(curves, tape),
            directives,
            after,
            every,
        )
        for tape in tapes
    )
    given = {"venue": settings["venue"], "limits": settings["limits"], "every": every}
    if curves is not None:
        given["curves"] = curves
    if directives:
        given["directives"] = directives
    if after != tuple(HORIZONS_NS):
        given["horizons"] = after
    return made, given


def _within(step_ns: int, every_ns: int) -> int:
    """A time between samples of equity, of which the step is a multiple: its end is sampled."""
    parts = max(1, -(-step_ns // every_ns))
    return next((step_ns // n for n in range(parts, parts + _PARTS) if step_ns % n == 0), step_ns)


def _trials(space: Space, method: Any, trials: Any) -> int:
    """How many trials there are to be."""
    if method not in METHODS:
        do = f"Use one of {', '.join(METHODS)}."
        raise InputError(
            f"There is no method {shown(method)}", where="hft.sweep(method=...)", do=do
        )
    if trials is not None and (not is_whole(trials) or not 1 <= trials <= GRID_MAX):
        raise InputError(
            f"{shown(trials)} is no number of trials",
            where="hft.sweep(trials=...)",
            do=f"Give a whole number from 1 to {GRID_MAX:,}.",
        )
    if method != "grid":
        return int(trials or min(TRIALS, space.count))
    size = space.grid_size
    if size > (trials or GRID_MAX):
        raise InputError(
            f"The grid has {size:,} combinations, and {trials or GRID_MAX:,} are the most",
            where="hft.sweep(method='grid')",
            do='Name fewer values, or let chance choose: method="random", trials=100.',
        )
    return size
