"""Impact: what our own taking does to the prices that we take at later.

A tape cannot answer us. What we take is gone from the venue's book, but the others do not move
away, as they would have. The impact model says how far: each instrument has a shift, up when we
bought and down when we sold, and later own takers pay it on top of what the book says.

    hft.Impact(permanent=0.1, transient=1, half_life="30s", per=1000)

reads: taking 1,000 shares moves the price for good by 0.1 ticks, and by 1 tick more of which half
is gone after 30 s. With `exponent=0.5` the shift grows with the root of what was taken, net and as
far as not faded, so `per` may be an average day's volume and the terms those of the root law:

    shift = permanent * (net / per) ** exponent + transient * (net not faded / per) ** exponent

A trade cut into pieces at one moment shifts as far as the whole. The shift is rounded away from
zero to whole price units; 1/1024 of one is nothing. Recorded prices do not move: our standing
orders, the books and the marks stay as recorded, and a shift never betters a price (`shifted`).

A record of zeros has no impact. No C library has a say: + - * / and roots of float64 only, so the
result is the same on any CPU. Worst case: counts beyond 2**53 lots are rounded; a shift stops at
2**40 price units; two divisions, two roots and a table of 64 steps a call.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.events import BUY
from hftlib.core.instruments import Instrument
from hftlib.core.records import record
from hftlib.core.times import Duration, duration_ns, duration_text
from hftlib.core.units import Exact, exact_fraction, refusal, shown

IMPACT = record(
    "impact",
    64,
    """
    0   permanent  float64  price units for one lot; by root: for the root of one
    8   transient  float64  likewise
    16  half_life  int64    ns in which half of the faded count of lots is gone
    24  by_root    int64    1: the shift grows with the root of the lots, 0: with the lots
    32  taken      float64  lots bought less lots sold, by taking
    40  fading     float64  the same, less what had faded by `time`
    48  time       int64    of the last own taker fill, ns
    56  fills      int64    how many there were
    """,
)
IMPACT_BYTES = IMPACT.itemsize

SHIFT_MAX = 1 << 40
HALF_LIFE_NS_MAX = 1 << 52  # 52 days: below 2**53 a time is exact as a float64
NOTHING = 1.0 / 1024.0
TICKS_MAX = 10**6
_STEPS = 64
_GONE = 1100  # half lives after which nothing of any float64 is left
_LN_2 = 0.6931471805599453

_at = jit.record_at(IMPACT)


def _halving() -> np.ndarray[Any, Any]:
    """2**(-i/64), rounded correctly on any machine."""
    with localcontext() as context:
        context.prec = 40
        step = Decimal(2).ln() / _STEPS
        return np.array([float((-step * i).exp()) for i in range(_STEPS)])


_HALVING = _halving()
_HALVES = np.array([0.5**count for count in range(_GONE)])


@jit.compiled("void(int64, int64, int64, int64)")
def impact_after_fill(address: int, side: int, quantity: int, time: int) -> None:
    """We took `quantity` lots, as buyer or seller, at this time; later fills feel it."""
    impact = _at(address)
    signed = float(quantity) if side == BUY else -float(quantity)
    impact.fading = _left(address, time) + signed
    impact.taken += signed
    impact.time = max(impact.time, time)
    impact.fills += 1


@jit.compiled("int64(int64, int64)")
def impact_shift(address: int, time: int) -> int:
    """Price units by which we have moved the price: above zero after we bought."""
    impact = _at(address)
    if impact.fills == 0:
        return 0
    shift = impact.permanent * _power(impact.taken, impact.by_root)
    shift += impact.transient * _power(_left(address, time), impact.by_root)
    size = abs(shift)
    if size >= SHIFT_MAX:
        whole = SHIFT_MAX
    else:
        whole = int(size)
        if size - whole > NOTHING:
            whole += 1
    return -whole if shift < 0.0 else whole


@jit.compiled("int64(int64, int64, int64, int64)")
def shifted(address: int, side: int, price: int, time: int) -> int:
    """What a taker of this side pays or gets where the book says `price`: never better than it."""
    shift = impact_shift(address, time)
    if side == BUY:
        return price + max(shift, 0)
    return price + min(shift, 0)


@jit.compiled("float64(int64, int64)")
def share_left(elapsed: int, half_life: int) -> float:
    """2**(-elapsed / half_life) to 1e-14 of itself, without the C library's exponential."""
    halves = elapsed // half_life
    if halves >= _GONE:
        return 0.0
    # Both terms are below 2**53, so this is the nearest float64 to the part of a half life.
    part = float(elapsed - halves * half_life) / float(half_life) * _STEPS
    step = int(part)
    if step >= _STEPS:
        step = _STEPS - 1
    x = (part - step) * (_LN_2 / _STEPS)
    # The series of exp(-x) for x below 0.011, after which x**6 / 720 is 2e-15.
    rest = 1.0 - x * (1.0 - x / 2.0 * (1.0 - x / 3.0 * (1.0 - x / 4.0 * (1.0 - x / 5.0))))
    return _HALVES[halves] * _HALVING[step] * rest


