"""Another future for a tape: the same events up to a place, and something else from there on.

    changed   prices moved, quantities multiplied, events left out and doubled, what happened within
              eight events put in another order, times later
    ended     nothing comes any more but the news of a gap

Times never fall below the highest time before the place, so a run's clock is the same up to there.
Worst case: books that make no sense, crossed and with orders nobody knows; the engine counts those.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from hftlib.core import events
from hftlib.core.events import EVENT
from hftlib.research.opening import opening_events
from hftlib.research.tape import Tape

CHANGED, ENDED = "changed", "ended"
FUTURES = (CHANGED, ENDED)
TICKS_MAX, TIMES_MAX, LATER_NS_MAX = 20, 3, 1_000_000
LEFT_OUT, DOUBLED = 0.1, 0.05
WINDOW = 8
_SILENT = (events.NOTICE, events.UNREADABLE)


class Future:
    """A tape with another future from its event `place` on, as a source."""

    is_one_stream = False

    def __init__(self, tape: Tape, place: int, kind: str, time: int, seed: int) -> None:
        self.name, self.instruments = f"{tape.name}, its future {kind}", tape.instruments
        self.counts: dict[str, int] = {}
        self.share_done = 0.0
        self._tape, self._place, self._kind, self._time = tape, place, kind, time
        self._seed = seed

    def chunks(self) -> Iterator[np.ndarray[Any, Any]]:
        yield from opening_events(self._tape)
        chance = np.random.default_rng([self._seed, self._place])
        moves = _moves(self.instruments.table, chance)
        later = int(chance.integers(1, LATER_NS_MAX))
        first = 0
        for chunk in self._tape.chunks():
            known = min(max(self._place - first, 0), len(chunk))
            first += len(chunk)
            if known:
                yield chunk[:known]
            if known < len(chunk) and self._kind == CHANGED:
                yield _changed(chunk[known:].copy(), chance, moves, self._time, later)
            self.share_done = self._tape.share_done
        yield self._last(self._time + later)

    def _last(self, time: int) -> np.ndarray[Any, Any]:
        """One event more, so that the tape is not over before its future began."""
        made = np.zeros(1, EVENT)
        made["time"] = max(time, self._tape.end + LATER_NS_MAX if self._kind == CHANGED else 0)
        made["received"], made["kind"], made["instrument"] = made["time"], events.GAP, events.ALL
        return made


def time_before(tape: Tape, places: list[int]) -> list[int]:
    """The run's clock at each of these events, lowest first: the highest time up to there."""
    found: list[int] = []
    highest, first = 0, 0
    for chunk in tape.chunks():
        times = np.where(np.isin(chunk["kind"], _SILENT), 0, chunk["time"])
        clock = np.maximum(np.maximum.accumulate(times), highest)
        while len(found) < len(places) and places[len(found)] < first + len(chunk):
            found.append(int(clock[places[len(found)] - first]))
        highest, first = int(clock[-1]), first + len(chunk)
        if len(found) == len(places):
            break
    return found


def _moves(table: np.ndarray[Any, Any], chance: Any) -> np.ndarray[Any, Any]:
    """By how much the prices of each instrument move, and of events that concern all."""
    ticks = chance.integers(1, TICKS_MAX, len(table) + 1) * chance.choice([-1, 1], len(table) + 1)
    ticks[:-1] *= np.maximum(1, table["tick"])
    return np.asarray(ticks)


def _changed(
    made: np.ndarray[Any, Any], chance: Any, moves: np.ndarray[Any, Any], time: int, later: int
) -> np.ndarray[Any, Any]:
    priced, sized = made["price"] > 0, made["quantity"] > 0
    rows = np.minimum(made["instrument"], len(moves) - 1)
    wobbles = chance.integers(0, 2, len(made)) * np.sign(moves[rows])
    moved = made["price"] + moves[rows] + wobbles * np.abs(moves[rows])
    made["price"] = np.where(priced, np.maximum(1, moved), made["price"])
    # Positive prices stay so: a price of zero or less would be another kind of event.
    made["quantity"] *= np.where(sized, chance.integers(1, TIMES_MAX + 1, len(made)), 1)
    timed = ~np.isin(made["kind"], _SILENT)
    for name in ("time", "received"):
        told = timed & (made[name] != 0)
        made[name] = np.where(told, np.maximum(made[name], time) + later, made[name])
    order = np.argsort(np.arange(len(made)) // WINDOW + chance.random(len(made)), kind="stable")
    clocks = {name: made[name].copy() for name in ("time", "received")}
    made = made[order]
    for name, times in clocks.items():
        made[name] = times
    draws = chance.random(len(made))
    repeats = np.where(draws < LEFT_OUT, 0, np.where(draws < LEFT_OUT + DOUBLED, 2, 1))
    return np.repeat(made, repeats)
