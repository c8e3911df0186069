"""The local side of a backtest: the tape's events as they reach us, each after its feed's latency.

One feed is heard in a loop, up to where something else may come first; several are heard one by one
(`hearing.py`). The loop of an only strategy is compiled for itself, and asks for no others. Equity
and markouts are noted before the event beside which they are due.

Worst case: nothing here may overtake the venue, since fills it has not told of yet belong before.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import EVENT, STATUS
from hftlib.engine.carrying import lane_address
from hftlib.engine.flight import run_at
from hftlib.engine.hearing import feed_latency, heard, look_again
from hftlib.engine.memory import (
    FOREVER,
    RUNNING,
    context_address,
    context_at,
    execution_base,
    session_at,
)
from hftlib.engine.path import reached, seen, seen_by_feed
from hftlib.engine.room import logs_full
from hftlib.engine.seats import anybody_eager, is_alone, somebody_waits, soonest
from hftlib.engine.watching import look, sample_all, watch_at
from hftlib.execution.memory import execution_at
from hftlib.feed.tape_index import tells_time
from hftlib.feed.walk import event_address, walk_at

_event_at = jit.record_at(EVENT)


@jit.compiled()
def local_side_of_several(run: Any, base: int, alarm: int, end: int) -> None:
    """The loop where there are several strategies."""
    local_side(run, base, alarm, end, False)


@jit.inlined
def local_side(run: Any, base: int, alarm: int, end: int, alone: bool) -> None:
    """We see our next events, up to where something else may come first.

    What is noted beside an event is noted before it. Nothing here may overtake the venue, since
    fills that it has not told of yet belong before.
    """
    walk = walk_at(run.walk)
    session = session_at(base)
    execution = execution_at(execution_base(base))
    context = context_at(context_address(base))
    watch = watch_at(run.watch)
    first_report = min(run.venue_due, run.commands_due) + run.response_least
    first_report = min(first_report, run.reports_due)
    next_event, due, steps = run.local_next, run.local_due, run.steps
    address = event_address(walk, next_event)
    while True:
        steps += 1
        event = _event_at(address)
        came, time = due, event.time
        noted = due >= watch.next_sample or watch.next_due <= time
        if noted:
            _note(run, base, due, time)
        called = session.eager != 0 or event.kind == STATUS
        if not alone:
            called = called or anybody_eager(base)
        if called:
            reached(base, time, came, alone)
        seen(base, address, alone)
        next_event += 1
        due = FOREVER
        if next_event < walk.count:
            address = event_address(walk, next_event)
            due = local_time(run, address, came)
        if due >= first_report:
            break
        if due > min(alarm, session.next_timer if alone else soonest(base)):
            break
        if next_event >= run.venue_next or steps >= end or (noted and logs_full(run, base)):
            break
        if alone:
            if called and (execution.commands != 0 or context.stopped != RUNNING):
                break
        elif called and somebody_waits(base):
            break
    if not called:
        reached(base, time, came, alone)
    run.local_next, run.local_due, run.steps = next_event, due, steps


@jit.compiled("void(int64)")
def hear(run_address: int) -> None:
    """The same one by one, where there are several feeds; or the look for what is next."""
    run = run_at(run_address)
    if run.found == 0:
        look_again(run_address)
        return
    base = run.session
    address = event_address(walk_at(run.walk), run.local_next)
    event = _event_at(address)
    run.steps += 1
    _note(run, base, run.local_due, event.time)
    reached(base, event.time, run.local_due, is_alone(base))
    if event.instrument < session_at(base).instruments:
        seen(base, address, is_alone(base))
    else:
        seen_by_feed(base, address, run.feed_routes, run.turn)
    heard(run_address)


@jit.inlined
def local_time(run: Any, address: int, last: int) -> int:
    """When an event is due here, after one that was due at `last`."""
    event = _event_at(address)
    if not tells_time(event.kind):
        return last
    return max(last, event.time + feed_latency(lane_address(run, event.instrument), event))


@jit.compiled()
def _note(run: Any, base: int, due: int, time: int) -> None:
    """Equity and markouts as far as they are due."""
    watch = watch_at(run.watch)
    if due >= watch.next_sample:
        sample_all(run.watch, base, due)
        late = (due - watch.next_sample) // watch.every
        watch.next_sample += (late + 1) * watch.every
    if watch.next_due <= time:
        look(run.watch, base, run.turn, time)
