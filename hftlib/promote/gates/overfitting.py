"""Gate 4: is it skill, or the best of many tries? Every trial that was ever made is counted.

The candidate and its neighbours run over all days. `pbo` asks whether what is best in one half of
the time stays good in the other; the deflated Sharpe ratio whether the candidate is above what luck
finds among so many trials: those of the registry, and these. Worst case: a run a set and day.
"""

from __future__ import annotations

from collections.abc import Sequence

from hftlib.promote.gates.joining import answer, joined
from hftlib.promote.gates.neighbours import neighbours
from hftlib.promote.gates.subject import Subject
from hftlib.research.tape import Tape
from hftlib.research.validation.deflation import deflated_sharpe
from hftlib.research.validation.overfitting import pbo
from hftlib.research.validation.trying import checked_settings
from hftlib.research.validation.verdict import Verdict
from hftlib.research.validation.whole import Whole, whole_of

NAME = "Overfitting"


def whole_around(subject: Subject, days: Sequence[Tape], sets: int, step: str) -> Whole:
    """The candidate, which is the first, and its neighbours over all days."""
    from hftlib.research.validation.judging import step_of

    around = neighbours(subject.kind, subject.params, sets)
    given = checked_settings({**subject.settings, "params": None}, list(days), "whole_around")
    return whole_of(subject.kind, list(days), around, given, step_of(step, days))


def judge(
    subject: Subject,
    days: Sequence[Tape],
    *,
    trials: int,
    sets: int,
    step: str,
    pbo_max: float,
    deflated_min: float,
) -> Verdict:
    """Whether it is above what luck finds, and stays what it is from one half to the other."""
    whole = whole_around(subject, days, sets, step)
    counted = trials + len(whole.sets)
    parts = {
        "deflated Sharpe": answer(
            "Deflated Sharpe ratio",
            # Neighbours are no tries by chance: how far they lie apart says nothing of luck.
            lambda: deflated_sharpe(whole.matrix[:, 0], trials=counted, at_least=deflated_min),
        )
    }
    if len(whole.sets) > 1:
        parts["overfitting"] = answer(
            "Probability of overfitting", lambda: pbo(whole.matrix, at_most=pbo_max)
        )
    return joined(NAME, parts)
