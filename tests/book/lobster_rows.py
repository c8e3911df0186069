"""The judge of LOBSTER in machine code: real books, compared with every published row and level.

`judge_rows` applies events one by one. After each that is not of the seed it compares all published
levels of both sides with the books, walking `next_level` from the best. LOBSTER publishes a window
of the best n levels, so, as `../shared/data/README.md` says it:

    adopted    a level that newly appears at the deepest published place, while all before it are
               equal, was outside the window before: no message told its size, so the row does
    forgotten  what the books hold beyond a full window is taken out, since LOBSTER no longer says
               what happens to it

Both are written into the books as LEVEL events, through the same door as all else. Worst case: rows
of n levels walk 2 n levels each, a few hundred ns.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.book.apply import apply_event
from hftlib.book.ladder import next_level
from hftlib.book.tables import books_at, level_of, side_of
from hftlib.core import events, jit
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.records import record

NO_LEVEL = 9_999_999_999
JUDGE = record(
    "lobster judge",
    88,
    """
    0   rows        int64  address of the order book file's rows
    8   depth       int64  levels published
    16  row         int64  the next one to compare
    24  levels      int64  compared
    32  adopted     int64  levels
    40  forgotten   int64  levels
    48  mismatches  int64  levels that are not as published, or that nobody published
    56  first       int64  the first row that has one; -1 none
    64  scratch     int64  address of an event
    72  last        int64  the last row in which a level was adopted; -1 none
    80  rows_adopted int64 rows with a level adopted
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
        if _event_at(address).flags & events.SNAPSHOT == 0:
            _compare(judge, base, 0)
            _compare(judge, base, 1)
            judge.row += 1


@jit.compiled()
def _compare(judge: Any, base: int, side: int) -> None:
    """One side of one row: 0 the bids, 1 the asks. The books have one instrument, row 0."""
    books = books_at(base)
    level = side_of(books, base, side).best
    row = judge.rows + judge.row * judge.depth * 32 + (1 - side) * 16
    published = 0
    for place in range(judge.depth):
        price = jit.load_i64(row + place * 32)
        size = jit.load_i64(row + place * 32 + 8)
        if abs(price) == NO_LEVEL:
            break
        published += 1
        judge.levels += 1
        if level == 0 and _is_last(judge, row, place):
            _set(judge, base, side, price, size)
            judge.adopted += 1
            judge.rows_adopted += judge.last != judge.row
            judge.last = judge.row
            return
        there = level_of(books, base, level)
        key = price if side == 1 else -price
        if level == 0 or there.key != key or there.quantity != size:
            judge.mismatches += 1
            if judge.first < 0:
                judge.first = judge.row
            return
        level = next_level(books, base, side, level)
    while level != 0:
        if published < judge.depth:
            judge.mismatches += 1  # the window is not full, and yet we have more
            if judge.first < 0:
                judge.first = judge.row
        key = level_of(books, base, level).key
        level = next_level(books, base, side, level)
        _set(judge, base, side, key if side == 1 else -key, 0)
        judge.forgotten += 1


@jit.compiled()
def _is_last(judge: Any, row: int, place: int) -> bool:
    """Is this place the deepest published one of its row?"""
    return place == judge.depth - 1 or abs(jit.load_i64(row + (place + 1) * 32)) == NO_LEVEL


@jit.compiled()
def _set(judge: Any, base: int, side: int, price: int, size: int) -> None:
    event = _event_at(judge.scratch)
    event.kind = events.LEVEL
    event.side = events.SELL if side == 1 else events.BUY
    event.price = price
    event.quantity = size
    apply_event(base, judge.scratch)


class RowJudge:
    """`take` chunks of a source's events; then `told` says what was compared."""

    def __init__(self, base: int, rows: np.ndarray[Any, Any]) -> None:
        self.base, self.rows, self.scratch = base, np.ascontiguousarray(rows), np.zeros(1, EVENT)
        self.told = np.zeros(1, JUDGE)
        self.told["rows"], self.told["depth"] = self.rows.ctypes.data, self.rows.shape[1] // 4
        self.told["scratch"] = self.scratch.ctypes.data
        self.told["first"] = self.told["last"] = -1

    def take(self, chunk: np.ndarray[Any, Any]) -> None:
        rows = int((chunk["flags"] & events.SNAPSHOT == 0).sum())
        assert self.told["row"][0] + rows <= len(self.rows), "more messages than rows"
        judge_rows(self.told.ctypes.data, self.base, chunk.ctypes.data, len(chunk))

    def __getattr__(self, name: str) -> int:
        return int(self.told[name][0])


def levels_entering(rows: np.ndarray[Any, Any], messages: np.ndarray[Any, Any]) -> int:
    """By the files alone: levels at the deepest published place that the row before did not have,
    and that the message did not make. So many must be adopted, and no more may be."""
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
