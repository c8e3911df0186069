"""Streams of random events, made by numpy alone: no state, so a million take a tenth of a second.

References are drawn from a pool, so about half of what an event speaks of is there at the time and
half is not; orders are met at every place of their queue. A `Flow` says how the pool and the
prices look; `made` gives the events of a seed. `garbage` replaces any field of a share of events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.events import EVENT

ALL = 2**32 - 1
ORDERS = {events.ADD: 40, events.EXECUTE: 12, events.CANCEL: 12, events.DELETE: 16}
ORDERS |= {events.REPLACE: 12}
SELDOM = dict.fromkeys(range(events.TRADE, events.UNREADABLE + 1), 0.3)
SELDOM |= {events.QUOTE: 0.02, events.CLEAR: 0.03, 0: 0.1, 77: 0.1, events.LEVEL: 2}
EDGES = (0, 1, -1, 2, 3, 31, 32, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40)
EDGES += (2**56 - 1, 2**56, -(2**56), 1 - 2**56, 2**62, 2**63 - 1, -(2**63), 1 - 2**63)


@dataclass(frozen=True)
class Flow:
    """How a stream of events looks."""

    pool: int = 2_000  # references in use; about half are live
    references: str = "dense"
    moving: int = 0  # the pool moves up by one every so many events; 0: never
    instruments: int = 3
    center: int = 1_000_000
    width: int = 40  # prices on either side of the center
    step: int = 1  # from one price to the next
    off_grid: int = 0  # prices then lie up to this much beside
    apart: int = 0  # asks this much above bids; with 0 or less they cross
    sizes: int = 8
    garbage: float = 0.0
    kinds: dict[int, float] = field(default_factory=lambda: ORDERS | SELDOM)

    def made(self, count: int, seed: int) -> np.ndarray[Any, Any]:
        chance = np.random.default_rng(seed)
        array = np.zeros(count, EVENT)
        array["time"], array["sequence"] = np.arange(count) * 1000, np.arange(count) + 1
        weights = np.array(list(self.kinds.values()))
        array["kind"] = chance.choice(list(self.kinds), count, p=weights / weights.sum())
        start = np.arange(count) // self.moving if self.moving else np.zeros(count, np.int64)
        one, other = (start + chance.integers(0, self.pool, count) for _ in range(2))
        array["reference"], array["other"] = self._numbers(one), self._numbers(other)
        array["other"] = np.where(chance.random(count) < 0.1, array["reference"], array["other"])
        # An order has its instrument; now and then an event names another, or one there is not.
        array["instrument"] = one * 2654435761 % 2**31 % self.instruments
        strange = chance.random(count) < 0.01
        array["instrument"][strange] = chance.integers(0, self.instruments + 2, strange.sum())
        array["side"] = chance.integers(1, 3, count)
        array["side"][chance.random(count) < 0.01] = 0
        self._price(array, chance)
        self._seldom(array, chance)
        if self.garbage:
            self._spoil(array, chance)
        return array

    def _numbers(self, index: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        if self.references == "dense":
            return 5_000_000_000 + index
        if self.references == "sparse":
            return index * 1_000_003
        if self.references == "one home":
            return index << 32
        assert self.references == "random"
        mixed = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        return (mixed ^ (mixed >> np.uint64(29))).astype(np.int64)

    def _price(self, array: np.ndarray[Any, Any], chance: np.random.Generator) -> None:
        count = len(array)
        price = self.center + self.step * chance.integers(-self.width, self.width + 1, count)
        price += (array["side"] == events.SELL) * self.apart
        if self.off_grid:
            price += chance.integers(0, self.off_grid + 1, count)
        array["price"] = price
        array["quantity"] = chance.integers(1, self.sizes + 1, count)
        array["quantity"][chance.random(count) < 0.005] = 0
        array["quantity"][chance.random(count) < 0.002] = -3
        unpriced = (array["kind"] == events.EXECUTE) & (chance.random(count) < 0.5)
        array["price"][unpriced] = 0
        array["flags"] = chance.integers(0, 32, count)

    def _seldom(self, array: np.ndarray[Any, Any], chance: np.random.Generator) -> None:
        kind = array["kind"]
        level = (kind == events.LEVEL) | (kind == events.QUOTE)
        array["reference"][level] = chance.integers(0, 4, level.sum())
        array["quantity"][level] = chance.integers(0, 60, level.sum())
        clear = kind == events.CLEAR
        array["side"][clear & (chance.random(len(array)) < 0.3)] = 0
        array["price"][clear & (chance.random(len(array)) < 0.3)] = 0
        array["instrument"][(kind > events.CLEAR) & (chance.random(len(array)) < 0.3)] = ALL

    def _spoil(self, array: np.ndarray[Any, Any], chance: np.random.Generator) -> None:
        """Any field of a share of the events becomes any number, rather often a telling one."""
        for name in EVENT.names or ():
            kind = EVENT[name]
            spoiled = np.flatnonzero(chance.random(len(array)) < self.garbage)
            bits = chance.integers(-(2**63), 2**63 - 1, len(spoiled))
            edges = chance.choice(np.array(EDGES), len(spoiled))
            near = array[name][spoiled].astype(np.int64) + chance.integers(-2, 3, len(spoiled))
            which = chance.integers(0, 3, len(spoiled))
            array[name][spoiled] = np.choose(which, [bits, edges, near]).astype(kind)
