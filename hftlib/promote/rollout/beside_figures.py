"""What one of two runners did in the span that both heard: its curve of P&L, and its figures.

    middles = middles_of(results, shared, "USD")         one series for both
    side_of(day, result, name, shared, 0, times, middles, "USD")

Cash is exact, by its fills; what is held is worth the last middle that either had sampled. Worst
case: a few arrays as long as the fills and the steps of time, for each instrument.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.orders import ASKED, OURS, OVER
from hftlib.promote.rollout.days import TO_WIRE, Day
from hftlib.promote.rollout.same_feed import Shared
from hftlib.research.parity.aligning import sent
from hftlib.research.result_groups import carried

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Side:
    """What one of them did in the span."""

    name: str
    release: str
    mode: str
    curve: Array  # P&L since the span began, at each step's end
    figures: Mapping[str, Any]


Key = tuple[str, str]
Middles = dict[Key, tuple[Array, Array]]


def _key(result: Any, row: int) -> Key:
    one = result.instruments[row]
    return str(one.symbol), str(one.venue)


def middles_of(results: list[Any], shared: Shared, money: str) -> Middles:
    """What one unit of each instrument was worth, by the samples of both, in the order of time."""
    found: dict[Key, list[tuple[Array, Array]]] = {}
    for result, times in zip(results, shared.times, strict=True):
        group = result._grouping.total(money)
        for row, series in zip(group.rows, group.series, strict=True):
            known = ~np.isnan(series.mid)
            told = times(series.times[known]), series.mid[known] * series.worth
            found.setdefault(_key(result, row), []).append(told)
    made = {}
    for key, parts in found.items():
        moments, values = (np.concatenate(one) for one in zip(*parts, strict=True))
        order = np.argsort(moments, kind="stable")
        made[key] = moments[order], values[order]
    return made


def side_of(
    day: Day,
    result: Any,
    name: str,
    shared: Shared,
    n: int,
    times: Array,
    middles: Middles,
    money: str,
) -> Side:
    heard = shared.times[n]
    group = result._grouping.total(money)
    moments = heard(group.fills["received"]) if len(group.fills) else np.zeros(0, np.int64)
    grid = np.concatenate([[shared.begin], times])
    curve, largest, held = np.zeros(len(grid)), 0.0, 0.0
    for row in group.rows:
        mine = np.asarray(group.instruments == row)
        change = (group.sign * group.quantity)[mine]
        cash = -(group.sign * group.value)[mine] - group.fees[mine]
        at = np.searchsorted(moments[mine], grid, side="right")
        position = np.concatenate([[0.0], np.cumsum(change)])
        owned = position[at]
        curve += np.concatenate([[0.0], np.cumsum(cash)])[at]
        curve += owned * _valued(middles.get(_key(result, row)), grid)
        within = position[at[0] : at[-1] + 1]
        largest = max(largest, float(np.abs(within).max(initial=0.0)))
        held += float(abs(owned[-1]))
    orders = result.records["orders"]
    orders = orders[sent(orders)]
    orders = orders[_within(heard(orders["sent"]), shared)]
    refused = result.records["refusals"]
    figures = {
        f"P&L after fees, {money}": float(curve[-1] - curve[0]),
        "orders": len(orders),
        "fills": int(_within(moments, shared).sum()),
        "share of their size that was filled, %": _percent(orders),
        "refused by its risk": int(_within(heard(refused["sent"]), shared).sum()),
        "refused by the venue": int(_rejected(orders).sum()),
        "largest position": largest,
        "held at the end": held,
        **_latencies(orders, day),
    }
    ran = day.about.get("release") or {}
    release = f"{ran.get('name')}-{ran.get('serial')}" if ran else ""
    told = {"mode": day.about.get("mode"), "release": release or "none"}
    return Side(name, release, str(day.about.get("mode")), (curve - curve[0])[1:], told | figures)


def _valued(told: tuple[Array, Array] | None, grid: Array) -> Array:
    """The last middle known at each moment; before there was one, the first."""
    if told is None or not len(told[0]):
        return np.zeros(len(grid))
    at = np.searchsorted(told[0], grid, side="right") - 1
    return np.asarray(carried(told[1])[np.maximum(at, 0)])


def _within(moments: Array, shared: Shared) -> Array:
    return np.asarray((moments > shared.begin) & (moments <= shared.end))


def _rejected(orders: Array) -> Array:
    """Those that the venue never took, for a reason of its own."""
    theirs = (orders["reason"] > OURS) & (orders["reason"] != ASKED) & (orders["state"] >= OVER)
    return np.asarray(theirs & (orders["accepted"] == 0) & (orders["filled"] == 0))


def _percent(orders: Array) -> float:
    """Order by order, for sizes of different instruments do not add up."""
    some = orders[orders["quantity"] > 0]
    return 100 * float((some["filled"] / some["quantity"]).mean()) if len(some) else math.nan


def _latencies(orders: Array, day: Day) -> dict[str, float]:
    told = orders[orders["accepted"] > 0]
    trips = (told["accepted"] - told["sent"]) / 1_000
    middle, slow = np.quantile(trips, [0.5, 0.99]) if len(trips) else (math.nan, math.nan)
    wire = day.latency.get("p99", math.nan) / 1_000
    return {
        "round trip p50, us": float(middle),
        "round trip p99, us": float(slow),
        f"{TO_WIRE} p99, us, of all its day": float(wire),
    }
