"""Links to venues: commands out as bytes, bytes in as reports onto the tick path.

    commands of all seats ─▶ gateway ─▶ client ─▶ bytes out
    bytes in ─▶ client ─▶ gateway ─▶ reports ─▶ `answer` ─▶ perhaps more commands

The bytes that go out count as sent at once: what the kernel does not take now is the driver's to
keep, and whether it could is no part of any decision. A login goes out without its password.

Worst case: ROUNDS_MAX times answers and new commands after one frame; the rest waits for the next.
"""

from __future__ import annotations

from hftlib.core import jit, orders
from hftlib.core.events import EVENT
from hftlib.core.soup import client as session
from hftlib.core.soup import memory as soup
from hftlib.core.soup import pipes
from hftlib.core.soup.changes import IN, OUT
from hftlib.engine.live.memory import (
    BEGUN,
    LOGIN_AT,
    NO_SUCH_FRAME,
    OUT_BYTES,
    OUT_FULL,
    REPORTS_LOST,
    ROUNDS_MAX,
    call_3,
    call_5,
    link_address,
    link_of,
    live_at,
    number_of,
)
from hftlib.engine.memory import execution_base
from hftlib.engine.seats import after, first_of
from hftlib.execution.memory import command_address, command_of, execution_at
from hftlib.execution.ouch.exchanging import CROWDED
from hftlib.execution.ouch.memory import gateway_at, report_address

_event_at = jit.record_at(EVENT)


@jit.compiled()
def connected(live: int, n: int, what: int, why: int) -> None:
    """A connection stands, or could not be made, or is lost."""
    link, now = link_of(live, n), live_at(live).now
    if what == BEGUN:
        link.is_up = session.dialled(link.client, link_address(live, n) + LOGIN_AT, now)
    else:
        link.is_up = 0
        if why == soup.CLOSED:
            session.received(link.client, 0, now)
        else:
            session.failed(link.client, why, now)
    turn(live, n)


@jit.compiled()
def dial_now(live: int, n: int) -> None:
    """Whoever had the account is gone: what was not dialled until now is dialled at once."""
    link, now = link_of(live, n), live_at(live).now
    if link.is_up != 0:
        return
    session.failed(link.client, soup.NOT_MADE, now)
    session.hurry(link.client, now)
    turn(live, n)


@jit.compiled()
def segment(live: int, n: int, address: int, length: int) -> None:
    """A piece of a link's stream, as it came off the wire."""
    link, now = link_of(live, n), live_at(live).now
    link.segments += 1
    done = 0
    while done < length:
        part = min(length - done, pipes.space(link.client + IN))
        if part == 0:  # frames are bounded to half a pipe, so something can always be told
            live_at(live).fault = NO_SUCH_FRAME
            return
        pipes.copy(pipes.behind(link.client + IN), address + done, part)
        session.received(link.client, part, now)
        done += part
        turn(live, n)


@jit.compiled()
def turn(live: int, n: int) -> None:
    """What the session has to say, and what time brings it."""
    link, now = link_of(live, n), live_at(live).now
    live_at(live).touched |= 1 << n
    told = CROWDED
    while told != 0:
        told = call_5(live_at(live).exchange, link.gateway, link.client, -1, now, now)
        _hear(live, n)
        if told == soup.OUT_DIAL:
            link.dials += 1
        elif told == soup.OUT_DOWN or told == soup.OUT_OVER:
            link.hangs += 1
            link.is_up = 0


@jit.compiled()
def settle(live: int) -> None:
    """Commands to their gateways, what these refuse back, until there is nothing more to do."""
    header = live_at(live)
    for rounds in range(ROUNDS_MAX):
        if not _submit_all(live):
            break
        header.rounds_most = max(header.rounds_most, rounds + 1)
        for n in range(header.links):
            if (header.touched >> n) & 1:
                turn(live, n)
    for n in range(header.links):
        if (header.touched >> n) & 1:
            _collect(live, n)
    header.touched = 0


@jit.compiled()
def _submit_all(live: int) -> bool:
    """Every strategy's commands, in their order; whether there were any."""
    header = live_at(live)
    seat, some = first_of(header.session), False
    while seat != 0:
        execution = execution_base(seat)
        for n in range(execution_at(execution).commands):
            number = number_of(live, header.link_of_at, command_of(execution, n).instrument)
            # One that no link is for goes to the first: its gateway refuses it with a reason.
            number = max(number, 0)
            link = link_of(live, number)
            call_3(header.submit, link.gateway, command_address(execution, n), header.now)
            link.commands += 1
            header.touched |= 1 << number
            some = True
        execution_at(execution).commands = 0
        seat = after(seat)
    return some


@jit.compiled()
def _hear(live: int, n: int) -> None:
    """The venue's answers, onto the tick path."""
    link = link_of(live, n)
    gateway = gateway_at(link.gateway)
    for one in range(gateway.reports):
        link.reports += 1
        address = report_address(link.gateway, one)
        kind = _event_at(address).kind
        if kind == orders.REJECTED or orders.CANCEL_REJECTED <= kind <= orders.REPLACE_REJECTED:
            link.rejected += 1
        call_3(live_at(live).answer, live_at(live).session, address, 0)
    gateway.reports = 0
    if gateway.reports_lost != 0:
        live_at(live).fault = REPORTS_LOST


@jit.compiled()
def _collect(live: int, n: int) -> None:
    """The bytes that go out now."""
    link = link_of(live, n)
    pipe = link.client + OUT
    held = pipes.held(pipe)
    if held == 0:
        return
    if link.out_bytes + held > OUT_BYTES:
        live_at(live).fault = OUT_FULL
        return
    pipes.copy(live + link.out_at + link.out_bytes, pipes.first(pipe), held)
    link.out_bytes += held
    session.sent(link.client, held, live_at(live).now)
