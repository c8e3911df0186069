"""Gate 1: can these tapes be trusted to judge by? Every event of every day is looked at.

Fails where a tape has an oddity that a sound feed does not send (`tape.validate`), where a day is
too short to tell anything, or where an unseen day is one that was chosen on. Worst case: the pace
of the books over all tapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hftlib.research import charts
from hftlib.research.sheets import Sheet
from hftlib.research.tape import Tape
from hftlib.research.tape_findings import WRONG
from hftlib.research.validation.verdict import Verdict

NAME = "Data quality"


def judge(
    days: Sequence[Tape],
    unseen: Sequence[Tape],
    *,
    wrong_max: int,
    events_min: int,
    share_clean_min: float,
) -> Verdict:
    """Whether each tape is sound, long enough, and unseen where it is said to be."""
    told = [(tape, tape.validate()) for tape in (*days, *unseen)]
    wrong = [sum(f.count for f in report.findings if f.weight == WRONG) for _, report in told]
    clean = [report.clean / max(1, report.seen) for _, report in told]
    reasons = [
        f"{tape.path.name} has {odd:,} events that a sound feed does not send"
        for (tape, _), odd in zip(told, wrong, strict=True)
        if odd > wrong_max
    ]
    reasons += [
        f"{tape.path.name} has {len(tape):,} events, fewer than {events_min:,}"
        for tape, _ in told
        if len(tape) < events_min
    ]
    reasons += [
        f"of {tape.path.name} only {share:.1%} is without a finding"
        for (tape, _), share in zip(told, clean, strict=True)
        if share < share_clean_min
    ]
    reasons += _seen_before(days, unseen)
    events = [len(tape) for tape, _ in told]
    figures: dict[str, Any] = {
        "days": len(days),
        "unseen days": len(unseen),
        "events": sum(events),
        "events of the shortest day": min(events),
        "wrong events": sum(wrong),
        "least share of clean events": min(clean),
    }
    names = [str(number + 1) for number in range(len(told))]
    picture = charts.bars(names, events, title="Events of each tape, the unseen ones last")
    rows = [
        (tape.path.name, finding.name, finding.weight, finding.count, finding.meaning)
        for tape, report in told
        for finding in report.findings
    ]
    heads = ("tape", "found", "", "times", "which means")
    tables = (Sheet("What was found", heads, rows),) if rows else ()
    sound = f"All {len(told)} tapes are sound: {sum(events):,} events, {sum(wrong):,} wrong ones."
    sentence = f"{'; '.join(reasons)}." if reasons else sound
    return Verdict(NAME, not reasons, sentence, figures, picture, tables)


def _seen_before(days: Sequence[Tape], unseen: Sequence[Tape]) -> list[str]:
    """An unseen day must lie behind all that was chosen on, and be another one."""
    known = {tape.digest for tape in days}
    last = max(tape.end for tape in days)
    made = []
    for tape in unseen:
        if tape.digest in known:
            made.append(f"{tape.path.name} is called unseen and is one of the days chosen on")
        elif tape.begin <= last:
            made.append(f"{tape.path.name} is called unseen and begins before those days are over")
    return made
