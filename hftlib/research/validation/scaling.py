"""Capacity: P&L by size, when taking moves the price.

    hft.validation.capacity(Maker, tape, param="clip", multiples=(1, 2, 5, 10), venue=venue)

The parameter is multiplied and all is run again. A venue that has no impact gets one: taking as
much as a hundredth of what the tape traded moves the price by a tick, by the root of the quantity,
half of it gone in 30 s. Where a tape has no trades, a hundred times what stands counts as that.
The venue's model makes later taking dearer, not the order that moves the price itself, and nothing
of one that turns round. So each order is charged afterwards for what it moves: half of its shift,
two thirds by the root. Own orders consume what stands, and wait in its queue. Limits stay.

Pass if it earns as it is and twice the size (or the next multiple) brings no less. The capacity is
the size at which P&L is highest. Worst case: a run for each multiple and tape.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.units import exact_fraction, shown
from hftlib.research import charts
from hftlib.research.lineup import lineup
from hftlib.research.result import Result
from hftlib.research.result_money import Scales
from hftlib.research.sheets import Sheet
from hftlib.research.tape import Tape
from hftlib.research.validation.judging import FILLS_MIN
from hftlib.research.validation.stress import Outcome, added, checked_multiples, outcome_of
from hftlib.research.validation.trying import (
    Job,
    at_venues,
    checked_settings,
    is_function,
    run_jobs,
    several_venues,
    tapes_of,
)
from hftlib.research.validation.verdict import Verdict
from hftlib.venue.impact import Impact

SIZES = (1, 2, 5, 10)
_SHARE = 0.01
_TRADED = (events.EXECUTE, events.TRADE)


def capacity(
    strategy: Any,
    tape: Any,
    *,
    param: str = "clip",
    multiples: Sequence[float] = SIZES,
    **settings: Any,
) -> Verdict:
    """P&L, and P&L of one unit traded, by size; a fail where twice the size brings less."""
    times = checked_multiples(multiples, "capacity(multiples=...)")
    tapes = tapes_of(tape)
    given = checked_settings(settings, tapes, "capacity")
    kept, values, left_out = _values(strategy, tapes[0], given, param, times)
    assumed = not any(one.impact for one in several_venues(given["venue"]))
    impacts = [_impact(one) for one in tapes] if assumed else []
    how = impacts[0][1] if assumed else "the venue's impact"
    jobs = []
    for value in values:
        for number, one in enumerate(tapes):
            venue = given["venue"]
            if assumed:
                venue = at_venues(venue, partial(replace, impact=impacts[number][0]))
            jobs.append(Job(one, {param: value}, {**given, "venue": venue}))
    parts = run_jobs(strategy, jobs, _sized)
    # What an order moves itself hangs on the venue of its job.
    charged = []
    for job, (outcome, taken, units) in zip(jobs, parts, strict=True):
        cost = _own_impact(taken, job)
        charged.append((replace(outcome, net=outcome.net - cost), cost, units))
    count, runs = len(tapes), []
    for n in range(0, len(charged), count):
        some = charged[n : n + count]
        total = added([one for one, _, _ in some])
        runs.append((total, sum(cost for _, cost, _ in some), sum(units for *_, units in some)))
    return _verdict(param, kept, values, left_out, runs, how)


def _values(
    strategy: Any, tape: Tape, given: Any, param: Any, times: list[float]
) -> tuple[list[float], list[Any], list[float]]:
    """The multiples that the strategy allows, the parameter's values, and what it refuses."""
    made = strategy(tape) if is_function(strategy) else strategy
    strategies = lineup(made, given.get("params"))
    one = next(iter(strategies.values()))
    known = dict(one.parameters)
    where = "capacity(param=...)"
    if len(strategies) > 1 or param not in known:
        numbers = [name for name, value in known.items() if not isinstance(value, bool)]
        whose = "Several strategies have no one size" if len(strategies) > 1 else (
            f"{one.name} has no parameter {shown(param)}"
        )  # fmt: skip
        do = f"Name the one that says how much: {', '.join(numbers) or 'it has none'}."
        raise InputError(whose, where=where, do=do)
    base = known[param]
    if isinstance(base, bool) or not isinstance(base, int | float) or base <= 0:
        do = "Name one that is a number above zero."
        raise InputError(f"{param} is {shown(base)}, and no size", where=where, do=do)
    whole = isinstance(base, int)
    kept, values, left_out = [], [], []
    for multiple in times:
        value = max(1, round(base * multiple)) if whole else base * multiple
        try:
            one.with_params(**{param: value})
        except InputError:
            left_out.append(multiple)
            continue
        if multiple > 0 and value not in values:
            kept.append(multiple)
            values.append(value)
    return kept, values, left_out


