"""Log-bucketed latency histogram in plain memory: a few nanoseconds to record, 1 % exact.

Values from 0 to 2⁴² ns (73 minutes) fall into 256 buckets of 1 ns each, then into rows of 128
buckets, each row with buckets twice as wide as the row before:

    row       0               1               2                     34
    values    0 .. 255        256 .. 511      512 .. 1023    ...    2⁴¹ .. 2⁴² - 1
    width     1 ns            2 ns            4 ns                  2³⁴ ns

These are HdrHistogram's buckets for two significant digits, so the counts go over to its format
one to one. A value outside is counted as `below` (negative: a clock stepped back) or `above`, and
never lost. Merging adds counts. Worst case: 37 kB a histogram, of which the recording touches two
cache lines; one writer, any number of readers. The sum, and so the mean, wraps once all recorded
values together pass 2⁶³ ns (292 years).
"""

from __future__ import annotations

import html
import math
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import InputError, StateError
from hftlib.core.records import record
from hftlib.core.times import duration_text
from hftlib.core.units import exact_fraction, is_whole, shown

BUCKETS = 256 + 34 * 128
VALUE_MAX = (1 << 42) - 1
SIGNIFICANT_DIGITS = 2

HISTOGRAM = record(
    "histogram",
    64 + 8 * BUCKETS,
    """
    0    below    int64        values under 0: a clock stepped back
    8    above    int64        values over 2⁴² - 1
    16   sum      int64        of all recorded values
    24   least    int64        smallest recorded value, plus one; 0 while there is none
    32   most     int64        largest recorded value
    64   counts   int64[4608]  one per bucket
    """,
)

_at = jit.record_at(HISTOGRAM)
_LOW_BITS = 255
_PERCENTILES = (50.0, 90.0, 99.0, 99.9, 99.99, 100.0)


@jit.compiled("void(int64, int64)")
def record_value(histogram_address: int, value: int) -> None:
    """Count one value."""
    histogram = _at(histogram_address)
    if value < 0:
        histogram.below += 1
        return
    if value > VALUE_MAX:
        histogram.above += 1
        return
    row = 56 - jit.leading_zeros(value | _LOW_BITS)
    histogram.sum += value
    if value > histogram.most:
        histogram.most = value
    if value + 1 < histogram.least or histogram.least == 0:
        histogram.least = value + 1
    # Last, so that what is counted lies between the extremes even if the writer dies in here.
    histogram.counts[(row << 7) + (value >> row)] += 1


