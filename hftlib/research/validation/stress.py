"""Stress: what is left when it costs more, and when everything is slower.

    hft.validation.stress_costs(Maker, tape, multiples=(0, 1, 1.5, 2, 3), venue=venue)
    hft.validation.stress_latency(Maker, tape, multiples=(0, 1, 2, 5, 10), venue=venue)

Costs are fees and half-spreads. Fees are the venue's, times the multiple, in a run of their own;
rebates are divided by it. The half-spread is what takers' fills paid beyond the middle: so many
times of it are charged afterwards, and the strategy does not know. Makers pay none.

Latency is every leg of the venue, times the multiple, in a run of its own.

Pass if it earns at every multiple from 1 up to `survive`. The break-even is where the line between
two multiples comes to zero. Worst case: a run for each multiple and tape.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.research import charts
from hftlib.research.result import Result
from hftlib.research.result_money import Scales
from hftlib.research.sheets import Sheet
from hftlib.research.validation.judging import FILLS_MIN
from hftlib.research.validation.trying import (
    Job,
    at_venues,
    checked_settings,
    run_jobs,
    several_venues,
    tapes_of,
)
from hftlib.research.validation.venues import charges, dearer, entry_text, has_latency, slower
from hftlib.research.validation.verdict import Verdict
from hftlib.venue.venue import Venue

MULTIPLE_MAX = 1_000
COSTS, LATENCIES = (0, 1, 1.5, 2, 3), (0, 1, 2, 5, 10)


@dataclass(frozen=True)
class Outcome:
    """What one run brought."""

    net: float
    crossed: float  # what takers paid beyond the middle
    fees: float
    fills: int
    ended: str


def stress_costs(
    strategy: Any,
    tape: Any,
    *,
    multiples: Sequence[float] = COSTS,
    survive: float = 1.5,
    **settings: Any,
) -> Verdict:
    """P&L with costs multiplied; a fail where it does not earn at `survive` times of them."""
    times, tapes, given = _checked(multiples, survive, tape, settings, "stress_costs")
    runs = _runs(strategy, tapes, given, times, dearer)
    net = [one.net - (m - 1) * one.crossed for m, one in zip(times, runs, strict=True)]
    now = runs[times.index(1.0)]
    even = break_even(times, net)
    fees = "fees and half-spread" if any(map(charges, several_venues(given["venue"]))) else (
        "the half-spread (the venue charges no fees)"
    )  # fmt: skip
    passed, why = _judged(times, net, survive, even, now)
    sentence = f"With {fees} multiplied: {why}"
    if passed is not None and not now.fees and not now.crossed:
        passed = None
        sentence = (
            "It pays neither fees nor spread, so there are no costs to multiply. Give the venue"
            ' its fees: venue=hft.Venue(fees=hft.Fees(maker="0.1bp", taker="0.3bp")).'
        )
    figures = {
        "break-even, times costs": even,
        "P&L before costs": now.net + now.fees + now.crossed,
        "fees": now.fees,
        "paid beyond the middle": now.crossed,
        **_common(now, times, net),
    }
    rows = [
        (m, value, one.fees, m * one.crossed, one.fills)
        for m, value, one in zip(times, net, runs, strict=True)
    ]
    sheet = Sheet("By multiple", ("times", "P&L", "fees", "beyond the middle", "fills"), rows)
    picture = _picture("P&L with costs multiplied", "times costs", times, net, even)
    return Verdict("Cost stress", passed, sentence, figures, picture, (sheet,))


def stress_latency(
    strategy: Any,
    tape: Any,
    *,
    multiples: Sequence[float] = LATENCIES,
    survive: float = 2,
    **settings: Any,
) -> Verdict:
    """P&L with latency multiplied; a fail where it does not earn at `survive` times of it."""
    times, tapes, given = _checked(multiples, survive, tape, settings, "stress_latency")
    venues = several_venues(given["venue"])
    if not any(map(has_latency, venues)):
        sentence = (
            "The venue has no latency to multiply. Give it one:"
            ' venue=hft.Venue(order_latency="250us", feed_latency="50us").'
        )
        return Verdict("Latency stress", None, sentence)
    runs = _runs(strategy, tapes, given, times, slower)
    net = [one.net for one in runs]
    now, even = runs[times.index(1.0)], break_even(times, net)
    passed, why = _judged(times, net, survive, even, now)
    each = entry_text(venues[0], even) if len(venues) == 1 and math.isfinite(even) else ""
    figures = {
        "break-even, times latency": even,
        "break-even, an order under way": each or "not known",
        **_common(now, times, net),
    }
    rows = [(m, one.net, one.fills) for m, one in zip(times, runs, strict=True)]
    sheet = Sheet("By multiple", ("times", "P&L", "fills"), rows)
    sentence = f"With every latency multiplied: {why}"
    if each:
        sentence += f" Break-even is an order under way for {each}."
    picture = _picture("P&L with latency multiplied", "times latency", times, net, even)
    return Verdict("Latency stress", passed, sentence, figures, picture, (sheet,))


def break_even(multiples: Sequence[float], pnl: Sequence[float]) -> float:
    """Where P&L comes to zero beyond 1, or before it where it does not earn there.

    NaN if it is not above zero at the first multiple either, infinite if it stays above.
    """
    one = list(multiples).index(1.0)
    first = one if pnl[one] > 0 else 0
    if pnl[first] <= 0:
        return math.nan
    for place in range(first + 1, len(pnl)):
        if pnl[place] <= 0:
            low, high = multiples[place - 1], multiples[place]
            share = pnl[place - 1] / (pnl[place - 1] - pnl[place])
            return float(low + (high - low) * share)
    return math.inf


def outcome_of(result: Result) -> Outcome:
    """What is kept of one run: totals of the one currency there is."""
    stats = result.stats.total if result.stats.totals else {"pnl_net": 0.0, "fees": 0.0}
    fills = result.records["fills"]
    rows, scales = fills["instrument"], Scales(result.instruments)
    beyond = np.abs(scales.prices(fills["price"], rows) - scales.mids(fills["twice_mid"], rows))
    paid = np.nan_to_num(beyond) * scales.quantities(fills["quantity"], rows)
    paid = paid * scales.multipliers(rows)
    net = float(stats["pnl_net"])
    return Outcome(
        0.0 if math.isnan(net) else net,
        float(paid[fills["taker"] != 0].sum()),
        float(stats["fees"]),
        len(fills),
        result.ended,
    )


def added(outcomes: Sequence[Outcome]) -> Outcome:
    """Several tapes as one."""
    return Outcome(
        sum(one.net for one in outcomes),
        sum(one.crossed for one in outcomes),
        sum(one.fees for one in outcomes),
        sum(one.fills for one in outcomes),
        next((one.ended for one in outcomes if one.ended), ""),
    )


def checked_multiples(multiples: Any, where: str) -> list[float]:
    """In order, each once, 1 among them."""
    good = isinstance(multiples, list | tuple | range | np.ndarray) and len(multiples) > 0
    numbers = [one for one in multiples if isinstance(one, int | float | np.number)] if good else []
    if not good or len(numbers) < len(multiples) or not all(_multiple(one) for one in numbers):
        raise InputError(
            f"{shown(multiples)} are no multiples",
            where=where,
            do=f"Give numbers from 0 to {MULTIPLE_MAX:,}, such as (0, 1, 2, 5).",
        )
    return sorted({1.0, *map(float, numbers)})


def _multiple(value: Any) -> bool:
    return not isinstance(value, bool) and 0 <= value <= MULTIPLE_MAX


def _checked(multiples: Any, survive: Any, tape: Any, settings: Any, name: str) -> Any:
    times = checked_multiples(multiples, f"{name}(multiples=...)")
    known = isinstance(survive, int | float) and _multiple(survive) and survive >= 1
    if not known or times[-1] < survive:
        raise InputError(
            f"{shown(survive)} is no multiple that it could survive",
            where=f"{name}(survive=...)",
            do=f"Give at least 1, and at most the largest multiple, which is {times[-1]:g}.",
        )
    tapes = tapes_of(tape)
    return times, tapes, checked_settings(settings, tapes, name)


def _runs(
    strategy: Any,
    tapes: Sequence[Any],
    given: Any,
    times: Sequence[float],
    change: Callable[..., Venue],
) -> list[Outcome]:
    jobs = []
    for multiple in times:
        venue = at_venues(given["venue"], partial(change, factor=multiple))
        jobs += [Job(tape, {}, {**given, "venue": venue}) for tape in tapes]
    parts = run_jobs(strategy, jobs, outcome_of)
    count = len(tapes)
    return [added(parts[n : n + count]) for n in range(0, len(parts), count)]


def _judged(
    times: Sequence[float], net: Sequence[float], survive: float, even: float, now: Outcome
) -> tuple[bool | None, str]:
    if now.fills < FILLS_MIN:
        return None, f"there are {now.fills:,} fills, and fewer than {FILLS_MIN} tell nothing."
    within = [value for m, value in zip(times, net, strict=True) if 1 <= m <= survive]
    at_one = net[times.index(1.0)]
    if math.isnan(even):
        return False, f"it loses at {times[0]:g} times already ({net[0]:,.2f})."
    said = f"it brings {at_one:,.2f} as it is"
    if math.isinf(even):
        return all(v > 0 for v in within), f"{said}, and still earns at {times[-1]:g} times."
    return all(v > 0 for v in within), f"{said}, and nothing from {even:.2g} times on."


def _common(now: Outcome, times: Sequence[float], net: Sequence[float]) -> dict[str, Any]:
    told = {f"P&L at {m:g} times": value for m, value in zip(times, net, strict=True)}
    return {**told, "fills": now.fills, "ended early": now.ended or "no"}


def _picture(
    title: str, across: str, times: Sequence[float], net: Sequence[float], even: float
) -> str:
    marks = {"now": 1.0} | ({"break-even": even} if math.isfinite(even) else {})
    return charts.lines(
        {"P&L": (times, net)}, title=title, across=across, up="P&L", marks=marks, zero=True
    )
