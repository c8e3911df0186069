"""From an owner's number of an order to the order: a hash of (session, number).

    names   tag << 32 | order      eight bytes an entry; 0: free

Owners count their numbers up, so those of one session lie side by side and a cache line serves
eight. Sessions begin far from each other. Entries stand in order of where they would stand (robin
hood), so in a long row of numbers that are all at home a search or a leaving ends after one step.

Worst case: at most half full; numbers chosen by an enemy can pile up, and a search is then as long
as the pile, and right.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.venue.matching.tables import engine_of, own_of

_MASK_31 = (1 << 31) - 1
_APART = 0x9E37


@jit.inlined
def _address(base: int, place: int) -> int:
    engine = engine_of(base)
    return jit.nth(base + engine.names_at, place, engine.name_mask + 1, 8)


@jit.inlined
def _tag(session: int, urn: int) -> int:
    return (urn + session * _APART) & _MASK_31


@jit.inlined
def _away(place: int, entry: int, mask: int) -> int:
    """How far from home an entry stands."""
    return (place - (entry >> 32)) & mask


@jit.once
def find_name(base: int, session: int, urn: int) -> int:
    """The order that its owner calls so, or 0."""
    mask = engine_of(base).name_mask
    tag = _tag(session, urn)
    place, away = tag & mask, 0
    while True:
        entry = jit.load_i64(_address(base, place))
        if entry == 0 or _away(place, entry, mask) < away:
            return 0
        if entry >> 32 == tag:
            own = own_of(base, entry & _MASK_31)
            if own.urn == urn and own.session == session:
                return entry & _MASK_31
        place, away = (place + 1) & mask, away + 1


@jit.inlined
def enter_name(base: int, session: int, urn: int, n: int) -> None:
    """Order n is called so; nobody else is. Who stands nearer to home than it moves on."""
    mask = engine_of(base).name_mask
    carried = _tag(session, urn) << 32 | n
    place, away = (carried >> 32) & mask, 0
    while True:
        address = _address(base, place)
        entry = jit.load_i64(address)
        if entry == 0:
            jit.store_i64(address, carried)
            return
        theirs = _away(place, entry, mask)
        if theirs < away:
            jit.store_i64(address, carried)
            carried, away = entry, theirs
        place, away = (place + 1) & mask, away + 1


@jit.inlined
def leave_name(base: int, session: int, urn: int, n: int) -> None:
    """Nobody is called so any more; those behind move up, until one that is at home."""
    mask = engine_of(base).name_mask
    hole = _tag(session, urn) & mask
    while jit.load_i64(_address(base, hole)) & _MASK_31 != n:
        hole = (hole + 1) & mask
    while True:
        place = (hole + 1) & mask
        entry = jit.load_i64(_address(base, place))
        if entry == 0 or _away(place, entry, mask) == 0:
            jit.store_i64(_address(base, hole), 0)
            return
        jit.store_i64(_address(base, hole), entry)
        hole = place
