"""The answer of `tape.validate()`: what was found, how often, where first, and what it means.

Worst case: five examples of each kind; `tape[position]` shows the event of any.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from hftlib.book.tables import REASONS as BOOK_REASONS
from hftlib.core import events
from hftlib.research.sheets import Sheet, Shown
from hftlib.research.tape import Tape

WRONG, NOTE = "wrong", "note"
# Wrong only where all is one numbered stream, as the source said it is.
_OF_ONE_STREAM = ("time goes back", "sequence repeated")
KINDS = len(events.KINDS) + 1  # the known ones, and one for all others

_OWN = (
    ("time goes back", WRONG, "an event is earlier than the one before it"),
    ("no time", WRONG, "its time is zero or less"),
    ("time jump", NOTE, "a long silence within a session"),
    ("sequence repeated", WRONG, "a number not above the last one of its instrument: a duplicate?"),
    ("sequence missing", NOTE, "numbers are left out: lost, filtered, or of other instruments"),
    ("gap in the feed", WRONG, "the feed itself says that messages are lost"),
    ("unknown kind", WRONG, "an event of no kind that is known"),
    ("unknown instrument", WRONG, "its instrument is in no row of the table"),
    ("no size", WRONG, "a quantity of zero or less where there must be one"),
    ("no price", WRONG, "a price of zero or less"),
    ("book crossed", WRONG, "the best bid came to stand above the best ask"),
    ("book locked", NOTE, "the best bid came to stand at the best ask"),
)
_MEANINGS = {
    "no such order": "never added, already gone, or added before the tape began",
    "more taken off than was there": "an execution or cancel larger than the order",
}
UNREADABLE_FIRST = len(_OWN)
_UNREADABLE = tuple(
    (f"unreadable: {why or 'it does not say why'}", WRONG, "the source could not make sense of it")
    for why in events.REASONS
)
BOOK_FIRST = UNREADABLE_FIRST + len(_UNREADABLE)
CHECKS = (
    *_OWN,
    *_UNREADABLE,
    *(
        (reason, WRONG, _MEANINGS.get(reason, "refused by the books"))
        for reason in BOOK_REASONS[1:]
    ),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of oddity: how often, and the positions of the first few."""

    name: str
    weight: str
    count: int
    examples: tuple[int, ...]
    meaning: str


@dataclass(frozen=True, repr=False)
class Validation(Shown):
    """Every event of the tape was seen; these are the odd ones."""

    tape: str
    seen: int
    kinds: dict[str, int]
    flagged: int
    findings: tuple[Finding, ...]

    @classmethod
    def made(
        cls,
        tape: Tape,
        kinds: np.ndarray[Any, Any],
        counts: np.ndarray[Any, Any],
        examples: np.ndarray[Any, Any],
        flagged: int,
    ) -> Validation:
        names = ("no kind", *events.KINDS[1:], "unknown kind")
        findings = tuple(
            Finding(
                name, _weight(name, weight, tape), int(counts[n]), _positions(examples[n]), meaning
            )
            for n, (name, weight, meaning) in enumerate(CHECKS)
            if counts[n]
        )
        by_kind = {names[n]: int(kinds[n]) for n in np.flatnonzero(kinds).tolist()}
        return cls(tape.path.name, len(tape), by_kind, flagged, findings)

    @property
    def clean(self) -> int:
        """Events about which there is nothing to say."""
        return self.seen - self.flagged

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong; notes are allowed."""
        return not any(finding.weight == WRONG for finding in self.findings)

    def count(self, name: str) -> int:
        """How often something was found."""
        return sum(finding.count for finding in self.findings if finding.name == name)

    def as_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        return {**asdict(self), "clean": self.clean, "sound": self.sound}

    def sheets(self) -> list[Sheet]:
        verdict = "nothing is wrong" if self.sound else "something is wrong"
        title = f"{self.tape}: {self.seen:,} events, {self.clean:,} of them clean; {verdict}"
        rows = [
            (f.name, f.weight, f.count, ", ".join(map(str, f.examples)), f.meaning)
            for f in self.findings
        ]
        return [Sheet(title, ("found", "", "times", "first at", "which means"), rows)]


def _weight(name: str, weight: str, tape: Tape) -> str:
    """Where streams are mixed, or one message is many events, order and repeats may be innocent."""
    return NOTE if name in _OF_ONE_STREAM and not tape.is_one_stream else weight


def _positions(examples: np.ndarray[Any, Any]) -> tuple[int, ...]:
    return tuple(examples[examples >= 0].tolist())
