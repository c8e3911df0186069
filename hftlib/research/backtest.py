"""`hft.backtest`: a strategy over a tape, as it would have gone; a Result.

    result = hft.backtest(QueueImbalance, tape, params={"edge_ticks": 2},
                          venue=hft.Venue(order_latency="250us"),
                          limits=hft.Limits(position_lots=1_000))

    several = hft.backtest([Maker, Taker], tape, params=[{"edge": 2}, {}])
    several.strategies["Maker"], several           a Result of each, and of all together

Several strategies share one view of the market, one line to each venue and one risk; each event is
seen by one after the other, in the order given. Names and parameters: `lineup.py`.

The tape may be a slice: books begin as they stood there. `venue` may be a dict of settings by venue
name, for tapes of several. `compiled=False` runs the strategy as plain Python over the same engine:
breakpoints and `print` work, and what comes out is the same.

A snapshot at the tape's beginning is how the books stood: it is no event that a strategy sees.

A run that ends before its tape gives a Result all the same, with `ended` set and shown on its page.
It warns as well, for a cell that keeps only figures of many runs would otherwise hide that some are
of half a day; but not where the strategy asked for the end by `ctx.stop`.

How much room books need is guessed low and made larger while a run has hardly begun; results never
depend on it. Worst case: a strategy that ends with an exception at the last event: all was run.
"""

from __future__ import annotations

import time as wall
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hftlib.book.capacity import Capacity
from hftlib.core.errors import HostError
from hftlib.core.times import Duration
from hftlib.engine.driving import STEPS, Backtest
from hftlib.engine.log import HORIZONS_NS
from hftlib.execution.curves import VolumeCurve
from hftlib.feed.source import Source
from hftlib.research.lineup import lineup
from hftlib.research.result import Result
from hftlib.research.result_making import (
    pass_on_interrupts,
    result_of,
    stopped_themselves,
    why_stopped,
)
from hftlib.research.risk_watch import RiskWatch
from hftlib.research.setting_up import (
    Settings,
    curves_of,
    first_room,
    horizons_of,
    limits_of,
    settings_of,
    tape_of,
)
from hftlib.research.staging import prepared
from hftlib.research.tape import Tape
from hftlib.risk.limits import Limits
from hftlib.risk.people import Directive
from hftlib.terminal import patience
from hftlib.venue.venue import Venue

_MOST = 1 << 29
_MORE = 8
STEPS_UNCOMPILED = 1 << 12


def backtest(
    strategy: Any,
    tape: Tape | Source | Path | str,
    *,
    params: Mapping[str, Any] | Sequence[Mapping[str, Any] | None] | None = None,
    venue: Settings = None,
    limits: Limits | Path | str | None = None,
    directives: Sequence[Directive] = (),
    risk_watch: RiskWatch | None = None,
    curves: Mapping[str, VolumeCurve] | None = None,
    compiled: bool = True,
    every: Any = None,
    horizons: Sequence[Duration] = HORIZONS_NS,
    steps: int = STEPS,
) -> Result:
    """Run the strategy, or several, over the tape; equity is sampled `every` so long ("1s").

    `curves` are the curves of volume, by symbol, that VWAP orders follow (`hft.volume_curve`).
    `horizons` are how long after a fill the price is looked at again: ["100ms", "1s"].
    `limits` may be the path of a TOML file. `directives` are what people tell risk on the way.
    """
    strategies = lineup(strategy, params)
    recorded = tape_of(tape)
    settings = settings_of(venue, recorded)
    held, after = limits_of(limits), horizons_of(horizons)
    began = wall.perf_counter()
    if not recorded.orderly:
        warnings.warn(
            f"Times of {recorded.path.name} go back in places; there, the highest so far counts.",
            stacklevel=2,
        )
    run, ended = ran(
        strategies,
        recorded,
        settings,
        held,
        curves=curves_of(curves, recorded),
        compiled=compiled,
        every=every,
        horizons=after,
        steps=steps,
        directives=directives,
        risk_watch=risk_watch,
    )
    if ended and not stopped_themselves(run):
        who = run.session.names[0] if len(run.parts) == 1 else "Not all"
        warnings.warn(f"{who} did not run to the end of the tape: {ended}", stacklevel=2)
    about = {
        "tape": recorded.path.name,
        "tape_digest": recorded.digest,
        "venue": {name: repr(each) for name, each in settings.items()},
        "limits": held.text,
        "scopes": run.session.risk.names,
        "begin": recorded.begin,
        "end": recorded.end,
        "events": len(recorded),
        "seconds": wall.perf_counter() - began,
        "compiled": compiled,
        "zone": recorded.zone,
    }
    return result_of(run, recorded, after, ended, about)


def ran(
    strategies: Any,
    tape: Tape,
    settings: Mapping[str, Venue],
    limits: Limits,
    *,
    curves: Mapping[str, VolumeCurve] | None = None,
    compiled: bool = True,
    every: Any = None,
    horizons: Sequence[int] = HORIZONS_NS,
    steps: int = STEPS,
    watched: Callable[[Backtest], None] | None = None,
    directives: Sequence[Directive] = (),
    risk_watch: RiskWatch | None = None,
) -> tuple[Backtest, str]:
    """The run behind a result, and why it ended early; `watched` looks on every so many steps.

    `strategies` is one, or several by name.
    """
    room = first_room(tape)
    with patience() as advance:
        while True:
            run = prepared(
                strategies,
                tape,
                settings,
                limits,
                room,
                every,
                horizons,
                directives,
                risk_watch,
                curves,
            )
            run.session.connect(compiled)
            if not compiled and len(run.parts) > 1:
                steps = min(steps, STEPS_UNCOMPILED)  # what ends one has to end all, and soon

            def progress(share: float, what: str, run: Backtest = run) -> None:
                advance(share, what)
                pass_on_interrupts(run)
                if watched is not None:
                    watched(run)

            ended = run.go(progress, steps)
            if not run.short_of_room:
                return run, ended or why_stopped(run)
            room = _larger(room, run.short_of_room, tape)


def _larger(room: Capacity, short: list[str], tape: Tape) -> Capacity:
    if any(getattr(room, name) * _MORE > _MOST for name in short):
        raise HostError(
            f"The books of this tape need more than {_MOST:,} {short[0]}",
            where=repr(tape),
            do="Take fewer instruments at once: tape.only(...).",
        )
    return replace(room, homes=0, **{name: getattr(room, name) * _MORE for name in short})
