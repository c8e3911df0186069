"""`hft bench replay FOLDER`: what a runner's journal costs to replay, beside a bare walk over it.

The bare walk finds the same frames and checks them likewise (number, length, CRC, padding), and
hands them to nobody. So a ratio says what the tick path takes: sequencer, books, the strategies,
risk, orders, and the comparison of what goes out. A run lays out a runner's memory anew, which is
not timed. Where `hft snapshot` kept some of its memory, a restart from the newest one is measured
beside a restart that reads the whole day; of both all is timed, up to the memory of the last frame.
Worst case: a journal that is not identical any more is refused, for it ended early.
"""

from __future__ import annotations

import time
from pathlib import Path

from hftlib.bench.harness import Bench, require_compiled
from hftlib.core.errors import InputError, StateError
from hftlib.core.journal.reading import pieces
from hftlib.core.journal.walking import Place
from hftlib.engine.live.replaying import Replayed, about, replay
from hftlib.engine.live.snapshots import snapshots_of, take_up
from hftlib.engine.live.way import Way
from hftlib.ops.launching import laid

BUDGET_NS = 100  # an event: ten million a second
RESTART_MS = 5_000


def benches(folder: Path | None = None) -> list[Bench]:
    """All rows of `hft bench replay`."""
    require_compiled("hft bench replay")
    if folder is None:
        raise InputError(
            "`hft bench replay` needs a journal",
            where="hft bench replay",
            do="Give the folder that `hft live --journal FOLDER` wrote.",
        )
    whole = _replayed(folder)
    events, frames = whole.events, whole.frames
    if not events:
        raise InputError(
            "No event came in that day",
            where=str(folder),
            do="Give the journal of a runner that heard a market.",
        )
    made = [
        Bench(
            "an event, replayed",
            lambda: _replayed(folder).seconds / events * 1e9,
            budget=BUDGET_NS,
            against="the frames walked over, checked",
            probe=lambda: walked(folder) / events * 1e9,
        ),
        Bench(
            "a frame, replayed",
            lambda: _replayed(folder).seconds / frames * 1e9,
            against="one walked over, checked",
            probe=lambda: walked(folder) / frames * 1e9,
        ),
    ]
    if snapshots_of(folder):
        made.append(
            Bench(
                "a restart, from the newest snapshot",
                lambda: restarted(folder),
                unit="ms",
                budget=RESTART_MS,
                against="one that reads the whole day",
                probe=lambda: restarted(folder, whole=True),
            )
        )
    return made


def walked(folder: Path) -> float:
    """Seconds to find and check all frames."""
    begun = time.perf_counter()
    for _ in pieces(folder):
        pass
    return time.perf_counter() - begun


def restarted(folder: Path, whole: bool = False) -> float:
    """Milliseconds until a runner's memory is that of its last frame."""
    begun = time.perf_counter()
    way = Way(laid(about(folder)))
    place, _ = (Place(), []) if whole else take_up(way, folder)
    for walk in pieces(folder, place):
        way.parts_in(walk)
    return (time.perf_counter() - begun) * 1e3


def _replayed(folder: Path) -> Replayed:
    told = replay(folder, laid)
    if not told.is_identical:
        raise StateError(
            f"The replay is not what the runner did: {told.difference.splitlines()[0]}",
            where=str(folder),
            do="`hft replay` says what differs; measure a journal that is identical.",
        )
    return told
