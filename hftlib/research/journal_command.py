"""`hft journal`: what is in a journal, whether it is whole, and how it gets into other tools.

Each command is a few lines that call the journal's room, which is imported inside, so that
`hft --help` is there at once. Worst case: `verify` and `export` read all there is.
"""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.terminal import Json, leave_through_finally, patience, show

journal = typer.Typer(
    help="Journals: every event in and every command out of a process, in their order.",
    no_args_is_help=True,
)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="The journal's folder.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="The file that holds the key of its chain.")
]
Zone = Annotated[str, typer.Option("--zone", help="Whose clock times are in: America/New_York.")]
Since = Annotated[
    str | None, typer.Option("--from", help="A frame's number, or a time: 2026-11-21T09:30:00.")
]
Until = Annotated[str | None, typer.Option("--to", help="The last one, likewise.")]
OfKind = Annotated[
    list[str] | None, typer.Option("--kind", help="Only these: DATAGRAM, COMMAND. Repeatable.")
]


@journal.command("ls")
def ls(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="FOLDER...", help="Journals, or where they lie.")
    ] = None,
    json_out: Json = False,
) -> None:
    """The journals in a folder: whether closed, live, cut off or damaged; frames, times, bytes."""
    from dataclasses import asdict

    from hftlib.core.errors import InputError
    from hftlib.core.journal import showing

    places = folders or [Path()]
    found = [showing.summary(one) for folder in places for one in showing.journals_in(folder)]
    if json_out:
        print(json.dumps([asdict(one) for one in found], indent=2, ensure_ascii=False))
        return
    if not found:
        raise InputError(
            "There is no journal",
            where=", ".join(map(str, places)),
            do="Name the folder that Journal.create(folder, about) made, or the one it lies in.",
        )
    show(_table(found))


@journal.command("show")
def show_frames(
    folder: Folder,
    since: Since = None,
    until: Until = None,
    kind: OfKind = None,
    source: Annotated[int | None, typer.Option("--source", help="Only of this line.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", "-n", help="At most so many.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is still being written.")
    ] = False,
    zone: Zone = "UTC",
    json_out: Json = False,
) -> None:
    """Frames in words: number, time, direction, kind, source, length, and what they say.

    With --json a frame is a line, its payload whole, in hexadecimal digits.
    """
    from hftlib.core.journal import showing
    from hftlib.research.journal_choice import chosen

    leave_through_finally()
    found = chosen(since, until, kind, source, zone).frames(folder, follow)
    for frame in islice(found, limit):
        if json_out:
            print(json.dumps(showing.as_json(frame), ensure_ascii=False), flush=follow)
        else:
            print(showing.line(frame, zone), flush=follow)


@journal.command("verify")
def verify(
    folder: Folder,
    head: Annotated[
        str, typer.Option("--head", help="A head noted before: the journal must begin so.")
    ] = "",
    key: KeyFile = None,
    json_out: Json = False,
) -> None:
    """Check every CRC and the hash chain. Exit code 1 where anything is wrong."""
    from dataclasses import asdict

    from hftlib.core.journal import verify as verified

    report = verified(folder, head=head, key=_key(key))
    if json_out:
        print(json.dumps(asdict(report), indent=2, ensure_ascii=False))
    else:
        print(report)
    if not report.is_whole:
        raise typer.Exit(1)


@journal.command("repair")
def repair(
    folder: Folder,
    sealed_too: Annotated[
        bool, typer.Option("--sealed-too", help="Cut sealed blocks as well, if they are damaged.")
    ] = False,
    key: KeyFile = None,
    json_out: Json = False,
) -> None:
    """Cut off a damaged end. What is cut is kept in files beside it, and the journal says so."""
    from dataclasses import asdict

    from hftlib.core.journal import repair as repaired

    done = repaired(folder, sealed_too=sealed_too, key=_key(key))
    if json_out:
        print(json.dumps(asdict(done), indent=2, ensure_ascii=False))
    else:
        print(done)


