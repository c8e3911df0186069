"""How well orders were executed: what the market did after fills, queues, costs, latency.

Signs: a cost is positive. `adverse` is how far the middle of the book moved against us after a
fill, from just before it to the horizon; `slippage` is what takers paid beyond the middle as we
saw it when the order was sent. For makers the effective spread is what they earned against the
middle at the fill, the realised spread what was left of it at the horizon, both of the whole
spread; the difference of the two is twice the adverse move.

Averages are weighted by quantity for one instrument; a total over several is by value, in basis
points only, since shares of different things do not add. Worst case: a sort of the fills.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import orders
from hftlib.core.times import duration_text
from hftlib.research.result_groups import Group, sent_orders

Array = np.ndarray[Any, Any]
NAN = float("nan")
_BP = 10_000
_AT_THE_END = (orders.ASKED,)


def counts_of(group: Group) -> dict[str, Any]:
    """Orders and fills: how many, how much, how often."""
    sent = sent_orders(group)
    asked = group.scales.quantities(sent["quantity"], sent["instrument"])
    filled = group.scales.quantities(sent["filled"], sent["instrument"])
    # Quantities of different instruments do not add; their shares do, order by order.
    if len(group.rows) == 1:
        rate = _over(float(filled.sum()), float(asked.sum()))
    else:
        rate = _mean(filled[asked > 0] / asked[asked > 0])
    cancels = int(np.isin(sent["reason"], _AT_THE_END).sum())
    messages = len(sent) + int(sent["replaces"].sum()) + cancels
    ours = sent["reason"] == orders.ASKED
    refused = (sent["state"] >= orders.OVER) & (sent["accepted"] == 0) & ~ours
    value = np.abs(group.value)
    single = len(group.rows) == 1
    return {
        "orders": len(sent),
        "orders_refused": int((refused & (sent["filled"] == 0)).sum()),
        "fills": len(group.fills),
        "fill_rate": rate,
        "orders_filled": _over(int((sent["filled"] > 0).sum()), len(sent)),
        "order_to_trade": _over(messages, len(group.fills)),
        "turnover": float(value.sum()),
        "quantity_filled": float(group.quantity.sum()) if single else NAN,
        "fill_mean": _mean(group.quantity) if single else NAN,
        "maker_share": _over(float(value[~group.taker].sum()), float(value.sum())),
    }


def costs_of(group: Group) -> dict[str, Any]:
    """Adverse selection at each horizon, slippage of takers, spreads of makers."""
    made: dict[str, Any] = {}
    maker, arrival, mid = ~group.taker, group.arrival_mid, group.mid
    earned = group.sign * (mid - group.price)
    for number, name in enumerate(horizon_names(group.horizons)):
        move = group.sign * (mid - group.mid_after(number))
        made |= _averages(group, f"adverse_{name}", move, mid)
    taken = group.sign * (group.price - arrival)
    made |= _averages(group, "slippage", np.where(group.taker, taken, np.nan), arrival)
    made |= _averages(group, "effective_spread", np.where(maker, 2 * earned, np.nan), mid)
    for number, name in enumerate(horizon_names(group.horizons)):
        kept = 2 * group.sign * (group.mid_after(number) - group.price)
        made |= _averages(group, f"realised_spread_{name}", np.where(maker, kept, np.nan), mid)
    return made


def waits_of(group: Group) -> dict[str, Any]:
    """Time in the queue of what stood, and latency of orders, in ns."""
    stood = group.fills[(group.fills["taker"] == 0) & (group.fills["entered"] > 0)]
    queued = stood["time"] - stood["entered"]
    sent = group.orders[group.orders["accepted"] > 0]
    round_trip = sent["accepted"] - sent["sent"]
    entered = sent[sent["venue_accepted"] > 0]
    return {
        "queue_time_median_ns": _percentile(queued, 50),
        "queue_time_p90_ns": _percentile(queued, 90),
        "entry_latency_median_ns": _percentile(entered["venue_accepted"] - entered["sent"], 50),
        "latency_median_ns": _percentile(round_trip, 50),
        "latency_p90_ns": _percentile(round_trip, 90),
        "latency_p99_ns": _percentile(round_trip, 99),
        "latency_max_ns": _percentile(round_trip, 100),
    }


def inventory_of(group: Group) -> dict[str, Any]:
    """What was held, by time: of one instrument its position, of several their value."""
    exposure = _held(group.curve.times, group.curve.exposure, group.begin, group.end)
    made: dict[str, Any] = dict.fromkeys(
        ("position_max", "position_mean", "time_flat", "time_long", "time_short", "half_life_ns"),
        NAN,
    )
    made |= {"exposure_max": _largest(exposure[0]), "exposure_mean": _weighted(*exposure)}
    if len(group.rows) != 1:
        return made
    rows = group.fills["instrument"]
    held = group.scales.quantities(group.fills["position"], rows)
    position, spans = _held(group.fills["received"], held, group.begin, group.end)
    total = float(spans.sum())
    made["position_max"] = float(np.abs(held).max()) if len(held) else 0.0
    made["position_mean"] = _weighted(np.abs(position), spans)
    for name, there in (("flat", position == 0), ("long", position > 0), ("short", position < 0)):
        made[f"time_{name}"] = _over(float(spans[there].sum()), total)
    made["half_life_ns"] = _half_life(position, spans)
    return made


def capacity_of(group: Group) -> dict[str, Any]:
    """Hints at how much more would fit: our share of what the market traded."""
    made = {"volume_share": NAN, "volume_share_peak": NAN}
    if len(group.rows) != 1 or not len(group.series[0].times):
        return made
    series = group.series[0]
    made["volume_share"] = _over(float(group.quantity.sum()), float(series.volume[-1]))
    minutes = np.arange(series.times[0], series.times[-1] + 60 * 10**9, 60 * 10**9)
    at = np.minimum(np.searchsorted(series.times, minutes, side="right") - 1, len(series.times) - 1)
    market = np.diff(series.volume[at])
    ours = np.histogram(group.fills["received"], minutes, weights=group.quantity)[0]
    shares = ours[market > 0] / market[market > 0]
    made["volume_share_peak"] = float(shares.max()) if len(shares) else NAN
    return made


def horizon_names(horizons: tuple[int, ...]) -> list[str]:
    """10ms, 1s: as they stand in the names of statistics and columns."""
    return [duration_text(one).replace(" ", "").replace("µ", "u") for one in horizons]


def _averages(group: Group, name: str, moves: Array, against: Array) -> dict[str, float]:
    """The mean per unit, in ticks and in basis points, of the fills where it is known."""
    known = ~np.isnan(moves) & ~np.isnan(against)
    weights, moves = np.abs(group.worth[known]), moves[known]
    value = float((weights * np.abs(against[known])).sum())
    basis = _over(float((weights * moves).sum()) * _BP, value)
    if len(group.rows) != 1:
        return {name: NAN, f"{name}_ticks": NAN, f"{name}_bp": basis}
    per_unit = _over(float((weights * moves).sum()), float(weights.sum()))
    tick = float(group.ticks[0]) if len(group.ticks) else NAN
    return {name: per_unit, f"{name}_ticks": per_unit / tick, f"{name}_bp": basis}


def _held(times: Array, values: Array, begin: int, end: int) -> tuple[Array, Array]:
    """Values, the first of them zero at `begin`, and how long each of them held."""
    edges = np.clip(np.concatenate([[begin], times, [end]]), begin, max(begin, end))
    return np.append(0.0, values), np.diff(edges)


def _weighted(values: Array, spans: Array) -> float:
    known = ~np.isnan(values)
    return _over(float((values[known] * spans[known]).sum()), float(spans[known].sum()))


def _half_life(position: Array, spans: Array) -> float:
    """How long until half of a position is gone: from what is left of it after a step of a grid."""
    total = int(spans.sum())
    step = max(10**9, total // 100_000)
    grid = np.arange(0, total, step)
    ends = np.cumsum(spans)
    held = position[np.minimum(np.searchsorted(ends, grid, side="right"), len(position) - 1)]
    square = float((held[:-1] ** 2).sum())
    left = _over(float((held[1:] * held[:-1]).sum()), square)
    return float(step * np.log(2) / -np.log(left)) if 0 < left < 1 else NAN


def _largest(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else NAN


def _percentile(values: Array, share: float) -> float:
    return float(np.percentile(values, share)) if len(values) else NAN


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else NAN


def _over(amount: float, whole: float) -> float:
    return amount / whole if whole else NAN
