"""A quote: one bid and one ask that the engine keeps where the strategy last said.

    no order            ─ a price wanted ─▶ send one
    one stands          ─ another price ─▶ replace it;  less wanted ─▶ make it smaller
                        ─ none wanted ─▶ cancel it
    something under way ─ remember what is wanted, and look again when the answer comes

At the same price an order is left alone while some of it stands: its place in the queue is worth
more than being whole. A side that was filled or refused stays empty until the strategy quotes
again. A quantity that the position limit does not allow is made smaller, and the side taken off
when nothing remains; that is what a limit means to a quote. Where no session to the venue takes
orders, what is wanted is remembered, and sent when one does (`settle_again`): it is no refusal.
Nor is it one where the book may be wrong: the first wish after that is sent.

Worst case: a strategy that changes its mind faster than the venue answers has one message under
way for each side, never more.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.reading import NO_PRICE
from hftlib.core import jit, orders
from hftlib.core.events import BUY, SELL
from hftlib.core.orders import CANCEL_REJECTED, DAY, HELD, LIMIT, LIVE, PARTLY_FILLED, UNKNOWN
from hftlib.engine.intents import NOT_A_PRICE, change, on_grid, place
from hftlib.engine.memory import (
    RUNNING,
    context_address,
    context_at,
    execution_base,
    market_of,
    refuse,
    risk_base,
    session_at,
)
from hftlib.engine.taking_back import forget, take_back
from hftlib.execution.memory import is_open, order_of, position_of, slot_of
from hftlib.risk.checks import room
from hftlib.risk.memory import risk_at, rule_of


@jit.compiled()
def quote(
    base: int,
    instrument: int,
    bid: float,
    ask: float,
    bid_quantity: int,
    ask_quantity: int,
    flags: int,
) -> int:
    """Want these two sides; a quantity of 0 takes a side off. 0, or minus the reason."""
    if context_at(context_address(base)).stopped:
        return refuse(base, orders.STOPPED)
    if not 0 <= instrument < session_at(base).instruments:
        return refuse(base, orders.NO_INSTRUMENT)
    position = position_of(execution_base(base), instrument)
    tick = market_of(base, instrument).tick
    price, done = NO_PRICE, 0
    if bid_quantity > 0:
        price = on_grid(bid, tick, BUY)
        if price == NOT_A_PRICE:
            price, done = NO_PRICE, refuse(base, orders.NO_PRICE)
    position.want_bid, position.want_bid_quantity = price, bid_quantity
    price = NO_PRICE
    if ask_quantity > 0:
        price = on_grid(ask, tick, SELL)
        if price == NOT_A_PRICE:
            price, done = NO_PRICE, refuse(base, orders.NO_PRICE)
    position.want_ask, position.want_ask_quantity = price, ask_quantity
    position.want_flags = flags
    _settle(base, instrument, BUY)
    _settle(base, instrument, SELL)
    return done


@jit.compiled()
def settle_after_report(
    base: int, instrument: int, number: int, kind: int, over: bool, refused: int
) -> None:
    """An answer about an order came: if it is a quote's, bring its side to what is wanted.

    `over`: it ended, and not because we asked. `refused`: the price of a replace that was refused.
    """
    position = position_of(execution_base(base), instrument)
    if number == position.quote_bid:
        side, wanted = BUY, position.want_bid
    elif number == position.quote_ask:
        side, wanted = SELL, position.want_ask
    else:
        return
    if over:
        forget(position, side)  # filled, or refused: the strategy speaks next
    elif refused != NO_PRICE and refused == wanted:
        return  # tried again at once, it would be refused again
    elif kind == CANCEL_REJECTED and _is_unknown(base, number):
        return  # the venue does not know it: so it would say again
    _settle(base, instrument, side)


@jit.compiled("void(int64, int64)")
def settle_again(base: int, instrument: int) -> None:
    """The venue takes orders again: what a strategy that runs wants there, and does not stand."""
    if context_at(context_address(base)).stopped == RUNNING:
        _settle(base, instrument, BUY)
        _settle(base, instrument, SELL)


@jit.inlined
def _is_unknown(base: int, number: int) -> bool:
    execution = execution_base(base)
    return order_of(execution, slot_of(execution, number)).state == UNKNOWN


@jit.inlined
def _keep(position: Any, side: int, number: int) -> None:
    if side == BUY:
        position.quote_bid = number
    else:
        position.quote_ask = number


@jit.compiled()
def _settle(base: int, instrument: int, side: int) -> None:
    """Take the one step that brings a side nearer to what is wanted."""
    execution = execution_base(base)
    position = position_of(execution, instrument)
    number = position.quote_bid if side == BUY else position.quote_ask
    price = position.want_bid if side == BUY else position.want_ask
    wanted = position.want_bid_quantity if side == BUY else position.want_ask_quantity
    order = order_of(execution, slot_of(execution, number))
    if order.state == HELD and (price == NO_PRICE or order.flags != position.want_flags):
        take_back(base, number)  # it never left, so it is over at once
    if not is_open(order.state):
        _keep(position, side, 0)
        if price != NO_PRICE and not _waits(base, instrument):
            _begin(base, position, instrument, side, price, wanted)
        return
    if price == NO_PRICE:
        take_back(base, number)  # again is harmless: it is refused while one is under way
        return
    if order.state != LIVE and order.state != PARTLY_FILLED and order.state != HELD:
        return
    if order.flags != position.want_flags:  # no replace changes them: another order comes after it
        take_back(base, number)
        return
    left = order.quantity - order.filled
    if price == order.price:
        if wanted < left:
            change(base, number, float(price), order.filled + wanted)
        return
    possible = min(wanted, left + _room(base, instrument, side))
    if possible <= 0:
        take_back(base, number)
        return
    done = change(base, number, float(price), order.filled + possible)
    if done != 0:  # refused: better none than one in a wrong place
        take_back(base, number)


@jit.inlined
def _waits(base: int, instrument: int) -> bool:
    """A wish, and no refusal: its venue takes no orders, or its book may be wrong."""
    here = risk_base(base)
    is_stale = market_of(base, instrument).stale != 0 and risk_at(here).stale_books == 0
    return is_stale or rule_of(here, instrument).cut_off != 0


@jit.inlined
def _begin(base: int, position: Any, instrument: int, side: int, price: int, wanted: int) -> None:
    possible = min(wanted, _room(base, instrument, side))
    if possible < wanted:
        session_at(base).clipped += 1
    if possible <= 0:
        return
    flags = position.want_flags
    number = place(base, instrument, side, float(price), possible, LIMIT, DAY, flags, 0, 0.0)
    if number > 0:
        execution = execution_base(base)
        _keep(position, side, number)
        order_of(execution, slot_of(execution, number)).role = side


@jit.inlined
def _room(base: int, instrument: int, side: int) -> int:
    strategy = context_at(context_address(base)).strategy
    return room(risk_base(base), strategy, instrument, side)
