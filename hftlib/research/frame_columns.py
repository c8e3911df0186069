"""Columns of a table as what events hold: times in ns, whole units, sides. Exactly, or not at all.

A column is found by the name given for it, or by one of its usual names. Floats become units by
`Unit.counts`, everything else (text, Decimal) value by value through `Unit.count`; a value off the
grid refuses the table, since then the unit is wrong. What is missing or negative is marked in a
mask, for its row becomes UNREADABLE. Times: datetime64 of any unit, with a zone or hanging in
`zone`; ISO text; integers counting `time_unit`. A float is no time, it cannot hold one.
Worst case: text and Decimals cost some 5 µs a value, all else some 50 ns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.times import to_ns, zone_named
from hftlib.core.units import Unit, shown

USUAL_NAMES = {
    "time": ("time", "timestamp", "ts", "datetime", "date_time", "ts_event"),
    "received": ("received", "ts_recv", "local_timestamp", "local_ts"),
    "price": ("price", "px", "trade_price"),
    "size": ("size", "quantity", "qty", "amount", "volume", "trade_size"),
    "side": ("side", "aggressor", "aggressor_side"),
    "bid": ("bid", "bid_price", "bid_px", "bidprice", "best_bid"),
    "ask": ("ask", "ask_price", "ask_px", "askprice", "best_ask", "offer"),
    "bid_size": ("bid_size", "bid_qty", "bid_quantity", "bidsize", "bid_amount", "bid_sz"),
    "ask_size": ("ask_size", "ask_qty", "ask_quantity", "asksize", "ask_amount", "ask_sz"),
}
NS_PER = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
_SIDES = {
    **dict.fromkeys(("buy", "b", "bid", "1", "1.0", "+1"), events.BUY),
    **dict.fromkeys(("sell", "s", "a", "ask", "-1", "-1.0"), events.SELL),
    **dict.fromkeys(("", "n", "none", "nan", "0", "<na>"), events.NO_SIDE),
}
WRONG_SIDE = 255


def found(names: list[str], wanted: str, given: Mapping[str, str]) -> str | None:
    """Which of a table's columns is the wanted one."""
    if wanted in given:
        return given[wanted] if given[wanted] in names else None
    folded = {name.lower(): name for name in reversed(names)}
    return next((folded[name] for name in USUAL_NAMES[wanted] if name in folded), None)


def times_of(
    column: pd.Series[Any] | pd.Index[Any], zone: str, time_unit: str, where: str
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Nanoseconds since the epoch, and which of them are missing (0 there)."""
    values = pd.Series(column.array)
    missing = values.isna().to_numpy()
    kind = values.dtype
    if pd.api.types.is_integer_dtype(kind):
        plain = values.fillna(0).to_numpy(np.int64)
        step = NS_PER[time_unit]
        if len(plain) and max(-int(plain.min()), int(plain.max())) > (2**63 - 1) // step:
            do = f"Say time_unit; these values are read as {time_unit}."
            raise InputError("A time does not fit into int64 nanoseconds", where=where, do=do)
        return plain * step, missing
    if isinstance(kind, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_dtype(kind):
        try:
            if not isinstance(kind, pd.DatetimeTZDtype):
                zone_named(zone)
                values = values.dt.tz_localize(zone)
            moments = values.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[ns]")
        except (ValueError, TypeError, OverflowError) as error:
            do = "Store the times in UTC, or with their zone."
            raise InputError(f"The times cannot be read: {error}", where=where, do=do) from None
        return np.where(missing, 0, moments.to_numpy().view(np.int64)), missing
    if pd.api.types.is_float_dtype(kind):
        what = "The times are floats, which hold ns since the epoch only in steps of 256 ns"
        raise InputError(what, where=where, do="Store them as datetime64 or as integers.")
    rest = values.where(~missing, 0)
    return np.array([_time(one, zone, where) for one in rest], np.int64), missing


def _time(value: Any, zone: str, where: str) -> int:
    try:
        return to_ns(value, zone=zone)
    except InputError as error:
        raise InputError(error.what, where=f"{where}, {error.where}", do=error.do) from None


def counted(
    column: pd.Series[Any], unit: Unit, where: str, first_row: int
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Whole units, and which values are missing or negative (0 there)."""
    missing = column.isna().to_numpy()
    try:
        if pd.api.types.is_numeric_dtype(column.dtype) and column.dtype != np.float32:
            whole = "int64" if pd.api.types.is_signed_integer_dtype(column.dtype) else "uint64"
            floats = pd.api.types.is_float_dtype(column.dtype)
            plain = column.fillna(0).to_numpy("float64" if floats else whole)
            missing = missing | ~np.isfinite(plain) | (plain < 0)
            return unit.counts(np.where(missing, 0, plain), field="value"), missing
        made = np.zeros(len(column), np.int64)
        for place in np.flatnonzero(~missing):
            made[place] = unit.count(column.iloc[place], field=f"value[{place}]")
    except InputError as error:
        number = int(error.where.rpartition("[")[2].rstrip("]"))
        at = f"{where}, row {first_row + number:,}"
        raise InputError(error.what, where=at, do="Give the unit it is a multiple of.") from None
    missing = missing | (made < 0)
    return np.where(missing, 0, made), missing


def sides_of(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    """The side of each row, WRONG_SIDE where its word is none."""
    codes, words = pd.factorize(column.fillna("").astype(str).str.strip().str.lower())
    table = np.array([_SIDES.get(word, WRONG_SIDE) for word in words] or [0], np.uint8)
    return table[codes]


def missing_column(wanted: str, names: list[str], where: str) -> InputError:
    usual = ", ".join(USUAL_NAMES[wanted][:4])
    return InputError(
        f"No column is the {wanted}; there are {shown(names)}",
        where=where,
        do=f"Name it as one of {usual}, or say which it is: columns={{{wanted!r}: 'its name'}}.",
    )
