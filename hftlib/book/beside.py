"""Levels off the grid: further ones of a slot, behind those of all pages, in a chain without order.

    level 32 p + s  ─ beside ─▶ extra ─ beside ─▶ extra ─ beside ─▶ 0

A slot's own level is the head of the chain even while nothing stands there, so no level ever
moves, and orders may keep its number. `chained` in the page says that there is such a chain.
Worst case: each step walks the chain, as long as there are prices in one slot.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.tables import LEVELS_FULL, SLOT_BITS, SLOTS, WORST, level_of, page_of
from hftlib.core import jit


@jit.compiled()
def beside_at(books: Any, base: int, own: int, key: int) -> int:
    """The level behind the slot's own one that has this price, or 0."""
    number = level_of(books, base, own).beside
    while number != 0 and level_of(books, base, number).key != key:
        number = level_of(books, base, number).beside
    return number


@jit.compiled()
def beside_after(books: Any, base: int, own: int, after: int) -> int:
    """The best level of the slot that is worse than a key, or 0."""
    found, best = 0, WORST
    number = own
    while number != 0:
        level = level_of(books, base, number)
        if level.quantity != 0 and after < level.key < best:
            found, best = number, level.key
        number = level.beside
    return found


@jit.compiled()
def enter_beside(books: Any, base: int, own: int, key: int) -> int:
    """The level of a price whose slot has others, made where there is none; or minus the reason."""
    number = beside_at(books, base, own, key)
    head = level_of(books, base, own)
    if number != 0 or (head.quantity != 0 and head.key == key):
        return number if number != 0 else own
    if books.levels == books.levels_max:
        return -LEVELS_FULL
    number = own
    if head.quantity != 0:
        number = _take_extra(books, base)
        level_of(books, base, number).beside = head.beside
        head.beside = number
        this = page_of(books, base, own >> SLOT_BITS)
        this.chained |= _bit_of(own)
    level = level_of(books, base, number)
    level.key = key
    level.last = level.first = number
    books.levels += 1
    return number


@jit.compiled()
def leave_beside(books: Any, base: int, own: int, gone: int) -> int:
    """A level leaves a slot that has others: the slot's bit if none is left, else 0."""
    head = level_of(books, base, own)
    if gone != own:
        before = head
        while before.beside != gone:
            before = level_of(books, base, before.beside)
        level = level_of(books, base, gone)
        before.beside = level.beside
        level.beside = books.extra_free
        books.extra_free = gone
    if head.beside != 0:
        return 0
    this = page_of(books, base, own >> SLOT_BITS)
    this.chained &= ~_bit_of(own)
    return _bit_of(own) if head.quantity == 0 else 0


@jit.inlined
def _bit_of(level: int) -> int:
    return 1 << (SLOTS - 1 - (level & (SLOTS - 1)))


@jit.inlined
def _take_extra(books: Any, base: int) -> int:
    """There is always one left, as there are as many as levels in all."""
    number = books.extra_free
    if number != 0:
        books.extra_free = level_of(books, base, number).beside
        return number
    books.extras_used += 1
    return books.extras + books.extras_used - 1
