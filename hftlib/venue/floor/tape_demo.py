"""An exchange for a tape and no file: what `hft exchange --tape day.tape` runs.

Its symbols are the tape's, the busiest first; the accounts are the demo's. A price to begin with is
the first at which the tape trades a symbol, or the first at which somebody wanted to.

Worst case: of a tape of more than SYMBOLS_MAX instruments the quieter ones are left out, of each
LOOKED_AT events are looked at for a price.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.feed.tape_reading import TapeFile
from hftlib.venue.floor.configuration import PRICE_UNITS, Configuration, checked
from hftlib.venue.floor.demo import ACCOUNTS
from hftlib.venue.floor.tape_opening import names_of, scale_of

SYMBOLS_MAX, LOOKED_AT = 10_000, 4_096
ORDERS_MAX = 1 << 17
ZONE = "America/New_York"


def of_tape(path: str, speed: float = 1.0, **market: Any) -> Configuration:
    """The configuration; at another speed than the wall's, its clock begins with the tape."""
    tape = TapeFile(path)
    symbols = _symbols(tape)
    if not symbols:
        raise InputError(
            "It has no instrument that can be traded here",
            where=f"the tape {path}",
            do="Name a tape of shares, with prices that are multiples of 0.0001.",
        )
    tables: dict[str, Any] = {
        "exchange": {"orders_max": ORDERS_MAX},
        "symbols": symbols,
        "firms": [{"name": "FRM1"}, {"name": "FRM2"}],
        "accounts": ACCOUNTS,
        "market": {"flow": "tape", "tape": path} | market,
    }
    if speed != 1.0:
        begun = datetime.fromtimestamp(tape.begin // 10**9, UTC).astimezone(ZoneInfo(ZONE))
        tables["clock"] = {"pace": "faster", "speed": speed, "date": begun.date().isoformat()}
        tables["clock"]["start"] = market.get("tape_from") or begun.strftime("%H:%M:%S")
    return checked(tables, f"the tape {path}")


def _symbols(tape: TapeFile) -> list[dict[str, Any]]:
    table, names = tape.instruments.table, names_of(tape.instruments)
    counts = np.diff(tape.starts)[: len(table)]
    found: dict[str, dict[str, Any]] = {}
    for row in np.argsort(-counts, kind="stable").tolist():
        name, scale = names[row], scale_of(tape.instruments, row)
        fits = 0 < len(name) <= 8 and name.isascii() and name.isprintable() and " " not in name
        if not counts[row] or not scale or not fits or name in found:
            continue
        # A tape that knows no tick may have prices that are no cents; a cent's grid would refuse.
        tick = max(int(table["tick"][row]) * scale, 1)
        price = max(_first_price(tape, row) * scale // tick, -(-PRICE_UNITS // tick)) * tick
        money = {"reference_price_money": _money(price), "tick_money": _money(tick)}
        found[name] = {"name": name, "round_lot_shares": 100} | money
        if len(found) == SYMBOLS_MAX:
            break
    return list(found.values())


def _first_price(tape: TapeFile, row: int) -> int:
    told = tape.events[tape.positions_of(row)[:LOOKED_AT].astype(np.int64)]
    for kinds in ((events.TRADE, events.CROSS, events.EXECUTE), (events.ADD, events.LEVEL)):
        priced = told[np.isin(told["kind"], kinds) & (told["price"] > 0)]
        if len(priced):
            return int(priced["price"][0])
    return 0


def _money(units: int) -> str:
    return f"{units // PRICE_UNITS}.{units % PRICE_UNITS:04d}"
