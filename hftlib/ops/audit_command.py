"""`hft audit`: what is in the log of who looked and who acted, and whether it is whole.

    hft audit show --last 20 --who ann
    hft audit verify --head 4f2a81c0       an anchor noted before: is that line still there?
    hft audit export --to audit.csv        or .jsonl, for those who ask
    hft audit mend FILE                    takes a torn last line away, and keeps it beside

Without a file it is the log of this user, where `hft desk` writes. Worst case: each reads it all.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from hftlib.terminal import Json, leave_through_finally, person, show

audit = typer.Typer(
    help="Who looked and who acted: a log in which a changed line is found.", no_args_is_help=True
)

File = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="The log; that of this user without it.")
]
Who = Annotated[str, typer.Option(help="Only of this person.")]
Did = Annotated[str, typer.Option(help="Only this: act, look, login.")]
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@audit.command("show")
def show_command(
    file: File = None,
    who: Who = "",
    did: Did = "",
    last: Annotated[int, typer.Option("--last", "-n", min=1, help="At most so many.")] = 50,
    json_out: Json = False,
) -> None:
    """The newest lines, in words."""
    from rich.table import Table
    from rich.text import Text

    from hftlib.core.times import to_text

    found = deque(_chosen(file, who, did), maxlen=last)
    if json_out:
        print(json.dumps([_told(line) for line in found], indent=2, ensure_ascii=False))
        return
    table = Table()
    for name in ("#", "time (UTC)", "who", "did", "what", "why", "facts"):
        table.add_column(name, overflow="fold")
    for line in found:
        facts = ", ".join(f"{name} {value}" for name, value in line.facts.items() if value != "")
        words = (line.who, line.did, line.what, line.why, facts)
        table.add_row(str(line.number), to_text(line.time_ns)[:23], *map(Text, words))
    show(table)


@audit.command("verify")
def verify_command(
    file: File = None,
    head: Annotated[
        str, typer.Option(help="A head noted before: that line must still be there.")
    ] = "",
    json_out: Json = False,
) -> None:
    """Whether each line follows the one before; its head is worth noting elsewhere."""
    from dataclasses import asdict

    from hftlib.core.audit import verified

    found = verified(_place(file), head)
    if json_out:
        print(json.dumps(asdict(found), indent=2))
        return
    anchor = f" The anchor is line {found.anchor:,}." if found.anchor else ""
    print(f"{found.lines:,} lines, each follows the one before.{anchor}\nhead: {found.head}")


@audit.command("export")
def export_command(
    to: Annotated[Path, typer.Option("--to", help="NAME.csv or NAME.jsonl; - is JSON lines here.")],
    file: File = None,
    who: Who = "",
    did: Did = "",
) -> None:
    """The verified lines as CSV or JSON lines."""
    from hftlib.core.errors import InputError

    leave_through_finally()
    if str(to) != "-" and to.suffix not in (".csv", ".jsonl"):
        do = "Call it NAME.csv or NAME.jsonl; - is JSON lines on the terminal."
        raise InputError("What it shall be is not clear from its name", where=str(to), do=do)
    with _written(to) as out:
        rows = csv.writer(out) if to.suffix == ".csv" else None
        if rows is not None:
            rows.writerow([*_COLUMNS, "facts"])
        count = 0
        for line in _chosen(file, who, did):
            told = _told(line)
            if rows is None:
                print(json.dumps(told), file=out)
            else:
                facts = json.dumps(told["facts"], sort_keys=True)
                rows.writerow([*(_cell(told[name]) for name in _COLUMNS), facts])
            count += 1
    print(f"{count:,} lines written.", file=sys.stderr)


@audit.command("mend")
def mend_command(file: File = None) -> None:
    """Take away the torn last line of a writer that was killed; it is kept in FILE.torn."""
    from hftlib.core.audit import mend

    place = _place(file)
    taken = mend(place, person())
    kept = f"{taken:,} bytes taken away, kept in {place}.torn." if taken else "It has no torn end."
    print(kept)


_COLUMNS = ("number", "time", "time_ns", "who", "did", "what", "why", "digest")


def _place(file: Path | None) -> Path:
    from hftlib.core.audit import audit_place

    return file or audit_place()


def _chosen(file: Path | None, who: str, did: str) -> Iterator[Any]:
    from hftlib.core.audit import lines_of

    for line in lines_of(_place(file)):
        if who in ("", line.who) and did in ("", line.did):
            yield line


def _told(line: Any) -> dict[str, Any]:
    from hftlib.core.times import to_text

    return line.told() | {"time": to_text(line.time_ns), "digest": line.digest}


def _cell(value: Any) -> Any:
    """As a spreadsheet shows it: what a stranger typed is never a formula."""
    is_formula = isinstance(value, str) and value.startswith(FORMULA)
    return f"'{value}" if is_formula else value


@contextmanager
def _written(to: Path) -> Iterator[TextIO]:
    """The file, which is there once it is whole."""
    from hftlib.core.errors import HostError

    if str(to) == "-":
        yield sys.stdout
        return
    part = to.with_name(f"{to.name}.part")
    try:
        with part.open("w", newline="", encoding="utf-8") as out:
            yield out
        part.replace(to)
    except OSError as error:
        do = "Give a file in a folder that is there and that you can write."
        raise HostError(f"It cannot be written: {error.strerror}", where=str(to), do=do) from None
    finally:
        part.unlink(missing_ok=True)
