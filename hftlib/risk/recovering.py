"""After a restart: nothing new leaves before what the venue says and what we know are one.

    HOLD     the firm is halted, and the state that it had is kept
    GO_ON    it has that state again; nothing is done where it is not held any more

Both are a process's to say: a restart is no new permission, so what was reduced or halted before is
so afterwards. Whoever halts or lifts meanwhile has the last word, and GO_ON is refused.

Worst case: a firm that nobody lets go on stays halted until two people lift it.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.orders import BY_RECOVERY
from hftlib.risk.controls import HALTED
from hftlib.risk.memory import scope_of
from hftlib.risk.states import move

HOLD, GO_ON = 7, 8  # what a directive says, beside those of `directives.py`
HELD = ("hold", "go on")


@jit.compiled()
def held(base: int, told: Any) -> int:
    """Do what it says: the address of its row in the log; 0: there is nothing to do."""
    scope = scope_of(base, told.scope)
    before = scope.state
    if told.what == HOLD:
        row = move(base, told.scope, HALTED, told.time, BY_RECOVERY, 0, 0)
        if row != 0:
            scope.held_from = before + 1
        return row
    if scope.held_from == 0:
        return 0
    return move(base, told.scope, scope.held_from - 1, told.time, BY_RECOVERY, 0, 0)
