"""Routes: parent orders over all venues of a symbol. A plan, its children, and what came of them.

    SWEEP  takes what is cheapest, fees counted: one order for the moment at each venue, the
           farthest first and each nearer one so much later that all arrive together; what was
           missed, rejected or not there is planned anew at the others
    SPLIT  stands at every venue, in proportion to what prints there per lot that stands before us
    POST   stands at the one venue where standing is worth most: what it saves, rebates counted,
           times how likely it is filled

Orders that stand move with their own venue's best price, not sooner than `gap`. A venue that
rejects, is silent, stale or shut is left out, its orders are taken back, and once their end is
known their lots go elsewhere. With FINISH, SPLIT and POST become a SWEEP `patience` before the end.

A SWEEP without a duration is over when nothing is left to take, or waits where no venue takes
orders yet. The arithmetic, and why the plan is
the cheapest, is in `hftlib.execution.routing`. Worst case: LEGS_MAX venues are looked at.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.reading import NO_PRICE
from hftlib.core import jit, orders
from hftlib.core.events import BUY
from hftlib.core.orders import DAY, IOC
from hftlib.core.parents import ENDING, FOREVER, LEGS_MAX, SPLIT, SWEEP
from hftlib.engine.children import (
    MS,
    free_leg,
    move_child,
    planned,
    recall,
    send_child,
)
from hftlib.engine.memory import execution_base, market_of, session_at
from hftlib.engine.offers import note_tried, offers_to_stand, offers_to_take
from hftlib.engine.places import is_usable, nobody_takes_orders, out_of_order
from hftlib.engine.taking_back import take_back
from hftlib.engine.working import is_late, within
from hftlib.execution.parents import (
    child_of,
    is_over,
    is_unanswered,
    leg_of,
    offers_address,
    parent_of,
    place_of,
    working,
)
from hftlib.execution.routing import (
    is_cheaper,
    offer_of,
    split,
    take_cheapest,
    worth_standing,
)

SILENT_NS, SILENT_LATENCIES = 100 * MS, 8
APART_MAX_NS = 100 * MS  # no order waits longer than this for a slower one


@jit.compiled()
def route(base: int, slot: int) -> None:
    """Bring the children of a running route to what it wants now."""
    parent = parent_of(execution_base(base), slot)
    time = session_at(base).time
    finishing = is_late(parent, time)
    _look_after(base, slot, time)
    if parent.algo == SWEEP or finishing:
        if parent.algo != SWEEP:
            recall(base, slot, True)
        _send_planned(base, slot, time)
        _sweep(base, slot, time)
    else:
        _move(base, slot, time)
        _stand(base, slot, time)
    _look_after(base, slot, time)  # and of what was sent just now, when to look again


@jit.compiled()
def _look_after(base: int, slot: int, time: int) -> None:
    """A venue that says nothing is down; what stands at one that is down is taken back."""
    execution = execution_base(base)
    parent = parent_of(execution, slot)
    for number in range(LEGS_MAX):
        order = child_of(execution, slot, number)
        if is_over(order):
            continue
        place = place_of(execution, order.instrument)
        patience = max(SILENT_NS, SILENT_LATENCIES * place.latency)
        silent = is_unanswered(order)
        if silent and time - order.sent < patience:
            parent.next = min(parent.next, order.sent + patience)
        elif silent or (order.lasts == DAY and not is_usable(base, order.instrument, time)):
            if silent and time >= place.down_until:
                out_of_order(place, time)
            if time >= parent.retry:
                take_back(base, order.id)


# Taking.


@jit.compiled()
def _send_planned(base: int, slot: int, time: int) -> None:
    """What was planned and is due now leaves; what cannot any more is planned anew."""
    execution = execution_base(base)
    parent = parent_of(execution, slot)
    for number in range(LEGS_MAX):
        leg = leg_of(execution, slot, number)
        lots = leg.quantity
        if lots == 0:
            continue
        if leg.due > time:
            parent.next = min(parent.next, leg.due)
            continue
        leg.quantity = 0
        row, price, sent = leg.instrument, float(leg.price), 0
        if is_usable(base, row, time):
            sent = send_child(base, slot, number, row, price, lots, IOC, 0, 0)
        if sent <= 0:  # so it was not tried
            note_tried(base, parent.side, row, -lots, time)


@jit.compiled()
def _sweep(base: int, slot: int, time: int) -> None:
    """Plan what is left: the cheapest of all that is shown, each venue's part as one order."""
    execution = execution_base(base)
    parent = parent_of(execution, slot)
    under_way = working(execution, slot) + planned(base, slot)
    left = parent.quantity - parent.filled - under_way
    if left <= 0:
        return
    if time < parent.retry:
        parent.next = min(parent.next, parent.retry)
        return
    rows = offers_address(execution)
    count = offers_to_take(base, parent, rows, time)
    if take_cheapest(rows, count, left) == 0:
        waits = nobody_takes_orders(base, parent.instrument)
        if parent.end == FOREVER and under_way == 0 and not waits:
            parent.state, parent.reason, parent.next = ENDING, orders.NOTHING_THERE, time
        return
    slowest = 0
    for n in range(count):
        offer = offer_of(rows, n)
        if offer.take > 0:
            slowest = max(slowest, offer.latency)
    first = 0
    while first < count:
        first = _plan_venue(base, slot, rows, first, count, time, slowest)
    _send_planned(base, slot, time)


