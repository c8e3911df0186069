"""Many trials against one standard at once: is the best one better by more than luck?

    reality_check(sweep.pnl)               White: is any trial better than not trading?
    spa(sweep.pnl, against=benchmark)      Hansen: the same, less misled by hopeless trials
    confidence_set(sweep.pnl)              which trials may be the best; is "not trading" among them

`against` is a series of P&L by the same steps, or nothing: not trading. P&L is given as it is,
more is better; the losses that `arch` wants are made here. Its bootstrap draws pieces of time, as
long as P&L moves together. These are tests of means: more than ROWS_MAX steps are added up to
longer ones first, which changes no mean and saves the square of the time.

`spa` divides each trial's advantage by its spread, and takes those that are clearly worse out of
what luck may do. `arch` 8 does the second and not the first: its statistic is in money, so the
columns are divided here before. A confidence set compares each with each: of many trials the
SET_MAX best ones, as it would leave the others first.

Worst case: draws times steps times trials, a minute for 2,000 trials, with a bar from 2 s on, and
memory of one matrix; a set: a second, and 24 bytes for each draw and pair.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.research import charts
from hftlib.research.sheets import Sheet
from hftlib.research.validation.blocks import block_length, coarser
from hftlib.research.validation.given import (
    ROWS_LEAST,
    Matrix,
    matrix_of,
    percent,
    same_steps,
    series_of,
    share,
    whole,
)
from hftlib.research.validation.overfitting import different
from hftlib.research.validation.verdict import Verdict
from hftlib.terminal import patience

Array = np.ndarray[Any, Any]
ROWS_MAX = 1_000
TRIALS_MAX = 2_000
DRAWS_MAX = 100_000
SET_MAX = 60  # the time of a confidence set grows with the third power
SET_DRAWS_MAX = 5_000
STANDARD = "not trading"
_PIECES, _AT_ONCE = 8, 200_000
_SHOWN = 40


def reality_check(
    trials: Any,
    against: Any = None,
    *,
    at_most: float = 0.05,
    draws: int = 1_000,
    block: int | None = None,
    seed: int = 0,
) -> Verdict:
    """White's reality check: the chance that luck alone makes one trial so much better."""
    name = "White's reality check"
    return _tested(name, "reality_check", "upper", trials, against, at_most, draws, block, seed)


def spa(
    trials: Any,
    against: Any = None,
    *,
    at_most: float = 0.05,
    draws: int = 1_000,
    block: int | None = None,
    seed: int = 0,
) -> Verdict:
    """Hansen's test of superior predictive ability: the same chance, each trial by its spread."""
    name = "Superior predictive ability"
    return _tested(name, "spa", "consistent", trials, against, at_most, draws, block, seed)


def confidence_set(
    trials: Any,
    against: Any = None,
    *,
    certainty: float = 0.9,
    draws: int = 1_000,
    block: int | None = None,
    seed: int = 0,
) -> Verdict:
    """Hansen, Lunde and Nason's set of trials that may be the best; it must leave the standard."""
    certainty = share(certainty, "certainty")
    draws, seed = whole(draws, "draws", 100, SET_DRAWS_MAX), whole(seed, "seed", 0, 2**32 - 1)
    matrix, standard = matrix_of(trials, "confidence_set"), "the standard"
    better = _advantage(matrix, against)
    if against is None:
        standard = STANDARD
    name = "Model confidence set"
    figures: dict[str, Any] = {"trials": matrix.columns, "steps of time": matrix.rows}
    steps, each = coarser(better, ROWS_MAX)
    lacking = _lacking(steps, against)
    if lacking:
        return Verdict(name, None, lacking, {**figures, "certainty": certainty})
    # The standard is one more column of no advantage; two alike would have no difference to judge.
    steps = np.column_stack([np.zeros(len(steps)), steps])
    firsts, _ = different(steps, scaled=False)
    order = np.argsort(-steps[:, firsts[1:]].mean(axis=0), kind="stable")[:SET_MAX]
    firsts = np.concatenate([firsts[:1], firsts[1:][order]])
    steps = steps[:, firsts]
    if len(different(steps - steps.mean(axis=0), scaled=False)[0]) < len(firsts):
        said = "Two of the trials differ by the same in each step: there is no spread to judge by."
        return Verdict(name, None, said, {**figures, "certainty": certainty})
    length = block_length(steps[:, 1], block)
    chances = _standing(-steps / np.abs(steps).max(), draws, length, seed)
    inside = chances > 1.0 - certainty
    names = [standard, *matrix.names]
    kept = [names[firsts[one]] for one in np.flatnonzero(inside) if firsts[one] != 0]
    figures |= {
        "certainty": certainty,
        "different trials compared": len(firsts) - 1,
        "trials that may be the best": len(kept),
        f"chance of {standard}": float(chances[0]),
        "draws": draws,
        "block, steps": length * each,
    }
    passed = not bool(inside[0])
    most = " (the best ones)" if len(firsts) > SET_MAX else ""
    said = (
        f"At a certainty of {percent(certainty)}, {len(kept):,} of "
        f"{len(firsts) - 1:,} different trials{most} may be the best, and {standard} "
        + ("is not among what may be." if passed else "may be the best as well: no edge is seen.")
    )
    order = np.argsort(-chances, kind="stable")[:_SHOWN]
    called = [names[firsts[one]] for one in order]
    picture = charts.bars(called, chances[order], title="Chance to be among the best", up="chance")
    sheet = Sheet("May be the best", ("trial",), [(one,) for one in kept[:10]])
    return Verdict(name, passed, said, figures, picture, (sheet,))


