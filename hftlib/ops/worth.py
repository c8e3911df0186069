"""What a position is in money, from whole numbers: the same for a runner and who reads its page.

    told = position_told(facts_of(seat, instrument), strategy, row, bid, ask)

`bid` and `ask` are whole price units, or None where the side is empty.
Worst case: a profit at the middle of a book with one side is not known: None.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

_MULTIPLIER_ONE = 10**6


def facts_of(seat: Any, one: Any) -> dict[str, Any]:
    """What of an instrument stays as it is all day, as plain values."""
    return {
        "symbol": one.symbol,
        "venue": one.venue,
        "currency": one.currency,
        "price_unit": str(Fraction(one.price_unit.size)),
        "lot_unit": str(Fraction(one.lot_unit.size)),
        "multiplier": int(seat.instruments.table[one.row]["multiplier"]) or _MULTIPLIER_ONE,
    }


def position_told(
    facts: Mapping[str, Any], strategy: str, row: Any, bid: int | None, ask: int | None
) -> dict[str, Any]:
    """What a strategy holds of an instrument, and what came of it at the middle of the book."""
    price, lot = Fraction(facts["price_unit"]), Fraction(facts["lot_unit"])
    times = Fraction(facts["multiplier"], _MULTIPLIER_ONE)
    quantity, cash, fees = (int(row[name]) for name in ("quantity", "cash", "fees"))
    profit: float | None = None
    if quantity == 0:
        profit = float((cash - fees) * price * lot * times)
    elif bid is not None and ask is not None:
        middle = Fraction(bid + ask, 2)
        profit = float((cash - fees + quantity * middle) * price * lot * times)
    return {
        "strategy": strategy,
        "symbol": facts["symbol"],
        "venue": facts["venue"],
        "quantity": float(quantity * lot),
        "bid": None if bid is None else float(bid * price),
        "ask": None if ask is None else float(ask * price),
        "multiplier": float(times),
        "profit": profit,
        "currency": facts["currency"],
        "open_orders": int(row["open_orders"]),
        "fills": int(row["fills"]),
    }
