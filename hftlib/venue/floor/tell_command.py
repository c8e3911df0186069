"""`hft exchange` and what is beside it: telling one that runs, and looking at what one kept.

    hft exchange tell drop --line a --chance 0.1 --for 10     the only exchange of yours that runs
    hft exchange tell halt AAA BBB --reason T1
    hft exchange tell drop --over                             what lasts is over
    hft exchange tell status --socket PATH                    another one
    hft exchange replay FOLDER                                the same again, and is it the same?

Worst case: an exchange that does not answer is waited for, half a minute at most.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.core.control.asking import the_only_one, told
from hftlib.terminal import Json, show
from hftlib.venue.floor.command import exchange_command

exchange = typer.Typer(
    help="An exchange on this host: OUCH orders in, ITCH multicast out.",
    invoke_without_command=True,
    no_args_is_help=False,
)
exchange.callback()(exchange_command)


@exchange.command("tell")
def tell_command(
    do: Annotated[str, typer.Argument(help="status, or what docs/exchange.md lists: drop, halt.")],
    symbols: Annotated[list[str] | None, typer.Argument(help="Of which; else of all.")] = None,
    line: Annotated[str | None, typer.Option(help="a, b or both.")] = None,
    chance: Annotated[float | None, typer.Option(help="From 0 to 1.")] = None,
    milliseconds: Annotated[int | None, typer.Option(help="How late, how far, how long.")] = None,
    user: Annotated[str | None, typer.Option(help="Whose session; else all.")] = None,
    reason: Annotated[str | None, typer.Option(help="Of a halt: four letters at most.")] = None,
    for_seconds: Annotated[float | None, typer.Option("--for", help="Seconds it lasts.")] = None,
    after: Annotated[float | None, typer.Option(help="Seconds from now.")] = None,
    at: Annotated[str | None, typer.Option(help="Time of day on the exchange, 09:31:00.")] = None,
    over: Annotated[bool, typer.Option("--over", help="What lasts is over.")] = False,
    path: Annotated[Path | None, typer.Option("--socket", help="Which exchange.")] = None,
    json_out: Json = False,
) -> None:
    """Tell an exchange that runs: a fault, a halt, a cross, the end; or ask for its status."""
    given: dict[str, Any] = {"symbols": symbols, "line": line, "chance": chance, "user": user}
    given |= {"milliseconds": milliseconds, "reason": reason, "for_seconds": for_seconds}
    given |= {"after_seconds": after, "at": at, "over": over or None}
    said = {name: value for name, value in given.items() if value is not None and value != []}
    place = path or the_only_one("exchange", "hft exchange --demo")
    answer = told(place, {"do": do.replace("-", " ")} | said, "exchange")
    if json_out:
        print(json.dumps(answer))
    elif do == "status":
        _show_status(answer)
    else:
        for note in answer["notes"]:
            print(f"not done: {note}")
        if not answer["notes"]:
            print(f"Told: {do}.")


@exchange.command("replay")
def replay_command(
    folder: Annotated[Path, typer.Argument(help="The journal of an exchange.")],
    json_out: Json = False,
) -> None:
    """Obey again all that an exchange kept, and say what it came to."""
    from hftlib.venue.floor.replaying import digest, replayed

    found = replayed(folder)
    try:
        result = {"inputs": found.replayed, "digest": digest(found), "counts": found.counts}
        result |= {"is_over": found.is_over, "notes": found.notes}
    finally:
        found.parts.close()
    if json_out:
        print(json.dumps(result))
        return
    counts = found.counts
    print(
        f"{found.replayed:,} inputs: {counts['heard']:,} messages heard, {counts['said']:,} said, "
        f"{counts['messages']:,} of the feed, {counts['orders']:,} orders stand.\n"
        f"digest {result['digest']}"
    )


def _show_status(answer: dict[str, Any]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    made = Table(box=SIMPLE, show_header=False)
    made.add_column(justify="left")
    made.add_column(justify="right")
    for name, count in answer["counts"].items():
        made.add_row(name, f"{count:,}")
    for name, how in answer["faults"].items():
        made.add_row(f"on: {name}", ", ".join(f"{key} {value}" for key, value in how.items()))
    for name, state in list(answer.get("states", {}).items())[:20]:
        made.add_row(name, state)
    show(made)
    for note in answer["notes"]:
        print(f"not done: {note}")
