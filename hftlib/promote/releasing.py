"""Make a release: source, machine code of strategy and engine, limits, evidence, signed as one.

    release = make_release(name="maker", module=Path("maker.py"), strategy="Maker", parameters={},
                           limits=Path("limits.toml"), rollout=None, evidence=None, tapes={},
                           notebook=None, key=key, into=Path("releases"))
    release.folder        releases/maker-SERIAL

The serial is the time of the making, and above that of every release of this name in `into`. What
the last of those declared and this one does not is retired: such a name may not come back.

Worst case: minutes where nothing is compiled yet; a progress bar shows how far it is.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import hftlib
from hftlib.core import errors
from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.release.keys import PrivateKey
from hftlib.core.release.manifest import (
    BYTES_MAX,
    CODE,
    EVIDENCE,
    FILE_BYTES_MAX,
    FILES_MAX,
    LIMITS,
    LOCK,
    NOTEBOOK,
    ROLLOUT,
    STRATEGY,
    Manifest,
)
from hftlib.core.release.reading import Release, read_release
from hftlib.core.release.rollout_policy import policy_of
from hftlib.core.release.writing import write_release
from hftlib.terminal import patience

_WHERE = "hft release make"


def make_release(
    *,
    name: str,
    module: Path,
    strategy: str,
    parameters: Mapping[str, Any],
    limits: Path,
    rollout: Path | None,
    evidence: Path | None,
    tapes: Mapping[str, str],
    notebook: Path | None,
    key: PrivateKey,
    into: Path,
    lock: Path | None = None,
    retired: Iterable[str] = (),
) -> Release:
    """The release in a new folder below `into`, read back and verified."""
    from hftlib.ops.attesting import abi_of_host, require_limits

    source, limits_text = _bytes_of(module), _bytes_of(limits)
    require_limits(limits_text, str(limits))
    files = {f"{STRATEGY}/{module.stem}.py": source, LIMITS: limits_text}
    if rollout is not None:
        files[ROLLOUT] = _policy(rollout)
    if notebook is not None:
        files[f"{NOTEBOOK}/{notebook.name}"] = _bytes_of(notebook)
    files |= _evidence(evidence)
    files[LOCK] = _bytes_of(lock) if lock is not None else environment().encode()
    before, more = _before(name, into, key), tuple(retired)

    def heard(declared: Mapping[str, str]) -> None:
        _gone(before, declared, more)  # refused before minutes are spent on its code

    code, told = _code(source, strategy, parameters, heard)
    files |= {f"{CODE}/{path}": one for path, one in code.items()}
    gone = _gone(before, told["declared"], more)
    now = int(time.time())
    manifest = Manifest(
        name=name,
        serial=max([now, *(one.manifest.serial + 1 for one in before)]),
        made=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        hftlib=hftlib.__version__,
        module=f"{STRATEGY}/{module.stem}.py",
        strategy=strategy,
        sources=hashlib.sha256(source).hexdigest(),
        parameters=dict(parameters),
        declared=told["declared"],
        retired=gone,
        abi=abi_of_host(),
        cpu=told["cpu"],
        compiler=told["compiler"],
        limits=hashlib.sha256(limits_text).hexdigest(),
        tapes=dict(tapes),
        files={},
    )
    return write_release(into, manifest, files, key)


def environment() -> str:
    """Every installed package with its version, as pip reads it."""
    found = {one.metadata["Name"].lower(): one.version for one in metadata.distributions()}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))


def _code(
    source: bytes,
    strategy: str,
    parameters: Mapping[str, Any],
    heard: Callable[[Mapping[str, str]], None],
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The machine code, made by a process of its own, and what that says of the strategy."""
    try:
        text = json.dumps(dict(parameters), allow_nan=False)
    except (TypeError, ValueError):
        do = "Give numbers, True or False."
        raise InputError("A parameter is no plain value", where=_WHERE, do=do) from None
    with tempfile.TemporaryDirectory(prefix="hft-release-") as place:
        folder = Path(place)
        # Where it is read from on a live host, it has the same name (`engine/live/making.py`).
        (folder / "strategy.py").write_bytes(source)
        (folder / "parameters.json").write_text(text)
        into = folder / CODE
        into.mkdir()
        given = (folder / "strategy.py", strategy, folder / "parameters.json", into)
        command = [sys.executable, "-m", "hftlib.promote.code_maker", *map(str, given)]
        told = _told(command, heard)
        if "error" in told:
            kind, what, where, do = told["error"]
            raise getattr(errors, kind)(what, where=where.replace(place, "the strategy"), do=do)
        return {path.name: path.read_bytes() for path in into.iterdir()}, told


