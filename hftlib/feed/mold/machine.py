"""The sequencer's machine: datagrams in, every message once and in order out, time an argument.

    accept(sequencer, line, datagram, length, received, now)   -> verdict; AGAIN: drain, offer again
    following(sequencer)                -> address of a DELIVERY, or 0 when there is nothing more
    tick(sequencer, now)                -> messages to ask for now, written by `write_request`; or 0

After each `accept` and `tick` the caller takes all that follows. Nothing is queued for it: what is
next is found when it is asked for, so a delivery costs no copy. Its blocks lie in the caller's own
datagram, or in a slot, and are good until the next call.

The first copy of a message wins, whichever line brought it. While one is missing all later ones
are held: a book that skips a message is wrong in a way nobody can see, so lateness is preferred.
A gap waits `patience_ns` for the other line, then its range is asked for, one request for each
`tick`, several under way (`asking.py`). What is not there `tries_max` times `repeat_ns` after it
was asked for as the next is LOST, and told as such before the messages behind it go out. From then
on, until the server is heard again, each gap gets one request and `patience_ns`.

Room to hold is bounded. With an answer to hope for, what is beyond the window is let go and asked
for later; otherwise the oldest gap is given up, which makes room. A number more than a window ahead
of the newest known is believed when a second packet is near it; so is another session's name,
except that after the end of a session its packet number 1 is enough. An end stands until the same
session goes on behind it. The very first packet is believed; what was before it is LOST from the
start.

Worst case: a call walks the blocks of one datagram, and copies them if they are held; the end of a
gap is found by reading at most `capacity` numbers, once for each gap, and so is what to ask for.
"""

from __future__ import annotations

import numpy as np

from hftlib.core import jit
from hftlib.core.records import field_offset
from hftlib.feed.mold import asking
from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p
from hftlib.feed.mold.belief import SESSION_OFFSET, believed
from hftlib.feed.mold.gaps import (
    forget,
    give_up,
    hold,
    is_held,
    let_go,
    open_gap,
    slot_of,
    tell,
    unhurried_ns,
    whole,
)

_state_at = jit.record_at(m.SEQUENCER)
_line_at = jit.record_at(m.LINE)
_delivery_at = jit.record_at(m.DELIVERY)
_numbers_at = jit.array_at(np.int64)
_DELIVERY = field_offset(m.SEQUENCER, "delivery")
_VERDICTS, _KINDS = field_offset(m.LINE, "verdicts"), len(p.VERDICTS)


@jit.compiled("int64(int64, int64, int64, int64, int64, int64)")
def accept(sequencer: int, line: int, datagram: int, length: int, received: int, now: int) -> int:
    """Take one datagram: its verdict, or AGAIN when it must be offered again after draining.

    A length of -1 stands for a datagram that the receive buffer cut off.
    """
    s = _state_at(sequencer)
    if s.drained == 0:
        s.undrained += 1
        return p.AGAIN
    s.now = max(s.now, now)
    verdict = p.examine(datagram, length) if length >= 0 else p.TRUNCATED
    if not 0 <= line < m.LINES_MAX:
        verdict, line = p.NO_SUCH_LINE, m.LINE_OTHER
    if verdict <= p.END:
        verdict = believed(sequencer, verdict, datagram)
    if verdict == p.AGAIN:
        return p.AGAIN
    _line_at(sequencer + m.LINES_OFFSET + line * m.LINE_BYTES).packets += 1
    counts = _numbers_at(sequencer + m.LINES_OFFSET + line * m.LINE_BYTES + _VERDICTS, _KINDS)
    counts[verdict] += 1
    if verdict > p.END:
        return verdict
    _hear(sequencer, line)
    first = jit.load_be_i64(datagram + p.SEQUENCE_OFFSET)
    if verdict == p.END:
        s.end = first
    if verdict == p.MESSAGES:
        after = first + jit.load_be_u16(datagram + p.COUNT_OFFSET)
        s.known_end = max(s.known_end, after)
        if first <= s.expected:
            _hand_on(sequencer, line, datagram, length, first, after, received)
        else:
            hold(sequencer, line, datagram, first, after, received)
        if line == m.LINE_RECOVERY and s.state == m.GAP:
            asking.answered(sequencer, first, after)
    else:
        s.known_end = max(s.known_end, first)
    s.drained = 0
    return verdict


