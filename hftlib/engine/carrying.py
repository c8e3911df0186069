"""Carrying: what we sent goes to the venue, what it answered comes to us, each after its latency.

    send     commands of this event ─▶ the lane of their instrument
    collect  reports of this moment ─▶ the lane of their venue; fills get their number here
    arrive   the earliest of all lanes: a command at its exchange, a report at the tick path

Worst case: a ring that is full loses nothing in silence: `lost_reports` ends the run.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.orders import (
    CANCEL,
    CANCEL_PENDING,
    COMMAND,
    COMMAND_BYTES,
    FILLED,
    NEW,
    REPLACE_PENDING,
    TAKER,
)
from hftlib.engine.flight import (
    COMMANDS_AT,
    LANE_BYTES,
    REPORTS_AT,
    arrived,
    ask_of,
    flight_report_at,
    is_full,
    lane_at,
    sent,
    way_at,
)
from hftlib.engine.memory import FOREVER, execution_base, session_at
from hftlib.engine.path import answer
from hftlib.engine.seats import after, first_of, is_alone, seat_of
from hftlib.engine.watching import expect
from hftlib.execution.memory import command_address, execution_at, fill_of, order_of, slot_of
from hftlib.venue.exchange import exchange_command
from hftlib.venue.latency import ENTRY as ENTRY_LEG
from hftlib.venue.latency import LATENCY_BYTES, RESPONSE, latency_at
from hftlib.venue.tables import REPORT_BYTES, report_at, venue_at

command_at = jit.record_at(COMMAND)
_event_at = jit.record_at(EVENT)


@jit.inlined
def lane_address(run: Any, instrument: int) -> int:
    """The lane of an instrument; what concerns all comes through the first."""
    count = session_at(run.session).instruments
    route = 0
    if run.lane_count > 1 and instrument < count:
        route = jit.load_i64(jit.nth(run.routes, instrument, count, 8))
    return jit.nth(run.lanes, route, run.lane_count, LANE_BYTES)


@jit.inlined
def feed_of(run: Any, instrument: int) -> int:
    """The feed that tells of an instrument; what is none of the table comes by the first."""
    count = session_at(run.session).instruments
    if run.feed_count == 1 or instrument >= count:
        return 0
    return jit.load_i64(jit.nth(run.feed_routes, instrument, count, 8))


@jit.compiled()
def send_all(run: Any, base: int) -> None:
    """The same for every strategy, in their order."""
    seat = first_of(base)
    while seat != 0:
        send(run, seat)
        seat = after(seat)


@jit.compiled()
def send(run: Any, base: int) -> None:
    """Take what a strategy sent away: each command is under way from now on."""
    execution = execution_base(base)
    header = execution_at(execution)
    for n in range(header.commands):
        address = command_address(execution, n)
        command = command_at(address)
        lane = lane_address(run, command.instrument)
        leg = ENTRY_LEG + command.what - NEW
        legs = lane_at(lane).latencies + leg * LATENCY_BYTES
        latency = latency_at(legs, command.time, 4 * command.order + command.what)
        way = way_at(lane + COMMANDS_AT)
        if is_full(way):
            run.lost_reports += 1
            break
        place = sent(way, command.time + latency)
        jit.copy_words(place + 8, address, COMMAND_BYTES)
        run.commands_due = min(run.commands_due, way.due)
        if command.what != NEW:
            ask = ask_of(run, command.order)
            ask.order = command.order
            ask.asked = command.time if command.what == CANCEL else -command.time
    header.commands = 0


@jit.compiled()
def collect(run: Any, lane: int, time: int) -> None:
    """Take what the venue answered away: each report is under way from now on."""
    at = lane_at(lane).venue
    venue = venue_at(at)
    for n in range(venue.reports_used):
        address = jit.nth(at + venue.reports_at, n, venue.reports_max, REPORT_BYTES)
        event = _event_at(address)
        if event.kind == FILLED:
            run.fills += 1
            event.sequence = run.fills
            feed = feed_of(run, event.instrument)
            expect(run.watch, feed, run.fills, event.instrument, event.time)
        event.time = time  # where times of the tape go back, the highest so far counts
        legs = lane_at(lane).latencies + RESPONSE * LATENCY_BYTES
        latency = latency_at(legs, time, 64 * event.reference + event.kind)
        way = way_at(lane + REPORTS_AT)
        if is_full(way):
            run.lost_reports += 1
            break
        place = sent(way, time + latency)
        jit.copy_words(place + 8, address, EVENT_BYTES)
        report = flight_report_at(place)
        report.entered, report.ahead = report_at(address).entered, report_at(address).ahead
        run.reports_due = min(run.reports_due, way.due)
    venue.reports_used = 0
    run.lost_reports += venue.reports_lost


@jit.compiled()
def arrive_there(run: Any) -> None:
    """The earliest command arrives at its venue."""
    due = run.commands_due
    next_due = FOREVER
    done = 0
    for n in range(run.lane_count):
        lane = run.lanes + n * LANE_BYTES
        way = way_at(lane + COMMANDS_AT)
        if way.due == due and done == 0:
            done = 1
            place = arrived(way)
            if exchange_command(lane_at(lane).venue, place + 8, due) != 0:
                collect(run, lane, due)
        next_due = min(next_due, way.due)
    run.commands_due = next_due


@jit.compiled()
def arrive_here(run: Any, base: int) -> None:
    """The earliest report arrives here."""
    due = run.reports_due
    next_due = FOREVER
    done = 0
    for n in range(run.lane_count):
        way = way_at(run.lanes + n * LANE_BYTES + REPORTS_AT)
        if way.due == due and done == 0:
            done = 1
            place = arrived(way)
            event = _event_at(place + 8)
            event.received = due
            seat = base if is_alone(base) else seat_of(base, event.reference)
            _beside(run, seat, event, flight_report_at(place).ahead)
            answer(base, place + 8, flight_report_at(place).entered)
        next_due = min(next_due, way.due)
    run.reports_due = next_due


@jit.inlined
def _beside(run: Any, base: int, event: Any, ahead: int) -> None:
    """What execution is not told, written into the rows that this report is about to become."""
    execution = execution_base(base)
    count = execution_at(execution).fills
    fill, after = fill_of(execution, count), fill_of(execution, count + 1)
    fill.ahead, fill.asked, after.ahead, after.asked = 0, 0, 0, 0
    if event.kind != FILLED:
        return
    if event.flags & TAKER == 0:
        fill.ahead = ahead
    order = order_of(execution, slot_of(execution, event.reference))
    if order.pending & (CANCEL_PENDING | REPLACE_PENDING):
        fill.asked = ask_of(run, event.reference).asked
