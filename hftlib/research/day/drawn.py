"""The pictures of the report: curves, states over the day, the P&L by where it came from.

All of it is static SVG in the colours of the text around it, so that screen and paper show the same
without a script. Worst case: a state chart shows LANES_MAX scopes.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from hftlib.research.charts import bars
from hftlib.research.clocks import clock_text
from hftlib.research.day.curves import DayCurve
from hftlib.research.day.session import DaySession
from hftlib.research.result_svg import BLUE, GREEN, GREY, RED, Line, Panel, picture
from hftlib.risk.controls import TRADING_STATES

WIDTH, LEFT, LANE, TOP, LANES_MAX = 860, 190, 22, 8, 24
COLOURS = {"active": GREEN, "reducing": "#d69e1e", "halted": RED}
PARTS = {
    "spread": "spread",
    "adverse": "adverse sel.",
    "inventory": "inventory",
    "unattributed": "unattributed",
    "held_over_seams": "over seams",
    "fees": "fees",
    "net": "net",
}


def curve_picture(curve: DayCurve, seams: Sequence[int], zone: str) -> str:
    """P&L, drawdown and exposure of a currency; an empty text where there is no sample."""
    if not len(curve.times):
        return ""
    begin, end = int(curve.times[0]), int(curve.times[-1])
    times = np.append(begin, curve.times)

    def from_zero(values: Any) -> Any:
        return np.append(0.0, values)

    panels = [
        Panel(
            f"P&L, {curve.currency}",
            (
                Line("before fees", times, from_zero(curve.gross), GREY),
                Line("after fees", times, from_zero(curve.net), BLUE),
            ),
        ),
        Panel(
            f"below its top, {curve.currency}",
            (Line("drawdown", times, from_zero(curve.fall), RED, filled=True),),
        ),
        Panel(
            f"held, {curve.currency}",
            (
                Line("long + short", times, from_zero(curve.exposure), GREY),
                Line("net", times, from_zero(curve.exposure_net), GREEN, filled=True),
            ),
        ),
    ]
    clocks = [clock_text(ns, zone)[:19] for ns in (begin, (begin + end) // 2, end)]
    drawn = picture(panels, begin, end, (clocks[0], clocks[1], f"{clocks[2]} {zone}"))
    return drawn.replace("</svg>", f"{_seams(seams, begin, end, len(panels))}</svg>")


def _seams(seams: Sequence[int], begin: int, end: int, panels: int) -> str:
    """Where another process went on: dashed lines through all panels."""
    made, foot = "", 20 + panels * 144 - 24
    for at in seams:
        if begin < at < end:
            x = 92 + (at - begin) / max(1, end - begin) * 756
            made += (
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="20" y2="{foot}" stroke="currentColor"'
                ' stroke-opacity="0.6" stroke-dasharray="4 3"/>'
            )
    return made


def state_picture(session: DaySession, zone: str) -> str:
    """Who might trade when: a lane for each scope whose state changed, and for the firm."""
    result = session.result
    if result is None or not len(result.records["changes"]):
        return ""
    scopes = [str(one) for one in result.about.get("scopes", ())]
    begin, end = session.facts.begin, max(session.facts.end, session.facts.begin + 1)
    changes = result.records["changes"]
    changes = changes[changes["what"] == 1]
    rows = sorted({0, *changes["scope"].tolist()})[:LANES_MAX]
    height = TOP + len(rows) * LANE + 22
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'style="width:100%;max-width:1000px;height:auto;font:11px sans-serif" fill="currentColor">'
    ]
    for n, scope in enumerate(rows):
        name = scopes[scope] if scope < len(scopes) else str(scope)
        mine = changes[changes["scope"] == scope]
        parts.append(_lane(name, TOP + n * LANE, begin, end, mine))
    for at, anchor, ns in ((LEFT, "start", begin), (WIDTH - 8, "end", end)):
        parts.append(
            f'<text x="{at}" y="{height - 6}" text-anchor="{anchor}" fill-opacity="0.75">'
            f"{html.escape(clock_text(ns, zone)[:19])}</text>"
        )
    return "".join([*parts, "</svg>"])


def _lane(name: str, y: int, begin: int, end: int, changes: Any) -> str:
    shown = name if len(name) <= 30 else f"{name[:29]}…"
    parts = [f'<text x="{LEFT - 8}" y="{y + 14}" text-anchor="end">{html.escape(shown)}</text>']
    at, state = begin, int(changes["before"][0]) if len(changes) else 0
    for one in changes:
        parts.append(_piece(y, at, int(one["time"]), begin, end, state))
        at, state = int(one["time"]), int(one["after"])
    return "".join([*parts, _piece(y, at, end, begin, end, state)])


def _piece(y: int, first: int, last: int, begin: int, end: int, state: int) -> str:
    name = TRADING_STATES[state] if 0 <= state < len(TRADING_STATES) else str(state)
    wide = WIDTH - 8 - LEFT
    x = LEFT + (first - begin) / (end - begin) * wide
    width = max(0.8, (last - first) / (end - begin) * wide)
    word = ""
    if width > 7 * len(name) + 8:
        word = f'<text x="{x + 5:.1f}" y="{y + 14}" fill="#fff">{name}</text>'
    colour = COLOURS.get(name, GREY)
    return (
        f'<rect x="{x:.1f}" y="{y + 2}" width="{width:.1f}" height="{LANE - 5}" '
        f'fill="{colour}" fill-opacity="0.9"/>{word}'
    )


def parts_picture(row: Mapping[str, Any]) -> str:
    """Where the P&L of a currency came from."""
    known = {name: row[name] for name in PARTS if row.get(name) is not None}
    known = {name: one for name, one in known.items() if one or name in ("net", "fees", "spread")}
    values = [
        -float(one) if name == "fees" else float(Fraction(one)) for name, one in known.items()
    ]
    title = f"where the P&L came from, {row['currency']}"
    return bars([PARTS[name] for name in known], values, title=title)
