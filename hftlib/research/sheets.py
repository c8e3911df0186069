"""A sheet: a small table that shows itself as text in a terminal and as HTML in a notebook.

What answers with sheets derives from `Shown`: `print`, a notebook's cell and `rich` then all show
the same rows. Numbers stand right, words left. Worst case: a sheet is for tens of rows, no more.
"""

from __future__ import annotations

import html
import io
from dataclasses import dataclass, field
from typing import Any

TEXT_COLUMNS = 100


@dataclass(frozen=True, slots=True)
class Sheet:
    """A title, headings and rows; numbers with separators, everything else as it is."""

    title: str
    heads: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def rich(self) -> Any:
        from rich.box import SIMPLE
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        made = Table(box=SIMPLE, pad_edge=False, show_header=any(self.heads))
        for column, head in enumerate(self.heads):
            right = any(isinstance(row[column], int | float) for row in self.rows)
            made.add_column(head, justify="right" if right else "left", overflow="fold")
        for row in self.rows:
            made.add_row(*map(_cell, row))
        # A title of the table itself would be folded at the table's width.
        title = Text(self.title, style="bold")
        return Group(title, made) if self.rows else title

    def html(self) -> str:
        heads = "".join(f"<th>{html.escape(head)}</th>" for head in self.heads if head)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row) + "</tr>"
            for row in self.rows
        )
        return f"<table><caption>{html.escape(self.title)}</caption><tr>{heads}</tr>{body}</table>"


def figures_table(sheet: Sheet) -> Any:
    """Numbers with their units, as text: they stand right, and are never folded."""
    from rich.box import SIMPLE
    from rich.table import Table

    made = Table(title=sheet.title, title_justify="left", box=SIMPLE, pad_edge=False)
    for n, head in enumerate(sheet.heads):
        made.add_column(head, justify="right" if n else "left", no_wrap=True)
    for row in sheet.rows:
        made.add_row(*row)
    return made


class Shown:
    """Something that answers with sheets."""

    def sheets(self) -> list[Sheet]:
        """What to show; each class says."""
        return []

    def __rich__(self) -> Any:
        from rich.console import Group

        return Group(*(sheet.rich() for sheet in self.sheets()))

    def __str__(self) -> str:
        from rich.console import Console

        # In a notebook rich would show it there as well, beside what the cell answers.
        console = Console(file=io.StringIO(), width=TEXT_COLUMNS, force_jupyter=False)
        console.print(self)
        return str(console.file.getvalue()).rstrip()  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return "".join(sheet.html() for sheet in self.sheets())


def paragraph(one: Any) -> str:
    """What says all of itself in a sentence, for a notebook."""
    return f"<p>{html.escape(str(one))}</p>"


def _cell(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return "" if value is None else ("yes" if value else "no")
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if isinstance(value, float) else str(value)
