"""More that a strategy can do: cancel all, replace, quote, timers, stopping, place in the queue.

The second half of `hftlib.strategy.context`, on the same mechanism.
Worst case: as there.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.orders import POST_ONLY
from hftlib.strategy.context import _AT, CONTEXT, _call

_cancel_all, _cancel_all_at = _call["cancel_all"], _AT["cancel_all"]
_replace, _replace_at = _call["replace"], _AT["replace"]
_quote, _quote_at = _call["quote"], _AT["quote"]
_timer, _timer_at = _call["timer"], _AT["timer"]
_stop, _stop_at = _call["stop"], _AT["stop"]
_queue_ahead, _queue_ahead_at = _call["queue_ahead"], _AT["queue_ahead"]


@CONTEXT.method
def cancel_all(ctx: Any, i: int = -1) -> int:
    """Cancel all orders of an instrument, or of all: how many were asked for."""
    here = jit.address_of(ctx)
    return _cancel_all(jit.load_i64(here + _cancel_all_at), here, i)


@CONTEXT.method
def replace(ctx: Any, id: int, price: float, quantity: int) -> int:  # noqa: A002
    """Give an order another price and quantity: 0, or minus the reason why not."""
    here = jit.address_of(ctx)
    return _replace(jit.load_i64(here + _replace_at), here, id, price, quantity)


@CONTEXT.method
def quote(
    ctx: Any,
    i: int,
    bid: float,
    ask: float,
    quantity: int,
    bid_quantity: int = -1,
    ask_quantity: int = -1,
    post_only: bool = False,
) -> int:
    """Have one order on each side, at these prices; a price that is not a number: none there."""
    here = jit.address_of(ctx)
    bids = quantity if bid_quantity < 0 else bid_quantity
    asks = quantity if ask_quantity < 0 else ask_quantity
    flags = POST_ONLY if post_only else 0
    return _quote(jit.load_i64(here + _quote_at), here, i, bid, ask, bids, asks, flags)


@CONTEXT.method
def timer(ctx: Any, delay_ns: int, number: int = 0) -> int:
    """Have `on_timer` called with this number, so many nanoseconds from now."""
    here = jit.address_of(ctx)
    return _timer(jit.load_i64(here + _timer_at), here, delay_ns, number)


@CONTEXT.method
def stop(ctx: Any, number: int = 0) -> int:
    """Ask for no more callbacks but `on_stop`; the result shows the number."""
    here = jit.address_of(ctx)
    return _stop(jit.load_i64(here + _stop_at), here, number)


@CONTEXT.method
def queue_ahead(ctx: Any, id: int) -> int:  # noqa: A002
    """What stands before one of our orders as far as we see; -1 unknown."""
    here = jit.address_of(ctx)
    return _queue_ahead(jit.load_i64(here + _queue_ahead_at), here, id)
