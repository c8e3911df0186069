"""A recorded market, played: a tape's events at their times, one command after another.

    play(floor, tape, now)     all that the tape has up to now; how many events
    follow(floor, tape)        the next event, whenever it was

    tape's time - begin + first = the exchange's time      what was before `begin` is due at once

Orders, executions and trades: `tape_orders`. STATUS sets the symbol's state (a book that crosses by
then is crossed first), CROSS lets the orders that wait for it meet what the tape's book has left,
CLEAR takes the house's orders off. All else says nothing to an exchange and is counted: what
its day is, is in its own schedule.

Worst case: `play` does EVENTS_PER_CALL at once, and goes on with the rest at its next call. A tape
that is looped begins anew a second after its last event, its orders gone.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import events, jit
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.venue.floor import tape_orders
from hftlib.venue.floor.following import LOOP, NONE, find, forget, row_of, tape_at
from hftlib.venue.floor.memory import floor_at
from hftlib.venue.floor.obeying import obey
from hftlib.venue.floor.tape_levels import set_level
from hftlib.venue.matching.crossing import is_crossed
from hftlib.venue.matching.records import (
    ALL,
    AUCTION,
    CLOSING,
    CROSS,
    HALTED,
    MASS_CANCEL,
    OPENING,
    PAUSED,
    PRICE_MAX,
    REOPENING,
    SET_STATE,
    TRADING,
)
from hftlib.venue.matching.tables import symbol_of

EVENTS_PER_CALL = 4_096
PAUSE_NS = 1_000_000_000
AHEAD_NS_MAX = 2 * 86_400_000_000_000  # no tape's time is further from its beginning
SHARES_MAX = 1 << 40
_O, _C, _H = (ord(letter) for letter in "OCH")

_event_at = jit.record_at(EVENT)


@jit.compiled("int64(int64, int64, int64)")
def play(floor: int, tape: int, now: int) -> int:
    """Whatever is due by now: how many events."""
    t = tape_at(tape)
    done = 0
    while done < EVENTS_PER_CALL:
        if t.next == t.count and _again(floor, tape, now) == 0:
            break
        if due_at(tape) > now:
            break
        follow(floor, tape)
        done += 1
    return done


@jit.inlined
def due_at(tape: int) -> int:
    """When the next event is due on the exchange."""
    t = tape_at(tape)
    since = _event_at(t.events + t.next * EVENT_BYTES).time - t.begin
    return int(t.first + min(max(since, 0), AHEAD_NS_MAX))


@jit.compiled("int64(int64, int64, int64)")
def _again(floor: int, tape: int, now: int) -> int:
    """From the start, where that is wanted and once it is time: 1."""
    t = tape_at(tape)
    after = max(t.time, t.first) + PAUSE_NS
    if t.at_end != LOOP or after > now:
        return 0
    t.time, t.first = after, after
    _clear(floor, tape, ALL)
    t.next = 0
    t.rounds += 1
    return 1


@jit.compiled("void(int64, int64)")
def follow(floor: int, tape: int) -> None:
    """The next event, which there is."""
    t = tape_at(tape)
    t.time = due_at(tape)
    event = _event_at(t.events + t.next * EVENT_BYTES)
    t.next += 1
    if event.instrument == events.ALL:
        _of_all(floor, tape, event)
    elif event.instrument >= t.rows or row_of(tape, event.instrument).symbol < 0:
        t.strange += 1
    elif not _is_sound(event, row_of(tape, event.instrument).scale):
        t.odd += 1
    elif 0 < event.kind <= events.REPLACE:
        _of_order(floor, tape, event)
    else:
        _of_market(floor, tape, event)


@jit.inlined
def _is_sound(event: Any, scale: int) -> bool:
    """Its numbers are of a size that orders and prices have; what they say is another matter."""
    return 0 <= event.price <= PRICE_MAX // scale and 0 <= event.quantity <= SHARES_MAX


@jit.compiled()
def _of_order(floor: int, tape: int, event: Any) -> None:
    row = row_of(tape, event.instrument)
    symbol, price = row.symbol, event.price * row.scale
    kind, reference, quantity = event.kind, event.reference, event.quantity
    if kind != events.DELETE and quantity == 0:
        tape_at(tape).odd += 1
    elif kind == events.ADD:
        tape_orders.add(floor, tape, event.instrument, reference, event.side, price, quantity)
    elif kind == events.EXECUTE:
        side, flags = event.side, event.flags
        tape_orders.execute(floor, tape, symbol, reference, side, price, quantity, flags)
    elif kind == events.REPLACE:
        tape_orders.replace(floor, tape, symbol, reference, event.other, price, quantity)
    else:
        whole = kind == events.DELETE and find(tape, reference) != NONE
        less = NONE if whole else quantity
        tape_orders.take_off(floor, tape, symbol, reference, event.side, price, less)


@jit.compiled()
def _of_market(floor: int, tape: int, event: Any) -> None:
    t, row = tape_at(tape), row_of(tape, event.instrument)
    price = event.price * row.scale
    kind = event.kind
    if kind == events.TRADE:
        tape_orders.trade(floor, tape, row.symbol, price, event.quantity)
    elif kind == events.LEVEL:
        set_level(floor, tape, event.instrument, event.side, price, event.quantity)
    elif kind == events.STATUS:
        _status(floor, tape, event.instrument, event.reference, event.other)
    elif kind == events.CROSS:
        _cross(floor, tape, row.symbol, event.reference, price)
    elif kind == events.CLEAR and event.side == 0:
        _clear(floor, tape, row.symbol)
    else:
        t.passed += 1


@jit.compiled()
def _of_all(floor: int, tape: int, event: Any) -> None:
    t = tape_at(tape)
    if event.kind == events.CLEAR:
        _clear(floor, tape, ALL)
    elif event.kind == events.STATUS:
        for n in range(t.rows):
            if row_of(tape, n).symbol >= 0:
                _status(floor, tape, n, event.reference, event.other)
    else:
        t.passed += 1


@jit.compiled("void(int64, int64, int64, int64, int64)")
def _status(floor: int, tape: int, row: int, letter: int, why: int) -> None:
    """The tape's trading state is the symbol's; a book that crosses comes to trade by a cross."""
    own = row_of(tape, row)
    state = NONE
    if letter == events.TRADING:
        state = TRADING
    elif letter == events.HALTED:
        state = HALTED
    elif letter == events.PAUSED:
        state = PAUSED
    elif letter == events.QUOTATION_ONLY:
        state = AUCTION
    if state == NONE:
        tape_at(tape).passed += 1
        return
    base = floor_at(floor).engine
    kind = SET_STATE
    if state == TRADING and is_crossed(base, own.symbol):
        if symbol_of(base, own.symbol).state not in (AUCTION, TRADING):
            _exchange(floor, tape, SET_STATE, own.symbol, AUCTION, 0, why, 0)
        kind = CROSS
    _exchange(floor, tape, kind, own.symbol, state, REOPENING, why, 0)
    own.state = state


@jit.compiled("void(int64, int64, int64, int64, int64)")
def _cross(floor: int, tape: int, symbol: int, letter: int, price: int) -> None:
    state = symbol_of(floor_at(floor).engine, symbol).state
    cross = 0
    if letter == _O:
        cross = OPENING
    elif letter == _C:
        cross = CLOSING
    elif letter == _H:
        cross = REOPENING
    if cross == 0 or (state != AUCTION and state != TRADING):
        tape_at(tape).passed += 1
    else:
        _exchange(floor, tape, CROSS, symbol, state, cross, 0, price)


@jit.compiled()
def _exchange(
    floor: int, tape: int, kind: int, symbol: int, state: int, cross: int, why: int, price: int
) -> None:
    """A command of the exchange's own."""
    command = tape_orders.begin(floor, tape, kind, symbol)
    command.session, command.firm = 0, 0
    command.state, command.cross = state, cross
    command.reason = why & 0xFFFF_FFFF
    command.price = price
    obey(floor)


@jit.compiled("void(int64, int64, int64)")
def _clear(floor: int, tape: int, symbol: int) -> None:
    """All orders of the house, in a symbol or (ALL) anywhere."""
    command = tape_orders.begin(floor, tape, MASS_CANCEL, symbol)
    command.firm = 0
    obey(floor)
    forget(tape, NONE if symbol == ALL else symbol)