@jit.compiled("int64(int64)")
def following(sequencer: int) -> int:
    """The address of the next DELIVERY, or 0: all is out that can go out."""
    s = _state_at(sequencer)
    given = _delivery_at(sequencer + _DELIVERY)
    if s.lost_after:
        tell(sequencer, m.OUT_LOST, s.lost_first, s.lost_after)
        given.reason = s.reason
        s.lost_after = 0
        return sequencer + _DELIVERY
    if s.session_new == 1:
        # What the old session left missing is none of the new one's: its books are empty and right.
        s.session_new = 2 if s.told_stale else 0
        return tell(sequencer, m.OUT_SESSION, s.expected, s.expected)
    if s.session_new == 2:
        s.session_new = 0
        return tell(sequencer, m.OUT_RECOVERED, s.expected, s.expected)
    if s.current_end > s.expected:
        tell(sequencer, m.OUT_MESSAGES, s.expected, s.current_end)
        given.address, given.length, given.received = s.current, s.current_bytes, s.received
        given.late = 1 if s.current_line == m.LINE_RECOVERY else 0
        return _gone_out(sequencer)
    if s.held and is_held(sequencer, s.expected):
        slot = slot_of(sequencer, s.expected)
        tell(sequencer, m.OUT_MESSAGES, s.expected, s.expected + 1)
        given.address = slot + m.SLOT_HEADER_BYTES
        given.length = p.BLOCK_BYTES + jit.load_be_u16(given.address)
        given.received, given.late = jit.load_i64(slot), jit.load_i64(slot + m.SLOT_LATE_OFFSET)
        let_go(sequencer, s.expected)
        return _gone_out(sequencer)
    if s.expected < s.known_end:
        if s.expected >= s.gap_end:
            return open_gap(sequencer)
    else:
        notice = whole(sequencer)
        if notice:
            return notice
    s.drained = 1
    return 0


@jit.compiled("int64(int64, int64)")
def tick(sequencer: int, now: int) -> int:
    """What time brings: silence, a request (how many messages to ask for), or giving up."""
    s = _state_at(sequencer)
    if s.drained == 0:
        s.undrained += 1
        return 0
    s.now = max(s.now, now)
    if (s.state == m.LIVE or s.state == m.LOST) and s.now - s.heard >= s.silence_ns:
        s.silent = 1
        s.drained = 0
        return 0
    s.request_count = 0
    if s.state != m.GAP or s.now < s.request_at:
        return 0
    if s.tries_max == 0:
        give_up(sequencer, m.NOBODY_TO_ASK)
        return 0
    under_way = asking.look_over(sequencer)
    if asking.is_hopeless(sequencer):
        s.answered = 0
        give_up(sequencer, m.UNANSWERED)
        return 0
    return asking.ask(sequencer, under_way)


@jit.compiled()
def is_missing(sequencer: int) -> bool:
    """Whether messages are missing: then each datagram may be a reason for a `tick`."""
    return _state_at(sequencer).state == m.GAP


@jit.compiled("int64(int64, int64)")
def hush(sequencer: int, now: int) -> int:
    """Nobody has listened for a while: silent, until it is heard again. Drain it afterwards."""
    s = _state_at(sequencer)
    s.now = max(s.now, now)
    s.request_count = 0
    forget(sequencer)  # nobody hears what was asked for
    if s.state == m.LIVE or s.state == m.LOST:
        s.silent = 1
    s.drained = 0
    return 0


@jit.compiled("int64(int64, int64)")
def write_request(sequencer: int, target: int) -> int:
    """Write the request that `tick` asked for: its 20 bytes, or 0 when there is none."""
    s = _state_at(sequencer)
    if s.request_count == 0:
        return 0
    p.write_header(target, sequencer + SESSION_OFFSET, s.request_first, s.request_count)
    s.request_count = 0
    return p.HEADER_BYTES


@jit.compiled("int64(int64, int64)")
def repaired(sequencer: int, now: int) -> int:
    """The books were made whole from a snapshot of up to here: how many lost it made good."""
    s = _state_at(sequencer)
    made_good = s.unrepaired
    s.now = max(s.now, now)
    s.unrepaired = 0
    s.drained = 0
    return made_good


@jit.compiled()
def _hear(sequencer: int, line: int) -> None:
    """A good packet of this session: the feed is alive."""
    s = _state_at(sequencer)
    _line_at(sequencer + m.LINES_OFFSET + line * m.LINE_BYTES).heard = s.now
    s.heard = s.now
    s.silent = 0
    if line == m.LINE_RECOVERY:
        s.answered = 1


@jit.compiled()
def _hand_on(
    sequencer: int, line: int, datagram: int, length: int, first: int, after: int, received: int
) -> None:
    """The blocks from the next one expected on are what goes out now."""
    s = _state_at(sequencer)
    counts = _line_at(sequencer + m.LINES_OFFSET + line * m.LINE_BYTES)
    old = min(after, s.expected) - first
    before = max(0, min(after, s.began) - first)
    counts.before += before
    counts.again += old - before
    if after <= s.expected:
        return
    s.current = p.skip(datagram + p.HEADER_BYTES, old)
    s.current_bytes = datagram + length - s.current
    s.current_end, s.current_line, s.received = after, line, received
    counts.first += after - s.expected
    if s.held:
        for number in range(s.expected, min(after, s.expected + s.capacity)):
            if is_held(sequencer, number):
                let_go(sequencer, number)
                counts.first -= 1
                counts.again += 1


@jit.compiled()
def _gone_out(sequencer: int) -> int:
    """What the delivery holds is out; in a gap that is progress, and the rest is asked for now."""
    s = _state_at(sequencer)
    given = _delivery_at(sequencer + _DELIVERY)
    s.expected = given.after
    s.messages += given.after - given.first
    s.late += (given.after - given.first) * given.late
    if s.state == m.GAP:
        s.asked_at = -1
        s.request_at = s.now + unhurried_ns(sequencer)
    return sequencer + _DELIVERY
