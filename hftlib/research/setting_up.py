"""What a backtest is set up from: the tape, the venues' settings, limits, horizons.

Each thing a user may pass is taken in its usual forms, and refused with a sentence otherwise.
Memory for a run is made of it in `staging.py`. Worst case: a pass over a tape's opening snapshot.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.book.capacity import Capacity
from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.times import duration_ns
from hftlib.core.units import is_whole, shown
from hftlib.execution.curves import VolumeCurve
from hftlib.research.lineup import is_by_name
from hftlib.research.lineup import strategy_of as strategy_of
from hftlib.research.tape import Tape, open_tape, to_tape
from hftlib.risk.limits import Limits
from hftlib.venue.venue import Venue

Settings = Venue | Mapping[str, Venue] | None
ORDERS_FIRST, LEVELS_FIRST = 1 << 14, 1 << 14
SAMPLES = 2_000  # of equity, where nobody says how often
SECOND_NS = 1_000_000_000


def tape_of(tape: Any) -> Tape:
    """The tape a user means: one, the path of one, or a source to be read into one."""
    if isinstance(tape, Tape):
        made = tape
    elif isinstance(tape, str | Path):
        made = open_tape(tape)
    elif hasattr(tape, "chunks"):
        made = to_tape(tape)
    else:
        raise InputError(
            f"{type(tape).__name__} is no tape",
            where="hft.backtest(strategy, tape)",
            do="Pass hft.open_tape(path), a slice of one, or hft.synthetic(...).",
        )
    if not len(made):
        raise InputError(
            "The tape has no events",
            where=repr(made),
            do="Take a longer slice, or look at the tape with `hft data show`.",
        )
    if not len(made.instruments):
        raise InputError(
            "The tape has no instruments, so there is nothing to trade",
            where=repr(made),
            do="Import the recorded data again, from a file that names its instruments.",
        )
    return _after_opening(made)


def _after_opening(tape: Tape) -> Tape:
    """Without the snapshot it begins with, which is how the books stood before its first event.

    So a slice gives what the same slice gives that was saved, and opened again.
    """
    begin = opening_of(tape)
    return tape[begin:] if 0 < begin < len(tape) else tape


def opening_of(tape: Tape) -> int:
    """How many events of a snapshot come first."""
    done = 0
    for chunk in tape.chunks():
        others = np.flatnonzero(chunk["flags"] & events.SNAPSHOT == 0)
        if len(others):
            return done + int(others[0])
        done += len(chunk)
    return done


def first_room(tape: Tape) -> Capacity:
    """How much room books get at first: for a few liquid instruments."""
    return Capacity(
        instruments=max(1, len(tape.instruments)),
        orders=ORDERS_FIRST,
        levels=LEVELS_FIRST,
        pages=LEVELS_FIRST >> 2,
    )


def settings_of(venue: Settings, tape: Tape) -> dict[str, Venue]:
    """Settings for each venue of the tape, by name."""
    names = sorted({one.venue for one in tape.instruments})
    if venue is None or isinstance(venue, Venue):
        return dict.fromkeys(names, venue or Venue())
    if not isinstance(venue, Mapping) or not all(isinstance(v, Venue) for v in venue.values()):
        raise InputError(
            f"{shown(venue)} is no setting of venues",
            where="hft.backtest(venue=...)",
            do='Give hft.Venue(...), or {"XNAS": hft.Venue(...), ...}.',
        )
    missing = [name for name in names if name not in venue]
    unknown = [name for name in venue if name not in names]
    if missing or unknown:
        odd = f"{missing[0]} has no settings" if missing else f"The tape knows no {unknown[0]!r}"
        raise InputError(
            odd,
            where="hft.backtest(venue={...})",
            do=f"Give settings for {', '.join(names)}, or one hft.Venue for all.",
        )
    return {name: venue[name] for name in names}


def limits_of(limits: Any) -> Limits:
    """The limits a user means; none is what `hft.Limits()` has."""
    if limits is None or isinstance(limits, Limits):
        return limits or Limits()
    if isinstance(limits, str | Path):
        from hftlib.risk.limits_file import read_limits

        return read_limits(Path(limits))
    do = "Give hft.Limits(position_lots=1_000), or leave it out."
    if is_by_name(limits) and limits:
        do = f"Write hft.Limits({', '.join(f'{name}={shown(limits[name])}' for name in limits)})."
    elif is_whole(limits):
        do = f"Write hft.Limits(position_lots={limits}), if the position is what to limit."
    raise InputError(f"{shown(limits)} is no hft.Limits", where="hft.backtest(limits=...)", do=do)


def curves_of(curves: Any, tape: Tape) -> Mapping[str, VolumeCurve]:
    """The curves of volume, each of a symbol that the tape has."""
    for symbol, curve in (curves if is_by_name(curves) else {}).items():
        if not isinstance(curve, VolumeCurve):
            raise InputError(
                f"{shown(curve)} is no curve of volume",
                where=f"hft.backtest(curves={{{symbol!r}: ...}})",
                do=f"Make one: hft.volume_curve(another_day, {symbol!r}).",
            )
        if symbol not in tape.instruments.symbols:
            tape.instruments.row(symbol)  # which refuses, and says what there is
    if curves is not None and not is_by_name(curves):
        raise InputError(
            f"{shown(curves)} gives no curves by symbol",
            where="hft.backtest(curves=...)",
            do='Give a dict, such as {"AAPL": hft.volume_curve(another_day, "AAPL")}.',
        )
    return curves or {}


def horizons_of(horizons: Any) -> tuple[int, ...]:
    """When to look at the price after a fill, in ns: from durations as text, or as numbers."""
    given = [horizons] if isinstance(horizons, str) else horizons
    if not isinstance(given, Iterable) or isinstance(given, Mapping):
        raise _no_horizon(horizons)
    made = []
    for one in given:
        after = duration_ns(one, field="horizons")
        if after <= 0:
            raise _no_horizon(one)
        made.append(after)
    if len(set(made)) < len(made):
        raise _no_horizon(horizons, "names the same time twice")
    return tuple(made)


def _no_horizon(value: Any, why: str = "is no time after a fill") -> InputError:
    do = "Give durations such as ['100ms', '1s', '10s']."
    return InputError(f"{shown(value)} {why}", where="hft.backtest(horizons=...)", do=do)


def every_of(every: Any, tape: Tape) -> int:
    """Whole seconds where nobody says, so many that the curve has some two thousand points."""
    if every is None:
        return max(1, tape.duration // SAMPLES // SECOND_NS) * SECOND_NS
    width = duration_ns(every, field="every")
    if width <= 0:
        raise InputError(
            f"{shown(every)} is no time between samples of equity",
            where="hft.backtest(every=...)",
            do="Give a duration such as '1s'.",
        )
    return width
