"""The tables of a store in ClickHouse, drawn from the columns that Parquet has, and rows for them.

A column of the one is a column of the other, so the same SELECT reads both. What may be missing in
Parquet is Nullable here, words that repeat are LowCardinality. Worst case: a store that an older
hftlib made keeps its tables as they are; a column that is missing is a sentence from ClickHouse.
"""

from __future__ import annotations

import re
from typing import Any

from hftlib.research.catalog import tables, writing
from hftlib.research.catalog.entries import BARS, FRAMES, TICKS, Entry, Part

_ORDERS = {
    TICKS: "(symbol, time, position)",
    BARS: "(symbol, width, time)",
    FRAMES: "(file, sequence)",
}
_MARKS = {"file": "LowCardinality(String)", "attempt": "LowCardinality(String)", "day": "Date32"}
_ADDED = {
    **dict.fromkeys(("file", "what", "width", "day", "tier"), "String"),
    **dict.fromkeys(("attempt", "digest", "name", "source", "zone"), "String"),
    **dict.fromkeys(("symbols", "venues"), "Array(String)"),
    "counts": "Array(Int64)",
    **dict.fromkeys(("number", "events", "bytes", "low", "high"), "Int64"),
    **dict.fromkeys(("entry_begin", "entry_end", "entry_added"), "Int64"),
}
_FILES = """
    file, what, width, day, symbols, events, bytes, tier,
    fromUnixTimestamp64Nano(low, 'UTC') AS begin, fromUnixTimestamp64Nano(high, 'UTC') AS end,
    digest, name, source, '' AS path, '' AS sha256
"""


def statements() -> list[str]:
    """What makes the tables and views that are missing."""
    made = [_table("added", _ADDED, "(file, what, width, day)", "")]
    first = "(SELECT min(attempt) FROM added GROUP BY file, what, width)"
    made.append(_view("added_shown", f"SELECT * FROM added WHERE attempt IN {first}"))
    made.append(_view("files", f"SELECT {_FILES} FROM added_shown"))
    for what in (TICKS, BARS, FRAMES):
        columns = _columns(what)
        made.append(_table(f"{what}_kept", columns, _ORDERS[what], "PARTITION BY day"))
        names = ", ".join(name for name in columns if name != "attempt")
        there = f"(SELECT attempt FROM added_shown WHERE what = '{what}')"
        made.append(_view(what, f"SELECT {names} FROM {what}_kept WHERE attempt IN {there}"))
    return made


def marked(rows: Any, marks: dict[str, str]) -> Any:
    """Rows with what says whose they are."""
    import pyarrow as pa

    made = rows
    for name, value in marks.items():
        column = pa.repeat(pa.scalar(value), len(rows))
        if name == "day":
            column = column.cast(pa.date32())
        made = made.append_column(name, column)
    return made


def added(entry: Entry, attempt: str) -> Any:
    """The rows of `added`, one for each part."""
    import pyarrow as pa

    rows = []
    for number, part in enumerate(entry.parts):
        rows.append(
            {
                **{n: getattr(entry, n) for n in ("file", "what", "width", "digest", "name")},
                **{n: getattr(entry, n) for n in ("source", "zone")},
                **{n: getattr(part, n) for n in ("day", "tier", "events", "bytes", "low", "high")},
                "attempt": attempt,
                "number": number,
                "symbols": [symbol for symbol, _, _ in part.symbols],
                "venues": [venue for _, venue, _ in part.symbols],
                "counts": [count for _, _, count in part.symbols],
                "entry_begin": entry.begin,
                "entry_end": entry.end,
                "entry_added": entry.added,
            }
        )
    kinds = {"String": pa.string(), "Int64": pa.int64(), "Array(String)": pa.list_(pa.string())}
    kinds["Array(Int64)"] = pa.list_(pa.int64())
    schema = pa.schema([(name, kinds[kind]) for name, kind in _ADDED.items()])
    return pa.Table.from_pylist(rows, schema=schema)


def entry_of(rows: list[dict[str, Any]]) -> Entry:
    """The entry that the rows of one attempt say."""
    one = rows[0]
    parts = []
    for row in rows:
        symbols = tuple(zip(row["symbols"], row["venues"], row["counts"], strict=True))
        numbers = (row["events"], row["bytes"], "", row["low"], row["high"])
        parts.append(Part("", row["day"], *numbers, symbols, row["tier"]))
    return Entry(
        **{n: one[n] for n in ("what", "digest", "name", "source", "zone", "width")},
        **{n: one[f"entry_{n}"] for n in ("begin", "end", "added")},
        parts=tuple(parts),
    )


def writes_a_file(text: str) -> bool:
    """Whether a SELECT would write its answer on the client's disk, which is no reading."""
    bare = re.sub(r"'(?:[^'\\]|\\.|'')*'", "''", text)
    return re.search(r"\binto\s+outfile\b", bare, re.IGNORECASE) is not None


def _table(name: str, columns: dict[str, str], order: str, partition: str) -> str:
    drawn = ", ".join(f"`{column}` {kind}" for column, kind in columns.items())
    engine = f"ENGINE = MergeTree {partition} ORDER BY {order}"
    return f"CREATE TABLE IF NOT EXISTS {name} ({drawn}) {engine}"


def _view(name: str, select: str) -> str:
    return f"CREATE OR REPLACE VIEW {name} AS {select}"


def _columns(what: str) -> dict[str, str]:
    from hftlib.research import journal_table

    schemas = {
        TICKS: writing.schema,
        BARS: tables.bar_schema,
        FRAMES: journal_table.frame_schema,
    }
    made = {field.name: _kind(field.type, field.name) for field in schemas[what]()}
    return made | ({"width": "LowCardinality(String)"} if what == BARS else {}) | _MARKS


def _kind(kind: Any, name: str) -> str:
    """ClickHouse's word for a type of Arrow."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return "LowCardinality(String)"
    if pa.types.is_timestamp(kind):
        stamp = "DateTime64(9, 'UTC')"
        return f"Nullable({stamp})" if name == "received" else stamp
    if pa.types.is_floating(kind):
        return "Nullable(Float64)"
    if pa.types.is_list(kind):
        inner = ", ".join(
            f"{f.name} Nullable({'Int64' if pa.types.is_integer(f.type) else _plain(f.type)})"
            for f in kind.value_type
        )
        return f"Array(Tuple({inner}))"
    return _plain(kind)


def _plain(kind: Any) -> str:
    names = {"int64": "Int64", "uint16": "UInt16", "uint32": "UInt32", "bool": "Bool"}
    names |= {"string": "String", "binary": "String", "double": "Float64"}
    return names[str(kind)]
