"""Trading states: ACTIVE ─▶ REDUCING ─▶ HALTED, for each scope, through one door.

    move    the door: whoever wants a state comes here, and it is written into the log
    broke   a breaker: REDUCING beyond its limit, HALTED far beyond it; never back

A state rises by itself and falls only by a person (`directives.py`). What must happen to open
orders is the engine's to do: `acts` tells it that something changed.

Worst case: the log of changes is full: the change holds all the same, and `lost_changes` counts it.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.risk.controls import HALT_AT, HALTED, REDUCING
from hftlib.risk.memory import CHANGE, change_address, change_of, risk_at, scope_of

CHANGE_BYTES = CHANGE.itemsize
# What a row of the log is about.
STATE, LIMIT, RISK_TOLD, RATE, RULE, REFUSED, PARAMETER = range(1, 8)
CHANGES = ("", "state", "limit", "risk", "rate", "rule", "refused", "parameter")


@jit.compiled()
def new_row(base: int, time: int, what: int, scope_row: int) -> int:
    """The address of a new row of the log, emptied."""
    risk = risk_at(base)
    place = min(risk.changes, risk.changes_max - 1)
    if risk.changes >= risk.changes_max:
        risk.lost_changes += 1
    else:
        risk.changes += 1
    address = change_address(base, place)
    for n in range(CHANGE_BYTES // 8):
        jit.store_i64(address + 8 * n, 0)
    row = change_of(base, place)
    row.time, row.what, row.scope = time, what, scope_row
    row.level = scope_of(base, scope_row).level
    return address


@jit.compiled()
def move(
    base: int, scope_row: int, state: int, time: int, reason: int, limit: int, seen: int
) -> int:
    """The one door to another state: the address of its row in the log; 0: it is that already."""
    scope = scope_of(base, scope_row)
    if scope.state == state:
        return 0
    address = new_row(base, time, STATE, scope_row)
    row = change_of(base, min(risk_at(base).changes, risk_at(base).changes_max) - 1)
    row.before, row.after = scope.state, state
    row.reason, row.limit, row.seen = reason, limit, seen
    scope.state, scope.why, scope.since = state, reason, time
    scope.held_from, scope.flattening = 0, 0  # whoever moves it has the last word
    risk_at(base).acts = 1
    return address


@jit.compiled()
def broke(base: int, scope_row: int, time: int, reason: int, limit: int, seen: int) -> None:
    """A breaker's limit is passed: REDUCING, and HALTED far beyond it. A state never falls here."""
    scope = scope_of(base, scope_row)
    # Compared as floats: a limit times a percentage may be beyond int64.
    far = float(seen) * 100.0 > float(limit) * float(scope.windows[HALT_AT])
    wanted = HALTED if far else REDUCING
    if scope.state < wanted:
        move(base, scope_row, wanted, time, reason, limit, seen)


@jit.inlined
def state_of(base: int, scope_row: int) -> Any:
    return scope_of(base, scope_row).state
