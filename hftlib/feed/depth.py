"""Snapshot and differences into one correct book: the state machine of every level feed.

A level feed sends differences, numbered but never the whole book; a snapshot comes from elsewhere,
and late. So differences wait until a snapshot arrives, those it already contains are dropped, and
from then on each must follow the one before it. When one is missing, the book is stale (GAP) until
another snapshot (CLEAR, LEVELs, RECOVERED). `take_diff` and `take_snapshot` do all of that over a
`DepthState`; files and live feeds share them.

    WAITING ──snapshot──▶ JOINING ──first diff──▶ LIVE ◀─┐ each diff follows the last
                             │                     │ └───┘
                             └── a number missing ─┴──▶ GAP ──snapshot──▶ JOINING

Which diff follows depends on the venue (`Rule`), as its documents say:

    SPOT        U <= last + 1 <= u                   each names its first and last update, U and u
    FUTURES     pu == last; the first after a snapshot: pu <= last <= u.     The documents write
                U <= last there; pu < U, and what lies between belongs to no update of this symbol
    UNNUMBERED  always: nothing is numbered, the connection alone keeps the order

Events come as tuples in the order of EVENT's fields. A diff that waits shows as a NOTICE at once,
so nothing vanishes when no snapshot ever comes; when it is applied later, its events carry the
snapshot's `received` and RECOVERED_LATE. Worst case: LEVELS_HELD_MAX levels wait; beyond that the
oldest diffs are dropped and counted, and the snapshot that needs them is too old.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

from hftlib.core import events

LEVELS_HELD_MAX = 1_000_000

Row: TypeAlias = tuple[int, int, int, int, int, int, int, int, int, int, int]
Change: TypeAlias = tuple[int, int, int]
"""A side, a price and the quantity that is there now."""

DEPTH_NOTICE = events.code("depth")
SNAPSHOT_NOTICE = events.code("snapshot")


class Rule(Enum):
    """Whose numbers these are."""

    SPOT = auto()
    FUTURES = auto()
    UNNUMBERED = auto()


class Phase(Enum):
    """Where a book stands. Only JOINING and LIVE have one that may be used."""

    WAITING = auto()
    JOINING = auto()
    LIVE = auto()
    GAP = auto()


class Place(Enum):
    """Where a diff stands to the last number applied."""

    KNOWN = auto()
    NEXT = auto()
    BEYOND = auto()


@dataclass(frozen=True, slots=True)
class Diff:
    """One message of changed levels; `previous` is 0 where the venue has no such number."""

    first: int
    last: int
    previous: int
    time: int
    received: int
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole book, as far as the venue gives it, after update number `last`."""

    last: int
    time: int
    received: int
    levels: list[Change]


@dataclass(slots=True)
class DepthState:
    """All that is remembered of one book's sequence."""

    rule: Rule
    instrument: int
    phase: Phase = Phase.WAITING
    last: int = 0
    held: deque[Diff] = field(default_factory=deque)
    held_levels: int = 0
    was_stale: bool = False
    counts: dict[str, int] = field(
        default_factory=lambda: {
            "snapshots": 0,
            "snapshots not needed": 0,
            "snapshots too old": 0,
            "diffs": 0,
            "diffs held": 0,
            "diffs known already": 0,
            "diffs dropped while waiting": 0,
            "gaps": 0,
        }
    )


def take_diff(state: DepthState, diff: Diff, out: list[Row]) -> None:
    """A diff arrived: append its events, or hold it."""
    state.counts["diffs"] += 1
    if state.phase in (Phase.WAITING, Phase.GAP):
        _hold(state, diff, out)
        return
    place = _place(state.rule, state.phase is Phase.JOINING, diff, state.last)
    if place is Place.NEXT:
        _apply(state, diff, out, diff.received, 0)
    elif place is Place.KNOWN:
        state.counts["diffs known already"] += 1
        out.append(_row(state, diff.time, diff.received, events.NOTICE, DEPTH_NOTICE, diff.last))
    else:
        _gap(state, state.last, diff, out)
        _hold(state, diff, out)


