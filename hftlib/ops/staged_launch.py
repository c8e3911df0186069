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
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, InputError
from hftlib.core.release.keys import trusted_keys
from hftlib.core.release.manifest import ROLLOUT
from hftlib.core.release.reading import Release
from hftlib.core.release.record import record_place
from hftlib.core.release.rollout import read_rollout, release_at
from hftlib.core.release.rollout_seen import follow
from hftlib.core.release.rollout_step import CANARY, CHAMPION, ROLLED_BACK, STAGES, Step
from hftlib.core.units import shown
from hftlib.ops.beginning import Given
from hftlib.ops.modes import LIVE, PAPER

SHELF = Path("releases")
_STAGED = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,63})@([a-z]{1,20})", re.ASCII)
_MODES = (PAPER, LIVE)
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)


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
    if stage not in (CANARY, CHAMPION):
        return stage, None, ()
    where = str(release.folder / ROLLOUT)
    if ROLLOUT not in release.files:
        do = "Make the release again with a policy; it does not become one without."
        raise InputError(f"The release has no policy of a {stage}", where=where, do=do)
    told = _table(release, stage, where)
    if stage == CHAMPION:
        mode = told.get("mode")
        if not isinstance(mode, str) or mode not in _MODES:
            raise _wrong(f"mode = {shown(mode)} is no mode of a champion", "paper or live", where)
        return mode, None, ()
    share, scale = told.get("share"), told.get("scale", ["clip"])
    if not isinstance(share, float) or not 0 < share < 1:
        raise _wrong(f"share = {shown(share)} is no share of a canary", "0.1", where)
    if not isinstance(scale, list) or not scale or not all(map(_is_word, scale)):
        raise _wrong(f"scale = {shown(scale)} names no parameters", '["clip"]', where)
    return stage, share, tuple(scale)


def _table(release: Release, stage: str, where: str) -> Mapping[str, Any]:
    try:
        found = tomllib.loads(release.text(ROLLOUT)).get(stage)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong(f"it is no TOML: {error}", "a policy", where) from None
    if not isinstance(found, dict):
        raise _wrong(f"it has no [{stage}]", "one", where)
    return found


def _wrong(what: str, wanted: str, where: str) -> HftError:
    do = f"Make the release again, with {wanted}; docs/rollout.md shows a policy."
    return InputError(f"The release's policy cannot be run: {what}", where=where, do=do)


def _is_word(told: Any) -> bool:
    return isinstance(told, str) and _WORD.fullmatch(told) is not None


def _said(value: Any) -> str:
    return " ".join(value) if isinstance(value, tuple) else str(value)
