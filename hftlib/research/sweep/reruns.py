"""Runs over one tape in the same memory: set back to its beginning before each, not made anew.

    reruns = Reruns(Ground(tape, venues, limits, ...))
    run, ended = reruns.go(strategy)                what a backtest of its own would have done

Making memory (layouts, fresh pages) takes longer than a run over a hundred thousand events, and
holds Python meanwhile. Setting it back is a fill of zeros, with the few pages beside it that are
not zero at the beginning. A log is written from its front: what lies behind its first stretch of
zeros was never written, and is left alone.

Worst case: one thread's memory for each tape, some 45 MB and the books.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hftlib.book.capacity import Capacity
from hftlib.core.arena import Arena
from hftlib.core.errors import HostError
from hftlib.engine.driving import STEPS, Backtest
from hftlib.execution.curves import VolumeCurve
from hftlib.research.result_making import why_stopped
from hftlib.research.setting_up import first_room
from hftlib.research.staging import Stage, staged
from hftlib.research.tape import Tape
from hftlib.risk.limits import Limits
from hftlib.risk.people import Directive
from hftlib.venue.venue import Venue

_LOGS = ("fills", "ended", "refusals", "parents_ended", "reports")  # written from the front on
_PAGE = 4096
_STRETCH = 1 << 16
_MORE, _MOST = 8, 1 << 29
Look = Callable[[Backtest], None]


@dataclass
class Ground:
    """What all runs over one tape share; `room` grows with what one of them needed."""

    tape: Tape
    venues: Mapping[str, Venue]
    limits: Limits
    curves: Mapping[str, VolumeCurve]
    directives: Sequence[Directive]
    horizons: tuple[int, ...]
    every_ns: int
    room: Capacity | None = None


class Reruns:
    """One thread's memory for runs over one tape."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self._stage: Stage | None = None
        self._starts: list[_Start] = []

    def go(self, strategy: Any, look: Look | None = None, looks: int = 1) -> tuple[Backtest, str]:
        """A run to its end and why it ended early; `look` sees it, so many times on the way."""
        while True:
            run = self._begun(strategy)
            steps = min(STEPS, max(1, 2 * run.count // looks))

            def progress(_share: float, _what: str, run: Backtest = run) -> None:
                if look is not None:
                    look(run)

            ended = run.go(progress, steps)
            if not run.short_of_room:
                return run, ended or why_stopped(run)
            self._enlarge(run.short_of_room)

    def _begun(self, strategy: Any) -> Backtest:
        if self._stage is None:
            self._stage = self._made(strategy)
            arenas = [self._stage.session.arena, *(one.arena for one in self._stage.exchanges)]
            self._starts = [_Start(arena) for arena in arenas]
        else:
            for start in self._starts:
                start.restore()
        (seat,) = self._stage.session.seats
        seat.strategy = strategy
        strategy.lay(seat["state"])
        return self._stage.begin()

    def _made(self, strategy: Any) -> Stage:
        ground = self.ground
        ground.room = ground.room or first_room(ground.tape)
        stage = staged(
            strategy,
            ground.tape,
            ground.venues,
            ground.limits,
            ground.room,
            ground.every_ns,
            ground.horizons,
            ground.directives,
            curves=ground.curves,
        )
        stage.session.connect(True)
        return stage

    def _enlarge(self, short: Sequence[str]) -> None:
        room = self.ground.room
        assert room is not None and self._stage is not None
        used = self._stage.session.books.capacity
        if room == used:  # another thread may have found the same
            if any(getattr(room, name) * _MORE > _MOST for name in short):
                raise HostError(
                    f"The books of this tape need more than {_MOST:,} {short[0]}",
                    where=repr(self.ground.tape),
                    do="Take fewer instruments at once: tape.only(...).",
                )
            more = {name: getattr(room, name) * _MORE for name in short}
            self.ground.room = replace(room, homes=0, **more)
        self._stage, self._starts = None, []


class _Start:
    """How an arena's memory stood before its first event: the pages that were not zero."""

    def __init__(self, arena: Arena) -> None:
        whole = arena.state[: len(arena.state) // _PAGE * _PAGE]
        self._tail, self._state = arena.state[len(whole) :].copy(), arena.state
        self._pages = whole.reshape(-1, _PAGE)
        self._places = np.flatnonzero(self._pages.view(np.int64).any(axis=1))
        self._contents = self._pages[self._places]
        self._logs, self._rest = _parts(arena)

    def restore(self) -> None:
        for log in self._logs:
            for first in range(0, len(log), _STRETCH):
                stretch = log[first : first + _STRETCH]
                if not stretch.any():
                    break
                stretch.fill(0)
        for part in self._rest:
            part.fill(0)
        self._pages[self._places] = self._contents
        self._state[len(self._state) - len(self._tail) :] = self._tail


def _parts(arena: Arena) -> tuple[list[Any], list[Any]]:
    """The logs of an arena, and the stretches of memory between them, as bytes."""
    origin, state = arena.layout.data_offset, arena.state
    logs, rest, done = [], [], 0
    for name, slot in sorted(arena.layout.slots.items(), key=lambda item: item[1].offset):
        if name in _LOGS:
            begin = slot.offset - origin
            rest.append(state[done:begin])
            done = begin + slot.nbytes
            logs.append(state[begin:done])
    return logs, [part for part in (*rest, state[done:]) if len(part)]
