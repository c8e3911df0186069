"""A draft of a parent order, looked through before there is a parent: 0, or what is wrong with it.

A strategy's machine code writes the draft, so any number may stand there.
Worst case: not a number is out of every range.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit, orders
from hftlib.core.events import BUY, SELL
from hftlib.core.parents import (
    FINISH,
    ICEBERG,
    IS,
    MANUAL,
    NO_LIMIT,
    OPPOSITE,
    PEG,
    POV,
    PRIMARY,
    QUANTITY_MAX,
    SHOWN_BY_VENUE,
    SLICES_MAX,
    TWAP,
    VWAP_CURVE,
)
from hftlib.engine.intents import NOT_A_PRICE, on_grid
from hftlib.engine.memory import execution_base, market_of
from hftlib.execution.parents import place_of

NS = 1_000_000_000
SECONDS_MAX = 1e8  # three years
OFFSET_MAX = 10_000
URGENCY_MAX = 1e6
RATE_MAX = 0.9
SLICE_MIN_NS = 1_000


@jit.inlined
def limit_of(draft: Any, tick: int) -> int:
    """The limit on the grid; NO_LIMIT for none, NOT_A_PRICE for what is no price."""
    if draft.limit == float(NO_LIMIT):
        return NO_LIMIT
    return on_grid(draft.limit, tick, draft.side)


@jit.compiled()
def wrong(base: int, instrument: int, draft: Any) -> int:
    """Why there can be no such parent; 0 where there can."""
    sided = draft.side == BUY or draft.side == SELL
    if not sided or not TWAP <= draft.algo <= MANUAL:
        return orders.NO_KIND
    if not 0 < draft.quantity < QUANTITY_MAX:
        return orders.NO_QUANTITY
    if limit_of(draft, market_of(base, instrument).tick) == NOT_A_PRICE:
        return orders.NO_PRICE
    if not _in_range(draft):
        return orders.NO_SETTING
    algo = draft.algo
    sliced = algo in (TWAP, VWAP_CURVE, IS)
    if draft.seconds == 0.0 and (sliced or draft.flags & FINISH != 0):
        return orders.NO_DURATION
    slices = draft.slices if draft.slices > 0 else SLICES_MAX
    if draft.seconds > 0.0 and int(draft.seconds * NS) < slices * SLICE_MIN_NS:
        return orders.NO_DURATION
    if algo == VWAP_CURVE and place_of(execution_base(base), instrument).curve_at < 0:
        return orders.NO_CURVE
    if algo == POV and not 0.0 < draft.rate <= RATE_MAX:
        return orders.NO_RATE
    if algo == ICEBERG and (draft.display == 0 or draft.limit == float(NO_LIMIT)):
        return orders.NO_DISPLAY
    if algo == PEG and not PRIMARY <= draft.peg <= OPPOSITE:
        return orders.NO_SETTING
    return 0


@jit.compiled()
def _in_range(draft: Any) -> bool:
    times = 0.0 <= draft.seconds <= SECONDS_MAX and 0.0 <= draft.delay <= SECONDS_MAX
    waits = -SECONDS_MAX <= draft.patience <= SECONDS_MAX and 0.0 <= draft.gap <= SECONDS_MAX
    shape = 0.0 <= draft.jitter < 1.0 and 0.0 <= draft.urgency <= URGENCY_MAX
    counts = 0 <= draft.slices <= SLICES_MAX and 0 <= draft.flags <= FINISH | SHOWN_BY_VENUE
    lots = 0 <= draft.display < QUANTITY_MAX and 0 <= draft.clip < QUANTITY_MAX
    return times and waits and shape and counts and lots and abs(draft.offset) <= OFFSET_MAX
