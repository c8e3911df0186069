"""A book replayed: `hft.book_replay(tape, "AAA")`, a ladder with a slider of time, and play.

    hft.book_replay(tape, "AAA", at="09:35")
    hft.book_replay(result.tape, "AAA", result=result)     our orders and fills in it

The browser says which moment it wants, the kernel answers with the book then (`book_times.py`).
Where a result is given, our quantity stands beside the levels its orders were at, by the venue's
times, and its fills are marked on the line of the middle. A result does not keep where an order
that was replaced stood before: of those what is known is shown, the part that filled, from its
place in the queue on. A page without a kernel shows the book that was looked at last.

Worst case: moments asked for while one is made are answered in their order, some milliseconds each;
the browser asks for one at a time.
"""

from __future__ import annotations

import datetime
import html
import secrets
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.events import BUY, SIDES
from hftlib.core.times import Time
from hftlib.core.units import INT64_MIN, is_whole, shown
from hftlib.lab import cells
from hftlib.lab.book_times import BookTimes
from hftlib.lab.live import still_of
from hftlib.lab.piece import PieceWidget, plain
from hftlib.research import clocks
from hftlib.research.result import Result

LEVELS, FILLS_MAX = 10, 2_000
Array = np.ndarray[Any, Any]


def book_replay(
    tape: Any,
    symbol: str | None = None,
    *,
    at: Time | datetime.time | None = None,
    result: Any = None,
    venue: str | None = None,
) -> BookReplay:
    """The book of an instrument at any time of the tape, to slide through and to play."""
    if result is not None and not isinstance(result, Result):
        do = "Give what hft.backtest answered."
        raise InputError(f"{shown(result)} is no result", where="hft.book_replay(result=)", do=do)
    if tape is None and result is not None:
        tape = result.tape
    times = BookTimes(tape, symbol, venue=venue)
    moment = times.begin
    if at is not None:
        moment = clocks.moment(at, tape.zone, times.begin, times.end, "at")
    return BookReplay(times, moment, result)


class BookReplay:
    """What the cell shows."""

    def __init__(self, times: BookTimes, moment: int, result: Result | None = None) -> None:
        self.times = times
        self._ours = Ours(times, result) if result is not None else None
        self.widget = PieceWidget(("replay",), options={"replay": self._about()})
        self.widget.still = secrets.token_hex(6)
        self.widget.on_msg(self._hear)
        self._kept: Any = None
        self.go(moment)

    def go(self, moment: int) -> None:
        """Show the book at this time, ns; beyond the tape's ends, that of the end."""
        if not is_whole(moment):
            do = "Give nanoseconds since the epoch; hft.to_ns makes them of a text."
            raise InputError(f"{shown(moment)} is no time", where="replay.go(moment)", do=do)
        self.moment = min(max(int(moment), self.times.begin), self.times.end)
        book = self.times.at(self.moment)
        told = {
            "venue": book.venue,
            "symbol": book.symbol,
            "time_ns": self.moment,
            "bids": [_level(one) for one in book.bids(LEVELS)],
            "asks": [_level(one) for one in book.asks(LEVELS)],
        }
        fills: list[dict[str, Any]] = []
        if self._ours is not None:
            self._ours.into(told, self.moment)
            fills = self._ours.fills_before(self.moment)
        shown_now = {
            "offset_ns": self.moment - self.times.begin,
            "clock": clocks.clock_text(self.moment, self.times.tape.zone),
            "ladder": told,
            "fills": fills,
            "state": book.state,
            "stale": book.stale,
        }
        self.widget.shown = {"replay": plain(shown_now)}

    def _about(self) -> dict[str, Any]:
        """What does not change: the span, the line of the middle, our fills on it."""
        times, begin = self.times, self.times.begin
        path = [[time - begin, middle] for time, middle in times.path if time]
        marks = self._ours.marks() if self._ours is not None else []
        span = times.end - begin
        return dict(plain({"span_ns": span, "path": path, "marks": marks, "levels": LEVELS}))

    def _hear(self, _widget: Any, message: dict[str, Any], _buffers: Any) -> None:
        if (offset := message.get("go")) is not None:
            self.go(self.times.begin + int(offset))
            self._keep()

    def _keep(self) -> None:
        cells.change(self._kept, still_of(self.widget, self._still))

    def _still(self, made: dict[str, Any]) -> str:
        from hftlib.lab.watching import ladder_page

        now = made["replay"]
        return f"<p>{html.escape(now['clock'])}</p>{ladder_page(now['ladder'])}"

    def _ipython_display_(self) -> None:
        cells.show(self.widget)
        self._kept = cells.show_page(still_of(self.widget, self._still))

    def __repr__(self) -> str:
        one = self.times.instrument
        clock = clocks.clock_text(self.moment, self.times.tape.zone)
        return f"<book of {one.symbol} {one.venue} at {clock}>"


