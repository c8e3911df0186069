"""What the methods of a strategy hold from outside of it that may know the future.

A number, or a short table of them, is a setting. A long table, a frame or another tape may have
been made from all of a tape, and nobody can tell from here.
Worst case: what is hidden behind an object of another kind is not seen.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import numpy as np

from hftlib.research.tape import Tape

SETTINGS_MAX = 64  # so many numbers are still settings
_TABLES = ("pandas", "polars", "pyarrow", "xarray")


def outside_sight(strategy: Any, tape: Tape | None) -> Iterator[tuple[str, str]]:
    """Name and kind of each table or tape that its lines use; `tape` is known."""
    plan = getattr(strategy, "_plan", None)
    for source, methods in [] if plan is None else _parts(plan):
        used = {n.id for method in methods for n in ast.walk(method) if isinstance(n, ast.Name)}
        names = source.names()
        for name in sorted(used & names.keys()):
            what = _kind(names[name], tape)
            if what:
                yield name, what


def _parts(plan: Any) -> list[tuple[Any, list[ast.FunctionDef]]]:
    """The class, and the blocks it is made of."""
    made = [(plan.source, list(plan.methods.values()))]
    for item in plan.fields.values():
        if hasattr(item.kind, "methods"):
            made += _parts(item.kind)
    return made


def _kind(value: Any, tape: Tape | None) -> str:
    if isinstance(value, Tape):
        return "" if value is tape else f"a tape of {len(value):,} events"
    if type(value).__module__.partition(".")[0] in _TABLES:
        return f"a {type(value).__name__}"
    count = value.size if isinstance(value, np.ndarray) else 0
    if isinstance(value, tuple | list | dict):
        count = len(value)
    return f"a table of {count:,}" if count > SETTINGS_MAX else ""
