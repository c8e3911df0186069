"""A venue whose word comes late, twice, in any order or never, and which itself is always right.

Commands arrive in the order they were sent. Reports wait in a pool and leave it in any order, some
of them twice. A disconnect loses commands from some point on and any reports but fills; what is
lost is lost for good. Nothing is ever filled beyond what the venue has acknowledged.
"""

from __future__ import annotations

import random

from hftlib.core import orders
from hftlib.core.events import BUY

Report = dict[str, int]


class Standing:
    """An order as the venue has it."""

    def __init__(self, side: int, total: int) -> None:
        self.side, self.total, self.filled, self.open = side, total, 0, True

    @property
    def left(self) -> int:
        return self.total - self.filled if self.open else 0


class UnrulyVenue:
    """Commands in, a pool of reports out."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw
        self.orders: dict[int, Standing] = {}
        self.under_way: list[tuple[int, int, int, int]] = []  # what, order, side, quantity
        self.pool: list[Report] = []
        self.position = self.sequence = self.match = 0

    def report(self, kind: int, number: int, **fields: int) -> None:
        self.sequence += 1
        made = {"kind": kind, "reference": number, "sequence": self.sequence, "price": 10_000}
        self.pool.append(made | fields)

    def hear(self) -> Report | None:
        """One report of the pool, any; some stay there to be told again."""
        if not self.pool:
            return None
        place = self.draw.randrange(len(self.pool))
        return dict(self.pool[place]) if self.draw.random() < 0.1 else self.pool.pop(place)

    def arrive(self) -> None:
        """The oldest command arrives."""
        if not self.under_way:
            return
        what, number, side, quantity = self.under_way.pop(0)
        if what == orders.NEW:
            if self.draw.random() < 0.1:
                self.report(orders.REJECTED, number, other=orders.HALTED)
                return
            self.orders[number] = Standing(side, quantity)
            self.report(orders.ACCEPTED, number, other=9_000 + number, quantity=quantity)
            return
        one = self.orders.get(number)
        refusal = orders.CANCEL_REJECTED if what == orders.CANCEL else orders.REPLACE_REJECTED
        if one is None or not one.open:
            self.report(refusal, number, other=orders.UNKNOWN_ORDER)
        elif self.draw.random() < 0.1:
            self.report(refusal, number, other=orders.HALTED)
        elif what == orders.CANCEL or quantity <= one.filled:
            self.end(number, orders.CANCELED, orders.ASKED)
        else:
            one.total = quantity
            self.report(orders.REPLACED, number, quantity=one.left)

    def end(self, number: int, kind: int, reason: int) -> None:
        one = self.orders[number]
        self.report(kind, number, quantity=one.left, other=reason)
        one.open = False

    def trade(self) -> None:
        """Something happens to an order that stands: mostly a fill."""
        standing = [number for number, one in self.orders.items() if one.open]
        if not standing:
            return
        number = self.draw.choice(standing)
        one, what = self.orders[number], self.draw.random()
        if what < 0.8:
            quantity = self.draw.choice((1, one.left, self.draw.randint(1, one.left)))
            self.match += 1
            one.filled += quantity
            self.position += quantity if one.side == BUY else -quantity
            self.report(orders.FILLED, number, quantity=quantity, other=self.match, side=one.side)
            one.open = one.filled < one.total
        elif what < 0.88 and one.left > 1:
            one.total -= self.draw.randint(1, one.left - 1)
            self.report(orders.RESTATED, number, quantity=one.total, other=orders.SELF_MATCH)
        elif what < 0.94:
            self.end(number, orders.EXPIRED, orders.TIME_OVER)
        else:
            self.end(number, orders.CANCELED, orders.HALTED)

    def cut_off(self) -> None:
        """The session breaks: what was on its way there is lost from some point on."""
        arrives = self.draw.randint(0, len(self.under_way))
        for _ in range(arrives):
            self.arrive()
        self.under_way.clear()
        if self.draw.random() < 0.3:
            for number, one in self.orders.items():
                if one.open:
                    self.end(number, orders.CANCELED, orders.HALTED)
        keeps = [r for r in self.pool if r["kind"] == orders.FILLED or self.draw.random() < 0.5]
        self.pool = keeps

    def found(self, number: int) -> tuple[int, int]:
        """What a reconciliation finds: open, and filled in all."""
        one = self.orders.get(number)
        return (one.left, one.filled) if one else (0, 0)

    def may_come_to(self, number: int) -> int:
        """The most an order can still be filled to, with what is on its way here."""
        one = self.orders.get(number)
        most = one.filled + one.left if one else 0
        alive = one is not None and one.open
        for what, which, _, quantity in self.under_way:
            alive |= which == number and what == orders.NEW
            if which == number and what != orders.CANCEL and alive:
                most = max(most, quantity)
        return most
