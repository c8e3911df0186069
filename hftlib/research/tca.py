"""Execution quality (TCA): what each order and fill of a result cost, and where its P&L came from.

    tca = result.tca()                        shows itself in a notebook, as a page
    tca = result.tca(tape, horizon="100ms")   of a loaded result, over the tape it was run on
    tca.table(by=("venue",))                  figures by group; .frame is a DataFrame
    tca.attribution(by=("role",))             spread captured, adverse selection, inventory, fees
    tca.orders, tca.fills, tca.races          a row for each; races: fills while we wanted out
    tca.plot("attribution")                   also shortfall, markouts, waits
    tca.check()                               sentences where it does not add up to the ledger
    tca.not_told                              sentences: what is missing, and why

What a figure means stands in `tca_figures.py`. With the tape the middles at each order's entry and
end are exact, and there is a VWAP; without it the end's is of the last sample before, and there is
neither delay nor VWAP. In a backtest the tape does not hold our own orders and fills.

Of a runner's day (`journal_result.py`) it does: its middle at an order's entry is that of just
before. Where that day had two clocks, ends are of samples, and what both would have to tell is not.

Worst case: one pass over the tape, and some 300 bytes for each order and each fill.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import Duration, duration_ns
from hftlib.core.units import shown
from hftlib.research.result_measures import horizon_names
from hftlib.research.result_money import UNKNOWN_BELOW
from hftlib.research.tca_frames import fills_frame, orders_frame
from hftlib.research.tca_html import tca_page
from hftlib.research.tca_market import Market, watched
from hftlib.research.tca_measures import (
    UNKNOWN,
    FillCosts,
    OrderCosts,
    ends_of,
    fill_costs,
    left_us,
    order_costs,
    sampled_middles,
    unbroken,
)
from hftlib.research.tca_tables import KEYS, AttributionTable, Keys, QualityTable

Array = np.ndarray[Any, Any]
USUAL_NS = 10**9


class Tca:
    """The execution costs of one result."""

    def __init__(self, result: Any, tape: Any = None, *, horizon: Duration | None = None) -> None:
        self.result, self.tape = result, _tape_of(result, tape)
        if not result.horizons:
            do = "Run it with horizons=['1s'], or some other time after a fill."
            raise InputError("This result has no markouts", where="result.tca()", do=do)
        self.horizons = horizon_names(result.horizons)
        self._horizon = _chosen(result.horizons, self.horizons, horizon)
        self._keys = Keys(result.instruments, result.about.get("strategies", ()))

    @property
    def not_told(self) -> list[str]:
        """What this result does not have that a figure would need, as sentences."""
        return [str(one) for one in self.result.about.get("not told", ())]

    @property
    def mode(self) -> str:
        """Of a runner's day; empty: it is a backtest's."""
        return str(self.result.about.get("mode", ""))

    @property
    def one_clock(self) -> bool:
        """Whether our times and the venue's can be told from each other."""
        return bool(self.result.about.get("one clock", True))

    @property
    def horizon(self) -> str:
        """How long after a fill its adverse selection is taken."""
        return self.horizons[self._horizon]

    def table(self, by: Iterable[str] | str = ("instrument",)) -> QualityTable:
        """Figures by strategy, instrument, venue, currency, side or several; () is one total."""
        keys = _by(by, KEYS[:-1])
        return QualityTable(
            self._keys,
            self.order_costs,
            self.fill_costs,
            keys,
            self.horizons,
            self._horizon,
            self.tape is not None,
        )

    def attribution(self, by: Iterable[str] | str = ("instrument",)) -> AttributionTable:
        """Where the P&L came from, likewise, and by role: maker or taker."""
        return AttributionTable(self._keys, self.fill_costs, _by(by, KEYS), self.horizon)

    @cached_property
    def orders(self) -> Any:
        """A row for each order that left us, with its costs."""
        return orders_frame(self)

    @cached_property
    def fills(self) -> Any:
        """A row for each fill, with its costs."""
        return fills_frame(self)

    @property
    def races(self) -> Any:
        """The fills we heard of after we had asked to cancel or replace their order."""
        return self.fills[self.fills["asked"] != ""]

    def check(self) -> list[str]:
        """What does not add up, as sentences: the parts of the P&L against the ledger."""
        ledger = self.result.ledger("average").table(by=("instrument",)).exact
        parts = self.attribution().exact
        found = []
        for one in ledger:
            mine = parts[one["instrument"], one["currency"]]
            for name in ("gross", "fees"):
                if mine[name] != one[name]:
                    found.append(
                        f"{one['instrument']}: {name} is {mine[name]}, by the ledger {one[name]}"
                    )
            each = [mine[name] for name in ("spread", "adverse", "inventory", "unattributed")]
            if mine["gross"] is not None and sum(x or 0 for x in each) != mine["gross"]:
                found.append(f"{one['instrument']}: the parts of the P&L are not its sum")
        return found

    def plot(self, what: str = "all") -> Any:
        """A plotly figure: all, attribution, shortfall, markouts or waits."""
        from hftlib.research.tca_plots import plotted

        return plotted(self, what)

    def to_dict(self) -> dict[str, Any]:
        """Everything by instrument and by venue, ready for JSON."""
        tables = {"instruments": self.table(), "venues": self.table("venue")}
        sums = {
            "attribution": self.attribution(),
            "attribution by venue": self.attribution("venue"),
            "attribution by role": self.attribution("role"),
        }
        figures = [*tables["instruments"].figures, *sums["attribution"].figures]
        return {
            "horizon": self.horizon,
            "mode": self.mode,
            "tape": self.tape is not None,
            **{name: one.to_dict()["rows"] for name, one in {**tables, **sums}.items()},
            "units": {figure.name: figure.unit for figure in figures},
            "definitions": {figure.name: figure.said for figure in figures},
            "not told": self.not_told,
            "does not add up": self.check(),
        }

    def __repr__(self) -> str:
        return f"{self.table()}\n\n{self.attribution()}"

    def __rich__(self) -> Any:
        from rich.console import Group

        return Group(self.table().__rich__(), self.attribution().__rich__())

    def _repr_html_(self) -> str:
        return tca_page(self)

    @cached_property
    def order_costs(self) -> OrderCosts:
        """Costs of orders as they are counted."""
        market = self._market if self.one_clock else None
        found = self._sent, self._fills, self._end, self._ends, self._entries, market
        return order_costs(*found, one_clock=self.one_clock)

    @cached_property
    def fill_costs(self) -> FillCosts:
        """Costs of fills as they are counted."""
        marks = self.result._grouping.marks[self._unbroken]
        given = self._fills, marks, self._horizon, self.last_middles
        return fill_costs(*given, one_clock=self.one_clock)

    @cached_property
    def last_middles(self) -> dict[int, int]:
        """Twice the last known middle of each instrument."""
        equity = self.result.records["equity"]
        known = equity["twice_mid"] > UNKNOWN_BELOW
        rows, middles = equity["instrument"][known], equity["twice_mid"][known]
        return dict(zip(rows.tolist(), middles.tolist(), strict=True))

    @cached_property
    def _sent(self) -> Any:
        return left_us(self.result.records["orders"])

    @cached_property
    def _unbroken(self) -> Array:
        return unbroken(self.result.records["fills"])

    @cached_property
    def _fills(self) -> Array:
        fills = np.asarray(self.result.records["fills"])
        return fills if len(self._unbroken) == len(fills) else fills[self._unbroken]

    @property
    def _end(self) -> int:
        return int(self.result._span()[1])

    @cached_property
    def _market(self) -> Market | None:
        """The tape, looked at once: what printed, the middles at all ends, then at all entries."""
        if self.tape is None:
            return None
        found = self._sent
        ended, entered = ends_of(found, self._fills, self._end)[3], found["venue_accepted"]
        if self.result.about.get("our orders on the tape"):
            entered = entered - 1  # before ours
        rows = found["instrument"].astype(np.int64)
        return watched(
            self.tape,
            np.unique(rows).tolist(),
            np.concatenate([ended, entered]),
            np.concatenate([rows, rows]),
        )

    @property
    def _ends(self) -> Array:
        found = self._sent
        if self._market is not None and self.one_clock:
            return self._market.middles[: len(found)]
        ended = ends_of(found, self._fills, self._end)[3]
        return sampled_middles(self.result.records["equity"], found["instrument"], ended)

    @property
    def _entries(self) -> Array:
        found = self._sent
        if self._market is None:
            return np.full(len(found), UNKNOWN, np.int64)
        return np.where(found["venue_accepted"] > 0, self._market.middles[len(found) :], UNKNOWN)


