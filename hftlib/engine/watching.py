"""What a backtest notes beside orders and fills: equity at regular times, the market after fills.

A markout asks what the middle of the book was some time after a fill, by the venue's clock: it is
read when the first later event passes on the local side, from books that know nothing of us. The
fills waiting for one horizon are in order of time, so each horizon is a ring of its own and only
its head is ever looked at. Horizon 0 is the moment just before the fill. Each feed has rings of its
own: a fast feed's later event says nothing of a book whose events are still on their way.

Worst case: more fills within a horizon than the ring holds are left out and counted (`dropped`).
"""

from __future__ import annotations

from typing import Any

from hftlib.book.reading import twice_mid
from hftlib.core import jit
from hftlib.core.records import record
from hftlib.engine.log import EQUITY, EQUITY_BYTES, MARKOUT, MARKOUT_BYTES
from hftlib.engine.looking import catch_up
from hftlib.engine.memory import (
    FOREVER,
    books_base,
    execution_base,
    market_of,
    session_at,
)
from hftlib.engine.seats import after, first_of, is_alone
from hftlib.execution.memory import position_of

HORIZONS_MAX = 8
EVERY_MAX = 4  # of so few instruments all are sampled, traded or not

WAITING = record(
    "waiting markout",
    24,
    """
    0   due         int64
    8   fill        int64
    16  instrument  int64
    """,
)
HORIZON = record(
    "horizon",
    64,
    """
    0   after    int64  ns after the fill
    8   items    int64  address of the ring
    16  mask     int64
    24  head     int64
    32  tail     int64
    40  dropped  int64
    48  due      int64  of its head; FOREVER: none waits
    """,
)
WAITS = record(
    "markouts of a feed",
    576,
    """
    0    next_due  int64  the earliest; FOREVER
    64   horizon   horizon[8]
    """,
    horizon=HORIZON,
)
WATCH = record(
    "watch",
    128,
    """
    0    every        int64  ns between samples; 0: none
    8    next_sample  int64
    16   equity       int64  address of the log
    24   equity_used  int64
    32   equity_max   int64
    40   markouts     int64  address of the log
    48   markouts_used int64
    56   markouts_max int64
    64   horizons     int64  how many
    72   next_due     int64  the earliest markout of all; FOREVER
    80   waits        int64  address: those of each feed
    88   feeds        int64  how many
    """,
)
HORIZON_AT, HORIZON_BYTES = 64, HORIZON.itemsize
WAITING_BYTES, WAITS_BYTES = WAITING.itemsize, WAITS.itemsize
WATCH_BYTES = WATCH.itemsize

watch_at = jit.record_at(WATCH)
waits_at = jit.record_at(WAITS)
_horizon_at = jit.record_at(HORIZON)
_waiting_at = jit.record_at(WAITING)
_equity_at = jit.record_at(EQUITY)
_markout_at = jit.record_at(MARKOUT)


@jit.compiled()
def sample_all(watches: int, base: int, time: int) -> None:
    """The equity of every strategy, from books that are shown as they stand; of several, together.

    A watch for each of them lies one behind the other, and behind the last that of all together.
    """
    seat, watch = first_of(base), watches
    while seat != 0:
        catch_up(seat)
        _sample(watch, seat, time)
        seat = after(seat)
        watch += WATCH_BYTES
    if not is_alone(base):
        _sample_together(watch, base, time)


@jit.compiled()
def _sample(watch_address: int, base: int, time: int) -> None:
    """A row of equity for each instrument that has been traded, and for all where they are few."""
    watch = watch_at(watch_address)
    count = session_at(base).instruments
    for instrument in range(count):
        position = position_of(execution_base(base), instrument)
        if count > EVERY_MAX and position.fills == 0 and position.open_orders == 0:
            continue
        if watch.equity_used >= watch.equity_max:
            return
        row = _next_row(watch, base, time, instrument)
        row.position, row.cash, row.fees = position.quantity, position.cash, position.fees
        row.open_orders = position.open_orders


