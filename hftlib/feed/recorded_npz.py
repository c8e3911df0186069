"""Files of hftbacktest 2: an .npz (or .npy) with one array of its 64-byte events, as a source.

    0   ev        uint64   kind in the low bits; who it is valid for and its side in bits 28 to 31
    8   exch_ts   int64    ns: when the venue says it happened
    16  local_ts  int64    ns: when it was received
    24  px, qty   float64  as decimals; here exactly whole units again, or refused
    40  order_id  uint64   of order-by-order data
    48  ival, fval         unused here

Such a file holds two orders at once: rows marked EXCH in the venue's order, rows marked LOCAL in
the order of arrival. Most rows are in both; a row whose places differ stands twice, marked once
each. The tape is the LOCAL order; the others are counted. DEPTH_CLEAR clears one side up to a price
(`price` of its CLEAR; 0: all of it). What the file's author numbered himself (100 and more) is a
NOTICE. LAST ends each run of rows of equal times and kind, for messages are not marked.

Memory: one block of 65,536 rows, packed or not. Worst case: a price off the grid refuses the file,
since then the tick or lot size is wrong; NaN, infinite or negative numbers are UNREADABLE.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.records import record
from hftlib.core.units import INT64_MAX, Exact, Unit
from hftlib.feed.files import one_instrument
from hftlib.feed.npy_blocks import NpyBlocks
from hftlib.feed.orders_kept import OrdersKept
from hftlib.feed.source import CHUNK_EVENTS_MAX

HFTBACKTEST_EVENT = record(
    "hftbacktest event",
    64,
    """
    0   ev        uint64   kind, marks and side
    8   exch_ts   int64    ns since the epoch
    16  local_ts  int64    likewise
    24  px        float64  price
    32  qty       float64  quantity
    40  order_id  uint64   of order-by-order data
    48  ival      int64    reserved
    56  fval      float64  reserved
    """,
)
EXCH, LOCAL, BUYS, SELLS = (1 << bit for bit in (31, 30, 29, 28))
KIND_MASK = (1 << 28) - 1
DEPTH, TRADE, DEPTH_CLEAR, DEPTH_SNAPSHOT, DEPTH_BBO = range(1, 6)
ADD_ORDER, CANCEL_ORDER, MODIFY_ORDER, FILL = range(10, 14)
_KINDS = np.full(14, events.NOTICE, np.uint8)
_KINDS[[DEPTH, DEPTH_SNAPSHOT, TRADE]] = events.LEVEL, events.LEVEL, events.TRADE
_KINDS[[DEPTH_CLEAR, DEPTH_BBO]] = events.CLEAR, events.QUOTE
_KINDS[[ADD_ORDER, CANCEL_ORDER]] = events.ADD, events.DELETE
_KINDS[[MODIFY_ORDER, FILL]] = events.REPLACE, events.EXECUTE
_SIDED = (DEPTH, DEPTH_SNAPSHOT, DEPTH_BBO, ADD_ORDER)


class HftBacktestSource:
    """One instrument of an hftbacktest file, read in blocks of rows."""

    is_one_stream = False

    def __init__(
        self,
        path: str | Path,
        *,
        symbol: str,
        tick_size: Exact,
        lot_size: Exact,
        venue: str = "XXXX",
        currency: str = "USDT",
        kind: str = "future",
    ) -> None:
        self._array = NpyBlocks(path, HFTBACKTEST_EVENT, CHUNK_EVENTS_MAX - 1)
        self.name = f"hftbacktest, {Path(path).name}"
        self.instruments, self._row = one_instrument(
            symbol,
            venue=venue,
            currency=currency,
            price_unit=tick_size,
            lot_unit=lot_size,
            kind=kind,
        )
        self._price = Unit(tick_size, field="tick_size")
        self._lot = Unit(lot_size, field="lot_size")
        self._orders = OrdersKept()
        self.counts = {"rows": 0, "rows of the venue's order only": 0, "unreadable": 0}

    @property
    def share_done(self) -> float:
        return self._array.share_done

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        """The LOCAL rows as events. The last of each block waits for the next: is it LAST?"""
        held = np.zeros(0, EVENT)
        for block in self._array.blocks():
            held = np.concatenate([held, self._events(block)])
            if len(held) > 1:
                run = (held["time"], held["received"], held["kind"])
                ends = np.any([column[1:] != column[:-1] for column in run], axis=0)
                held["flags"][:-1] |= np.where(ends, events.LAST, 0).astype(np.uint16)
                yield held[:-1]
            held = held[-1:].copy()
        if not len(held):
            do = "Make it with one of hftbacktest's converters, which mark every row."
            raise self._array.wrong("No row of this file is marked as received (LOCAL_EVENT)", do)
        held["flags"] |= events.LAST
        yield held

    def _events(self, block: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        marks = block["ev"]
        only_there = (marks & LOCAL == 0) & (marks & EXCH != 0)
        places = np.flatnonzero(~only_there)
        numbers, rows = places + self.counts["rows"], block[places]
        self.counts["rows"] += len(block)
        self.counts["rows of the venue's order only"] += len(block) - len(rows)
        kind = (rows["ev"] & KIND_MASK).astype(np.int64)
        made = np.zeros(len(rows), EVENT)
        made["time"], made["received"] = rows["exch_ts"], rows["local_ts"]
        made["instrument"] = self._row
        made["kind"] = np.where(kind < 14, _KINDS[np.minimum(kind, 13)], events.NOTICE)
        made["flags"][kind == DEPTH_SNAPSHOT] = events.SNAPSHOT
        made["reference"] = kind
        why = _why_not(rows, kind)
        clean = (why == 0) & (made["kind"] != events.NOTICE)
        told = made[clean]
        told["side"] = _sides(rows["ev"][clean])
        told["price"] = self._counted(self._price, rows["px"][clean], numbers[clean], "px")
        told["quantity"] = self._counted(self._lot, rows["qty"][clean], numbers[clean], "qty")
        by_order = (kind[clean] >= ADD_ORDER) & (kind[clean] <= FILL)
        orders = rows["order_id"][clean].astype(np.int64)
        told["reference"] = np.where(by_order, orders, 0)
        self._follow(told, np.flatnonzero(by_order))
        made[clean] = told
        self._refuse(made, np.flatnonzero(why), why, numbers)
        return made

    def _follow(self, made: np.ndarray[Any, Any], places: np.ndarray[Any, Any]) -> None:
        """Give modifications their meaning; the sizes of orders are followed for that alone."""
        for place in places:
            event = made[place]
            order, quantity = int(event["reference"]), int(event["quantity"])
            if event["kind"] == events.ADD:
                self._orders.add(order, int(event["price"]), quantity)
            elif event["kind"] == events.DELETE:
                self._orders.delete(order)
            elif event["kind"] == events.EXECUTE:
                self._orders.take(order, quantity, events.EXECUTE)
            else:
                change = self._orders.modify(order, int(event["price"]), quantity)
                event["kind"], event["reference"], event["other"], event["quantity"] = change

    def _refuse(
        self,
        made: np.ndarray[Any, Any],
        places: np.ndarray[Any, Any],
        why: np.ndarray[Any, Any],
        numbers: np.ndarray[Any, Any],
    ) -> None:
        size = HFTBACKTEST_EVENT.itemsize
        made["kind"][places], made["flags"][places] = events.UNREADABLE, 0
        made["other"][places] = made["reference"][places]
        made["reference"][places] = why[places]
        made["price"][places], made["quantity"][places] = numbers[places] * size, size
        self.counts["unreadable"] += len(places)

    def _counted(
        self, unit: Unit, values: np.ndarray[Any, Any], numbers: np.ndarray[Any, Any], field: str
    ) -> np.ndarray[Any, Any]:
        try:
            return unit.counts(values, field=field)
        except InputError as error:
            place = int(error.where.rpartition("[")[2].rstrip("]"))
            where = f"{self._array.path}, row {int(numbers[place]):,}, {field}"
            do = "Give the tick_size and the lot_size of the instrument."
            raise InputError(error.what, where=where, do=do) from None


def _why_not(rows: np.ndarray[Any, Any], kind: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Why each row is unreadable; 0: it is not."""
    buys, sells = rows["ev"] & BUYS != 0, rows["ev"] & SELLS != 0
    with np.errstate(invalid="ignore"):
        no_number = ~((rows["px"] >= 0) & (rows["px"] < np.inf))
        no_number |= ~((rows["qty"] >= 0) & (rows["qty"] < np.inf))
    wrong_side = (buys & sells) | (np.isin(kind, _SIDED) & ~(buys | sells))
    why = np.where(no_number, events.WRONG_PRICE, 0)
    why = np.where(wrong_side, events.WRONG_SIDE, why)
    why = np.where(
        (kind == 0) | ((kind > DEPTH_BBO) & (kind < ADD_ORDER)), events.UNKNOWN_TYPE, why
    )
    why = np.where(rows["order_id"] > np.uint64(INT64_MAX), events.NO_PARSE, why)
    why = np.where(rows["ev"] & (LOCAL | EXCH) == 0, events.NO_PARSE, why)
    return np.where(kind > FILL, 0, why)


def _sides(marks: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    sides = np.where(marks & BUYS != 0, events.BUY, events.NO_SIDE)
    return np.where(marks & SELLS != 0, events.SELL, sides)
