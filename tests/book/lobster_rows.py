"""The judge of LOBSTER in machine code: real books, compared with every published row and level.

`judge_rows` applies events one by one and does nothing else to the books. After the last event of
each message it compares all published levels of both sides with the books, walking `next_level`
from the best: the books must have just these, and none beyond. Worst case: rows of n levels walk
2 n levels each, a few hundred ns.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.book.apply import apply_event
from hftlib.book.ladder import best_level, next_level
from hftlib.book.tables import books_at, level_of
from hftlib.core import events, jit
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.records import record

NO_LEVEL = 9_999_999_999
JUDGE = record(
    "lobster judge",
    48,
    """
    0   rows        int64  address of the order book file's rows
    8   depth       int64  levels published
    16  row         int64  the next one to compare
    24  levels      int64  compared
    32  mismatches  int64  sides that are not as published, or with levels that nobody published
    40  first       int64  the first row that has one; -1 none
    """,
)
_judge_at = jit.record_at(JUDGE)
_event_at = jit.record_at(EVENT)


@jit.compiled("void(int64, int64, int64, int64)")
def judge_rows(judge_address: int, base: int, events_address: int, count: int) -> None:
    judge = _judge_at(judge_address)
    for number in range(count):
        address = events_address + number * EVENT_BYTES
        apply_event(base, address)
        event = _event_at(address)
        if event.sequence != 0 and event.flags & events.LAST != 0:
            _compare(judge, base, 0)
            _compare(judge, base, 1)
            judge.row += 1


@jit.compiled()
def _compare(judge: Any, base: int, side: int) -> None:
    """One side of one row: 0 the bids, 1 the asks. The books have one instrument, row 0."""
    books = books_at(base)
    level = best_level(books, base, side)
    row = judge.rows + judge.row * judge.depth * 32 + (1 - side) * 16
    for place in range(judge.depth):
        price = jit.load_i64(row + place * 32)
        size = jit.load_i64(row + place * 32 + 8)
        if abs(price) == NO_LEVEL:
            break
        judge.levels += 1
        there = level_of(books, base, level)
        key = price if side == 1 else -price
        if level == 0 or there.key != key or there.quantity != size:
            _mismatch(judge)
            return
        level = next_level(books, base, side, level)
    if level != 0:
        _mismatch(judge)


@jit.compiled()
def _mismatch(judge: Any) -> None:
    judge.mismatches += 1
    if judge.first < 0:
        judge.first = judge.row


class RowJudge:
    """`take` chunks of a source's events; then `told` says what was compared."""

    def __init__(self, base: int, rows: np.ndarray[Any, Any]) -> None:
        self.base, self.rows = base, np.ascontiguousarray(rows)
        self.told = np.zeros(1, JUDGE)
        self.told["rows"], self.told["depth"] = self.rows.ctypes.data, self.rows.shape[1] // 4
        self.told["first"] = -1

    def take(self, chunk: np.ndarray[Any, Any]) -> None:
        rows = int((chunk["flags"][chunk["sequence"] > 0] & events.LAST != 0).sum())
        assert self.told["row"][0] + rows <= len(self.rows), "more messages than rows"
        judge_rows(self.told.ctypes.data, self.base, chunk.ctypes.data, len(chunk))

    def __getattr__(self, name: str) -> int:
        return int(self.told[name][0])


def levels_entering(rows: np.ndarray[Any, Any], messages: np.ndarray[Any, Any]) -> int:
    """By the files alone: levels at the deepest published place that the row before did not have,
    and that the message did not make. So many must enter, and no more may."""
    count = 0
    for first, side in ((0, events.SELL), (2, events.BUY)):
        prices = rows[:, first::4]
        published = (abs(prices) != NO_LEVEL).sum(axis=1)
        deepest = prices[np.arange(len(rows)), published - 1]
        was_there = (prices[:-1] == deepest[1:, None]).any(axis=1)
        made = (messages["kind"] == events.ADD) & (messages["side"] == side)
        made &= messages["price"] == deepest
        count += int(((published > 0) & ~made)[1:][~was_there].sum())
    return count


def rows_of(path: Path) -> np.ndarray[Any, Any]:
    """All rows of an order book file: in a zip, or beside its plain message file."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            (name,) = (name for name in archive.namelist() if "_orderbook_" in name)
            text = archive.read(name)
    else:
        text = path.with_name(path.name.replace("_message_", "_orderbook_")).read_bytes()
    columns = text[: text.index(b"\n")].count(b",") + 1
    numbers = np.fromstring(text.replace(b"\r", b"").replace(b"\n", b","), np.int64, sep=",")
    return numbers.reshape(-1, columns)
