"""Gate 2: does it earn on days that nobody has looked at, and at least as well as the champion?

Both are run on the unseen days, at the same venue and within the same limits. How much better the
candidate has to be is judged by MLflow's own validation of thresholds against a baseline; where
there is no champion, that is said, and the candidate is judged alone.

Worst case: two runs over each unseen day, and the import of MLflow where there is a champion.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.core.errors import HostError
from hftlib.promote.gates.subject import Subject
from hftlib.research import charts
from hftlib.research.result import Result
from hftlib.research.tape import Tape
from hftlib.research.validation.verdict import Verdict

NAME = "Backtest on unseen days"


def judge(
    subject: Subject,
    champion: Subject | None,
    unseen: Sequence[Tape],
    *,
    fills_min: int,
    pnl_min: float,
    worst_day_min: float,
    champion_share_min: float,
) -> Verdict:
    """Whether it earns there, and brings `champion_share_min` of what the champion brings."""
    mine = [subject.backtest(tape) for tape in unseen]
    theirs = [champion.backtest(tape) for tape in unseen] if champion is not None else []
    figures = _figures(mine)
    fills, pnl, worst = figures["fills"], figures["P&L"], figures["P&L of the worst day"]
    figures |= {f"champion: {name}": value for name, value in _figures(theirs).items()}
    reasons = [f"it ended early: {one.ended}" for one in mine if one.ended]
    if fills < fills_min:
        reasons.append(
            f"it had {fills:,} fills, and {fills_min:,} are the least that tell anything"
        )
    if pnl < pnl_min:
        reasons.append(f"it brought {pnl:,.2f}, and {pnl_min:,.2f} are asked for")
    if worst < worst_day_min:
        reasons.append(f"its worst day brought {worst:,.2f}, and {worst_day_min:,.2f} may be lost")
    if theirs:
        reasons += behind(pnl, figures["champion: P&L"], champion_share_min)
        beside = f"; the champion brought {figures['champion: P&L']:,.2f}"
    else:
        beside = "; there is no champion, so it is judged alone"
    sentence = f"On {len(unseen)} unseen days it brought {pnl:,.2f} with {fills:,} fills{beside}."
    if reasons:
        sentence = f"{'; '.join(reasons).capitalize()}. {sentence}"
    return Verdict(NAME, not reasons, sentence, figures, _picture(mine, theirs))


def behind(pnl: float, baseline: float, share_min: float) -> list[str]:
    """What MLflow says of a candidate's P&L beside a champion's; nothing where it is enough."""
    try:
        import mlflow
        from mlflow import models
        from mlflow.models.evaluation.validation import ModelValidationFailedException
    except ImportError as error:
        raise HostError(
            f"MLflow is not installed: {error}",
            where="the gate of the champion",
            do="Install the research packages: pip install 'hftlib[research]'.",
        ) from None
    logging.getLogger("mlflow.models.evaluation.validation").setLevel(logging.WARNING)
    # Relative to a champion that lost, a share says nothing: then it must not lose more.
    least = share_min * baseline if baseline > 0 else baseline
    asked: dict[str, Any] = {"threshold": least}
    if least > baseline > 0:
        asked = {"min_relative_change": share_min - 1}
    threshold: Any = models.MetricThreshold
    figures: Any = models.EvaluationResult
    try:
        mlflow.validate_evaluation_results(
            validation_thresholds={"P&L": threshold(**asked, greater_is_better=True)},
            candidate_result=figures({"P&L": pnl}, {}),
            baseline_result=figures({"P&L": baseline}, {}),
        )
    except ModelValidationFailedException:
        return [f"it brought {pnl:,.2f} where the champion asks for {least:,.2f}"]
    return []


def _figures(results: Sequence[Result]) -> dict[str, Any]:
    if not results:
        return {}
    each = [float(one.stats["pnl_net"]) for one in results]
    return {
        "P&L": sum(each),
        "P&L of the worst day": min(each),
        "fills": sum(len(one.records["fills"]) for one in results),
        "orders": sum(len(one.records["orders"]) for one in results),
        "fees": float(sum(one.stats["fees"] for one in results)),
    }


def _picture(mine: Sequence[Result], theirs: Sequence[Result]) -> str:
    curves = {"candidate": _curve(mine)}
    if theirs:
        curves["champion"] = _curve(theirs)
    return charts.lines(curves, title="P&L over the unseen days", across="seconds", zero=True)


def _curve(results: Sequence[Result]) -> tuple[Any, Any]:
    steps = np.concatenate([one.pnl("1s").to_numpy(np.float64) for one in results])
    return np.arange(1, len(steps) + 1), np.cumsum(steps)
