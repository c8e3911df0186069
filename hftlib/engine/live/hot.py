"""The hot loop: sockets and clock in, frames into the journal and onto the tick path, bytes out.

    spin(hot, until)     turn after turn, without the GIL, until it is told to stop

    each turn   datagrams of every line ─▶ bytes of every link ─▶ what the desk tells ─▶ time
    each frame  journal ─▶ `take` ─▶ journal of what goes out ─▶ the kernel

A frame is in the journal before anything comes of it, and what goes out is there before it leaves.
Where the journal takes no more the loop ends, with what was decided unsent: a runner that cannot
prove what it does must not trade.

Time is the monotonic clock plus what lay between it and UTC at the start: it never steps.

Worst case: TURN_DATAGRAMS of each line and one read of each link before the desk is heard.
"""

from __future__ import annotations

import errno

from hftlib.core import clock, jit
from hftlib.core.clock_look import CLOCK_LOOK_BYTES
from hftlib.core.histogram import HISTOGRAM, record_value
from hftlib.core.journal import kinds
from hftlib.core.journal.appending import append
from hftlib.core.records import field_offset
from hftlib.core.ring import peek, release
from hftlib.core.soup import memory as soup
from hftlib.engine.laps import SPENT_AT, watch
from hftlib.engine.laps import STAGES as LAP_NAMES
from hftlib.engine.live.hot_memory import (
    DECIDE,
    HOT,
    INTAKE_BYTES,
    JOURNAL,
    JOURNAL_FULL,
    LANE,
    LANE_BYTES,
    LAPS,
    LAPS_AT,
    LAPS_EACH,
    MEASURED_EACH,
    NONE,
    PAYLOAD_AT,
    RECEIVE,
    TEXT_AT,
    TICK_NS,
    TO_WIRE,
    TURN_DATAGRAMS,
    WAIT_MS,
)
from hftlib.engine.live.memory import (
    BEGUN,
    LINES_EACH,
    LOST,
    feed_of,
    link_of,
    live_at,
)
from hftlib.engine.live.outgoing import (
    DONTWAIT,
    ask,
    flush,
    hang_up,
    hot_at,
    intake_at,
    lane_at,
    send_out,
)
from hftlib.engine.live.publishing import publish
from hftlib.feed.mold import sockets as lines
from hftlib.risk.directives import DIRECTIVE_BYTES

HISTOGRAM_BYTES = HISTOGRAM.itemsize
_take = jit.caller("int64(int64, int64, int64, int64, int64, int64)")
_due = jit.caller("int64(int64)")
_header_at = jit.record_at(lines.MMSGHDR)
_iovec_at = jit.record_at(lines.IOVEC)
_recv = jit.libc("recv", "int64(int32, int64, int64, int32)")
_close = jit.libc("close", "int32(int32)")
_poll = jit.libc("poll", "int32(int64, uint64, int32)")
_STOP = field_offset(HOT, "stop")
_GIVEN = field_offset(LANE, "given")
_EAGAIN, _EINTR, _POLLIN = errno.EAGAIN, errno.EINTR, 1


@jit.compiled("int64(int64, int64)")
def spin(hot: int, until: int) -> int:
    """Turn after turn until told to stop, or a monotonic time: why it ended by itself, or 0."""
    h = hot_at(hot)
    header = live_at(h.live)
    while h.status == 0 and jit.load_acquire(hot + _STOP) == 0:
        now = clock.monotonic_ns()
        if now >= until:
            break
        h.turns += 1
        did = 0
        for source in range(header.feeds * LINES_EACH):
            did += _line(hot, source)
        for n in range(header.links):
            did += _stream(hot, n)
        did += _desk(hot)
        now += h.offset
        if now >= h.next_tick or _due(h.due, h.live) <= now:
            h.next_tick = now + TICK_NS
            frame(hot, kinds.TIMER, 0, 0, 0)
            _clock(hot)
            _note(hot)
            if h.copying != 0:
                publish(h.copying, h.live)
        elif did == 0 and h.sleeps != 0:
            h.waits += 1
            _sleep(hot)
    return h.status


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def frame(hot: int, kind: int, source: int, address: int, length: int) -> int:
    """One frame, from the journal to what goes out because of it: the loop's status."""
    h = hot_at(hot)
    if h.status != 0:
        return h.status
    begun = clock.monotonic_ns()
    h.now = max(h.now, begun + h.offset)
    if append(h.journal, kind, source, h.now, address, length) < 0:
        h.status = JOURNAL_FULL
        return h.status
    h.frames += 1
    if kind != kinds.TIMER and h.frames & (MEASURED_EACH - 1) == 0:
        journaled = clock.monotonic_ns()
        record_value(h.latencies + JOURNAL * HISTOGRAM_BYTES, journaled - begun)
        h.status = _measured(hot, kind, source, address, length)
    else:
        h.status = _take(h.take, h.live, kind, source, h.now, address, length)
    header = live_at(h.live)
    for n in range(header.links):
        if h.status == 0 and link_of(h.live, n).out_bytes != 0:
            send_out(hot, n)
            if kind != kinds.TIMER:
                record_value(h.latencies + TO_WIRE * HISTOGRAM_BYTES, clock.monotonic_ns() - begun)
        hang_up(hot, n)
    for n in range(header.feeds):
        if h.status == 0 and feed_of(h.live, n).request_bytes != 0:
            ask(hot, n)
    return h.status


