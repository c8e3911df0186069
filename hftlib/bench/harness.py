"""How hftlib measures: medians of several runs, and a ratio against a probe in the same run.

Machines are shared and drift, so an absolute time says little. A row therefore names what it is
measured against (a probe of the machine, or the least that would do the same work), and the two
take turns, run for run, so that a slow moment hits both.
"""

from __future__ import annotations

import os
import platform
import statistics
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from hftlib.core.errors import StateError

Result = TypeVar("Result")

RUNS = 7


@dataclass(frozen=True, slots=True)
class Measurement:
    """One row: what was measured, in `unit` per operation, and against what."""

    name: str
    unit: str
    median: float
    best: float
    runs: int
    budget: float | None = None
    against: str = ""
    against_median: float | None = None
    ratio: float | None = None
    peer: str = ""
    peer_median: float | None = None
    peer_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """A thing to measure: `run()` returns its cost per operation, `probe()` its yardstick's.

    `peer()` returns that of another program that does the same.
    """

    name: str
    run: Callable[[], float]
    unit: str = "ns"
    budget: float | None = None
    against: str = ""
    probe: Callable[[], float] | None = None
    peer_name: str = ""
    peer: Callable[[], float] | None = None


def measure(bench: Bench, runs: int = RUNS) -> Measurement:
    """Run the bench, its probe and its peer in turns, after one unmeasured turn of each."""
    takers = (bench.run, bench.probe, bench.peer)
    costs = [[taker() if taker else None for taker in takers] for _ in range(runs + 1)][1:]
    ours, theirs, peers = (
        [cost for cost in one if cost is not None] for one in zip(*costs, strict=True)
    )
    median = statistics.median(ours)
    yardstick = statistics.median(theirs) if theirs else None
    peer = statistics.median(peers) if peers else None
    return Measurement(
        bench.name,
        bench.unit,
        median,
        min(ours),
        runs,
        bench.budget,
        bench.against,
        yardstick,
        median / yardstick if yardstick else None,
        bench.peer_name,
        peer,
        median / peer if peer else None,
    )


def require_compiled(where: str) -> None:
    """Refuse to start where two uncompiled loops would wait for each other for ever."""
    from hftlib.core import jit

    if not jit.COMPILED:
        raise StateError(
            "Nothing is compiled in this process, so it would measure Python",
            where=f"{where}, with NUMBA_DISABLE_JIT set",
            do="Unset NUMBA_DISABLE_JIT and run it again.",
        )


def require_all(what: str, wanted: int, *counts: int) -> None:
    """Refuse a figure taken from fewer operations than were asked for."""
    if min(counts) != wanted or max(counts) != wanted:
        raise StateError(
            f"Only {min(counts):,} of {wanted:,} {what} came through before patience ran out",
            where="hft bench",
            do="Run it again with two cores free; `hft doctor` says what else this host lacks.",
        )


def host() -> dict[str, Any]:
    """Where a measurement was made: enough to know whether two may be compared."""
    from hftlib.core import jit

    made_with = jit.toolchain()
    del made_with["features"]
    return {
        **made_with,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
    }


def as_json(measurements: list[Measurement]) -> dict[str, Any]:
    """Host and rows, ready for `json.dumps`."""
    return {"host": host(), "measurements": [asdict(row) for row in measurements]}


def table(measurements: list[Measurement], title: str) -> Any:
    """The rows; `--json` has more. Names fold where it is narrow, and nothing is ever cut.

    Empty columns are left out. No word is split, so it wants 60 columns.
    """
    from rich.box import SIMPLE
    from rich.table import Table

    rows = [_cells(row) for row in measurements]
    caption = "medians; a ratio is taken against the probe beside it, in the same run"
    compared = any(row["ratio"] for row in rows)
    made = Table(
        title=title,
        caption=caption if compared else "medians",
        box=SIMPLE,
        collapse_padding=True,
        pad_edge=False,
    )
    used = [heading for heading in rows[0] if any(row[heading] for row in rows)] if rows else []
    for heading in used:
        text = heading in ("measured", "probe")
        cells = [heading, *(row[heading] for row in rows)]
        words = [word for cell in cells for word in (cell.split() if text else [cell])]
        made.add_column(
            heading,
            justify="left" if text else "right",
            no_wrap=not text,
            overflow="fold",
            min_width=max(map(len, words)),
        )
    for row in rows:
        made.add_row(*(row[heading] for heading in used))
    return made


def _cells(row: Measurement) -> dict[str, str]:
    return {
        "measured": row.name,
        "median": _cost(row.median, row.unit),
        "budget": f"≤ {_cost(row.budget, row.unit)}" if row.budget else "",
        "probe": row.against,
        "ratio": f"{row.ratio:.2f}" if row.ratio else "",
    }


def _cost(value: float, unit: str) -> str:
    if unit == "ns" and value >= 100_000:
        return f"{value / 1e6:.3g} ms"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """Keep the calling thread on one core, as far as the host has that many."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[core % len(allowed)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def beside(work: Callable[[], Result], core: int) -> Future[Result]:
    """Start `work` in a thread of its own on that core; the caller waits for its result."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            with pinned(core):
                future.set_result(work())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
