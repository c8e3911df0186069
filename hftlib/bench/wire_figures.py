"""What came of `hft bench live --wire`: percentiles of each case, beside its echo's.

Worst case: none, it is arithmetic.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

from hftlib import __version__
from hftlib.bench.harness import host

BUDGET_RATIO = 1.25
PERCENTS = {"p50": 50.0, "p99": 99.0, "p99.9": 99.9}


@dataclass(slots=True)
class Case:
    """A strategy in a mode: ns of each round, ours and the echo's."""

    strategy: str
    mode: str
    order_bytes: int = 0
    datagrams: int = 0
    orders: int = 0
    ours: list[dict[str, float]] = field(default_factory=list)
    echo: list[dict[str, float]] = field(default_factory=list)

    def begin(self, answer: bytes) -> None:
        """What the first order was, in bytes: as many as the echo sends."""
        self.order_bytes = len(answer)

    def add(self, ours: Any, echo: Any) -> None:
        """Two rounds side by side; one without an echo is not counted."""
        if echo is None:
            return
        self.datagrams += ours.datagrams
        self.orders += ours.orders
        self.ours.append(percentiles(ours.histogram))
        self.echo.append(percentiles(echo.histogram))

    def median(self, of: list[dict[str, float]], name: str) -> float:
        return statistics.median(one[name] for one in of)

    def ratio(self, name: str) -> float:
        """The median of each round's ratio."""
        return statistics.median(
            a[name] / b[name] for a, b in zip(self.ours, self.echo, strict=True)
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "strategy": self.strategy,
            "mode": self.mode,
            "first_order_bytes": self.order_bytes,
            "datagrams": self.datagrams,
            "orders": self.orders,
            "ours_ns": {name: self.median(self.ours, name) for name in PERCENTS},
            "echo_ns": {name: self.median(self.echo, name) for name in PERCENTS},
            "ratio": {name: self.ratio(name) for name in PERCENTS},
            "budget_ratio_p50": BUDGET_RATIO,
            "rounds": {"ours_ns": self.ours, "echo_ns": self.echo},
        }


@dataclass(frozen=True, slots=True)
class Wired:
    """All cases."""

    cases: list[Case]
    runs: int
    count: int

    def as_json(self) -> dict[str, Any]:
        asked = {"runs": self.runs, "datagrams_each": self.count}
        return {"host": host(), **asked, "cases": [one.as_json() for one in self.cases]}

    def table(self) -> Any:
        """A line for each case and percentile."""
        from rich.box import SIMPLE
        from rich.table import Table

        made = Table(
            title=f"hftlib {__version__}: UDP in to TCP out, on loopback",
            caption=f"medians of {self.runs} rounds of {self.count:,} datagrams, in turns with the "
            "echo; the budget is for the ratio of p50",
            box=SIMPLE,
            pad_edge=False,
        )
        for name in ("strategy", "mode", "", "ours", "echo", "ratio", "budget"):
            made.add_column(name, justify="left" if name in ("strategy", "mode", "") else "right")
        for case in self.cases:
            for n, name in enumerate(PERCENTS):
                made.add_row(
                    case.strategy if n == 0 else "",
                    f"{case.mode}" if n == 0 else "",
                    name,
                    f"{case.median(case.ours, name) / 1_000:,.1f} µs",
                    f"{case.median(case.echo, name) / 1_000:,.1f} µs",
                    f"{case.ratio(name):.2f}",
                    f"≤ {BUDGET_RATIO}" if name == "p50" else "",
                )
        return made


def percentiles(one: Any) -> dict[str, float]:
    return {name: float(one.percentile(percent)) for name, percent in PERCENTS.items()}
