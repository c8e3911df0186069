"""Orders of a session and of its backtest side by side: one row a decision.

Worst case: some 150 bytes a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core import orders as o
from hftlib.research.parity.aligning import Pairs

Array = np.ndarray[Any, Any]
BOTH, ONLY_SESSION, ONLY_BACKTEST = "both", "session", "backtest"


def decisions_frame(session: Any, backtest: Any, pairs: Pairs) -> Any:
    """Who sent it, what it asked for, what it got and when; NaN where one of them did not."""
    import pandas as pd

    here = np.concatenate([pairs.session, pairs.only_session, _none(pairs.only_backtest)])
    there = np.concatenate([pairs.backtest, _none(pairs.only_session), pairs.only_backtest])
    mine, theirs = _Side(session, here), _Side(backtest, there)
    market = np.where(here >= 0, pairs.session_times[here], pairs.backtest_times[there])
    order = np.argsort(market, kind="stable")
    times = pd.DatetimeIndex(market.view("datetime64[ns]"), tz="UTC").tz_convert(session.zone)
    who = np.where(there < 0, ONLY_SESSION, np.where(here < 0, ONLY_BACKTEST, BOTH))
    columns = {
        "heard": times,
        "symbol": mine.symbols(theirs),
        "side": np.array(events.SIDES)[np.where(here >= 0, mine["side"], theirs["side"])],
        "sent by": who,
        "takes": np.where(here >= 0, mine["lasts"], theirs["lasts"]) != o.DAY,
        **{f"{what}_session": values for what, values in mine.columns().items()},
        **{f"{what}_backtest": values for what, values in theirs.columns().items()},
    }
    return pd.DataFrame(columns).iloc[order].reset_index(drop=True)


def _none(places: Array) -> Array:
    return np.full(len(places), -1)


class _Side:
    """The orders of one result at some places; -1 is no order."""

    def __init__(self, result: Any, at: Array) -> None:
        found = result.records["orders"]
        self._at, self._there = at, at >= 0
        self._found = found[np.maximum(at, 0)] if len(found) else np.zeros(len(at), found.dtype)
        self._scales, self._names = result._grouping.scales, result.instruments.symbols
        self._ahead = _ahead_of(result)

    def __getitem__(self, name: str) -> Array:
        return np.asarray(self._found[name])

    def symbols(self, other: _Side) -> list[str]:
        rows = np.where(self._there, self["instrument"], other["instrument"]).tolist()
        return [self._names[row] for row in rows]

    def columns(self) -> dict[str, Array]:
        found, rows = self._found, self._found["instrument"].astype(np.int64)
        filled = found["filled"]
        average = self._scales.prices(found["value"], rows) / np.maximum(filled, 1)
        ahead = [self._ahead.get(number, np.nan) for number in found["id"].tolist()]
        made = {
            "price": self._scales.prices(found["price"], rows),
            "quantity": self._scales.quantities(found["quantity"], rows),
            "filled": self._scales.quantities(filled, rows),
            "average": np.where(filled > 0, average, np.nan),
            "ahead": self._scales.quantities(np.array(ahead, float), rows),
            "round_trip_us": np.where(
                found["accepted"] > 0, (found["accepted"] - found["sent"]) / 1_000, np.nan
            ),
        }
        return {name: np.where(self._there, values, np.nan) for name, values in made.items()}


def _ahead_of(result: Any) -> dict[int, int]:
    """What stood before an order when it got its place; of those that were filled standing."""
    fills = result.records["fills"]
    stood = fills[(fills["taker"] == 0) & (fills["entered"] > 0)]
    return dict(zip(stood["order"].tolist(), stood["ahead"].tolist(), strict=True))
