"""`hft bench`: which bench, of what, how often; and how its rows are printed.

    hft bench core          rows beside their yardsticks; docs/benchmarks.md lists all
    hft bench live --wire   over real sockets
    hft bench page          what a runner's page costs, and whether its readers can be felt
    hft bench soak          a runner that trades for minutes, and whether all held

Rooms are imported inside, so that `hft --help` is there at once. Worst case: the first bench after
an edit compiles what it measures, with a progress bar.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib import __version__
from hftlib.core.errors import InputError
from hftlib.terminal import Json, counted, patience, show

SUITES = ("core", "risk", "match", "ouch", "exchange", "journal", "store", "probe")
OF_FILES = ("itch", "book")
OF_JOURNALS = ("replay", "live")


def bench_command(
    what: Annotated[
        str,
        typer.Argument(
            help="core, itch, book, backtest, risk, match, ouch, exchange, journal, store, "
            "replay, live, soak, sweep, page."
        ),
    ] = "",
    file: Annotated[
        Path | None,
        typer.Argument(
            help="itch, book: ITCH 5.0, plain or gzip; backtest: .npz; replay, live: a journal."
        ),
    ] = None,
    probe: Annotated[
        bool, typer.Option("--probe", help="Measure the machine itself, the yardstick.")
    ] = False,
    runs: Annotated[int, typer.Option(help="Runs to take the median of.", min=1, max=1000)] = 7,
    peer: Annotated[
        str | None,
        typer.Option(
            help="For itch and book: a command to take turns with. It reads FILE from its standard "
            "input and prints a number before `nanos per packet` or `ns per message`; the last "
            "one counts. For backtest: the Python that has hftbacktest (`make peers`).",
        ),
    ] = None,
    wire: Annotated[
        bool, typer.Option("--wire", help="For live: from UDP in to TCP out, on loopback.")
    ] = False,
    minutes: Annotated[float, typer.Option(help="For soak: how long.", min=0.05, max=10_000)] = 5.0,
    json_out: Json = False,
) -> None:
    """Measure hftlib on this host, each figure beside its yardstick."""
    if wire and what != "live":
        do = "Run `hft bench live --wire`."
        raise InputError("Only the live bench has a wire", where="hft bench --wire", do=do)
    if what == "backtest":
        _backtest(file, runs, peer, json_out)
    elif what in OF_FILES:
        _file(what, file, runs, peer, json_out)
    elif what == "soak":
        _soak(minutes, json_out)
    elif what == "sweep":
        _sweep(json_out)
    elif what == "page":
        _page(runs, json_out)
    elif wire:
        _wire(runs, json_out)
    elif what in OF_JOURNALS:
        module = import_module(f"hftlib.bench.{what}")
        made_ready()
        _print_measurements(module.benches(file), runs, json_out)
    else:
        _suites(what, file, probe, runs, peer, json_out)


def _suites(
    what: str, file: Path | None, probe: bool, runs: int, peer: str | None, json_out: bool
) -> None:
    if peer is not None:
        do = "Run `hft bench book FILE --peer COMMAND`."
        raise InputError("A peer is for the bench of a file", where="hft bench --peer", do=do)
    wanted = [name for name in (what, "probe" if probe else "") if name]
    unknown = [name for name in wanted if name not in SUITES]
    if unknown or not wanted or file is not None:
        raise InputError(
            f"There is no bench {what!r}" if unknown else "No bench was named",
            where="hft bench",
            do="Run `hft bench core`, `journal`, `risk`, `match`, `ouch`, `exchange`, `store`, "
            "`itch FILE`, `book FILE`, `replay FOLDER`, `live FOLDER`, `live --wire`, `soak`, "
            "`sweep`, `page`, `backtest`, or --probe.",
        )
    modules = [import_module(f"hftlib.bench.{name}") for name in wanted]
    made_ready()
    _print_measurements([row for module in modules for row in module.benches()], runs, json_out)


def _backtest(file: Path | None, runs: int, peer: str | None, json_out: bool) -> None:
    from hftlib.bench import backtest

    made_ready()
    with counted("measuring", 4) as advance:
        reading = backtest.read(file, runs, peer, advance)
    if json_out:
        print(json.dumps(reading.as_json(), indent=2, ensure_ascii=False))
    else:
        show(backtest.table(reading))


def _file(what: str, file: Path | None, runs: int, peer: str | None, json_out: bool) -> None:
    if file is None:
        do = "Give an ITCH 5.0 file; `hft data synth` makes one."
        raise InputError(f"`hft bench {what}` needs a file to read", where="hft bench", do=do)
    from hftlib.bench import market

    made_ready()
    with counted("measuring", runs + 2) as advance:
        reading = market.read_file(what, file, runs, advance, peer)
    if json_out:
        print(json.dumps(reading.as_json(), indent=2, ensure_ascii=False))
    else:
        show(market.table(reading))


def _soak(minutes: float, json_out: bool) -> None:
    from hftlib.bench import soak

    made_ready()
    with patience() as advance:
        soaked = soak.soak(minutes, advance)
    if json_out:
        print(json.dumps(soaked.as_json(), indent=2, ensure_ascii=False))
    else:
        show(soaked.table())
    if not soaked.is_sound:
        raise typer.Exit(1)


def _sweep(json_out: bool) -> None:
    from hftlib.bench import sweep

    made_ready()
    with patience() as advance:
        reading = sweep.read(advance)
    if json_out:
        print(json.dumps(reading.as_json(), indent=2, ensure_ascii=False))
    else:
        show(sweep.table(reading))


def _page(runs: int, json_out: bool) -> None:
    from hftlib.bench import page

    made_ready()
    with patience() as advance:
        found = page.read(runs, advance)
    if json_out:
        print(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        show(found.table())


def _wire(runs: int, json_out: bool) -> None:
    from hftlib.bench import wire

    made_ready()
    with patience() as advance:
        found = wire.measured(runs, advance)
    if json_out:
        print(json.dumps(found.as_json(), indent=2, ensure_ascii=False))
    else:
        show(found.table())


def made_ready() -> list[Any]:
    """Compile, or find, every entry of the modules that are loaded, with a progress bar."""
    from hftlib.core import jit

    with counted("compiling", jit.registered()) as advance:
        return jit.warm(lambda done, _total, name: advance(done, name))


def _print_measurements(benches: list[Any], runs: int, json_out: bool) -> None:
    from hftlib.bench import harness

    rows = []
    with counted("measuring", len(benches)) as advance:
        for number, one in enumerate(benches):
            advance(number, one.name)
            rows.append(harness.measure(one, runs))
        advance(len(benches), "")
    if json_out:
        print(json.dumps(harness.as_json(rows), indent=2, ensure_ascii=False))
    else:
        show(harness.table(rows, f"hftlib {__version__} on this host"))
