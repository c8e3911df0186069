"""Commands beside a runner, or without one: at the venue, of its calendar, and what others hear.

    hft cancel-all, hft allow-entry      all that a firm has standing (`cancel_command.py`)
    hft calendar XNAS                    when a market is open, today or next
    hft fanout day.journal               a journal's events for others (`fanout_command.py`)
    hft switch maker.py:Maker ...        another one in a runner's place (`switch_command.py`)
    hft standby --listen HOST:PORT       keeps a runner's journal, too (`standby_command.py`)

Worst case: none, each loads its room when it is called.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from hftlib.ops.cancel_command import allow_entry_command, cancel_all_command
from hftlib.ops.fanout_command import fanout_command
from hftlib.ops.standby_command import standby
from hftlib.ops.switch_command import switch_command
from hftlib.terminal import Json


def add_commands(app: typer.Typer) -> None:
    """Give them their names."""
    app.command("switch")(switch_command)
    app.command("fanout")(fanout_command)
    app.command("calendar")(calendar_command)
    app.command("cancel-all")(cancel_all_command)
    app.command("allow-entry")(allow_entry_command)
    app.add_typer(standby, name="standby")


def calendar_command(
    name: Annotated[str, typer.Argument(help="XNAS, XNYS, XLON, 24/7, ...")],
    at: Annotated[str, typer.Option(help="A time, UTC without a zone; now without it.")] = "",
    json_out: Json = False,
) -> None:
    """When an exchange is open today, or next."""
    from hftlib.core import clock
    from hftlib.core.times import to_ns
    from hftlib.ops.session_calendar import asked, words

    found = asked(name, to_ns(at, zone="UTC") if at else clock.now_ns())
    if json_out:
        print(json.dumps(found))
    else:
        print(f"{name}: {'' if found['is_today'] else 'next '}{words(found)}")
