"""A venue as it might have been: slower, dearer, with latencies drawn around its own.

    slower(venue, 2)            every leg takes twice as long
    dearer(venue, 1.5)          charges times 1.5, rebates divided by it; 0: no charge, rebates stay
    drawn(venue, 3, seed)       half of the messages as now, one in a hundred three times as long

A feed whose latency is the tape's own ("recorded") stays as it is: a tape cannot be told to have
been recorded elsewhere. Worst case: a measured leg is copied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import cache

import numpy as np

from hftlib.core.fees import Fees
from hftlib.core.times import duration_text
from hftlib.core.units import Exact, exact_fraction
from hftlib.venue.delays import Delay, Latency
from hftlib.venue.latency import CONSTANT, DRAWN, LATENCY_NS_MAX, MEASURED
from hftlib.venue.venue import Venue

_RATE_ONE = 10**9


def slower(venue: Venue, factor: float) -> Venue:
    """The same venue, each message so many times as long under way."""
    return _each_leg(venue, lambda one: _longer(one, factor))


def drawn(venue: Venue, p99: float, seed: int) -> Venue:
    """Constant legs become drawn ones around their own time; drawn ones draw anew."""

    def spread(one: Delay) -> Delay:
        if one.kind != CONSTANT or not one.constant:
            return one
        most = min(LATENCY_NS_MAX, round(one.constant * p99))
        return _around(one.constant, max(one.constant, most))

    return replace(_each_leg(venue, spread), seed=seed)


def dearer(venue: Venue, factor: float) -> Venue:
    """The same venue with other fees."""
    fees, exact = venue.fees, Fraction(factor).limit_denominator(10**6)
    made = {name: _rate(getattr(fees, name), name, exact) for name in ("maker", "taker")}
    made |= {
        name: _times(exact_fraction(getattr(fees, name), name), exact)
        for name in ("maker_per_unit", "taker_per_unit")
    }
    made["minimum"] = exact_fraction(fees.minimum, "minimum") * exact
    return replace(venue, fees=Fees(**made))


def has_latency(venue: Venue) -> bool:
    """Whether there is anything that could be slower."""
    legs = (venue.feed, *_order_legs(venue.order))
    return any(one.constant or one.kind in (DRAWN, MEASURED) for one in legs)


def entry_text(venue: Venue, factor: float) -> str:
    """So many times the time that an order is under way, where it is one time."""
    entry = venue.order.entry
    if entry.kind != CONSTANT or not entry.constant:
        return ""
    return duration_text(round(entry.constant * factor))


def charges(venue: Venue) -> bool:
    """Whether it charges anything."""
    fees = venue.fees
    rates = (fees.maker, fees.taker)
    units = (fees.maker_per_unit, fees.taker_per_unit, fees.minimum)
    return any(_rate(one, "fees", Fraction(1)) > 0 for one in rates) or any(
        exact_fraction(one, "fees") > 0 for one in units
    )


@cache
def _around(median: int, p99: int) -> Delay:
    """A table of its own takes a tenth of a second, and runs share it."""
    return Latency.lognormal(median, p99)


def _each_leg(venue: Venue, change: Callable[[Delay], Delay]) -> Venue:
    entry, cancel, swap, response = (change(one) for one in _order_legs(venue.order))
    order = Latency(entry, cancel=cancel, replace=swap, response=response)
    return replace(venue, feed_latency=change(venue.feed), order_latency=order)


def _order_legs(order: Latency) -> tuple[Delay, Delay, Delay, Delay]:
    return order.entry, order.cancel, order.replace, order.response


def _longer(one: Delay, factor: float) -> Delay:
    table = np.frombuffer(one.table, np.int64).copy()
    from_value = len(table) // 2 if one.kind == MEASURED else 0  # times stand first there
    table[from_value:] = np.minimum(np.rint(table[from_value:] * factor), LATENCY_NS_MAX)
    constant = min(LATENCY_NS_MAX, round(one.constant * factor))
    if one.kind == CONSTANT:
        return replace(one, constant=constant, text=duration_text(constant))
    text = f"{one.text}, times {factor:g}"
    return replace(one, constant=constant, table=table.tobytes(), text=text)


def _rate(value: Exact, name: str, factor: Fraction) -> Fraction:
    """A share of the value, in whole billionths."""
    one = Fraction(_billionths(value, name), _RATE_ONE)
    return Fraction(round(_times(one, factor) * _RATE_ONE), _RATE_ONE)


def _billionths(value: Exact, name: str) -> int:
    """As `Fees` reads it: "1.5bp", "0.02%" or a plain share."""
    if isinstance(value, str):
        for unit, share in (("bps", 10_000), ("bp", 10_000), ("%", 100)):
            if value.endswith(unit):
                number = exact_fraction(value.removesuffix(unit).rstrip(), name)
                return int(number / share * _RATE_ONE)
    return int(exact_fraction(value, name) * _RATE_ONE)


def _times(value: Fraction, factor: Fraction) -> Fraction:
    """A charge grows with the factor; a rebate shrinks with one above 1, and never grows."""
    if value >= 0:
        return value * factor
    return value / max(Fraction(1), factor)
