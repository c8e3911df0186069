"""The steps of a wire backtest: exchange and runner in turn, on the tape's time, compiled.

    go(wire, steps)                         so many steps: OVER at its end, WAITS for the journal's
                                            next segment, RUNS, or why it cannot go on
    frame(wire, kind, source, at, length)   one frame of the runner, now

Each step is whatever is next, and at one moment in this order:

    exchange   what the tape has; orders whose time is over; each second that it is there
               bytes of a session that arrive: `obeying.following`, as from a socket
    runner     a connection that stands ─ datagrams ─ bytes of the session ─ time that passes

What the exchange says goes into datagrams and into the session's bytes at once and arrives one
latency later; the runner's frames are journaled before `take` and what goes out after it, as the
hot loop does. No clock is read. The exchange keeps what it said only until it is on its way: nobody
asks again, so a long tape needs no more memory than a short one.

Worst case: one event of the tape whose answer fills a pipe; that ends the run.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.journal.appending import append
from hftlib.core.journal.kinds import (
    CONNECTED,
    DATAGRAM,
    DATAGRAM_OUT,
    SESSION_IN,
    SESSION_OUT,
    TIMER,
)
from hftlib.core.journal.layout import WRITER
from hftlib.core.records import field_offset
from hftlib.core.soup import memory as soup
from hftlib.core.soup import pipes
from hftlib.core.soup import server as sessions
from hftlib.engine.live.memory import (
    BEGUN,
    OUT_BYTES,
    REQUEST_AT,
    feed_address,
    feed_of,
    link_of,
)
from hftlib.feed.mold import packet as p
from hftlib.research import wire_memory as m
from hftlib.research.wire_memory import wire_at
from hftlib.venue.floor.following import tape_at
from hftlib.venue.floor.memory import floor_at
from hftlib.venue.floor.playing import due_at
from hftlib.venue.matching.tables import engine_of

TICK_NS = 100_000_000  # time passes for the runner, though nothing comes
BEAT_NS = 1_000_000_000
SPARE_BYTES = 4 * OUT_BYTES  # of the journal, before a frame is taken in

_writer_at = jit.record_at(WRITER)
_NEXT_SEGMENT = field_offset(WRITER, "next_segment")
_take = jit.caller("int64(int64, int64, int64, int64, int64, int64)")
_due = jit.caller("int64(int64)")
_play = jit.caller("int64(int64, int64, int64)")
_following = jit.caller("int64(int64, int64)")
_pass_time = jit.caller("int64(int64)")


@jit.compiled("int64(int64, int64)")
def go(wire: int, steps: int) -> int:
    """So many steps, or until the time that `end` says."""
    w = wire_at(wire)
    for _ in range(steps):
        if w.status != m.RUNS:
            break
        market, orders = _next_of_market(wire), m.arrives(wire + m.ORDERS)
        runner = _next_of_runner(wire)
        now = min(market, orders, runner)
        if now > w.end:
            w.now = max(w.now, w.end)
            return m.OVER
        if not _has_room(w.journal):
            return m.WAITS
        w.now = max(w.now, now)
        w.steps += 1
        if market <= w.now:
            _market(wire)
        elif orders <= w.now:
            _hear(wire)
        else:
            _run(wire)
    return w.status


@jit.inlined
def _next_of_market(wire: int) -> int:
    """When the exchange has something to do by itself."""
    w = wire_at(wire)
    tape = tape_at(w.tape)
    due = m.FOR_EVER
    if tape.next < tape.count:
        due = due_at(w.tape)
    return min(due, w.next_beat, engine_of(floor_at(w.floor).engine).next_expiry)


@jit.inlined
def _next_of_runner(wire: int) -> int:
    """When the runner has something to do, or something arrives."""
    w = wire_at(wire)
    heard = min(m.arrives(wire + m.FEED), m.arrives(wire + m.REPORTS))
    return min(w.connects, heard, w.next_tick, _due(w.due, w.live))


@jit.inlined
def _has_room(journal: int) -> bool:
    """Whether the journal takes a frame and all that goes out because of it."""
    writer = _writer_at(journal)
    has_room = writer.position + SPARE_BYTES <= writer.limit
    return has_room or writer.failure != 0 or jit.load_acquire(journal + _NEXT_SEGMENT) != 0


@jit.compiled()
def _market(wire: int) -> None:
    """The exchange's own: the tape, orders whose time is over, that it is there."""
    w = wire_at(wire)
    _play(w.play, w.floor, w.tape, w.now)
    _be(wire)
    if w.now >= w.next_beat:
        w.next_beat += BEAT_NS
        if w.connection >= 0:
            sessions.tick(floor_at(w.floor).entry, w.connection, w.now)
        if w.told == w.sequence and floor_at(w.floor).messages == 0:
            _datagram(wire, 0, 0)
        w.told = w.sequence
    _say(wire)