def bucket_bounds() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The smallest and the largest value of every bucket."""
    index = np.arange(BUCKETS, dtype=np.int64)
    row = np.maximum((index >> 7) - 1, 0)
    first = (index - (row << 7)) << row
    return first, first + (1 << row) - 1


class Histogram:
    """A histogram to look at: `Histogram(arena["latency"])`, or `Histogram()` with its own."""

    def __init__(self, memory: np.ndarray[Any, Any] | None = None, name: str = "latency") -> None:
        if memory is None:
            memory = np.zeros(1, HISTOGRAM)
        if memory.dtype != HISTOGRAM or memory.size != 1:
            raise InputError(
                f"This memory is no single histogram: {memory.size} items of {memory.dtype.names}",
                where="Histogram(memory)",
                do="Lay it out with name=HISTOGRAM and pass arena[name], or one item [i:i+1].",
            )
        self.name = name
        self.memory = memory.reshape(-1)
        self.address = int(memory.ctypes.data)

    def record(self, value: int) -> None:
        """Count one value; compiled code calls `record_value(histogram.address, value)`."""
        self._require_writable("record")
        if not is_whole(value):
            raise InputError(
                f"{shown(value)} is not a whole number of nanoseconds",
                where=f"histogram {self.name!r}",
                do="Record ints; a time in float seconds becomes round(seconds * 1e9).",
            )
        # However far outside it is, it is counted there; int64 ends sooner than Python's int.
        record_value(self.address, min(max(int(value), -1), VALUE_MAX + 1))

    @property
    def counts(self) -> np.ndarray[Any, Any]:
        return self.memory["counts"][0]

    @property
    def count(self) -> int:
        return int(self.counts.sum())

    @property
    def outside(self) -> tuple[int, int]:
        """How many values were below 0 and above the largest bucket."""
        return int(self.memory["below"][0]), int(self.memory["above"][0])

    @property
    def mean(self) -> float:
        count = self.count
        return float(self.memory["sum"][0]) / count if count else float("nan")

    def percentile(self, percent: float) -> int:
        """The value that `percent` of all recorded values do not exceed, at most 1 % too high."""
        share = exact_fraction(percent, "percent")
        if not 0 <= share <= 100:
            raise InputError(
                f"There is no {percent}th percentile",
                where=f"histogram {self.name!r}",
                do="Ask for a number from 0 to 100.",
            )
        counts = self.counts.copy()  # a live one may grow while we add up
        total = int(counts.sum())
        if total == 0:
            raise InputError(
                "An empty histogram has no percentiles",
                where=f"histogram {self.name!r}",
                do="Record values first.",
            )
        # Exact in integers: a float product of a large count can land just above a whole number.
        rank = max(1, math.ceil(total * share / 100))
        bucket = int(np.searchsorted(np.cumsum(counts), rank))
        lower, upper = (int(bounds[bucket]) for bounds in bucket_bounds())
        most = int(self.memory["most"][0])
        return most if lower <= most <= upper else upper

    def summary(self) -> dict[str, int | float]:
        """Count, mean and the usual percentiles in ns, and what fell outside."""
        still = Histogram(self.memory.copy(), self.name)  # a live one may grow from row to row
        below, above = still.outside
        row: dict[str, int | float] = {"count": still.count, "below": below, "above": above}
        if row["count"]:
            lower, upper = (int(b[np.flatnonzero(still.counts)[0]]) for b in bucket_bounds())
            row["min"] = min(max(int(still.memory["least"][0]) - 1, lower), upper)
            row["mean"] = still.mean
            row |= {_label(p): still.percentile(p) for p in _PERCENTILES}
        return row

    def add(self, other: Histogram) -> None:
        """Take another's counts in as well."""
        self._require_writable("add")
        ours, theirs = self.memory[0], other.memory[0]
        for field in ("below", "above", "sum", "counts"):
            ours[field] += theirs[field]
        ours["most"] = max(ours["most"], theirs["most"])
        leasts = [least for least in (ours["least"], theirs["least"]) if least]
        ours["least"] = min(leasts, default=0)

    def to_hdr(self) -> Any:
        """The same counts as an HdrHistogram (package `hdrhistogram`), to encode, plot or merge."""
        try:
            from hdrh.histogram import HdrHistogram
        except ImportError:
            raise InputError(
                "The package hdrhistogram is not installed",
                where="Histogram.to_hdr",
                do="Run `pip install 'hftlib[research]'`.",
            ) from None
        made = HdrHistogram(1, VALUE_MAX, SIGNIFICANT_DIGITS)
        first, _ = bucket_bounds()
        for bucket in np.flatnonzero(self.counts):
            made.record_value(int(first[bucket]), int(self.counts[bucket]))
        return made

    def picture(self, width: int = 40) -> list[tuple[str, str, int]]:
        """Rows of (range, bar, count), one per power of two that holds a value."""
        first, _ = bucket_bounds()
        power = np.where(first > 0, np.log2(np.maximum(first, 1)).astype(int), 0)
        totals = np.bincount(power, weights=self.counts).astype(np.int64)
        held = np.flatnonzero(totals)
        if not len(held):
            return []
        rows = []
        for p in range(held[0], held[-1] + 1):
            low = 0 if p == 0 else 1 << p
            bar = "█" * round(width * int(totals[p]) / int(totals.max()))
            text = f"{duration_text(low)} to {duration_text(2 << p)}"
            rows.append((text, bar or "▏" * bool(totals[p]), int(totals[p])))
        return rows

    def _require_writable(self, what: str) -> None:
        # Compiled code does not honour numpy's flag: a write to a read-only mapping is a crash.
        if not self.memory.flags.writeable:
            raise StateError(
                f"This histogram was opened read-only and cannot {what}",
                where=f"histogram {self.name!r}",
                do="Open its arena with writable=True in the process that records.",
            )

    def __str__(self) -> str:
        stats = self.summary()
        if not stats["count"]:
            return f"{self.name}: nothing recorded"
        parts = [f"{_label(p)} {duration_text(int(stats[_label(p)]))}" for p in _PERCENTILES]
        return f"{self.name}: {stats['count']:,} values, " + ", ".join(parts)

    def __repr__(self) -> str:
        return f"<Histogram {self}>"

    def _repr_html_(self) -> str:
        bars = "".join(
            f"<tr><td>{html.escape(text)}</td><td style='text-align:left'>{bar}</td>"
            f"<td>{count:,}</td></tr>"
            for text, bar, count in self.picture()
        )
        return f"<table><caption>{html.escape(str(self))}</caption>{bars}</table>"


def _label(percent: float) -> str:
    return "max" if percent == 100 else f"p{percent:g}"
