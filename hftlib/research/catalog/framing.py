"""Answers as DataFrames: ticks as `tape.frame()` has them, bars as `tape.bars()` has them.

Ticks are in order of arrival within their tape, tapes in order of time; where several tapes speak
of the same time, their events stand by time. Worst case: FRAME_EVENTS_MAX ticks; more are refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.events import KINDS, SIDES
from hftlib.research.catalog.asking import BAR_COLUMNS
from hftlib.research.catalog.entries import Entry
from hftlib.research.tape_frame import FRAME_EVENTS_MAX

_ORDERS = {"kind": KINDS, "side": SIDES}
_CATEGORIES = ("symbol", "venue", "kind", "side", "file")
_TIMES = ("time", "received")


def needed(columns: Sequence[str]) -> tuple[str, ...]:
    """What must be asked for to show these columns in their order."""
    return tuple(dict.fromkeys((*columns, "position", "time", "file")))


def tick_frame(table: Any, columns: Sequence[str], entries: Sequence[Entry]) -> Any:
    """Ticks by position."""
    import pandas

    require_room(len(table), "ticks", "store.ticks()")
    table = table.take(_order(table, entries))
    made = {name: _column(table, name) for name in columns}
    positions = table["position"].to_numpy()
    return pandas.DataFrame(made, index=pandas.Index(positions, name="position"))


def bar_frame(table: Any, one_symbol: bool) -> Any:
    """Bars by time, or by symbol and time."""
    import pandas

    require_room(len(table), "bars", "store.bars()")
    table = table.sort_by([("symbol", "ascending"), ("time", "ascending")])
    stamps = _times(table, "time")
    made = {name: table[name].to_pandas().to_numpy() for name in BAR_COLUMNS}
    frame = pandas.DataFrame(made)
    frame["stale"] = frame["stale"].astype(bool)
    if one_symbol:
        frame.index = pandas.DatetimeIndex(stamps, name="time")
    else:
        symbols = _category(table, "symbol")
        frame.index = pandas.MultiIndex.from_arrays([symbols, stamps], names=["symbol", "time"])
    return frame


def plain_frame(table: Any) -> Any:
    """Whatever was asked for in SQL."""
    return table.to_pandas()


def require_room(count: int, what: str, where: str) -> None:
    """That a frame can hold so many."""
    if count > FRAME_EVENTS_MAX:
        raise InputError(
            f"More {what} than a frame should hold, {FRAME_EVENTS_MAX:,}, were asked for",
            where=where,
            do="Ask for fewer symbols or a shorter time, or count in SQL with store.query(...).",
        )


def _order(table: Any, entries: Sequence[Entry]) -> Any:
    """Where each row goes."""
    positions = table["position"].to_numpy()
    files = table["file"].combine_chunks().dictionary_encode()
    known = files.dictionary.to_pylist()
    if len(known) <= 1:
        return np.argsort(positions, kind="stable")
    begins = {one.file: (one.begin, one.end) for one in entries}
    ranked = sorted(known, key=lambda name: begins[name])
    rank = np.array([ranked.index(name) for name in known])[files.indices.to_numpy()]
    spans = [begins[name] for name in ranked]
    apart = all(a[1] <= b[0] for a, b in pairwise(spans))
    if apart:
        return np.lexsort((positions, rank))
    times = table["time"].cast("int64").to_numpy()
    return np.lexsort((positions, rank, times))


def _column(table: Any, name: str) -> Any:
    if name in _CATEGORIES:
        return _category(table, name)
    return _times(table, name) if name in _TIMES else table[name].to_pandas().to_numpy()


def _times(table: Any, name: str) -> Any:
    import pandas

    stamps = pandas.DatetimeIndex(table[name].to_pandas())
    if stamps.tz is None:
        stamps = stamps.tz_localize("UTC")
    return stamps.tz_convert("UTC").as_unit("ns")


def _category(table: Any, name: str) -> Any:
    """Words that occur, in the order of their numbers, or of the alphabet."""
    import pandas

    words = table[name].combine_chunks()
    coded = words if hasattr(words, "indices") else words.dictionary_encode()
    texts = coded.dictionary.to_pylist()
    order = {word: n for n, word in enumerate(_ORDERS.get(name, ()))}
    present = sorted(
        (texts[n] for n in np.unique(coded.indices.to_numpy())),
        key=lambda word: (order.get(word, len(order)), len(word) if order else 0, word),
    )
    place = {word: n for n, word in enumerate(present)}
    codes = np.array([place.get(word, -1) for word in texts], np.int64)
    return pandas.Categorical.from_codes(codes[coded.indices.to_numpy()], categories=present)
