"""The ladder of one side: from a price to its level, and from a level to the next worse one.

    price ─▶ key ─▶ slot ─▶ page (hash) ─▶ level          any price, in a few steps
    best level: first bit of the first page                in order of price, best first
    a level ─▶ next bit of its page ─▶ next page

A level comes and goes with its bit, and no branch asks whether it does: a quarter of all messages
make or end one, in no order a processor could predict. Pages of one side are linked in order of
price, and a page without levels is given back. Nearly all changes of a real day fall within a few
pages of the best price. Levels off the grid are in `beside.py`.

Worst case: a new page walks the side's pages from the best one to find its neighbours.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.beside import beside_after, beside_at, enter_beside, leave_beside
from hftlib.book.tables import (
    LEVELS_FULL,
    PAGES_FULL,
    SLOT_BITS,
    SLOTS,
    WORST,
    level_of,
    page_of,
    place_of,
    side_of,
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
    if page == 0:
        return 0
    number = page * SLOTS + (slot & _LAST)
    level = level_of(books, base, number)
    if level.quantity != 0 and level.key == key:
        return number
    if page_of(books, base, page).chained & bit_of(number) == 0:
        return 0
    return beside_at(books, base, number, key)


@jit.inlined
def bit_of(level: int) -> int:
    """The bit in its page of a level that has its place there."""
    return 1 << (_LAST - (level & _LAST))


@jit.inlined
def best_level(books: Any, base: int, side: int) -> int:
    """The best level of the side; 0: it is empty."""
    page = side_of(books, base, side).page
    return _first(books, base, page, page_of(books, base, page).bits) if page != 0 else 0


@jit.inlined
def next_level(books: Any, base: int, side: int, level: int) -> int:
    """The next worse level of the side, or 0."""
    state = side_of(books, base, side)
    key = level_of(books, base, level).key
    slot = key * state.scale >> state.shift
    number, slot = slot >> SLOT_BITS, slot & _LAST
    page = level >> SLOT_BITS
    if level >= books.extras:
        page = page_near(books, base, state, side, number)
    this = page_of(books, base, page)
    if this.chained & bit_of(slot) != 0:
        beside = beside_after(books, base, page * SLOTS + slot, key)
        if beside != 0:
            return beside
    rest = this.bits & (bit_of(slot) - 1)
    if rest == 0:
        page = this.worse
        if page == 0:
            return 0
        rest = page_of(books, base, page).bits
    return _first(books, base, page, rest)


@jit.inlined
def _first(books: Any, base: int, page: int, bits: int) -> int:
    """The best level of a page among these bits of it."""
    number = page * SLOTS + jit.leading_zeros(bits) - _NO_BITS
    if page_of(books, base, page).chained & bit_of(number) == 0:
        return number
    return beside_after(books, base, number, -WORST)


@jit.inlined
def enter_level(books: Any, base: int, state: Any, side: int, key: int) -> int:
    """The level of this price, made where it has none, or minus the reason why not.

    It must get a quantity: one without is not there.
    """
    slot = key * state.scale >> state.shift
    page = page_near(books, base, state, side, slot >> SLOT_BITS)
    if page == 0:
        if books.levels == books.levels_max:
            return -LEVELS_FULL
        page = _make_page(books, base, state, side, slot >> SLOT_BITS)
        if page == 0:
            return -PAGES_FULL
    number = page * SLOTS + (slot & _LAST)
    level = level_of(books, base, number)
    this = page_of(books, base, page)
    made = 1 if level.quantity == 0 else 0
    bit = bit_of(number)
    if (this.chained & bit != 0) | ((made == 0) & (level.key != key)):
        return enter_beside(books, base, number, key)
    if books.levels + made > books.levels_max:
        return -LEVELS_FULL
    level.key = key
    this.bits |= bit
    books.levels += made
    last = level.last
    level.last = number if last == 0 else last  # an empty ring, where never an order was
    return number


@jit.inlined
def leave_level(books: Any, base: int, side: int, number: int) -> None:
    """Give a level back that has no quantity any more; one that has some, stays."""
    level = level_of(books, base, number)
    gone = 1 if level.quantity == 0 else 0
    page = number >> SLOT_BITS
    bit = gone << (_LAST - (number & _LAST))
    if number >= books.extras or page_of(books, base, page).chained & bit != 0:
        if gone == 0:
            return
        state = side_of(books, base, side)
        slot = level.key * state.scale >> state.shift
        page = page_near(books, base, state, side, slot >> SLOT_BITS)
        bit = leave_beside(books, base, page * SLOTS + (slot & _LAST), number)
    this = page_of(books, base, page)
    this.bits &= ~bit
    level.orders &= gone - 1
    books.levels -= gone
    if this.bits == 0:
        remove_page(books, base, page)


@jit.compiled()
def _make_page(books: Any, base: int, state: Any, side: int, number: int) -> int:
    """A new page, linked between its neighbours; 0 when there is no room."""
    page = books.page_free
    if page == 0:
        if books.pages_used == books.pages_max:
            return 0
        books.pages_used += 1
        page = books.page_none + books.pages_used
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
    else:
        state.page = page
        state.number = number
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
def remove_page(books: Any, base: int, page: int) -> None:
    gone = page_of(books, base, page)
    if gone.better != 0:
        page_of(books, base, gone.better).worse = gone.worse
    else:
        state = side_of(books, base, gone.side)
        state.page = gone.worse
        state.number = page_of(books, base, gone.worse).number if gone.worse != 0 else 0
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
