"""Limit up, limit down: bands around a price that follows the trades, limit states, pauses.

    reference    mean of the trades of the last 5 minutes; a new one when that is 1 % off and the
                 old one is 30 s old. In a limit state it stays
    bands        reference less and plus a percentage, by tier and price, doubled at some hours
    limit state  the best bid at the upper band, or the best ask at the lower one; after 15 s of it

        NORMAL ─▶ LIMIT ─▶ PAUSED ─▶ GATHERING ─▶ NORMAL       H: P, then Q, then T by a cross
           ▲        │      bands told as collars (J)
           └────────┘ what stood there is gone

The market is looked at so many times a second, at times of the exchange's own clock, so the same
flow leads to the same pauses however time is cut. What the bands do to orders is the engine's
(`matching.managing`). A straddle (the best bid below the lower band, or the best ask above the
upper one) is counted; nobody here declares a pause for it.

    LULD ─ times, settings, counts         ROW × symbols ─ reference, state, a second of trades each

Worst case: a look goes through all symbols, and through the window's seconds of a silent one.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.tables import books_at
from hftlib.core import jit
from hftlib.core.records import field_offset, record
from hftlib.venue.floor.market_tables import WINDOW_SECONDS_MAX
from hftlib.venue.floor.memory import COMMAND_AT, command_at, floor_at
from hftlib.venue.floor.obeying import blank_command, obey
from hftlib.venue.matching.queues import best_shown
from hftlib.venue.matching.records import (
    AUCTION,
    BUY,
    CROSS,
    EXECUTE,
    PAUSED,
    REOPENING,
    SELL,
    SET_BANDS,
    SET_STATE,
    TELL,
    TRADE,
    TRADING,
)
from hftlib.venue.matching.tables import engine_of, symbol_of, trade_of

COUNTS = ("references", "limits", "straddles", "pauses")
LULD = record(
    "floor luld",
    256,
    """
    0   symbols     int64
    8   match       int64     the last trade that was looked at
    16  next        int64     when the market is looked at next
    24  every       int64     ns between two looks
    32  begin       int64     hours in which there are bands: from this time of day ...
    40  end         int64     ... to this
    48  doubled     int64[4]  two spans of the day in which they are twice as wide
    80  window      int64     seconds whose trades make the reference
    88  move        int64     how far off a new one must be, in hundredths of a percent
    96  hold        int64     ns for which one stays at least
    104 limit       int64     ns of a limit state, then there is a pause
    112 pause       int64     ns of a pause, the gathering of orders included
    120 gather      int64     ns of that
    128 references  int64     counts: new references
    136 limits      int64     limit states
    144 straddles   int64
    152 pauses      int64
    """,
)
_DRAWING = "0 pairs int64[1200] sum and count of each"
ROW = record(
    "floor luld symbol",
    64 + 16 * WINDOW_SECONDS_MAX,
    """
    0   tier       int32   1 or 2
    4   state      int32   NORMAL and the others below
    8   reference  int64
    16  since      int64   when that, or the state, began
    24  referred   int64   when the reference did
    32  bps        int64   what the engine was told last; 0: no bands
    40  second     int64   the second whose trades are added up at present
    48  sum        int64   of the prices of all trades of the window
    56  count      int64   of them
    64  seconds    seconds
    """,
    seconds=record("floor luld seconds", 16 * WINDOW_SECONDS_MAX, _DRAWING),
)
NORMAL, LIMIT, STRADDLE, WAITING, GATHERING = range(5)
STATES = ("normal", "limit state", "straddle state", "paused", "gathering")
BPS = 10_000
THREE_DOLLARS, SEVENTY_FIVE_CENTS, FIFTEEN_CENTS = 3_0000, 7500, 1500
REASON = int.from_bytes(b"LUDP", "big")
SECOND_NS = 1_000_000_000
_SECONDS, _FIRST, _ROW_BYTES = field_offset(ROW, "seconds"), LULD.itemsize, ROW.itemsize

luld_at = jit.record_at(LULD)
_row_at = jit.record_at(ROW)


@jit.inlined
def row_address(luld: int, n: int) -> int:
    return jit.nth(luld + _FIRST, n, luld_at(luld).symbols, _ROW_BYTES)


@jit.compiled("void(int64, int64, int64)")
def look(floor: int, luld: int, now: int) -> None:
    """The market at this time: trades since the last look, then each symbol."""
    u = luld_at(luld)
    _take_trades(floor, luld, now)
    time = now - floor_at(floor).midnight
    is_open = u.begin <= time < u.end
    for n in range(u.symbols):
        _age(luld, n, now)
        _turn(floor, luld, n, now, 1 if is_open else 0)
    u.next += u.every


@jit.compiled("void(int64, int64, int64)")
def _take_trades(floor: int, luld: int, now: int) -> None:
    """What was executed one by one; a cross begins a new reference of its own."""
    u, base = luld_at(luld), floor_at(floor).engine
    engine = engine_of(base)
    match = max(u.match, engine.match - engine.trade_mask - 1)
    while match < engine.match:
        match += 1
        trade = trade_of(base, match & engine.trade_mask)
        told = trade.public == EXECUTE or trade.public == TRADE
        if trade.match == match and trade.broken == 0 and told:
            _age(luld, trade.symbol, now)
            _add(luld, trade.symbol, trade.price)
    u.match = engine.match


@jit.inlined
def _add(luld: int, n: int, price: int) -> None:
    address = row_address(luld, n)
    row = _row_at(address)
    place = address + _SECONDS + 16 * (row.second % luld_at(luld).window)
    jit.store_i64(place, jit.load_i64(place) + price)
    jit.store_i64(place + 8, jit.load_i64(place + 8) + 1)
    row.sum += price
    row.count += 1


@jit.compiled("void(int64, int64, int64)")
def _age(luld: int, n: int, now: int) -> None:
    """Trades that are too old are none any more."""
    address, window = row_address(luld, n), luld_at(luld).window
    row = _row_at(address)
    second = now // SECOND_NS
    gone = min(second - row.second, window)
    for k in range(gone):
        place = address + _SECONDS + 16 * ((row.second + 1 + k) % window)
        row.sum -= jit.load_i64(place)
        row.count -= jit.load_i64(place + 8)
        jit.store_i64(place, 0)
        jit.store_i64(place + 8, 0)
    row.second = max(second, row.second)


@jit.compiled("void(int64, int64, int64, int64, int64)")
def _turn(floor: int, luld: int, n: int, now: int, is_open: int) -> None:
    """One symbol: the one door to its state."""
    u, row = luld_at(luld), _row_at(row_address(luld, n))
    state = symbol_of(floor_at(floor).engine, n).state
    if state == PAUSED and row.state == WAITING:
        if now - row.since >= u.pause - u.gather:
            _exchange(floor, SET_STATE, n, AUCTION)
            row.state = GATHERING
    elif state == AUCTION and row.state == GATHERING:
        if now - row.since >= u.pause:
            _reopen(floor, luld, n, now)
    elif state != TRADING or is_open == 0:
        row.state = NORMAL  # somebody else holds it, or the hours are over
        if is_open == 0 and row.bps != 0:
            row.bps = 0
            _tell_bands(floor, n, row.reference, 0)
    else:
        _trading(floor, luld, n, now)


@jit.compiled("void(int64, int64, int64, int64)")
def _trading(floor: int, luld: int, n: int, now: int) -> None:
    u, row = luld_at(luld), _row_at(row_address(luld, n))
    base = floor_at(floor).engine
    symbol = symbol_of(base, n)
    bid, ask = _best(base, n, BUY), _best(base, n, SELL)
    at_limit = row.bps != 0 and (bid >= symbol.upper or 0 < ask <= symbol.lower)
    straddles = row.bps != 0 and (0 < bid < symbol.lower or ask > symbol.upper)
    if at_limit and row.state == LIMIT:
        if now - row.since >= u.limit:
            u.pauses += 1
            row.state, row.since = WAITING, now
            _exchange(floor, SET_STATE, n, PAUSED)
            _tell_bands(floor, n, row.reference, row.bps)
        return
    if at_limit:
        row.state, row.since = LIMIT, now
        u.limits += 1
        return
    u.straddles += 1 if straddles and row.state != STRADDLE else 0
    row.state = STRADDLE if straddles else NORMAL
    _follow(floor, luld, n, now)


@jit.inlined
def _best(base: int, n: int, side: int) -> int:
    return best_shown(books_at(base), base, n, side)


@jit.compiled("void(int64, int64, int64, int64)")
def _follow(floor: int, luld: int, n: int, now: int) -> None:
    """A new reference where the trades ask for one, new bands where anything changed."""
    u, row = luld_at(luld), _row_at(row_address(luld, n))
    base = floor_at(floor).engine
    reference = row.reference
    if reference == 0:
        symbol = symbol_of(base, n)
        reference = symbol.last if symbol.last != 0 else symbol.reference
    elif row.count != 0 and now - row.referred >= u.hold:
        mean = (row.sum + row.count // 2) // row.count
        if abs(mean - reference) * BPS >= u.move * reference:
            reference = mean
    bps = percentage(row.tier, reference, doubled(luld, now - floor_at(floor).midnight))
    if reference != row.reference:
        u.references += 1
        row.referred = now
    elif bps == row.bps:
        return
    row.reference, row.bps = reference, bps
    _tell_bands(floor, n, reference, bps)


@jit.inlined
def doubled(luld: int, time: int) -> int:
    """How much wider bands are at this time of day: 1 or 2."""
    spans = luld_at(luld).doubled
    wide = (spans[0] <= time < spans[1]) or (spans[2] <= time < spans[3])
    return 2 if wide else 1


@jit.inlined
def percentage(tier: int, reference: int, times: int) -> int:
    """In hundredths of a percent, at most all of the price."""
    if reference > THREE_DOLLARS:
        bps = 500 if tier == 1 else 1000
    elif reference >= SEVENTY_FIVE_CENTS:
        bps = 2000
    else:
        bps = min(7500, FIFTEEN_CENTS * BPS // max(reference, 1))
    return min(bps * times, BPS)


@jit.compiled("void(int64, int64, int64, int64)")
def _reopen(floor: int, luld: int, n: int, now: int) -> None:
    """The cross, and a reference from it; without one the old reference stays."""
    row = _row_at(row_address(luld, n))
    base = floor_at(floor).engine
    trades = symbol_of(base, n).trades
    command = _begin(floor, CROSS, n)
    command.state, command.cross, command.price = TRADING, REOPENING, row.reference
    obey(floor)
    row.state, row.since = NORMAL, now
    row.sum, row.count = 0, 0  # trades of before count no more
    for k in range(luld_at(luld).window):
        place = row_address(luld, n) + _SECONDS + 16 * k
        jit.store_i64(place, 0)
        jit.store_i64(place + 8, 0)
    symbol = symbol_of(base, n)
    if symbol.trades != trades:
        row.reference = symbol.last
    row.bps, row.referred = 0, now
    _follow(floor, luld, n, now)


@jit.inlined
def _begin(floor: int, kind: int, n: int) -> Any:
    blank_command(floor)
    command = command_at(floor + COMMAND_AT)
    command.kind, command.symbol = kind, n
    return command


@jit.compiled("void(int64, int64, int64, int64)")
def _exchange(floor: int, kind: int, n: int, state: int) -> None:
    command = _begin(floor, kind, n)
    command.state, command.reason = state, REASON
    obey(floor)


@jit.compiled("void(int64, int64, int64, int64)")
def _tell_bands(floor: int, n: int, reference: int, bps: int) -> None:
    command = _begin(floor, SET_BANDS, n)
    command.price, command.bps, command.flags = reference, bps, TELL
    obey(floor)
