"""A desk for stories: a session whose strategy is a Python function, and reports made by hand.

Where several strategies share the session, each has a desk of its own: `desk.beside(1)`.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.book.capacity import Capacity
from hftlib.core import events, jit, orders
from hftlib.core.events import EVENT
from hftlib.core.fees import Fees
from hftlib.core.instruments import Instruments
from hftlib.engine import intents, path, quoting
from hftlib.engine.session import Session
from hftlib.execution.sending import send_cancel
from hftlib.risk.limits import Limits
from hftlib.strategy.abi import ENTRY, STATE

SMALL = Capacity(instruments=4, orders=256, levels=256, pages=64)


@jit.callback(ENTRY)
def silent(what: int, state: int, context: int, instrument: int, argument: int) -> int:
    """A strategy that hears everything and does nothing."""
    return 0


class Quiet:
    """The least that the engine takes for a strategy."""

    name, parameters, digest, state_dtype = "Quiet", dict[str, Any](), "0", STATE

    def __init__(self, entry: Any = silent, handles: int = 0) -> None:
        self._entry, self.handles = entry, handles

    def lay(self, place: Any) -> None:
        """Nothing but zeros."""

    def entry(self, compiled: bool = True) -> int:
        return self._entry.address

    def explain(self, fault: int) -> str:
        return f"fault {fault}"


class Desk:
    """One session; what it sends is read and taken away by `sent`."""

    def __init__(
        self,
        *symbols: str,
        limits: Limits | None = None,
        fees: Fees | None = None,
        strategy: Any = None,
        tick: int = 100,
        orders_max: int = 16,
        venues: Sequence[str] = ("XNAS",),
    ) -> None:
        table = Instruments()
        for symbol in symbols or ("AAA",):
            for venue in venues:
                table.add(symbol, venue=venue, tick=tick)
        self.session = Session(
            table,
            Quiet() if strategy is None else strategy,
            limits=limits or Limits(),
            fees=[fees or Fees()] * len(table),
            capacity=SMALL,
            orders_max=orders_max,
        )
        self.session.connect()
        self.seat, self.base = self.session.seats[0], self.session.address
        self._clock = [1_000]  # all desks look at one
        self.fills = self.reports = 0
        self.at(self.time)

    def beside(self, number: int) -> Desk:
        """The desk of another strategy of this session."""
        other = copy.copy(self)
        other.seat = self.session.seats[number]
        other.base = other.seat.address
        return other

    @property
    def time(self) -> int:
        return self._clock[0]

    @time.setter
    def time(self, value: int) -> None:
        self._clock[0] = value

    def at(self, time: int) -> None:
        """It is so late now, for everybody."""
        self.time = time
        for seat in self.session.seats:
            seat["session"]["time"] = time

    # What the strategy would ask for.

    def place(
        self, side: int, price: float, quantity: int, instrument: int = 0, **more: Any
    ) -> int:
        given = {"kind": orders.LIMIT, "lasts": orders.DAY, "flags": 0, "display": 0} | more
        return int(
            intents.place(
                self.base,
                instrument,
                side,
                float(price),
                quantity,
                given["kind"],
                given["lasts"],
                given["flags"],
                given["display"],
                float(given.get("trigger", 0.0)),
            )
        )

    def buy(self, price: float, quantity: int, **more: Any) -> int:
        return self.place(events.BUY, price, quantity, **more)

    def sell(self, price: float, quantity: int, **more: Any) -> int:
        return self.place(events.SELL, price, quantity, **more)

    def cancel(self, number: int) -> int:
        return int(send_cancel(self._execution, self.time, number))

    def change(self, number: int, price: float, quantity: int) -> int:
        return int(intents.change(self.base, number, float(price), quantity))

    def quote(
        self, bid: float, ask: float, quantity: int, ask_quantity: int | None = None, flags: int = 0
    ) -> int:
        other = quantity if ask_quantity is None else ask_quantity
        return int(quoting.quote(self.base, 0, float(bid), float(ask), quantity, other, flags))

    @property
    def context(self) -> int:
        """Where the context lies: what a service is called with."""
        return self.base + int(self.seat["session"]["context_at"][0])

    # What the venue answers.

    def report(
        self,
        kind: int,
        number: int,
        *,
        price: int = 0,
        quantity: int = 0,
        other: int = 0,
        flags: int = 0,
        **more: int,
    ) -> None:
        self.time += 10
        self.fills += kind == orders.FILLED
        self.reports += 1
        event = np.zeros(1, EVENT)
        event["kind"], event["reference"], event["other"] = kind, number, other
        event["price"], event["quantity"], event["flags"] = price, quantity, flags
        for name, value in more.items():
            event[name] = value
        event["time"], event["received"] = self.time - 5, self.time
        event["sequence"] = self.fills if kind == orders.FILLED else self.reports
        path.answer(self.base, event.ctypes.data, 7)

    def accept(self, number: int) -> None:
        self.report(orders.ACCEPTED, number, other=9_000 + number)

    def fill(self, number: int, price: int, quantity: int, taker: bool = False) -> None:
        flags = orders.TAKER if taker else 0
        match = 70_000 + self.reports  # each trade has a number of its own
        self.report(orders.FILLED, number, price=price, quantity=quantity, flags=flags, other=match)

    # What is there to see.

    def sent(self) -> list[tuple[str, int, int, int, int]]:
        """Commands since the last look: what, order, side, price, quantity."""
        execution = self.seat["execution"]
        count = int(execution["commands"][0])
        words = ("", "new", "cancel", "replace")
        rows = [
            (words[row["what"]], *(int(row[n]) for n in ("order", "side", "price", "quantity")))
            for row in self.seat["commands"][:count]
        ]
        execution["commands"] = 0
        return rows

    def order(self, number: int) -> dict[str, int]:
        mask = int(self.seat["execution"]["order_mask"][0])
        row = self.seat["own_orders"][number & mask]
        assert row["id"] == number, f"order {number} has lost its slot"
        return {name: int(row[name]) for name in row.dtype.names}

    def position(self, instrument: int = 0) -> dict[str, int]:
        row = self.seat["positions"][instrument]
        return {name: int(row[name]) for name in row.dtype.names}

    def refused(self) -> dict[str, int]:
        counts = self.seat["session"]["refused"][0]
        return {orders.REASONS[n]: int(counts[n]) for n in range(len(counts)) if counts[n]}

    @property
    def impossible(self) -> int:
        return int(self.seat["execution"]["impossible"][0])

    def counts(self) -> dict[str, int]:
        """How often reports came twice, too late, or against reason; not what never happened."""
        execution = self.seat["execution"][0]
        names = ("repeated", "late", "impossible", "broken", "unmatched", "unknown")
        return {name: int(execution[name]) for name in names if execution[name]}

    @property
    def _execution(self) -> int:
        return self.base + int(self.seat["session"]["execution_at"][0])