@jit.inlined
def _be(wire: int) -> None:
    """It is now on the exchange, as `Exchange.be` has it."""
    w = wire_at(wire)
    floor = floor_at(w.floor)
    floor.now = max(floor.now, w.now)
    if engine_of(floor.engine).next_expiry <= floor.now:
        _pass_time(w.pass_time, w.floor)


@jit.compiled()
def _hear(wire: int) -> None:
    """Bytes of the session that arrive at the exchange."""
    w = wire_at(wire)
    server = floor_at(w.floor).entry
    _be(wire)
    if w.connection < 0:
        w.connection = sessions.admit(server, w.now)
    n, pipe = w.connection, wire + m.ORDERS
    into = sessions.connection_address(server, n) + sessions.IN
    at, left = pipes.first(pipe) + m.PIECE_HEAD, m.length_of(pipe)
    while left > 0 and w.status == m.RUNS:
        part = min(left, pipes.space(into))
        pipes.copy(pipes.behind(into), at, part)
        sessions.received(server, n, part, w.now)
        at, left = at + part, left - part
        kind = _following(w.following, w.floor, n)
        while kind != 0 and w.status == m.RUNS:
            if kind == soup.HAS_LOGIN:  # there is one account, and nobody else can come
                sessions.accept(server, n, 0, 0, 1, wire + m.NAME, w.now)
            elif kind == soup.HAS_GONE:
                w.status = m.BROKEN
            kind = _following(w.following, w.floor, n)
        if part == 0:
            w.status = m.BROKEN
    m.arrived(pipe)
    _say(wire)


@jit.compiled()
def _say(wire: int) -> None:
    """All that the exchange has to say, on its way; then it is forgotten."""
    w = wire_at(wire)
    floor = floor_at(w.floor)
    first = 0
    while first < floor.messages:
        limit = jit.load_i64(floor.offsets + 8 * first) + p.PAYLOAD_BYTES_MAX - p.HEADER_BYTES
        last = first + 1
        while last < floor.messages and jit.load_i64(floor.offsets + 8 * (last + 1)) <= limit:
            last += 1
        _datagram(wire, first, last)
        first = last
    floor.messages = 0
    if floor.unsaid != 0 or floor.unpublished != 0:
        w.status = m.EXCHANGE_FULL
    if w.connection >= 0:
        _reports(wire)


@jit.compiled()
def _datagram(wire: int, first: int, last: int) -> None:
    """These messages of the exchange's store as one datagram; none: it says that it is there."""
    w = wire_at(wire)
    floor, place = floor_at(w.floor), wire + m.DATAGRAM
    begin = jit.load_i64(floor.offsets + 8 * first)
    count = jit.load_i64(floor.offsets + 8 * last) - begin
    pipes.copy(place, wire + m.SESSION, p.SESSION_BYTES)
    jit.store_be_i64(place + p.SEQUENCE_OFFSET, w.sequence + 1)
    jit.store_be_u16(place + p.COUNT_OFFSET, last - first)
    pipes.copy(place + p.HEADER_BYTES, floor.blocks + begin, count)
    w.sequence += last - first
    w.datagrams += 1
    if not m.send(wire + m.FEED, w.now + w.feed_ns, place, p.HEADER_BYTES + count):
        w.status = m.CROWDED


