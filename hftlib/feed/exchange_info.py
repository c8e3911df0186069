"""What a Binance-like venue says of its symbols (exchangeInfo): the units a depth stream needs.

    DepthSource(stream, symbol="BTCUSDT", **units_of("exchangeInfo.json", "BTCUSDT"))

Prices count the tick size. Quantities count the last decimal of the base asset, not the step of
orders: a book holds remainders smaller than the step, which becomes `round_lot`. The file is the
answer itself, or a recording whose line ends in it. Worst case: the file is read whole, some 2 MB.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.units import Unit


def units_of(path: str | Path, symbol: str) -> dict[str, Any]:
    """price_unit, lot_unit, round_lot and currency of a symbol, as `DepthSource` takes them."""
    try:
        text = Path(path).read_text()
    except (OSError, ValueError) as error:
        raise _wrong(path, f"This file cannot be read: {error}") from None
    try:
        found, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
        (one,) = (row for row in found["symbols"] if row["symbol"] == symbol.upper())
        filters = {row["filterType"]: row for row in one["filters"]}
        lot = Unit(f"1e-{int(one.get('baseAssetPrecision', one.get('quantityPrecision')))}")
        return {
            "price_unit": str(Unit(filters["PRICE_FILTER"]["tickSize"])),
            "lot_unit": str(lot),
            "round_lot": lot.count(filters["LOT_SIZE"]["stepSize"], field="stepSize"),
            "currency": str(one["quoteAsset"]),
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise _wrong(path, f"This file does not say the units of {symbol}") from None


def _wrong(path: str | Path, what: str) -> InputError:
    do = "Give the venue's answer to exchangeInfo, and a symbol that is in it."
    return InputError(what, where=str(path), do=do)
