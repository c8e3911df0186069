"""Find the strategy that a command names: `FILE.py:Class`, `package.module:Class`, or one of ours.

Worst case: importing a file runs it, as Python does; an error in it is told with its line.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from hftlib.core.errors import HftError, InputError

LIBRARY = "hftlib.strategy.library"


def strategy_named(name: str) -> Any:
    """The decorated class of that name."""
    place, _, wanted = name.rpartition(":")
    if not place:
        place, wanted = LIBRARY, name
    module = _module(place)
    found = {key: value for key, value in vars(module).items() if _is_strategy(value)}
    if wanted in found:
        return found[wanted]
    near = get_close_matches(wanted, found, n=1)
    there = f"It has {', '.join(sorted(found))}." if found else "It has none."
    raise InputError(
        f"There is no strategy {wanted!r} in {place}",
        where=name,
        do=f"Did you mean {near[0]!r}?" if near else f"{there} Write FILE.py:Class.",
    )


def _is_strategy(value: Any) -> bool:
    return isinstance(value, type) and all(
        hasattr(value, needed) for needed in ("lay", "entry", "handles", "state_dtype")
    )


def _module(place: str) -> ModuleType:
    try:
        if not place.endswith(".py"):
            return importlib.import_module(place)
        path = Path(place)
        if not path.is_file():
            raise InputError(
                f"There is no file {place!r}",
                where="hft backtest FILE.py:Class",
                do="Give the path of a Python file that has the strategy.",
            )
        name = f"hft_strategy_{path.stem}"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module
    except (HftError, KeyboardInterrupt):
        raise
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise InputError(
            f"{place} could not be imported: {type(error).__name__}: {error}",
            where=f"{last.filename}, line {last.lineno}",
            do="Correct the file; `python FILE.py` shows the same error.",
        ) from None
