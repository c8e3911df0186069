"""The equity at the end of a run: what came after the last sample would be in no curve otherwise.

Worst case: a row for each instrument of the tape, where they are few; else for those it traded.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.book.reading import NO_PRICE
from hftlib.engine.keeping import Keeping
from hftlib.engine.leavings import Leavings
from hftlib.engine.log import EQUITY
from hftlib.engine.seating import Seat
from hftlib.engine.watching import EVERY_MAX

Array = np.ndarray[Any, Any]


def with_last_sample(run: Keeping) -> Array:
    """The samples of a run, and one of the moment at which it ended: of all strategies together."""
    return np.concatenate([run.equity, _sampled(run.session.seats, run.equity)])


def part_with_last_sample(part: Leavings) -> Array:
    """The same of one strategy."""
    return np.concatenate([part.equity, _sampled([part.seat], part.equity)])


def _sampled(seats: Sequence[Seat], before: Array) -> Array:
    """What these hold together now, which is not before the last sample."""
    first, count = seats[0], len(seats[0].instruments)
    held = {
        name: np.sum([seat["positions"][name][:count] for seat in seats], axis=0)
        for name in ("quantity", "cash", "fees", "open_orders", "fills")
    }
    chosen = np.ones(count, bool)
    if count > EVERY_MAX:  # as the engine chooses whom to sample
        chosen = (held["fills"] > 0) | (held["open_orders"] > 0)
    rows = np.flatnonzero(chosen)
    last = np.zeros(len(rows), EQUITY)
    now = max(int(first["session"]["time"][0]), int(before["time"].max(initial=0)))
    last["time"], last["instrument"] = now, rows
    for name, column in (("position", "quantity"), ("cash", "cash"), ("fees", "fees")):
        last[name] = held[column][rows]
    markets = first["markets"][:count]
    last["open_orders"], last["volume"] = held["open_orders"][rows], markets["volume"][rows]
    bids, asks = markets["bid"][rows], markets["ask"][rows]
    last["twice_mid"] = np.where((bids == NO_PRICE) | (asks == NO_PRICE), NO_PRICE, bids + asks)
    return last
