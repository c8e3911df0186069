"""Which order of the backtest is which of the session: the same thing wanted at the same moment.

    pairs = aligned(session_result, backtest_result, heard, within_ns)

Two orders can be one decision when instrument, side, how long they last and whose they are agree,
and they left within `within_ns` of each other. Of all such pairs those of the same price and
quantity come first, then those nearest in time; each order is in one pair at most.

Times of a session are turned into the venue's by what had been heard when an order left
(`heard_times`), so that the two clocks need not be one.

Worst case: NEAR candidates for each order, and one sort of them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core import orders as o

Array = np.ndarray[Any, Any]
NEAR = 16
_OTHER_PRICE = 1 << 50  # beyond any window: a pair of another price comes after all of the same


@dataclass(frozen=True, slots=True)
class Pairs:
    """Places in the orders of the session and of the backtest; the rest has no other."""

    session: Array
    backtest: Array
    only_session: Array
    only_backtest: Array
    session_times: Array
    backtest_times: Array

    @property
    def shared(self) -> float:
        """How much of both is in pairs: 0 none, 1 all."""
        count = len(self.session)
        every = 2 * count + len(self.only_session) + len(self.only_backtest)
        return 2 * count / every if every else 1.0


def sent(found: Array) -> Array:
    """The places of the orders that left us."""
    never = (found["state"] == o.FREE) | (found["state"] == o.WAS_REFUSED) | (found["sent"] == 0)
    return np.flatnonzero(~never)


def heard_times(tape: Any, moments: Array) -> Array:
    """The venue's time at each moment of our clock, as far as what was heard by then says it.

    It is that of the last thing heard and what went by since, but not beyond the next one: in a
    market that is silent moments stay apart, and their order is kept.
    """
    events = tape.events
    received, times = events["received"], events["time"]
    if not len(events) or not received.any():
        return moments
    received, latest = np.maximum.accumulate(received), np.maximum.accumulate(times)
    at = np.searchsorted(received, moments, side="right") - 1
    last = np.maximum(at, 0)
    following = np.append(latest[1:], np.iinfo(np.int64).max)[last]
    since = latest[last] + np.maximum(moments - received[last], 0)
    return np.where(at >= 0, np.minimum(since, following), latest[0])


def aligned(
    session: Array, backtest: Array, session_times: Array, backtest_times: Array, within_ns: int
) -> Pairs:
    """Pairs of the orders that left; times are of those, in the order of the arrays."""
    mine, theirs = sent(session), sent(backtest)
    found = []
    for key in np.unique(_keys(session[mine])):
        left = mine[_keys(session[mine]) == key]
        right = theirs[_keys(backtest[theirs]) == key]
        if len(right):
            right = right[np.argsort(backtest_times[right], kind="stable")]
            found.append(
                _candidates(
                    session, backtest, left, right, session_times, backtest_times, within_ns
                )
            )
    columns = np.concatenate([np.zeros((3, 0), np.int64), *found], axis=1)
    chosen = _each_once(columns[:, np.argsort(columns[0], kind="stable")])
    first, second = chosen[1], chosen[2]
    order = np.argsort(first)
    return Pairs(
        first[order],
        second[order],
        np.setdiff1d(mine, first),
        np.setdiff1d(theirs, second),
        session_times,
        backtest_times,
    )


def _keys(found: Array) -> Array:
    """One number of what has to agree."""
    whole = found["instrument"].astype(np.int64)
    for name, values in (("strategy", 1 << 16), ("side", 4), ("lasts", 4), ("kind", 8)):
        whole = whole * values + found[name]
    return whole


def _candidates(
    session: Array,
    backtest: Array,
    left: Array,
    right: Array,
    session_times: Array,
    backtest_times: Array,
    within_ns: int,
) -> Array:
    """Rows of cost, place here and place there: the NEAR nearest in time of each."""
    times = backtest_times[right]
    middle = np.searchsorted(times, session_times[left])
    reach = np.arange(-NEAR // 2, NEAR // 2)
    places = middle[:, None] + reach
    inside = (places >= 0) & (places < len(right))
    other = right[np.clip(places, 0, len(right) - 1)]
    here = np.repeat(left, NEAR).reshape(other.shape)
    apart = np.abs(session_times[here] - backtest_times[other])
    same = session["price"][here] == backtest["price"][other]
    same &= session["quantity"][here] == backtest["quantity"][other]
    cost = apart + np.where(same, 0, _OTHER_PRICE)
    kept = inside & (apart <= within_ns)
    made: Array = np.stack([cost[kept], here[kept], other[kept]])
    return made


def _each_once(columns: Array) -> Array:
    """From the cheapest on, those of which neither side is taken."""
    here, there, chosen = set(), set(), []
    for n, (left, right) in enumerate(zip(columns[1].tolist(), columns[2].tolist(), strict=True)):
        if left not in here and right not in there:
            here.add(left)
            there.add(right)
            chosen.append(n)
    made: Array = columns[:, chosen]
    return made