class Ours:
    """What a result had in this book, by the venue's time."""

    def __init__(self, times: BookTimes, result: Result) -> None:
        self._begin, one = times.begin, times.instrument
        row = result.instruments.row(one.symbol, one.venue)
        self._price = float(one.price_unit.value(1))
        self._lot = float(one.lot_unit.value(1))
        self._zone = times.tape.zone
        orders, fills = result.records["orders"], result.records["fills"]
        self._orders = orders[(orders["instrument"] == row) & (orders["replaces"] == 0)]
        self.replaced = int((orders["instrument"] == row).sum()) - len(self._orders)
        mine = fills[fills["instrument"] == row]
        self._fills: Array = mine[np.argsort(mine["time"], kind="stable")]
        self._ends = _stood(self._orders)
        moved = ~np.isin(self._fills["order"], self._orders["id"])
        self._moved = self._fills[moved & (self._fills["entered"] > 0)]

    def into(self, ladder: dict[str, Any], moment: int) -> None:
        """Our quantity beside each level; where nobody else is, a level of ours alone."""
        lives = (self._ends[0] <= moment) & (moment < self._ends[1])
        done = self._fills[self._fills["time"] <= moment]
        for one in self._orders[lives]:
            filled = int(done["quantity"][done["order"] == one["id"]].sum())
            self._add(ladder, one, int(one["quantity"]) - filled)
        waits = (self._moved["entered"] <= moment) & (moment < self._moved["time"])
        for one in self._moved[waits]:
            self._add(ladder, one, int(one["quantity"]))

    def _add(self, ladder: dict[str, Any], one: Any, lots: int) -> None:
        if lots > 0:
            side = "bids" if int(one["side"]) == BUY else "asks"
            price = float(one["price"]) * self._price
            _added(ladder[side], price, lots * self._lot, side == "bids")

    def fills_before(self, moment: int, count: int = 8) -> list[dict[str, Any]]:
        """The newest up to then, newest first."""
        done = self._fills[self._fills["time"] <= moment][-count:][::-1]
        return [self._fill(one) for one in done]

    def marks(self) -> list[dict[str, Any]]:
        """Fills for the line; of very many every so-manieth."""
        step = -(-len(self._fills) // FILLS_MAX) or 1
        return [self._fill(one) for one in self._fills[::step]]

    def _fill(self, one: Any) -> dict[str, Any]:
        time = int(one["time"])
        return {
            "offset_ns": time - self._begin,
            "clock": clocks.clock_text(time, self._zone),
            "side": SIDES[int(one["side"])],
            "price": float(one["price"]) * self._price,
            "quantity": float(one["quantity"]) * self._lot,
            "role": "taker" if one["taker"] else "maker",
        }


def _stood(orders: Array) -> tuple[Array, Array]:
    """From when to when each order stood at the venue, as far as is known."""
    begin = np.where(orders["venue_accepted"] > 0, orders["venue_accepted"], INT64_MIN)
    begin = np.where(orders["accepted"] > 0, begin, np.iinfo(np.int64).max)
    end = np.where(orders["done"] > 0, orders["done"], np.iinfo(np.int64).max)
    return begin, end


def _level(one: Any) -> dict[str, Any]:
    told = {"price": one.price, "quantity": one.quantity, "orders": one.orders}
    return told | {"own": 0.0, "ahead": None}


def _added(side: list[dict[str, Any]], price: float, left: float, falls: bool) -> None:
    for level in side:
        if abs(level["price"] - price) < 1e-9 * max(1.0, abs(price)):
            level["own"] += left
            return
    worse = [n for n, level in enumerate(side) if (level["price"] < price) == falls]
    place = worse[0] if worse else len(side)
    if place < LEVELS:
        side.insert(
            place, {"price": price, "quantity": 0.0, "orders": 0, "own": left, "ahead": None}
        )
        del side[LEVELS:]
