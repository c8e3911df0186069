"""What a tape says of levels: a recording that sees a window of the book only.

    LEVEL      so much stands at this price now, whoever's it is
    set_level ─▶ the orders known there go ─▶ one order of the house stands for all of it

That order has a reference made of its price (`following.level_reference`), so whatever happens at
the price to an order that nobody named is about this one.

Worst case: all orders of the house at the price are cancelled, one by one.
"""

from __future__ import annotations

from hftlib.book.ladder import find_level
from hftlib.book.tables import books_at, level_of, order_of
from hftlib.core import events, jit
from hftlib.venue.floor.following import (
    NONE,
    find,
    followed_of,
    leave,
    level_reference,
    row_of,
    tape_at,
)
from hftlib.venue.floor.memory import floor_at
from hftlib.venue.floor.obeying import obey
from hftlib.venue.floor.tape_orders import add, begin, replace, take_off
from hftlib.venue.matching.records import CANCEL
from hftlib.venue.matching.tables import SHOWN_ROW, engine_of, key_of, own_of, row_side


@jit.compiled("void(int64, int64, int64, int64, int64, int64)")
def set_level(floor: int, tape: int, row: int, side: int, price: int, quantity: int) -> None:
    """So much stands at a price, whoever's it is."""
    t = tape_at(tape)
    symbol = row_of(tape, row).symbol
    if (side != events.BUY and side != events.SELL) or quantity < 0 or price <= 0:
        t.odd += 1
        return
    reference = level_reference(symbol, side, price)
    n = _named(floor, tape, symbol, side, price, reference)
    while n != 0:
        own = own_of(floor_at(floor).engine, n)
        place, urn = find(tape, own.offset), own.urn
        command = begin(floor, tape, CANCEL, symbol)
        command.urn = urn
        obey(floor)
        if place != NONE:
            leave(tape, place)
        n = _named(floor, tape, symbol, side, price, reference)
    place = find(tape, reference)
    if place == NONE:
        if quantity != 0:
            add(floor, tape, row, reference, side, price, quantity)
    elif quantity == 0 or quantity < followed_of(tape, place).open:
        take_off(floor, tape, symbol, reference, 0, 0, followed_of(tape, place).open - quantity)
    elif quantity > followed_of(tape, place).open:
        replace(floor, tape, symbol, reference, reference, price, quantity)


@jit.compiled()
def _named(floor: int, tape: int, symbol: int, side: int, price: int, reference: int) -> int:
    """The first order of the house at a price that has a name; 0: none."""
    base = floor_at(floor).engine
    books, first = books_at(base), engine_of(base).order_first
    level = find_level(books, base, row_side(base, SHOWN_ROW, symbol, side), key_of(side, price))
    if level == 0:
        return 0
    number = level_of(books, base, level).first
    while number != level:
        own = own_of(base, number - first)
        if own.session == tape_at(tape).session and own.offset != reference:
            return int(number - first)
        number = order_of(books, base, number).behind
    return 0
