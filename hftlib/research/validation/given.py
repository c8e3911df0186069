"""What a statistic is given: a matrix of trials, one series of P&L, thresholds; all of it checked.

    matrix_of(sweep)          Matrix: a row for each step of time, a column for each trial
    series_of(result.pnl())   Series: one value for each step of time
    share(0.95, "at_least")   a threshold between 0 and 1
    whole(16, "slices", 2)    a count

A statistic over a matrix that lies on its side is a number like any other, only wrong. So times
must be rows: labels of time among the columns, or more columns than rows where no labels say what
is what, are refused. So is what is not a number: a gap is no zero, and who made it knows why.

Worst case: one copy of the matrix as floats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown

Array = np.ndarray[Any, Any]
ROWS_LEAST = 30  # fewer steps say nothing about a mean and its spread


@dataclass(frozen=True)
class Matrix:
    """P&L of trials: values[step, trial], the trials' names, labels of steps if there are any."""

    values: Array
    names: tuple[str, ...]
    index: Any = None

    @property
    def rows(self) -> int:
        return int(self.values.shape[0])

    @property
    def columns(self) -> int:
        return int(self.values.shape[1])


@dataclass(frozen=True)
class Series:
    """P&L of each step, and labels of the steps if there are any."""

    values: Array
    index: Any = None

    def __len__(self) -> int:
        return len(self.values)


def matrix_of(given: Any, where: str = "matrix") -> Matrix:
    """A DataFrame or an array, time by trials, or a sweep that has one as `.pnl`."""
    given = _inside(given, where)
    values = _floats(given, where)
    if values.ndim != 2:
        what = f"A matrix of time by trials has two dimensions, not {values.ndim}"
        raise InputError(what, where=where, do="Give a DataFrame with a column for each trial.")
    index, columns = getattr(given, "index", None), getattr(given, "columns", None)
    if columns is None:
        index = None
    rows, trials = values.shape
    sideways = f"{rows:,} rows and {trials:,} columns look like trials by time"
    if columns is not None and _timed(columns):
        do = "Steps of time are rows and trials are columns: give matrix.T."
        raise InputError(f"The columns are times: {sideways}", where=where, do=do)
    if trials > rows and not _timed(index):
        do = "Give matrix.T; or, if steps are rows, a DataFrame whose index says their times."
        raise InputError(sideways, where=where, do=do)
    names = tuple(str(one) for one in (range(trials) if columns is None else columns))
    bad = np.flatnonzero(~np.isfinite(values).all(axis=0))
    if len(bad):
        first = ", ".join(names[one] for one in bad[:3])
        what = f"{len(bad):,} of {trials:,} trials hold what is no number ({shown(first)})"
        do = "Leave those trials out, or put 0 where a step brought nothing."
        raise InputError(what, where=where, do=do)
    return Matrix(values, names, _rising(index, where))


def series_of(given: Any, where: str = "pnl") -> Series:
    """A Series, an array or a list: one value for each step of time."""
    if getattr(given, "columns", None) is None and callable(getattr(given, "pnl", None)):
        do = "Give its P&L by steps of time: result.pnl('1m')."
        raise InputError("A result is more than one series", where=where, do=do)
    if not hasattr(given, "ndim") and hasattr(given, "pnl"):
        do = "Give one of its trials: sweep.pnl[trial]."
        raise InputError("A sweep is more than one series", where=where, do=do)
    values = _floats(given, where)
    if values.ndim == 2 and 1 in values.shape:
        values = values.ravel()
    if values.ndim != 1:
        what = f"One series of P&L is asked for, this has the shape {values.shape}"
        raise InputError(what, where=where, do="Give one column of it, such as matrix['trial'].")
    bad = int(np.count_nonzero(~np.isfinite(values)))
    if bad:
        what = f"{bad:,} of {len(values):,} steps are no numbers"
        raise InputError(what, where=where, do="Put 0 where a step brought nothing.")
    index = getattr(given, "index", None)
    return Series(values, None if callable(index) else _rising(index, where))


