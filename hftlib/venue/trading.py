"""An order of ours at the moment when it may trade: new, moved, or a stop that woke.

Worst case: that of `taking.py`.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.orders import CANCELED, DAY, EXPIRED, MARKET, MOMENT_OVER, NOTHING_THERE
from hftlib.venue.doors import place_order
from hftlib.venue.lists import end_life
from hftlib.venue.reports import ended
from hftlib.venue.tables import own_of
from hftlib.venue.taking import limit_of, take


@jit.compiled()
def trade_now(address: int, number: int, time: int) -> int:
    """What it can take now, and then what its kind says of the rest."""
    own = own_of(address, number)
    market = 1 if own.kind == MARKET else 0
    reason = take(address, number, limit_of(own, market), time)
    if own.filled == own.quantity:
        end_life(address, number)
        return 0
    if reason == 0 and market != 0:
        reason = NOTHING_THERE
    if reason == 0 and own.lasts != DAY:
        reason = MOMENT_OVER
    if reason == 0:
        reason = place_order(address, number, time)
    if reason != 0:
        ended(address, own, EXPIRED if reason == MOMENT_OVER else CANCELED, time, reason)
        end_life(address, number)
    return 0
