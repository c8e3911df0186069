"""What happened, on the runner's page: the newest fills, and how much of each pace is used.

    trail(copying, live)     the next strategy's new fills; the next scope's counts

    the log of fills ─▶ a ring of TRAIL_FILLS; where the log was emptied meanwhile, what still lies
                        behind its new end, younger than the last that was copied, comes first
    a ring of stamps ─▶ how many fall into the window that ends now: found by halves, for they rise

Worst case: FILLS_EACH fills and six rings a call. Of more than TRAIL_FILLS fills between two calls
for a strategy the oldest are passed over.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.orders import FILL_BYTES
from hftlib.engine.live.hot_memory import COPYING
from hftlib.engine.live.memory import live_at
from hftlib.engine.live.page_memory import (
    COUNTS,
    COUNTS_BYTES,
    RINGS,
    TRAIL,
    TRAIL_AT,
    TRAIL_BYTES,
    TRAIL_FILLS,
    TRAILED,
    TRAILED_BYTES,
)
from hftlib.engine.memory import execution_base, risk_base
from hftlib.engine.seats import after, first_of
from hftlib.execution.memory import execution_at, fill_address, fill_of
from hftlib.risk import controls
from hftlib.risk.controls import EXECUTIONS_WINDOW, MESSAGES_WINDOW, MS, NO_LIMIT
from hftlib.risk.memory import R_EXECUTIONS, scope_of, stamp_address

FILLS_EACH = 16
LIMIT_OF = (
    controls.MESSAGES,
    controls.NEW_ORDERS,
    controls.REPLACES,
    controls.EXECUTIONS,
    controls.MESSAGE_RATE,
    controls.PACED_ORDERS,
)
assert len(LIMIT_OF) == RINGS == len(controls.RING_LIMITS)

copying_at = jit.record_at(COPYING)
_trail_at = jit.record_at(TRAIL)
_trailed_at = jit.record_at(TRAILED)
_counts_at = jit.record_at(COUNTS)


@jit.compiled("void(int64, int64)")
def trail(copying: int, live: int) -> None:
    """The next strategy in turn, and the next scope above instruments."""
    c, header = copying_at(copying), live_at(live)
    seat = first_of(header.session)
    n = c.strategy if c.strategy < c.strategies else 0
    c.strategy = n + 1
    for _ in range(n):
        seat = after(seat)
    trailed = jit.nth(c.trailed, n, c.strategies, TRAILED_BYTES)
    _fills(execution_base(seat), trailed, jit.nth(c.trails, n, c.strategies, TRAIL_BYTES))
    risk = risk_base(header.session)
    row = c.scope if c.scope < c.scopes else 0
    c.scope = row + 1
    found = _counts_at(jit.nth(c.counts, row, c.scopes, COUNTS_BYTES))
    found.time = header.now
    counted(risk, scope_of(risk, row), found.counts, header.now)


@jit.compiled()
def _fills(execution: int, trailed: int, place: int) -> None:
    """What is new in a strategy's log."""
    log, made = execution_at(execution), _trailed_at(trailed)
    left = FILLS_EACH
    if log.fills < made.taken:
        while made.taken < log.fills_max and left > 0:
            if fill_of(execution, made.taken).received < made.received:
                break
            left -= 1
            _keep(execution, trailed, place)
        if left == 0:
            return
        made.taken = 0
    made.taken = max(made.taken, log.fills - TRAIL_FILLS)
    while made.taken < log.fills and left > 0:
        left -= 1
        _keep(execution, trailed, place)


@jit.inlined
def _keep(execution: int, trailed: int, place: int) -> None:
    made = _trailed_at(trailed)
    to = place + TRAIL_AT + made.count % TRAIL_FILLS * FILL_BYTES
    jit.copy_words(to, fill_address(execution, made.taken), FILL_BYTES)
    made.received = fill_of(execution, made.taken).received
    made.taken += 1
    made.count += 1
    _trail_at(place).count = made.count


@jit.compiled()
def counted(risk: int, scope: Any, counts: Any, now: int) -> None:
    """How often each thing that a scope limits the pace of happened in its window."""
    for ring in range(RINGS):
        counts[ring] = 0
        if scope.ring_mask[ring] >= 0 and scope.limits[LIMIT_OF[ring]] != NO_LIMIT:
            which = EXECUTIONS_WINDOW if ring == R_EXECUTIONS else MESSAGES_WINDOW
            counts[ring] = _within(risk, scope, ring, scope.windows[which] * MS, now)


@jit.compiled()
def _within(risk: int, scope: Any, ring: int, window: int, now: int) -> int:
    """As `risk.windows.count_within`, by halves."""
    mask, tail = scope.ring_mask[ring], scope.ring_tail[ring]
    begin = scope.ring_at[ring]
    low, high = 0, min(mask + 1, tail)
    while low < high:
        back = (low + high + 1) // 2
        if now - jit.load_i64(stamp_address(risk, begin + ((tail - back) & mask))) < window:
            low = back
        else:
            high = back - 1
    return low
