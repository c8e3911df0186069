"""Where an order stands in the queue of a level, when the data does not say: estimates.

    risk-averse   only trades bring it forward, and a level smaller than what was ahead
    power(n), log of a decrease that no trade explains, the part behind us is taken to be
                  f(behind) / (f(ahead) + f(behind)), f(x) = x**n or log(1 + x)
    pro-rata      there is no queue: each trade is shared by quantity (`level_rules.py`)

Cancels more often come from the longer part of the queue, which is what f says: with a high power,
an order near the front believes that nearly all who left stood behind it. The estimate is the one
number of the venue that is no whole number; it is made with + - * / only, so any processor agrees.

Worst case: quantities beyond 2**53 are rounded.
"""

from __future__ import annotations

from typing import Any

from hftlib.core import jit
from hftlib.venue.tables import LOG, POWER

_LN_2 = 0.6931471805599453
_TERMS = 17


@jit.compiled()
def level_changed(listing: Any, own: Any, before: int, now: int) -> None:
    """The quantity of its level was told anew."""
    if own.unseen != 0:
        own.unseen = 0
        own.ahead = float(now)
        return
    if listing.rule != POWER and listing.rule != LOG:
        own.ahead = min(own.ahead, float(now))
        return
    unexplained = float(before - now - own.printed)
    own.printed = 0
    ahead = own.ahead
    if unexplained >= 0.0:
        behind = float(before) - ahead
        part = share_behind(listing.rule, listing.power, ahead, behind)
        ahead -= (1.0 - part) * unexplained
        # What the part behind could not have lost was lost ahead.
        ahead += min(behind - part * unexplained, 0.0)
    own.ahead = max(min(ahead, float(now)), 0.0)


@jit.compiled("float64(int64, int64, float64, float64)")
def share_behind(rule: int, power: int, ahead: float, behind: float) -> float:
    """The part of a decrease that stood behind us."""
    of_ahead = _weight(rule, power, ahead)
    of_behind = _weight(rule, power, behind)
    both = of_ahead + of_behind
    # Nothing on either side: nobody left ahead of us.
    return of_behind / both if both > 0.0 else 1.0


@jit.compiled()
def _weight(rule: int, power: int, quantity: float) -> float:
    quantity = max(quantity, 0.0)
    if rule == LOG:
        return log_of(1.0 + quantity)
    weight = 1.0
    for _ in range(power):
        weight *= quantity
    return weight


@jit.compiled("float64(float64)")
def log_of(value: float) -> float:
    """The natural logarithm of a value of at least 1, the same on any processor."""
    twos = 0
    while value >= 2.0:
        value *= 0.5
        twos += 1
    # The series of atanh for arguments below a third: 17 terms are beyond a float's last digit.
    step = (value - 1.0) / (value + 1.0)
    square = step * step
    total = 0.0
    for term in range(_TERMS, -1, -1):
        total = total * square + 1.0 / (2.0 * term + 1.0)
    return 2.0 * step * total + float(twos) * _LN_2
