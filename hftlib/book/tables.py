"""The memory of the books: all of every instrument, in a handful of arrays of fixed size.

    books ─ header: what is used of each array, what was impossible, by reason
    book[instrument] ─ what was said of it │ its bid side │ its ask side        128 bytes
      side ─ best level, and the grid of its prices
    pages ─ 32 neighbouring prices of one side: a bit and a level for each      192 bytes
    levels ─ a price: quantity, orders, first and last of its queue              32 bytes
    orders ─ an order in the queue of its level                                  32 bytes
    guests ─ hash of the few orders that are not where their reference says        8 bytes
    places ─ hash: (side, page number) and the page                              16 bytes

Index 0 of pages, levels and orders stands for none, so a new arena of zeros is empty books.

**One code for both sides.** Inside, a price is a *key*: the price for asks, its negative for bids.
Smaller is better on either side.

**Any price is exact.** A side's keys fall on a grid of *slots*, `key * scale >> shift`; the grid
is as fine as the tick, so as a rule a slot has one price. Where a price is off the grid, its slot
holds a short chain of levels, best first (`chains`): slower, and just as right.

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
    32   home_mask        int64  orders with a home, less one: `references.py`
    40   place_mask       int64  entries of `places`, less one
    48   books_at         int64  bytes from this header to each array
    56   orders_at        int64
    64   levels_at        int64
    72   pages_at         int64
    80   guests_at        int64
    88   places_at        int64
    96   chains_at        int64
    104  guests_used      int64  the most there ever were at once
    112  levels_used      int64
    120  pages_used       int64
    128  guest_free       int64  head of the list of free ones
    136  level_free       int64
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
    """,
)
SIDE = record(
    "book side",
    32,
    """
    0   best    int32  level of the best price; 0: the side is empty
    4   page    int32  the page it is in
    8   number  int64  that page's number
    16  key     int64  of the best level; EMPTY without one
    24  levels  int32  how many
    28  scale   uint8  slot = key * scale >> shift
    29  shift   uint8
    """,
)
BOOK = record(
    "book",
    128,
    """
    0    time       int64  of the last event that concerned it
    8    sequence   int64  likewise
    16   last       int64  price of the last trade
    24   last_size  int64
    32   volume     int64  printed today, in lots
    40   state      int64  trading state as last told, 0 untold
    48   stale      int64  0, or the bits why it may be wrong
    56   trades     int64
    64   bid        side
    96   ask        side
    """,
    side=SIDE,
)
PAGE = record(
    "book page",
    192,
    """
    0   bits      int64  bit 31 - slot is set where the slot has a level
    8   chained   int64  likewise, where it has more than one
    16  number    int64  slot numbers >> 5
    24  side      int32  2 * instrument, plus 1 for asks
    28  better    int32  the next page with better prices; 0 none
    32  worse     int32
    64  levels    int32[32]
    """,
)
LEVEL = record(
    "book level",
    32,
    """
    0   key       int64  price of an ask, minus the price of a bid
    8   quantity  int64
    16  first     int32  order at the head of the queue
    20  last      int32
    24  orders    int32
    28  page      int32  when free: the next free one
    """,
)
ORDER = record(
    "book order",
    32,
    """
    0   reference  int64
    8   quantity   int64
    16  level      int32  0: nobody is here
    20  ahead      int32  the order before it in the queue
    24  behind     int32  when a guest's and free: the next free one
    28  side       int32  2 * instrument, plus 1 for asks; above SIDE_MASK, guests sent on
    """,
)
LINK = record("book link", 4, "0 number int32 of a level or an order; 0 none")
PLACE = record("book place", 16, "0 number int64\n8 side int32\n12 page int32 0: free")

LOOK = record(
    "book look",
    64,
    """
    0   price      int64
    8   reference  int64
    16  comes      int64  the reference of the order that comes
    24  slot       int32
    28  order      int32  the order it seems to be about
    32  level      int32
    36  page       int32
    40  side       int32
    44  adds       int32  1: an order comes, 2: another goes for it
    48  guest      int32  1: its home is another's
    """,
)
BATCH = 64
LIVE_MIN = 30_000  # live orders; their memory then outgrows the second-level cache

