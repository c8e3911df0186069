"""The engine's one door: commands in, in order; reports into their place until somebody takes them.

    run(base, commands, count)    how many were obeyed: fewer when reports must be taken first
    take_reports ...              is setting `reports_used` to 0, once they are copied

Time comes with the commands and never goes back. Orders whose time is over end before the
command at that time. Whatever cannot be is answered with a reason; nothing is thrown.

Worst case: a command says at most `reports_room` reports at a time; `run` begins nothing with less.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.venue.matching.changing import cancel_some, modify, replace
from hftlib.venue.matching.entering import enter, rejected
from hftlib.venue.matching.managing import (
    break_trade,
    cross_or_indicate,
    disable_or_enable,
    disconnect,
    expire,
    mass_cancel,
    mass_reason,
    set_bands,
    set_state,
    system_event,
)
from hftlib.venue.matching.meeting import meet
from hftlib.venue.matching.reasons import BAD_KIND, NO_SESSION
from hftlib.venue.matching.records import (
    ACCOUNT,
    ACCOUNTED,
    BREAK,
    CANCEL,
    COMMAND,
    COMMAND_BYTES,
    CROSS,
    DISABLE,
    DISCONNECT,
    ENABLE,
    ENTER,
    INDICATE,
    MASS_CANCEL,
    MEET,
    MODIFY,
    REPLACE,
    SET_BANDS,
    SET_STATE,
    SYSTEM,
)
from hftlib.venue.matching.settling import settle
from hftlib.venue.matching.tables import engine_of, report_at, session_of
from hftlib.venue.matching.telling import of_command

command_at = jit.record_at(COMMAND)


@jit.compiled("int64(int64, int64, int64)")
def run(base: int, commands: int, count: int) -> int:
    """Obey commands; how many of them. What is still to be settled comes first."""
    engine = engine_of(base)
    done = 0
    while True:
        if engine.unsettled != 0 and settle(base) == 0:
            return done
        if done == count or engine.reports_used + engine.reports_room > engine.reports_max:
            return done
        _obey(base, command_at(commands + done * COMMAND_BYTES))
        done += 1


@jit.inlined
def _obey(base: int, command: Any) -> None:
    engine = engine_of(base)
    engine.commands += 1
    if command.time > engine.time:
        engine.time = command.time
        if engine.next_expiry <= engine.time:
            expire(base)
    if command.session > engine.sessions:
        rejected(base, NO_SESSION, command)
    elif command.kind <= ACCOUNT:
        _obey_owner(base, command)
    else:
        _obey_other(base, command)


@jit.inlined
def _obey_owner(base: int, command: Any) -> None:
    """What concerns orders comes from a session."""
    kind = command.kind
    if kind == 0:
        rejected(base, BAD_KIND, command)
    elif command.session == 0:
        rejected(base, NO_SESSION, command)
    elif kind == ENTER:
        enter(base, command)
    elif kind == CANCEL:
        cancel_some(base, command)
    elif kind == REPLACE:
        replace(base, command)
    elif kind == MODIFY:
        modify(base, command)
    else:
        report = report_at(of_command(base, ACCOUNTED, 0, command))
        report.quantity = session_of(base, command.session).urn + 1


@jit.once
def _obey_other(base: int, command: Any) -> None:
    """What owners and the exchange may ask, and what the exchange alone may."""
    kind = command.kind
    if kind > MEET:
        rejected(base, BAD_KIND, command)
    elif kind == MASS_CANCEL:
        mass_cancel(base, command, mass_reason(command.session))
    elif kind in (DISABLE, ENABLE):
        disable_or_enable(base, command)
    elif (command.session != 0) != (kind in (DISCONNECT, MEET)):
        rejected(base, NO_SESSION, command)
    elif kind == DISCONNECT:
        disconnect(base, command)
    elif kind == MEET:
        meet(base, command)
    elif kind == SET_STATE:
        set_state(base, command)
    elif kind == SET_BANDS:
        set_bands(base, command)
    elif kind in (CROSS, INDICATE):
        cross_or_indicate(base, command, 1 if kind == CROSS else 0)
    elif kind == BREAK:
        break_trade(base, command)
    elif kind == SYSTEM:
        system_event(base, command)
