"""A step of a rollout is added: signed, held against all rules, and on the disk before it counts.

    step = add_step(shelf, "maker", trusted, key, Draft("moved", "shadow", ...))
    proven(rollout, key, draft)          whether it could be, before minutes go into measuring

Whoever adds holds the log alone from the reading of its last line until the new one is on the disk,
so no two steps follow one line, and of two who do the same at once one is refused.
Worst case: that of reading the log, and ten seconds for another who holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from hftlib.core.errors import InputError, StateError
from hftlib.core.release.keys import PrivateKey, PublicKey
from hftlib.core.release.rollout import STEPS_MAX, Fold, Rollout, rollout_of
from hftlib.core.release.rollout_file import full, held_log
from hftlib.core.release.rollout_step import (
    FIRST,
    Draft,
    Step,
    canonical_line,
    require_name,
    require_why,
    signed_step,
    step_of,
)


def add_step(
    shelf: Path, name: str, trusted: Mapping[str, PublicKey], key: PrivateKey, draft: Draft
) -> Step:
    """Add a step if the rules let it, and give it back once it is on the disk."""
    require_name(name)
    require_why(draft.why)
    if trusted.get(key.public.id) != key.public:
        do = f"Add {key.public.name}.pub to the folder of --trusted, or take another key."
        raise InputError(f"The key {key.public.id} is not trusted here", where="--key", do=do)
    with held_log(shelf, name) as log:
        rollout = rollout_of(log.data, shelf, name, trusted)
        if len(rollout.steps) >= STEPS_MAX:
            raise full(log.path)
        step = proven(rollout, key, draft)
        log.add(step.text())
    return step


def proven(rollout: Rollout, key: PrivateKey, draft: Draft) -> Step:
    """The step that would be added now; a sentence where a rule is against it."""
    before = rollout.steps[-1].line if rollout.steps else FIRST
    told = signed_step(draft, len(rollout.steps) + 1, before, rollout.name, key)
    # What no reader takes is not written.
    step = step_of(canonical_line(told), rollout.shelf, f"the step for {rollout.path}")
    fold = Fold()
    for one in rollout.steps:
        fold.take(one)
    try:
        fold.take(step)
    except StateError as error:
        raise StateError(error.what, where=str(rollout.path), do=error.do) from None
    return step
