"""The memory of a session: one arena with all that the tick path reads and writes.

    session ─ header: distances to everything else, the timers, what was refused
      context, state, markets       the strategy's side (`hftlib.strategy.abi`)
      execution, own_orders, positions, commands, fills, ended, booked, chains
      parents, parent_rows, ...     parent orders and what is learnt of venues
      refusals                      orders that never left us, as a log
      ── these belong to one strategy: its *seat*. Several lie one behind the other ──
      books ...                     what is known of the market (`hftlib.book.tables`)
      fees                          a row for each instrument
      risk, scopes, holdings, rules limits and what they count (`hftlib.risk.memory`)
      ── these are all strategies' ──

Everything is reached by distance from the seat's header, so a copy of the arena is the session.
Whatever takes `base` takes a seat's header; that of the first seat stands for the session.
Only the addresses of functions (services, the strategy's entry) belong to the process.

Worst case: sizes are decided once, by `hftlib.engine.session`; what is full refuses by reason.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.orders import ORDER, OURS
from hftlib.core.records import record
from hftlib.strategy.abi import CONTEXT, MARKET, STATE, TRADE

TIMERS_MAX = 64
TIMER_MIN_NS = 1_000
FOREVER = 2**62

TIMER = record(
    "timer",
    16,
    """
    0  due     int64  FOREVER: not set
    8  number  int64  what the strategy called it
    """,
)

SESSION = record(
    "session",
    1920,
    """
    0    instruments   int64  how many
    8    books_at      int64  bytes from this header to each of the others
    16   context_at    int64
    24   markets_at    int64
    32   execution_at  int64
    40   risk_at       int64
    48   next_timer    int64  when the earliest timer is due; FOREVER
    56   time          int64  now, as we see it
    64   laps          int64  address of a LAPS that this frame is measured into; 0: it is not
    72   events        int64  market events seen
    80   callbacks     int64[8]  by number
    144  stop_number   int64  what the strategy gave as it stopped
    152  clipped       int64  quotes that were made smaller to keep to the position limit
    160  trade         trade  the one being told of
    208  eager         int64  1: books are shown after each event; 0: when the strategy is called
    216  unseen        int64  the book that changed since it was shown; -1 none
    224  timers_used   int64  no timer ever stood behind these
    232  refusals_at   int64  the log of them: orders with the limit and what was seen
    240  refusals      int64  rows in it
    248  refusals_max  int64
    256  refusals_told int64  of them, told to the strategy
    264  refusals_lost int64  that found the log full
    272  watching      int64  1: limits need to know of each change of a book
    280  distrusted    int64  instruments whose data are not to be trusted now
    288  held          int64  orders that wait, as last counted; 0: none does
    296  first_seat    int64  bytes from here to the header of the first strategy's seat
    304  next_seat     int64  bytes from here to that of the next one's; 0: this is the last
    312  over          int64  1: its end was dealt with, and it is called no more
    320  refused       int64[64]  orders that never left us, by reason
    832  timers        timer[64]
    1856 refusals_kept int64  rows at the head of the log that were taken away, but not yet told
    """,
    trade=TRADE,
    timer=TIMER,
)
assert OURS == 63
assert TIMERS_MAX == 64

# Bits of `eager`: the strategy hears of books or trades; parent orders run; venues are learnt of.
EAGER, EAGER_PARENTS, EAGER_LEARNS = 1, 2, 4

# Why a strategy runs no longer, as `stopped` of its context.
RUNNING, STOPPED_ITSELF, STOPPED_BY_FAULT, TAPE_OVER = range(4)

session_at = jit.record_at(SESSION)
context_at = jit.record_at(CONTEXT)
state_at = jit.record_at(STATE)
timer_at = jit.record_at(TIMER)
trade_at = jit.record_at(TRADE)
# A row for each instrument, and a spare one for a number that is none.
market_of, _ = jit.rows(session_at, MARKET, "markets_at", "instruments", 1)
refused_of, refused_address = jit.rows(session_at, ORDER, "refusals_at", "refusals_max")
TRADE_AT = 160
TIMERS_AT = 832


@jit.inlined
def books_base(base: int) -> int:
    return base + session_at(base).books_at


@jit.inlined
def execution_base(base: int) -> int:
    return base + session_at(base).execution_at


@jit.inlined
def risk_base(base: int) -> int:
    return base + session_at(base).risk_at


@jit.inlined
def context_address(base: int) -> int:
    return base + session_at(base).context_at


@jit.inlined
def session_of(context_address: int) -> int:
    """The session's header, from a context's address."""
    return context_address + context_at(context_address).session_at


@jit.compiled()
def refuse(base: int, reason: int) -> int:
    """Count an order that never left us: minus the reason."""
    session_at(base).refused[reason] += 1
    context_at(context_address(base)).refused += 1
    return -reason
