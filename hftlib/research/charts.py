"""Small pictures as inline SVG: lines, bars, a histogram, a heat map. No script; light and dark.

    lines({"in sample": (x, y), "out of sample": (x, y)}, title="...", across="day")
    bars(["Monday", ...], values, title="...")
    histogram(values, title="...", marks={"observed": 1.2})
    heat(matrix, across=("edge", [1, 2]), down=("clip", [100, 200]), title="...")

A value that is not a number is left out. A curve of any length becomes at most two points for each
two of the picture's columns. Worst case: a heat map of a thousand cells is some 100 kB.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hftlib.research.result_svg import BLUE, GREEN, GREY, RED, text, thinned, ticks

Array = np.ndarray[Any, Any]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 260, 76, 16, 30, 42
_ACROSS, _DOWN = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
COLOURS = (BLUE, RED, GREEN, GREY, "#8e5bb5", "#c98a1b", "#2a9d9d", "#7a6a53")
_BARS, _LABELS = 40, 14


def lines(
    curves: Mapping[str, tuple[Any, Any]],
    *,
    title: str,
    across: str = "",
    up: str = "",
    marks: Mapping[str, float] | None = None,
    dots: bool = False,
    zero: bool = False,
) -> str:
    """Curves over one axis; `marks` are upright lines with a word; `dots` draws points alone."""
    known = {name: _known(x, y) for name, (x, y) in curves.items()}
    every = np.concatenate([np.zeros(0), *(x for x, _ in known.values())])
    heights = np.concatenate([np.zeros(1 if zero else 0), *(y for _, y in known.values())])
    every = np.append(every, list((marks or {}).values()))
    span, limits = _span(every), _span(heights)
    parts = [*_frame(title, across, up, span, limits)]
    for number, (name, (x, y)) in enumerate(known.items()):
        colour = COLOURS[number % len(COLOURS)]
        if not dots:
            scaled = np.rint((x - span[0]) / (span[1] - span[0]) * 1e9).astype(np.int64)
            scaled, y = thinned(scaled, y, 0, 10**9, _ACROSS // 2)
            x = span[0] + scaled / 1e9 * (span[1] - span[0])
        parts.append(_points(x, y, span, limits, colour) if dots else "")
        parts.append("" if dots else _path(x, y, span, limits, colour))
        if len(known) > 1:
            parts.append(text(WIDTH - RIGHT, TOP + 12 + 14 * number, name, "end", colour=colour))
    parts += [_mark(word, value, span) for word, value in (marks or {}).items()]
    return _picture(parts)


def histogram(
    values: Any, *, title: str, across: str = "", marks: Mapping[str, float] | None = None
) -> str:
    """How often values fall where; `marks` are upright lines with a word."""
    flat = np.asarray(values, float).ravel()
    flat = flat[np.isfinite(flat)]
    span = _span(np.append(flat, [one for one in (marks or {}).values() if np.isfinite(one)]))
    counts, edges = np.histogram(flat, _BARS, span)
    limits = (0.0, float(max(1, counts.max(initial=0))))
    parts = [*_frame(title, across, "times", span, limits)]
    for count, left, right in zip(counts.tolist(), edges[:-1], edges[1:], strict=True):
        if count:
            x, width = _x(left, span), _x(right, span) - _x(left, span)
            parts.append(_box(x, _y(count, limits), width - 0.6, _y(0, limits), BLUE))
    parts += [_mark(word, value, span) for word, value in (marks or {}).items()]
    return _picture(parts)


def bars(
    names: Sequence[Any],
    values: Any,
    *,
    title: str,
    up: str = "",
    errors: Any = None,
) -> str:
    """A bar for each name, losses in red; `errors` are drawn as whiskers of plus and minus."""
    heights = np.nan_to_num(np.asarray(values, float))
    reach = np.zeros(len(heights)) if errors is None else np.nan_to_num(np.asarray(errors, float))
    limits = _span(np.concatenate([[0.0], heights - reach, heights + reach]))
    each = _ACROSS / max(1, len(heights))
    parts = [*_frame(title, "", up, None, limits)]
    for number, (name, value, error) in enumerate(
        zip(names, heights.tolist(), reach.tolist(), strict=True)
    ):
        x = LEFT + number * each
        top, foot = _y(max(value, 0.0), limits), _y(min(value, 0.0), limits)
        colour = BLUE if value >= 0 else RED
        parts.append(_box(x + each * 0.12, top, each * 0.76, foot, colour))
        if error:
            middle = x + each / 2
            parts.append(_upright(middle, _y(value - error, limits), _y(value + error, limits)))
        if len(heights) <= _LABELS or number % (len(heights) // _LABELS + 1) == 0:
            parts.append(text(x + each / 2, HEIGHT - BOTTOM + 16, _short(name), "middle"))
    return _picture(parts)


def heat(
    matrix: Any,
    *,
    across: tuple[str, Sequence[Any]],
    down: tuple[str, Sequence[Any]],
    title: str,
    mark: tuple[int, int] | None = None,
) -> str:
    """A cell for each value, red below zero and blue above; `mark` is a row and a column."""
    cells = np.asarray(matrix, float)
    rows, columns = cells.shape
    most = float(np.nanmax(np.abs(cells))) if np.isfinite(cells).any() else 1.0
    wide, high = _ACROSS / max(1, columns), _DOWN / max(1, rows)
    parts = [text(LEFT, TOP - 12, title, "start", bold=True)]
    for row in range(rows):
        for column in range(columns):
            value = float(cells[row, column])
            x, y = LEFT + column * wide, TOP + row * high
            parts.append(_cell(value, most, x, y, wide, high))
    if mark is not None:
        parts.append(
            f'<rect x="{LEFT + mark[1] * wide:.1f}" y="{TOP + mark[0] * high:.1f}" '
            f'width="{wide:.1f}" height="{high:.1f}" fill="none" stroke="currentColor" '
            'stroke-width="2"/>'
        )
    for number, name in _some(down[1]):
        parts.append(text(LEFT - 6, TOP + (number + 0.5) * high + 4, _short(name), "end"))
    for number, name in _some(across[1]):
        x = LEFT + (number + 0.5) * wide
        parts.append(text(x, HEIGHT - BOTTOM + 16, _short(name), "middle"))
    parts.append(text(LEFT + _ACROSS / 2, HEIGHT - 8, across[0], "middle"))
    parts.append(text(4, TOP - 12, down[0], "start"))
    return _picture(parts)


def _known(x: Any, y: Any) -> tuple[Array, Array]:
    across, up = np.asarray(x, float).ravel(), np.asarray(y, float).ravel()
    there = np.isfinite(across) & np.isfinite(up)
    return across[there], up[there]


def _span(values: Any) -> tuple[float, float]:
    """From the lowest to the highest, with a little air; never nothing."""
    known = np.asarray(values, float)
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if low == high:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    return low, high


def _frame(
    title: str,
    across: str,
    up: str,
    span: tuple[float, float] | None,
    limits: tuple[float, float],
) -> list[str]:
    parts = [text(LEFT, TOP - 12, title, "start", bold=True)]
    if up:
        parts.append(text(4, TOP - 12, up, "start"))
    for value in ticks(*limits):
        y, strength = _y(value, limits), 0.45 if value == 0 else 0.14
        parts.append(
            f'<line x1="{LEFT}" x2="{LEFT + _ACROSS}" y1="{y:.1f}" y2="{y:.1f}" '
            f'stroke="currentColor" stroke-opacity="{strength}"/>'
        )
        parts.append(text(LEFT - 6, y + 4, f"{value:,.10g}", "end"))
    for value in ticks(*span) if span else ():
        parts.append(text(_x(value, span), HEIGHT - BOTTOM + 16, f"{value:,.10g}", "middle"))
    if across:
        parts.append(text(LEFT + _ACROSS / 2, HEIGHT - 8, across, "middle"))
    return parts


def _path(
    x: Array, y: Array, span: tuple[float, float], limits: tuple[float, float], colour: str
) -> str:
    points = [
        f"{_x(a, span):.1f},{_y(b, limits):.1f}"
        for a, b in zip(x.tolist(), y.tolist(), strict=True)
    ]
    joined = " ".join(points)
    return f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.4"/>'


def _points(
    x: Array, y: Array, span: tuple[float, float], limits: tuple[float, float], colour: str
) -> str:
    return "".join(
        f'<circle cx="{_x(a, span):.1f}" cy="{_y(b, limits):.1f}" r="2.4" fill="{colour}" '
        'fill-opacity="0.6"/>'
        for a, b in zip(x.tolist(), y.tolist(), strict=True)
    )


def _mark(word: str, value: float, span: tuple[float, float] | None) -> str:
    if span is None or not np.isfinite(value):
        return ""
    x = _x(value, span)
    anchor = "end" if x > LEFT + _ACROSS / 2 else "start"
    shift = -5 if anchor == "end" else 5
    words = text(x + shift, TOP + 10, word, anchor, colour=RED)
    return _upright(x, TOP, HEIGHT - BOTTOM, RED) + words


def _upright(x: float, top: float, foot: float, colour: str = "currentColor") -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top:.1f}" y2="{foot:.1f}" '
        f'stroke="{colour}" stroke-width="1.4"/>'
    )


def _box(x: float, top: float, width: float, foot: float, colour: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{top:.1f}" width="{max(0.4, width):.1f}" '
        f'height="{max(0.0, foot - top):.1f}" fill="{colour}" fill-opacity="0.75"/>'
    )


def _cell(value: float, most: float, x: float, y: float, wide: float, high: float) -> str:
    known = np.isfinite(value)
    colour = GREY if not known else (BLUE if value >= 0 else RED)
    strength = 0.08 if not known else 0.08 + 0.87 * abs(value) / (most or 1.0)
    box = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide - 0.6:.1f}" height="{high - 0.6:.1f}" '
        f'fill="{colour}" fill-opacity="{strength:.2f}"/>'
    )
    if wide < 34 or high < 14 or not known:
        return box
    return box + text(x + wide / 2, y + high / 2 + 4, f"{value:,.3g}", "middle")


def _some(names: Sequence[Any]) -> list[tuple[int, Any]]:
    """Not more names than fit."""
    every = len(names) // _LABELS + 1
    return [(number, name) for number, name in enumerate(names) if number % every == 0]


def _short(name: Any) -> str:
    said = f"{name:,.6g}" if isinstance(name, float) else str(name)
    return said if len(said) <= 12 else said[:11] + "…"


def _x(value: float, span: tuple[float, float] | None) -> float:
    low, high = span or (0.0, 1.0)
    return LEFT + (value - low) / (high - low) * _ACROSS


def _y(value: float, limits: tuple[float, float]) -> float:
    return TOP + (limits[1] - value) / (limits[1] - limits[0]) * _DOWN


def _picture(parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'style="width:100%;max-width:760px;height:auto;font:11px system-ui,sans-serif" '
        f'fill="currentColor">{"".join(parts)}</svg>'
    )
