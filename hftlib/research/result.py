"""What a backtest hands back: everything that happened, and what is to be said of it.

    result                        a page in a notebook: headline, curves, figures, the run
    result.ok, result.ended       whether it ran to the end of its tape, and if not, why
    result.stats                  figures with units: stats["pnl_net"], stats.to_dict()
    result.orders .fills .equity .positions        DataFrames, made when first asked for
    result.plot()                 price with fills, inventory, equity, latency, markouts
    result.check()                sentences on what does not balance; none, when all does
    result.compare(other, ...)    side by side
    result.refused, .rejected, .ended_by_venue     orders by the reason why they ended, counted:
                                  never left us; never taken by the venue; taken, and ended by it
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
from hftlib.core.units import is_whole, shown
from hftlib.engine.log import HORIZONS_NS
from hftlib.research.result_check import violations
from hftlib.research.result_comparison import Comparison
from hftlib.research.result_files import RECORDS, digest_of, read_result, write_result
from hftlib.research.result_frames import Frames
from hftlib.research.result_groups import Grouping
from hftlib.research.result_html import fact_texts, page
from hftlib.research.result_plots import plotted
from hftlib.research.result_stats import Stats

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
        *,
        horizons: Sequence[int] = HORIZONS_NS,
        about: Mapping[str, Any] | None = None,
        ended: str = "",
        refused: Mapping[str, int] | None = None,
        rejected: Mapping[str, int] | None = None,
        ended_by_venue: Mapping[str, int] | None = None,
        counts: Mapping[str, Any] | None = None,
    ) -> None:
        if markouts is None:
            markouts = np.zeros(0, RECORDS["markouts"])
        given = {"orders": orders, "fills": fills, "equity": equity, "markouts": markouts}
        self.instruments = instruments
        self.records = {
            name: _checked(name, array, len(instruments)) for name, array in given.items()
        }
        self.horizons = tuple(int(one) for one in horizons)
        self.about = dict(about or {})
        self.ended = ended
        self.refused = dict(refused or {})
        self.rejected = dict(rejected or {})
        self.ended_by_venue = dict(ended_by_venue or {})
        self.counts = dict(counts or {})
        self.zone = str(self.about.get("zone") or "UTC")
        zone_named(self.zone)

    @property
    def ok(self) -> bool:
        """Whether it ran to the end of its tape."""
        return not self.ended

    @cached_property
    def orders(self) -> Any:
        """A row for each order that left us."""
        return self._frames.orders()

    @cached_property
    def fills(self) -> Any:
        """A row for each fill, in the order in which they reached us."""
        return self._frames.fills()

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
        return violations(self.instruments, self.records, len(self.horizons))

    def plot(
        self, what: str = "all", *, instrument: str | None = None, currency: str | None = None
    ) -> Any:
        """A plotly figure: all, price, inventory, equity, latency or markouts."""
        return plotted(self._grouping, self.zone, what, instrument, currency)

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
        write_result(Path(folder), self.records, self.instruments, facts)
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> Result:
        """The result that was saved there."""
        arrays, instruments, facts = read_result(Path(folder))
        names = ("about", "ended", "refused", "rejected", "ended_by_venue", "counts", "horizons")
        given: dict[str, Any] = {**arrays, **{name: facts[name] for name in names}}
        return cls(instruments, **given)

    def __repr__(self) -> str:
        name = self.about.get("strategy") or "a strategy"
        orders, fills = len(self.records["orders"]), len(self.records["fills"])
        money = [
            f"{one['pnl_net']:,.2f} {currency} after fees"
            for currency, one in self.stats.totals.items()
        ]
        parts = [f"{orders:,} orders", f"{fills:,} fills", *money]
        if self.about.get("seconds"):
            parts.append(duration_text(round(float(self.about["seconds"]) * 1e9)))
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
            warned=self._warnings(),
            counted=[
                ("orders that never left us, and why", self.refused),
                ("orders the venue refused, and why", self.rejected),
                ("orders the venue took and ended itself, and why", self.ended_by_venue),
                ("counted by the engine", _flat(self.counts)),
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
        return Frames(self._grouping, self.zone)

    def _span(self) -> tuple[int, int]:
        """From where to where it ran: as it says, or as its samples and fills show."""
        times = np.concatenate([self.records["equity"]["time"], self.records["fills"]["received"]])
        first, last = (int(times.min()), int(times.max())) if len(times) else (0, 0)
        begin, end = self.about.get("begin"), self.about.get("end")
        return (
            first if begin is None else int(begin),
            max(last, int(end)) if end is not None else last,
        )

    def _warnings(self) -> list[str]:
        """What a reader of the page should know before its figures."""
        wrong = self.counts.get("wrong instruments", 0)
        if not wrong:
            return []
        last = len(self.instruments) - 1
        times = "once" if wrong == 1 else f"{wrong:,} times"
        return [
            f"The strategy asked {times} for an instrument that there is not: they are counted"
            f" from 0 to {last}. It was answered with an empty book and no position."
        ]

    def _described(self) -> dict[str, Any]:
        return {**self.about, "ended": self.ended, "horizons": list(self.horizons)}


def _flat(counts: Mapping[str, Any]) -> dict[str, int]:
    """Counts within counts by both names; what is no count is left out."""
    made: dict[str, int] = {}
    for name, value in counts.items():
        if isinstance(value, Mapping):
            made |= {f"{name}: {inner}": one for inner, one in _flat(value).items()}
        elif is_whole(value):
            made[name] = int(value)
    return made


def _checked(name: str, array: Array, instruments: int) -> Array:
    """A view that nobody can write through, of records whose instruments are in the table."""
    dtype = RECORDS[name]
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != 1:
        found = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else array
        raise InputError(
            f"The {name} of a result are not {shown(found)}",
            where=f"Result({name}=...)",
            do=f"Pass a flat array of the {name} record.",
        )
    if name != "markouts" and len(array) and int(array["instrument"].max()) >= instruments:
        raise InputError(
            f"The {name} name instrument {int(array['instrument'].max())}, and there are"
            f" {instruments:,}, counted from 0",
            where=f"Result({name}=...)",
            do="Pass the instruments of the tape that was run.",
        )
    kept = array.view()
    kept.flags.writeable = False
    return kept
