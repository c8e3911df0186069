"""What commands and long calls show: results on stdout, progress on stderr, nothing ever cut.

Progress goes to stderr, so that stdout stays clean for `--json`, and only to a terminal: a log
file wants no bar. Worst case: a terminal narrower than 60 columns wraps the lines of a table.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
FILE_COLUMNS = 120
COLUMNS_MIN = 60  # narrower, a table has no room for its words
SLOW_S = 2.0  # what takes longer shows how far it is

Advance = Callable[[float, str], None]
"""Told the share done, 0 to 1, and what is being done."""

_HEARD: ContextVar[Advance | None] = ContextVar("heard", default=None)


@contextmanager
def heard_by(listener: Advance) -> Iterator[None]:
    """What is run in here shows no bar, for it would draw over another: the listener hears of it.

    Of this thread alone. A listener that raises ends what it listens to.
    """
    token = _HEARD.set(listener)
    try:
        yield
    finally:
        _HEARD.reset(token)


def leave_through_finally() -> None:
    """Let a polite kill and a closed terminal end us as an exception does: tidily."""
    numbers = (signal.SIGTERM, signal.SIGHUP)

    def leave(number: int, _frame: Any) -> None:
        for other in numbers:  # once is enough: a second must not stop the tidying
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, leave)


def person() -> str:
    """Who types this, as the host knows them; by number where it has no name for them."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user that no passwd file names
        return f"uid {os.getuid()}"


def show(renderable: Any) -> None:
    """Print a table or a line, whole."""
    from rich.console import Console

    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=FILE_COLUMNS)
    # A line too long for the terminal goes on in the next: cut, it would say something else.
    console.print(renderable, width=max(console.width, COLUMNS_MIN), crop=False)


@contextmanager
def counted(what: str, total: int) -> Iterator[Any]:
    """A progress bar over a known number of things: `advance(done, name)`."""
    if (listener := _HEARD.get()) is not None:
        heard: Advance = listener
        with heard_by(_nobody):
            yield lambda done, name: heard(done / max(1, total), f"{what}: {name}")
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total)
        with heard_by(_nobody):
            yield lambda done, name: bar.update(task, completed=done, description=name)


@contextmanager
def patience(after_s: float = SLOW_S) -> Iterator[Advance]:
    """A progress bar that appears once the work has taken a while: `advance(share, what)`."""
    if (listener := _HEARD.get()) is not None:
        with heard_by(_nobody):
            yield listener
        return
    started, shown = time.monotonic(), list[Any]()

    def advance(share: float, what: str) -> None:
        if not shown and time.monotonic() - started > after_s:
            shown.append(_bar())
        if shown and shown[0] is not None:
            shown[0].update(shown[0].task_ids[0], completed=share, description=what)

    try:
        with heard_by(_nobody):
            yield advance
    finally:
        if shown and shown[0] is not None:
            shown[0].stop()


def _nobody(_share: float, _what: str) -> None:
    """Hears of what is part of something that has a bar."""


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if not (console.is_terminal or console.is_jupyter):
        return None
    columns = (
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    bar = Progress(*columns, console=console, transient=True)
    bar.add_task("", total=1.0)
    bar.start()
    return bar
