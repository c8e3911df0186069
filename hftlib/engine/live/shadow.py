"""A venue's model in place of a link: nothing is sent, and what is answered comes of the feed.

    the feed's event ─▶ `market`: the model, and then we          it stands where we hear it
    commands         ─▶ `send`: under way for `order_ns`  ─▶ `arrive`: the model obeys
    its reports      ─▶ under way for `report_ns`         ─▶ `arrive`: `answer` on the tick path

The model is that of backtests (`venue/exchange.py`): our orders have an exact place in the queue of
an order-by-order feed. Its clock is ours: an event happens there when it reaches us. So a shadow is
causal, needs no second clock, and is to the byte what its journal says; and a backtest on the tape
of that journal, by our clock, has the same fills (`research/journal_feed.py`).

Each command and each report is a piece of the frame SHADOW that goes out (`journal/shadows.py`).

Worst case: RING commands or reports under way at once; one more ends the day with a sentence.
"""

from __future__ import annotations

from hftlib.core import jit, orders
from hftlib.core.events import EVENT, EVENT_BYTES
from hftlib.core.journal.shadows import COMMANDED, PIECE_BYTES, RECORD_AT, REPORTED
from hftlib.core.orders import COMMAND, COMMAND_BYTES
from hftlib.engine.flight import arrived, flight_report_at, is_full, sent, way_at
from hftlib.engine.live.memory import (
    OUT_FULL,
    REPORTS_LOST,
    SHADOW_OUT_BYTES,
    call_3,
    link_of,
    live_at,
)
from hftlib.engine.live.shadow_memory import COMMANDS_AT, REPORTS_AT, shadow_at
from hftlib.engine.memory import execution_base, session_at
from hftlib.engine.seats import after, first_of, is_alone, seat_of
from hftlib.execution.memory import command_address, execution_at, fill_of
from hftlib.venue.tables import REPORT_BYTES, report_at, venue_at

_event_at = jit.record_at(EVENT)
_command_at = jit.record_at(COMMAND)
_see = jit.caller("int64(int64, int64)")
_obey = jit.caller("int64(int64, int64, int64)")
_ITEM_AT = 8  # of what is under way, behind the time it arrives
assert COMMAND_BYTES == EVENT_BYTES == PIECE_BYTES - RECORD_AT


@jit.compiled()
def due(live: int) -> int:
    """When the next of what is under way arrives; FOREVER."""
    place = live_at(live).shadow
    return min(way_at(place + COMMANDS_AT).due, way_at(place + REPORTS_AT).due)


@jit.compiled()
def market(live: int, place: int) -> None:
    """An event of the feed, as the venue has it: now."""
    header, event = live_at(live), _event_at(place)
    shadow = shadow_at(header.shadow)
    told = event.time
    event.time = header.now
    waits = _see(shadow.see, shadow.exchange, place)
    event.time = told
    if waits != 0:
        _collect(live, header.now)


@jit.compiled()
def send(live: int) -> None:
    """Every strategy's commands, in their order: under way from when they were decided."""
    header = live_at(live)
    shadow, way = shadow_at(header.shadow), way_at(header.shadow + COMMANDS_AT)
    seat = first_of(header.session)
    while seat != 0:
        execution = execution_base(seat)
        for n in range(execution_at(execution).commands):
            address = command_address(execution, n)
            if header.submit != 0:
                call_3(header.submit, link_of(live, 0).gateway, address, header.now)
            time = _command_at(address).time
            _told(live, COMMANDED, address)
            link_of(live, 0).commands += 1
            if is_full(way):
                header.fault = REPORTS_LOST
                break
            jit.copy_words(sent(way, time + shadow.order_ns) + _ITEM_AT, address, COMMAND_BYTES)
        execution_at(execution).commands = 0
        seat = after(seat)


@jit.compiled()
def arrive(live: int) -> None:
    """The earliest of what is under way: a command there, or a report here."""
    header = live_at(live)
    shadow = shadow_at(header.shadow)
    there, here = way_at(header.shadow + COMMANDS_AT), way_at(header.shadow + REPORTS_AT)
    if there.due <= here.due:
        time = there.due
        if _obey(shadow.obey, shadow.exchange, arrived(there) + _ITEM_AT, time) != 0:
            _collect(live, time)
        return
    time = max(here.due, session_at(header.session).time)  # ours never goes back
    place = arrived(here)
    address, report = place + _ITEM_AT, flight_report_at(place)
    event = _event_at(address)
    event.received = time
    link = link_of(live, 0)
    link.reports += 1
    kind = event.kind
    if kind == orders.REJECTED or orders.CANCEL_REJECTED <= kind <= orders.REPLACE_REJECTED:
        link.rejected += 1
    _told(live, REPORTED, address)
    base = header.session
    seat = base if is_alone(base) else seat_of(base, event.reference)
    _beside(seat, kind, event.flags, report.ahead)
    call_3(header.answer, base, address, report.entered)


@jit.inlined
def _beside(seat: int, kind: int, flags: int, ahead: int) -> None:
    """What execution is not told, written into the rows that this report is about to become."""
    execution = execution_base(seat)
    count = execution_at(execution).fills
    first, second = fill_of(execution, count), fill_of(execution, count + 1)
    first.ahead, first.asked, second.ahead, second.asked = 0, 0, 0, 0
    if kind == orders.FILLED and flags & orders.TAKER == 0:
        first.ahead = ahead


@jit.compiled()
def _collect(live: int, time: int) -> None:
    """What the model answered: each report is under way from now on."""
    header = live_at(live)
    shadow, way = shadow_at(header.shadow), way_at(header.shadow + REPORTS_AT)
    venue = venue_at(shadow.exchange)
    for n in range(venue.reports_used):
        address = jit.nth(shadow.exchange + venue.reports_at, n, venue.reports_max, REPORT_BYTES)
        event = _event_at(address)
        if event.kind == orders.FILLED:
            shadow.fills += 1
            event.sequence = shadow.fills
        event.time = time
        if is_full(way):
            header.fault = REPORTS_LOST
            break
        place = sent(way, time + shadow.report_ns)
        jit.copy_words(place + _ITEM_AT, address, EVENT_BYTES)
        report = flight_report_at(place)
        report.entered, report.ahead = report_at(address).entered, report_at(address).ahead
    venue.reports_used = 0
    if venue.reports_lost != 0:
        header.fault = REPORTS_LOST


@jit.compiled()
def _told(live: int, what: int, address: int) -> None:
    """One piece of the frame that goes out."""
    link = link_of(live, 0)
    if link.out_bytes + PIECE_BYTES > SHADOW_OUT_BYTES:
        live_at(live).fault = OUT_FULL
        return
    place = live + link.out_at + link.out_bytes
    jit.store_i64(place, what)
    jit.copy_words(place + RECORD_AT, address, EVENT_BYTES)
    link.out_bytes += PIECE_BYTES
