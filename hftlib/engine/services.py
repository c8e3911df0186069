"""The services: what a strategy's machine code may ask of the engine, each a C function.

Their addresses stand in the context, in the order of `hftlib.strategy.abi.SERVICES`. Each finds
the session from the context's address. An instrument out of range is refused or answers as an
empty book would, whatever the caller has checked: a wrong number must never reach memory.

Worst case: `cancel_all` and the reads of depth walk; all else is a few nanoseconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.book import reading
from hftlib.core import events, jit, orders
from hftlib.engine import intents, parents, quoting, steering, taking_back
from hftlib.engine.alarms import earliest
from hftlib.engine.laps import RISK, STRATEGY, lap
from hftlib.engine.memory import (
    FOREVER,
    RUNNING,
    STOPPED_ITSELF,
    TIMER_MIN_NS,
    TIMERS_AT,
    TIMERS_MAX,
    books_base,
    context_at,
    execution_base,
    refuse,
    session_at,
    session_of,
    timer_at,
)
from hftlib.execution.memory import is_open, order_of, slot_of
from hftlib.strategy.abi import SERVICES, SERVICES_MAX

_NAN = float("nan")
_TIMER_BYTES = 16


def _signature(name: str) -> str:
    result, arguments = SERVICES[name]
    return f"{result}(int64, {arguments})"


@jit.inlined
def _asked(context: int) -> int:
    """Whose session this is; what went on until now was the strategy's own time."""
    base = session_of(context)
    lap(base, STRATEGY)
    return base


@jit.inlined
def _done(base: int, found: int) -> int:
    lap(base, RISK)
    return found


