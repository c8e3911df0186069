"""Executions that their owner hears of too late: behind the end of the order. A fault, asked for.

    waits(floor, report)           this execution is not said now, but kept with `keep`
    before(floor, report)          what waits of an order is said before this report of it,
    behind(floor, report)          or behind it, where the report is the order's end
    let_out_all(floor)             the fault is over: whatever waits is said now

The order has traded, with a real counterparty, while it stood. Book, feed, counterparty and drop
copies hear of it when it happens; only its owner's stream says first that the rest was cancelled,
and then what had been executed before, with the earlier time. Nothing is said that is not so and
nothing is left out: shares add up, for the cancel says what it took off and no more.

    executed in part ─▶ waits ─ the rest is cancelled ───▶ C, then E
                              ├─ it is filled whole ─────▶ E, then the last E
                              ├─ it is replaced, broken ─▶ E, then U, B
                              └─ the fault is over ──────▶ E

Worst case: `kept_max` wait, and one more is said at once. While any waits, each report of an order
looks at all of them.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.records import field_offset
from hftlib.core.soup.pipes import copy
from hftlib.core.soup.server import publish
from hftlib.feed.synthetic import chance
from hftlib.venue.floor.memory import (
    DRAWS_AT,
    EVERYBODY,
    KEPT,
    MESSAGE_AT,
    floor_at,
    kept_address,
    kept_of,
    member_of,
)
from hftlib.venue.matching.records import CANCELLED, EXECUTED, PREVENTED, REPLACED

MILLION = 1_000_000
_MESSAGE = field_offset(KEPT, "message")
_KEPT_BYTES = KEPT.itemsize
_ROOM = _KEPT_BYTES - _MESSAGE


@jit.compiled()
def hits(floor: int, parts: int) -> bool:
    """Whether something of this chance, in parts of a million, comes true now."""
    return parts >= MILLION or int(chance.below(floor + DRAWS_AT, MILLION)) < parts


@jit.inlined
def waits(floor: int, report: Any) -> bool:
    """Whether its owner hears of this execution late; the order must stand on."""
    f = floor_at(floor)
    wanted = f.late == EVERYBODY or f.late == report.session
    return wanted and report.kind == EXECUTED and report.open > 0 and hits(floor, f.late_chance)


@jit.compiled()
def keep(floor: int, session: int, urn: int, size: int) -> int:
    """The message at hand waits: 1, or 0: there is no room for it."""
    f = floor_at(floor)
    if f.kept == f.kept_max or size > _ROOM:
        return 0
    one = kept_of(floor, f.kept)
    one.session, one.urn, one.size = session, urn, size
    copy(kept_address(floor, f.kept) + _MESSAGE, floor + MESSAGE_AT, size)
    f.kept += 1
    return 1


@jit.inlined
def before(floor: int, report: Any) -> None:
    """Whatever the order has waiting goes first, unless the report takes shares off it."""
    if report.kind != CANCELLED and report.kind != PREVENTED:
        urn = report.original if report.kind == REPLACED else report.urn
        _let_out(floor, report.session, urn)


@jit.inlined
def behind(floor: int, report: Any) -> None:
    """The order is over: now it is said what it had executed."""
    if report.open == 0 and (report.kind == CANCELLED or report.kind == PREVENTED):
        floor_at(floor).overtaken += _let_out(floor, report.session, report.urn)


@jit.compiled("int64(int64)")
def let_out_all(floor: int) -> int:
    """Everything that waits is said, in the order in which it happened: how many."""
    return _let_out(floor, 0, 0)


@jit.compiled()
def _let_out(floor: int, session: int, urn: int) -> int:
    """Say what waits of an order (of session 0: of all), and close the gaps: how many."""
    f = floor_at(floor)
    left = 0
    for n in range(f.kept):
        one = kept_of(floor, n)
        if session == 0 or (one.session == session and one.urn == urn):
            message = kept_address(floor, n) + _MESSAGE
            if publish(f.entry, member_of(floor, one.session).stream, message, one.size) > 0:
                f.said += 1
            else:
                f.unsaid += 1
        else:
            if left != n:
                jit.copy_words(kept_address(floor, left), kept_address(floor, n), _KEPT_BYTES)
            left += 1
    told = f.kept - left
    f.kept = left
    return int(told)
