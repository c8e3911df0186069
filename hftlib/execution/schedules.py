"""Schedules of parent orders: how much shall be done by when. Pure functions of whole numbers.

    share = share_of(now - begin, end - begin)      TWAP: billionths of the time
    share = curve_share(points, ...)                VWAP: billionths of the volume expected
    share = front_loaded(share, urgency)            IS: billionths of Almgren and Chriss' trajectory
    lots = part_of(quantity, share)                 never more than the quantity
    lots = of_volume(others, rate)                  POV: so that we are `rate` of all volume

Time is cut into slices; slice k begins `slice_begin` later than the parent, and from then on what
the schedule wants by the *end* of slice k is due (`slices_begun`). Jitter moves the beginning of a
slice within it, so slices keep their order, and the last is due before the end.

Almgren and Chriss (2000), "Optimal execution of portfolio transactions": of X there is left at t
X sinh(K (T - t)) / sinh(K T), where K tau = acosh(1 + tau^2 k^2 / 2), k^2 = risk aversion x
volatility^2 / (impact (1 - permanent tau / (2 impact))), tau one slice. `urgency` is K T.

Worst case: shares are rounded down to a billionth and lots to whole ones, so a schedule is late by
less than a lot and a billionth of the quantity, never early; at the end it is exact.
"""

from __future__ import annotations

import math

from hftlib.core import jit
from hftlib.core.parents import ONE
from hftlib.core.stirring import WORD, stirred

DAY_NS = 86_400 * 10**9
DIGITS = 9
OTHERS_MAX = 1 << 53
RATE_MAX = ONE // 10 * 9


@jit.compiled("int64(int64, int64)")
def share_of(part: int, whole: int) -> int:
    """`part` / `whole` in billionths, rounded down: 0 to ONE. `whole` is below 2**59."""
    if part >= whole:
        return ONE
    if part <= 0:
        return 0
    share = 0
    for _ in range(DIGITS):  # a long division, so that nothing leaves an int64
        part *= 10
        share = share * 10 + part // whole
        part %= whole
    return share


@jit.compiled("int64(int64, int64)")
def part_of(quantity: int, share: int) -> int:
    """So many billionths of a quantity, rounded down. Exact for what fits an int64."""
    return quantity // ONE * share + quantity % ONE * share // ONE


@jit.compiled("int64(int64, int64, int64)")
def slice_of(quantity: int, number: int, slices: int) -> int:
    """`number` / `slices` of a quantity, exactly, rounded down: quantity below 2**53."""
    return quantity // slices * number + quantity % slices * number // slices


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def slice_begin(number: int, slices: int, duration: int, jitter: int, seed: int) -> int:
    """When slice `number` begins, in ns after the parent; jitter in billionths of a slice."""
    begin = slice_of(duration, number, slices)
    return begin + part_of(part_of(duration // slices, jitter), drawn(seed, number))


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def slices_begun(after: int, slices: int, duration: int, jitter: int, seed: int) -> int:
    """How many slices have begun so long after the parent's beginning."""
    if after < 0:
        return 0
    if after >= duration:
        return slices
    number = after // max(1, duration // slices)
    number = min(number, slices - 1)
    while number > 0 and slice_begin(number, slices, duration, jitter, seed) > after:
        number -= 1
    while number < slices and slice_begin(number, slices, duration, jitter, seed) <= after:
        number += 1
    return number


@jit.compiled("int64(int64, float64)")
def front_loaded(share: int, urgency: float) -> int:
    """Of Almgren and Chriss' trajectory, what is done after this share of the time."""
    if share <= 0:
        return 0
    if share >= ONE:
        return ONE
    if not urgency > 1e-6:  # a straight line; sinh(x) is x there
        return share
    left = urgency * (1.0 - share / ONE)
    # sinh(left) / sinh(urgency), so that no power grows beyond a float.
    rest = math.exp(left - urgency) * math.expm1(-2.0 * left) / math.expm1(-2.0 * urgency)
    return min(max(int(ONE * (1.0 - rest)), 0), ONE)


@jit.compiled("float64(float64, float64, float64, float64, int64, float64)")
def urgency(
    risk_aversion: float,
    volatility: float,
    impact: float,
    seconds: float,
    slices: int,
    permanent: float,
) -> float:
    """K T of Almgren and Chriss' trajectory; 0, a straight line, where a setting is none.

    Risk aversion is per money unit; volatility in price units per root of a second; impact in
    price units per lot a second; permanent impact in price units per lot.
    """
    if not (risk_aversion > 0.0 and volatility > 0.0 and impact > 0.0 and seconds > 0.0):
        return 0.0
    if slices < 1:
        return 0.0
    tau = seconds / slices
    impact -= 0.5 * permanent * tau
    if not impact > 0.0:
        return 0.0
    x = 1.0 + 0.5 * risk_aversion * volatility * volatility / impact * tau * tau
    return math.log(x + math.sqrt(x * x - 1.0)) * slices


@jit.compiled("int64(int64, int64)")
def of_volume(others: int, rate: int) -> int:
    """What we shall have traded while the others traded so much: own / (own + others) = rate.

    Exact, rounded down, for rates up to RATE_MAX; beyond 2**53 lots of others it grows no more.
    """
    others = min(max(others, 0), OTHERS_MAX)
    return others // (ONE - rate) * rate + others % (ONE - rate) * rate // (ONE - rate)


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def curve_volume(points: int, count: int, step: int, midnight: int, time: int) -> int:
    """Volume expected from a midnight to `time`, in billionths of a day's: days add up.

    `points` is the address of `count` numbers: what share of the day is done at the end of each
    step. Between them it goes on evenly.
    """
    day = (time - midnight) // DAY_NS
    into = (time - midnight) % DAY_NS
    number = into // step
    if number >= count:
        return (day + 1) * ONE
    before = jit.load_i64(jit.nth(points, number - 1, count, 8)) if number > 0 else 0
    after = jit.load_i64(jit.nth(points, number, count, 8))
    return day * ONE + before + part_of(after - before, share_of(into - number * step, step))


@jit.compiled("int64(int64, int64)")
def drawn(seed: int, number: int) -> int:
    """A draw in billionths, even, of this seed and number: the same in any mode."""
    bits = stirred(seed & WORD)
    bits = stirred(bits ^ ((seed >> 32) & WORD))
    bits = stirred(bits ^ (number & WORD))
    return bits * ONE >> 32
