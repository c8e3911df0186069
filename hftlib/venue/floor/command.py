"""`hft exchange`: an exchange that runs until it is told to stop, and says where it listens.

    hft exchange --demo                   four symbols and a market of agents, with a live table
    hft exchange --tape day.tape          a recorded market, --speed times as fast, --from a time
    hft exchange --config exchange.toml   yours
    ... --json                            a line of JSON with all ports, one with counts at the end
    ... --journal FOLDER                  kept; the same again goes on in mid-session

Ctrl-C, a polite kill and `--seconds` end the day: orders end, streams say so, then it stops. The
fault `restart` ends the process and starts it again, on the same ports.
Worst case: drawing the table holds the one thread up, some 10 ms four times a second.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.core.errors import InputError
from hftlib.terminal import Json, counted, leave_through_finally

IDLE_MS = 1
SHOWN_S = 0.25
SYMBOLS_SHOWN = 20


def exchange_command(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option(help="TOML; docs/exchange.md has one.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Four symbols and a living market.")] = False,
    tape: Annotated[Path | None, typer.Option(help="A recorded market to trade in.")] = None,
    speed: Annotated[float, typer.Option(help="Of the tape: so many times as fast.")] = 1.0,
    begin: Annotated[str, typer.Option("--from", help="A time of its day to begin at.")] = "",
    json_out: Json = False,
    seconds: Annotated[float, typer.Option(help="Stop after so long; 0: never.", min=0.0)] = 0.0,
    journal: Annotated[
        Path | None, typer.Option(help="Keep all that comes in; go on where this folder ends.")
    ] = None,
    control: Annotated[
        str, typer.Option(help='Socket for `hft exchange tell`; "off" for none.')
    ] = "",
) -> None:
    """An exchange on this host: OUCH orders in, ITCH multicast out."""
    from hftlib.venue.floor import configuration
    from hftlib.venue.floor.demo import demo as demo_configuration
    from hftlib.venue.floor.tape_demo import of_tape

    if context.invoked_subcommand is not None:
        return
    _require_told(demo + (config is not None) + (tape is not None))
    _require_from(begin, tape)
    leave_through_finally()
    if tape is not None:
        given = of_tape(str(tape), speed, **({"tape_from": begin} if begin else {}))
    else:
        given = demo_configuration() if config is None else configuration.read(config)
    more = {"journal": str(journal)} if journal is not None else {}
    more |= {"control": control} if control else {}
    given = given.model_copy(update={"exchange": given.exchange.model_copy(update=more)})
    if given.clock.pace == "lockstep":
        raise InputError(
            "A lockstep goes on when a program says so, and nobody does here",
            where=f"{config}, at clock.pace",
            do='Use "wall" or "faster", or hftlib.venue.floor.exchange.Exchange in a program.',
        )
    from hftlib.core import jit
    from hftlib.core.control.places import place
    from hftlib.venue.floor.exchange import Exchange

    with counted("compiling", jit.registered()) as advance:  # before anybody waits for an answer
        jit.warm(lambda done, _total, name: advance(done, name))
    socket = place("exchange", given.exchange.control)
    with Exchange(given) as exchange, _heard(socket, exchange) as listening:
        try:
            if json_out:
                print(json.dumps(_places(exchange, socket)), flush=True)
                run(exchange, seconds, control=listening)
            else:
                _shown(exchange, seconds, socket, listening)
        except KeyboardInterrupt:
            pass
        if exchange.is_restarting:
            exchange.stop()
        else:
            exchange.end()
            _report(exchange, listening, json_out)
    if exchange.is_restarting:
        time.sleep(exchange.away_ms / 1_000)
        sys.stdout.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _require_told(told: int) -> None:
    if told != 1:
        raise InputError(
            f"{'More than one thing' if told else 'Nothing'} says what the exchange should be",
            where="hft exchange",
            do="Run `hft exchange --demo`, `hft exchange --tape FILE.tape` or "
            "`hft exchange --config FILE.toml`.",
        )


def _require_from(begin: str, tape: Path | None) -> None:
    """Before a tape is looked through or anything compiled, which may take minutes."""
    from hftlib.venue.floor.doings import CLOCK

    if not begin:
        return
    if tape is None:
        raise InputError(
            "Only a tape can begin at a time of its day",
            where="hft exchange --from",
            do="Leave it out, or give --tape FILE.tape.",
        )
    if not re.fullmatch(CLOCK, begin):
        raise InputError(
            f"{begin!r} is no time of a day",
            where="hft exchange --from",
            do="Write hours, minutes and perhaps seconds: 09:30 or 09:30:15.",
        )


def _report(exchange: Any, listening: Any, json_out: bool) -> None:
    """What was done that day."""
    if not json_out:
        print(f"The day is over: {exchange!r}")
        for note in exchange.notes:
            print(f"not done: {note}")
        return
    found = {"counts": exchange.counts | {"told": exchange.told}, "notes": exchange.notes}
    found["faults"] = exchange.faults.counts
    if listening is not None:
        found["control"] = listening.counts
    print(json.dumps(found), flush=True)


def _places(exchange: Any, socket: Path | None) -> dict[str, Any]:
    """Where it listens, where it keeps, and how much it brought back from there."""
    found: dict[str, Any] = exchange.places
    if socket is not None:
        found["control"] = str(socket)
    if exchange.keeping.folder is not None:
        found["journal"] = str(exchange.keeping.folder)
        found["replayed"] = exchange.replayed
    return found


@contextmanager
def _heard(path: Path | None, exchange: Any) -> Iterator[Any]:
    """The control socket, for as long as the exchange runs."""
    from hftlib.core.control.serving import Control
    from hftlib.venue.floor.control import obey

    made = Control(path, partial(obey, exchange)) if path is not None else None
    try:
        yield made
    finally:
        if made is not None:
            made.close()


def run(
    exchange: Any,
    seconds: float = 0.0,
    every: Callable[[], None] | None = None,
    control: Any = None,
) -> None:
    """Turn after turn until the day is over or the seconds are; `every` is called now and then.

    A signal is obeyed between two turns: half of one could not be done again from the journal.
    """
    until = time.monotonic() + seconds if seconds else float("inf")
    shown, busy = 0.0, 0
    with _signalled() as numbers:
        while not numbers and not exchange.is_over and (now := time.monotonic()) < until:
            if exchange.is_restarting:
                return
            busy = exchange.step(timeout_ms=0 if busy else IDLE_MS)
            if control is not None:
                control.poll()
            if every is not None and now - shown >= SHOWN_S:
                shown = now
                every()
    if numbers and numbers[0] == signal.SIGINT:
        raise KeyboardInterrupt
    if numbers:
        raise SystemExit(128 + numbers[0])


@contextmanager
def _signalled() -> Iterator[list[int]]:
    """What came meanwhile of Ctrl-C, a polite kill and a closed terminal."""
    came: list[int] = []
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in asked}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, lambda number, _frame: came.append(number))
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _shown(exchange: Any, seconds: float, socket: Path | None, control: Any) -> None:
    """A table that stays where it is on a terminal; elsewhere only where it listens."""
    from rich.console import Console
    from rich.live import Live

    console = Console()
    for name, at in _places(exchange, socket).items():
        if isinstance(at, list) or name in ("control", "journal"):
            said = f"{at[0]}:{at[1]}" if isinstance(at, list) else at
            console.print(f"{name.replace('_', ' '):12} {said}", highlight=False, soft_wrap=True)
    if not console.is_terminal:
        run(exchange, seconds, control=control)
        return
    rates = _Rates()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        run(exchange, seconds, lambda: live.update(table(exchange, rates), refresh=True), control)


class _Rates:
    """How much of each count came a second since it was last asked."""

    def __init__(self) -> None:
        self._at, self._before = time.monotonic(), dict[str, int]()

    def of(self, counts: dict[str, int]) -> dict[str, float]:
        now = time.monotonic()
        passed = max(now - self._at, 1e-9)
        found = {name: (n - self._before.get(name, 0)) / passed for name, n in counts.items()}
        self._at, self._before = now, dict(counts)
        return found


def table(exchange: Any, rates: _Rates) -> Any:
    """What the exchange does now: rates, sessions, the best of each book."""
    from rich.box import SIMPLE
    from rich.table import Table

    counts = exchange.counts
    rate = rates.of(counts)
    made = Table(
        box=SIMPLE,
        title=f"{rate['heard']:,.0f} orders in/s, {rate['messages']:,.0f} messages out/s, "
        f"{counts['sessions']} sessions, {counts['orders']:,} orders stand",
    )
    for name in ("symbol", "state", "bid shares", "bid", "ask", "ask shares", "trades", "volume"):
        made.add_column(name, justify="left" if name in ("symbol", "state") else "right")
    from hftlib.venue.matching.records import STATES

    rows = exchange.engine.arena["symbols"]
    for n, symbol in enumerate(exchange.parts.symbols[:SYMBOLS_SHOWN]):
        book = exchange.engine.books.of(symbol)
        bid, ask = book.best_bid, book.best_ask
        made.add_row(
            symbol,
            STATES[int(rows["state"][n])],
            f"{bid.quantity:,}" if bid else "",
            f"{bid.price:,.2f}" if bid else "",
            f"{ask.price:,.2f}" if ask else "",
            f"{ask.quantity:,}" if ask else "",
            f"{int(rows['trades'][n]):,}",
            f"{int(rows['volume'][n]):,}",
        )
    return made
