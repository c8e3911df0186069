"""`hft live NAME@champion`: which release that is, and in which mode, by a rollout's signed steps.

    found = staged("maker@champion", shelf, trusted)      refused where a step does not hold
    found.step, found.release                             by which step, and the release, verified
    found.given(given)                                    as the command line gave it, in that mode

    shadow     mode shadow
    canary     mode canary, of [canary] share and scale of the release's own rollout.toml
    champion   the mode that [champion] says: paper, the usual, or live

No registry is asked. A log that ends before what this host has seen is refused (`rollout_seen.py`),
so that nobody brings a release back by cutting off what was said of it. Worst case: reading the log
and the release, some tenths of a second.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.release.keys import trusted_keys
from hftlib.core.release.manifest import ROLLOUT
from hftlib.core.release.reading import Release
from hftlib.core.release.record import record_place
from hftlib.core.release.rollout import read_rollout, release_at
from hftlib.core.release.rollout_policy import run_as
from hftlib.core.release.rollout_seen import follow
from hftlib.core.release.rollout_step import CHAMPION, ROLLED_BACK, SHADOW, STAGES, Step
from hftlib.core.units import shown
from hftlib.ops.beginning import Given

SHELF = Path("releases")
_STAGED = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,63})@([a-z]{1,20})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Staged:
    """A stage, the step by which the release is at it, and how it is run there."""

    stage: str
    step: Step
    release: Release
    asked_by: str
    mode: str
    share: float | None
    scale: tuple[str, ...]

    @property
    def older(self) -> str:
        """Why an older release than the last one runs; empty where nobody has gone back."""
        return self.step.why if self.step.what == ROLLED_BACK else ""

    def told(self) -> dict[str, Any]:
        """What a journal's first frame says of it, beside the release."""
        told = {"stage": self.stage, "step": self.step.number, "allowed": self.step.who}
        return told | ({"asked": self.asked_by} if self.asked_by else {})

    def given(self, given: Given) -> Given:
        """The command line's, in the mode of the stage; what says otherwise is refused."""
        for option, said, own in (
            ("--mode", given.mode, self.mode),
            ("--share", given.share, self.share),
            ("--scale", given.scale, self.scale),
        ):
            if said not in ("", None, ()) and said != own:
                raise InputError(
                    f"{option} {_said(said)} is not what a {self.stage} of {self.release.name} has",
                    where=f"hft live {self.step.name}@{self.stage}",
                    do=f"Leave it out: the stage and the release's {ROLLOUT} say it.",
                )
        return replace(given, strategies=[], mode=self.mode, share=self.share, scale=self.scale)


def is_staged(text: str) -> bool:
    """Whether this names a release by its stage, and no strategy."""
    return _STAGED.fullmatch(text) is not None


def staged(text: str, shelf: Path, trusted: Path) -> Staged:
    """The release of NAME@STAGE, and how it is run; or why it is not to be."""
    found = _STAGED.fullmatch(text)
    name, stage = (found[1], found[2]) if found else (text, "")
    if stage not in STAGES:
        raise InputError(
            f"Nothing is launched as {shown(stage)}",
            where=f"hft live {text}",
            do=f"Write NAME@{', NAME@'.join(STAGES)}; hft rollback makes the champion before one.",
        )
    keys = trusted_keys(trusted)
    rollout = read_rollout(shelf, name, keys)
    follow(record_place(), rollout)
    release = release_at(rollout, stage, keys)
    step = rollout.held[stage]
    # A champion was asked for by somebody else, and no step came in between.
    asked = rollout.steps[: step.number - 1] if (stage, step.what) == (CHAMPION, "moved") else ()
    asked_by = next((one.who for one in reversed(asked) if one.what == "asked"), "")
    return Staged(stage, step, release, asked_by, *_mode(release, stage))


def _mode(release: Release, stage: str) -> tuple[str, float | None, tuple[str, ...]]:
    """Mode, share and what it scales; what else the policy says is for those who measure."""
    where = str(release.folder / ROLLOUT)
    if ROLLOUT not in release.files and stage != SHADOW:
        do = "Make the release again with a policy; it does not become one without."
        raise InputError(f"The release has no policy of a {stage}", where=where, do=do)
    found = run_as(release.files.get(ROLLOUT, b"").decode("utf-8", "replace"), stage, where)
    return found.mode, found.share, found.scale


def _said(value: Any) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)
