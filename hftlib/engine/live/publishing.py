"""What a runner is, copied into memory that other processes can read: once each millisecond.

    publish(copying, live)     the first piece, as many others as COPY_BYTES allow, best prices,
                               what is new of a strategy and a scope; the ladder of one book

    live, hot, positions, states ... ─▶ a page (an arena in a file): watchdog, metrics, desk

It is read by who must know how things stand also when nobody of this process answers. No decision
hangs on it: nothing of it is read here, and it is no part of a frame. The first piece is copied
each time, the others in turn where they are many, so one call costs some microseconds at most
whatever it trades (`hft bench page`). A change of the page is bracketed by its
`changes`, and each piece is whole in itself; a book's ladder has a count of its own.

Worst case: a page of N bytes has figures up to N / COPY_BYTES milliseconds old, and ladders of N
instruments are up to N milliseconds old.
"""

from __future__ import annotations

from hftlib.book.ladder import best_level
from hftlib.book.reading import NO_PRICE
from hftlib.book.tables import books_at, level_of
from hftlib.core import jit
from hftlib.core.seqlock import begin_cell, end
from hftlib.engine.live.hot_memory import COPYING, PIECE
from hftlib.engine.live.memory import call_2, live_at
from hftlib.engine.memory import books_base

COPY_BYTES = 1 << 14  # and one piece more
QUOTES_EACH = 32

PIECE_BYTES = PIECE.itemsize

copying_at = jit.record_at(COPYING)
piece_at = jit.record_at(PIECE)


@jit.compiled("void(int64, int64)")
def publish(copying: int, live: int) -> None:
    """Bring the page up to date, as far as one call goes."""
    c = copying_at(copying)
    begin_cell(c.changes)
    copied = _copy(copying, 0)
    for _ in range(c.count - 1):
        if copied >= COPY_BYTES:
            break
        c.next = c.next + 1 if c.next + 1 < c.count else 1
        copied += _copy(copying, c.next)
    _quotes(copying, live)
    if c.trail != 0:
        call_2(c.trail, copying, live)
    end(c.changes)
    if c.show != 0:
        call_2(c.show, copying, live)


@jit.inlined
def _copy(copying: int, n: int) -> int:
    c = copying_at(copying)
    piece = piece_at(jit.nth(c.pieces, n, c.count, PIECE_BYTES))
    jit.copy_words(piece.to, piece.source, piece.length)
    return int(piece.length)


@jit.compiled()
def _quotes(copying: int, live: int) -> None:
    """Best prices as the books have them now, whoever was shown them."""
    c, header = copying_at(copying), live_at(live)
    base = books_base(header.session)
    books, count = books_at(base), header.instruments
    for _ in range(min(QUOTES_EACH, count)):
        n = c.begin if c.begin < count else 0
        c.begin = n + 1
        place = jit.nth(c.quotes, n, count, 16)
        bid = best_level(books, base, 2 * n)
        ask = best_level(books, base, 2 * n + 1)
        jit.store_i64(place, -level_of(books, base, bid).key if bid != 0 else NO_PRICE)
        jit.store_i64(place + 8, level_of(books, base, ask).key if ask != 0 else NO_PRICE)
