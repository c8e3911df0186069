"""One instrument at several venues: the best of all, who shows it, and their levels merged.

    both = hft.Consolidated({"XNAS": nasdaq.of("AAPL"), "ARCX": arca.of("AAPL")})
    both = Consolidated.of(books, "AAPL")        # all venues in one Books
    both.best_bid                                # MergedLevel(price, quantity, orders, venues)
    both.asks(5), both.locked, both.crossed, both.stale
    merging.best_price(both.address, BUY)        # what strategies read: `merging.py`

A venue whose book may be wrong is left out of every answer, and `stale` and the picture say so.
Whether a venue's quotes can be traded with (halts, fees, distance) is for the reader to weigh.

Worst case: VENUES_MAX venues; venues that count in different units are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hftlib.book import merging
from hftlib.book.book import LEVELS_SHOWN, Book, levels_asked
from hftlib.book.ladder_picture import LadderPicture, Rung
from hftlib.book.merging import CONSOLIDATED, MERGED_VIEW, VENUES_MAX
from hftlib.book.reading import NO_PRICE
from hftlib.book.showing import middle_text, time_text, warnings_of
from hftlib.core.errors import InputError
from hftlib.core.events import BUY, SELL
from hftlib.core.units import shown

if TYPE_CHECKING:
    from hftlib.book.books import Books

_NAN = float("nan")


class MergedLevel(NamedTuple):
    """What stands at one price, of all venues and by venue."""

    price: float
    quantity: float
    orders: int
    venues: dict[str, float]


class Consolidated:
    """Books of one instrument at several venues, read as one; live as they are."""

    def __init__(self, books: Mapping[str, Book]) -> None:
        self.books = dict(books)
        _require_alike(self.books)
        self._record = np.zeros(1, CONSOLIDATED)
        self.address = int(self._record.ctypes.data)
        self._record["count"] = len(self.books)
        for venue, book in zip(self._record["venues"][0], self.books.values(), strict=False):
            venue["books_at"] = book.address - self.address
            venue["instrument"] = book.row
        first = next(iter(self.books.values()))
        self.symbol, self.zone, self.amounts = first.symbol, first.zone, first.amounts

    @classmethod
    def of(cls, books: Books, symbol: str, *, zone: str = "UTC") -> Consolidated:
        """All venues of a symbol within the same books."""
        table = books.instruments
        venues = [one.venue for one in table if one.symbol == symbol]
        venues = venues or [table[table.row(symbol)].venue]  # which refuses, and says what there is
        return cls({venue: books.of(symbol, venue, zone=zone) for venue in venues})

    @property
    def venues(self) -> tuple[str, ...]:
        return tuple(self.books)

    @property
    def stale(self) -> dict[str, str]:
        """The venues left out, and why."""
        return {venue: book.stale for venue, book in self.books.items() if book.stale}

    @property
    def time(self) -> int:
        """Of the last event at any venue."""
        return max(book.time for book in self.books.values())

    @property
    def best_bid(self) -> MergedLevel | None:
        return next(iter(self.bids(1)), None)

    @property
    def best_ask(self) -> MergedLevel | None:
        return next(iter(self.asks(1)), None)

    @property
    def inside(self) -> str:
        """Normal, locked, crossed, one side only, or empty."""
        return merging.INSIDES[merging.inside(self.address)]

    @property
    def locked(self) -> bool:
        """Whether the best bid and the best ask of all venues are the same price."""
        return self.inside == "locked"

    @property
    def crossed(self) -> bool:
        """Whether somebody bids more than somebody else asks."""
        return self.inside == "crossed"

    @property
    def spread(self) -> float:
        bid, ask = self._best
        return self.amounts.price(ask - bid) if NO_PRICE not in (bid, ask) else _NAN

    @property
    def mid(self) -> float:
        bid, ask = self._best
        return self.amounts.price(bid + ask, 2) if NO_PRICE not in (bid, ask) else _NAN

    def bids(self, levels: int = LEVELS_SHOWN) -> list[MergedLevel]:
        """The best levels of all venues, best first."""
        return self._levels(BUY, levels)

    def asks(self, levels: int = LEVELS_SHOWN) -> list[MergedLevel]:
        return self._levels(SELL, levels)

    def copy(self) -> Consolidated:
        """All of it as it is now, in memory of its own."""
        return Consolidated({venue: book.copy() for venue, book in self.books.items()})

    def ladder(self, levels: int = LEVELS_SHOWN) -> LadderPicture:
        """The picture of so many levels of each side, with a column for each venue."""
        bids, asks = self._views(BUY), self._views(SELL)
        few = {BUY: bids[: levels_asked(levels)], SELL: asks[: levels_asked(levels)]}
        decimals = self.amounts.decimals([p for side in few.values() for p in side["price"]])
        most = max((int(one["quantity"].max()) for one in few.values() if len(one)), default=1)
        left_out = [f"{venue} is left out: {why}." for venue, why in self.stale.items()]
        others = {v: book for v, book in self.books.items() if not book.stale}
        halted = [f"{venue}: {one}" for venue, b in others.items() for one in warnings_of(b)]
        return LadderPicture(
            title=f"{self.symbol} · {', '.join(self.venues)}",
            facts=((time_text(self.time, self.zone),),),
            warnings=(*left_out, *halted),
            heads=(self.amounts.price_head, self.amounts.quantity_head, "orders", *self.venues),
            asks=tuple(self._rung(view, decimals, most) for view in few[SELL]),
            bids=tuple(self._rung(view, decimals, most) for view in few[BUY]),
            middle=middle_text(self.amounts, *self._best),
            more_asks=len(asks) - len(few[SELL]),
            more_bids=len(bids) - len(few[BUY]),
        )

    def __str__(self) -> str:
        return str(self.ladder())

    def _repr_html_(self) -> str:
        return self.ladder()._repr_html_()

    def __repr__(self) -> str:
        left_out = f", without {', '.join(self.stale)}" if self.stale else ""
        return f"<Consolidated {self.symbol}: {self._told(BUY)} / {self._told(SELL)}{left_out}>"

    def _told(self, side: int) -> str:
        """The best of a side and who shows it."""
        for view in self._views(side, 1):
            told = self.amounts.told(int(view["quantity"]), int(view["price"]))
            names = zip(self.books, view["split"].tolist(), strict=False)
            return f"{told} ({', '.join(venue for venue, quantity in names if quantity)})"
        return "no bids" if side == BUY else "no asks"

    @property
    def _best(self) -> tuple[int, int]:
        bid, ask = (merging.best_price(self.address, side) for side in (BUY, SELL))
        return int(bid), int(ask)

    def _views(self, side: int, levels: int | None = None) -> np.ndarray[Any, Any]:
        """The best merged levels, or all of them."""
        room = sum(book.count(side) for book in self.books.values())
        out = np.zeros(room if levels is None else min(levels, room), MERGED_VIEW)
        return out[: merging.merged(self.address, side, len(out), out.ctypes.data)]

    def _levels(self, side: int, levels: int) -> list[MergedLevel]:
        amounts = self.amounts
        return [
            MergedLevel(
                amounts.price(int(view["price"])),
                amounts.quantity(int(view["quantity"])),
                int(view["orders"]),
                {
                    venue: amounts.quantity(int(view["split"][number]))
                    for number, venue in enumerate(self.books)
                    if view["split"][number]
                },
            )
            for view in self._views(side, levels_asked(levels))
        ]

    def _rung(self, view: Any, decimals: int, most: int) -> Rung:
        text = self.amounts.quantity_text
        split = view["split"][: len(self.books)].tolist()
        orders = int(view["orders"])
        cells = (
            self.amounts.price_text(int(view["price"]), decimals),
            text(int(view["quantity"])),
            f"{orders:,}" if orders else "",
            *(text(quantity) if quantity else "" for quantity in split),
        )
        return Rung(cells, int(view["quantity"]) / most)


def _require_alike(books: dict[str, Book]) -> None:
    if not 1 <= len(books) <= VENUES_MAX:
        raise InputError(
            f"{len(books)} venues cannot be read as one book",
            where="Consolidated({...})",
            do=f"Give the books of 1 to {VENUES_MAX} venues.",
        )
    (name, first), *others = books.items()
    ours = first.instrument
    for venue, book in others:
        theirs = book.instrument
        for field in ("price_unit", "lot_unit", "currency"):
            one, other = getattr(ours, field), getattr(theirs, field)
            if one != other:
                raise InputError(
                    f"{name} has a {field} of {shown(str(one))} and {venue} one of "
                    f"{shown(str(other))}, so their numbers do not compare",
                    where=f"Consolidated({{...}}), {ours.symbol} and {theirs.symbol}",
                    do="Import both with the same units.",
                )
