"""One frame: what came in, through the tick path, to the bytes that go out.

    take(live, kind, source, time, address, length) -> 0, or why the runner must stop

    DATAGRAM     of a line of a feed: source is feed × 4 + line
    SESSION_IN   bytes of a link's stream: source is the link
    CONNECTED    two int64: a connection stands or is lost, and why; or the day ends; or another
                 process goes on with it; more of them: what was taken over from another runner
    TIMER        only time passed
    DIRECTIVE    what a person or a process tells risk

The live driver journals a frame and calls this; a replay reads it from the journal and calls this.
Nothing else changes what is decided, so the bytes that come out must be the same. What is due
before the frame's time goes off first, each at its own time, as in a backtest.

In shadow (`shadow.py`) venues' models stand where links are: what is under way to them and from
them is due like a timer. Worst case: ALARMS_MAX timers go off before a frame; the rest waits.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.journal.kinds import CONNECTED, DATAGRAM, DIRECTIVE, SESSION_IN, TIMER
from hftlib.engine.ending import end_one
from hftlib.engine.laps import ENCODE, PARSE, lap
from hftlib.engine.live import feeding, linking, shadow
from hftlib.engine.live.memory import (
    ALARMS_MAX,
    BEGUN,
    CARRIED,
    DIRECTIVE_AT,
    DIRECTIVES_AT,
    ENDED,
    LINES_EACH,
    LOG_SPARE,
    LOST,
    NO_SUCH_FRAME,
    RESUMED,
    call_1,
    call_2,
    call_3,
    live_at,
)
from hftlib.engine.live.resuming import resume
from hftlib.engine.live.taking_over import HEAD_WORDS, carried
from hftlib.engine.memory import FOREVER, execution_base, risk_base, session_at
from hftlib.engine.seats import after, first_of, has_stopped, soonest
from hftlib.engine.taking_back import take_back_all
from hftlib.execution.memory import execution_at
from hftlib.execution.parents import parents_of
from hftlib.risk.directives import DIRECTIVE_BYTES, directive_at
from hftlib.risk.memory import risk_at


@jit.compiled("int64(int64, int64, int64, int64, int64, int64)")
def take(live: int, kind: int, source: int, time: int, address: int, length: int) -> int:
    """Take one frame in; the bytes that go out lie in the links, until the driver took them."""
    header = live_at(live)
    header.now = max(header.now, time)
    header.frames += 1
    if header.begun == 0:
        header.begun = 1
        call_3(header.start, header.session, header.now, header.now)
    is_word = kind == CONNECTED and length == 16
    what, why = 0, 0
    if is_word:
        what, why = jit.load_i64(address), jit.load_i64(address + 8)
    if what == RESUMED:  # before anything that was due while nobody ran
        resume(live)
    # What is due at a moment comes after what happens at it, unless only time passes.
    _alarms(live, header.now + 1 if kind == TIMER else header.now)
    if kind == DATAGRAM and 0 <= source < header.feeds * LINES_EACH:
        feeding.datagram(live, source, address, length)
    elif kind == SESSION_IN and 0 <= source < header.links:
        linking.segment(live, source, address, length)
    elif kind == TIMER:
        _pass_time(live)
    elif kind == DIRECTIVE and length == DIRECTIVE_BYTES:
        _direct(live, address)
    elif is_word and what == ENDED:
        _end(live)
    elif is_word and what in (BEGUN, LOST) and 0 <= source < header.links:
        linking.connected(live, source, what, why)
    elif kind == CONNECTED and length >= 8 * HEAD_WORDS and jit.load_i64(address) == CARRIED:
        _take_over(live, address, length)
    elif what != RESUMED:
        header.fault = NO_SUCH_FRAME
    _tidy(live)
    lap(header.session, PARSE)
    if header.shadow != 0:
        shadow.send(live)
    else:
        linking.settle(live)
    lap(header.session, ENCODE)
    return header.fault


@jit.compiled("int64(int64)")
def due(live: int) -> int:
    """When something is due if nothing comes: a timer of a strategy's, or a look around."""
    base = live_at(live).session
    ours = min(soonest(base), risk_at(risk_base(base)).next_guard)
    return min(ours, shadow.due(live)) if live_at(live).shadow != 0 else ours


@jit.compiled()
def _alarms(live: int, before: int) -> None:
    """What is due goes off, at its own time."""
    header = live_at(live)
    base, arrives = header.session, FOREVER
    for _ in range(ALARMS_MAX):
        rings, guard = soonest(base), risk_at(risk_base(base)).next_guard
        if header.shadow != 0:
            shadow.send(live)
            arrives = shadow.due(live)
        ours = min(rings, guard)
        if min(ours, arrives) >= before:
            return
        header.alarms += 1
        if arrives <= ours:
            shadow.arrive(live)
        elif rings <= guard:
            call_1(header.timer, base)
        else:
            call_2(header.look_around, base, guard)
    header.put_off += 1


@jit.compiled()
def _pass_time(live: int) -> None:
    header = live_at(live)
    header.timers += 1
    for n in range(header.feeds):
        feeding.pass_time(live, n)
    links = header.links if header.shadow == 0 else 0  # of a shadow none is dialled
    for n in range(links):
        linking.turn(live, n)


@jit.compiled()
def _direct(live: int, address: int) -> None:
    """A directive, copied: what became of it is written into it."""
    header, here = live_at(live), live + DIRECTIVE_AT
    jit.copy_words(here, address, DIRECTIVE_BYTES)
    directive_at(here).time = header.now
    call_2(header.directed, header.session, here)
    jit.store_release(
        live + DIRECTIVES_AT, header.directives + 1
    )  # who waits reads what became of it


@jit.compiled()
def _take_over(live: int, address: int, length: int) -> None:
    """What another runner held is ours, and its account: links are dialled at once."""
    carried(live, address, length)
    header = live_at(live)
    links = header.links if header.shadow == 0 else 0
    for n in range(links):
        linking.dial_now(live, n)


@jit.compiled()
def _end(live: int) -> None:
    """The day is over for our strategies: each says its last word, and all that stands goes."""
    seat = first_of(live_at(live).session)
    live_at(live).ended = 1
    while seat != 0:
        end_one(seat)
        take_back_all(seat, -1)
        seat = after(seat)


@jit.compiled()
def _tidy(live: int) -> None:
    """Strategies that stopped are ended; logs that are nearly full are emptied."""
    seat = first_of(live_at(live).session)
    while seat != 0:
        if has_stopped(seat):
            end_one(seat)
        session, execution = session_at(seat), execution_at(execution_base(seat))
        parents = parents_of(execution_base(seat))
        if execution.fills_max - execution.fills < LOG_SPARE:
            execution.fills = 0
            live_at(live).emptied += 1
        if execution.ended_max - execution.ended < LOG_SPARE:
            execution.ended = 0
            live_at(live).emptied += 1
        all_told = session.refusals == session.refusals_told
        if all_told and 2 * session.refusals > session.refusals_max:
            session.refusals = session.refusals_told = session.refusals_kept = 0
            live_at(live).emptied += 1
        if 2 * parents.logged > parents.log_max:
            parents.logged = 0
            live_at(live).emptied += 1
        seat = after(seat)
