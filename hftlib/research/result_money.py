"""Counts of price units and lots as floats in currency and units: the edge of a result.

Inside, money counts price unit times lot unit of its instrument; outside it is in the currency.
Each instrument has its own scale, a ratio of two whole numbers: what is multiplied and divided by
its two terms in float64 is the nearest float as long as the product is below 2**53.

A contract's multiplier, where the table has one, belongs to its money: a price of 1 and a quantity
of 1 are worth that much. Worst case: beyond 2**53 the last digit may be off by one.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from hftlib.book.reading import NO_PRICE
from hftlib.core.instruments import Instruments

Array = np.ndarray[Any, Any]
_MULTIPLIER_UNIT = 10**6
# A sum of two prices of which one is missing is far below anything a price can be.
UNKNOWN_BELOW = NO_PRICE // 2


class Scales:
    """What a count is worth, by the instrument's row."""

    def __init__(self, instruments: Instruments) -> None:
        rows = len(instruments)
        self.terms = {name: np.ones((2, rows)) for name in ("price", "lot", "money")}
        self.multiplier = np.ones(rows)
        known: dict[tuple[int, ...], dict[str, Fraction]] = {}
        table = instruments.table
        for row in range(rows):
            one = table[row]
            parts = tuple(
                int(one[name])
                for name in (
                    *("price_unit_over", "price_unit_under", "lot_unit_over", "lot_unit_under"),
                    "multiplier",
                )
            )
            if parts not in known:
                known[parts] = ratios_of(*parts)
            for name, ratio in known[parts].items():
                self.terms[name][:, row] = ratio.numerator, ratio.denominator
            self.multiplier[row] = (parts[-1] or _MULTIPLIER_UNIT) / _MULTIPLIER_UNIT

    def prices(self, counts: Array, rows: Array) -> Array:
        """Prices in the currency."""
        return self._scaled("price", counts, rows)

    def mids(self, twice: Array, rows: Array) -> Array:
        """Middles in the currency, of best bid plus best ask; NaN where it is not known."""
        values = self._scaled("price", twice, rows) / 2
        return np.where(twice < UNKNOWN_BELOW, np.nan, values)

    def quantities(self, counts: Array, rows: Array) -> Array:
        """Quantities in shares, coins or contracts."""
        return self._scaled("lot", counts, rows)

    def money(self, counts: Array, rows: Array) -> Array:
        """Money in the currency, of counts of price unit times lot unit."""
        return self._scaled("money", counts, rows)

    def multipliers(self, rows: Array) -> Array:
        """What a price of 1 times a quantity of 1 is worth: 1, but for contracts."""
        return self.multiplier[rows]

    def _scaled(self, name: str, counts: Array, rows: Array) -> Array:
        over, under = self.terms[name]
        return np.asarray(counts * over[rows] / under[rows], np.float64)


def ratios_of(
    price_over: int, price_under: int, lot_over: int, lot_under: int, multiplier: int
) -> dict[str, Fraction]:
    price, lot = Fraction(price_over, price_under), Fraction(lot_over, lot_under)
    # A table written before there were multipliers has 0 there.
    worth = Fraction(multiplier or _MULTIPLIER_UNIT, _MULTIPLIER_UNIT)
    return {"price": price, "lot": lot, "money": price * lot * worth}
