"""Bars: open, high, low, close and volume of what traded, and the book as each bar ended.

    tape["AAPL"].bars("1s")                      by time
    tape.bars("1m")                              by symbol and time
    tape.only("AAPL").bars("1d", adjusted=True)  earlier prices brought to today's shares

A bar is named by its begin, and an event at its end belongs to the next. Widths divide UTC, `1d`
the days of the venue's clock. An event that comes late belongs to its instrument's open bar.

Volume is what was printed: executions and hidden trades and crosses, without NOT_PRINTABLE
executions, which a cross prints. An execution without a price has that of its order, so the books
are built on the way, from the first event of the tape on; one whose order is unknown has none, is
left out and counted in `frame.attrs["unpriced"]`. Trades broken later stay in, counted as `broken`.

`stale` says that messages were missing, or could not be read, when the bar ended: then its book
may be wrong, and its trades may not be all.

Every instrument has every bar from the first to the last of the tape. Where nothing traded, volume
is 0, prices are NaN, and the book stands as it stood; `empty=False` leaves such bars out.
Worst case: BARS_MAX bars; more are refused with a sentence, for they would fill the memory.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.book import reading
from hftlib.book.apply import apply_event
from hftlib.book.books import Books
from hftlib.book.tables import QUANTITY_MAX
from hftlib.core import events, jit
from hftlib.core.errors import InputError
from hftlib.core.records import record
from hftlib.core.times import Duration
from hftlib.feed.tape_index import tells_time
from hftlib.feed.walk import event_address, event_at, walk_at
from hftlib.research.bar_frame import framed
from hftlib.research.bar_times import BarTimes, bucket_of
from hftlib.research.booking import with_books
from hftlib.research.selection import Selection
from hftlib.research.tape import Tape
from hftlib.terminal import patience

BARS_MAX = 20_000_000
STEP_EVENTS = 1 << 18
HAS_BID, HAS_ASK = 1, 2

BAR = record(
    "bar",
    120,
    """
    0    begin     int64    ns since the epoch, UTC
    8    row       int64    instrument
    16   open      int64    price units, like the three below; 0 without trades
    24   high      int64
    32   low       int64
    40   close     int64
    48   volume    int64    lots
    56   value     float64  sum of price times quantity
    64   trades    int64
    72   sides     int64    1: there is a bid, 2: there is an ask
    80   bid       int64    price units
    88   bid_size  int64    lots
    96   ask       int64
    104  ask_size  int64
    112  stale     int64    1: the book may be wrong, for messages are missing
    """,
)
BARRING = record(
    "bar making",
    112,
    """
    0   books     int64  address of the books
    8   open      int64  address of one BAR for each instrument
    16  rows      int64  instruments
    24  made      int64  address of the bars made
    32  count     int64  how many
    40  times     int64  address of the BAR_TIMES
    48  unpriced  int64  executions of unknown orders that name no price, or of no quantity
    56  broken    int64  trades broken later
    64  late      int64  events whose time lies before their bar
    72  chosen    int64  address of the rows that have bars
    80  several   int64  how many
    88  room      int64  bars that can be made before they are taken away
    96  latest    int64  begin of the latest bar that was begun
    """,
)
BAR_BYTES = BAR.itemsize
_bar_at = jit.record_at(BAR)
_numbers_at = jit.array_at(np.int64)
_barring_at = jit.record_at(BARRING)


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def _make(barring_address: int, walk_address: int, first: int, last: int, only_books: int) -> int:
    """Bars of some of the walk's events, or only books, for what came before: where it stopped.

    It stops early where the next event could make more bars than there is room for.
    """
    walk = walk_at(walk_address)
    making = _barring_at(barring_address)
    base = making.books
    for n in range(first, last):
        address = event_address(walk, n)
        event = event_at(address)
        row = event.instrument
        if not only_books and making.count + making.several >= making.room:
            return n
        timed = tells_time(event.kind)
        if not only_books and row == events.ALL:
            # It may change all books, so bars that are over take theirs as they stood before.
            _close_all(making, bucket_of(making.times, event.time) if timed else making.latest)
        if only_books or row >= making.rows or not timed:
            apply_event(base, address)
            continue
        bar = _bar_at(making.open + row * BAR_BYTES)
        begin = bucket_of(making.times, event.time)
        if begin > bar.begin:
            _close(making, row)
            bar.begin = begin
            making.latest = max(making.latest, begin)
        elif begin < bar.begin:
            making.late += 1
        book = reading.facts(base, row)
        trades = book.trades
        done = apply_event(base, address)
        making.broken += event.kind == events.BREAK
        if book.trades != trades:
            _trade(making, bar, event.flags, book.last, book.last_size)
        elif event.kind == events.EXECUTE and done < 0:  # a trade, though the books refused it
            _trade(making, bar, event.flags, event.price, event.quantity)
    return last


@jit.compiled()
def _close_all(making: Any, begin: int) -> None:
    """Bars that begin before this one are over."""
    chosen = _numbers_at(making.chosen, making.several)
    for n in range(making.several):
        bar = _bar_at(making.open + chosen[n] * BAR_BYTES)
        if begin > bar.begin:
            _close(making, chosen[n])
            bar.begin = begin
    making.latest = max(making.latest, begin)


@jit.compiled()
def _trade(making: Any, bar: Any, flags: int, price: int, quantity: int) -> None:
    if flags & events.NOT_PRINTABLE:
        return
    if price == 0 or not 0 < quantity < QUANTITY_MAX:
        making.unpriced += 1
        return
    if bar.trades == 0:
        bar.open = price
        bar.high = price
        bar.low = price
    bar.high = max(bar.high, price)
    bar.low = min(bar.low, price)
    bar.close = price
    bar.volume += quantity
    bar.value += float(price) * float(quantity)
    bar.trades += 1


@jit.compiled("void(int64, int64)")
def _close_row(barring_address: int, row: int) -> None:
    _close(_barring_at(barring_address), row)


@jit.compiled()
def _close(making: Any, row: int) -> None:
    """The bar of an instrument is over: it takes the book as it stands, and a new one begins."""
    base, here = making.books, making.open + row * BAR_BYTES
    bar = _bar_at(here)
    bid = reading.best_level(base, row, events.BUY)
    ask = reading.best_level(base, row, events.SELL)
    bar.stale = 1 if reading.facts(base, row).stale != 0 else 0
    bar.sides = (HAS_BID if bid != 0 else 0) | (HAS_ASK if ask != 0 else 0)
    if bid != 0:
        bar.bid = reading.level_price(base, events.BUY, bid)
        bar.bid_size = reading.level_quantity(base, bid)
    if ask != 0:
        bar.ask = reading.level_price(base, events.SELL, ask)
        bar.ask_size = reading.level_quantity(base, ask)
    jit.copy_words(making.made + making.count * BAR_BYTES, here, BAR_BYTES)
    making.count += 1
    for offset in range(16, BAR_BYTES, 8):  # all but its begin and its row
        jit.store_i64(here + offset, 0)


def bars(tape: Tape, width: Duration, *, adjusted: bool, empty: bool) -> Any:
    """A pandas DataFrame of the tape's bars."""
    times = BarTimes(width, tape.begin, tape.end, tape.zone)
    file = tape.selection.file
    alive = [row for row in tape.rows if len(tape) and len(file.positions_of(row))]
    rows = np.array(alive, np.int64)
    if empty and len(rows) * len(times) > BARS_MAX:
        raise _too_many(tape, f"{len(rows):,} instruments in {len(times):,} bars each are")
    (made, counts), _books = with_books(
        tape, lambda books, whole: _pass(tape, books, whole, times, rows, empty)
    )
    return framed(tape, made, times, rows, adjusted=adjusted, empty=empty, counts=counts)


