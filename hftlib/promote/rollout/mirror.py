"""The registry follows a rollout: aliases are moved, days are added. It is never asked.

    for sentence in mirrored(rollout, journals, "pass"): ...      what could not be done

A step is in the log before this begins and stands whatever comes of it: a registry that is locked,
away or empty is a sentence, and `hft registry follow NAME` mends it later.
Worst case: MLflow's import, and its patience with a store that another holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hftlib.core.errors import HftError
from hftlib.core.release.rollout import Rollout


def mirrored(rollout: Rollout, journals: Sequence[Path] = (), verdict: str = "") -> list[str]:
    """Set the aliases and add the days; a sentence for each thing that could not be."""
    from hftlib.promote.registry import follow, session
    from hftlib.research.tracking import registry_file

    file = registry_file()
    if file is not None and not file.exists():  # to make one takes seconds, and nobody asked for it
        return [f"No registry is at {file}, so none follows."]
    said = []
    try:
        follow(rollout)
    except HftError as error:
        said.append(_sentence(rollout, error))
    for journal in journals:
        try:
            session(journal, verdict)
        except HftError as error:
            said.append(f"The registry did not take {journal}: {error.what}.")
    return said


def _sentence(rollout: Rollout, error: HftError) -> str:
    mend = f"hft registry follow {rollout.name} --shelf {rollout.shelf} --trusted KEYS"
    return f"The step stands, but the registry does not follow: {error.what}. Later: {mend}"
