"""One instrument's book as people see it: numbers in currency and shares, ladders, queues.

    book = books.of("AAPL")                     # live: it changes as events are applied
    book.best_bid, book.mid, book.asks(5)       # Level(price=289.47, quantity=900, orders=4), ...
    book.queue(reference).ahead                 # what trades before this order does
    book                                        # in a notebook: the ladder; print(book): as text
    book.copy()                                 # as it is now, for ever

All of it reads what strategies read (`reading.py`, `queues.py`), through the same functions. Where
there is no level the answer is None, and where there is no price it is not a number.

Worst case: a live book is read by the thread that applies its events; others take a copy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hftlib.book import queues, reading, showing
from hftlib.book.amounts import Amounts
from hftlib.book.ladder_picture import LadderPicture
from hftlib.book.reading import LEVEL_VIEW, NO_PRICE
from hftlib.core.errors import InputError
from hftlib.core.events import BUY, SELL, SIDES
from hftlib.core.instruments import Instrument
from hftlib.core.records import record
from hftlib.core.units import Exact, as_int64, is_whole, refusal, shown

if TYPE_CHECKING:
    from hftlib.book.books import Books

LEVELS_SHOWN = 10
_NAN = float("nan")
BOOK_ROW = record(
    "book row",
    56,
    """
    0   bid_price     float64  not a number where the side has no such level
    8   bid_quantity  float64
    16  bid_orders    int64
    24  ask_price     float64
    32  ask_quantity  float64
    40  ask_orders    int64
    48  level         int64    0 is the best one
    """,
)


class Level(NamedTuple):
    """What stands at one price."""

    price: float
    quantity: float
    orders: int


class Order(NamedTuple):
    """One order of a queue; reference 0 is quantity whose orders nobody can name."""

    reference: int
    quantity: float


class Queue(NamedTuple):
    """Where an order stands."""

    side: str
    price: float
    quantity: float
    ahead: float
    orders_ahead: int
    behind: float
    orders_behind: int


class Book:
    """The book in one row of some books; `Books.of` makes it."""

    def __init__(
        self, books: Books, row: int, *, instrument: Instrument | None = None, zone: str = "UTC"
    ) -> None:
        self.row = row
        self.instrument = instrument or books.instruments[row]
        self.amounts = Amounts(self.instrument)
        self.zone = zone
        self.books = books  # whose memory this is
        self.address = books.address
        self.record: Any = books.arena["book"][row]  # BOOK of `tables.py`

    @property
    def symbol(self) -> str:
        return self.instrument.symbol

    @property
    def venue(self) -> str:
        return self.instrument.venue

    @property
    def time(self) -> int:
        """Of the last event that concerned it: ns since the epoch, UTC; 0 before any."""
        return int(self.record["time"])

    @property
    def sequence(self) -> int:
        return int(self.record["sequence"])

    @property
    def last(self) -> float:
        """Price of the last trade; not a number before any."""
        return self.amounts.price(int(self.record["last"])) if self.trades else _NAN

    @property
    def last_quantity(self) -> float:
        return self.amounts.quantity(int(self.record["last_size"]))

    @property
    def volume(self) -> float:
        """Printed so far."""
        return self.amounts.quantity(int(self.record["volume"]))

    @property
    def trades(self) -> int:
        return int(self.record["trades"])

    @property
    def state(self) -> str:
        """Trading, halted, paused, or the venue's own letters; empty when never told."""
        return showing.state_text(int(self.record["state"]))

    @property
    def stale(self) -> str:
        """Why it may be wrong; empty when it is not."""
        return showing.why_stale(int(self.record["stale"]))

    @property
    def best_bid(self) -> Level | None:
        return next(iter(self.bids(1)), None)

    @property
    def best_ask(self) -> Level | None:
        return next(iter(self.asks(1)), None)

    @property
    def spread(self) -> float:
        """Best ask less best bid: zero when locked, below when crossed."""
        spread = int(self.inside["spread"])
        return self.amounts.price(spread) if spread != NO_PRICE else _NAN

    @property
    def mid(self) -> float:
        twice = int(self.inside["twice_mid"])
        return self.amounts.price(twice, 2) if twice != NO_PRICE else _NAN

    @property
    def microprice(self) -> float:
        """The middle weighted by the other side's quantity: where the next trade leans to."""
        return self.amounts.price(float(self.inside["microprice"]))

    @property
    def inside(self) -> Any:
        """The best of both sides at once, in price units and lots: an INSIDE_VIEW."""
        view = np.zeros(1, reading.INSIDE_VIEW)
        reading.inside(self.address, self.row, view.ctypes.data)
        return view[0]

    def imbalance(self, levels: int = 1) -> float:
        """Of the best levels: 1 all bids, -1 all asks."""
        return float(reading.imbalance(self.address, self.row, levels_asked(levels)))

    def bids(self, levels: int = LEVELS_SHOWN) -> list[Level]:
        """The best levels, best first."""
        return self._levels(BUY, levels)

    def asks(self, levels: int = LEVELS_SHOWN) -> list[Level]:
        return self._levels(SELL, levels)

    def count(self, side: int) -> int:
        """How many levels the side has, BUY or SELL."""
        return int(reading.count_levels(self.address, self.row, side))

    def sweep(self, side: str, quantity: Exact) -> float:
        """The average price of taking this much now, as a buyer or a seller; or not a number."""
        count = self.instrument.lot_unit.count(quantity, field="quantity")
        average = reading.sweep_price(self.address, self.row, SELL + BUY - _side(side), count)
        return self.amounts.price(average)

    def orders_at(self, price: Exact) -> list[Order]:
        """The queue of a price, first come first; of the bids where both sides have that price."""
        count = self.instrument.price_unit.count(price)
        for side in (BUY, SELL):
            orders = self._queue(side, count)
            if orders:
                return orders
        return []

    def queue(self, reference: int) -> Queue:
        """Where an order of this book stands, or a refusal."""
        view = np.zeros(1, queues.QUEUE_VIEW)
        wanted = as_int64(reference, "reference")
        found = queues.queue_position(self.address, wanted, view.ctypes.data)
        if not found or view["instrument"][0] != self.row:
            raise InputError(
                f"There is no order {wanted} in the book of {self.symbol}",
                where=repr(self),
                do="Use the reference of an order that is live; book.orders_at(price) lists some.",
            )
        one = {name: int(view[name][0]) for name in queues.QUEUE_VIEW.names or ()}
        amount = self.amounts.quantity
        return Queue(
            SIDES[one["side"]],
            self.amounts.price(one["price"]),
            amount(one["quantity"]),
            amount(one["ahead"]),
            one["orders_ahead"],
            amount(one["behind"]),
            one["orders_behind"],
        )

    def queue_ahead(self, reference: int) -> float:
        """What trades before this order does."""
        return self.queue(reference).ahead

    def frame(self, levels: int = LEVELS_SHOWN) -> np.ndarray[Any, Any]:
        """Both sides by level, as an array of BOOK_ROW; `pandas.DataFrame` takes it as it is."""
        bids, asks = self.bids(levels), self.asks(levels)
        rows = np.zeros(max(len(bids), len(asks)), BOOK_ROW)
        rows["level"] = np.arange(len(rows))
        for side, found in (("bid", bids), ("ask", asks)):
            rows[f"{side}_price"] = _NAN
            for row, level in zip(rows, found, strict=False):
                row[f"{side}_price"], row[f"{side}_quantity"] = level.price, level.quantity
                row[f"{side}_orders"] = level.orders
        return rows

    def copy(self) -> Book:
        """The book as it is now, in memory of its own, which nothing changes."""
        from hftlib.book.copying import copied

        return copied(self)

    def views(self, side: int, levels: int) -> np.ndarray[Any, Any]:
        """The best levels of BUY or SELL in price units and lots: an array of LEVEL_VIEW."""
        out = np.zeros(min(levels_asked(levels), self.count(side)), LEVEL_VIEW)
        found = reading.depth(self.address, self.row, side, len(out), out.ctypes.data)
        return out[:found]

    def ladder(self, levels: int = LEVELS_SHOWN) -> LadderPicture:
        """The picture of so many levels of each side."""
        return showing.ladder_of(self, levels)

    def __str__(self) -> str:
        return str(self.ladder())

    def _repr_html_(self) -> str:
        return self.ladder()._repr_html_()

    def __repr__(self) -> str:
        return showing.line_of(self)

    def _levels(self, side: int, levels: int) -> list[Level]:
        amounts = self.amounts
        return [
            Level(amounts.price(price), amounts.quantity(quantity), orders)
            for price, quantity, orders in self.views(side, levels).tolist()
        ]

    def _queue(self, side: int, price: int) -> list[Order]:
        """The orders at a price, those without names first."""
        address, found = self.address, 0
        while True:
            out = np.zeros(1 + found, queues.ORDER_VIEW)
            count = queues.queue_at(address, self.row, side, price, found, out.ctypes.data)
            if count <= found:
                break
            found = count
        orders = [Order(name, self.amounts.quantity(size)) for name, size in out.tolist()]
        return orders if orders[0].quantity else orders[1:]


def levels_asked(levels: int) -> int:
    """A number of levels, or a refusal."""
    if is_whole(levels) and 0 <= levels < 2**31:
        return levels
    what = f"{shown(levels)} is not a number of levels"
    raise refusal(what, "levels", "Give a whole number from 0 on.")


def _side(side: str) -> int:
    if side in SIDES[1:]:
        return SIDES.index(side)
    raise refusal(f"{shown(side)} is not a side", "side", "Say 'buy' or 'sell'.")
