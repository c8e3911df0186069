"""What one strategy of a run leaves behind: its orders, fills, refusals, samples, parent orders.

The engine's logs are emptied every few milliseconds into recorders. Rows of one strategy stay in
the order in which things reached it; `merged` lays several strategies' rows into one line of time.

Worst case: rows beyond some 32 MB lie in files (`recorder.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.core.orders import FILL, FREE, ORDER, OVER
from hftlib.core.parents import PARENT
from hftlib.engine.log import EQUITY
from hftlib.engine.recorder import Recorder, copied, room_for, stacked
from hftlib.engine.seating import Seat

Array = np.ndarray[Any, Any]
UNTOLD_MAX = 1 << 10  # refusals that wait to be told; of more, the oldest are not


class Leavings:
    """The logs of one seat, as taken away so far."""

    def __init__(self, seat: Seat, equity: Array) -> None:
        self.seat, self._equity = seat, equity
        self._logs = {
            "fills": Recorder(FILL),
            "ended": Recorder(ORDER),
            "refusals": Recorder(ORDER),
            "parents": Recorder(PARENT),
            "equity": Recorder(EQUITY),
        }

    def take(self, watch: Any) -> None:
        """Empty the engine's logs."""
        seat, execution = self.seat, self.seat["execution"][0]
        for name in ("fills", "ended"):
            self._logs[name].take(seat[name][: int(execution[name])])
            execution[name] = 0
        self._take_refusals()
        parents = seat["parents"][0]
        self._logs["parents"].take(seat["parents_ended"][: int(parents["logged"])])
        parents["logged"] = 0
        self._logs["equity"].take(self._equity[: int(watch["equity_used"])])
        watch["equity_used"] = 0

    def _take_refusals(self) -> None:
        """What the strategy has not heard of stays: it is told at its next call, however late."""
        session, rows = self.seat["session"][0], self.seat["refusals"]
        told, count = int(session["refusals_told"]), int(session["refusals"])
        self._logs["refusals"].take(rows[int(session["refusals_kept"]) : count])
        waits = min(count - told, UNTOLD_MAX)
        rows[:waits] = rows[count - waits : count].copy()
        session["refusals"] = session["refusals_kept"] = waits
        session["refusals_told"] = 0

    @property
    def fills(self) -> Array:
        """Every fill, in the order in which it heard of them."""
        return self._logs["fills"].rows()

    @property
    def orders(self) -> Array:
        """Every order at its end and those still open, by number."""
        table = self.seat["own_orders"]
        still = table[(table["state"] > FREE) & (table["state"] < OVER)]
        ended = self._logs["ended"].rows()
        made = room_for(len(ended) + len(still), ORDER)
        made[: len(ended)], made[len(ended) :] = ended, still
        return copied(made, np.argsort(made["id"], kind="stable"))

    @property
    def refusals(self) -> Array:
        """Every order that never left us, with the limit and what was seen."""
        return self._logs["refusals"].rows()

    @property
    def parents(self) -> Array:
        """Every parent order at its end, then those that are not over."""
        table = self.seat["parent_rows"]
        still = table[(table["id"] != 0) & (table["done"] == 0)]
        return stacked([self._logs["parents"].rows(), still], PARENT)

    @property
    def equity(self) -> Array:
        return self._logs["equity"].rows()


def merged(parts: Sequence[Array], clock: str) -> Array:
    """The rows of several strategies in one line of time; at equal times in their order."""
    if len(parts) == 1:
        return parts[0]
    made = stacked(parts, parts[0].dtype)
    return copied(made, np.argsort(made[clock], kind="stable"))
