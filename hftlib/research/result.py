"""What a backtest hands back: everything that happened, and what is to be said of it.

    result                        a page in a notebook: headline, curves, figures, the run
    result.ok, result.ended       whether it ran to the end of its tape, and if not, why
    result.stats                  figures with units: stats["pnl_net"], stats.to_dict()
    result.orders .fills .equity .positions        DataFrames, made when first asked for
    result.parents                                 the orders that many small ones worked
    result.refusals, result.risk_log               what risk refused and changed, and why
    result.plot()                 price, inventory, equity, latency, markouts
    result.pnl("1m")              what each minute brought, after fees
    result.check()                sentences on what does not balance; result.compare(other, ...)
    result.refused, .rejected, .ended_by_venue     orders that never left us, were never taken by
                                  the venue, or ended by it: counted by reason
    result.strategies["Maker"]    the Result of one strategy of several; shows itself as a table
    result.ledger("fifo")         positions and P&L, exact, by strategy, instrument, venue, currency
    result.tca()                  execution quality, and where the P&L came from
    result.to_vectorbt()          a vectorbt Portfolio of the same fills
    result.save(folder), Result.load(folder)
    result.digest                 the same for the same orders, fills and equity

Inside it are the arrays as the engine left them (`records`), counts of units; floats and
DataFrames are made at this edge. pandas, plotly and vectorbt are loaded by what needs them.

What `about` may say, all of it optional: strategy, parameters, strategy_digest, tape, tape_digest,
venue, limits, seed, begin, end (ns), events, seconds, compiled, zone; anything else is shown, too.
Worst case: the frames hold some 200 bytes a row beside the arrays, for as long as the result lives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.book.reading import NO_PRICE
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.core.times import duration_ns, duration_text, zone_named
from hftlib.core.units import shown
from hftlib.engine.log import HORIZONS_NS
from hftlib.research import result_risk
from hftlib.research.result_check import violations
from hftlib.research.result_comparison import Comparison
from hftlib.research.result_files import RECORDS, digest_of, read_result, write_result
from hftlib.research.result_frames import Frames
from hftlib.research.result_groups import Grouping
from hftlib.research.result_html import fact_texts, page
from hftlib.research.result_parts import checked, flat, warnings
from hftlib.research.result_plots import plotted
from hftlib.research.result_stats import Stats
from hftlib.research.result_steps import pnl_of
from hftlib.research.result_strategies import Strategies

Array = np.ndarray[Any, Any]


class Result:
    """The orders, fills and equity of one run, with what it was made of."""

    def __init__(
        self,
        instruments: Instruments,
        orders: Array,
        fills: Array,
        equity: Array,
        markouts: Array | None = None,
        refusals: Array | None = None,
        changes: Array | None = None,
        parents: Array | None = None,
        *,
        horizons: Sequence[int] = HORIZONS_NS,
        about: Mapping[str, Any] | None = None,
        ended: str = "",
        refused: Mapping[str, int] | None = None,
        rejected: Mapping[str, int] | None = None,
        ended_by_venue: Mapping[str, int] | None = None,
        counts: Mapping[str, Any] | None = None,
        strategies: Mapping[str, Result] | None = None,
    ) -> None:
        given = {"orders": orders, "fills": fills, "equity": equity}
        rarer = {"markouts": markouts, "refusals": refusals, "changes": changes, "parents": parents}
        for name, rows in rarer.items():
            given[name] = np.zeros(0, RECORDS[name]) if rows is None else rows
        self.instruments = instruments
        self.records = {
            name: checked(name, array, len(instruments)) for name, array in given.items()
        }
        self.horizons = tuple(int(one) for one in horizons)
        self.about = dict(about or {})
        self.ended = ended
        self.refused = dict(refused or {})
        self.rejected = dict(rejected or {})
        self.ended_by_venue = dict(ended_by_venue or {})
        self.counts = dict(counts or {})
        self._parts = dict(strategies or {})
        self.tape: Any = None  # that it was run on, where this process still has it
        self.zone = str(self.about.get("zone") or "UTC")
        zone_named(self.zone)

    @property
    def ok(self) -> bool:
        """Whether it ran to the end of its tape."""
        return not self.ended

    @property
    def strategies(self) -> Strategies:
        """The result of each strategy that ran, by its name; of one alone, itself."""
        return Strategies(self._parts or {str(self.about.get("strategy") or ""): self})

    @cached_property
    def orders(self) -> Any:
        """A row for each order that left us."""
        return self._frames.orders()

    @cached_property
    def fills(self) -> Any:
        """A row for each fill, in the order in which they reached us."""
        return self._frames.fills()

    @cached_property
    def refusals(self) -> Any:
        """A row for each order that never left us: the reason, the limit, what was seen."""
        rows = self.records["refusals"]
        return result_risk.refusals(rows, self._grouping, self.zone, list(self._parts))

    @cached_property
    def parents(self) -> Any:
        """A row for each parent order: what it asked for, got, paid, and how it ended."""
        return self._frames.parents()

    @cached_property
    def risk_log(self) -> Any:
        """A row for each change of a trading state or a limit: what, who and why."""
        scopes = list(self.about.get("scopes", ()))
        return result_risk.changes(self.records["changes"], scopes, self.zone)

    @cached_property
    def equity(self) -> Any:
        """A row for each sample and instrument."""
        return self._frames.equity()

    @cached_property
    def positions(self) -> Any:
        """A row for each instrument that was traded: what is held at the end, what it brought."""
        return self._frames.positions()

    @cached_property
    def stats(self) -> Stats:
        """The figures; `statistics` takes them with another step or year."""
        return Stats(self._grouping)

    def statistics(
        self, *, step: int | str | None = None, hours_a_year: float | None = None
    ) -> Stats:
        """The figures with Sharpe over this step ('1m'), for a year of this many hours."""
        step_ns = None if step is None else duration_ns(step, field="step")
        if step_ns is not None and step_ns <= 0:
            do = "Give a step such as '1s' or '1m'."
            raise InputError(f"{shown(step)} is no step of time", where="step", do=do)
        if hours_a_year is not None and not 0 < hours_a_year <= 8_784:
            do = "Give the hours of trading in a year: 252 * 6.5, or 365 * 24."
            what = f"A year of {shown(hours_a_year)} hours is none"
            raise InputError(what, where="hours_a_year", do=do)
        year_s = None if hours_a_year is None else hours_a_year * 3_600
        return Stats(self._grouping, step_ns=step_ns, year_s=year_s)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over orders, fills and equity: two runs that did the same share it."""
        return digest_of(self.records)

    def check(self) -> list[str]:
        """What does not balance, as sentences: positions, cash, fees, orders against fills."""
        whole = "beside" not in self.about  # numbers of fills are those of all strategies
        found = violations(self.instruments, self.records, len(self.horizons), whole)
        return found + [
            f"{who}: {one}" for who, part in self._parts.items() for one in part.check()
        ]

    def plot(
        self, what: str = "all", *, instrument: str | None = None, currency: str | None = None
    ) -> Any:
        """A plotly figure: all, price, inventory, equity, latency or markouts."""
        return plotted(self._grouping, self.zone, what, instrument, currency)

    def pnl(self, step: Any = "1m", *, currency: str | None = None) -> Any:
        """Net P&L of each step of time, as a Series; of the tape's own grid, traded or not."""
        return pnl_of(self._grouping, self.zone, step, currency)

    def ledger(self, method: str = "fifo", *, broken: Sequence[Any] = (), **shown: Any) -> Any:
        """Its `hft.Ledger`; `broken` are (match, symbol) of trades that the venue took back."""
        from hftlib.research.ledger import ledger_of

        return ledger_of(self, method, broken, shown)

    def tca(self, tape: Any = None, **settings: Any) -> Any:
        """Execution quality, as `hft.Tca`; a loaded result has to be given its tape."""
        from hftlib.research.tca import Tca

        return Tca(self, tape, **settings)

    def to_vectorbt(self, *, currency: str | None = None, cash: float | None = None) -> Any:
        """A vectorbt Portfolio of the same fills; `cash` is what each instrument begins with."""
        from hftlib.research.result_vectorbt import portfolio_of

        return portfolio_of(self._grouping, self.zone, currency, cash)

    def compare(self, *others: Result) -> Comparison:
        """This one and another, or several, side by side."""
        wrong = [shown(one) for one in others if not isinstance(one, Result)]
        if wrong or not others:
            what = f"{wrong[0]} is no result" if wrong else "There is nothing to compare with"
            do = "Pass what hft.backtest answered, or Result.load(folder)."
            raise InputError(what, where="result.compare(...)", do=do)
        every = (self, *others)
        abouts = tuple(one._described() for one in every)
        same = len({one.digest for one in every}) == 1
        return Comparison(tuple(one.stats for one in every), abouts, same, self.zone)

    def save(self, folder: Path | str) -> Path:
        """Write all of it into a new folder; `Result.load` reads it back."""
        facts = {
            "digest": self.digest,
            "about": self.about,
            "ended": self.ended,
            "refused": self.refused,
            "rejected": self.rejected,
            "ended_by_venue": self.ended_by_venue,
            "counts": self.counts,
            "horizons": list(self.horizons),
        }
        write_result(Path(folder), self.records, self.instruments, facts, self._parts)
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> Result:
        """The result that was saved there."""
        arrays, instruments, facts, parts = read_result(Path(folder))
        names = ("about", "ended", "refused", "rejected", "ended_by_venue", "counts", "horizons")
        given: Any = {**arrays, **{name: facts[name] for name in names}}
        inner = {name: cls.load(place) for name, place in parts.items()}
        return cls(instruments, **given, strategies=inner)

    def __repr__(self) -> str:
        name = self.about.get("strategy") or "a strategy"
        money = [
            f"{one['pnl_net']:,.2f} {currency} after fees"
            for currency, one in self.stats.totals.items()
        ]
        parts = [f"{len(self.records[one]):,} {one}" for one in ("orders", "fills")] + money
        if took := self.about.get("seconds"):
            parts.append(duration_text(round(float(took) * 1e9)))
        if self.ended:
            parts.append(f"stopped early: {' '.join(self.ended.split())}")
        return f"<Result of {name}: {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        name = str(self.about.get("strategy") or "Backtest")
        tape = self.about.get("tape")
        return page(
            title=f"{name} on {tape}" if tape else name,
            facts=[*fact_texts(self.about, self.zone), ("result digest", self.digest)],
            ended=self.ended,
            broken=self.check(),
            warned=warnings(self.counts, len(self.instruments)),
            sheets=self.strategies.sheets() if self._parts else [],
            counted=[
                ("orders that never left us, and why", self.refused),
                ("orders the venue refused, and why", self.rejected),
                ("orders the venue took and ended itself, and why", self.ended_by_venue),
                ("counted by the engine", flat(self.counts)),
            ],
            stats=self.stats,
            grouping=self._grouping,
            zone=self.zone,
        )

    @cached_property
    def _grouping(self) -> Grouping:
        return Grouping(self.instruments, self.records, self.horizons, self._span(), NO_PRICE)

    @property
    def _frames(self) -> Frames:
        return Frames(self._grouping, self.zone, list(self._parts))

    def _span(self) -> tuple[int, int]:
        """From where to where it ran: as it says, or as its samples and fills show."""
        times = np.concatenate([self.records["equity"]["time"], self.records["fills"]["received"]])
        first, last = (int(times.min()), int(times.max())) if len(times) else (0, 0)
        begin, end = self.about.get("begin"), self.about.get("end")
        return (
            first if begin is None else int(begin),
            max(last, int(end)) if end is not None else last,
        )

    def _described(self) -> dict[str, Any]:
        return {**self.about, "ended": self.ended, "horizons": list(self.horizons)}
