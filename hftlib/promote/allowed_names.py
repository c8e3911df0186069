"""The list itself: modules that an exported cell may import, and their names.

    allowed_of("numpy")      what may be used as np.something
    modules_allowed()        what may be imported
    BUILTINS                 Python's own functions

Everything here is there because a strategy, or a table of constants that it reads, has a use for
it, and because it reaches no file, process, clock or chance. A name that is added here is one that
every release may use. Worst case: none, these are names.
"""

from __future__ import annotations

from functools import cache

import numpy as np

import hftlib

# Rooms whose names a strategy is made of; their places in `hftlib._PLACES`.
_ROOMS = ("core.events", "core.orders", "core.parents", "core.times", "execution.schedules")
_ROOMS_OF_CLASSES = ("strategy", "strategy.classes", "strategy.fields", "strategy.indicators")
# A name that is itself a module, and the module of this table that it is.
INNER = {
    ("hftlib", "library"): "hftlib.strategy.library",
    ("hftlib", "sizing"): "hftlib.risk.sizing",
    ("hftlib", "jit"): "hftlib.core.jit",
}
_NUMPY = """array zeros ones full empty arange linspace geomspace logspace eye dtype iinfo finfo
    where clip round sum prod mean median std var min max cumsum cumprod diff dot interp sort
    argmin argmax argsort searchsorted asarray concatenate stack all any nan inf pi e newaxis
    percentile quantile ndarray"""
_PLAIN = {
    "math": "",  # all that is public: it has nothing but numbers
    "typing": "Annotated Any ClassVar Final Literal Optional Protocol Self TYPE_CHECKING TypeAlias"
    " Union cast",
    "dataclasses": "dataclass field replace",
    "enum": "Enum Flag IntEnum IntFlag auto unique",
    "__future__": "annotations",
    "hftlib.strategy.library": "AvellanedaStoikov CrossVenueArbitrage MomentumTaker Pairs"
    " QueueImbalance",
    "hftlib.risk.sizing": "LOTS_MAX by_equity by_volatility by_kelly",
    "hftlib.core.jit": "compiled",
}
_BUILTINS = """abs all any bool classmethod complex dict divmod enumerate float frozenset int
    isinstance len list map max min object pow property range reversed round set slice sorted
    staticmethod str sum tuple zip ArithmeticError AssertionError Exception IndexError KeyError
    NotImplemented OverflowError RuntimeError TypeError ValueError ZeroDivisionError"""
BUILTINS = frozenset(_BUILTINS.split())


@cache
def allowed_of(module: str) -> frozenset[str]:
    """The names of a module that an exported cell may use; none of a module not on the list."""
    if module == "hftlib":
        rooms = (*_ROOMS, *_ROOMS_OF_CLASSES)
        found = {name for name, place in hftlib._PLACES.items() if place in rooms}
        return frozenset({*found, *(name for owner, name in INNER if owner == "hftlib")})
    if module == "hftlib.strategy.indicators":
        places = hftlib._PLACES.items()
        return frozenset(name for name, place in places if place == "strategy.indicators")
    if module == "numpy":
        kinds = (np.ufunc, int, float)
        plain = {name for name in np.__all__ if isinstance(getattr(np, name), kinds)}
        scalars = {name for name in np.__all__ if _is_scalar(getattr(np, name))}
        return frozenset(plain | scalars | set(_NUMPY.split()))
    if module == "math":
        import math

        return frozenset(name for name in dir(math) if not name.startswith("_"))
    return frozenset(_PLAIN.get(module, "").split())


def _is_scalar(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, np.generic)


def modules_allowed() -> list[str]:
    """What may be imported; `jit` by `from hftlib import jit` alone, so that its calls are seen."""
    plain = {*_PLAIN, "hftlib", "hftlib.strategy.indicators", "numpy"}
    return sorted(plain - {"hftlib.core.jit"})
