"""Curves as inline SVG: a picture that any page shows, without a script, light or dark.

Panels stand below each other and share the time. A curve of any length becomes at most two points
for each two of the picture's columns, the lowest and the highest, so no spike is lost. Worst case:
some 12 kB a curve.
"""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
WIDTH, PANEL_HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 120, 92, 12, 20, 24
_PLOT = WIDTH - LEFT - RIGHT
BLUE, GREY, RED, GREEN = "#2f6fb0", "#8a8f98", "#c8453c", "#2d8a57"


@dataclass(frozen=True, slots=True)
class Line:
    """One curve of a panel, as steps: a value holds until the next."""

    name: str
    times: Array
    values: Array
    colour: str = BLUE
    filled: bool = False  # whether the ground between it and zero is tinted


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    lines: tuple[Line, ...]


def picture(panels: list[Panel], begin: int, end: int, marks: tuple[str, str, str]) -> str:
    """The panels; `marks` are the words below begin, middle and end of the time."""
    height = TOP + len(panels) * (PANEL_HEIGHT + BOTTOM)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'style="width:100%;max-width:1000px;height:auto;font:11px system-ui,sans-serif" '
        'fill="currentColor">'
    ]
    for number, panel in enumerate(panels):
        top = TOP + number * (PANEL_HEIGHT + BOTTOM)
        parts.append(_panel(panel, top, begin, end))
    for place, mark in zip((0.0, 0.5, 1.0), marks, strict=True):
        anchor = ("start", "middle", "end")[round(place * 2)]
        parts.append(text(LEFT + place * _PLOT, height - 8, mark, anchor))
    return "".join([*parts, "</svg>"])


def thinned(times: Array, values: Array, begin: int, end: int, columns: int) -> tuple[Array, Array]:
    """At most two points a column, the lowest and the highest, and the very last."""
    known = ~np.isnan(values)
    times, values = times[known], values[known]
    if len(times) <= 2 * columns:
        return times, values
    column = np.clip((times - begin) * columns // max(1, end - begin), 0, columns - 1)
    order = np.lexsort((values, column))
    firsts = np.flatnonzero(np.append(True, np.diff(column[order]) != 0))
    lasts = np.append(firsts[1:], len(order)) - 1
    kept = np.unique(np.concatenate([order[firsts], order[lasts], [len(times) - 1]]))
    return times[kept], values[kept]


def _panel(panel: Panel, top: int, begin: int, end: int) -> str:
    drawn = [
        (line, *thinned(line.times, line.values, begin, end, _PLOT // 2)) for line in panel.lines
    ]
    every = np.concatenate([np.zeros(1), *(values for _, _, values in drawn)])
    low, high = float(every.min()), float(every.max())
    if low == high:
        low, high = low - 1, high + 1
    parts = [text(LEFT, top - 6, panel.title, "start", bold=True)]
    if len(panel.lines) > 1:
        parts += _legend(panel, top)
    for value in ticks(low, high):
        y = _down(value, low, high, top)
        strength = 0.45 if value == 0 else 0.14
        parts.append(
            f'<line x1="{LEFT}" x2="{LEFT + _PLOT}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="currentColor" stroke-opacity="{strength}"/>'
        )
        parts.append(text(LEFT - 6, y + 4, f"{value:,.10g}", "end"))
    for line, times, values in drawn:
        parts.append(_line(line, times, values, (begin, end), (low, high), top))
    return "".join(parts)


def _line(
    line: Line,
    times: Array,
    values: Array,
    span: tuple[int, int],
    limits: tuple[float, float],
    top: int,
) -> str:
    if not len(times):
        return ""
    begin, end = span
    across = LEFT + np.clip((times - begin) / max(1, end - begin), 0, 1) * _PLOT
    down = [_down(float(value), *limits, top) for value in values]
    steps = [f"M{across[0]:.1f},{down[0]:.1f}"]
    for x, y in zip(across[1:].tolist(), down[1:], strict=True):
        steps.append(f"H{x:.1f}V{y:.1f}")
    path = "".join(steps)
    made = ""
    if line.filled:
        zero = _down(0.0, *limits, top)
        made = (
            f'<path d="{path}V{zero:.1f}H{across[0]:.1f}Z" fill="{line.colour}" '
            'fill-opacity="0.18" stroke="none"/>'
        )
    return f'{made}<path d="{path}" fill="none" stroke="{line.colour}" stroke-width="1.3"/>'


def _legend(panel: Panel, top: int) -> list[str]:
    made, x = [], LEFT + _PLOT
    for line in reversed(panel.lines):
        made.append(text(x, top - 6, line.name, "end", colour=line.colour))
        x -= 7 * len(line.name) + 14
    return made


def ticks(low: float, high: float) -> list[float]:
    """Three to six round values within the limits."""
    rough = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * n for n in (1, 2, 5, 10) if size * n >= rough)
    first = math.ceil(low / step)
    made = [n * step for n in range(first, first + 8) if n * step <= high]
    return [0.0 if abs(value) < step / 1e6 else value for value in made]


def _down(value: float, low: float, high: float, top: int) -> float:
    return top + (high - value) / (high - low) * PANEL_HEIGHT


def text(
    x: float, y: float, text: str, anchor: str, *, bold: bool = False, colour: str = ""
) -> str:
    weight = ' font-weight="600"' if bold else ""
    fill = f' fill="{colour}"' if colour else ' fill-opacity="0.75"'
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{weight}{fill}>'
        f"{html.escape(text)}</text>"
    )
