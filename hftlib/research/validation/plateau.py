"""Is the best trial on a plateau or on a needle? How the objective falls around it.

    stability(sweep)                                         of all that was swept
    stability(frame, parameters=["edge", "clip"], objective="pnl_net")
    stability(frame, parameters=["edge"], objective="drawdown", maximise=False)

Parameters that are a little off are what live trading gets: markets move, and what was fitted to
the noise of one tape falls off at the first step. Neighbours of the best trial are at most one step
away in every parameter: one value of a grid, or a tenth of the range where there are more than
eleven values. Words have no steps: neighbours have the same. The verdict asks that `at_least` of
the neighbours keep at least `keep` of what the best one brought.

The best of many is best by luck as well, so neighbours always bring less; half is no bad sign.
Worst case: a pass over the frame for each parameter and step.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.research import charts
from hftlib.research.sheets import Sheet
from hftlib.research.validation.given import percent, share, yes_or_no
from hftlib.research.validation.verdict import Verdict

Array = np.ndarray[Any, Any]
NAME = "Stability of the parameters"
TRIALS_LEAST, NEIGHBOURS_LEAST = 8, 3
STEPS = 10  # of a range that has too many values to be a grid
_CELLS = 40
_DONE = "done"  # how a sweep calls a trial that ran to its end


@dataclass(frozen=True)
class Axis:
    """One parameter: where each trial stands on it, in steps, and its values for a picture."""

    name: str
    at: Array  # not a number: a word, which is no step from another
    codes: Array
    values: tuple[Any, ...]

    def away(self, best: int) -> Array:
        """Steps from the best trial; without end between two words."""
        words = np.isnan(self.at)
        other = np.where(self.codes == self.codes[best], 0.0, np.inf)
        return np.asarray(np.where(words, other, np.abs(self.at - self.at[best])))


def stability(
    trials: Any,
    *,
    objective: str = "objective",
    parameters: Iterable[str] | None = None,
    maximise: bool = True,
    keep: float = 0.5,
    at_least: float = 0.5,
) -> Verdict:
    """Whether parameters a step away from the best ones bring about as much."""
    keep, at_least = share(keep, "keep"), share(at_least, "at_least")
    maximise = yes_or_no(maximise, "maximise")
    frame = getattr(trials, "frame", trials)
    names = _parameters(trials, frame, parameters, objective)
    cost = False
    if trials is not frame:
        frame = frame[frame["state"] == _DONE] if "state" in frame else frame
        # Of "-drawdown" a sweep keeps the negative, so that more is better: the cost is judged.
        cost = objective == "objective" and str(getattr(trials, "objective", "")).startswith("-")
    maximise = maximise and not cost
    reached = _numbers(frame, objective) * (-1.0 if cost else 1.0)
    known = np.isfinite(reached)
    axes = [_axis(frame, name, known) for name in names]
    axes = [axis for axis in axes if len(axis.values) > 1]
    reached = reached[known] if maximise else -reached[known]
    figures: dict[str, Any] = {"trials": len(reached), "without an objective": int((~known).sum())}
    lacking = _lacking(reached, axes)
    if lacking:
        return Verdict(NAME, None, lacking, figures)
    best = int(reached.argmax())
    away = np.max([axis.away(best) for axis in axes], axis=0)
    near = (away <= 1.0 + 1e-9) & (np.arange(len(reached)) != best)
    sign, top = (1.0 if maximise else -1.0), float(reached[best])
    figures |= {
        "best objective": sign * top,
        **{f"best {axis.name}": axis.values[axis.codes[best]] for axis in axes},
        "neighbours": int(near.sum()),
    }
    sheet, picture = _falls(axes, reached * sign, best), _picture(axes, reached * sign, best)
    if maximise and top <= 0:
        said = f"Even the best of {len(reached):,} trials brought {top:,.4g}: no parameters do."
        return Verdict(NAME, False, said, figures, picture, (sheet,))
    if near.sum() < NEIGHBOURS_LEAST:
        said = (
            f"Only {int(near.sum())} trials are within a step of the best one, and "
            f"{NEIGHBOURS_LEAST} are needed: try more parameters near {_where(axes, best)}."
        )
        return Verdict(NAME, None, said, figures, picture, (sheet,))
    # Of a cost, "half as good" is twice as dear.
    bar = top * keep if top > 0 else top / keep
    kept = float(np.mean(reached[near] >= bar))
    middle = float(np.median(reached[near]))
    figures |= {
        "median of the neighbours": sign * middle,
        "share of neighbours that keep": kept,
        "to keep": keep,
        "at least": at_least,
        "share of all trials that keep": float(np.mean(reached >= bar)),
    }
    passed = kept >= at_least
    said = (
        f"{percent(kept)} of the {int(near.sum()):,} trials within a step of the best one "
        f"({_where(axes, best)}) keep at least {percent(keep)} of what it brought; at least "
        f"{percent(at_least)} of them should. Their median is {sign * middle:,.4g}, the best "
        f"{sign * top:,.4g}: "
        + ("the best stands on a plateau." if passed else "the best is a needle, found by luck.")
    )
    return Verdict(NAME, passed, said, figures, picture, (sheet,))


def _parameters(trials: Any, frame: Any, given: Any, objective: str) -> list[str]:
    columns = [str(one) for one in getattr(frame, "columns", ())]
    if not columns:
        do = "Give a sweep, or a DataFrame with a row for each trial."
        raise InputError(f"{shown(type(trials).__name__)} has no trials", where="trials", do=do)
    if not isinstance(objective, str) or objective not in columns:
        do = f"Give one of its columns: {', '.join(columns[:12])}."
        raise InputError(f"No column {shown(objective)}", where="objective", do=do)
    if given is None and trials is not frame:
        known = getattr(getattr(trials, "space", ()), "names", ())
        given = [str(one) for one in known if str(one) in columns]
    names = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else []
    strange = [one for one in names if one not in columns or one == objective]
    if not names or strange:
        what = f"No column {shown(strange[0])}" if strange else "Which columns are parameters?"
        do = f"Say parameters=[...], some of {', '.join(columns[:12])}."
        raise InputError(what, where="parameters", do=do)
    return names


def _numbers(frame: Any, name: str) -> Array:
    try:
        return np.asarray(frame[name], float).ravel()
    except (TypeError, ValueError):
        what = f"{shown(name)} holds what is no number"
        raise InputError(what, where="objective", do="Give a column of numbers.") from None


def _axis(frame: Any, name: str, known: Array) -> Axis:
    column = [one for one, there in zip(list(frame[name]), known.tolist(), strict=True) if there]
    numeric = all(isinstance(one, int | float | np.number) for one in column)
    numeric = numeric and not any(isinstance(one, bool | np.bool_) for one in column)
    if not numeric:
        words = {one: code for code, one in enumerate(sorted({str(one) for one in column}))}
        numbered = np.array([words[str(one)] for one in column], np.int64)
        return Axis(name, np.full(len(column), np.nan), numbered, tuple(words))
    numbers = np.array(column, float)
    if not np.isfinite(numbers).all():
        what = f"The parameter {shown(name)} is not known of all trials"
        raise InputError(what, where="parameters", do="Leave those trials out of the frame.")
    values, codes = np.unique(numbers, return_inverse=True)
    at = codes.astype(float)
    if len(values) > STEPS + 1:
        at = (numbers - values[0]) / (values[-1] - values[0]) * STEPS
    return Axis(name, at, codes, tuple(values.tolist()))


def _lacking(reached: Array, axes: list[Axis]) -> str:
    if len(reached) < TRIALS_LEAST:
        return f"{len(reached)} trials show no plateau: at least {TRIALS_LEAST} are needed."
    if not axes:
        return "No parameter was varied: there is nothing around the best trial."
    if not np.ptp(reached):
        return f"All {len(reached):,} trials reached the same: the parameters change nothing."
    return ""


def _where(axes: list[Axis], best: int) -> str:
    words = [f"{axis.name} {_said(axis.values[axis.codes[best]])}" for axis in axes[:4]]
    return ", ".join(words) + (", ..." if len(axes) > 4 else "")


def _said(value: Any) -> str:
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _fall(axes: list[Axis], reached: Array, best: int, axis: Axis) -> list[tuple[int, float, int]]:
    """For each step along one parameter, the median of trials at most a step off in the others."""
    others = [one.away(best) for one in axes if one is not axis]
    beside = np.max(others, axis=0) <= 1.0 + 1e-9 if others else np.ones(len(reached), bool)
    away = np.rint(np.minimum(axis.away(best), STEPS + 1)).astype(int)
    made = []
    for step in range(STEPS + 1):
        there = reached[beside & (away == step)]
        if len(there):
            made.append((step, float(np.median(there)), len(there)))
    return made


def _falls(axes: list[Axis], reached: Array, best: int) -> Sheet:
    rows = [
        (axis.name, step, median, count)
        for axis in axes
        for step, median, count in _fall(axes, reached, best, axis)
        if step <= 3
    ]
    heads = ("parameter", "steps away", "median objective", "trials")
    return Sheet("How it falls around the best", heads, rows)


def _picture(axes: list[Axis], reached: Array, best: int) -> str:
    small = [axis for axis in axes if len(axis.values) <= _CELLS]
    if len(axes) == 2 and len(small) == 2:
        down, across = axes
        cells = np.full((len(down.values), len(across.values)), np.nan)
        for row, column in {*zip(down.codes.tolist(), across.codes.tolist(), strict=True)}:
            there = (down.codes == row) & (across.codes == column)
            cells[row, column] = np.median(reached[there])
        return charts.heat(
            cells,
            across=(across.name, across.values),
            down=(down.name, down.values),
            title="Objective of each pair of parameters",
            mark=(int(down.codes[best]), int(across.codes[best])),
        )
    curves = {}
    for axis in axes[: len(charts.COLOURS)]:
        fall = _fall(axes, reached, best, axis)
        curves[axis.name] = ([one[0] for one in fall], [one[1] for one in fall])
    title = "Median objective, the other parameters near the best"
    return charts.lines(curves, title=title, across="steps away from the best", zero=True)
