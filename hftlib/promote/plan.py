"""`promotion.toml`: which gates a strategy must pass, in order, with their thresholds; checked.

    plan = read_plan(Path("pipelines/promotion.toml"))
    plan.gates["06_stress"].thresholds, .seconds_max, .notebook

Each gate is a notebook of that name whose `parameters` cell names what it is told: of `TOLD` what
it needs, and beside that exactly the thresholds of its section. So no threshold has a value that
the plan does not show, and none of the plan goes unread. Every notebook of the folder must be a
gate of the plan, so that none is left out unseen.

Worst case: none; the notebooks are read, not run.
"""

from __future__ import annotations

import ast
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.keywords import require_known
from hftlib.core.units import shown

FILE = Path("pipelines") / "promotion.toml"
# What a gate can ask to be told; all else in its cell is a threshold.
TOLD = (
    *("module", "strategy", "parameters", "days", "unseen", "market", "champion", "trials"),
    "place",
)
SECONDS_MOST = 86_400
SEEDS_MOST = 64
_TABLES = ("notebooks", "market", "days", "gates")
_MARKET = ("order_latency", "feed_latency", "queue", "maker", "taker", "limits")
_MADE = ("symbols", "seconds", "rate", "seeds", "unseen_seeds")
_NAMED = ("tapes", "unseen_tapes")


@dataclass(frozen=True)
class Gate:
    """One question, and what decides it."""

    name: str
    notebook: Path
    seconds_max: int
    thresholds: dict[str, Any]
    told: tuple[str, ...]  # which of TOLD its notebook asks for
    alone: bool = False  # it measures the host, so nothing is asked beside it

    @property
    def title(self) -> str:
        """Its name for people: without the number that orders it."""
        return self.name.partition("_")[2].replace("_", " ").capitalize()


@dataclass(frozen=True)
class Plan:
    """All gates, and the market they are asked about."""

    file: Path
    market: dict[str, str]
    days: dict[str, Any]
    gates: dict[str, Gate]


def found_plan(given: Path | None) -> Path:
    """The plan that is named, or that of the current folder, or that of hftlib's own folder."""
    if given is not None:
        return given
    own = Path(__file__).resolve().parents[2] / FILE
    return FILE if FILE.is_file() or not own.is_file() else own


def read_plan(file: Path) -> Plan:
    """The plan of this file, or a sentence on what is wrong with it."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        do = "Name a plan of promotion: hft promote --plan FILE."
        raise InputError(f"This plan cannot be read: {why}", where=str(file), do=do) from None
    except tomllib.TOMLDecodeError as error:
        do = "Write tables such as [gates.01_data_quality] and lines such as wrong_max = 0."
        raise InputError(f"This is no TOML: {error}", where=str(file), do=do) from None
    require_known(tables, list(_TABLES), str(file))
    for name in _TABLES:
        kind = str if name == "notebooks" else dict
        if not isinstance(tables.get(name), kind):
            what = f"It has no {'line' if kind is str else 'table'} {name!r}"
            raise _wrong(file, what, f"A plan has {', '.join(_TABLES)}.")
    folder = file.parent / tables["notebooks"]
    return Plan(file, _market(file, tables["market"]), _days(file, tables["days"]),
                _gates(file, folder, tables["gates"]))  # fmt: skip


def _market(file: Path, given: dict[str, Any]) -> dict[str, str]:
    where = f"[market] of {file}"
    require_known(given, list(_MARKET), where)
    for name in _MARKET:
        if not isinstance(given.get(name), str):
            raise _wrong(
                where, f"{name} is no text", f'Write {name} = "...": see docs/promotion.md.'
            )
    limits = (file.parent / given["limits"]).resolve()
    if not limits.is_file():
        do = "Name a file of limits; its path begins where the plan lies."
        raise _wrong(where, f"There is no file of limits {given['limits']!r}", do)
    return {**given, "limits": str(limits)}


def _days(file: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Days that are made from seeds, or tapes by their paths; never both."""
    where = f"[days] of {file}"
    names = _NAMED if set(given) & set(_NAMED) else _MADE
    require_known(given, list(names), where)
    for name in names:
        value = given.get(name)
        if name in _NAMED:
            is_known = _all(value, str)
        elif name.endswith("seeds"):
            is_known = _all(value, int) and len(list(value or [])) <= SEEDS_MOST
        else:
            is_known = type(value) is int and value > 0
        if not is_known:
            do = f"It has {', '.join(names)}; docs/promotion.md shows each."
            raise _wrong(where, f"{name} = {shown(value)} says no days", do)
    if names is _NAMED:
        return {name: [str((file.parent / one).resolve()) for one in given[name]] for name in names}
    seeds = [*given["seeds"], *given["unseen_seeds"]]
    if len(set(seeds)) < len(seeds):
        raise _wrong(where, "A seed stands there twice", "Give each day a seed of its own.")
    return dict(given)


