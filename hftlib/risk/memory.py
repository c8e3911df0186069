"""The memory of risk: who may do what, what each scope holds, and what was sent of late.

    risk ─ header, the intent that is being asked about, what refused the last one
      scopes     [firm][portfolio ...][strategy ...][instrument ... and a spare one]
      holdings   [firm][portfolio ...][strategy ...]  each a row for every instrument
      rules      a row for each instrument: flags, its mark, its bands, its phases
      stamps     when things were sent, a ring for each scope and kind that counts in windows
      recent     the last orders of each scope but instruments: for the check for duplicates
      changes    log: every change of a state or a limit, with who and why

A strategy's scope has its portfolio as parent, a portfolio the firm. An instrument's scope counts
what the whole firm does in it, so its holding is the firm's row.

Positions belong to execution. Risk keeps their sums: `exposure.follow` compares what execution
says with what the strategy's row says and adds the difference to every row above it.

Money is in ten-thousandths of the limits' currency. Worst case: one position beyond 2**56 of them
(seven thousand billion) counts as 2**56.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.records import record
from hftlib.risk.controls import CONTROLS_MAX, WINDOWS_MAX

INTENT = record(
    "intent",
    96,
    """
    0   time        int64  now
    8   strategy    int64
    16  instrument  int64
    24  side        int64
    32  what        int64  NEW or REPLACE
    40  price       int64  its limit
    48  limited     int64  1: it has a limit
    56  worth_price int64  what a lot of it may cost
    64  quantity    int64  open after it
    72  more        int64  lots that it adds to what may be filled
    80  calmer      int64  1: a replace that only asks for less
    """,
)
RISK = record(
    "risk",
    384,
    """
    0    instruments  int64  how many
    8    strategies   int64
    16   portfolios   int64
    24   scopes_at    int64  bytes from this header to each array
    32   holdings_at  int64
    40   rules_at     int64
    48   stamps_at    int64
    56   recent_at    int64
    64   changes_at   int64
    72   changes      int64  rows in the log
    80   changes_max  int64
    88   scopes       int64  how many rows, the spare one left out
    96   holdings     int64  rows
    104  groups       int64  bit n: some scope limits something of group n
    112  marks        int64  1: some limit needs what positions are worth now
    120  acts         int64  1: a state changed, so that open orders may have to go
    128  next_guard   int64  when data are to be looked at even if nothing comes; FOREVER
    136  guard_ns     int64  how often
    144  limit        int64  of the last refusal: the limit, what was seen, the level
    152  seen         int64
    160  level        int64
    168  self_match   int64  0 the venue's affair, else a mode of `hftlib.engine.own_orders`
    176  when_closed  int64  0 refuse, 1 hold
    184  outside_bands int64 likewise
    192  too_fast     int64  likewise, of the soft pace
    200  lost_changes int64  changes that found the log full
    208  flattening   int64  scopes whose positions are being closed
    216  recents      int64  rows
    224  stamps       int64  items
    232  stale_books  int64  0 pause, 1 allow
    240  crossed_books int64 likewise
    248  closing      int64  1: the order at hand closes a position, and no strategy wants it
    256  intent       intent
    """,
    intent=INTENT,
)
INTENT_AT = 256
RINGS = ("messages", "new orders", "replaces", "executions", "attempts", "paced")
R_MESSAGES, R_NEW, R_REPLACES, R_EXECUTIONS, R_ATTEMPTS, R_PACED = range(6)
SCOPE = record(
    "risk scope",
    832,
    """
    0    state        int64  ACTIVE, REDUCING, HALTED
    8    why          int64  reason of the last change
    16   since        int64
    24   level        int64  INSTRUMENT ... FIRM
    32   parent       int64  row of the scope above it
    40   groups       int64  bit n: it limits something of group n
    48   gross        int64  sums over its instruments, in money
    56   long         int64  what it could come to with every buy filled and no sale
    64   short        int64  with every sale filled and no buy
    72   capital      int64
    80   flow         int64  cash received less paid, less fees
    88   worth        int64  what is held, at the marks
    96   peak         int64  the best profit so far
    104  open_orders  int64
    112  value_at_risk int64 as last told
    120  shortfall    int64
    128  slippage     int64  running average of fills, in hundredths of a basis point
    136  slipped      int64  fills in it
    144  ended        int64  orders that ended
    152  filled_bits  int64  of the last 60 that ended: filled in part or whole
    160  rejected_bits int64 likewise: rejected by the venue
    168  recent       int64  orders noted for the check for duplicates
    176  lows         int64  of the present volatility window, twice the middle
    184  highs        int64
    192  window_began int64
    200  keeps        int64  1: somebody limits the money of what its holdings could come to
    208  held_from    int64  1 + the state it had before it was held after a restart; 0: it is not
    216  flattening   int64  1: what it holds is being closed; 2: looked at, and there is some left
    256  limits       int64[40]
    576  windows      int64[8]
    640  ring_at      int64[6]  where its ring of stamps begins, in items
    688  ring_mask    int64[6]  its length, less one; -1: it has none
    736  ring_tail    int64[6]  stamps ever
    """,
)
HOLDING = record(
    "risk holding",
    128,
    """
    0    quantity     int64
    8    open_buy     int64
    16   open_sell    int64
    24   open_orders  int64
    32   cash         int64  in the instrument's own money units
    40   fees         int64
    48   gross        int64  its parts of the scope's sums, in money
    56   long         int64
    64   short        int64
    72   capital      int64
    80   flow         int64
    88   worth        int64
    96   cost         int64  what is held cost, in the instrument's money units
    104  mark         int64  the mark that the sums are made with, twice the price
    112  distrusted   int64  of a strategy: why its orders were taken back; 0: its data are fine
    """,
)
RULE = record(
    "risk rule",
    512,
    """
    0    flags        int64    RESTRICTED, NO_SHORT, ANY_PRICE
    8    tick         int64
    16   mark         int64    twice the middle or the last price; 0 none yet
    24   factor       float64  money of one price unit times one lot
    32   reference    int64    of collars: MID, LAST, STATIC
    40   fixed        int64    the STATIC reference, twice the price
    48   anchor       int64    the window collar's reference, twice the price
    56   anchored     int64    when it was taken
    64   phases       int64    how many stretches of trading it has; 0: always
    72   begins       int64[4]
    104  ends         int64[4]
    136  bands        int64    LULD tier in hundredths of a percent; 0 none
    144  band_mean    int64    their reference price; 0 none yet
    152  band_opens   int64    doubled until then
    160  band_closes  int64    doubled from then on
    168  band_slot    int64    the half minute being summed
    176  band_sums    int64[10]
    256  band_counts  int64[10]
    336  middle       int64    of the book, twice; 0 with an empty side
    344  last         int64    price of the last trade; 0 none yet
    352  venue_time   int64    of the last event that concerned it
    360  skew         int64    how far the venue's time and ours lay apart then, ns
    368  state        int64    trading state as last told
    376  stale        int64    0, or why its book may be wrong
    384  crossed      int64    1: the best bid is not below the best ask
    400  low          int64    prices that may be launched; both 0: any
    408  high         int64
    416  crossed_since int64   when its book was first seen so; 0: it is not
    424  cut_off      int64    1: no session to its venue takes orders now
    """,
)
RECENT = record(
    "recent order",
    40,
    """
    0   time        int64
    8   price       int64
    16  quantity    int64
    24  instrument  int64
    32  side        int64
    """,
)
CHANGE = record(
    "risk change",
    256,
    """
    0    time      int64
    8    what      int64  STATE ... PARAMETER of `states.py`
    16   scope     int64  its row
    24   level     int64
    32   which     int64  the control, or 0; of a parameter as its DIRECTIVE
    40   before    int64
    48   after     int64
    56   reason    int64  of a breaker or a refusal
    64   limit     int64
    72   seen      int64
    80   who       S32    a person, or the breaker
    112  second    S32    the second person, where two are needed; a parameter's name
    144  why       S64
    """,
)
RESTRICTED, NO_SHORT, ANY_PRICE = 1, 2, 4
MID, LAST, STATIC = range(3)
RECENT_MAX = 256
FOREVER = 2**62
assert CONTROLS_MAX == 40
assert WINDOWS_MAX == 8
assert len(RINGS) == 6

RISK_BYTES, SCOPE_BYTES = RISK.itemsize, SCOPE.itemsize
risk_at = jit.record_at(RISK)
intent_at = jit.record_at(INTENT)
scope_of, scope_address = jit.rows(risk_at, SCOPE, "scopes_at", "scopes", 1)
holding_row, _ = jit.rows(risk_at, HOLDING, "holdings_at", "holdings")
rule_of, _ = jit.rows(risk_at, RULE, "rules_at", "instruments", 1)
recent_of, _ = jit.rows(risk_at, RECENT, "recent_at", "recents")
change_of, change_address = jit.rows(risk_at, CHANGE, "changes_at", "changes_max")

FIRM_ROW = 0
_STAMP_BYTES = 8


@jit.inlined
def stamp_address(base: int, n: int) -> int:
    """Where the n-th stamp of all rings lies."""
    risk = risk_at(base)
    return jit.nth(base + risk.stamps_at, n, risk.stamps, _STAMP_BYTES)


@jit.inlined
def strategy_row(base: int, strategy: int) -> int:
    return 1 + risk_at(base).portfolios + strategy


@jit.inlined
def instrument_row(base: int, instrument: int) -> int:
    risk = risk_at(base)
    return 1 + risk.portfolios + risk.strategies + instrument


@jit.inlined
def holding_of(base: int, scope: int, instrument: int) -> Any:
    """What the firm, a portfolio or a strategy holds of an instrument."""
    return holding_row(base, scope * (risk_at(base).instruments + 1) + instrument)