def _impact(tape: Tape) -> tuple[Impact, str]:
    """A tick for a hundredth of what was traded, by the root; and that in words."""
    traded = offered = 0.0
    for chunk in tape.chunks():
        sizes = chunk["quantity"]
        traded += float(sizes[np.isin(chunk["kind"], _TRADED)].sum())
        offered = max(offered, float(np.median(sizes[sizes > 0])) if (sizes > 0).any() else 0.0)
    lot = tape.instruments[tape.rows[0]].lot_unit.size
    each = max(1.0, (traded or 100 * offered) / max(1, len(tape.rows)) * _SHARE)
    made = Impact(transient=1, per=round(each) * lot, exponent="0.5", half_life="30s")
    said = "a hundredth of the volume" if traded else "as much as usually stands at a price"
    return made, f"an impact assumed of a tick for {said}"


def _sized(result: Result) -> tuple[Outcome, list[tuple[int, float]], float]:
    """What it brought, the size of each order that took, with its instrument, and all it traded."""
    fills = result.records["fills"]
    sizes = Scales(result.instruments).quantities(fills["quantity"], fills["instrument"])
    took = fills["taker"] != 0
    orders, place = np.unique(fills["order"][took], return_inverse=True)
    taken = np.bincount(place, sizes[took], len(orders))
    rows = np.zeros(len(orders), np.int64)
    rows[place] = fills["instrument"][took]
    pairs = list(zip(rows.tolist(), taken.tolist(), strict=True))
    return outcome_of(result), pairs, float(sizes.sum())


def _own_impact(taken: list[tuple[int, float]], job: Job) -> float:
    """What orders paid for moving the price themselves."""
    venue, total = job.settings["venue"], 0.0
    terms: dict[int, tuple[float, float, float]] = {}
    scales = Scales(job.tape.instruments)
    for row, quantity in taken:
        if row not in terms:
            one = job.tape.instruments[row]
            impact = (venue[one.venue] if isinstance(venue, Mapping) else venue).impact
            terms[row] = (0.0, 1.0, 1.0)
            if impact is not None:
                ticks = exact_fraction(impact.permanent, "") + exact_fraction(impact.transient, "")
                a_tick = float(one.tick * one.price_unit.size) * float(scales.multiplier[row])
                power = float(exact_fraction(impact.exponent, ""))
                per = float(exact_fraction(impact.per, ""))
                terms[row] = (float(ticks) * a_tick / (1 + power), per, power)
        most, per, power = terms[row]
        total += quantity * most * (quantity / per) ** power
    return total


def _verdict(
    param: str,
    times: list[float],
    values: list[Any],
    left_out: list[float],
    runs: list[tuple[Outcome, float, float]],
    how: str,
) -> Verdict:
    net = [one.net for one, _, _ in runs]
    each = [one.net / units if units else math.nan for one, _, units in runs]
    fills, best = runs[times.index(1.0)][0].fills, int(np.argmax(net))
    at_one = net[times.index(1.0)]
    above = [n for n, m in enumerate(times) if m > 1]
    passed: bool | None = None
    if fills < FILLS_MIN:
        sentence = f"There are {fills:,} fills, and fewer than {FILLS_MIN} tell nothing."
    elif not above:
        sentence = f"{param} may not be made larger than {values[-1]:,}, so there is no curve."
    else:
        following = net[above[0]]
        passed = at_one > 0 and following >= at_one
        more = " or more" if best == len(net) - 1 else ""
        sentence = (
            f"P&L is highest at {param}={values[best]:,}{more} ({net[best]:,.2f} against"
            f" {at_one:,.2f} as it is); {times[above[0]]:g} times the size brings"
            f" {following:,.2f}. With {how}."
        )
        if not at_one > 0:
            sentence = f"It brings {at_one:,.2f} as it is, with {how}: there is no capacity."
    if left_out:
        sentence += f" {param} does not allow {', '.join(f'{one:g}' for one in left_out)} times."
    figures = {
        "capacity": values[best] if at_one > 0 else 0,
        "P&L there": net[best],
        "P&L as it is": at_one,
        "P&L of one unit, as it is": each[times.index(1.0)],
        "P&L of one unit, at capacity": each[best],
        "own impact, as it is": runs[times.index(1.0)][1],
        "fills": fills,
    }
    heads = ("times", param, "P&L", "P&L of one unit", "own impact", "fills")
    rows = [
        (m, value, one.net, share, cost, one.fills)
        for m, value, (one, cost, _), share in zip(times, values, runs, each, strict=True)
    ]
    picture = charts.lines(
        {"P&L": (values, net)}, title=f"P&L by {param}", across=param, up="P&L", zero=True
    ) + charts.lines({"a unit": (values, each)}, title="P&L of one unit", across=param, zero=True)
    return Verdict("Capacity", passed, sentence, figures, picture, (Sheet("By size", heads, rows),))
