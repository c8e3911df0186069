"""Lines of a LOBSTER message file into events, by machine code: text never becomes a float.

    34200.18960767,1,11885113,21,2238100,1
    time           type id    size price direction      time: seconds after midnight, to the ns

One event for each line, in the order of the file, whatever the line holds: row k of the order book
file is the book after event k. What cannot be read becomes UNREADABLE with its byte offset. The
sequence of an event is the number of its line, from 1. LOBSTER begins in mid-day, so a line may
speak of an order that was never added; its events therefore carry side, price and size even where
an order's number would do: for CANCEL, DELETE and EXECUTE too.

LOBSTER's own files were printed from floats once: the sample of AMZN has a time of
43002.632812672004. Digits beyond the ninth are such noise, so they round to the nearest nanosecond
and are counted. Worst case: one pass over each byte, some 200 ns a line; numbers of over 18 digits
are unreadable. No read leaves the block.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events, jit
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.records import record

LINES = record(
    "lobster lines",
    200,
    """
    0    cursor      int64     address of the first byte not yet read
    8    end         int64     address behind the last whole line, newline included
    16   target      int64     address of the next event
    24   room        int64     events that still fit there
    32   offset      int64     of the cursor, in bytes from the start of the file
    40   line        int64     lines read so far
    48   midnight    int64     ns since the epoch, UTC
    56   time        int64     of the last line that could be read
    64   instrument  int64     row of the instruments table
    72   cut         int64     1: the last line has no newline of its own, the file ends in it
    80   types       int64[9]  lines met by LOBSTER's type, [0] unreadable; [8] is spare
    152  fields      int64[5]  of the line being read: type, id, size, price, direction
    192  rounded     int64     times that had digits beyond the nanosecond
    """,
)
NEWLINE, RETURN, COMMA, MINUS, POINT, ZERO = (ord(letter) for letter in "\n\r,-.0")
DIGITS_MAX = 18
SECONDS_MAX = 25 * 3600  # the day on which clocks are set back has 25 hours
SUBMIT, REDUCE, REMOVE, VISIBLE, HIDDEN, AUCTION, HALT = range(1, 8)
TYPE, ID, SIZE, PRICE, DIRECTION = range(5)
# What a halt line's price of -1, 0 and 1 says.
HALT_STATES = np.array([events.HALTED, events.QUOTATION_ONLY, events.TRADING])
KINDS = np.array(
    [0, events.ADD, events.CANCEL, events.DELETE, events.EXECUTE, events.TRADE, events.CROSS, 0]
)

_lines_at = jit.record_at(LINES)
_event_at = jit.record_at(EVENT)


@jit.compiled("int64(int64)")
def read_lines(address: int) -> int:
    """Read lines until the block ends or the room is full: events made."""
    lines = _lines_at(address)
    made = 0
    while made < lines.room and lines.cursor < lines.end:
        stop = _end_of_line(lines.cursor, lines.end)
        length = stop - lines.cursor
        lines.line += 1
        event = _event_at(lines.target)
        _blank(lines, event)
        reason = _read_line(lines, event, lines.cursor, stop)
        if reason != 0:
            _unreadable(lines, event, reason, length)
        lines.types[lines.fields[TYPE] if reason == 0 else 0] += 1
        lines.target += EVENT_BYTES
        lines.cursor += length + 1
        lines.offset += length + 1
        made += 1
    lines.room -= made
    return made


@jit.compiled()
def _blank(lines: Any, event: Any) -> None:
    event.time, event.received, event.sequence = lines.time, 0, lines.line
    event.reference, event.other, event.price, event.quantity = 0, 0, 0, 0
    event.instrument, event.kind, event.side = lines.instrument, 0, events.NO_SIDE
    event.flags = events.LAST
    for field in range(5):
        lines.fields[field] = 0


@jit.compiled()
def _unreadable(lines: Any, event: Any, reason: int, length: int) -> None:
    if lines.cut != 0 and lines.cursor + length + 1 == lines.end:
        reason = events.CUT_OFF
    event.kind, event.reference, event.other = events.UNREADABLE, reason, lines.fields[TYPE]
    event.price, event.quantity, event.side = lines.offset, length, events.NO_SIDE


@jit.compiled()
def _read_line(lines: Any, event: Any, begin: int, stop: int) -> int:
    """Fill the event from one line: 0, or why it is unreadable."""
    if stop > begin and jit.load_u8(stop - 1) == RETURN:
        stop -= 1
    since_midnight, place = _time(lines, begin, stop)
    if place < 0:
        return events.NO_PARSE
    for field in range(5):
        if place >= stop:
            return events.WRONG_LENGTH  # a column is missing
        if jit.load_u8(place) != COMMA:
            return events.NO_PARSE
        value, place = read_whole(place + 1, stop)
        if place < 0:
            return events.NO_PARSE
        lines.fields[field] = value
    if place != stop:
        return events.NO_PARSE if jit.load_u8(place) != COMMA else events.WRONG_LENGTH
    if lines.fields[TYPE] < SUBMIT or lines.fields[TYPE] > HALT:
        return events.UNKNOWN_TYPE
    return _fill(lines, event, lines.midnight + since_midnight)


@jit.compiled()
def _fill(lines: Any, event: Any, time: int) -> int:
    kind, price = lines.fields[TYPE], lines.fields[PRICE]
    if kind == HALT:
        if price < -1 or price > 1:
            return events.WRONG_PRICE
        event.kind, event.reference = events.STATUS, HALT_STATES[price + 1]
    else:
        direction = lines.fields[DIRECTION]
        if direction != 1 and direction != -1:
            return events.WRONG_SIDE
        if price <= 0:
            return events.WRONG_PRICE
        event.kind, event.price, event.quantity = KINDS[kind], price, lines.fields[SIZE]
        if kind == HIDDEN:  # the direction is the resting order's; who came is on the other side
            event.side = events.SELL if direction == 1 else events.BUY
        elif kind != AUCTION:
            event.side = events.BUY if direction == 1 else events.SELL
            event.reference = lines.fields[ID]
    event.time = time
    lines.time = time
    return 0


@jit.compiled()
def _end_of_line(place: int, end: int) -> int:
    while place < end and jit.load_u8(place) != NEWLINE:
        place += 1
    return place


@jit.compiled()
def read_whole(place: int, stop: int) -> tuple[int, int]:
    """A whole number and where it ends; -1 there when none of at most 18 digits is here."""
    sign = 1
    if place < stop and jit.load_u8(place) == MINUS:
        sign = -1
        place += 1
    value, begin = 0, place
    while place < stop and 0 <= jit.load_u8(place) - ZERO <= 9:
        value = value * 10 + jit.load_u8(place) - ZERO
        place += 1
        if place - begin > DIGITS_MAX:
            return 0, -1
    return (sign * value, place) if place > begin else (0, -1)


@jit.compiled()
def _time(lines: Any, place: int, stop: int) -> tuple[int, int]:
    """Seconds with decimals as nanoseconds, and where they end; -1 there when they do not read."""
    if place < stop and jit.load_u8(place) == MINUS:
        return 0, -1
    seconds, place = read_whole(place, stop)
    if place < 0 or seconds > SECONDS_MAX:
        return 0, -1
    nanos = seconds * 1_000_000_000
    if place < stop and jit.load_u8(place) == POINT:
        begin = place + 1
        place, scale = begin, 1_000_000_000
        while place < stop and 0 <= jit.load_u8(place) - ZERO <= 9:
            digit = jit.load_u8(place) - ZERO
            if place - begin < 9:
                scale //= 10
                nanos += digit * scale
            elif place - begin == 9:
                lines.rounded += 1
                nanos += 1 if digit >= 5 else 0
            place += 1
        if place == begin or place - begin > DIGITS_MAX:
            return 0, -1
    return nanos, place
