"""Somebody who hears the public reports only: a book of queues, in plain lists.

It insists on what a reader of ITCH may rely on: no order is named that was not added, an execution
is of the first of its queue and of no more than that has, nothing hidden trades while something
shows at its price or better.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.venue.matching import records as r


class Reader:
    def __init__(self) -> None:
        self.orders: dict[int, list[int]] = {}  # number: symbol, side, price, quantity
        self.volume = 0
        self.told: list[dict[str, int]] = []

    def queue(self, symbol: int, side: int, price: int) -> list[int]:
        """Python's dictionaries keep the order in which orders came."""
        wanted = [symbol, side, price]
        return [number for number, one in self.orders.items() if one[:3] == wanted]

    def hear(self, report: Any) -> None:
        letter = chr(report["public"]) if report["public"] else ""
        number, other, shown = int(report["order"]), int(report["other"]), int(report["shown"])
        place = [int(report["symbol"]), 1 if report["side"] == r.BUY else 2, int(report["price"])]
        if letter in "AU" and letter:
            assert shown > 0 and number not in self.orders
            if letter == "U":
                assert self.orders.pop(other)[:2] == place[:2]
            self.orders[number] = [*place, shown]
        elif letter in "EC" and letter:
            one = self.orders[number]
            assert 0 < shown <= one[3] and shown == report["quantity"]
            if letter == "E":
                assert one[:3] == place
                assert self.queue(*place)[0] == number, "not the first of its queue"
            self.take(number, shown)
        elif letter == "X":
            assert 0 < shown < self.orders[number][3]
            self.take(number, shown)
        elif letter == "D":
            gone = other if report["kind"] == r.REPLACED else number
            assert self.orders.pop(gone)[3] == shown
        elif letter == "P":
            better = [
                one
                for one in self.orders.values()
                if one[:2] == place[:2]
                and (one[2] >= place[2] if place[1] == 1 else one[2] <= place[2])
            ]
            assert not better, "something hidden traded before something that shows"
        if letter in "EPQ" and letter:
            assert report["printed"] == 1
            self.volume += int(report["quantity"])

    def take(self, number: int, quantity: int) -> None:
        self.orders[number][3] -= quantity
        if not self.orders[number][3]:
            del self.orders[number]


def as_events(reports: Any) -> Any:
    """The public reports as EVENTs, for the book room."""
    made = np.zeros(len(reports), EVENT)
    count = 0
    kinds = {"A": events.ADD, "E": events.EXECUTE, "C": events.EXECUTE, "X": events.CANCEL}
    kinds |= {"D": events.DELETE, "U": events.REPLACE}
    for report in reports:
        kind = kinds.get(chr(report["public"]), 0)
        if not kind:
            continue
        one = made[count]
        count += 1
        one["time"], one["kind"], one["instrument"] = report["time"], kind, report["symbol"]
        one["reference"] = report["order"]
        if kind in (events.ADD, events.REPLACE):
            one["side"] = 1 if report["side"] == r.BUY else 2
            one["price"], one["quantity"] = report["price"], report["shown"]
        if kind in (events.EXECUTE, events.CANCEL):
            one["quantity"] = report["shown"]
        if kind == events.REPLACE:
            one["reference"], one["other"], one["side"] = report["other"], report["order"], 0
        if kind == events.DELETE and report["kind"] == r.REPLACED:
            one["reference"] = report["other"]
    return made[:count]