@jit.callback(_signature("submit"))
def submit(
    context: int,
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
    base = _asked(context)
    number = intents.place(
        base, instrument, side, price, quantity, kind, lasts, flags, display, trigger
    )
    return _done(base, number)


@jit.callback(_signature("cancel"))
def cancel(context: int, order: int) -> int:
    base = _asked(context)
    taking_back.forget_order(base, order)
    steering.forget_child(base, order)
    return _done(base, taking_back.take_back(base, order))


@jit.callback(_signature("cancel_all"))
def cancel_all(context: int, instrument: int) -> int:
    base = _asked(context)
    taking_back.forget_all(base, instrument)
    steering.forget_children(base, instrument)
    return _done(base, taking_back.take_back_all(base, instrument))


@jit.callback(_signature("replace"))
def replace(context: int, order: int, price: float, quantity: int) -> int:
    base = _asked(context)
    return _done(base, intents.change(base, order, price, quantity))


@jit.callback(_signature("quote"))
def quote(
    context: int,
    instrument: int,
    bid: float,
    ask: float,
    bid_quantity: int,
    ask_quantity: int,
    flags: int,
) -> int:
    base = _asked(context)
    done = quoting.quote(base, instrument, bid, ask, bid_quantity, ask_quantity, flags)
    return _done(base, done)


@jit.callback(_signature("timer"))
def timer(context: int, delay: int, number: int) -> int:
    """Set the timer of this number, which takes the place of an earlier one of the same."""
    base = session_of(context)
    session = session_at(base)
    place, free = -1, -1
    for n in range(session.timers_used):
        one = timer_at(base + TIMERS_AT + n * _TIMER_BYTES)
        if one.due == FOREVER:
            free = n if free < 0 else free
        elif one.number == number:
            place = n
    if place < 0 and free < 0:
        if session.timers_used == TIMERS_MAX:
            return refuse(base, orders.NO_ROOM)
        free = session.timers_used
        session.timers_used += 1
    place = free if place < 0 else place
    one = timer_at(base + TIMERS_AT + place * _TIMER_BYTES)
    one.due = session.time + min(max(delay, TIMER_MIN_NS), FOREVER - 1 - session.time)
    one.number = number
    session.next_timer = earliest(base)
    return 0


@jit.callback(_signature("stop"))
def stop(context: int, number: int) -> int:
    here = context_at(context)
    if here.stopped == RUNNING:
        session_at(session_of(context)).stop_number = number
        here.stopped = STOPPED_ITSELF
    return 0


@jit.inlined
def _is_one(context: int, instrument: int, side: int) -> bool:
    known = 0 <= instrument < session_at(session_of(context)).instruments
    return known and (side == events.BUY or side == events.SELL)


@jit.callback(_signature("price_at"))
def price_at(context: int, instrument: int, side: int, level: int) -> int:
    if not _is_one(context, instrument, side) or level < 0:
        return reading.NO_PRICE
    books = books_base(session_of(context))
    number = reading.nth_level(books, instrument, side, level)
    return reading.level_price(books, side, number) if number != 0 else reading.NO_PRICE


@jit.callback(_signature("quantity_at"))
def quantity_at(context: int, instrument: int, side: int, level: int) -> int:
    if not _is_one(context, instrument, side) or level < 0:
        return 0
    books = books_base(session_of(context))
    number = reading.nth_level(books, instrument, side, level)
    return reading.level_quantity(books, number) if number != 0 else 0


@jit.callback(_signature("quantity_to"))
def quantity_to(context: int, instrument: int, side: int, levels: int) -> int:
    if not _is_one(context, instrument, side):
        return 0
    return reading.quantity_to(books_base(session_of(context)), instrument, side, levels)


@jit.callback(_signature("quantity_within"))
def quantity_within(context: int, instrument: int, side: int, price: int) -> int:
    if not _is_one(context, instrument, side):
        return 0
    return reading.quantity_within(books_base(session_of(context)), instrument, side, price)


@jit.callback(_signature("imbalance_to"))
def imbalance_to(context: int, instrument: int, levels: int) -> float:
    if not _is_one(context, instrument, events.BUY):
        return 0.0
    return reading.imbalance(books_base(session_of(context)), instrument, levels)


@jit.callback(_signature("sweep_price"))
def sweep_price(context: int, instrument: int, side: int, quantity: int) -> float:
    if not _is_one(context, instrument, side):
        return _NAN
    return reading.sweep_price(books_base(session_of(context)), instrument, side, quantity)


@jit.callback(_signature("queue_ahead"))
def queue_ahead(context: int, number: int) -> int:
    """What stands at the order's price as we see it, less what joined after it: unknown, so all."""
    base = session_of(context)
    execution = execution_base(base)
    order = order_of(execution, slot_of(execution, number))
    if not is_open(order.state):
        return -1
    books = books_base(base)
    level = reading.level_at(books, order.instrument, order.side, order.price)
    return reading.level_quantity(books, level) if level != 0 else 0


@jit.callback(_signature("parent"))
def parent(context: int, instrument: int) -> int:
    """A parent order, as the draft says that the strategy wrote beforehand."""
    base = _asked(context)
    return _done(base, parents.begin(base, instrument))


@jit.callback(_signature("child"))
def child(context: int, number: int, price: float, quantity: int, lasts: int, flags: int) -> int:
    base = _asked(context)
    return _done(base, steering.child(base, number, price, quantity, lasts, flags))


@jit.callback(_signature("steer"))
def steer(context: int, number: int, what: int) -> int:
    base = _asked(context)
    return _done(base, steering.steer(base, number, what))


_TABLE: dict[str, Any] = {
    "submit": submit,
    "cancel": cancel,
    "cancel_all": cancel_all,
    "replace": replace,
    "quote": quote,
    "timer": timer,
    "stop": stop,
    "price_at": price_at,
    "quantity_at": quantity_at,
    "quantity_to": quantity_to,
    "quantity_within": quantity_within,
    "imbalance_to": imbalance_to,
    "sweep_price": sweep_price,
    "queue_ahead": queue_ahead,
    "parent": parent,
    "child": child,
    "steer": steer,
}
assert tuple(_TABLE) == tuple(SERVICES), "one callback for each service, in the same order"
assert len(_TABLE) <= SERVICES_MAX


def addresses() -> np.ndarray[Any, Any]:
    """The table of services as a context holds it."""
    table = np.zeros(SERVICES_MAX, np.int64)
    table[: len(_TABLE)] = [one.address for one in _TABLE.values()]
    return table