def same_steps(one: Matrix | Series, other: Matrix | Series, where: str, names: str) -> None:
    """Refuses two that do not stand step by step beside each other; `names` are theirs."""
    rows, others = len(one.values), len(other.values)
    if rows != others:
        what = f"{names} have {rows:,} and {others:,} steps"
        raise InputError(what, where=where, do="Give both by the same steps of time.")
    if _timed(one.index) and _timed(other.index) and list(one.index) != list(other.index):
        what = f"The steps of {names} are not of the same times"
        raise InputError(what, where=where, do="Give both by the same steps of time.")


def share(value: Any, name: str) -> float:
    """A probability or a share, between 0 and 1 and neither of them."""
    return number(value, name, above=0.0, below=1.0, such_as="0.95")


def number(
    value: Any,
    name: str,
    *,
    above: float = -math.inf,
    below: float = math.inf,
    least: float = -math.inf,
    such_as: str = "0.0",
) -> float:
    """A finite number within bounds."""
    known = isinstance(value, int | float | np.integer | np.floating)
    if isinstance(value, bool) or not known or not above < value < below or value < least:
        low = f"at least {least:g}" if math.isfinite(least) else f"above {above:g}"
        words = [low] if math.isfinite(max(above, least)) else []
        words += [f"below {below:g}"] if math.isfinite(below) else []
        do = f"Give a number{' ' if words else ''}{' and '.join(words)}, such as {such_as}."
        raise InputError(f"{name}={shown(value)} is none that can be used", where=name, do=do)
    return float(value)


def whole(value: Any, name: str, least: int = 1, most: int = 2**53) -> int:
    """A count within bounds."""
    counted = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not counted or not least <= value <= most:
        do = f"Give a whole number from {least:,} to {most:,}."
        raise InputError(f"{name}={shown(value)} is none that can be used", where=name, do=do)
    return int(value)


def one_of(value: Any, name: str, known: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in known:
        do = f"Give one of {', '.join(known)}."
        raise InputError(f"{name}={shown(value)} is not known", where=name, do=do)
    return value


def yes_or_no(value: Any, name: str) -> bool:
    if not isinstance(value, bool | np.bool_):
        do = "Say True or False."
        raise InputError(f"{name}={shown(value)} is no answer", where=name, do=do)
    return bool(value)


def percent(value: float) -> str:
    """A share in words: neither all nor nothing unless it is."""
    if 0.999 < value < 1.0:
        return f"{min(100 * value, 99.999):.5g} %"
    text = f"{100 * value:.1f}" if 0.001 <= value < 1.0 else f"{100 * value:.3g}"
    return f"{text.removesuffix('.0')} %"


def _inside(given: Any, where: str) -> Any:
    if getattr(given, "columns", None) is not None:  # a frame, whatever its columns are called
        return given
    pnl = getattr(given, "pnl", None)
    if callable(pnl):
        do = "Give the sweep that it comes from, or a matrix with a column for each trial."
        raise InputError("A result is one trial, and these are to be compared", where=where, do=do)
    return given if pnl is None else pnl


def _floats(given: Any, where: str) -> Array:
    try:
        values = np.asarray(given)
        if values.dtype.kind in "cmM":  # what numpy would make numbers of, and nobody meant
            raise TypeError
        return np.array(values, float) + 0.0  # no negative zeros
    except (TypeError, ValueError):
        what = f"{shown(type(given).__name__)} holds what is no number"
        do = "Give a DataFrame, an array or a list of numbers: the P&L of each step of time."
        raise InputError(what, where=where, do=do) from None


def _timed(index: Any) -> bool:
    """Whether labels are times: Timestamps, dates, periods."""
    return index is not None and len(index) > 0 and hasattr(index[0], "year")


def _rising(index: Any, where: str) -> Any:
    if index is None or not _timed(index):
        return index
    if not bool(getattr(index, "is_monotonic_increasing", True)):
        do = "Give the steps in the order of time: sort_index()."
        raise InputError("The times of the rows do not rise", where=where, do=do)
    return index
