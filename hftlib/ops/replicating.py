"""Where a runner's journal is kept: on this host, on its disk, or by a standby as well.

    kept = keeping(folder, "replicated", "127.0.0.1:7700", "stop", 2.0, None, resume=False)
    Runner(..., **kept.settings)
    kept.applied(runner)             the standby follows it, from its first frame on

A day that goes on keeps what its journal was begun with. One that was replicated asks for its
standby again, or for a lesser durability by name: then that is what its frame CARRIED_ON says.

Worst case: a standby that is not there is a sentence before anything is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.ops.standby_meeting import PATIENCE_S, REPLICATED, STOP, Plan, planned, probe


@dataclass(frozen=True, slots=True)
class Kept:
    """What a Runner is made with, and what is done with it then."""

    settings: dict[str, Any] = field(default_factory=dict)
    plan: Plan | None = None
    turns_to: str = ""  # of a replicated journal that goes on without a standby

    def applied(self, runner: Any) -> None:
        """A standby follows the runner, or it goes on without one."""
        if self.plan is not None:
            runner.follow(self.plan)
        elif self.turns_to:
            from hftlib.core.journal.replicating import Replication

            Replication(runner.journal).turn_to(self.turns_to)


def keeping(
    folder: Path,
    durability: str,
    standby: str = "",
    lost: str = STOP,
    patience_s: float = PATIENCE_S,
    secret: Path | None = None,
    *,
    resume: bool = False,
) -> Kept:
    """What was given, held beside the journal where it goes on; what is wrong is a sentence."""
    from hftlib.core.journal.opening import number_of_durability

    plan = planned(durability, standby, lost, patience_s, secret)
    wanted = REPLICATED if plan is not None else durability
    if wanted:
        number_of_durability(wanted, plan is not None)
    if resume:
        return _resumed(folder, wanted, plan)
    if plan is not None:
        probe(plan)
    return Kept({"durability": wanted or "process", "followed": plan is not None}, plan)


def _resumed(folder: Path, wanted: str, plan: Plan | None) -> Kept:
    from hftlib.core.journal.layout import DURABILITIES
    from hftlib.core.journal.segments import session_of
    from hftlib.ops.epochs import require_own

    session = session_of(folder)
    own = require_own(folder)
    begun = next(name for name, mode in DURABILITIES.items() if mode == session.durability)
    says: dict[str, Any] = {"epoch": own.epoch} if own.epoch > 1 else {}
    if begun != REPLICATED:
        if wanted not in ("", begun):
            raise InputError(
                f"This day was begun with durability {begun}, and keeps it",
                where="hft live --resume",
                do="Leave --durability and --standby out, or begin another journal.",
            )
        return Kept({"says": says})
    if plan is not None:
        return Kept({"says": says | {"standby": plan.name}}, replace(plan, epoch=own.epoch))
    if not wanted:
        raise InputError(
            "This day was begun with durability replicated, and no standby is named",
            where="hft live --resume",
            do="Name one, --standby HOST:PORT, or go on without: --durability power.",
        )
    return Kept({"says": says | {"durability": wanted}}, turns_to=wanted)
