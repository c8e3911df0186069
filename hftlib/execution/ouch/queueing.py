"""The two queues of commands that wait: cancels in one, all else in the other.

Worst case: a full queue takes no more, and whoever asks is told.
"""

from __future__ import annotations

from hftlib.core import jit, orders
from hftlib.core.orders import VENUE_FULL
from hftlib.execution.ouch import memory as m
from hftlib.execution.ouch.memory import command_at, gateway_at, working_of


@jit.compiled()
def wait(base: int, command: int) -> int:
    """Into the queue behind the others: 0, or why not."""
    gateway = gateway_at(base)
    if gateway.others_end - gateway.others_begin > gateway.queue_mask:
        return VENUE_FULL
    place = m.others_address(base, gateway.others_end & gateway.queue_mask)
    jit.copy_words(place, command, orders.COMMAND_BYTES)
    gateway.others_end += 1
    return 0


@jit.compiled()
def hurry(base: int, command: int) -> bool:
    """A cancel into its queue; False if that is full."""
    gateway = gateway_at(base)
    if gateway.urgent_end - gateway.urgent_begin > gateway.queue_mask:
        return False
    place = m.urgent_address(base, gateway.urgent_end & gateway.queue_mask)
    jit.copy_words(place, command, orders.COMMAND_BYTES)
    gateway.urgent_end += 1
    working_of(base, command_at(command).order).cancel = m.CANCEL_WAITS
    return True
