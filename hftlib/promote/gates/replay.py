"""Gate 9: is it the same every time? The same orders again, on the wire, and from its journal.

The first day runs twice in the backtest, then against our exchange as bytes of the wire, each
message journaled; the journal goes through the runner's code again. Everything that went out must
be the same to the last byte: what ran live can be proved from its journal afterwards.

Worst case: three runs of the day, and the journal read three times.
"""

from __future__ import annotations

from pathlib import Path

from hftlib.engine.live.replaying import replay
from hftlib.ops.launching import laid
from hftlib.promote.gates.subject import Subject
from hftlib.research.tape import Tape
from hftlib.research.validation.verdict import Verdict

NAME = "Replay parity"


def judge(
    subject: Subject, day: Tape, place: str, *, latency: str, events_max: int, sent_min: int
) -> Verdict:
    """Whether backtest, journal and replay agree with themselves, byte for byte."""
    part = day[:events_max] if len(day) > events_max else day
    first, again = subject.backtest(part), subject.backtest(part)
    journal = Path(place) / "wire.journal"
    wired = subject.on_the_wire(part, journal, latency)
    told = replay(journal, laid)
    reasons = []
    if first.digest != again.digest:
        reasons.append("the backtest is another one when it is run again")
    if not told.is_identical:
        reasons.append(f"the replay differs: {told.difference}")
    if reasons:
        passed: bool | None = False
    else:
        passed = True if told.compared >= sent_min else None
        if passed is None:
            reasons.append(f"{told.compared:,} frames went out, too few of {sent_min:,} to tell")
    figures = {
        "frames": told.frames,
        "frames that went out": told.compared,
        "events": told.events,
        "orders in the backtest": len(first.records["orders"]),
        "orders on the wire": len(wired.records["orders"]),
        "digest of the backtest": first.digest,
    }
    same = (
        f"{told.compared:,} frames went out again, byte for byte, of {told.frames:,};"
        " the backtest is the same when it is run again."
    )
    sentence = f"{'; '.join(reasons).capitalize()}." if reasons else same
    return Verdict(NAME, passed, sentence, figures)
