"""The backtest's clock: passes over one tape, and what is under way between them.

    venue side   each event at the venue's time ─▶ the exchange, which fills our orders
    local side   the same event after the feed's latency ─▶ the tick path
    directives   what people and processes tell risk, before anything else of that time
    lanes        commands after the order's latency ─▶ the exchange; reports back ─▶ the tick path

Where feeds are not equally late each has a pass of its own on the local side (`hearing.py`).

What comes first is done first. At equal times: the venue's event, then what is under way, then the
local event, then timers; and what is under way goes by venue, commands before reports. Times of a
tape that go back count as the highest so far. So one tape, one seed and one set of settings give
one result, however the tape is cut into calls of `advance`.

When the tape ends each strategy hears `on_stop`, what is under way arrives, and all is over. When
one stops itself, or ends with a fault, its orders are cancelled and the others go on; after the
last of them the run ends once all orders are gone.

Worst case: `advance` returns when a log needs emptying; a report ring that is full ends the run.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import EVENT
from hftlib.engine.carrying import (
    arrive_here,
    arrive_there,
    collect,
    lane_address,
    send,
    send_all,
)
from hftlib.engine.ending import end_one
from hftlib.engine.flight import LANE_BYTES, lane_at, run_at
from hftlib.engine.hearing import (
    begin_hearing,
    venue_time,
)
from hftlib.engine.local_side import hear, local_side, local_side_of_several, local_time
from hftlib.engine.memory import (
    FOREVER,
    RUNNING,
    context_address,
    context_at,
    execution_base,
    risk_base,
    session_at,
)
from hftlib.engine.path import (
    directive,
    look_around,
    start,
    timer,
)
from hftlib.engine.room import logs_full
from hftlib.engine.seats import (
    after,
    first_of,
    has_stopped,
    is_alone,
    open_orders,
    somebody_stopped,
    soonest,
)
from hftlib.engine.watching import sample_all, watch_at
from hftlib.execution.memory import execution_at
from hftlib.feed.walk import event_address, walk_at
from hftlib.risk.directives import ASK_RISK, DIRECTIVE_BYTES, directive_at
from hftlib.risk.memory import risk_at
from hftlib.venue.exchange import exchange_event, exchange_inline

_event_at = jit.record_at(EVENT)
BEGIN, RUNS, ENDS = range(3)
# What `advance` answers.
MORE, LOGS_FULL, FINISHED, REPORTS_LOST, ASKED = range(5)


@jit.compiled("int64(int64, int64)")
def advance(run_address: int, steps: int) -> int:
    """Go on for so many steps: MORE, or why it stopped before."""
    run = run_at(run_address)
    base = run.session
    session, alone = session_at(base), is_alone(base)
    execution = execution_at(execution_base(base))
    context = context_at(context_address(base))
    risk = risk_at(risk_base(base))
    if run.phase == BEGIN:
        _begin(run, run_address, base)
    end = run.steps + steps
    while run.steps < end:
        if logs_full(run, base):
            return LOGS_FULL
        if run.phase == RUNS:
            stopped = context.stopped != RUNNING if alone else somebody_stopped(base)
            if stopped or run.local_due == FOREVER:
                _end(run, base)
        alarm, told, rings = FOREVER, FOREVER, FOREVER
        if run.phase == RUNS:
            told = run.directive_due
            rings = session.next_timer if alone else soonest(base)
            alarm = min(rings, risk.next_guard)
        ours = min(run.local_due, run.reports_due, alarm, told)
        if run.venue_due <= min(run.commands_due, ours + run.entry_least) < FOREVER:
            _venue_side(run, ours, end)
            if run.lost_reports != 0:
                return REPORTS_LOST
            if run.steps >= end:
                return MORE
            ours = min(ours, run.reports_due)
        if run.commands_due <= ours and run.commands_due < FOREVER:
            run.steps += 1
            arrive_there(run)
        elif ours >= FOREVER:
            return _finished(run, base)
        elif told == ours:
            run.steps += 1
            if _directed(run, base) != 0:
                return ASKED
        elif run.reports_due == ours:
            run.steps += 1
            arrive_here(run, base)
        elif run.local_due == ours:
            if run.feed_count > 1:
                hear(run_address)
            elif alone:
                local_side(run, base, min(alarm, told - 1), end, True)
            else:
                local_side_of_several(run, base, min(alarm, told - 1), end)
        elif alarm == rings:
            run.steps += 1
            timer(base)
        else:
            run.steps += 1
            look_around(base, alarm)
        if alone and execution.commands != 0:
            send(run, base)
        elif not alone:
            send_all(run, base)
        if run.lost_reports != 0:
            return REPORTS_LOST
        if run.phase == ENDS and open_orders(base) == 0 and _nothing_under_way(run):
            return _finished(run, base)
    return MORE


@jit.compiled()
def _directed(run: Any, base: int) -> int:
    """The next directive; 1: it asks for the portfolio's risk, which the one after it tells."""
    address = jit.nth(run.directives, run.directive_next, run.directive_count, DIRECTIVE_BYTES)
    asks = directive_at(address).what == ASK_RISK
    if not asks:
        directive(base, address)
    run.directive_next += 1
    run.directive_due = FOREVER
    if run.directive_next < run.directive_count:
        address += DIRECTIVE_BYTES
        run.directive_due = directive_at(address).time
    return 1 if asks else 0


@jit.inlined
def _nothing_under_way(run: Any) -> bool:
    return run.commands_due == FOREVER and run.reports_due == FOREVER


@jit.compiled()
def _finished(run: Any, base: int) -> int:
    """All is over: one more row of equity, in which every fill is counted."""
    if watch_at(run.watch).every > 0:
        sample_all(run.watch, base, session_at(base).time)
        watch_at(run.watch).every = 0
    return FINISHED


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
            run.local_due, run.found = local_time(run, address, 0), 1
        start(base, run.local_due, run.venue_due)
        watch = watch_at(run.watch)
        watch.next_sample = run.local_due if watch.every > 0 else FOREVER
        send_all(run, base)


@jit.compiled()
def _end(run: Any, base: int) -> None:
    """The tape is over, or a strategy will not go on; the run ends with the last one's end."""
    seat, going = first_of(base), 0
    while seat != 0:
        if run.local_due == FOREVER or has_stopped(seat):
            end_one(seat)
        going += 1 - session_at(seat).over
        seat = after(seat)
    if going == 0:
        run.phase = ENDS
    send_all(run, base)


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
