"""Small sources and tapes by hand, for tests of whatever reads or writes tapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments

SECOND = 10**9
MIDNIGHT = 1_577_682_000 * SECOND  # 2019-12-30T00:00 in New York
OPEN = MIDNIGHT + 34_200 * SECOND


class ArraySource:
    """An array of events as a source, in chunks of any size; it may fail on the way."""

    is_one_stream = False

    def __init__(
        self,
        array: np.ndarray[Any, Any],
        instruments: Instruments | None = None,
        chunk: int = 65_536,
        fails: BaseException | None = None,
    ) -> None:
        self.name = "by hand"
        self.instruments = instruments or two_stocks()
        self.counts = {"messages": len(array)}
        self.share_done = 0.0
        self._array, self._chunk, self._fails = array, chunk, fails

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        for first in range(0, len(self._array), self._chunk):
            # One buffer for all, as real sources have it: each is valid until the next.
            yield self._array[first : first + self._chunk].copy()
            self.share_done = min(1.0, (first + self._chunk) / len(self._array))
        if self._fails:
            raise self._fails


def two_stocks() -> Instruments:
    made = Instruments()
    for symbol in ("AAPL", "MSFT"):
        made.add(symbol, venue="XNAS", calendar="XNAS", tick=100, round_lot=100)
    return made


def event(kind: str, **fields: Any) -> np.ndarray[Any, Any]:
    """One event: `event("ADD", time=OPEN, reference=7, side=1, price=100, quantity=5)`."""
    made = np.zeros(1, EVENT)
    made["kind"] = events.KINDS.index(kind)
    made["flags"] = events.LAST
    for name, value in fields.items():
        made[name] = value
    return made


def flow(count: int, seed: int = 1, rows: int = 2, orderly: bool = True) -> np.ndarray[Any, Any]:
    """Events of no market sense but of every kind, for what only stores and finds them."""
    chance = np.random.default_rng(seed)
    made = np.zeros(count, EVENT)
    steps = chance.integers(0 if orderly else -(10**6), 2 * 10**6, count)
    made["time"] = OPEN + np.cumsum(steps)
    made["received"] = made["time"] + 1000
    made["sequence"] = np.arange(1, count + 1)
    made["reference"] = chance.integers(1, 1 << 40, count)
    made["price"] = chance.integers(1, 1 << 20, count)
    made["quantity"] = chance.integers(1, 1000, count)
    made["instrument"] = chance.integers(0, rows, count)
    made["kind"] = chance.integers(1, len(events.KINDS), count)
    made["side"] = chance.integers(0, 3, count)
    made["flags"] = events.LAST
    return made


def highest_times(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The highest time so far at each event; notices and what is unreadable tell no time."""
    silent = np.isin(array["kind"], (events.NOTICE, events.UNREADABLE))
    times = np.where(silent, np.iinfo(np.int64).min, array["time"])
    return np.maximum.accumulate(times)
