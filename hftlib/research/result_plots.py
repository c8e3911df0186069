"""Pictures of a result that can be zoomed: price with fills, inventory, equity, latency, markouts.

    result.plot()                          all of them below each other
    result.plot("price", instrument="AAPL")
    result.plot("latency")

plotly is loaded when the first is drawn. Curves are thinned to the lowest and the highest of each
of POINTS_MAX / 2 columns, and fills beyond FILLS_MAX to every n-th, which the legend says. Worst
case: some 1 MB a picture.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from hftlib.core.errors import HostError, InputError
from hftlib.core.units import shown
from hftlib.research.result_groups import Group, Grouping
from hftlib.research.result_measures import horizon_names
from hftlib.research.result_svg import BLUE, GREEN, GREY, RED, thinned

Array = np.ndarray[Any, Any]
POINTS_MAX, FILLS_MAX = 4_000, 5_000
PICTURES = ("price", "inventory", "equity", "latency", "markouts")
_TITLES = {
    "price": "Price and fills",
    "inventory": "Inventory",
    "equity": "Equity",
    "latency": "Latency from sending to hearing",
    "markouts": "Middle after fills, in our favour",
}
_NS_PER_US = 1_000


def plotted(
    grouping: Grouping, zone: str, what: str, instrument: str | None, currency: str | None
) -> Any:
    """A plotly figure of one picture, or of all."""
    if what != "all" and what not in PICTURES:
        raise InputError(
            f"There is no picture {shown(what)}",
            where="the picture asked for",
            do=f"Ask for one of all, {', '.join(PICTURES)}.",
        )
    chosen = PICTURES if what == "all" else (what,)
    one, total = _groups(grouping, instrument, currency)
    titles = [_title(name, one, total) for name in chosen]
    figure = plotly_part("subplots").make_subplots(rows=len(chosen), cols=1, subplot_titles=titles)
    for row, name in enumerate(chosen, 1):
        for trace in _TRACES[name](one if name in ("price", "inventory") else total, zone):
            figure.add_trace(trace, row=row, col=1)
        figure.update_xaxes(title_text=_ACROSS.get(name), row=row, col=1)
        figure.update_yaxes(title_text=_up(name, one, total), row=row, col=1)
    return figure.update_layout(
        height=300 * len(chosen) + 80,
        template="plotly_white",
        barmode="overlay",
        hovermode="closest",
    )


def plotly_part(part: str) -> Any:
    try:
        return importlib.import_module(f"plotly.{part}")
    except ImportError as error:
        raise HostError(
            f"plotly cannot be imported: {error}",
            where="plot",
            do="Install the research extra: pip install 'hftlib[research]'.",
        ) from None


def _groups(
    grouping: Grouping, instrument: str | None, currency: str | None
) -> tuple[Group, Group]:
    """The instrument whose price is drawn, and the total the rest is of."""
    names = {name: row for row, name in grouping.names.items()}
    if not names:
        do = "Run it on a tape with instruments."
        raise InputError("There is nothing to draw", where="plot", do=do)
    if instrument is not None and instrument not in names:
        raise InputError(
            f"{shown(instrument)} was not traded",
            where="the instrument to draw",
            do=f"Name one of {', '.join(list(names)[:8])}.",
        )
    if instrument is not None:
        one = grouping.of(names[instrument])
        return one, one
    known = grouping.currencies
    if currency is not None and currency not in known:
        raise InputError(
            f"Nothing trades in {shown(currency)}",
            where="the currency to draw",
            do=f"Name one of {', '.join(known)}.",
        )
    total = grouping.total(currency or known[0])
    counts = [int((total.fills["instrument"] == row).sum()) for row in total.rows]
    return grouping.of(total.rows[int(np.argmax(counts))]), total


def _price(group: Group, zone: str) -> list[Any]:
    go = plotly_part("graph_objects")

    series, made = group.series[0], []
    line = _line("middle", series.times, series.mid, zone, GREY)
    made.append(line)
    step = max(1, -(-len(group.fills) // FILLS_MAX))
    thin = f", every {step}th" if step > 1 else ""
    for name, sign, colour, symbol in (
        ("bought", 1, GREEN, "triangle-up"),
        ("sold", -1, RED, "triangle-down"),
    ):
        at = np.flatnonzero(group.sign == sign)[::step]
        shapes = np.where(group.taker[at], symbol, f"{symbol}-open")
        made.append(
            go.Scatter(
                x=_stamps(group.fills["received"][at], zone),
                y=group.price[at],
                mode="markers",
                name=f"{name} (open: made){thin}",
                marker={"color": colour, "size": 8, "symbol": shapes.tolist()},
                customdata=np.stack([group.quantity[at], group.fills["order"][at]], axis=-1),
                hovertemplate="%{customdata[0]} at %{y}<br>order %{customdata[1]:.0f}<br>%{x}",
            )
        )
    return made


def _inventory(group: Group, zone: str) -> list[Any]:
    held = group.scales.quantities(group.fills["position"], group.fills["instrument"])
    times = np.concatenate([[group.begin], group.fills["received"], [group.end]])
    values = np.concatenate([[0.0], held, held[-1:] if len(held) else [0.0]])
    line = _line(f"position {group.label}", times, values, zone, GREEN)
    return [line.update(fill="tozeroy")]


def _equity(group: Group, zone: str) -> list[Any]:
    curve = group.curve
    return [
        _line("before fees", curve.times, curve.gross, zone, GREY),
        _line("after fees", curve.times, curve.net, zone, BLUE),
    ]


def _latency(group: Group, zone: str) -> list[Any]:
    go = plotly_part("graph_objects")

    sent = group.orders[group.orders["accepted"] > 0]
    both = (sent["accepted"] - sent["sent"]) / _NS_PER_US
    entered = sent[sent["venue_accepted"] > 0]
    there = (entered["venue_accepted"] - entered["sent"]) / _NS_PER_US
    made = []
    for name, values, colour in (("there and back", both, BLUE), ("to the venue", there, GREEN)):
        heights, edges = np.histogram(values, bins=80) if len(values) else (np.zeros(0),) * 2
        middles = (edges[1:] + edges[:-1]) / 2
        made.append(go.Bar(x=middles, y=heights, name=name, marker_color=colour, opacity=0.6))
    return made


def _markouts(group: Group, zone: str) -> list[Any]:
    """How far, in basis points, the middle went our way: from the price of the fill, by value."""
    go = plotly_part("graph_objects")

    names = ["at the fill", *horizon_names(group.horizons)]
    made = []
    for name, chosen, colour in (
        ("made", ~group.taker, GREEN),
        ("taken", group.taker, RED),
    ):
        heights = []
        for mid in (group.mid, *(group.mid_after(n) for n in range(len(group.horizons)))):
            known = chosen & ~np.isnan(mid)
            value = float(np.abs(group.value[known]).sum())
            gained = float((group.sign * group.worth * (mid - group.price))[known].sum())
            heights.append(gained / value * 10_000 if value else float("nan"))
        made.append(
            go.Scatter(x=names, y=heights, name=name, mode="lines+markers", line={"color": colour})
        )
    return made


_TRACES: dict[str, Any] = {
    "price": _price,
    "inventory": _inventory,
    "equity": _equity,
    "latency": _latency,
    "markouts": _markouts,
}
_ACROSS = {"latency": "µs", "markouts": "time after the fill"}


def _line(name: str, times: Array, values: Array, zone: str, colour: str) -> Any:
    go = plotly_part("graph_objects")

    begin, end = (int(times[0]), int(times[-1])) if len(times) else (0, 1)
    times, values = thinned(times, values, begin, end, POINTS_MAX // 2)
    return go.Scatter(
        x=_stamps(times, zone),
        y=values,
        name=name,
        mode="lines",
        line={"shape": "hv", "color": colour, "width": 1.4},
    )


def _stamps(ns: Array, zone: str) -> Any:
    """Times as the clock of the zone shows them: plotly knows no zones."""
    import pandas as pd

    stamps = pd.DatetimeIndex(np.asarray(ns, np.int64).view("datetime64[ns]"))
    return stamps.tz_localize("UTC").tz_convert(zone).tz_localize(None)


def _title(name: str, one: Group, total: Group) -> str:
    return f"{_TITLES[name]}, {one.label if name in ('price', 'inventory') else total.label}"


def _up(name: str, one: Group, total: Group) -> str:
    texts = {"price": one.currency, "inventory": "quantity", "equity": total.currency}
    return texts.get(name, "orders" if name == "latency" else "basis points")
