"""Whether the logs of a run have room for one more step, or must be taken away first.

Worst case: one step adds a few rows to each log, and a row of equity for each instrument.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.engine.memory import execution_base, session_at
from hftlib.engine.seats import after, first_of, is_alone
from hftlib.engine.watching import WATCH_BYTES, watch_at
from hftlib.execution.memory import execution_at
from hftlib.execution.parents import parents_of

LOG_SPARE = 64
REFUSALS_SPARE = 1 << 11


@jit.inlined
def logs_full(run: Any, base: int) -> bool:
    """Whether the next step might find no room in a log; one step adds a few rows at most."""
    watch = watch_at(run.watch)
    if watch.markouts_max - watch.markouts_used < LOG_SPARE or _full(run.watch, base):
        return True
    return not is_alone(base) and _anybodys(run.watch, base)


@jit.inlined
def _full(watch_address: int, base: int) -> bool:
    """The same of one strategy's logs."""
    execution = execution_at(execution_base(base))
    parents = parents_of(execution_base(base))
    return (
        execution.fills_max - execution.fills < LOG_SPARE
        or execution.ended_max - execution.ended < LOG_SPARE
        or session_at(base).refusals_max - session_at(base).refusals < REFUSALS_SPARE
        or parents.log_max - parents.logged < LOG_SPARE
        or _samples_full(watch_address, base)
    )


@jit.inlined
def _samples_full(watch_address: int, base: int) -> bool:
    watch = watch_at(watch_address)
    return watch.equity_max - watch.equity_used <= session_at(base).instruments


@jit.compiled()
def _anybodys(watches: int, base: int) -> bool:
    """The same of every strategy's, and of the samples of all together."""
    seat, watch = first_of(base), watches
    while seat != 0:
        if _full(watch, seat):
            return True
        seat = after(seat)
        watch += WATCH_BYTES
    return _samples_full(watch, base)
