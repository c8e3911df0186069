"""What is odd about a tape: every event looked at, every oddity counted by kind, with examples.

The books of all instruments are built on the way, for only they know whether a reference exists,
whether an execution took more than was there, and whether bids stand above asks. An order that was
added before the tape began is unknown to them as one that never was: nothing on the tape can tell
the two apart, so both count as "no such order". A slice is judged with what came before it.

*Wrong* is what a sound feed does not send; a *note* may be innocent: a quiet minute, numbers that a
filter took out, a locked book. Nothing is left out: kinds add up to the events seen, and so do the
events with findings and those without. Worst case: the pace of the books, and eight bytes a row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.book import reading
from hftlib.book.apply import apply_event
from hftlib.book.books import Books
from hftlib.book.orders import CHANGED
from hftlib.book.tables import NO_INSTRUMENT, NO_QUANTITY
from hftlib.core import events, jit
from hftlib.core.records import record
from hftlib.core.times import Duration, duration_ns
from hftlib.feed.walk import event_address, event_at, position, walk_at
from hftlib.research.booking import bounds_of, with_books
from hftlib.research.selection import Selection
from hftlib.research.tape import Tape
from hftlib.research.tape_findings import BOOK_FIRST, CHECKS, KINDS, UNREADABLE_FIRST, Validation
from hftlib.terminal import patience

EXAMPLES = 5
STEP_EVENTS = 1 << 19
_BACK, _UNTIMED, _JUMP, _REPEATED, _MISSING, _GAP = range(6)
_KIND, _STRANGER, _SIZE, _PRICE, _CROSSED, _LOCKED = range(6, 12)

CHECKING = record(
    "tape checking",
    128,
    """
    0    books      int64  address of the books
    8    counts     int64  address of the counts by check
    16   examples   int64  address of EXAMPLES positions for each check
    24   kinds      int64  address of the counts by kind
    32   rows       int64  instruments
    40   sequences  int64  address of the last sequence by instrument
    48   crossed    int64  address of 0, 1 locked, 2 crossed, by instrument
    56   marked     int64  1: the feed marks the last event of each message
    64   jump_ns    int64  longer than this is a jump
    72   sessions   int64  address of begin and end of each phase of trading
    80   phases     int64  how many; 0: all time is session
    88   flagged    int64  events with a finding
    96   latest     int64  time of the last event
    104  highest    int64  highest sequence
    112  open       int64  instrument of a message that is not at its end, plus 1
    """,
)
_checking_at = jit.record_at(CHECKING)
_numbers_at = jit.array_at(np.int64)


@jit.compiled("void(int64, int64, int64, int64)")
def _feed(books_address: int, walk_address: int, first: int, last: int) -> None:
    """Only build the books: what came before the slice."""
    walk = walk_at(walk_address)
    for n in range(first, last):
        apply_event(books_address, event_address(walk, n))


@jit.compiled("void(int64, int64, int64, int64)")
def _check(checking_address: int, walk_address: int, first: int, last: int) -> None:
    walk = walk_at(walk_address)
    checking = _checking_at(checking_address)
    kinds = _numbers_at(checking.kinds, KINDS)
    for n in range(first, last):
        address = event_address(walk, n)
        event = event_at(address)
        kinds[min(event.kind, KINDS - 1)] += 1
        here = position(walk, n)
        found = _times(checking, event, here) + _numbers(checking, event, here)
        found += _fields(checking, event, here)
        done = apply_event(checking.books, address)
        if done < 0 and done != -NO_QUANTITY and done != -NO_INSTRUMENT:
            found += _note(checking, BOOK_FIRST - done - 1, here)
        elif done == CHANGED and event.instrument < checking.rows:
            found += _standing(checking, event, here)
        checking.flagged += found > 0


@jit.compiled()
def _note(checking: Any, check: int, here: int) -> int:
    counts = _numbers_at(checking.counts, check + 1)
    if counts[check] < EXAMPLES:
        _numbers_at(checking.examples, (check + 1) * EXAMPLES)[check * EXAMPLES + counts[check]] = (
            here
        )
    counts[check] += 1
    return 1


@jit.compiled()
def _times(checking: Any, event: Any, here: int) -> int:
    moment, latest = event.time, checking.latest
    if event.flags & events.SNAPSHOT:
        return 0  # as old as what it shows
    if moment <= 0:
        return _note(checking, _UNTIMED, here)
    checking.latest = moment
    if latest == 0:
        return 0
    if moment < latest:
        return _note(checking, _BACK, here)
    if moment - latest > checking.jump_ns and _in_one_session(checking, latest, moment):
        return _note(checking, _JUMP, here)
    return 0


@jit.compiled()
def _in_one_session(checking: Any, begin: int, end: int) -> bool:
    sessions = _numbers_at(checking.sessions, 2 * checking.phases)
    for n in range(checking.phases):
        if sessions[2 * n] <= begin and end < sessions[2 * n + 1]:
            return True
    return checking.phases == 0


@jit.compiled()
def _numbers(checking: Any, event: Any, here: int) -> int:
    """Sequence numbers rise within an instrument; all events of one message share theirs."""
    if event.sequence == 0 or event.flags & (events.RECOVERED_LATE | events.SNAPSHOT):
        return 0
    row = min(event.instrument, checking.rows)
    sequences = _numbers_at(checking.sequences, checking.rows + 1)
    same_message = event.sequence == sequences[row] and checking.open == row + 1
    found = 0
    told = event.kind != events.UNREADABLE  # it stands at a number, which need not be its own
    if told and event.sequence <= sequences[row] and not same_message:
        found += _note(checking, _REPEATED, here)
    highest = checking.highest
    # In two steps, so that no number is too high to be looked at.
    if highest != 0 and event.sequence > highest and event.sequence - 1 > highest:
        found += _note(checking, _MISSING, here)
    sequences[row] = max(sequences[row], event.sequence)
    checking.highest = max(checking.highest, event.sequence)
    goes_on = checking.marked != 0 and event.flags & events.LAST == 0
    checking.open = row + 1 if goes_on else 0
    return found


@jit.compiled()
def _fields(checking: Any, event: Any, here: int) -> int:
    kind, found = event.kind, 0
    if kind == 0 or kind >= KINDS - 1:
        found += _note(checking, _KIND, here)
    if event.instrument >= checking.rows and event.instrument != events.ALL:
        found += _note(checking, _STRANGER, here)
    if kind == events.GAP:
        found += _note(checking, _GAP, here)
    elif kind == events.UNREADABLE:
        why = event.reference
        reason = why if why >= 1 and why < len(events.REASONS) else 0
        found += _note(checking, UNREADABLE_FIRST + reason, here)
    elif kind == events.LEVEL or kind == events.QUOTE:
        if event.quantity < 0:
            found += _note(checking, _SIZE, here)
        if event.price <= 0 and event.quantity != 0:
            found += _note(checking, _PRICE, here)
    elif kind == events.ADD or kind == events.REPLACE or kind == events.TRADE:
        if event.quantity <= 0:
            found += _note(checking, _SIZE, here)
        if event.price <= 0:
            found += _note(checking, _PRICE, here)
    elif kind == events.EXECUTE or kind == events.CANCEL:
        if event.quantity <= 0:
            found += _note(checking, _SIZE, here)
        if event.price < 0:
            found += _note(checking, _PRICE, here)
    elif kind == events.CROSS and (event.quantity < 0 or event.price < 0):
        found += _note(checking, _SIZE if event.quantity < 0 else _PRICE, here)
    return found


@jit.compiled()
def _standing(checking: Any, event: Any, here: int) -> int:
    """Whether the best bid now stands at or above the best ask, told once as long as it does."""
    if checking.marked != 0 and event.flags & events.LAST == 0:
        return 0  # within a message a book may be anything
    row = event.instrument
    crossed = _numbers_at(checking.crossed, checking.rows)
    state = 0
    if reading.has_both(checking.books, row):
        bid = reading.best_price(checking.books, row, events.BUY)
        above = bid - reading.best_price(checking.books, row, events.SELL)
        state = 2 if above > 0 else 1 if above == 0 else 0
    before = crossed[row]
    crossed[row] = state
    if state > before:
        return _note(checking, _CROSSED if state == 2 else _LOCKED, here)
    return 0


def validated(tape: Tape, *, jump: Duration = "1m") -> Validation:
    """Look at every event of the tape; `jump` is the silence within a session worth a note."""
    jump_ns = duration_ns(jump, field="jump")
    answer, _books = with_books(tape, lambda books, whole: _looked(tape, books, whole, jump_ns))
    return answer


def _looked(tape: Tape, books: Books, whole: Selection, jump_ns: int) -> Validation:
    rows, before = len(tape.instruments), len(whole) - len(tape)
    counts, kinds = np.zeros(len(CHECKS), np.int64), np.zeros(KINDS, np.int64)
    examples = np.full((len(CHECKS), EXAMPLES), -1, np.int64)
    sequences, crossed = np.zeros(rows + 1, np.int64), np.zeros(rows + 1, np.int64)
    phases = tape.instruments.phases
    trading = phases[phases["name"] != b"closed"]
    sessions = np.ascontiguousarray(np.stack([trading["begin"], trading["end"]], axis=1))
    checking = np.zeros(1, CHECKING)
    places: dict[str, Any] = {
        "counts": counts,
        "examples": examples,
        "kinds": kinds,
        "sequences": sequences,
        "crossed": crossed,
        "sessions": sessions,
    }
    for name, array in places.items():
        checking[name] = array.ctypes.data
    checking["books"], checking["rows"] = books.address, rows
    checking["marked"] = bounds_of(tape.selection)["marked"] > 0
    checking["jump_ns"], checking["phases"] = jump_ns, len(sessions)
    with patience() as advance:
        for first in range(0, len(whole), STEP_EVENTS):
            last = min(first + STEP_EVENTS, len(whole))
            middle = min(max(first, before), last)
            _feed(books.address, whole.walk_address, first, middle)
            _check(checking.ctypes.data, whole.walk_address, middle, last)
            advance(last / len(whole), "checking")
    return Validation.made(tape, kinds, counts, examples, int(checking["flagged"][0]))
