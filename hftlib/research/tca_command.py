"""`hft tca FOLDER`: execution quality of a saved result, or of the day in a runner's journal.

    hft tca kept --tape day.tape        what `hft backtest -o kept` or result.save("kept") made
    hft tca day.journal                 what `hft live --journal day.journal` did

Prints figures by instrument, or by what `--by` says, and where the P&L came from; `--json` prints
all there is, `--report` writes the page. With `--tape` also what needs the market: delay, VWAP; a
journal brings its own. What it cannot tell is said in sentences.
Exit code 1 where the parts of the P&L do not add up. Worst case: one pass over the tape; of a
journal, it is replayed first.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.core.errors import InputError
from hftlib.terminal import Json, show


def tca_command(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER",
            help="What `hft backtest -o FOLDER` kept, or `hft live --journal FOLDER`.",
        ),
    ],
    tape: Annotated[
        str | None,
        typer.Option("--tape", help="The tape it was run on: its path, or its name in data/tapes."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", help="strategy, instrument, venue, currency, side. Repeatable."),
    ] = None,
    horizon: Annotated[
        str | None, typer.Option(help="How long after a fill adverse selection is taken: 1s.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the page, as HTML.")] = None,
    json_out: Json = False,
) -> None:
    """What orders and fills cost, and where the P&L came from."""
    from hftlib.research.backtest_command import require_place
    from hftlib.research.journal_result import is_journal
    from hftlib.research.store import found
    from hftlib.research.tca import Tca

    require_place(report, may_exist=True, command="hft tca")
    if tape is not None and is_journal(folder):
        raise InputError(
            "The tape of a runner's day is the feed in its journal",
            where="hft tca FOLDER --tape",
            do="Leave --tape out.",
        )
    made = Tca(executed(folder), None if tape is None else found(tape), horizon=horizon)
    tables = made.table(by or ("instrument",)), made.attribution(by or ("instrument",))
    if report is not None:
        report.write_text(made._repr_html_(), encoding="utf-8")
    wrong = made.check()
    if json_out:
        told = made.to_dict()
        if by:
            told["quality"], told["attributed"] = (one.to_dict() for one in tables)
        print(json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        if made.mode:
            typer.echo(f"mode: {made.mode}")
        for one in tables:
            show(one)
        if not len(made.result.records["fills"]):
            typer.echo("There is no fill, so there is no P&L to take apart.")
        if made.not_told:
            typer.echo("not told:")
        for sentence in made.not_told:
            typer.echo(f"  {sentence}")
        for sentence in wrong:
            typer.echo(sentence, err=True)
    if wrong:
        raise typer.Exit(1)


def executed(place: Path) -> Any:
    """The orders, fills and equity that were kept there: the one door for whatever keeps them."""
    from hftlib.research.journal_result import is_journal, journal_result
    from hftlib.research.result import Result

    if place.is_file():
        raise InputError(
            f"{str(place)!r} is a file",
            where="hft tca FOLDER",
            do="Name the folder that `hft backtest -o FOLDER`, result.save(folder) or"
            " `hft live --journal FOLDER` made.",
        )
    return journal_result(place) if is_journal(place) else Result.load(place)
