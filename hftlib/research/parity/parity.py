"""What `hft.compare` answers: pairs of orders, causes of the difference, latencies, a closer venue.

    parity                    in a notebook: how close, what it cost and why, latencies, a picture
    parity.decisions          a row for each order of the session or of the backtest
    parity.causes             P&L of the session less the backtest's, by cause; adds up
    parity.venue              hft.Venue as the session measured it: for the next backtest
    parity.backtest, .fitted, .session       the Results
    parity.verdict()          pass, fail or cannot tell, for gates

Worst case: `decisions` is a row of some 150 bytes for each order.
"""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hftlib.core.errors import StateError
from hftlib.core.units import shown
from hftlib.research import charts
from hftlib.research.parity.aligning import Pairs
from hftlib.research.parity.causes import CAUSES, causes_of
from hftlib.research.parity.closeness import Closeness, closeness_sheet
from hftlib.research.parity.decisions import decisions_frame
from hftlib.research.parity.measured import legs_sheet, measured
from hftlib.research.result import Result
from hftlib.research.sheets import Sheet, Shown
from hftlib.research.validation.verdict import Verdict
from hftlib.venue.venue import Venue

ORDERS_MIN = 20  # fewer say nothing about a share


@dataclass(frozen=True, slots=True)
class Beside:
    """One backtest beside the session."""

    result: Result
    venues: Mapping[str, Venue] | None  # None where somebody else ran it
    pairs: Pairs
    close: Closeness


class Parity(Shown):
    """A session beside its backtests: as assumed, and as fitted."""

    def __init__(
        self,
        name: str,
        session: Result,
        beside: Mapping[str, Beside],
        legs: Mapping[str, Any],
        currency: str,
        one_clock: bool,
    ) -> None:
        self.name, self.session, self.currency = name, session, currency
        self.one_clock, self._beside, self._legs = one_clock, dict(beside), dict(legs)

    @property
    def backtest(self) -> Result:
        return self._beside["backtest"].result

    @property
    def fitted(self) -> Result:
        """The backtest with what the session measured."""
        return self._fit.result

    @property
    def venue(self) -> Any:
        """The venue as the session measured it; by name where there are several."""
        venues = dict(self._fit.venues or {})
        return next(iter(venues.values())) if len(venues) == 1 else venues

    @property
    def closeness(self) -> dict[str, Closeness]:
        """Of each backtest."""
        return {name: one.close for name, one in self._beside.items()}

    @cached_property
    def decisions(self) -> Any:
        """A row for each order of either, with what became of it in both."""
        return decisions_frame(self.session, self.backtest, self._beside["backtest"].pairs)

    @cached_property
    def causes(self) -> dict[str, float]:
        """P&L of the session less the backtest's, by cause."""
        return self._causes("backtest")

    @property
    def difference(self) -> float:
        """All causes together."""
        return sum(self.causes.values())

    def verdict(self, *, fills: float = 0.8, decisions: float = 0.8) -> Verdict:
        """Whether the closest backtest did what the session did: so much of fills and decisions."""
        name, best = list(self._beside.items())[-1]
        close, count = best.close, len(best.pairs.session) + len(best.pairs.only_session)
        figures = {f"{what} ({name})": value for what, value in close.figures().items()}
        figures |= {"orders of the session": count}
        enough = count >= ORDERS_MIN
        good = close.fills >= fills and close.decisions >= decisions
        said = (
            f"Of what session and backtest filled both filled {close.fills:.0%} ({fills:.0%} asked"
            f" for), and {close.decisions:.0%} of the decisions are both's ({decisions:.0%})."
        )
        if not enough:
            said = f"{count} orders are too few to tell: {ORDERS_MIN} would do. {said}"
        return Verdict(
            "Live beside backtest", good if enough else None, said, figures, self._bars()
        )

    def sheets(self) -> list[Sheet]:
        names = list(self._beside)
        by_cause = {name: self._causes(name) for name in names}
        rows = [(what, *(by_cause[name][what] for name in names)) for what in CAUSES]
        rows.append(("together", *(sum(by_cause[name].values()) for name in names)))
        title = f"P&L of the session less the backtest's, {self.currency}"
        others = {name: measured(one.result, True) for name, one in self._beside.items()}
        return [
            closeness_sheet(self.closeness),
            Sheet(title, ("cause", *names), rows),
            legs_sheet(self._legs, others),
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "journal": self.name,
            "currency": self.currency,
            "one_clock": self.one_clock,
            "closeness": {
                name: {what: _known(value) for what, value in one.close.figures().items()}
                for name, one in self._beside.items()
            },
            "causes": {name: self._causes(name) for name in self._beside},
            "verdict": self.verdict().as_json(),
        }

    def _repr_html_(self) -> str:
        head = f"<h3>{html.escape(self.name)} beside its backtest</h3><p>{self._sentence()}</p>"
        return f"<div>{head}{self._bars()}{''.join(one.html() for one in self.sheets())}</div>"

    def _sentence(self) -> str:
        first = self.closeness["backtest"]
        said = f"Both filled {first.fills:.0%} of what either filled"
        if "fitted" in self._beside:
            said += f"; with what the session measured, {self.closeness['fitted'].fills:.0%}"
        clocks = (
            "" if self.one_clock else " The venue's clock is not ours: the feed's way is unknown."
        )
        return html.escape(f"{said}.{clocks}")

    def _bars(self) -> str:
        """Causes as assumed, those of the fitted beside them."""
        title = f"Why the session's P&L differs from the {{}}'s, {self.currency}"
        return "".join(
            charts.bars(
                [_SHORT[one] for one in CAUSES],
                np.array([self._causes(name)[one] for one in CAUSES]),
                title=title.format("backtest" if name == "backtest" else "fitted backtest"),
            )
            for name in self._beside
        )

    def _causes(self, name: str) -> dict[str, float]:
        other = self._beside[name]
        mine = self.session._grouping.total(self.currency)
        theirs = other.result._grouping.total(self.currency)
        orders = self.session.records["orders"], other.result.records["orders"]
        return causes_of(mine, theirs, other.pairs, *orders)

    @property
    def _fit(self) -> Beside:
        if "fitted" not in self._beside:
            do = "Ask for it: hft.compare(journal, fit=True)."
            raise StateError("Nothing was fitted", where=f"hft.compare({shown(self.name)})", do=do)
        return self._beside["fitted"]


def _known(value: float) -> float | None:
    """JSON has no word for what is not known."""
    return value if math.isfinite(value) else None


_SHORT = dict(
    zip(
        CAUSES,
        ("session only", "backtest only", "standing", "taking", "price", "fees", "middle"),
        strict=True,
    )
)
