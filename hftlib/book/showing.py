"""What of a book goes into its picture, and the words for its state.

A picture never hides that a book may be wrong or that nobody can trade: stale, halted and crossed
books say so above the ladder, and levels that are not shown are counted.

Worst case: a picture is for people; it makes some text for every level it shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hftlib.book.amounts import Amounts
from hftlib.book.ladder_picture import LadderPicture, Rung, plain
from hftlib.book.reading import NO_PRICE
from hftlib.book.tables import STALE_FULL, STALE_GAP, STALE_UNREAD
from hftlib.core import events
from hftlib.core.events import BUY, SELL
from hftlib.core.times import to_text

if TYPE_CHECKING:
    from typing import Any

    from hftlib.book.book import Book

_STATES = {
    0: "",
    events.TRADING: "trading",
    events.HALTED: "halted",
    events.PAUSED: "paused",
    events.QUOTATION_ONLY: "quotation only",
}
_STALE = {
    STALE_GAP: "messages are missing",
    STALE_FULL: "its memory is full",
    STALE_UNREAD: "a message could not be read",
}


def why_stale(bits: int) -> str:
    """The reasons why a book may be wrong; empty without any."""
    return " and ".join(text for bit, text in _STALE.items() if bits & bit)


def state_text(code: int) -> str:
    """A trading state in words, or the venue's own letters; empty when untold."""
    return _STATES[code] if code in _STATES else plain(events.letters(abs(code)))


def time_text(ns: int, zone: str) -> str:
    return to_text(ns, zone=zone).replace("T", " ") if ns else "before any event"


def middle_text(amounts: Amounts, bid: int, ask: int) -> str:
    """What lies between the two best prices."""
    if NO_PRICE in (bid, ask):
        return "one side only" if bid != ask else "nothing here"
    decimals = amounts.decimals((bid, ask))
    gap = amounts.price_text(abs(ask - bid), decimals)
    word = "spread" if ask > bid else "crossed by"
    mid = f"mid {amounts.mid_text(bid, ask)}"
    return f"locked · {mid}" if ask == bid else f"{word} {gap} · {mid}"


def warnings_of(book: Book) -> tuple[str, ...]:
    """What must be said before anybody trusts the ladder."""
    found = []
    if book.stale:
        found.append(f"Stale: {book.stale}. What stands here may be wrong.")
    if book.state in ("halted", "paused", "quotation only"):
        found.append(f"{book.state.capitalize()}: nothing trades now.")
    return tuple(found)


def ladder_of(book: Book, levels: int) -> LadderPicture:
    """The picture of so many levels of each side."""
    amounts = book.amounts
    bids, asks = book.views(BUY, levels), book.views(SELL, levels)
    decimals = amounts.decimals([*bids["price"].tolist(), *asks["price"].tolist()])
    most = max([*bids["quantity"].tolist(), *asks["quantity"].tolist()], default=1)

    def rung(price: int, quantity: int, orders: int) -> Rung:
        # How many orders is left open where the feed does not say.
        cells = (amounts.price_text(price, decimals), amounts.quantity_text(quantity))
        return Rung((*cells, f"{orders:,}" if orders else ""), quantity / most)

    def rungs(views: np.ndarray[Any, Any]) -> tuple[Rung, ...]:
        return tuple(rung(*view) for view in views.tolist())

    inside = book.inside
    return LadderPicture(
        title=f"{book.symbol} · {book.venue}",
        facts=_facts(book),
        warnings=warnings_of(book),
        heads=(amounts.price_head, amounts.quantity_head, "orders"),
        asks=rungs(asks),
        bids=rungs(bids),
        middle=middle_text(amounts, int(inside["bid"]), int(inside["ask"])),
        more_asks=book.count(SELL) - len(asks),
        more_bids=book.count(BUY) - len(bids),
    )


def _facts(book: Book) -> tuple[tuple[str, ...], ...]:
    number = (f"sequence {book.sequence:,}",) if book.sequence else ()
    known = (time_text(book.time, book.zone), *number)
    if not book.trades:
        return known, ("no trade yet", *filter(None, (book.state,)))
    amounts, record = book.amounts, book.record
    volume = f"{amounts.quantity_text(int(record['volume']))} {amounts.quantity_head}"
    trades = f"{book.trades:,} trade{'s' * (book.trades != 1)}"
    return known, (
        f"last {amounts.told(int(record['last_size']), int(record['last']))}",
        f"volume {volume} in {trades}",
        *filter(None, (book.state,)),
    )


def line_of(book: Book) -> str:
    """A book in one line."""
    inside = book.inside
    sides = " / ".join(
        book.amounts.told(int(inside[f"{side}_quantity"]), int(inside[side]))
        if inside[side] != NO_PRICE
        else f"no {side}s"
        for side in ("bid", "ask")
    )
    stale = ", stale" if book.stale else ""
    return f"<Book {book.symbol} {book.venue}: {sides}, {time_text(book.time, book.zone)}{stale}>"