SLOTS = 32
SLOT_BITS = 5
SIDE_BYTES, BOOK_BYTES, PAGE_BYTES = SIDE.itemsize, BOOK.itemsize, PAGE.itemsize
LEVEL_BYTES, ORDER_BYTES, PLACE_BYTES = LEVEL.itemsize, ORDER.itemsize, PLACE.itemsize
LINK_BYTES, LOOK_BYTES = LINK.itemsize, LOOK.itemsize
BID_AT = field_offset(BOOK, "bid")
PAGE_LEVELS_AT = field_offset(PAGE, "levels")
KEY_MAX, QUANTITY_MAX = 2**56, 2**56
TOTAL_MAX = 2**62  # of a level's quantity or a day's volume: beyond, sums would wrap
EMPTY = 2**62  # worse than any key
GUEST_BITS = 32
SIDE_MASK, SENT_MAX = (1 << 20) - 1, 2046
INSTRUMENTS_MAX = SIDE_MASK >> 1
FIRST_AT, LAST_AT = field_offset(LEVEL, "first"), field_offset(LEVEL, "last")
AHEAD_AT, BEHIND_AT = field_offset(ORDER, "ahead"), field_offset(ORDER, "behind")

_book_at = jit.record_at(BOOK)
_side_at = jit.record_at(SIDE)
_page_at = jit.record_at(PAGE)
_level_at = jit.record_at(LEVEL)
_order_at = jit.record_at(ORDER)
_place_at = jit.record_at(PLACE)
link_at = jit.record_at(LINK)
books_at = jit.record_at(BOOKS)
look_at = jit.record_at(LOOK)


# From a number to its record; the header's `base` is the address all else is counted from.


@jit.inlined
def book_of(books: Any, base: int, instrument: int) -> Any:
    return _book_at(jit.nth(base + books.books_at, instrument, books.instruments, BOOK_BYTES))


@jit.inlined
def side_of(books: Any, base: int, side: int) -> Any:
    return _side_at(side_address(books, base, side))


@jit.inlined
def side_address(books: Any, base: int, side: int) -> int:
    book = jit.nth(base + books.books_at, side >> 1, books.instruments, BOOK_BYTES)
    return book + BID_AT + (side & 1) * SIDE_BYTES


@jit.inlined
def page_of(books: Any, base: int, page: int) -> Any:
    return _page_at(jit.nth(base + books.pages_at, page, books.pages_max + 1, PAGE_BYTES))


@jit.inlined
def level_of(books: Any, base: int, level: int) -> Any:
    return _level_at(level_address(books, base, level))


@jit.inlined
def level_address(books: Any, base: int, level: int) -> int:
    return jit.nth(base + books.levels_at, level, books.levels_max + 1, LEVEL_BYTES)


@jit.inlined
def order_of(books: Any, base: int, order: int) -> Any:
    return _order_at(order_address(books, base, order))


@jit.inlined
def order_address(books: Any, base: int, order: int) -> int:
    count = books.home_mask + 2 + books.orders_max
    return jit.nth(base + books.orders_at, order, count, ORDER_BYTES)


@jit.inlined
def place_of(books: Any, base: int, place: int) -> Any:
    return _place_at(jit.nth(base + books.places_at, place, books.place_mask + 1, PLACE_BYTES))


@jit.inlined
def chain_of(books: Any, base: int, level: int) -> Any:
    """The link from a level to the next one in its slot."""
    return link_at(jit.nth(base + books.chains_at, level, books.levels_max + 1, LINK_BYTES))


@jit.inlined
def slot_of(books: Any, base: int, page: int, slot: int) -> Any:
    """The link from a page's slot to its level. Page 0 is no page, and its slots have none."""
    start = jit.nth(base + books.pages_at, page, books.pages_max + 1, PAGE_BYTES)
    return link_at(jit.nth(start + PAGE_LEVELS_AT, slot, SLOTS, LINK_BYTES))


@jit.inlined
def entry_address(books: Any, base: int, place: int) -> int:
    return jit.nth(base + books.guests_at, place, books.guest_mask + 1, 8)
