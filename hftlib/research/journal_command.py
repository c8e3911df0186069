"""`hft journal`: what is in a journal, whether it is whole, and how it gets into other tools.

Each command is a few lines that call the journal's room, which is imported inside, so that
`hft --help` is there at once. Worst case: `verify` and `export` read all there is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.terminal import Json, leave_through_finally, show

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

    leave_through_finally()
    for frame in islice(_chosen(folder, since, until, kind, source, zone, follow), limit):
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
    since: Since = None,
    until: Until = None,
    kind: OfKind = None,
    source: Annotated[int | None, typer.Option("--source", help="Only of this line.")] = None,
    zone: Zone = "UTC",
    json_out: Json = False,
) -> None:
    """A table for DataFrames and databases, or a capture for Wireshark and `hft data import`."""
    from hftlib.core.errors import InputError, StateError
    from hftlib.research import journal_files

    leave_through_finally()
    target = parquet or pcap
    if target is None or (parquet and pcap):
        do = "Give --parquet FILE or --pcap FILE."
        raise InputError("One kind of file is written at a time", where="hft journal export", do=do)
    if target.exists():
        do = "Give another name, or remove it first."
        raise StateError("There is something already", where=str(target), do=do)
    found = _chosen(folder, since, until, kind, source, zone)
    if pcap:
        count = journal_files.write_pcap(target, folder, found)
    else:
        count = journal_files.write_parquet(target, found)
    if json_out:
        told = {"file": str(target), "frames": count, "bytes": target.stat().st_size}
        print(json.dumps(told))
    else:
        print(f"{target}: {count:,} frames, {target.stat().st_size / 1e6:,.1f} MB.")


def _chosen(
    folder: Path,
    since: str | None,
    until: str | None,
    names: list[str] | None,
    source: int | None,
    zone: str,
    follow: bool = False,
) -> Iterator[Any]:
    """The frames that were asked for."""
    from hftlib.core.journal import frames, tail

    begin, end = _bound(since, "--from", zone), _bound(until, "--to", zone)
    numbers = [_kind_number(name) for name in names or ()]
    wanted = {"first": begin[0] or 1} | ({} if begin[1] is None else {"since": begin[1]})
    read: Callable[..., Iterator[Any]] = tail if follow else frames
    for frame in read(folder, **wanted):
        if (end[0] and frame.sequence > end[0]) or (end[1] is not None and frame.time > end[1]):
            return
        if (not numbers or frame.kind in numbers) and source in (None, frame.source):
            yield frame


def _bound(text: str | None, field: str, zone: str) -> tuple[int, int | None]:
    """A frame's number, 0 for none; or a time."""
    from hftlib.core import times

    if text is None:
        return 0, None
    if text.isdecimal():
        return int(text), None
    return 0, times.to_ns(text, zone=zone, field=field)


def _kind_number(name: str) -> int:
    from hftlib.core.errors import InputError
    from hftlib.core.journal import kinds

    found = kinds.BY_NAME.get(name.upper())
    if found is None:
        do = f"Use one of: {', '.join(kinds.BY_NAME)}."
        raise InputError(f"There is no kind {name!r}", where="--kind", do=do)
    return found.number


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

    made = Table(box=SIMPLE, pad_edge=False)
    made.add_column("journal", overflow="fold")
    made.add_column("state")
    for heading in ("frames", "segments", "MB on disk"):
        made.add_column(heading, justify="right")
    for heading in ("from", "to", "durability"):
        made.add_column(heading)
    for one in found:
        cells = (f"{one.frames:,}", f"{one.segments:,}", f"{one.disk_bytes / 1e6:,.1f}")
        state = f"{one.state}: {one.wrong}" if one.wrong else one.state
        spans = (one.first_time[:19], one.last_time[:19], one.durability)
        made.add_row(one.folder, state, *cells, *spans)
    return made
