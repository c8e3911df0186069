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
    "Books": "book.books",
    "Capacity": "book.capacity",
    "Cell": "core.seqlock",
    "Consolidated": "book.consolidated",
    "HISTOGRAM": "core.histogram",
    "HftError": "core.errors",
    "Histogram": "core.histogram",
    "Layout": "core.layout",
    "Ring": "core.ring",
    "Tape": "research.tape",
    "Unit": "core.units",
    "cell_dtype": "core.seqlock",
    "clock": "core",
    "duration_ns": "core.times",
    "jit": "core",
    "open_tape": "research.tape",
    "record": "core.records",
    "ring_dtype": "core.ring",
    "shared_memory": "core.mapping",
    "synthetic": "feed.synthetic.market",
    "to_ns": "core.times",
    "to_text": "core.times",
}

__all__ = ["__version__", *_PLACES]  # noqa: PLE0604  (all of them are text)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"hftlib has no {name!r}; it has {', '.join(sorted(_PLACES))}")
    place = f"{__name__}.{_PLACES[name]}"
    if _PLACES[name] == "core":
        value: Any = importlib.import_module(f"{place}.{name}")
    else:
        value = getattr(importlib.import_module(place), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PLACES})
