"""More that a strategy can do: cancel all, replace, quote, timers, stopping, place in the queue.

The second half of `hftlib.strategy.context`, on the same mechanism.
Worst case: as there.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.orders import POST_ONLY
from hftlib.strategy.context import CONTEXT, service

_cancel_all = service("cancel_all")
_replace = service("replace")
_quote = service("quote")
_timer = service("timer")
_stop = service("stop")
_queue_ahead = service("queue_ahead")


@CONTEXT.method
def cancel_all(ctx: Any, i: int = -1) -> int:
    """Cancel all orders of an instrument, or of all: how many were asked for."""
    return _cancel_all(jit.address_of(ctx), i)


@CONTEXT.method
def replace(ctx: Any, id: int, price: float, quantity: int) -> int:  # noqa: A002
    """Give an order another price and quantity: 0, or minus the reason why not."""
    return _replace(jit.address_of(ctx), id, price, quantity)


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
    bids = quantity if bid_quantity < 0 else bid_quantity
    asks = quantity if ask_quantity < 0 else ask_quantity
    flags = POST_ONLY if post_only else 0
    return _quote(jit.address_of(ctx), i, bid, ask, bids, asks, flags)


@CONTEXT.method
def timer(ctx: Any, delay_ns: int, number: int = 0) -> int:
    """Have `on_timer` called with this number, so many nanoseconds from now."""
    return _timer(jit.address_of(ctx), delay_ns, number)


@CONTEXT.method
def stop(ctx: Any, number: int = 0) -> int:
    """Ask for no more callbacks but `on_stop`; the result shows the number."""
    return _stop(jit.address_of(ctx), number)


@CONTEXT.method
def queue_ahead(ctx: Any, id: int) -> int:  # noqa: A002
    """What stands before one of our orders as far as we see; -1 unknown."""
    return _queue_ahead(jit.address_of(ctx), id)
