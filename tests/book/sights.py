"""What a strategy sees of a book, told slowly from the naive twin's lists; and books by hand.

    twin.picture()[side] = [(key, quantity, orders, [(reference, quantity)])], best first

A `Sight` is one side as plain (price, quantity, orders) with every reading of `reading.py` in the
most obvious way. Worst case: none; it is for tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.book.reading import NO_PRICE
from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments

SMALL = Capacity(instruments=4, orders=512, levels=256, pages=64, homes=64)
BUY, SELL = events.BUY, events.SELL


@dataclass(frozen=True)
class Sight:
    """One side, best first."""

    levels: list[tuple[int, int, int]]  # price, quantity, orders

    @property
    def price(self) -> int:
        return self.levels[0][0] if self.levels else NO_PRICE

    def quantity(self, count: int) -> int:
        return sum(quantity for _, quantity, _ in self.levels[:count])

    def within(self, price: int, side: int) -> int:
        better = [
            one for one in self.levels if (one[0] <= price if side == SELL else one[0] >= price)
        ]
        return sum(quantity for _, quantity, _ in better)

    def swept(self, wanted: int) -> tuple[int, float]:
        """The worst and the average price of taking this much."""
        left, paid, worst = wanted, 0, NO_PRICE
        for price, quantity, _ in self.levels:
            if left > 0:
                worst = price
                paid += price * min(left, quantity)
                left -= min(left, quantity)
        if left > 0 or wanted <= 0:
            return NO_PRICE, float("nan")
        return worst, paid / wanted


def sight(picture: dict[int, list[Any]], instrument: int, side: int) -> Sight:
    """One side of a twin's picture."""
    sign = 1 if side == SELL else -1
    levels = picture.get(2 * instrument + side - 1, [])
    return Sight([(sign * key, quantity, orders) for key, quantity, orders, _ in levels])


def table(*symbols: str, **facts: Any) -> Instruments:
    """Instruments of these symbols: cents as ticks, unless the facts say otherwise."""
    made = Instruments()
    for symbol in symbols or ("AAPL",):
        made.add(symbol, **{"venue": "XNAS", "tick": 100} | facts)
    return made


def one(kind: str, **fields: Any) -> np.ndarray[Any, Any]:
    """One event: `one("ADD", reference=7, side=BUY, price=100, quantity=5)`."""
    made = np.zeros(1, EVENT)
    made["kind"] = events.KINDS.index(kind)
    for name, value in fields.items():
        made[name] = value
    return made


def add(reference: int, side: int, price: int, quantity: int, **fields: Any) -> Any:
    fields |= {"reference": reference, "side": side, "price": price, "quantity": quantity}
    return one("ADD", **fields)


def books_of(*happened: Any, instruments: Instruments | None = None) -> Books:
    """Books after these events."""
    books = Books(instruments or table(), capacity=SMALL)
    if happened:
        books.apply(np.concatenate(happened))
    return books


def usual(instruments: Instruments | None = None) -> Books:
    """Two levels on either side of a cent: 289.46, 289.47 | 289.49, 289.50."""
    return books_of(
        add(1, BUY, 2894700, 100, time=10, sequence=1),
        add(2, BUY, 2894700, 50),
        add(3, BUY, 2894600, 400),
        add(4, SELL, 2894900, 30),
        add(5, SELL, 2895000, 200),
        add(6, SELL, 2895000, 20, time=60, sequence=6),
        instruments=instruments,
    )
