"""The memory of a venue: our own orders there, what we consumed of others, reports that wait.

    venue ─ header: where all else lies, counts
    listings[instrument] ─ queue rule, tick, and the heads of four lists           128 bytes
      buys, sells ─ our standing orders, best price first, then first come         ┐ linked
      buy stops, sell stops ─ our waiting ones, the next to wake first             ┘ orders
    own[1 + place of id] ─ an order of ours                                         128 bytes
    takens ─ sets of four: an order or a level of others, and how much we took of it 48 bytes
    reports ─ what waits for whoever drives the venue                                96 bytes
    impacts[instrument] ─ what our taking did to prices (`impact.py`)
    books, ... ─ the venue's books, with our orders in them where the rule is FIFO

Order 0 stands for none. Inside, a price is a *key*, as in books: the price for sells, its negative
for buys; smaller is better. A stop's key is such that the smallest wakes first.

Our order numbered `id` lives in a place of its own, the low bits of its id among the places of its
strategy (`hftlib.core.numbers`). Worst case: an order whose place is still taken by one `own_each`
ids older is refused for lack of room. A new order
walks the list of its side to find its place there, so a flood of n orders costs n*n steps.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import EVENT
from hftlib.core.numbers import place_of
from hftlib.core.records import field_offset, record

VENUE = record(
    "venue",
    256,
    """
    0    instruments    int64
    8    own_max        int64  a power of two
    16   taken_sets     int64  likewise
    24   reports_max    int64
    32   books_at       int64  bytes from this header to each array
    40   listings_at    int64
    48   own_at         int64
    56   takens_at      int64
    64   reports_at     int64
    72   impacts_at     int64
    80   event_at       int64  to an event of our own, where one is made smaller
    88   reports_used   int64  how many wait; whoever takes them sets it to 0
    96   reports        int64  ever made
    104  reports_lost   int64  for which there was no room: the run is worth nothing
    112  live           int64  our orders, standing or waiting
    120  number         int64  the venue's number of the last order
    128  match          int64  the number of the last trade of ours
    136  partial_fills  int64  0: an order fills whole or not at all
    144  self_match     int64  CANCEL_NEWEST, CANCEL_OLDEST, CANCEL_BOTH
    152  consumed       int64  lots that history spoke of and we had taken before
    160  forgotten      int64  times that the memory of what we took was full
    168  foreign        int64  events with a reference from the range of ours: left out
    176  commanded      int64  when the last command arrived
    184  own_each       int64  places for the orders of one strategy, a power of two
    192  call_fill      int64  addresses of functions: `doors.py`
    200  call_end       int64
    208  call_place     int64
    216  call_trade     int64
    224  call_apply     int64
    232  call_busy      int64
    240  call_all       int64
    248  call_fifo      int64
    """,
)
LISTING = record(
    "listing",
    128,
    """
    0   first     int32[4]  heads of the lists: buys, sells, buy stops, sell stops
    16  last      int32[4]
    32  busy      int64     our orders and what we remember of others: 0, events go straight
    40  rule      int64     AUTO, FIFO, RISK_AVERSE, POWER, LOG, PRO_RATA
    48  power     int64     of POWER
    56  tick      int64
    64  shift     int64     against us, added to prices at which we take
    72  impact    int64     1: the impact model gives the shift
    80  quoted    int32     1 once a QUOTE came: what is behind the best is unknown
    84  by_order  int32     1 once an event spoke of an order by name
    88  live      int64
    96  best      int64[2]  keys of our standing buys and sells; NO_LIMIT without one
    112 worst     int64[2]  likewise; -NO_LIMIT
    """,
)
OWN = record(
    "own order",
    128,
    """
    0    id        int64    our number of it
    8    price     int64    limit; 0 without one
    16   quantity  int64    all it asks for
    24   filled    int64
    32   display   int64    how much shows at most; 0: all
    40   shown     int64    what stands in the queue now
    48   trigger   int64
    56   key       int64    its order in its list
    64   entered   int64    when it got its place
    72   ahead     float64  by estimate, where the rule is not FIFO
    80   placed    int64    quantity ahead when it got its place
    88   printed   int64    traded at its price since the level last changed
    96   number    int64    the venue's number for it
    104  instrument uint32
    108  side      uint8
    109  kind      uint8    what it is now: a stop that woke is a MARKET or a LIMIT
    110  lasts     uint8
    111  state     uint8    FREE, COMING, STANDING, WAITING
    112  flags     uint16
    114  strategy  uint16
    116  unseen    uint8    1: what stands at its price is not known
    120  next      int32    in its list
    124  before    int32
    """,
)
TAKEN = record(
    "taken",
    48,
    """
    0   reference  int64  the order's, or the level's price
    8   place      int64  4 * instrument + OF_ORDER, OF_BIDS or OF_ASKS; 0: free
    16  quantity   int64  how much we took
    24  told       int64  of a level feed: what then stood there; -1: history will name the shares
    32  time       int64  when we last took
    """,
)
REPORT = record(
    "report",
    96,
    """
    0   event      event  the report itself
    64  twice_mid  int64  the venue's best bid plus best ask before it; NO_PRICE unknown
    72  entered    int64  when the order got its place in the queue
    80  ahead      int64  quantity ahead when it got it
    88  strategy   int64  whose order it is
    """,
    event=EVENT,
)
VENUE_BYTES, LISTING_BYTES, OWN_BYTES = VENUE.itemsize, LISTING.itemsize, OWN.itemsize
TAKEN_BYTES, REPORT_BYTES = TAKEN.itemsize, REPORT.itemsize
FIRST_AT, LAST_AT = field_offset(LISTING, "first"), field_offset(LISTING, "last")

AUTO, FIFO, RISK_AVERSE, POWER, LOG, PRO_RATA = range(6)
CANCEL_NEWEST, CANCEL_OLDEST, CANCEL_BOTH = range(3)
FREE, COMING, STANDING, WAITING = range(4)
OF_ORDER, OF_BIDS, OF_ASKS = 1, 2, 3
WAYS = 4
OWN_REFERENCE = 2**62  # our order in the venue's books: this plus its id
ID_MAX = 2**61
NO_LIMIT = 2**62  # a key worse than any

_ITEM = record("own link", 4, "0 number int32 of an order of ours; 0 none")
venue_at = jit.record_at(VENUE)
event_at = jit.record_at(EVENT)
report_at = jit.record_at(REPORT)
_link_at = jit.record_at(_ITEM)
listing_of, listing_address = jit.rows(venue_at, LISTING, "listings_at", "instruments")
own_of, _ = jit.rows(venue_at, OWN, "own_at", "own_max", 1)
_taken_at = jit.record_at(TAKEN)


@jit.inlined
def taken_of(address: int, place: int) -> Any:
    venue = venue_at(address)
    count = venue.taken_sets * WAYS
    return _taken_at(jit.nth(address + venue.takens_at, place, count, TAKEN_BYTES))


@jit.inlined
def own_number(venue: Any, order_id: int) -> int:
    """The place of our order of this id, whoever is there now."""
    return 1 + place_of(order_id, venue.own_each, venue.own_max - 1)


@jit.inlined
def first_link(address: int, instrument: int, which: int) -> Any:
    return _link_at(jit.nth(listing_address(address, instrument) + FIRST_AT, which, 4, 4))


@jit.inlined
def last_link(address: int, instrument: int, which: int) -> Any:
    return _link_at(jit.nth(listing_address(address, instrument) + LAST_AT, which, 4, 4))


@jit.inlined
def key_of(side: int, price: int) -> int:
    """The price as a key of its side, 1 buy or 2 sell."""
    return price if side == 2 else -price
