"""The tables of a report as files: CSV for people and spreadsheets, Parquet with types.

    write_tables(report.tables, folder)      orders.csv, orders.parquet, ... and schema.json

Numbers are exact decimals in both, times ns in UTC. A cell of a CSV that a spreadsheet would take
for a formula stands behind an apostrophe, and only there: the Parquet file has it as it was.
Worst case: one table in memory at a time, beside its rows.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

from hftlib.core.times import to_text
from hftlib.research.day.schema import TABLES, schema_of
from hftlib.research.journal_files import whole_file

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
SCHEMA = "schema.json"
PLACES = Decimal("1e-12")


def write_tables(
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    folder: Path,
    advance: Callable[[float, str], None] = lambda _share, _what: None,
) -> list[str]:
    """Each table twice, then what their columns mean; the names of the files."""
    made = []
    for n, name in enumerate(TABLES):
        advance(n / len(TABLES), f"writing {name}")
        _write_csv(name, tables[name], folder / f"{name}.csv")
        _write_parquet(name, tables[name], folder / f"{name}.parquet")
        made += [f"{name}.csv", f"{name}.parquet"]
    told = {name: [asdict(one) for one in columns] for name, columns in TABLES.items()}
    with whole_file(folder / SCHEMA) as file:
        file.write((json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode())
    return [*made, SCHEMA]


def _write_csv(name: str, rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    columns = TABLES[name]
    with whole_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([one.name for one in columns])
        for row in rows:
            writer.writerow([_cell(row[one.name], one.type) for one in columns])
        text.flush()
        text.detach()


def _cell(value: Any, kind: str) -> str:
    if value is None:
        return ""
    if kind == "time":
        return to_text(int(value)).replace("+00:00", "Z")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    said = str(value)
    return f"'{said}" if kind == "text" and said.startswith(_FORMULA) else said


def _write_parquet(name: str, rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = schema_of(name)
    arrays = []
    for column, field in zip(TABLES[name], schema, strict=True):
        values = [row[column.name] for row in rows]
        if column.type == "number":
            values = [None if one is None else _exact(one) for one in values]
        arrays.append(pa.array(values, field.type))
    with whole_file(path) as file:
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), file, compression="zstd")


def _exact(value: Any) -> Decimal:
    """With the decimals that the column has."""
    return Decimal(value).quantize(PLACES)
