"""Tables of trades and quotes as a source: DataFrames, Parquet and CSV files.

    trades   time, price, size; side where known        a row is a TRADE
    quotes   time, bid, ask, bid_size, ask_size         a row is a QUOTE for the bid and one for
                                                        the ask; LAST stands on the second
    either   received, and a column of symbols

Files are read in batches, never whole. With both tables the tape follows time, trades before
quotes of the same moment; each table keeps its own order, so a time that goes back stays where it
is and is counted. A row with a missing or negative number, a wrong side or no time is UNREADABLE,
with the number of its row, from 0, as its price. A quote without one side (no price, no size) says
that nothing is there.

Worst case: two batches of each table in memory, and all rows of one moment. A value off the grid
of the units, a missing column and a file that changes its types midway are refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.instruments import Instruments
from hftlib.core.units import Exact, Unit
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.research.frame_columns import (
    NS_PER,
    WRONG_SIDE,
    counted,
    found,
    missing_column,
    sides_of,
    times_of,
)
from hftlib.research.frame_tables import Batches, Table

_TRADE_COLUMNS, _QUOTE_COLUMNS = ("price", "size"), ("bid", "ask", "bid_size", "ask_size")


class FrameSource:
    """Trades, quotes, or both, of one `symbol` or of those that a `column` names."""

    is_one_stream = False

    def __init__(
        self,
        trades: Table | None = None,
        quotes: Table | None = None,
        *,
        symbol: str | None = None,
        column: str | None = None,
        price_unit: Exact,
        lot_unit: Exact = 1,
        zone: str = "UTC",
        time_unit: str = "ns",
        columns: Mapping[str, str] | None = None,
        venue: str = "XXXX",
        currency: str = "USD",
        kind: str = "equity",
    ) -> None:
        given = [one for one in (trades, quotes) if one is not None]
        if not given or (symbol is None) == (column is None):
            what = "It takes trades, quotes or both, and either a symbol or the column of symbols"
            do = "Call FrameSource(trades, quotes, symbol='AAPL', price_unit='0.01')."
            raise InputError(what, where="FrameSource", do=do)
        if time_unit not in NS_PER:
            do = f"Say one of {', '.join(NS_PER)}."
            raise InputError(f"There is no time unit {time_unit!r}", where="FrameSource", do=do)
        self._columns, self._zone, self._time_unit = dict(columns or {}), zone, time_unit
        self._price, self._lot = Unit(price_unit, field="price_unit"), Unit(lot_unit)
        self._symbol, self._column = symbol, column
        self._described: dict[str, Any] = {
            "venue": venue,
            "currency": currency,
            "kind": kind,
            "price_unit": price_unit,
            "lot_unit": lot_unit,
        }
        self.instruments = Instruments()
        self._rows: dict[str, int] = {}
        if symbol is not None:
            self._row_of(symbol)
        self._tables = [Batches(one) for one in given]
        self._quotes = [
            self._is_quotes(table, asked=one is quotes)
            for table, one in zip(self._tables, given, strict=True)
        ]
        self.name = f"table, {' and '.join(table.where for table in self._tables)}"
        self.counts = dict.fromkeys(("trades", "quotes", "unreadable", "times going back"), 0)

    @property
    def share_done(self) -> float:
        return min(table.share_done for table in self._tables)

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        """The events of all tables, by time."""
        flows = [
            self._events(table, quotes)
            for table, quotes in zip(self._tables, self._quotes, strict=True)
        ]
        for made in _merged(flows):
            for begin in range(0, len(made), CHUNK_EVENTS_MAX):
                yield made[begin : begin + CHUNK_EVENTS_MAX]

    def _is_quotes(self, table: Batches, *, asked: bool) -> bool:
        """Whether it is one of quotes; a lone table may tell by its columns."""
        has_trades, has_quotes = (
            [found(table.names, one, self._columns) for one in wanted]
            for wanted in (_TRADE_COLUMNS, _QUOTE_COLUMNS)
        )
        quotes = asked or (None in has_trades and None not in has_quotes)
        wanted = _QUOTE_COLUMNS if quotes else _TRADE_COLUMNS
        for one, there in zip(wanted, has_quotes if quotes else has_trades, strict=True):
            if there is None:
                raise missing_column(one, table.names, table.where)
        if self._column is not None and self._column not in table.names:
            do = "Say which column holds the symbols."
            raise InputError(f"There is no column {self._column!r}", where=table.where, do=do)
        return quotes

    def _events(self, table: Batches, quotes: bool) -> Iterator[np.ndarray[Any, Any]]:
        last, number = -(2**63), 0
        for frame in table.frames():
            made = (self._of_quotes if quotes else self._of_trades)(frame, table, number)
            number += len(frame)
            times = made["time"]
            if len(times):
                back = int(np.count_nonzero(times[1:] < times[:-1])) + int(times[0] < last)
                self.counts["times going back"] += back
                last = int(times[-1])
                yield made

    def _of_trades(self, frame: pd.DataFrame, table: Batches, number: int) -> np.ndarray[Any, Any]:
        made, why = self._begun(frame, table)
        made["kind"], made["flags"] = events.TRADE, events.LAST
        made["price"], no_price = self._counts(frame, "price", self._price, table, number)
        made["quantity"], no_size = self._counts(frame, "size", self._lot, table, number)
        side = found(table.names, "side", self._columns)
        if side is not None:
            made["side"] = sides_of(frame[side])
        why = np.where(made["side"] == WRONG_SIDE, events.WRONG_SIDE, why)
        why = np.where(no_price | no_size, events.WRONG_PRICE, why)
        self.counts["trades"] += int(np.count_nonzero(why == 0))
        self._refuse(made, why, number)
        return made

    def _of_quotes(self, frame: pd.DataFrame, table: Batches, number: int) -> np.ndarray[Any, Any]:
        begun, why = self._begun(frame, table)
        halves = []
        for side, name in ((events.BUY, "bid"), (events.SELL, "ask")):
            half = begun.copy()
            half["kind"], half["side"] = events.QUOTE, side
            half["price"], no_price = self._counts(frame, name, self._price, table, number)
            size = f"{name}_size"
            half["quantity"], no_size = self._counts(frame, size, self._lot, table, number)
            size_column = frame[found(table.names, size, self._columns)]
            nothing = no_price & (size_column.isna().to_numpy() | (half["quantity"] == 0))
            nothing &= frame[found(table.names, name, self._columns)].isna().to_numpy()
            why = np.where((no_price | no_size) & ~nothing, events.WRONG_PRICE, why)
            half["quantity"][nothing] = 0
            halves.append(half)
        bad = why != 0
        halves[1]["flags"] = events.LAST
        self._refuse(halves[0], why, number)
        self.counts["quotes"] += int(np.count_nonzero(~bad))
        made = np.stack(halves, axis=1).reshape(-1)
        return made[np.stack([np.ones(len(bad), bool), ~bad], axis=1).reshape(-1)]

    def _begun(
        self, frame: pd.DataFrame, table: Batches
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Events with their times and instruments, and why some are unreadable already."""
        made = np.zeros(len(frame), EVENT)
        name = found(table.names, "time", self._columns)
        if name is None and not isinstance(frame.index, pd.DatetimeIndex):
            raise missing_column("time", table.names, table.where)
        times = frame.index if name is None else frame[name]
        made["time"], no_time = times_of(times, self._zone, self._time_unit, table.where)
        received = found(table.names, "received", self._columns)
        if received is not None and received != name:
            made["received"], _ = times_of(
                frame[received], self._zone, self._time_unit, table.where
            )
        if self._column is not None:
            if frame[self._column].isna().any():
                what = f"The column {self._column} lacks a symbol in some rows"
                raise InputError(what, where=table.where, do="Drop these rows, or fill them in.")
            codes, names = pd.factorize(frame[self._column].astype(str))
            made["instrument"] = np.array([self._row_of(one) for one in names], np.uint32)[codes]
        if no_time.any():  # they stay in their place: at the time of the row before
            seen = np.maximum.accumulate(np.where(no_time, 0, np.arange(len(made))))
            made["time"] = made["time"][seen]
        return made, np.where(no_time, events.NO_PARSE, 0)

    def _row_of(self, symbol: str) -> int:
        if symbol not in self._rows:
            self._rows[symbol] = self.instruments.add(symbol, **self._described)
        return self._rows[symbol]

    def _counts(
        self, frame: pd.DataFrame, wanted: str, unit: Unit, table: Batches, number: int
    ) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        name = found(table.names, wanted, self._columns)
        return counted(frame[name], unit, f"{table.where}, column {name}", number)

    def _refuse(self, made: np.ndarray[Any, Any], why: np.ndarray[Any, Any], number: int) -> None:
        bad = np.flatnonzero(why)
        self.counts["unreadable"] += len(bad)
        made["kind"][bad], made["side"][bad], made["reference"][bad] = (
            events.UNREADABLE,
            events.NO_SIDE,
            why[bad],
        )
        made["price"][bad], made["quantity"][bad] = bad + number, 0
        made["flags"][bad] = events.LAST


