"""Pictures of execution quality: where the P&L came from, costs, markouts, waits.

    tca.plot()                     all of them below each other
    tca.plot("attribution")

plotly is loaded when the first is drawn. Worst case: some 200 kB a picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.research.result_plots import plotly_part
from hftlib.research.result_svg import BLUE, GREEN, GREY, RED

PICTURES = ("attribution", "shortfall", "markouts", "waits")
_TITLES = {
    "attribution": "Where the P&L came from",
    "shortfall": "Implementation shortfall",
    "markouts": "Gain of fills by the time after them, by venue",
    "waits": "Time from sending to the first fill",
}
_ACROSS = {"markouts": "time after the fill", "waits": "ms"}
_UP = {"markouts": "basis points", "waits": "orders"}
_PARTS = ("spread", "adverse", "inventory", "unattributed")


def plotted(tca: Any, what: str) -> Any:
    """A plotly figure of one picture, or of all."""
    if what != "all" and what not in PICTURES:
        raise InputError(
            f"There is no picture {shown(what)}",
            where="the picture asked for",
            do=f"Ask for one of all, {', '.join(PICTURES)}.",
        )
    chosen = PICTURES if what == "all" else (what,)
    made = plotly_part("subplots").make_subplots(
        rows=len(chosen), cols=1, subplot_titles=[_TITLES[name] for name in chosen]
    )
    for row, name in enumerate(chosen, 1):
        for trace in _TRACES[name](tca):
            made.add_trace(trace, row=row, col=1)
        made.update_xaxes(title_text=_ACROSS.get(name), row=row, col=1)
        made.update_yaxes(title_text=_UP.get(name, "currency"), row=row, col=1)
    return made.update_layout(
        height=300 * len(chosen) + 80, template="plotly_white", barmode="relative"
    )


def _attribution(tca: Any) -> list[Any]:
    """Bars of each instrument, one on the other; a mark where they end, after fees."""
    go, table = plotly_part("graph_objects"), tca.attribution()
    names = [" ".join(map(str, key)) for key in table.rows]
    made = [
        go.Bar(
            x=names, y=[one[part] for one in table.rows.values()], name=part, marker_color=colour
        )
        for part, colour in zip(_PARTS, (GREEN, RED, BLUE, GREY), strict=True)
    ]
    fees = [-one["fees"] for one in table.rows.values()]
    made.append(go.Bar(x=names, y=fees, name="fees", marker_color="black"))
    net = [one["net"] for one in table.rows.values()]
    marker = {"color": "white", "size": 10, "line": {"color": "black", "width": 2}}
    made.append(go.Scatter(x=names, y=net, name="net", mode="markers", marker=marker))
    return made


def _shortfall(tca: Any) -> list[Any]:
    go, table = plotly_part("graph_objects"), tca.table()
    names = [" ".join(map(str, key)) for key in table.rows]
    parts = ("delay", "trading") if tca.tape is not None else ("execution",)
    colours = {"delay": GREY, "trading": RED, "execution": RED, "opportunity": BLUE}
    return [
        go.Bar(
            x=names,
            y=[one[part] for one in table.rows.values()],
            name=part,
            marker_color=colours.get(part, "black"),
        )
        for part in (*parts, "opportunity", "order_fees")
    ]


def _markouts(tca: Any) -> list[Any]:
    go, table = plotly_part("graph_objects"), tca.table("venue")
    across = ["at the fill", *tca.horizons]
    return [
        go.Scatter(
            x=across,
            y=[-one["mid_bp"], *(one[f"markout_{name}_bp"] for name in tca.horizons)],
            name=" ".join(map(str, key)),
            mode="lines+markers",
        )
        for key, one in table.rows.items()
    ]


def _waits(tca: Any) -> list[Any]:
    go, made = plotly_part("graph_objects"), []
    costs = tca.order_costs
    met = (costs.first_fill > 0) & costs.one_clock
    waited = (costs.first_fill - costs.records["sent"])[met] / 1e6
    if len(waited):
        heights, edges = np.histogram(waited, bins=80)
        made.append(go.Bar(x=(edges[1:] + edges[:-1]) / 2, y=heights, name="orders"))
    return made


_TRACES: dict[str, Any] = {
    "attribution": _attribution,
    "shortfall": _shortfall,
    "markouts": _markouts,
    "waits": _waits,
}
