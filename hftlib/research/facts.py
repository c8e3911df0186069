"""Stylised facts: what the flow of one instrument is like, in numbers two markets compare by.

    print(facts(hft.open_tape("day.tape"), symbol="AAPL"))

How clustered arrivals are (quantiles, coefficient of variation, Fano factors), how wide the spread
is over time, how many orders it takes for a trade and how long they live, how deep the book is from
the inside out, how the variance of the mid grows with the sampling interval (the signature plot),
and for how long buys follow buys. Unknown facts are NaN, never a guess.

Worst case: the events of the instrument are copied once, and `inside.py` works on them; so a day of
one busy stock is fine and a whole exchange at once is not.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instruments
from hftlib.core.times import duration_text
from hftlib.research import measures
from hftlib.research.inside import Followed, followed
from hftlib.research.measures import SECOND

FANO_WINDOWS_NS = (10**6, 10**7, 10**8, 10**9)
SIGNATURE_NS = tuple(int(s * 10**9) for s in (0.1, 0.5, 1, 2, 5, 10, 30, 60))
_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one instrument over one span of time."""

    name: str
    seconds: float
    events: int
    per_second: float
    shares: dict[str, float]
    """Of all events, by kind."""
    orders_per_trade: float
    cancels_per_add: float
    gap_ns: dict[int, float]
    """Time from one event to the next, by quantile in percent."""
    gap_variation: float
    """Its standard deviation over its mean: 1 for arrivals at random, more for bursts."""
    burstiness: float
    fano: dict[int, float]
    """Variance over mean of counts, by window in ns: 1 at random."""
    spread_ticks: float
    """Mean over time."""
    spread_quantiles: dict[int, float]
    lifetime_ns: dict[int, float]
    """From an order's coming to its withdrawal or replacement, by quantile in percent."""
    depth: tuple[float, ...]
    """Mean lots at the first, second, ... price that holds any."""
    volatility_ticks: float
    """Of the mid, in ticks per square root of a second, from changes over ten seconds."""
    signature: dict[int, float]
    """Variance of the mid by sampling interval in ns, over that at ten seconds."""
    sign_correlation: dict[int, float]
    """Of the signs of trades, by lag in trades."""
    unknown: int
    repaired: int

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Names and values for people, in a fixed order."""
        made = [
            ("events", f"{self.events:,} in {self.seconds:,.0f} s, {self.per_second:,.1f}/s"),
            ("kinds", _listed(self.shares, str.lower, "{:.1%}")),
            ("orders per trade", f"{self.orders_per_trade:.1f}"),
            ("cancels per add", f"{self.cancels_per_add:.2f}"),
            ("gap", _spans(self.gap_ns)),
            ("gap variation", f"{self.gap_variation:.1f}, burstiness {self.burstiness:.2f}"),
            ("Fano factor", _listed(self.fano, duration_text, "{:.1f}")),
            ("spread", f"{self.spread_ticks:.1f} ticks over time"),
            ("spread quantiles", _listed(self.spread_quantiles, "{}%".format, "{:.0f}")),
            ("lifetime", _spans(self.lifetime_ns)),
            ("depth", ", ".join(f"{lots:,.0f}" for lots in self.depth)),
            ("volatility", f"{self.volatility_ticks:.2f} ticks per √s"),
            ("signature", _listed(self.signature, duration_text, "{:.2f}")),
            ("sign correlation", _listed(self.sign_correlation, "lag {}".format, "{:.2f}")),
        ]
        if self.unknown or self.repaired:
            made.append(
                ("not known", f"{self.unknown:,} orders; {self.repaired:,} levels repaired")
            )
        return made

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.rows)
        lines = [f"{name:<{width}}  {value}" for name, value in self.rows]
        return "\n".join([f"Facts of {self.name}", *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return compared(self)._repr_html_()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Several facts side by side."""

    facts: tuple[Facts, ...]

    @property
    def table(self) -> list[tuple[str, ...]]:
        """A row for each fact: its name, then the value of each market; the first has the names."""
        columns = [dict(one.rows) for one in self.facts]
        names = list(dict.fromkeys(name for column in columns for name in column))
        head = ("", *(one.name for one in self.facts))
        return [head, *((name, *(c.get(name, "") for c in columns)) for name in names)]

    def __repr__(self) -> str:
        widths = [max(map(len, column)) for column in zip(*self.table, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in self.table)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        style = " style='text-align:left'"
        rows = []
        for number, row in enumerate(self.table):
            tag = "td" if number else "th"
            cells = "".join(f"<{tag}{style}>{html.escape(cell)}</{tag}>" for cell in row)
            rows.append(f"<tr>{cells}</tr>")
        return f"<table>{''.join(rows)}</table>"


def compared(*several: Facts) -> Comparison:
    """Put facts side by side, for a notebook or a terminal."""
    return Comparison(several)


class Taped(Protocol):
    """What has events and says which instruments they are of: a tape."""

    @property
    def events(self) -> np.ndarray[Any, Any]: ...
    @property
    def instruments(self) -> Instruments: ...


def facts(
    tape: np.ndarray[Any, Any] | Taped,
    *,
    symbol: str | int = 0,
    instruments: Instruments | None = None,
    begin: int | None = None,
    end: int | None = None,
    tick: int | None = None,
    name: str | None = None,
    insides: np.ndarray[Any, Any] | None = None,
) -> Facts:
    """The facts of one instrument of a tape, or of an array of events.

    `symbol` is its name or its row; an array knows no names without `instruments`. The span is
    `begin` to `end` in ns since the epoch; by default regular trading, where the events say when
    that was, else all. `insides`, records of INSIDE, are its best prices where those are known
    better than its orders tell.
    """
    if not isinstance(tape, np.ndarray):
        instruments = tape.instruments if instruments is None else instruments
        tape = tape.events
    row = symbol if isinstance(symbol, int) else _known(instruments).row(symbol)
    if tick is None:
        tick = instruments[row].tick if instruments is not None else 100
    opened, closed = regular_trading(tape)
    begin, end = opened if begin is None else begin, closed if end is None else end
    mine = tape[(tape["instrument"] == row) & _of_orders(tape)]
    if not len(mine):
        raise InputError(
            f"There are no orders or trades of instrument {symbol}",
            where="facts(symbol=...)",
            do="Ask for an instrument that the events are about.",
        )
    if end <= begin:
        raise InputError(
            f"The span from {begin} to {end} ns is empty",
            where="facts(begin=..., end=...)",
            do="Let it end after it begins.",
        )
    if name is None:
        name = symbol if isinstance(symbol, str) else f"instrument {row}"
        if instruments is not None:
            name = instruments[row].symbol
    seen = followed(mine, tick, begin, end)
    if insides is not None:
        seen = replace(seen, insides=insides)
    inside = mine[(mine["time"] >= begin) & (mine["time"] < end)]
    return _facts(name, inside, seen, begin, end)


def regular_trading(tape: np.ndarray[Any, Any]) -> tuple[int, int]:
    """When regular trading began and ended as the venue's events say, else all there is."""
    told = tape[tape["kind"] == events.SESSION]
    opened = told["time"][told["reference"] == events.code("Q")]
    closed = told["time"][told["reference"] == events.code("M")]
    begin = int(opened[0]) if len(opened) else int(tape["time"][0]) if len(tape) else 0
    end = int(closed[-1]) if len(closed) else int(tape["time"][-1]) + 1 if len(tape) else 0
    return begin, end


def _facts(name: str, mine: np.ndarray[Any, Any], seen: Followed, begin: int, end: int) -> Facts:
    kinds = np.bincount(mine["kind"], minlength=len(events.KINDS))
    came = kinds[events.ADD] + kinds[events.REPLACE]
    gone = kinds[events.DELETE] + kinds[events.REPLACE]
    traded = kinds[events.EXECUTE] + kinds[events.TRADE]
    times = mine["time"].astype(np.int64)
    gaps = np.diff(times)
    variation = float(gaps.std() / gaps.mean()) if len(gaps) and gaps.any() else _NAN
    spreads, lasting = measures.spreads(seen.insides, begin, end)
    variances = {ns: measures.variance(seen.insides, begin, end, ns) for ns in SIGNATURE_NS}
    usual = variances[10 * SECOND]
    seconds = (end - begin) / SECOND
    return Facts(
        name=name,
        seconds=seconds,
        events=len(mine),
        per_second=len(mine) / seconds,
        shares={events.KINDS[k]: kinds[k] / len(mine) for k in np.flatnonzero(kinds)},
        orders_per_trade=float(came / traded) if traded else _NAN,
        cancels_per_add=float(gone / came) if came else _NAN,
        gap_ns=measures.quantiles(gaps),
        gap_variation=variation,
        burstiness=(variation - 1) / (variation + 1),
        fano={ns: measures.fano(times, begin, end, ns) for ns in FANO_WINDOWS_NS},
        spread_ticks=float(np.average(spreads, weights=lasting)) if lasting.any() else _NAN,
        spread_quantiles=measures.weighted(spreads, lasting),
        lifetime_ns=measures.quantiles(seen.lives_ns),
        depth=tuple(map(float, seen.depth)),
        volatility_ticks=usual**0.5,
        signature={ns: v / usual if usual else _NAN for ns, v in variances.items()},
        sign_correlation=measures.sign_correlation(seen.trades, begin, end),
        unknown=seen.unknown,
        repaired=seen.repaired,
    )


def _of_orders(tape: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (tape["kind"] >= events.ADD) & (tape["kind"] <= events.TRADE)


def _known(instruments: Instruments | None) -> Instruments:
    if instruments is None:
        raise InputError(
            "A symbol means nothing without its table",
            where="facts(symbol=...)",
            do="Pass instruments=tape.instruments too, or the row of the instrument.",
        )
    return instruments


def _listed(values: dict[Any, float], label: Any, form: str) -> str:
    return ", ".join(f"{label(key)} {form.format(value)}" for key, value in values.items())


def _spans(values: dict[int, float]) -> str:
    known = {q: duration_text(round(ns)) if ns == ns else "unknown" for q, ns in values.items()}
    return ", ".join(f"{q}% {text}" for q, text in known.items())
