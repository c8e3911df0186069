"""Draw the columns of the exports into `docs/report.md`, behind MARK: `make docs`."""

from __future__ import annotations

from pathlib import Path

from hftlib.research.day.schema import TABLES, Column

TARGET = Path(__file__).with_name("report.md")
MARK = "<!-- what follows is drawn from hftlib/research/day/schema.py: make docs -->\n"


def drawn() -> str:
    """The page as it should be: what people wrote, then the tables."""
    written, _, _ = TARGET.read_text().partition(MARK)
    parts = [written, MARK]
    for name, columns in TABLES.items():
        rows = "".join(_row(one) for one in columns)
        head = "| Column | Type | What it holds | For |\n|---|---|---|---|\n"
        parts.append(f"\n## {name}.csv, {name}.parquet\n\n{head}{rows}")
    return "".join(parts)


def _row(one: Column) -> str:
    return f"| `{one.name}` | {one.type} | {one.says} | {one.answers} |\n"
