"""A desk for parent orders: a market by hand, alarms in their order, and what children come to."""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events, orders, parents
from hftlib.core.events import BUY, EVENT, LAST, SELL
from hftlib.engine import parents as driving
from hftlib.engine import path, services, steering
from hftlib.engine.memory import FOREVER
from hftlib.strategy.abi import ON_BOOK
from tests.engine.desk import Desk, Quiet
from tests.engine.market_step import market_step

SECOND = 10**9
DEFAULTS = {"limit": float(parents.NO_LIMIT), "patience": -1.0, "gap": 0.01, "peg": 1}


class ParentDesk(Desk):
    """Time goes on by `until` and with each event; alarms in between go off."""

    def __init__(self, *symbols: str, bid: int = 10_000, ask: int = 10_100, **more: Any) -> None:
        looks = Quiet(handles=1 << ON_BOOK)  # so that each event's book is shown
        super().__init__(*symbols, **({"strategy": looks} | more))
        for row in range(len(self.session.instruments)):
            self.show(bid, ask, row=row)

    def show(self, bid: int, ask: int, quantity: int = 1_000, row: int = 0) -> None:
        """One bid and one ask, and nothing behind."""
        self.event(events.CLEAR, row=row, flags=0)
        self.event(events.LEVEL, row=row, side=BUY, price=bid, quantity=quantity, flags=0)
        self.event(events.LEVEL, row=row, side=SELL, price=ask, quantity=quantity)

    def trade(self, price: int, quantity: int, row: int = 0, side: int = 0) -> None:
        self.event(events.TRADE, row=row, side=side, price=price, quantity=quantity)

    def event(self, kind: int, row: int = 0, flags: int = LAST, **fields: int) -> None:
        self.time += 1
        made = np.zeros(1, EVENT)
        made["kind"], made["instrument"], made["flags"] = kind, row, flags
        for name, value in fields.items():
            made[name] = value
        made["time"], made["received"] = self.time - 1, self.time
        market_step(self.base, made.ctypes.data, self.time)

    def begin(self, quantity: int = 1_000, side: int = BUY, row: int = 0, **draft: Any) -> int:
        place = self.session.arena["parents"]["draft"][0]
        given = {"algo": parents.TWAP, "quantity": quantity, "side": side} | DEFAULTS | draft
        for name in place.dtype.names:
            place[name] = given.get(name, 0)
        return int(services.parent(self.context, row))

    def until(self, time: int) -> None:
        """Let alarms go off up to a time, and it become that time."""
        while (due := self.next_alarm) <= time:
            self.time = max(self.time, due)
            path.timer(self.base)
        self.time = max(self.time, time)
        self.session.arena["session"]["time"] = self.time

    def act(self) -> None:
        """As after each callback, and the alarms that are due."""
        driving.drive(self.base, -1)
        self.until(self.time)

    def wake(self) -> None:
        """Go on to the next alarm."""
        assert self.alarms, "nobody wants to be woken"
        self.until(self.next_alarm)

    @property
    def next_alarm(self) -> int:
        return int(self.session.arena["session"]["next_timer"][0])

    def parent(self, number: int) -> dict[str, Any]:
        row = self.session.arena["parent_rows"][number & (parents.PARENTS_MAX - 1)]
        assert row["id"] == number
        return {name: row[name] for name in row.dtype.names}

    def state(self, number: int) -> str:
        return parents.STATES[int(self.parent(number)["state"])]

    def steer(self, number: int, what: int) -> int:
        done = int(steering.steer(self.base, number, what))
        self.act()
        return done

    def child(self, number: int, price: float, quantity: int) -> int:
        return int(steering.child(self.base, number, float(price), quantity, orders.DAY, 0))

    def ended(self, number: int, reason: int = orders.ASKED) -> None:
        """All that is left of it is taken off."""
        order = self.order(number)
        left = order["quantity"] - order["filled"]
        self.report(orders.CANCELED, number, other=reason, quantity=left)

    @property
    def alarms(self) -> bool:
        return self.next_alarm != FOREVER
