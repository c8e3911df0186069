"""Latency as people write it: a time, a distribution, or what was measured; checked at the door.

    hft.Latency("250us")                                       each leg of an order's way
    hft.Latency(entry="250us", cancel="200us", replace="300us", response="180us")
    hft.Latency(entry=Latency.lognormal("200us", p99="2ms"), response=Latency.sampled(values))
    hft.Latency(entry=Latency.measured(times, values))

One leg is a `Delay`; a feed has one, an order's way has four. `laid` makes the block of memory of
a venue's five legs, which `hftlib.venue.latency` reads.

Worst case: a measured leg takes 16 bytes a measurement, here and in each block.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from hftlib.core.keywords import require_known
from hftlib.core.times import Duration, duration_ns, duration_text
from hftlib.core.units import refusal, shown
from hftlib.venue.latency import (
    CONSTANT,
    DRAWN,
    LATENCY,
    LATENCY_BYTES,
    LATENCY_NS_MAX,
    LEGS,
    MEASURED,
    RECORDED,
)
from hftlib.venue.quantiles import VALUES, lognormal, of_values

_TIME_MAX = 1 << 62


@dataclass(frozen=True, slots=True)
class Delay:
    """One leg: made by `Latency.constant`, `.lognormal`, `.sampled`, `.measured`, `.recorded`."""

    kind: int
    text: str
    constant: int = 0
    steps: bool = False
    table: bytes = field(default=b"", repr=False)

    def __str__(self) -> str:
        return self.text


DelayLike: TypeAlias = "Delay | Duration"


@dataclass(frozen=True, init=False, slots=True)
class Latency:
    """The four legs of an order's way. What is not given is like `entry`; one way, not there and
    back: an order of `Latency("250us")` is heard of after 500 us."""

    entry: Delay
    cancel: Delay
    replace: Delay
    response: Delay

    def __init__(
        self,
        entry: DelayLike = 0,
        *,
        cancel: DelayLike | None = None,
        replace: DelayLike | None = None,
        response: DelayLike | None = None,
        **unknown: Any,
    ) -> None:
        require_known(unknown, ["entry", *LEGS[1:]], "Latency")
        given = {"entry": entry, "cancel": cancel, "replace": replace, "response": response}
        for name, value in given.items():
            made = as_delay(entry if value is None else value, name)
            if made.kind == RECORDED:
                what = "A tape records no latency of orders"
                raise refusal(what, name, "Give a time, or measure: Latency.measured(...).")
            object.__setattr__(self, name, made)

    def __str__(self) -> str:
        if len({self.entry, self.cancel, self.replace, self.response}) == 1:
            return f"{self.entry} each way"
        return ", ".join(f"{leg} {getattr(self, leg)}" for leg in LEGS[1:])

    @staticmethod
    def constant(value: Duration) -> Delay:
        """Always the same."""
        ns = _checked_ns(value, "latency")
        return Delay(CONSTANT, duration_text(ns), ns)

    @staticmethod
    def lognormal(median: Duration, p99: Duration) -> Delay:
        """Drawn: half are at most `median`, 99 % at most `p99`, and the tail goes on beyond."""
        middle, high = _checked_ns(median, "median"), _checked_ns(p99, "p99")
        if not 0 < middle <= high:
            what = f"A median of {shown(median)} and a 99th percentile of {shown(p99)} do not agree"
            raise refusal(what, "lognormal", "Give 0 < median <= p99.")
        text = f"lognormal, median {duration_text(middle)}, p99 {duration_text(high)}"
        return _of_table(text, lognormal(middle, high, LATENCY_NS_MAX))

    @staticmethod
    def sampled(values: np.ndarray[Any, Any]) -> Delay:
        """Drawn from the distribution of measured latencies in ns, whenever they were."""
        array = _checked_array(values, "values")
        return _of_table(f"drawn from {_counted(array)}", of_values(array))

    @staticmethod
    def measured(
        times: np.ndarray[Any, Any], values: np.ndarray[Any, Any], *, between: str = "line"
    ) -> Delay:
        """As measured: latencies in ns at these times, ns since the epoch, in order.

        Between two of them a straight line, or with between="last" the earlier one. Before the
        first and after the last, these hold.
        """
        array = _checked_array(values, "values")
        when = _int64_array(times, "times")
        if len(when) != len(array):
            what = f"There are {len(when):,} times for {len(array):,} latencies"
            raise refusal(what, "times", "Give one time for each latency.")
        if (when[1:] < when[:-1]).any():
            raise refusal("The times are not in order", "times", "Sort both arrays by time.")
        if (when < 0).any() or (when >= _TIME_MAX).any():
            raise refusal("A time is before 1970 or beyond 2116", "times", "Give ns, UTC.")
        if between not in ("line", "last"):
            what = f"{shown(between)} does not say what holds between two measurements"
            raise refusal(what, "between", "Give 'line' or 'last'.")
        table = when.tobytes() + array.tobytes()
        return Delay(MEASURED, f"as measured, {_counted(array)}", 0, between == "last", table)

    @staticmethod
    def recorded(otherwise: Duration = 0) -> Delay:
        """Of a feed: as the tape recorded it, and `otherwise` for events without a receive time."""
        ns = _checked_ns(otherwise, "otherwise")
        return Delay(RECORDED, f"as recorded, {duration_text(ns)} where it is not", ns)


def as_delay(value: DelayLike, name: str) -> Delay:
    """A leg as it may be given: a Delay, a time such as "250us", or "recorded"."""
    if isinstance(value, Delay):
        return value
    if isinstance(value, Latency):
        do = "Give a time or one of Latency.lognormal, .sampled, .measured, .recorded."
        raise refusal("Four latencies are given where one is wanted", name, do)
    if isinstance(value, str) and value == "recorded":
        return Latency.recorded()
    ns = _checked_ns(value, name)
    return Delay(CONSTANT, duration_text(ns), ns)


def laid(feed: Delay, order: Latency, seed: int) -> np.ndarray[Any, Any]:
    """The block of memory of five legs, as an array of int64: its address is the feed's LATENCY."""
    delays = (feed, order.entry, order.cancel, order.replace, order.response)
    tables = {delay.table: 0 for delay in delays if delay.table}
    end = LATENCY_BYTES * len(delays)
    for table in tables:
        tables[table] = end
        end += len(table)
    block = np.zeros(end // 8, np.int64)
    rows = block[: LATENCY_BYTES * len(delays) // 8].view(LATENCY)
    for leg, delay in enumerate(delays):
        row = rows[leg]
        row["kind"], row["constant"], row["steps"] = delay.kind, delay.constant, delay.steps
        row["seed"] = _seed_of(seed, LEGS[leg])
        if delay.table:
            row["table_at"] = tables[delay.table] - leg * LATENCY_BYTES
            row["count"] = len(delay.table) // (16 if delay.kind == MEASURED else 8)
    for table, at in tables.items():
        block[at // 8 : (at + len(table)) // 8] = np.frombuffer(table, np.int64)
    return block


def _seed_of(seed: int, leg: str) -> int:
    """32 bits of the seed for one leg, so that the legs' draws have nothing in common."""
    return int.from_bytes(hashlib.sha256(f"{seed} {leg}".encode()).digest()[:4], "big")


def _of_table(text: str, table: np.ndarray[Any, Any]) -> Delay:
    assert len(table) == VALUES, len(table)
    return Delay(DRAWN, text, table=table.tobytes())


def _checked_ns(value: Duration, name: str) -> int:
    ns = duration_ns(value, field=name)
    if not 0 <= ns <= LATENCY_NS_MAX:
        what = f"A latency of {shown(value)} is none"
        raise refusal(what, name, f"Give 0 to {duration_text(LATENCY_NS_MAX)}, as in '250us'.")
    return ns


def _checked_array(values: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    array = _int64_array(values, name)
    if not len(array):
        raise refusal("There are no measured latencies", name, "Give at least one.")
    bad = np.flatnonzero((array < 0) | (array > LATENCY_NS_MAX))
    if len(bad):
        what = f"{shown(array[bad[0]])} ns is no latency; it is the first of {len(bad):,} such"
        do = f"Below 0, two clocks disagree: correct them. Above {LATENCY_NS_MAX}, leave it out."
        raise refusal(what, f"{name}[{bad[0]}]", do)
    return array


def _int64_array(values: np.ndarray[Any, Any], name: str) -> np.ndarray[Any, Any]:
    """A copy as int64; floats would have lost their last digits before anyone could look."""
    array = np.asarray(values)
    if array.dtype.kind in "mM":
        array = array.astype(f"{array.dtype.kind}8[ns]").astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        what = f"{shown(values)} is not a list of whole numbers of nanoseconds"
        raise refusal(what, name, "Give one array of int64; round floats yourself first.")
    return array.astype(np.int64)


def _counted(array: np.ndarray[Any, Any]) -> str:
    low, high = duration_text(int(array.min())), duration_text(int(array.max()))
    return f"{len(array):,} measurements from {low} to {high}"
