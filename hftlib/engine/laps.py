"""A stopwatch on the tick path: where the time of one frame goes, stage by stage.

    watch(base, laps)     the hot loop, before a frame that it wants to know of; 0 after it
    lap(base, BOOK)       on the way: what went on since the last lap was BOOK

A stage is entered many times in a frame, once for each event and each order; its laps add up. What
reads no clock in a frame decides the same as what does: nothing looks at these numbers.

Worst case: a frame of a hundred events reads the clock two hundred times, some 5 µs, which is why
only one in many is measured. Where none is, a lap is a load and a branch.
"""

from __future__ import annotations

from hftlib.core import clock, jit
from hftlib.core.records import field_offset, record
from hftlib.engine.memory import session_at
from hftlib.engine.seats import after, first_of

STAGES = ("parse", "book", "strategy", "risk", "encode")
PARSE, BOOK, STRATEGY, RISK, ENCODE = range(5)
LAPS = record(
    "laps",
    64,
    """
    0   since  int64     when the last lap ended
    8   spent  int64[5]  ns of each stage
    """,
)
_laps_at = jit.record_at(LAPS)
SPENT_AT = field_offset(LAPS, "spent")
assert LAPS["spent"].shape == (len(STAGES),)


@jit.inlined
def lap(base: int, stage: int) -> None:
    """What went on until now was this stage."""
    here = session_at(base).laps
    if here != 0:
        _note(here, stage)


@jit.compiled()
def _note(here: int, stage: int) -> None:
    laps, now = _laps_at(here), clock.monotonic_ns()
    laps.spent[stage] += now - laps.since
    laps.since = now


@jit.compiled("void(int64, int64)")
def watch(base: int, here: int) -> None:
    """Measure what every strategy's session does into these laps from now on; 0: no more."""
    if here != 0:
        for stage in range(len(STAGES)):
            _laps_at(here).spent[stage] = 0
        _laps_at(here).since = clock.monotonic_ns()
    seat = first_of(base)
    while seat != 0:
        session_at(seat).laps = here
        seat = after(seat)