@jit.compiled()
def _sample_together(watch_address: int, base: int, time: int) -> None:
    """The same of what all strategies hold, summed."""
    watch = watch_at(watch_address)
    count = session_at(base).instruments
    for instrument in range(count):
        quantity = cash = fees = orders = fills = 0
        seat = first_of(base)
        while seat != 0:
            position = position_of(execution_base(seat), instrument)
            quantity += position.quantity
            cash += position.cash
            fees += position.fees
            orders += position.open_orders
            fills += position.fills
            seat = after(seat)
        if count > EVERY_MAX and fills == 0 and orders == 0:
            continue
        if watch.equity_used >= watch.equity_max:
            return
        row = _next_row(watch, base, time, instrument)
        row.position, row.cash, row.fees, row.open_orders = quantity, cash, fees, orders


@jit.inlined
def _next_row(watch: Any, base: int, time: int, instrument: int) -> Any:
    """A row with the market in it."""
    row = _equity_at(watch.equity + watch.equity_used * EQUITY_BYTES)
    watch.equity_used += 1
    row.time, row.instrument = time, instrument
    row.twice_mid = twice_mid(books_base(base), instrument)
    row.volume = market_of(base, instrument).volume
    return row


@jit.compiled()
def expect(watch_address: int, feed: int, fill: int, instrument: int, time: int) -> None:
    """A fill happened at the venue: ask the market at each horizon, as that feed tells of it."""
    watch = watch_at(watch_address)
    waits = waits_at(watch.waits + feed * WAITS_BYTES)
    rings = watch.waits + feed * WAITS_BYTES + HORIZON_AT
    for n in range(watch.horizons):
        horizon = _horizon_at(rings + n * HORIZON_BYTES)
        if horizon.tail - horizon.head > horizon.mask:
            horizon.dropped += 1
            continue
        place = horizon.items + (horizon.tail & horizon.mask) * WAITING_BYTES
        waiting = _waiting_at(place)
        due = time + horizon.after
        waiting.due, waiting.fill, waiting.instrument = due, fill, instrument
        if horizon.tail == horizon.head:
            horizon.due = due
            waits.next_due = min(waits.next_due, due)
            watch.next_due = min(watch.next_due, due)
        horizon.tail += 1


@jit.compiled()
def look(watch_address: int, base: int, feed: int, time: int) -> None:
    """The clock of a feed's venue reaches `time`: answer every markout that was due before."""
    watch = watch_at(watch_address)
    rings = watch.waits + feed * WAITS_BYTES + HORIZON_AT
    next_due = FOREVER
    for n in range(watch.horizons):
        horizon = _horizon_at(rings + n * HORIZON_BYTES)
        # What is due now belongs before the event of now only where the fill came with it.
        before = time if horizon.after > 0 else time + 1
        while horizon.due < before and watch.markouts_used < watch.markouts_max:
            waiting = _waiting_at(horizon.items + (horizon.head & horizon.mask) * WAITING_BYTES)
            row = _markout_at(watch.markouts + watch.markouts_used * MARKOUT_BYTES)
            watch.markouts_used += 1
            row.fill, row.horizon = waiting.fill, n
            row.twice_mid = _middle(base, waiting.instrument)
            horizon.head += 1
            horizon.due = FOREVER
            if horizon.head != horizon.tail:
                place = horizon.items + (horizon.head & horizon.mask) * WAITING_BYTES
                horizon.due = _waiting_at(place).due
        next_due = min(next_due, horizon.due)
    waits_at(watch.waits + feed * WAITS_BYTES).next_due = next_due
    for n in range(watch.feeds):
        next_due = min(next_due, waits_at(watch.waits + n * WAITS_BYTES).next_due)
    watch.next_due = next_due


@jit.inlined
def _middle(base: int, instrument: int) -> Any:
    return twice_mid(books_base(base), instrument)
