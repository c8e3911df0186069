"""The figures of a result: for each instrument, and in total for each currency.

    stats["pnl_net"]                    of the total; refused where there are several currencies
    stats.instruments["AAPL"]["sharpe"]
    stats.totals["USD"]["fees"]
    stats.to_dict()                     everything, ready for JSON

Durations are in ns, shares from 0 to 1, money in the currency; what cannot be told is NaN. A
sheet shows the same with units. Worst case: one pass over fills and samples for each instrument.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.research import result_measures as measures
from hftlib.research.result_curve import drawdown_of, sharpe_of
from hftlib.research.result_figures import Figure, figures_at, text_of
from hftlib.research.result_groups import Group, Grouping
from hftlib.research.sheets import Sheet, Shown, figures_table

NAN = float("nan")
DAYS_A_YEAR, HOURS_A_DAY = 252, 6.5
_ALWAYS_OPEN = ("spot", "perpetual")
COLUMNS_MAX = 3  # beside the titles, in 100 characters


class Stats(Shown, Mapping[str, Any]):
    """The figures. As a mapping it answers for the total of the one currency there is."""

    def __init__(
        self, grouping: Grouping, *, step_ns: int | None = None, year_s: float | None = None
    ) -> None:
        self._grouping = grouping
        self._step_ns, self._year_s = step_ns, year_s

    @cached_property
    def totals(self) -> dict[str, dict[str, Any]]:
        """By currency."""
        made = self._grouping
        return {currency: self._figures(made.total(currency)) for currency in made.currencies}

    @cached_property
    def instruments(self) -> dict[str, dict[str, Any]]:
        """By symbol; of those that were traded, or all where none was."""
        made = self._grouping
        return {made.names[row]: self._figures(made.of(row)) for row in made.rows}

    @property
    def total(self) -> dict[str, Any]:
        """The figures of the one currency; several are refused, for they do not add."""
        if len(self.totals) == 1:
            return next(iter(self.totals.values()))
        names = ", ".join(self.totals)
        what = f"{names} do not add up to one total" if names else "There is nothing to add up"
        raise InputError(
            what,
            where="the total of the result",
            do="Ask for one currency: stats.totals['USD']." if names else "Trade something.",
        )

    @property
    def figures(self) -> list[Figure]:
        """What there is, in order, with titles and units."""
        return figures_at(measures.horizon_names(self._grouping.horizons))

    @property
    def conventions(self) -> list[str]:
        """What the figures mean, in sentences."""
        return [
            "Sharpe is of changes of the net equity on a regular grid in trading time (stretches"
            " of over 30 minutes without any change are taken out), for a year of "
            f"{DAYS_A_YEAR} days of {HOURS_A_DAY} hours, or 365 of 24 where all of it trades"
            " always; its error is Lo's (2002) with skew and kurtosis.",
            "Holdings are valued at the last known middle of the book.",
            "Adverse selection is how far the middle moved against us after fills; a cost is"
            " positive. Messages are orders, replaces and cancels.",
        ]

    def __getitem__(self, name: str) -> Any:
        total = self.total
        if name not in total:
            raise KeyError(f"there is no figure {shown(name)}; there are {', '.join(total)}")
        return total[name]

    def __iter__(self) -> Iterator[str]:
        return (figure.name for figure in self.figures)

    def __len__(self) -> int:
        return len(self.figures)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON: what cannot be told is None."""
        return {
            "totals": {name: _plain(one) for name, one in self.totals.items()},
            "instruments": {name: _plain(one) for name, one in self.instruments.items()},
            "units": {figure.name: figure.unit for figure in self.figures},
            "conventions": self.conventions,
        }

    def columns(self, most: int) -> dict[str, tuple[str, dict[str, Any]]]:
        """Figures and currency of the totals and of the instruments traded most."""
        made = {f"total {one}": (one, figures) for one, figures in self.totals.items()}
        busiest = sorted(self.instruments, key=lambda name: -self.instruments[name]["turnover"])
        # One instrument is its own total.
        if len(busiest) == 1:
            made = {}
        for name in busiest[:most]:
            made[name] = (self.instruments[name]["currency"], self.instruments[name])
        return made

    def rows(self, most: int) -> list[tuple[str, ...]]:
        """A row for each figure that is known of anyone, as text with units."""
        columns = self.columns(most).values()
        made = []
        for figure in self.figures:
            cells = [text_of(figure, one[figure.name], money) for money, one in columns]
            if any(cell != "-" for cell in cells):
                made.append((figure.title, *cells))
        return made

    def sheets(self) -> list[Sheet]:
        most = max(1, COLUMNS_MAX - len(self.totals))
        left = len(self.instruments) - most
        title = "Figures" + (f", {left:,} of the instruments not shown" if left > 0 else "")
        return [Sheet(title, ("", *self.columns(most)), list(self.rows(most)))]

    def __rich__(self) -> Any:
        return figures_table(self.sheets()[0])

    def _figures(self, group: Group) -> dict[str, Any]:
        counts = measures.counts_of(group)
        gross, fees = profit_of(group), float(group.fees.sum())
        fall = drawdown_of(
            np.append(group.begin, group.curve.times), np.append(0.0, group.curve.net)
        )
        sharpe = sharpe_of(group.curve, group.begin, self._year(group), self._step_ns)
        turnover = counts["turnover"]
        return {
            "currency": group.currency,
            "pnl_gross": gross,
            "fees": fees,
            "pnl_net": gross - fees,
            "pnl_bp": (gross - fees) / turnover * 10_000 if turnover else NAN,
            "sharpe": sharpe.ratio,
            "sharpe_error": sharpe.error,
            "sharpe_step_ns": sharpe.step_ns,
            "sharpe_changes": sharpe.changes,
            "sharpe_skew": sharpe.skew,
            "sharpe_kurtosis": sharpe.kurtosis,
            "sharpe_autocorrelation": sharpe.autocorrelation,
            "drawdown": fall.depth,
            "drawdown_ns": fall.duration_ns,
            "drawdown_longest_ns": fall.longest_ns,
            "position": _position(group),
            **counts,
            **measures.costs_of(group),
            **measures.waits_of(group),
            **measures.inventory_of(group),
            **measures.capacity_of(group),
        }

    def _year(self, group: Group) -> float:
        """Seconds of trading in a year."""
        if self._year_s is not None:
            return self._year_s
        kinds = {self._grouping.instruments[row].kind for row in group.rows}
        if kinds and kinds <= set(_ALWAYS_OPEN):
            return 365 * 86_400.0
        return DAYS_A_YEAR * HOURS_A_DAY * 3_600


def profit_of(group: Group) -> float:
    """What all fills brought, holdings at the last known middle, before fees."""
    rows = group.lasts["instrument"]
    position = group.scales.quantities(group.lasts["position"], rows)
    mids = {row: last_mid(one) for row, one in zip(group.rows, group.series, strict=True)}
    mid = np.array([mids[row] for row in rows.tolist()])
    worth = position * mid * group.scales.multipliers(rows)
    held = np.where(position == 0, 0.0, worth)
    return float((group.scales.money(group.lasts["cash"], rows) + held).sum())


def last_mid(series: Any) -> float:
    """The last known middle; NaN when there never was one."""
    return float(series.mid[-1]) if len(series.mid) else NAN


def _position(group: Group) -> float:
    if len(group.rows) != 1:
        return NAN
    last = group.lasts
    held = group.scales.quantities(last["position"], last["instrument"])
    return float(held[0]) if len(held) else 0.0


def _plain(figures: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }
