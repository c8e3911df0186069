"""Whether a page, and who reads it, can be felt from UDP in to TCP out: five ways, in turns.

    felt(runs, advance)   a Way for each: no page, one without what a desk shows, all of it,
                          read twice and 20 times a second

Two runners on one host, one of them with a page, take turns, round for round. The page is read by
the thread that sends, on its processor, between two datagrams: so what is measured is what reading
costs the hot thread (cache lines that go to and fro), and not a third process on a host of two
processors. A ratio is that of two rounds of one turn, then the median.

Worst case: as `hft bench live --wire`; the datagram behind a look finds the sender's caches cold.
"""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib.bench import wire
from hftlib.bench.harness import require_compiled
from hftlib.bench.wire_ends import GAP_NS
from hftlib.bench.wire_figures import percentiles
from hftlib.bench.wire_loop import ask, serve
from hftlib.core import jit
from hftlib.engine.live import hot
from hftlib.terminal import Advance

COUNT = 4_000  # datagrams of a round: a second
STRATEGY = "QueueImbalance"  # its quotes stand, so the page has orders
MODES = (("busy", False), ("asleep until something comes", True))
# What there is of a page; how often a second it is read, None: there is none; what a desk shows.
WAYS: tuple[tuple[str, int | None, bool], ...] = (
    ("none", None, False),
    ("without what a desk shows, unread", 0, False),
    ("whole, unread", 0, True),
    ("whole, read twice a second", 2, True),
    ("whole, read 20 times a second", 20, True),
)
_DESK = ["show", "trail"]


@dataclass(slots=True)
class Way:
    """One way in one mode: ns of each round, and of the round without a page beside it."""

    name: str
    mode: str
    looks: int = 0
    ours: list[dict[str, float]] = field(default_factory=list)
    bare: list[dict[str, float]] = field(default_factory=list)

    def median(self, name: str) -> float:
        return statistics.median(one[name] for one in self.ours)

    def ratio(self, name: str) -> float:
        """The median of each turn's ratio."""
        pairs = zip(self.ours, self.bare, strict=True)
        return statistics.median(a[name] / b[name] for a, b in pairs)

    def as_json(self) -> dict[str, Any]:
        names = ("p50", "p99", "p99.9")
        return {
            "page": self.name,
            "mode": self.mode,
            "looks": self.looks,
            "ns": {name: self.median(name) for name in names},
            "ratio": {name: self.ratio(name) for name in names},
            "rounds_ns": self.ours,
        }


def felt(runs: int, advance: Advance, count: int = COUNT) -> list[Way]:
    """Each way in each mode."""
    require_compiled("hft bench page")
    for entry in (ask, serve, hot.spin):  # nobody waits for a compiler once a day has begun
        jit.entry_address(entry)
    found = []
    for n, (mode, sleeps) in enumerate(MODES):
        with tempfile.TemporaryDirectory(prefix="hft-page-") as made:
            folders = [Path(made) / name for name in ("bare", "paged")]
            beds: list[wire.Bed] = []
            try:
                for folder in folders:
                    folder.mkdir()
                    beds.append(wire.Bed(folder, STRATEGY, sleeps, folder.name == "paged"))
                found += _turns(
                    beds,
                    [Way(name, mode) for name, _, _ in WAYS],
                    runs,
                    count,
                    lambda share, what, n=n: advance(  # type: ignore[misc]
                        (n + share) / len(MODES), what
                    ),
                )
            finally:
                for bed in beds:
                    bed.close()
    return found


def _turns(
    beds: list[wire.Bed], ways: list[Way], runs: int, count: int, advance: Advance
) -> list[Way]:
    """In turns, the first of which is not counted; who comes first changes from turn to turn."""
    seconds, page = count * GAP_NS / 1e9, beds[1].page
    assert page is not None
    whole = page._copying[_DESK].copy()
    for turn in range(runs + 1):
        advance(turn / (runs + 1), ways[0].mode)
        rounds: dict[int, dict[str, float]] = {}
        for k in range(len(WAYS)):
            which = (turn + k) % len(WAYS)
            _, rate, is_whole = WAYS[which]
            page._copying[_DESK] = whole if is_whole else 0
            bed, looks = beds[0 if rate is None else 1], round((rate or 0) * seconds)
            rounds[which] = percentiles(bed.round(count, looks).histogram)
            ways[which].looks += looks if turn else 0
        for which, way in enumerate(ways):
            if turn:
                way.ours.append(rounds[which])
                way.bare.append(rounds[0])
    return ways
