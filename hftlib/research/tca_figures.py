"""The figures of execution quality: their names, what they mean, their units, and how each is made.

A figure is known by its name everywhere: in a table's frame, in JSON, on the page; `said` is its
definition, from which `docs/strategies.md` is drawn. "side" is 1 for a buy and -1 for a sell, a
"middle" that of best bid and best ask. Averages in basis points are by value.

Worst case: none, a pass over the rows of its group for each figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.research.result_figures import Figure
from hftlib.research.result_money import Scales
from hftlib.research.tca_measures import FillCosts, OrderCosts

Array = np.ndarray[Any, Any]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Said(Figure):
    """A figure with its definition."""

    said: str


_ORDERS = (
    Said("orders", "orders", "count", "orders that left us"),
    Said("orders_filled", "orders with a fill", "share", "orders with a fill / orders"),
    Said(
        *("fill_rate", "fill rate, by value", "share"),
        "quantity filled / quantity asked for, both at the middle at arrival",
    ),
    Said(
        *("first_fill_median_ns", "time to the first fill, median", "ns"),
        "from sending to the venue's first fill, of orders with a fill",
    ),
    Said("first_fill_p90_ns", "  90 %", "ns", "likewise, 90th percentile"),
    Said(
        *("filled_median_ns", "time to be filled whole, median", "ns"),
        "from sending to the venue's last fill, of orders filled whole",
    ),
    Said("filled_p90_ns", "  90 %", "ns", "likewise, 90th percentile"),
    Said(
        *("vwap_bp", "against the market's VWAP", "bp"),
        "side x (average price - average by volume of all that printed from sending to the order's"
        " end); a cost is positive; needs the tape",
    ),
    Said(
        *("participation", "share of the volume meanwhile", "share"),
        "quantity filled / quantity the market printed from sending to the order's end, both at"
        " the middle at arrival; needs the tape",
    ),
    Said(
        *("execution", "execution cost", "money"),
        "sum of side x (fill price - middle at arrival) x quantity",
    ),
    Said(
        *("delay", "  of this: delay", "money"),
        "sum of side x quantity filled x (middle at the venue as it accepted the order - middle at"
        " arrival); needs the tape",
    ),
    Said(
        *("trading", "  of this: trading", "money"),
        "`execution` - `delay`: beyond the middle at the venue as it accepted the order",
    ),
    Said(
        *("opportunity", "opportunity cost", "money"),
        "sum of side x quantity not filled x (middle at the order's end - middle at arrival)",
    ),
    Said("order_fees", "fees", "money", "fees of these orders; rebates are negative"),
    Said(
        *("shortfall", "implementation shortfall", "money"),
        "`execution` + `opportunity` + `order_fees` (Perold 1988), of orders whose middles at"
        " arrival and at the end are known",
    ),
    Said(
        *("shortfall_bp", "  of the value asked for", "bp"),
        "`shortfall` / sum of middle at arrival x quantity asked for, x 10,000",
    ),
    Said(
        *("unmeasured", "orders without a shortfall", "count"),
        "orders whose middle at arrival or at the end is not known; they are in no cost above",
    ),
)
_FILLS = (
    Said("fills", "fills", "count", "how many"),
    Said("turnover", "turnover", "money", "sum of price x quantity of all fills"),
    Said("maker_share", "made, by value", "share", "turnover of fills that stood / turnover"),
    Said(
        *("arrival_bp", "against the middle at arrival", "bp"),
        "side x (price - middle as we saw it when the order was first sent, whatever replaced it"
        " since); a cost is positive",
    ),
    Said(
        *("mid_bp", "against the middle at the fill", "bp"),
        "side x (price - middle at the venue just before the fill): half the effective spread; paid"
        " is positive, earned negative",
    ),
    Said(
        *("queue_median_ns", "time in the queue, median", "ns"),
        "of fills that stood: from the place in the queue to the fill",
    ),
    Said("queue_p90_ns", "  90 %", "ns", "likewise, 90th percentile"),
    Said(
        *("ahead_median", "stood ahead at first, median", "quantity"),
        "of fills that stood: quantity before the order as it got its place in the queue; of one"
        " instrument",
    ),
)
_RACES = (
    Said(
        *("races", "fills while we wanted out", "count"),
        "fills we heard of after we had asked to cancel or replace their order",
    ),
    Said(
        *("races_lost", "  made after we had asked", "count"),
        "of these, fills the venue made after we had asked: the request was on its way",
    ),
    Said("races_share", "  of the turnover", "share", "turnover of `races_lost` / turnover"),
    Said(
        *("races_cost", "  what they cost", "money"),
        "sum over `races_lost` of side x (price - middle a horizon after the fill) x quantity; a"
        " cost is positive",
    ),
)
_ATTRIBUTED = (
    Said(
        *("spread", "spread captured", "money"),
        "sum of side x (middle just before the fill - price) x quantity; below zero: spread paid",
    ),
    Said(
        *("adverse", "adverse selection", "money"),
        "sum of side x (middle a horizon after the fill - middle just before it) x quantity; below"
        " zero: the market moved against us",
    ),
    Said(
        *("inventory", "inventory", "money"),
        "sum of side x (last known middle - middle a horizon after the fill) x quantity: what"
        " holding on brought",
    ),
    Said(
        *("unattributed", "not attributed", "money"),
        "sum of side x (last known middle - price) x quantity of fills whose middle is not known",
    ),
    Said(
        *("gross", "P&L before fees", "money"),
        "the four above, which is cash of all fills + position at the end x last known middle, to"
        " the last unit",
    ),
    Said("fees", "fees", "money", "fees of the fills; rebates are negative"),
    Said("net", "P&L after fees", "money", "`gross` - `fees`"),
)
ATTRIBUTION = _ATTRIBUTED


def quality_figures(horizons: list[str]) -> list[Said]:
    """Those of a table of quality, in order; `horizons` as `horizon_names` writes them."""
    marks = [
        Said(
            *(f"markout_{name}_bp", f"markout at {name}", "bp"),
            f"side x (middle {name} after the fill - price): what the fill had earned by then,"
            " before fees",
        )
        for name in horizons
    ]
    return [*_ORDERS, *_FILLS, *marks, *_RACES]


def order_figures(costs: OrderCosts, at: Array, scales: Scales, market: bool) -> dict[str, Any]:
    """Of some of the orders."""
    found = costs.records
    rows = found["instrument"][at]
    asked, filled = found["quantity"][at], found["filled"][at]
    known, filled_any = costs.known[at], filled > 0
    price = np.where(known, costs.arrival[at], 0) / 2
    sent, first, last = found["sent"][at], costs.first_fill[at], costs.last_fill[at]
    met = (first > 0) & costs.one_clock
    whole = costs.whole[at] & (last > 0) & costs.one_clock

    def money(name: str) -> float:
        return float((scales.money(getattr(costs, name)[at], rows) / 2)[known].sum())

    wanted = float(np.abs(scales.money(price * asked, rows)).sum())
    execution, fees = money("execution"), float(scales.money(found["fees"][at], rows)[known].sum())
    opportunity, delay = money("opportunity"), money("delay") if market else NAN
    shortfall = execution + opportunity + fees
    return {
        "orders": len(at),
        "orders_filled": over(int(filled_any.sum()), len(at)),
        "fill_rate": over(float(np.abs(scales.money(price * filled, rows)).sum()), wanted),
        "first_fill_median_ns": percentile((first - sent)[met], 50),
        "first_fill_p90_ns": percentile((first - sent)[met], 90),
        "filled_median_ns": percentile((last - sent)[whole], 50),
        "filled_p90_ns": percentile((last - sent)[whole], 90),
        **_against_market(costs, at, scales),
        "execution": execution,
        "delay": delay,
        "trading": execution - delay,
        "opportunity": opportunity,
        "order_fees": fees,
        "shortfall": shortfall,
        "shortfall_bp": over(shortfall * 10_000, wanted),
        "unmeasured": int((~known).sum()),
    }


def _against_market(costs: OrderCosts, at: Array, scales: Scales) -> dict[str, float]:
    found, vwap = costs.records, costs.vwap[at]
    rows, filled = found["instrument"][at], found["filled"][at]
    met = ~np.isnan(vwap) & (filled > 0)
    paid = costs.sign[at] * (found["value"][at] - np.where(met, vwap, 0) * filled)
    worth = np.abs(scales.money(np.where(met, vwap, 0) * filled, rows))
    price = np.where(costs.known[at], costs.arrival[at], 0) / 2
    volume = scales.money(price * costs.volume[at], rows)
    ours = scales.money(price * filled, rows)
    return {
        "vwap_bp": over(float(scales.money(paid, rows)[met].sum()) * 10_000, float(worth.sum())),
        "participation": over(float(np.abs(ours).sum()), float(np.abs(volume).sum())),
    }


def fill_figures(
    costs: FillCosts, at: Array, scales: Scales, horizons: list[str], horizon: int
) -> dict[str, Any]:
    """Of some of the fills."""
    found = costs.records[at]
    rows = found["instrument"]
    value = np.abs(scales.money(found["price"] * found["quantity"], rows))
    turnover, stood = float(value.sum()), found["taker"] == 0
    queued = stood & (found["entered"] > 0)
    waited = (found["time"] - found["entered"])[queued]
    ahead = scales.quantities(found["ahead"], rows)[queued]
    lost = costs.lost[at]

    def basis(amounts: Array, known: Array) -> float:
        gained = float((scales.money(amounts, rows) / 2)[known].sum())
        return over(gained * 10_000, float(value[known].sum()))

    marks, marks_known = costs.markouts[at], costs.markouts_known[at]
    by_then = marks_known[:, horizon] & lost
    return {
        "fills": len(at),
        "turnover": turnover,
        "maker_share": over(float(value[stood].sum()), turnover),
        "arrival_bp": basis(costs.arrival[at], costs.arrival_known[at]),
        "mid_bp": basis(costs.mid[at], costs.mid_known[at]),
        "queue_median_ns": percentile(waited, 50),
        "queue_p90_ns": percentile(waited, 90),
        "ahead_median": percentile(ahead, 50) if len(np.unique(rows)) == 1 else NAN,
        **{
            f"markout_{name}_bp": basis(marks[:, n], marks_known[:, n])
            for n, name in enumerate(horizons)
        },
        "races": int((costs.asked[at] > 0).sum()),
        "races_lost": int(lost.sum()) if costs.one_clock else NAN,
        "races_share": over(float(value[lost].sum()), turnover) if costs.one_clock else NAN,
        "races_cost": -float((scales.money(marks[:, horizon], rows) / 2)[by_then].sum())
        if costs.one_clock
        else NAN,
    }


def percentile(values: Array, share: float) -> float:
    return float(np.percentile(values, share)) if len(values) else NAN


def over(amount: float, whole: float) -> float:
    return amount / whole if whole else NAN
