"""Short words for tests that tell a story: events one by one, and a book's queue as one sees it."""

from __future__ import annotations

from typing import Any

import numpy as np
from checks import answered, check

from hftlib.book.books import Books
from hftlib.core import events
from hftlib.core.events import EVENT

BID, ASK = 0, 1


def event(kind: int, reference: int = 0, **fields: int) -> np.ndarray[Any, Any]:
    array = np.zeros(1, EVENT)
    array["kind"], array["reference"] = kind, reference
    for name, value in fields.items():
        array[name] = value
    return array


def add(
    reference: int, quantity: int, price: int = 100, side: int = events.BUY, instrument: int = 0
) -> np.ndarray[Any, Any]:
    fields = {"quantity": quantity, "price": price, "side": side, "instrument": instrument}
    return event(events.ADD, reference, **fields)


def level(price: int, quantity: int, side: int = events.BUY, **fields: int) -> np.ndarray[Any, Any]:
    return event(events.LEVEL, price=price, quantity=quantity, side=side, **fields)


def tell(books: Books, *story: np.ndarray[Any, Any]) -> list[int]:
    """The answers; the whole of the memory is checked after each event."""
    done = []
    for one in story:
        done += answered(books, one)
        check(books)
    return done


def queue(books: Books, price: int = 100, side: int = BID, instrument: int = 0) -> list[Any]:
    """References and quantities at a price, first come first."""
    key = price if side else -price
    levels = {one[0]: one[3] for one in check(books).get(2 * instrument + side, [])}
    return levels.get(key, [])


def quantities(books: Books, side: int = BID, instrument: int = 0) -> dict[int, int]:
    """Price to quantity, best first."""
    levels = check(books).get(2 * instrument + side, [])
    return {(one[0] if side else -one[0]): one[1] for one in levels}
