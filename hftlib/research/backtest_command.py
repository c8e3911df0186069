"""`hft backtest FILE.py:Class --tape TAPE -p name=value`: a backtest from the command line.

    hft backtest a.py:Maker b.py:Taker --tape day -p Taker.size=2       several side by side
    hft backtest fast=a.py:Maker slow=a.py:Maker --tape day             two of one class
    hft backtest a.py:Maker --tape day --wire day.journal               on the wire, journaled

Prints the figures, or all of them as JSON; `-o FOLDER` keeps the result for later. Exit code 1 when
the strategy did not run to the end of the tape. Worst case: what `hftlib.research.backtest` says.
"""

from __future__ import annotations

import json
import math
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.core.errors import InputError
from hftlib.terminal import Json, show

Tape = Annotated[str, typer.Option("--tape", help="A tape: its path, or its name in data/tapes.")]
Params = Annotated[
    list[str] | None, typer.Option("-p", "--param", help="A parameter: edge_ticks=2. Repeatable.")
]


def backtest_command(
    strategy: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE.py:Class...",
            help="Also package.module:Class, or one of the library. Several run side by side;"
            " NAME=FILE.py:Class gives one a name.",
        ),
    ],
    tape: Tape,
    param: Params = None,
    begin: Annotated[str | None, typer.Option(help="From this time of the day: 09:35.")] = None,
    end: Annotated[str | None, typer.Option(help="Up to this time of the day.")] = None,
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", help="Only this instrument. Repeatable.")
    ] = None,
    order_latency: Annotated[str, typer.Option(help="One way to the venue: 250us.")] = "0ns",
    feed_latency: Annotated[str, typer.Option(help="From the venue: 50us.")] = "0ns",
    queue: Annotated[str, typer.Option(help="auto, fifo, risk-averse, power(2), log.")] = "auto",
    maker: Annotated[str, typer.Option(help="Fee of makers: -0.2bp.")] = "0%",
    taker: Annotated[str, typer.Option(help="Fee of takers: 1.5bp.")] = "0%",
    position: Annotated[int | None, typer.Option(help="Most to hold of each, in lots.")] = None,
    limits: Annotated[
        Path | None, typer.Option(help="A TOML file of limits; see `hft limits check`.")
    ] = None,
    uncompiled: Annotated[
        bool, typer.Option("--uncompiled", help="As plain Python: breakpoints and print work.")
    ] = False,
    wire: Annotated[
        Path | None,
        typer.Option(help="As bytes of the wire, against our exchange; a folder for its journal."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", help="Keep the result in this folder.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the result page, as HTML.")] = None,
    json_out: Json = False,
) -> None:
    """Run a strategy over a tape and print how it went."""
    from hftlib.research.store import found
    from hftlib.research.tape import open_tape

    held = _limits_of(limits, position)
    made, params = who_runs(strategy, param or [])
    recorded = part_of(open_tape(found(tape)), symbol or [], begin, end)
    for place in (output, report):
        require_place(place, may_exist=place is report)
    delays = {"order_latency": order_latency, "feed_latency": feed_latency}
    model = {"queue": queue, "maker": maker, "taker": taker, "uncompiled": uncompiled}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said below, as a sentence
        settings = {"params": params, "limits": held}
        if wire is None:
            result = _on_models(made, recorded, delays, model, settings)
        else:
            result = _on_wire(made, recorded, wire, delays, model, settings)
    if output is not None:
        result.save(output)
    if report is not None:
        report.write_text(result._repr_html_(), encoding="utf-8")
    _tell(result, json_out)
    _warn(recorded, result)


def _on_models(
    made: Any, recorded: Any, delays: dict[str, Any], model: dict[str, Any], settings: Any
) -> Any:
    """The backtest as it is known: a venue that is a model."""
    from hftlib.core.fees import Fees
    from hftlib.research.backtest import backtest
    from hftlib.venue.venue import Venue

    fees = Fees(maker=model["maker"], taker=model["taker"])
    venue = Venue(**delays, queue=model["queue"], fees=fees)
    return backtest(made, recorded, venue=venue, compiled=not model["uncompiled"], **settings)


def _on_wire(
    made: Any,
    recorded: Any,
    folder: Path,
    delays: dict[str, Any],
    model: dict[str, Any],
    settings: Any,
) -> Any:
    """The same strategy against our exchange; what a model would say is refused."""
    from hftlib.research.wire_backtest import wire_backtest

    usual = {"queue": "auto", "maker": "0%", "taker": "0%", "uncompiled": False}
    for name, value in model.items():
        if value != usual[name]:
            raise InputError(
                f"--{name} says nothing on the wire",
                where="hft backtest --wire",
                do="Leave it out: the exchange has real queues, takes no fees, and machine code"
                " talks to it.",
            )
    return wire_backtest(made, recorded, folder=folder, **delays, **settings)


def who_runs(texts: list[str], params: list[str]) -> tuple[Any, dict[str, Any]]:
    """One strategy with its parameters, or several by name with those of each."""
    from hftlib.research.lineup import lineup
    from hftlib.strategy.files import given_parameters, strategy_named

    parts = [text.partition("=") if _has_name(text) else ("", "", text) for text in texts]
    made = [strategy_named(place) for _, _, place in parts]
    if len(made) == 1 and not parts[0][0]:
        return made[0], given_parameters(params)
    names = [name or one.__name__ for (name, _, _), one in zip(parts, made, strict=True)]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise InputError(
            f"Two strategies are called {twice[0]}",
            where="hft backtest",
            do=f"Give one another name: {twice[0]}2=FILE.py:Class.",
        )
    by_name: dict[str, list[str]] = {}
    for text in params:
        name, dot, rest = text.partition(".")
        if not dot or name not in names:
            raise InputError(
                f"{text!r} does not say whose parameter it is",
                where="hft backtest -p",
                do=f"Write -p {names[0]}.name=value; there are {', '.join(names)}.",
            )
        by_name.setdefault(name, []).append(rest)
    settings = {name: given_parameters(given) for name, given in by_name.items()}
    together = dict(zip(names, made, strict=True))
    lineup(together, settings)  # what is wrong with them is said before the tape is opened
    return together, settings


def _has_name(text: str) -> bool:
    return text.partition("=")[0].isidentifier() and "=" in text


def _limits_of(file: Path | None, position: int | None) -> Any:
    """The limits of a file, or the one of the option."""
    from hftlib.risk.limits import Limits

    if file is not None and position is not None:
        do = "Leave out --position, and write position_lots into the file."
        raise InputError("Limits stand in a file and beside it", where="hft backtest", do=do)
    return Limits(position_lots=position) if file is None else file


def _warn(recorded: Any, result: Any) -> None:
    """What a reader of the figures must know; 1 where it did not run to the end."""
    if not recorded.orderly:
        typer.echo(
            "Times of the tape go back in places; there, the highest so far counts.", err=True
        )
    if not result.ok:
        typer.echo(f"It did not run to the end of the tape: {result.ended}", err=True)
        raise typer.Exit(1)


def _tell(result: Any, json_out: bool) -> None:
    """The figures as tables, or all there is to tell as JSON."""
    from rich.text import Text

    if not json_out:
        show(Text(repr(result)))
        if len(result.strategies) > 1:
            show(result.strategies)
        show(result.stats)
        return
    names = ("about", "ended", "digest", "refused", "rejected", "ended_by_venue", "counts")
    told = {name: getattr(result, name) for name in names}
    told["stats"] = result.stats.to_dict()
    if len(result.strategies) > 1:
        told["strategies"] = {
            name: {
                **{key: getattr(one, key) for key in names},
                "stats": one.stats.to_dict(),
            }
            for name, one in result.strategies.items()
        }
    print(json.dumps(plain(told), indent=2, ensure_ascii=False, allow_nan=False, default=str))


def part_of(tape: Any, symbols: list[str], begin: str | None, end: str | None) -> Any:
    """The slice that is meant, with events in it."""
    from hftlib.research.clocks import clock_text

    chosen = tape.only(*symbols) if symbols else tape
    chosen = chosen[begin:end] if begin or end else chosen
    if len(tape) and not len(chosen):
        span = " to ".join(clock_text(ns, tape.zone) for ns in (tape.begin, tape.end))
        raise InputError(
            "There are no events in this part of the tape",
            where=f"--begin {begin or 'its first'} --end {end or 'its last'}",
            do=f"Choose within {span}.",
        )
    return chosen


def require_place(place: Path | None, may_exist: bool, command: str = "hft backtest") -> None:
    """Refuse before the run what could not be written after it."""
    if place is None:
        return
    if not may_exist and place.exists():
        what, do = f"{str(place)!r} is there already", "Name another folder, or remove this one."
    elif may_exist and place.is_dir():
        what, do = f"{str(place)!r} is a folder", "Name a file in it."
    elif not place.absolute().parent.is_dir():
        what, do = f"There is no folder {str(place.parent)!r}", "Make it first, or name another."
    else:
        return
    raise InputError(what, where=f"{command} --report" if may_exist else f"{command} -o", do=do)


def plain(value: Any) -> Any:
    """The same for JSON, which has no word for what is not a number."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
