"""Frames of a journal through `take`, what goes out held beside what went out: compiled.

    go_on(state, places, count)     the frames at these places of a segment, one after the other

        SAME       all of them: what went out goes out again, as far as the journal goes
        OTHER      the frame at hand went out; now something else does, or nothing
        MISSING    the frame at hand came in, and what goes out before it is not in the journal
        STOPPED    the frame at hand came in, and the runner would have stopped before it
        CLOSING    the frame at hand closes the journal, and what goes out before it is not in it

    frame in  ─▶ `take` ─▶ bytes of links, requests of feeds: they wait where `take` left them
    frame out ─▶ the first of them, in the order in which a driver journals: the same? then it goes

All that was found is in the state, so that Python can say it in words; `go_on` may be called again
behind any frame. Every frame must have been found good before. Nothing is copied: `take` reads the
mapped segment. Worst case: `take`'s own; an OTHER costs one look at the bytes of one frame.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.journal.kinds import (
    CARRIED_ON,
    CLOSED,
    CONNECTED,
    DATAGRAM,
    DATAGRAM_OUT,
    DIRECTIVE,
    SESSION_IN,
    SESSION_OUT,
    SHADOW,
    TIMER,
)
from hftlib.core.journal.layout import FRAME_BYTES, FRAME_HEAD
from hftlib.core.records import field_offset, record
from hftlib.core.soup import pipes
from hftlib.engine.live.memory import REQUEST_AT, feed_address, feed_of, link_of, live_at

TAKEN = (DATAGRAM, SESSION_IN, CONNECTED, TIMER, DIRECTIVE)
COMPARED = (SESSION_OUT, DATAGRAM_OUT, SHADOW)
SAME, OTHER, MISSING, STOPPED, CLOSING = range(5)

REPLAY = record(
    "replay",
    128,
    """
    0    live        int64  address of LIVE
    8    take        int64  address of `take`
    16   segment     int64  address of the segment in which the frames lie
    24   done        int64  frames of the last call, the one at hand among them
    32   frames      int64  of all calls
    40   compared    int64  of them, that went out and were the same again
    48   waiting     int64  links and feeds whose bytes go out now, and were not compared yet
    56   fault       int64  why the runner stops, of FAULTS
    64   cause       int64  sequence of the last frame that was taken; 0: none was
    72   cause_kind  int64
    """,
)
replay_at = jit.record_at(REPLAY)
_take = jit.caller("int64(int64, int64, int64, int64, int64, int64)")
_TIME, _ABOUT = field_offset(FRAME_HEAD, "time"), field_offset(FRAME_HEAD, "length")


@jit.compiled("int64(int64, int64, int64)")
def go_on(state: int, places: int, count: int) -> int:
    """So many frames on, or to the one that is not the same: SAME, or what is the matter."""
    s = replay_at(state)
    s.done = 0
    why = SAME
    while why == SAME and s.done < count:
        at = s.segment + jit.load_i64(jit.nth(places, s.done, count, 8))
        kind = (jit.load_i64(at + _ABOUT) >> 32) & 0xFFFF
        s.done += 1
        s.frames += 1
        if kind in TAKEN:
            why = _take_in(state, at, kind)
        elif kind in COMPARED:
            why = _compare(state, at, kind)
        elif kind == CLOSED and s.waiting != 0:
            why = CLOSING
        elif kind == CARRIED_ON:
            let_go(s.live)  # another process goes on: what was not in the journal never left
            s.waiting = 0
    return why


@jit.compiled("int64(int64)")
def let_go(live: int) -> int:
    """Forget what waits to go out."""
    header = live_at(live)
    for n in range(header.links):
        link_of(live, n).out_bytes = 0
    for n in range(header.feeds):
        feed_of(live, n).request_bytes = 0
    return 0


@jit.compiled()
def _take_in(state: int, at: int, kind: int) -> int:
    """A frame that came in; what goes out because of it waits from now on."""
    s = replay_at(state)
    if s.waiting != 0:
        return MISSING
    if s.fault != 0:
        return STOPPED
    about = jit.load_i64(at + _ABOUT)
    length, source, time = about & 0xFFFF_FFFF, (about >> 48) & 0xFFFF, jit.load_i64(at + _TIME)
    s.fault = _take(s.take, s.live, kind, source, time, at + FRAME_BYTES, length)
    s.cause, s.cause_kind = jit.load_i64(at), kind
    if s.fault == 0:  # of one that stops nothing goes out
        s.waiting = _going_out(s.live)
    return SAME


@jit.compiled()
def _going_out(live: int) -> int:
    """How many links and feeds have something to send."""
    header = live_at(live)
    found = 0
    for n in range(header.links):
        if link_of(live, n).out_bytes != 0:
            found += 1
    for n in range(header.feeds):
        if feed_of(live, n).request_bytes != 0:
            found += 1
    return found


@jit.compiled()
def _compare(state: int, at: int, kind: int) -> int:
    """A frame that went out, beside the first that waits."""
    s = replay_at(state)
    if s.waiting == 0:
        return OTHER
    header = live_at(s.live)
    for n in range(header.links):
        link = link_of(s.live, n)
        if link.out_bytes != 0:
            if kind != header.out_kind or not _is_same(at, n, s.live + link.out_at, link.out_bytes):
                return OTHER
            link.out_bytes = 0
            s.waiting -= 1
            s.compared += 1
            return SAME
    for n in range(header.feeds):
        feed = feed_of(s.live, n)
        if feed.request_bytes != 0:
            ours = feed_address(s.live, n) + REQUEST_AT
            if kind != DATAGRAM_OUT or not _is_same(at, n, ours, feed.request_bytes):
                return OTHER
            feed.request_bytes = 0
            s.waiting -= 1
            s.compared += 1
            return SAME
    return OTHER


@jit.compiled()
def _is_same(at: int, source: int, ours: int, count: int) -> bool:
    """Whether a frame of the journal is of this source and holds these bytes."""
    about = jit.load_i64(at + _ABOUT)
    if about & 0xFFFF_FFFF != count or (about >> 48) & 0xFFFF != source:
        return False
    return pipes.is_same(at + FRAME_BYTES, ours, count)
