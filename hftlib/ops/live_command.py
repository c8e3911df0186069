"""`hft live`: run a strategy on the wire.

    hft live maker.py:Maker --exchange exchange.json --user frm1a --journal day.journal
    hft live maker.py:Maker --mode shadow ...     nothing is sent: a model of each venue answers
    hft live arb.py:Arb --exchange XNAS=a.json --exchange XBOS=b.json --journal day.journal
    hft live --resume --exchange exchange.json --journal day.journal     after a kill -9
    hft live --release maker-7 --trusted keys ...   what somebody signed (`released_launch.py`)
    hft live maker@champion --trusted keys ...      what a rollout's steps let in
    hft live ... --take-over runner.socket --why ...     from a runner that trades: `hft switch`

Ctrl-C, a polite kill and `--seconds` end the day: the strategy says its last word, its orders are
taken back, the journal is closed. Worst case: drawing the table takes the GIL, which the hot thread
does not want.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, HostError
from hftlib.ops import live_options as options
from hftlib.terminal import Json, counted, leave_through_finally

TURN_S, SHOWN_S = 0.002, 0.25
PART_S = 0.5  # a watchdog looks ten times a second
WAIT_S = 300.0  # for an exchange that still compiles


def live_command(
    *,
    strategies: options.Strategies = None,
    exchange: options.Exchange,
    journal: options.Folder,
    resume: options.Resume = False,
    copy_user: options.CopyUser = None,
    user: options.User = None,
    password: options.Password = "secret",
    param: options.Param = None,
    limits: options.Limits = None,
    fee: options.Fee = None,
    durability: options.Durability = "",
    standby: options.Standby = "",
    standby_lost: options.StandbyLost = "stop",
    standby_patience: options.StandbyPatience = 2.0,
    secret: options.Secret = None,
    symbols: options.Symbols = "",
    mode: options.ModeName = "",
    latency_us: options.LatencyUs = None,
    share: options.Share = None,
    scale: options.Scale = None,
    yes: options.Yes = False,
    cpu: options.Cpu = None,
    busy: options.Busy = False,
    control_path: options.ControlPath = "",
    seconds: options.Seconds = 0.0,
    calendar: options.Calendar = None,
    end_before_close: options.EndBeforeClose = 60.0,
    release: options.ReleaseFolder = None,
    trusted: options.Trusted = None,
    group_digest: options.GroupDigest = "",
    group: options.Group = "",
    older: options.Older = "",
    shelf: options.Shelf = None,
    take_over: options.TakeOver = None,
    who: options.Who = "",
    why: options.Why = "",
    json_out: Json = False,
) -> None:
    """Run strategies against exchanges, journaled."""
    from hftlib.ops.beginning import Given, new, resumed, say_recovery
    from hftlib.ops.exchanges import Exchanges, passwords
    from hftlib.ops.hours import hours_at
    from hftlib.ops.other_side import beside, launch_of
    from hftlib.ops.released_launch import How, launched
    from hftlib.ops.replicating import keeping

    leave_through_finally()
    exchanges = Exchanges(exchange, "hft live", _venues(journal) if resume else ())
    settings = mode, *exchanges.latencies(latency_us or []), share, tuple(scale or ()), yes
    users = exchanges.each(user or [], "frm1a", "--user")
    copies = exchanges.each(copy_user or [], "frm1d", "--copy-user")
    words = passwords(exchanges.venues, password, "HFT_PASSWORD")
    fees = exchanges.fees(fee) if fee else {}
    given = Given(strategies or [], param or [], limits, symbols, users, *settings, fees)
    say = partial(say_recovery, json_out)
    how = How(release, trusted, group_digest, group, older, shelf)
    prepared = launched(how, resumed if resume else new, given, journal, say)
    followed = standby, standby_lost, standby_patience, secret
    kept = keeping(journal, durability, *followed, resume=resume)
    other = beside(take_over, who, why, resume=resume)
    calendars = exchanges.each(calendar or [], "", "--calendar")
    hours = {} if resume else hours_at(calendars, end_before_close)  # else the day's own
    _compile()
    told, socket = exchanges.told(WAIT_S), other.place(control_path)
    runner = _made(other.laid(prepared(told, hours)), journal, told, words, kept, sleeps=not busy)
    recovery = other.recovery(runner, told, copies, words, json_out)
    launch = launch_of(exchanges.files, copies, seconds, scale, followed, cpu=cpu, busy=busy)
    _trade(runner, recovery, launch, socket, cpu, seconds, json_out, say)


def _compile() -> None:
    """All of it now: nothing compiles once it trades."""
    from importlib import import_module

    from hftlib.core import jit

    import_module("hftlib.ops.page")  # what writes it is compiled with all else, or never
    with counted("compiling", jit.registered()) as advance:
        jit.warm(lambda done, _total, name: advance(done, name))


def _venues(journal: Path) -> list[str]:
    """Where the runner of a journal trades; nothing of what is none, which is refused later."""
    from hftlib.engine.live.replaying import about
    from hftlib.ops.exchanges import venues_of

    with suppress(HftError):
        return venues_of(about(journal))
    return []


def _trade(
    runner: Any,
    recovery: Any,
    launch: Mapping[str, Any],
    socket: Path | None,
    cpu: int | None,
    seconds: float,
    json_out: bool,
    say: Callable[..., Any],
) -> None:
    """Until it is told to end, or its time is over."""
    from hftlib.core import jit
    from hftlib.ops.beginning import telling
    from hftlib.ops.handing_over import HandedOverError, HandingOver
    from hftlib.ops.hours import Hours
    from hftlib.ops.showing import status_table
    from hftlib.ops.status import status

    handing = HandingOver(runner, launch)
    with runner, _heard(socket, runner, handing) as control:
        status_table(status(runner))  # what may be asked is made ready, too
        jit.freeze()
        turns = [] if control is None else [control.poll, handing.turn]
        _show(runner, socket)
        turns += [] if recovery is None else [telling(recovery, say)]
        if runner.about.get("takes_over") and not runner.is_resumed:
            recovery.in_its_place_of(control)
        within = Hours(runner, recovery)  # before the open it is held from its first frame on
        with suppress(KeyboardInterrupt, HandedOverError):
            print(_begun(runner, cpu, socket, json_out), flush=True)
            end = within.seconds(seconds)
            every = [*turns, within.turn]
            _shown(runner, every, end, json_out, lambda: status_table(status(runner)))
    _say_the_end(runner, json_out)


def _show(runner: Any, socket: Path | None) -> None:
    """Other processes read how it stands, also when nobody answers; it needs no more than that."""
    from hftlib.ops.page import Page
    from hftlib.ops.page_reading import page_path

    if socket is not None:
        try:
            Page(runner, page_path(socket))
        except HftError as error:
            print(f"no page for other processes: {error.what}", file=sys.stderr, flush=True)


def _made(
    prepared: tuple[Any, dict[str, Any], int],
    journal: Path,
    told: Mapping[str, Mapping[str, Any]],
    words: Mapping[str, str],
    kept: Any,
    **settings: Any,
) -> Any:
    """The runner, which listens to all exchanges, in the order of its feeds."""
    from hftlib.ops.connections import card
    from hftlib.ops.runner import Door, Place, Runner

    live, about, after = prepared
    places, doors = [], []
    for venue, one in told.items():
        lines = [one["line_a"], one["line_b"]]
        through = card(one.get("interface", ""), (one["recovery"][0], one["recovery"][1]))
        places.append(Place(lines, one["recovery"], through))
        leads = Door(tuple(one["order_entry"]), words[venue])
        doors.append(leads if live.shadow is None else Door(("", 0), ""))  # which leads nowhere
    settings |= kept.settings
    runner = Runner(live, journal, about, places=places, doors=doors, after=after, **settings)
    kept.applied(runner)
    return runner


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


def _begun(runner: Any, cpu: int | None, socket: Path | None, json_out: bool) -> str:
    """It runs: what it begins with, the mode first, in words, or as a machine needs it."""
    from hftlib.ops.modes import mode_text, scaled_lines

    runner.start(cpu)
    if not json_out:
        host = "; ".join(f"{name}: {got}" for name, got in runner.host.items())
        return "\n".join([f"{mode_text(runner.about)}; {host}", *scaled_lines(runner.about)])
    told = {"mode": runner.mode, "journal": str(runner.journal.folder), "host": runner.host}
    kept = ("shadow", "shadow_at", "canary")
    told |= {name: runner.about[name] for name in kept if name in runner.about}
    return json.dumps(told | ({"control": str(socket)} if socket is not None else {}))


@contextmanager
def _heard(path: Path | None, runner: Any, handing: Any) -> Iterator[Any]:
    """The control socket, until its day is over and whoever watches it has heard so.

    A watchdog must not take an end for a hang: it would end what is taking its orders back.
    """
    from hftlib.core.control.serving import Control
    from hftlib.ops.obeying import obey

    def heard(said: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = (
            handing.obey(said) if said.get("do") == "hand_over" else obey(runner, said)
        )
        return told

    made = Control(path, heard) if path is not None else None
    try:
        yield made
    finally:
        if made is not None:
            runner.stop(made.poll)
            made.part(PART_S)
            made.close()
            if runner.page is not None:
                runner.page.remove()


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
