"""The ladder of one side: from a price to its level, and from a level to the next worse one.

    price ─▶ key ─▶ slot ─▶ page (hash) ─▶ level          any price, in a few steps
    best level ─▶ next bit of its page ─▶ next page        in order of price, best first

Pages of one side are linked in order of price, and a page without levels is given back. Nearly all
changes of a real day fall within a few pages of the best price.

Worst case: a new page walks the side's pages from the best one to find its neighbours.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.tables import (
    EMPTY,
    LEVELS_FULL,
    PAGES_FULL,
    SLOT_BITS,
    SLOTS,
    chain_of,
    level_of,
    page_of,
    place_of,
    side_of,
    slot_of,
)
from hftlib.core import jit

NEAR_PAGES = 4  # looked for on either side before all are gone through
_LAST = SLOTS - 1
_MASK_31 = (1 << 31) - 1
_MIX = 0x2545F491
_NO_BITS = 64 - SLOTS  # leading zeros of a page's first slot, in 64 bits


@jit.inlined
def page_place(books: Any, side: int, number: int) -> int:
    """Where the search for a page begins in `places`."""
    mixed = ((number + side * 0x9E3779B) & _MASK_31) * _MIX
    return (mixed >> 15) & books.place_mask


@jit.inlined
def find_page(books: Any, base: int, side: int, number: int) -> int:
    """The page of this number, or 0."""
    place = page_place(books, side, number)
    while True:
        entry = place_of(books, base, place)
        if entry.page == 0 or (entry.number == number and entry.side == side):
            return entry.page
        place = (place + 1) & books.place_mask


@jit.inlined
def page_near(books: Any, base: int, state: Any, side: int, number: int) -> int:
    """The page of this number, or 0; the one with the best price is known without a search."""
    if number == state.number:
        return state.page
    return find_page(books, base, side, number)


@jit.inlined
def find_level(books: Any, base: int, side: int, key: int) -> int:
    """The level of this price, or 0."""
    state = side_of(books, base, side)
    slot = key * state.scale >> state.shift
    page = page_near(books, base, state, side, slot >> SLOT_BITS)
    level = slot_of(books, base, page, slot & _LAST).number
    while level != 0 and level_of(books, base, level).key != key:
        level = _chained(books, base, page, slot & _LAST, level)
    return level


@jit.inlined
def next_level(books: Any, base: int, side: int, level: int) -> int:
    """The next worse level of the side, or 0."""
    state = side_of(books, base, side)
    here = level_of(books, base, level)
    slot = (here.key * state.scale >> state.shift) & _LAST
    beside = _chained(books, base, here.page, slot, level)
    return beside if beside != 0 else _next_slot(books, base, here.page, slot)


@jit.inlined
def _next_slot(books: Any, base: int, page: int, slot: int) -> int:
    """The first level behind this slot of the page, or 0."""
    this = page_of(books, base, page)
    rest = this.bits & ((1 << (_LAST - slot)) - 1)
    if rest == 0:
        page = this.worse
        if page == 0:
            return 0
        rest = page_of(books, base, page).bits
    return slot_of(books, base, page, jit.leading_zeros(rest) - _NO_BITS).number


@jit.inlined
def _chained(books: Any, base: int, page: int, slot: int, level: int) -> int:
    """The level after this one in the same slot, or 0. Only off the grid is there one."""
    if page_of(books, base, page).chained & (1 << (_LAST - slot)) == 0:
        return 0
    return chain_of(books, base, level).number


@jit.inlined
def make_level(books: Any, base: int, side: int, key: int) -> int:
    """A new, empty level at a price that has none; or minus the reason why not."""
    state = side_of(books, base, side)
    if books.level_free == 0 and books.levels_used == books.levels_max:
        return -LEVELS_FULL
    slot = key * state.scale >> state.shift
    page = page_near(books, base, state, side, slot >> SLOT_BITS)
    if page == 0:
        page = _make_page(books, base, state, side, slot >> SLOT_BITS)
        if page == 0:
            return -PAGES_FULL
    level = books.level_free
    if level == 0:
        books.levels_used += 1
        level = books.levels_used
    else:
        books.level_free = level_of(books, base, level).page
    made = level_of(books, base, level)
    made.key = key
    made.quantity = 0
    made.first = 0
    made.last = 0
    made.orders = 0
    made.page = page
    books.levels += 1
    state.levels += 1
    _enter(books, base, page, slot & _LAST, level)
    if key < state.key:
        state.key = key
        state.best = level
        state.page = page
        state.number = slot >> SLOT_BITS
    return level


@jit.inlined
def remove_level(books: Any, base: int, side: int, level: int) -> None:
    """Give back a level that is empty."""
    state = side_of(books, base, side)
    gone = level_of(books, base, level)
    page = gone.page
    slot = (gone.key * state.scale >> state.shift) & _LAST
    if state.best == level:
        state.best = next_level(books, base, side, level)
        best = level_of(books, base, state.best)
        state.key = best.key if state.best != 0 else EMPTY
        state.page = best.page
        state.number = page_of(books, base, best.page).number
    _leave(books, base, page, slot, level)
    if page_of(books, base, page).bits == 0:
        _remove_page(books, base, page)
    gone.page = books.level_free
    books.level_free = level
    books.levels -= 1
    state.levels -= 1


@jit.inlined
def _enter(books: Any, base: int, page: int, slot: int, level: int) -> None:
    """Put a level into its slot, in order of price where it is not alone."""
    this = page_of(books, base, page)
    bit = 1 << (_LAST - slot)
    if this.bits & bit == 0:
        this.bits |= bit
        slot_of(books, base, page, slot).number = level
        return
    if this.chained & bit == 0:
        chain_of(books, base, slot_of(books, base, page, slot).number).number = 0
        this.chained |= bit
    key = level_of(books, base, level).key
    link = slot_of(books, base, page, slot)
    while link.number != 0 and level_of(books, base, link.number).key < key:
        link = chain_of(books, base, link.number)
    chain_of(books, base, level).number = link.number
    link.number = level


@jit.inlined
def _leave(books: Any, base: int, page: int, slot: int, level: int) -> None:
    """Take a level out of its slot."""
    this = page_of(books, base, page)
    bit = 1 << (_LAST - slot)
    link = slot_of(books, base, page, slot)
    if this.chained & bit == 0:
        link.number = 0
        this.bits &= ~bit
        return
    while link.number != level:
        link = chain_of(books, base, link.number)
    link.number = chain_of(books, base, level).number
    if chain_of(books, base, slot_of(books, base, page, slot).number).number == 0:
        this.chained &= ~bit


@jit.compiled()
def _make_page(books: Any, base: int, state: Any, side: int, number: int) -> int:
    """A new page, linked between its neighbours; 0 when there is no room."""
    page = books.page_free
    if page == 0:
        if books.pages_used == books.pages_max:
            return 0
        books.pages_used += 1
        page = books.pages_used
    else:
        books.page_free = page_of(books, base, page).worse
    made = page_of(books, base, page)
    made.bits = 0
    made.chained = 0
    made.number = number
    made.side = side
    better = _page_before(books, base, state, side, number)
    worse = state.page if better == 0 else page_of(books, base, better).worse
    made.better = better
    made.worse = worse
    if better != 0:
        page_of(books, base, better).worse = page
    if worse != 0:
        page_of(books, base, worse).better = page
    place = page_place(books, side, number)
    while place_of(books, base, place).page != 0:
        place = (place + 1) & books.place_mask
    entry = place_of(books, base, place)
    entry.number = number
    entry.side = side
    entry.page = page
    books.pages += 1
    return page


@jit.compiled()
def _page_before(books: Any, base: int, state: Any, side: int, number: int) -> int:
    """The page before a new one in order of price; 0 when the new one is the best."""
    if state.page == 0 or number < state.number:
        return 0
    # Ladders have few holes, so mostly a page is near. Else they are gone through, best first.
    for distance in range(1, 1 + NEAR_PAGES):
        near = find_page(books, base, side, number - distance)
        if near != 0:
            return near
        near = find_page(books, base, side, number + distance)
        if near != 0:
            return page_of(books, base, near).better
    better, worse = 0, state.page
    while worse != 0 and page_of(books, base, worse).number < number:
        better = worse
        worse = page_of(books, base, worse).worse
    return better


@jit.compiled()
def _remove_page(books: Any, base: int, page: int) -> None:
    gone = page_of(books, base, page)
    if gone.better != 0:
        page_of(books, base, gone.better).worse = gone.worse
    if gone.worse != 0:
        page_of(books, base, gone.worse).better = gone.better
    _leave_place(books, base, gone.side, gone.number)
    gone.worse = books.page_free
    books.page_free = page
    books.pages -= 1


@jit.compiled()
def _leave_place(books: Any, base: int, side: int, number: int) -> None:
    """Take a page's entry out of the hash, and let those pushed on by it move up."""
    mask = books.place_mask
    hole = page_place(books, side, number)
    entry = place_of(books, base, hole)
    while entry.number != number or entry.side != side:
        hole = (hole + 1) & mask
        entry = place_of(books, base, hole)
    place = (hole + 1) & mask
    entry = place_of(books, base, place)
    while entry.page != 0:
        home = page_place(books, entry.side, entry.number)
        if ((place - home) & mask) >= ((place - hole) & mask):
            free = place_of(books, base, hole)
            free.number = entry.number
            free.side = entry.side
            free.page = entry.page
            hole = place
        place = (place + 1) & mask
        entry = place_of(books, base, place)
    place_of(books, base, hole).page = 0
