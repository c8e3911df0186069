"""Bars as a DataFrame: every bar of the grid, in currency and shares, adjusted where asked for.

Between two bars in which something happened, the book did not move: the bars between repeat its
last state. Adjusting multiplies what lies before an action's effective time by its factors, later
actions included; a bar belongs wholly to the side on which it begins.
Worst case: all columns are float64, some 120 bytes a bar.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.instruments import Instruments
from hftlib.core.units import Unit
from hftlib.research.bar_times import BarTimes
from hftlib.research.tape import Tape

_TRADED = ("open", "high", "low", "close", "vwap")
_PRICES = (*_TRADED, "bid", "ask", "mid", "spread")
_SIZES = ("volume", "bid_size", "ask_size")
_ORDER = (
    *("open", "high", "low", "close", "volume", "vwap", "trades"),
    *("bid", "bid_size", "ask", "ask_size", "mid", "spread", "imbalance", "stale"),
)


def framed(
    tape: Tape,
    made: np.ndarray[Any, Any],
    times: BarTimes,
    rows: np.ndarray[Any, Any],
    *,
    adjusted: bool,
    empty: bool,
    counts: dict[str, int],
) -> Any:
    """The frame of these bars, which lie in order of time for each instrument."""
    import pandas

    made = made[np.argsort(made["row"], kind="stable")]
    if empty:
        made = _with_empty(made, times, len(rows))
    columns = _columns(made, tape.instruments)
    if adjusted:
        _adjust(columns, made, tape.instruments)
    stamps = pandas.to_datetime(made["begin"], utc=True)
    frame = pandas.DataFrame({name: columns[name] for name in _ORDER})
    if len(tape.rows) == 1:
        frame.index = pandas.DatetimeIndex(stamps, name="time")
    else:
        names = np.array(tape.instruments.symbols, dtype=object)
        codes = np.searchsorted(rows, made["row"])
        symbols = pandas.Categorical.from_codes(codes, categories=_distinct(names[rows], rows))
        frame.index = pandas.MultiIndex.from_arrays([symbols, stamps], names=["symbol", "time"])
    frame.attrs.update(counts)
    return frame


def _distinct(names: np.ndarray[Any, Any], rows: np.ndarray[Any, Any]) -> list[str]:
    """One symbol at two venues needs two names."""
    seen = list(names)
    return [f"{n}#{r}" if seen.count(n) > 1 else n for n, r in zip(names, rows, strict=True)]


def _with_empty(made: np.ndarray[Any, Any], times: BarTimes, rows: int) -> np.ndarray[Any, Any]:
    """Every bar of the grid; each instrument has the first one, so each gap has a bar before it."""
    numbers, grid = times.numbers(made["begin"]), len(times)
    last_of_row = np.append(made["row"][1:] != made["row"][:-1], True)[: len(made)]
    following = np.where(last_of_row, grid, np.append(numbers[1:], grid)[: len(made)])
    repeats = following - numbers
    full = np.repeat(made, repeats)
    real = np.zeros(len(full), bool)
    real[np.cumsum(repeats) - repeats] = True
    for field in ("open", "high", "low", "close", "volume", "value", "trades"):
        full[field][~real] = 0
    full["begin"] = np.tile(times.all(), rows)
    return full


def _columns(made: np.ndarray[Any, Any], table: Instruments) -> dict[str, Any]:
    traded, bid, ask = made["trades"] > 0, (made["sides"] & 1) > 0, (made["sides"] & 2) > 0
    there = {**dict.fromkeys(("bid", "bid_size"), bid), **dict.fromkeys(("ask", "ask_size"), ask)}
    columns: dict[str, Any] = {"trades": made["trades"].copy(), "stale": made["stale"] != 0}
    for name in ("open", "high", "low", "close", "bid", "ask"):
        values = _in_units(made[name], made["row"], table, "price_unit")
        columns[name] = np.where(there.get(name, traded), values, np.nan)
    for name in _SIZES:
        columns[name] = _in_units(made[name], made["row"], table, "lot_unit")
    for name in ("bid_size", "ask_size"):
        columns[name] = np.where(there[name], columns[name], 0.0)
    over, under = (table.table[f"price_unit_{part}"][made["row"]] for part in ("over", "under"))
    with np.errstate(invalid="ignore", divide="ignore"):
        columns["vwap"] = np.where(traded, made["value"] / made["volume"] * over / under, np.nan)
        sizes = columns["bid_size"] + columns["ask_size"]
        columns["imbalance"] = (columns["bid_size"] - columns["ask_size"]) / sizes
    columns["mid"] = (columns["bid"] + columns["ask"]) / 2
    columns["spread"] = columns["ask"] - columns["bid"]
    return columns


def _in_units(
    counts: np.ndarray[Any, Any], rows: np.ndarray[Any, Any], table: Instruments, name: str
) -> np.ndarray[Any, Any]:
    """Counts of each instrument's own unit as floats."""
    over, under = table.table[f"{name}_over"], table.table[f"{name}_under"]
    pairs = sorted(set(zip(over.tolist(), under.tolist(), strict=True)))
    values = np.zeros(len(counts))
    for o, u in pairs:
        chosen = slice(None) if len(pairs) == 1 else ((over == o) & (under == u))[rows]
        values[chosen] = Unit(f"{o}/{u}").values(np.ascontiguousarray(counts[chosen]))
    return values


def _adjust(columns: dict[str, Any], made: np.ndarray[Any, Any], table: Instruments) -> None:
    for action in table.actions:
        before = (made["row"] == action["instrument"]) & (made["begin"] < action["effective"])
        for name in _PRICES:
            columns[name][before] *= action["price_factor"]
        for name in _SIZES:
            columns[name][before] *= action["quantity_factor"]
