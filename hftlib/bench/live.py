"""`hft bench live FOLDER`: from a datagram in memory to order bytes in memory, journal and all.

A runner's own day goes through the tick path again, frame by frame at its own times: each frame is
appended to a journal, taken in, and what goes out is appended, as the hot loop does it; sockets are
left out. Each datagram is timed by itself, which holds one reading of the clock. Those from which
orders left are one row, those from which nothing left the other; the yardstick is what appending
that datagram and those orders to the journal takes alone.

The last rows are where that time goes, by the laps of `hftlib.engine.laps`, and what a datagram
takes when its laps are read, which is the price of reading them.

Every so many frames Python lets a segment of the journal be made, and that is not timed.
Worst case: a short day has few datagrams, and its 99th percentile is a few of them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.bench.harness import Bench, require_compiled
from hftlib.core import clock, jit
from hftlib.core.errors import InputError
from hftlib.core.histogram import HISTOGRAM, Histogram, record_value
from hftlib.core.journal import Journal, append
from hftlib.core.journal.kinds import DATAGRAM, DATAGRAM_OUT, SESSION_OUT, SHADOW
from hftlib.core.journal.layout import FRAME_BYTES, FRAME_HEAD
from hftlib.core.journal.reading import pieces
from hftlib.core.records import field_offset
from hftlib.engine import laps
from hftlib.engine.live.comparing import TAKEN
from hftlib.engine.live.memory import REQUEST_AT, feed_address, feed_of, link_of, live_at
from hftlib.engine.live.replaying import about
from hftlib.engine.live.taking import take
from hftlib.ops.launching import laid

BUDGET_P50_NS, BUDGET_P99_NS = 500, 1_500
SEGMENT_BYTES = 1 << 26
TURN_FRAMES = 1 << 12
WHERE = "hft bench live"
# What a histogram is of: a datagram that orders left from, one that nothing did, the journal alone,
# and each stage of one that orders left from.
ORDER, NOTHING, ALONE, STAGE = range(4)
_HISTOGRAM_BYTES = HISTOGRAM.itemsize
_TIME, _ABOUT = field_offset(FRAME_HEAD, "time"), field_offset(FRAME_HEAD, "length")
_take = jit.caller("int64(int64, int64, int64, int64, int64, int64)")


@jit.compiled("int64(int64, int64, int64, int64, int64, int64, int64, int64)")
def timed(
    live: int, entry: int, journal: int, segment: int, places: int, count: int, histograms: int,
    watched: int,
) -> int:  # fmt: skip
    """So many frames of a day through the tick path: how many, or less than none, not taken.

    `watched`: the laps that each datagram's stages are measured into; 0: none are.
    """
    session = live_at(live).session
    for n in range(count):
        at = segment + jit.load_i64(jit.nth(places, n, count, 8))
        told = jit.load_i64(at + _ABOUT)
        kind, length, source = (told >> 32) & 0xFFFF, told & 0xFFFF_FFFF, (told >> 48) & 0xFFFF
        if kind not in TAKEN:
            continue
        time, payload = jit.load_i64(at + _TIME), at + FRAME_BYTES
        begun = clock.monotonic_ns()
        if append(journal, kind, source, time, payload, length) < 0:
            return -1
        if watched != 0:
            laps.watch(session, watched)
        fault = _take(entry, live, kind, source, time, payload, length)
        if watched != 0:
            laps.watch(session, 0)
        orders, left = _leave(live, journal, time)
        took = clock.monotonic_ns() - begun
        if fault != 0 or left < 0:
            return -1
        if kind == DATAGRAM:
            what = ORDER if orders != 0 else NOTHING
            record_value(histograms + what * _HISTOGRAM_BYTES, took)
            for stage in range(len(laps.STAGES) if watched != 0 and orders != 0 else 0):
                spent = jit.load_i64(watched + laps.SPENT_AT + 8 * stage)
                record_value(histograms + (STAGE + stage) * _HISTOGRAM_BYTES, spent)
    return count


@jit.compiled()
def _leave(live: int, journal: int, time: int) -> tuple[int, int]:
    """What goes out, into the journal: bytes of orders, and 0 where all found room."""
    header = live_at(live)
    orders, left = 0, 0
    for n in range(header.links):
        link = link_of(live, n)
        if link.out_bytes != 0:
            orders += link.out_bytes
            kind, place = header.out_kind, live + link.out_at
            left |= append(journal, kind, n, time, place, link.out_bytes) >> 63
            link.out_bytes = 0
    for n in range(header.feeds):
        feed = feed_of(live, n)
        if feed.request_bytes != 0:
            place = feed_address(live, n) + REQUEST_AT
            left |= append(journal, DATAGRAM_OUT, n, time, place, feed.request_bytes) >> 63
            feed.request_bytes = 0
    return orders, left


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def appended(journal: int, segment: int, places: int, count: int, histograms: int) -> int:
    """A datagram and what went out right behind it, appended and nothing else."""
    n = 0
    while n < count:
        at = segment + jit.load_i64(jit.nth(places, n, count, 8))
        n += 1
        if _kind(at) != DATAGRAM:
            continue
        outs = 0
        begun = clock.monotonic_ns()
        left = _append(journal, at)
        while n < count:
            behind = segment + jit.load_i64(jit.nth(places, n, count, 8))
            if _kind(behind) != SESSION_OUT and _kind(behind) != SHADOW:
                break
            left |= _append(journal, behind)
            outs += 1
            n += 1
        took = clock.monotonic_ns() - begun
        if left < 0:
            return -1
        if outs != 0:
            record_value(histograms + ALONE * _HISTOGRAM_BYTES, took)
    return count


@jit.inlined
def _kind(at: int) -> int:
    return (jit.load_i64(at + _ABOUT) >> 32) & 0xFFFF


@jit.inlined
def _append(journal: int, at: int) -> int:
    told = jit.load_i64(at + _ABOUT)
    length, source = told & 0xFFFF_FFFF, (told >> 48) & 0xFFFF
    return append(journal, _kind(at), source, jit.load_i64(at + _TIME), at + FRAME_BYTES, length)


def benches(folder: Path | None = None) -> list[Bench]:
    """All rows of `hft bench live`."""
    require_compiled(WHERE)
    if folder is None:
        do = "Give the folder that `hft live --journal FOLDER` wrote."
        raise InputError("`hft bench live` needs a journal", where=WHERE, do=do)
    first = through(folder)
    if not first[ORDER].count:
        do = "Give the journal of a runner that traded."
        raise InputError("No order left because of a datagram that day", where=str(folder), do=do)
    count = f"{first[ORDER].count:,} datagrams"
    alone = "the same appended to the journal alone"
    return (
        [
            Bench(
                f"datagram to order bytes, {name} of {count}",
                lambda p=percent: float(through(folder)[ORDER].percentile(p)),  # type: ignore[misc]
                budget=budget,
                against=alone,
                probe=lambda p=percent: float(journaled(folder).percentile(p)),  # type: ignore[misc]
            )
            for name, percent, budget in (("p50", 50, BUDGET_P50_NS), ("p99", 99, BUDGET_P99_NS))
        ]
        + [
            Bench(
                f"a datagram that nothing leaves from, {name}",
                lambda p=percent: float(through(folder)[NOTHING].percentile(p)),  # type: ignore[misc]
            )
            for name, percent in (("p50", 50), ("p99", 99))
        ]
        + _stages(folder)
    )


def _stages(folder: Path) -> list[Bench]:
    """What reading laps costs, and what they say: the first row takes the days, all share them."""
    made = np.zeros(1, laps.LAPS)
    found = np.zeros(STAGE + len(laps.STAGES), HISTOGRAM)

    def half(which: int) -> float:
        if which == ORDER:
            _pass(folder, found, made.ctypes.data)
        return float(Histogram(found[which : which + 1]).percentile(50))

    rows = [("orders leave, and laps are read, p50", ORDER), ("nothing leaves, likewise", NOTHING)]
    rows += [(f"of it {name}, by its laps", STAGE + n) for n, name in enumerate(laps.STAGES)]
    return [Bench(name, lambda n=which: half(n)) for name, which in rows]  # type: ignore[misc]


def through(folder: Path) -> list[Histogram]:
    """How long each datagram of a day takes, by what left because of it."""
    found = np.zeros(STAGE, HISTOGRAM)
    _pass(folder, found, 0)
    return [Histogram(found[n : n + 1]) for n in range(len(found))]


def _pass(folder: Path, found: np.ndarray[Any, Any], watched: int) -> None:
    """A day more into these histograms, with laps or without."""
    live = laid(about(folder))
    arguments = live.address, jit.entry_address(take)
    with tempfile.TemporaryDirectory() as made, _journal(made) as journal:
        for walk in pieces(folder):
            for begin in range(0, walk.found, TURN_FRAMES):
                place, count = walk.places + 8 * begin, min(TURN_FRAMES, walk.found - begin)
                rest = (journal.address, walk.segment.address, place, count, found.ctypes.data)
                _require(timed(*arguments, *rest, watched), folder)
                journal.append(DATAGRAM, 0, b"")  # waits for the next segment, if there is none


def journaled(folder: Path) -> Histogram:
    """The same, only appended."""
    found = np.zeros(3, HISTOGRAM)
    with tempfile.TemporaryDirectory() as made, _journal(made) as journal:
        for walk in pieces(folder):
            for begin in range(0, walk.found, TURN_FRAMES):
                place, count = walk.places + 8 * begin, min(TURN_FRAMES, walk.found - begin)
                rest = (walk.segment.address, place, count, found.ctypes.data)
                _require(appended(journal.address, *rest), folder)
                journal.append(DATAGRAM, 0, b"")
    return Histogram(found[ALONE : ALONE + 1])


def _journal(folder: str) -> Journal:
    return Journal.create(Path(folder) / "made", {}, segment_bytes=SEGMENT_BYTES)


def _require(done: int, folder: Path) -> None:
    if done < 0:
        raise InputError(
            "The day could not be gone through: its runner stops, or the disk is full",
            where=str(folder),
            do="See that `hft replay` finds it identical, and that TMPDIR has room.",
        )
