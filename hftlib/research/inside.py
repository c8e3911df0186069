"""The inside of one instrument's book through an array of events: best prices, trades, lifetimes.

A small follower of order-by-order events for statistics: it keeps each order and the shares at each
price, no queues. Real samples begin in the middle of a day or leave out what happens far from the
best prices, so it repairs what it can prove: an order that is added at or beyond the other side's
best, or executed behind its own side's best, shows that what stood in between is gone.

    events ──▶ orders by reference (open addressing) ──▶ shares by level ──▶ INSIDE, at each change
                                                                        └──▶ trades, lifetimes

Worst case: three words an event for answers and some 100 bytes for each order ever added.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core import events, jit
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.records import record

LEVELS = 1 << 16
DEPTH_LEVELS = 5
_WALKED_MAX = 4096
_SECOND = 10**9

INSIDE = record(
    "inside of a book",
    24,
    """
    0   time  int64  ns since the epoch, from when on
    8   bid   int64  best price bought at, in ticks; 0 none
    16  ask   int64  best price sold at, in ticks; 0 none
    """,
)
TRADE = record(
    "trade seen",
    24,
    """
    0   time      int64  ns since the epoch
    8   sign      int64  1 a buyer took, -1 a seller, 0 unknown
    16  quantity  int64  in lots
    """,
)
_FOLLOWED = record(
    "followed order",
    48,
    """
    0   reference  int64  its number; 0: this place is free
    8   level      int64  in ticks from the first one
    16  quantity   int64  left; 0 when it is gone
    24  side       int64  1 buy, 2 sell
    32  epoch      int64  of its level when it came
    40  time       int64  when it came
    """,
)
_LEVEL = record(
    "followed level",
    16,
    """
    0  quantity  int64  lots there
    8  epoch     int64  how often it was found to be gone
    """,
)
_FOLLOWER = record(
    "follower",
    168,
    """
    0    orders_at     int64     _FOLLOWED, open addressing
    8    orders_mask   int64     places less one
    16   levels_at     int64     _LEVEL, buys then sells
    24   insides_at    int64     INSIDE out
    32   trades_at     int64     TRADE out
    40   lives_at      int64     lifetimes out, ns
    48   insides       int64     written so far
    56   trades        int64     written so far
    64   lives         int64     written so far
    72   first_tick    int64     price of level 0, in ticks
    80   tick          int64     in price units
    88   bid           int64     best level; 0 none
    96   ask           int64     best level; the last one: none
    104  unknown       int64     references never added
    112  repaired      int64     levels found to be gone
    120  outside       int64     orders too far from the middle to be followed
    128  pictures      int64     how often the depth was looked at
    136  next_picture  int64     when it is looked at again
    144  end_picture   int64     when no longer
    152  depth_at      int64     sums of lots at the best levels that hold any
    160  spare         int64     zero
    """,
)

_event_at = jit.record_at(EVENT)
_inside_at = jit.record_at(INSIDE)
_trade_at = jit.record_at(TRADE)
_followed_at = jit.record_at(_FOLLOWED)
_level_at = jit.record_at(_LEVEL)
_follower_at = jit.record_at(_FOLLOWER)
_numbers_at = jit.array_at(np.int64)


@dataclass(frozen=True, slots=True)
class Followed:
    """What one pass through the events of an instrument gives."""

    insides: np.ndarray[Any, Any]
    trades: np.ndarray[Any, Any]
    lives_ns: np.ndarray[Any, Any]
    depth: np.ndarray[Any, Any]
    unknown: int
    repaired: int
    outside: int


def followed(chosen: np.ndarray[Any, Any], tick: int, begin: int, end: int) -> Followed:
    """Follow the events of one instrument; the depth is looked at each second of [begin, end)."""
    adding = (chosen["kind"] == events.ADD) | (chosen["kind"] == events.REPLACE)
    places = 1 << max(4, (2 * int(adding.sum()) + 1).bit_length())
    middle = int(np.median(chosen["price"][adding])) // tick if adding.any() else LEVELS
    orders, levels = np.zeros(places, _FOLLOWED), np.zeros(2 * LEVELS, _LEVEL)
    insides, trades = np.zeros(len(chosen), INSIDE), np.zeros(len(chosen), TRADE)
    lives, depth = np.zeros(len(chosen), np.int64), np.zeros(DEPTH_LEVELS, np.int64)
    state = np.zeros(1, _FOLLOWER)
    state["orders_at"], state["orders_mask"] = orders.ctypes.data, places - 1
    state["levels_at"], state["insides_at"] = levels.ctypes.data, insides.ctypes.data
    state["trades_at"], state["lives_at"] = trades.ctypes.data, lives.ctypes.data
    state["first_tick"], state["tick"] = middle - LEVELS // 2, tick
    state["ask"], state["depth_at"] = LEVELS - 1, depth.ctypes.data
    state["next_picture"], state["end_picture"] = begin + _SECOND, end
    chosen = np.ascontiguousarray(chosen)
    follow(state.ctypes.data, chosen.ctypes.data, len(chosen))
    seen: Any = state[0]
    return Followed(
        insides[: int(seen["insides"])],
        trades[: int(seen["trades"])],
        lives[: int(seen["lives"])],
        depth / max(1, 2 * int(seen["pictures"])),
        int(seen["unknown"]),
        int(seen["repaired"]),
        int(seen["outside"]),
    )


@jit.compiled("void(int64, int64, int64)")
def follow(state_address: int, events_address: int, count: int) -> None:
    state = _follower_at(state_address)
    for number in range(count):
        event = _event_at(events_address + number * EVENT_BYTES)
        while state.next_picture <= event.time and state.next_picture < state.end_picture:
            _look(state)
            state.next_picture += _SECOND
        bid, ask = state.bid, state.ask
        _apply(state, event)
        if state.bid != bid or state.ask != ask:
            inside = _inside_at(state.insides_at + state.insides * 24)
            inside.time = event.time
            inside.bid = state.first_tick + state.bid if state.bid > 0 else 0
            inside.ask = state.first_tick + state.ask if state.ask < LEVELS - 1 else 0
            state.insides += 1


@jit.compiled()
def _apply(state: Any, event: Any) -> None:
    kind = int(event.kind)
    if kind == events.ADD:
        _add(state, event.reference, event.price, event.quantity, int(event.side), event.time)
    elif kind == events.TRADE:
        _trade(state, event.time, 0, event.quantity)
    elif kind in (events.EXECUTE, events.CANCEL, events.DELETE, events.REPLACE):
        order = _find(state, event.reference)
        if order.quantity == 0:
            state.unknown += 1
            return
        side = order.side
        if kind == events.EXECUTE:
            if int(event.flags) & events.NOT_PRINTABLE == 0:
                _trade(state, event.time, 1 if side == events.SELL else -1, event.quantity)
                _gone_before(state, side, order.level)
            _reduce(state, order, event.quantity)
        elif kind == events.CANCEL:
            _reduce(state, order, event.quantity)
        else:
            _numbers_at(state.lives_at, state.lives + 1)[state.lives] = event.time - order.time
            state.lives += 1
            _reduce(state, order, order.quantity)
        if kind == events.REPLACE:
            _add(state, event.other, event.price, event.quantity, side, event.time)


@jit.compiled()
def _trade(state: Any, time: int, sign: int, quantity: int) -> None:
    trade = _trade_at(state.trades_at + state.trades * 24)
    trade.time, trade.sign, trade.quantity = time, sign, quantity
    state.trades += 1


@jit.compiled()
def _find(state: Any, reference: int) -> Any:
    """The order's place, or the free one it would take."""
    # Fibonacci hashing in 31 bits, so that nothing wraps in plain Python either.
    place = ((reference & 0x7FFFFFFF) * 1_327_217_885 >> 8) & state.orders_mask
    order = _followed_at(state.orders_at + place * 48)
    while order.reference not in (0, reference):
        place = (place + 1) & state.orders_mask
        order = _followed_at(state.orders_at + place * 48)
    return order


