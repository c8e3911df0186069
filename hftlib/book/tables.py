"""The memory of the books: all of every instrument, in a handful of arrays of fixed size.

    books ─ header: what is used of each array, what was impossible, by reason
    book[instrument] ─ its bid side │ its ask side │ what was said of it        128 bytes
      side ─ the page of its best price, and the grid of its prices
    pages ─ 32 neighbouring prices of one side: a bit for each                   32 bytes
    levels ─ a price: quantity, orders, first and last of its queue              32 bytes
    orders ─ an order in the queue of its level                                  32 bytes
    guests ─ hash of the few orders that are not where their reference says        8 bytes
    places ─ hash: (side, page number) and the page                              16 bytes

**A number is a place.** Orders and levels are numbered by where they lie, in units of 32 bytes from
the header, so a number becomes an address without a look at anything, and a queue is a ring in
which the level stands between the last order and the first. 0 stands for none, and a new arena of
zeros is empty books.

**A level has its place from the start.** Slot s of page p is level 32 p + s, whether anything
stands there or not: who knows the page knows the level, and a level comes and goes by its bit
alone. It is there as long as its quantity is not 0. Pages are counted from `page_none` on.

**One code for both sides.** Inside, a price is a *key*: the price for asks, its negative for bids.
Smaller is better on either side.

**Any price is exact.** A side's keys fall on a grid of *slots*, `key * scale >> shift`; the grid
is as fine as the tick, so as a rule a slot has one price. Where a price is off the grid, further
levels of its slot stand behind all pages, in a short chain (`beside`): slower, and just as right.

Worst case: every array has its capacity, and when one is full the input is counted (`*_FULL`) and
its book marked stale. A book whose levels lie scattered over n pages walks up to n pages when it
opens a new one.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.records import field_offset, record

REASONS = (
    "",
    "no such order",
    "an order of this reference is there already",
    "more taken off than was there",
    "a quantity that is none",
    "a price beyond what the books hold",
    "no side where one is needed",
    "no such instrument",
    "the order belongs to another instrument",
    "no room for another order",
    "no room for another price level",
    "no room for another page of prices",
    "more taken off a level than it has without names",
)
NO_ORDER, DOUBLE_ORDER, TOO_MUCH, NO_QUANTITY, WRONG_PRICE, NO_SIDE = range(1, 7)
NO_INSTRUMENT, OTHER_INSTRUMENT, ORDERS_FULL, LEVELS_FULL, PAGES_FULL, TOO_MUCH_LEVEL = range(7, 13)

# Why a book is stale, as bits.
STALE_GAP, STALE_FULL, STALE_UNREAD = 1, 2, 4

BOOKS = record(
    "books",
    384,
    """
    0    instruments      int64  capacity of each array
    8    orders_max       int64
    16   levels_max       int64
    24   pages_max        int64
    32   home_mask        int64  homes, less one: `references.py`
    40   place_mask       int64  entries of `places`, less one
    48   books_at         int64  bytes from this header to each array
    56   homes            int64  the first order: the home of reference 0
    64   strangers        int64  the first order without a home: a guest
    72   pages_at         int64  to where page 0 would be, if there was one
    80   guests_at        int64
    88   places_at        int64
    96   extras           int64  the first level behind those of the pages
    104  guests_used      int64  the most there ever were at once
    112  extras_used      int64
    120  pages_used       int64
    128  guest_free       int64  head of the list of free ones
    136  extra_free       int64
    144  page_free        int64
    152  orders           int64  live now
    160  levels           int64
    168  pages            int64
    176  events           int64  ever applied
    184  looks_at         int64  bytes from this header to what bulk.py notes
    192  impossible       int64[16]  how often, by reason
    320  guest_mask       int64  entries of `guests`, less one
    328  orders_most      int64  live at once, as far as `apply_events` has looked
    336  guests           int64  live now
    344  levels_most      int64  as orders_most
    352  page_none        int64  a page without levels, and the first of all
    360  units            int64  of 32 bytes, from this header to the end
    368  look_from        int64  live orders from which on bulk.py looks ahead
    """,
)
SIDE = record(
    "book side",
    16,
    """
    0   number  int64  of the page with the best price
    8   page    int32  that page; 0: the side is empty
    12  scale   uint8  slot = key * scale >> shift
    13  shift   uint8
    """,
)
BOOK = record(
    "book",
    128,
    """
    0    time       int64  of the last event that concerned it
    8    sequence   int64  likewise
    16   bid        side
    32   ask        side
    48   last       int64  price of the last trade
    56   last_size  int64
    64   volume     int64  printed today, in lots
    72   state      int64  trading state as last told, 0 untold
    80   stale      int64  0, or the bits why it may be wrong
    88   trades     int64
    """,
    side=SIDE,
)
PAGE = record(
    "book page",
    32,
    """
    0   bits      uint32  bit 31 - slot is set where the slot has a level
    4   chained   uint32  likewise, where it has levels behind all pages
    8   number    int64   slot numbers >> 5
    16  side      int32   2 * instrument, plus 1 for asks
    20  better    int32   the next page with better prices; 0 none
    24  worse     int32
    """,
)
LEVEL = record(
    "book level",
    32,
    """
    0   key       int64  price of an ask, minus the price of a bid
    8   quantity  int64
    16  orders    int32
    20  last      int32  order of the queue; the level itself: none
    24  first     int32  likewise; both where an order has its neighbours
    28  beside    int32  another one of its slot; when free: the next free one
    """,
)
ORDER = record(
    "book order",
    32,
    """
    0   reference  int64
    8   quantity   int64
    16  level      int32  0: nobody is here
    20  ahead      int32  the order before it in the queue; at the head, the level
    24  behind     int32  at the end, the level; when a guest's and free: the next free one
    28  side       int32  2 * instrument, plus 1 for asks; above SIDE_MASK, guests sent on
    """,
)
PLACE = record("book place", 16, "0 number int64\n8 side int32\n12 page int32 0: free")

LOOK = record(
    "book look",
    8,
    """
    0   level      int32  where an order comes
    4   guest      int32  where the order is one; first 1, then the order
    """,
)
BATCH = 64
LIVE_MIN = 30_000  # live orders; their memory then outgrows the second-level cache

SLOTS = 32
SLOT_BITS = 5
SIDE_BYTES, BOOK_BYTES, PAGE_BYTES = SIDE.itemsize, BOOK.itemsize, PAGE.itemsize
LEVEL_BYTES, ORDER_BYTES, PLACE_BYTES = LEVEL.itemsize, ORDER.itemsize, PLACE.itemsize
LOOK_BYTES = LOOK.itemsize
BID_AT = field_offset(BOOK, "bid")
KEY_MAX, QUANTITY_MAX = 2**56, 2**56
TOTAL_MAX = 2**62  # of a level's quantity or a day's volume: beyond, sums would wrap
WORST = 2**62  # than any key
GUEST_BITS = 32
SIDE_MASK, SENT_MAX = (1 << 20) - 1, 2046
INSTRUMENTS_MAX = SIDE_MASK >> 1
UNIT_BYTES, UNITS_MAX = 32, 2**31

book_at = jit.record_at(BOOK)
_side_at = jit.record_at(SIDE)
_page_at = jit.record_at(PAGE)
_level_at = jit.record_at(LEVEL)
_order_at = jit.record_at(ORDER)
_place_at = jit.record_at(PLACE)
books_at = jit.record_at(BOOKS)
look_at = jit.record_at(LOOK)


# From a number to its record; the header's `base` is the address all else is counted from.


@jit.inlined
def book_of(books: Any, base: int, instrument: int) -> Any:
    return book_at(book_address(books, base, instrument))


@jit.inlined
def book_address(books: Any, base: int, instrument: int) -> int:
    return jit.nth(base + books.books_at, instrument, books.instruments, BOOK_BYTES)


@jit.inlined
def side_of(books: Any, base: int, side: int) -> Any:
    return side_in(book_address(books, base, side >> 1), side)


@jit.inlined
def side_in(book: int, side: int) -> Any:
    """The same, where the address of its book is known."""
    return _side_at(book + BID_AT + (side & 1) * SIDE_BYTES)


@jit.inlined
def page_of(books: Any, base: int, page: int) -> Any:
    return _page_at(page_address(books, base, page))


@jit.inlined
def page_address(books: Any, base: int, page: int) -> int:
    first = base + books.pages_at + books.page_none * PAGE_BYTES
    return jit.nth(first, page - books.page_none, books.pages_max + 1, PAGE_BYTES)


@jit.inlined
def level_of(books: Any, base: int, level: int) -> Any:
    return _level_at(level_address(books, base, level))


@jit.inlined
def level_address(books: Any, base: int, level: int) -> int:
    return jit.nth(base, level, books.units, UNIT_BYTES)


@jit.inlined
def order_of(books: Any, base: int, order: int) -> Any:
    return _order_at(order_address(books, base, order))


@jit.inlined
def order_address(books: Any, base: int, order: int) -> int:
    return jit.nth(base, order, books.units, UNIT_BYTES)


@jit.inlined
def place_of(books: Any, base: int, place: int) -> Any:
    return _place_at(jit.nth(base + books.places_at, place, books.place_mask + 1, PLACE_BYTES))


@jit.inlined
def entry_address(books: Any, base: int, place: int) -> int:
    return jit.nth(base + books.guests_at, place, books.guest_mask + 1, 8)
