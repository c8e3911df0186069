"""When somebody wants to be woken next: a timer of the strategy's, or a parent order.

Worst case: TIMERS_MAX timers are looked at.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.engine.memory import FOREVER, TIMERS_AT, execution_base, session_at, timer_at
from hftlib.execution.parents import parents_of

_TIMER_BYTES = 16


@jit.compiled()
def earliest(base: int) -> int:
    """When the earliest alarm is due; FOREVER without any."""
    due = FOREVER
    for n in range(session_at(base).timers_used):
        due = min(due, timer_at(base + TIMERS_AT + n * _TIMER_BYTES).due)
    return min(due, parents_of(execution_base(base)).next)
