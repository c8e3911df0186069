"""The equity at the end of a run: what came after the last sample would be in no curve otherwise.

Worst case: a row for each instrument of the tape, where they are few; else for those it traded.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.book.reading import NO_PRICE
from hftlib.engine.driving import Backtest
from hftlib.engine.log import EQUITY
from hftlib.engine.watching import EVERY_MAX


def with_last_sample(run: Backtest) -> np.ndarray[Any, Any]:
    """The samples of a run, and one of the moment at which it ended."""
    arena, count = run.session.arena, len(run.session.instruments)
    positions, markets = arena["positions"][:count], arena["markets"][:count]
    chosen = np.ones(count, bool)
    if count > EVERY_MAX:  # as the engine chooses whom to sample
        chosen = (positions["fills"] > 0) | (positions["open_orders"] > 0)
    rows = np.flatnonzero(chosen)
    last = np.zeros(len(rows), EQUITY)
    last["time"], last["instrument"] = arena["session"]["time"][0], rows
    for name, column in (("position", "quantity"), ("cash", "cash"), ("fees", "fees")):
        last[name] = positions[column][rows]
    last["open_orders"], last["volume"] = positions["open_orders"][rows], markets["volume"][rows]
    bids, asks = markets["bid"][rows], markets["ask"][rows]
    last["twice_mid"] = np.where((bids == NO_PRICE) | (asks == NO_PRICE), NO_PRICE, bids + asks)
    return np.concatenate([run.equity, last])
