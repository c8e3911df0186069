"""What a tape says of orders, as commands of the house: they stand in the same queues as any.

    ADD ─▶ enter      EXECUTE ─▶ meet (`matching.meeting`)     TRADE ─▶ meet, unseen
    CANCEL, DELETE ─▶ cancel      REPLACE ─▶ replace, or cancel and enter

Without participants the house's orders are the tape's, queue for queue. With them an order has here
what it has on the tape less what participants took of it. Where the tape executes an order and
somebody stands in front, he trades, and the order is lessened as if it had: the tape's owner
believes it is gone and will never take it away.

An event about an order from before the tape is about what stands for its price without a name
(`tape_levels`), if it names side and price.

A house order that would trade with another of the house takes it off: the tape has lost its end.

Worst case: two commands an event; what one of them costs is the engine's.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.tables import books_at
from hftlib.core import events, jit
from hftlib.venue.floor.following import (
    NONE,
    enter,
    find,
    followed_of,
    leave,
    level_reference,
    row_of,
    tape_at,
)
from hftlib.venue.floor.memory import COMMAND_AT, command_at, floor_at
from hftlib.venue.floor.obeying import blank_command, obey
from hftlib.venue.matching.names import find_name
from hftlib.venue.matching.queues import best_shown
from hftlib.venue.matching.records import (
    AUCTION,
    BUY,
    CANCEL,
    ENTER,
    GTX,
    HALTED,
    MEET,
    OLDEST,
    PAUSED,
    PLAIN,
    REPLACE,
    SELL,
    SET_STATE,
    SHOWN,
    UNPRINTED,
    UNSEEN,
)
from hftlib.venue.matching.tables import engine_of, own_of, symbol_of


@jit.inlined
def begin(floor: int, tape: int, kind: int, symbol: int) -> Any:
    """The floor's COMMAND, of the house, at the time of the event at hand."""
    t = tape_at(tape)
    blank_command(floor)
    command = command_at(floor + COMMAND_AT)
    command.time = max(t.time, floor_at(floor).now)
    command.session, command.firm = t.session, t.firm
    command.kind, command.symbol = kind, symbol
    return command


@jit.inlined
def standing(floor: int, tape: int, urn: int) -> int:
    """The engine's order of that number, or 0: it is over."""
    return find_name(floor_at(floor).engine, tape_at(tape).session, urn)


@jit.compiled("void(int64, int64, int64, int64, int64, int64, int64)")
def add(
    floor: int, tape: int, row: int, reference: int, side: int, price: int, quantity: int
) -> None:
    """A new order of the tape's."""
    t = tape_at(tape)
    if side != events.BUY and side != events.SELL:
        t.odd += 1
    elif find(tape, reference) != NONE:
        t.double += 1
    elif t.followed == t.followed_max:
        t.full += 1
    else:
        _gather(floor, tape, row)
        _enter(floor, tape, row_of(tape, row).symbol, reference, side, price, quantity, 0)


@jit.inlined
def _gather(floor: int, tape: int, row: int) -> None:
    """Whoever the tape lets order in a halt of its own shows that orders gather."""
    own = row_of(tape, row)
    state = symbol_of(floor_at(floor).engine, own.symbol).state
    if state == own.state and state in (HALTED, PAUSED):
        command = begin(floor, tape, SET_STATE, own.symbol)
        command.session, command.state = 0, AUCTION
        obey(floor)
        own.state = AUCTION
        tape_at(tape).gathered += 1


@jit.compiled()
def _enter(
    floor: int,
    tape: int,
    symbol: int,
    reference: int,
    side: int,
    price: int,
    quantity: int,
    met: int,
) -> None:
    """`met` is less than 0 where participants have taken of it under another number."""
    t = tape_at(tape)
    engine = engine_of(floor_at(floor).engine)
    refused = engine.refused
    t.urn += 1
    command = begin(floor, tape, ENTER, symbol)
    command.urn, command.side, command.price = t.urn, side, price
    command.quantity = quantity + met
    command.offset = reference  # means nothing to a plain order, and finds it again
    command.prevention = OLDEST
    _plainly(command)
    obey(floor)
    if engine.refused != refused:
        t.refused += 1
        return
    t.orders += 1
    one = followed_of(tape, enter(tape, reference))
    one.urn, one.open, one.met = t.urn, quantity, met
    one.price, one.symbol, one.side = price, symbol, side


@jit.inlined
def _plainly(command: Any) -> None:
    command.style, command.lasts, command.shows = PLAIN, GTX, SHOWN


