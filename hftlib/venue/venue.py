"""A venue's settings: how far away it is, who stands where in its queues, and what it charges.

    hft.Venue(order_latency="250us", fees=hft.Fees(maker="-0.2bp", taker="1.5bp"))

It holds nothing but the settings, checked, and can be looked at. What is made of them for each
instrument lies in plain memory: `latencies` (five legs in one block), `Fees.lay`, `Impact.lay`.

Where an order stands in the queue is known on order-by-order data ("fifo"). On levels it is a
model:

    risk-averse  what stood before us goes away by trades only, or when the level is smaller
    power(n)     of a decrease without a trade, before**n / (before**n + behind**n) was before us,
                 n from 1 to 8
    log          likewise with ln(1 + x) in place of x**n
    pro-rata     a trade is shared out by size

"auto" is fifo on order-by-order data and risk-averse on levels. Of the models risk-averse puts us
furthest back. None of them is careful about size: an order fills whole once a trade prints through
its price, or the best price of the other side comes to it. Worst case: none, nothing here is
on the tick path.
"""

from __future__ import annotations

import hashlib
import html
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.fees import Fees
from hftlib.core.keywords import by_name
from hftlib.core.units import as_int64, refusal, shown
from hftlib.venue.delays import Delay, DelayLike, Latency, as_delay, laid
from hftlib.venue.impact import Impact
from hftlib.venue.latency import LEGS

QUEUES = ("auto", "fifo", "risk-averse", "power(2)", "log", "pro-rata")
SELF_MATCHES = ("cancel newest", "cancel oldest", "cancel both")
POWER_MAX = 8
_POWER = re.compile(rf"power\([1-{POWER_MAX}]\)")


@by_name
@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Venue:
    """One venue's settings. Latencies are one way; "recorded" is the feed's as on the tape."""

    feed_latency: DelayLike = 0
    order_latency: Latency | DelayLike = 0
    queue: str = "auto"
    partial_fills: bool = True
    fees: Fees = field(default_factory=Fees)
    impact: Impact | None = None
    self_match: str = "cancel newest"
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "feed_latency", as_delay(self.feed_latency, "feed_latency"))
        order = self.order_latency
        if not isinstance(order, Latency):
            object.__setattr__(self, "order_latency", Latency(as_delay(order, "order_latency")))
        if not (
            isinstance(self.queue, str) and (self.queue in QUEUES or _POWER.fullmatch(self.queue))
        ):
            raise _not_one_of(self.queue, "queue", QUEUES)
        if self.self_match not in SELF_MATCHES:
            raise _not_one_of(self.self_match, "self_match", SELF_MATCHES)
        _require(self.partial_fills, bool, "partial_fills", "True or False")
        _require(self.fees, Fees, "fees", "hft.Fees(maker='-0.2bp', taker='1.5bp')")
        if self.impact is not None:
            _require(self.impact, Impact, "impact", "hft.Impact(transient=1, per=1000) or None")
        object.__setattr__(self, "seed", as_int64(self.seed, "seed"))

    @property
    def feed(self) -> Delay:
        """The feed's leg."""
        assert isinstance(self.feed_latency, Delay)
        return self.feed_latency

    @property
    def order(self) -> Latency:
        """The four legs of an order's way."""
        assert isinstance(self.order_latency, Latency)
        return self.order_latency

    def latencies(self) -> np.ndarray[Any, Any]:
        """New memory for the five legs: `latency_at(address + leg * LATENCY_BYTES, ...)`."""
        return laid(self.feed, self.order, self.seed)

    @property
    def digest(self) -> str:
        """SHA-256 of the settings, measured latencies included, which the text only counts."""
        digest = hashlib.sha256(self.latencies().tobytes())
        rest = (self.queue, self.partial_fills, self.fees, self.impact, self.self_match)
        digest.update(repr(rest).encode())
        return digest.hexdigest()

    @property
    def rows(self) -> list[tuple[str, str]]:
        """Each setting with its value and unit, as text."""
        impact = "none" if self.impact is None else self.impact.text
        return [
            ("feed latency", str(self.feed)),
            *((f"{leg} latency", str(getattr(self.order, leg))) for leg in LEGS[1:]),
            ("queue", _queue_text(self.queue)),
            ("partial fills", "yes" if self.partial_fills else "no: an order fills whole"),
            ("fees", self.fees.text),
            ("impact", impact),
            ("own orders meet", self.self_match),
            ("seed", str(self.seed)),
        ]

    def __repr__(self) -> str:
        width = max(len(name) for name, _ in self.rows)
        return "\n".join(["Venue", *(f"  {name:<{width}}  {text}" for name, text in self.rows)])

    def _repr_html_(self) -> str:
        body = "".join(
            f"<tr><th style='text-align:left'>{name}</th>"
            f"<td style='text-align:left'>{html.escape(text)}</td></tr>"
            for name, text in self.rows
        )
        return f"<table><caption>Venue</caption>{body}</table>"


def _queue_text(queue: str) -> str:
    if queue == "auto":
        return "auto: fifo where orders are known, risk-averse on levels"
    return queue


def _require(value: object, kind: type, name: str, example: str) -> None:
    if not isinstance(value, kind):
        what = f"{shown(value)}, a {type(value).__name__}, is not {name} of a venue"
        raise refusal(what, name, f"Give {example}.")


def _not_one_of(value: object, name: str, choices: tuple[str, ...]) -> InputError:
    near = get_close_matches(value, choices, n=1) if isinstance(value, str) else []
    listed = ", ".join(repr(choice) for choice in choices)
    do = (f"Did you mean {near[0]!r}? " if near else "") + f"Give one of {listed}."
    return refusal(f"{shown(value)} is no setting of {name}", name, do)