@jit.compiled()
def _reports(wire: int) -> None:
    """What the stream has for the runner; all read, it begins anew."""
    w = wire_at(wire)
    server, n = floor_at(w.floor).entry, w.connection
    out = sessions.connection_address(server, n) + sessions.OUT
    waits = sessions.fill(server, n)
    while waits > 0 and w.status == m.RUNS:
        w.segments += 1
        if not m.send(wire + m.REPORTS, w.now + w.report_ns, pipes.first(out), waits):
            w.status = m.CROWDED
        sessions.sent(server, n, waits, w.now)
        waits = sessions.fill(server, n)
    connection = sessions.connection_of(server, n)
    if connection.state == soup.SERVING:
        stream = sessions.stream_of(server, connection.stream)
        if connection.next == stream.count + 1:
            stream.count, connection.next = 0, 1


@jit.compiled()
def _run(wire: int) -> None:
    """The runner's next frame."""
    w = wire_at(wire)
    if w.connects <= w.now:
        w.connects = m.FOR_EVER
        jit.store_i64(wire + m.SAID, BEGUN)
        jit.store_i64(wire + m.SAID + 8, 0)
        frame(wire, CONNECTED, 0, wire + m.SAID, 16)
    elif m.arrives(wire + m.FEED) <= w.now:
        _arrived(wire, wire + m.FEED, DATAGRAM)
    elif m.arrives(wire + m.REPORTS) <= w.now:
        _arrived(wire, wire + m.REPORTS, SESSION_IN)
    else:
        w.next_tick = w.now + TICK_NS
        frame(wire, TIMER, 0, 0, 0)


@jit.inlined
def _arrived(wire: int, pipe: int, kind: int) -> None:
    frame(wire, kind, 0, pipes.first(pipe) + m.PIECE_HEAD, m.length_of(pipe))
    m.arrived(pipe)


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def frame(wire: int, kind: int, source: int, address: int, length: int) -> int:
    """One frame: into the journal, to `take`, and what goes out into the journal and on its way."""
    w = wire_at(wire)
    if append(w.journal, kind, source, w.now, address, length) < 0:
        w.status = m.JOURNAL_FULL
        return w.status
    w.frames += 1
    w.fault = _take(w.take, w.live, kind, source, w.now, address, length)
    if w.fault != 0:
        w.status = m.FAULT
        return w.status
    link, feed = link_of(w.live, 0), feed_of(w.live, 0)
    if link.out_bytes != 0:
        _send_out(wire)
    if feed.request_bytes != 0:
        w.requests += 1
        at, count = feed_address(w.live, 0) + REQUEST_AT, feed.request_bytes
        feed.request_bytes = 0
        if append(w.journal, DATAGRAM_OUT, 0, w.now, at, count) < 0:
            w.status = m.JOURNAL_FULL
    if link.dials != w.dials:  # there and back, before anybody can say a word
        w.dials = link.dials
        w.connects = w.now + w.order_ns + w.report_ns
    if link.hangs != w.hangs:
        w.hangs = link.hangs
        w.status = m.BROKEN
    return w.status


@jit.compiled()
def _send_out(wire: int) -> None:
    """What the link has to say."""
    w = wire_at(wire)
    link = link_of(w.live, 0)
    begin, count = w.live + link.out_at, link.out_bytes
    link.out_bytes = 0
    w.frames += 1
    w.segments += 1
    if append(w.journal, SESSION_OUT, 0, w.now, begin, count) < 0:
        w.status = m.JOURNAL_FULL
    elif not m.send(wire + m.ORDERS, w.now + w.order_ns, begin, count):
        w.status = m.CROWDED