@jit.compiled()
def _add(state: Any, reference: int, price: int, quantity: int, side: int, time: int) -> None:
    level = price // state.tick - state.first_tick
    if level <= 0 or level >= LEVELS - 1 or reference == 0:
        state.outside += 1
        return
    if side == events.BUY:
        _gone_before(state, events.SELL, level + 1)
        state.bid = max(state.bid, level)
    else:
        _gone_before(state, events.BUY, level - 1)
        state.ask = min(state.ask, level)
    order, place = _find(state, reference), _level(state, side, level)
    order.reference, order.level, order.quantity = reference, level, quantity
    order.side, order.epoch, order.time = side, place.epoch, time
    place.quantity += quantity


@jit.compiled()
def _level(state: Any, side: int, level: int) -> Any:
    return _level_at(state.levels_at + ((side - 1) * LEVELS + level) * 16)


@jit.compiled()
def _gone_before(state: Any, side: int, level: int) -> None:
    """What this side still shows better than `level` is no longer there."""
    best = state.bid if side == events.BUY else state.ask
    while 0 < best < LEVELS - 1 and (best > level if side == events.BUY else best < level):
        place = _level(state, side, best)
        place.quantity = 0
        place.epoch += 1
        state.repaired += 1
        _find_best(state)
        best = state.bid if side == events.BUY else state.ask


@jit.compiled()
def _reduce(state: Any, order: Any, quantity: int) -> None:
    less = min(quantity, order.quantity)
    order.quantity -= less
    place = _level(state, order.side, order.level)
    if place.epoch == order.epoch:
        place.quantity -= less
        _find_best(state)


@jit.compiled()
def _find_best(state: Any) -> None:
    while state.bid > 0 and _level(state, events.BUY, state.bid).quantity <= 0:
        state.bid -= 1
    while state.ask < LEVELS - 1 and _level(state, events.SELL, state.ask).quantity <= 0:
        state.ask += 1


@jit.compiled()
def _look(state: Any) -> None:
    """Add what stands at the best levels of both sides to the sums of depth."""
    sums = _numbers_at(state.depth_at, DEPTH_LEVELS)
    state.pictures += 1
    for side in (events.BUY, events.SELL):
        best = state.bid if side == events.BUY else state.ask
        step = -1 if side == events.BUY else 1
        found = 0
        for walked in range(_WALKED_MAX):
            level = best + step * walked
            if found == DEPTH_LEVELS or level <= 0 or level >= LEVELS - 1:
                break
            quantity = _level(state, side, level).quantity
            if quantity > 0:
                sums[found] += quantity
                found += 1
