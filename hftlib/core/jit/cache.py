"""Where machine code is kept between runs, and when it must not be used again.

numba's own cache knows a function by its own file only: edit a function it *calls* in another file
and yesterday's machine code keeps running. So the directory itself is named by a digest of all
that can change the code: every source file of the rooms that compiled code comes from (and, for a
function of a room above them, of all of hftlib), the versions of Python, numba, llvmlite and
numpy, the processor with its features, and numba's settings (`settings.py`). A function from
outside hftlib adds the files its module imports, as far as they are not installed packages.

The files say what a function *is*; what it *means*, down to the values of globals, is part of its
key within the directory (`meaning.py`).

The cached files are pickles, and loading a pickle runs what is in it. The directory is therefore
private to its owner, and one that somebody else could have written is refused.

Only hftlib's functions use this directory; vectorbt and others keep theirs. Worst case: an edit
compiles everything anew (`hft warm` shows the progress); `KEPT_MAX` directories are kept.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import re
import shutil
import stat
import sys
import sysconfig
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

import hftlib
from hftlib.core.errors import HostError
from hftlib.core.jit import settings

KEPT_MAX = 32
# What lies above them they may not import: `tests/test_tidy.py`.
ROOMS = ("core", "feed", "book", "strategy", "risk", "execution", "venue", "engine")
# Of these no compiled code comes; an edit here compiles nothing anew (`tests/test_tidy.py`).
_PLAIN = ("core/audit", "core/release")
_OURS = re.compile("[0-9a-f]{24}")
_REMEDY = "Set HFT_CACHE_DIR to a directory that only you can write."
_in_use: set[Path] = set()


def cache_directory(function: Callable[..., Any]) -> Path | None:
    """Where this function's machine code is kept; None if it has no file to be judged by."""
    module = sys.modules.get(function.__module__ or "")
    # Kept code looks its module up by name: one that only its maker knows would not be found.
    known = module is not None and vars(module) is function.__globals__
    if not known or not os.path.exists(function.__code__.co_filename):
        return None
    return _prepared(_root() / source_digest(function.__module__)[:24])


def kept_objects() -> Path:
    """Where object code of these sources is kept: what lies here its owner alone has written."""
    return _prepared(_root() / source_digest()[:24])


def source_digest(module_name: str = "hftlib") -> str:
    """Digest of everything that decides what the functions of this module compile to."""
    package, *rooms = module_name.split(".")
    if package != "hftlib" and module_name in sys.modules:
        return _foreign_digest(module_name)
    return _package_digest(bool(rooms) and rooms[0] not in ROOMS)


@cache
def _package_digest(is_above: bool) -> str:
    package = Path(hftlib.__file__).parent
    return _digest_of(set(package.rglob("*.py")) if is_above else _tick_path())


@cache
def _foreign_digest(module_name: str) -> str:
    return _digest_of(_tick_path() | _import_closure(sys.modules[module_name]))


def _tick_path() -> set[Path]:
    """The files of the rooms that import no other: an edit of a page or a command is none here."""
    package = Path(hftlib.__file__).parent
    plain = {package / place for place in _PLAIN}
    found = (path for room in ROOMS for path in (package / room).rglob("*.py"))
    return {path for path in found if plain.isdisjoint(path.parents)}


def _digest_of(files: set[Path]) -> str:
    digest = hashlib.sha256(_compiler_identity().encode())
    for path in sorted(files):
        digest.update(f"\0{path}\0".encode())
        # A module out of an archive has a path through it: the archive stands for its modules.
        file = next((place for place in (path, *path.parents) if place.is_file()), None)
        digest.update(file.read_bytes() if file else b"")
    return digest.hexdigest()


@cache
def cpu_identity() -> tuple[str, str]:
    """The processor's name and features as LLVM sees them, in one fixed order."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    on = ",".join(f"+{name}" for name in sorted(features) if features[name])
    return llvm.get_host_cpu_name(), on


def toolchain() -> dict[str, str]:
    """The versions and the processor that machine code made here depends on."""
    from importlib.metadata import version

    name, features = cpu_identity()
    return {
        "python": platform.python_version(),
        "numba": version("numba"),
        "llvmlite": version("llvmlite"),
        "numpy": np.__version__,
        "cpu": name,
        "features": features,
    }


def _compiler_identity() -> str:
    import llvmlite

    # Asking for numba's version by its name takes 40 ms; the file that says it will do.
    found = importlib.util.find_spec("numba")
    assert found is not None and found.origin is not None
    numba = Path(found.origin).with_name("_version.py").read_text()
    versions = (platform.python_version(), np.__version__, llvmlite.__version__, numba)
    return "\n".join([*versions, *cpu_identity(), settings.text()])


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
        attribute = "__name__" if isinstance(value, ModuleType) else "__module__"
        with suppress(Exception):  # a global may be a proxy that answers with any error
            names.add(getattr(value, attribute, ""))
    return {name for name in names if isinstance(name, str)}


def _is_installed(path: str) -> bool:
    places = {sysconfig.get_path(key) for key in ("stdlib", "platstdlib", "purelib", "platlib")}
    return any(path.startswith(place + os.sep) for place in places)


def _root() -> Path:
    chosen = os.environ.get("HFT_CACHE_DIR")
    if chosen:
        return Path(chosen)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hftlib"
    except RuntimeError:
        raise HostError(
            "This user has no home directory to keep compiled code in", where="HOME", do=_REMEDY
        ) from None


@cache
def _prepared(directory: Path) -> Path:
    """Make the directory and its root private, or refuse; forget the longest unused others."""
    place = directory.parent
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        # From here on by its real name: a link can point elsewhere tomorrow.
        directory = place.resolve(strict=True) / directory.name
        for place in (directory.parent, directory):
            place.mkdir(mode=0o700, exist_ok=True)
            _refuse_unsafe(place)
        os.utime(directory)
    except OSError as error:
        raise HostError(
            f"The directory for compiled code cannot be made: {error.strerror}",
            where=str(place),
            do=_REMEDY,
        ) from None
    _in_use.add(directory)
    _forget_unused(directory.parent)
    return directory


def _refuse_unsafe(place: Path) -> None:
    status = place.stat()
    if status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o022:
        raise HostError(
            "The directory for compiled code can be written by somebody else, who could "
            "have this process run their code",
            where=str(place),
            do=f"Run `chmod go-w {place}` if you trust what is in it. {_REMEDY}",
        )
    if not os.access(place, os.W_OK | os.X_OK, effective_ids=True):
        raise HostError(
            "The directory for compiled code cannot be written", where=str(place), do=_REMEDY
        )


def _forget_unused(root: Path) -> None:
    """Only what bears a name of our making: the root may be anybody's directory."""
    found = []
    used = sum(place.parent == root for place in _in_use)
    for place in root.iterdir():
        if _OURS.fullmatch(place.name) and place not in _in_use:
            with suppress(OSError):  # forgotten by another process in this moment
                found.append((place.stat().st_mtime, place))
    for _, old in sorted(found, reverse=True)[max(0, KEPT_MAX - used) :]:
        shutil.rmtree(old, ignore_errors=True)