@jit.compiled()
def _measured(hot: int, kind: int, source: int, address: int, length: int) -> int:
    """The same, and how long it takes; of some datagrams, where the time goes as well."""
    h = hot_at(hot)
    is_lapped, laps = False, hot + LAPS_AT
    if kind == kinds.DATAGRAM:
        h.datagrams += 1
        if h.stamped != 0:  # both clocks are the host's, and one of them may be steered
            waited = max(0, h.now - h.stamped)
            record_value(h.latencies + RECEIVE * HISTOGRAM_BYTES, waited)
        is_lapped = (
            h.datagrams & (LAPS_EACH // MEASURED_EACH - 1) == 2
        )  # so that a short day has one
    session = live_at(h.live).session
    begun = clock.monotonic_ns()
    if is_lapped:
        watch(session, laps)
    status = int(_take(h.take, h.live, kind, source, h.now, address, length))
    if is_lapped:
        watch(session, 0)
        for stage in range(len(LAP_NAMES)):
            spent = jit.load_i64(laps + SPENT_AT + 8 * stage)
            if spent != 0:
                record_value(h.latencies + (LAPS + stage) * HISTOGRAM_BYTES, spent)
    else:  # laps have a price, which is none of the decision's
        record_value(h.latencies + DECIDE * HISTOGRAM_BYTES, clock.monotonic_ns() - begun)
    return status


@jit.compiled()
def _line(hot: int, source: int) -> int:
    """Some datagrams of one source: how many."""
    h = hot_at(hot)
    intake = h.intakes + source * INTAKE_BYTES
    if intake_at(intake).descriptor < 0:
        return 0
    for n in range(TURN_DATAGRAMS):
        place = lines.fetch(intake)
        if place == 0 or h.status != 0:
            return n
        h.stamped = lines.stamp(intake, place)
        header = _header_at(place)
        frame(hot, kinds.DATAGRAM, source, _iovec_at(header.iov).base, header.length)
    return TURN_DATAGRAMS


@jit.compiled()
def _stream(hot: int, n: int) -> int:
    """A connection that was made or lost, and one read of what it brings."""
    h = hot_at(hot)
    lane = lane_at(h.lanes + n * LANE_BYTES)
    given = jit.load_acquire(h.lanes + n * LANE_BYTES + _GIVEN)
    if given != NONE:
        lane.given = NONE
        if given >= 0:
            lane.descriptor = given
            _connection(hot, n, BEGUN, 0)
            if link_of(h.live, n).is_up == 0 and lane.descriptor >= 0:  # it came too late
                _close(lane.descriptor)
                lane.descriptor = -1
        else:
            _connection(hot, n, LOST, soup.NOT_MADE)
        return 1
    if lane.descriptor < 0:
        return 0
    flush(hot, n)
    got = _recv(lane.descriptor, h.buffer, h.room, DONTWAIT)
    if got > 0:
        frame(hot, kinds.SESSION_IN, n, h.buffer, got)
        return 1
    why = soup.CLOSED
    if got < 0:
        number = jit.errno()
        if number in (_EAGAIN, _EINTR):
            return 0
        why = soup.BROKE
    _close(lane.descriptor)
    lane.descriptor = -1
    _connection(hot, n, LOST, why)
    return 1


@jit.compiled()
def _connection(hot: int, n: int, what: int, why: int) -> None:
    jit.store_i64(hot + PAYLOAD_AT, what)
    jit.store_i64(hot + PAYLOAD_AT + 8, why)
    frame(hot, kinds.CONNECTED, n, hot + PAYLOAD_AT, 16)


@jit.compiled()
def _desk(hot: int) -> int:
    """What people and processes tell: how much of it."""
    h = hot_at(hot)
    told = 0
    place = peek(h.desk)
    while place != 0 and h.status == 0:
        frame(hot, kinds.DIRECTIVE, 0, place, DIRECTIVE_BYTES)
        release(h.desk)
        told += 1
        place = peek(h.desk)
    return told


@jit.compiled()
def _clock(hot: int) -> None:
    """How the host's clock stands, as somebody saw it: kept, and nothing comes of it."""
    h = hot_at(hot)
    place = peek(h.clocks) if h.clocks != 0 else 0
    if place != 0 and h.status == 0:
        h.now = max(h.now, clock.monotonic_ns() + h.offset)
        if append(h.journal, kinds.CLOCK, 0, h.now, place, CLOCK_LOOK_BYTES) < 0:
            h.status = JOURNAL_FULL
        release(h.clocks)


@jit.compiled()
def _note(hot: int) -> None:
    """What this process says of itself: kept, and nothing comes of it."""
    h = hot_at(hot)
    place = peek(h.notes) if h.notes != 0 else 0
    if place != 0 and h.status == 0:
        h.now = max(h.now, clock.monotonic_ns() + h.offset)
        if append(h.journal, kinds.NOTE, 0, h.now, place + TEXT_AT, jit.load_i64(place)) < 0:
            h.status = JOURNAL_FULL
        release(h.notes)


@jit.compiled()
def _sleep(hot: int) -> None:
    """Until something comes, or a moment has passed."""
    h = hot_at(hot)
    count = live_at(h.live).feeds * LINES_EACH
    for n in range(live_at(h.live).links):
        descriptor = lane_at(h.lanes + n * LANE_BYTES).descriptor
        jit.store_i64(h.polls + 8 * (count + n), (descriptor & 0xFFFF_FFFF) | (_POLLIN << 32))
    _poll(h.polls, h.poll_count, WAIT_MS)
