"""What is learnt of each venue of a symbol, for routes: how far, how fast, how much is hidden.

    latency  from sending to the venue's acceptance, a mean of the last eight or so
    life     how long a best price stands, likewise, for each side
    hidden   of what printed, how much was not shown where it printed just before
    down     a venue that rejects, is silent, stale or shut is left out, for longer each time

Learnt only of symbols that trade at several venues, while the strategy hears of books or trades or
a parent order runs. Where a feed tells of a level before the trade that took it, the trade seems
hidden: there more is expected than is there, and the sweep finds less and goes on elsewhere.

Worst case: nothing known yet counts as: sent to at once, standing for ever, nothing hidden.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.reading import NO_PRICE
from hftlib.core import events, jit, orders
from hftlib.core.parents import LEGS_MAX
from hftlib.engine.children import MS
from hftlib.engine.memory import TRADE_AT, execution_base, market_of, session_at, trade_at
from hftlib.engine.working import may_trade, takes_orders
from hftlib.execution.parents import place_of

LATE_SHIFT = 3
DOWN_NS, DOWN_DOUBLINGS = 100 * MS, 7


@jit.compiled()
def watch(base: int, instrument: int) -> None:
    """A book was shown: note how long its best prices stood."""
    place = place_of(execution_base(base), instrument)
    market, time = market_of(base, instrument), session_at(base).time
    if place.watched == 0:
        place.watched = time
        place.bid, place.ask = market.bid, market.ask
        place.bid_since, place.ask_since = time, time
    if market.bid != place.bid:
        if place.bid != NO_PRICE:
            place.bid_life = _mean(place.bid_life, max(1, time - place.bid_since), 0)
        place.bid, place.bid_since = market.bid, time
    if market.ask != place.ask:
        if place.ask != NO_PRICE:
            place.ask_life = _mean(place.ask_life, max(1, time - place.ask_since), 0)
        place.ask, place.ask_since = market.ask, time


@jit.inlined
def _mean(mean: int, sample: int, unknown: int) -> int:
    return sample if mean == unknown else mean + ((sample - mean) >> LATE_SHIFT)


@jit.compiled()
def printed(base: int, instrument: int, kind: int) -> None:
    """A trade printed; what the strategy reads of the book is still as it was before."""
    place = place_of(execution_base(base), instrument)
    market, trade = market_of(base, instrument), trade_at(base + TRADE_AT)
    if kind == events.CROSS:
        return
    place.printed += trade.quantity
    if kind != events.TRADE:  # an order that showed
        return
    if market.bid == NO_PRICE or market.ask == NO_PRICE:
        return
    if trade.price == market.ask:
        place.hidden += max(0, trade.quantity - market.ask_quantity)
    elif trade.price == market.bid:
        place.hidden += max(0, trade.quantity - market.bid_quantity)
    elif market.bid < trade.price < market.ask:
        place.hidden += trade.quantity


@jit.compiled()
def answered(base: int, order: Any, kind: int, reason: int) -> None:
    """A venue said something of an order of ours."""
    place = place_of(execution_base(base), order.instrument)
    time = session_at(base).time
    place.answered = time
    if kind == orders.ACCEPTED:
        place.downs = 0
        place.latency = _mean(place.latency, max(0, order.venue_accepted - order.sent), -1)
    elif kind == orders.REJECTED and order.parent != 0 and not _is_ours(reason):
        place.rejected += 1
        out_of_order(place, time)


@jit.inlined
def _is_ours(reason: int) -> bool:
    """Whether a reject is no fault of the venue's."""
    missed = reason == orders.NOTHING_THERE or reason == orders.NOT_WHOLE
    return missed or reason == orders.WOULD_TAKE or reason == orders.SELF_MATCH


@jit.inlined
def out_of_order(place: Any, time: int) -> None:
    """Leave a venue out for a while, longer each time."""
    place.down_until = time + (DOWN_NS << min(place.downs, DOWN_DOUBLINGS))
    place.downs += 1


@jit.inlined
def is_usable(base: int, instrument: int, time: int) -> bool:
    place = place_of(execution_base(base), instrument)
    return time >= place.down_until and may_trade(base, instrument)


@jit.compiled()
def nobody_takes_orders(base: int, instrument: int) -> bool:
    """Whether no venue of its symbol takes orders now, which is no reason to give up."""
    execution, venue = execution_base(base), instrument
    for _ in range(LEGS_MAX):
        if takes_orders(base, venue):
            return False
        venue = place_of(execution, venue).peer
        if venue == instrument:
            break
    return True