@jit.compiled("void(int64, int64, int64, int64, int64, int64, int64, int64)")
def execute(
    floor: int,
    tape: int,
    symbol: int,
    reference: int,
    side: int,
    price: int,
    quantity: int,
    flags: int,
) -> None:
    """An order of the tape traded, at `price` or (0) at its own; side and price may find it too."""
    t = tape_at(tape)
    place = _find_any(tape, symbol, reference, side, price)
    if place == NONE:
        t.unknown += 1
        return
    one = followed_of(tape, place)
    t.excess += 1 if quantity > one.open else 0
    quantity = min(quantity, one.open)
    base = floor_at(floor).engine
    n = standing(floor, tape, one.urn)
    before = own_of(base, n).executed if n != 0 else 0
    t.gone += 1 if n == 0 else 0
    t.urn += 1
    command = begin(floor, tape, MEET, symbol)
    command.urn, command.quantity = t.urn, quantity
    command.side = SELL if one.side == BUY else BUY
    command.original = one.urn if n != 0 else 0
    command.price = price
    if price == 0 and n == 0:
        command.price = one.price
    command.flags = UNPRINTED if flags & events.NOT_PRINTABLE != 0 else 0
    obey(floor)
    one.open -= quantity
    n = standing(floor, tape, one.urn) if n != 0 else 0
    if n != 0:
        traded = own_of(base, n).executed - before
        one.met += traded
        t.yielded += quantity - traded
        if traded != quantity or one.open == 0:
            _lessen(floor, tape, place)
    elif one.open == 0:
        leave(tape, place)


@jit.compiled("void(int64, int64, int64, int64, int64, int64, int64)")
def take_off(
    floor: int, tape: int, symbol: int, reference: int, side: int, price: int, quantity: int
) -> None:
    """So much less of an order, which keeps its place; a quantity of NONE: all of it."""
    t = tape_at(tape)
    place = _find_any(tape, symbol, reference, side, price)
    if place == NONE:
        t.unknown += 1
        return
    one = followed_of(tape, place)
    t.excess += 1 if quantity > one.open else 0
    one.open -= one.open if quantity == NONE else min(quantity, one.open)
    if standing(floor, tape, one.urn) != 0:
        _lessen(floor, tape, place)
        return
    t.gone += 1
    if one.open == 0:
        leave(tape, place)


@jit.compiled("void(int64, int64, int64)")
def _lessen(floor: int, tape: int, place: int) -> None:
    """The engine's order, which stands, to what the tape has of it less what was taken."""
    one = followed_of(tape, place)
    command = begin(floor, tape, CANCEL, one.symbol)
    command.urn = one.urn
    if one.open != 0:
        command.quantity = max(one.open + one.met, 0)
    obey(floor)
    if one.open == 0:
        leave(tape, place)


@jit.inlined
def _find_any(tape: int, symbol: int, reference: int, side: int, price: int) -> int:
    """The order of that name; else whatever stands for its price, where the event names that."""
    place = find(tape, reference)
    if place == NONE and price != 0 and (side == events.BUY or side == events.SELL):
        place = find(tape, level_reference(symbol, side, price))
    if place != NONE and followed_of(tape, place).symbol != symbol:
        place = NONE
    return place


@jit.compiled("void(int64, int64, int64, int64, int64, int64, int64)")
def replace(
    floor: int, tape: int, symbol: int, reference: int, other: int, price: int, quantity: int
) -> None:
    """Another order in the place of one: at the end of its queue, whatever it asks for."""
    t = tape_at(tape)
    place = find(tape, reference)
    if place == NONE or followed_of(tape, place).symbol != symbol:
        t.unknown += 1
        return
    if other != reference and find(tape, other) != NONE:
        t.double += 1
        return
    one = followed_of(tape, place)
    side, met, urn, stood, at = one.side, one.met, one.urn, one.open, one.price
    n = standing(floor, tape, urn)
    executed = own_of(floor_at(floor).engine, n).executed if n != 0 else 0
    if n == 0:
        t.gone += 1
    elif price == at and quantity <= stood:
        one.open = 0
        _lessen(floor, tape, place)
        if quantity + met > executed:
            _enter(floor, tape, symbol, other, side, price, quantity, met - executed)
        return
    else:
        engine = engine_of(floor_at(floor).engine)
        refused = engine.refused
        t.urn += 1
        command = begin(floor, tape, REPLACE, symbol)
        command.urn, command.original = t.urn, urn
        command.price, command.quantity, command.offset = price, quantity + met, other
        _plainly(command)
        obey(floor)
        if engine.refused != refused:
            t.refused += 1
            one.open = 0
            _lessen(floor, tape, place)
            return
        urn = t.urn
    leave(tape, place)
    again = followed_of(tape, enter(tape, other))
    again.urn, again.open, again.met = urn, quantity, met
    again.price, again.symbol, again.side = price, symbol, side


@jit.compiled("void(int64, int64, int64, int64, int64)")
def trade(floor: int, tape: int, symbol: int, price: int, quantity: int) -> None:
    """A trade with an order that nobody saw: who took is on the side whose best is nearer."""
    base, t = floor_at(floor).engine, tape_at(tape)
    books = books_at(base)
    bid, ask = best_shown(books, base, symbol, BUY), best_shown(books, base, symbol, SELL)
    buys = True
    if bid != 0 and ask != 0:
        buys = 2 * price >= bid + ask
    elif bid != 0:
        buys = price > bid
    refused = engine_of(base).refused
    t.urn += 1
    command = begin(floor, tape, MEET, symbol)
    command.urn, command.price, command.quantity = t.urn, price, quantity
    command.side = BUY if buys else SELL
    command.flags = UNSEEN
    obey(floor)
    t.refused += 1 if engine_of(base).refused != refused else 0
