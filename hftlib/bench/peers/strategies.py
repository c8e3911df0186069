# mypy: ignore-errors
"""The two strategies of the comparison, written for hftbacktest as its own examples are.

`watch` lets the time pass and reads the touch at each look. `quote` is a grid market maker, in
integers throughout, so that another engine can do the same to the last order. One look, every
`step_ns` of local time, the first one `step_ns` after the feed's first row:

    1  see what became of our orders (fills, ends), slot by slot
    2  a side of the book is empty: leave all as it is until the next look
    3  lean = position // order_lots * skew_ticks          (in lots; // rounds down)
       bid  = min((bid + ask - spread_ticks) >> 1 minus lean, bid)
       ask  = max((bid + ask + spread_ticks + 1) >> 1 minus lean, ask)
       wanted: `levels` prices from there outwards, `gap_ticks` apart; no bids while position >=
       position_max_lots, no asks while position <= -position_max_lots
    4  slot by slot: cancel what is acknowledged, not wanted at its price, and not cancelled before
    5  bids from the inside out, then asks: send a post-only order where none of ours is known to
       stand or to be under way (one that is being cancelled still counts)

An order takes the first free slot; its number counts up from 1 and is used once. The position is
what we have heard of: fills count once their response is here.

Worst case: SLOTS orders at once; a look that finds no free slot sends no more.
"""

from __future__ import annotations

import numpy as np
from hftbacktest import BUY, CANCELED, EXPIRED, FILLED, GTX, LIMIT, NEW, NONE, SELL
from hftbacktest.binding import numba  # the peer's own: hftlib's door leads to another one
from hftbacktest.order import PARTIALLY_FILLED

SLOTS = 64
# Rules of `quote`, in this order, as an array of int64.
RULES = (
    "step_ns",
    "response_ns",
    "one_by_one",
    "levels",
    "spread_ticks",
    "gap_ticks",
    "order_lots",
    "skew_ticks",
    "position_max_lots",
)
STEP, RESPONSE, ONE_BY_ONE, LEVELS, SPREAD, GAP, CLIP, SKEW, POSITION_MAX = range(9)
# Columns of a fill, and of a slot.
FILL_FIELDS = ("order", "side", "price_ticks", "quantity_lots", "exchange_ns", "local_ns")
ORDER, SIDE, TICK, LEFT, CANCEL_SENT = range(5)
# What is counted.
COUNTS = (
    "looks",
    "sent",
    "cancels",
    "fills",
    "refused post-only",
    "position_lots",
    "no slot",
    "end",
)
LOOKS, SENT, CANCELS, FILLS, REFUSED, POSITION, NO_SLOT, END = range(8)
DATA_ENDS = 1  # as hftbacktest answers; beyond 1 are its errors


@numba.njit
def watch(hbt, step_ns, counts):
    """Nothing but the books, and a glance at the touch."""
    total = 0
    while True:
        counts[END] = hbt.elapse(step_ns)
        if counts[END] != 0:
            return total
        depth = hbt.depth(0)
        total += depth.best_bid_tick + depth.best_ask_tick
        counts[LOOKS] += 1


@numba.njit
def quote(hbt, rules, lot_size, fills, counts):
    """Quote until the data ends."""
    slots = np.zeros((SLOTS, 5), np.int64)
    used = 0  # slots beyond were never taken
    while True:
        more = _step(hbt, rules, lot_size, slots, used, fills, counts)
        _hear(hbt, rules, lot_size, slots, used, fills, counts)
        if not more:
            return
        counts[LOOKS] += 1
        hbt.clear_inactive_orders(0)
        depth = hbt.depth(0)
        bid, ask = depth.best_bid_tick, depth.best_ask_tick
        if bid < 0 or ask > 1 << 40:
            continue
        lean = counts[POSITION] // rules[CLIP] * rules[SKEW]
        want_bid = min(((bid + ask - rules[SPREAD]) >> 1) - lean, bid)
        want_ask = max(((bid + ask + rules[SPREAD] + 1) >> 1) - lean, ask)
        bids = rules[LEVELS] if counts[POSITION] < rules[POSITION_MAX] else 0
        asks = rules[LEVELS] if counts[POSITION] > -rules[POSITION_MAX] else 0
        for slot in range(used):
            if slots[slot, ORDER] and not slots[slot, CANCEL_SENT]:
                if slots[slot, SIDE] == BUY:
                    wanted = _is_on(want_bid - slots[slot, TICK], rules[GAP], bids)
                else:
                    wanted = _is_on(slots[slot, TICK] - want_ask, rules[GAP], asks)
                if not wanted:
                    _cancel(hbt, slots, slot, counts)
        for level in range(bids):
            tick = want_bid - level * rules[GAP]
            used = _send(hbt, rules, lot_size, slots, used, BUY, tick, counts)
        for level in range(asks):
            tick = want_ask + level * rules[GAP]
            used = _send(hbt, rules, lot_size, slots, used, SELL, tick, counts)


