"""`hft store`: what is in the store, and what is done with it.

    hft store add day.tape --bars 1m      hft store query "select count(*) from ticks"
    hft store ls                          hft store keep --hot 5d --warm 90d --cold s3://desk/store
    hft store backup s3://desk/backup     hft store restore s3://desk/backup NEW_FOLDER
    hft store check                       hft store drop 3f2a91c0

Each command is a few lines that call the store, which is imported inside, so that `hft --help` is
there at once. Worst case: an answer longer than the terminal is cut to --rows lines, and says so.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from hftlib.terminal import Json, leave_through_finally, show

store = typer.Typer(
    help="Days of tapes, bars and journals, asked by SQL. The store is data/store below the "
    "current folder, or what HFT_STORE says: a folder, clickhouse://host/hft, chdb:///folder.",
    no_args_is_help=True,
)

At = Annotated[
    str | None, typer.Option("--at", help="The store: a folder or a DSN; else HFT_STORE.")
]


@store.command("ls")
def list_(at: At = None, json_out: Json = False) -> None:
    """What is in the store: days, symbols, events, bytes, tier, digest, from where."""
    _print(_store(at), json_out)


@store.command()
def add(
    things: Annotated[
        list[str], typer.Argument(metavar="TAPE|JOURNAL...", help="Tapes, folders of journals.")
    ],
    bars: Annotated[
        list[str] | None, typer.Option("--bars", help="Bars of this width too. Repeatable: 1m.")
    ] = None,
    at: At = None,
    json_out: Json = False,
) -> None:
    """Put tapes and journals in. What is there already is not written again."""
    leave_through_finally()
    made = []
    target = _store(at)
    try:
        for one in things:
            made.append(target.add(one, bars=bars or None))
            if not json_out:
                print(made[-1], flush=True)
    finally:  # what is written is told of, whatever became of a later one
        if json_out:
            print(json.dumps([one.as_json() for one in made], indent=2))


@store.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SELECT over ticks, bars, frames, files.")],
    rows: Annotated[int, typer.Option("--rows", help="How many to show.", min=1)] = 50,
    at: At = None,
    json_out: Json = False,
) -> None:
    """Ask in SQL; nothing can be written so."""
    frame = _store(at).query(sql)
    if json_out:
        print(frame.to_json(orient="records", date_format="iso", date_unit="ns"))
        return
    from hftlib.research.sheets import Sheet

    cells = [tuple(map(str, row)) for row in frame.head(rows).itertuples(index=False)]
    left = f"; the first {rows:,}" if len(frame) > rows else ""
    show(Sheet(f"{len(frame):,} rows{left}", tuple(map(str, frame.columns)), cells).rich())


@store.command()
def keep(
    hot: Annotated[str, typer.Option("--hot", help="Younger stays as written: 5d.")] = "5d",
    warm: Annotated[str, typer.Option("--warm", help="Younger stays here, packed: 90d.")] = "90d",
    cold: Annotated[
        str | None, typer.Option("--cold", help="Where older goes: s3://...; else HFT_STORE_COLD.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would move.")] = False,
    today: Annotated[
        str | None, typer.Option("--today", help="The day ages are counted from; else today.")
    ] = None,
    at: At = None,
    json_out: Json = False,
) -> None:
    """Bring each day into its tier: hot, warm, cold. Questions go over all three."""
    leave_through_finally()
    _print(_store(at).keep(hot, warm, cold=cold, dry_run=dry_run, today=today), json_out)


@store.command()
def backup(
    target: Annotated[str, typer.Argument(help="A folder, or a URL: s3://desk/backup.")],
    at: At = None,
    json_out: Json = False,
) -> None:
    """Copy all there is, with the SHA-256 of each file; a second time, what is new."""
    leave_through_finally()
    _print(_store(at).backup(target), json_out)


@store.command()
def restore(
    source: Annotated[str, typer.Argument(help="What `hft store backup` wrote to.")],
    folder: Annotated[str, typer.Argument(help="A folder that is not there yet.")],
    json_out: Json = False,
) -> None:
    """Bring a backup back into a new folder: every file as it was written, or nothing."""
    leave_through_finally()
    _print(_store(folder).restore(source), json_out)


@store.command()
def check(at: At = None, json_out: Json = False) -> None:
    """Read every part against its SHA-256; exit with 1 when one is not as it was written."""
    found = _store(at).check()
    _print(found, json_out)
    if not found.sound:
        raise typer.Exit(1)


@store.command()
def drop(
    digest: Annotated[str, typer.Argument(help="The digest, or its first digits.")],
    at: At = None,
    json_out: Json = False,
) -> None:
    """Take a tape with its bars, or a journal, out of the store."""
    _print(_store(at).drop(digest), json_out)


def _store(at: str | None) -> Any:
    from hftlib.research.catalog.opening import store as opened

    return opened(at)


def _print(answer: Any, json_out: bool) -> None:
    if json_out:
        print(json.dumps(answer.as_json(), indent=2, ensure_ascii=False))
    elif hasattr(answer, "__rich__"):
        show(answer)
    else:
        print(answer)
