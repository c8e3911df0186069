"""Every set of parameters over every tape, once: P&L by steps, a column for each set.

    whole = whole_of(strategy, tapes, sets, settings, step_ns)
    whole.matrix, whole.times, whole.firsts        firsts: where each tape's steps begin

What a run brought up to a time hangs on nothing after it, so a part of a column from the beginning
is what a backtest of that part would have given. Worst case: 8 bytes a step and set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.research.tape import Tape
from hftlib.research.validation.judging import Brief, brief_of, joined
from hftlib.research.validation.trying import Job, Params, run_jobs

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Whole:
    """What all sets brought."""

    tapes: Sequence[Tape]
    sets: Sequence[Params]
    step_ns: int
    times: Array  # ends of steps, ns
    firsts: tuple[int, ...]
    matrix: Array
    briefs: Sequence[Brief] = ()

    def pieces(self, first: int, last: int) -> list[Tape]:
        """The slices of tapes that these steps are of."""
        ends = (*self.firsts[1:], len(self.times))
        made = []
        for tape, begin, end in zip(self.tapes, self.firsts, ends, strict=True):
            low, high = max(first, begin), min(last, end)
            if low >= high:
                continue
            # What happens at the very end of a step belongs to it.
            from_ns = None if low == begin else int(self.times[low]) - self.step_ns + 1
            until_ns = None if high == end else int(self.times[high - 1]) + 1
            piece = tape.between(from_ns, until_ns)
            if len(piece):
                made.append(piece)
        return made


def whole_of(
    strategy: Any,
    tapes: Sequence[Tape],
    sets: Sequence[Params],
    settings: Mapping[str, Any],
    step_ns: int,
) -> Whole:
    """Run all sets over all tapes."""
    given = {"every": step_ns, **settings}
    jobs = [Job(tape, one, given) for one in sets for tape in tapes]
    parts = run_jobs(strategy, jobs, lambda result: brief_of(result, step_ns))
    rows = [parts[n : n + len(tapes)] for n in range(0, len(parts), len(tapes))]
    briefs = [joined(row) for row in rows]
    counts = [0, *(len(one.pnl) for one in rows[0])]
    return Whole(
        tapes,
        sets,
        step_ns,
        briefs[0].times,
        tuple(np.cumsum(counts)[:-1].tolist()),
        np.stack([one.pnl for one in briefs], axis=1),
        briefs,
    )
