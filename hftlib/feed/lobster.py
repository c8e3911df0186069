"""LOBSTER's samples and days: a message file, with or without its order book file, as a source.

    AMZN_2012-06-21_34200000_57600000_message_5.csv        plain, gzip, or both inside a zip
    AMZN_2012-06-21_34200000_57600000_orderbook_5.csv      row k: the book after message k

The messages alone are not enough for a book. It begins with levels that no message tells, and what
happens beyond the published window is never said. The order book file knows: with it the source

    before message 0    emits CLEAR and a LEVEL for each level of row 0 with message 0 undone
    behind each message emits a LEVEL for each level that the window's edge brought in, and one of
                        quantity 0 for each that went beyond it (`lobster_window`)

all with flag SNAPSHOT, no orders known, so that books equal the file at each row and published
level. Without an order book file the first event is GAP: books are stale from the start, and stay
so. With `seed=False` the messages come as they are, and nothing warns: for flows, not for books.

Memory: two blocks of 1 MiB and two chunks of events. Worst case: a line longer than the block, a
damaged zip, a file with no readable line, a row that is none and files of unequal length are
refused, the last when the shorter one ends; every other line gives its event.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.times import to_ns
from hftlib.feed.files import one_instrument, wrong
from hftlib.feed.lobster_files import DayFile, blocks_of
from hftlib.feed.lobster_lines import DIGITS_MAX, LINES, read_lines
from hftlib.feed.lobster_window import DEPTH_MAX, LEVEL_COUNTS, NO_LEVEL_PRICE, Window
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.feed.zipped import ZIP_DAMAGE

BLOCK_BYTES = 1 << 20
NO_ROW = "A row of this file is no row of an order book"
NO_ROW_DO = "Give the order book file: ask price, ask size, bid price, bid size for each level."
_NAME = re.compile(
    r"(?P<symbol>[^_/]+)_(?P<date>\d{4}-\d{2}-\d{2})_\d+_\d+_(?P<what>message|orderbook)_\d+\.csv"
)
_TYPES = (
    "unreadable",
    "submissions",
    "partial cancellations",
    "deletions",
    "executions",
    "hidden executions",
    "cross trades",
    "halts",
)


class LobsterSource:
    """A LOBSTER day, read in blocks. Symbol and date come from the name unless they are given."""

    is_one_stream = False

    def __init__(
        self,
        message_path: str | Path,
        orderbook_path: str | Path | None = None,
        *,
        symbol: str | None = None,
        date: str | None = None,
        zone: str = "America/New_York",
        venue: str = "XNAS",
        seed: bool = True,
    ) -> None:
        self.path = Path(message_path)
        self._message = DayFile(self.path, "message")
        found = _NAME.fullmatch(Path(self._message.name).name.removesuffix(".gz"))
        symbol = symbol or (found["symbol"] if found else None)
        date = date or (found["date"] if found else None)
        if symbol is None or date is None:
            do = "Pass symbol='AMZN' and date='2012-06-21'."
            raise wrong(self.path, "The name of this file does not say its symbol and its day", do)
        self.name = f"LOBSTER, {self._message.name}"
        # A cent: what US stocks above a dollar move by.
        facts = {"venue": venue, "calendar": venue, "tick": 100}
        self.instruments, self._row = one_instrument(symbol, **facts)
        self._midnight = to_ns(f"{date} 00:00:00", zone=zone, field="date")
        self._wants_seed = seed
        self._book = self._book_beside(orderbook_path) if seed else None
        self.counts = dict.fromkeys((*_TYPES, "levels seeded", *LEVEL_COUNTS), 0)
        self.share_done = 0.0

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        """The seed, or GAP; then an event for each line and the LEVEL events of its row."""
        messages = self._messages()
        first = next(messages)
        if self._book is not None:
            yield from self._with_levels(itertools.chain([first], messages))
        else:
            if self._wants_seed:
                yield self._gap(first[0])
            yield first
            yield from messages
        self.share_done = 1.0

    def _messages(self) -> Iterator[np.ndarray[Any, Any]]:
        """An event for each line of the message file."""
        room = np.zeros(CHUNK_EVENTS_MAX, EVENT)
        block = np.zeros(BLOCK_BYTES + 1, np.uint8)
        lines = np.zeros(1, LINES)
        state = lines[0]
        state["midnight"], state["instrument"], state["time"] = (
            self._midnight,
            self._row,
            self._midnight,
        )
        with self._message.opened() as file:
            for _ in blocks_of(file, block, state, self._message):
                while state["cursor"] < state["end"]:
                    state["target"], state["room"] = room.ctypes.data, len(room)
                    made = read_lines(lines.ctypes.data)
                    self._count(state)
                    yield room[:made]
                self.share_done = min(1.0, int(state["offset"]) / max(1, self._message.size))
        if not state["line"] or state["types"][0] == state["line"]:
            do = "Give the message file of a LOBSTER day: time, type, id, size, price, direction."
            raise wrong(self.path, "No line of this file reads as a LOBSTER message", do)

    def _with_levels(
        self, messages: Iterator[np.ndarray[Any, Any]]
    ) -> Iterator[np.ndarray[Any, Any]]:
        """The seed, then messages and the levels that come and go with the row of each."""
        assert self._book is not None
        chunk = next(messages)
        depth, levels = self._levels_before(chunk[0])
        yield self._seed(chunk[0], levels)
        window = Window(depth, levels, CHUNK_EVENTS_MAX)
        window.take(chunk)
        state = window.state
        block = np.zeros(BLOCK_BYTES + 1, np.uint8)
        with self._book.opened() as file:
            for _ in blocks_of(file, block, state, self._book):
                while state["cursor"] < state["end"]:
                    if not state["messages"]:
                        chunk = next(messages, chunk[:0])
                        window.take(chunk)
                    if not len(chunk):
                        raise self._uneven("has more rows than the message file has lines")
                    made = window.merged()
                    if made is None:
                        where = f"{self._book.where}, row {int(state['row']):,} from 0"
                        raise InputError(NO_ROW, where=where, do=NO_ROW_DO)
                    for name in LEVEL_COUNTS:
                        self.counts[name] = window.count(name)
                    yield made
        if state["messages"] or next(messages, None) is not None:
            raise self._uneven(f"ends behind row {int(state['row']):,}, before the messages")

    def _count(self, state: Any) -> None:
        for name, count in zip(_TYPES, state["types"], strict=False):
            self.counts[name] = int(count)
        self.counts["times rounded to the nanosecond"] = int(state["rounded"])

    def _book_beside(self, given: str | Path | None) -> DayFile | None:
        """The order book file that was given, or lies in the same zip or folder."""
        if given is not None:
            return DayFile(Path(given), "orderbook")
        if self._message.member is not None:
            return DayFile(self.path, "orderbook", optional=True).or_none()
        name = self.path.name.replace("_message_", "_orderbook_")
        beside = self.path.with_name(name)
        there = name != self.path.name and beside.exists()
        return DayFile(beside, "orderbook") if there else None

    def _levels_before(self, first: Any) -> tuple[int, dict[tuple[int, int], int]]:
        """How many levels a row has, and those that stood before the first message."""
        assert self._book is not None
        try:
            with self._book.opened() as file:
                row = file.readline(BLOCK_BYTES)
        except ZIP_DAMAGE as error:
            what = f"The order book file is damaged: {error}"
            raise wrong(self._book.path, what, "Fetch it again.") from None
        levels = levels_before(levels_of(row, self._book.where), first)
        depth = (row.count(b",") + 1) // 4
        if depth > DEPTH_MAX:
            what = f"A row of {depth:,} levels, more than {DEPTH_MAX:,}"
            raise wrong(self._book.path, what, NO_ROW_DO)
        return depth, levels

    def _seed(self, first: Any, levels: dict[tuple[int, int], int]) -> np.ndarray[Any, Any]:
        """CLEAR and the levels that stood before the first message."""
        self.counts["levels seeded"] = len(levels)
        seed = np.zeros(1 + len(levels), EVENT)
        seed["time"], seed["instrument"], seed["flags"] = first["time"], self._row, events.SNAPSHOT
        seed["kind"][0], seed["kind"][1:] = events.CLEAR, events.LEVEL
        seed["flags"][-1] |= events.LAST
        for event, ((side, price), quantity) in zip(seed[1:], levels.items(), strict=True):
            event["side"], event["price"], event["quantity"] = side, price, quantity
        return seed

    def _gap(self, first: Any) -> np.ndarray[Any, Any]:
        """GAP: what stood before the first message is unknown, so books are stale."""
        gap = np.zeros(1, EVENT)
        gap["time"], gap["instrument"], gap["flags"] = first["time"], self._row, events.LAST
        gap["kind"] = events.GAP
        return gap

    def _uneven(self, what: str) -> InputError:
        assert self._book is not None
        do = "Fetch both files again; in Python, seed=False reads the messages alone."
        return wrong(self._book.path, f"The order book file {what}", do)


def levels_of(line: bytes, where: str) -> dict[tuple[int, int], int]:
    """A row of an order book file: (side, price) to size, without the empty places."""
    try:
        numbers = [int(text) for text in line.decode("ascii").split(",")]
    except ValueError:
        numbers = []
    if not numbers or len(numbers) % 4 or max(map(abs, numbers)) >= 10**DIGITS_MAX:
        raise InputError(NO_ROW, where=where, do=NO_ROW_DO)
    pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
    sides = (events.SELL, events.BUY)
    return {
        (sides[place % 2], price): size
        for place, (price, size) in enumerate(pairs)
        if abs(price) != NO_LEVEL_PRICE
    }


def levels_before(levels: dict[tuple[int, int], int], event: Any) -> dict[tuple[int, int], int]:
    """The levels as they stood before the event that led to them."""
    kind, place = int(event["kind"]), (int(event["side"]), int(event["price"]))
    change = int(event["quantity"])
    if kind == events.ADD:
        change = -change
    elif kind not in (events.CANCEL, events.DELETE, events.EXECUTE):
        change = 0
    before = levels | {place: levels.get(place, 0) + change}
    return {place: size for place, size in before.items() if size > 0}
