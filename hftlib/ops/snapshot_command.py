"""`hft snapshot`: a runner's memory kept beside its journal, by a replay that keeps up with it.

    hft snapshot day.journal                    as it stands now, once
    hft snapshot day.journal --every 60         beside the runner, until the day is over

The hot thread knows nothing of it: it is a process of its own that reads the mapped journal. Since
it holds every byte that went out against its own, it is an audit of the runner as well: the first
difference ends it with code 1. When the runner is gone it keeps the memory of the last frame, and
waits for the day to be gone on with. Worst case: a busy runner is as much work here as there.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.terminal import Json, leave_through_finally, patience

PAUSE_S, WAIT_S = 0.02, 0.5


def snapshot_command(
    journal: Annotated[Path, typer.Argument(metavar="JOURNAL", help="The journal's folder.")],
    every: Annotated[
        float, typer.Option(help="Go on, and keep one each so many seconds.", min=0.0)
    ] = 0.0,
    json_out: Json = False,
) -> None:
    """Keep a runner's memory beside its journal, so that a restart is quick."""
    from hftlib.core import jit
    from hftlib.engine.live.replaying import Follower
    from hftlib.ops.launching import laid

    leave_through_finally()
    with patience() as advance:
        jit.warm(lambda done, total, name: advance(done / total, f"compiling {name}"))
        follower = Follower(journal, laid)
        _caught_up(follower, advance)
    _say(json_out, "follows", {"journal": str(journal), "frame": follower.frames})
    try:
        _keep(follower, json_out)
        if every:
            _go_on(follower, every, json_out)
    except KeyboardInterrupt:
        pass


def _caught_up(follower: Any, advance: Any) -> None:
    from hftlib.core.journal.reading import sealed_in

    last = max(1, sealed_in(follower.folder))
    while follower.turn():
        advance(min(1.0, follower.frames / last), "replaying")


def _go_on(follower: Any, every: float, json_out: bool) -> None:
    due = time.monotonic() + every
    while True:
        if follower.turn() == 0:
            if follower.is_over and follower.has_ended:
                break
            if follower.is_over:  # its writer is gone, and somebody may go on
                _keep(follower, json_out)
            time.sleep(WAIT_S if follower.is_over else PAUSE_S)
        if time.monotonic() >= due:
            _keep(follower, json_out)
            due = time.monotonic() + every
    _say(json_out, "over", {"frame": follower.frames})


def _keep(follower: Any, json_out: bool) -> None:
    if follower.frames == follower.kept or follower.has_ended:
        return
    begun = time.perf_counter()
    made = follower.keep()
    took = round((time.perf_counter() - begun) * 1e3, 1)
    told = {"file": str(made), "frame": follower.frames, "bytes": made.stat().st_size}
    _say(json_out, "kept", told | {"took_ms": took})


def _say(json_out: bool, what: str, more: dict[str, Any]) -> None:
    if json_out:
        print(json.dumps({"what": what} | more), flush=True)
    else:
        words = ", ".join(
            f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
            for name, value in more.items()
        )
        print(f"{what}: {words}", flush=True)
