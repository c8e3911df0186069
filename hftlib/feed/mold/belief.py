"""Which datagrams the sequencer believes: those of its session, with a number that can be.

Nothing is changed by a datagram that is refused, but for what a second one would confirm. A number
more than a window ahead of the newest known is believed when a second packet is near it, and
another session when a second packet is of it. After the end of a session one packet is enough if it
says that it is at number 1, as a session begins: then nothing of it can have been missed, while a
stray packet from the middle of another feed's day moves nobody. Who may never leave a session names
it. A session that was left never comes back.

An end is believed at once and taken back as easily: a later number of the same session, in messages
or heartbeats, says that the session goes on. So one wrong packet of this kind blinds nobody.

The very first packet is believed whatever it says; who knows the session and the first number
beforehand gives them. Who does not has joined late unless that number is 1: all before it is LOST,
known to be missing and never asked for, until a snapshot repairs the books.

Worst case: a dozen comparisons; all of ten bytes at most.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.records import field_offset
from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p
from hftlib.feed.mold.gaps import enter, give_up, lose

_state_at = jit.record_at(m.SEQUENCER)
SESSION_OFFSET = field_offset(m.SEQUENCER, "session")
_PREVIOUS = field_offset(m.SEQUENCER, "previous")
_CANDIDATE = field_offset(m.SEQUENCER, "candidate")


@jit.compiled()
def believed(sequencer: int, verdict: int, datagram: int) -> int:
    """The verdict once session and number are looked at too; AGAIN: something goes out first."""
    s = _state_at(sequencer)
    first = jit.load_be_i64(datagram + p.SEQUENCE_OFFSET)
    count = jit.load_be_u16(datagram + p.COUNT_OFFSET) if verdict == p.MESSAGES else 0
    if first == 0:
        return p.UNNUMBERED
    known = s.state != m.WAITING or s.session_fixed != 0
    if known and not _same_session(datagram, sequencer + SESSION_OFFSET):
        return _other_session(sequencer, datagram, first)
    s.candidate_seen = 0
    if s.state == m.WAITING:
        _begin(sequencer, datagram, first)
    if verdict == p.END and first < s.known_end:
        return p.END_TOO_EARLY
    if first - s.known_end > s.capacity:
        # Off by more than all that can be held: one broken number must not throw the day away.
        near = abs(first - s.far_ahead) <= s.capacity
        s.far_ahead = first
        if not near:
            return p.FAR_AHEAD
    if s.end and first + count > s.end:
        _reopen(sequencer)
    beyond = verdict == p.MESSAGES and first + count > s.expected + s.capacity
    if beyond and first > s.expected and (s.tries_max == 0 or s.answered == 0):
        s.known_end = max(s.known_end, first)
        give_up(sequencer, m.NO_ROOM)
        return p.AGAIN
    return verdict


@jit.compiled()
def _reopen(sequencer: int) -> None:
    """There is more of this session: what was told to be its end was not."""
    s = _state_at(sequencer)
    s.end = 0
    s.reopened += 1
    if s.state == m.ENDED:
        enter(sequencer, m.LOST if s.unrepaired else m.LIVE, m.GOES_ON)


@jit.compiled()
def _begin(sequencer: int, datagram: int, first: int) -> None:
    """The first packet: its session is ours, and its number is where we are."""
    s = _state_at(sequencer)
    _copy_session(datagram, sequencer + SESSION_OFFSET)
    joined_late = s.expected == 0 and first > 1
    if s.expected == 0:
        s.expected = first
    s.began = s.expected
    s.known_end = max(s.expected, first)
    s.sessions = 1
    s.heard = s.now
    if joined_late:
        lose(sequencer, 1, first, m.JOINED_LATE)
    else:
        enter(sequencer, m.LIVE, m.FIRST_PACKET)


@jit.compiled()
def _same_session(datagram: int, session: int) -> bool:
    """Ten bytes as eight and the last eight, of which six are read twice."""
    return jit.load_i64(datagram) == jit.load_i64(session) and (
        jit.load_i64(datagram + 2) == jit.load_i64(session + 2)
    )


@jit.compiled()
def _copy_session(source: int, target: int) -> None:
    jit.store_i64(target, jit.load_i64(source))
    jit.store_i64(target + 2, jit.load_i64(source + 2))


@jit.compiled()
def _other_session(sequencer: int, datagram: int, first: int) -> int:
    """A packet of a session that is not ours: perhaps the next one."""
    s = _state_at(sequencer)
    if s.session_fixed or (s.sessions > 1 and _same_session(datagram, sequencer + _PREVIOUS)):
        return p.OTHER_SESSION
    confirmed = s.candidate_seen == 1 and _same_session(datagram, sequencer + _CANDIDATE)
    begins = s.state == m.ENDED and first == 1
    if not confirmed and not begins:
        s.candidate_seen = 1
        _copy_session(datagram, sequencer + _CANDIDATE)
        return p.OTHER_SESSION
    if s.expected < s.known_end:  # its own gaps first; the packet is offered again
        give_up(sequencer, m.NEW_SESSION)
        return p.AGAIN
    _copy_session(sequencer + SESSION_OFFSET, sequencer + _PREVIOUS)
    _copy_session(datagram, sequencer + SESSION_OFFSET)
    s.candidate_seen = s.end = s.gap_end = s.far_ahead = s.silent = s.unrepaired = 0
    # From its beginning: whoever followed the old session wants all of the new one. Nothing is
    # held any more: what was has gone out, for nothing was missing.
    s.expected = s.known_end = s.began = 1
    s.current_end = s.asked_top = 0
    s.sessions += 1
    s.session_new = 1
    s.heard = s.now
    enter(sequencer, m.LIVE, m.NEW_SESSION)
    s.drained = 0
    return p.AGAIN
