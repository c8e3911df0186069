"""The market as it would have been heard without us: a journal's feed less our own orders.

    tape = market_without_us(result, hold_ns, end_ns)       of `hft.journal_result`

    our ADD, CANCEL, DELETE, REPLACE        left out
    an execution of an order of ours        a TRADE at its price: whoever took comes in a backtest,
                                            too, and meets what stands there then
    an execution that we caused             a CANCEL of the order that we took, `hold` later: until
                                            then the backtest may take it itself

A SESSION event of no code at the end says how long the day went on: timers still ring after the
last message. Of a shadow nothing was on the feed. Nobody can know what others would have done
without us: they answer to our orders, and stay here as they were.

Worst case: two copies of the tape in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.events import BUY, CANCEL, EXECUTE, REPLACE, SELL, TRADE
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.research.tape import Tape, to_tape

Array = np.ndarray[Any, Any]
_OF_ONE_ORDER = (events.ADD, EXECUTE, CANCEL, events.DELETE, REPLACE)


def market_without_us(result: Any, hold_ns: int, end_ns: int) -> Tape:
    """A temporary tape of what a runner heard less its own orders, on until `end_ns`."""
    return to_tape(_WithoutUs(result, hold_ns, end_ns))


class _WithoutUs:
    """A `Source`: the same events, less ours."""

    def __init__(self, result: Any, hold_ns: int, end_ns: int) -> None:
        tape = result.tape
        self.name, self.instruments = f"{tape.name}, without us", tape.instruments
        self.is_one_stream, self.counts, self.share_done = False, dict(tape.counts), 0.0
        self._result, self._hold, self._end = result, hold_ns, end_ns

    def chunks(self) -> Iterator[Array]:
        orders, fills = self._result.records["orders"], self._result.records["fills"]
        if self._result.about["mode"] == "shadow":  # the numbers are those of its model
            orders, fills = orders[:0], fills[:0]
        numbers = orders["venue_number"][orders["venue_number"] != 0]
        told = fills[fills["match"] != 0]
        stood, took = told[told["taker"] == 0], told[told["taker"] == 1]
        found = np.array(self._result.tape.events)
        made = without_orders(found, numbers, stood, took, self._hold)
        for first in range(0, len(made), CHUNK_EVENTS_MAX):
            yield made[first : first + CHUNK_EVENTS_MAX]
        yield _end_of_day(made, self._end)
        self.share_done = 1.0


def _end_of_day(made: Array, end_ns: int) -> Array:
    """One event that says nothing, unless the market's clock is beyond it."""
    if not len(made) or int(made["time"].max()) >= end_ns:
        return made[:0]
    event = np.zeros(1, events.EVENT)
    event["kind"], event["instrument"] = events.SESSION, events.ALL
    event["time"] = event["received"] = end_ns
    return event


def without_orders(found: Array, numbers: Array, stood: Array, took: Array, hold: int) -> Array:
    """The events less those of our orders; `stood` and `took` are our fills."""
    own = _own_numbers(found, numbers, stood)
    one_order = np.isin(found["kind"], _OF_ONE_ORDER)
    ours = one_order & np.isin(found["reference"], own)
    executed = found["kind"] == EXECUTE
    trades = ours & executed
    caused = executed & ~ours & _named(found, took)
    limits = _limits(found, own)
    known = trades & np.isin(found["reference"], list(limits))
    for at in np.flatnonzero(known).tolist():
        _as_trade(found[at : at + 1], *limits[int(found["reference"][at])])
    printed = (found["kind"] == TRADE) & _named(found, took) & ~known
    return _moved(found, np.flatnonzero(caused), (~ours | known) & ~printed, hold)


def _own_numbers(found: Array, numbers: Array, stood: Array) -> Array:
    """All numbers that our orders had on the feed: those we know, what they replaced and became."""
    named = found[(found["kind"] == EXECUTE) & _named(found, stood)]
    own = {int(one) for one in numbers} | {int(one) for one in named["reference"]}
    replaces = found[found["kind"] == REPLACE]
    pairs = list(zip(replaces["reference"].tolist(), replaces["other"].tolist(), strict=True))
    for old, new in pairs:  # in the order of time: what ours became
        if old in own:
            own.add(new)
    for old, new in reversed(pairs):  # and what it had been
        if new in own:
            own.add(old)
    return np.array(sorted(own), np.int64)


def _named(found: Array, fills: Array) -> Array:
    """The events that carry the number of a trade of ours, of the same instrument."""
    keys = set(zip(fills["instrument"].tolist(), fills["match"].tolist(), strict=True))
    likely = np.flatnonzero(np.isin(found["other"], fills["match"]))
    made = np.zeros(len(found), bool)
    for at in likely.tolist():
        made[at] = (int(found["instrument"][at]), int(found["other"][at])) in keys
    return made


def _limits(found: Array, own: Array) -> dict[int, tuple[int, int]]:
    """The side and the price of each order of ours, by its number on the feed."""
    made: dict[int, tuple[int, int]] = {}
    enters = np.isin(found["kind"], (events.ADD, REPLACE))
    mine = enters & (np.isin(found["reference"], own) | np.isin(found["other"], own))
    for one in found[mine]:
        if one["kind"] == REPLACE:
            side = made.get(int(one["reference"]), (0, 0))[0]
            made[int(one["other"])] = side, int(one["price"])
        else:
            made[int(one["reference"])] = int(one["side"]), int(one["price"])
    return made


def _as_trade(event: Array, side: int, price: int) -> None:
    event["kind"], event["reference"] = TRADE, 0
    event["price"] = np.where(event["price"] != 0, event["price"], price)
    event["side"] = {BUY: SELL, SELL: BUY}.get(side, 0)


def _moved(found: Array, caused: Array, kept: Array, hold: int) -> Array:
    """The events to keep; those that we caused are cancels, later, but before what comes next of
    the same order."""
    order, late = np.arange(len(found), dtype=float), found[caused]
    heard = np.maximum.accumulate(found["time"]) if len(found) else found["time"]
    late["kind"], late["other"], late["side"], late["price"] = CANCEL, 0, 0, 0
    late["time"] += hold
    late["received"] = np.where(late["received"] != 0, late["received"] + hold, 0)
    follows = _next_of_order(found, caused)
    for n, at in enumerate(caused.tolist()):
        after = int(np.searchsorted(heard, late["time"][n], side="right"))
        before = follows.get(at, len(found))
        order[at] = min(after, before) - 0.5
        if before < after:
            late[n]["time"] = max(found["time"][at], min(late["time"][n], found["time"][before]))
    found[caused] = late
    places = np.flatnonzero(kept)
    made: Array = found[places[np.argsort(order[places], kind="stable")]]
    return made


def _next_of_order(found: Array, caused: Array) -> dict[int, int]:
    """Where the feed speaks of the same order again, of each of these places."""
    wanted, following, made = set(found["reference"][caused].tolist()), dict[int, int](), {}
    some = np.isin(found["kind"], _OF_ONE_ORDER) & np.isin(found["reference"], list(wanted))
    mine = set(caused.tolist())
    for at in np.flatnonzero(some)[::-1].tolist():
        reference = int(found["reference"][at])
        if at in mine and reference in following:
            made[at] = following[reference]
        following[reference] = at
    return made