def take_snapshot(state: DepthState, snapshot: Snapshot, out: list[Row]) -> None:
    """A snapshot arrived: the book begins anew, or does not need it."""
    notice = _row(
        state, snapshot.time, snapshot.received, events.NOTICE, SNAPSHOT_NOTICE, snapshot.last
    )
    state.counts["snapshots"] += 1
    numbered = state.rule is not Rule.UNNUMBERED
    if numbered and state.phase in (Phase.JOINING, Phase.LIVE):
        state.counts["snapshots not needed"] += 1
        out.append(notice)
        return
    known = [one for one in state.held if _known(state, one, snapshot)]
    following = list(state.held)[len(known) :]
    if following and _place(state.rule, True, following[0], snapshot.last) is not Place.NEXT:
        state.counts["snapshots too old"] += 1
        out.append(notice)
        return
    _begin_again(state, snapshot, out)
    state.counts["diffs known already"] += len(known)
    state.held.clear()
    state.held_levels = 0
    for diff in following:
        _apply(state, diff, out, snapshot.received, events.RECOVERED_LATE)
    if state.was_stale:
        state.was_stale = False
        out.append(_row(state, snapshot.time, snapshot.received, events.RECOVERED))


def _place(rule: Rule, joining: bool, diff: Diff, last: int) -> Place:
    if rule is Rule.UNNUMBERED:
        return Place.NEXT
    if rule is Rule.SPOT:
        if diff.last <= last:
            return Place.KNOWN
        return Place.NEXT if diff.first <= last + 1 else Place.BEYOND
    if diff.last < last or (diff.last == last and not joining):
        return Place.KNOWN
    follows = diff.previous <= last if joining else diff.previous == last
    return Place.NEXT if follows else Place.BEYOND


def _known(state: DepthState, diff: Diff, snapshot: Snapshot) -> bool:
    if state.rule is Rule.UNNUMBERED:
        return True  # it came before the snapshot, and nothing else orders the two
    return _place(state.rule, True, diff, snapshot.last) is Place.KNOWN


def _hold(state: DepthState, diff: Diff, out: list[Row]) -> None:
    """Keep the diff for the next snapshot. What is held is always unbroken."""
    if state.held:
        before = state.held[-1].last
        place = _place(state.rule, False, diff, before)
        if place is Place.KNOWN:
            state.counts["diffs known already"] += 1
        elif place is Place.BEYOND:
            _gap(state, before, diff, out)
            _drop(state, len(state.held))
        if place is Place.KNOWN:
            out.append(_row(state, diff.time, diff.received, events.NOTICE, DEPTH_NOTICE))
            return
    state.counts["diffs held"] += 1
    state.held.append(diff)
    state.held_levels += len(diff.changes)
    while state.held_levels > LEVELS_HELD_MAX:
        _drop(state, 1)
    out.append(_row(state, diff.time, diff.received, events.NOTICE, DEPTH_NOTICE, diff.last))


def _drop(state: DepthState, count: int) -> None:
    for _ in range(count):
        state.held_levels -= len(state.held.popleft().changes)
    state.counts["diffs dropped while waiting"] += count


def _gap(state: DepthState, last: int, diff: Diff, out: list[Row]) -> None:
    state.phase = Phase.GAP
    state.was_stale = True
    state.counts["gaps"] += 1
    out.append(_row(state, diff.time, diff.received, events.GAP, last + 1, 0, diff.first))


def _begin_again(state: DepthState, snapshot: Snapshot, out: list[Row]) -> None:
    state.phase, state.last = Phase.JOINING, snapshot.last
    time, received, flags = snapshot.time, snapshot.received, events.SNAPSHOT
    clear = _row(state, time, received, events.CLEAR, 0, snapshot.last)
    out.append((*clear[:10], flags if snapshot.levels else flags | events.LAST))
    _levels(state, time, received, snapshot.last, snapshot.levels, flags, out)


def _apply(state: DepthState, diff: Diff, out: list[Row], received: int, flags: int) -> None:
    state.phase, state.last = Phase.LIVE, diff.last
    if not diff.changes:
        out.append(_row(state, diff.time, received, events.NOTICE, DEPTH_NOTICE, diff.last))
    _levels(state, diff.time, received, diff.last, diff.changes, flags, out)


def _levels(
    state: DepthState,
    time: int,
    received: int,
    number: int,
    changes: list[Change],
    flags: int,
    out: list[Row],
) -> None:
    instrument, kind = state.instrument, events.LEVEL
    for side, price, quantity in changes:
        out.append((time, received, number, 0, 0, price, quantity, instrument, kind, side, flags))
    if changes:
        out[-1] = (*out[-1][:10], flags | events.LAST)


def _row(
    state: DepthState,
    time: int,
    received: int,
    kind: int,
    reference: int = 0,
    number: int = 0,
    other: int = 0,
) -> Row:
    instrument, last = state.instrument, events.LAST
    return (time, received, number, reference, other, 0, 0, instrument, kind, 0, last)
