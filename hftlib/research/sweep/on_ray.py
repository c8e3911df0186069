"""Trials over a Ray cluster: each task is some trials, in a process that opens the tapes itself.

    hft.sweep(..., cluster="ray")                  a Ray of this host, for as long as the sweep
    HFT_CLUSTER=ray://head:10001                   one that is there

What travels is small: the paths and digests of the tapes, the strategy's own text (machine code and
classes of notebooks do not travel), settings, and each trial's parameters; back come its row and
its steps. A worker that finds another tape or another strategy than ours refuses. Tapes have to lie
at the same path on every host. A trial comes out as it does over threads.

The course goes with each task rather than into Ray's store of objects (see `tried`).
Worst case: the first trial in each process loads all machine code, or compiles it.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, HostError, InputError
from hftlib.research.sweep.asking import Asked
from hftlib.research.sweep.on_threads import Job
from hftlib.research.sweep.reruns import Ground
from hftlib.research.sweep.trying import Course, Outcome, Trier
from hftlib.research.tape import Tape, open_tape

TRIALS_A_TASK, STARTS = 4, 3
_triers: dict[str, Trier] = {}  # of a worker's process, by the sweep it is of


class Ray:
    """A cluster's workers for trials of one course; used as a context."""

    def __init__(self, what: Asked, workers: int, address: str) -> None:
        self.workers, self._address = workers, address
        self._ray = _ray()
        self._spec = spec_of(what.course)
        self._is_ours = False

    def __enter__(self) -> Ray:
        if not self._ray.is_initialized():
            self._start()
            self._is_ours = True
        self._task = self._ray.remote(tried)
        return self

    def __exit__(self, *_failure: object) -> None:
        if self._is_ours:
            self._ray.shutdown()

    def outcomes(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """What becomes of each, as they end."""
        ray, waiting = self._ray, iter(jobs)
        many = max(self.workers, int(ray.cluster_resources().get("CPU", 1)))
        under_way: list[Any] = []
        while True:
            while len(under_way) < 2 * many and (some := list(islice(waiting, TRIALS_A_TASK))):
                under_way.append(self._task.remote(self._spec, some))
            if not under_way:
                return
            ended, under_way = ray.wait(under_way)
            yield from self._answered(ended[0])

    def _start(self) -> None:
        """Find the cluster, or make one here; a busy host may be late, and is asked again."""
        how: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
        if self._address:
            how["address"] = self._address
        else:
            how |= {"num_cpus": self.workers, "include_dashboard": False}
        for tries_left in reversed(range(1 if self._address else STARTS)):
            try:
                self._ray.init(**how)
                return
            except Exception as error:
                self._ray.shutdown()
                told = " ".join(str(error).split())[:200]
                if tries_left:
                    continue
                raise HostError(
                    f"There is no Ray cluster that answers: {told}",
                    where=self._address or 'hft.sweep(cluster="ray")',
                    do='Check the address of its head, or use threads: cluster="threads".',
                ) from None

    def _answered(self, reference: Any) -> list[Outcome]:
        try:
            made: list[Outcome] = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, HftError):
                raise error.cause from None
            raise _lost(error) from None
        except self._ray.exceptions.RayError as error:
            raise _lost(error) from None
        return made


def spec_of(course: Course) -> dict[str, Any]:
    """The course in a form that any process of any host can make it of."""
    from hftlib.research.wire_backtest import told_of

    first = course.grounds[0]
    strategy = course.strategy
    return {
        "strategy": told_of(strategy),
        "digest": strategy.digest,
        "tapes": [_told(one) for one in course.grounds],
        "limits": first.limits,
        "directives": list(first.directives),
        "horizons": first.horizons,
        "objective": course.objective,
        "step_ns": course.step_ns,
        "counts": course.counts,
    }


def tried(spec: Mapping[str, Any], jobs: list[Job]) -> list[Outcome]:
    """In a worker: these trials."""
    key = f"{spec['digest']} {spec['tapes']!r}"
    if key not in _triers:
        _triers.clear()
        _triers[key] = Trier(course_of(spec))
    return [_triers[key].tried(*job) for job in jobs]


def course_of(spec: Mapping[str, Any]) -> Course:
    """The course again, from what travelled."""
    from hftlib.strategy.files import strategy_named

    told = spec["strategy"]
    if told["text"]:
        with tempfile.TemporaryDirectory(prefix="hft-strategy-") as folder:
            file = Path(folder) / "strategy.py"
            file.write_text(told["text"], encoding="utf-8")
            strategy = strategy_named(f"{file}:{told['class']}")(**told["params"])
            strategy.entry()  # compiled while its text is there to be told of
    else:
        strategy = strategy_named(told["named"])(**told["params"])
        strategy.entry()
    if strategy.digest != spec["digest"]:
        raise InputError(
            f"{told['class']} is another strategy here than where the sweep was begun",
            where=f"a worker on {os.uname().nodename}",
            do="Install the same version of hftlib, and of what the strategy imports, everywhere.",
        )
    grounds = tuple(_ground(one, spec) for one in spec["tapes"])
    return Course(strategy, grounds, spec["objective"], spec["step_ns"], spec["counts"])


def _told(ground: Ground) -> dict[str, Any]:
    here = ground.tape.selection
    return {
        "path": str(ground.tape.path.resolve()),
        "digest": ground.tape.digest,
        "first": here.first,
        "last": here.last,
        "rows": here.rows,
        "count": len(here),
        "venues": dict(ground.venues),
        "curves": dict(ground.curves),
        "every": ground.every_ns,
    }


def _ground(told: Mapping[str, Any], spec: Mapping[str, Any]) -> Ground:
    whole = open_tape(told["path"]).selection
    if whole.file.digest != told["digest"]:
        raise InputError(
            "This is another tape than where the sweep was begun",
            where=f"{told['path']} on {os.uname().nodename}",
            do="Copy the tape there, or name a folder that all hosts share.",
        )
    chosen = whole if told["rows"] is None else whole.of_rows(tuple(told["rows"]))
    tape = Tape(chosen.narrowed(told["first"], told["last"]))
    assert len(tape) == told["count"], "a slice is told by its ends and its instruments"
    return Ground(
        tape,
        told["venues"],
        spec["limits"],
        told["curves"],
        spec["directives"],
        spec["horizons"],
        told["every"],
    )


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise HostError(
            f"Ray cannot be imported: {error}",
            where='hft.sweep(cluster="ray")',
            do="Install it: pip install 'hftlib[ray]'; or use threads.",
        ) from None


def _lost(error: BaseException) -> HostError:
    told = " ".join(str(error).split())[-300:]
    return HostError(
        f"The cluster lost some trials: {told}",
        where="hft.sweep(cluster=...)",
        do="The same call with its folder goes on with what is left.",
    )
