"""What the market did at each step of time: prices of a result's samples, volatility and trend.

    market_of(result, ends)       one price for each step: the mean of its instruments, as changes
    volatility(prices, 30)        0, 1, 2: the lower, middle and upper third; the last 30 steps
    trend(prices, 30)             -1, 0, 1: falling, sideways, rising

Steps before the first window have neither. Prices that may be zero or negative, as of spreads, are
taken by their differences, all others by their relative changes. Worst case: a search of the steps
in each instrument's samples.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hftlib.core.errors import InputError

Array = np.ndarray[Any, Any]
SIDEWAYS = 0.5  # of the spread that such a window has by chance


def market_of(result: Any, ends: Any) -> Array:
    """A price index at each end of a step: 1 at first, moved by the mean change of the middles."""
    samples = result.records["equity"]
    at = np.asarray(ends.tz_convert("UTC").tz_localize(None).as_unit("ns").asi8, np.int64)
    moved = np.zeros(len(at))
    rows = np.unique(samples["instrument"])
    frame, counted = result.equity, 0
    for row in rows.tolist():
        mine = samples["instrument"] == row
        mids = np.asarray(frame["mid"], float)[mine]
        known = np.isfinite(mids) & (mids > 0)
        if not known.any():
            continue
        place = np.searchsorted(samples["time"][mine][known], at, side="right") - 1
        moved += np.log(mids[known][np.maximum(place, 0)])
        counted += 1
    if not counted:
        do = "Give market= with the price at each step."
        raise InputError("The result knows no price of its market", where="result", do=do)
    moved /= counted
    return np.exp(moved - moved[0])


def changes(prices: Array | None) -> Array:
    """What each step moved the price; the first one has no move."""
    known = np.zeros(1) if prices is None else prices
    scaled = np.log(known) if (known > 0).all() else known
    return np.diff(scaled, prepend=scaled[:1])


def volatility(prices: Array | None, window: int) -> Array:
    """The third in which the spread of the last `window` moves lies."""
    moves = changes(prices)
    made = np.full(len(moves), np.nan)
    if len(moves) <= window:
        return made
    squares = np.concatenate([np.zeros(1), np.cumsum(moves * moves)])
    spread = np.sqrt(np.maximum(squares[window + 1 :] - squares[1:-window], 0.0))
    if not np.ptp(spread):
        return made  # one volatility is no regime of three
    low, high = np.quantile(spread, [1 / 3, 2 / 3])
    made[window:] = (spread > low).astype(float) + (spread > high)
    return made


def trend(prices: Array | None, window: int) -> Array:
    """Whether the last `window` moves add up to more than they would by chance, and which way."""
    moves = changes(prices)
    made = np.full(len(moves), np.nan)
    chance = float(moves[1:].std()) * math.sqrt(window) if len(moves) > 1 else 0.0
    if len(moves) <= window or chance == 0.0:
        return made
    total = np.cumsum(moves)
    made[window:] = np.sign(np.trunc((total[window:] - total[:-window]) / (SIDEWAYS * chance)))
    return made
