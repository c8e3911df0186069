"""The backtest's clock: passes over one tape, and what is under way between them.

    venue side   each event at the venue's time ─▶ the exchange, which fills our orders
    local side   the same event after the feed's latency ─▶ the tick path
    lanes        commands after the order's latency ─▶ the exchange; reports back ─▶ the tick path

Where feeds are not equally late each has a pass of its own on the local side (`hearing.py`).

What comes first is done first. At equal times: the venue's event, then what is under way, then the
local event, then timers; and what is under way goes by venue, commands before reports. Times of a
tape that go back count as the highest so far. So one tape, one seed and one set of settings give
one result, however the tape is cut into calls of `advance`.

When the tape ends the strategy hears `on_stop`, what is under way arrives, and all is over. When it
stops itself, or ends with a fault, its orders are cancelled and the run ends once they are gone.

Worst case: `advance` returns when a log needs emptying; a report ring that is full ends the run.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import EVENT, STATUS
from hftlib.engine.carrying import arrive_here, arrive_there, collect, lane_address, send
from hftlib.engine.flight import LANE_BYTES, lane_at, run_at
from hftlib.engine.hearing import (
    begin_hearing,
    feed_latency,
    heard,
    look_again,
    venue_time,
)
from hftlib.engine.intents import take_back_all
from hftlib.engine.memory import (
    FOREVER,
    RUNNING,
    STOPPED_BY_FAULT,
    STOPPED_ITSELF,
    TAPE_OVER,
    context_address,
    context_at,
    execution_base,
    session_at,
)
from hftlib.engine.path import (
    catch_up,
    finish,
    reached,
    seen,
    seen_by_feed,
    start,
    timer,
)
from hftlib.engine.watching import look, sample, watch_at
from hftlib.execution.memory import execution_at
from hftlib.feed.tape_index import tells_time
from hftlib.feed.walk import event_address, walk_at
from hftlib.venue.exchange import exchange_event, exchange_inline

_event_at = jit.record_at(EVENT)
BEGIN, RUNS, ENDS = range(3)
# What `advance` answers.
MORE, LOGS_FULL, FINISHED, REPORTS_LOST = range(4)
LOG_SPARE = 64


@jit.compiled("int64(int64, int64)")
def advance(run_address: int, steps: int) -> int:
    """Go on for so many steps: MORE, or why it stopped before."""
    run = run_at(run_address)
    base = run.session
    session = session_at(base)
    execution = execution_at(execution_base(base))
    context = context_at(context_address(base))
    if run.phase == BEGIN:
        _begin(run, run_address, base)
    end = run.steps + steps
    while run.steps < end:
        if logs_full(run, base):
            return LOGS_FULL
        if run.phase == RUNS and (context.stopped != RUNNING or run.local_due == FOREVER):
            _end(run, base)
        alarm = session.next_timer if run.phase == RUNS else FOREVER
        ours = min(run.local_due, run.reports_due, alarm)
        if run.venue_due <= min(run.commands_due, ours + run.entry_least) < FOREVER:
            _venue_side(run, ours, end)
        elif run.commands_due <= ours and run.commands_due < FOREVER:
            run.steps += 1
            arrive_there(run)
        elif ours >= FOREVER:
            return _finished(run, base)
        elif run.reports_due == ours:
            run.steps += 1
            arrive_here(run, base)
        elif run.local_due == ours:
            if run.feed_count == 1:
                _local_side(run, base, alarm, end)
            else:
                _hear(run_address)
        else:
            run.steps += 1
            timer(base)
        if execution.commands != 0:
            send(run, base)
        if run.lost_reports != 0:
            return REPORTS_LOST
        if run.phase == ENDS and execution.open_orders == 0 and _nothing_under_way(run):
            return _finished(run, base)
    return MORE


@jit.inlined
def _nothing_under_way(run: Any) -> bool:
    return run.commands_due == FOREVER and run.reports_due == FOREVER


@jit.compiled()
def _finished(run: Any, base: int) -> int:
    """All is over: one more row of equity, in which every fill is counted."""
    if watch_at(run.watch).every > 0:
        catch_up(base)
        sample(run.watch, base, session_at(base).time)
        watch_at(run.watch).every = 0
    return FINISHED


@jit.inlined
def logs_full(run: Any, base: int) -> bool:
    """Whether the next step might find no room in a log; one step adds a few rows at most."""
    execution = execution_at(execution_base(base))
    watch = watch_at(run.watch)
    return (
        execution.fills_max - execution.fills < LOG_SPARE
        or execution.ended_max - execution.ended < LOG_SPARE
        or watch.equity_max - watch.equity_used <= session_at(base).instruments
        or watch.markouts_max - watch.markouts_used < LOG_SPARE
    )


@jit.compiled()
def _begin(run: Any, run_address: int, base: int) -> None:
    """Both sides look at their first event; the strategy starts just before its own."""
    run.phase = RUNS
    run.commands_due, run.reports_due = FOREVER, FOREVER
    run.venue_due, run.local_due = FOREVER, FOREVER
    walk = walk_at(run.walk)
    if walk.count > 0:
        address = event_address(walk, 0)
        run.venue_due = venue_time(address, 0)
        if run.feed_count > 1:
            begin_hearing(run_address)
        else:
            run.local_due, run.found = _local_time(run, address, 0), 1
        start(base, run.local_due, run.venue_due)
        watch = watch_at(run.watch)
        watch.next_sample = run.local_due if watch.every > 0 else FOREVER
        send(run, base)


@jit.compiled()
def _end(run: Any, base: int) -> None:
    """The tape is over, or the strategy will not go on: no more intents, and on_stop once."""
    context = context_at(context_address(base))
    why = context.stopped if context.stopped != RUNNING else TAPE_OVER
    if why != STOPPED_BY_FAULT:
        context.stopped = RUNNING
        number = session_at(base).stop_number
        finish(base, session_at(base).time)
        if why == STOPPED_ITSELF:  # what it says in on_stop comes too late
            session_at(base).stop_number = number
        if context.stopped == RUNNING or context.stopped == STOPPED_ITSELF:
            context.stopped = why
    if why != TAPE_OVER:
        take_back_all(base, -1)
    run.phase = ENDS
    send(run, base)


@jit.inlined
def _venue_side(run: Any, ours: int, end: int) -> None:
    """The venue sees its next events, up to where something of ours could reach it."""
    walk = walk_at(run.walk)
    lane = run.lanes
    limit = min(run.commands_due, ours + run.entry_least)
    event, due, steps = run.venue_next, run.venue_due, run.steps
    address = event_address(walk, event)
    while due <= limit and steps < end:
        steps += 1
        if run.lane_count > 1:
            lane = _seen_by(run, address, due)
        if exchange_inline(lane_at(lane).venue, address) != 0:
            collect(run, lane, due)
            # What we may answer to a report reaches the venue later still.
            limit = min(limit, run.reports_due + run.entry_least)
        event += 1
        if event == walk.count:
            due = FOREVER
            break
        address = event_address(walk, event)
        due = venue_time(address, due)
    run.venue_next, run.venue_due, run.steps = event, due, steps


@jit.compiled()
def _seen_by(run: Any, address: int, due: int) -> int:
    """The lane of an event's venue; what concerns all is shown to the other venues here."""
    instrument = _event_at(address).instrument
    if instrument >= session_at(run.session).instruments:
        for n in range(1, run.lane_count):
            lane = run.lanes + n * LANE_BYTES
            if exchange_event(lane_at(lane).venue, address) != 0:
                collect(run, lane, due)
    return lane_address(run, instrument)


@jit.inlined
def _local_side(run: Any, base: int, alarm: int, end: int) -> None:
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
        if called:
            reached(base, time, came)
        seen(base, address)
        next_event += 1
        due = FOREVER
        if next_event < walk.count:
            address = event_address(walk, next_event)
            due = _local_time(run, address, came)
        if due >= first_report or due > min(alarm, session.next_timer):
            break
        if next_event >= run.venue_next or steps >= end or noted:
            break
        if called and (execution.commands != 0 or context.stopped != RUNNING):
            break
    if not called:
        reached(base, time, came)
    run.local_next, run.local_due, run.steps = next_event, due, steps


@jit.compiled("void(int64)")
def _hear(run_address: int) -> None:
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
    reached(base, event.time, run.local_due)
    if event.instrument < session_at(base).instruments:
        seen(base, address)
    else:
        seen_by_feed(base, address, run.feed_routes, run.turn)
    heard(run_address)


@jit.inlined
def _local_time(run: Any, address: int, last: int) -> int:
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
        catch_up(base)
        sample(run.watch, base, due)
        late = (due - watch.next_sample) // watch.every
        watch.next_sample += (late + 1) * watch.every
    if watch.next_due <= time:
        look(run.watch, base, run.turn, time)
