"""Commands: what we ask of the venue, and what it answers at once.

    NEW      ACCEPTED, then what it takes, then it stands; or REJECTED with a reason
    CANCEL   CANCELED, or CANCEL_REJECTED: the venue does not know the order (any more)
    REPLACE  REPLACED, then what it takes; or REPLACE_REJECTED, and the order is as it was

A quantity is all an order asks for, filled part included. A REPLACE at the same price and for no
more keeps the order's place; all others go to the end of their queue. One for no more than is
filled ends the order: CANCELED. While trading is halted only cancels are taken.

What is left of an order that could not trade at once: DAY stands, IOC ends (EXPIRED, MOMENT_OVER),
MARKET ends (NOTHING_THERE); a FOK that would not fill whole and a POST_ONLY that would take are
REJECTED before anything happens. A stop waits for a print; its trigger never changes.

Worst case: garbage in a command is refused as VENUE_NO_KIND, or OFF_GRID where it is a price.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.tables import KEY_MAX, QUANTITY_MAX
from hftlib.core import events, jit
from hftlib.core.orders import (
    ASKED,
    CANCEL,
    CANCEL_REJECTED,
    COMMAND,
    DAY,
    FOK,
    HALTED,
    LIMIT,
    MARKET,
    NEW,
    NOT_WHOLE,
    OFF_GRID,
    POST_ONLY,
    REJECTED,
    REPLACE,
    REPLACE_REJECTED,
    STOP,
    STOP_LIMIT,
    UNKNOWN_ORDER,
    VENUE_FULL,
    VENUE_NO_KIND,
    WOULD_TAKE,
)
from hftlib.venue.doors import end_standing, place_order, trade_and_rest
from hftlib.venue.lists import begin_life, end_life, enter_list, leave_list
from hftlib.venue.reports import accepted, canceled, refuse, replaced
from hftlib.venue.standing import is_open, show_less, take_out
from hftlib.venue.tables import (
    AUTO,
    FIFO,
    FREE,
    ID_MAX,
    RISK_AVERSE,
    STANDING,
    WAITING,
    key_of,
    listing_of,
    own_number,
    own_of,
    venue_at,
)
from hftlib.venue.taking import best_opposite, enough_there, limit_of

_command_at = jit.record_at(COMMAND)


@jit.compiled()
def obey(address: int, command_address: int, time: int) -> None:
    """One command; its answers wait as reports."""
    command = _command_at(command_address)
    venue = venue_at(address)
    venue.commanded = time
    if command.what == NEW:
        reason = _refused_new(address, command)
        if reason == 0:
            _begin(address, command, time)
        else:
            refuse(address, command, REJECTED, time, reason)
        return
    if command.what == CANCEL or command.what == REPLACE:
        number = own_number(venue, command.order)
        own = own_of(address, number)
        known = own.state != FREE and own.id == command.order
        if not known:
            kind = CANCEL_REJECTED if command.what == CANCEL else REPLACE_REJECTED
            refuse(address, command, kind, time, UNKNOWN_ORDER)
        elif command.what == CANCEL:
            end_standing(address, number, time, ASKED)
        else:
            _replace(address, number, command, time)
        return
    refuse(address, command, REJECTED, time, VENUE_NO_KIND)


@jit.compiled()
def _refused_new(address: int, command: Any) -> int:
    """Why no such order can be, or 0."""
    venue = venue_at(address)
    if command.instrument >= venue.instruments or not 0 < command.order < ID_MAX:
        return VENUE_NO_KIND
    if command.side != events.BUY and command.side != events.SELL:
        return VENUE_NO_KIND
    if not LIMIT <= command.kind <= STOP_LIMIT or not DAY <= command.lasts <= FOK:
        return VENUE_NO_KIND
    if command.lasts == FOK and (command.kind == STOP or command.kind == STOP_LIMIT):
        return VENUE_NO_KIND  # what is there when it wakes, nobody can promise
    if not 0 < command.quantity < QUANTITY_MAX or command.display < 0:
        return VENUE_NO_KIND
    if command.flags & POST_ONLY != 0 and (command.kind != LIMIT or command.lasts != DAY):
        return VENUE_NO_KIND
    if not is_open(address, command.instrument):
        return HALTED
    tick = listing_of(address, command.instrument).tick
    priced = command.kind == LIMIT or command.kind == STOP_LIMIT
    if priced and not _on_grid(command.price, tick):
        return OFF_GRID
    if command.kind >= STOP and not _on_grid(command.trigger, tick):
        return OFF_GRID
    if own_of(address, own_number(venue, command.order)).state != FREE:
        return VENUE_FULL
    return 0


@jit.inlined
def _on_grid(price: int, tick: int) -> bool:
    return -KEY_MAX < price < KEY_MAX and price % tick == 0


@jit.compiled()
def _begin(address: int, command: Any, time: int) -> None:
    venue = venue_at(address)
    number = own_number(venue, command.order)
    own = own_of(address, number)
    own.id = command.order
    own.price = command.price if command.kind == LIMIT or command.kind == STOP_LIMIT else 0
    own.quantity = command.quantity
    own.filled = 0
    own.display = command.display
    own.shown = 0
    own.trigger = command.trigger
    own.entered = 0
    own.placed = 0
    own.printed = 0
    own.instrument = command.instrument
    own.side = command.side
    own.kind = command.kind
    own.lasts = command.lasts
    own.flags = command.flags
    own.strategy = command.strategy
    own.key = key_of(own.side, own.price)
    listing = listing_of(address, own.instrument)
    if listing.rule == AUTO:
        listing.rule = FIFO if listing.by_order != 0 else RISK_AVERSE
    begin_life(address, number)
    if own.kind >= STOP:
        # A buy stop wakes at its trigger or above, so the lowest wakes first; a sell stop mirrors.
        own.key = own.trigger if own.side == events.BUY else -own.trigger
        enter_list(address, number, WAITING)
        accepted(address, own, time)
        return
    reason = _cannot(address, own, time)
    stands = own.kind == LIMIT and own.lasts == DAY
    if reason == 0 and stands and best_opposite(address, own) > limit_of(own, 0):
        reason = place_order(address, number, time)
        if reason == 0:
            accepted(address, own, time)
            return
    if reason != 0:
        end_life(address, number)
        refuse(address, command, REJECTED, time, reason)
        return
    accepted(address, own, time)
    trade_and_rest(address, number, time)


@jit.compiled()
def _cannot(address: int, own: Any, time: int) -> int:
    """Why an order that trades now may not even begin, or 0."""
    if own.flags & POST_ONLY != 0 and best_opposite(address, own) <= limit_of(own, 0):
        return WOULD_TAKE
    if own.lasts == FOK:
        limit = limit_of(own, 1 if own.kind == MARKET else 0)
        if enough_there(address, own, limit, time) == 0:
            return NOT_WHOLE
    return 0


@jit.compiled()
def _replace(address: int, number: int, command: Any, time: int) -> None:
    own = own_of(address, number)
    reason = _refused_replace(address, own, command)
    if reason != 0:
        refuse(address, command, REPLACE_REJECTED, time, reason)
        return
    if command.quantity <= own.filled:
        end_standing(address, number, time, ASKED)
        return
    if own.state == WAITING:
        own.quantity = command.quantity
        own.price = command.price if own.kind == STOP_LIMIT else 0
        replaced(address, own, time)
        return
    fifo = listing_of(address, own.instrument).rule == FIFO
    if command.price == own.price and command.quantity <= own.quantity:
        own.quantity = command.quantity
        less = own.shown - (own.quantity - own.filled)
        if less > 0:
            own.shown -= less
            if fifo:
                show_less(address, own, less)
        replaced(address, own, time)
        return
    _move(address, number, command, fifo, time)


@jit.compiled()
def _move(address: int, number: int, command: Any, fifo: bool, time: int) -> None:
    """A new price, or more: out of its place, and in again as if it were new."""
    own = own_of(address, number)
    if fifo:
        take_out(address, own)
    leave_list(address, number)
    own.price = command.price
    own.key = key_of(own.side, own.price)
    own.quantity = command.quantity
    if best_opposite(address, own) <= limit_of(own, 0):
        replaced(address, own, time)
        trade_and_rest(address, number, time)
        return
    reason = place_order(address, number, time)
    if reason == 0:
        replaced(address, own, time)
    else:
        canceled(address, own, time, reason)
        end_life(address, number)


@jit.compiled()
def _refused_replace(address: int, own: Any, command: Any) -> int:
    if not 0 < command.quantity < QUANTITY_MAX:
        return VENUE_NO_KIND
    if not is_open(address, own.instrument):
        return HALTED
    if own.kind == STOP:
        return 0
    tick = listing_of(address, own.instrument).tick
    if not _on_grid(command.price, tick):
        return OFF_GRID
    if own.state != STANDING or own.flags & POST_ONLY == 0 or command.price == own.price:
        return 0
    takes = best_opposite(address, own) <= key_of(3 - own.side, command.price)
    return WOULD_TAKE if takes else 0
