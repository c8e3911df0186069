"""What a runner's page costs its hot thread: one call of `publish` each millisecond.

    python -m hftlib.bench.page                    2, 50 and 1,000 instruments
    python -m hftlib.bench.page --json

A runner is laid out and not started; its hot thread's call is made TIMES times in a row, the median
of ROUNDS. `share` is what of a millisecond that takes.

Worst case: in a row the page lies in the cache, as it hardly does once a millisecond; so the
caches are swept between two calls in `cold_ns`.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import clock, jit
from hftlib.engine.live.hot_memory import TICK_NS
from hftlib.engine.live.publishing import publish

TIMES, ROUNDS, COLD, SWEPT_BYTES = 2_000, 7, 50, 1 << 26
BEGIN = 1_795_305_600_000_000_000


@jit.compiled("int64(int64, int64, int64)")
def often(copying: int, live: int, times: int) -> int:
    """So many calls: ns for all."""
    begun = clock.monotonic_ns()
    for _ in range(times):
        publish(copying, live)
    return clock.monotonic_ns() - begun


def measured(instruments: int) -> dict[str, Any]:
    """The figures of a runner with so many instruments."""
    from hftlib.ops.launching import described, laid
    from hftlib.ops.page import Page
    from hftlib.ops.runner import Door, Place, Runner

    ticks = {f"S{n:05d}": 100 for n in range(instruments)}
    exchange = {"ticks": ticks, "midnight_ns": BEGIN, "session": "X", "simulator": True}
    about = described(["QueueImbalance"], exchange, user="frm1a")
    with tempfile.TemporaryDirectory(prefix="hft-page-") as folder:
        place = Path(folder)
        runner = Runner(
            laid(about), place / "day", about, places=[Place([])], doors=[Door(("", 0), "")]
        )
        page = Page(runner, place / "page")
        copying, live = int(runner.record["copying"]), runner.live.address
        warm = [int(often(copying, live, TIMES)) / TIMES for _ in range(ROUNDS)]
        sweep, cold = np.zeros(SWEPT_BYTES // 8, np.int64), []
        for _ in range(COLD):
            sweep += 1
            cold.append(int(often(copying, live, 1)))
        runner.stop()
        page.remove()
        found = {"instruments": instruments, "bytes": int(page.arena.layout.total_bytes)}
    found |= {"ns": round(statistics.median(warm)), "cold_ns": round(statistics.median(cold))}
    return found | {"share": round(found["cold_ns"] / TICK_NS, 5)}


def main() -> None:
    rows = [measured(count) for count in (2, 50, 1_000)]
    if "--json" in sys.argv[1:]:
        print(json.dumps(rows))
        return
    for row in rows:
        print(
            f"{row['instruments']:>6,} instruments, page of {row['bytes']:,} bytes: "
            f"{row['ns']:,} ns, cold {row['cold_ns']:,} ns, {row['share']:.2%} of a millisecond"
        )


if __name__ == "__main__":
    main()
