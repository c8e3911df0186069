"""How close a backtest came to a session: decisions, fills, waits, P&L; each as one number.

    close = closeness(session, backtest, pairs)
    close.fills          the share of what either filled that both did, order by order

Worst case: a few arrays as long as the orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.research.parity.aligning import Pairs
from hftlib.research.sheets import Sheet

Array = np.ndarray[Any, Any]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Closeness:
    """One backtest beside the session; shares from 0, nothing, to 1, all."""

    decisions: float  # orders in pairs
    same_price: float  # of the pairs, those of the same price and quantity
    fills: float
    fill_time_us: float  # of pairs that both filled: median difference of when
    pnl_gap: float  # backtest less session, in the currency

    def figures(self) -> dict[str, float]:
        return {
            "decisions that both took, %": 100 * self.decisions,
            "of these at the same price and size, %": 100 * self.same_price,
            "filled quantity that both filled, %": 100 * self.fills,
            "first fill apart, median us": self.fill_time_us,
            "backtest P&L less the session's": self.pnl_gap,
        }


def closeness(session: Any, backtest: Any, pairs: Pairs, currency: str) -> Closeness:
    """Of all instruments and strategies together."""
    here, there = session.records["orders"], backtest.records["orders"]
    mine, theirs = here[pairs.session], there[pairs.backtest]
    same = (mine["price"] == theirs["price"]) & (mine["quantity"] == theirs["quantity"])
    return Closeness(
        decisions=pairs.shared,
        same_price=float(same.mean()) if len(same) else NAN,
        fills=_fills(here, there, pairs),
        fill_time_us=_apart(session, backtest, pairs),
        pnl_gap=_pnl(backtest, currency) - _pnl(session, currency),
    )


def closeness_sheet(closes: dict[str, Closeness]) -> Sheet:
    """A column for each backtest."""
    figures = {name: one.figures() for name, one in closes.items()}
    rows = [
        (what, *(None if np.isnan(one[what]) else one[what] for one in figures.values()))
        for what in next(iter(figures.values()))
    ]
    return Sheet("How close to the session", ("", *figures), rows)


def _fills(here: Array, there: Array, pairs: Pairs) -> float:
    filled, other = here["filled"][pairs.session], there["filled"][pairs.backtest]
    both = float(np.minimum(filled, other).sum())
    either = float(np.maximum(filled, other).sum())
    either += float(here["filled"][pairs.only_session].sum())
    either += float(there["filled"][pairs.only_backtest].sum())
    return both / either if either else 1.0


def _apart(session: Any, backtest: Any, pairs: Pairs) -> float:
    """How far apart pairs were first filled, counted from when each order left."""
    first, other = _first_fills(session), _first_fills(backtest)
    here, there = session.records["orders"], backtest.records["orders"]
    made = []
    for mine, theirs in zip(here[pairs.session], there[pairs.backtest], strict=True):
        if int(mine["id"]) in first and int(theirs["id"]) in other:
            waited = first[int(mine["id"])] - int(mine["sent"])
            made.append(abs(waited - other[int(theirs["id"])] + int(theirs["sent"])))
    return float(np.median(made)) / 1_000 if made else NAN


def _first_fills(result: Any) -> dict[int, int]:
    """When we heard of an order's first fill."""
    fills = result.records["fills"]
    return dict(zip(fills["order"][::-1].tolist(), fills["received"][::-1].tolist(), strict=True))


def _pnl(result: Any, currency: str) -> float:
    total = result.stats.totals.get(currency)
    return float(total["pnl_net"]) if total else 0.0
