"""Recorded depth streams of a Binance-like venue, as a source: one JSON message in each line.

    1723161254206652067 {"lastUpdateId":50093239218,"bids":[["61837.63","3.78"], ...   the snapshot
    1723161253937085768 {"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate", ...  a difference
    when it was received, ns; then the message as the venue sent it, with or without its wrapping

Differences go through `hftlib.feed.depth`, which knows when a book is whole; the sequence rule is
FUTURES where they name a previous update (`pu`) and SPOT where they do not. Trades name the side
that came; best quotes (bookTicker) belong to another stream with its own order, so they show as
NOTICE and change no book. Prices and quantities are decimal text and become whole units exactly. A
value that is no whole unit refuses the file, because then the units given are wrong: the spot venue
trades in steps of 0.00001 BTC, but its books hold remainders in units of 0.00000001.

A snapshot of the spot venue has no time of its own: it gets that of the last message before it.
Worst case: some 40 µs and 1 KB a kilobyte of JSON; a line that does not read is UNREADABLE.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.core.units import INT64_MAX, INT64_MIN, Exact
from hftlib.feed.decimals import OffGridError, counter
from hftlib.feed.depth import (
    Change,
    DepthState,
    Diff,
    Row,
    Rule,
    Snapshot,
    take_diff,
    take_snapshot,
)
from hftlib.feed.files import one_instrument
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.feed.text_lines import TextLines

NS_PER_MS = 1_000_000
_OTHERS_MAX, _NAME_CHARACTERS_MAX = 5, 32
RULES = {"spot": Rule.SPOT, "futures": Rule.FUTURES}


class DepthSource:
    """One symbol of a recorded stream. `rule` is "spot" or "futures"; unsaid, the diffs say it."""

    is_one_stream = False
    _named: tuple[str, ...] = ("diffs", "trades", "best quotes")  # counts of what names its symbol

    def __init__(
        self,
        path: str | Path,
        *,
        symbol: str,
        price_unit: Exact,
        lot_unit: Exact,
        venue: str = "BINANCE",
        currency: str = "USDT",
        kind: str = "spot",
        tick: int = 1,
        round_lot: int = 1,
        rule: str | None = None,
    ) -> None:
        self._lines = TextLines(path)
        if rule is not None and rule not in RULES:
            raise self._lines.wrong(f"There is no rule {rule!r}", "Say 'spot' or 'futures'.")
        self.name = f"depth stream, {Path(path).name}"
        self.instruments, row = one_instrument(
            symbol,
            venue=venue,
            currency=currency,
            price_unit=price_unit,
            lot_unit=lot_unit,
            kind=kind,
            tick=tick,
            round_lot=round_lot,
        )
        self._symbol = symbol.upper()
        self._price = counter(price_unit, "price_unit")
        self._quantity = counter(lot_unit, "lot_unit")
        self._rule_known = rule is not None
        self.state = DepthState(RULES[rule or "spot"], row)
        self._time = 0
        self._met = {"trades": 0, "best quotes": 0, "other messages": 0, "other symbols": 0}
        self._met["unreadable"] = 0
        self._others: set[str] = set()  # some of the other symbols, to name them

    @property
    def counts(self) -> dict[str, int]:
        return self._met | self.state.counts

    @property
    def share_done(self) -> float:
        return self._lines.share_done

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        """Events by the line, gathered into arrays."""
        rows: list[Row] = []
        number = 0
        for number, (offset, line) in enumerate(self._lines, 1):
            try:
                self._take(line, rows)
            except OffGridError as error:
                what = f"{error} in line {number:,} is no whole number of the units given"
                do = f"Give a price_unit and a lot_unit that are fine enough: {error.fitting} here."
                raise self._lines.wrong(what, do) from None
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
                self._met["unreadable"] += 1
                rows.append(self._row(events.UNREADABLE, events.NO_PARSE, offset, len(line)))
            while len(rows) >= CHUNK_EVENTS_MAX:
                yield np.array(rows[:CHUNK_EVENTS_MAX], EVENT)
                del rows[:CHUNK_EVENTS_MAX]
        if self._met["unreadable"] == number:
            do = "Give a recording with a receive time in ns and a JSON message in each line."
            raise self._lines.wrong("No line of this file is a message of a depth stream", do)
        if self._others and not any(self.counts[name] for name in self._named):
            do = f"Name one that is in it, such as {', '.join(sorted(self._others))}."
            raise self._lines.wrong(f"No message of this file is about {self._symbol}", do)
        if rows:
            yield np.array(rows, EVENT)

    def _take(self, line: bytes, rows: list[Row]) -> None:
        stamp, _, text = line.partition(b" ")
        received = _int64(int(stamp))
        message = json.loads(text, parse_float=str)
        data = message.get("data", message)
        if "lastUpdateId" in data:
            take_snapshot(self.state, self._snapshot(data, received), rows)
            return
        if self._is_of_another(data.get("s", self._symbol), received, rows):
            return
        kind = data.get("e", "bookTicker" if "B" in data and "A" in data else "")
        if kind == "depthUpdate":
            diff = self._diff(data, received)
            self._time = diff.time
            take_diff(self.state, diff, rows)
        elif kind in ("trade", "aggTrade"):
            rows.append(self._trade(data, received))
            self._met["trades"] += 1
        elif kind == "bookTicker":
            self._notice("best quotes", "quote", received, rows, data)
        else:
            self._notice("other messages", "other", received, rows)

    def _is_of_another(self, symbol: object, received: int, rows: list[Row]) -> bool:
        """Whether this message is about another symbol; then it is a NOTICE."""
        name = str(symbol).upper()
        if name == self._symbol:
            return False
        if len(self._others) < _OTHERS_MAX:
            self._others.add(name[:_NAME_CHARACTERS_MAX])
        self._notice("other symbols", "symbol", received, rows)
        return True

    def _snapshot(self, data: dict[str, Any], received: int) -> Snapshot:
        levels = self._changes(data["bids"], events.BUY) + self._changes(data["asks"], events.SELL)
        time = _time(data) if "E" in data else self._time or received
        return Snapshot(_int64(data["lastUpdateId"]), time, received, levels)

    def _diff(self, data: dict[str, Any], received: int) -> Diff:
        changes = self._changes(data["b"], events.BUY) + self._changes(data["a"], events.SELL)
        first, last, previous = (
            _int64(data[name]) for name in ("U", "u", "pu" if "pu" in data else "U")
        )
        if first > last:
            raise ValueError("an update that ends before it begins")
        if not self._rule_known:
            self._rule_known = True
            self.state.rule = Rule.FUTURES if "pu" in data else Rule.SPOT
        return Diff(first, last, previous, _time(data), received, changes)

    def _changes(self, pairs: list[Any], side: int) -> list[Change]:
        price, quantity = self._price, self._quantity
        return [(side, price(pair[0]), quantity(pair[1])) for pair in pairs]

    def _trade(self, data: dict[str, Any], received: int) -> Row:
        maker_is_buyer = data["m"]
        if type(maker_is_buyer) is not bool:
            raise ValueError("a trade without its sides")
        self._time = _time(data)
        row = self._row(
            events.TRADE,
            0,
            self._price(data["p"]),
            self._quantity(data["q"]),
            received=received,
            other=_int64(data["t"] if "t" in data else data["a"]),
        )
        return (*row[:9], events.SELL if maker_is_buyer else events.BUY, row[10])

    def _notice(
        self,
        count: str,
        letters: str,
        received: int,
        rows: list[Row],
        data: dict[str, Any] | None = None,
    ) -> None:
        if data is not None and ("T" in data or "E" in data):
            self._time = _time(data)
        self._met[count] += 1
        rows.append(self._row(events.NOTICE, events.code(letters), received=received))

    def _row(
        self,
        kind: int,
        reference: int,
        price: int = 0,
        quantity: int = 0,
        *,
        received: int = 0,
        other: int = 0,
    ) -> Row:
        time, row = self._time or received, self.state.instrument
        return (time, received, 0, reference, other, price, quantity, row, kind, 0, events.LAST)


def _time(data: dict[str, Any]) -> int:
    """When the venue did it (T), or else when it said so (E): milliseconds there."""
    return _int64(_int64(data["T"] if "T" in data else data["E"]) * NS_PER_MS)


def _int64(value: object) -> int:
    if type(value) is not int or not INT64_MIN <= value <= INT64_MAX:
        raise ValueError("not a whole number within int64")
    return value
