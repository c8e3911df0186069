"""`hft`: the command line. Each command is a few lines here that call the room which does the work.

Rooms are imported inside the commands, so that `hft --help` is there at once. Whatever hftlib
refuses is printed as its three answers, with the exit code of its kind, and never as a traceback.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TextIO, cast

import typer

from hftlib import __version__
from hftlib.core.errors import HftError, HostError, InputError

app = typer.Typer(
    name="hft",
    help="From a trading idea in a notebook to a compiled live runner.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
FILE_COLUMNS = 120
COLUMNS_MIN = 60  # narrower, a table has no room for its words
# The rooms whose compiled functions a live process may need, as far as they exist.
TICK_PATH = ("core", "feed", "book", "strategy", "risk", "execution", "venue", "engine")


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(f"hftlib {__version__}")
        raise typer.Exit


@app.command()
def doctor(
    json_out: Json = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when this host lacks something.")
    ] = False,
) -> None:
    """What this host lacks for low latency, and what to change."""
    from hftlib.ops import doctor as host

    findings = host.diagnose()
    if json_out:
        print(json.dumps(host.as_json(findings), indent=2, ensure_ascii=False))
    else:
        _show(host.table(findings))
    if strict and any(finding.verdict is host.Verdict.LACKS for finding in findings):
        raise typer.Exit(1)


@app.command()
def warm(json_out: Json = False) -> None:
    """Compile everything a live process may call, once per installation."""
    from dataclasses import asdict

    done = warmed()
    if json_out:
        print(json.dumps([asdict(entry) for entry in done], indent=2))
        return
    compiled = [entry for entry in done if not entry.from_cache]
    seconds = sum(entry.seconds for entry in done)
    print(f"{len(done)} functions ready in {seconds:.1f} s, {len(compiled)} of them compiled now.")


@app.command()
def bench(
    what: Annotated[str, typer.Argument(help="What to measure: core.")] = "",
    probe: Annotated[
        bool, typer.Option("--probe", help="Measure the machine itself, the yardstick.")
    ] = False,
    runs: Annotated[int, typer.Option(help="Runs to take the median of.", min=1, max=1000)] = 7,
    json_out: Json = False,
) -> None:
    """Measure hftlib on this host, each figure beside its yardstick."""
    from importlib import import_module

    suites = {"core": "core", "probe": "probe"}
    wanted = [name for name in (what, "probe" if probe else "") if name]
    unknown = [name for name in wanted if name not in suites]
    if unknown or not wanted:
        raise InputError(
            f"There is no bench {what!r}" if unknown else "No bench was named",
            where="hft bench",
            do="Run `hft bench core`, `hft bench --probe`, or both at once.",
        )
    modules = [import_module(f"hftlib.bench.{suites[name]}") for name in wanted]
    warmed()
    _print_measurements([row for module in modules for row in module.benches()], runs, json_out)


@app.command()
def demo() -> None:
    """What hftlib can do, shown on embedded defaults."""
    _leave_through_finally()
    from hftlib.demo import run

    run()


def warmed() -> list[Any]:
    """Import every room of the tick path and make its functions ready, with a progress bar."""
    import pkgutil
    from importlib import import_module

    import hftlib

    for found in pkgutil.walk_packages(hftlib.__path__, "hftlib."):
        if found.name.split(".")[1] in TICK_PATH:
            import_module(found.name)
    from hftlib.core import jit

    with _progress("compiling", jit.registered()) as advance:
        return jit.warm(lambda done, _total, name: advance(done, name))


def main() -> None:
    """The entry point of the `hft` command."""
    if sys.stdout is not None:
        sys.stdout = cast(TextIO, _Output(sys.stdout))
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except HftError as error:
        _complain(f"{error.what}", error.where, error.do)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        with tempfile.NamedTemporaryFile(
            "w", prefix="hft-fault-", suffix=".txt", delete=False
        ) as f:
            f.write(traceback.format_exc())
        _complain(
            f"hftlib failed where it should not: {type(error).__name__}: {error}",
            f"the details are in {f.name}",
            "This is a fault of ours; please report it with that file.",
        )
        sys.exit(70)


def _leave_through_finally() -> None:
    """Let a polite kill and a closed terminal end us as an exception does: tidily."""
    numbers = (signal.SIGTERM, signal.SIGHUP)

    def leave(number: int, _frame: Any) -> None:
        for other in numbers:  # once is enough: a second must not stop the tidying
            signal.signal(other, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for number in numbers:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, leave)


class _Output:
    """Standard output, where a failed write is our own affair: typer and rich would hide it.

    A reader that went away (`hft doctor | head`) is no reason to complain: exit as SIGPIPE would.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with self._failing():
            return self._stream.write(text)

    def flush(self) -> None:
        with self._failing():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # What is left in the buffer goes nowhere, so that closing it fails no more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())
            if isinstance(error, BrokenPipeError):
                raise SystemExit(141) from None
            raise HostError(
                f"The output cannot be written: {error.strerror}",
                where="standard output",
                do="Send it to a place that exists and has room.",
            ) from None


def _print_measurements(benches: list[Any], runs: int, json_out: bool) -> None:
    from hftlib.bench import harness

    rows = []
    with _progress("measuring", len(benches)) as advance:
        for number, one in enumerate(benches):
            advance(number, one.name)
            rows.append(harness.measure(one, runs))
        advance(len(benches), "")
    if json_out:
        print(json.dumps(harness.as_json(rows), indent=2, ensure_ascii=False))
    else:
        _show(harness.table(rows, f"hftlib {__version__} on this host"))


@contextmanager
def _progress(what: str, total: int) -> Iterator[Any]:
    """A progress bar on stderr, so that stdout stays clean for `--json`."""
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
        yield lambda done, name: bar.update(task, completed=done, description=name)


def _show(renderable: Any) -> None:
    from rich.console import Console

    console = Console()
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console = Console(width=FILE_COLUMNS)
    # A line too long for the terminal goes on in the next: cut, it would say something else.
    console.print(renderable, width=max(console.width, COLUMNS_MIN), crop=False)


def _complain(what: str, where: str, do: str) -> None:
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("error: ", style="bold red", end="")
    for start, text in (("", what), ("where: ", where), ("do:    ", do)):
        console.print(f"{start}{text}", markup=False)