@jit.compiled()
def _plan_venue(
    base: int, slot: int, rows: int, first: int, count: int, time: int, slowest: int
) -> int:
    """One venue's levels become one order, at the worst of their prices: where the next begins."""
    execution = execution_base(base)
    parent = parent_of(execution, slot)
    instrument, latency = offer_of(rows, first).instrument, offer_of(rows, first).latency
    lots, price, n = 0, 0, first
    while n < count and offer_of(rows, n).instrument == instrument:
        offer = offer_of(rows, n)
        if offer.take > 0:
            lots += offer.take
            price = offer.price
        n += 1
    number = free_leg(base, slot)
    if lots > 0 and number >= 0:
        leg = leg_of(execution, slot, number)
        leg.order, leg.instrument, leg.price, leg.quantity = 0, instrument, price, lots
        wait = min(slowest - latency, APART_MAX_NS) if latency >= 0 else 0
        leg.due, leg.takes = time + wait, 1
        note_tried(base, parent.side, instrument, lots, time)
    return n


# Standing.


@jit.compiled()
def _move(base: int, slot: int, time: int) -> None:
    """Orders that stand go with their venue's best price."""
    execution = execution_base(base)
    parent = parent_of(execution, slot)
    moved = False
    for number in range(LEGS_MAX):
        if leg_of(execution, slot, number).takes == 0:
            order = child_of(execution, slot, number)
            market = market_of(base, order.instrument)
            near = market.bid if parent.side == BUY else market.ask
            if not is_over(order) and near != NO_PRICE:
                price = within(near, parent.limit, parent.side)
                moved = move_child(base, slot, number, price) or moved
    if moved:
        parent.moved = time


@jit.compiled()
def _stand(base: int, slot: int, time: int) -> None:
    """Lots that stand nowhere are posted: at all venues, or at the best one."""
    execution = execution_base(base)
    parent = parent_of(execution, slot)
    left = parent.quantity - parent.filled - working(execution, slot)
    if left <= 0:
        return
    if time < parent.retry:
        parent.next = min(parent.next, parent.retry)
        return
    rows = offers_address(execution)
    if parent.algo == SPLIT:
        count = offers_to_stand(base, parent, rows, time)
        split(rows, count, left, parent.clip)
    else:
        count = _choose_one(base, parent, rows, left, time)
    for n in range(count):
        offer = offer_of(rows, n)
        number = free_leg(base, slot)
        if offer.take > 0 and number >= 0:
            lots, price = offer.take, float(offer.price)
            send_child(base, slot, number, offer.instrument, price, lots, DAY, 0, 0)


@jit.compiled()
def _choose_one(base: int, parent: Any, rows: int, lots: int, time: int) -> int:
    """All of it where standing is worth most; where nobody can be taken from, where most prints."""
    cost, rest, cheapest = 0, 0, -1
    for n in range(offers_to_take(base, parent, rows, time)):
        if cheapest < 0 or is_cheaper(offer_of(rows, n), offer_of(rows, cheapest)):
            cheapest = n
    if cheapest >= 0:
        cost, rest = offer_of(rows, cheapest).cost, offer_of(rows, cheapest).rest
    count = offers_to_stand(base, parent, rows, time)
    best, most = -1, 0.0
    for n in range(count):
        offer = offer_of(rows, n)
        offer.take = 0
        worth = float(offer.weight)
        if cheapest >= 0:
            worth = worth_standing(offer, cost, rest)
        if best < 0 or worth > most:
            best, most = n, worth
    if best >= 0:
        offer_of(rows, best).take = lots
    return count
