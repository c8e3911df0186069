"""Each limit by itself, and a strategy that breaks it on purpose: what must come back is known.

    [provoked(one, tape, venue) for one in provocations(limits)]       each with .is_refused

Sizes, money and prices are provoked at the limit's own value, one beyond it or more. What is
counted in a time, lost or slow is provoked at a small value of the same limit (`SMALL`): a tape of
minutes cannot lose what a firm may lose in a day, and the code that says no is the same.

Worst case: a run over the beginning of a day for each limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import hftlib as hft
from hftlib.core.reasons import REASONS
from hftlib.research.risk_watch import RiskWatch
from hftlib.research.tape import Tape
from hftlib.risk.controls import CONTROLS, MONEY_ONE
from hftlib.risk.limits import Limits
from hftlib.venue.venue import Venue

ASK, CHURN, MISS, AMEND, LATE, CROSS = range(6)
WAIT_NS = 7_000_000
MOST = 1 << 40  # lots that nobody may ask for
_CONTROL = {one.name: one for one in CONTROLS}
# What a few minutes can reach, where they cannot reach the limit itself.
SMALL = {
    "messages": 5, "new_orders": 5, "replaces": 2, "paced_orders": 5, "message_rate": 5,
    "executions": 2, "daily_loss_money": 1, "drawdown_money": 1, "trade_loss_money": 0.01,
    "slippage_bps": 1, "fill_rate_percent": 90, "volatility_bps": 1, "stale_ms": 1,
    "open_orders": 8, "clock_skew_ms": 1, "reject_rate_percent": 10, "value_at_risk_money": 0.01,
    "shortfall_money": 0.01,
}  # fmt: skip
_SIZES = ("order_quantity_lots", "position_lots")
_MONEY = (
    *("order_value_money", "position_value_money", "gross_exposure_money"),
    *("net_exposure_money", "capital_money"),
)
_PRICES = {"collar_bps": 1e-4, "collar_window_bps": 1e-4}
_WAYS = {
    "fill_rate_percent": MISS,
    "replaces": AMEND,
    "stale_ms": LATE,
    "reject_rate_percent": CROSS,
}
_RISKS = ("value_at_risk_money", "shortfall_money")
_CHURNED = ("executions", "daily_loss_money", "drawdown_money", "trade_loss_money", "slippage_bps")


@hft.strategy
class Provoker:
    """Asks for what no strategy should, in one of six ways."""

    way: int = hft.param(0, low=0, high=5)
    quantity: int = hft.param(1, low=1, high=1 << 40)
    dear: float = hft.param(0.0, low=-1.0, high=100.0, help="how far above the ask, as a share")
    ticks: int = hft.param(0, low=-1_000, high=1 << 30, help="how far above it, in ticks")
    orders: int = hft.param(1, low=1, high=16, help="at each event")
    mine: int = hft.state()
    turn: int = hft.state()

    def on_start(self, ctx):  # type: ignore[no-untyped-def]
        if self.way == LATE:
            ctx.timer(WAIT_NS, 1)

    def on_timer(self, ctx, number):  # type: ignore[no-untyped-def]
        ctx.timer(WAIT_NS, number)
        b = ctx.book(0)
        if b.has_both:
            ctx.buy(0, b.bid, self.quantity)

    def on_book(self, ctx, i):  # type: ignore[no-untyped-def]
        b = ctx.book(i)
        if not (b.is_open and b.has_both):
            return
        price = b.ask * (1.0 + self.dear) + self.ticks * b.tick
        if self.way == ASK:
            for _ in range(self.orders):
                ctx.buy(i, price, self.quantity)
        if self.way == CHURN:
            self.turn += 1
            if self.turn % 2 == 0:
                ctx.buy(i, b.ask + 20 * b.tick, self.quantity, lasts=hft.IOC)
            else:
                ctx.sell(i, b.bid - 20 * b.tick, self.quantity, lasts=hft.IOC)
        if self.way == MISS:
            ctx.buy(i, b.bid - 50 * b.tick, self.quantity, lasts=hft.IOC)
        if self.way == CROSS:
            ctx.buy(i, b.ask + 20 * b.tick, self.quantity, post_only=True)
        if self.way == AMEND:
            if ctx.open_orders(i) == 0:
                self.mine = ctx.buy(i, b.bid - 50 * b.tick, self.quantity)
            else:
                self.turn += 1
                ctx.replace(self.mine, b.bid - (50 + self.turn % 9) * b.tick, self.quantity)


@dataclass(frozen=True)
class Provocation:
    """A limit as it is provoked, and what its strategy does."""

    control: str
    level: str
    value: float  # as it is provoked
    written: float  # as the file has it
    params: dict[str, Any]


@dataclass(frozen=True)
class Provoked:
    """What came of it."""

    provocation: Provocation
    times: int  # that it was refused or stopped for that very reason
    reason: str

    @property
    def is_refused(self) -> bool:
        return self.times > 0


def provocations(limits: Limits) -> list[Provocation]:
    """One for each limit that is set, of every scope; those that cannot be provoked have no way."""
    made = []
    for level, _name, one in limits.scopes():
        for control, value in one.items():
            if control in _CONTROL:
                made.append(_provocation(level, control, value))
    return list({(one.level, one.control): one for one in made}.values())


def _provocation(level: str, control: str, kept: int) -> Provocation:
    money = _CONTROL[control].unit == "money"
    written = kept / MONEY_ONE if money else float(kept)
    value = SMALL.get(control, written)
    value = min(value, written) if control != "fill_rate_percent" else value
    if control in _SIZES:
        params: dict[str, Any] = {"quantity": int(value) + 1}
    elif control in _MONEY:
        params = {"quantity": min(MOST, int(value) + 1)}
    elif control in _PRICES:
        params = {"dear": min(100.0, 0.01 + 2 * value * _PRICES[control])}
    elif control == "collar_ticks":
        params = {"ticks": int(value) * 2 + 10}
    elif control in _CHURNED:
        params = {"way": CHURN, "quantity": 100}
    elif control in _WAYS:
        params = {"way": _WAYS[control]}
    elif control in _RISKS:  # which are of several instruments together
        params = {} if level == "instrument" else {"ticks": 20, "quantity": 100}
    elif control == "duplicate_ms":
        params = {"orders": 2, "ticks": -20}
    elif control in SMALL:
        params = {"orders": 4, "ticks": -20}
    else:
        params = {}
    return Provocation(control, level, value, written, params)


def provoked(one: Provocation, tape: Tape, venue: Venue) -> Provoked:
    """Run the provocation over this tape, with that one limit."""
    reason = REASONS[_CONTROL[one.control].reason]
    if not one.params:
        return Provoked(one, 0, f"nothing here provokes it: {reason}")
    whole = one.value == int(one.value)
    limits = _limits(one.level, {one.control: int(one.value) if whole else one.value})
    others: dict[str, Any] = {"venue": venue}
    if one.control == "clock_skew_ms":  # news that come later than they may
        others["venue"] = Venue(feed_latency=f"{int(one.value) * 2}ms")
    if one.control in _RISKS:
        returns = {symbol: [-0.1, 0.1] * 50 for symbol in tape.symbols}
        scope = _scope(one.level)
        others["risk_watch"] = RiskWatch(returns, every="1s", delay="10ms", scope=scope)
    result = hft.backtest(Provoker, tape, params=one.params, limits=limits, **others)
    refusals, states = result.refusals, result.risk_log
    times = int((refusals["reason"].astype(str) == reason).sum()) if len(refusals) else 0
    if len(states):
        times += int((states["reason"].astype(str) == reason).sum())
    return Provoked(one, times, reason)


def _scope(level: str) -> str:
    name = {"strategy": "Provoker", "portfolio": "provoked"}.get(level)
    return f"{level}:{name}" if name else level


def _limits(level: str, values: Mapping[str, Any]) -> Limits:
    if level == "instrument":
        return Limits(**values)
    if level == "strategy":
        return Limits(strategy=values)
    if level == "portfolio":
        return Limits(portfolio={"provoked": {"strategies": ["Provoker"], **values}})
    return Limits(firm=values)
