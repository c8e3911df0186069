"""What the sequencer holds, what is missing, and the one door through which its state changes.

`enter` is the only function that writes the state; it keeps the reason, the time and the last
sixteen changes. `held`, slots and numbers are as drawn in `memory.py`.

Worst case: `gap_end` reads up to `capacity` numbers, eight to a cache line.
"""

from __future__ import annotations

import numpy as np

from hftlib.core import jit
from hftlib.core.records import field_offset
from hftlib.feed.mold import memory as m
from hftlib.feed.mold import packet as p

_state_at = jit.record_at(m.SEQUENCER)
_line_at = jit.record_at(m.LINE)
_change_at = jit.record_at(m.CHANGE)
_delivery_at = jit.record_at(m.DELIVERY)
_numbers_at = jit.array_at(np.int64)
_DELIVERY = field_offset(m.SEQUENCER, "delivery")
_AFTER = field_offset(m.ASK, "after")


@jit.compiled()
def enter(sequencer: int, state: int, reason: int) -> None:
    """Change the state, and say why."""
    s = _state_at(sequencer)
    kept = s.changes & (m.CHANGES_KEPT - 1)
    change = _change_at(sequencer + m.CHANGES_OFFSET + kept * m.CHANGE_BYTES)
    change.at, change.expected, change.state, change.reason = s.now, s.expected, state, reason
    s.state, s.reason, s.since = state, reason, s.now
    s.changes += 1


@jit.compiled()
def tell(sequencer: int, kind: int, first: int, after: int) -> int:
    """The address of the delivery, filled with this and nothing else; what books know by it."""
    if kind == m.OUT_GAP or kind == m.OUT_LOST or kind == m.OUT_SILENT:
        _state_at(sequencer).told_stale = 1
    elif kind == m.OUT_RECOVERED:
        _state_at(sequencer).told_stale = 0
    given = _delivery_at(sequencer + _DELIVERY)
    given.kind, given.first, given.after = kind, first, after
    given.address = given.length = given.received = given.late = given.reason = 0
    return sequencer + _DELIVERY


@jit.compiled()
def slot_of(sequencer: int, number: int) -> int:
    s = _state_at(sequencer)
    return sequencer + s.slots + (number & (s.capacity - 1)) * s.slot_bytes


@jit.compiled()
def is_held(sequencer: int, number: int) -> bool:
    s = _state_at(sequencer)
    return _numbers_at(sequencer + s.numbers, s.capacity)[number & (s.capacity - 1)] == number


@jit.compiled()
def let_go(sequencer: int, number: int) -> None:
    """The slot of a held message is free again; what lies in it stays until it is used."""
    s = _state_at(sequencer)
    _numbers_at(sequencer + s.numbers, s.capacity)[number & (s.capacity - 1)] = 0
    s.held -= 1


@jit.compiled()
def hold(sequencer: int, line: int, datagram: int, first: int, after: int, received: int) -> None:
    """Copy what comes after a gap into slots, as far as there are slots for it."""
    s = _state_at(sequencer)
    counts = _line_at(sequencer + m.LINES_OFFSET + line * m.LINE_BYTES)
    numbers = _numbers_at(sequencer + s.numbers, s.capacity)
    block = datagram + p.HEADER_BYTES
    for number in range(first, after):
        size = p.BLOCK_BYTES + jit.load_be_u16(block)
        if number >= s.expected + s.capacity or m.SLOT_HEADER_BYTES + size > s.slot_bytes:
            counts.not_held += 1
        elif is_held(sequencer, number):
            counts.again += 1
        else:
            slot = slot_of(sequencer, number)
            jit.store_i64(slot, received)
            jit.store_i64(slot + m.SLOT_LATE_OFFSET, 1 if line == m.LINE_RECOVERY else 0)
            copy_bytes(slot + m.SLOT_HEADER_BYTES, block, size)
            numbers[number & (s.capacity - 1)] = number
            counts.first += 1
            s.held += 1
        block += size
    s.held_most = max(s.held_most, s.held)


