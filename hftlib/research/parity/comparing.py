"""`hft.compare`: a session beside its backtest on the same market, and a model that comes closer.

    parity = hft.compare("day.journal")
    parity = hft.compare("day.journal", venue=hft.Venue(order_latency="250us"))
    parity = hft.compare("day.journal", result)          a backtest of yours, on the same market

Without a backtest it runs one: the strategies, parameters and limits that the journal says ran, on
the market that it heard less its own orders. Then another one, with latencies as the session
measured them and the model of the queue that came closest (`queues`), so that the difference
between the two says what the assumptions had cost.

Worst case: replaying the journal, and a backtest for each queue model and one more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import duration_ns
from hftlib.core.units import shown
from hftlib.research.parity import measured
from hftlib.research.parity.aligning import Pairs, aligned, heard_times
from hftlib.research.parity.closeness import closeness
from hftlib.research.parity.parity import Beside, Parity
from hftlib.research.parity.session import Session
from hftlib.research.result import Result
from hftlib.terminal import patience
from hftlib.venue.venue import QUEUES, Venue

HOLD_NS_MAX = 1_000_000_000
BACKTEST, FITTED = "backtest", "fitted"


def compare(
    journal: Path | str,
    backtest: Result | None = None,
    *,
    venue: Venue | Mapping[str, Venue] | None = None,
    fit: bool = True,
    queues: Sequence[str] = ("auto",),
    within: Any = "100ms",
    currency: str | None = None,
) -> Parity:
    """What a session and its backtest both did, what only one did, and why that cost what it did.

    `within` is how far apart two orders may leave and still be one decision.
    """
    within_ns = duration_ns(within, field="within")
    _require(backtest, within_ns, within, queues)
    day = Session(journal)
    money = _currency(day.result, currency)
    legs = measured.measured(day.result, day.is_one_clock)
    trip = legs["round trip"]
    hold = int(np.quantile(trip, 0.99)) if len(trip) else 0
    tape = day.market(min(max(hold, 0), HOLD_NS_MAX))
    assumed, made = day.with_fees(venue), {}
    with patience() as advance:
        advance(0.3, "the backtest of the session's market")
        first = day.backtest(tape, assumed) if backtest is None else backtest
        made[BACKTEST] = _beside(day, first, None if backtest else assumed, within_ns, money)
        if fit:
            advance(0.6, "the backtest with what was measured")
            made[FITTED] = _closest(day, tape, assumed, legs, queues, within_ns, money)
    return Parity(day.folder.name, day.result, made, legs, money, day.is_one_clock)


def _closest(
    day: Session,
    tape: Any,
    assumed: Mapping[str, Venue],
    legs: dict[str, Any],
    queues: Sequence[str],
    within_ns: int,
    money: str,
) -> Beside:
    """The backtest with the measured latencies, of that queue model with which most is the same."""
    tried = []
    for queue in queues:
        venues = {
            name: replace(measured.fitted(one, legs), queue=queue) for name, one in assumed.items()
        }
        tried.append(_beside(day, day.backtest(tape, venues), venues, within_ns, money))
    return max(tried, key=lambda one: (one.close.fills, one.close.decisions))


def _beside(
    day: Session, other: Result, venues: Mapping[str, Venue] | None, within_ns: int, money: str
) -> Beside:
    pairs = paired(day.result, other, within_ns)
    return Beside(other, venues, pairs, closeness(day.result, other, pairs, money))


def paired(session: Result, other: Result, within_ns: int) -> Pairs:
    """The orders of both, the session's at the time of the market that it had heard."""
    mine, theirs = session.records["orders"], other.records["orders"]
    return aligned(mine, theirs, heard_times(session.tape, mine["sent"]), theirs["sent"], within_ns)


def _require(backtest: Any, within_ns: int, within: Any, queues: Sequence[str]) -> None:
    if backtest is not None and not isinstance(backtest, Result):
        what = f"{shown(backtest)} is no result of a backtest"
        do = "Give what hft.backtest answered, or leave it out: the journal knows what ran."
        raise InputError(what, where="hft.compare(journal, backtest)", do=do)
    if within_ns <= 0:
        what = f"Within {shown(within)} of each other no two orders leave"
        raise InputError(what, where="within", do="Give a time above zero, such as '100ms'.")
    if isinstance(queues, str) or not queues:
        do = f"Give a list of models: some of {', '.join(QUEUES)}."
        raise InputError(f"{shown(queues)} is no list of queue models", where="queues", do=do)


def _currency(result: Result, currency: str | None) -> str:
    there = sorted({one.currency for one in result.instruments})
    if currency is None and len(there) == 1:
        return there[0]
    if currency not in there:
        what = f"{', '.join(there)} do not add up" if currency is None else f"No {currency!r} there"
        do = f"Ask for one: hft.compare(..., currency={shown(there[0])})."
        raise InputError(what, where="currency", do=do)
    return currency
