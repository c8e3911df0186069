"""`hft`: the command line. Each command is a few lines here that call the room which does the work.

Rooms are imported inside the commands, so that `hft --help` is there at once. Whatever hftlib
refuses is printed as its three answers, with the exit code of its kind, and never as a traceback.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TextIO, cast

import typer

from hftlib import __version__
from hftlib.bench.command import bench_command, made_ready
from hftlib.core.errors import HftError, HostError
from hftlib.ops import beside_commands
from hftlib.ops.access.command import access
from hftlib.ops.audit_command import audit
from hftlib.ops.desk.command import desk
from hftlib.ops.desk_commands import add_commands
from hftlib.ops.live_command import live_command
from hftlib.ops.release_commands import keys, release
from hftlib.ops.replay_command import replay_command
from hftlib.promote.command import promote_command
from hftlib.promote.export_command import export_command
from hftlib.promote.registry_command import registry
from hftlib.promote.release_command import make
from hftlib.promote.rollout.command import rollback_command, rollout
from hftlib.research.backtest_command import backtest_command
from hftlib.research.catalog.commands import store
from hftlib.research.commands import data
from hftlib.research.journal_command import journal
from hftlib.research.limits_command import limits
from hftlib.research.parity.command import compare_command
from hftlib.research.sweep_command import sweep_command
from hftlib.research.tca_command import tca_command
from hftlib.terminal import Json, leave_through_finally, show
from hftlib.venue.floor.tell_command import exchange

app = typer.Typer(
    name="hft",
    help="From a trading idea in a notebook to a compiled live runner.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data, name="data")
app.add_typer(store, name="store")
app.add_typer(limits, name="limits")
app.add_typer(journal, name="journal")
app.add_typer(exchange, name="exchange")
app.add_typer(keys, name="keys")
app.add_typer(access, name="access")
app.add_typer(audit, name="audit")
app.add_typer(desk, name="desk")
release.command("make")(make)
app.add_typer(release, name="release")
app.add_typer(registry, name="registry")
app.add_typer(rollout, name="rollout")
app.command("rollback")(rollback_command)
app.command("bench")(bench_command)
app.command("backtest")(backtest_command)
app.command("sweep")(sweep_command)
app.command("promote")(promote_command)
app.command("tca")(tca_command)
app.command("compare")(compare_command)
app.command("export")(export_command)
app.command("live")(live_command)
app.command("replay")(replay_command)
add_commands(app, limits)
beside_commands.add_commands(app)


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
        show(host.table(findings))
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
def demo(
    part: Annotated[str, typer.Argument(help="loop, or ground: what it all stands on.")] = "loop",
    into: Annotated[Path, typer.Option(help="The folder of what the loop leaves.")] = Path("demo"),
) -> None:
    """From a notebook to a champion that trades, and back, on embedded defaults."""
    leave_through_finally()
    from hftlib.demo import run

    run(part, into)


def warmed() -> list[Any]:
    """Import every room of the tick path and make its functions ready."""
    import pkgutil
    from importlib import import_module

    import hftlib
    from hftlib.core.jit.cache import ROOMS

    for found in pkgutil.walk_packages(hftlib.__path__, "hftlib."):
        if found.name.split(".")[1] in ROOMS:
            import_module(found.name)
    return made_ready()


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


def _complain(what: str, where: str, do: str) -> None:
    from rich.console import Console

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print("error: ", style="bold red", end="")
    for start, text in (("", what), ("where: ", where), ("do:    ", do)):
        console.print(f"{start}{text}", markup=False)
