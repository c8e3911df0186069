"""`hft backtest FILE.py:Class --tape TAPE -p name=value`: a backtest from the command line.

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
        str,
        typer.Argument(
            metavar="FILE.py:Class", help="Also package.module:Class, or one of the library."
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
    uncompiled: Annotated[
        bool, typer.Option("--uncompiled", help="As plain Python: breakpoints and print work.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("-o", help="Keep the result in this folder.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write the result page, as HTML.")] = None,
    json_out: Json = False,
) -> None:
    """Run a strategy over a tape and print how it went."""
    from hftlib.core.fees import Fees
    from hftlib.research.backtest import backtest
    from hftlib.research.store import found
    from hftlib.research.strategy_files import strategy_named
    from hftlib.research.tape import open_tape
    from hftlib.risk.limits import Limits
    from hftlib.venue.venue import Venue

    made = strategy_named(strategy)
    params = given_parameters(param or [])
    recorded = part_of(open_tape(found(tape)), symbol or [], begin, end)
    for place in (output, report):
        _require_place(place, may_exist=place is report)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said below, as a sentence
        result = backtest(
            made,
            recorded,
            params=params,
            venue=Venue(
                order_latency=order_latency,
                feed_latency=feed_latency,
                queue=queue,
                fees=Fees(maker=maker, taker=taker),
            ),
            limits=Limits(position=position),
            compiled=not uncompiled,
        )
    if output is not None:
        result.save(output)
    if report is not None:
        report.write_text(result._repr_html_(), encoding="utf-8")
    _tell(result, json_out)
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
        show(result.stats)
        return
    names = ("about", "ended", "digest", "refused", "rejected", "ended_by_venue", "counts")
    told = {name: getattr(result, name) for name in names}
    told["stats"] = result.stats.to_dict()
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


def _require_place(place: Path | None, may_exist: bool) -> None:
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
    raise InputError(what, where="hft backtest --report" if may_exist else "hft backtest -o", do=do)


def plain(value: Any) -> Any:
    """The same for JSON, which has no word for what is not a number."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def given_parameters(texts: list[str]) -> dict[str, Any]:
    """`name=value` texts as Python values: whole numbers, numbers, true or false."""
    made: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise InputError(
                f"{text!r} is no parameter", where="hft backtest -p", do="Write -p name=value."
            )
        made[name.strip()] = _value(value.strip())
    return made


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
