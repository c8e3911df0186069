"""Prices and quantities of an instrument as people read them, from the whole numbers inside.

A price is the float nearest to its exact value; a quantity is an int where lots are whole (shares,
contracts), else such a float. Texts are exact: no more decimals than needed, all the same.

Worst case: a unit that is no decimal number (1/7) shows as a float of nine digits.
"""

from __future__ import annotations

from collections.abc import Iterable

from hftlib.core.instruments import Instrument
from hftlib.core.units import Unit

_NOUNS = {"equity": "shares", "future": "contracts"}


class Amounts:
    """How one instrument's amounts turn into numbers and text."""

    def __init__(self, instrument: Instrument) -> None:
        self._price, self._lot = instrument.price_unit, instrument.lot_unit
        self._tick = instrument.tick
        self._whole_lots = instrument.lot_unit.size.denominator == 1
        self.price_head = f"price {instrument.currency}".strip()
        self.quantity_head = _NOUNS.get(instrument.kind, "quantity")

    def price(self, count: float, parts: int = 1) -> float:
        """Of so many price units, or so many parts of one."""
        size = self._price.size
        return count * size.numerator / (size.denominator * parts)

    def quantity(self, count: int) -> int | float:
        size = self._lot.size
        return count * size.numerator if self._whole_lots else _float(self._lot, count)

    def decimals(self, counts: Iterable[int]) -> int:
        """The fewest decimals that write the tick and all these prices."""
        return max(_decimals(self._price, count) for count in (self._tick, *counts))

    def price_text(self, count: int, decimals: int) -> str:
        if self._price.decimals is None:
            return f"{_float(self._price, count):,.9g}"
        return f"{self._price.value(count):,.{decimals}f}"

    def told(self, quantity: int, price: int) -> str:
        """So much at a price, in one breath: 100 @ 289.47."""
        return f"{self.quantity_text(quantity)} @ {self.price_text(price, self.decimals((price,)))}"

    def mid_text(self, bid: int, ask: int) -> str:
        """The middle of two prices, which may need more decimals than they do."""
        half = Unit(self._price.size / 2)
        decimals = max(self.decimals((bid, ask)), _decimals(half, bid + ask))
        if half.decimals is None:
            return f"{_float(half, bid + ask):,.9g}"
        return f"{half.value(bid + ask):,.{decimals}f}"

    def quantity_text(self, count: int) -> str:
        if self._lot.decimals is None:
            return f"{_float(self._lot, count):,.9g}"
        return f"{self._lot.value(count):,f}"


def _decimals(unit: Unit, count: int) -> int:
    """The digits behind the point that this value needs; 0 where none suffice."""
    if not unit.decimals:
        return 0
    return len(unit.text(count).rstrip("0").partition(".")[2])


def _float(unit: Unit, count: int) -> float:
    # Python rounds the quotient of two ints of any size correctly.
    return count * unit.size.numerator / unit.size.denominator