@jit.compiled()
def copy_bytes(target: int, source: int, count: int) -> None:
    """Copy and touch not one byte more on either side."""
    whole = count & ~7
    for place in range(0, whole, 8):
        jit.store_i64(target + place, jit.load_i64(source + place))
    for place in range(whole, count):
        jit.store_u8(target + place, jit.load_u8(source + place))


@jit.compiled()
def gap_end(sequencer: int) -> int:
    """The number after the gap that begins with the next one expected."""
    s = _state_at(sequencer)
    if s.held:
        for number in range(s.expected + 1, min(s.known_end, s.expected + s.capacity)):
            if is_held(sequencer, number):
                return number
    return s.known_end


@jit.compiled()
def open_gap(sequencer: int) -> int:
    """Tell of a gap; one that comes right behind another need not wait to be asked for."""
    s = _state_at(sequencer)
    s.gap_end = gap_end(sequencer)
    s.gaps += 1
    s.asked_at = -1
    if s.state == m.GAP:
        s.request_at = s.now + unhurried_ns(sequencer)
    else:
        s.request_at = s.now + s.patience_ns
        forget(sequencer)
        enter(sequencer, m.GAP, m.MISSING)
    return tell(sequencer, m.OUT_GAP, s.expected, s.gap_end)


@jit.compiled()
def forget(sequencer: int) -> None:
    """Nothing is under way, and asking begins anew; what was learned of the server stays."""
    s = _state_at(sequencer)
    for n in range(m.ASKS_MAX):
        jit.store_i64(sequencer + m.ASKS_OFFSET + n * m.ASK_BYTES + _AFTER, 0)
    s.window, s.threshold, s.credit = 1, m.ASKS_MAX, 0
    s.cursor = s.ripe = 0
    s.ripe_next, s.ripe_at = s.known_end, s.now + s.patience_ns
    s.mended = s.serial


@jit.compiled()
def unhurried_ns(sequencer: int) -> int:
    """How long to leave to the lines what one of them may yet bring: nothing while one can ask."""
    s = _state_at(sequencer)
    return 0 if s.tries_max and s.answered else s.patience_ns


@jit.compiled()
def give_up(sequencer: int, reason: int) -> None:
    """The range that is missing next is lost; what lies behind it can go out."""
    s = _state_at(sequencer)
    after = gap_end(sequencer)
    lose(sequencer, s.expected, after, reason)
    s.expected = after
    s.request_count = 0
    forget(sequencer)
    s.drained = 0


@jit.compiled()
def lose(sequencer: int, first: int, after: int, reason: int) -> None:
    """These will never go out: to be told, and counted until a snapshot makes them good."""
    s = _state_at(sequencer)
    s.lost_first, s.lost_after = first, after
    s.lost += after - first
    s.unrepaired += after - first
    enter(sequencer, m.LOST, reason)


@jit.compiled()
def whole(sequencer: int) -> int:
    """Nothing is missing: the notice that is due for it, or 0."""
    s = _state_at(sequencer)
    good = m.LOST if s.unrepaired else m.LIVE
    was = s.state
    if was == m.GAP:
        enter(sequencer, good, m.FILLED)
    elif was == m.SILENT and s.silent == 0:
        enter(sequencer, good, m.HEARD_AGAIN)
    elif was == m.LOST and s.unrepaired == 0:
        enter(sequencer, m.LIVE, m.REPAIRED)
    if s.told_stale and s.unrepaired == 0 and (s.state == m.LIVE or s.state == m.ENDED):
        return tell(sequencer, m.OUT_RECOVERED, s.expected, s.expected)
    if s.silent and (s.state == m.LIVE or s.state == m.LOST):
        s.silences += 1
        enter(sequencer, m.SILENT, m.SILENCE)
        return tell(sequencer, m.OUT_SILENT, s.expected, s.expected)
    if s.end and s.state != m.ENDED:
        enter(sequencer, m.ENDED, m.END_OF_SESSION)
        return tell(sequencer, m.OUT_ENDED, s.expected, s.expected)
    return 0
