"""The door for prices and quantities: decimal at the edge, int64 counts of a unit inside.

A `Unit` is an exact positive rational grid: a tick, a lot, a cent, a 32nd. Outside it stand text,
Decimal, Fraction, int and float; inside stands only how many units a value is. Every way in is
exact or refused, because a price that is off by one tick is wrong in silence for ever after.

    "100.0001"  --count-->  1_000_001  --text-->  "100.0001"       Unit("0.0001")

A float is not a decimal, so it gets one rule, the same for scalars and arrays: it stands for the
grid value whose nearest float64 it is, provided there is exactly one. 0.3 is thirty cents; 0.1 +
0.2 is refused; 2.0**53 on a grid of 1 is refused too, for 2**53 + 1 has the same float64. Where the
shortest decimal that prints as the float is on the grid, it is the value meant, unless refused.

Worst case: `counts` makes some ten passes and holds four arrays of the input's size. Values of
2**50 units or more, and grids finer than 2**-53, take an exact path, some 6 µs a value.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

from hftlib.core.errors import InputError

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

Exact: TypeAlias = int | str | Decimal | Fraction | float | np.integer[Any]
Direction: TypeAlias = Literal["down", "up", "nearest"]
_Rounding: TypeAlias = Callable[[Fraction], int]

# Text longer than this, or a power of ten beyond this, is garbage and would cost memory to parse.
TEXT_CHARACTERS_MAX = 128
_POWER_OF_TEN_MAX = 400
_SHOWN_MAX = 80

# Below this many units, x * denominator / numerator misses n by 3 * 2**-53 * 2**50 = 0.375 at most,
# so rint finds n; and grid values lie 4 or more float64 steps apart, so no two share a float64.
_SURE_BELOW = 2**50
_FLOAT_EXACT_MAX = 2**53

_ROUNDING: dict[str, _Rounding] = {"down": math.floor, "up": math.ceil, "nearest": round}
_DECIMAL_TEXT = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_RATIO_TEXT = re.compile(r"([+-]?[0-9]+)/([0-9]+)")


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Unit:
    """An exact grid: `Unit("0.01")`, `Unit("1/32")`, `Unit(100)`, or from Decimal or Fraction."""

    size: Fraction
    decimals: int | None  # digits that write every grid value; None where no number of them does

    def __init__(self, size: Exact, *, field: str = "unit") -> None:
        # No grid tells what a float stands for here, so its shortest decimal does.
        ratio = exact_fraction(size, field)
        if ratio <= 0 or max(ratio.numerator, ratio.denominator) > INT64_MAX:
            do = f"Give a positive number whose two terms as a ratio are at most {INT64_MAX}."
            raise refusal(f"{shown(size)} cannot be a unit", field, do)
        object.__setattr__(self, "size", ratio)
        object.__setattr__(self, "decimals", _decimals(ratio.denominator))

    def __str__(self) -> str:
        return self._label(1)

    def __repr__(self) -> str:
        return f"Unit({str(self)!r})"

    def count(self, value: Exact, *, field: str = "price") -> int:
        """How many units `value` is, or a refusal that names the two nearest valid values."""
        units = self._units(value, field)
        if units.denominator == 1:
            return units.numerator
        below, above = self._label(math.floor(units)), self._label(math.ceil(units))
        what = f"{shown(value)} is not a multiple of {self}, but {below} and {above} beside it are"
        do = "Correct it, or pick one on purpose: Unit.rounded(value, 'down'), 'up' or 'nearest'."
        raise refusal(what, field, do)

    def rounded(self, value: Exact, direction: Direction, *, field: str = "price") -> int:
        """The count beside `value`. 'down' is towards minus infinity; a tie goes to the even."""
        rounding = _ROUNDING.get(direction) if isinstance(direction, str) else None
        if rounding:
            return rounding(self._units(value, field))
        what = f"{shown(direction)} is not a direction to round {shown(value)} in"
        raise refusal(what, field, "Say 'down', 'up' or 'nearest'.")

    def fraction(self, count: int) -> Fraction:
        """The exact value of a count, whatever the grid."""
        return as_int64(count, "count") * self.size

    def value(self, count: int) -> Decimal:
        """The exact value of a count as a Decimal; text makes it, for arithmetic would round it."""
        return Decimal(self.text(count))

    def text(self, count: int) -> str:
        """The exact value of a count with as many decimals as this grid always has."""
        whole = as_int64(count, "count")
        if self.decimals is not None:
            return self._label(whole)
        do = "Use Unit.fraction(count), or Unit.values for the nearest floats."
        raise refusal(f"{whole} units of {self} have no end as a decimal number", "count", do)

    def counts(self, array: NDArray[Any], *, field: str = "price") -> NDArray[np.int64]:
        """`count` for every element of a float64 or integer array, and the same answers."""
        checked = _checked_array(array, True, field)
        flat = checked.reshape(-1)
        floats = flat.dtype.kind == "f"
        counted, good, unsure = self._of_floats(flat) if floats else self._of_integers(flat)
        for index in np.flatnonzero(unsure):
            with contextlib.suppress(InputError):
                counted[index] = self.count(flat[index].item())
                good[index] = True
        bad = np.flatnonzero(~good)
        if bad.size:
            raise self._first_refusal(checked, bad, field)
        return counted.reshape(checked.shape)

    def values(self, counts: NDArray[Any], *, field: str = "counts") -> NDArray[np.float64]:
        """The float64 nearest to each exact value; beyond 2**52 units neighbours may share one."""
        checked = _checked_array(counts, False, field)
        flat = checked.reshape(-1)
        numerator, denominator = self.size.numerator, self.size.denominator
        top = _FLOAT_EXACT_MAX // numerator if denominator <= _FLOAT_EXACT_MAX else 0
        exact = (flat >= -top) & (flat <= top)
        # Both terms of this division are exact in float64, so it rounds once, to the nearest.
        values = np.where(exact, flat, 0).astype(np.int64) * numerator / denominator
        for index in np.flatnonzero(~exact):
            one = as_int64(flat[index].item(), _place(checked, index, field))
            values[index] = self._nearest_float(one)
        return values.reshape(checked.shape)

    def _units(self, value: object, field: str) -> Fraction:
        """`value` as a number of units within int64, whole exactly when it is on the grid."""
        if isinstance(value, float) and math.isfinite(value):
            units = Fraction(value) / self.size
        else:
            units = exact_fraction(value, field) / self.size
        if not INT64_MIN <= units <= INT64_MAX:
            low, high = self._label(INT64_MIN), self._label(INT64_MAX)
            what = f"{shown(value)} in units of {self} does not fit into an int64"
            raise refusal(what, field, f"Give {low} to {high}, or use a coarser unit.")
        if not isinstance(value, float):
            return units
        near = round(units)
        meant = [n for n in (near - 1, near, near + 1) if self._nearest_float(n) == value]
        if len(meant) > 1:
            one, other = self._label(meant[0]), self._label(meant[1])
            what = f"{shown(value)} is the float64 of both {one} and {other}, multiples of {self}"
            raise refusal(what, field, "Give the value as text, Decimal or int.")
        return Fraction(meant[0]) if meant else units

    def _nearest_float(self, count: int) -> float:
        # Python rounds the quotient of two ints of any size correctly.
        return count * self.size.numerator / self.size.denominator

    def _label(self, count: int) -> str:
        if self.decimals is None:
            return str(count * self.size)
        scale = 10**self.decimals
        scaled = count * self.size.numerator * scale // self.size.denominator
        whole, part = divmod(abs(scaled), scale)
        sign = "-" if scaled < 0 else ""
        return f"{sign}{whole}.{part:0{self.decimals}d}" if self.decimals else f"{sign}{whole}"

    def _of_floats(self, flat: NDArray[Any]) -> _Counted:
        numerator, denominator = self.size.numerator, self.size.denominator
        with np.errstate(all="ignore"):  # NaN, infinities and overflow fail every comparison below
            guess = np.rint(flat * float(denominator) / float(numerator))
            size = np.abs(guess)
            sure = (size * numerator < _SURE_BELOW) & (denominator <= _FLOAT_EXACT_MAX)
        counted = np.where(sure, guess, 0.0).astype(np.int64)
        # Exact terms again: the quotient is the float64 nearest to the grid value.
        good = sure & (counted * numerator / denominator == flat)
        # What is twice beyond int64 is refused unseen, so a column of 1e300 costs no exact path.
        return counted, good, ~sure & (size < 2.0**64)

    def _of_integers(self, flat: NDArray[Any]) -> _Counted:
        numerator, denominator = self.size.numerator, self.size.denominator
        wide = flat if flat.dtype == np.uint64 else flat.astype(np.int64, copy=False)
        quotient, remainder = np.divmod(wide, numerator)
        low, high = -(-INT64_MIN // denominator), INT64_MAX // denominator
        good = (remainder == 0) & (quotient >= low) & (quotient <= high)
        counted = np.where(good, quotient, 0).astype(np.int64) * denominator
        return counted, good, np.zeros_like(good)

    def _first_refusal(self, array: NDArray[Any], bad: NDArray[Any], field: str) -> InputError:
        where = _place(array, bad[0], field)
        try:
            self.count(array.reshape(-1)[bad[0]].item(), field=where)
        except InputError as first:
            what = f"{first.what}; it is the first of {bad.size} refused among {array.size} values"
            return InputError(what, where=first.where, do=first.do)
        raise AssertionError(f"{self!r}: the array and the scalar path disagree at {where}")


_Counted: TypeAlias = tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]
"""The counts, which of them are right, and which only the exact path can tell."""


def exact_fraction(value: object, field: str) -> Fraction:
    """Any number as its exact ratio; a float as the shortest decimal that prints as it.

    Of numpy's floats only float64 is a float: float32 merges ticks of 0.0001 from 1024 on.
    """
    if is_whole(value):
        return Fraction(int(value))
    if isinstance(value, Fraction):
        return value
    if isinstance(value, str):
        return _fraction_of_text(value, field)
    if isinstance(value, Decimal | float):
        number = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
        return _fraction_of_decimal(number, value, field)
    do = "Give an int, text such as '101.25', a Decimal, a Fraction or a float64."
    raise refusal(f"{shown(value)}, a {type(value).__name__}, is not taken as a number", field, do)


def as_int64(value: object, field: str) -> int:
    """A whole number within int64, or a refusal."""
    if is_whole(value) and INT64_MIN <= value <= INT64_MAX:
        return int(value)
    what = f"{shown(value)} is not a whole number that fits into an int64"
    raise refusal(what, field, f"Give an int from {INT64_MIN} to {INT64_MAX}.")


def is_whole(value: object) -> TypeGuard[int]:
    """An int or a numpy integer; a bool is neither, nor is timedelta64, which numpy counts in."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool | np.timedelta64)


