"""`hft replay`: prove what a runner did, by its journal through the same code again.

    hft replay day.journal

Exit code 1 where something differs. Worst case: a long day is read at some million events a second.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hftlib.terminal import Json, patience


def replay_command(
    journal: Annotated[Path, typer.Argument(help="The folder of a runner's journal.")],
    json_out: Json = False,
) -> None:
    """Run a journal through the same code again, and compare every byte that went out."""
    from hftlib.core import jit
    from hftlib.engine.live.replaying import replay
    from hftlib.ops.launching import laid

    with patience() as advance:
        jit.warm(lambda done, total, name: advance(done / total, f"compiling {name}"))
        told = replay(journal, laid, advance)
    if json_out:
        names = ("frames", "compared", "events", "seconds", "difference", "is_identical")
        print(json.dumps({name: getattr(told, name) for name in names}))
    else:
        print(told)
    if not told.is_identical:
        raise typer.Exit(1)
