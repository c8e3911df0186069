"""The end of one strategy: its last word, and what stands is taken back.

When the tape or the day is over it hears `on_stop` and its orders stay to the driver; one that
stopped itself hears it too, and one that failed does not: of these two all orders are cancelled.

Worst case: a cancel for each open order.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.engine.memory import (
    RUNNING,
    STOPPED_BY_FAULT,
    STOPPED_ITSELF,
    TAPE_OVER,
    context_address,
    context_at,
    session_at,
)
from hftlib.engine.path import finish
from hftlib.engine.seats import leave
from hftlib.engine.taking_back import take_back_all


@jit.compiled()
def end_one(base: int) -> None:
    """No more intents of this strategy, and on_stop once."""
    context, session = context_at(context_address(base)), session_at(base)
    if session.over != 0:
        return
    session.over = 1
    why = context.stopped if context.stopped != RUNNING else TAPE_OVER
    if why != STOPPED_BY_FAULT:
        context.stopped = RUNNING
        number = session.stop_number
        finish(base, session.time)
        if why == STOPPED_ITSELF:  # what it says in on_stop comes too late
            session.stop_number = number
        if context.stopped == RUNNING or context.stopped == STOPPED_ITSELF:
            context.stopped = why
    if why != TAPE_OVER:
        take_back_all(base, -1)
        leave(base)
