"""The page of execution quality: HTML without script or files, for a notebook or a report.

Where the P&L came from as bars, then the figures by instrument, venue and side, the races lost, and
what each figure means. Everything from outside is escaped. Worst case: some 60 kB.
"""

from __future__ import annotations

import html
import math
from typing import Any

from hftlib.research.result_figures import text_of
from hftlib.research.result_html import BAND, CELL, FIRST
from hftlib.research.result_svg import GREEN, GREY, RED

_PARTS = ("spread", "adverse", "inventory", "unattributed", "fees")
_WIDTH = 260  # of the longest bar, in pixels
RACES_SHOWN, GROUPS_SHOWN = 10, 12


def tca_page(tca: Any) -> str:
    """The whole page as one element."""
    about = tca.result.about
    name = f"{about.get('strategy') or 'Execution'}, {about.get('tape') or 'execution quality'}"
    name += f", {tca.mode}" if tca.mode else ""
    parts = [
        '<div class="hft-tca" style="font:13px system-ui,sans-serif;max-width:1000px">',
        f'<h3 style="margin:4px 0">Execution quality: {html.escape(str(name))}</h3>',
    ]
    wrong = tca.check()
    if wrong:
        lines = "<br>".join(map(html.escape, wrong))
        parts.append(f'<div style="{BAND}"><b>It does not add up.</b> {lines}</div>')
    parts.append(_bars(tca))
    if tca.not_told:
        lines = "<br>".join(map(html.escape, tca.not_told))
        parts.append(f'<p style="opacity:.8"><b>Not told</b><br>{lines}</p>')
    several = len({one.venue for one in tca.result.instruments}) > 1
    for by in ((), ("instrument",), *((("venue",),) if several else ()), ("side",)):
        table = tca.table(by)
        # One row is told by the total.
        if table.rows and (not by or len(table.rows) > 1):
            parts.append(_table(table))
    roles = tca.attribution("role")
    if len(roles.rows) > 1:
        parts.append(_table(roles))
    parts.append(_races(tca))
    parts.append(_definitions(tca))
    return "".join([*parts, "</div>"])


def _bars(tca: Any) -> str:
    """For each currency, a bar for each part and one for what is left."""
    table, made = tca.attribution(()), []
    titles = {figure.name: figure for figure in table.figures}
    for (currency,), one in table.rows.items():
        amounts = {name: -one[name] if name == "fees" else one[name] for name in _PARTS}
        amounts["net"] = one["net"]
        known = [abs(value) for value in amounts.values() if not math.isnan(value)]
        longest = max([*known, 1e-12])
        rows = []
        for name, value in amounts.items():
            if name == "unattributed" and not value:
                continue
            title = "less fees" if name == "fees" else titles[name].title
            text = text_of(titles[name], value, currency)
            width = 0 if math.isnan(value) else round(_WIDTH * abs(value) / longest)
            colour = GREY if math.isnan(value) else GREEN if value > 0 else RED
            weight = "font-weight:600;" if name == "net" else ""
            rows.append(
                f'<tr style="{weight}"><td style="{FIRST}">{html.escape(title)}</td>'
                f'<td style="{CELL}">{html.escape(text)}</td><td style="border:none">'
                f'<div style="height:10px;width:{width}px;background:{colour}"></div></td></tr>'
            )
        head = html.escape(f"{table.title}, {currency}")
        made.append(
            f'<p style="margin:8px 0 2px"><b>{head}</b></p>'
            f'<table style="border-collapse:collapse;font-size:12px">{"".join(rows)}</table>'
        )
    return "".join(made) or "<p>There is no fill.</p>"


def _table(table: Any) -> str:
    sheet = table.sheet(GROUPS_SHOWN)
    heads = "".join(f'<th style="{CELL}">{html.escape(head)}</th>' for head in sheet.heads[1:])
    said = {figure.title: figure.said for figure in table.figures}
    rows = []
    for title, *cells in sheet.rows:
        made = "".join(f'<td style="{CELL}">{html.escape(cell)}</td>' for cell in cells)
        tip = html.escape(said.get(title, ""), quote=True)
        rows.append(f'<tr><td style="{FIRST}" title="{tip}">{html.escape(title)}</td>{made}</tr>')
    by = ", ".join(table.by)
    return (
        f'<p style="margin:10px 0 2px"><b>{html.escape(sheet.title)}</b> by {html.escape(by)}</p>'
        '<div style="overflow-x:auto"><table style="border-collapse:collapse;font-size:12px">'
        f'<tr><th style="{FIRST}"></th>{heads}</tr>{"".join(rows)}</table></div>'
    )


def _races(tca: Any) -> str:
    """The races that cost most."""
    races = tca.races
    lost = races[races["lost"]]
    if not len(lost):
        return ""
    column = f"markout_{tca.horizon}"
    worst = lost.sort_values(column).head(RACES_SHOWN)
    rows = "".join(
        f'<tr><td style="{FIRST}">{html.escape(str(one["time"]))}</td>'
        f'<td style="{CELL}">{html.escape(str(one["symbol"]))}</td>'
        f'<td style="{CELL}">{one["side"]} {one["quantity"]:,.7g} at {one["price"]:,.7g}</td>'
        f'<td style="{CELL}">{one["asked"]} asked at {html.escape(str(one["asked_at"]))}</td>'
        f'<td style="{CELL}">{one[column]:,.2f}</td></tr>'
        for _, one in worst.iterrows()
    )
    count = "One race" if len(lost) == 1 else f"{len(lost):,} races"
    head = f"{count} lost; what cost most, by the gain until the middle {tca.horizon} later"
    return (
        f'<p style="margin:10px 0 2px"><b>{html.escape(head)}</b></p>'
        f'<table style="border-collapse:collapse;font-size:12px">{rows}</table>'
    )


def _definitions(tca: Any) -> str:
    figures = [*tca.table(()).figures, *tca.attribution(()).figures]
    rows = "".join(
        f'<tr><td style="{FIRST}"><code>{html.escape(one.name)}</code></td>'
        f'<td style="text-align:left;padding:2px 10px;border:none">{html.escape(one.said)}</td>'
        "</tr>"
        for one in figures
    )
    return (
        '<details style="margin-top:10px"><summary>What each figure means</summary>'
        f'<table style="border-collapse:collapse;font-size:11px">{rows}</table></details>'
    )
