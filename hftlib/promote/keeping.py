"""Finished gates are kept, and not asked again while nothing that they depend on has changed.

    key = key_of(gate, parameters)             what it depends on, as one digest
    kept(folder, gate, key)                    the Judged of that key, or None
    with place_for(folder) as part: ...        the gate writes there, and `keep` moves it

    FOLDER/gates/06_stress/3f2a.../06_stress.ipynb, 06_stress.html, judged.json

What a gate depends on: its notebook, its thresholds, the bytes of the module and of the tapes that
it is told of, parameters, limits, the champion, and the sources of hftlib. A gate is written into a
folder of its own that is renamed at the end, so one that was killed has left nothing behind. One
that has not answered is not kept: it may have been the host.

Worst case: hashing a module and reading the digest of each tape.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hftlib import __version__
from hftlib.core.errors import HftError, HostError
from hftlib.promote.days import sources_digest
from hftlib.promote.judging import Judged
from hftlib.promote.plan import Gate
from hftlib.research.validation.verdict import verdict_of

_FILE = "judged.json"
_PART = "part-"


def key_of(gate: Gate, parameters: Mapping[str, Any]) -> str:
    """SHA-256 of all that decides what this gate will say."""
    told = {
        "gate": gate.name,
        "notebook": file_digest(gate.notebook),
        "parameters": {name: _content(name, value) for name, value in parameters.items()},
        "hftlib": [__version__, sources_digest()],
        "python": sys.version,
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _content(name: str, value: Any) -> Any:
    """What a path stands for, not where it lies."""
    from hftlib.research.tape import open_tape

    if name == "module":
        return file_digest(Path(value))
    if name in ("days", "unseen"):
        return [open_tape(path).digest for path in value]
    if name == "market":
        return {**value, "limits": file_digest(Path(value["limits"]))}
    if name == "champion" and value is not None:
        return {**value, "module": file_digest(Path(value["module"]))}
    return None if name == "place" else value


def file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def kept(folder: Path, gate: Gate, key: str) -> Judged | None:
    """What this gate has said of the same before."""
    place = _place(folder, gate, key)
    try:
        told = json.loads((place / _FILE).read_text(encoding="utf-8"))
        if told["key"] != key:
            return None
        notebook, page = place / f"{gate.name}.ipynb", place / f"{gate.name}.html"
        if file_digest(notebook) != told["notebook"] or not page.is_file():
            return None
        return Judged(
            gate.name, verdict_of(told["verdict"]), float(told["seconds"]), notebook, page, True
        )
    except (OSError, ValueError, KeyError, TypeError, HftError):
        return None  # half of something is nothing: it is asked again


def clear(folder: Path) -> None:
    """Take away what gates of a promotion that was killed have left."""
    for left in (folder / "gates").glob(f"{_PART}*"):
        shutil.rmtree(left, ignore_errors=True)


@contextmanager
def place_for(folder: Path) -> Iterator[Path]:
    """A folder to run a gate in; gone afterwards, unless `keep` has renamed it."""
    gates = folder / "gates"
    try:
        gates.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=_PART, dir=gates))
    except OSError as error:
        raise HostError(
            f"The evidence cannot be kept: {error.strerror}",
            where=str(gates),
            do="Name a folder that can be written: hft promote -o FOLDER.",
        ) from None
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def keep(folder: Path, gate: Gate, key: str, judged: Judged) -> Judged:
    """Move what a gate left to its place; from then on it need not be asked again."""
    place = _place(folder, gate, key)
    part = judged.notebook.parent
    if judged.is_final:
        told = {
            "key": key,
            "seconds": judged.seconds,
            "notebook": file_digest(judged.notebook),
            "verdict": judged.verdict.as_json(),
        }
        (part / _FILE).write_text(json.dumps(told, indent=2, ensure_ascii=False), encoding="utf-8")
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    part.rename(place)
    notebook, page = place / judged.notebook.name, place / judged.page.name
    return Judged(gate.name, judged.verdict, judged.seconds, notebook, page, judged.is_final)


def _place(folder: Path, gate: Gate, key: str) -> Path:
    return folder / "gates" / gate.name / key[:16]
