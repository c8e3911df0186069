"""LOBSTER's samples and days: a message file, with or without its order book file, as a source.

    AMZN_2012-06-21_34200000_57600000_message_5.csv        plain, or both inside their zip
    AMZN_2012-06-21_34200000_57600000_orderbook_5.csv      row k: the book after message k

The day begins with a book that the messages never say. Row 0 of the order book file does, as far
as its levels reach: with it, the source first emits CLEAR and one LEVEL for each level that stood
before message 0 (flag SNAPSHOT, no orders known), which is row 0 with message 0 undone. Levels
outside the published window stay unknown, then and later.

Memory: one block of 1 MiB and one chunk of events. Worst case: a line longer than the block, a
damaged zip and a file with no readable line are refused; every other line gives its event.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments
from hftlib.core.times import to_ns
from hftlib.feed.lobster_lines import LINES, NEWLINE, read_lines
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.feed.zipped import ZIP_DAMAGE

BLOCK_BYTES = 1 << 20
NO_LEVEL_PRICE = 9_999_999_999  # with a minus for a bid; its size is 0
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
        self._message = _Text(self.path, "message")
        found = _NAME.fullmatch(Path(self._message.name).name)
        symbol = symbol or (found["symbol"] if found else None)
        date = date or (found["date"] if found else None)
        if symbol is None or date is None:
            do = "Pass symbol='AMZN' and date='2012-06-21'."
            raise _wrong(self.path, "The name of this file does not say its symbol and its day", do)
        self.name = f"LOBSTER, {self._message.name}"
        self.instruments = Instruments()
        # A cent: what US stocks above a dollar move by.
        self._row = self.instruments.add(symbol, venue=venue, calendar=venue, tick=100)
        self._midnight = to_ns(f"{date} 00:00:00", zone=zone, field="date")
        self._book = self._book_beside(orderbook_path) if seed else None
        self.counts = dict.fromkeys(_TYPES, 0) | {"levels seeded": 0}
        self.share_done = 0.0

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        """The seed, where there is an order book file, then an event for each line."""
        room = np.zeros(CHUNK_EVENTS_MAX, EVENT)
        block = np.zeros(BLOCK_BYTES + 1, np.uint8)
        lines = np.zeros(1, LINES)
        state = lines[0]
        state["midnight"], state["instrument"], state["time"] = (
            self._midnight,
            self._row,
            self._midnight,
        )
        seeded = self._book is None
        with self._message.opened() as file:
            for _ in _blocks(file, block, lines, self._message):
                while state["cursor"] < state["end"]:
                    state["target"], state["room"] = room.ctypes.data, len(room)
                    made = read_lines(lines.ctypes.data)
                    self._count(state)
                    if not seeded:
                        seeded = True
                        yield self._seed(room[0])
                    yield room[:made]
                self.share_done = min(1.0, int(state["offset"]) / max(1, self._message.size))
        if not state["line"] or state["types"][0] == state["line"]:
            do = "Give the message file of a LOBSTER day: time, type, id, size, price, direction."
            raise _wrong(self.path, "No line of this file reads as a LOBSTER message", do)
        self.share_done = 1.0

    def _count(self, state: Any) -> None:
        for name, count in zip(_TYPES, state["types"], strict=False):
            self.counts[name] = int(count)
        self.counts["times rounded to the nanosecond"] = int(state["rounded"])

    def _book_beside(self, given: str | Path | None) -> _Text | None:
        """The order book file that was given, or lies in the same zip or folder."""
        if given is not None:
            return _Text(Path(given), "orderbook")
        if self._message.member is not None:
            return _Text(self.path, "orderbook", optional=True).or_none()
        name = self.path.name.replace("_message_", "_orderbook_")
        beside = self.path.with_name(name)
        there = name != self.path.name and beside.exists()
        return _Text(beside, "orderbook") if there else None

    def _seed(self, first: Any) -> np.ndarray[Any, Any]:
        """CLEAR and the levels that stood before the first message."""
        assert self._book is not None
        try:
            with self._book.opened() as file:
                row = file.readline(BLOCK_BYTES)
        except ZIP_DAMAGE as error:
            what = f"The order book file is damaged: {error}"
            raise _wrong(self._book.path, what, "Fetch it again.") from None
        levels = levels_before(levels_of(row, self._book.where), first)
        self.counts["levels seeded"] = len(levels)
        seed = np.zeros(1 + len(levels), EVENT)
        seed["time"], seed["instrument"], seed["flags"] = first["time"], self._row, events.SNAPSHOT
        seed["kind"][0], seed["kind"][1:] = events.CLEAR, events.LEVEL
        seed["flags"][-1] |= events.LAST
        for event, ((side, price), quantity) in zip(seed[1:], levels.items(), strict=True):
            event["side"], event["price"], event["quantity"] = side, price, quantity
        return seed


def levels_of(line: bytes, where: str) -> dict[tuple[int, int], int]:
    """A row of an order book file: (side, price) to size, without the empty places."""
    try:
        numbers = [int(text) for text in line.decode("ascii").split(",")]
    except ValueError:
        numbers = []
    if not numbers or len(numbers) % 4:
        do = "Give the order book file: ask price, ask size, bid price, bid size for each level."
        raise InputError("A row of this file is no row of an order book", where=where, do=do)
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


class _Text:
    """One of the two files of a day: plain, or a member of a zip."""

    def __init__(self, path: Path, what: str, *, optional: bool = False) -> None:
        self.path, self.member = path, None
        self.name, self.where = path.name, str(path)
        try:
            if not zipfile.is_zipfile(path):
                self.size = path.stat().st_size
                return
            with zipfile.ZipFile(path) as archive:
                files = [one for one in archive.infolist() if f"_{what}_" in one.filename]
        except ZIP_DAMAGE as error:
            raise _wrong(path, f"This file cannot be opened: {error}", "Check the path.") from None
        self.missing = not files
        if len(files) > 1 or (self.missing and not optional):
            do = f"Give a zip with one {what} file, or the plain file itself."
            raise _wrong(path, f"This zip holds {len(files)} {what} files", do)
        if files:
            self.member, self.size = files[0].filename, files[0].file_size
            self.name, self.where = self.member, f"{path}: {self.member}"

    def or_none(self) -> _Text | None:
        return None if self.missing else self

    def opened(self) -> IO[bytes]:
        try:
            if self.member is None:
                return self.path.open("rb")
            with zipfile.ZipFile(self.path) as archive:
                return archive.open(self.member)
        except ZIP_DAMAGE as error:
            do = "Check the file and its permissions."
            raise _wrong(self.path, f"This file cannot be opened: {error}", do) from None


def _blocks(
    file: IO[bytes], block: np.ndarray[Any, Any], lines: np.ndarray[Any, Any], text: _Text
) -> Iterator[None]:
    """Fill the block again and again; each time `lines` speaks of the whole lines in it."""
    state, view = lines[0], block.data
    kept = 0
    while True:
        try:
            count = file.readinto(view[kept:-1])  # type: ignore[attr-defined]
        except ZIP_DAMAGE as error:
            what = f"This file is damaged behind byte {int(state['offset']):,}: {error}"
            raise _wrong(text.path, what, "Fetch it again.") from None
        filled = kept + count
        state["cut"] = 0
        if count == 0 and kept:
            block[filled] = NEWLINE
            filled += 1
            state["cut"] = 1
        newlines = np.flatnonzero(block[:filled] == NEWLINE)
        whole = int(newlines[-1]) + 1 if len(newlines) else 0
        if not whole and filled >= BLOCK_BYTES:
            what = f"A line of over {BLOCK_BYTES:,} bytes at byte {int(state['offset']):,}"
            raise _wrong(text.path, what, "Give a text file with a message in each line.")
        state["cursor"], state["end"] = block.ctypes.data, block.ctypes.data + whole
        yield
        kept = filled - whole
        block[:kept] = block[whole:filled].copy()
        if count == 0:
            return


def _wrong(path: Path, what: str, do: str) -> InputError:
    return InputError(what, where=str(path), do=do)
