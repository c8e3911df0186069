"""LOBSTER's window: which levels come into the published book, and which leave it, row by row.

An order book file shows the best n levels after each message, and what happens beyond them is said
nowhere. So a book that only follows the messages goes wrong at the edge. The rows say what it has
to be told: `add_levels` keeps the n levels of the row before, lets the message act on them,
compares with the message's row, and writes what differs as LEVEL events behind the message's own:

    entered      at the far end of a side: it was beyond the window, its size is the row's
    left         beyond a window that is full: nobody says what becomes of it, so it is forgotten
    set right    anything else: a line that could not be read, or files that contradict each other

    before  100 99 98     message: delete 99     after  100 98 97     LEVEL 97 and its size

They have the time and the sequence of the message, and flag SNAPSHOT; the last event of each row
has LAST. Applied one by one they keep any book equal to the file at each row and published level.
Where a message takes more off than the rows know of, what a book makes of it is unsure: its level
is told in full. Worst case: one pass over the bytes of both files, 2 (2 n + 1) + 1 events a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events, jit
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.records import record
from hftlib.feed.lobster_lines import COMMA, NEWLINE, RETURN, read_whole

WINDOW = record(
    "lobster window",
    136,
    """
    0    cursor    int64     address of the first byte of the order book not yet read
    8    end       int64     address behind its last whole row, newline included
    16   message   int64     address of the next message's event
    24   messages  int64     such events left
    32   target    int64     address of the next event to write
    40   room      int64     events that still fit there
    48   depth     int64     levels published of each side
    56   row       int64     rows taken so far
    64   offset    int64     of the cursor, in bytes from the start of the file
    72   cut       int64     1: the last row has no newline of its own
    80   known     int64     address of the levels before the message: asks, then bids
    88   next      int64     address of the levels of the row, likewise
    96   counts    int64[2]  levels known, of asks and of bids
    112  entered   int64     levels that entered the window
    120  left      int64     levels that left it
    128  right     int64     levels that were set right
    """,
)
LEVEL = record(
    "lobster level",
    16,
    """
    0   key       int64  the price, with a minus for bids: the best is the least
    8   quantity  int64  what stands there; UNSURE: nobody knows
    """,
)
NO_LEVEL_PRICE = 9_999_999_999  # with a minus for a bid; its size is 0
DEPTH_MAX = 4096
LEVEL_BYTES = LEVEL.itemsize
UNSURE = -1
LEVEL_COUNTS = {
    "levels that entered the window": "entered",
    "levels that left it": "left",
    "levels set right by the row": "right",
}

_window_at = jit.record_at(WINDOW)
_event_at = jit.record_at(EVENT)
_level_at = jit.record_at(LEVEL)


class Window:
    """The memory of `add_levels`; `levels` stand before the first message, by side and price."""

    def __init__(self, depth: int, levels: dict[tuple[int, int], int], room: int) -> None:
        # A message adds a level to those of a row or a seed; the seed has one more than a row.
        self._known, self._next = (np.zeros((2, depth + 2), LEVEL) for _ in range(2))
        self._room = np.zeros(max(room, events_a_row(depth)), EVENT)
        self._messages = self._room[:0]
        self._record = np.zeros(1, WINDOW)
        self.state = self._record[0]
        self.state["depth"] = depth
        self.state["known"], self.state["next"] = self._known.ctypes.data, self._next.ctypes.data
        for side, of_side in enumerate((events.SELL, events.BUY)):
            sign = -1 if side else 1
            ours = sorted((sign * at, size) for (one, at), size in levels.items() if one == of_side)
            self._known[side][: len(ours)] = ours
            self.state["counts"][side] = len(ours)

    def take(self, messages: np.ndarray[Any, Any]) -> None:
        """The next messages to merge; they must stay until all are."""
        self._messages = messages
        self.state["message"], self.state["messages"] = messages.ctypes.data, len(messages)

    def merged(self) -> np.ndarray[Any, Any] | None:
        """Messages with the levels of their rows, valid until the next call; None: no row there."""
        self.state["target"], self.state["room"] = self._room.ctypes.data, len(self._room)
        made = add_levels(self._record.ctypes.data)
        return None if made < 0 else self._room[:made]

    def count(self, name: str) -> int:
        return int(self.state[LEVEL_COUNTS[name]])


def events_a_row(depth: int) -> int:
    """The most events that one row can need."""
    return 1 + 2 * (2 * depth + 2)


@jit.compiled("int64(int64)")
def add_levels(address: int) -> int:
    """Copy messages with the LEVEL events of their rows, until one of the two or the room ends.

    Returns the events made; -1 where the row at the cursor is none.
    """
    window = _window_at(address)
    begin = window.room
    reserve = 1 + 2 * (2 * window.depth + 2)
    while window.messages > 0 and window.cursor < window.end and window.room >= reserve:
        stop = _read_row(window)
        if stop < 0:
            return -1
        message = _event_at(window.message)
        _act(window, message)
        _copy(window, window.message)
        _tell(window, message, 0)
        _tell(window, message, 1)
        _event_at(window.target - EVENT_BYTES).flags |= events.LAST
        window.known, window.next = window.next, window.known
        window.message += EVENT_BYTES
        window.messages -= 1
        window.row += 1
        window.offset += stop - window.cursor
        window.cursor = stop
    return begin - window.room


@jit.compiled()
def _side(window: Any, levels: int, side: int) -> int:
    """Address of the first level of a side: 0 the asks, 1 the bids."""
    return levels + side * (window.depth + 2) * LEVEL_BYTES


@jit.compiled()
def _read_row(window: Any) -> int:
    """Read the row into `next`; the address behind its newline, or -1 where it is no row."""
    place = window.cursor
    for number in range(2 * window.depth):
        price, place = read_whole(place, window.end)
        if place < 0 or jit.load_u8(place) != COMMA:
            return -1
        size, place = read_whole(place + 1, window.end)
        if place < 0:
            return -1
        address = _side(window, window.next, number & 1) + (number >> 1) * LEVEL_BYTES
        level = _level_at(address)
        is_none = price == NO_LEVEL_PRICE or price == -NO_LEVEL_PRICE
        if not is_none and (price <= 0 or size <= 0):
            return -1
        level.key = price if number & 1 == 0 else -price
        if is_none:
            level.key = NO_LEVEL_PRICE
        level.quantity = 0 if is_none else size
        if number > 1:
            before = _level_at(address - LEVEL_BYTES).key
            if level.key < before or (level.key == before and not is_none):
                return -1  # not in order: empty places come last
        if number < 2 * window.depth - 1:
            if jit.load_u8(place) != COMMA:
                return -1
            place += 1
    if jit.load_u8(place) == RETURN:
        place += 1
    return place + 1 if place < window.end and jit.load_u8(place) == NEWLINE else -1


@jit.compiled()
def _act(window: Any, message: Any) -> None:
    """What the message does to the known levels."""
    kind = message.kind
    takes = (kind == events.CANCEL) | (kind == events.DELETE) | (kind == events.EXECUTE)
    if kind != events.ADD and not takes:
        return
    side = 0 if message.side == events.SELL else 1
    key = message.price if side == 0 else -message.price
    first, count = _side(window, window.known, side), window.counts[side]
    place = 0
    while place < count and _level_at(first + place * LEVEL_BYTES).key < key:
        place += 1
    level = _level_at(first + place * LEVEL_BYTES)
    is_there = place < count and level.key == key
    if takes:
        if is_there:
            _take(window, side, place, message.quantity)
    elif message.quantity > 0:
        if not is_there:
            _make_room(window, side, place)
            level.key, level.quantity = key, 0
        level.quantity += message.quantity


@jit.compiled()
def _take(window: Any, side: int, place: int, quantity: int) -> None:
    first = _side(window, window.known, side)
    level = _level_at(first + place * LEVEL_BYTES)
    if quantity <= 0 or quantity > level.quantity:
        level.quantity = UNSURE
        return
    level.quantity -= quantity
    if level.quantity == 0:
        window.counts[side] -= 1
        for behind in range(place, window.counts[side]):
            to = _level_at(first + behind * LEVEL_BYTES)
            level = _level_at(first + (behind + 1) * LEVEL_BYTES)
            to.key, to.quantity = level.key, level.quantity


@jit.compiled()
def _make_room(window: Any, side: int, place: int) -> None:
    first, behind = _side(window, window.known, side), window.counts[side]
    while behind > place:
        to = _level_at(first + behind * LEVEL_BYTES)
        level = _level_at(first + (behind - 1) * LEVEL_BYTES)
        to.key, to.quantity = level.key, level.quantity
        behind -= 1
    window.counts[side] += 1


@jit.compiled()
def _tell(window: Any, message: Any, side: int) -> None:
    """Write where the row differs from what is known; both are sorted, so they are merged."""
    known, row = _side(window, window.known, side), _side(window, window.next, side)
    known_end = known + window.counts[side] * LEVEL_BYTES
    row_end, count = row, 0
    while count < window.depth and _level_at(row_end).key != NO_LEVEL_PRICE:
        row_end += LEVEL_BYTES
        count += 1
    while known < known_end or row < row_end:
        if row == row_end or (known < known_end and _level_at(known).key < _level_at(row).key):
            window.left += row == row_end and count == window.depth
            window.right += row < row_end or count < window.depth
            _level(window, message, side, _level_at(known).key, 0)
            known += LEVEL_BYTES
        elif known == known_end or _level_at(row).key < _level_at(known).key:
            window.entered += known == known_end
            window.right += known < known_end
            _level(window, message, side, _level_at(row).key, _level_at(row).quantity)
            row += LEVEL_BYTES
        else:
            if _level_at(row).quantity != _level_at(known).quantity:
                window.right += 1
                _level(window, message, side, _level_at(row).key, _level_at(row).quantity)
            known += LEVEL_BYTES
            row += LEVEL_BYTES
    window.counts[side] = count


@jit.compiled()
def _copy(window: Any, address: int) -> None:
    """The message's event, to the target."""
    for word in range(0, EVENT_BYTES, 8):
        jit.store_i64(window.target + word, jit.load_i64(address + word))
    _event_at(window.target).flags &= ~events.LAST
    window.target += EVENT_BYTES
    window.room -= 1


@jit.compiled()
def _level(window: Any, message: Any, side: int, key: int, quantity: int) -> None:
    event = _event_at(window.target)
    event.time, event.received, event.sequence = message.time, 0, message.sequence
    event.reference, event.other = 0, 0
    event.price, event.quantity = key if side == 0 else -key, quantity
    event.instrument, event.kind, event.flags = message.instrument, events.LEVEL, events.SNAPSHOT
    event.side = events.SELL if side == 0 else events.BUY
    window.target += EVENT_BYTES
    window.room -= 1
