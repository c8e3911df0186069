"""Which other sets of parameters a strategy is judged among, where nobody names any.

    neighbours(Maker, {"edge": 2})        [{"edge": 2}, {"edge": 1}, {"edge": 4}, ...]

Each number of it is halved and doubled, one at a time, within its bounds: near enough to be the
same idea, far enough that a needle shows. The set that was chosen stands first. Worst case:
`SETS_MAX` sets; parameters beyond that, in the order of the class, keep their value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hftlib.core.errors import HftError

SETS_MAX = 9
FACTORS = (0.5, 2.0)


def neighbours(kind: Any, params: Mapping[str, Any], most: int = SETS_MAX) -> list[dict[str, Any]]:
    """The chosen set, and those one step away."""
    chosen = dict(kind(**params).parameters)
    made = [chosen]
    for name, value in chosen.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not value:
            continue
        for factor in FACTORS:
            other = round(value * factor) if isinstance(value, int) else value * factor
            one = chosen | {name: other}
            if len(made) < most and one not in made and _is_allowed(kind, one):
                made.append(one)
    return made


def _is_allowed(kind: Any, params: Mapping[str, Any]) -> bool:
    try:
        kind(**params)
    except HftError:
        return False
    return True
