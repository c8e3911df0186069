"""The exchange and its slow twin on the same random flows and commands: report by report.

The tape is random but holds together: orders are added, executed, canceled, replaced in a market
of some ticks. Our commands fall in between. Beside the duel, what must hold of any run: no order
fills beyond its quantity, no print fills more than it printed, memory is given back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from venue_twin import Twin
from venue_words import (
    add,
    cancel,
    command,
    cross,
    event,
    level,
    made,
    replace,
    status,
    trade,
)

from hftlib.core import events, jit, orders
from hftlib.core.events import BUY, EVENT, SELL
from hftlib.core.orders import DAY, FOK, IOC, LIMIT, MARKET, NEW, POST_ONLY, STOP, STOP_LIMIT

pytestmark = [
    pytest.mark.modes,
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]
SELF = ("cancel newest", "cancel oldest", "cancel both")
STEPS = 2500 if jit.COMPILED and not jit.BOUNDS_CHECKED else 700


class Flow:
    """A random tape and random commands, one after the other."""

    def __init__(self, seed: int, by_order: bool) -> None:
        self.chance = np.random.default_rng(seed)
        self.by_order = by_order
        self.references: list[int] = []
        self.next_reference = self.next_order = 1

    def pick(self, low: int, high: int) -> int:
        return int(self.chance.integers(low, high + 1))

    def price(self, side: int) -> int:
        """Mostly on its own side of 100, sometimes beyond."""
        away = self.pick(-1, 5) if self.pick(0, 9) == 0 else self.pick(1, 5)
        return 100 - away if side == BUY else 100 + away

    def known(self) -> int:
        """Mostly an order of late."""
        if not self.references or self.pick(0, 30) == 0:
            return self.pick(1, 5000)
        return self.references[-1 - self.pick(0, min(12, len(self.references) - 1))]

    def fresh(self) -> int:
        self.next_reference += 1
        self.references.append(self.next_reference)
        return self.next_reference

    def made(self) -> Any:
        if self.pick(0, 3) == 0:
            return self.asked()
        draw = self.pick(0, 99)
        side = self.pick(1, 2)
        if draw < 2:
            return status("T" if self.pick(0, 2) else "H")
        if draw < 4:
            return cross(self.pick(97, 103), self.pick(1, 12))
        if draw < 14:
            return trade(self.pick(96, 104), self.pick(1, 12), self.pick(0, 2))
        if not self.by_order or draw < 17:
            return level(self.price(side), self.pick(0, 20) * (self.pick(0, 4) > 0), side)
        if draw < 50:
            return add(self.fresh(), self.pick(1, 10), self.price(side), side)
        if draw < 70:
            reference = self.known()
            priced = {"price": self.pick(98, 102)} if self.pick(0, 9) == 0 else {}
            flags = self.pick(0, 7) == 0
            return event(
                events.EXECUTE, reference, quantity=self.pick(1, 8), flags=int(flags), **priced
            )
        if draw < 80:
            return event(events.CANCEL, self.known(), quantity=self.pick(1, 8))
        if draw < 90:
            return event(events.DELETE, self.known())
        reference = self.known()
        fields = {"quantity": self.pick(1, 10), "price": self.price(side)}
        return event(events.REPLACE, reference, other=self.fresh(), **fields)

    def asked(self) -> Any:
        draw = self.pick(0, 9)
        if self.next_order > 1 and draw < 2:
            return cancel(max(1, self.next_order - self.pick(0, 8)))
        if self.next_order > 1 and draw < 4:
            order = max(1, self.next_order - self.pick(0, 8))
            return replace(order, self.pick(1, 12), self.pick(95, 105))
        side = self.pick(1, 2)
        self.next_order += 1
        kind = [LIMIT, LIMIT, LIMIT, LIMIT, MARKET, STOP, STOP_LIMIT][self.pick(0, 6)]
        lasts = [DAY, DAY, DAY, IOC, FOK][self.pick(0, 4)]
        only = POST_ONLY if kind == LIMIT and lasts == DAY and self.pick(0, 3) == 0 else 0
        return command(
            NEW,
            self.next_order - 1,
            side=side,
            kind=kind,
            lasts=lasts,
            flags=only,
            price=self.price(side),
            quantity=self.pick(1, 12),
            display=self.pick(0, 2) * self.pick(0, 3),
            trigger=self.pick(97, 103),
        )


def plain(report: Any) -> tuple[int, ...]:
    one = report["event"]
    names = ["kind", "reference", "other", "side", "price", "quantity", "flags", "time"]
    beside = (report["twice_mid"], report["entered"], report["ahead"])
    return tuple(int(one[name]) for name in names) + tuple(map(int, beside))


def duel(rule: str, by_order: bool, seed: int, steps: int) -> None:
    exchange = made(rule, own_max=4096, self_match=SELF[seed % 3])
    twin = Twin(rule, self_match=SELF[seed % 3])
    flow = Flow(seed, by_order)
    asked: dict[int, int] = {}
    filled: dict[int, int] = {}
    for step in range(steps):
        one = flow.made()
        if one.dtype == EVENT:
            one["time"] = step
            reports = exchange.event(one)
            twin.event(one[0])
            check_print(one[0], reports, rule == "fifo")
        else:
            reports = exchange.command(one, step)
            twin.command(one[0], step)
            if one["what"][0] != orders.CANCEL:
                number = int(one["order"][0])
                asked[number] = max(asked.get(number, 0), int(one["quantity"][0]))
        ours = [plain(report) for report in reports]
        assert ours == twin.reports, f"step {step}: {one}"
        for report in ours:
            if report[0] == orders.FILLED:
                filled[report[1]] = filled.get(report[1], 0) + report[5]
                assert filled[report[1]] <= asked[report[1]]
        twin.reports.clear()
        assert exchange.header["live"] == len(twin.own)
    assert exchange.header["reports_lost"] == exchange.header["forgotten"] == 0
    assert sum(filled.values()) > 0
    compare_books(exchange, twin)
    if rule == "fifo":
        assert exchange.header["consumed"] == twin.consumed


def check_print(one: Any, reports: Any, fifo: bool) -> None:
    """A print of so many shares fills no more of ours; a cross that many on each side.

    On levels this holds at the price of the print: an order at a better price fills whole.
    """
    if one["kind"] not in (events.EXECUTE, events.TRADE, events.CROSS):
        return
    makers = [r["event"] for r in reports if r["event"]["kind"] == orders.FILLED]
    makers = [r for r in makers if not r["flags"] & orders.TAKER]
    makers = [r for r in makers if fifo or r["price"] == one["price"]]
    for side in (BUY, SELL):
        assert sum(int(r["quantity"]) for r in makers if r["side"] == side) <= one["quantity"]


def compare_books(exchange: Any, twin: Twin) -> None:
    book = exchange.books.of("ONE")
    for side, levels in ((BUY, book.bids(99)), (SELL, book.asks(99))):
        ours = [(round(one.price * 10_000), one.quantity) for one in levels]
        assert ours == [(price, twin.at(side, price)) for price in twin.ladder(side)]


@pytest.mark.parametrize("seed", range(9))
def test_order_by_order(seed: int):
    duel("fifo", True, seed, STEPS)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rule", ["risk-averse", "power(1)", "power(3)", "log", "pro-rata"])
def test_by_level(rule: str, seed: int):
    duel(rule, False, seed, STEPS)
