"""What a promotion that has passed becomes: a signed release with its evidence in it.

    made = promote(...)
    release = release_of(made, plan, key, Path("releases"))

The release has what was judged and nothing else: the module that every gate ran, its parameters,
the plan's limits, the report as evidence, and the digests of the tapes. Worst case: minutes where
nothing is compiled yet.
"""

from __future__ import annotations

from pathlib import Path

from hftlib.core.errors import StateError
from hftlib.core.release.keys import PrivateKey
from hftlib.core.release.reading import Release
from hftlib.promote.plan import Plan
from hftlib.promote.promoting import Promotion
from hftlib.promote.releasing import make_release


def release_of(
    made: Promotion, plan: Plan, key: PrivateKey, into: Path, rollout: Path | None = None
) -> Release:
    """Sign what every gate of the plan has let pass; anything less is refused."""
    candidate = made.candidate
    if made.passed is not True:
        raise StateError(
            f"{candidate.name} has not passed every gate",
            where=str(made.report),
            do="Run hft promote until all gates of the plan pass, then sign.",
        )
    return make_release(
        name=candidate.name,
        module=candidate.module,
        strategy=candidate.strategy,
        parameters=candidate.parameters,
        limits=Path(plan.market["limits"]),
        rollout=rollout,
        evidence=made.report,
        tapes=made.tapes,
        notebook=candidate.notebook,
        key=key,
        into=into,
    )
