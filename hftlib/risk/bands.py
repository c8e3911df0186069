"""Volatility bands: how far from its average price an instrument may trade (LULD).

The reference is the mean of the prices printed in the last five minutes, kept in ten half minutes,
and it changes only once the mean has moved by one percent of it. The band is a share of it (5, 10
or 20 %), doubled near the open and the close. A limit on the dear side of the band would pause the
instrument, so it does not leave, or waits, as the rules say.

    half minutes   [s-9] ... [s-1] [s]      a sum of prices and a count of prints in each

Worst case: no print within five minutes: the last reference stands.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.core.events import BUY
from hftlib.risk.memory import rule_of

SLOTS = 10
SLOT_NS = 30_000_000_000
SHARE_ONE = 10_000  # bands count hundredths of a percent


@jit.compiled("void(int64, int64, int64, int64)")
def printed(base: int, instrument: int, price: int, now: int) -> None:
    """A print: the mean may move, and the reference with it."""
    rule = rule_of(base, instrument)
    if rule.bands == 0 or price <= 0:
        return
    slot = now // SLOT_NS
    _forget(rule, slot)
    rule.band_sums[slot % SLOTS] += price
    rule.band_counts[slot % SLOTS] += 1
    total, count = 0, 0
    for n in range(SLOTS):
        total += rule.band_sums[n]
        count += rule.band_counts[n]
    mean = total // count
    if rule.band_mean == 0 or abs(mean - rule.band_mean) * 100 >= rule.band_mean:
        rule.band_mean = mean


@jit.inlined
def _forget(rule: Any, slot: int) -> None:
    """Empty the half minutes that have passed since the last print."""
    passed = min(slot - rule.band_slot, SLOTS)
    for n in range(passed):
        rule.band_sums[(slot - n) % SLOTS] = 0
        rule.band_counts[(slot - n) % SLOTS] = 0
    if passed > 0:
        rule.band_slot = slot


@jit.inlined
def width(rule: Any, now: int) -> int:
    """How far the band reaches from its reference, in price units."""
    share = rule.bands
    if now < rule.band_opens or (rule.band_closes != 0 and now >= rule.band_closes):
        share = 2 * share
    return rule.band_mean * share // SHARE_ONE


@jit.inlined
def outside(rule: Any, side: int, price: int, now: int) -> bool:
    """Whether a limit lies beyond the band on its dear side; never before the first print."""
    away = price - rule.band_mean if side == BUY else rule.band_mean - price
    return rule.band_mean != 0 and away > width(rule, now)
