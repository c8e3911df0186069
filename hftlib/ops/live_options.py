"""The options of `hft live`: their types, names and one line each. What they do is in docs/live.md.

Those with [VENUE=] in front are given for all exchanges, or for one of several (`exchanges.py`).
Worst case: none, these are drawings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Strategies = Annotated[
    list[str] | None,
    typer.Argument(help="FILE.py:Class, one of ours, or a release by its stage: NAME@champion."),
]
Exchange = Annotated[
    list[str],
    typer.Option(
        metavar="[VENUE=]FILE", help="What `hft exchange --json` printed; repeat for several."
    ),
]
Folder = Annotated[Path, typer.Option(help="A new folder; with --resume, the day's.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Go on with the day of a runner that was killed.")
]
CopyUser = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[VENUE=]USER",
        help='Hears the drop copy after a restart; frm1d without it, "": nobody does.',
    ),
]
User = Annotated[
    list[str] | None,
    typer.Option(metavar="[VENUE=]USER", help="The account for orders; frm1a without it."),
]
Password = Annotated[str, typer.Option(envvar="HFT_PASSWORD")]
Param = Annotated[list[str] | None, typer.Option("--param", "-p", help="name=value")]
Limits = Annotated[Path | None, typer.Option(help="A TOML file.")]
Fee = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[VENUE=]NAME=VALUE", help="taker_per_unit=0.0030, maker=-0.2bp; none without it."
    ),
]
Durability = Annotated[
    str,
    typer.Option(
        help="process, the usual; power, replicated: orders wait until their cause is on the disk,"
        " or a standby has it. With --resume the day's."
    ),
]
Standby = Annotated[str, typer.Option(help="HOST:PORT of `hft standby`, for replicated.")]
StandbyLost = Annotated[
    str, typer.Option(help="stop, or degrade: without a standby go on in power until it is back.")
]
StandbyPatience = Annotated[float, typer.Option(help="Seconds after which it counts as lost.")]
Secret = Annotated[
    Path | None, typer.Option(help="A file that the standby has too; needed beyond this host.")
]
Symbols = Annotated[str, typer.Option(help="AAA,BBB@XBOS; all without it.")]
ModeName = Annotated[str, typer.Option(help="shadow, paper (the usual), canary, live.")]
LatencyUs = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[VENUE=]US", help="Of a shadow: one way to a venue's model; 50 without it."
    ),
]
Share = Annotated[
    float | None, typer.Option(help="Of a canary: what sizes and limits are multiplied by.")
]
Scale = Annotated[
    list[str] | None, typer.Option(help="Of a canary: a parameter of size; clip without it.")
]
Yes = Annotated[bool, typer.Option("--yes", help="The mode is meant: nobody is asked.")]
Cpu = Annotated[int | None, typer.Option(help="A processor for the hot thread.")]
Busy = Annotated[bool, typer.Option("--busy", help="Never sleep: look again at once.")]
ControlPath = Annotated[
    str, typer.Option("--control", help='Where to be told things; "off": nowhere.')
]
Seconds = Annotated[float, typer.Option(help="Stop after so long; 0: never.", min=0.0)]
Calendar = Annotated[
    list[str] | None,
    typer.Option(metavar="[VENUE=]NAME", help="XNAS: trade within its hours; of several, each."),
]
EndBeforeClose = Annotated[float, typer.Option(help="Seconds.", min=0.0)]
ReleaseFolder = Annotated[
    Path | None, typer.Option("--release", help="A signed release, in place of a strategy.")
]
Trusted = Annotated[Path | None, typer.Option(help="The .pub files that this host trusts.")]
Shelf = Annotated[
    Path | None,
    typer.Option(help="Of NAME@champion: the folder of releases; `releases` without it."),
]
GroupDigest = Annotated[
    str, typer.Option(help="What `hft release digest` says; with another one nothing begins.")
]
Group = Annotated[
    str, typer.Option(metavar="N@FOLDER", help="N runners begin with one release, or none does.")
]
Older = Annotated[
    str, typer.Option(metavar="WHY", help="An older release than was launched here is meant.")
]
TakeOver = Annotated[
    Path | None,
    typer.Option(metavar="SOCKET", help="Of a runner that this one takes over from: hft switch."),
]
Who = Annotated[str, typer.Option(help="With --take-over: who says so; you without it.")]
Why = Annotated[str, typer.Option(help="With --take-over: it stands in both journals.")]
