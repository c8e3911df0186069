"""How near the day came to its limits: the highest use of each that can be told from a journal.

    for one in limits_used(session): one.scope, one.name, one.limit, one.used, one.share

Positions are those held after each fill; risk looks at what open orders could add as well, so its
own figure may have been higher, and where it refused, `refused` counts that. Exposure and losses
are of samples, a second apart. A limit without such a figure (a collar, a clock) is left out unless
it refused. A limit that was changed on the way is held against what it was at the start.

Worst case: a pass over orders and fills for each limit that is set.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.events import BUY
from hftlib.research.day.accounts import strategies_in
from hftlib.research.day.session import DaySession
from hftlib.risk.controls import CONTROLS, LEVELS, MONEY_ONE, NAMES, NO_LIMIT
from hftlib.risk.limits import EVERY, Limits
from hftlib.risk.limits_file import limits_of

Array = np.ndarray[Any, Any]
_UNITS = {one.name: one.unit for one in CONTROLS}
_REASONS = {one.name: one.reason for one in CONTROLS}
_SENT = {"messages": ("NEW", "MODIFY"), "new_orders": ("NEW",), "replaces": ("MODIFY",)}
MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Used:
    """One limit of one scope."""

    scope: str
    name: str
    unit: str
    limit: float
    used: float | None  # the highest there was; None: no figure says
    refused: int

    @property
    def share(self) -> float | None:
        return self.used / self.limit if self.used is not None and self.limit else None


def limits_used(session: DaySession) -> list[Used]:
    """The limits of a session that have a figure, the highest share first."""
    text, result = str(session.about.get("limits") or ""), session.result
    if not text or result is None:
        return []
    limits = limits_of(text, Path("the limits"))
    day = _Day(session, limits)
    made = []
    for scope, own, values in _scopes(limits, result):
        made += day.of(scope, own, values)
    return sorted(made, key=lambda one: -(one.share or 0.0))


def _scopes(limits: Limits, result: Any) -> list[tuple[str, dict[str, Any], dict[str, int]]]:
    """Each scope: its name, which orders and fills are its own, its limits."""
    made = []
    for one in result.instruments:
        of = {**limits.instrument.get(EVERY, {}), **limits.instrument.get(one.symbol, {})}
        made.append((f"instrument:{one.symbol}", {"instrument": one.row}, of))
    for number, name in enumerate(strategies_in(result)):
        made.append((f"strategy:{name}", {"strategy": number}, limits.of_strategy(name)))
    return [*made, ("firm", {}, limits.firm)]


class _Day:
    """Orders, fills and curves of one result."""

    def __init__(self, session: DaySession, limits: Limits) -> None:
        result: Any = session.result
        self._result, self._rows = result, session.facts.rows
        self._fills, self._orders = result.records["fills"], result.records["orders"]
        self._refusals = result.records["refusals"]
        currencies = result._grouping.currencies
        self._is_one = len(currencies) == 1 and limits.currency in ("", *currencies)
        self._currency = currencies[0] if currencies else ""

    def of(self, scope: str, own: dict[str, Any], limits: dict[str, int]) -> list[Used]:
        made = []
        for name, value in limits.items():
            if name not in NAMES or value >= NO_LIMIT:
                continue
            used = self._used(name, own, limits)
            refused = self._refused(name, own, scope)
            if used is not None or refused:
                by = MONEY_ONE if _UNITS[name] == "money" else 1
                made.append(Used(scope, name, _UNITS[name], value / by, used, refused))
        return made

    def _used(self, name: str, own: dict[str, Any], limits: dict[str, int]) -> float | None:
        if name == "position_lots":
            return self._position(own)
        if name == "order_quantity_lots":
            sent = self._mine(self._orders, own)
            return float(sent["quantity"].max()) if len(sent) else 0.0
        if name in _SENT:
            times = self._sent(own, _SENT[name])
            return _most_within(times, limits.get("messages_window_ms", 1_000) * MS)
        if name == "executions":
            times = self._mine(self._fills, own)["received"]
            return _most_within(np.sort(times), limits.get("executions_window_ms", 1_000) * MS)
        if name in ("daily_loss_money", "drawdown_money", "gross_exposure_money"):
            return self._money(name, own)
        return None

    def _sent(self, own: dict[str, Any], events: tuple[str, ...]) -> Array:
        """When messages of a scope left, as the wire has them."""
        one = self._result.instruments[own["instrument"]] if "instrument" in own else None
        whose = strategies_in(self._result)[own["strategy"]] if "strategy" in own else None
        times = [
            row["time_ns"]
            for row in self._rows
            if row["event"] in events
            and (one is None or (row["symbol"], row["venue"]) == (one.symbol, one.venue))
            and whose in (None, row["strategy"])
        ]
        return np.sort(np.array(times, np.int64))

    def _position(self, own: dict[str, Any]) -> float:
        fills = self._mine(self._fills, own)
        signed = np.where(fills["side"] == BUY, fills["quantity"], -fills["quantity"])
        most = 0
        for row in np.unique(fills["instrument"]).tolist():
            held = np.cumsum(signed[fills["instrument"] == row])
            most = max(most, int(np.abs(held).max(initial=0)))
        return float(most)

    def _money(self, name: str, own: dict[str, Any]) -> float | None:
        """Of the firm and of strategies, where all is in the currency of the limits."""
        result = self._result
        if not self._is_one or "instrument" in own:
            return None
        parts = list(result.strategies.values())
        if "strategy" in own:
            result = parts[own["strategy"]]
        if self._currency not in result._grouping.currencies:
            return 0.0
        curve = result._grouping.total(self._currency).curve
        if name == "gross_exposure_money":
            return float(np.nanmax(curve.exposure, initial=0.0))
        net = np.append(0.0, curve.net[~np.isnan(curve.net)])
        if name == "daily_loss_money":
            return max(0.0, -float(net.min()))
        return float((np.maximum.accumulate(net) - net).max())

    def _refused(self, name: str, own: dict[str, Any], scope: str) -> int:
        level = LEVELS.index(scope.partition(":")[0])
        rows = self._mine(self._refusals, own)
        return int(((rows["reason"] == _REASONS[name]) & (rows["level"] == level)).sum())

    def _mine(self, rows: Array, own: dict[str, Any]) -> Array:
        for name, value in own.items():
            rows = rows[rows[name] == value]
        return rows


def _most_within(times: Array, window_ns: int) -> float:
    """The most of them within any such time."""
    if not len(times):
        return 0.0
    first = np.searchsorted(times, times - window_ns, side="right")
    return float((np.arange(len(times)) - first + 1).max())
