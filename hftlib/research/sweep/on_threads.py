"""Trials over threads: compiled code runs without Python's lock, so threads use all processors.

    with Threads(course, workers) as pool:
        for outcome in pool.outcomes(jobs): ...          as they end, in any order

joblib schedules; jobs are taken from their iterator only as threads get free, so that a sweep of a
million trials is no list of a million. Each thread has memory of its own; tapes are mapped once
for all of them. Whoever stops listening ends the trials under way.

Worst case: trials of a few milliseconds, where Python's own part of each is what threads wait for.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from hftlib.research.sweep.trying import Course, Outcome, StoppedError, Trier

Job: TypeAlias = tuple[int, dict[str, Any], Sequence[float]]
"""A trial's number, its parameters, and the bars it has to reach on its way."""


class Threads:
    """Workers for trials of one course; used as a context."""

    def __init__(self, course: Course, workers: int) -> None:
        self._course, self.workers = course, workers
        self._own = threading.local()
        self._stop = threading.Event()
        self._pool: Any = None

    def __enter__(self) -> Threads:
        if self.workers > 1:
            from joblib import Parallel

            self._pool = Parallel(
                n_jobs=self.workers,
                backend="threading",
                return_as="generator_unordered",
                pre_dispatch=2 * self.workers,
                batch_size=1,
            )
            self._pool.__enter__()  # threads stay, and with them their memory, from call to call
        return self

    def __exit__(self, *failure: Any) -> None:
        self._stop.set()
        if self._pool is not None:
            self._pool.__exit__(*failure)

    def outcomes(self, jobs: Iterable[Job]) -> Iterator[Outcome]:
        """What becomes of each, as they end."""
        if self._pool is None:
            yield from (self._tried(*job) for job in jobs)
            return
        from joblib import delayed

        for answer in self._pool(delayed(self._answered)(job) for job in jobs):
            if answer is not None:
                yield answer

    def _answered(self, job: Job) -> Outcome | None:
        try:
            return self._tried(*job)
        except StoppedError:
            return None  # nobody listens any more

    def _tried(self, number: int, params: dict[str, Any], bars: Sequence[float]) -> Outcome:
        if not hasattr(self._own, "trier"):
            self._own.trier = Trier(self._course, self._stop)
        trier: Trier = self._own.trier
        return trier.tried(number, params, bars)
