"""What a runner's page says of the market and of our orders in it, in the units of people.

    caught(read, slots, attempts)  the views of instruments and their orders, each as of one moment
    ladders_told(about, arrays)   ten levels a side of each instrument, with what of it is ours
    orders_told(about, arrays)    those that are open, the newest first, as far as there was room
    fills_told(about, arrays)     the newest FILLS_TOLD of all strategies
    desk_told(about, arrays)      all three, and `page_limits.py`: a millisecond for ten instruments

`own` is what of our orders stands at a level as we count them, `ahead` what comes before the first
of them; None where there is none, the book does not know it, or its queue is too long to walk.

Worst case: figures that cannot be are an error, which `page_reading.py` makes a sentence of; a view
that is never caught at rest, as after a kill in the middle, is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from hftlib.core.orders import MARKET, STOP
from hftlib.engine.live.page_memory import LEVELS, TRAIL_FILLS
from hftlib.ops.page_limits import limits_told, refusals_told

VIEWED = ("moments", "views", "working")  # large: they lie behind all else, and are read alone
FILLS_TOLD = 64
SIDES = {1: "buy", 2: "sell"}
_MULTIPLIER_ONE = 10**6


def caught(
    read: Callable[[int, int], bytes], slots: Mapping[str, Any], attempts: int
) -> dict[str, Any]:
    """Views and orders, read with the counts before and behind; `whole` says which are."""
    rows = slots["views"].count
    each = slots["working"].count // rows
    if slots["moments"].count != rows or slots["moments"].dtype != np.int64:
        raise ValueError("views without their moments")

    def part(name: str, first: int, last: int) -> Any:
        slot = slots[name]
        size = slot.dtype.itemsize
        data = read(slot.offset + first * size, (last - first) * size)
        return np.frombuffer(data, slot.dtype)

    views, working = (np.zeros(slots[name].count, slots[name].dtype) for name in VIEWED[1:])
    whole, missing = np.zeros(rows, bool), np.arange(rows)
    for _ in range(attempts):
        first, last = int(missing[0]), int(missing[-1]) + 1
        before = part("moments", first, last)
        seen, orders = part("views", first, last), part("working", first * each, last * each)
        is_good = (before == part("moments", first, last)) & (before & 1 == 0)
        good = missing[is_good[missing - first]]
        views[good] = seen[good - first]
        places = (good[:, None] * each + np.arange(each)).ravel()
        working[places] = orders[places - first * each]
        whole[good] = True
        missing = missing[~whole[missing]]
        if not len(missing):
            break
    return {"views": views, "working": working, "whole": whole}


def desk_told(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
    """What a desk shows beside a status."""
    return {
        "ladders": ladders_told(about, arrays),
        "orders": orders_told(about, arrays),
        "fills": fills_told(about, arrays),
        "refusals": refusals_told(about, arrays),
        "limits": limits_told(about, arrays),
    }


class Units:
    """Whole numbers of an instrument as prices, quantities and money: the nearest float."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.symbol, self.venue = str(facts["symbol"]), str(facts["venue"])
        price, lot = Fraction(facts["price_unit"]), Fraction(facts["lot_unit"])
        self._price, self._lot = (
            (price.numerator, price.denominator),
            (
                lot.numerator,
                lot.denominator,
            ),
        )
        worth = price * lot * Fraction(facts["multiplier"], _MULTIPLIER_ONE)
        self._worth = worth.numerator, worth.denominator

    def price(self, count: int) -> float:
        return count * self._price[0] / self._price[1]

    def quantity(self, count: int) -> float:
        return count * self._lot[0] / self._lot[1]

    def money(self, count: int) -> float:
        return count * self._worth[0] / self._worth[1]

    def ahead(self, count: int) -> float | None:
        return None if count < 0 else self.quantity(count)


def units_of(about: Mapping[str, Any]) -> list[Units]:
    """Of each instrument."""
    return [Units(facts) for facts in about["instruments"]]


def ladders_told(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The books, as far as they were looked at already."""
    made = []
    for units, row, is_whole in zip(units_of(about), arrays["views"], arrays["whole"], strict=True):
        if not is_whole or row["time"] == 0:
            continue
        bids, asks = (_rungs(units, row, *side) for side in (("bid", "bids"), ("ask", "asks")))
        made.append(
            {
                "venue": units.venue,
                "symbol": units.symbol,
                "time_ns": int(row["time"]),
                "is_stale": bool(row["stale"]),
                "bids": bids,
                "asks": asks,
            }
        )
    return made


def _rungs(units: Units, row: Any, side: str, counted: str) -> list[dict[str, Any]]:
    count = int(row[counted])
    if not 0 <= count <= LEVELS:
        raise ValueError(f"{count} levels")
    return [
        {
            "price": units.price(price),
            "quantity": units.quantity(quantity),
            "orders": orders,
            "own": units.quantity(own),
            "ahead": units.ahead(ahead),
        }
        for price, quantity, orders, own, ahead in row[side][:count].tolist()
    ]


def orders_told(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Open orders, those sent last first; `open_orders` of the status counts all of them."""
    working, views = arrays["working"], arrays["views"]
    each = len(working) // len(views)
    made = []
    for n, units in enumerate(units_of(about)):
        count = int(views["rows"][n])
        if not 0 <= count <= each:
            raise ValueError(f"{count} orders where {each} find room")
        for row in working[n * each : n * each + count]:
            limited = int(row["kind"]) not in (MARKET, STOP)
            made.append(
                {
                    "strategy": about["strategies"][int(row["strategy"])],
                    "symbol": units.symbol,
                    "venue": units.venue,
                    "id": int(row["id"]),
                    "side": SIDES[int(row["side"])],
                    "price": units.price(int(row["price"])) if limited else None,
                    "quantity": units.quantity(int(row["quantity"])),
                    "filled": units.quantity(int(row["filled"])),
                    "state": about["order_states"][int(row["state"])],
                    "sent_ns": int(row["sent"]),
                    "ahead": units.ahead(int(row["ahead"])),
                }
            )
    return sorted(made, key=lambda one: (-one["sent_ns"], -one["id"]))


def fills_told(about: Mapping[str, Any], arrays: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The newest fills, with when we heard; one that was taken back has a quantity below zero."""
    found, known = [], units_of(about)
    for trail in arrays["trails"]:
        count = int(trail["count"])
        if count < 0:
            raise ValueError(f"{count} fills")
        found += [
            trail["fills"][n % TRAIL_FILLS] for n in range(max(0, count - TRAIL_FILLS), count)
        ]
    found.sort(key=lambda row: int(row["received"]), reverse=True)
    made = []
    for row in found[:FILLS_TOLD]:
        units = known[int(row["instrument"])]
        made.append(
            {
                "time_ns": int(row["received"]),
                "strategy": about["strategies"][int(row["strategy"])],
                "symbol": units.symbol,
                "venue": units.venue,
                "side": SIDES[int(row["side"])],
                "price": units.price(int(row["price"])),
                "quantity": units.quantity(int(row["quantity"])),
                "fee": units.money(int(row["fee"])),
                "is_maker": not row["taker"],
            }
        )
    return made
