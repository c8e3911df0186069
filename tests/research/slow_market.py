"""A random flow of orders with some impossible inputs, and a slow book that says what they mean.

The twin of what `validate` and `bars` work out in one compiled pass: dictionaries and sorting, one
event at a time, from the meaning of the events alone.
"""

from __future__ import annotations

import random
from collections import defaultdict
from typing import Any

import numpy as np
from tapes import OPEN, SECOND, event

from hftlib.core import events


class SlowBooks:
    """Orders by reference; every question is answered by looking at all of them."""

    def __init__(self) -> None:
        self.orders: dict[int, list[int]] = {}  # instrument, side, price, quantity

    def apply(self, one: Any) -> tuple[str, tuple[int, int] | None]:
        """What was impossible ("" nothing, "-" nothing to do), and the trade as (price, size)."""
        kind, reference, row = int(one["kind"]), int(one["reference"]), int(one["instrument"])
        side, price, quantity = int(one["side"]), int(one["price"]), int(one["quantity"])
        if kind == events.TRADE:
            return "-", (price, quantity)
        if kind == events.ADD:
            if reference in self.orders:
                return "an order of this reference is there already", None
            self.orders[reference] = [row, side, price, quantity]
            return "", None
        if reference not in self.orders:
            named = kind == events.EXECUTE and price
            return "no such order", (price, quantity) if named else None
        order = self.orders[reference]
        if order[0] != row:
            return "the order belongs to another instrument", None
        if kind == events.REPLACE:
            other = int(one["other"])
            if other != reference and other in self.orders:
                return "an order of this reference is there already", None
            del self.orders[reference]
            self.orders[other] = [row, order[1], price, quantity]
            return "", None
        taken = order[3] if kind == events.DELETE else min(quantity, order[3])
        traded = (price or order[2], taken) if kind == events.EXECUTE else None
        too_much = kind != events.DELETE and quantity > order[3]
        order[3] -= taken
        if not order[3]:
            del self.orders[reference]
        return ("more taken off than was there" if too_much else ""), traded

    def best(self, row: int, side: int) -> tuple[int, int] | None:
        """Best price and what stands there."""
        levels: dict[int, int] = defaultdict(int)
        for instrument, where, price, quantity in self.orders.values():
            if (instrument, where) == (row, side):
                levels[price] += quantity
        if not levels:
            return None
        price = max(levels) if side == events.BUY else min(levels)
        return price, levels[price]


def flow_of_orders(count: int, seed: int) -> np.ndarray[Any, Any]:
    """Orders of two stocks around 100.00 that come, trade and go; some events are impossible."""
    chance, books, made = random.Random(seed), SlowBooks(), []
    moment, reference = OPEN, 0
    for number in range(1, count + 1):
        moment += chance.choice((0, 1000, 10**6, 3 * 10**8, 17 * 10**7))
        row, side = chance.randrange(2), chance.choice((events.BUY, events.SELL))
        known = chance.choice([*books.orders, 0]) if chance.random() < 0.97 else reference + 10**6
        if known in books.orders and chance.random() < 0.97:
            row, side = books.orders[known][:2]
        # Now and then one comes that locks the book, or crosses it.
        away = chance.choices((-3, -2, 0, 1, 2, 3, 4, 5), (1, 2, 20, 20, 20, 20, 20, 20))[0] * 100
        price = 1_000_000 - away if side == events.BUY else 1_000_200 + away
        kind = chance.choices(
            ("ADD", "EXECUTE", "CANCEL", "DELETE", "REPLACE", "TRADE"), (30, 9, 6, 10, 8, 3)
        )[0]
        fields: dict[str, Any] = {"reference": known, "instrument": row}
        if kind == "ADD":
            reference += 1
            again = chance.random() < 0.02
            fields |= {"reference": known if again else reference, "side": side, "price": price}
        elif kind == "REPLACE":
            reference += 1
            fields |= {"other": known if chance.random() < 0.1 else reference, "price": price}
        elif kind == "EXECUTE" and chance.random() < 0.2:
            flags = events.LAST | (events.NOT_PRINTABLE if chance.random() < 0.5 else 0)
            fields |= {"price": price, "flags": flags}
        elif kind == "TRADE":
            fields |= {"reference": 0, "price": price, "side": side}
        if kind != "DELETE":
            fields["quantity"] = chance.randrange(1, 300)
        one = event(kind, time=moment, sequence=number, **fields)
        books.apply(one[0])
        made.append(one)
    return np.concatenate(made)


def second_of(moment: int) -> int:
    """The bar of one second that a time belongs to."""
    return moment // SECOND * SECOND