def _tested(
    name: str,
    where: str,
    kind: str,
    trials: Any,
    against: Any,
    at_most: float,
    draws: int,
    block: int | None,
    seed: int,
) -> Verdict:
    at_most, draws = share(at_most, "at_most"), whole(draws, "draws", 100, DRAWS_MAX)
    seed = whole(seed, "seed", 0, 2**32 - 1)
    matrix = matrix_of(trials, where)
    better = _advantage(matrix, against)
    figures: dict[str, Any] = {
        "chance of luck": math.nan,
        "at most": at_most,
        "trials": matrix.columns,
        "steps of time": matrix.rows,
    }
    steps, each = coarser(better, ROWS_MAX)
    lacking = _lacking(steps, against)
    if lacking:
        return Verdict(name, None, lacking, figures)
    best = int(better.mean(axis=0).argmax())
    length = block_length(steps[:, best], block)
    scale = _spread(steps, length) if where == "spa" else np.abs(steps).max()
    chance = _chance(steps / scale, kind, draws, length, seed)
    figures |= {
        "chance of luck": chance,
        "best trial": matrix.names[best],
        "its advantage a step": float(better[:, best].mean()),
        "draws": draws,
        "block, steps": length * each,
    }
    standard = STANDARD if against is None else "the standard"
    least = f"less than {percent(1 / draws)}" if chance * draws < 1 else percent(chance)
    said = (
        f"Were none of {matrix.columns:,} trials better than {standard}, the best of them would "
        f"look as good as here with a chance of {least}; at most {percent(at_most)} is allowed."
    )
    curve = np.cumsum(better[:, best])
    picture = charts.lines(
        {matrix.names[best]: (np.arange(len(curve)), curve)},
        title=f"The best trial's advantage over {standard}",
        across="steps",
        zero=True,
    )
    return Verdict(name, chance <= at_most, said, figures, picture)


def _advantage(matrix: Matrix, against: Any) -> Array:
    """What each trial brought more than the standard, step by step."""
    if matrix.columns > TRIALS_MAX:
        what = f"{matrix.columns:,} trials are more than the {TRIALS_MAX:,} that can be compared"
        raise InputError(what, where="trials", do="Leave out those that are clearly worse.")
    if against is None:
        return matrix.values
    standard = series_of(against, "against")
    same_steps(standard, matrix, "against", "The standard and the trials")
    return np.asarray(matrix.values - standard.values[:, None])


def _lacking(better: Array, against: Any) -> str:
    """Why nothing can be told, or nothing."""
    rows, columns = better.shape
    if rows < ROWS_LEAST or columns == 0:
        return (
            f"{columns:,} trials over {rows:,} steps of time say nothing about luck: at least "
            f"one trial over {ROWS_LEAST} steps does."
        )
    if not better.any():
        other = STANDARD if against is None else "the standard"
        return f"All {columns:,} trials brought what {other} did: there is nothing to compare."
    return ""


def _spread(values: Array, length: int) -> Array:
    """Of each column's mean, what moves together counted: the variance that such draws have."""
    rows = len(values)
    off = values - values.mean(axis=0)
    # All products at all distances at once: transformed, twice as long so that no end meets.
    waves = np.fft.rfft(off, 2 * rows, axis=0)
    near = np.fft.irfft(waves * waves.conj(), 2 * rows, axis=0)[:rows] / rows
    away, stay = np.arange(1, rows), 1.0 - 1.0 / length
    weights = (1 - away / rows) * stay**away + away / rows * stay ** (rows - away)
    variance = near[0] + 2 * (weights @ near[1:])
    return np.asarray(np.where(near[0] > 0, np.sqrt(np.maximum(variance, 1e-12 * near[0])), 1.0))


def _chance(better: Array, kind: str, draws: int, length: int, seed: int) -> float:
    """The p-value of `arch`, in pieces so that a bar can say how far it is."""
    if not (better.mean(axis=0) > 0).any():
        return 1.0  # nothing is better; `arch` does not cut its statistic off at 0, as Hansen does
    from arch.bootstrap import SPA

    pieces = _PIECES if better.size > _AT_ONCE else 1
    sizes = [one for one in np.diff(np.linspace(0, draws, pieces + 1).astype(int)).tolist() if one]
    generator, total = np.random.default_rng(seed), 0.0
    with patience() as advance:
        for number, size in enumerate(sizes):
            test = SPA(
                np.zeros(len(better)),
                -better,
                block_size=length,
                reps=size,
                studentize=False,
                seed=generator,
            )
            test.compute()
            total += float(test.pvalues[kind]) * size
            advance((number + 1) / len(sizes), "draws")
    return total / draws


def _standing(losses: Array, draws: int, length: int, seed: int) -> Array:
    """For each column the certainty at which it leaves the set, as `arch` finds it."""
    from arch.bootstrap import MCS

    test = MCS(losses, 0.1, reps=draws, block_size=length, method="R", seed=seed)
    test.compute()
    made = np.zeros(losses.shape[1])
    for column, chance in test.pvalues["Pvalue"].items():
        made[int(column)] = float(chance)
    return made
