"""A venue's model in place of each link: nothing is sent, what is answered comes of the feeds.

    the feed's event ─▶ `market`: the model, and then we          it stands where we hear it
    commands         ─▶ `send`: under way for `order_ns`  ─▶ `arrive`: the model obeys
    its reports      ─▶ under way for `report_ns`         ─▶ `arrive`: `answer` on the tick path

The model is that of backtests (`venue/exchange.py`): our orders have an exact place in the queue of
an order-by-order feed. Its clock is ours: an event happens there when it reaches us. So a shadow is
causal, needs no second clock, and is to the byte what its journal says; and a backtest on the tape
of that journal, by our clock, has the same fills (`research/journal_feed.py`).

Link n has a SHADOW of its own, which sees feed n and no other: each venue is as far away as it is.
At equal times commands arrive before reports, and venues go in their order, as in a backtest.

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
    number_of,
)
from hftlib.engine.live.shadow_memory import COMMANDS_AT, REPORTS_AT, SHADOW_BYTES, shadow_at
from hftlib.engine.memory import FOREVER, execution_base, session_at
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
    return min(_soonest(live, COMMANDS_AT), _soonest(live, REPORTS_AT))


@jit.compiled()
def _soonest(live: int, way: int) -> int:
    """When the next arrives of all that goes one way, whichever the venue."""
    found = FOREVER
    for n in range(live_at(live).links):
        found = min(found, way_at(_place(live, n) + way).due)
    return found


@jit.inlined
def _place(live: int, n: int) -> int:
    """The SHADOW of a link."""
    return jit.nth(live_at(live).shadow, n, live_at(live).links, SHADOW_BYTES)


@jit.compiled()
def market(live: int, n: int, place: int) -> None:
    """An event of a feed, as its venue has it: now."""
    header, event = live_at(live), _event_at(place)
    shadow = shadow_at(_place(live, n))
    told = event.time
    event.time = header.now
    waits = _see(shadow.see, shadow.exchange, place)
    event.time = told
    if waits != 0:
        _collect(live, n, header.now)


@jit.compiled()
def send(live: int) -> None:
    """Every strategy's commands, in their order: under way from when they were decided."""
    header = live_at(live)
    seat = first_of(header.session)
    while seat != 0:
        execution = execution_base(seat)
        for one in range(execution_at(execution).commands):
            address = command_address(execution, one)
            command = _command_at(address)
            n = number_of(live, header.link_of_at, command.instrument)
            shadow, way = shadow_at(_place(live, n)), way_at(_place(live, n) + COMMANDS_AT)
            if header.submit != 0:
                call_3(header.submit, link_of(live, n).gateway, address, header.now)
            arrives = command.time + shadow.order_ns
            _told(live, n, COMMANDED, address)
            link_of(live, n).commands += 1
            if is_full(way):
                header.fault = REPORTS_LOST
                break
            jit.copy_words(sent(way, arrives) + _ITEM_AT, address, COMMAND_BYTES)
        execution_at(execution).commands = 0
        seat = after(seat)


@jit.compiled()
def arrive(live: int) -> None:
    """The earliest of what is under way: a command there, or a report here."""
    there, here = _soonest(live, COMMANDS_AT), _soonest(live, REPORTS_AT)
    if there <= here:
        n = _whose(live, COMMANDS_AT, there)
        shadow, way = shadow_at(_place(live, n)), way_at(_place(live, n) + COMMANDS_AT)
        if _obey(shadow.obey, shadow.exchange, arrived(way) + _ITEM_AT, there) != 0:
            _collect(live, n, there)
    else:
        _arrive_here(live, _whose(live, REPORTS_AT, here), here)


@jit.compiled()
def _whose(live: int, way: int, due: int) -> int:
    """The first venue of whose way the head arrives then."""
    n = 0
    while way_at(_place(live, n) + way).due != due:
        n += 1
    return n


@jit.compiled()
def _arrive_here(live: int, n: int, due: int) -> None:
    """A report of a venue's model, onto the tick path."""
    header = live_at(live)
    time = max(due, session_at(header.session).time)  # ours never goes back
    place = arrived(way_at(_place(live, n) + REPORTS_AT))
    address, report = place + _ITEM_AT, flight_report_at(place)
    event = _event_at(address)
    event.received = time
    link = link_of(live, n)
    link.reports += 1
    kind = event.kind
    if kind == orders.REJECTED or orders.CANCEL_REJECTED <= kind <= orders.REPLACE_REJECTED:
        link.rejected += 1
    _told(live, n, REPORTED, address)
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
def _collect(live: int, n: int, time: int) -> None:
    """What a model answered: each report is under way from now on."""
    header = live_at(live)
    shadow, way = shadow_at(_place(live, n)), way_at(_place(live, n) + REPORTS_AT)
    venue, all_of = venue_at(shadow.exchange), shadow_at(header.shadow)
    for one in range(venue.reports_used):
        address = jit.nth(shadow.exchange + venue.reports_at, one, venue.reports_max, REPORT_BYTES)
        event = _event_at(address)
        if event.kind == orders.FILLED:
            all_of.fills += 1  # of all venues, so that no two have one number
            event.sequence = all_of.fills
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
def _told(live: int, n: int, what: int, address: int) -> None:
    """One piece of the frame that goes out by a link."""
    link = link_of(live, n)
    if link.out_bytes + PIECE_BYTES > SHADOW_OUT_BYTES:
        live_at(live).fault = OUT_FULL
        return
    place = live + link.out_at + link.out_bytes
    jit.store_i64(place, what)
    jit.copy_words(place + RECORD_AT, address, EVENT_BYTES)
    link.out_bytes += PIECE_BYTES