@dataclass(frozen=True, kw_only=True, slots=True)
class Impact:
    """How far our taking moves the price: in ticks, when `per` shares, coins or contracts went."""

    permanent: Exact = 0
    transient: Exact = 0
    half_life: Duration = "30s"
    exponent: Exact = 1
    per: Exact = 1

    def __post_init__(self) -> None:
        for name in ("permanent", "transient"):
            if not 0 <= exact_fraction(getattr(self, name), name) <= TICKS_MAX:
                what = f"An impact of {shown(getattr(self, name))} ticks is none"
                raise refusal(what, name, f"Give 0 to {TICKS_MAX:,} ticks.")
        if not 0 < duration_ns(self.half_life, field="half_life") <= HALF_LIFE_NS_MAX:
            what = f"{shown(self.half_life)} is no half life"
            raise refusal(what, "half_life", "Give a time above zero and up to 52 days.")
        if exact_fraction(self.exponent, "exponent") not in (1, Fraction(1, 2)):
            what = f"{shown(self.exponent)} is not an exponent"
            do = "Give 1, the shift grows with what was taken, or 0.5, with its root."
            raise refusal(what, "exponent", do)
        if exact_fraction(self.per, "per") <= 0:
            do = "Give how many shares, coins or contracts move the price by these ticks."
            raise refusal(f"{shown(self.per)} is no quantity", "per", do)

    def lay(self, place: np.ndarray[Any, Any], instrument: Instrument) -> None:
        """Write the terms of this instrument, with nothing taken yet, into one IMPACT record."""
        if place.dtype != IMPACT or place.size != 1:
            raise InputError(
                f"This memory is no single IMPACT record: {place.size} items of {place.dtype}",
                where="Impact.lay(place, instrument)",
                do="Lay it out with IMPACT and pass one item, as in rows[i : i + 1].",
            )
        per_lots = exact_fraction(self.per, "per") / instrument.lot_unit.size
        one = place.reshape(-1)[0]
        for name in ("permanent", "transient"):
            units = exact_fraction(getattr(self, name), name) * instrument.tick
            # One rounding each; a root is rounded correctly wherever float64 is.
            one[name] = float(units) / math.sqrt(per_lots) if self._root else units / per_lots
        half_life_ns = duration_ns(self.half_life, field="half_life")
        # The root halves when its count is quartered: the count has half the half life.
        one["half_life"] = -(-half_life_ns // 2) if self._root else half_life_ns
        one["by_root"] = self._root
        one["taken"] = one["fading"] = 0.0
        one["time"] = one["fills"] = 0

    @property
    def text(self) -> str:
        law = "root of the quantity" if self._root else "quantity"
        gone = duration_text(duration_ns(self.half_life))
        return (
            f"ticks: {self.permanent} for good and {self.transient} with a half life of {gone}, "
            f"per {self.per} taken, by the {law}"
        )

    @property
    def _root(self) -> bool:
        return exact_fraction(self.exponent, "exponent") != 1


@jit.inlined
def _left(address: int, time: int) -> float:
    """What has not faded of the count of lots; time never runs backwards here."""
    impact = _at(address)
    if impact.fading == 0.0 or impact.half_life <= 0 or time <= impact.time:
        return impact.fading
    return impact.fading * share_left(time - impact.time, impact.half_life)


@jit.inlined
def _power(lots: float, by_root: int) -> float:
    if by_root == 0:
        return lots
    return -math.sqrt(-lots) if lots < 0.0 else math.sqrt(lots)