def _merged(flows: list[Iterator[np.ndarray[Any, Any]]]) -> Iterator[np.ndarray[Any, Any]]:
    """All flows as one, by time; each keeps its own order, the first wins ties."""
    if len(flows) == 1:
        yield from flows[0]
        return
    forever = 2**63  # later than any time there is
    held = [np.zeros(0, EVENT) for _ in flows]
    keys = [np.zeros(0, np.int64) for _ in flows]  # times that never go back, to merge by
    tops = [-(2**63) for _ in flows]
    while min(tops) < forever:
        behind = tops.index(min(tops))
        more = next(flows[behind], None)
        if more is None:
            tops[behind] = forever
        else:
            key = np.maximum.accumulate(np.maximum(more["time"], tops[behind]))
            held[behind] = np.concatenate([held[behind], more])
            keys[behind] = np.concatenate([keys[behind], key])
            tops[behind] = int(key[-1])
        # What is strictly older than all that may still come is in its final order.
        until = min(tops)
        cuts = [
            len(key) if until == forever else int(np.searchsorted(key, until, side="left"))
            for key in keys
        ]
        order = np.concatenate([key[:cut] for key, cut in zip(keys, cuts, strict=True)])
        both = np.concatenate([one[:cut] for one, cut in zip(held, cuts, strict=True)])
        yield both[np.argsort(order, kind="stable")]
        held = [one[cut:] for one, cut in zip(held, cuts, strict=True)]
        keys = [one[cut:] for one, cut in zip(keys, cuts, strict=True)]
