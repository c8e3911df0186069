"""A strategy run again and again: sets of parameters, tapes and settings, in threads.

    sets = sets_of({"edge": [1, 2], "clip": [100]})      each of a grid, or a list of dicts
    results = tried(QueueImbalance, tape, sets, {"venue": venue})

Compiled runs hold no GIL, so threads fill the cores. The first run goes alone, since it may have to
compile. A strategy may be a function of the tape that returns one, as for `hft.check_lookahead`: it
is made anew for each tape. Ctrl-C ends the runs under way at their next look, and starts no more.

Worst case: as many runs in memory as there are cores; their results are kept, unless `of` says what
of them is wanted.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.keywords import require_known
from hftlib.core.units import shown
from hftlib.research.backtest import backtest
from hftlib.research.result import Result
from hftlib.research.setting_up import settings_of, tape_of
from hftlib.research.tape import Tape
from hftlib.terminal import heard_by, patience
from hftlib.venue.venue import Venue

SETTINGS = (
    *("params", "venue", "limits", "directives", "risk_watch", "curves", "compiled", "every"),
    "horizons",
)
SETS_MAX = 100_000

Params = Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """One backtest: over which tape, with which parameters, and settings of its own."""

    tape: Tape
    params: Params = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def tried(
    strategy: Any,
    tape: Tape,
    sets: Sequence[Params],
    settings: Mapping[str, Any],
    *,
    of: Callable[[Result], Any] | None = None,
) -> list[Any]:
    """The result of each set of parameters, in order; or what `of` makes of it."""
    return run_jobs(strategy, [Job(tape, one, settings) for one in sets], of)


def run_jobs(
    strategy: Any, jobs: Sequence[Job], of: Callable[[Result], Any] | None = None
) -> list[Any]:
    """The same for jobs of all kinds."""
    from joblib import Parallel, delayed

    over = threading.Event()
    made: list[Any] = []
    python = any(job.settings.get("compiled") is False for job in jobs)
    with patience() as advance:
        try:
            for first, workers in ((0, 1), (1, 1 if python else cores())):
                part = jobs[first : first + 1] if first == 0 else jobs[first:]
                calls = (delayed(_one)(strategy, job, of, over) for job in part)
                lane = Parallel(n_jobs=workers, prefer="threads", return_as="generator")
                for answer in lane(calls):
                    made.append(answer)
                    advance(len(made) / len(jobs), f"backtest {len(made):,} of {len(jobs):,}")
        except BaseException:
            over.set()
            raise
    return made


def _one(strategy: Any, job: Job, of: Any, over: threading.Event) -> Any:
    def look(_share: float, _what: str) -> None:
        if over.is_set():
            raise KeyboardInterrupt

    with heard_by(look):
        given = dict(job.settings)
        params = given.pop("params", None)
        if job.params:
            params = {**(params or {}), **job.params}
        one = strategy(job.tape) if is_function(strategy) else strategy
        result = backtest(one, job.tape, params=params, **given)
        return result if of is None else of(result)


def is_function(strategy: Any) -> bool:
    """Whether it is a function of the tape that makes the strategy."""
    return callable(strategy) and not hasattr(strategy, "state_dtype")


def cores() -> int:
    """How many runs go at once."""
    return max(1, len(os.sched_getaffinity(0)))


def sets_of(space: Any) -> list[dict[str, Any]]:
    """The sets of parameters a user means: a grid of values by name, or a list of dicts."""
    if space is None:
        return [{}]
    if isinstance(space, Mapping) and all(isinstance(name, str) for name in space):
        values = [_values(name, one) for name, one in space.items()]
        sets = [dict(zip(space, one, strict=True)) for one in _bounded(product(*values))]
    elif isinstance(space, list | tuple) and all(isinstance(one, Mapping) for one in space):
        sets = [dict(one) for one in _bounded(iter(space))]
    else:
        raise InputError(
            f"{shown(space)} gives no sets of parameters",
            where="space",
            do='Give a grid such as {"edge": [1, 2, 3]}, or a list of dicts.',
        )
    if not sets:
        do = 'Give at least one value of each: {"edge": [1, 2, 3]}.'
        raise InputError("The space has no set of parameters", where="space", do=do)
    return sets


def _values(name: str, given: Any) -> list[Any]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        return [given]
    if isinstance(given, Mapping | tuple):
        do = f'Give its values as a list: {{"{name}": [1, 2, 3]}}; ranges are for hft.sweep.'
        raise InputError(f"{shown(given)} are no values of {name}", where="space", do=do)
    return list(given)


def _bounded(sets: Iterator[Any]) -> Iterator[Any]:
    for count, one in enumerate(sets):
        if count >= SETS_MAX:
            do = "Take fewer values, or sweep first and pass the sets that matter."
            raise InputError(f"The space has more than {SETS_MAX:,} sets", where="space", do=do)
        yield one


def tapes_of(tapes: Any) -> list[Tape]:
    """One tape, or several in order of time."""
    several = isinstance(tapes, list | tuple)
    made = [tape_of(one) for one in (tapes if several else [tapes])]
    if not made:
        do = "Pass hft.open_tape(path), or several of them."
        raise InputError("There is no tape to validate on", where="tapes", do=do)
    for before, after in pairwise(made):
        if after.begin < before.end:
            raise InputError(
                f"{after.path.name} begins before {before.path.name} is over",
                where="tapes",
                do="Give tapes in order of time, each of a time of its own.",
            )
    return made


def checked_settings(settings: Mapping[str, Any], tapes: Sequence[Tape], name: str) -> Any:
    """What `hft.backtest` is to be told; a venue is given for each name, so that it can change."""
    require_known(settings, list(SETTINGS), name)
    settings = {name: value for name, value in settings.items() if value is not None}
    venue = settings.get("venue")
    if not isinstance(venue, Mapping):
        settings_of(venue, tapes[0])  # which refuses what is none
        venue = venue or Venue()
    return {**settings, "venue": venue}


def at_venues(venue: Any, change: Callable[[Venue], Venue]) -> Any:
    """The same settings with each venue changed."""
    if isinstance(venue, Mapping):
        return {name: change(one) for name, one in venue.items()}
    return change(venue)


def several_venues(venue: Any) -> list[Venue]:
    """Each venue's settings."""
    return list(venue.values()) if isinstance(venue, Mapping) else [venue]
