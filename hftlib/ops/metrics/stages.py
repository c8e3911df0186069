"""A page's histograms as Prometheus has them: cumulative counts up to chosen bounds.

    with StagesReader(page_path(socket)) as reader:
        reader.status(); reader.stages()        {"decide": Stage(...), ...}

Bounds are half octaves from 64 ns to 16 ms and octaves to 1 s, one nanosecond below each: there a
bound is one of the histogram's own, so every count is exact and none is guessed:

    le = 0.000000063, 0.000000095, 0.000000127, ... , +Inf

Worst case: 44 numbers a stage; a page that says nonsense is a sentence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from hftlib.core.histogram import bucket_bounds
from hftlib.ops.page_reading import PageReader

OCTAVES = range(6, 31)
HALVES_TO = 24


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: (bound in seconds, how many took at most that), up to +Inf; and their sum."""

    buckets: list[tuple[str, float]]
    sum_s: float
    outside: int

    @property
    def count(self) -> float:
        return self.buckets[-1][1]


class StagesReader(PageReader):
    """A page's reader that gives its histograms whole."""

    def __enter__(self) -> StagesReader:
        return self

    def stages(self) -> dict[str, Stage]:
        try:
            rows = self._arrays()["latencies"]
            return {name: stage_of(rows[n]) for n, name in enumerate(self.about["stages"])}
        except (KeyError, ValueError, IndexError, TypeError) as error:
            raise self._none(f"what it says is nonsense, {error!r}") from None


def stage_of(row: Any) -> Stage:
    """One HISTOGRAM."""
    counts = np.cumsum(row["counts"])
    _, last = bucket_bounds()
    places = np.searchsorted(last, bounds_ns())
    made = [
        (f"{bound / 1e9:.9f}", float(counts[place]))
        for bound, place in zip(bounds_ns(), places, strict=True)
    ]
    made.append(("+Inf", float(counts[-1])))
    return Stage(made, int(row["sum"]) / 1e9, int(row["below"]) + int(row["above"]))


@cache
def bounds_ns() -> tuple[int, ...]:
    """The largest value of each bucket that Prometheus sees."""
    made = []
    for power in OCTAVES:
        made.append((1 << power) - 1)
        if power < HALVES_TO:
            made.append((3 << (power - 1)) - 1)
    return tuple(made)
