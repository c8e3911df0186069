"""The memory of a synthetic market: plain records, sized at the start, never grown.

    MARKET ── one          the clock, the numbers given out, where everything lies
    STOCK  ── one each     its chance, its echoes, its phase, the inside of its book
    ORDER  ── 4096 each    a ring: a new order takes the next free place, so a place tells its age
    LEVEL  ── 4096 each    the queue at each tick around the first price; the two ends stay empty
    STEP   ── timetable    what happens at a fixed time: phases, imbalances, crosses, halts

Worst case: 4096 orders resting in one stock; long before that, hardly anybody adds and most leave.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.records import record

ORDERS_BITS = 12
ORDERS = 1 << ORDERS_BITS
LEVELS = 4096
LEVEL_NONE_BELOW, LEVEL_NONE_ABOVE = 0, LEVELS - 1
TICK = 100  # price units of 0.0001
ECHOES = 5
NEVER = 1 << 62

MARKET = record(
    "synthetic market",
    192,
    """
    0    words           int64[4]  its chance: the state of xoshiro128**
    32   at              int64     the address of this record
    40   now             int64     ns since midnight at the venue
    48   references      int64     orders numbered so far
    56   matches         int64     executions numbered so far
    64   stocks          int64     how many
    72   leaves          int64     the power of two they are filled up to
    80   steps           int64     how many stand in the timetable
    88   steps_done      int64     how many of them are done
    96   news_due        int64     when something happens to all stocks at once
    104  news_gap_ns     int64     mean time between such news
    112  open_ns         int64     when the day's regular trading begins, for the daily rhythm
    120  out             int64     address the next frame is written to
    128  tables_at       int64     logarithm and exponential
    136  stocks_at       int64     STOCK, `leaves` of them
    144  tree_at         int64     winners of the tournament for the earliest stock
    152  steps_at        int64     STEP, sorted by time
    160  spare           int64[4]  up to the cache line
    """,
)
STOCK = record(
    "synthetic stock",
    384,
    """
    0    words           int64[4]  its chance
    32   at              int64     the address of this record
    40   name            int64     eight letters, as they stand in messages
    48   locate          int64     its number at the venue
    56   phase           int64     one of the phases below
    64   due             int64     when somebody acts next, or NEVER
    72   crowd           int64     resting orders at which as many leave as come
    80   echoes          int64[5]  actions still to come in answer to earlier ones, of 2**-24
    120  gap_ns          int64     mean time between actions that answer nothing
    128  orders_at       int64     ORDER
    136  levels_at       int64     LEVEL
    144  newest          int64     orders given a place so far
    152  bid             int64     best level bought at; 0 none
    160  ask             int64     best level sold at; 4095 none
    168  resting         int64[3]  orders there, by side
    192  depth           int64[3]  shares there, by side
    216  first_tick      int64     the price of level 0, in ticks
    224  fair            int64     what it is worth, in 1/256 levels
    232  spread          int64     how far apart the best prices tend to be, in levels
    240  parent_side     int64     whose large order is being worked
    248  parent_left     int64     in how many more pieces
    256  imbalance       int64     shares waiting for the next cross; negative: to sell
    264  paired          int64     shares already matched for it
    272  beta            int64     how strongly news moves it, of 256
    280  round_lot       int64     shares that trade as a round number
    288  stirred         int64     answers that news brings, of 2**-24
    296  echoed          int64[5]  the time each echo is of
    336  spare           int64[6]  up to the cache line
    """,
)
ORDER = record(
    "synthetic order",
    64,
    """
    0   reference  int64     its number in the feed
    8   quantity   int64     shares left; 0: the place is free
    16  level      int64     where it rests
    24  side       int64     1 buy, 2 sell
    32  ahead      int64     place of the order before it in its queue; -1 none
    40  behind     int64     place of the order after it; -1 none
    48  spare      int64[2]  up to the cache line
    """,
)
LEVEL = record(
    "synthetic level",
    32,
    """
    0   first     int64  place of the order at the head of the queue; -1 none
    8   last      int64  place of the one at its end; -1 none
    16  quantity  int64  shares in all
    24  orders    int64  how many
    """,
)
STEP = record(
    "timetable step",
    32,
    """
    0   time    int64  ns since midnight at the venue
    8   stock   int64  whose; 0 for steps of the whole market
    16  what    int64  one of the steps below
    24  detail  int64  the letter it carries: system event, cross type, trading state
    """,
)

# Phases of a stock.
CLOSED, GATHERING, TRADING, HALTED = range(4)
# Steps of the timetable.
SYSTEM, BREAKER, DIRECTORY, GATHER, IMBALANCE, CROSS, HALT = range(7)

market_at = jit.record_at(MARKET)
stock_at = jit.record_at(STOCK)
step_at = jit.record_at(STEP)
order_at = jit.record_at(ORDER)
level_at = jit.record_at(LEVEL)

MARKET_BYTES, STOCK_BYTES, STEP_BYTES, ORDER_BYTES, LEVEL_BYTES = (
    dtype.itemsize for dtype in (MARKET, STOCK, STEP, ORDER, LEVEL)
)


@jit.compiled()
def order_of(stock: Any, place: int) -> Any:
    return order_at(stock.orders_at + place * ORDER_BYTES)


@jit.compiled()
def level_of(stock: Any, level: int) -> Any:
    return level_at(stock.levels_at + level * LEVEL_BYTES)
