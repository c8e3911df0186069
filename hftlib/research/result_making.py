"""From a run that is over to its Result: of one strategy, or of several and of all together.

    run ─▶ a Result for each strategy ─▶ of several: one of all, which has them as `strategies`

What each has: its own orders, fills, samples, refusals, counts. What all together have: the same
in one line of time; positions and cash after each fill are then those of all, in its instrument.

Worst case: of several strategies each row is held twice, by its own result and by that of all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hftlib.core.events import BUY
from hftlib.core.orders import ASKED, OURS, OVER, REASONS
from hftlib.engine.keeping import Keeping
from hftlib.engine.leavings import Leavings
from hftlib.engine.memory import STOPPED_BY_FAULT, STOPPED_ITSELF
from hftlib.engine.seating import Seat
from hftlib.research.last_sample import part_with_last_sample, with_last_sample
from hftlib.research.result import Result
from hftlib.research.tape import Tape
from hftlib.strategy.abi import CALLBACKS

Array = np.ndarray[Any, Any]


def result_of(
    run: Keeping, tape: Tape, horizons: Sequence[int], ended: str, about: Mapping[str, Any]
) -> Result:
    """The result of a run; `ended` says why it ended before its tape, `about` what all share."""
    parts = [_of_one(run, part, tape, horizons, ended, about) for part in run.parts]
    return parts[0] if len(parts) == 1 else _together(run, parts, tape, ended, about)


def why_stopped(run: Keeping) -> str:
    """The sentence, where a strategy did not run to the end; of several, with its name."""
    seats = run.session.seats
    if len(seats) == 1:
        return seats[0].why_stopped(1)
    told = [(seat.name, seat.why_stopped(len(seats))) for seat in seats]
    return "; ".join(f"{name}: {why}" for name, why in told if why)


def stopped_themselves(run: Keeping) -> bool:
    """Whether whoever stopped early wanted to."""
    stops = [int(seat["context"]["stopped"][0]) for seat in run.session.seats]
    return STOPPED_ITSELF in stops and STOPPED_BY_FAULT not in stops


def pass_on_interrupts(run: Keeping) -> None:
    """Ctrl-C, or the end of a debugger, in a callback: whoever wanted that wants no result."""
    for seat in run.session.seats:
        state = seat["state"][0]
        if seat["context"]["stopped"][0] == STOPPED_BY_FAULT and state["fault"] == 1:
            strategy = seat.strategy
            error = strategy.exception() if hasattr(strategy, "exception") else None
            if error is not None and not isinstance(error, Exception):
                raise error


def _of_one(
    run: Keeping,
    part: Leavings,
    tape: Tape,
    horizons: Sequence[int],
    ended: str,
    about: Mapping[str, Any],
) -> Result:
    seat, several = part.seat, len(run.parts) > 1
    one: Any = seat.strategy
    told = {"strategy": seat.name, "parameters": dict(one.parameters)}
    told["strategy_digest"] = one.digest
    if several:
        told["beside"] = [name for name in run.session.names if name != seat.name]
        alone = seat.why_stopped(len(run.parts))
        ended = alone if ended == why_stopped(run) else alone or ended
    orders, fills = part.orders, run.with_middles(part.fills)
    rejected, ended_by_venue = _ended_by_venue(orders)
    refused = seat["session"]["refused"][0]
    marks = run.markouts
    made = Result(
        tape.instruments,
        orders,
        fills,
        part_with_last_sample(part),
        marks[np.isin(marks["fill"], fills["number"])] if several else marks,
        part.refusals,
        run.changes,
        part.parents,
        horizons=horizons,
        about={**told, **about},
        ended=ended,
        refused={REASONS[n]: int(refused[n]) for n in range(OURS) if refused[n]},
        rejected=rejected,
        ended_by_venue=ended_by_venue,
        counts=_counts(run, seat),
    )
    made.tape = tape
    return made


def _counts(run: Keeping, seat: Seat) -> dict[str, int]:
    execution, session = seat["execution"][0], seat["session"][0]
    return {
        "events": int(run.session.arena["session"]["events"][0]),
        "steps": run.steps,
        "commands": int(execution["sent"]),
        "reports": int(execution["reports"]),
        "impossible reports": int(execution["impossible"]),
        "quotes made smaller": int(session["clipped"]),
        "markouts left out": run.dropped,
        "refusals not kept": int(session["refusals_lost"]),
        "parent orders": int(seat["parents"]["started"][0]),
        "parents halted": int(seat["parents"]["halted"][0]),
        "wrong instruments": int(seat["context"]["wrong_instrument"][0]),
        **{
            f"{name} calls": int(session["callbacks"][n])
            for n, name in enumerate(CALLBACKS)
            if session["callbacks"][n]
        },
    }


_OF_THE_RUN = ("events", "steps", "markouts left out")  # not a strategy's


def _together(
    run: Keeping, parts: Sequence[Result], tape: Tape, ended: str, about: Mapping[str, Any]
) -> Result:
    names = run.session.names
    told = {
        "strategy": ", ".join(names),
        "strategies": names,
        "parameters": {
            name: one.about["parameters"] for name, one in zip(names, parts, strict=True)
        },
        "strategy_digest": [one.about["strategy_digest"] for one in parts],
    }
    counts: Counter[str] = Counter()
    for one in parts:
        counts.update({k: v for k, v in one.counts.items() if k not in _OF_THE_RUN})
    made = Result(
        tape.instruments,
        run.orders,
        _as_of_all(run.fills),
        with_last_sample(run),
        run.markouts,
        run.refusals,
        run.changes,
        run.parents,
        horizons=parts[0].horizons,
        about={**told, **about},
        ended=ended,
        refused=_sum(one.refused for one in parts),
        rejected=_sum(one.rejected for one in parts),
        ended_by_venue=_sum(one.ended_by_venue for one in parts),
        counts={**{name: parts[0].counts[name] for name in _OF_THE_RUN}, **counts},
        strategies=dict(zip(names, parts, strict=True)),
    )
    made.tape = tape
    return made


def _sum(counted: Any) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counted:
        total.update(one)
    return dict(total)


def _as_of_all(fills: Array) -> Array:
    """Positions and cash after each fill as those of all strategies; the rows are changed."""
    signed = np.where(fills["side"] == BUY, fills["quantity"], -fills["quantity"])
    for row in np.unique(fills["instrument"]).tolist():
        chosen = np.flatnonzero(fills["instrument"] == row)
        fills["position"][chosen] = np.cumsum(signed[chosen])
        fills["cash"][chosen] = np.cumsum(-signed[chosen] * fills["price"][chosen])
    return fills


def _ended_by_venue(orders: Array) -> tuple[dict[str, int], dict[str, int]]:
    """By reason: orders the venue never took, and those it took and ended of its own accord."""
    # What we asked for ourselves is no doing of the venue's.
    theirs = (orders["reason"] > OURS) & (orders["reason"] != ASKED)
    done = orders[(orders["state"] >= OVER) & theirs]
    never = (done["accepted"] == 0) & (done["filled"] == 0)
    told = []
    for part in (done[never], done[~never]):
        reasons, times = np.unique(part["reason"], return_counts=True)
        told.append({REASONS[n]: int(k) for n, k in zip(reasons, times, strict=True)})
    return told[0], told[1]
