"""`hft.backtest`: a strategy over a tape, as it would have gone; a Result.

    result = hft.backtest(QueueImbalance, tape, params={"edge_ticks": 2},
                          venue=hft.Venue(order_latency="250us"), limits=hft.Limits(position=1_000))

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

import numpy as np

from hftlib.book.capacity import Capacity
from hftlib.core.errors import HostError
from hftlib.core.orders import ASKED, DONE, OURS, REASONS
from hftlib.core.times import Duration
from hftlib.engine.driving import STEPS, Backtest
from hftlib.engine.log import HORIZONS_NS
from hftlib.engine.memory import STOPPED_BY_FAULT, STOPPED_ITSELF
from hftlib.feed.source import Source
from hftlib.research.last_sample import with_last_sample
from hftlib.research.result import Result
from hftlib.research.setting_up import (
    Settings,
    first_room,
    horizons_of,
    limits_of,
    prepared,
    settings_of,
    strategy_of,
    tape_of,
)
from hftlib.research.tape import Tape
from hftlib.risk.limits import Limits
from hftlib.strategy.abi import CALLBACKS
from hftlib.terminal import patience
from hftlib.venue.venue import Venue

_MOST = 1 << 29
_MORE = 8


def backtest(
    strategy: Any,
    tape: Tape | Source | Path | str,
    *,
    params: Mapping[str, Any] | None = None,
    venue: Settings = None,
    limits: Limits | None = None,
    compiled: bool = True,
    every: Any = None,
    horizons: Sequence[Duration] = HORIZONS_NS,
    steps: int = STEPS,
) -> Result:
    """Run the strategy over the tape; equity is sampled `every` so long ("1s").

    `horizons` are how long after a fill the price is looked at again: ["100ms", "1s"].
    """
    one = strategy_of(strategy, params)
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
        one,
        recorded,
        settings,
        held,
        compiled=compiled,
        every=every,
        horizons=after,
        steps=steps,
    )
    if ended and not _stopped_itself(run):
        warnings.warn(f"{one.name} did not run to the end of the tape: {ended}", stacklevel=2)
    about = {
        "strategy": one.name,
        "parameters": dict(one.parameters),
        "strategy_digest": one.digest,
        "tape": recorded.path.name,
        "tape_digest": recorded.digest,
        "venue": {name: repr(each) for name, each in settings.items()},
        "limits": held.text,
        "begin": recorded.begin,
        "end": recorded.end,
        "events": len(recorded),
        "seconds": wall.perf_counter() - began,
        "compiled": compiled,
        "zone": recorded.zone,
    }
    return _result(run, recorded, after, ended, about)


def ran(
    strategy: Any,
    tape: Tape,
    settings: Mapping[str, Venue],
    limits: Limits,
    *,
    compiled: bool = True,
    every: Any = None,
    horizons: Sequence[int] = HORIZONS_NS,
    steps: int = STEPS,
    watched: Callable[[Backtest], None] | None = None,
) -> tuple[Backtest, str]:
    """The run behind a result, and why it ended early; `watched` looks on every so many steps."""
    room = first_room(tape)
    with patience() as advance:
        while True:
            run = prepared(strategy, tape, settings, limits, room, every, horizons)
            run.session.connect(compiled)

            def progress(share: float, what: str, run: Backtest = run) -> None:
                advance(share, what)
                if watched is not None:
                    watched(run)

            ended = run.go(progress, steps)
            if not run.short_of_room:
                return run, ended or _why_stopped(strategy, run)
            room = _larger(room, run.short_of_room, tape)


def _larger(room: Capacity, short: list[str], tape: Tape) -> Capacity:
    if any(getattr(room, name) * _MORE > _MOST for name in short):
        raise HostError(
            f"The books of this tape need more than {_MOST:,} {short[0]}",
            where=repr(tape),
            do="Take fewer instruments at once: tape.only(...).",
        )
    return replace(room, homes=0, **{name: getattr(room, name) * _MORE for name in short})


def _stopped_itself(run: Backtest) -> bool:
    return int(run.session.arena["context"]["stopped"][0]) == STOPPED_ITSELF


def _why_stopped(strategy: Any, run: Backtest) -> str:
    """The sentence, where the strategy did not run to the end."""
    context = run.session.arena["context"][0]
    if context["stopped"] == STOPPED_ITSELF:
        number = int(run.session.arena["session"]["stop_number"][0])
        return f"it called ctx.stop({number})"
    if context["stopped"] == STOPPED_BY_FAULT:
        state = run.session.arena["state"][0]
        callback = CALLBACKS[int(state["faulty_call"])]
        error = strategy.exception() if hasattr(strategy, "exception") else None
        if state["fault"] == 1 and error is not None and not isinstance(error, Exception):
            raise error  # Ctrl-C, or the end of a debugger: whoever wanted that wants no result
        return f"{strategy.explain(int(state['fault']))} (in {callback})"
    return ""


def _result(
    run: Backtest, tape: Tape, horizons: Sequence[int], ended: str, about: Mapping[str, Any]
) -> Result:
    arena = run.session.arena
    refused = arena["session"]["refused"][0]
    orders = run.orders
    rejected, ended_by_venue = _ended_by_venue(orders)
    execution, session = arena["execution"][0], arena["session"][0]
    counts = {
        "events": int(session["events"]),
        "steps": run.steps,
        "commands": int(execution["sent"]),
        "reports": int(execution["reports"]),
        "impossible reports": int(execution["impossible"]),
        "quotes made smaller": int(session["clipped"]),
        "markouts left out": run.dropped,
        "wrong instruments": int(arena["context"]["wrong_instrument"][0]),
        **{
            f"{name} calls": int(session["callbacks"][n])
            for n, name in enumerate(CALLBACKS)
            if session["callbacks"][n]
        },
    }
    return Result(
        tape.instruments,
        orders,
        run.fills,
        with_last_sample(run),
        run.markouts,
        horizons=horizons,
        about=about,
        ended=ended,
        refused={REASONS[n]: int(refused[n]) for n in range(OURS) if refused[n]},
        rejected=rejected,
        ended_by_venue=ended_by_venue,
        counts=counts,
    )


def _ended_by_venue(orders: np.ndarray[Any, Any]) -> tuple[dict[str, int], dict[str, int]]:
    """By reason: orders the venue never took, and those it took and ended of its own accord."""
    # What we asked for ourselves is no doing of the venue's.
    theirs = (orders["reason"] > OURS) & (orders["reason"] != ASKED)
    done = orders[(orders["state"] == DONE) & theirs]
    never = (done["accepted"] == 0) & (done["filled"] == 0)
    told = []
    for part in (done[never], done[~never]):
        reasons, times = np.unique(part["reason"], return_counts=True)
        told.append({REASONS[n]: int(k) for n, k in zip(reasons, times, strict=True)})
    return told[0], told[1]
