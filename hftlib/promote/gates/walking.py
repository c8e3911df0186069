"""Gate 3: does what is chosen on the past earn after it? Walk-forward, and cross-validation.

The candidate and its neighbours are chosen among, again and again, on one part of the days and
judged on another: the part that follows (walk-forward), and any part, with what lies near it left
out (purged cross-validation). Worst case: a run a set and day, and once more for each fold.
"""

from __future__ import annotations

from collections.abc import Sequence

from hftlib.promote.gates.joining import answer, joined
from hftlib.promote.gates.overfitting import whole_around
from hftlib.promote.gates.subject import Subject
from hftlib.research.tape import Tape
from hftlib.research.validation.crossing import checked_split, crossed
from hftlib.research.validation.judging import objective
from hftlib.research.validation.trying import checked_settings
from hftlib.research.validation.verdict import Verdict
from hftlib.research.validation.walking import walked

NAME = "Walk-forward and cross-validation"


def judge(
    subject: Subject,
    days: Sequence[Tape],
    *,
    sets: int,
    step: str,
    folds: int,
    efficiency_min: float,
    groups: int,
    test_groups: int,
    embargo: str,
) -> Verdict:
    """Whether a choice carries over to time that it was not made on."""
    whole = whole_around(subject, days, sets, step)
    settings = {**subject.settings, "params": None}
    given = checked_settings(settings, list(days), "walk_forward")
    chosen_by = objective("sharpe")
    split = checked_split(groups, test_groups, embargo, None)
    parts = {
        f"walk-forward, {word}": answer(
            "Walk-forward",
            lambda anchored=anchored: walked(  # type: ignore[misc]
                subject.kind, whole, given, folds, anchored, chosen_by, efficiency_min
            ),
        )
        for word, anchored in (("anchored", True), ("rolling", False))
    }
    parts["cross-validation"] = answer(
        "Cross-validation", lambda: crossed(whole, *split, chosen_by)
    )
    return joined(NAME, parts)
