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
    "ICEBERG": "core.parents",
    "IOC": "core.orders",
    "IS": "core.parents",
    "Impact": "venue.impact",
    "LIMIT": "core.orders",
    "Latency": "venue.delays",
    "Layout": "core.layout",
    "Ledger": "research.ledger",
    "Limits": "risk.limits",
    "MANUAL": "core.parents",
    "MARKET": "core.orders",
    "MID": "core.parents",
    "MicropriceTable": "strategy.indicators",
    "OPPOSITE": "core.parents",
    "OrderFlowImbalance": "strategy.indicators",
    "PEG": "core.parents",
    "POST": "core.parents",
    "POV": "core.parents",
    "PRIMARY": "core.parents",
    "RealisedVolatility": "strategy.indicators",
    "Result": "research.result",
    "Ring": "core.ring",
    "RiskWatch": "research.risk_watch",
    "RollingMean": "strategy.indicators",
    "RollingVariance": "strategy.indicators",
    "SELL": "core.events",
    "SPLIT": "core.parents",
    "STOP": "core.orders",
    "STOP_LIMIT": "core.orders",
    "SWEEP": "core.parents",
    "TWAP": "core.parents",
    "Tape": "research.tape",
    "Tca": "research.tca",
    "Unit": "core.units",
    "VWAP": "strategy.indicators",
    "VWAP_CURVE": "core.parents",
    "Venue": "venue.venue",
    "VolumeCurve": "execution.curves",
    "backtest": "research.backtest",
    "beside_bars": "research.bridge.beside",
    "block": "strategy.classes",
    "book_replay": "lab.replay",
    "cell_dtype": "core.seqlock",
    "check_lookahead": "research.lookahead",
    "clock": "core",
    "compare": "research.parity.comparing",
    "day_report": "research.day.report",
    "duration_ns": "core.times",
    "flatten": "risk.people",
    "halt": "risk.people",
    "jit": "core",
    "journal_result": "research.journal_result",
    "journey": "lab.journey",
    "ladder": "lab.watching",
    "latency_map": "lab.latency_map",
    "library": "strategy",
    "lift": "risk.people",
    "open_tape": "research.tape",
    "param": "strategy.fields",
    "portfolio_risk": "risk.portfolio",
    "record": "core.records",
    "reduce": "risk.people",
    "ring_dtype": "core.ring",
    "set_limit": "risk.people",
    "shared_memory": "core.mapping",
    "signals_to_strategy": "research.bridge.signals",
    "sizing": "risk",
    "state": "strategy.fields",
    "store": "research.catalog.opening",
    "strategy": "strategy",
    "sweep": "research.sweep.sweeping",
    "synthetic": "feed.synthetic.market",
    "to_ns": "core.times",
    "to_tape": "research.tape",
    "to_text": "core.times",
    "trials_of": "research.sweep.counting",
    "urgency": "execution.schedules",
    "validate": "research.validation.validating",
    "validation": "research",
    "volume_curve": "research.volume_curve",
    "watch": "lab.watching",
    "wire_backtest": "research.wire_backtest",
}

__all__ = ["__version__", *_PLACES]  # noqa: PLE0604  (all of them are text)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"hftlib has no {name!r}; it has {', '.join(sorted(_PLACES))}")
    place = f"{__name__}.{_PLACES[name]}"
    if name == "strategy":  # a room that can be called
        value: Any = importlib.import_module(f"{__name__}.strategy")
    elif _PLACES[name] in ("core", "research", "risk", "strategy"):
        value = importlib.import_module(f"{place}.{name}")
    else:
        value = getattr(importlib.import_module(place), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext hftlib`: magics and pages for notebooks (`hftlib/lab/extension.py`)."""
    importlib.import_module(f"{__name__}.lab.extension").load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext hftlib`."""
    importlib.import_module(f"{__name__}.lab.extension").unload(shell)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
