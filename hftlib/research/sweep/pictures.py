"""Pictures of a sweep: for plotly, and one as inline SVG for the page that any notebook shows.

Worst case: a heat map of more than `CELLS_MAX` values a side has as many stretches of values.
"""

from __future__ import annotations

import html
from typing import Any

import numpy as np

from hftlib.core.errors import StateError
from hftlib.research import charts
from hftlib.research.result_plots import plotly_part
from hftlib.research.sheets import Sheet
from hftlib.research.sweep.plateau import LONELY, PLATEAU
from hftlib.research.sweep.trying import DONE

CELLS_MAX = 24
_COLOURS = {PLATEAU: "#2d8a57", LONELY: "#c8453c"}


def heatmap(sweep: Any, x: str, y: str | None) -> Any:
    """The objective over two parameters."""
    go = plotly_part("graph_objects")

    frame = _done(sweep)
    if y is None:
        order = frame.sort_values(x)
        made = go.Figure(go.Scatter(x=order[x], y=order["objective"], mode="lines+markers"))
        made.update_layout(xaxis_title=x, yaxis_title=sweep.objective)
    else:
        cells, across, down = cells_of(frame, x, y)
        drawn = go.Heatmap(
            z=cells, x=across, y=down, colorbar={"title": sweep.objective}, colorscale="Viridis"
        )
        made = go.Figure(drawn)
        made.update_layout(xaxis_title=x, yaxis_title=y)
        made.update_xaxes(type="category")
        made.update_yaxes(type="category")
    made.update_layout(title=sweep.standing.sentence, title_font_size=13)
    return made


def parallel(sweep: Any) -> Any:
    """A line for each trial, coloured by its objective."""
    go = plotly_part("graph_objects")

    frame = _done(sweep)
    names = [*sweep.space.names, "objective"]
    drawn = go.Parcoords(
        line={"color": frame["objective"], "colorscale": "Viridis", "showscale": True},
        dimensions=[
            {"label": sweep.objective if name == "objective" else name, "values": frame[name] + 0}
            for name in names
        ],
    )
    return go.Figure(drawn)


def plateau(sweep: Any) -> Any:
    """Each trial's objective across, the mean of its neighbours up; the best one is marked."""
    go = plotly_part("graph_objects")

    _done(sweep)
    land, standing = sweep.land, sweep.standing
    rows, means = land.around()
    heights, numbers = land.heights[rows], land.numbers[rows]
    ends = [float(heights.min()), float(heights.max())]
    made = go.Figure()
    made.add_scatter(
        x=heights, y=means, mode="markers", name="trials", text=[f"trial {n}" for n in numbers]
    )
    made.add_scatter(x=ends, y=ends, mode="lines", name="neighbours as good")
    best = np.flatnonzero(numbers == standing.number)
    made.add_scatter(
        x=heights[best],
        y=means[best],
        mode="markers",
        name=f"the best: {standing.word}",
        marker={"size": 14, "symbol": "star", "color": _COLOURS.get(standing.word, "#8a8f98")},
    )
    made.update_layout(
        title=standing.sentence,
        title_font_size=13,
        xaxis_title=sweep.objective,
        yaxis_title=f"{sweep.objective}, mean of neighbours",
    )
    return made


def page(sweep: Any, words: str) -> str:
    """The sweep in a notebook: what is to be said first, then the picture, then the best."""
    standing, frame = sweep.standing, sweep.frame
    colour = _COLOURS.get(standing.word, "#8a8f98")
    said = (
        f"<h4 style='margin:0.4em 0'>Sweep of {html.escape(words)}</h4>"
        f"<p style='border-left:4px solid {colour};padding-left:8px'>"
        f"{html.escape(standing.sentence)}</p>"
    )
    failed = frame.loc[frame["state"] == "failed", "why"]
    if len(failed):
        first = html.escape(str(failed.iloc[0]))
        said += f"<p>{len(failed):,} trials failed, the first with: {first}</p>"
    return f"<div>{said}{_picture(sweep)}{table_of(sweep).html()}</div>"


def cells_of(frame: Any, x: str, y: str) -> tuple[np.ndarray[Any, Any], list[Any], list[Any]]:
    """The best objective of each pair of values; of many values, of stretches of them."""
    across, columns = _axis(frame[x].to_numpy())
    down, rows = _axis(frame[y].to_numpy())
    cells = np.full((len(down), len(across)), np.nan)
    for row, column, value in zip(rows, columns, frame["objective"].to_numpy(float), strict=True):
        if not value <= cells[row, column]:
            cells[row, column] = value
    return cells, across, down


def _axis(values: np.ndarray[Any, Any]) -> tuple[list[Any], np.ndarray[Any, Any]]:
    """Names of the places along an axis, and which one each value has."""
    known = np.unique(values)
    if len(known) <= CELLS_MAX:
        return known.tolist(), np.searchsorted(known, values)
    edges = np.linspace(float(known[0]), float(known[-1]), CELLS_MAX // 2 + 1)
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    middles = (edges[:-1] + edges[1:]) / 2
    return [float(f"{one:.4g}") for one in middles.tolist()], places


def _picture(sweep: Any) -> str:
    """A heat map over the first two parameters, or a curve over the only one."""
    frame = sweep.frame[(sweep.frame["state"] == DONE) & sweep.frame["objective"].notna()]
    if not len(frame):
        return ""
    names = sweep.space.names
    if len(names) == 1:
        order = frame.sort_values(names[0])
        return charts.lines(
            {sweep.objective: (order[names[0]] + 0, order["objective"])},
            title=f"{sweep.objective} of each trial",
            across=names[0],
            dots=sweep.space.grid_size > CELLS_MAX,
        )
    cells, across, down = cells_of(frame, names[0], names[1])
    flat = int(np.nanargmax(cells))
    rest = f", the best over {', '.join(names[2:])}" if len(names) > 2 else ""
    return charts.heat(
        cells,
        across=(names[0], across),
        down=(names[1], down),
        title=f"{sweep.objective}{rest}",
        mark=(flat // len(across), flat % len(across)),
    )


def table_of(sweep: Any, count: int = 5) -> Sheet:
    """The best trials with their parameters."""
    names = sweep.space.names
    heads = ("trial", *names, sweep.objective, "P&L", "drawdown", "fills")
    rows = [
        (
            int(row["number"]),
            *(f"{row[name]:,.6g}" if isinstance(row[name], float) else row[name] for name in names),
            *(f"{row[name]:,.4g}" for name in ("objective", "pnl_net", "drawdown")),
            int(row["fills"]),
        )
        for row in sweep.best(count).to_dict("records")
    ]
    return Sheet("The best", heads, rows)


def _done(sweep: Any) -> Any:
    frame = sweep.frame
    made = frame[(frame["state"] == DONE) & frame["objective"].notna()]
    if not len(made):
        raise StateError(
            f"No trial has a {sweep.objective}, so there is nothing to draw",
            where=repr(sweep.strategy),
            do="Look at sweep.frame, where each trial says why.",
        )
    return made
