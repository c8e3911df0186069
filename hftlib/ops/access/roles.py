"""Which role may do what on a desk.

    researcher, approver, auditor    look
    operator                         halt, reduce, flatten, kill: what tightens
    risk                             those, and lift and limit: what loosens

Everyone may look. What a runner is told carries a role of the runner's own (`risk/authority.py`),
which decides again. Worst case: none, these are tables.
"""

from __future__ import annotations

from collections.abc import Iterable

RESEARCHER, APPROVER, OPERATOR, RISK, AUDITOR = (
    "researcher",
    "approver",
    "operator",
    "risk",
    "auditor",
)
ROLES = (RESEARCHER, APPROVER, OPERATOR, RISK, AUDITOR)
TIGHTENS = ("halt", "reduce", "flatten", "kill")
LOOSENS = ("lift", "limit")
_MAY = {OPERATOR: TIGHTENS, RISK: TIGHTENS + LOOSENS}
_RUNNERS = {OPERATOR: "trader", RISK: "risk"}


def runner_role(roles: Iterable[str], do: str) -> str:
    """The role by which a runner hears it: the least that may; nothing where none of them may."""
    held = set(roles)
    able = [role for role in (OPERATOR, RISK) if role in held and do in _MAY[role]]
    return _RUNNERS[able[-1]] if able else ""
