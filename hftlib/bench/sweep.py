"""`hft bench sweep`: a thousand backtests of a hundred thousand events over threads: cores, memory.

    hft bench sweep              trials a second, cores used of those there are, memory's growth
    hft bench sweep --json

Cores used are the process's own time over the clock's. On a shared host that says what others left
us; so beside it stands how many cores the threads wanted: their time on a processor and in the
kernel's queue for one, over the clock's. What a thread waits for Python's lock is in neither. The
yardstick is as many threads of compiled code that waits for nobody, before and after.

The sweep is as `hft.sweep` runs it, but for the registry, which is told once at the end. Worst
case: half a minute on two free cores.
"""

from __future__ import annotations

import os
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import hftlib as hft
from hftlib.bench.harness import host, require_all, require_compiled
from hftlib.research.setting_up import tape_of
from hftlib.research.sweep.asking import Asked, asked
from hftlib.research.sweep.folder import Folder
from hftlib.research.sweep.on_threads import Threads
from hftlib.research.sweep.trying import DONE
from hftlib.strategy.library.queue_imbalance import QueueImbalance
from hftlib.terminal import Advance

TRIALS, EARLY, SECONDS = 1_000, 100, 4_250  # of a market that makes 24 events a second
BUDGET = 0.85
_SPIN_SECONDS = 2.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was measured."""

    events: int
    trials: int
    workers: int
    trials_per_second: float
    cores_used: float
    cores_wanted: float
    cores_of_the_yardstick: float
    budget: float  # of the workers' cores, to be wanted at least
    memory_mb: float  # in use after the first trials
    memory_growth_mb: float  # of its peak from then on
    own_ms_per_trial: float

    def as_json(self) -> dict[str, Any]:
        return {"host": host(), **asdict(self)}


def read(advance: Advance, trials: int = TRIALS, seconds: int = SECONDS) -> Reading:
    """Measure a sweep by chance over a synthetic tape."""
    require_compiled("hft bench sweep")
    tape = tape_of(hft.synthetic(symbols=1, seconds=seconds, seed=7))
    workers = len(os.sched_getaffinity(0))
    what = _asked(tape, trials)
    place = Folder(None, what.identity, sum(what.course.counts))
    yardstick = [_spun(workers)]
    with Threads(what.course, workers) as pool:
        jobs = [(number, params, ()) for number, params in enumerate(what.combinations())]
        for outcome in pool.outcomes(jobs[: 2 * workers]):
            assert outcome.state == DONE, outcome.why
        early = peak = done = 0
        place.reserve(trials)
        meter = _Meter()
        for outcome in pool.outcomes(iter(jobs)):
            place.keep(outcome)
            done += outcome.state == DONE
            peak = max(peak, _memory())
            if len(place.states) == min(EARLY, trials):
                early = peak
            advance(len(place.states) / trials, f"{len(place.states):,} trials")
        wall, own, wanted = meter.read()
    place.close()
    yardstick.append(_spun(workers))
    require_all("trials", trials, done)
    return Reading(
        len(tape),
        trials,
        workers,
        trials / wall,
        own / wall,
        min(float(workers), wanted / wall),
        float(np.mean(yardstick)),
        BUDGET * workers,
        early / 1e6,
        (peak - early) / 1e6,
        own / trials * 1e3,
    )


def _asked(tape: Any, trials: int) -> Asked:
    space = {"edge_ticks": (1, 8), "lean_ticks": (0.0, 3.0), "clips_max": (1, 10)}
    settings = {
        "venue": hft.Venue(order_latency="250us"), "limits": None, "curves": None,
        "directives": (), "horizons": ("10ms", "100ms", "1s", "10s"), "every": None,
    }  # fmt: skip
    return asked(
        QueueImbalance, tape, space, "sharpe", "random", trials, 7, "1m", settings
    )  # fmt: skip


class _Meter:
    """Time of this process from now on: the clock's, its own, and what its threads wanted."""

    def __init__(self) -> None:
        self._main = threading.get_native_id()
        self._wall, self._own = time.perf_counter(), time.process_time()
        self._threads = self._looked()

    def read(self) -> tuple[float, float, float]:
        wall, own = time.perf_counter() - self._wall, time.process_time() - self._own
        return wall, own, (self._looked() - self._threads) / 1e9

    def _looked(self) -> int:
        """Nanoseconds on a processor and in the queue for one, of all threads but the first."""
        total = 0
        for name in os.listdir("/proc/self/task"):
            if int(name) == self._main:
                continue  # it writes down what the others did
            try:
                ran, waited, _ = Path(f"/proc/self/task/{name}/schedstat").read_text().split()
            except OSError:  # it ended just now, or the kernel does not count
                continue
            total += int(ran) + int(waited)
        return total


def _spun(workers: int) -> float:
    """Cores that so many threads of compiled code get now."""
    end = time.perf_counter() + _SPIN_SECONDS
    values = [np.full(1 << 18, 2.0) for _ in range(workers)]

    def spin(own: Any) -> None:
        while time.perf_counter() < end:
            for _ in range(20):
                np.sqrt(own, out=own)

    threads = [threading.Thread(target=spin, args=(one,)) for one in values]
    wall, process = time.perf_counter(), time.process_time()
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return (time.process_time() - process) / (time.perf_counter() - wall)


def _memory() -> int:
    """Bytes of this process that are in no file."""
    with open("/proc/self/statm") as file:
        _, resident, shared, *_ = file.read().split()
    return (int(resident) - int(shared)) * _PAGE


def table(reading: Reading) -> Any:
    """The figures, each with what it is of."""
    from hftlib.research.sheets import Sheet

    workers = reading.workers
    rows: list[tuple[str, str, str]] = [
        ("trials a second", f"{reading.trials_per_second:,.1f}", ""),
        ("a trial's own time", f"{reading.own_ms_per_trial:,.1f} ms", ""),
        ("cores used", f"{reading.cores_used:.2f}", f"of {workers}"),
        ("cores wanted", f"{reading.cores_wanted:.2f}", f"budget {reading.budget:.2f}"),
        ("cores that compiled threads got", f"{reading.cores_of_the_yardstick:.2f}", "yardstick"),
        (f"memory after {EARLY} trials", f"{reading.memory_mb:,.0f} MB", ""),
        ("its growth up to the last", f"{reading.memory_growth_mb:,.1f} MB", ""),
    ]
    title = f"{reading.trials:,} trials of {reading.events:,} events"
    return Sheet(title, ("", "", ""), list(rows)).rich()
