"""Portfolio risk beside the tick path: asked for at regular times, told back as an event.

    watch = hft.RiskWatch({"AAPL": [...], "MSFT": [...]}, every="1s", delay="20ms")
    hft.backtest(..., limits=hft.Limits(firm={"value_at_risk_money": 50_000}), risk_watch=watch)

Every so long the positions and marks as they stand are handed to `hft.portfolio_risk`; what comes
out reaches risk after `delay`, as it would from a process beside the runner, and orders that would
add to a risk beyond its limit are refused from then on.

Worst case: a Python computation for each time asked; an hour at a second is 3,600 of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import Duration, duration_ns, duration_text
from hftlib.core.units import shown
from hftlib.engine.session import Session
from hftlib.research.sheets import Sheet, Shown
from hftlib.risk.authority import PROCESS
from hftlib.risk.controls import MONEY_ONE
from hftlib.risk.directives import ASK_RISK, DIRECTIVE, TELL_RISK
from hftlib.risk.laying import RiskRoom
from hftlib.risk.people import scope_row
from hftlib.risk.portfolio import portfolio_risk

ASKED_MAX = 1 << 20
_WHERE = "hft.RiskWatch(...)"


class RiskWatch(Shown):
    """How often portfolio risk is computed, from which returns, and for which scope."""

    def __init__(
        self,
        returns: Mapping[str, Any],
        *,
        every: Duration = "1s",
        delay: Duration = "10ms",
        scope: str = "firm",
        method: str = "historical",
        confidence: float = 0.99,
        horizon: float = 1.0,
    ) -> None:
        self.every, self.delay = duration_ns(every, field="every"), duration_ns(delay, field="d")
        if self.every <= 0 or not 0 <= self.delay < self.every:
            raise InputError(
                f"Risk cannot be told {shown(delay)} after it is asked for every {shown(every)}",
                where=_WHERE,
                do="Give every='1s' and a delay shorter than that.",
            )
        self.returns = {name: np.asarray(one, np.float64) for name, one in returns.items()}
        self.scope = scope
        self.settings = {"method": method, "confidence": confidence, "horizon": horizon}
        # Refuses what it cannot compute now, not in the middle of a run.
        portfolio_risk(dict.fromkeys(self.returns, 0.0), self.returns, **self.settings)  # type: ignore[arg-type]

    def sheets(self) -> list[Sheet]:
        settings = [(name, str(value)) for name, value in self.settings.items()]
        rows = [("every", duration_text(self.every)), ("told after", duration_text(self.delay))]
        rows += [("scope", self.scope), *settings]
        returns = [(name, len(one)) for name, one in self.returns.items()]
        returned = Sheet("Returns", ("of", "how many"), [*returns])
        return [Sheet("RiskWatch", ("", ""), [*rows]), returned]

    def rows(self, room: RiskRoom, begin: int, end: int) -> np.ndarray[Any, Any]:
        """For each time asked: a question, then the two figures that answer it."""
        missing = [one for one in room.instruments.symbols if one not in self.returns]
        if missing:
            raise InputError(
                f"There are no returns of {', '.join(missing[:5])}",
                where=_WHERE,
                do="Give those of every instrument that may be held.",
            )
        row = scope_row(room, self.scope)
        if row >= room.uppers:
            raise InputError(
                f"{shown(self.scope)} is one instrument, not a portfolio of them",
                where=_WHERE,
                do='Give scope="firm", "portfolio:NAME" or "strategy:NAME".',
            )
        times = np.arange(begin + self.every, end, self.every)
        if len(times) > ASKED_MAX:
            what = f"Risk would be asked for {len(times):,} times"
            raise InputError(what, where=_WHERE, do="Ask less often: every='1m'.")
        made = np.zeros(3 * len(times), DIRECTIVE)
        made["scope"], made["role"] = row, PROCESS
        made["who"] = b"portfolio risk"
        made["why"] = f"{self.settings['method']} {self.settings['confidence']:g}".encode()
        made["time"][0::3], made["what"][0::3] = times, ASK_RISK
        for n in (1, 2):
            made["time"][n::3], made["what"][n::3] = times + self.delay, TELL_RISK
            made["which"][n::3] = n - 1
        return made

    def answer(self, session: Session, coming: np.ndarray[Any, Any]) -> None:
        """Compute it from what is held now, into the directives that will tell it."""
        room = session.risk
        row = scope_row(room, self.scope)
        count = len(room.instruments)
        firm = session.arena["holdings"][row * (count + 1) :][:count]
        rules = session.arena["rules"][:count]
        worth = 0.5 * rules["mark"] * rules["factor"] * firm["quantity"] / MONEY_ONE
        held = dict(zip(room.instruments.symbols, worth.tolist(), strict=True))
        seen = portfolio_risk(held, self.returns, **self.settings)  # type: ignore[arg-type]
        told = 0
        for one in coming:
            if one["what"] == TELL_RISK and one["who"] == b"portfolio risk":
                figure = seen.value_at_risk if one["which"] == 0 else seen.expected_shortfall
                one["value"] = max(0, round(figure * MONEY_ONE))
                told += 1
                if told == 2:
                    return
