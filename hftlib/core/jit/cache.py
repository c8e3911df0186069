"""Where machine code is kept between runs, and when it must not be used again.

numba's own cache knows a function by its own file only: edit a function it *calls* in another file
and yesterday's machine code keeps running. So the directory itself is named by a digest of all
that can change the code: every source file of hftlib, the versions of Python, numba, llvmlite and
numpy, the processor with its features, and the `NUMBA_*` settings. A function from outside hftlib
adds the files its module imports, as far as they are not installed packages.

The cached files are pickles, and loading a pickle runs what is in it. The directory is therefore
private to its owner, and one that somebody else could have written is refused.

Only hftlib's functions use this directory; vectorbt and others keep theirs. Worst case: an edit
compiles everything anew (`hft warm` shows the progress); `KEPT_MAX` directories are kept.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import stat
import sys
import sysconfig
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import llvmlite
import llvmlite.binding
import numba
import numpy as np

import hftlib
from hftlib.core.errors import HostError

KEPT_MAX = 32
# Settings that change no machine code; the thread count would even follow the CPU affinity.
_HARMLESS = {"NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "NUMBA_DEBUG_CACHE", "NUMBA_DISABLE_JIT"}


def cache_directory(function: Callable[..., Any]) -> Path | None:
    """Where this function's machine code is kept; None if it has no file to be judged by."""
    if not os.path.exists(function.__code__.co_filename):
        return None
    return _prepared(_root() / source_digest(function.__module__)[:24])


@cache
def source_digest(module_name: str = "hftlib") -> str:
    """Digest of everything that decides what the functions of this module compile to."""
    digest = hashlib.sha256(_compiler_identity().encode())
    package = Path(hftlib.__file__).parent
    files = set(package.rglob("*.py"))
    if module_name.partition(".")[0] != "hftlib" and module_name in sys.modules:
        files |= _import_closure(sys.modules[module_name])
    for path in sorted(files):
        digest.update(f"\0{path}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def cpu_identity() -> tuple[str, str]:
    """The processor's name and features as LLVM sees them, in one fixed order."""
    features = llvmlite.binding.get_host_cpu_features()
    on = ",".join(f"+{name}" for name in sorted(features) if features[name])
    return llvmlite.binding.get_host_cpu_name(), on


def _compiler_identity() -> str:
    settings = [
        f"{name}={value}"
        for name, value in sorted(os.environ.items())
        if name.startswith("NUMBA_") and name not in _HARMLESS
    ]
    versions = [platform.python_version(), numba.__version__, llvmlite.__version__, np.__version__]
    return "\n".join([*versions, *cpu_identity(), *settings])


def _import_closure(start: ModuleType) -> set[Path]:
    """Files of the modules reachable from `start` by its globals, installed packages left out."""
    files: set[Path] = set()
    waiting, seen = [start], {start.__name__}
    while waiting:
        module = waiting.pop()
        path = getattr(module, "__file__", None)
        if path is None or _is_installed(path):
            continue
        files.add(Path(path))
        for name in _modules_named_by(vars(module).values()):
            if name not in seen and name in sys.modules:
                seen.add(name)
                waiting.append(sys.modules[name])
    return files


def _modules_named_by(values: Iterable[Any]) -> set[str]:
    names = set()
    for value in list(values):
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", "")
        if isinstance(name, str):
            names.add(name)
    return names


def _is_installed(path: str) -> bool:
    places = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(path.startswith(place + os.sep) for place in places)


def _root() -> Path:
    chosen = os.environ.get("HFT_CACHE_DIR")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hftlib"


@cache
def _prepared(directory: Path) -> Path:
    """Make the directory and its root private, or refuse; forget the longest unused others."""
    remedy = "Set HFT_CACHE_DIR to a directory that only you can write."
    for place in (directory.parent, directory):
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = place.stat()
        except OSError as error:
            raise HostError(
                f"The directory for compiled code cannot be made: {error.strerror}",
                where=str(place),
                do=remedy,
            ) from None
        if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022:
            raise HostError(
                "The directory for compiled code can be written by somebody else, who could "
                "have this process run their code",
                where=str(place),
                do=f"Run `chmod go-w {place}` if you trust what is in it. {remedy}",
            )
    os.utime(directory)
    _forget_unused(directory.parent)
    return directory


def _forget_unused(root: Path) -> None:
    found = sorted(root.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in found[KEPT_MAX:]:
        shutil.rmtree(old, ignore_errors=True)