def _tape_of(result: Any, tape: Any) -> Any:
    """The tape it was run on, opened; refused where it is another."""
    if tape is None:
        return result.tape
    from hftlib.research.setting_up import tape_of

    opened = tape_of(tape)
    digest = result.about.get("tape_digest")
    if digest and opened.digest != digest:
        raise InputError(
            f"{opened.path.name} is not the tape that this result was made on,"
            f" {result.about.get('tape', 'another')}",
            where="result.tca(tape)",
            do="Pass the same tape, or none.",
        )
    return opened


def _chosen(horizons: tuple[int, ...], names: list[str], wanted: Duration | None) -> int:
    if wanted is None:
        return horizons.index(USUAL_NS) if USUAL_NS in horizons else len(horizons) // 2
    ns = duration_ns(wanted, field="horizon")
    if ns in horizons:
        return horizons.index(ns)
    raise InputError(
        f"There are no markouts at {shown(wanted)}",
        where="result.tca(horizon=...)",
        do=f"Take one of {', '.join(names)}, or run it with horizons=[{shown(wanted)}].",
    )


def _by(by: Iterable[str] | str, known: tuple[str, ...]) -> tuple[str, ...]:
    given = (by,) if isinstance(by, str) else tuple(by)
    for one in given:
        if one not in known:
            do = f"Name any of {', '.join(known)}, or () for one total."
            raise InputError(f"There are no such costs by {shown(one)}", where="by", do=do)
    return tuple(dict.fromkeys(given))
