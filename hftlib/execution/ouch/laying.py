"""How an OUCH gateway is laid into memory, its settings checked.

Worst case: an instrument whose prices or lots the venue cannot express is refused by name.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instrument, Instruments
from hftlib.core.orders import COMMAND
from hftlib.core.records import rounded_up
from hftlib.core.units import is_whole, shown
from hftlib.execution.ouch import memory as m

SECOND_NS = 1_000_000_000
WIRE_PRICE = Fraction(1, 10_000)
TRADES_KEPT = 1 << 12
_RANGES = {
    "orders_max": (1, 1 << 20),
    "entries_max": (1, 1 << 24),
    "window_max": (0, 1 << 20),
    "window_reserve": (0, 1 << 20),
    "window_ns": (1, 1 << 60),
    "resend_ns": (0, 1 << 60),
    "query_ns": (1, 1 << 60),
    "day_start": (0, 1 << 62),
}


def gateway_memory(
    instruments: Instruments,
    *,
    venue: str,
    firm: str,
    capacity: str,
    is_dropping: bool,
    is_reducing: bool,
    **settings: int,
) -> np.ndarray[Any, Any]:
    """The memory of a gateway for the instruments of one venue; its GATEWAY is first."""
    _check(settings, firm, capacity)
    orders, entries = settings["orders_max"], settings["entries_max"]
    window = settings["window_max"]
    parts: dict[str, tuple[np.dtype[Any], int]] = {
        "routes": (m.ROUTE, len(instruments)),
        "working": (m.WORKING, orders),
        "entries": (m.ENTRY, entries),
        "urgent": (COMMAND, 4 * orders),
        "others": (COMMAND, 4 * orders),
        "reports": (EVENT, 16 * orders + 64),
        "stamps": (np.dtype(np.int64), max(window, 1)),
        "trades": (m.TRADE, TRADES_KEPT),
    }
    places, size = {}, m.GATEWAY.itemsize
    for name, (dtype, count) in parts.items():
        places[name] = size
        size += rounded_up(dtype.itemsize * count, 64)
    memory = np.zeros(size // 8, np.int64).view(np.uint8)
    gateway = memory[: m.GATEWAY.itemsize].view(m.GATEWAY)
    for name, place in places.items():
        gateway[f"{name}_at"] = place
    gateway["instruments"], gateway["order_mask"] = len(instruments), orders - 1
    gateway["entry_mask"], gateway["queue_mask"] = entries - 1, 4 * orders - 1
    gateway["trade_mask"], gateway["reports_max"] = TRADES_KEPT - 1, parts["reports"][1]
    for name in ("window_ns", "window_max", "window_reserve", "resend_ns", "query_ns", "day_start"):
        gateway[name] = settings[name]
    gateway["drops_orders"], gateway["reduces"] = is_dropping, is_reducing
    gateway["capacity"] = ord(capacity)
    gateway["firm"] = np.frombuffer(firm.encode().ljust(4), np.uint8)
    routes = memory[places["routes"] :][: len(instruments) * m.ROUTE.itemsize].view(m.ROUTE)
    for one in instruments:
        if one.venue == venue:
            _lay(routes, one)
    return memory


def _lay(routes: np.ndarray[Any, Any], one: Instrument) -> None:
    """One instrument: its symbol there, and how many of our price units are one of the venue's."""
    units = WIRE_PRICE / one.price_unit.size
    symbol = one.symbol.encode("ascii", "replace")
    if len(symbol) > 8 or units.denominator != 1 or one.lot_unit.size != 1:
        raise InputError(
            f"{one.symbol} cannot be traded by OUCH: it has symbols of up to 8 letters, prices "
            "in steps of 0.0001 and quantities in single shares",
            where=f"the instruments of {one.venue}",
            do="Give it a price unit that 0.0001 is a multiple of, and lots of one share.",
        )
    row = routes[one.row]
    row["symbol"] = np.frombuffer(symbol.ljust(8), np.uint8)
    row["units"], row["known"] = int(units), 1


def _check(settings: dict[str, int], firm: str, capacity: str) -> None:
    for name, value in settings.items():
        low, high = _RANGES[name]
        if not is_whole(value) or not low <= value <= high:
            raise _wrong(name, value, f"Give a whole number from {low:,} to {high:,}.")
        if name in ("orders_max", "entries_max") and value & (value - 1):
            raise _wrong(name, value, "Give a power of two.")
    if settings["entries_max"] < 4 * settings["orders_max"]:
        raise _wrong("entries_max", settings["entries_max"], "Give four times orders_max, or more.")
    if settings["window_max"] and settings["window_reserve"] >= settings["window_max"]:
        raise _wrong(
            "window_reserve", settings["window_reserve"], "Keep less than the whole window."
        )
    if not isinstance(firm, str) or not firm.isascii() or len(firm) > 4:
        raise _wrong("firm", firm, "Give up to four letters.")
    if capacity not in ("A", "P", "R", "O"):
        raise _wrong("capacity", capacity, "Give A agency, P principal, R riskless or O other.")


def _wrong(name: str, value: object, do: str) -> InputError:
    return InputError(f"{shown(value)} is no {name}", where=f"OuchGateway({name}=...)", do=do)
