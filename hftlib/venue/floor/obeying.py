"""One thing after another: a message or a command in, and all that it leads to out.

    hear(floor, session, message, length)    an OUCH message of a session: 1, or 0: it was none
    obey(floor)                              the floor's COMMAND, whoever made it
    pass_time(floor)                         orders whose time is over
    following(floor, connection)             all messages that a connection has, then as `server`

A command is obeyed whole before the next is read: its reports go to owners, drop copies and the
feed in the order in which they arose. Nothing is sent here; that is the driver's, once a turn.
Where there is a journal, a session's message is in it before it is obeyed.

Worst case: a cross or a cancel of all says as many reports as there are orders. A message that the
journal does not take is not obeyed: `unkept` counts it, and the process must stop.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.journal.appending import append
from hftlib.core.journal.kinds import SESSION_IN
from hftlib.core.ouch.codec import decode_inbound
from hftlib.core.ouch.options import TOO_LONG, clear
from hftlib.core.soup import memory as soup
from hftlib.core.soup import server as sessions
from hftlib.venue.floor.inward import to_command
from hftlib.venue.floor.late import hits
from hftlib.venue.floor.memory import COMMAND_AT, OPTIONS_AT, WIRE_AT, command_at, floor_at
from hftlib.venue.floor.outward import say
from hftlib.venue.floor.public import tell
from hftlib.venue.matching.records import COMMAND_BYTES, PASS_TIME, REJECTED
from hftlib.venue.matching.running import run
from hftlib.venue.matching.tables import engine_of, report_address, report_at

_server_at = jit.record_at(soup.SERVER)
_ENTER, _REPLACE = ord("O"), ord("U")


@jit.compiled("int64(int64, int64, int64, int64)")
def hear(floor: int, session: int, message: int, length: int) -> int:
    """One OUCH message, obeyed."""
    f = floor_at(floor)
    f.heard += 1
    found = decode_inbound(message, length, floor + WIRE_AT, floor + OPTIONS_AT)
    if found < 0 and found > TOO_LONG:  # not even its fixed part is whole
        f.unreadable += 1
        return 0
    f.unreadable += 1 if found < 0 else 0
    refused = found < 0 or (f.rejects != 0 and _stormed(floor))
    to_command(floor, session, 1 if refused else 0)
    f.echo = 1
    obey(floor)
    f.echo = 0
    clear(floor + OPTIONS_AT)
    return 1


@jit.compiled()
def _stormed(floor: int) -> bool:
    """Refused by chance, as one whose terms nobody can read: a fault, asked for."""
    letter = jit.load_u8(floor + WIRE_AT)
    if (letter != _ENTER and letter != _REPLACE) or not hits(floor, floor_at(floor).rejects):
        return False
    floor_at(floor).stormed += 1
    return True


@jit.compiled("int64(int64)")
def obey(floor: int) -> int:
    """The floor's COMMAND: how many reports it led to."""
    f = floor_at(floor)
    engine = engine_of(f.engine)
    f.commands += 1
    before = f.reports
    left = 1
    while True:
        left -= run(f.engine, floor + COMMAND_AT, left)
        _tell_all(floor)
        if left == 0 and engine.unsettled == 0:
            return int(f.reports - before)


@jit.inlined
def _tell_all(floor: int) -> None:
    """Every report that nobody has taken yet, to whom it is for."""
    f = floor_at(floor)
    engine = engine_of(f.engine)
    for n in range(engine.reports_used):
        address = report_address(f.engine, n)
        report = report_at(address)
        if report.session == 0 and report.kind == REJECTED:
            f.refused += 1
            f.why = report.reason
        say(floor, address)
        tell(floor, address)
    f.reports += engine.reports_used
    engine.reports_used = 0


@jit.compiled("int64(int64)")
def pass_time(floor: int) -> int:
    """Whatever is over by now ends, though nobody says anything: how many reports."""
    f = floor_at(floor)
    if engine_of(f.engine).next_expiry > f.now:
        return 0
    blank_command(floor)
    command_at(floor + COMMAND_AT).kind = PASS_TIME
    return obey(floor)


@jit.compiled()
def blank_command(floor: int) -> None:
    """The floor's COMMAND of nobody and nothing, now."""
    for at in range(0, COMMAND_BYTES, 8):
        jit.store_i64(floor + COMMAND_AT + at, 0)
    command_at(floor + COMMAND_AT).time = floor_at(floor).now


@jit.compiled("int64(int64, int64)")
def following(floor: int, connection: int) -> int:
    """Obey all messages of a connection; what else is to be told of it, or 0: nothing."""
    server = floor_at(floor).entry
    while True:
        kind = sessions.following(server, connection)
        if kind != soup.HAS_MESSAGE:
            return kind
        said = _server_at(server)
        session = sessions.connection_of(server, connection).account + 1
        if not _kept(floor, session, said.address, said.length):
            return 0
        hear(floor, session, said.address, said.length)


@jit.inlined
def _kept(floor: int, session: int, message: int, length: int) -> bool:
    """It is in the journal, if there is one."""
    f = floor_at(floor)
    if f.journal == 0:
        return True
    if f.unkept == 0 and append(f.journal, SESSION_IN, session, f.now, message, length) > 0:
        return True
    f.unkept += 1
    return False
