"""Before trading: compile everything, then forbid compiling.

`warm` compiles every registered entry, or links what is kept, and reports each. `freeze`
(`freezing.py`) makes every later compilation, and every later load of kept code, an error that
names the function: a compiler that wakes up inside the hot loop costs seconds.

Worst case: an argument of an unexpected type is refused loudly after `freeze`, where numba's own
switch would convert 1.9 to 1 and go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from hftlib.core.jit.functions import ENTRIES


@dataclass(frozen=True, slots=True)
class Warmed:
    """One entry made ready, and what it took."""

    name: str
    signature: str
    seconds: float
    from_cache: bool


def registered() -> int:
    """How many entries `warm` would make ready."""
    return len(ENTRIES)


def warm(report: Callable[[int, int, str], None] | None = None) -> list[Warmed]:
    """Make every entry ready; `report(done, total, name)` is called before each and at the end."""
    done = []
    for number, entry in enumerate(ENTRIES):
        if report:
            report(number, len(ENTRIES), entry.name)
        hits_before = entry.cache_hits()
        start = time.perf_counter()
        entry.compile()
        seconds = time.perf_counter() - start
        done.append(Warmed(entry.name, entry.signature, seconds, entry.cache_hits() > hits_before))
    if report:
        report(len(ENTRIES), len(ENTRIES), "")
    return done
