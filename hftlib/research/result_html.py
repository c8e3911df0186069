"""The page of a result: what a quant pastes into a report. HTML and SVG, no script, no files.

A red band says when a run did not reach the end of its tape, a yellow one what else to know first.
Then the headline figures and the curves of each currency, the figures by instrument, what was
refused and why, and what the run was made of. Everything that comes from outside is escaped;
colours suit light and dark pages.
Worst case: some 80 kB for each currency; instruments beyond INSTRUMENTS_MAX are named as a number.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.core.times import duration_text
from hftlib.research.clocks import clock_text
from hftlib.research.result_figures import text_of
from hftlib.research.result_groups import Group, Grouping
from hftlib.research.result_stats import Stats
from hftlib.research.result_svg import BLUE, GREEN, GREY, RED, Line, Panel, picture
from hftlib.research.sheets import Sheet

INSTRUMENTS_MAX = 20
_HEADLINE = ("pnl_net", "pnl_gross", "fees", "sharpe", "drawdown", "turnover", "fills", "fill_rate")
BAND = (
    "margin:8px 0;padding:8px 12px;border-left:5px solid rgb(200,69,60);"
    "background:rgba(214,69,65,.18)"
)
_WARNING = (
    "margin:8px 0;padding:8px 12px;border-left:5px solid rgb(214,158,30);"
    "background:rgba(224,170,50,.18)"
)
_TILE = "padding:6px 14px 6px 0;min-width:104px"
CELL = "padding:2px 10px;text-align:right;white-space:nowrap;border:none"
FIRST = "padding:2px 10px;text-align:left;white-space:pre;border:none"


def page(
    *,
    title: str,
    facts: list[tuple[str, str]],
    ended: str,
    broken: list[str],
    warned: list[str],
    counted: list[tuple[str, dict[str, int]]],
    stats: Stats,
    grouping: Grouping,
    zone: str,
    sheets: Sequence[Sheet] = (),
) -> str:
    """The whole page as one element; `sheets` are tables to stand behind the figures."""
    parts = ['<div class="hft-result" style="font:13px system-ui,sans-serif;max-width:1000px">']
    parts.append(f'<h3 style="margin:4px 0">{html.escape(title)}</h3>')
    if ended:
        parts.append(
            f'<div style="{BAND}"><b>Stopped before the end.</b> {html.escape(ended)}</div>'
        )
    if broken:
        lines = "<br>".join(map(html.escape, broken))
        parts.append(f'<div style="{BAND}"><b>The books do not balance.</b> {lines}</div>')
    if warned:
        lines = "<br>".join(map(html.escape, warned))
        parts.append(f'<div style="{_WARNING}"><b>Look at this first.</b> {lines}</div>')
    for currency in stats.totals:
        parts.append(_headline(stats, currency))
        parts.append(_curves(grouping.total(currency), zone))
    parts.append(_table(stats))
    parts += [sheet.html() for sheet in sheets]
    parts += [_counts(name, counts) for name, counts in counted if counts]
    parts.append(_facts(facts))
    notes = " ".join(stats.conventions)
    parts.append(f'<p style="opacity:.7;font-size:11px">{html.escape(notes)}</p></div>')
    return "".join(parts)


def _headline(stats: Stats, currency: str) -> str:
    figures = {figure.name: figure for figure in stats.figures}
    values = stats.totals[currency]
    tiles = []
    for name in _HEADLINE:
        text = text_of(figures[name], values[name], currency)
        if name == "sharpe" and text != "-":
            error = text_of(figures["sharpe_error"], values["sharpe_error"], currency)
            text = f"{text} ± {error}"
        colour = ""
        if name == "pnl_net" and values[name] == values[name] and values[name]:
            colour = f";color:{GREEN if values[name] > 0 else RED}"
        tiles.append(
            f'<div style="{_TILE}"><div style="opacity:.7;font-size:11px">'
            f"{html.escape(figures[name].title)}</div>"
            f'<div style="font-size:16px;font-weight:600{colour}">{html.escape(text)}</div></div>'
        )
    return f'<div style="display:flex;flex-wrap:wrap;margin:6px 0">{"".join(tiles)}</div>'


def _curves(group: Group, zone: str) -> str:
    curve = group.curve
    if not len(curve.times):
        return "<p>There is no sample of the equity to draw.</p>"
    begin = min(group.begin, int(curve.times[0]))
    end = max(group.end, int(curve.times[-1]))
    times = np.append(begin, curve.times)
    net, gross = np.append(0.0, curve.net), np.append(0.0, curve.gross)
    panels = [
        Panel(
            f"P&L, {group.currency}",
            (Line("before fees", times, gross, GREY), Line("after fees", times, net, BLUE)),
        ),
        Panel(
            f"drawdown, {group.currency}", (Line("drawdown", times, _fall(net), RED, filled=True),)
        ),
        _inventory(group, curve.times),
    ]
    clocks = [clock_text(ns, zone)[:19] for ns in (begin, (begin + end) // 2, end)]
    return picture(panels, begin, end, (clocks[0], clocks[1], f"{clocks[2]} {zone}"))


def _inventory(group: Group, times: Any) -> Panel:
    if len(group.rows) == 1:
        held = group.series[0]
        line = Line(group.label, held.times, held.position, GREEN, filled=True)
        return Panel("position", (line,))
    line = Line("net", times, group.curve.exposure_net, GREEN, filled=True)
    total = Line("long + short", times, group.curve.exposure, GREY)
    return Panel(f"exposure, {group.currency}", (total, line))


def _fall(values: Any) -> Any:
    """How far below its top the curve is, as a negative number."""
    known = np.where(np.isnan(values), -np.inf, values)
    return np.where(np.isnan(values), np.nan, values - np.maximum.accumulate(known))


def _table(stats: Stats) -> str:
    heads = "".join(
        f'<th style="{CELL}">{html.escape(name)}</th>' for name in stats.columns(INSTRUMENTS_MAX)
    )
    rows = [_table_row(title, cells) for title, *cells in stats.rows(INSTRUMENTS_MAX)]
    left = len(stats.instruments) - INSTRUMENTS_MAX
    more = f"<p>{left:,} more instruments are not shown.</p>" if left > 0 else ""
    return (
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:12px">'
        f'<tr><th style="{FIRST}"></th>{heads}</tr>{"".join(rows)}</table></div>{more}'
    )


def _table_row(title: str, cells: list[str]) -> str:
    made = "".join(f'<td style="{CELL}">{html.escape(cell)}</td>' for cell in cells)
    return f'<tr><td style="{FIRST}">{html.escape(title)}</td>{made}</tr>'


def _counts(title: str, counts: dict[str, int]) -> str:
    rows = "".join(
        f'<tr><td style="{FIRST}">{html.escape(str(name))}</td>'
        f'<td style="{CELL}">{count:,}</td></tr>'
        for name, count in sorted(counts.items(), key=lambda one: -one[1])
    )
    head = f'<tr><th style="{FIRST}">{html.escape(title)}</th><th></th></tr>'
    return f'<table style="border-collapse:collapse;font-size:12px">{head}{rows}</table>'


def _facts(facts: list[tuple[str, str]]) -> str:
    rows = "".join(
        f'<tr><td style="{FIRST};opacity:.7">{html.escape(name)}</td>'
        f'<td style="text-align:left;padding:2px 10px;border:none">{html.escape(text)}</td></tr>'
        for name, text in facts
    )
    return f'<table style="border-collapse:collapse;font-size:12px;margin-top:8px">{rows}</table>'


def fact_texts(about: dict[str, Any], zone: str) -> list[tuple[str, str]]:
    """What a run was made of, for people: in the order given, times and durations as such."""
    made = []
    for name, value in about.items():
        if value in (None, "", {}):
            continue
        if isinstance(value, dict):
            text = ", ".join(f"{inner} = {one}" for inner, one in value.items())
        elif name in ("begin", "end") and isinstance(value, int):
            text = clock_text(value, zone)
        elif name == "seconds":
            text = duration_text(round(float(value) * 1e9))
        elif isinstance(value, bool):
            text = "yes" if value else "no"
        else:
            text = f"{value:,}" if isinstance(value, int) and name == "events" else str(value)
        made.append((name.replace("_", " "), text))
    return made
