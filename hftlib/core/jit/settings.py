"""numba's settings, known without importing numba.

numba reads variables `NUMBA_*` and `.numba_config.yaml` in the working directory when it is
imported. Where neither is there, everything is as numba ships it; where one is, numba is asked.
What it reads must not change between the first look, when this module is imported, and its own
import: `still_as_read` sees to that.

Worst case: a variable that changes nothing costs the time of importing numba.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from hftlib.core.errors import CompileError

# Settings that change no machine code; the thread counts would even follow the CPU affinity.
HARMLESS = {
    "CACHE_DIR",
    "DEBUG_CACHE",
    "DISABLE_JIT",
    "NUMBA_DEFAULT_NUM_THREADS",
    "NUMBA_NUM_THREADS",
}
_OF_NO_INTEREST = {"NUMBA_CACHE_DIR", "NUMBA_DEBUG_CACHE", "NUMBA_NUM_THREADS"}
_FILE = ".numba_config.yaml"


def given() -> dict[str, str]:
    """What numba would read now: variables, and the settings file in the working directory."""
    found = {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith("NUMBA_") and name not in _OF_NO_INTEREST
    }
    with suppress(OSError):  # not there, as almost always
        found[_FILE] = Path(_FILE).read_text(errors="replace")
    return found


def changed() -> dict[str, Any]:
    """Settings of a numba that is loaded, as far as somebody has changed them since."""
    config = sys.modules.get("numba.core.config")
    if config is None or config.__file__ is None:
        return {}
    # Run once more beside the real one, the module tells what it would be by itself.
    spec = importlib.util.spec_from_file_location("numba.core.config", config.__file__)
    assert spec is not None and spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    return {
        name: value
        for name, value in sorted(vars(config).items())
        if name.isupper() and name not in HARMLESS and isinstance(value, int | str | None)
        if value != getattr(fresh, name, value)
    }


def text() -> str:
    """All of it that can change machine code."""
    told = {name: value for name, value in _READ.items() if name != "NUMBA_DISABLE_JIT"}
    return "\n".join(f"{name}={value}" for name, value in {**told, **changed()}.items())


def still_as_read() -> None:
    """Refuse to load a numba that would be set otherwise than this process took it to be."""
    if not _SETTLED and given() != _READ:
        names = {name for name, _ in _READ.items() ^ given().items()}
        raise CompileError(
            f"Settings of numba have changed since hftlib was imported: {', '.join(sorted(names))}",
            where="the environment or the working directory",
            do="Set them before hftlib is imported.",
        )


def _asked(name: str, otherwise: Any) -> Any:
    if not _READ and "numba" not in sys.modules:
        return otherwise
    from numba.core import config

    return getattr(config, name)


_READ = given()
COMPILED = not _asked("DISABLE_JIT", 0)
BOUNDS_CHECKED = bool(_asked("BOUNDSCHECK", None))
_SETTLED = "numba" in sys.modules  # it has read them already
