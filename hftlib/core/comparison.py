"""Where two arenas differ, named by array, item and field, so that a person can go and look.

Every byte after the header counts, for replay is judged by bytes: the fields first, then padding
within a record, then the unused bytes between two arrays, which only a stray write can change.
Worst case: one pass over both arenas, and a Python loop over each item that differs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.layout import Layout
from hftlib.core.records import differences


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs between two arenas."""

    array: str
    index: int
    field: str
    ours: Any
    theirs: Any

    def __str__(self) -> str:
        dotted = f".{self.field}" if self.field else ""
        return f"{self.array}[{self.index}]{dotted}: {self.ours} here, {self.theirs} there"


def compared(
    layout: Layout, ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]
) -> Iterator[Difference]:
    """The differences between two arenas of one layout, given as bytes, in the order they lie."""
    ends = [*(slot.offset for slot in layout.slots.values()), len(ours)][1:]
    for (name, slot), end in zip(layout.slots.items(), ends, strict=True):
        begin, size = slot.offset, slot.dtype.itemsize
        last = begin + slot.nbytes
        mine, others = (memory[begin:last].reshape(-1, size) for memory in (ours, theirs))
        for index in map(int, np.flatnonzero((mine != others).any(axis=1))):
            values = differences(slot.dtype, mine[index].tobytes(), others[index].tobytes())
            for field, a, b in values or [("(padding)", "bytes", "other bytes")]:
                yield Difference(name, index, field, a, b)
        if not np.array_equal(ours[last:end], theirs[last:end]):
            yield Difference(name, slot.count, "(beyond the last)", "bytes", "other bytes")
