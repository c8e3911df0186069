"""The statistics behind the stylised facts: pure functions of arrays, NaN where nothing is known.

Times are ns since the epoch, spans are [begin, end). Worst case: each sorts its input once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

QUANTILES = (10, 25, 50, 75, 90, 99)
SIGN_LAGS = (1, 2, 5, 10, 20)
SECOND = 10**9
_NAN = float("nan")


def quantiles(values: np.ndarray[Any, Any]) -> dict[int, float]:
    if not len(values):
        return dict.fromkeys(QUANTILES, _NAN)
    found = np.quantile(values, [q / 100 for q in QUANTILES])
    return dict(zip(QUANTILES, map(float, found), strict=True))


def weighted(values: np.ndarray[Any, Any], weights: np.ndarray[Any, Any]) -> dict[int, float]:
    if not weights.any():
        return dict.fromkeys(QUANTILES, _NAN)
    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order])
    places = np.searchsorted(sums, [sums[-1] * q / 100 for q in QUANTILES])
    found = values[order][np.minimum(places, len(values) - 1)]
    return dict(zip(QUANTILES, map(float, found), strict=True))


def fano(times: np.ndarray[Any, Any], begin: int, end: int, window_ns: int) -> float:
    """From the windows that hold something; the empty ones are counted, not stored."""
    windows = (end - begin) // window_ns
    index = (times - begin) // window_ns
    _, counts = np.unique(index[index < windows], return_counts=True)
    if windows < 2 or not counts.any():
        return _NAN
    mean = counts.sum() / windows
    return float(((counts**2).sum() / windows - mean**2) / mean)


def spreads(
    insides: np.ndarray[Any, Any], begin: int, end: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Each spread in ticks, and for how long it stood within the span; one-sided books apart."""
    since = np.clip(insides["time"], begin, end)
    lasting = np.diff(since, append=end)
    both = (insides["bid"] > 0) & (insides["ask"] > 0)
    return (insides["ask"] - insides["bid"])[both], lasting[both]


def variance(insides: np.ndarray[Any, Any], begin: int, end: int, every_ns: int) -> float:
    """Of the mid, in square ticks a second, from samples this far apart."""
    both = insides[(insides["bid"] > 0) & (insides["ask"] > 0)]
    grid = np.arange(begin + every_ns, end, every_ns)
    places = np.searchsorted(both["time"], grid, side="right") - 1
    places = places[places >= 0]
    if len(places) < 3:
        return _NAN
    middle = (both["bid"] + both["ask"])[places] / 2
    return float((np.diff(middle) ** 2).mean() / (every_ns / SECOND))


def sign_correlation(trades: np.ndarray[Any, Any], begin: int, end: int) -> dict[int, float]:
    mine = trades[(trades["time"] >= begin) & (trades["time"] < end) & (trades["sign"] != 0)]
    # What one taker does at once is one trade, however many orders it hits.
    new = np.r_[True, np.diff(mine["time"]) > 0][: len(mine)]
    signs = mine["sign"][new].astype(float)
    signs -= signs.mean() if len(signs) else 0.0
    spread = float((signs**2).sum())
    return {
        lag: float((signs[:-lag] * signs[lag:]).sum() / spread)
        if spread and len(signs) > lag
        else _NAN
        for lag in SIGN_LAGS
    }