def shown(value: object) -> str:
    """The value as a message quotes it: bounded, on one line, and never an error of its own."""
    numbers = int | float | np.number | Decimal | Fraction
    try:
        text = str(value) if isinstance(value, numbers) else repr(value)
    except Exception:  # a stranger's __repr__, or an int of more digits than Python prints
        return f"a {type(value).__name__} that cannot be shown"
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"


def refusal(what: str, field: str, do: str) -> InputError:
    """How every refusal at this door reads: the value, the field it was given for, the remedy."""
    return InputError(what, where=f"the value given as {field}", do=do)


def _fraction_of_text(text: str, field: str) -> Fraction:
    if len(text) <= TEXT_CHARACTERS_MAX:
        if _DECIMAL_TEXT.fullmatch(text):
            return _fraction_of_decimal(Decimal(text), text, field)
        ratio = _RATIO_TEXT.fullmatch(text)
        if ratio and int(ratio[2]):
            return Fraction(int(ratio[1]), int(ratio[2]))
    do = "Write '101.25', '1e-8' or '1/32', with no blanks or separators."
    raise refusal(f"{shown(text)} does not read as a number", field, do)


def _fraction_of_decimal(number: Decimal, given: object, field: str) -> Fraction:
    if not number.is_finite():
        do = "Drop the record, or fill the value in before it comes here."
        raise refusal(f"{shown(given)} is not a finite number", field, do)
    exponent = int(number.as_tuple().exponent)
    if max(-exponent, number.adjusted()) > _POWER_OF_TEN_MAX:
        do = f"Stay within {_POWER_OF_TEN_MAX} digits on either side of the point."
        raise refusal(f"{shown(given)} has more digits than any value needs", field, do)
    return Fraction(number)


def _checked_array(array: NDArray[Any], floats: bool, field: str) -> NDArray[Any]:
    # Lists are refused because numpy makes [True, 2**60 + 1, 0.5] floats before anyone can look,
    # masked arrays because their masked places hold numbers too.
    if isinstance(array, np.ndarray) and not isinstance(array, np.ma.MaskedArray):
        native = array.dtype.newbyteorder("=")
        if native.kind in "iu" or (floats and native == np.float64):
            return array.astype(native, copy=False)
    wanted = "float64 or integers" if floats else "integers"
    do = f"Make it a plain numpy array of {wanted} where it is read; float32 loses digits."
    what = f"{shown(array)} (a {type(array).__name__}) is not a plain array of {wanted}"
    raise refusal(what, field, do)


def _place(array: NDArray[Any], index: np.integer[Any], field: str) -> str:
    return f"{field}[{', '.join(str(at) for at in np.unravel_index(index, array.shape))}]"


def _decimals(denominator: int) -> int | None:
    # 2**63 > INT64_MAX, so 63 factors of two, and with them 63 digits, are out of reach.
    return next((digits for digits in range(63) if 10**digits % denominator == 0), None)
