"""Closing what a scope holds: no strategy's order leaves it any more, and its positions are closed.

    FLATTEN ─▶ REDUCING, `flattening` ─▶ the engine closes (`engine/flattening.py`) ─▶ HALTED

Everything that tightens is for anybody, and so is this; but what is halted may send nothing, so
there it takes whoever may lift the halt. Any other move of the scope ends it: who halts has the
last word, and so has a breaker.

Worst case: a position that nobody takes stays, and the scope stays so until a person moves it.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.orders import FLATTENING
from hftlib.risk.authority import NOT_ALLOWED, TRADER, authority
from hftlib.risk.controls import HALTED, REDUCING
from hftlib.risk.memory import (
    FIRM_ROW,
    change_of,
    instrument_row,
    risk_at,
    scope_of,
    strategy_row,
)
from hftlib.risk.states import STATE, move, new_row

LEFT = 2  # of a scope's `flattening`: something of it is left
FLATTEN = 9  # what a directive says, beside those of `directives.py` and `recovering.py`


@jit.inlined
def may_flatten(scope: Any, told: Any, address: int) -> int:
    """Whether whoever tells it may: 0, or why not."""
    if told.role < TRADER:
        return NOT_ALLOWED
    return authority(scope, told, address) if scope.state == HALTED else 0


@jit.compiled()
def flattened(base: int, told: Any) -> int:
    """Begin it: the address of its row in the log."""
    scope, risk = scope_of(base, told.scope), risk_at(base)
    row = move(base, told.scope, REDUCING, told.time, FLATTENING, 0, 0)
    if row == 0:
        row = new_row(base, told.time, STATE, told.scope)
        last = change_of(base, min(risk.changes, risk.changes_max) - 1)
        last.before, last.after, last.reason = REDUCING, REDUCING, FLATTENING
        scope.why, scope.held_from = FLATTENING, 0
    scope.flattening = 1
    risk.flattening = 1
    risk.acts = 1
    risk.next_guard = min(risk.next_guard, told.time)
    return row


@jit.compiled()
def is_flattening(here: int, strategy: int, instrument: int) -> bool:
    """Whether a scope of a strategy's instrument is to be closed."""
    if scope_of(here, instrument_row(here, instrument)).flattening != 0:
        return True
    row = strategy_row(here, strategy)
    while True:
        if scope_of(here, row).flattening != 0:
            return True
        if row == FIRM_ROW:
            return False
        row = scope_of(here, row).parent


@jit.compiled()
def mark_left(here: int, strategy: int, instrument: int) -> None:
    """Something of these scopes is left."""
    scope = scope_of(here, instrument_row(here, instrument))
    scope.flattening *= LEFT if scope.flattening == 1 else 1
    row = strategy_row(here, strategy)
    while True:
        scope = scope_of(here, row)
        scope.flattening *= LEFT if scope.flattening == 1 else 1
        if row == FIRM_ROW:
            return
        row = scope.parent