def _told(command: list[str], heard: Callable[[Mapping[str, str]], None]) -> dict[str, Any]:
    """The last line of what the process says; a bar over the others."""
    told: dict[str, Any] = {}
    with (
        patience() as advance,
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=complaints, stdin=subprocess.DEVNULL
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                told = _line(line) or told
                if "declares" in told:
                    heard(told["declares"])
                if "done" in told:
                    advance(told["done"] / told["total"], f"code of {told['name']}")
        except BaseException:
            process.kill()
            raise
        if process.wait() or not told or told.keys() & {"done", "declares"}:
            complaints.seek(0)
            lines = complaints.read()[-2_000:].decode("utf-8", "replace").strip().splitlines()
            why = lines[-1] if lines else f"it ended with {process.returncode}"
            do = "Try `hft warm`; import the strategy's file by itself to see what it does."
            raise StateError(f"The code could not be made: {why}", where=_WHERE, do=do)
    return told


def _line(line: bytes) -> dict[str, Any]:
    """What a line says; nothing of what the strategy's file itself prints."""
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    keys = ({"done", "total", "name"}, {"declares"}, {"error"}, {"declared", "compiler", "cpu"})
    return told if isinstance(told, dict) and set(told) in keys else {}


def _before(name: str, into: Path, key: PrivateKey) -> list[Release]:
    """Releases of this name and key that are there already, the newest last."""
    found = []
    for folder in into.glob(f"{name}-*") if into.is_dir() else []:
        try:
            found.append(read_release(folder, {key.public.id: key.public}))
        except HftError:
            continue
    found = [one for one in found if one.manifest.name == name]
    return sorted(found, key=lambda one: one.manifest.serial)


def _gone(before: list[Release], declared: Mapping[str, str], more: Iterable[str]) -> list[str]:
    """The names that may not come back; refused where one of them has."""
    gone: set[str] = set()
    for one in before:
        gone |= {*one.manifest.retired, *one.manifest.declared}
    if before:
        gone -= {n for n in before[-1].manifest.declared if n in declared}
    gone |= set(more)
    back = sorted(gone & set(declared))
    changed = [
        name
        for name, kind in (before[-1].manifest.declared.items() if before else ())
        if declared.get(name, kind) != kind
    ]
    if back or changed:
        which = (back + changed)[0]
        raise InputError(
            f"The parameter {which!r} once meant something else: a name is never used again",
            where=f"{before[-1].folder}" if before else _WHERE,
            do="Give the parameter a new name.",
        )
    return sorted(gone)


def _evidence(folder: Path | None) -> dict[str, bytes]:
    if folder is None:
        return {}
    found = {}
    if not folder.is_dir():
        do = "Give the folder with the reports of the gates."
        raise InputError("There is no folder of evidence", where=str(folder), do=do)
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            do = "Copy in its place what it stands for."
            raise InputError("Evidence is plain files only", where=str(path), do=do)
        if path.is_file():
            found[f"{EVIDENCE}/{path.relative_to(folder).as_posix()}"] = _bytes_of(path)
        if len(found) > FILES_MAX or sum(map(len, found.values())) > BYTES_MAX:
            do = f"Give at most {FILES_MAX:,} files and {BYTES_MAX >> 20} MiB."
            raise InputError("The evidence is too much", where=str(folder), do=do)
    return found


def _policy(path: Path) -> bytes:
    """Only what can be read as a policy is signed as one."""
    data = _bytes_of(path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        do = "Save it as UTF-8."
        raise InputError("This is no TOML: it is no UTF-8 text", where=str(path), do=do) from None
    policy_of(text, str(path))
    return data


def _bytes_of(path: Path) -> bytes:
    try:
        if os.stat(path).st_size > FILE_BYTES_MAX:
            do = f"A file of a release has at most {FILE_BYTES_MAX >> 20} MiB."
            raise InputError("This file is too large", where=str(path), do=do)
        return path.read_bytes()
    except OSError as error:
        why = f"This file cannot be read: {error.strerror}"
        raise InputError(why, where=str(path), do="Give a file that is there.") from None