@numba.njit
def _step(hbt, rules, lot_size, slots, used, fills, counts):
    """To the next look; one event at a time if each partial fill shall be seen by itself."""
    # Before the first look there is no time yet, and nothing of ours to see.
    if not rules[ONE_BY_ONE] or counts[LOOKS] == 0:
        counts[END] = hbt.elapse(rules[STEP])
        return counts[END] == 0
    end = hbt.current_timestamp + rules[STEP]
    while True:
        code = hbt.wait_next_feed(True, end - hbt.current_timestamp)
        if code == 3:
            _hear(hbt, rules, lot_size, slots, used, fills, counts)
        elif code != 2:
            counts[END] = code
            return code == 0


@numba.njit
def _hear(hbt, rules, lot_size, slots, used, fills, counts):
    """What became of our orders: a fill is what their open quantity lost since we last looked."""
    orders = hbt.orders(0)
    for slot in range(used):
        if slots[slot, ORDER] == 0:
            continue
        order = orders.get(np.uint64(slots[slot, ORDER]))
        if order is None:
            continue
        left = round(order.leaves_qty / lot_size)
        if left < slots[slot, LEFT]:
            quantity = slots[slot, LEFT] - left
            slots[slot, LEFT] = left
            counts[POSITION] += quantity if slots[slot, SIDE] == BUY else -quantity
            row = fills[counts[FILLS]]
            row[0], row[1] = slots[slot, ORDER], slots[slot, SIDE]
            row[2], row[3] = order.exec_price_tick, quantity
            row[4] = order.exch_timestamp
            row[5] = order.exch_timestamp + rules[RESPONSE]
            counts[FILLS] += 1
        status = order.status
        if status in (FILLED, CANCELED, EXPIRED):
            counts[REFUSED] += status == EXPIRED
            slots[slot, ORDER] = 0


@numba.njit
def _is_on(distance, gap, levels):
    return distance >= 0 and distance % gap == 0 and distance // gap < levels


@numba.njit
def _cancel(hbt, slots, slot, counts):
    order = hbt.orders(0).get(np.uint64(slots[slot, ORDER]))
    if order is None:
        return
    if (order.status == NEW or order.status == PARTIALLY_FILLED) and order.req == NONE:
        hbt.cancel(0, np.uint64(slots[slot, ORDER]), False)
        slots[slot, CANCEL_SENT] = 1
        counts[CANCELS] += 1


@numba.njit
def _send(hbt, rules, lot_size, slots, used, side, tick, counts):
    """An order at `tick`, unless one of ours is there. The number of slots ever taken."""
    free = -1
    for slot in range(used):
        if slots[slot, ORDER] == 0:
            if free < 0:
                free = slot
        elif slots[slot, SIDE] == side and slots[slot, TICK] == tick:
            return used
    if free < 0:
        if used == SLOTS:
            counts[NO_SLOT] += 1
            return used
        free = used
        used += 1
    counts[SENT] += 1
    number = counts[SENT]
    row = slots[free]
    row[ORDER], row[SIDE], row[TICK] = number, side, tick
    row[LEFT], row[CANCEL_SENT] = rules[CLIP], 0
    price, quantity = tick * hbt.depth(0).tick_size, rules[CLIP] * lot_size
    if side == BUY:
        hbt.submit_buy_order(0, np.uint64(number), price, quantity, GTX, LIMIT, False)
    else:
        hbt.submit_sell_order(0, np.uint64(number), price, quantity, GTX, LIMIT, False)
    return used
