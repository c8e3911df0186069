"""The judge of LOBSTER: a book of two dicts, and the comparison with every published row.

`LevelsByDict` is the slow twin. `RowJudge` compares any book that has its two methods, so that a
fast one can stand in its place. Worst case: some 20 µs a row.

How a row is compared: the book holds what the events say and nothing else. After the last event of
each message it must have just the levels that are published: no other, none more, none less.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from hftlib.core import events

NO_LEVEL = 9_999_999_999
Level = tuple[int, int]


class Book(Protocol):
    def apply(self, event: Any) -> None: ...
    def levels(self, side: int) -> list[Level]: ...


class LevelsByDict:
    """Price to size for each side, from events that carry side, price and quantity."""

    def __init__(self) -> None:
        self.sizes: dict[int, dict[int, int]] = {events.BUY: {}, events.SELL: {}}
        self.impossible = 0

    def apply(self, event: Any) -> None:
        kind, side, price = int(event["kind"]), int(event["side"]), int(event["price"])
        quantity = int(event["quantity"])
        if kind == events.CLEAR:
            self.sizes = {events.BUY: {}, events.SELL: {}}
        elif kind == events.LEVEL:
            self._set(side, price, quantity)
        elif kind == events.ADD:
            self._set(side, price, self.sizes[side].get(price, 0) + quantity)
        elif kind in (events.CANCEL, events.DELETE, events.EXECUTE):
            left = self.sizes[side].get(price, 0) - quantity
            self.impossible += left < 0
            self._set(side, price, left)

    def _set(self, side: int, price: int, size: int) -> None:
        if size > 0:
            self.sizes[side][price] = size
        else:
            self.sizes[side].pop(price, None)

    def levels(self, side: int) -> list[Level]:
        return sorted(self.sizes[side].items(), reverse=side == events.BUY)


class RowJudge:
    """Feeds events to a book and compares it with the rows of an order book file."""

    def __init__(self, book: Book, rows: np.ndarray[Any, Any]) -> None:
        self.book, self.rows = book, rows
        self.row, self.levels = 0, 0
        self.mismatches: list[str] = []

    def take(self, chunk: np.ndarray[Any, Any]) -> None:
        for event in chunk:
            self.book.apply(event)
            if event["sequence"] and event["flags"] & events.LAST:
                assert event["sequence"] == self.row + 1
                self._compare(self.rows[self.row])
                self.row += 1

    def _compare(self, row: np.ndarray[Any, Any]) -> None:
        for side, first in ((events.SELL, 0), (events.BUY, 2)):
            pairs = zip(row[first::4].tolist(), row[first + 1 :: 4].tolist(), strict=True)
            published = [pair for pair in pairs if abs(pair[0]) != NO_LEVEL]
            self.levels += len(published)
            ours = self.book.levels(side)
            if ours != published and len(self.mismatches) < 10:
                self.mismatches.append(f"row {self.row}, side {side}: {ours} for {published}")


def rows_of(path: Path) -> np.ndarray[Any, Any]:
    """All rows of an order book file, plain or in its zip."""
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if "_orderbook_" in name)
        text = archive.read(name).decode("ascii")
    return np.array([line.split(",") for line in text.split()], np.int64)
