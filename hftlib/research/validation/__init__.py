"""Whether what a backtest shows is there: each question a function, each answer a `Verdict`.

    hft.validate(sweep)                       all that can be asked of a sweep, one page
    hft.validation.pbo(sweep.pnl)             one question

Every answer says pass, fail or cannot tell, in a sentence, with its figures and a picture.
Importing it costs nothing much: each question is loaded when it is first asked.
"""

from __future__ import annotations

import importlib
from typing import Any

_PLACES = {
    "Report": "report",
    "Verdict": "verdict",
    "bootstrap": "resampling",
    "capacity": "scaling",
    "confidence_set": "comparison",
    "cross_validation": "crossing",
    "deflated_sharpe": "deflation",
    "independent_trials": "deflation",
    "monte_carlo": "chances",
    "pbo": "overfitting",
    "reality_check": "comparison",
    "regimes": "breakdown",
    "sharpe": "track_record",
    "spa": "comparison",
    "stability": "plateau",
    "stress_costs": "stress",
    "stress_latency": "stress",
    "validate": "validating",
    "walk_forward": "walking",
}

__all__ = [*_PLACES]  # noqa: PLE0604  (all of them are text)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"hft.validation has no {name!r}; it has {', '.join(sorted(_PLACES))}")
    value = getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
