"""The rollouts of a shelf, as a page shows them: who is shadow, canary and champion, and why.

    rollouts_of(shelf, trusted)    [{"name", "stages": {"champion": {...}}, "asked", "steps"}]

Every step is held against the chain and the trusted keys, as `hft rollout` does; a log that does
not hold says so in `wrong`, and nothing else of it is shown.
Worst case: NAMES_MAX names, 4,000 steps each; half a second of signatures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, InputError

NAMES_MAX, STEPS_SHOWN = 50, 10


def rollouts_of(shelf: Path, trusted: Path | None) -> list[dict[str, Any]]:
    """Each name's; never an error."""
    from hftlib.core.release.keys import trusted_keys
    from hftlib.core.release.rollout_file import ENDING

    try:
        names = sorted(path.name.removesuffix(ENDING) for path in shelf.glob(f"*{ENDING}"))
        if trusted is None:
            what, do = "No keys are trusted here", "Start the desk with --trusted KEYS."
            raise InputError(what, where=str(shelf), do=do)
        known = trusted_keys(trusted)
    except (HftError, OSError) as error:
        return [{"name": str(shelf), "wrong": str(error), "stages": {}, "asked": None, "steps": []}]
    return [_told(shelf, name, known) for name in names[:NAMES_MAX]]


def _told(shelf: Path, name: str, known: Any) -> dict[str, Any]:
    from hftlib.core.release.rollout import ALIASES, read_rollout

    try:
        found = read_rollout(shelf, name, known)
    except HftError as error:
        return {"name": name, "wrong": str(error), "stages": {}, "asked": None, "steps": []}
    stages = {one: _step(found.at(one)) for one in ALIASES if found.at(one) is not None}
    return {
        "name": name,
        "wrong": "",
        "stages": stages,
        "asked": _step(found.asked) if found.asked is not None else None,
        "steps": [_step(one) for one in reversed(found.steps[-STEPS_SHOWN:])],
    }


def _step(step: Any) -> dict[str, Any]:
    return {
        "number": step.number,
        "what": step.what,
        "stage": step.stage,
        "release": f"{step.name}-{step.serial}",
        "digest": step.digest[:16],
        "at": step.at,
        "by": step.by,
        "why": step.why,
        "evidence": dict(step.evidence),
    }
