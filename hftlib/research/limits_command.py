"""`hft limits check FILE`: a file of limits in words, or a sentence on what is wrong with it.

Worst case: a table line for each limit of each scope.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hftlib.terminal import Json, show

limits = typer.Typer(name="limits", help="Limits in files.", no_args_is_help=True)


@limits.callback()
def _root() -> None:
    """Limits in files."""


@limits.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="A TOML file of limits.")],
    json_out: Json = False,
) -> None:
    """What a file of limits allows, refuses and stops, in words."""
    from rich.table import Table

    from hftlib.risk.explaining import explained, unlimited
    from hftlib.risk.limits_file import read_limits

    found = read_limits(file)
    sentences, gaps = explained(found), unlimited(found)
    if json_out:
        told = {"limits": [asdict(one) for one in sentences], "unlimited": gaps}
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return
    table = Table(title=f"{file.name}: all of these hold at once, the tightest wins")
    for name in ("scope", "limit", "value", "what it means"):
        table.add_column(name, justify="right" if name == "value" else "left")
    for one in sentences:
        table.add_row(one.scope, one.limit, one.value, one.says)
    show(table)
    print(f"Not limited anywhere: {', '.join(gaps) or 'nothing'}.")
