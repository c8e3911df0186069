"""Orders that end at a time: a heap, the earliest first, those of one moment by name.

    heap[k] ─ an order; heap[2k+1], heap[2k+2] end no earlier        own.heap = k + 1

Worst case: an order comes and goes in as many steps as the heap has doublings.
"""

from __future__ import annotations

from hftlib.core import jit
from hftlib.core.records import record
from hftlib.venue.matching.tables import NEVER, engine_of, own_of

_ENTRY = record("matching end", 4, "0 order int32")
_entry_of, _ = jit.rows(engine_of, _ENTRY, "heap_at", "orders_max")


@jit.inlined
def _is_before(base: int, one: int, other: int) -> bool:
    """Numbers change with places, names only with the owner's wish: so names decide."""
    a, b = own_of(base, one), own_of(base, other)
    if a.expire != b.expire:
        return a.expire < b.expire
    if a.session != b.session:
        return a.session < b.session
    return a.urn < b.urn


@jit.inlined
def _put(base: int, k: int, n: int) -> None:
    _entry_of(base, k).order = n
    own_of(base, n).heap = k + 1


@jit.once
def _raise(base: int, k: int) -> None:
    """Towards the top while it is before the one above it."""
    n = _entry_of(base, k).order
    while k > 0:
        above = (k - 1) >> 1
        other = _entry_of(base, above).order
        if not _is_before(base, n, other):
            break
        _put(base, k, other)
        k = above
    _put(base, k, n)


@jit.once
def _lower(base: int, k: int) -> None:
    """Away from the top while one below it is before it."""
    used = engine_of(base).heap_used
    n = _entry_of(base, k).order
    while 2 * k + 1 < used:
        below = 2 * k + 1
        if below + 1 < used and _is_before(
            base, _entry_of(base, below + 1).order, _entry_of(base, below).order
        ):
            below += 1
        other = _entry_of(base, below).order
        if not _is_before(base, other, n):
            break
        _put(base, k, other)
        k = below
    _put(base, k, n)


@jit.once
def enter_heap(base: int, n: int) -> None:
    engine = engine_of(base)
    k = engine.heap_used
    engine.heap_used = k + 1
    _put(base, k, n)
    _raise(base, k)
    _note_next(base)


@jit.once
def leave_heap(base: int, n: int) -> None:
    engine = engine_of(base)
    k = own_of(base, n).heap - 1
    own_of(base, n).heap = 0
    engine.heap_used -= 1
    last = _entry_of(base, engine.heap_used).order
    _entry_of(base, engine.heap_used).order = 0
    if last != n:
        _put(base, k, last)
        _raise(base, k)
        _lower(base, own_of(base, last).heap - 1)
    _note_next(base)


@jit.inlined
def _note_next(base: int) -> None:
    engine = engine_of(base)
    engine.next_expiry = (
        own_of(base, _entry_of(base, 0).order).expire if engine.heap_used != 0 else NEVER
    )


@jit.inlined
def earliest(base: int) -> int:
    """The order that ends first; there is one."""
    return _entry_of(base, 0).order
