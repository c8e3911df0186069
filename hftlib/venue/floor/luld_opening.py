"""Limit up, limit down, as a file asks for it: settings in, memory out, and when to look next.

    [luld]
    tier_2 = ["BBB"]                 # all others are of tier 1
    doubled = ["09:30:00-09:45:00", "15:35:00-16:00:00"]

    watch = LuldWatch(configuration.luld, symbols, first)
    watch.next_at(), watch.turn(exchange)          watch.counts, watch.state_of(n)

Worst case: 10 KB for each symbol.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.venue.floor import luld
from hftlib.venue.floor.market_tables import LuldTable, nanoseconds

NEVER = 1 << 62
SECOND_NS, MS_NS = 1_000_000_000, 1_000_000


class LuldWatch:
    """The watch over all symbols of an exchange."""

    def __init__(self, given: LuldTable, symbols: Sequence[str], first: int) -> None:
        size = luld.LULD.itemsize + len(symbols) * luld.ROW.itemsize
        self.memory = np.zeros(size // 8, np.int64).view(np.uint8)
        self.record = self.memory[: luld.LULD.itemsize].view(luld.LULD)
        self.rows = self.memory[luld.LULD.itemsize :].view(luld.ROW)
        spans = [nanoseconds(clock) for span in given.doubled for clock in span.split("-")]
        self.record["doubled"][0][: len(spans)] = spans
        self.record["symbols"], self.record["window"] = len(symbols), given.window_seconds
        self.record["begin"], self.record["end"] = nanoseconds(given.begin), nanoseconds(given.end)
        self.record["every"] = given.look_ms * MS_NS
        self.record["next"] = first + given.look_ms * MS_NS
        self.record["move"] = round(given.move_percent * 100)
        for name in ("hold", "limit", "pause", "gather"):
            self.record[name] = round(getattr(given, f"{name}_seconds") * SECOND_NS)
        self.rows["tier"] = [2 if name in given.tier_2 else 1 for name in symbols]

    def next_at(self) -> int:
        """When the market is looked at next."""
        return int(self.record["next"][0])

    def turn(self, exchange: Any) -> None:
        """A look, at the time it is due."""
        luld.look(exchange.floor, self.memory.ctypes.data, self.next_at())

    @property
    def counts(self) -> dict[str, int]:
        return {f"luld_{name}": int(self.record[name][0]) for name in luld.COUNTS}

    def state_of(self, n: int) -> str:
        """Of the symbol in that row, in words."""
        return luld.STATES[int(self.rows["state"][n])]


class NoWatch:
    """An exchange without bands of its own making."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def next_at(self) -> int:
        return NEVER

    def turn(self, exchange: Any) -> None:
        raise AssertionError("it is never due")


def watching(configuration: Any, first: int) -> LuldWatch | NoWatch:
    """What the file asks for."""
    if configuration.luld is None:
        return NoWatch()
    return LuldWatch(configuration.luld, [one.name for one in configuration.symbols], first)