@journal.command("export")
def export(
    folder: Folder,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", help="All frames as a table, into this file.")
    ] = None,
    pcap: Annotated[
        Path | None,
        typer.Option("--pcap", help="Datagrams and sessions as packets, into this file."),
    ] = None,
    tape: Annotated[
        Path | None,
        typer.Option("--tape", help="The feed that a runner heard, as a tape of this name."),
    ] = None,
    clock: Annotated[
        str, typer.Option(help="Times of the tape: venue or ours; of a shadow ours without it.")
    ] = "",
    since: Since = None,
    until: Until = None,
    kind: OfKind = None,
    source: Annotated[int | None, typer.Option("--source", help="Only of this line.")] = None,
    zone: Zone = "UTC",
    json_out: Json = False,
) -> None:
    """A table for DataFrames and databases, a capture for Wireshark, or a tape for backtests.

    A capture is of any journal, and `hft data import` makes a tape of it; --tape is for a runner's.
    """
    from hftlib.core.errors import InputError
    from hftlib.research import journal_files, journal_table
    from hftlib.research.journal_choice import chosen
    from hftlib.research.journal_feed import sealed

    leave_through_finally()
    wanted = [one for one in (parquet, pcap, tape) if one is not None]
    if len(wanted) != 1:
        do = "Give --parquet FILE, --pcap FILE or --tape FILE."
        raise InputError("One kind of file is written at a time", where="hft journal export", do=do)
    (target,) = wanted
    if target.exists():
        raise journal_files.there_already(target)
    choice = chosen(since, until, kind, source, zone)
    if tape is not None:
        is_part = choice != chosen(None, None, None, None, zone)
        told = _as_tape(folder, tape, clock, is_part=is_part)
    else:
        with patience() as advance:
            count = sealed(folder)

            def shown(number: int) -> None:
                advance(min(1.0, number / count), f"writing {target.name}")

            if pcap:
                done = journal_files.write_pcap(target, folder, choice.frames(folder), shown)
            else:
                done = journal_table.write_parquet(target, folder, choice.marked(folder), shown)
        told = {"file": str(target), "frames": done, "bytes": target.stat().st_size}
    if json_out:
        print(json.dumps(told))
    else:
        what = "frames" if "frames" in told else "events"
        print(f"{target}: {told[what]:,} {what}, {told['bytes'] / 1e6:,.1f} MB.")


def _as_tape(folder: Path, target: Path, clock: str, *, is_part: bool) -> dict[str, Any]:
    """The market data in a runner's journal, as the runner was told them."""
    from hftlib.core.errors import InputError
    from hftlib.feed.tape_file import write_tape
    from hftlib.research.journal_feed import CLOCKS, JournalFeed
    from hftlib.research.journal_result import about_of

    if is_part:
        do = (
            "Leave --from, --to, --kind and --source out; a tape is cut by hft.open_tape(...)[...]."
        )
        raise InputError("A tape is of a whole journal", where="hft journal export --tape", do=do)
    if clock not in ("", *CLOCKS):
        do = f"Say {' or '.join(CLOCKS)}."
        raise InputError(f"{clock!r} is no clock", where="hft journal export --clock", do=do)
    source = JournalFeed(folder, about_of(folder), clock)
    with patience() as advance:
        made = write_tape(target, source, progress=advance)
    names = ("events", "instruments", "bytes", "digest", "counts")
    return {"file": str(target)} | {name: getattr(made, name) for name in names}


def _key(path: Path | None) -> bytes | None:
    from hftlib.core.errors import InputError

    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        do = "Name the file that the journal was made with the bytes of."
        what = f"The key cannot be read: {error.strerror}"
        raise InputError(what, where=str(path), do=do) from None


def _table(found: list[Any]) -> Any:
    from rich.box import SIMPLE
    from rich.table import Table

    from hftlib.core.journal.verifying import CUT_OFF

    made = Table(box=SIMPLE, pad_edge=False)
    made.add_column("journal", overflow="fold")
    made.add_column("state", min_width=len(CUT_OFF))
    for heading in ("frames", "segments", "MB on disk"):
        made.add_column(heading, justify="right", min_width=7)
    # Only runners have a mode and venues: a narrow page has no room for what nobody says.
    spoken = [name for name in ("mode", "venues") if any(getattr(one, name) for one in found)]
    told = ["durability", *spoken]
    for heading in ("from", "to", *told):
        made.add_column(heading, overflow="fold")
    for one in found:
        cells = (f"{one.frames:,}", f"{one.segments:,}", f"{one.disk_bytes / 1e6:,.1f}")
        state = f"{one.state}: {one.wrong}" if one.wrong else one.state
        spans = (one.first_time[:19], one.last_time[:19])
        made.add_row(one.folder, state, *cells, *spans, *(getattr(one, name) for name in told))
    return made