def _pass(
    tape: Tape,
    books: Books,
    whole: Selection,
    times: BarTimes,
    rows: np.ndarray[Any, Any],
    empty: bool,
) -> tuple[np.ndarray[Any, Any], dict[str, int]]:
    """One pass over the tape: the bars in which something happened, and what was left out."""
    before, table = len(whole) - len(tape), len(tape.instruments)
    standing = np.zeros(max(1, table), BAR)
    standing["row"], standing["begin"] = np.arange(max(1, table)), times.first
    room = np.zeros(STEP_EVENTS + 2 * table + 2, BAR)
    making = np.zeros(1, BARRING)
    for name, array in (("open", standing), ("made", room), ("times", times.memory)):
        making[name] = array.ctypes.data
    making["chosen"], making["several"] = rows.ctypes.data, len(rows)
    making["room"], making["latest"] = len(room), times.first
    making["books"], making["rows"] = books.address, table
    kept: list[np.ndarray[Any, Any]] = []

    def keep() -> None:
        done = room[: int(making["count"][0])]
        kept.append((done if empty else done[done["trades"] > 0]).copy())
        making["count"] = 0
        if sum(map(len, kept)) > BARS_MAX:
            raise _too_many(tape, "There are")

    with patience() as advance:
        for first in range(0, len(whole), STEP_EVENTS):
            last = min(first + STEP_EVENTS, len(whole))
            middle = min(max(first, before), last)
            _make(making.ctypes.data, whole.walk_address, first, middle, 1)
            while middle < last:
                middle = _make(making.ctypes.data, whole.walk_address, middle, last, 0)
                keep()
            advance(last / len(whole), "making bars")
    keep()
    for row in rows.tolist():
        _close_row(making.ctypes.data, row)
    keep()
    names = ("unpriced", "broken", "late")
    return np.concatenate(kept), {name: int(making[name][0]) for name in names}


def _too_many(tape: Tape, what: str) -> InputError:
    return InputError(
        f"{what} more than {BARS_MAX:,} bars",
        where=f"the bars of {tape!r}",
        do="Make them wider, take fewer instruments with tape.only(...), or leave those without "
        "trades out with empty=False.",
    )
