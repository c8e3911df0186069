"""In a process of its own: all machine code that a live process with one strategy loads.

    python -m hftlib.promote.code_maker STRATEGY.py CLASS PARAMETERS.json INTO

It imports what a live process imports, makes each function ready as that does, and keeps what was
loaded: INTO/NAME.o and .o.json. On stdout are lines of JSON: how far it is, and at last what the
strategy declares, or the error. Functions of a notebook that is open have no part in this.
Worst case: some minutes, where nothing is compiled yet.
"""

from __future__ import annotations

import json
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from hftlib.core.errors import HftError, StateError


def main(arguments: list[str]) -> int:
    """Print what came of it."""
    file, name, parameters, into = arguments
    try:
        told = made(Path(file), name, json.loads(Path(parameters).read_text()), Path(into))
    except HftError as error:
        told = {"error": [type(error).__name__, error.what, error.where, error.do]}
    _say(told)
    return 0


def made(file: Path, name: str, parameters: dict[str, Any], into: Path) -> dict[str, Any]:
    """Keep the code; what the strategy declares, and with which compiler it was made."""
    from hftlib.core import jit
    from hftlib.core.jit.cache import toolchain
    from hftlib.core.jit.released import noted
    from hftlib.ops.attesting import declared_by
    from hftlib.strategy.files import strategy_named

    if not jit.COMPILED or jit.BOUNDS_CHECKED:
        raise StateError(
            "A release is made of plainly compiled code only",
            where="NUMBA_DISABLE_JIT, NUMBA_BOUNDSCHECK",
            do="Unset them and run again.",
        )
    with noted() as objects:
        found = strategy_named(f"{file}:{name}")
        strategy = found(**parameters)
        _say({"declares": declared_by(found)})  # what is wrong with it is known at once
        imported()
        total = jit.registered() + 1
        jit.warm(lambda done, _total, what: _say({"done": done, "total": total, "name": what}))
        strategy.entry()
    for file_name, code in objects.items():
        code.save(into / file_name)
    host = toolchain()
    return {
        "declared": declared_by(found),
        "compiler": f"numba {host['numba']}",
        "cpu": {"name": host["cpu"], "features": sorted(host["features"].split(","))},
    }


def imported() -> None:
    """Everything that a live process may call, with what registers its functions."""
    import hftlib
    from hftlib.ops.attesting import ROOMS

    for found in pkgutil.walk_packages(hftlib.__path__, "hftlib."):
        if found.name.split(".")[1] in ROOMS:
            import_module(found.name)


def _say(told: dict[str, Any]) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
