"""Gate 5: does it hang on chance? The same P&L drawn anew, and the same days with other luck.

`bootstrap` puts the P&L of the days together from pieces of itself; `monte_carlo` runs it again
with latencies, refusals and starting times drawn by chance. Worst case: `runs` runs over the days.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.promote.gates.joining import answer, joined
from hftlib.promote.gates.subject import Subject
from hftlib.research.tape import Tape
from hftlib.research.validation.chances import monte_carlo
from hftlib.research.validation.resampling import bootstrap
from hftlib.research.validation.verdict import Verdict

NAME = "Bootstrap and Monte Carlo"


def judge(
    subject: Subject,
    days: Sequence[Tape],
    *,
    step: str,
    confidence: float,
    draws: int,
    drawdown_max: float,
    runs: int,
    days_drawn: int,
    seed: int,
) -> Verdict:
    """Whether Sharpe stays above zero and the fall bounded in most draws, and most runs earn."""
    pnl = np.concatenate([subject.backtest(one).pnl(step).to_numpy(np.float64) for one in days])
    drawn: dict[str, Any] = {"confidence": confidence, "draws": draws, "seed": seed}
    parts = {
        "Sharpe": answer("Bootstrap", lambda: bootstrap(pnl, "sharpe", at_least=0.0, **drawn)),
        "drawdown": answer(
            "Bootstrap of the fall",
            lambda: bootstrap(pnl, "drawdown", at_most=drawdown_max, **drawn),
        ),
        "runs": answer(
            "Monte Carlo",
            lambda: monte_carlo(
                subject.kind, list(days[:days_drawn]), runs=runs, seed=seed, **subject.settings
            ),
        ),
    }
    return joined(NAME, parts)
