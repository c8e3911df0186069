"""hftlib: a trading idea from a notebook cell to a compiled live runner, without rewriting it.

    import hftlib as hft

Importing it costs nothing much: each name is loaded when it is first used, and the packages of
the research path (pandas, vectorbt, plotly, mlflow) only by what needs them.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PLACES = {
    "Arena": "core.arena",
    "BUY": "core.events",
    "Books": "book.books",
    "Capacity": "book.capacity",
    "Cell": "core.seqlock",
    "Consolidated": "book.consolidated",
    "DAY": "core.orders",
    "EMA": "strategy.indicators",
    "EMAByUpdate": "strategy.indicators",
    "FOK": "core.orders",
    "Fees": "core.fees",
    "HISTOGRAM": "core.histogram",
    "HawkesIntensity": "strategy.indicators",
    "HftError": "core.errors",
    "Histogram": "core.histogram",
    "IOC": "core.orders",
    "Impact": "venue.impact",
    "LIMIT": "core.orders",
    "Latency": "venue.delays",
    "Layout": "core.layout",
    "Limits": "risk.limits",
    "MARKET": "core.orders",
    "MicropriceTable": "strategy.indicators",
    "OrderFlowImbalance": "strategy.indicators",
    "RealisedVolatility": "strategy.indicators",
    "Result": "research.result",
    "Ring": "core.ring",
    "RollingMean": "strategy.indicators",
    "RollingVariance": "strategy.indicators",
    "SELL": "core.events",
    "STOP": "core.orders",
    "STOP_LIMIT": "core.orders",
    "Tape": "research.tape",
    "Unit": "core.units",
    "VWAP": "strategy.indicators",
    "Venue": "venue.venue",
    "backtest": "research.backtest",
    "block": "strategy.classes",
    "cell_dtype": "core.seqlock",
    "check_lookahead": "research.lookahead",
    "clock": "core",
    "duration_ns": "core.times",
    "jit": "core",
    "library": "strategy",
    "open_tape": "research.tape",
    "param": "strategy.fields",
    "portfolio_risk": "risk.portfolio",
    "record": "core.records",
    "ring_dtype": "core.ring",
    "shared_memory": "core.mapping",
    "sizing": "risk",
    "state": "strategy.fields",
    "strategy": "strategy",
    "synthetic": "feed.synthetic.market",
    "to_ns": "core.times",
    "to_tape": "research.tape",
    "to_text": "core.times",
}

__all__ = ["__version__", *_PLACES]  # noqa: PLE0604  (all of them are text)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"hftlib has no {name!r}; it has {', '.join(sorted(_PLACES))}")
    place = f"{__name__}.{_PLACES[name]}"
    if name == "strategy":  # a room that can be called
        value: Any = importlib.import_module(f"{__name__}.strategy")
    elif _PLACES[name] in ("core", "risk", "strategy"):
        value = importlib.import_module(f"{place}.{name}")
    else:
        value = getattr(importlib.import_module(place), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
