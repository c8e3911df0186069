"""Days of a release as their journals tell them: each checked before anything is made of it.

    days = days_of(policy, "shadow", [Path("monday.journal"), ...], digest)
    days[0].begin, .end, .ended, .cut, .latency        Day, of one journal

A journal counts where its first frame says that it ran this very release in the mode of the stage,
and where it is whole; of several no two may overlap, for a market is heard once. What is another's,
what is damaged and what is told twice is refused: somebody named it by mistake, or not by mistake.
One that was cut off, or is still written, is a Day that says so: its figures are not the day's.

Worst case: each journal is walked over once, a second for some million frames.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.core.journal.verifying import CLOSED, verify
from hftlib.core.release.rollout_policy import Policy
from hftlib.core.release.rollout_step import CANARY
from hftlib.core.units import shown
from hftlib.engine.live.replaying import about

TO_WIRE = "frame to wire"
DAYS_MOST = 1_000
_WHERE = "the journals of a stage"


@dataclass(frozen=True, slots=True)
class Day:
    """One journal; times are ns, UTC, of its first and its last frame."""

    folder: Path
    about: Mapping[str, Any]
    begin: int
    end: int
    cut: str  # why it is no whole day; empty where it is one
    why: str  # why it ended before it was told to; empty where it did not
    latency: Mapping[str, float]  # of `TO_WIRE`: count, p50, p99, ... in ns; empty: not told

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def minutes(self) -> float:
        return (self.end - self.begin) / 60e9


def days_of(policy: Policy, stage: str, journals: Sequence[Path], digest: str) -> list[Day]:
    """The days in the order of their time, or a sentence on what is wrong with one of them."""
    if isinstance(journals, str | Path) or not all(isinstance(j, str | Path) for j in journals):
        do = "Give a list of folders that `hft live --journal FOLDER` wrote."
        raise InputError(f"{shown(journals)} is no list of journals", where=_WHERE, do=do)
    if not journals or len(journals) > DAYS_MOST:
        do = f"Name the days that show it: from one to {DAYS_MOST:,} journals of mode {stage}."
        raise InputError(f"{len(journals):,} journals are named", where=_WHERE, do=do)
    places = [Path(one) for one in journals]
    known = [one.resolve() for one in places]
    for n, one in enumerate(known):
        if one in known[:n]:
            what = f"The journal {places[n].name} is named twice"
            raise InputError(what, where=str(places[n]), do="Name each day once.")
    found = sorted((read_day(one) for one in places), key=lambda day: day.begin)
    for day in found:
        _require(policy, stage, day, digest)
    for before, after in pairwise(found):
        if after.begin <= before.end:
            what = f"{before.name} and {after.name} are of the same time"
            do = "Name days that follow each other: a copy of a day shows nothing more."
            raise InputError(what, where=str(after.folder), do=do)
    return found


def read_day(folder: Path) -> Day:
    """What a runner's journal says of its day; refused where it is none, or is damaged."""
    if not folder.is_dir():
        do = "Give the folder that `hft live --journal FOLDER` wrote."
        raise InputError(f"There is no journal {shown(str(folder))}", where=str(folder), do=do)
    try:
        told = about(folder)
    except ValueError:  # its first frame is no JSON
        told = {}
    if told.get("what") != "runner":
        do = "Give the folder that `hft live --journal FOLDER` wrote."
        raise InputError("This is no journal of a runner", where=str(folder), do=do)
    report = verify(folder)
    if not report.is_whole:
        do = "Nothing is told of it. `hft journal verify` says all that is wrong."
        raise StateError(f"Damaged: {report.problems[0]}", where=str(folder), do=do)
    first = next(iter(frames(folder)))
    last = next(iter(frames(folder, max(1, report.frames))), first)
    cut, why, latency = "", "", dict[str, float]()
    if report.state != CLOSED or last.kind != kinds.CLOSED:
        cut = f"its journal is {report.state}" if report.state != CLOSED else "it has no end"
    else:
        says = json.loads(last.payload)
        why, latency = str(says.get("why") or ""), _latency(says)
    return Day(folder, told, first.time, last.time, cut, why, latency)


def release_of(day: Day) -> Mapping[str, Any]:
    """What its first frame says of its release; empty where it ran none."""
    found = day.about.get("release")
    return found if isinstance(found, dict) else {}


def _require(policy: Policy, stage: str, day: Day, digest: str) -> None:
    where, ran = str(day.folder), release_of(day)
    if not ran:
        do = "Only days of `hft live --release` or NAME@STAGE show anything of a release."
        raise InputError(f"{day.name} is of no release", where=where, do=do)
    if ran.get("digest") != digest:
        what = (
            f"{day.name} is of another release, {ran.get('name')}-{ran.get('serial')} with the"
            f" digest {str(ran.get('digest'))[:12]}, not {digest[:12]}"
        )
        raise InputError(what, where=where, do="Name days of this very release.")
    mode, wanted = day.about.get("mode"), policy.mode_of(stage)
    if mode != wanted:
        what = f"{day.name} is of the mode {shown(mode)}, and the stage {stage} is {wanted}"
        raise InputError(what, where=where, do=f"Name days of hft live --mode {wanted}.")
    share = (day.about.get("canary") or {}).get("share")
    if stage == CANARY and share != policy.share:
        what = f"{day.name} was a canary of {shown(share)}, and the policy says {policy.share:g}"
        raise InputError(what, where=where, do=f"Name days of --share {policy.share:g}.")


def _latency(says: Mapping[str, Any]) -> dict[str, float]:
    """What the runner measured, as far as its last frame has it."""
    every = says.get("latencies_ns")
    found = every.get(TO_WIRE) if isinstance(every, dict) else None
    if not isinstance(found, dict):
        return {}
    return {
        name: float(value)
        for name, value in found.items()
        if isinstance(value, int | float) and math.isfinite(value)
    }
