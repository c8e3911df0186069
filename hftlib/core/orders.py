"""Orders as every room sees them: what goes to a venue, what comes back, and an order's states.

    strategy ─ intent ─▶ risk ─▶ execution ─ COMMAND ─▶ venue
                                     ▲ EVENT: a report ───┘

A command is one message to a venue. A report is an EVENT like market data, with a kind of its own,
so that one tape, one journal and one tick path hold both. What the fields of a report mean:

    kind             reference  other            side  price        quantity          flags
    ACCEPTED         our order  venue's number   yes   limit        open
    REJECTED         our order  the reason       yes   -            not entered
    FILLED           our order  match number     yes   of the fill  filled            TAKER
    CANCELED         our order  the reason       yes   -            taken off, 0 untold
    REPLACED         our order  venue's number   yes   new limit    now open
    CANCEL_REJECTED  our order  the reason       yes   -            -
    REPLACE_REJECTED our order  the reason       yes   -            -
    EXPIRED          our order  the reason       yes   -            taken off, 0 untold
    BROKEN           our order  match number     yes   -            -
    RESTATED         our order  the reason       yes   limit now    asked for in all now
    LOST             our order  -                -     -            -
    DISCONNECTED     -          -                -     -            -
    RECONCILED       our order  filled in all    -     limit now    open now, 0: it is over

The last three are no venue's words: a gateway says that the fate of an order, or of all of an
instrument (ALL: of every one), is not known; a reconciliation says what it found. `time` of a
report is the venue's, `received` ours, `sequence` counts a venue's reports; 0 counts nothing.
An order's quantity is all it asks for, filled part included, in replaces and restatements too: a
fill that overtakes them can then never lead to more than was asked for. What each report makes of
an order in each state: `docs/orders.md`, from `hftlib/execution/table.py`.

Worst case: 2**62 orders; a reason beyond the table is refused where it is made.
"""

from __future__ import annotations

from hftlib.core.reasons import REASONS as REASONS
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
EXPIRED, BROKEN, RESTATED, LOST, DISCONNECTED, RECONCILED = range(39, 45)
REPORTS = (
    *("ACCEPTED", "REJECTED", "FILLED", "CANCELED", "REPLACED", "CANCEL_REJECTED"),
    *("REPLACE_REJECTED", "EXPIRED", "BROKEN", "RESTATED", "LOST", "DISCONNECTED", "RECONCILED"),
)
TAKER = 1 << 8  # flag of FILLED: our order came to one that stood; without it ours stood

# The states of an order; those from OVER on are ends. HELD: it counts, but has not left us.
FREE, HELD, PENDING_NEW, LIVE, PARTLY_FILLED, PENDING_REPLACE, PENDING_CANCEL = range(7)
UNKNOWN = 7  # what became of it is not known: it counts with all it may come to
ENDING = 8  # the venue ended it, and fills from before are still to be told
FILLED_WHOLE, WAS_CANCELED, WAS_REJECTED, WAS_EXPIRED, WAS_REFUSED = range(9, 14)
OVER = FILLED_WHOLE
STATES = (
    *("free", "held", "pending new", "live", "partly filled", "pending replace", "pending cancel"),
    *("unknown", "ending", "filled", "canceled", "rejected", "expired", "refused"),
)
# What was asked and is not answered yet, as bits of `pending`: more than one may be.
CANCEL_PENDING, REPLACE_PENDING, NEW_PENDING = 1, 2, 4

