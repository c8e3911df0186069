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
from hftlib.engine.guarding import left, may_send, refuse_order, tried, worth_of
from hftlib.engine.holding_back import may_wait, waits
from hftlib.engine.memory import (
    context_address,
    context_at,
    execution_base,
    market_of,
    risk_base,
    session_at,
)
from hftlib.engine.own_orders import (
    CANCEL_BOTH,
    CANCEL_NEWEST,
    DECREMENT,
    VENUE,
    make_way,
    would_meet,
)
from hftlib.execution.memory import order_of, slot_of
from hftlib.execution.parents import has_grown, may_grow
from hftlib.execution.sending import new_order, replaceable, send_replace
from hftlib.risk.memory import risk_at

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
    known = 0 <= instrument < session.instruments
    reason = _ill_formed(base, known, side, quantity, kind, lasts, flags, display)
    where = instrument if known else session.instruments
    market = market_of(base, where)
    limited = kind == orders.LIMIT or kind == orders.STOP_LIMIT
    limit, wake, bound = 0, 0, 1 if limited else 0
    if reason == 0:
        if limited:
            limit = on_grid(price, market.tick, side)
        if kind == orders.STOP or kind == orders.STOP_LIMIT:
            wake = on_grid(trigger, market.tick, side)
        if limit == NOT_A_PRICE or wake == NOT_A_PRICE:
            limit, reason = 0, orders.NO_PRICE
    if reason != 0:
        risk_at(risk_base(base)).level = 0
    else:
        tried(base, instrument)
        worth = worth_of(base, instrument, side, limit, limited)
        reason = may_send(
            base, orders.NEW, instrument, side, limit, bound, worth, quantity, quantity, 0
        )
    wait = reason != 0 and may_wait(base, reason)
    if reason != 0 and not wait:
        return refuse_order(base, reason, 0, where, side, limit, quantity)
    if risk_at(risk_base(base)).self_match != VENUE and not wait:
        quantity = _past_our_own(base, instrument, side, limit, bound, quantity)
        if quantity <= 0:
            return refuse_order(base, orders.OWN_ORDER, 0, where, side, limit, -quantity)
    shows = display if display < quantity else 0
    mid = NO_MID
    if market.bid != NO_MID and market.ask != NO_MID:
        mid = market.bid + market.ask
    here, held = execution_base(base), 1 if wait else 0
    number = new_order(
        here, session.time, instrument, side, kind, lasts, flags,
        limit, quantity, shows, wake, mid, held,
    )  # fmt: skip
    if number <= 0:
        return refuse_order(base, -number, 0, instrument, side, limit, quantity)
    if wait:
        waits(base, instrument)
    else:
        left(base, instrument)
    return number


@jit.compiled()
def _past_our_own(
    base: int, instrument: int, side: int, price: int, limited: int, quantity: int
) -> int:
    """What may still be asked for beside orders of our own; below zero: nothing of this."""
    lots = would_meet(base, instrument, side, price, limited, 0)
    mode = risk_at(risk_base(base)).self_match
    if lots == 0:
        return quantity
    if mode == CANCEL_NEWEST:
        return -quantity
    both = min(lots, quantity) if mode == DECREMENT else 0
    made = make_way(base, instrument, side, price, limited, both)
    return quantity - both if made and mode != CANCEL_BOTH and quantity > both else -quantity


@jit.inlined
def _ill_formed(
    base: int,
    known: bool,
    side: int,
    quantity: int,
    kind: int,
    lasts: int,
    flags: int,
    display: int,
) -> int:
    """Why this is no order at all; 0: it is one."""
    if context_at(context_address(base)).stopped and risk_at(risk_base(base)).closing == 0:
        return orders.STOPPED
    if not known:
        return orders.NO_INSTRUMENT
    sided = side == events.BUY or side == events.SELL
    if not (sided and orders.LIMIT <= kind <= orders.STOP_LIMIT):
        return orders.NO_KIND
    if not (orders.DAY <= lasts <= orders.FOK and 0 <= flags <= orders.POST_ONLY):
        return orders.NO_KIND
    if quantity <= 0 or display < 0 or quantity >= PRICE_MAX:
        return orders.NO_QUANTITY
    return 0


@jit.compiled()
def change(base: int, number: int, price: float, quantity: int) -> int:
    """Another price or quantity for an order, if it may be: 0, or minus the reason."""
    execution = execution_base(base)
    order = order_of(execution, slot_of(execution, number))
    instrument, side = order.instrument, order.side
    limit, reason = 0, 0
    if context_at(context_address(base)).stopped:
        reason = orders.STOPPED
    elif replaceable(order.state) != 0:
        reason = replaceable(order.state)
        if order.state == orders.FREE:
            instrument = session_at(base).instruments
    elif quantity <= order.filled or quantity >= PRICE_MAX:
        reason = orders.NO_QUANTITY
    else:
        limit = on_grid(price, market_of(base, instrument).tick, side)
        if limit == NOT_A_PRICE:
            limit, reason = 0, orders.NO_PRICE
    if reason != 0:
        risk_at(risk_base(base)).level = 0
    else:
        more = quantity - order.quantity
        calmer = 1 if more <= 0 and limit == order.price else 0
        open_after = quantity - order.filled
        tried(base, instrument)
        worth = worth_of(base, instrument, side, limit, True)
        added = max(0, more)
        reason = may_send(
            base, orders.REPLACE, instrument, side, limit, 1, worth, open_after, added, calmer
        )
    watches = risk_at(risk_base(base)).self_match != VENUE
    # A replace that would meet one of our own waits for no other's end.
    if reason == 0 and watches and would_meet(base, instrument, side, limit, 1, number) != 0:
        reason = orders.OWN_ORDER
    if reason == 0:
        reason = may_grow(execution, order, quantity)
    if reason == 0:
        reason = -send_replace(execution, session_at(base).time, number, limit, quantity)
    if reason != 0:
        return refuse_order(base, reason, number, instrument, side, limit, quantity)
    has_grown(execution, order, quantity)
    left(base, instrument)
    return 0
