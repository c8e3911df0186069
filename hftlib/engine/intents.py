"""From what a strategy asks for to what is sent: prices onto the grid, risk, then execution.

Every order of ours passes `place` or `change`, whoever wants it: a strategy's own call, a quote, a
stop of everything. A price that lies between two ticks becomes the one that asks for less: lower
for a buy, higher for a sell. Prices come as floats, which hold every whole number up to 2**53.

Worst case: NaN, infinity, a wrong side or kind are refused and counted, each by its reason.
"""

from __future__ import annotations

import math

from hftlib.book.reading import NO_PRICE as NO_MID
from hftlib.core import events, jit, orders
from hftlib.engine.memory import (
    context_address,
    context_at,
    execution_base,
    limits_of,
    market_of,
    refuse,
    session_at,
)
from hftlib.execution.memory import order_of, position_of, slot_of
from hftlib.execution.sending import send_cancel, send_new, send_replace
from hftlib.risk.limits import checked, in_time

PRICE_MAX = 2**53
NOT_A_PRICE = -(2**62)
# Sums of floats may end a hair below the tick they mean.
HAIR = 1e-6


@jit.inlined
def on_grid(price: float, tick: int, side: int) -> int:
    """The tick that a price means; NOT_A_PRICE for what is none."""
    if not -PRICE_MAX < price < PRICE_MAX:  # NaN compares false as well
        return NOT_A_PRICE
    ticks = price / tick
    return int(math.floor(ticks + HAIR) if side == events.BUY else math.ceil(ticks - HAIR)) * tick


@jit.compiled()
def place(
    base: int,
    instrument: int,
    side: int,
    price: float,
    quantity: int,
    kind: int,
    lasts: int,
    flags: int,
    display: int,
    trigger: float,
) -> int:
    """A new order, if it may be: its number, or minus the reason."""
    session = session_at(base)
    if context_at(context_address(base)).stopped:
        return refuse(base, orders.STOPPED)
    if not 0 <= instrument < session.instruments:
        return refuse(base, orders.NO_INSTRUMENT)
    sided = side == events.BUY or side == events.SELL
    if not (sided and orders.LIMIT <= kind <= orders.STOP_LIMIT):
        return refuse(base, orders.NO_KIND)
    if not (orders.DAY <= lasts <= orders.FOK and 0 <= flags <= orders.POST_ONLY):
        return refuse(base, orders.NO_KIND)
    if quantity <= 0 or display < 0 or quantity >= PRICE_MAX:
        return refuse(base, orders.NO_QUANTITY)
    market = market_of(base, instrument)
    limit, wake = 0, 0
    if kind == orders.LIMIT or kind == orders.STOP_LIMIT:
        limit = on_grid(price, market.tick, side)
    if kind == orders.STOP or kind == orders.STOP_LIMIT:
        wake = on_grid(trigger, market.tick, side)
    if limit == NOT_A_PRICE or wake == NOT_A_PRICE:
        return refuse(base, orders.NO_PRICE)
    reason = _allowed(base, instrument, side, quantity, limit, kind)
    if reason != 0:
        return refuse(base, reason)
    twice = NO_MID
    if market.bid != NO_MID and market.ask != NO_MID:
        twice = market.bid + market.ask
    execution = execution_base(base)
    number = send_new(
        execution,
        session.time,
        instrument,
        side,
        kind,
        lasts,
        flags,
        limit,
        quantity,
        display if display < quantity else 0,
        wake,
        twice,
    )
    return number if number > 0 else refuse(base, -number)


@jit.inlined
def _allowed(base: int, instrument: int, side: int, quantity: int, limit: int, kind: int) -> int:
    """0, or the reason why not. An order without a limit is valued at the other side's best."""
    limits = limits_of(base, instrument)
    market = market_of(base, instrument)
    value_price = limit
    if kind == orders.MARKET or kind == orders.STOP:
        best = market.ask if side == events.BUY else market.bid
        value_price = best if best != NO_MID else market.last
    elif side == events.SELL:  # it may trade far above its limit
        value_price = max(abs(limit), market.bid, market.last)
    position = position_of(execution_base(base), instrument)
    reason = checked(limits, position, side, quantity, value_price, quantity)
    return reason if reason != 0 else in_time(limits, session_at(base).time)


@jit.compiled()
def take_back(base: int, number: int) -> int:
    """Cancel an order: 0, or minus the reason. Never refused by a limit: it lowers the risk."""
    return send_cancel(execution_base(base), session_at(base).time, number)


@jit.compiled()
def take_back_all(base: int, instrument: int) -> int:
    """Cancel every open order of an instrument, or of all (-1): how many were asked for."""
    session = session_at(base)
    if instrument >= 0:
        return _take_back_of(base, instrument) if instrument < session.instruments else 0
    asked = 0
    for one in range(session.instruments):
        asked += _take_back_of(base, one)
    return asked


@jit.compiled()
def _take_back_of(base: int, instrument: int) -> int:
    execution = execution_base(base)
    slot = position_of(execution, instrument).first_open
    asked = 0
    while slot != 0:
        order = order_of(execution, slot)
        if send_cancel(execution, session_at(base).time, order.id) == 0:
            asked += 1
        slot = order.next
    return asked


@jit.compiled()
def change(base: int, number: int, price: float, quantity: int) -> int:
    """Another price or quantity for an order, if it may be: 0, or minus the reason."""
    if context_at(context_address(base)).stopped:
        return refuse(base, orders.STOPPED)
    execution = execution_base(base)
    order = order_of(execution, slot_of(execution, number))
    if order.state == orders.FREE or order.state == orders.DONE:
        return refuse(base, orders.NO_ORDER)
    if order.pending != 0:
        return refuse(base, orders.BUSY)
    if quantity <= order.filled or quantity >= PRICE_MAX:
        return refuse(base, orders.NO_QUANTITY)
    limit = on_grid(price, market_of(base, order.instrument).tick, order.side)
    if limit == NOT_A_PRICE:
        return refuse(base, orders.NO_PRICE)
    limits = limits_of(base, order.instrument)
    position = position_of(execution, order.instrument)
    more = quantity - order.quantity
    if more > 0 or limit != order.price:
        position.open_orders -= 1  # it is one of them already
        value_price = limit
        if order.side == events.SELL:
            seen = market_of(base, order.instrument)
            value_price = max(abs(limit), seen.bid, seen.last)
        left = quantity - order.filled
        reason = checked(limits, position, order.side, left, value_price, max(0, more))
        position.open_orders += 1
        if reason == 0:
            reason = in_time(limits, session_at(base).time)
        if reason != 0:
            return refuse(base, reason)
    done = send_replace(execution, session_at(base).time, number, limit, quantity)
    return done if done == 0 else refuse(base, -done)
