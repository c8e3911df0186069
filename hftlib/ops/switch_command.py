"""`hft switch`: another release, or another strategy, in a runner's place at a safe point.

    hft switch maker.py:Maker -p edge_ticks=2 --journal green.journal --why "wider"
    hft switch --release maker-8 --trusted keys --journal green.journal --why "release 8"
    hft switch maker@champion --trusted keys --journal green.journal --why "step 7"

0: the new one trades and the old one has ended. 1 and above: a sentence, and the old one trades on,
or what is to be done where it does not. Worst case: as `switching.py`.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hftlib.core.control.asking import the_only_one
from hftlib.ops import live_options as options
from hftlib.terminal import Json, person

START = "hft live"


def switch_command(
    why: Annotated[str, typer.Option(help="It stands in both journals.")],
    journal: Annotated[Path, typer.Option(help="A new folder: the new runner's.")],
    strategies: options.Strategies = None,
    param: options.Param = None,
    limits: Annotated[Path | None, typer.Option(help="Others than those that hold.")] = None,
    release: options.ReleaseFolder = None,
    trusted: options.Trusted = None,
    shelf: options.Shelf = None,
    older: options.Older = "",
    socket: Annotated[
        Path | None, typer.Option("--socket", help="Which runner, if several run.")
    ] = None,
    control: Annotated[Path | None, typer.Option("--control", hidden=True)] = None,
    who: Annotated[str, typer.Option(help="Who says so; you without it.")] = "",
    cpu: options.Cpu = None,
    standby: Annotated[
        str, typer.Option(help="HOST:PORT of a new `hft standby`, of the new runner's journal.")
    ] = "",
    yes: options.Yes = False,
    json_out: Json = False,
) -> None:
    """Put another strategy or release in a runner's place, at a safe point."""
    from hftlib.ops.switching import switch

    begun = time.monotonic()

    def say(words: str) -> None:
        if not json_out:
            print(f"{time.monotonic() - begun:6.2f} s  {words}", flush=True)

    done = switch(
        socket or control or the_only_one("runner", START),
        journal=journal,
        why=why,
        who=who or person(),
        strategies=strategies or [],
        params=param or [],
        limits=limits,
        release=release,
        trusted=trusted,
        shelf=shelf,
        older=older,
        cpu=cpu,
        standby=standby,
        yes=yes,
        say=say,
    )
    if json_out:
        print(json.dumps(asdict(done) | {"gap_ms": done.gap_ms}))
        return
    print(f"switched: nothing stood for {done.gap_ms:,.0f} ms; process {done.pid}, {done.journal}")
    for one in done.positions:
        what = f"{one['quantity']:+,} lots of {one['symbol']} at {one['venue']}"
        print(f"carried: {one['strategy']}, {what}")
