"""`hft export NOTEBOOK`: the marked cells of a strategy's notebook as a module, checked.

    hft export notebooks/strategies/queue_imbalance.ipynb              exported/queue_imbalance.py
    hft export mine.ipynb --into build -p edge_ticks=3 --json

Worst case: what `hftlib.promote.exporting` says; nothing is written where it refuses.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hftlib.terminal import Json


def export_command(
    notebook: Annotated[Path, typer.Argument(help="A strategy's notebook: an .ipynb file.")],
    into: Annotated[Path, typer.Option(help="The folder for the module.")] = Path("exported"),
    param: Annotated[
        list[str] | None,
        typer.Option("-p", "--param", help="Another value of the notebook's: edge_ticks=2."),
    ] = None,
    strategy: Annotated[
        str, typer.Option(help="Which class, if the marked cells have several.")
    ] = "",
    json_out: Json = False,
) -> None:
    """Make a module of a notebook's marked cells, after checking that it stands alone."""
    from hftlib.promote.exporting import export
    from hftlib.strategy.files import given_parameters

    given = given_parameters(param or [], "hft export")
    made = export(notebook, into, strategy=strategy, parameters=given)
    if json_out:
        told = {**vars(made), "module": str(made.module), "notebook": str(made.notebook)}
        print(json.dumps(told, indent=2, ensure_ascii=False, default=str))
        return
    values = ", ".join(f"{name}={value!r}" for name, value in made.parameters.items())
    print(f"{made.module}: {made.strategy}({values})")
    print(f"SHA-256 {made.digest}")
    if made.research:
        print(f"Of research cells only: {', '.join(made.research)}.")
