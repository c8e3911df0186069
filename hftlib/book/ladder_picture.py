"""A ladder for people: asks above, bids below, what lies between them in the middle.

The same picture as text of at most 80 columns and as HTML that carries its style along, in colours
that suit light and dark pages; whatever comes from outside is escaped.

    AAPL · XNAS
    2019-12-30 10:00:00.000000000-05:00 · sequence 81,204
    last 289.46 × 100 · volume 1,234,567 shares in 9,215 trades · trading

     side  price USD  shares  orders
      ask     289.50   1,200       5  ████████████
      ask     289.49     400       2  ████
              spread 0.02 · mid 289.48
      bid     289.47     900       4  █████████

Worst case: columns that do not fit into 80 are named below the text; the HTML has them all.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

COLUMNS_MAX = 80
_BAR_MIN, _BAR_MAX = 4, 24
_GAP = "  "
_TINT = {"ask": "rgba(214,69,65,.32)", "bid": "rgba(38,150,90,.32)"}
_CELL = "padding:1px 10px;text-align:right;white-space:nowrap;border:none"
_WARNING = (
    "margin:4px 0;padding:4px 10px;border-left:4px solid rgb(214,69,65);"
    "background:rgba(214,69,65,.15)"
)


@dataclass(frozen=True, slots=True)
class Rung:
    """One price: its cells from the price on, and how long its bar is, from 0 to 1."""

    cells: tuple[str, ...]
    share: float


@dataclass(frozen=True, slots=True)
class LadderPicture:
    """What a ladder shows; all of it text already. Rungs are best first on either side."""

    title: str
    facts: tuple[tuple[str, ...], ...]  # lines, each of some parts
    warnings: tuple[str, ...]
    heads: tuple[str, ...]  # of the cells: price, quantity, orders, and so on
    asks: tuple[Rung, ...]
    bids: tuple[Rung, ...]
    middle: str
    more_asks: int = 0  # levels behind the last rung
    more_bids: int = 0

    def __str__(self) -> str:
        heads = ("side", *self.heads)
        rungs = [(name, *rung.cells) for name, rung in self._rows() if isinstance(rung, Rung)]
        cells = [heads, *rungs]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        fitting = _fitting(widths)
        used = 1 + sum(widths[:fitting]) + len(_GAP) * fitting
        bar = min(_BAR_MAX, COLUMNS_MAX - used) if fitting == len(widths) else 0
        lines = [self.title, *_folded(self.facts), *(f"! {one}" for one in self.warnings), ""]
        lines.append(_line(heads, widths[:fitting]))
        for name, rung in self._rows():
            if isinstance(rung, str):
                lines.append(" " * (widths[0] + 1 + len(_GAP)) + rung)
                continue
            line = _line((name, *rung.cells), widths[:fitting])
            lines.append(f"{line}{_GAP}{_bar(rung.share, bar)}".rstrip())
        if fitting < len(widths):
            first, *others = heads[fitting:]
            lines += ["", *_folded([(f"not shown for want of width: {first}", *others)])]
        return "\n".join(map(plain, lines))

    def _repr_html_(self) -> str:
        facts = "".join(
            f'<div style="opacity:.8">{_escaped(" · ".join(line))}</div>' for line in self.facts
        )
        warnings = "".join(
            f'<div style="{_WARNING}"><b>{_escaped(one)}</b></div>' for one in self.warnings
        )
        heads = "".join(
            f'<th scope="col" style="{_CELL};opacity:.8">{_escaped(head)}</th>'
            for head in ("side", *self.heads)
        )
        body = "".join(self._html_row(name, rung) for name, rung in self._rows())
        return (
            f"<div><div><b>{_escaped(self.title)}</b></div>{facts}{warnings}"
            '<table style="border-collapse:collapse;font-variant-numeric:tabular-nums">'
            f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _html_row(self, name: str, rung: Rung | str) -> str:
        if isinstance(rung, str):
            style = "padding:3px 10px;text-align:center;border:none;opacity:.8"
            columns = len(self.heads) + 1
            return f'<tr><td colspan="{columns}" style="{style}">{_escaped(rung)}</td></tr>'
        cells = [f'<td style="{_CELL}">{_escaped(cell)}</td>' for cell in (name, *rung.cells)]
        # The bar lies behind the quantity, from the right, where its digits end.
        tint, width = _TINT[name], f"{100 * min(max(rung.share, 0.0), 1.0):.1f}%"
        bar = f"background:linear-gradient(to left,{tint} {width},transparent {width})"
        quantity = _escaped(rung.cells[1])
        cells[2] = f'<td style="{_CELL};min-width:9em;{bar}">{quantity}</td>'
        return f"<tr>{''.join(cells)}</tr>"

    def _rows(self) -> Iterator[tuple[str, Rung | str]]:
        """From the top of the picture down: rungs with their side, and lines between them."""
        if self.more_asks or not self.asks:
            yield "", _more(self.more_asks) if self.more_asks else "no asks"
        for rung in reversed(self.asks):
            yield "ask", rung
        yield "", self.middle
        for rung in self.bids:
            yield "bid", rung
        if self.more_bids or not self.bids:
            yield "", _more(self.more_bids) if self.more_bids else "no bids"


def plain(text: str) -> str:
    """Text that cannot move a terminal's cursor: names come from files."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _escaped(text: str) -> str:
    return html.escape(plain(text))


def _more(count: int) -> str:
    return f"… {count:,} more level{'s' * (count != 1)}"


def _line(cells: Iterable[str], widths: list[int]) -> str:
    # Zipped without care for what does not fit.
    padded = (cell.rjust(width) for cell, width in zip(cells, widths, strict=False))
    return " " + _GAP.join(padded)


def _fitting(widths: list[int]) -> int:
    """How many columns fit, of at least four."""
    count, used = 0, 1
    for width in widths:
        used += width + len(_GAP) * (count > 0)
        if used > COLUMNS_MAX and count >= 4:
            break
        count += 1
    return count


def _bar(share: float, width: int) -> str:
    if width < _BAR_MIN or share <= 0:
        return ""
    return "█" * max(1, round(min(share, 1.0) * width))


def _folded(lines: Iterable[tuple[str, ...]]) -> list[str]:
    """Parts joined into lines that fit."""
    folded: list[str] = []
    for parts in lines:
        line = ""
        for part in parts:
            if line and len(line) + len(part) + 3 > COLUMNS_MAX:
                folded.append(line)
                line = ""
            line = f"{line} · {part}" if line else part
        folded.append(line)
    return folded
