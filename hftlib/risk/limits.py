"""Limits: what an order must keep to before it may leave, instrument by instrument.

    limits = hft.Limits(position=1_000, order_quantity=200, open_orders=20)
    limits = hft.Limits(position={"AAPL": 500}, order_value=1_000_000)

`checked` is the one question: 0, or the reason of `hftlib.core.orders` why not. The position is
counted as if every open order on its side were filled, so whatever happens it stays within.

Worst case: a limit that nobody set is the largest number there is; prices times quantities beyond
2**62 count as above any limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.events import BUY
from hftlib.core.instruments import Instrument
from hftlib.core.keywords import by_name
from hftlib.core.orders import (
    ORDER_TOO_LARGE,
    POSITION_TOO_LARGE,
    TOO_FAST,
    TOO_MANY_OPEN,
    VALUE_TOO_LARGE,
)
from hftlib.core.records import record
from hftlib.core.units import is_whole, shown

NO_LIMIT = 2**62
SECOND_NS = 1_000_000_000

LIMITS = record(
    "limits",
    64,
    """
    0   position        int64  the most that may be held, long or short, in lots
    8   order_quantity  int64  the most one order may ask for
    16  order_value     int64  the most one order may be worth, in money units
    24  open_orders     int64  how many may be open at once
    32  per_second      int64  commands in one second; a second begins with its first command
    40  second          int64  when the present second began
    48  in_second       int64  commands since
    """,
)
LIMITS_BYTES = LIMITS.itemsize


@jit.inlined
def checked(limits: Any, position: Any, side: int, quantity: int, price: int, more: int) -> int:
    """May `more` lots be added on this side, in an order of `quantity` at `price`?

    0, or the reason why not.
    """
    if quantity > limits.order_quantity:
        return ORDER_TOO_LARGE
    if more > room(limits, position, side):
        return POSITION_TOO_LARGE
    if position.open_orders >= limits.open_orders:
        return TOO_MANY_OPEN
    if float(quantity) * abs(float(price)) > float(limits.order_value):
        return VALUE_TOO_LARGE
    return 0


@jit.inlined
def room(limits: Any, position: Any, side: int) -> int:
    """How many lots more may be asked for on this side."""
    if side == BUY:
        return limits.position - position.quantity - position.open_buy
    return limits.position + position.quantity - position.open_sell


@jit.inlined
def in_time(limits: Any, time: int) -> int:
    """Count a command: 0, or the reason when there were too many in this second."""
    if time - limits.second >= SECOND_NS:
        limits.second = time
        limits.in_second = 0
    if limits.in_second >= limits.per_second:
        return TOO_FAST
    limits.in_second += 1
    return 0


_Each = int | Mapping[str, int] | None


@by_name
@dataclass(frozen=True, kw_only=True)
class Limits:
    """What an order must keep to. A number for all instruments, or a number for each symbol."""

    position: _Each = None
    order_quantity: _Each = None
    order_value: float | Mapping[str, float] | None = None
    open_orders: _Each = 64
    per_second: _Each = None

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            for value in given.values() if isinstance(given, Mapping) else (given,):
                whole = is_whole(value) or (field.name == "order_value" and _is_number(value))
                if value is not None and not (whole and 0 <= value <= NO_LIMIT):
                    raise InputError(
                        f"{shown(value)} is no limit",
                        where=f"Limits({field.name}=...)",
                        do="Give a whole number of lots, orders or commands, not below zero.",
                    )

    def lay(self, place: Any, instrument: Instrument) -> None:
        """Write the limits of one instrument into its LIMITS record."""
        place["second"], place["in_second"] = -NO_LIMIT, 0
        for field in fields(self):
            given = getattr(self, field.name)
            value = given.get(instrument.symbol) if isinstance(given, Mapping) else given
            if value is None:
                place[field.name] = NO_LIMIT
            elif field.name == "order_value":
                unit = instrument.price_size * instrument.lot_size
                place[field.name] = min(NO_LIMIT, round(value / unit))
            else:
                place[field.name] = value

    def require_symbols(self, symbols: list[str]) -> None:
        """Refuse a limit for a symbol that is not there: it would bind nobody."""
        for field in fields(self):
            given = getattr(self, field.name)
            for symbol in given if isinstance(given, Mapping) else ():
                if symbol not in symbols:
                    raise InputError(
                        f"There is no instrument {shown(symbol)} to limit",
                        where=f"Limits({field.name}=...)",
                        do=f"Use symbols of the tape, such as {', '.join(symbols[:5])}.",
                    )

    @property
    def text(self) -> str:
        """All that is limited, in one line."""
        told = ((field.name, getattr(self, field.name)) for field in fields(self))
        parts = [f"{name} {value}" for name, value in told if value is not None]
        return ", ".join(parts) or "none"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value
