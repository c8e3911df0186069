"""`hft data`: recorded market data into tapes, and what is on them.

Each command is a few lines that call the research room, which is imported inside, so that
`hft --help` is there at once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.terminal import Json, leave_through_finally, patience, show

data = typer.Typer(
    help="Recorded market data: import it, look at it, check it. Tapes lie in data/tapes below "
    "the current folder, or where HFT_TAPES says.",
    no_args_is_help=True,
)

TapeName = Annotated[str, typer.Argument(help="A tape: its path, or its name in data/tapes.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a tape of that name.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", help="The tape to write; else data/tapes/NAME.tape.")
]


_SIDES = ("bids", "asks")


def _option(name: str, help_text: str) -> Any:
    return typer.Option(f"--{name}", help=help_text)


@data.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="What was recorded.")],
    out: Out = None,
    kind: Annotated[
        str | None,
        _option("as", "itch, lobster, depth, coinbase, hftbacktest, frame, databento; else told."),
    ] = None,
    date: Annotated[str | None, _option("date", "The day, 2019-12-30, where names do not.")] = None,
    zone: Annotated[str | None, _option("zone", "Whose clock: America/New_York.")] = None,
    venue: Annotated[str | None, _option("venue", "Where it traded: XNAS.")] = None,
    symbol: Annotated[
        str | None, _option("symbol", "The instrument, if the file is of one.")
    ] = None,
    price_unit: Annotated[str | None, _option("price-unit", "What prices count: 0.01.")] = None,
    lot_unit: Annotated[str | None, _option("lot-unit", "What quantities count: 1.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", help="Of a capture: the UDP port of the feed.")
    ] = None,
    session: Annotated[
        str | None, _option("session", "Of a capture: the MoldUDP64 session to read.")
    ] = None,
    overwrite: Overwrite = False,
    allow_damaged: Annotated[
        bool, typer.Option("--allow-damaged", help="Exit with 0 though not all could be read.")
    ] = False,
    json_out: Json = False,
) -> None:
    """Read recorded files into tapes. What a file is, it says itself; --as overrules it."""
    from dataclasses import asdict

    from hftlib.core.errors import InputError
    from hftlib.research import importing

    leave_through_finally()
    if kind is not None and kind not in importing.KINDS:
        kinds = ", ".join(importing.KINDS)
        raise InputError(f"There is no kind {kind!r}", where="--as", do=f"Use one of {kinds}.")
    options: dict[str, Any] = {"date": date, "zone": zone, "venue": venue, "symbol": symbol}
    options |= {"price_unit": price_unit, "lot_unit": lot_unit}
    options |= {"port": port, "session": session}
    groups = importing.grouped(files)
    _require_no_folder(out)
    if out is not None and len(groups) > 1:
        what = f"{len(groups)} recordings cannot become one tape"
        raise InputError(what, where="--out", do="Leave -o out, or import them one by one.")
    told = (lambda _text: None) if json_out else partial(print, flush=True)
    summaries: list[Any] = []
    damaged: list[str] = []
    whole = False
    try:
        for group in groups:
            summary = _imported(group, out, kind, options, overwrite, told)
            summaries.append(summary)
            if lost := importing.lost(summary.counts):
                damaged.append(f"{group[0].name} ({lost})")
        whole = True
    finally:  # what is written is told of, whatever became of a later file
        if json_out:
            print(json.dumps([asdict(summary) for summary in summaries], indent=2))
        if damaged:
            paths = [summary.path for summary in summaries]
            _tell_damage(damaged, paths, only_warn=allow_damaged or not whole)


def _imported(
    group: tuple[Path, ...],
    out: Path | None,
    kind: str | None,
    options: dict[str, Any],
    overwrite: bool,
    told: Callable[[str], None],
) -> Any:
    """The summary of the tape made of one recording."""
    from hftlib.feed.tape_file import write_tape
    from hftlib.research import importing, store

    chosen = importing.KINDS[kind] if kind else importing.kind_of(group[0])
    source = importing.source_of(chosen, group, options)
    told(f"{group[0].name} is read as {chosen.what}" + ("." if kind else ", by its looks."))
    target = out or store.place_for(group[0])
    with _told_when_stopped(f"{target} was not written"), patience() as advance:
        summary = write_tape(target, source, overwrite=overwrite, progress=advance)
    told(
        f"{summary.path}: {summary.events:,} events of {summary.instruments:,} "
        f"instruments, {summary.bytes / 1e6:,.1f} MB, digest {summary.digest[:12]}."
    )
    if odd := importing.odd(summary.counts):
        told(f"Met on the way: {odd}.")
    return summary


@data.command("ls")
def list_(
    place: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="A folder; else data/tapes.")
    ] = None,
    json_out: Json = False,
) -> None:
    """The tapes of a folder."""
    from hftlib.research import store

    _print(store.listed(place or store.folder()), json_out)


@data.command("show")
def show_(
    tape: TapeName,
    symbol: Annotated[str | None, typer.Argument(help="Only this instrument.")] = None,
    at: Annotated[
        str | None, typer.Option("--at", help="The book of SYMBOL at this time: 10:00, ISO.")
    ] = None,
    top: Annotated[int, typer.Option("--top", help="How many to list.", min=1)] = 10,
    json_out: Json = False,
) -> None:
    """What is on a tape; with --at, a book."""
    opened = _opened(tape)
    if at is None:
        _print((opened if symbol is None else opened.only(symbol)).summary(top), json_out)
        return
    book = opened.book_at(at, symbol)
    if not json_out:
        print(book)
        return
    levels = {side: [level._asdict() for level in getattr(book, side)(top)] for side in _SIDES}
    print(json.dumps({"symbol": book.symbol, "time": book.time, "stale": book.stale, **levels}))


@data.command()
def validate(
    tape: TapeName,
    json_out: Json = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when something is wrong.")
    ] = False,
    jump: Annotated[str, typer.Option("--jump", help="A silence worth a note: 1m, 500ms.")] = "1m",
) -> None:
    """Check every event of a tape, and the file against its digest."""
    opened = _opened(tape)
    opened.verify()
    with _told_when_stopped("not every event was looked at"):
        found = opened.validate(jump=jump)
    _print(found, json_out)
    if strict and not found.sound:
        raise typer.Exit(1)


@data.command()
def synth(
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="A name ending in .tape for a tape, else ITCH 5.0; without one, a tape in "
            "data/tapes.",
        ),
    ] = None,
    symbols: Annotated[int, typer.Option("--symbols", help="How many stocks.", min=1)] = 5,
    seconds: Annotated[int, typer.Option("--seconds", help="How long they trade.", min=1)] = 60,
    seed: Annotated[int, typer.Option("--seed", help="The same seed, the same bytes.")] = 7,
    overwrite: Overwrite = False,
    json_out: Json = False,
) -> None:
    """Make a market from a seed, as a tape or as the ITCH 5.0 bytes an exchange would send."""
    from dataclasses import asdict

    import hftlib
    from hftlib.feed.tape_file import write_tape
    from hftlib.research import store

    leave_through_finally()
    market = hftlib.synthetic(symbols=symbols, seconds=seconds, seed=seed)
    if out is None:
        out = store.place_for(Path(f"synthetic-{symbols}x{seconds}s-{seed}"))
    _require_no_folder(out)
    made: dict[str, Any]
    with _told_when_stopped(f"{out} was not written"), patience() as advance:
        if out.suffix == ".tape":
            made = asdict(write_tape(out, market, overwrite=overwrite, progress=advance))
            words = f"{made['events']:,} events, digest {made['digest'][:12]}"
        else:
            size = market.write_itch(out, overwrite=overwrite, progress=advance)
            made = {"path": str(out), "bytes": size}
            words = f"{size:,} bytes of ITCH 5.0"
    print(json.dumps(made, indent=2) if json_out else f"{out}: {words}.")


def _require_no_folder(out: Path | None) -> None:
    from hftlib.core.errors import InputError

    if out is not None and out.is_dir():
        raise InputError(f"{out} is a folder", where="--out", do="Name a file in it.")


def _tell_damage(damaged: list[str], tapes: list[str], *, only_warn: bool) -> None:
    """What was lost, as a warning or as the reason why the command fails."""
    from hftlib.core.errors import InputError

    what = f"Not all could be read of {'; '.join(damaged)}"
    if only_warn:
        print(f"warning: {what}.", file=sys.stderr)
        return
    raise InputError(
        what,
        where=", ".join(tapes),
        do="The tape is written and holds what could be read, as `hft data validate` shows. Get "
        "the file again, or accept it with --allow-damaged.",
    )


@contextmanager
def _told_when_stopped(what: str) -> Iterator[None]:
    """Say what Ctrl-C or a polite kill left undone."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        print(f"Stopped: {what}.", file=sys.stderr)
        raise


def _opened(name: str) -> Any:
    from hftlib.research import store
    from hftlib.research.tape import open_tape

    return open_tape(store.found(name))


def _print(answer: Any, json_out: bool) -> None:
    if json_out:
        print(json.dumps(answer.as_json(), indent=2, ensure_ascii=False))
    else:
        show(answer)
