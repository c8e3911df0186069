"""Fees: what a fill costs, in whole money units of its instrument, exact and never to our favour.

    hft.Fees(maker="-0.2bp", taker="1.5bp")                    a share of the fill's value
    hft.Fees(maker_per_unit="-0.0020", taker_per_unit="0.0030")     money per share, coin, contract

One money unit is one price unit times one lot. Rates are kept in 1e-9 of the value, amounts per
lot in 1e-6 money units; both parts of a fee are added exactly and rounded up once, so that a charge
is never too small and a rebate never too large. Below zero: a rebate. A `minimum` is what one fill
costs at least wherever something is charged; a fill that is free or rebated stays so.

A record of zeros charges nothing. Worst case: a value of 2**62 money units or beyond counts as
2**62, and so does an amount by quantity; nothing wraps. Prices lie within 2**62 of zero.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.core.errors import InputError
from hftlib.core.instruments import Instrument
from hftlib.core.keywords import by_name
from hftlib.core.records import record
from hftlib.core.units import TEXT_CHARACTERS_MAX, Exact, exact_fraction, refusal, shown

FEES = record(
    "fees",
    64,
    """
    0   maker_rate     int64  in 1e-9 of the value; below zero: a rebate
    8   taker_rate     int64
    16  maker_per_lot  int64  in 1e-6 money units
    24  taker_per_lot  int64
    32  minimum        int64  money units that a charged fill costs at least; 0 none
    """,
)
FEES_BYTES = FEES.itemsize

RATE_ONE = 10**9
PER_LOT_ONE = 10**6
VALUE_MAX = 1 << 62
AMOUNT_MAX = 1 << 61
RATE_MAX = RATE_ONE // 2  # with it the fee of the largest value is AMOUNT_MAX
PER_LOT_MAX = 1 << 40

_at = jit.record_at(FEES)
_RATE_TEXT = re.compile(r"(?P<number>[^ %]+?) ?(?P<unit>bps?|%)")
_PER_UNIT = {"bp": Fraction(1, 10_000), "bps": Fraction(1, 10_000), "%": Fraction(1, 100)}


@jit.compiled("int64(int64, int64, int64, int64)")
def fee_of(address: int, taker: int, price: int, quantity: int) -> int:
    """Money units that one fill of `quantity` >= 0 lots costs; `taker` is 1 or 0."""
    fees = _at(address)
    rate, per_lot = fees.maker_rate, fees.maker_per_lot
    if taker != 0:
        rate, per_lot = fees.taker_rate, fees.taker_per_lot
    # A spread's price may be below zero; who trades it pays all the same.
    value = _bounded_product(quantity, abs(price))
    wholes, rest = value // RATE_ONE, value % RATE_ONE
    by_value = rest * rate
    lots, few = quantity // PER_LOT_ONE, quantity % PER_LOT_ONE
    by_lot = few * per_lot
    # Both remainders in 1e-9 money units: 0 to just below 2e9, so they round up once, together.
    left = by_value % RATE_ONE + by_lot % PER_LOT_ONE * (RATE_ONE // PER_LOT_ONE)
    fee = wholes * rate + by_value // RATE_ONE - -left // RATE_ONE
    fee += _bounded_product(lots, per_lot) + by_lot // PER_LOT_ONE
    if 0 < fee < fees.minimum:
        return fees.minimum
    return fee


@by_name
@dataclass(frozen=True, kw_only=True, slots=True)
class Fees:
    """What makers and takers pay at a venue: "1.5bp", "0.02%" or a plain share; money per unit."""

    maker: Exact = 0
    taker: Exact = 0
    maker_per_unit: Exact = 0
    taker_per_unit: Exact = 0
    minimum: Exact = 0

    def __post_init__(self) -> None:
        for name in ("maker", "taker"):
            _rate(getattr(self, name), name)
        for name in ("maker_per_unit", "taker_per_unit"):
            exact_fraction(getattr(self, name), name)
        if exact_fraction(self.minimum, "minimum") < 0:
            what = f"A fee of at least {shown(self.minimum)} is none"
            raise refusal(what, "minimum", "Give 0 or more; rebates are negative rates.")

    def lay(self, place: np.ndarray[Any, Any], instrument: Instrument) -> None:
        """Write the fees of this instrument into the one FEES record of `place`."""
        if place.dtype != FEES or place.size != 1:
            raise InputError(
                f"This memory is no single FEES record: {place.size} items of {place.dtype}",
                where="Fees.lay(place, instrument)",
                do="Lay it out with FEES and pass one item, as in rows[i : i + 1].",
            )
        one = place.reshape(-1)[0]
        one["maker_rate"], one["taker_rate"] = (
            _rate(getattr(self, name), name) for name in ("maker", "taker")
        )
        one["maker_per_lot"] = _per_lot(self.maker_per_unit, "maker_per_unit", instrument)
        one["taker_per_lot"] = _per_lot(self.taker_per_unit, "taker_per_unit", instrument)
        one["minimum"] = _money(self.minimum, "minimum", instrument)

    @property
    def text(self) -> str:
        """The settings that are not zero, as people write them."""
        parts = [
            f"{name} {float(_rate(getattr(self, name), name)) / 1e5:g} bp"
            for name in ("maker", "taker")
            if _rate(getattr(self, name), name)
        ]
        parts += [
            f"{name.removesuffix('_per_unit')} {getattr(self, name)} per unit"
            for name in ("maker_per_unit", "taker_per_unit")
            if exact_fraction(getattr(self, name), name)
        ]
        if exact_fraction(self.minimum, "minimum"):
            parts.append(f"at least {self.minimum} a charged fill")
        return ", ".join(parts) or "none"


@jit.inlined
def _bounded_product(count: int, each: int) -> int:
    """`count` >= 0 times `each`, or the bound on its side of zero."""
    size = -each if each < 0 else each
    if size != 0 and count > VALUE_MAX // size:
        return -VALUE_MAX if each < 0 else VALUE_MAX
    return count * each


def _rate(value: Exact, field: str) -> int:
    """A share of the value in 1e-9, exactly."""
    match = None
    if isinstance(value, str) and len(value) <= TEXT_CHARACTERS_MAX:
        match = _RATE_TEXT.fullmatch(value)
    if match:
        share = exact_fraction(match["number"], field) * _PER_UNIT[match["unit"]]
    else:
        share = exact_fraction(value, field)
    counted = share * RATE_ONE
    if abs(counted) > RATE_MAX:
        do = "Give it as '1.5bp', '0.02%' or a share such as 0.00015; a rebate is negative."
        raise refusal(f"{shown(value)} is more than half of the value", field, do)
    if counted.denominator != 1:
        do = "Round it to nine decimals: 0.00001bp is the smallest step."
        raise refusal(f"{shown(value)} is finer than a billionth of the value", field, do)
    return counted.numerator


def _per_lot(value: Exact, field: str, instrument: Instrument) -> int:
    """Money per unit of quantity, in 1e-6 money units a lot; what is finer is rounded up."""
    # A lot's size stands in the money unit as well and falls out.
    counted = math.ceil(exact_fraction(value, field) / instrument.price_unit.size * PER_LOT_ONE)
    if abs(counted) > PER_LOT_MAX:
        what = f"{shown(value)} per unit is {shown(counted)} millionths of a price unit"
        do = f"Give money per share, coin or contract; {PER_LOT_MAX} is the bound."
        raise refusal(what, f"{field}, laid for {instrument.symbol}", do)
    return counted


def _money(value: Exact, field: str, instrument: Instrument) -> int:
    unit = instrument.price_unit.size * instrument.lot_unit.size
    counted = math.ceil(exact_fraction(value, field) / unit)
    if counted > AMOUNT_MAX:
        what = f"{shown(value)} is {shown(counted)} money units"
        raise refusal(what, f"{field}, laid for {instrument.symbol}", f"At most {AMOUNT_MAX}.")
    return counted
