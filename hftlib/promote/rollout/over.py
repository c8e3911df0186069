"""A champion's runner goes over to the release that a rollback has made champion.

    switched_to(step, control, None, trusted)      a sentence on how it went, or why it did not

The new runner's journal is a new folder, beside the other's where none is named. Worst case: what
`ops/switching.py` says.
"""

from __future__ import annotations

from pathlib import Path

from hftlib.core.errors import StateError
from hftlib.core.release.rollout_step import ROLLED_BACK, Step
from hftlib.ops.switching import switch

WHO_BYTES, WHY_BYTES = 32, 64  # as a runner takes them; more stands in the step


def switched_to(step: Step, control: Path, journal: Path | None, trusted: Path) -> str:
    """Switch the runner of this control socket to the release of the step."""

    if step.what != ROLLED_BACK:
        raise StateError(
            f"There is no champion of {step.name} to go over to",
            where=str(control),
            do=f"Take its orders back: hft kill --why WHY --socket {control}.",
        )
    why = f"rolled back, step {step.number}: {step.why}".encode()[:WHY_BYTES].decode(
        errors="ignore"
    )
    done = switch(
        control,
        journal=journal or _beside(control),
        why=why,
        who=step.by if len(step.by) <= WHO_BYTES else step.key,
        strategies=[f"{step.name}@champion"],
        shelf=step.release.parent,
        trusted=trusted,
        yes=True,
    )
    return f"The runner has gone over in {done.gap_ms:.0f} ms: {done.journal}, process {done.pid}."


def _beside(control: Path) -> Path:
    from hftlib.core.control.asking import told

    # As it says it to who takes over: whole, wherever we were started.
    day = Path(told(control, {"do": "hand_over", "step": "describe"}, "runner")["journal"])
    return day.with_name(f"{day.name.removesuffix('.journal')}-back.journal")
