"""Import a module where it can do nothing: a process of its own, bounded and watched.

    found = import_cleanly(Path("queue_imbalance.py"), parameters={"edge_ticks": 2})
    found.strategies, found.names, found.values

`python -I -B`: no environment, no user's packages, nothing beside the module, no bytecode kept. The
child is ended after `seconds`, with all that it started. It may open no file for writing, no
process and no socket, and what lies in its folder afterwards is found.

Worst case: `seconds`, and MEMORY_BYTES_MAX of `clean_import_child.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hftlib
from hftlib.core.errors import HostError
from hftlib.terminal import patience

IMPORT_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.25  # between two moves of the bar
_CHILD = Path(__file__).with_name("clean_import_child.py")
_ROOT = Path(hftlib.__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Imported:
    """What a module has; `names` are all parameters of the one strategy, `values` those given."""

    strategies: tuple[str, ...]
    names: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    wrong: dict[str, str] | None = None


class NotImportedError(Exception):
    """Why a module could not be imported; `line` is of the module, where it is known."""

    def __init__(self, what: str, do: str, line: int | None = None) -> None:
        super().__init__(what)
        self.what, self.do, self.line = what, do, line


def import_cleanly(
    module: Path,
    *,
    strategy: str = "",
    parameters: Mapping[str, Any] | None = None,
    seconds: float = IMPORT_SECONDS_MAX,
) -> Imported:
    """Import a module in a process of its own; NotImportedError says why it cannot be."""
    module = module.resolve()
    request = {
        "module": str(module),
        "name": f"hft_strategy_{module.stem}",
        "strategy": strategy,
        "parameters": _plain(parameters or {}),
    }
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as printed:
        told = _asked(request, Path(folder), printed, seconds)
        left = sorted(path.name for path in Path(folder).iterdir())
        if told["outcome"] == "prints":
            printed.seek(told["from"])
            first = printed.read(200).decode(errors="replace").strip().partition("\n")[0]
            do = "Leave printing to research cells."
            raise NotImportedError(f"It prints when it is imported: {first!r}", do)
    if told["outcome"] in ("raises", "refused", "reaches"):
        do = told.get("do") or "Correct it, or leave it to research cells."
        what = told["what"]
        if told["outcome"] == "raises":
            what = f"It cannot be imported by itself: {what}"
        raise NotImportedError(what, do, told.get("line"))
    if left:
        do = "Leave files to research cells."
        raise NotImportedError(f"It leaves files behind when it is imported: {', '.join(left)}", do)
    return Imported(
        tuple(told["strategies"]),
        tuple(told.get("names", ())),
        told.get("values", {}),
        told.get("wrong"),
    )


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Values that JSON has; others no strategy has as a parameter, so their text will do."""
    kinds = (bool, int, float, str)
    return {
        key: value if isinstance(value, kinds) or value is None else repr(value)[:200]
        for key, value in parameters.items()
    }


def _asked(request: dict[str, Any], folder: Path, printed: Any, seconds: float) -> dict[str, Any]:
    """One child: the request in, the answer out, and nothing of it left afterwards."""
    answers, pipe = os.pipe()
    try:
        child = subprocess.Popen(
            [sys.executable, "-I", "-B", str(_CHILD), str(_ROOT), str(pipe)],
            cwd=folder,
            env=_environment(folder),
            stdin=subprocess.PIPE,
            stdout=printed,
            stderr=printed,
            pass_fds=(pipe,),
            start_new_session=True,
        )
    except OSError as error:
        os.close(answers)
        raise HostError(
            f"No process can be started: {error.strerror}",
            where="the import of an exported module",
            do="Free memory or processes on this machine.",
        ) from None
    finally:
        os.close(pipe)
    try:
        _wait(child, json.dumps(request).encode(), seconds)
    finally:
        _end(child)
        told = _read(answers)
    if told is None:
        raise _died(child, printed)
    return told


def _wait(child: subprocess.Popen[bytes], request: bytes, seconds: float) -> None:
    """Until it has ended or its time is over, with a bar where somebody looks on."""
    begin = time.monotonic()
    sent: bytes | None = request
    with patience() as advance:
        while (waited := time.monotonic() - begin) < seconds:
            try:
                child.communicate(sent, timeout=min(LOOK_SECONDS, seconds))
                return
            except subprocess.TimeoutExpired:
                sent = None  # it was, at the first call
                advance(waited / seconds, "importing the module by itself")
    do = "A module only defines things: leave what takes long to research cells."
    raise NotImportedError(f"Its import did not end within {seconds:g} seconds", do)


def _environment(folder: Path) -> dict[str, str]:
    """Next to nothing; caches would go into the bare folder, where they are noticed."""
    given = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return {**given, **one, "HOME": str(folder), "XDG_CACHE_HOME": str(folder)}


def _end(child: subprocess.Popen[bytes]) -> None:
    """It and all that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _read(answers: int) -> dict[str, Any] | None:
    with open(answers, "rb") as file:
        text = file.read()
    return json.loads(text) if text else None


def _died(child: subprocess.Popen[bytes], printed: Any) -> NotImportedError:
    """It ended without an answer."""
    printed.seek(0)
    lines = printed.read(1 << 16).decode(errors="replace").strip().splitlines()
    last = f": {lines[-1][:200]}" if lines else ""
    if child.returncode < 0:
        name = signal.Signals(-child.returncode).name
        do = "A module only defines things: let it need less memory, and end no process."
        return NotImportedError(f"Its import was ended by {name}{last}", do)
    do = "A module only defines things; `python -c 'import hftlib'` has to work here, too."
    return NotImportedError(f"Its import ended its process with {child.returncode}{last}", do)
