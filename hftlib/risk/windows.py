"""What happened of late: how often in a window, and whether the same order was sent just now.

    stamps of one scope and kind   a ring: ... t-3  t-2  t-1 │ tail
    N in a window                  the N-th last stamp is older than the window

So "at most N in any window" is exact for every window, not only for whole seconds, and costs one
read. A ring is at least as long as its limit, which whoever sets the limit makes sure of.

The check for duplicates looks back through at most 256 orders of a scope. Worst case: somebody
sends more than that within the window; then the oldest of them are not compared.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.risk import controls
from hftlib.risk.controls import G_DUPLICATE, G_PACE, NO_LIMIT
from hftlib.risk.memory import (
    FIRM_ROW,
    INTENT_AT,
    R_MESSAGES,
    R_NEW,
    R_PACED,
    R_REPLACES,
    RECENT_MAX,
    instrument_row,
    intent_at,
    recent_of,
    risk_at,
    scope_of,
    stamp_address,
    strategy_row,
)


@jit.inlined
def too_many(base: int, scope: Any, ring: int, most: int, window: int, now: int) -> bool:
    """Would one more now make more than `most` in the window that ends now?"""
    if most == 0:
        return True
    if scope.ring_mask[ring] < 0 or scope.ring_tail[ring] < most:
        return False
    place = (scope.ring_tail[ring] - most) & scope.ring_mask[ring]
    oldest = jit.load_i64(stamp_address(base, scope.ring_at[ring] + place))
    return now - oldest < window


@jit.inlined
def noted(base: int, scope: Any, ring: int, now: int) -> None:
    """It happened now."""
    mask = scope.ring_mask[ring]
    if mask < 0:
        return
    tail = scope.ring_tail[ring]
    jit.store_i64(stamp_address(base, scope.ring_at[ring] + (tail & mask)), now)
    scope.ring_tail[ring] = tail + 1


@jit.compiled()
def count_within(base: int, scope: Any, ring: int, window: int, now: int) -> int:
    """How many in the window that ends now, as far as the ring remembers: what people are told."""
    mask = scope.ring_mask[ring]
    count = 0
    for back in range(1, min(mask + 1, scope.ring_tail[ring]) + 1):
        place = (scope.ring_tail[ring] - back) & mask
        if now - jit.load_i64(stamp_address(base, scope.ring_at[ring] + place)) >= window:
            break
        count += 1
    return count


@jit.compiled()
def since_same(base: int, row: int, scope: Any, intent: Any) -> int:
    """How long ago this scope sent the same order, in ns; -1: not within what is remembered."""
    for back in range(1, min(RECENT_MAX, scope.recent) + 1):
        one = recent_of(base, row * RECENT_MAX + (scope.recent - back) % RECENT_MAX)
        if (
            one.instrument == intent.instrument
            and one.side == intent.side
            and one.price == intent.price
            and one.quantity == intent.quantity
        ):
            return intent.time - one.time
    return -1


@jit.inlined
def remember(base: int, row: int, scope: Any, intent: Any) -> None:
    one = recent_of(base, row * RECENT_MAX + scope.recent % RECENT_MAX)
    one.time, one.price, one.quantity = intent.time, intent.price, intent.quantity
    one.instrument, one.side = intent.instrument, intent.side
    scope.recent += 1


@jit.compiled("void(int64)")
def sent(base: int) -> None:
    """The intent in the header has left: every scope that counts has its stamps."""
    intent = intent_at(base + INTENT_AT)
    _stamped(base, instrument_row(base, intent.instrument), intent)
    row = strategy_row(base, intent.strategy)
    while True:
        _stamped(base, row, intent)
        if risk_at(base).groups & G_DUPLICATE and intent.what == orders.NEW:
            remember(base, row, scope_of(base, row), intent)
        if row == FIRM_ROW:
            return
        row = scope_of(base, row).parent


@jit.inlined
def _stamped(base: int, row: int, intent: Any) -> None:
    scope = scope_of(base, row)
    if scope.groups & G_PACE == 0:
        return
    limits, now = scope.limits, intent.time
    if limits[controls.MESSAGES] != NO_LIMIT:
        noted(base, scope, R_MESSAGES, now)
    if intent.what != orders.NEW:
        if limits[controls.REPLACES] != NO_LIMIT:
            noted(base, scope, R_REPLACES, now)
        return
    if limits[controls.NEW_ORDERS] != NO_LIMIT:
        noted(base, scope, R_NEW, now)
    if limits[controls.PACED_ORDERS] != NO_LIMIT:
        noted(base, scope, R_PACED, now)
