"""The names of all figures, what people call them, their units, and how each is written.

A figure is known by its name everywhere: in `stats`, in JSON, in a comparison, on the page. Worst
case: none, this is a table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hftlib.core.times import duration_text

MONEY_WHOLE = 100_000  # from here on cents are left out


@dataclass(frozen=True, slots=True)
class Figure:
    """One statistic: its name, how it is called for people, its unit."""

    name: str
    title: str
    unit: str  # money, count, share, ratio, bp, ticks, price, quantity, ns


_BEFORE_COSTS = (
    Figure("pnl_gross", "P&L before fees", "money"),
    Figure("fees", "fees", "money"),
    Figure("pnl_net", "P&L after fees", "money"),
    Figure("pnl_bp", "P&L after fees, of turnover", "bp"),
    Figure("sharpe", "Sharpe, a year", "ratio"),
    Figure("sharpe_error", "  its standard error", "ratio"),
    Figure("sharpe_step_ns", "  taken over steps of", "ns"),
    Figure("sharpe_changes", "  so many of them", "count"),
    Figure("sharpe_autocorrelation", "  following on each other by", "ratio"),
    Figure("drawdown", "deepest drawdown", "money"),
    Figure("drawdown_ns", "  from top to top", "ns"),
    Figure("drawdown_longest_ns", "longest drawdown", "ns"),
    Figure("turnover", "turnover", "money"),
    Figure("orders", "orders", "count"),
    Figure("orders_refused", "orders the venue refused", "count"),
    Figure("fills", "fills", "count"),
    Figure("quantity_filled", "quantity filled", "quantity"),
    Figure("fill_mean", "mean fill", "quantity"),
    Figure("fill_rate", "fill rate, by quantity", "share"),
    Figure("orders_filled", "orders with a fill", "share"),
    Figure("order_to_trade", "messages per fill", "ratio"),
    Figure("maker_share", "made, by value", "share"),
)
_AFTER_COSTS = (
    Figure("queue_time_median_ns", "time in queue, median", "ns"),
    Figure("queue_time_p90_ns", "time in queue, 90 %", "ns"),
    Figure("entry_latency_median_ns", "latency to the venue, median", "ns"),
    Figure("latency_median_ns", "latency there and back, median", "ns"),
    Figure("latency_p90_ns", "latency there and back, 90 %", "ns"),
    Figure("latency_p99_ns", "latency there and back, 99 %", "ns"),
    Figure("latency_max_ns", "latency there and back, most", "ns"),
    Figure("position", "position at the end", "quantity"),
    Figure("position_max", "largest position", "quantity"),
    Figure("position_mean", "mean position, unsigned", "quantity"),
    Figure("time_flat", "time flat", "share"),
    Figure("time_long", "time long", "share"),
    Figure("time_short", "time short", "share"),
    Figure("half_life_ns", "half-life of the position", "ns"),
    Figure("exposure_max", "largest exposure", "money"),
    Figure("exposure_mean", "mean exposure", "money"),
    Figure("volume_share", "share of the market's volume", "share"),
    Figure("volume_share_peak", "share in our busiest minute", "share"),
)


def figures_at(horizons: list[str]) -> list[Figure]:
    """All figures, in the order of the table; `horizons` as `horizon_names` writes them."""
    made = list(_BEFORE_COSTS)
    for name in horizons:
        made += _three(f"adverse_{name}", f"adverse selection at {name}")
    made += _three("slippage", "slippage of takers")
    made += _three("effective_spread", "effective spread of makers")
    for name in horizons:
        made += _three(f"realised_spread_{name}", f"realised spread at {name}")
    return [*made, *_AFTER_COSTS]


def text_of(figure: Figure, value: Any, currency: str) -> str:
    """A figure with its unit, for people."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    if figure.unit == "ns":
        return duration_text(round(value))
    texts = {
        "money": f"{value:,.{2 if abs(value) < MONEY_WHOLE else 0}f} {currency}",
        "count": f"{value:,.0f}",
        "share": f"{value:.1%}",
        "ratio": f"{value:,.2f}",
        "bp": f"{value:,.3g} bp",
        "ticks": f"{value:,.3g} ticks",
        "price": f"{value:,.4g} {currency}",
        "quantity": f"{value:,.7g}",
    }
    return texts[figure.unit]


def _three(name: str, title: str) -> list[Figure]:
    return [
        Figure(name, title, "price"),
        Figure(f"{name}_ticks", "  in ticks", "ticks"),
        Figure(f"{name}_bp", "  in basis points", "bp"),
    ]
