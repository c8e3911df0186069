"""The two passes over the events of a tape while it is written: counting, then placing.

The first counts events by instrument and notes the highest time of each block; the second puts the
position of every event to those of its instrument. Both are one branch-light loop over memory.
A NOTICE or UNREADABLE event is counted like any other, but its time may be garbage and moves no
other's place: it stays out of the highest time.
Worst case: an instrument number beyond the table is counted in one more row, the last.
"""

from __future__ import annotations

import numpy as np

from hftlib.core import events, jit
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.records import record
from hftlib.feed.tape_layout import MARK_EVENTS

SURVEY = record(
    "tape survey",
    40,
    """
    0   events   int64  seen so far
    8   begin    int64  the first time that is not 0
    16  highest  int64  the highest time so far of events that tell time
    24  latest   int64  the time of the last event
    32  back     int64  events with a time lower than that of the event before
    """,
)
_survey_at = jit.record_at(SURVEY)
_event_at = jit.record_at(EVENT)
_numbers_at = jit.array_at(np.int64)
_narrow_at = jit.array_at(np.uint32)


@jit.inlined
def tells_time(kind: int) -> bool:
    """Whether the time of such events may be trusted to order others by."""
    return kind != events.NOTICE and kind != events.UNREADABLE


@jit.compiled("int64(int64, int64, int64, int64, int64, int64)")
def survey_chunk(
    survey_address: int, events_address: int, count: int, counts_address: int, rows: int, marks: int
) -> int:
    """Count the chunk's events by instrument, strangers last; write its marks: how many."""
    survey = _survey_at(survey_address)
    counts = _numbers_at(counts_address, rows + 1)
    made = 0
    for n in range(count):
        event = _event_at(events_address + n * EVENT_BYTES)
        counts[min(event.instrument, rows)] += 1
        moment = event.time
        if survey.begin == 0:
            survey.begin = moment
        if survey.events and moment < survey.latest:
            survey.back += 1
        if moment > survey.highest and tells_time(event.kind):
            survey.highest = moment
        survey.latest = moment
        survey.events += 1
        if survey.events % MARK_EVENTS == 0:
            jit.store_i64(marks + 8 * made, survey.highest)
            made += 1
    return made


@jit.compiled("void(int64, int64, int64, int64, int64, int64, int64)")
def scatter_positions(
    events_address: int,
    count: int,
    first: int,
    cursors_address: int,
    rows: int,
    positions: int,
    item_bytes: int,
) -> None:
    """Put each event's position where its instrument's next one goes."""
    cursors = _numbers_at(cursors_address, rows + 1)
    for n in range(count):
        row = min(_event_at(events_address + n * EVENT_BYTES).instrument, rows)
        place = positions + cursors[row] * item_bytes
        if item_bytes == 8:
            jit.store_i64(place, first + n)
        else:
            _narrow_at(place, 1)[0] = first + n
        cursors[row] += 1
