"""The memory of the matching engine: ladders of the book room, and what an exchange knows more.

    engine ─ header: capacities, counts, the next numbers, what is still to be settled   512 bytes
    books, pages, levels, orders ─ `hftlib.book`, six books for each symbol              32 bytes
      SHOWN   what the public sees                 STOP   waiting for a trade
      HIDDEN  behind it at the same price          HELD   waiting for a cross, a row for each kind
    owns[order]     ─ what an order is: owner, terms, what it executed                    128 bytes
    names           ─ hash: (session, the owner's number) to the order                      8 bytes
    symbols, sessions, firms ─ state, counts, heads of lists
    heap            ─ orders that end at a time, the earliest first                         4 bytes
    free            ─ orders that are over, their places to be used again                   4 bytes
    trades          ─ the last ones, for those that are broken                             64 bytes
    reports         ─ what was said and nobody has taken yet                              128 bytes

Order 0 stands for none; order n is in the books' order `order_first + n`, so one number serves
both. `base` is the address of the books' header, which lies right behind the engine's own: the
ladders take it as it is. Numbers of places, never pointers: a copy of the arena is the engine.

An order stands in one queue at most. A reserve order's part on show stands in SHOWN; when it is
used up the rest stands at the end of HIDDEN until the command is over, and shows its next part
then: so no command says more than a few reports for each order there is.

Worst case: every array has its capacity, and a command that finds one full is refused.
"""

from __future__ import annotations

from typing import Any

from hftlib.book.tables import order_of
from hftlib.core import jit
from hftlib.core.records import field_offset, record
from hftlib.venue.matching.records import BUY, MARKET, REPORT

ENGINE = record(
    "matching engine",
    512,
    """
    0    symbols       int64  capacity of each array
    8    orders_max    int64
    16   sessions      int64
    24   firms         int64
    32   trade_mask    int64  trades kept, less one
    40   name_mask     int64
    48   reports_max   int64
    56   reports_room  int64  more than one step can say
    64   symbols_at    int64  bytes from `base` to each array
    72   sessions_at   int64
    80   firms_at      int64
    88   owns_at       int64
    96   trades_at     int64
    104  reports_at    int64
    112  names_at      int64
    120  heap_at       int64
    128  curve_at      int64
    136  curve_max     int64
    144  order_first   int64  the books' number of order 0
    152  reports_used  int64  not taken yet
    160  reports       int64  ever
    168  time          int64
    176  number        int64  the last order number given
    184  match         int64  the last match number
    192  commands      int64  ever
    200  ignored       int64  those whose number was used before
    208  live          int64  orders
    216  free          int64  how many lie in `free`, the last one to be taken next
    224  used          int64  orders ever in use at once
    232  unsettled     int64  first symbol with something still to do, plus 1
    240  refresh_first int64  reserve orders to show their next part
    248  refresh_last  int64
    256  cursor        int64  the next peg to come back
    264  heap_used     int64
    272  next_expiry   int64  when the earliest is over; NEVER
    280  unsettled_last int64
    288  answer_price  int64  of the last question what a cross would do
    296  answer_volume int64
    304  answer_surplus int64 bought less sold at that price
    312  scan_left     int64  of the last question what an order could take
    320  scan_done     int64
    328  scan_over     int64
    336  refused       int64  commands refused, ever
    344  free_at       int64
    """,
)
SYMBOL = record(
    "matching symbol",
    256,
    """
    0    name        int64   eight characters, big-endian
    8    tick        int64   of prices from 1.00 on
    16   small_tick  int64   of prices below
    24   state       int64
    32   last        int64   price of the last trade; 0 none
    40   high        int64   since stops were last looked at
    48   low         int64
    56   upper       int64   of the bands
    64   lower       int64
    72   reference   int64   of crosses
    80   volume      int64
    88   trades      int64
    96   watched     int64   stops and pegs: 0, nothing to settle
    104  unsettled   int64   1: in the list of those
    112  next        int64   in that list, plus 1; 0 none
    120  peg_first   int64   pegs, the longest there first
    128  peg_last    int64
    136  peg_bid     int64   what they were last priced by; 0 none
    144  peg_ask     int64
    152  pegging     int64   the state they were last priced in
    """,
)
SESSION = record(
    "matching session",
    32,
    """
    0   urn    int64  the last number it used
    8   first  int64  its orders: who got a place last stands last
    16  last   int64
    """,
)
FIRM = record("matching firm", 8, "0 disabled int64  1: it may not enter orders")
OWN = record(
    "matching order",
    128,
    """
    0    number     int64   the engine's number, new whenever it gets a new place
    8    price      int64   where it stands; of a peg, where it was last
    16   reserve    int64   beyond what stands in its queue
    24   executed   int64
    32   urn        uint32
    36   session    uint32
    40   symbol     uint32
    44   firm       uint16
    46   group      uint16
    48   side       uint8   from urn to here as in a report, so a few words copy it
    49   style      uint8
    50   lasts      uint8
    51   shows      uint8
    52   capacity   uint8
    53   sweep      uint8
    54   cross      uint8
    55   prevention uint8
    56   place      uint8   NOWHERE and the others below
    57   refreshing uint8   1: in the list of those to be refreshed
    64   limit      int64   as its owner gave it; MARKET
    72   trigger    int64
    80   offset     int64
    88   expire     int64
    96   display    int32   how much of it shows at a time; 0: all
    100  heap       int32   its place in the heap, plus 1; 0: not there
    104  before     int32   in the list of its session
    108  after      int32
    112  peg_before int32   in the list of pegs of its symbol
    116  peg_after  int32
    120  refresh    int32   the next one of those to be refreshed
    124  admitted   int32   1: it has a name, and is in its session's list
    """,
)
TRADED = record(
    "matching trade",
    64,
    """
    0   match    int64   0: none yet
    8   price    int64
    16  quantity int64
    24  order    int64   the number of the one that stood
    32  urn      uint32  of the one that stood
    36  session  uint32
    40  urn_taker uint32
    44  session_taker uint32
    48  symbol   uint32
    52  firm     uint16
    54  firm_taker uint16
    56  side     uint8
    57  side_taker uint8
    58  broken   uint8
    59  public   uint8      the letter it was told by
    """,
)
CURVE = record("matching curve", 24, "0 price int64\n8 bought int64\n16 sold int64")
ENGINE_BYTES = ENGINE.itemsize
OWN_WORDS_AT, REPORT_WORDS_AT = field_offset(OWN, "urn"), field_offset(REPORT, "urn")

