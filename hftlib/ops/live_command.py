"""`hft live` and `hft replay`: run a strategy on the wire, and prove afterwards what it did.

    hft live maker.py:Maker --exchange exchange.json --user frm1a --journal day.journal
    hft live maker.py:Maker --mode shadow ...     nothing is sent: a venue's model answers
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
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.core.errors import HostError
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
    fee: Annotated[
        list[str] | None, typer.Option(help="taker_per_unit=0.0030, maker=-0.2bp; none without it.")
    ] = None,
    durability: Annotated[
        str,
        typer.Option(help="process, or power: orders wait until their cause is on the disk."),
    ] = "process",
    symbols: Annotated[str, typer.Option(help="AAA,BBB; all without it.")] = "",
    mode: Annotated[str, typer.Option(help="shadow, paper (the usual), canary, live.")] = "",
    latency_us: Annotated[
        float | None, typer.Option(help="Of a shadow: one way to the venue's model; 50 without it.")
    ] = None,
    share: Annotated[
        float | None, typer.Option(help="Of a canary: what sizes and limits are multiplied by.")
    ] = None,
    scale: Annotated[
        list[str] | None, typer.Option(help="Of a canary: a parameter of size; clip without it.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="The mode is meant: nobody is asked.")] = False,
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
    from hftlib.core.journal.opening import number_of_durability
    from hftlib.ops.beginning import Given, new, resumed, say_recovery
    from hftlib.ops.hours import hours_of
    from hftlib.ops.launching import exchange_of

    leave_through_finally()
    settings = mode, latency_us, share, tuple(scale or ()), yes, tuple(fee or ())
    given = Given(strategies or [], param or [], limits, symbols, user, *settings)
    begun = resumed if resume else new
    say = partial(say_recovery, json_out)
    number_of_durability(durability)
    prepared = begun(given, journal, say)  # what is wrong is said before anybody waits
    hours = {} if resume else hours_of(calendar, end_before_close)  # a day that goes on has its own
    with counted("compiling", jit.registered()) as advance:  # nothing compiles once it trades
        jit.warm(lambda done, _total, name: advance(done, name))
    told = exchange_of(exchange, WAIT_S) | hours
    socket = place("runner", control_path)
    runner, recovery = _made(prepared(told), told, journal, copy_user, password, busy, durability)
    _trade(runner, recovery, socket, cpu, seconds, json_out, say)
    _say_the_end(runner, json_out)


def _trade(
    runner: Any,
    recovery: Any,
    socket: Path | None,
    cpu: int | None,
    seconds: float,
    json_out: bool,
    say: Callable[..., Any],
) -> None:
    """Until it is told to end, or its time is over."""
    from hftlib.core import jit
    from hftlib.ops.beginning import telling
    from hftlib.ops.hours import Hours
    from hftlib.ops.obeying import obey
    from hftlib.ops.showing import status_table
    from hftlib.ops.status import status

    with runner, _heard(socket, partial(obey, runner)) as control:
        status_table(status(runner))  # what may be asked is made ready, too
        jit.freeze()
        turns = [] if control is None else [control.poll]
        turns += [] if recovery is None else [telling(recovery, say)]
        within = Hours(runner, recovery)  # before the open it is held from its first frame on
        with suppress(KeyboardInterrupt):
            print(_begun(runner, cpu, socket, json_out), flush=True)
            end = within.seconds(seconds)
            every = [*turns, within.turn]
            _shown(runner, every, end, json_out, lambda: status_table(status(runner)))


def _made(
    prepared: tuple[Any, dict[str, Any], int],
    told: dict[str, Any],
    journal: Path,
    copy_user: str,
    password: str,
    busy: bool,
    durability: str,
) -> tuple[Any, Any]:
    """The runner, which listens; after a restart also what says when it may trade again."""
    from hftlib.ops.beginning import recovery_of
    from hftlib.ops.runner import Door, Place, Runner

    live, about, after = prepared
    lines = Place([told["line_a"], told["line_b"]], told["recovery"], told.get("interface", ""))
    door = Door(tuple(told["order_entry"]), password)
    if live.shadow is not None:  # which leads nowhere
        door = Door(("", 0), "")
    given: dict[str, Any] = {"places": [lines], "doors": [door], "sleeps": not busy}
    runner = Runner(live, journal, about, **given, after=after, durability=durability)
    return runner, recovery_of(runner, told, copy_user, password) if after else None


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
    """It runs: what it begins with, the mode first, in words, or as a machine needs it."""
    from hftlib.ops.modes import mode_text, scaled_lines

    runner.start(cpu)
    if not json_out:
        host = "; ".join(f"{name}: {got}" for name, got in runner.host.items())
        return "\n".join([f"{mode_text(runner.about)}; {host}", *scaled_lines(runner.about)])
    told = {"mode": runner.mode, "journal": str(runner.journal.folder), "host": runner.host}
    told |= {name: runner.about[name] for name in ("shadow", "canary") if name in runner.about}
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


def _shown(
    runner: Any,
    turns: list[Callable[[], Any]],
    seconds: float,
    quiet: bool,
    table: Callable[[], Any],
) -> None:
    """A table that stays where it is on a terminal; elsewhere nothing until the end."""
    from rich.console import Console
    from rich.live import Live

    console = Console()
    if quiet or not console.is_terminal:
        _run(runner, turns, seconds)
        return
    with Live(console=console, auto_refresh=False, transient=True) as shown:
        _run(runner, turns, seconds, lambda: shown.update(table(), refresh=True))


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
