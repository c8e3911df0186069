"""The market around our orders: what printed while each was under way, and the middle at moments.

    market = watched(tape, rows, moments)
    market.vwap(row, begins, ends)      average price by volume of each span, and its volume
    market.middles                      twice the middle at each moment; NO_PRICE not known

One compiled pass over the tape builds the books and notes both. What prints is what `bars.py`
counts: executions, hidden trades and crosses, each once. Spans begin and end with the prints that
bear their times; sums of a span are exact as long as it is worth less than 2**63 money units.

Worst case: 32 bytes for each print of the instruments asked for, in a file where they are many.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.book import reading
from hftlib.book.apply import apply_event
from hftlib.book.books import Books
from hftlib.book.tables import NO_ORDER, QUANTITY_MAX
from hftlib.core import events, jit
from hftlib.core.records import record
from hftlib.engine.recorder import Recorder
from hftlib.feed.tape_index import tells_time
from hftlib.feed.walk import event_address, event_at, walk_at
from hftlib.research.booking import with_books
from hftlib.research.selection import Selection
from hftlib.research.tape import Tape
from hftlib.terminal import patience

Array = np.ndarray[Any, Any]
STEP_EVENTS = 1 << 18
FOREVER = 1 << 62

PRINT = record(
    "print of the market",
    32,
    """
    0   row       int64  instrument
    8   time      int64  the venue's, the highest so far
    16  price     int64
    24  quantity  int64
    """,
)
MOMENT = record(
    "moment asked for",
    24,
    """
    0   time       int64  what happened at it counts
    8   row        int64  instrument
    16  twice_mid  int64  best bid plus best ask; NO_PRICE not known
    """,
)
_LOOK = record(
    "look at the market",
    72,
    """
    0   books    int64  address
    8   rows     int64  instruments
    16  wanted   int64  address: 1 for each instrument whose prints are kept
    24  prints   int64  address
    32  made     int64
    40  moments  int64  address, in order of time
    48  asked    int64  how many
    56  next     int64  the first not answered
    64  clock    int64  the highest time so far
    """,
)
PRINT_BYTES, MOMENT_BYTES = PRINT.itemsize, MOMENT.itemsize
_print_at = jit.record_at(PRINT)
_moment_at = jit.record_at(MOMENT)
_look_at = jit.record_at(_LOOK)


@jit.compiled("void(int64, int64, int64, int64)")
def _look(look_address: int, walk_address: int, first: int, last: int) -> None:
    """Some events of the walk; there is room for a print of each."""
    look, walk = _look_at(look_address), walk_at(walk_address)
    for n in range(first, last):
        address = event_address(walk, n)
        event = event_at(address)
        if tells_time(event.kind) and event.time > look.clock:
            look.clock = event.time
            _answer(look, event.time)
        row = event.instrument
        if row >= look.rows:
            apply_event(look.books, address)
            continue
        book = reading.facts(look.books, row)
        trades = book.trades
        done = apply_event(look.books, address)
        if event.flags & events.NOT_PRINTABLE or jit.load_i64(look.wanted + 8 * row) == 0:
            continue
        price, quantity = event.price, event.quantity
        if book.trades != trades:
            price, quantity = book.last, book.last_size
        elif event.kind != events.EXECUTE or done != -NO_ORDER:
            continue  # of an order from before the tape it is a print, where it names its price
        if price != 0 and 0 < quantity < QUANTITY_MAX:
            made = _print_at(look.prints + look.made * PRINT_BYTES)
            made.row, made.time, made.price, made.quantity = row, look.clock, price, quantity
            look.made += 1


@jit.compiled()
def _answer(look: Any, before: int) -> None:
    """All moments before this time: nothing more will happen at them."""
    while look.next < look.asked:
        moment = _moment_at(look.moments + look.next * MOMENT_BYTES)
        if moment.time >= before:
            return
        moment.twice_mid = reading.twice_mid(look.books, moment.row)
        look.next += 1


@jit.compiled("void(int64)")
def _rest(look_address: int) -> None:
    """The tape is over: the books stay as they are."""
    look = _look_at(look_address)
    _answer(look, FOREVER)


class Market:
    """What a pass over the tape found."""

    def __init__(self, prints: Array, middles: Array) -> None:
        self.middles = middles
        self._prints = prints
        order = np.argsort(prints["row"], kind="stable")
        rows, firsts = np.unique(prints["row"][order], return_index=True)
        pieces = np.split(order, firsts[1:]) if len(rows) else []
        self._places = dict(zip(rows.tolist(), pieces, strict=True))
        self._sums: dict[int, tuple[Array, Array, Array]] = {}

    def vwap(self, row: int, begins: Array, ends: Array) -> tuple[Array, Array]:
        """The mean price by volume of prints from begin to end, NaN where there is none; volume."""
        times, volume, value = self._summed(row)
        first = np.searchsorted(times, begins, side="left")
        last = np.maximum(first, np.searchsorted(times, ends, side="right"))
        traded = volume[last] - volume[first]
        # Sums may wrap round; the difference of two is right all the same.
        worth = (value[last] - value[first]).astype(np.float64)
        return np.where(traded > 0, worth / np.maximum(traded, 1), np.nan), traded

    def _summed(self, row: int) -> tuple[Array, Array, Array]:
        if row not in self._sums:
            mine = self._prints[self._places.get(row, np.zeros(0, np.int64))]
            volume = np.append(0, np.cumsum(mine["quantity"]))
            value = np.append(0, np.cumsum(mine["price"] * mine["quantity"]))
            self._sums[row] = mine["time"], volume, value
        return self._sums[row]


def watched(tape: Tape, rows: list[int], times: Array, of_rows: Array) -> Market:
    """One pass: the prints of these instruments, and the middle of `of_rows` at `times`."""
    order = np.argsort(times, kind="stable")

    def look(books: Books, whole: Selection) -> tuple[Array, Array]:
        moments = np.zeros(len(times), MOMENT)
        moments["time"], moments["row"] = times[order], of_rows[order]
        return _pass(tape, books, whole, rows, moments), moments["twice_mid"]

    (prints, found), _books = with_books(tape, look)
    middles = np.empty(len(times), np.int64)
    middles[order] = found
    return Market(prints, middles)


def _pass(tape: Tape, books: Books, whole: Selection, rows: list[int], moments: Array) -> Array:
    wanted = np.zeros(max(1, len(tape.instruments)), np.int64)
    wanted[rows] = 1
    room, log = np.zeros(STEP_EVENTS, PRINT), Recorder(PRINT)
    look = np.zeros(1, _LOOK)
    for name, array in (("wanted", wanted), ("prints", room), ("moments", moments)):
        look[name] = array.ctypes.data
    look["books"], look["rows"], look["asked"] = books.address, len(tape.instruments), len(moments)
    look["clock"] = -FOREVER
    with patience() as advance:
        for first in range(0, len(whole), STEP_EVENTS):
            last = min(first + STEP_EVENTS, len(whole))
            _look(look.ctypes.data, whole.walk_address, first, last)
            log.take(room[: int(look["made"][0])])
            look["made"] = 0
            advance(last / len(whole), "looking at the market")
    _rest(look.ctypes.data)
    return log.rows()
