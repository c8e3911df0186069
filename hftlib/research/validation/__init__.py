"""Whether what a backtest shows is there: each question a function, each answer a `Verdict`.

    hft.validate(sweep)                       all that can be asked of a sweep, one page
    hft.validation.pbo(sweep.pnl)             one question

Every answer says pass, fail or cannot tell, in a sentence, with its figures and a picture.
"""

from __future__ import annotations

import importlib
from typing import Any

_PLACES = {
    "Report": "report",
    "Verdict": "verdict",
    "capacity": "scaling",
    "cross_validation": "crossing",
    "monte_carlo": "chances",
    "stress_costs": "stress",
    "stress_latency": "stress",
    "validate": "validating",
    "walk_forward": "walking",
}

__all__ = [*_PLACES]  # noqa: PLE0604  (all of them are text)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"hft.validation has no {name!r}; it has {', '.join(_PLACES)}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
