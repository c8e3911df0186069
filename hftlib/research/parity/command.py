"""`hft compare FOLDER`: a runner's day beside its backtest: how close, what it cost, and why.

    hft compare day.journal --latency 250us      a backtest with this, and one as measured
    hft compare day.journal --json               for machines; --report page.html for people

Exit code 1 where the closest backtest did less than is asked for of what the session did, so that a
pipeline can stop there. Worst case: the journal is replayed, then two backtests.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hftlib.core.errors import InputError
from hftlib.terminal import Json, show


def compare_command(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="What `hft live --journal FOLDER` wrote.")
    ],
    latency: Annotated[
        str | None, typer.Option(help="One way to the venue, as the backtest assumes it: 250us.")
    ] = None,
    queue: Annotated[
        list[str] | None,
        typer.Option(help="A queue model to try; the closest is kept. Repeatable."),
    ] = None,
    within: Annotated[
        str, typer.Option(help="How far apart two orders may leave and be one decision.")
    ] = "100ms",
    fills: Annotated[
        float, typer.Option(help="The share of filled quantity that both have to have filled.")
    ] = 0.8,
    decisions: Annotated[float, typer.Option(help="The share of decisions to be both's.")] = 0.8,
    report: Annotated[Path | None, typer.Option(help="Write the page, as HTML.")] = None,
    json_out: Json = False,
) -> None:
    """A runner's day beside its backtest on the market that it heard."""
    from hftlib.research.backtest_command import require_place
    from hftlib.research.parity.comparing import compare
    from hftlib.venue.venue import Venue

    require_place(report, may_exist=True, command="hft compare")
    for name, share in (("--fills", fills), ("--decisions", decisions)):
        if not 0 <= share <= 1:
            do = "Give one from 0 to 1, such as 0.8."
            raise InputError(f"{share:g} is no share", where=f"hft compare {name}", do=do)
    venue = None if latency is None else Venue(order_latency=latency)
    made = compare(folder, venue=venue, queues=queue or ("auto",), within=within)
    verdict = made.verdict(fills=fills, decisions=decisions)
    if report is not None:
        report.write_text(made._repr_html_(), encoding="utf-8")
    if json_out:
        told = {**made.as_json(), "verdict": verdict.as_json()}
        print(json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        show(made)
        show(verdict)
    if verdict.passed is False:
        raise typer.Exit(1)
