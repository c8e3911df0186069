"""A release is moved on, approved or rolled back: its policy is asked, and the step is signed.

    move(shelf, "maker", "shadow", key, trusted, "all gates pass")
    move(shelf, "maker", "canary", key, trusted, "a week as its backtest", journals=[...])
    move(shelf, "maker", "champion", key, trusted, "...", journals=[...])      asks
    move(shelf, "maker", "champion", other, trusted, "...", approve=True)      is the move
    roll_back(shelf, "maker", key, trusted, "it loses")                        one person, seconds

What a release must have shown before it leaves shadow or canary is in its own `rollout.toml`, which
was signed with it, and is measured out of journals. Figures go into the step. Rules are those of
`core/release/rollout.py`, held by every reader too.
Worst case: the time that the measuring of all journals takes; nobody is held up meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.release.keys import PrivateKey, PublicKey
from hftlib.core.release.manifest import ROLLOUT
from hftlib.core.release.reading import Release, read_release
from hftlib.core.release.rollout import Rollout, read_rollout, release_of_step
from hftlib.core.release.rollout_step import (
    ASKED,
    CANARY,
    CHAMPION,
    FIGURE_MAX,
    FIGURES_MAX,
    MOVED,
    PREVIOUS,
    ROLLED_BACK,
    SHADOW,
    STAGES,
    TAKEN_AWAY,
    Draft,
    Step,
    require_why,
)
from hftlib.core.release.rollout_writing import add_step, proven
from hftlib.core.units import shown

Trusting = Mapping[str, PublicKey]
_BEFORE = {CANARY: SHADOW, CHAMPION: CANARY}
_WHERE = "hft rollout"


def move(
    shelf: Path,
    name: str,
    stage: str,
    key: PrivateKey,
    trusted: Trusting,
    why: str,
    *,
    release: str = "",
    journals: Sequence[Path] = (),
    approve: bool = False,
) -> Step:
    """Move the release to the stage; for champion ask first, and move with another's approval."""
    require_stage(stage, approve, journals)
    require_why(why)
    rollout = read_rollout(shelf, name, trusted)
    chosen = chosen_release(rollout, stage, release, trusted)
    what = ASKED if stage == CHAMPION and not approve else MOVED
    if what == ASKED:
        _require_not_asked(rollout, chosen)
    draft = _draft(what, stage, chosen, why, {})
    proven(rollout, key, draft)  # what a rule is against is not measured
    if approve and not journals and rollout.asked is not None:
        evidence: dict[str, Any] = {"asked in step": rollout.asked.number}
    else:
        evidence = {} if stage == SHADOW else _conditions(chosen, _BEFORE[stage], journals)
    return add_step(shelf, name, trusted, key, _draft(what, stage, chosen, why, evidence))


def roll_back(
    shelf: Path,
    name: str,
    key: PrivateKey,
    trusted: Trusting,
    why: str,
    *,
    stage: str = "",
    away: bool = False,
    evidence: Mapping[str, Any] | None = None,
) -> Step:
    """The champion before is champion again; where there is none, the stage is given up."""
    require_why(why)
    rollout = read_rollout(shelf, name, trusted)
    stage = stage or next((one for one in (CHAMPION, CANARY, SHADOW) if rollout.at(one)), CHAMPION)
    if stage not in STAGES:
        do = f"Use one of {', '.join(STAGES)}."
        raise InputError(f"{shown(stage)} is no stage", where="hft rollback --from", do=do)
    now, before = rollout.at(stage), rollout.at(PREVIOUS)
    figures = {"from": now.release.name if now else "none", **(evidence or {})}
    if stage == CHAMPION and before is not None and not away:
        try:
            back = release_of_step(before, trusted)
        except HftError as error:
            raise StateError(
                f"The champion before cannot be gone back to: {error.what}",
                where=error.where,
                do="Mend that, or take the champion away and leave nothing: --away.",
            ) from None
        return add_step(
            shelf, name, trusted, key, _draft(ROLLED_BACK, CHAMPION, back, why, figures)
        )
    if now is None:
        do = f"See what there is: hft rollout {name}."
        raise StateError(f"Nothing of {name} is {stage}", where=str(rollout.path), do=do)
    draft = Draft(TAKEN_AWAY, stage, now.serial, now.digest, now.signer, why, figures)
    return add_step(shelf, name, trusted, key, draft)


def require_stage(stage: str, approve: bool = False, journals: Sequence[Path] = ()) -> None:
    """Refuse a stage that there is not, and what does not go with it."""
    if stage not in STAGES:
        do = f"Use one of {', '.join(STAGES)}."
        raise InputError(f"{shown(stage)} is no stage", where=f"{_WHERE} --to", do=do)
    if approve and stage != CHAMPION:
        do = "Leave out --approve: one person moves a release to shadow and to canary."
        raise InputError(f"Nobody approves a {stage}", where=f"{_WHERE} --approve", do=do)
    if journals and stage == SHADOW:
        do = "Leave out --journal: the gates have let it through, a shadow is its first day."
        raise InputError("Before a shadow there are no days", where=f"{_WHERE} --journal", do=do)


