"""Books for a whole tape: large enough for it, and fed in one pass with whatever looks at them.

How many orders a tape has alive at once is estimated beforehand; deletes of orders that it never
added make the estimate too low. How many price levels and pages they take is guessed. Where either
was too low the books say so, and the pass is made again with four times the room. Nothing is ever
left out for lack of it.
Worst case: three passes over a tape whose levels lie far apart, and a sentence beyond that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.book.tables import LEVELS_FULL, ORDERS_FULL, PAGES_FULL
from hftlib.core import events, jit
from hftlib.core.errors import HostError
from hftlib.core.records import record
from hftlib.feed.walk import event_address, event_at, walk_at
from hftlib.research.selection import Selection
from hftlib.research.tape import Tape

Answer = TypeVar("Answer")

BOUNDS = record(
    "tape bounds",
    32,
    """
    0   live    int64  orders alive now, about
    8   most    int64  at once, about
    16  levels  int64  events that state a level
    24  marked  int64  events that are the last of their message
    """,
)
_bounds_at = jit.record_at(BOUNDS)
_ROOM = {"orders": ORDERS_FULL, "levels": LEVELS_FULL, "pages": PAGES_FULL}
_MOST = {"orders": 1 << 29, "levels": 1 << 29, "pages": 1 << 24}
_LEVELS_FIRST = 1 << 18


@jit.compiled("void(int64, int64)")
def _bound(walk_address: int, bounds_address: int) -> None:
    """Orders that were executed or cancelled to the end count on: an estimate, not a count."""
    walk = walk_at(walk_address)
    bounds = _bounds_at(bounds_address)
    for n in range(walk.count):
        event = event_at(event_address(walk, n))
        bounds.marked += (event.flags & events.LAST) != 0
        if event.kind == events.ADD:
            bounds.live += 1
            bounds.most = max(bounds.most, bounds.live)
        elif event.kind == events.DELETE:
            bounds.live = max(0, bounds.live - 1)
        elif event.kind == events.LEVEL or event.kind == events.QUOTE:
            bounds.levels += 1


def bounds_of(selection: Selection) -> Any:
    """How much its books can need."""
    bounds = np.zeros(1, BOUNDS)
    _bound(selection.walk_address, bounds.ctypes.data)
    return bounds[0]


def with_books(tape: Tape, look: Callable[[Books, Selection], Answer]) -> tuple[Answer, Books]:
    """What `look` makes of empty books and all events they must see; again, if room ran out."""
    whole = tape.selection.since_start()
    bounds = bounds_of(whole)
    orders = max(1 << 10, int(bounds["most"]))
    levels = max(1 << 10, min(orders + int(bounds["levels"]), orders // 2 + _LEVELS_FIRST))
    rows = max(1, len(tape.instruments))
    room = Capacity(instruments=rows, orders=orders, levels=levels, pages=max(1 << 10, levels // 4))
    while True:
        books = Books(tape.instruments, capacity=room)
        answer = look(books, whole)
        counts = books.header["impossible"]
        short = [name for name, reason in _ROOM.items() if counts[reason]]
        if not short:
            return answer, books
        if any(getattr(room, name) * 4 > _MOST[name] for name in short):
            raise HostError(
                f"The books of this tape need more than {_MOST[short[0]]:,} {short[0]}",
                where=repr(tape),
                do="Take fewer instruments at once: tape.only(...).",
            )
        room = replace(room, **{name: getattr(room, name) * 4 for name in short})
