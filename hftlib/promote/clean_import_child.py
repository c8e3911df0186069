"""The process in which an exported module is imported: it has nothing but Python's own and hftlib.

Run as a file by `clean_import.py`, as `python -I -B FILE ROOT PIPE`, with the request as JSON on
stdin. It answers on the pipe, as JSON: what became of it, which strategies the module has, and the
values of the parameters as the class has them.

Memory, time of the processor and the size of written files are bounded before anything else is
loaded. While the module runs, an audit hook ends the process at the first file that is opened for
writing, renamed or removed, the first process and the first socket, wherever they come from.

Worst case: a module that waits; who started us counts the seconds.
"""

from __future__ import annotations

import json
import os
import re
import resource
import sys
from typing import Any

MEMORY_BYTES_MAX = 4 << 30
PRINTED_BYTES_MAX = 1 << 20
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_FILES = """os.remove os.rename os.mkdir os.rmdir os.link os.symlink os.truncate os.chmod
    os.chown os.utime os.setxattr os.removexattr shutil.rmtree shutil.move tempfile.mkstemp
    tempfile.mkdtemp"""
_PROCESSES = """os.system os.exec os.fork os.forkpty os.posix_spawn os.spawn os.kill os.killpg
    subprocess.Popen pty.spawn signal.pthread_kill"""


def main() -> None:
    """Import the module that the request names, and answer."""
    root, pipe = sys.argv[1], int(sys.argv[2])
    _bound()
    sys.path.insert(0, root)
    request: dict[str, Any] = json.loads(sys.stdin.read())
    _load_what_is_ours()
    watching = [True]

    def answer(told: dict[str, Any]) -> None:
        """Say it and leave, without a word from whatever the module left to be done at the end."""
        watching[0] = False
        os.write(pipe, json.dumps(told).encode())
        os._exit(0)

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        what = _forbidden(event, arguments) if watching[0] else ""
        if what:
            answer({"outcome": "reaches", "what": what})

    sys.addaudithook(look)
    answer(_imported(request))


def _bound() -> None:
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES_MAX),
        (resource.RLIMIT_FSIZE, PRINTED_BYTES_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (most, most))


def _load_what_is_ours() -> None:
    """Our modules before the watching begins: what they do is not the notebook's doing."""
    import numpy as np

    import hftlib
    from hftlib.promote.allowed_names import allowed_of

    for name in allowed_of("hftlib"):
        getattr(hftlib, name)
    np.zeros(1).sum()


def _forbidden(event: str, arguments: tuple[Any, ...]) -> str:
    """What an event is that no strategy causes, in words; nothing if it may be."""
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING:
        return f"It writes the file {str(arguments[0])!r}"
    if event in _FILES.split():
        return f"It changes files: {event} of {str(arguments[0])!r}"
    if event in _PROCESSES.split():
        return f"It starts or ends a process: {event}"
    if event.startswith("socket."):
        return f"It uses the network: {event}"
    return ""


def _imported(request: dict[str, Any]) -> dict[str, Any]:
    """Run the module, then ask its strategy about the parameters."""
    import importlib.util

    from hftlib.core.errors import HftError

    path, name = request["module"], request["name"]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    printed = os.fstat(1).st_size
    try:
        spec.loader.exec_module(module)
        sys.stdout.flush()
        sys.stderr.flush()
    except HftError as error:
        # A sentence of ours names the line within the class; the traceback only where it begins.
        named = re.search(r"\bline (\d+)", error.where)
        line = int(named[1]) if named else _line(error, path)
        return {"outcome": "refused", "what": error.what, "do": error.do, "line": line}
    except BaseException as error:  # `raise SystemExit` is no way to end an import either
        what = f"{type(error).__name__}: {error}"[:500]
        return {"outcome": "raises", "what": what, "line": _line(error, path)}
    if os.fstat(1).st_size > printed:
        return {"outcome": "prints", "from": printed}
    found = _strategies(module, name)
    told: dict[str, Any] = {"outcome": "imported", "strategies": sorted(found)}
    wanted = request["strategy"] or (next(iter(found)) if len(found) == 1 else "")
    if wanted in found:
        told |= _answered(found[wanted], request["parameters"])
    return told


def _strategies(module: Any, name: str) -> dict[str, Any]:
    """Strategies that are of this module, not those it imported."""
    from hftlib.strategy.classes import Strategy

    return {
        key: value
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == name
    }


def _answered(strategy: Any, given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of those given that the class has, as it has them, or why it has them not."""
    from hftlib.core.errors import HftError

    names = list(strategy.declared_parameters())
    own = {name: value for name, value in given.items() if name in names}
    try:
        values = strategy(**own).parameters
    except HftError as error:
        return {"names": names, "wrong": {"what": error.what, "do": error.do}}
    return {"names": names, "values": {name: values[name] for name in own}}


def _line(error: BaseException, path: str) -> int | None:
    """The line of the module where it happened."""
    if isinstance(error, SyntaxError):
        return error.lineno
    found, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found


if __name__ == "__main__":
    main()
