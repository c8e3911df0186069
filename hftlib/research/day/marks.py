"""Pieces of HTML: text that is escaped, numbers as people read them, tables, tiles.

Everything that comes from outside goes through `text`. A cell is a pair of what it says and its
class; what is a number stands right. Worst case: a table shows ROWS_MAX rows and says how many more
there are; all of them are in the exports.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hftlib.core.times import duration_text, to_text

ROWS_MAX = 60
CELL_MAX = 240


class Raw(str):
    """HTML that was made here, of escaped parts."""

    __slots__ = ()


def text(value: Any) -> str:
    """What it says, as a person reads it, escaped and of a bearable length."""
    if isinstance(value, Raw):
        return str(value)
    said = said_of(value)
    said = "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in said)
    said = said if len(said) <= CELL_MAX else f"{said[: CELL_MAX - 1]}…"
    return html.escape(said, quote=True)


def said_of(value: Any) -> str:
    """A value in words: nothing for None, thousands apart, yes and no."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Fraction | Decimal):
        number = float(value)
        return f"{int(value):,}" if value == int(value) else f"{number:,.10g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if math.isnan(value):
            return "-"
        return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:,.4g}"
    return str(value)


def money(value: Any, currency: str = "") -> Raw:
    """An amount with its sign in its colour."""
    if value is None:
        return Raw("-")
    number = float(value)
    kind = "good" if number > 0 else "bad" if number < 0 else ""
    return Raw(f'<span class="{kind}">{html.escape(f"{number:,.2f} {currency}".strip())}</span>')


def share(value: float | None, digits: int = 1) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.{digits}%}"


def span(ns: Any) -> str:
    """A time that passed."""
    return "-" if ns is None else duration_text(round(ns))


def moment(ns: Any, zone: str, digits: int = 6) -> str:
    """A clock time of the day, to the microsecond."""
    if not ns:
        return "-"
    return to_text(int(ns), zone=zone).partition("T")[2].partition("+")[0][: 9 + digits]


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]], numbers: str = "") -> str:
    """Rows below heads; `numbers` are the letters n (right), t (a time) or - for each column."""
    if not rows:
        return ""
    kinds = numbers.ljust(len(heads), "-")
    top = "".join(f"<th{_class(kind)}>{text(head)}</th>"
                  for head, kind in zip(heads, kinds, strict=True))  # fmt: skip
    body = "".join(_row(row, kinds) for row in rows[:ROWS_MAX])
    left = len(rows) - ROWS_MAX
    more = f'<p class="quiet small">{left:,} more are in the exports.</p>' if left > 0 else ""
    return (
        f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
        f"</div>{more}"
    )


def _row(row: Sequence[Any], kinds: str) -> str:
    cells = "".join(
        f"<td{_class(kind)}>{text(value)}</td>" for value, kind in zip(row, kinds, strict=True)
    )
    return f"<tr>{cells}</tr>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind in "nt" else ""


def tile(title: str, value: Any, kind: str = "") -> str:
    return f'<div class="tile"><span>{text(title)}</span><b class="{kind}">{text(value)}</b></div>'


def band(head: str, lines: Sequence[str], mild: bool = False) -> str:
    """A coloured band, for what has to be seen first."""
    body = "<br>".join(text(one) for one in lines)
    return f'<div class="band{" mild" if mild else ""}"><b>{text(head)}</b> {body}</div>'


def bar(value: float | None) -> Raw:
    """A share as a bar, coloured where it comes near to the whole."""
    if value is None:
        return Raw("")
    kind = " full" if value >= 1 else " near" if value >= 0.8 else ""
    width = round(110 * min(1.0, max(0.0, value)))
    return Raw(f'<span class="bar{kind}" style="width:{width}px"></span>')
