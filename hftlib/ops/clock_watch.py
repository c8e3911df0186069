"""Whether the host's clock goes with the runner's time, and how well the kernel believes it.

    watch = ClockWatch(offset)        a runner's; `turn` it in the thread that dials
    watch.told                        for `hft status`
    watch.address                     the ring from which the hot thread journals what it is given

A runner's time is the monotonic clock plus what lay between it and UTC when it began. So it never
steps, and where the host's clock is set or steered the two part:

    offset = UTC - (monotonic + what lay between)     0 at first
    step   = how far the offset went since the look before, a second ago

What is journaled is the first look, each step, and what changed much since it was last journaled.

Worst case: a clock that steps and steps back between two looks is not seen. A look costs two system
calls; if the ring is full (the hot thread stands) it is looked again a second later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core import clock_look as c
from hftlib.core.ring import Ring, ring_dtype
from hftlib.ops.kernel_clock import kernel_clock

LOOK_S, RING_MAX, READS = 1.0, 16, 3
STEP_NS = 1_000_000  # twice what the kernel's slewing moves in a second; beyond it, it was set
DRIFT_NS = 1_000_000  # since it was last journaled
ERROR_TIMES, ERROR_NS_MIN = 2, 1_000_000
US_NS = 1_000


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment, and what the kernel says of its own."""

    utc_ns: int
    monotonic_ns: int
    error_ns: int = c.UNKNOWN
    error_ns_max: int = c.UNKNOWN
    is_synchronised: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """One reading beside the runner's time."""

    offset_ns: int
    step_ns: int
    error_ns: int
    error_ns_max: int
    is_synchronised: bool


def read_clock() -> Reading:
    """Of this host, now: of some readings the one in which least time passed between the clocks."""
    found = (0, 0)
    best = -1
    for _ in range(READS):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        utc = time.clock_gettime_ns(time.CLOCK_REALTIME)
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        if best < 0 or after - before < best:
            best, found = after - before, (utc, (before + after) // 2)
    kernel = kernel_clock()
    if kernel is None:
        return Reading(*found)
    errors = kernel.error_us_estimate * US_NS, kernel.error_us_max * US_NS
    return Reading(*found, *errors, kernel.is_synchronised)


def looked(reading: Reading, lay_between: int, before: Look | None) -> Look:
    """A reading, beside the runner's time and the look before."""
    offset = reading.utc_ns - (reading.monotonic_ns + lay_between)
    step = offset - before.offset_ns if before is not None else 0
    return Look(offset, step, reading.error_ns, reading.error_ns_max, bool(reading.is_synchronised))


def worth_keeping(now: Look, kept: Look | None) -> int | None:
    """Why a look is to be journaled, of LOOKS; `kept`: the one that was last."""
    if kept is None:
        return c.FIRST
    if abs(now.step_ns) > STEP_NS:
        return c.STEPPED
    if now.is_synchronised != kept.is_synchronised:
        return c.SYNCHRONISED if now.is_synchronised else c.UNSYNCHRONISED
    if abs(now.offset_ns - kept.offset_ns) > DRIFT_NS:
        return c.DRIFTED
    low, high = sorted((now.error_ns_max, kept.error_ns_max))
    if high > ERROR_TIMES * max(low, ERROR_NS_MIN):
        return c.ERROR_CHANGED
    return None


class ClockWatch:
    """One runner's. `now` is the last look, `steps` how often the clock was set meanwhile."""

    def __init__(self, lay_between: int, read: Callable[[], Reading] = read_clock) -> None:
        self._lay_between, self.read = lay_between, read
        self._memory = np.zeros(1, ring_dtype(c.CLOCK_LOOK, RING_MAX))
        self._ring = Ring(self._memory)
        self.now: Look | None = None
        self._kept: Look | None = None
        self._next = 0.0
        self.steps = self.step_ns_max = 0

    @property
    def address(self) -> int:
        return self._ring.address

    def turn(self) -> None:
        """Look, once a second."""
        at = time.monotonic()
        if at >= self._next:
            self._next = at + LOOK_S
            self.look()

    def look(self) -> None:
        """Look now, and have it journaled where it is worth it."""
        found = looked(self.read(), self._lay_between, self.now)
        why = worth_keeping(found, self._kept)
        if why is not None:
            synchronised = int(found.is_synchronised)
            row = np.zeros(1, c.CLOCK_LOOK)
            row[0] = (
                found.offset_ns,
                found.step_ns,
                found.error_ns,
                found.error_ns_max,
                synchronised,
                why,
            )
            if not self._ring.push(row[0]):
                return  # seen again, with its step, at the next look
            self._kept = found
        if why == c.STEPPED:
            self.steps += 1
            self.step_ns_max = max(self.step_ns_max, found.step_ns, key=abs)
        self.now = found

    @property
    def told(self) -> dict[str, Any]:
        """The last look, in microseconds; what is not known is None."""
        now = self.now
        return {
            "offset_us": now.offset_ns / US_NS if now else None,
            "sync_error_us": _us(now.error_ns_max) if now else None,
            "sync_error_estimate_us": _us(now.error_ns) if now else None,
            "is_synchronised": now.is_synchronised if now else None,
            "steps": self.steps,
            "step_us_max": self.step_ns_max / US_NS,
        }


def _us(value: int) -> float | None:
    return None if value == c.UNKNOWN else value / US_NS
