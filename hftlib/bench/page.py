"""`hft bench page`: what a runner's page costs its hot thread, and whether readers can be felt.

    hft bench page                    2, 50 and 1,000 instruments; then the wire in five ways
    hft bench page --json

**Costs.** A runner is laid out and not started, each book with LEVELS levels of QUEUE orders a side
and OURS orders of ours among them. The call that its hot thread makes each millisecond is made
TIMES times in a row, the best of ROUNDS, for others run here, too; beside it the same without what
a desk shows (ladders, orders, fills, counts). `share` is what of a millisecond the longer one takes
with swept caches.

**Readers.** `page_wire.py`: from UDP in to TCP out without a page, with one as it was without a
desk, with all of it, and with one that is read twice and twenty times a second.

Worst case: in a row the page lies in the cache, as it hardly does once a millisecond; so the caches
are swept between two calls in `cold_ns`.
"""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hftlib import __version__
from hftlib.bench.harness import host
from hftlib.bench.page_wire import Way, felt
from hftlib.core import clock, jit, orders
from hftlib.core.events import ADD, BUY, EVENT, SELL
from hftlib.engine.live.hot_memory import TICK_NS
from hftlib.engine.live.publishing import publish
from hftlib.terminal import Advance

TIMES, ROUNDS, COLD, SWEPT_BYTES = 2_000, 7, 50, 1 << 26
BEGIN = 1_795_305_600_000_000_000
LEVELS, QUEUE, OURS = 12, 5, 4
MIDDLE, TICK = 1_000_000, 100
INSTRUMENTS = (2, 50, 1_000)
_DESK = ("show", "trail")


@jit.compiled("int64(int64, int64, int64)")
def often(copying: int, live: int, times: int) -> int:
    """So many calls: ns for all."""
    begun = clock.monotonic_ns()
    for _ in range(times):
        publish(copying, live)
    return clock.monotonic_ns() - begun


@dataclass(frozen=True, slots=True)
class Paged:
    """Costs by number of instruments, and the wire in each way."""

    costs: list[dict[str, Any]]
    ways: list[Way]
    runs: int

    def as_json(self) -> dict[str, Any]:
        ways = [one.as_json() for one in self.ways]
        return {"host": host(), "runs": self.runs, "costs": self.costs, "wire": ways}

    def table(self) -> Any:
        """Both, one below the other."""
        from rich.console import Group

        return Group(self._costs(), self._wire())

    def _costs(self) -> Any:
        made = _table(
            f"hftlib {__version__}: the page, one call each millisecond",
            "without: no ladders, orders, fills and counts, as a desk shows them; swept: caches "
            "are swept before each call",
            ("instruments", "bytes", "without", "with", "without, swept", "with, swept", "share"),
        )
        for row in self.costs:
            made.add_row(
                f"{row['instruments']:,}",
                f"{row['bytes']:,}",
                *(f"{row[name]:,} ns" for name in ("bare_ns", "ns", "bare_cold_ns", "cold_ns")),
                f"{row['share']:.2%}",
            )
        return made

    def _wire(self) -> Any:
        made = _table(
            "UDP in to TCP out, on loopback",
            f"medians of {self.runs} rounds in turns; a ratio is that of two rounds side by side",
            ("mode", "page", "p50", "p99", "ratio p50", "ratio p99"),
        )
        for one in self.ways:
            made.add_row(
                one.mode,
                one.name,
                *(f"{one.median(name) / 1_000:,.1f} µs" for name in ("p50", "p99")),
                *(f"{one.ratio(name):.3f}" for name in ("p50", "p99")),
            )
        return made


def read(runs: int, advance: Advance) -> Paged:
    """All of it."""
    costs = []
    for n, count in enumerate(INSTRUMENTS):
        advance(0.1 * n, f"{count:,} instruments")
        costs.append(measured(count))
    return Paged(costs, felt(runs, lambda share, what: advance(0.3 + 0.7 * share, what)), runs)


def measured(instruments: int) -> dict[str, Any]:
    """The figures of a runner with so many instruments."""
    from hftlib.ops.launching import described, laid
    from hftlib.ops.page import Page
    from hftlib.ops.runner import Door, Place, Runner

    ticks = {f"S{n:05d}": TICK for n in range(instruments)}
    exchange = {"ticks": ticks, "midnight_ns": BEGIN, "session": "X", "simulator": True}
    about = described(["QueueImbalance"], exchange, user="frm1a")
    with tempfile.TemporaryDirectory(prefix="hft-page-") as folder:
        place = Path(folder)
        runner = Runner(
            laid(about), place / "day", about, places=[Place([])], doors=[Door(("", 0), "")]
        )
        page = Page(runner, place / "page")
        _trade(runner.live.session, instruments)
        found = {"instruments": instruments, "bytes": int(page.arena.layout.total_bytes)}
        copying, live = int(runner.record["copying"]), runner.live.address
        found["ns"], found["cold_ns"] = _timed(copying, live)
        page._copying[list(_DESK)] = 0
        found["bare_ns"], found["bare_cold_ns"] = _timed(copying, live)
        runner.stop()
        page.remove()
    return found | {"share": round(found["cold_ns"] / TICK_NS, 5)}


def _timed(copying: int, live: int) -> tuple[int, int]:
    """ns of a call: one behind the other, and with swept caches."""
    warm = [int(often(copying, live, TIMES)) / TIMES for _ in range(ROUNDS)]
    sweep, cold = np.zeros(SWEPT_BYTES // 8, np.int64), []
    for _ in range(COLD):
        sweep += 1
        cold.append(int(often(copying, live, 1)))
    return round(min(warm)), round(statistics.median(cold))


def _trade(session: Any, instruments: int) -> None:
    """A full book of each instrument, and orders of ours in it: at the head of a queue."""
    made, references, ours = [], 0, []
    for n in range(instruments):
        for level in range(LEVELS):
            for side, price in ((BUY, MIDDLE - level * TICK), (SELL, MIDDLE + TICK * (1 + level))):
                for place in range(QUEUE):
                    references += 1
                    row = np.zeros(1, EVENT)
                    row["kind"], row["instrument"], row["side"] = ADD, n, side
                    row["price"], row["quantity"], row["reference"] = price, 100, references
                    made.append(row)
                    if place == 0 and 2 * level < OURS:
                        ours.append((n, side, price, references))
    session.books.apply(np.concatenate(made).view(EVENT))
    rows, positions = session.seats[0]["own_orders"], session.seats[0]["positions"]
    for slot, (n, side, price, reference) in enumerate(ours[: len(rows) - 1], start=1):
        row, position = rows[slot], positions[n]
        row["id"], row["instrument"], row["side"], row["price"] = slot, n, side, price
        row["quantity"], row["kind"], row["state"] = 100, orders.LIMIT, orders.LIVE
        row["venue_number"], row["next"] = reference, position["first_open"]
        position["first_open"] = slot
        position["open_orders"] += 1


def _table(title: str, caption: str, names: tuple[str, ...]) -> Any:
    from rich.box import SIMPLE
    from rich.table import Table

    made = Table(title=title, caption=caption, box=SIMPLE, pad_edge=False)
    for name in names:
        made.add_column(name, justify="left" if name in ("mode", "page") else "right")
    return made
