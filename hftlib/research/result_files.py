"""A result in a folder: one .npy for each array, and result.json for the rest.

    result.json        what it says of itself, and the digest
    orders.npy  fills.npy  equity.npy  markouts.npy  refusals.npy  changes.npy  parents.npy
    instruments.npy  phases.npy  actions.npy
    strategies/NAME    of several strategies: the result of each, in a folder like this one

A folder is written beside its name and then renamed, so what interrupts it leaves nothing that
opens. What is read is trusted as little as any file: arrays of another layout, and a digest that
does not agree, are refused. Worst case: the size of the arrays, once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError, StateError
from hftlib.core.instruments import ACTION, INSTRUMENT, PHASE, Instruments
from hftlib.core.orders import FILL, ORDER
from hftlib.core.parents import PARENT
from hftlib.core.units import is_whole, shown
from hftlib.engine.log import EQUITY, MARKOUT
from hftlib.risk.memory import CHANGE

VERSION = 2
PARTS = "strategies"
Array = np.ndarray[Any, Any]
RECORDS = {
    "orders": ORDER,
    "fills": FILL,
    "equity": EQUITY,
    "markouts": MARKOUT,
    "refusals": ORDER,
    "changes": CHANGE,
    "parents": PARENT,
}
_TABLES = {"instruments": INSTRUMENT, "phases": PHASE, "actions": ACTION}
_DIGESTED = ("orders", "fills", "equity")
# Where in memory a neighbour lay: it depends on how much room there was, not on what happened.
_NOT_DIGESTED = ("next", "before")
_KINDS: dict[str, type] = {
    "digest": str,
    "about": dict,
    "ended": str,
    "refused": dict,
    "rejected": dict,
    "ended_by_venue": dict,
    "counts": dict,
    "horizons": list,
}


def digest_of(arrays: dict[str, Array]) -> str:
    """SHA-256 of orders, fills and samples, field by field: padding has no say."""
    made = hashlib.sha256()
    for name in _DIGESTED:
        array = arrays[name]
        made.update(f"{name} {len(array)}\n".encode())
        for field in array.dtype.names or ():
            if field not in _NOT_DIGESTED:
                made.update(f"{field} {array.dtype[field].str}\n".encode())
                made.update(np.ascontiguousarray(array[field]).data)
    return made.hexdigest()


def write_result(
    folder: Path,
    arrays: dict[str, Array],
    instruments: Instruments,
    facts: dict[str, Any],
    parts: Mapping[str, Any],
) -> None:
    """Write all of it; a folder that is there already is not touched."""
    if folder.exists():
        raise StateError(
            f"{shown(folder.name)} is there already",
            where=f"the folder {shown(str(folder))}",
            do="Name another folder, or remove this one first.",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = folder.with_name(f"{folder.name}.part{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(part)
    part.mkdir()
    try:
        tables = {
            "instruments": instruments.table,
            "phases": instruments.phases,
            "actions": instruments.actions,
        }
        for name, array in {**arrays, **tables}.items():
            np.save(part / f"{name}.npy", array, allow_pickle=False)
        text = json.dumps({"version": VERSION, **facts}, indent=1, default=_plain)
        (part / "result.json").write_text(text + "\n", encoding="utf-8")
        for name, one in parts.items():
            one.save(part / PARTS / name)
        part.rename(folder)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _parts_of(folder: Path, facts: Mapping[str, Any]) -> dict[str, Path]:
    """Where the result of each strategy lies, of several."""
    names = facts["about"].get("strategies", [])
    if not isinstance(names, list) or not all(
        isinstance(name, str) and name.isidentifier() for name in names
    ):
        raise _damaged(folder, "result.json names strategies that are none")
    return {name: folder / PARTS / name for name in names}


def read_result(
    folder: Path,
) -> tuple[dict[str, Array], Instruments, dict[str, Any], dict[str, Path]]:
    """Arrays, instruments, facts and where parts lie, after looking at all but the parts."""
    facts = _facts(folder)
    arrays = {name: _array(folder, name, dtype) for name, dtype in RECORDS.items()}
    tables = {name: _array(folder, name, dtype) for name, dtype in _TABLES.items()}
    instruments = Instruments(tables["instruments"], tables["phases"], tables["actions"])
    if digest_of(arrays) != facts["digest"]:
        raise _damaged(folder, "its arrays are not the ones it was saved with")
    return arrays, instruments, facts, _parts_of(folder, facts)


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(
            f"There is no result in {shown(str(folder))}",
            where="the folder to load",
            do="Name a folder that Result.save wrote.",
        ) from None
    except (OSError, ValueError) as error:
        raise _damaged(folder, f"result.json cannot be read: {error}") from None
    if not isinstance(facts, dict) or facts.get("version") != VERSION:
        raise _damaged(folder, "result.json is of another version, or of something else")
    wrong = [name for name, kind in _KINDS.items() if not isinstance(facts.get(name), kind)]
    if wrong or not all(is_whole(one) for one in facts["horizons"]):
        raise _damaged(folder, f"result.json lacks {', '.join(wrong) or 'horizons'}")
    return facts


def _array(folder: Path, name: str, dtype: np.dtype[Any]) -> Array:
    try:
        found = np.load(folder / f"{name}.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise _damaged(folder, f"{name}.npy cannot be read: {error}") from None
    if found.dtype != dtype or found.ndim != 1:
        raise _damaged(folder, f"{name}.npy holds other records than this version knows")
    # The file does not say that a record is aligned, which is no difference in memory.
    return np.asarray(found.view(dtype))


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray | set | frozenset):
        return list(value)
    return str(value)


def _damaged(folder: Path, what: str) -> InputError:
    return InputError(
        f"This result cannot be loaded: {what}",
        where=f"the folder {shown(str(folder))}",
        do="Run the backtest again, or restore the folder from where it came.",
    )
