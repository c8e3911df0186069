"""What a run keeps while it goes on, and what is asked of it afterwards: every driver's alike.

    class Backtest(Keeping)                 a tape through the engine
    class Recording(Keeping)                a runner's journal through the engine

    run.parts[0].fills, .orders, ...        of each strategy
    run.fills, run.orders, run.equity       of all together
    run.with_middles, run.markouts          the market around fills, which each driver knows its way

The logs of the engine are bounded: a driver calls `_take_logs` before they are full. Worst case:
what is kept beyond some 32 MB of each kind lies in files (`recorder.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from hftlib.core.parents import PARENT
from hftlib.engine.leavings import Leavings, merged
from hftlib.engine.log import EQUITY, MARKOUT
from hftlib.engine.memory import FOREVER
from hftlib.engine.recorder import Recorder, stacked
from hftlib.engine.session import Session
from hftlib.engine.watching import WATCH

LOG_MAX = 1 << 16
Array = np.ndarray[Any, Any]


class Keeping(ABC):
    """The logs of one run, as far as they were taken away."""

    def __init__(self, session: Session, every_ns: int) -> None:
        self.session = session
        self._watch = self._watching(every_ns, len(session.instruments))
        samples = zip(session.seats, self._samples, strict=False)
        self.parts = [Leavings(seat, rows) for seat, rows in samples]

    @property
    def fills(self) -> Array:
        """Every fill of all strategies, as it reached us."""
        return self.with_middles(merged([one.fills for one in self.parts], "received"))

    @property
    def orders(self) -> Array:
        """Every order at its end, then those still open: one strategy's after another's."""
        return merged([one.orders for one in self.parts], "id")

    @property
    def refusals(self) -> Array:
        """Every order that never left us, with the limit and what was seen."""
        return merged([one.refusals for one in self.parts], "sent")

    @property
    def changes(self) -> Array:
        """Every change of a trading state or a limit."""
        count = int(self.session.arena["risk"]["changes"][0])
        return self.session.arena["changes"][:count].copy()

    @property
    def parents(self) -> Array:
        """Every parent order at its end, then those that are not over, by strategy."""
        return stacked([one.parents for one in self.parts], PARENT)

    @property
    def equity(self) -> Array:
        """The samples of what all strategies hold together."""
        return self.parts[0].equity if len(self.parts) == 1 else self._together.rows()

    @abstractmethod
    def with_middles(self, fills: Array) -> Array:
        """A copy of fills with the middle of the book just before each, where it is known."""

    @property
    @abstractmethod
    def markouts(self) -> Array:
        """The middle of the book after fills; horizons counted from 0."""

    @property
    @abstractmethod
    def steps(self) -> int:
        """How much was done, as its driver counts it."""

    @property
    @abstractmethod
    def dropped(self) -> int:
        """Markouts that were left out."""

    def _take_logs(self) -> None:
        for part, watch in zip(self.parts, self._watch, strict=False):
            part.take(watch)
        watch = self._watch[-1]
        self._together.take(self._samples[-1][: int(watch["equity_used"])])
        watch["equity_used"] = 0
        watch = self._watch[0]
        self._marks.take(self._markouts[: int(watch["markouts_used"])])
        watch["markouts_used"] = 0

    def _watching(self, every_ns: int, instruments: int) -> Array:
        """A watch for each strategy and one for all; the first one's markouts are those of all."""
        made = np.zeros(len(self.session.seats) + 1, WATCH)
        self._samples = [np.zeros(LOG_MAX + 2 * instruments, EQUITY) for _ in made]
        self._together = Recorder(EQUITY)
        self._markouts, self._marks = np.zeros(LOG_MAX, MARKOUT), Recorder(MARKOUT)
        made["every"], made["next_sample"], made["next_due"] = every_ns, FOREVER, FOREVER
        for watch, rows in zip(made, self._samples, strict=True):
            watch["equity"], watch["equity_max"] = rows.ctypes.data, len(rows)
        first = made[0]
        first["markouts"], first["markouts_max"] = self._markouts.ctypes.data, LOG_MAX
        return made
