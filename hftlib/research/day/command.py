"""`hft report day` and `hft report verify`: the day on a page, on paper and as files.

    hft report day day.journal -o report                 report.html, report.pdf, *.csv, *.parquet
    hft report day blue.journal green.journal --audit audit.log --alerts alerts -o report
    hft report day day.journal --json                    its figures, for machines
    hft report verify report --digest 3f9c... --journal day.journal

Exit code 1 where `verify` finds anything changed, or a replay that was asked for differs. Worst
case: each journal is read three times, then a backtest of it runs twice (`--no-parity`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from hftlib.terminal import Json, leave_through_finally, patience, show

report = typer.Typer(
    help="What a day came to: a page, a PDF, records of orders.", no_args_is_help=True
)


@report.command("day")
def day(
    journals: Annotated[
        list[Path], typer.Argument(metavar="JOURNAL...", help="What `hft live --journal` wrote.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A new folder for page, PDF and exports.")
    ] = None,
    audit: Annotated[
        Path | None, typer.Option(help="The log of who looked and acted: `hft audit`.")
    ] = None,
    alerts: Annotated[
        Path | None, typer.Option(help="The folder where `hft alerts` keeps what fired.")
    ] = None,
    tape: Annotated[
        str | None,
        typer.Option(help="The market for the backtest, in place of the feed in the journal."),
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Prove each journal by its code, as hft replay.")
    ] = False,
    parity: Annotated[
        bool, typer.Option("--parity/--no-parity", help="Hold it beside its backtest.")
    ] = True,
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Make the PDF, too.")] = True,
    damaged: Annotated[
        bool, typer.Option("--damaged", help="Of a damaged journal, what is whole before that.")
    ] = False,
    json_out: Json = False,
) -> None:
    """The report of one session, or of several of a day."""
    from hftlib.core.errors import InputError
    from hftlib.research.day.report import day_report
    from hftlib.research.journal_files import there_already

    leave_through_finally()
    if out is None and not json_out:
        do = "Say where it goes, -o FOLDER, or ask for --json."
        raise InputError("Nobody would see this report", where="hft report day", do=do)
    if out is not None and (out.exists() or out.is_symlink()):
        raise there_already(out)
    made = day_report(
        *journals, audit=audit, alerts=alerts, tape=tape, replay=replay, parity=parity,
        damaged=damaged,
    )  # fmt: skip
    if out is not None:
        made.save(out, pdf=pdf)
    if json_out:
        told = made.figures | ({"folder": str(out), "digest": made.digest} if out else {})
        print(json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False))
    else:
        show(made)
    if any(one.replayed is not None and not one.replayed.is_identical for one in made.sessions):
        raise typer.Exit(1)


@report.command("verify")
def verify(
    folder: Annotated[Path, typer.Argument(help="What `hft report day -o FOLDER` made.")],
    digest: Annotated[str, typer.Option(help="The digest that it had, noted elsewhere.")] = "",
    journal: Annotated[
        list[Path] | None, typer.Option(help="A journal that it is of. Repeatable.")
    ] = None,
    json_out: Json = False,
) -> None:
    """Is every byte of a report what was made? Exit code 1 where anything is not."""
    from dataclasses import asdict

    from hftlib.research.day.manifest import verify_report

    with patience() as advance:
        advance(0.0, "reading all of it")
        found = verify_report(folder, digest=digest, journals=journal or ())
    if json_out:
        print(json.dumps(asdict(found), indent=2, ensure_ascii=False))
    else:
        print(found)
    if not found.is_whole:
        raise typer.Exit(1)
