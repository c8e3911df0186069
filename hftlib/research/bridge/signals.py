"""`hft.signals_to_strategy`: entries and exits on bars, as vectorbt takes them, made a strategy.

    bars = tape.only("AAPL").bars("1m")
    fast, slow = bars.close.ewm(5).mean(), bars.close.ewm(20).mean()
    Follower = hft.signals_to_strategy(fast > slow, fast < slow, tape.only("AAPL"), every="1m")
    hft.backtest(Follower, tape.only("AAPL"), params={"way": 1, "delay": "50ms"})

A signal of a bar is known when the bar is over, not before: a bar is named by its begin, so its
signal counts from `every` later. Entry goes to `quantity` lots, exit to none, and with short
entries and exits likewise below zero; an entry and an exit of one bar are left out both, as
vectorbt does. `targets` may say the positions themselves instead.

Worst case: STEPS changes of position; more are refused.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import duration_ns
from hftlib.core.units import is_whole, shown
from hftlib.research.bridge.follower import INSTRUMENTS, STEPS, SignalFollower
from hftlib.research.tape import Tape

Array = np.ndarray[Any, Any]
_WHERE = "hft.signals_to_strategy"


def signals_to_strategy(
    entries: Any = None,
    exits: Any = None,
    tape: Tape | None = None,
    *,
    short_entries: Any = None,
    short_exits: Any = None,
    targets: Any = None,
    every: Any = None,
    quantity: int = 100,
) -> Any:
    """A strategy that follows the signals: a class, for `hft.backtest` and `hft.sweep`."""
    if not is_whole(quantity) or quantity <= 0:
        raise _refused(f"A quantity of {shown(quantity)} is none", "Give lots: quantity=100.")
    if targets is not None:
        if entries is not None or exits is not None:
            raise _refused("Targets and entries are two answers", "Give one of them.")
        wanted = _frame(targets, "targets")
    else:
        given = {"entries": entries, "exits": exits}
        given |= {"short_entries": short_entries, "short_exits": short_exits}
        wanted = _positions(given, int(quantity))
    times, rows, lots = _changes(wanted, _width(wanted, every), _rows(wanted, tape))
    return _made(times, rows, lots)


def _frame(given: Any, name: str) -> Any:
    """A DataFrame with times of an hour that is known, one column an instrument."""
    import pandas as pd

    if isinstance(given, pd.Series):
        given = given.to_frame()
    if not isinstance(given, pd.DataFrame) or not isinstance(given.index, pd.DatetimeIndex):
        what = f"{name} is a {type(given).__name__}, not a Series or DataFrame over times"
        raise _refused(what, "Make it of tape.bars(...), whose index is the bars' begins.")
    if given.index.tz is None:
        raise _refused(f"The times of {name} have no zone", "tz_localize them: bars are in UTC.")
    if not given.index.is_monotonic_increasing or given.index.has_duplicates:
        raise _refused(f"The times of {name} do not rise", "Sort them, and leave each once.")
    return given


def _positions(given: dict[str, Any], quantity: int) -> Any:
    """The position that the signals of each bar lead to, as vectorbt counts them."""
    import pandas as pd

    frames = {name: _frame(one, name) for name, one in given.items() if one is not None}
    if "entries" not in frames and "short_entries" not in frames:
        raise _refused("There is no entry", "Give entries=, short_entries= or targets=.")
    first = next(iter(frames.values()))
    for name, one in frames.items():
        if one.shape != first.shape or not one.index.equals(first.index):
            what = f"{name} and {next(iter(frames))} are not of the same bars"
            raise _refused(what, "Make all of them from one frame of bars.")
        if one.isna().to_numpy().any():
            raise _refused(f"{name} has gaps", "Fill them: .fillna(False).")
    nothing = np.zeros(first.shape, bool)
    into, out, down, up = (
        frames[name].to_numpy(bool) if name in frames else nothing
        for name in ("entries", "exits", "short_entries", "short_exits")
    )
    held = np.zeros(first.shape[1], np.int64)
    made = np.zeros(first.shape, np.int64)
    for n in range(len(first)):
        both = (into[n] & out[n]) | (down[n] & up[n]) | (into[n] & down[n])
        now = np.where((out[n] & (held > 0)) | (up[n] & (held < 0)), 0, held)
        now = np.where(into[n], quantity, np.where(down[n], -quantity, now))
        held = np.where(both, held, now)
        made[n] = held
    return pd.DataFrame(made, index=first.index, columns=first.columns)


def _width(wanted: Any, every: Any) -> int:
    """How long a bar lasts: as told, or the step that its times have."""
    if every is not None:
        width = duration_ns(every, field="every")
        if width > 0:
            return width
        raise _refused(f"Bars of {shown(every)} have no end", "Give their width: every='1m'.")
    steps = np.diff(_ns(wanted.index))
    if len(steps) and (steps == steps[0]).all():
        return int(steps[0])
    raise _refused("The bars do not say how long they last", "Give their width: every='1m'.")


def _rows(wanted: Any, tape: Tape | None) -> list[int]:
    """The instrument of each column."""
    columns = list(wanted.columns)
    if tape is None:
        if len(columns) > 1:
            raise _refused("Which column is which instrument?", "Give the tape it will run on.")
        return [0]
    if len(columns) == 1 and len(tape.rows) == 1:
        return [int(tape.rows[0])]
    symbols = tape.instruments.symbols
    strange = [one for one in columns if one not in symbols]
    if strange:
        there = ", ".join(symbols[:8])
        raise _refused(f"The tape has no {strange[0]!r}", f"Name columns as it does: {there}.")
    return [symbols.index(one) for one in columns]


def _changes(wanted: Any, width: int, rows: list[int]) -> tuple[Array, Array, Array]:
    """When which instrument's target changes, and to what; by time."""
    if max(rows) >= INSTRUMENTS:
        raise _refused(f"Instrument {max(rows)} is beyond {INSTRUMENTS}", "Take a smaller tape.")
    values = wanted.to_numpy()
    if not np.isfinite(values.astype(float)).all() or (values != np.rint(values)).any():
        raise _refused("A target is no whole number of lots", "Round them, and fill gaps.")
    lots = values.astype(np.int64)
    before = np.vstack([np.zeros((1, lots.shape[1]), np.int64), lots[:-1]])
    at, column = np.nonzero(lots != before)
    if len(at) > STEPS:
        raise _refused(f"{len(at):,} changes are more than {STEPS:,}", "Take fewer bars at once.")
    times = _ns(wanted.index)[at] + width
    return times, np.array(rows, np.int64)[column], lots[at, column]


def _ns(index: Any) -> Array:
    made: Array = index.as_unit("ns").asi8
    return made


def _made(times: Array, rows: Array, lots: Array) -> Any:
    """A class of its own, with these targets in its state from the beginning."""
    said = hashlib.sha256(b"".join(one.tobytes() for one in (times, rows, lots))).hexdigest()

    class Signals(SignalFollower):
        """Follows signals that were found on bars."""

        signals = len(times)

        @property
        def digest(self) -> str:
            own: str = super().digest  # type: ignore[misc]
            return hashlib.sha256(f"{own}\0{said}".encode()).hexdigest()

        def lay(self, place: Array) -> None:
            super().lay(place)  # type: ignore[misc]
            for name, values in (("times", times), ("rows", rows), ("targets", lots)):
                place[name][0][: len(values)] = values
            place["count"][0] = len(times)

    return Signals


def _refused(what: str, do: str) -> InputError:
    return InputError(what, where=_WHERE, do=do)
