"""Some rows of an array of records, which is not copied: columns are taken when asked for.

A record of an order is three cache lines, and a measure reads two or three fields of it. Worst
case: a column is a copy of its rows, eight bytes each.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Rows:
    """`rows["price"]` is a column; `rows[mask]`, `rows[-1:]` or `rows[places]` fewer rows."""

    def __init__(self, array: Array, at: Array | None = None) -> None:
        self._array, self._at = array, at

    def __len__(self) -> int:
        return len(self._array) if self._at is None else len(self._at)

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, str):
            column = self._array[which]
            return column if self._at is None else column[self._at]
        at = np.arange(len(self._array)) if self._at is None else self._at
        return Rows(self._array, at[which])


class Split:
    """The rows of an array by instrument, found once."""

    def __init__(self, array: Array) -> None:
        self.array = array
        order = np.argsort(array["instrument"], kind="stable")
        rows, firsts = np.unique(array["instrument"][order], return_index=True)
        pieces = np.split(order, firsts[1:]) if len(rows) else []
        self._places: dict[int, Array] = dict(zip(rows.tolist(), pieces, strict=True))

    @property
    def rows(self) -> list[int]:
        """Which instruments there are."""
        return list(self._places)

    def of(self, rows: tuple[int, ...]) -> Rows:
        """All of these instruments, in the array's own order."""
        return Rows(self.array, self.places(rows))

    def places(self, rows: tuple[int, ...]) -> Array:
        found = [self._places[row] for row in rows if row in self._places]
        if len(found) == 1:
            return found[0]
        return np.sort(np.concatenate([np.zeros(0, np.int64), *found]))

    def lasts(self, rows: tuple[int, ...]) -> Rows:
        """The last row of each of these instruments that has any, in the order of `rows`."""
        found = [self._places[row][-1] for row in rows if row in self._places]
        return Rows(self.array, np.array(found, np.int64))
