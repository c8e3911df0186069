"""Who may make things looser: the roles, and where it takes two people.

What tightens is for anybody who is somebody; what loosens is for the role RISK, and of the firm for
two people of that role or higher, who are not one.

Worst case: two spellings of one name count as two here; `people.py` refuses them where it can tell.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.risk.controls import FIRM

PROCESS, TRADER, RISK, OFFICER = range(1, 5)
ROLES = ("", "process", "trader", "risk", "officer")
NOT_ALLOWED, NEEDS_TWO = 1, 2  # of the OUTCOMES of a directive
TEXT_AT, NAME_BYTES = 80, 32  # who and second, in a DIRECTIVE


@jit.compiled()
def two_people(address: int) -> bool:
    """Whether who and second are two names."""
    for n in range(NAME_BYTES // 8):
        one = jit.load_i64(address + TEXT_AT + 8 * n)
        if one != jit.load_i64(address + TEXT_AT + NAME_BYTES + 8 * n):
            return True
    return False


@jit.inlined
def authority(scope: Any, told: Any, address: int) -> int:
    """May this make things looser? Two people for the firm, the role risk for the rest."""
    if scope.level == FIRM:
        both = told.role >= RISK and told.second_role >= RISK
        return 0 if both and two_people(address) else NEEDS_TWO
    return 0 if told.role >= RISK else NOT_ALLOWED


@jit.inlined
def may_tell(told: Any) -> int:
    """Figures that limits are compared with: a lower one is a looser limit, so no trader's word."""
    return 0 if told.role == PROCESS or told.role >= RISK else NOT_ALLOWED
