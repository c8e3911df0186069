"""What a compiled strategy and the engine agree on: records, callbacks, and a table of services.

    engine ── entry(what, state, context, instrument, argument) ──▶ strategy
    engine ◀── services[n](context, ...) ────────────────────────── strategy

A strategy's machine code holds no address and calls nothing by name: whatever it wants of the
engine it finds in the table of services in its context. So the engine is compiled once, a strategy
for itself, and either can be put into another process as object code.

    context ─ time, what it may reach │ the services' addresses
      markets[instrument]    what it reads of a book; kept up to date before each callback
      positions[instrument]  what it holds there, and its open orders
      orders[id & mask]      its orders (`hftlib.core.orders`)
    state ─ a header, then the class's own parameters and fields

Markets and positions have one row more than there are instruments: compiled code sends an
instrument out of range there and notes it (`wrong_instrument`), so nothing is overwritten.

Worst case: a strategy built for another version of these records would read nonsense; `ABI` is the
number of this version, and whoever loads object code compares it.
"""

from __future__ import annotations

from hftlib.core.positions import POSITION, POSITION_BYTES
from hftlib.core.records import record

__all__ = ["POSITION", "POSITION_BYTES"]

ABI = 3

# What the engine calls a strategy for: the first argument of its entry.
CALLBACKS = (
    "on_start",
    "on_book",
    "on_trade",
    "on_order",
    "on_fill",
    "on_timer",
    "on_halt",
    "on_stop",
)
ON_START, ON_BOOK, ON_TRADE, ON_ORDER, ON_FILL, ON_TIMER, ON_HALT, ON_STOP = range(8)
# (what, state's address, context's address, instrument, argument); the argument is the address of
# a TRADE, an ORDER or a FILL, or the number of a timer. 0, or the address of numba's account of
# the exception that ended the call; uncompiled, 1, and the exception waits in Python.
ENTRY = "int64(int64, int64, int64, int64, int64)"

STATE = record(
    "strategy state",
    64,
    """
    0   steps_left  int64  how many loop steps the callback may still take
    8   steps_max   int64  what it is given for each callback
    16  calls       int64  callbacks so far
    24  faults      int64  1 once a callback ended with an exception
    32  fault       int64  what the entry answered then
    40  faulty_call int64  which callback it was
    """,
)

MARKET = record(
    "market",
    192,
    """
    0    bid           int64  best prices; NO_PRICE: the side is empty
    8    bid_quantity  int64
    16   ask           int64
    24   ask_quantity  int64
    32   last          int64  price of the last trade, 0 none yet
    40   last_quantity int64
    48   volume        int64  printed so far
    56   state         int64  trading state as last told, 0 untold
    64   stale         int64  0, or why the book may be wrong
    72   tick          int64  smallest step of its price
    80   lot           int64  what trades as a round number
    88   time          int64  of the last event that concerned it, the venue's
    96   instrument    int64
    104  context_at    int64  bytes from here to the context: negative
    112  bid_orders    int64
    120  ask_orders    int64
    128  untold        int64  1: it changed since on_book was last called
    136  marked        int64  1: its venue marks the LAST event of a message; whole only then
    """,
)
MARKET_BYTES = MARKET.itemsize

TRADE = record(
    "trade",
    48,
    """
    0   time        int64  the venue's
    8   price       int64
    16  quantity    int64
    24  side        int64  of who took: BUY, SELL, 0 unknown
    32  match       int64  the venue's number of the trade
    40  sequence    int64
    """,
)

SERVICES: dict[str, tuple[str, str]] = {
    # name: (what it returns, what it takes after the context's address)
    "submit": (
        "int64",  # the order's id, or minus the reason of `hftlib.core.orders`
        # instrument, side, price, quantity, kind, lasts, flags, display, trigger
        "int64, int64, float64, int64, int64, int64, int64, int64, float64",
    ),
    "cancel": ("int64", "int64"),  # order: 0 or minus the reason
    "cancel_all": ("int64", "int64"),  # instrument, -1: all; how many were asked for
    "replace": ("int64", "int64, float64, int64"),  # order, price, quantity: 0 or minus the reason
    # instrument, bid, ask, bid quantity, ask quantity, flags; a price that is not a number takes
    # its side off and counts; a quantity of 0 takes it off and does not
    "quote": ("int64", "int64, float64, float64, int64, int64, int64"),
    "timer": ("int64", "int64, int64"),  # ns from now, number: 0 or minus the reason
    "stop": ("int64", "int64"),  # a number that the result shows as the reason
    "price_at": ("int64", "int64, int64, int64"),  # instrument, side, level from 0; NO_PRICE
    "quantity_at": ("int64", "int64, int64, int64"),  # instrument, side, level from 0
    "quantity_to": ("int64", "int64, int64, int64"),  # instrument, side, how many levels
    "quantity_within": ("int64", "int64, int64, int64"),  # instrument, side, price or better
    "imbalance_to": ("float64", "int64, int64"),  # instrument, how many levels
    "sweep_price": ("float64", "int64, int64, int64"),  # instrument, side, quantity
    "queue_ahead": ("int64", "int64"),  # order: what stands before it as far as we see, -1 unknown
    "parent": ("int64", "int64"),  # instrument, the rest in the draft: its number or minus a reason
    # parent, price, quantity, lasts, flags: the child's number or minus the reason
    "child": ("int64", "int64, float64, int64, int64, int64"),
    "steer": ("int64", "int64, int64"),  # parent, STOP, PAUSE or RESUME: 0 or minus the reason
}
SERVICES_MAX = 32

CONTEXT = record(
    "context",
    512,
    """
    0    abi           int64  ABI of whoever laid this out
    8    time          int64  now, as we see it: ns since the epoch, UTC
    16   venue_time    int64  what the event being handled bears
    24   instruments   int64  how many
    32   markets_at    int64  bytes from here to each array
    40   positions_at  int64
    48   orders_at     int64
    56   order_mask    int64
    64   session_at    int64  to the engine's own header
    72   wrong_instrument  int64  how often an instrument out of range was asked for
    80   stopped       int64  not 0: the strategy asked to stop, or was stopped
    88   feed_latency  int64  of the last market event: received less time
    96   order_latency int64  from sending to hearing, of the last order accepted
    104  strategy      int64  its number among those of this session
    112  handles       int64  bit n: it has a callback of number n
    120  state_at      int64  to its state
    128  entry         int64  its address
    136  refused       int64  orders that never left us
    144  trading_state int64  0 active, 1 reducing, 2 halted: the worst of what binds it
    152  state_bytes   int64  how long its state is: header, parameters and fields
    240  parents_at    int64  bytes from here to the header of the parent orders
    256  services      int64[32]  addresses, in the order of SERVICES
    """,
)
SERVICES_AT = 256
