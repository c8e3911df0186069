"""The venue's limit on messages: so many within a window of time, some of them kept for cancels.

    stamps[n % window]   when message n was sent; the one that is `window` back must be old enough

Worst case: a clock that goes backwards lets nothing through until it has caught up.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.execution.ouch.memory import gateway_at


@jit.compiled()
def may_send(base: int, count: int, is_cancel: bool, now: int) -> bool:
    """Whether so many messages may go now."""
    gateway = gateway_at(base)
    if gateway.window_max == 0:
        return True
    room = gateway.window_max - (0 if is_cancel else gateway.window_reserve)
    # The one that must have left the window if `count` more are to be within `room`.
    back = gateway.stamps - room + count - 1
    if back < 0:
        return True
    stamp = jit.load_i64(base + gateway.stamps_at + 8 * (back % gateway.window_max))
    if now - stamp >= gateway.window_ns:
        return True
    gateway.held_up += 1
    return False


@jit.inlined
def stamp(base: int, now: int) -> None:
    """One message left."""
    gateway = gateway_at(base)
    if gateway.window_max > 0:
        place = base + gateway.stamps_at + 8 * (gateway.stamps % gateway.window_max)
        jit.store_i64(place, now)
    gateway.stamps += 1
