"""`hft live` and `hft replay`: run a strategy on the wire, and prove afterwards what it did.

    hft live maker.py:Maker --exchange exchange.json --user frm1a --journal day.journal
    hft live --resume --exchange exchange.json --journal day.journal     after a kill -9
    hft replay day.journal

Ctrl-C, a polite kill and `--seconds` end the day: the strategy says its last word, its orders are
taken back, the journal is closed. Worst case: drawing the table takes the GIL, which the hot thread
does not want.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.core.errors import HostError, InputError
from hftlib.terminal import Json, counted, leave_through_finally, patience

TURN_S, SHOWN_S = 0.002, 0.25
WAIT_S = 300.0  # for an exchange that still compiles


def live_command(
    *,
    strategies: Annotated[
        list[str] | None, typer.Argument(help="FILE.py:Class, or one of ours.")
    ] = None,
    exchange: Annotated[Path, typer.Option(help="What `hft exchange --json` printed.")],
    journal: Annotated[Path, typer.Option(help="A new folder; with --resume, the day's.")],
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the day of a runner that was killed.")
    ] = False,
    copy_user: Annotated[
        str, typer.Option(help='Hears the drop copy after a restart; "": nobody does.')
    ] = "frm1d",
    user: Annotated[str, typer.Option(help="The account for orders.")] = "frm1a",
    password: Annotated[str, typer.Option(envvar="HFT_PASSWORD")] = "secret",
    param: Annotated[list[str] | None, typer.Option("--param", "-p", help="name=value")] = None,
    limits: Annotated[Path | None, typer.Option(help="A TOML file.")] = None,
    symbols: Annotated[str, typer.Option(help="AAA,BBB; all without it.")] = "",
    mode: Annotated[str, typer.Option(help="paper")] = "paper",
    cpu: Annotated[int | None, typer.Option(help="A processor for the hot thread.")] = None,
    busy: Annotated[bool, typer.Option("--busy", help="Never sleep: look again at once.")] = False,
    control_path: Annotated[
        str, typer.Option("--control", help='Where to be told things; "off": nowhere.')
    ] = "",
    seconds: Annotated[float, typer.Option(help="Stop after so long; 0: never.", min=0.0)] = 0.0,
    calendar: Annotated[str, typer.Option(help="XNAS: trade within its hours.")] = "",
    end_before_close: Annotated[float, typer.Option(help="Seconds.", min=0.0)] = 60.0,
    json_out: Json = False,
) -> None:
    """Run strategies against an exchange, journaled."""
    from hftlib.core import jit
    from hftlib.core.control.places import place
    from hftlib.ops.hours import hours_of
    from hftlib.ops.launching import exchange_of
    from hftlib.ops.obeying import obey
    from hftlib.ops.runner import Door, Place, Runner
    from hftlib.ops.showing import status_table
    from hftlib.ops.status import status

    leave_through_finally()
    given = _Given(strategies or [], param or [], limits, symbols, user, mode)
    make = _resumed if resume else _new
    prepared = make(given, journal)  # what is wrong with it is said before anybody waits
    hours = {} if resume else hours_of(calendar, end_before_close)  # a day that goes on has its own
    with counted("compiling", jit.registered()) as advance:  # nothing compiles once it trades
        jit.warm(lambda done, _total, name: advance(done, name))
    told = exchange_of(exchange, WAIT_S) | hours
    live, about, after = prepared(told)
    lines = Place([told["line_a"], told["line_b"]], told["recovery"], told.get("interface", ""))
    doors = [Door(tuple(told["order_entry"]), password)]
    socket = place("runner", control_path)
    runner = Runner(live, journal, about, places=[lines], doors=doors, sleeps=not busy, after=after)
    recovery = _recovery(runner, told, copy_user, password) if after else None
    with runner, _heard(socket, partial(obey, runner)) as control:
        status_table(status(runner))  # what may be asked is made ready, too
        jit.freeze()
        turns = [] if control is None else [control.poll]
        begins = partial(_begun, runner, cpu, socket, json_out)
        _trade(runner, recovery, turns, seconds, json_out, begins)
    _say_the_end(runner, json_out)


def _trade(
    runner: Any,
    recovery: Any,
    turns: list[Callable[[], Any]],
    seconds: float,
    json_out: bool,
    begins: Callable[[], str],
) -> None:
    """Until it is told to end, or its time is over."""
    from hftlib.ops.hours import Hours

    within = Hours(runner, recovery)  # before the open it is held from its first frame on
    with suppress(KeyboardInterrupt):
        print(begins(), flush=True)
        turns += [_told(recovery, json_out)] if recovery is not None else []
        _shown(runner, [*turns, within.turn], within.seconds(seconds), json_out)


@dataclass(frozen=True, slots=True)
class _Given:
    """What the command line says of the strategies."""

    strategies: list[str]
    params: list[str]
    limits: Path | None
    symbols: str
    user: str
    mode: str


_Prepared = Callable[[dict[str, Any]], tuple[Any, dict[str, Any], int]]


def _new(given: _Given, _journal: Path) -> _Prepared:
    """A new day: its memory, what describes it, and no frame before it."""
    from hftlib.ops.launching import described, laid
    from hftlib.strategy.files import given_parameters, strategy_named

    if not given.strategies:
        raise InputError(
            "No strategy is named", where="hft live", do="Name one, or go on with a day: --resume."
        )
    params = given_parameters(given.params, "hft live")
    for one in given.strategies:
        strategy_named(one)

    def prepared(told: dict[str, Any]) -> tuple[Any, dict[str, Any], int]:
        about = described(
            given.strategies,
            told,
            user=given.user,
            symbols=[one for one in given.symbols.split(",") if one],
            params=params,
            limits=given.limits,
            mode=given.mode,
        )
        return laid(about), about, 0

    return prepared


def _resumed(given: _Given, journal: Path) -> _Prepared:
    """A day that goes on: all that describes it stands in its journal."""
    from hftlib.engine.live.replaying import about, taken_up
    from hftlib.ops.launching import laid
    from hftlib.ops.resuming import require_same_day

    if given.strategies or given.params or given.limits or given.symbols:
        raise InputError(
            "Strategies, parameters, limits and symbols are those of the journal",
            where="hft live --resume",
            do="Leave them out, or begin another journal.",
        )
    said = about(journal)

    def prepared(told: dict[str, Any]) -> tuple[Any, dict[str, Any], int]:
        require_same_day(said, told, str(journal))
        with patience() as advance:
            live, after = taken_up(journal, laid, advance)
        return live, said, after

    return prepared


def _recovery(runner: Any, told: dict[str, Any], user: str, password: str) -> Any:
    """What says when it may trade again."""
    from hftlib.ops.drop_copy import DropCopy
    from hftlib.ops.resuming import Recovery

    where = told.get("drop_copy")
    if not user or not where:
        return Recovery(runner)
    return Recovery(runner, DropCopy((str(where[0]), int(where[1])), user, password))


def _told(recovery: Any, json_out: bool) -> Callable[[], None]:
    """A turn of it, each new word of it printed."""
    said = [""]

    def turn() -> None:
        recovery.turn()
        if recovery.told != said[0]:
            said[0] = recovery.told
            told = json.dumps({"recovery": said[0]}) if json_out else f"recovery: {said[0]}"
            print(told, flush=True)

    return turn


def _say_the_end(runner: Any, json_out: bool) -> None:
    if json_out:
        print(
            json.dumps({"mode": runner.mode, "counts": runner.counts, "why": runner.why}),
            flush=True,
        )
    elif not runner.why:
        frames = runner.journal.sequence
        print(f"{runner.mode}: {runner.counts['commands']:,} commands, {frames:,} frames")
        for seat in runner.live.session.seats:
            if why := seat.why_stopped(len(runner.live.session.seats)):
                print(f"{seat.name}: {why}")
    if runner.why:
        raise HostError(
            f"The runner stopped: {runner.why}",
            where=str(runner.journal.folder),
            do="Mend that, then look at what it did: hft journal show, hft replay.",
        )


def replay_command(
    journal: Annotated[Path, typer.Argument(help="The folder of a runner's journal.")],
    json_out: Json = False,
) -> None:
    """Run a journal through the same code again, and compare every byte that went out."""
    from hftlib.core import jit
    from hftlib.engine.live.replaying import replay
    from hftlib.ops.launching import laid

    with patience() as advance:
        jit.warm(lambda done, total, name: advance(done / total, f"compiling {name}"))
        told = replay(journal, laid, advance)
    if json_out:
        names = ("frames", "compared", "events", "seconds", "difference", "is_identical")
        print(json.dumps({name: getattr(told, name) for name in names}))
    else:
        print(told)
    if not told.is_identical:
        raise typer.Exit(1)


def _begun(runner: Any, cpu: int | None, socket: Path | None, json_out: bool) -> str:
    """It runs; what whoever started it needs to know."""
    runner.start(cpu)
    if not json_out:
        return "; ".join(f"{name}: {got}" for name, got in runner.host.items())
    told = {"mode": runner.mode, "journal": str(runner.journal.folder), "host": runner.host}
    return json.dumps(told | ({"control": str(socket)} if socket is not None else {}))


@contextmanager
def _heard(path: Path | None, obey: Callable[[Any], Any]) -> Iterator[Any]:
    """The control socket, for as long as the runner runs."""
    from hftlib.core.control.serving import Control

    made = Control(path, obey) if path is not None else None
    try:
        yield made
    finally:
        if made is not None:
            made.close()


def _shown(runner: Any, turns: list[Callable[[], Any]], seconds: float, quiet: bool) -> None:
    """A table that stays where it is on a terminal; elsewhere nothing until the end."""
    from rich.console import Console
    from rich.live import Live

    from hftlib.ops.showing import status_table
    from hftlib.ops.status import status

    console = Console()
    if quiet or not console.is_terminal:
        _run(runner, turns, seconds)
        return
    with Live(console=console, auto_refresh=False, transient=True) as shown:

        def table() -> None:
            shown.update(status_table(status(runner)), refresh=True)

        _run(runner, turns, seconds, table)


def _run(
    runner: Any,
    turns: list[Callable[[], Any]],
    seconds: float,
    every: Callable[[], None] | None = None,
) -> None:
    until = time.monotonic() + seconds if seconds else float("inf")
    last = 0.0
    while runner.is_running and (now := time.monotonic()) < until:
        runner.turn()
        for one in turns:
            one()
        if every is not None and now - last >= SHOWN_S:
            last = now
            every()
        time.sleep(TURN_S)