# Why an order was refused or ended, as places in REASONS. Up to OURS it never left us.
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
    OUTSIDE_COLLAR,
    MOVED_TOO_FAR,
    TOO_MANY_ORDERS,
    TOO_MANY_REPLACES,
    TOO_MANY_EXECUTIONS,
    DUPLICATE,
    POSITION_VALUE_TOO_LARGE,
    GROSS_TOO_LARGE,
    NET_TOO_LARGE,
    CAPITAL_TOO_LARGE,
    ABOVE_PARENT,
    RESTRICTED,
    NO_SHORT,
    NOT_TRADING,
    OUTSIDE_BANDS,
    OWN_ORDER,
    CROSSED,
    CLOCKS_DISAGREE,
    RISK_TOO_LARGE,
    REDUCING_ONLY,
    TRADING_HALTED,
    PRICE_NOT_POSITIVE,
    PACED,
    LOSS,
    DRAWDOWN,
    TRADE_LOSS,
    SLIPPAGE,
    FILL_RATE,
    REJECT_RATE,
    MESSAGE_RATE,
    VOLATILITY,
    BY_PERSON,
    BY_WATCHDOG,
    CUT_OFF,
    NOT_LAUNCHED,
    NO_VALUE,
    BY_RECOVERY,
    FLATTENING,
) = range(1, 54)
# Of parent orders (`hftlib.core.parents`).
NO_DURATION, NO_CURVE, NO_RATE, NO_DISPLAY, NO_PARENT, NO_SETTING, NOT_RUNNING = range(56, 63)
OURS = 63
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
    TIME_OVER,
    FOUND_OVER,
    VENUE_DECIDED,
) = range(64, 78)
# Those of ours with a limit behind them: the order bears it, and what was beyond it.
WITH_LIMIT = (
    *(ORDER_TOO_LARGE, POSITION_TOO_LARGE, TOO_MANY_OPEN, TOO_FAST, VALUE_TOO_LARGE, STALE),
    *(OUTSIDE_COLLAR, MOVED_TOO_FAR, TOO_MANY_ORDERS, TOO_MANY_REPLACES, TOO_MANY_EXECUTIONS),
    *(DUPLICATE, POSITION_VALUE_TOO_LARGE, GROSS_TOO_LARGE, NET_TOO_LARGE, CAPITAL_TOO_LARGE),
    *(ABOVE_PARENT, OUTSIDE_BANDS, CLOCKS_DISAGREE, RISK_TOO_LARGE, PACED),
)

ORDER = record(
    "order",
    256,
    """
    0    id          int64   our number, counted up from 1; its slot is id & mask
    8    price       int64   limit as last acknowledged; 0 without one
    16   quantity    int64   all it asks for, in lots
    24   filled      int64
    32   value       int64   sum of fill price times fill quantity
    40   wanted_price     int64  of the replace that is pending
    48   wanted_quantity  int64
    56   sent        int64   when it left us, ns; 0 not yet
    64   accepted    int64   when its acceptance reached us; 0 not yet
    72   done        int64   when its end reached us; 0 not yet
    80   venue_accepted  int64  when the venue accepted it
    88   venue_number    int64  the venue's own number for it, the last it said
    96   twice_mid   int64   best bid plus best ask as we saw them when it was sent
    104  display     int64
    112  trigger     int64
    120  fees        int64   money paid, rebates negative
    128  reason      int64   why it ended or was refused, 0 while it lives or when filled
    136  replaces    int32   how often it was replaced
    140  level       int32   of the limit that refused it: 1 instrument to 4 firm; 0 no limit
    144  instrument  uint32
    148  strategy    uint16
    150  side        uint8
    151  kind        uint8
    152  lasts       uint8
    153  state       uint8   one of STATES
    154  pending     uint8   CANCEL_PENDING, REPLACE_PENDING, NEW_PENDING
    155  role        uint8   0 free, 1 the quote's bid, 2 the quote's ask
    156  flags       uint16
    158  parent      uint16  the parent order it is a child of; 0 none
    160  next        int64   slot of the next open order of its instrument; 0 none
    168  before      int64   slot of the one before
    176  limit       int64   the limit that refused it, in the unit of its reason
    184  seen        int64   the value that was beyond it
    192  taken_off   int64   what the venue took off at its end, while fills are still to be told
    200  answered    int64   number of the report that answered its last replace
    208  stated      int64   number of the report that last said its price and quantity
    216  kept        int64   number of the report that last refused to cancel it
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
    112  ahead       int64   lots before it as it got its place in the queue; of one that took, 0
    120  asked       int64   when we had asked to cancel it; minus that: to replace it; 0: neither
    """,
)
FILL_BYTES = FILL.itemsize
