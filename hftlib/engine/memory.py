"""The memory of a session: one arena with all that the tick path reads and writes.

    session ─ header: distances to everything else, the timers, what was refused
      books ...                     what the strategy sees of the market (`hftlib.book.tables`)
      context, state, markets       the strategy's side (`hftlib.strategy.abi`)
      execution, own_orders, positions, commands, fills, ended
      limits, fees                  a row for each instrument

Everything is reached by distance from the session's header, so a copy of the arena is the session.
Only the addresses of functions (services, the strategy's entry) belong to the process.

Worst case: sizes are decided once, by `hftlib.engine.session`; what is full refuses by reason.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.orders import OURS
from hftlib.core.records import record
from hftlib.risk.limits import LIMITS
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
    1536,
    """
    0    instruments   int64  how many
    8    books_at      int64  bytes from this header to each of the others
    16   context_at    int64
    24   markets_at    int64
    32   execution_at  int64
    40   limits_at     int64
    48   next_timer    int64  when the earliest timer is due; FOREVER
    56   time          int64  now, as we see it
    72   events        int64  market events seen
    80   callbacks     int64[8]  by number
    144  stop_number   int64  what the strategy gave as it stopped
    152  clipped       int64  quotes that were made smaller to keep to the position limit
    160  trade         trade  the one being told of
    208  eager         int64  1: books are shown after each event; 0: when the strategy is called
    216  unseen        int64  the book that changed since it was shown; -1 none
    224  timers_used   int64  no timer ever stood behind these
    256  refused       int64[32]  orders that never left us, by reason
    512  timers        timer[64]
    """,
    trade=TRADE,
    timer=TIMER,
)
assert OURS == 31
assert TIMERS_MAX == 64

# Why a strategy runs no longer, as `stopped` of its context.
RUNNING, STOPPED_ITSELF, STOPPED_BY_FAULT, TAPE_OVER = range(4)

session_at = jit.record_at(SESSION)
context_at = jit.record_at(CONTEXT)
state_at = jit.record_at(STATE)
timer_at = jit.record_at(TIMER)
trade_at = jit.record_at(TRADE)
# A row for each instrument, and a spare one for a number that is none.
market_of, _ = jit.rows(session_at, MARKET, "markets_at", "instruments", 1)
limits_of, _ = jit.rows(session_at, LIMITS, "limits_at", "instruments", 1)
TRADE_AT = 160
TIMERS_AT = 512


@jit.inlined
def books_base(base: int) -> int:
    return base + session_at(base).books_at


@jit.inlined
def execution_base(base: int) -> int:
    return base + session_at(base).execution_at


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
