"""The least that a strategy can do of market data: one order at each change of the book.

For `hft bench live --wire`. Worst case: it would trade, if its price were not far from the market.
"""

from __future__ import annotations

from typing import Any

import hftlib as hft


@hft.strategy
class OneOrder:
    """One order at each change of the book, some ticks below the bid, at once or never."""

    away_ticks: int = hft.param(5, low=1)
    lots: int = hft.param(100, low=1)

    def on_book(self, ctx: Any, i: int) -> None:
        b = ctx.book(i)
        if b.is_open and b.has_both:
            ctx.buy(i, b.bid - self.away_ticks * b.tick, self.lots, lasts=hft.IOC)
