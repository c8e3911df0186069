"""What the store shows as tables beside ticks: bars, frames of journals, and the list of files.

    bars    time (the bar's begin), symbol, venue, open ... stale, width, day, file
    frames  of journals, as `hft journal export --parquet` writes them, day, file
    files   a row for each part: what, day, symbols, events, bytes, tier, begin, end, digest, source

`day`, `file` and `width` are in the paths of the parts, so that any reader of Hive's way of laying
out folders has them too. Worst case: of `files`, a list of all symbols of a part in each row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.research.catalog.entries import BARS, FRAMES, TICKS, Entry
from hftlib.research.catalog.writing import coded
from hftlib.research.tape import Tape


def bar_schema() -> Any:
    """The columns of bars, as `tape.bars()` has them, with symbol, venue and begin."""
    import pyarrow as pa

    name = pa.dictionary(pa.int32(), pa.string())
    floats = ("open", "high", "low", "close", "volume", "vwap")
    book = ("bid", "bid_size", "ask", "ask_size", "mid", "spread", "imbalance")
    return pa.schema(
        [
            ("time", pa.timestamp("ns", tz="UTC")),
            ("symbol", name),
            ("venue", name),
            *((one, pa.float64()) for one in floats),
            ("trades", pa.int64()),
            *((one, pa.float64()) for one in book),
            ("stale", pa.bool_()),
        ]
    )


def bars_of(tape: Tape, width: str) -> list[tuple[str, Any, dict[tuple[str, str], int]]]:
    """The tape's bars by day: the table, and how many each symbol has."""
    import pyarrow as pa

    from hftlib.research.clocks import date_of

    frame = tape.bars(width)
    file = tape.selection.file
    rows = [row for row in tape.rows if len(file.positions_of(row))]
    names = [(file.instruments[row].symbol, file.instruments[row].venue) for row in rows]
    several = frame.index.nlevels > 1
    codes = frame.index.codes[0] if several else np.zeros(len(frame), np.int64)
    stamps = frame.index.get_level_values("time")
    order = sorted(range(len(names)), key=lambda n: names[n])
    rank = np.argsort(np.array(order, np.int64))
    codes = rank[np.asarray(codes)] if len(frame) else np.asarray(codes)
    names = [names[n] for n in order]
    begins = stamps.as_unit("ns").asi8
    columns: dict[str, Any] = {"time": pa.array(begins).view(pa.timestamp("ns", tz="UTC"))}
    for name, place in (("symbol", 0), ("venue", 1)):
        columns[name] = coded([one[place] for one in names], codes)
    for name in frame.columns:
        columns[name] = pa.array(frame[name].to_numpy(), from_pandas=True)
    table = pa.table(columns).cast(bar_schema())
    distinct = np.unique(begins)
    days = np.array([date_of(int(one), tape.zone) for one in distinct])
    of_each = days[np.searchsorted(distinct, begins)] if len(begins) else days
    made = []
    for day in sorted(set(days.tolist())):
        chosen = np.flatnonzero(of_each == day)
        chosen = chosen[np.lexsort((begins[chosen], codes[chosen]))]
        counts = np.bincount(codes[chosen], minlength=len(names))
        counted = {name: int(n) for name, n in zip(names, counts, strict=True) if n}
        made.append((day, table.take(pa.array(chosen)), counted))
    return made


def empty(what: str) -> Any:
    """A table of that kind without a row, for a store that has none."""
    import pyarrow as pa

    from hftlib.research import journal_table
    from hftlib.research.catalog import writing

    schemas = {TICKS: writing.schema, BARS: bar_schema, FRAMES: journal_table.frame_schema}
    fields = [*schemas[what]()]
    if what == BARS:
        fields.append(pa.field("width", pa.string()))
    fields += [pa.field("day", pa.date32()), pa.field("file", pa.string())]
    plain = [pa.field(f.name, _plain(f.type)) for f in fields]
    return pa.schema(plain).empty_table()


def _plain(kind: Any) -> Any:
    import pyarrow as pa

    return pa.string() if pa.types.is_dictionary(kind) else kind


def files_schema() -> Any:
    import pyarrow as pa

    stamp = pa.timestamp("ns", tz="UTC")
    return pa.schema(
        [
            *((n, pa.string()) for n in ("file", "what", "width", "day")),
            ("symbols", pa.list_(pa.string())),
            ("events", pa.int64()),
            ("bytes", pa.int64()),
            ("tier", pa.string()),
            ("begin", stamp),
            ("end", stamp),
            *((n, pa.string()) for n in ("digest", "name", "source", "path", "sha256")),
        ]
    )


def files_table(entries: Sequence[Entry]) -> Any:
    """A row for each part of each thing."""
    import pyarrow as pa

    columns: dict[str, list[Any]] = {name: [] for name in files_schema().names}
    for one in entries:
        for part in one.parts:
            told = {
                **{n: getattr(one, n) for n in ("file", "what", "width", "digest", "name")},
                **{n: getattr(part, n) for n in ("day", "events", "bytes", "tier", "sha256")},
                "symbols": [symbol for symbol, _, _ in part.symbols],
                "begin": part.low,
                "end": part.high,
                "source": one.source,
                "path": f"{part.base.rstrip('/')}/{part.path}" if part.base else part.path,
            }
            for name, column in columns.items():
                column.append(told[name])
    return pa.table(
        [pa.array(columns[f.name]).cast(f.type) for f in files_schema()], schema=files_schema()
    )
