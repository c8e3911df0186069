"""Short words for stories about the exchange: events and commands in, an exact list of reports out.

    told(exchange, add(1, 10), buy(7, 5), execute(1, 4))  ->  ["7 accepted 5 @ 100", "7 filled ..."]

Time counts up by one with each event or command. Prices are around 100, the tick is 1.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from hftlib.book.capacity import Capacity
from hftlib.core import events, orders
from hftlib.core.events import BUY, EVENT, SELL
from hftlib.core.instruments import Instruments
from hftlib.core.orders import COMMAND, DAY, LIMIT, NEW
from hftlib.venue.exchange import Exchange

SMALL = Capacity(instruments=2, orders=512, levels=256, pages=64)
NAMES = ("ASKED", "MOMENT_OVER", "NOT_WHOLE", "WOULD_TAKE", "SELF_MATCH", "HALTED")
NAMES += ("UNKNOWN_ORDER", "NOTHING_THERE", "OFF_GRID", "VENUE_FULL", "VENUE_NO_KIND")
REASONS = {getattr(orders, name): name for name in NAMES}


def made(
    queue: str = "fifo", *, tick: int = 1, own_max: int = 64, strategies: int = 1, **settings: Any
) -> Exchange:
    instruments = Instruments()
    for symbol in ("ONE", "TWO"):
        instruments.add(symbol, venue="TEST", tick=tick)
    wanted = {"partial_fills": True, "self_match": "cancel newest", "impact": None} | settings
    settings_like = SimpleNamespace(queue=queue, **wanted)
    return Exchange(
        instruments, settings_like, capacity=SMALL, own_max=own_max, strategies=strategies
    )


def event(kind: int, reference: int = 0, **fields: int) -> np.ndarray[Any, Any]:
    array = np.zeros(1, EVENT)
    array["kind"], array["reference"] = kind, reference
    for name, value in fields.items():
        array[name] = value
    return array


def add(reference: int, quantity: int, price: int = 100, side: int = BUY, **fields: int) -> Any:
    fields |= {"quantity": quantity, "price": price, "side": side}
    return event(events.ADD, reference, **fields)


def execute(reference: int, quantity: int, **fields: int) -> Any:
    return event(events.EXECUTE, reference, quantity=quantity, **fields)


def cancel_real(reference: int, quantity: int) -> Any:
    return event(events.CANCEL, reference, quantity=quantity)


def delete(reference: int) -> Any:
    return event(events.DELETE, reference)


def replace_real(reference: int, new: int, quantity: int, price: int) -> Any:
    return event(events.REPLACE, reference, other=new, quantity=quantity, price=price)


def trade(price: int, quantity: int, side: int = 0, **fields: int) -> Any:
    return event(events.TRADE, price=price, quantity=quantity, side=side, **fields)


def cross(price: int, quantity: int) -> Any:
    return event(events.CROSS, price=price, quantity=quantity)


def level(price: int, quantity: int, side: int = BUY) -> Any:
    return event(events.LEVEL, price=price, quantity=quantity, side=side)


def quote(price: int, quantity: int, side: int = BUY) -> Any:
    return event(events.QUOTE, price=price, quantity=quantity, side=side)


def status(letter: str) -> Any:
    return event(events.STATUS, ord(letter))


def command(what: int, order: int, **fields: int) -> np.ndarray[Any, Any]:
    array = np.zeros(1, COMMAND)
    array["what"], array["order"] = what, order
    for name, value in fields.items():
        array[name] = value
    return array


def new(order: int, side: int, quantity: int, price: int, **fields: int) -> Any:
    fields = {"kind": LIMIT, "lasts": DAY} | fields
    return command(NEW, order, side=side, quantity=quantity, price=price, **fields)


def buy(order: int, quantity: int, price: int = 100, **fields: int) -> Any:
    return new(order, BUY, quantity, price, **fields)


def sell(order: int, quantity: int, price: int = 101, **fields: int) -> Any:
    return new(order, SELL, quantity, price, **fields)


def cancel(order: int) -> Any:
    return command(orders.CANCEL, order)


def replace(order: int, quantity: int, price: int) -> Any:
    return command(orders.REPLACE, order, quantity=quantity, price=price)


def answers(exchange: Exchange, *story: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """The reports to each event or command of a story."""
    given = []
    for one in story:
        time = int(exchange.books.header["events"] + exchange.header["reports"]) + 1
        if one.dtype == EVENT:
            one = one.copy()
            one["time"] = time
            given.append(exchange.event(one))
        else:
            given.append(exchange.command(one, time))
    return given


def told(exchange: Exchange, *story: np.ndarray[Any, Any]) -> list[str]:
    """All reports of a story, in words."""
    return [words(one) for reports in answers(exchange, *story) for one in reports]


def words(report: Any) -> str:
    one = report["event"]
    kind = orders.REPORTS[one["kind"] - orders.ACCEPTED].lower().replace("_", " ")
    start = f"{one['reference']} {kind}"
    if one["kind"] == orders.FILLED:
        role = "taker" if one["flags"] & orders.TAKER else "maker"
        return f"{start} {one['quantity']} @ {one['price']} {role}"
    if one["kind"] in (orders.ACCEPTED, orders.REPLACED):
        return f"{start} {one['quantity']} @ {one['price']} behind {report['ahead']}"
    if one["kind"] in (orders.CANCELED, orders.EXPIRED):
        return f"{start} {one['quantity']} {REASONS[int(one['other'])]}"
    return f"{start} {REASONS[int(one['other'])]}"


def filled(reports: list[str]) -> list[str]:
    return [one for one in reports if " filled " in one]
