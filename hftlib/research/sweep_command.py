"""`hft sweep FILE.py:Class TAPE... --space edge_ticks=1,2,3 --space clip=100:1000`: many backtests.

    hft sweep ideas.py:Maker mon.tape tue.tape --method random --trials 200 -o sweeps/maker
    hft sweep Maker day --space edge_ticks=1,2,3 --json

`a,b,c` are values, `a:b` is a range from a to b; without --space each parameter's own low and high.
Run again with the same -o FOLDER it goes on where it was stopped. Where all trials failed it says
so and leaves 3. Worst case: what `hftlib.research.sweep` says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from hftlib.core.errors import InputError
from hftlib.terminal import Json, show

Option = typer.Option
Class = Annotated[
    str,
    typer.Argument(metavar="FILE.py:Class", help="Also package.module:Class, or of the library."),
]
Tapes = Annotated[
    list[str], typer.Argument(metavar="TAPE...", help="Paths, or names in data/tapes.")
]
Spaces = Annotated[
    list[str] | None,
    Option("--space", help="What to vary: edge=1,2,3 or clip=100:1000. Repeatable."),
]
Params = Annotated[list[str] | None, Option("-p", "--param", help="One that stays: edge=2.")]
Limited = Annotated[Path | None, Option(help="A TOML file of limits; see `hft limits check`.")]
Cluster = Annotated[
    str | None, Option(help="threads, ray, or ray://host:10001; otherwise HFT_CLUSTER.")
]
Output = Annotated[Path | None, Option("-o", help="Its folder, new or to go on in.")]


def sweep_command(
    strategy: Class,
    tape: Tapes,
    space: Spaces = None,
    param: Params = None,
    objective: Annotated[str, Option(help="A figure to make large; -figure: small.")] = "sharpe",
    method: Annotated[str, Option(help="grid, random or optuna.")] = "grid",
    trials: Annotated[int | None, Option(help="How many; a grid has its own number.")] = None,
    seed: Annotated[int, Option(help="The same seed, the same trials.")] = 0,
    step: Annotated[str, Option(help="Of the P&L that is kept of each trial.")] = "1m",
    order_latency: Annotated[str, Option(help="One way to the venue: 250us.")] = "0ns",
    feed_latency: Annotated[str, Option(help="From the venue: 50us.")] = "0ns",
    queue: Annotated[str, Option(help="auto, fifo, risk-averse, power(2), log.")] = "auto",
    maker: Annotated[str, Option(help="Fee of makers: -0.2bp.")] = "0%",
    taker: Annotated[str, Option(help="Fee of takers: 1.5bp.")] = "0%",
    limits: Limited = None,
    workers: Annotated[int | None, Option(help="Threads; all processors otherwise.")] = None,
    cluster: Cluster = None,
    experiment: Annotated[str | None, Option(help="In the registry of trials.")] = None,
    output: Output = None,
    best: Annotated[int, Option(help="How many to list.", min=1)] = 5,
    json_out: Json = False,
) -> None:
    """Run a strategy with many parameters, and say which were best and whether to believe it."""
    from hftlib.core.fees import Fees
    from hftlib.research.sweep.sweeping import sweep
    from hftlib.strategy.files import given_parameters, strategy_named
    from hftlib.venue.venue import Venue

    made = strategy_named(strategy)(**given_parameters(param or [], "hft sweep"))
    fees = Fees(maker=maker, taker=taker)
    swept = sweep(
        made,
        list(tape),
        space_given(space or []) or None,
        objective=objective,
        method=method,
        trials=trials,
        seed=seed,
        step=step,
        venue=Venue(order_latency=order_latency, feed_latency=feed_latency, queue=queue, fees=fees),
        limits=limits,
        workers=workers,
        cluster=cluster,
        folder=output,
        experiment=experiment,
    )
    if json_out:
        told = {**swept.as_json(), "best": swept.best_rows(best)}
        told["folder"] = str(output) if output is not None else None
        print(json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False))
        return
    _tell(swept, best)


def space_given(texts: list[str]) -> dict[str, Any]:
    """`name=1,2,3` and `name=1:9` as the space that `hft.sweep` takes."""
    from hftlib.strategy.files import given_parameters

    made: dict[str, Any] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        name = name.strip()
        parts = values.split(":") if ":" in values else values.split(",")
        if not equals or not name.isidentifier() or not all(part.strip() for part in parts):
            raise _no_space(text)
        if name in made:
            what = f"{name} has two spaces"
            raise InputError(what, where="hft sweep --space", do="Name it once.")
        given = [given_parameters([f"{name}={part}"])[name] for part in parts]
        if ":" in values and len(given) != 2:
            raise _no_space(text)
        made[name] = tuple(given) if ":" in values else given
    return made


def _no_space(text: str) -> InputError:
    do = "Write --space name=1,2,3 for values, or --space name=1:9 for a range."
    return InputError(f"{text!r} says no values", where="hft sweep --space", do=do)


def _tell(swept: Any, best: int) -> None:
    """The sentence, and the best as a table."""
    from rich.text import Text

    from hftlib.research.sweep.pictures import table_of

    show(Text(repr(swept)))
    show(table_of(swept, best).rich())