def _gates(file: Path, folder: Path, given: dict[str, Any]) -> dict[str, Gate]:
    if not folder.is_dir():
        raise _wrong(file, f"There is no folder {str(folder)!r}", "Correct `notebooks`.")
    found = {path.stem for path in folder.glob("*.ipynb")}
    for name in given:
        if name not in found:
            do = f"Write {folder / name}.ipynb, or drop the section."
            raise _wrong(f"[gates.{name}] of {file}", "This gate has no notebook", do)
    for name in sorted(found - set(given)):
        do = f"Give it a section [gates.{name}], or move it elsewhere."
        raise _wrong(file, f"The notebook {name}.ipynb is no gate of this plan", do)
    return {name: _gate(file, folder / f"{name}.ipynb", one) for name, one in given.items()}


def _gate(file: Path, notebook: Path, given: Any) -> Gate:
    where = f"[gates.{notebook.stem}] of {file}"
    if not isinstance(given, dict):
        raise _wrong(where, "A gate is a table", f"Write [gates.{notebook.stem}] above its lines.")
    thresholds = dict(given)
    seconds = thresholds.pop("seconds_max", None)
    if type(seconds) is not int or not 0 < seconds <= SECONDS_MOST:
        do = f"Give its time limit: seconds_max = 120, at most {SECONDS_MOST:,}."
        raise _wrong(where, f"seconds_max = {shown(seconds)} is no time limit", do)
    alone = thresholds.pop("alone", False)
    if type(alone) is not bool:
        do = "Write alone = true where it measures the host, or leave it out."
        raise _wrong(where, f"alone = {shown(alone)} is neither true nor false", do)
    cell = parameters_of(notebook)
    own = {name: value for name, value in cell.items() if name not in TOLD}
    require_known(thresholds, list(own), where)
    for name, default in own.items():
        if name not in thresholds:
            do = f"Write {name} = {json.dumps(default)}, or what you ask for."
            raise _wrong(where, f"It does not say {name}", do)
        if not _alike(thresholds[name], default):
            do = f"The notebook has {name} = {default!r}: give one of that kind."
            raise _wrong(where, f"{name} = {shown(thresholds[name])} is of another kind", do)
    told = tuple(name for name in cell if name in TOLD)
    return Gate(notebook.stem, notebook, seconds, thresholds, told, alone)


def parameters_of(notebook: Path) -> dict[str, Any]:
    """The names and values of the notebook's one `parameters` cell."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        marked = [
            "".join(cell["source"])
            for cell in cells
            if "parameters" in cell.get("metadata", {}).get("tags", [])
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise _wrong(notebook, "This is no notebook", "Save it again from Jupyter.") from None
    if len(marked) != 1:
        do = "Tag the one cell that its parameters stand in with `parameters`."
        raise _wrong(notebook, f"The notebook has {len(marked)} cells of parameters, not one", do)
    made: dict[str, Any] = {}
    try:
        for line in ast.parse(marked[0]).body:
            if not (isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name)):
                raise ValueError
            made[line.targets[0].id] = ast.literal_eval(line.value)
    except (SyntaxError, ValueError):
        do = "Write lines such as survive_costs = 1.5 there, and nothing else."
        raise _wrong(notebook, "Its cell of parameters has more than plain values", do) from None
    return made


def _alike(value: Any, default: Any) -> bool:
    """Of the same kind; a whole number is a number, too, and none is infinite."""
    if isinstance(default, list):
        return isinstance(value, list) and all(_alike(one, default[0]) for one in value)
    if isinstance(default, float):
        return type(value) in (int, float) and math.isfinite(value)
    return type(value) is type(default)


def _all(value: Any, kind: type) -> bool:
    return isinstance(value, list) and bool(value) and all(type(one) is kind for one in value)


def _wrong(where: Any, what: str, do: str) -> InputError:
    return InputError(what, where=str(where), do=do)


def told_of(gate: Gate, everything: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a gate's notebook is run with."""
    return {name: everything[name] for name in gate.told} | gate.thresholds
