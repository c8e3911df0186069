"""What is asked for, and when: several requests under way, each for about what a datagram holds.

    look_over   what is out needs no answer any more, what has none in time is wanted again
    ask         the lowest numbers that are missing and not asked for, while the window has room
    answered    an answer came: what it left out is wanted again, and how much fits is learned

       out        under way      held   to be put back    not asked for yet
    ──────────┬───────────────┬───────┬──────────────┬──────────────────────▶
           expected                              cursor

`cursor` is where looking for what to ask goes on: all before it is held, asked for or was answered.
What is wanted again moves it back; the next number to go out is asked for whatever it says.

A request has the size of an answer (`fit`): the last that was cut short says how much, each whole
one adds a sixteenth of a message. The window begins at one request. Each answer adds one, up to
`threshold`, then each window of answers; a request that OVERTAKEN later ones have passed is lost
and halves it; one that has no answer for `wait_ns` puts it back to one and doubles the wait, up to
a PROBES-th of `repeat_ns`: a server that answers so many a second and no more is soon heard again.
One of which it is not known how long it takes is asked once in `repeat_ns`.
Numbers beyond the gap at hand have the patience that it had: the other line may still bring them.

One request at a time is made, each call another: who calls after every datagram sends as many as
answers come in, and never a burst.

Worst case: ASKS_MAX requests are looked at, and numbers up to the room there is to hold them.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.records import field_offset
from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p
from hftlib.feed.mold.gaps import is_held

PARTS = 16  # of a message, in `fit`
OVERTAKEN = 8
WAIT_ROUNDS = 4  # of the way there and back, and
WAIT_PATIENCES = 10  # at least so long
PROBES = 16  # requests in `repeat_ns`, of a server that has stopped to answer

_state_at = jit.record_at(m.SEQUENCER)
_ask_at = jit.record_at(m.ASK)
_FIRST, _AFTER = field_offset(m.ASK, "first"), field_offset(m.ASK, "after")


@jit.inlined
def _place(sequencer: int, n: int) -> int:
    return sequencer + m.ASKS_OFFSET + n * m.ASK_BYTES


@jit.compiled()
def look_over(sequencer: int) -> int:
    """Let go of what is out or late: how many requests are under way still."""
    s = _state_at(sequencer)
    alive, late = 0, False
    for n in range(m.ASKS_MAX):
        one = _ask_at(_place(sequencer, n))
        if one.after == 0:
            continue
        if one.after <= s.expected:
            one.after = 0
        elif s.now >= one.until:
            late |= one.serial >= s.mended
            _put_back(sequencer, n)
        else:
            alive += 1
    if late:
        s.threshold = max(1, s.window // 2)
        s.window, s.credit, s.mended = 1, 0, s.serial
        s.wait_ns = max(s.wait_ns, min(2 * s.wait_ns, s.repeat_ns // PROBES))
    return alive


@jit.compiled()
def is_hopeless(sequencer: int) -> bool:
    """Whether the next number was asked for long enough: see `tries_max`."""
    s = _state_at(sequencer)
    if s.asked_at < 0 or is_asked(sequencer, s.expected) != 0:
        return False
    return s.answered == 0 or s.now - s.asked_at >= s.tries_max * s.repeat_ns


@jit.compiled()
def ask(sequencer: int, under_way: int) -> int:
    """How many messages to ask for now, from `request_first` on; 0: nothing now."""
    s = _state_at(sequencer)
    if s.now >= s.ripe_at:
        s.ripe, s.ripe_next, s.ripe_at = s.ripe_next, s.known_end, s.now + s.patience_ns
    if under_way >= (s.window if s.answered else 1):
        return 0
    limit = min(s.ripe, s.expected + s.capacity)
    first = _wanted(sequencer, limit)
    if first == 0:
        return 0
    after = _range_end(sequencer, first, s.known_end if first == s.expected else limit)
    for n in range(m.ASKS_MAX):
        one = _ask_at(_place(sequencer, n))
        if one.after == 0:
            one.first, one.after, one.at, one.serial = first, after, s.now, s.serial
            one.until = s.now + (s.wait_ns if s.answered else s.patience_ns)
            one.again = 1 if first < s.asked_top else 0
            break
    if first == s.expected and s.asked_at < 0:
        s.asked_at = s.now
    s.serial += 1
    s.requests += 1
    s.cursor = after
    s.asked_top = max(s.asked_top, after)
    s.request_first, s.request_count = first, after - first
    return s.request_count


@jit.compiled()
def is_asked(sequencer: int, number: int) -> int:
    """The number after the request under way that has this one in it; 0: none has."""
    for n in range(m.ASKS_MAX):
        after = jit.load_i64(_place(sequencer, n) + _AFTER)
        if after > number and jit.load_i64(_place(sequencer, n) + _FIRST) <= number:
            return after
    return 0


@jit.compiled()
def answered(sequencer: int, first: int, after: int) -> None:
    """The recovery server sent these: which request they answer, and what it teaches."""
    s = _state_at(sequencer)
    found = -1
    for n in range(m.ASKS_MAX):
        one = _ask_at(_place(sequencer, n))
        if one.after != 0 and one.first == first:
            found = n
    if found < 0:
        return
    one = _ask_at(_place(sequencer, found))
    if one.again == 0:  # of one asked for twice nobody knows which request it answers
        took = s.now - one.at
        s.round_ns = max(took, (7 * s.round_ns + took) // 8)
    if s.round_ns:
        s.wait_ns = max(WAIT_ROUNDS * s.round_ns, WAIT_PATIENCES * s.patience_ns)
        s.wait_ns = min(s.wait_ns, s.repeat_ns)
    if after < one.after:
        s.fit = PARTS * (after - first)
        s.cursor = min(s.cursor, after)
        s.cut_short += 1
    elif s.fit and PARTS * (one.after - first) > s.fit - PARTS:
        s.fit = min(s.fit + 1, PARTS * p.MESSAGES_MAX)
    serial = one.serial
    one.after = 0
    _widen(sequencer)
    _overtake(sequencer, serial)


@jit.compiled()
def _wanted(sequencer: int, limit: int) -> int:
    """The lowest number to ask for, 0 where there is none before the limit."""
    s = _state_at(sequencer)
    if is_asked(sequencer, s.expected) == 0:
        return int(s.expected)
    at = s.cursor = max(s.cursor, s.expected)
    while at < limit:
        if is_held(sequencer, at):
            at += 1
            continue
        after = is_asked(sequencer, at)
        if after == 0:
            break
        at = after
    s.cursor = max(s.cursor, min(at, limit))
    return at if at < limit else 0


@jit.compiled()
def _range_end(sequencer: int, first: int, limit: int) -> int:
    """Where a request that begins here ends: what fits, up to what is held or asked for."""
    s = _state_at(sequencer)
    after = min(limit, first + (max(1, s.fit // PARTS) if s.fit else p.MESSAGES_MAX))
    for n in range(m.ASKS_MAX):
        begin = jit.load_i64(_place(sequencer, n) + _FIRST)
        if jit.load_i64(_place(sequencer, n) + _AFTER) != 0 and begin > first:
            after = min(after, begin)
    if s.held:
        for number in range(first + 1, min(after, s.expected + s.capacity)):
            if is_held(sequencer, number):
                return number
    return after


@jit.compiled()
def _put_back(sequencer: int, n: int) -> None:
    """A request without an answer: what it asked for is wanted again."""
    s, one = _state_at(sequencer), _ask_at(_place(sequencer, n))
    s.cursor = min(s.cursor, one.first)
    s.unanswered += 1
    one.after = 0


@jit.compiled()
def _widen(sequencer: int) -> None:
    """One answer more: the window may be larger."""
    s = _state_at(sequencer)
    s.credit += 1
    if s.window < s.threshold or s.credit >= s.window:
        s.window, s.credit = min(s.window + 1, m.ASKS_MAX), 0


@jit.compiled()
def _overtake(sequencer: int, serial: int) -> None:
    """What was asked for long before this answer's request is lost."""
    s = _state_at(sequencer)
    lost = False
    for n in range(m.ASKS_MAX):
        one = _ask_at(_place(sequencer, n))
        if one.after != 0 and one.serial + OVERTAKEN <= serial:
            lost |= one.serial >= s.mended
            _put_back(sequencer, n)
    if lost:
        s.threshold = s.window = max(1, s.window // 2)
        s.credit, s.mended = 0, s.serial