ROWS = 6
SHOWN_ROW, HIDDEN_ROW, STOP_ROW, HELD_ROW = range(4)  # HELD_ROW + cross - 1
NOWHERE, IN_SHOWN, IN_HIDDEN, STOPPED, HELD, PARKED, MOVING, OVER = range(8)
NEVER = 2**62
DOLLAR = 10_000

engine_at = jit.record_at(ENGINE)
report_at = jit.record_at(REPORT)


@jit.inlined
def engine_of(base: int) -> Any:
    """The engine's header, in front of the books' own."""
    return engine_at(base - ENGINE_BYTES)


symbol_of, _ = jit.rows(engine_of, SYMBOL, "symbols_at", "symbols")
session_of, _ = jit.rows(engine_of, SESSION, "sessions_at", "sessions", 1)
firm_of, _ = jit.rows(engine_of, FIRM, "firms_at", "firms", 1)
own_of, own_address = jit.rows(engine_of, OWN, "owns_at", "orders_max", 1)
trade_of, _ = jit.rows(engine_of, TRADED, "trades_at", "trade_mask", 1)
_, report_address = jit.rows(engine_of, REPORT, "reports_at", "reports_max")
curve_of, _ = jit.rows(engine_of, CURVE, "curve_at", "curve_max")


@jit.inlined
def queued_of(books: Any, base: int, n: int) -> Any:
    """Order n as it stands in its queue: quantity, neighbours, level."""
    return order_of(books, base, engine_of(base).order_first + n)


@jit.inlined
def row_side(base: int, row: int, symbol: int, side: int) -> int:
    """The ladder's number of a side: BUY is even, all sells are odd."""
    return 2 * (row * engine_of(base).symbols + symbol) + (1 if side != BUY else 0)


@jit.inlined
def key_of(side: int, price: int) -> int:
    """Smaller is better on either side; a market order is better than any."""
    if side == BUY:
        return -price
    return price if price != MARKET else 0


@jit.inlined
def price_of(ladder: int, key: int) -> int:
    """The price of a level of this ladder."""
    return key if ladder & 1 else -key


@jit.inlined
def tick_at(symbol: Any, price: int) -> int:
    return symbol.tick if price >= DOLLAR else symbol.small_tick
