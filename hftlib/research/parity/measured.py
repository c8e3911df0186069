"""Latencies as a session measured them, leg by leg, and as its backtest took them to be.

    legs = measured(session_result, one_clock=True)
    legs["entry"]            ns of each order that was accepted

    feed        from the venue's time of an event until we had it
    entry       from when an order left us until the venue had accepted it
    response    from there until we heard
    round trip  from when an order left us until we heard of it; needs no other clock than ours

Where the clocks are two, what lies between them is not known: entry and response are half the round
trip each, and of the feed nothing is told.

Worst case: an array as long as the tape, for the feed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hftlib.core.events import RECOVERED_LATE
from hftlib.research.sheets import Sheet
from hftlib.venue.delays import Latency
from hftlib.venue.venue import Venue

Array = np.ndarray[Any, Any]
LEGS = ("feed", "entry", "response", "round trip")
SAMPLES_MIN = 20  # fewer say too little to draw from
SAMPLES_MAX = 100_000
_US = 1_000.0


def measured(result: Any, one_clock: bool) -> dict[str, Array]:
    """What each leg took, in ns."""
    found = result.records["orders"]
    told = found[(found["sent"] != 0) & (found["accepted"] != 0)]
    trip = told["accepted"] - told["sent"]
    made = {"feed": np.zeros(0, np.int64), "round trip": trip}
    if one_clock:
        whole = told[told["venue_accepted"] != 0]
        made["entry"] = whole["venue_accepted"] - whole["sent"]
        made["response"] = whole["accepted"] - whole["venue_accepted"]
        made["feed"] = _feed(result.tape)
    else:
        made["entry"] = made["response"] = trip // 2
    return {leg: np.maximum(made[leg], 0) for leg in LEGS}


def fitted(venue: Venue, legs: dict[str, Array]) -> Venue:
    """The same venue, as far away as it was: each leg drawn from what was measured."""
    changes: dict[str, Any] = {}
    if len(legs["feed"]):
        changes["feed_latency"] = "recorded"
    if min(len(legs["entry"]), len(legs["response"])) >= SAMPLES_MIN:
        changes["order_latency"] = Latency(
            entry=Latency.sampled(legs["entry"]), response=Latency.sampled(legs["response"])
        )
    return replace(venue, **changes)


def legs_sheet(session: dict[str, Array], backtests: dict[str, dict[str, Array]]) -> Sheet:
    """Middle and slowest hundredth of each leg, there and in each backtest, in microseconds."""
    heads = ["leg", "times", "session p50", "p99"]
    for name in backtests:
        heads += [f"{name} p50", "p99"]
    rows = []
    for leg in LEGS:
        if len(session[leg]):
            others = [_quantiles(one[leg]) for one in backtests.values()]
            columns = [_quantiles(session[leg]), *others]
            rows.append((leg, len(session[leg]), *(value for pair in columns for value in pair)))
    return Sheet("Latency in us, measured and assumed", tuple(heads), rows)


def _feed(tape: Any) -> Array:
    """Of events evenly spread over the day, but what was asked for again after a gap."""
    found = tape.events
    every = max(1, len(found) // SAMPLES_MAX)
    some = found[::every]
    told = (some["received"] != 0) & (some["time"] != 0) & (some["flags"] & RECOVERED_LATE == 0)
    return np.asarray((some["received"] - some["time"])[told])


def _quantiles(values: Array) -> tuple[float | None, float | None]:
    if not len(values):
        return None, None
    return float(np.quantile(values, 0.5)) / _US, float(np.quantile(values, 0.99)) / _US