def chosen_release(rollout: Rollout, stage: str, named: str, trusted: Trusting) -> Release:
    """The release that is meant, verified: one that is named, or the one that is next."""
    if named:
        return _named(rollout, named, trusted)
    if stage == SHADOW:
        return _newest(rollout, trusted)
    before = _BEFORE[stage]
    step = rollout.at(before)
    if step is None:
        do = f"Move it there first: hft rollout {rollout.name} --to {before}; no stage is skipped."
        raise StateError(f"Nothing of {rollout.name} is {before}", where=str(rollout.path), do=do)
    return release_of_step(step, trusted)


def _named(rollout: Rollout, named: str, trusted: Trusting) -> Release:
    place = Path(named)
    folder = rollout.shelf / place.name
    if place.parent != Path() and place.resolve().parent != rollout.shelf.resolve():
        do = f"Give --shelf {place.parent}, or copy it: hft release pack, hft release unpack."
        raise InputError("The release is not on this shelf", where=shown(named), do=do)
    release = read_release(folder, trusted)
    if release.manifest.name != rollout.name or release.name != folder.name:
        do = f"Give a release of {rollout.name}, in a folder of its own name."
        what = f"This is {release.name}, no {shown(folder.name)} of {rollout.name}"
        raise InputError(what, where=str(folder), do=do)
    return release


def _newest(rollout: Rollout, trusted: Trusting) -> Release:
    """That with the highest serial; if it does not hold, no older one stands in for it."""
    start = f"{rollout.name}-"
    serials = [one.name.removeprefix(start) for one in rollout.shelf.glob(f"{start}*")]
    found = [int(one) for one in serials if one.isascii() and one.isdigit() and len(one) < 17]
    if not found:
        raise InputError(
            f"There is no release of {rollout.name} on the shelf",
            where=str(rollout.shelf),
            do=f"Make one: hft promote --key; or hft registry fetch {rollout.name}@candidate "
            f"--into {rollout.shelf}.",
        )
    return read_release(rollout.shelf / f"{start}{max(found)}", trusted)


def _require_not_asked(rollout: Rollout, chosen: Release) -> None:
    asked = rollout.asked
    if asked is not None and asked.digest == chosen.digest:
        do = "Another person, who has not signed it either, adds --approve with a key of their own."
        what = f"{asked.by} has asked for {chosen.name} as champion already, in step {asked.number}"
        raise StateError(what, where=str(rollout.path), do=do)


def _draft(what: str, stage: str, release: Release, why: str, evidence: Mapping[str, Any]) -> Draft:
    signer = f"{release.key.name} {release.key.id}"
    return Draft(what, stage, release.manifest.serial, release.digest, signer, why, evidence)


def _conditions(release: Release, stage: str, journals: Sequence[Path]) -> dict[str, Any]:
    """What the policy of the release says of its days in the stage; only a pass goes on."""
    if ROLLOUT not in release.files:
        raise StateError(
            f"{release.name} has no rollout policy: nothing says what it must show as {stage}",
            where=str(release.folder / ROLLOUT),
            do="Make it again with one: hft promote --rollout FILE, or hft release make --rollout.",
        )
    from hftlib.core.release.rollout_policy import policy_of
    from hftlib.promote.rollout.measuring import judged

    policy = policy_of(release.text(ROLLOUT), str(release.folder / ROLLOUT))
    verdict = judged(policy, stage, list(journals), release.digest)
    if not verdict:
        raise StateError(
            f"{release.name} may not leave {stage}, {verdict.word}: {verdict.sentence}",
            where=", ".join(map(str, journals)) or "no --journal is given",
            do="Give the journals of all its days, or let it run on.",
        )
    return evidence_of(verdict, journals)


def evidence_of(verdict: Any, journals: Sequence[Path]) -> dict[str, Any]:
    """A verdict in plain values, as a step holds them."""
    told = verdict.as_json()
    names = ", ".join(one.name for one in journals)
    plain = {"verdict": told["verdict"], "said": told["sentence"], "journals": names}
    figures = list(told["figures"].items())[: FIGURES_MAX - len(plain)]
    return {_text(name, 100): _plain(value) for name, value in [*figures, *plain.items()]}


def _plain(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    return _text(value if isinstance(value, str) else json.dumps(value, default=str))


def _text(text: str, most: int = FIGURE_MAX) -> str:
    """The text as it may stand in a line: no line of its own, not without end."""
    return "".join(one if one.isprintable() else " " for one in text)[:most]
