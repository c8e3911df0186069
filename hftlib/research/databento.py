"""Databento's order-by-order files (DBN, schema mbo) as a source, read by the vendor's own decoder.

    A add      ADD                       C cancel   CANCEL, or DELETE when nothing is left
    M modify   what it means: OrdersKept  R clear    CLEAR
    T trade    TRADE, side: who came      F fill     NOTICE, and remembered

A fill changes no book there: the cancel or modification that follows in the same message does. So
what it takes off becomes EXECUTE as far as a fill was told of before, and CANCEL beyond that. These
EXECUTEs are NOT_PRINTABLE, for the TRADE has printed the volume. A record that the vendor marks as
behind a loss (F_MAYBE_BAD_BOOK) opens a GAP for its instrument, which its next CLEAR ends.

Prices are counts of 0.000000001 there, and here of `price_unit`; one that is no whole number of it
refuses the file. Worst case: some 3 µs a record and 150 bytes a live order. A record that
cannot be used is UNREADABLE; a damaged or cut file is refused where it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.instruments import INSTRUMENT, Instruments
from hftlib.core.units import INT64_MAX, Exact, Unit
from hftlib.feed.orders_kept import OrdersKept
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.research.databento_stream import records_of

PRICE_UNIT = "0.000000001"
F_LAST, F_SNAPSHOT, F_MAYBE_BAD_BOOK = 128, 32, 4
NO_PRICE = INT64_MAX
_ACTIONS = {
    "A": "adds",
    "C": "cancels",
    "M": "modifications",
    "R": "clears",
    "T": "trades",
    "F": "fills",
}
_SIDES = {"B": events.BUY, "A": events.SELL}
Row = tuple[int, int, int, int, int, int, int, int, int, int, int]


class _Book:
    """What is remembered of one instrument between its records."""

    def __init__(self, row: int) -> None:
        self.row, self.orders, self.stale = row, OrdersKept(), False
        self.filled: dict[int, int] = {}


class DatabentoSource:
    """All instruments of one DBN file of schema mbo, packed with zstd or plain."""

    is_one_stream = False

    def __init__(
        self,
        path: str | Path,
        *,
        price_unit: Exact = PRICE_UNIT,
        currency: str = "USD",
        kind: str = "future",
    ) -> None:
        self.path = Path(path)
        ratio = Unit(price_unit, field="price_unit").size / Unit(PRICE_UNIT).size
        if ratio.denominator != 1:
            what = f"{price_unit} is no multiple of the {PRICE_UNIT} that these files count"
            raise InputError(what, where="price_unit", do="Give the tick of the instrument.")
        self._step, self._price_unit = int(ratio), price_unit
        self._described = {"currency": currency, "kind": kind}
        self._records = records_of(self.path)
        self.name = f"Databento {self._records.dataset}, {self.path.name}"
        self.instruments = Instruments()
        self._books: dict[tuple[int, int], _Book] = {}
        names = (*_ACTIONS.values(), "other records", "fills without effect", "gaps", "unreadable")
        self.counts = dict.fromkeys(names, 0)

    @property
    def share_done(self) -> float:
        return self._records.share_done

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        """Events by the record, gathered into arrays."""
        rows: list[Row] = []
        for batch in self._records.batches():
            for record in batch:
                self._take(record, rows)
                if len(rows) >= CHUNK_EVENTS_MAX - 4:
                    yield np.array(rows, EVENT)
                    rows.clear()
        if rows:
            yield np.array(rows, EVENT)

    def _take(self, record: Any, rows: list[Row]) -> None:
        book = self._book(int(record.publisher_id), int(record.instrument_id))
        action = str(getattr(record, "action", ""))
        name = _ACTIONS.get(action) if self._records.is_mbo(record) else None
        flags = int(record.flags) if name else F_LAST
        shown = (events.LAST if flags & F_LAST else 0) | (
            events.SNAPSHOT if flags & F_SNAPSHOT else 0
        )
        if flags & F_MAYBE_BAD_BOOK and not book.stale:
            book.stale = True
            self.counts["gaps"] += 1
            rows.append(self._row(book, record, events.GAP))
        if name is None:
            self.counts["other records"] += 1
            kind = events.code(str(type(record).__name__)[:8])
            rows.append(self._row(book, record, events.NOTICE, kind, flags=shown))
            return
        begin, why = len(rows), self._why_not(record, action)
        if why:
            self.counts["unreadable"] += 1
            kind = events.code(action)
            rows.append(self._row(book, record, events.UNREADABLE, why, kind, flags=shown))
        else:
            self.counts[name] += 1
            self._translate(book, record, action, rows)
            rows[begin:] = [(*row[:10], row[10] | shown & ~events.LAST) for row in rows[begin:]]
            rows[-1] = (*rows[-1][:10], rows[-1][10] | shown)
        if flags & F_LAST and book.filled:
            self.counts["fills without effect"] += len(book.filled)
            book.filled.clear()

    def _why_not(self, record: Any, action: str) -> int:
        """Why a record cannot be used; 0: it can."""
        if action == "R":
            return 0
        if record.price == NO_PRICE or (action in "AM" and str(record.side) not in _SIDES):
            return events.WRONG_PRICE if record.price == NO_PRICE else events.WRONG_SIDE
        if record.price % self._step:
            what = f"A price of {record.price} times {PRICE_UNIT} is no multiple of the price_unit"
            do = f"Leave price_unit out, or give the tick of {self.instruments.symbols[-1]}."
            raise InputError(what, where=str(self.path), do=do)
        return events.NO_PARSE if record.order_id > INT64_MAX else 0

    def _translate(self, book: _Book, record: Any, action: str, rows: list[Row]) -> None:
        price, size, order = record.price // self._step, int(record.size), int(record.order_id)
        side = _SIDES.get(str(record.side), events.NO_SIDE)
        orders = book.orders
        if action == "R":
            orders.clear()
            book.filled.clear()
            rows.append(self._row(book, record, events.CLEAR))
            if book.stale:
                book.stale = False
                rows.append(self._row(book, record, events.RECOVERED))
        elif action == "T":
            rows.append(self._row(book, record, events.TRADE, 0, 0, price, size, side))
        elif action == "F":
            book.filled[order] = book.filled.get(order, 0) + size
            rows.append(self._row(book, record, events.NOTICE, events.code("fill")))
        elif action == "A":
            change = orders.add(order, price, size)
            rows.append(self._row(book, record, *change[:3], price, size, side))
        else:
            is_cancel = action == "C"
            change = (
                orders.take(order, size, events.CANCEL)
                if is_cancel
                else orders.modify(order, price, size)
            )
            self._change(book, record, change, price, side, rows)

    def _change(
        self,
        book: _Book,
        record: Any,
        change: tuple[int, int, int, int],
        price: int,
        side: int,
        rows: list[Row],
    ) -> None:
        """A reduction is an execution as far as fills were told of; the rest is as it is."""
        kind, order, other, size = change
        if kind in (events.CANCEL, events.DELETE) and order in book.filled:
            executed = min(size, book.filled.pop(order))
            row = self._row(book, record, events.EXECUTE, order, 0, price, executed, side)
            rows.append((*row[:10], events.NOT_PRINTABLE))
            size -= executed
            if size == 0:
                return
        rows.append(self._row(book, record, kind, order, other, price, size, side))

    def _row(
        self,
        book: _Book,
        record: Any,
        kind: int,
        reference: int = 0,
        other: int = 0,
        price: int = 0,
        quantity: int = 0,
        side: int = 0,
        *,
        flags: int = 0,
    ) -> Row:
        time, number = int(record.ts_event), int(getattr(record, "sequence", 0))
        received = int(getattr(record, "ts_recv", 0))
        times = (time if time <= INT64_MAX else 0, received if received <= INT64_MAX else 0)
        return (*times, number, reference, other, price, quantity, book.row, kind, side, flags)

    def _book(self, publisher: int, number: int) -> _Book:
        book = self._books.get((publisher, number))
        if book is None:
            book = self._books[publisher, number] = _Book(self._added(publisher, number))
        return book

    def _added(self, publisher: int, number: int) -> int:
        """A row for an instrument that was not met before; its symbol from the file's header."""
        dataset, symbol = self._records.dataset, self._records.symbols.get(number, str(number))
        if len(symbol.encode()) > INSTRUMENT["symbol"].itemsize:
            symbol = str(number)
        taken = {(one.symbol, one.venue) for one in self.instruments}
        if (symbol, dataset) in taken:
            symbol = f"{number}.{publisher}"
        described: dict[str, Any] = self._described
        return self.instruments.add(
            symbol, venue=dataset, price_unit=self._price_unit, source=number, **described
        )
