"""Questions to a store: what is meant, said in SQL that Parquet and ClickHouse answer alike.

    Question   columns of ticks or bars, of some symbols, between two times
    sql(...)   the question as SELECT; the two differ in how a moment is written

A question by symbol has also what concerns every instrument (`*`), of the tapes that have the
symbol, as `tape["AAPL"]` has it. A time is what `tape.between` takes: "2019-12-30 10:00", a day, or
ns; from `begin` on, up to but without `end`, by the clock of the venues.

Nothing asked here can write: a text that is anything but one SELECT is refused before it is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.events import KINDS
from hftlib.core.times import duration_ns
from hftlib.core.units import shown
from hftlib.research import clocks
from hftlib.research.catalog.entries import BARS, TICKS, Entry, Part
from hftlib.research.catalog.writing import EVERY_ONE


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a database writes a time of so many ns, and whether its texts know backslashes."""

    moment: Callable[[int], str]
    has_backslashes: bool

    def text(self, text: str) -> str:
        doubled = text.replace("\\", "\\\\") if self.has_backslashes else text
        return "'" + doubled.replace("'", "''") + "'"

    def listed(self, texts: Iterable[str]) -> str:
        return ", ".join(map(self.text, texts)) or "''"


TICK_COLUMNS = (
    *("time", "received", "sequence", "symbol", "kind", "side", "price", "quantity"),
    *("reference", "other", "flags", "price_units", "lots", "instrument"),
)
MORE_COLUMNS = ("position", "venue", "day", "file")
BAR_COLUMNS = (
    *("open", "high", "low", "close", "volume", "vwap", "trades"),
    *("bid", "bid_size", "ask", "ask_size", "mid", "spread", "imbalance", "stale"),
)
TEXT_CHARACTERS_MAX = 1 << 20
_READS = ("select", "with", "from", "describe", "desc", "show", "summarize", "explain", "values")
_UNITS = (
    *(("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000)),
    *(("ms", 1_000_000), ("us", 1_000), ("ns", 1)),
)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of ticks or bars; `entries` are the things that may have it."""

    what: str
    columns: tuple[str, ...]
    symbols: tuple[str, ...] | None
    venue: str | None
    begin: int | None
    end: int | None
    entries: tuple[Entry, ...]
    kinds: tuple[str, ...] | None = None
    width: str = ""

    def sql(self, say: Dialect, limit: int) -> str:
        """As SELECT, in no order."""
        wheres = [f"file IN ({say.listed(one.file for one in self.entries)})"]
        if self.symbols is not None:
            wheres.append(f"symbol IN ({say.listed(self.with_every_one)})")
        if self.venue is not None:
            wheres.append(f"venue IN ({say.listed((self.venue, ''))})")
        if self.kinds is not None:
            wheres.append(f"kind IN ({say.listed(self.kinds)})")
        if self.width:
            wheres.append(f"width = {say.text(self.width)}")
        if self.begin is not None:
            wheres.append(f"time >= {say.moment(self.begin)}")
        if self.end is not None:
            wheres.append(f"time < {say.moment(self.end)}")
        columns = ", ".join(self.columns)
        return f"SELECT {columns} FROM {self.what} WHERE {' AND '.join(wheres)} LIMIT {limit}"

    @property
    def with_every_one(self) -> tuple[str, ...]:
        """The symbols, and what stands for all of them."""
        asked = self.symbols or ()
        return (*asked, EVERY_ONE) if self.what == TICKS else asked

    def may_be_in(self, part: Part) -> bool:
        """Whether a part can have something of it, by what stands in the JSON."""
        if self.begin is not None and part.high < self.begin:
            return False
        if self.end is not None and part.low >= self.end:
            return False
        if self.symbols is None:
            return True
        return part.has(self.symbols, self.venue) or part.has((EVERY_ONE,), None)


def asked(
    what: str,
    entries: Sequence[Entry],
    symbols: Any,
    venue: str | None,
    begin: Any,
    end: Any,
    width: str = "",
) -> Question:
    """The question, once its symbols, venue and times were understood."""
    there = [one for one in entries if one.what == what and one.width == width]
    wanted = _symbols(symbols)
    if wanted is not None:
        for symbol in wanted:
            _require(symbol, venue, what, width, there, entries)
        there = [one for one in there if any(s in wanted for s, _ in one.names)]
    elif what == BARS and not there:
        raise _no_bars("any symbol", width, entries)
    zones = {one.zone for one in there}
    zone = zones.pop() if len(zones) == 1 else "UTC"
    lowest = min((one.begin for one in there), default=0)
    highest = max((one.end for one in there), default=0)

    def ns(value: Any, field: str) -> int | None:
        return None if value is None else clocks.moment(value, zone, lowest, highest, field)

    made = Question(what, (), wanted, venue, ns(begin, "begin"), ns(end, "end"), tuple(there))
    return replace(made, width=width)


def tick_columns(columns: Any) -> tuple[str, ...]:
    """Which columns are wanted; all that `tape.frame()` has where nothing is said."""
    return _chosen(columns, TICK_COLUMNS, (*TICK_COLUMNS, *MORE_COLUMNS), "column", "columns=")


def kinds_of(kinds: Any) -> tuple[str, ...] | None:
    """Which kinds of events are wanted; None for all."""
    if kinds is None:
        return None
    return _chosen(kinds, (), KINDS[1:], "kind of event", "kinds=")


def width_of(width: Any) -> str:
    """The one name of a width: 60s is 1m. Days are the venue's, so 1d is not 24h."""
    if isinstance(width, str) and width in ("1d", "1D"):
        return "1d"
    ns = duration_ns(width, field="width")
    if ns <= 0:
        do = "Give a width such as '1s', '5m' or '1d'."
        raise InputError(f"A bar cannot be {shown(width)} wide", where="store.bars()", do=do)
    unit, size = next((u, s) for u, s in _UNITS if ns % s == 0)
    return f"{ns // size}{unit}"


def require_one_select(text: Any) -> str:
    """The text, if it is one that reads; the databases look closer."""
    do = "Ask with SELECT over the tables ticks, bars, frames and files."
    if not isinstance(text, str) or not text.strip() or len(text) > TEXT_CHARACTERS_MAX:
        raise InputError(f"{shown(text)} is no question", where="store.query(sql)", do=do)
    bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL).strip().lstrip("(").lstrip()
    word = re.match(r"[A-Za-z]*", bare)
    first = word[0].lower() if word else ""
    if first not in _READS:
        raise refused(first.upper() or shown(text))
    if ";" in re.sub(r"'(?:[^'\\]|\\.|'')*'|\"[^\"]*\"", "", bare.rstrip().rstrip(";")):
        do = "Ask one at a time."
        raise InputError("Several questions were asked at once", where="store.query(sql)", do=do)
    return text.strip().rstrip(";").rstrip()


def refused(what: str) -> InputError:
    """The sentence for a text that would write."""
    return InputError(
        f"A store is only read by SQL, and {what} is not reading",
        where="store.query(sql)",
        do="Ask with SELECT; store.add(), store.keep() and store.drop() change what is in it.",
    )


def wrong_sql(error: Exception) -> InputError:
    """What a database says of a text it does not understand."""
    told = " ".join(str(error).split())[:600]
    return InputError(
        f"The question was not understood: {told}",
        where="store.query(sql)",
        do="The tables are ticks, bars, frames and files; `DESCRIBE ticks` names the columns.",
    )


def _symbols(symbols: Any) -> tuple[str, ...] | None:
    if symbols is None:
        return None
    several = (symbols,) if isinstance(symbols, str) else symbols
    good = isinstance(several, Iterable) and not isinstance(several, bytes | dict)
    made = tuple(several) if good else ()
    if not made or not all(isinstance(one, str) and one for one in made):
        raise InputError(
            f"{shown(symbols)} names no symbol",
            where="the symbols asked for",
            do="Give 'AAPL', ['AAPL', 'MSFT'], or None for all.",
        )
    return tuple(dict.fromkeys(made))


def _require(
    symbol: str,
    venue: str | None,
    what: str,
    width: str,
    there: Sequence[Entry],
    entries: Sequence[Entry],
) -> None:
    """That there is such a symbol, at one venue."""
    venues = {v for one in there for s, v in one.names if s == symbol}
    if venues and (venue in venues or (venue is None and len(venues) == 1)):
        return
    if not venues and what == BARS and any(symbol in dict(one.names) for one in entries):
        raise _no_bars(symbol, width, entries)
    if not venues:
        known = sorted({s for one in there for s, _ in one.names} - {EVERY_ONE})
        near = get_close_matches(symbol, known, n=3) or known[:8]
        raise InputError(
            f"There is no {shown(symbol)} in the store",
            where="the symbol asked for",
            do=f"Ask for one that is there, such as {', '.join(near)}."
            if near
            else "Add a tape that has it: store.add('day.tape').",
        )
    where = " and ".join(sorted(venues))
    what_is = f"{symbol} is of {where}" + (f", not of {shown(venue)}" if venue is not None else "")
    raise InputError(what_is, where="the venue asked for", do="Name one of them: venue='XNAS'.")


def _no_bars(symbol: str, width: str, entries: Sequence[Entry]) -> InputError:
    widths = sorted({one.width for one in entries if one.what == BARS})
    some = f"; there are of {', '.join(widths)}" if widths else ""
    return InputError(
        f"There are no bars of {width} of {symbol} in the store{some}",
        where="store.bars()",
        do=f"Add them: store.add(tape, bars='{width}').",
    )


def _chosen(
    given: Any, otherwise: tuple[str, ...], known: Sequence[str], what: str, where: str
) -> tuple[str, ...]:
    if given is None:
        return otherwise
    several = (given,) if isinstance(given, str) else given
    made = tuple(several) if isinstance(several, Iterable) else ()
    if not made:
        do = f"Name some of {', '.join(known)}."
        raise InputError(f"{shown(given)} names no {what}", where=where, do=do)
    for one in made:
        if one not in known:
            near = get_close_matches(str(one), known, n=1)
            do = f"Did you mean {near[0]}?" if near else f"Use some of {', '.join(known)}."
            raise InputError(f"There is no {what} {shown(one)}", where=where, do=do)
    return tuple(dict.fromkeys(made))
