"""Events as a pandas DataFrame: for looking, plotting and for all that pandas does well.

Times become datetime64[ns, UTC], kinds and sides and symbols become categories, prices and
quantities floats in the instrument's currency and shares, beside the integers they were. A price
that says something else for its kind (the byte offset of an UNREADABLE) is left out, as are the
price 0 of an EXECUTE, which means its order's, and a receive time that is not known.

Worst case: some 150 bytes an event, so more than FRAME_EVENTS_MAX at once are refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.core.units import Unit, is_whole, shown
from hftlib.research.tape import Tape

FRAME_EVENTS_MAX = 20_000_000
_PRICED = (events.ADD, events.EXECUTE, events.REPLACE, events.TRADE, events.CROSS)
_PRICED_TOO = (events.LEVEL, events.QUOTE, events.IMBALANCE)
_SIZED = (*_PRICED, *_PRICED_TOO, events.CANCEL)
_MAY_BE_ZERO = (events.LEVEL, events.QUOTE)


def frame(tape: Tape, limit: int | None = None) -> Any:
    """The first `limit` events of the tape, or all of them, by position."""
    import pandas

    if limit is not None and (not is_whole(limit) or limit < 0):
        what = f"{shown(limit)} is no number of events"
        raise InputError(what, where="tape.frame(limit)", do="Give a whole number, or none.")
    count = len(tape) if limit is None else min(int(limit), len(tape))
    if count > FRAME_EVENTS_MAX:
        raise InputError(
            f"{count:,} events are more than a frame should hold, {FRAME_EVENTS_MAX:,}",
            where=repr(tape),
            do="Slice the tape by time or instrument first, or say how many: frame(limit=...).",
        )
    part = Tape(tape.selection.part(0, count))
    found, table = part.events, tape.instruments
    prices, sizes = amounts(found, table)
    symbols = _category(found["instrument"], table.symbols)
    return pandas.DataFrame(
        {
            "time": pandas.to_datetime(found["time"], utc=True),
            "received": _known_times(found["received"]),
            "sequence": found["sequence"],
            "symbol": symbols,
            "kind": _category(found["kind"], list(events.KINDS)),
            "side": _category(found["side"], list(events.SIDES)),
            "price": prices,
            "quantity": sizes,
            "reference": found["reference"],
            "other": found["other"],
            "flags": found["flags"],
            "price_units": found["price"],
            "lots": found["quantity"],
            "instrument": found["instrument"],
        },
        index=pandas.Index(np.array(part.positions), name="position"),
    )


def amounts(
    found: np.ndarray[Any, Any], table: Instruments
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Prices and quantities as floats; not a number where the kind has none."""
    prices, sizes = np.full(len(found), np.nan), np.full(len(found), np.nan)
    kind, price, rows = found["kind"], found["price"], found["instrument"]
    priced = np.isin(kind, (*_PRICED, *_PRICED_TOO)) & ((price != 0) | np.isin(kind, _MAY_BE_ZERO))
    sized = np.isin(kind, _SIZED)
    for over, under, row in _units(table, "price_unit"):
        chosen = priced & row[np.minimum(rows, len(table))]
        prices[chosen] = Unit(f"{over}/{under}").values(price[chosen])
    for over, under, row in _units(table, "lot_unit"):
        chosen = sized & row[np.minimum(rows, len(table))]
        sizes[chosen] = Unit(f"{over}/{under}").values(found["quantity"][chosen])
    return prices, sizes


def _units(table: Instruments, name: str) -> list[tuple[int, int, np.ndarray[Any, Any]]]:
    """Each unit of the table with which rows have it; the row beyond the table has none."""
    over, under = table.table[f"{name}_over"], table.table[f"{name}_under"]
    pairs = sorted(set(zip(over.tolist(), under.tolist(), strict=True)))
    return [(o, u, np.append((over == o) & (under == u), False)) for o, u in pairs]


def _category(codes: np.ndarray[Any, Any], names: list[str]) -> Any:
    """Numbers as categories; one that has no name shows as its number."""
    import pandas

    present = np.unique(codes)
    known = [names[n] if n < len(names) and names[n] else None for n in present.tolist()]
    twice = len({name for name in known if name}) < sum(name is not None for name in known)
    labels = [
        f"{name}#{n}" if twice and name else name or (f"#{n}" if n else "")
        for n, name in zip(present.tolist(), known, strict=True)
    ]
    return pandas.Categorical.from_codes(np.searchsorted(present, codes), categories=labels)


def _known_times(times: np.ndarray[Any, Any]) -> Any:
    import pandas

    stamps = times.astype("datetime64[ns]")
    stamps[times == 0] = np.datetime64("NaT")
    return pandas.to_datetime(stamps, utc=True)
