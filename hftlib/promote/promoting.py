"""A promotion: every gate of the plan in its order, and what they said as one report.

    made = promote("ideas.py:Maker", {"edge": 2}, plan=read_plan(file), folder=Path("out/Maker"))
    made.passed, made.index

A gate that does not pass ends it, unless all reasons are wanted (`keep_going`). Gates that have
answered the same before are not asked again. The report is made whole and then put in its place,
so a promotion that was killed has none: it is not half-promoted, it is not promoted.

Worst case: the time limits of all gates.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.core.claim import lock
from hftlib.core.errors import HostError, InputError
from hftlib.promote.asking import JOBS_MAX, Asking, Told, asked
from hftlib.promote.candidate import REPORT, Candidate, candidate_of, champion_of
from hftlib.promote.days import days_of
from hftlib.promote.evidence import evidence_of
from hftlib.promote.judging import Judged
from hftlib.promote.page import write_report
from hftlib.promote.plan import Gate, Plan
from hftlib.research.sheets import Sheet, Shown
from hftlib.research.validation.verdict import WORDS

FOLDER = Path("promotions")
_CLAIM = ".claim"


@dataclass(frozen=True, repr=False)
class Promotion(Shown):
    """What came of it."""

    candidate: Candidate
    folder: Path
    passed: bool | None  # None: no gate has failed, but not all were asked
    judged: tuple[Judged, ...]
    kept: tuple[str, ...]  # gates that had answered before
    not_asked: tuple[str, ...]
    tapes: dict[str, str]
    seconds: float
    run: str

    @property
    def report(self) -> Path:
        """The folder with every page and notebook: the evidence of a release."""
        return self.folder / REPORT

    @property
    def index(self) -> Path:
        return self.report / "index.html"

    @property
    def sentence(self) -> str:
        name, failed = self.candidate.name, [one for one in self.judged if not one.verdict]
        if failed:
            first = failed[0]
            return f"{name} is not promoted: {first.gate}: {first.verdict.sentence}"
        if self.not_asked:
            return f"{name}: what was asked is passed; {len(self.not_asked)} gates were not asked."
        return f"{name} passed all {len(self.judged)} gates."

    def sheets(self) -> list[Sheet]:
        rows: list[tuple[Any, ...]] = [
            (one.gate, one.verdict.word, _seconds(one, self.kept), one.verdict.sentence)
            for one in self.judged
        ]
        rows += [(name, "not asked", "", "") for name in self.not_asked]
        return [Sheet(self.sentence, ("gate", "verdict", "seconds", "why"), rows)]

    def as_json(self) -> dict[str, Any]:
        """All of it, for machines."""
        return {
            "passed": self.passed,
            "verdict": WORDS[self.passed] if self.passed is not None else "not all gates asked",
            "sentence": self.sentence,
            "candidate": {
                **self.candidate.as_json(),
                "name": self.candidate.name,
                "digest": self.candidate.digest,
                "notebook": str(self.candidate.notebook) if self.candidate.notebook else None,
            },
            "gates": [
                {
                    "gate": one.gate,
                    **one.verdict.as_json(),
                    "seconds": round(one.seconds, 3),
                    "kept": one.gate in self.kept,
                    "notebook": str(one.notebook),
                    "page": str(one.page),
                }
                for one in self.judged
            ],
            "not_asked": list(self.not_asked),
            "tapes": self.tapes,
            "seconds": round(self.seconds, 3),
            "report": str(self.index),
            "mlflow_run": self.run,
        }


def _seconds(one: Judged, kept_before: Sequence[str]) -> str:
    return "kept" if one.gate in kept_before else f"{one.seconds:.1f}"


def promote(
    given: str,
    parameters: Mapping[str, Any],
    *,
    plan: Plan,
    folder: Path | None = None,
    champion: Path | None = None,
    keep_going: bool = False,
    only: Sequence[str] = (),
    jobs: int = 1,
    told: Told = lambda _done, _name: None,
) -> Promotion:
    """Ask the gates of the plan about this candidate."""
    started = time.perf_counter()
    gates, how = _chosen(plan, only), Asking(keep_going, _jobs(jobs))
    place = folder if folder is not None else FOLDER / Path(given.partition(":")[0]).stem
    claim = _claimed(place)
    try:
        (place / REPORT / "promotion.json").unlink(
            missing_ok=True
        )  # nothing is promoted until it is
        candidate = candidate_of(given, parameters, place)
        days, unseen = days_of(plan.days)
        everything = candidate.as_json() | {
            "days": [str(path) for path in days],
            "unseen": [str(path) for path in unseen],
            "market": plan.market,
            "champion": champion_of(champion),
            "trials": _trials(candidate),
        }
        tags = {"strategy": candidate.strategy, "module": candidate.digest, "plan": str(plan.file)}
        with evidence_of(candidate.name, tags, candidate.parameters) as evidence:
            judged, before = asked(gates, everything, place, how, told, evidence)
            made = Promotion(
                candidate,
                place,
                _passed(judged, plan),
                tuple(judged),
                tuple(before),
                tuple(name for name in plan.gates if name not in {one.gate for one in judged}),
                _digests([*days, *unseen]),
                time.perf_counter() - started,
                evidence.run,
            )
            write_report(made.report, made.sentence, made.as_json(), judged)
            figures = {"seconds": made.seconds, "gates passed": float(sum(map(_good, judged)))}
            files = [made.index, made.report / "promotion.json", candidate.module]
            evidence.end(made.passed is True, figures, files)
    finally:
        os.close(claim)
    return made


def _good(one: Judged) -> bool:
    return bool(one.verdict)


def _passed(judged: Sequence[Judged], plan: Plan) -> bool | None:
    if not all(map(_good, judged)):
        return False
    return True if len(judged) == len(plan.gates) else None


def _chosen(plan: Plan, only: Sequence[str]) -> list[Gate]:
    """The gates that are named, by name or number; all where none is."""
    names = []
    for text in only:
        fitting = [name for name in plan.gates if text in (name, name.partition("_")[0])]
        if not fitting:
            do = f"It has {', '.join(plan.gates)}."
            raise InputError(f"The plan has no gate {text!r}", where=str(plan.file), do=do)
        names += fitting
    return [gate for name, gate in plan.gates.items() if not names or name in names]


def _jobs(jobs: int) -> int:
    if not 1 <= jobs <= JOBS_MAX:
        do = f"Give 1 to {JOBS_MAX}; as many as there are cores, at most."
        raise InputError(f"{jobs} gates at once cannot be asked", where="--jobs", do=do)
    return jobs


def _claimed(place: Path) -> int:
    """One promotion at a time in a folder; the kernel gives the claim up with the process."""
    try:
        place.mkdir(parents=True, exist_ok=True)
        claim = os.open(place / _CLAIM, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        do = "Name a folder that can be written: hft promote -o FOLDER."
        what = f"The promotion has no place: {error.strerror}"
        raise HostError(what, where=str(place), do=do) from None
    try:
        do = "Wait until that one is over, or name another folder: -o FOLDER."
        lock(claim, place / _CLAIM, do, "promotion")
    except BaseException:
        os.close(claim)
        raise
    return claim


def _trials(candidate: Candidate) -> int:
    """How many sets of parameters were ever tried of this strategy, as the registry has counted."""
    from hftlib.research.sweep.counting import trials_of

    return trials_of(candidate.strategy)


def _digests(paths: Sequence[Path]) -> dict[str, str]:
    from hftlib.research.tape import open_tape

    return {path.name: open_tape(path).digest for path in paths}
