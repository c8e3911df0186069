"""Gate 8: does any decision hang on what happened only afterwards? It is tried out, day by day.

`hft.check_lookahead` gives each day another future at several times; what was decided before must
stay the same to the last field. Worst case: two runs for each cut and day.
"""

from __future__ import annotations

from collections.abc import Sequence

from hftlib.promote.gates.joining import joined
from hftlib.promote.gates.subject import Subject
from hftlib.research.lookahead import check_lookahead
from hftlib.research.tape import Tape
from hftlib.research.validation.validating import LOOK_EVENTS_MAX, look_ahead_verdict
from hftlib.research.validation.verdict import Verdict

NAME = "Look-ahead"


def judge(
    subject: Subject, days: Sequence[Tape], *, days_looked_at: int, cuts: int, seed: int
) -> Verdict:
    """The first days with other futures."""
    parts = {}
    for tape in days[:days_looked_at]:
        part = tape[:LOOK_EVENTS_MAX] if len(tape) > LOOK_EVENTS_MAX else tape
        report = check_lookahead(subject.kind, part, cuts=cuts, seed=seed, **subject.settings)
        parts[tape.path.name] = look_ahead_verdict(report)
    return joined(NAME, parts)
