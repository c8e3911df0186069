"""One trial: the strategy with its parameters over every tape, and the row that is kept of it.

    trier = Trier(course)                       one for each thread
    trier.tried(7, {"edge_ticks": 2}, bars)     -> Outcome: done, pruned or failed, and why

`bars` are the objectives below which a trial is given up, after each part of the way: after each
of several tapes; of one tape, after a quarter, half and three quarters of its events. A part's
objective is that of what was run so far, and the best of them so far has to reach the bar.

Whatever ends a trial is its row's, not the sweep's; only Ctrl-C ends the sweep. Worst case: a
trial that is told to stop does so after the compiled loop's next return, some 50 ms.
"""

from __future__ import annotations

import math
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hftlib.core.errors import HftError
from hftlib.engine.driving import Backtest
from hftlib.research.result import Result
from hftlib.research.result_making import result_of
from hftlib.research.sweep.objective import NAN, Objective, figures_of
from hftlib.research.sweep.reruns import Ground, Reruns

DONE, PRUNED, FAILED = "done", "pruned", "failed"
LOOKS = 4  # at one tape, the last of them at its end
KEPT = 2  # tapes whose memory a thread keeps
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Course:
    """What all trials have in common."""

    strategy: Any  # with the parameters that do not vary
    grounds: tuple[Ground, ...]
    objective: Objective
    step_ns: int
    counts: tuple[int, ...]  # steps of each tape

    @property
    def parts(self) -> int:
        """How often on the way a trial may be given up."""
        return len(self.grounds) - 1 if len(self.grounds) > 1 else LOOKS - 1


@dataclass
class Outcome:
    """What became of one trial."""

    number: int
    params: dict[str, Any]
    state: str = DONE
    why: str = ""
    objective: float = NAN
    figures: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    parts: list[float] = field(default_factory=list)  # the objective after each part of the way
    pnl: Array | None = None

    def row(self) -> dict[str, Any]:
        """What is kept of it in the log."""
        return {
            "number": self.number,
            "params": self.params,
            "state": self.state,
            "why": self.why,
            "objective": _plain(self.objective),
            "figures": {name: _plain(value) for name, value in self.figures.items()},
            "seconds": self.seconds,
            "parts": [_plain(value) for value in self.parts],
        }


class _GivenUpError(Exception):
    """A trial that is not worth its end."""


class StoppedError(Exception):
    """The sweep is over; nobody wants this trial any more."""


class Trier:
    """One thread's trials."""

    def __init__(self, course: Course, stop: threading.Event | None = None) -> None:
        self.course, self._stop = course, stop
        self._reruns: OrderedDict[int, Reruns] = OrderedDict()

    def tried(self, number: int, params: Mapping[str, Any], bars: Sequence[float] = ()) -> Outcome:
        """The whole trial, or as much of it as was worth it."""
        made, began = Outcome(number, dict(params)), time.perf_counter()
        try:
            self._try(made, bars)
        except StoppedError:
            raise
        except _GivenUpError:
            made.state = PRUNED
            made.why = f"{made.parts[-1]:,.6g} after part {len(made.parts)} is below the median"
        except HftError as error:
            made.state, made.why = FAILED, error.what
        except Exception as error:
            made.state, made.why = FAILED, f"{type(error).__name__}: {error}"
        made.why = " ".join(made.why.split())
        made.seconds = time.perf_counter() - began
        return made

    def _try(self, made: Outcome, bars: Sequence[float]) -> None:
        course = self.course
        strategy = course.strategy.with_params(**made.params)
        results: list[Result] = []
        steps: list[Array] = []
        one_tape = len(course.grounds) == 1
        for number in range(len(course.grounds)):
            result = self._ran(number, strategy, made, bars if one_tape else ())
            if result.ended:
                made.state, made.why = FAILED, result.ended
                return
            results.append(result)
            steps.append(steps_of(result, course.step_ns, course.counts[number]))
            if bars and not one_tape and number + 1 < len(course.grounds):
                self._judge(made, results, np.concatenate(steps), bars)
        made.pnl = np.concatenate(steps)
        made.figures = figures_of(results, made.pnl, course.step_ns)
        made.objective = course.objective.of(results, made.figures)

    def _ran(self, number: int, strategy: Any, made: Outcome, bars: Sequence[float]) -> Result:
        """One tape to its end; looked at on the way where there are bars."""
        ground, looked = self.course.grounds[number], 0

        def look(run: Backtest) -> None:
            nonlocal looked
            if self._stop is not None and self._stop.is_set():
                raise StoppedError
            while bars and looked < LOOKS - 1 and run.seen >= _mark(run, looked):
                looked += 1
                now = int(run.session.arena["session"]["time"][0])
                result = result_from(run, ground, "", now)
                steps = steps_of(result, self.course.step_ns, 0)
                self._judge(made, [result], steps, bars)

        looks = 4 * LOOKS if bars else 1
        run, ended = self._memory(number).go(strategy, look, looks)
        return result_from(run, ground, ended, ground.tape.end)

    def _memory(self, number: int) -> Reruns:
        kept = self._reruns
        if number not in kept:
            kept[number] = Reruns(self.course.grounds[number])
        kept.move_to_end(number)
        while len(kept) > KEPT:
            kept.popitem(last=False)
        return kept[number]

    def _judge(
        self, made: Outcome, results: Sequence[Result], steps: Array, bars: Sequence[float]
    ) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a part of a run may have too little to tell
            value = self.course.objective.of(
                results, figures_of(results, steps, self.course.step_ns)
            )
        made.parts.append(value)
        known = [one for one in made.parts if not math.isnan(one)]
        if known and max(known) < bars[len(made.parts) - 1]:
            raise _GivenUpError


def result_from(run: Backtest, ground: Ground, ended: str, end: int) -> Result:
    """The result of a run that is over, or of what it did so far."""
    tape = ground.tape
    about = {
        "tape": tape.path.name,
        "tape_digest": tape.digest,
        "begin": tape.begin,
        "end": end,
        "zone": tape.zone,
        "compiled": True,
    }
    return result_of(run, tape, ground.horizons, ended, about)


def steps_of(result: Result, step_ns: int, count: int) -> Array:
    """What each step brought; so many of them, whatever came after the last one in it."""
    made = result.pnl(step_ns).to_numpy() if result.stats.totals else np.zeros(max(1, count))
    if not count or len(made) == count:
        return np.asarray(made, np.float64)
    whole = np.zeros(count)
    whole[: min(len(made), count)] = made[:count]
    whole[-1] += made[count:].sum()
    return whole


def _mark(run: Backtest, looked: int) -> float:
    """How many events both sides together have seen after the next part of the way."""
    return 2 * run.count * (looked + 1) / LOOKS


def _plain(value: Any) -> Any:
    """As JSON has it."""
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
