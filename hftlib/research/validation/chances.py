"""Monte Carlo: the same tape many times, as it could have gone by chance.

    hft.validation.monte_carlo(Maker, tape, runs=100, reject=0.05, start=0.1, venue=venue)

Each run draws anew
    latency    around the venue's own: where it is one time, half of the messages take that, and
               one in a hundred `latency` times as long; or an hft.Latency of orders to draw from
    reject     a share of the time without new orders, in moments as long as orders are apart on
               average. The strategy hears the refusal and goes on from there
    start      when it begins, within this part of the tape
    queue      its place in the queue, among models of it, where several are given

The venue's model cannot refuse at random, so risk does: it is a refusal at our own door, of new
orders and of replaces; cancels leave. Runs differ in length, so P&L an hour is what is compared.

Pass if 95 of 100 runs earn. Worst case: `runs` backtests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import duration_ns, duration_text
from hftlib.core.units import as_int64, is_whole, shown
from hftlib.research import charts
from hftlib.research.result import Result
from hftlib.research.setting_up import limits_of
from hftlib.research.tape import Tape
from hftlib.research.validation.judging import FILLS_MIN, NS_PER_HOUR
from hftlib.research.validation.stress import outcome_of
from hftlib.research.validation.trying import (
    Job,
    at_venues,
    checked_settings,
    run_jobs,
    several_venues,
    tapes_of,
)
from hftlib.research.validation.venues import drawn, has_latency
from hftlib.research.validation.verdict import Verdict
from hftlib.risk.people import Directive, set_limit
from hftlib.venue.delays import Delay, Latency
from hftlib.venue.venue import Venue

RUNS_MIN, RUNS_MAX = 10, 100_000
MOMENTS_MAX = 2_000  # without orders, in one run
SHARE_WANTED = 0.95
_FREE = 1 << 40  # lots: no limit at all
_SEEDS = 1_000_003


@dataclass(frozen=True)
class Drawn:
    """What one run brought."""

    hourly: float
    fills: int
    orders: int
    refused: int
    ended: str


@dataclass(frozen=True)
class Chances:
    """What is drawn."""

    latency: Any
    reject: float
    start: Any
    queue: tuple[str, ...]


def monte_carlo(
    strategy: Any,
    tape: Any,
    *,
    runs: int = 100,
    latency: Any = 3.0,
    reject: float = 0.05,
    start: Any = 0.1,
    queue: Sequence[str] = (),
    seed: int = 0,
    **settings: Any,
) -> Verdict:
    """P&L an hour over many draws of fills, latency and start; a fail where chance decides."""
    tapes = tapes_of(tape)
    chances = _checked(runs, latency, reject, start, queue, tapes)
    given = checked_settings(settings, tapes, "monte_carlo")
    base = run_jobs(strategy, [Job(one, {}, given) for one in tapes], _drawn)
    jobs = []
    for number in range(runs):
        which = number % len(tapes)
        dice = np.random.default_rng([as_int64(seed, "seed") & (2**63 - 1), number])
        jobs.append(_job(tapes[which], base[which], chances, given, dice, seed, number))
    made = run_jobs(strategy, jobs, _drawn)
    return _verdict(tapes, base, made, chances, given)


def _checked(
    runs: Any, latency: Any, reject: Any, start: Any, queue: Any, tapes: Sequence[Tape]
) -> Chances:
    where = "monte_carlo({}=...)"
    if not is_whole(runs) or not RUNS_MIN <= runs <= RUNS_MAX:
        do = f"Give {RUNS_MIN} to {RUNS_MAX:,}."
        raise InputError(f"{shown(runs)} is no number of runs", where=where.format("runs"), do=do)
    if not _is_number(reject) or not 0 <= reject < 1:
        do = "Give a share such as 0.05; 0 refuses none."
        what = f"{shown(reject)} is no share of the time"
        raise InputError(what, where=where.format("reject"), do=do)
    if not isinstance(latency, Latency | Delay) and not (_is_number(latency) and latency >= 1):
        do = "Give how many times as long one in a hundred takes, such as 3, or an hft.Latency."
        what = f"{shown(latency)} draws no latency"
        raise InputError(what, where=where.format("latency"), do=do)
    if _is_number(start):
        good = 0 <= start < 1
    else:
        good = 0 <= duration_ns(start, field="start") < min(one.duration for one in tapes)
    if not good:
        do = "Give a share of the tape such as 0.1, or a duration shorter than it such as '1m'."
        raise InputError(f"{shown(start)} is no start", where=where.format("start"), do=do)
    models = (queue,) if isinstance(queue, str) else tuple(queue)
    for one in models:
        Venue(queue=one)  # which refuses what is none
    return Chances(latency, float(reject), start, models)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _job(
    tape: Tape,
    base: Drawn,
    chances: Chances,
    given: Mapping[str, Any],
    dice: np.random.Generator,
    seed: int,
    number: int,
) -> Job:
    span = chances.start
    span_ns = int(span * tape.duration) if _is_number(span) else duration_ns(span)
    begin = tape.begin + int(dice.uniform(0, span_ns)) if span_ns else tape.begin
    piece = tape.between(begin) if span_ns else tape
    if not len(piece):
        piece = tape
    model = str(dice.choice(chances.queue)) if chances.queue else ""

    def change(venue: Venue) -> Venue:
        drawing = (venue.seed + seed * _SEEDS + number + 1) & (2**62 - 1)
        if isinstance(chances.latency, Latency | Delay):
            made = replace(venue, order_latency=chances.latency, seed=drawing)
        else:
            made = drawn(venue, float(chances.latency), drawing)
        return replace(made, queue=model) if model else made

    moments = _moments(piece, base, chances.reject, dice, given)
    told = {"directives": [*given.get("directives", ()), *moments]} if moments else {}
    return Job(piece, {}, {**given, "venue": at_venues(given["venue"], change), **told})


def _moments(
    tape: Tape, base: Drawn, reject: float, dice: np.random.Generator, given: Mapping[str, Any]
) -> list[Directive]:
    """Moments without orders: a share `reject` of the time, each as long as orders are apart."""
    asked = base.orders + base.refused
    if not reject or not asked:
        return []
    count = int(np.clip(round(asked * reject), 1, MOMENTS_MAX))
    width = max(1, int(tape.duration * reject / count))
    begins = np.sort(dice.integers(tape.begin, max(tape.begin + 1, tape.end - width), count))
    usual = limits_of(given.get("limits")).firm.get("order_quantity_lots", _FREE)
    made, until = [], 0
    for place, begin in enumerate(begins.tolist()):
        following = begins[place + 1] if place + 1 < count else None
        if begin >= until:
            made.append(_limit(begin, 0))
        until = max(until, begin + width)
        if following is None or following > until:
            made.append(_limit(until, usual))
    return made


def _limit(at: int, lots: int) -> Directive:
    return set_limit(
        "firm",
        at=at,
        who="monte carlo",
        second="chance",
        why="a moment in which orders are refused" if not lots else "it is over",
        order_quantity_lots=lots,
    )


def _drawn(result: Result) -> Drawn:
    outcome = outcome_of(result)
    about = result.about
    hours = max(1, int(about["end"]) - int(about["begin"])) / NS_PER_HOUR
    orders, refused = len(result.records["orders"]), sum(result.refused.values())
    return Drawn(outcome.net / hours, outcome.fills, orders, refused, outcome.ended)


def _verdict(
    tapes: Sequence[Tape],
    base: Sequence[Drawn],
    made: Sequence[Drawn],
    chances: Chances,
    given: Mapping[str, Any],
) -> Verdict:
    hourly = np.array([one.hourly for one in made])
    weights = [tape.duration for tape in tapes]
    now = float(np.average([one.hourly for one in base], weights=weights))
    low, middle = (float(one) for one in np.quantile(hourly, (1 - SHARE_WANTED, 0.5)))
    earned, fills = int((hourly > 0).sum()), sum(one.fills for one in base)
    orders = sum(one.orders + one.refused for one in made)
    refused = sum(one.refused for one in made) / max(1, orders)
    passed: bool | None = None
    what = _varied(tapes, chances, given)
    if fills < FILLS_MIN:
        sentence = f"There are {fills:,} fills, and fewer than {FILLS_MIN} tell nothing."
    else:
        passed = earned >= SHARE_WANTED * len(made)
        sentence = (
            f"{earned:,} of {len(made):,} runs earn, 95 of 100 bring at least {low:,.2f} an hour"
            f" ({now:,.2f} as backtested), with {what}."
        )
    figures = {
        "runs": len(made),
        "runs that earn": earned,
        "P&L an hour, as backtested": now,
        "P&L an hour, median": middle,
        "P&L an hour, 5 of 100 are below": low,
        "P&L an hour, lowest": float(hourly.min()),
        "runs below the backtest": float((hourly < now).mean()),
        "share of attempts refused": refused,
        "fills, mean of runs": float(np.mean([one.fills for one in made])),
        "runs that ended early": sum(bool(one.ended) for one in made),
    }
    marks = {"as backtested": now, "nothing": 0.0}
    title = f"P&L an hour of {len(made):,} runs by chance"
    picture = charts.histogram(hourly, title=title, across="P&L an hour", marks=marks)
    return Verdict("Monte Carlo", passed, sentence, figures, picture)


def _varied(tapes: Sequence[Tape], chances: Chances, given: Mapping[str, Any]) -> str:
    """What was drawn, in words."""
    if isinstance(chances.latency, Latency | Delay):
        said = [f"orders under way for {chances.latency}"]
    elif any(map(has_latency, several_venues(given["venue"]))):
        said = [f"latency drawn up to {chances.latency:g} times and beyond"]
    else:
        said = ["no latency drawn (the venue has none)"]
    if chances.reject:
        said.append(f"new orders refused for {chances.reject:.1%} of the time")
    if chances.queue:
        said.append(f"places in the queue by {', '.join(chances.queue)}")
    span = chances.start
    span_ns = int(span * tapes[0].duration) if _is_number(span) else duration_ns(span)
    return ", ".join(said) + f", begun within {duration_text(span_ns)}"
