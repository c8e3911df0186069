"""Execution by itself: no books, no strategy; orders are sent and reports told by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import orders
from hftlib.core.arena import Arena
from hftlib.core.events import BUY, EVENT
from hftlib.core.fees import FEES, Fees
from hftlib.core.instruments import Instruments
from hftlib.core.layout import Layout
from hftlib.core.orders import COMMAND, FILL, ORDER
from hftlib.core.positions import POSITION
from hftlib.execution import life, sending
from hftlib.execution.memory import BOOKED, EXECUTION

COUNTERS = ("repeated", "late", "impossible", "unmatched")
ARRAYS = ("positions", "fees", "commands", "fills", "ended", "booked", "chains")
LOG_MAX = 256


class Room:
    """Two instruments, `slots` orders, the last `booked` trades remembered."""

    def __init__(self, slots: int = 8, booked: int = 16, fees: Fees | None = None) -> None:
        self.arena = Arena.create(
            Layout(
                execution=EXECUTION,
                orders=(ORDER, slots),
                positions=(POSITION, 3),
                fees=(FEES, 3),
                commands=(COMMAND, 2 * slots),
                fills=(FILL, LOG_MAX),
                ended=(ORDER, LOG_MAX),
                booked=(BOOKED, booked),
                chains=(np.dtype(np.int64), booked),
            )
        )
        layout = self.arena.layout.slots
        row = self.arena["execution"][0]
        row["instruments"], row["order_mask"], row["booked_mask"] = 2, slots - 1, booked - 1
        for name in ("orders", *ARRAYS):
            row[f"{name}_at"] = layout[name].offset - layout["execution"].offset
        for name in ("commands", "fills", "ended"):
            row[f"{name}_max"] = layout[name].count
        table = Instruments()
        for number, symbol in enumerate(("AAA", "BBB")):
            (fees or Fees()).lay(
                self.arena["fees"][number : number + 1], table[table.add(symbol, venue="XNAS")]
            )
        self.base = self.arena.address_of("execution")
        self.time = 1_000

    def new(
        self, quantity: int = 100, side: int = BUY, instrument: int = 0, held: bool = False
    ) -> int:
        self.time += 1
        kind, lasts = orders.LIMIT, orders.DAY
        place = (self.base, self.time, instrument, side, kind, lasts, 0, 10_000, quantity, 0, 0, 0)
        return int(sending.new_order(*place, int(held)))

    def cancel(self, number: int) -> int:
        self.time += 1
        return int(sending.send_cancel(self.base, self.time, number))

    def replace(self, number: int, quantity: int, price: int = 10_100) -> int:
        self.time += 1
        return int(sending.send_replace(self.base, self.time, number, price, quantity))

    def release(self, number: int) -> int:
        self.time += 1
        return int(sending.release(self.base, self.time, number))

    def refuse(self, number: int, reason: int) -> int:
        self.time += 1
        return int(sending.refuse_held(self.base, self.time, number, reason))

    def tell(self, kind: int, number: int, **fields: int) -> int:
        """One report, given field by field; what it was to us."""
        self.time += 1
        event = np.zeros(1, EVENT)
        event["kind"], event["reference"] = kind, number
        event["time"], event["received"] = self.time - 1, self.time
        for name, value in fields.items():
            event[name] = value
        return int(life.report(self.base, event.ctypes.data, 7))

    def take_away(self) -> list[tuple[int, int]]:
        """As a driver after each event: what was sent, as (what, order); the logs are emptied."""
        row = self.arena["execution"][0]
        commands = self.arena["commands"][: int(row["commands"])]
        sent = [(int(one["what"]), int(one["order"])) for one in commands]
        row["commands"] = row["fills"] = row["ended"] = 0
        return sent

    def order(self, number: int) -> Any:
        """The order's row, a view; of one whose slot is another's, None."""
        row = self.arena["orders"][number & int(self.count("order_mask"))]
        return row if number > 0 and row["id"] == number else None

    def position(self, instrument: int = 0) -> dict[str, int]:
        row = self.arena["positions"][instrument]
        return {name: int(row[name]) for name in POSITION.names}

    def count(self, name: str) -> int:
        return int(self.arena["execution"][name][0])

    def check(self) -> None:
        """What holds after every step, computed anew from the orders themselves."""
        unknown = 0
        for instrument in range(2):
            open_lots, chained = {1: 0, 2: 0}, []
            position = self.position(instrument)
            slot, before = position["first_open"], 0
            while slot != 0:
                one = self.arena["orders"][slot]
                assert int(one["before"]) == before
                assert one["instrument"] == instrument
                assert orders.FREE < one["state"] < orders.OVER
                open_lots[int(one["side"])] += worst_case(one) - int(one["filled"])
                unknown += one["state"] == orders.UNKNOWN
                chained.append(slot)
                slot, before = int(one["next"]), slot
            table = self.arena["orders"]
            here = (table["state"] > orders.FREE) & (table["state"] < orders.OVER)
            here &= table["instrument"] == instrument
            assert sorted(chained) == np.flatnonzero(here).tolist()
            assert position["open_orders"] == len(chained)
            assert (position["open_buy"], position["open_sell"]) == (open_lots[1], open_lots[2])
            assert all(lots >= 0 for lots in open_lots.values())
        assert unknown == self.count("unknown")


def worst_case(one: Any) -> int:
    """All an order may come to, from its own fields."""
    asked = int(one["quantity"])
    if int(one["pending"]) & orders.REPLACE_PENDING:
        asked = max(asked, int(one["wanted_quantity"]))
    return asked - int(one["taken_off"])
