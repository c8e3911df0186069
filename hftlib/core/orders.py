"""Orders as every room sees them: what goes to a venue, what comes back, and an order's life.

    strategy ─ intent ─▶ risk ─▶ execution ─ COMMAND ─▶ venue
                                     ▲ EVENT: a report ───┘

A command is one message to a venue. A report is an EVENT like market data, with a kind of its own,
so that one tape, one journal and one tick path hold both. What the fields of a report mean:

    kind             reference  other            side  price        quantity       flags
    ACCEPTED         our order  venue's number   yes   limit        open
    REJECTED         our order  the reason       yes   -            not entered
    FILLED           our order  match number     yes   of the fill  filled         TAKER
    CANCELED         our order  the reason       yes   -            taken off
    REPLACED         our order  venue's number   yes   new limit    now open
    CANCEL_REJECTED  our order  the reason       yes   -            -
    REPLACE_REJECTED our order  the reason       yes   -            -

`time` of a report is the venue's, `received` ours. An order's quantity is all it asks for, filled
part included, in replaces too: a fill that overtakes a replace can then never lead to more than was
asked for.

Worst case: 2**62 orders; a reason beyond the table is refused where it is made.
"""

from __future__ import annotations

from hftlib.core.records import record

COMMAND = record(
    "command",
    64,
    """
    0   time        int64   when it left us: ns since the epoch, UTC
    8   order       int64   our number of the order; the strategy's handle of it
    16  price       int64   limit, in price units; 0 for an order without one
    24  quantity    int64   all it asks for, in lots
    32  display     int64   how much of it shows; 0: all
    40  trigger     int64   the price that wakes a stop
    48  instrument  uint32
    52  what        uint8   NEW, CANCEL, REPLACE
    53  side        uint8   BUY or SELL, as in events
    54  kind        uint8   LIMIT, MARKET, STOP, STOP_LIMIT
    55  lasts       uint8   DAY, IOC, FOK
    56  flags       uint16  POST_ONLY
    58  strategy    uint16  whose it is
    """,
)
COMMAND_BYTES = COMMAND.itemsize

NEW, CANCEL, REPLACE = range(1, 4)
LIMIT, MARKET, STOP, STOP_LIMIT = range(1, 5)
DAY, IOC, FOK = range(1, 4)
POST_ONLY = 1

# Reports: kinds of EVENT, beyond those of market data.
ACCEPTED, REJECTED, FILLED, CANCELED, REPLACED, CANCEL_REJECTED, REPLACE_REJECTED = range(32, 39)
REPORTS = (
    "ACCEPTED",
    "REJECTED",
    "FILLED",
    "CANCELED",
    "REPLACED",
    "CANCEL_REJECTED",
    "REPLACE_REJECTED",
)
TAKER = 1 << 8  # flag of FILLED: our order came to one that stood; without it ours stood

# The life of an order. What was asked of it and is not answered yet stands beside, in `pending`.
FREE, SENT, LIVE, DONE = range(4)
STATES = ("free", "sent", "live", "done")
CANCEL_PENDING, REPLACE_PENDING = 1, 2

# Why an order was refused or ended. Up to OURS it never left us; beyond, the venue said so.
REASONS = (
    (
        "",
        "there is no such instrument",
        "the price is not a number, or beyond what prices can be",
        "the quantity is none",
        "the quantity is above the limit of one order",
        "the position could go above its limit",
        "too many orders are open",
        "too many orders in this span of time",
        "too many commands for one event",
        "no room for another order",
        "there is no such order, or it is done",
        "it is being cancelled or replaced already",
        "no such kind of order",
        "the book is stale",
        "the strategy has been stopped",
        "the value of the order is above the limit",
    )
    + ("",) * 16
    + (
        "asked for",
        "the rest of an order that lasts for the moment only",
        "it could not be filled whole",
        "it would have taken, and may only make",
        "it would have met an order of our own",
        "trading is halted",
        "the venue does not know the order",
        "there was nothing to trade with",
        "no price of the venue's grid",
        "the venue has no room for another order",
        "no such kind of order at the venue",
    )
)
(
    NO_INSTRUMENT,
    NO_PRICE,
    NO_QUANTITY,
    ORDER_TOO_LARGE,
    POSITION_TOO_LARGE,
    TOO_MANY_OPEN,
    TOO_FAST,
    TOO_MANY_AT_ONCE,
    NO_ROOM,
    NO_ORDER,
    BUSY,
    NO_KIND,
    STALE,
    STOPPED,
    VALUE_TOO_LARGE,
) = range(1, 16)
OURS = 31
(
    ASKED,
    MOMENT_OVER,
    NOT_WHOLE,
    WOULD_TAKE,
    SELF_MATCH,
    HALTED,
    UNKNOWN_ORDER,
    NOTHING_THERE,
    OFF_GRID,
    VENUE_FULL,
    VENUE_NO_KIND,
) = range(32, 43)

ORDER = record(
    "order",
    192,
    """
    0    id          int64   our number, counted up from 1; its slot is id & mask
    8    price       int64   limit as last acknowledged; 0 without one
    16   quantity    int64   all it asks for, in lots
    24   filled      int64
    32   value       int64   sum of fill price times fill quantity
    40   wanted_price     int64  of the replace that is pending
    48   wanted_quantity  int64
    56   sent        int64   when it left us, ns
    64   accepted    int64   when its acceptance reached us; 0 not yet
    72   done        int64   when its end reached us; 0 not yet
    80   venue_accepted  int64  when the venue accepted it
    88   venue_number    int64  the venue's own number for it
    96   twice_mid   int64   best bid plus best ask as we saw them when it was sent
    104  display     int64
    112  trigger     int64
    120  fees        int64   money paid, rebates negative
    128  reason      int64   why it ended or was refused, 0 while it lives or when filled
    136  replaces    int64   how often it was replaced
    144  instrument  uint32
    148  strategy    uint16
    150  side        uint8
    151  kind        uint8
    152  lasts       uint8
    153  state       uint8   FREE, SENT, LIVE, DONE
    154  pending     uint8   CANCEL_PENDING, REPLACE_PENDING
    155  role        uint8   0 free, 1 the quote's bid, 2 the quote's ask
    156  flags       uint16
    160  next        int64   slot of the next open order of its instrument; 0 none
    168  before      int64   slot of the one before
    """,
)
ORDER_BYTES = ORDER.itemsize

FILL = record(
    "fill",
    128,
    """
    0    number      int64   counted up from 1
    8    order       int64   our number of the order
    16   time        int64   the venue's time, ns
    24   received    int64   when it reached us
    32   price       int64
    40   quantity    int64
    48   fee         int64   money paid for it; a rebate is negative
    56   twice_mid   int64   best bid plus best ask at the venue just before; NO_PRICE unknown
    64   position    int64   after it, in lots
    72   cash        int64   after it, fees not counted
    80   sent_mid    int64   twice the middle as we saw it when the order was sent
    88   entered     int64   when the order got its place in the queue, the venue's time
    96   match       int64   the venue's number of the trade
    104  instrument  uint32
    108  side        uint8
    109  taker       uint8   1: it took, 0: it stood
    110  strategy    uint16
    """,
)
FILL_BYTES = FILL.itemsize
