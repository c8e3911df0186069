"""What is to be promoted: a strategy's notebook, a module file, or one of the library.

    candidate_of("notebooks/strategies/lean.ipynb", {"edge": 2}, folder)
    candidate_of("ideas.py:Maker", {"edge": 2}, folder)

A notebook is exported first; its `parameters` cell says what it trades with, and `-p` what else.
From then on there is a module file only: its bytes are what every gate runs. Worst case: importing
it runs it, as Python does.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.core.errors import HostError, InputError
from hftlib.promote.keeping import file_digest

NAME_LONGEST = 64
REPORT = "report"  # the folder of a promotion's pages and figures


@dataclass(frozen=True)
class Candidate:
    """A module, its class and its parameters."""

    name: str
    module: Path
    strategy: str
    parameters: dict[str, Any]
    notebook: Path | None = None

    @property
    def digest(self) -> str:
        """SHA-256 of the module's bytes."""
        return file_digest(self.module)

    def as_json(self) -> dict[str, Any]:
        return {
            "module": str(self.module),
            "strategy": self.strategy,
            "parameters": self.parameters,
        }


def candidate_of(given: str, parameters: Mapping[str, Any], folder: Path) -> Candidate:
    """The candidate that a user names; what is wrong with it is said before any gate runs."""
    if given.endswith(".ipynb"):
        return _exported(Path(given), parameters, folder)
    from hftlib.strategy.files import strategy_named

    kind = strategy_named(given)
    chosen = kind(**parameters).parameters
    source = Path(str(sys.modules[kind.__module__].__file__))
    module = folder / source.name
    try:  # the gates run a copy: what is judged must not change on the way
        folder.mkdir(parents=True, exist_ok=True)
        if not (module.is_file() and module.samefile(source)):
            shutil.copyfile(source, module)
    except OSError as error:
        do = "Name a folder that can be written: hft promote -o FOLDER."
        what = f"The module cannot be copied: {error.strerror}"
        raise HostError(what, where=str(module), do=do) from None
    strategy_named(f"{module}:{kind.__name__}")  # or it needs files that lie beside it
    return Candidate(_named(kind.__name__), module.resolve(), kind.__name__, dict(chosen))


def _exported(notebook: Path, parameters: Mapping[str, Any], folder: Path) -> Candidate:
    if not notebook.is_file():
        do = "Give the path of a strategy's notebook, or FILE.py:Class."
        raise InputError(f"There is no notebook {notebook.name!r}", where=str(notebook), do=do)
    from hftlib.promote.exporting import export

    made = export(notebook, folder, parameters=parameters)
    name, chosen = _named(made.name), dict(made.parameters)
    return Candidate(name, made.module.resolve(), made.strategy, chosen, notebook)


def _named(name: str) -> str:
    plain = "".join(one if one.isalnum() or one in "_-" else "_" for one in name)
    return plain[:NAME_LONGEST] or "strategy"


def champion_of(folder: Path | None) -> dict[str, Any] | None:
    """The candidate of an earlier promotion, by its folder."""
    if folder is None:
        return None
    try:
        told = json.loads((folder / REPORT / "promotion.json").read_text(encoding="utf-8"))
        champion = {name: told["candidate"][name] for name in ("module", "strategy", "parameters")}
    except (OSError, ValueError, KeyError, TypeError):
        do = "Give the folder of a promotion that has passed: it has a promotion.json."
        raise InputError("This folder has no promotion", where=str(folder), do=do) from None
    if told.get("passed") is not True:
        do = "Give the folder of one that has passed, or none."
        raise InputError("That promotion has not passed", where=str(folder), do=do)
    kept = folder / Path(champion["module"]).name
    if not kept.is_file() or file_digest(kept) != told["candidate"]["digest"]:
        do = "Promote that strategy again."
        raise InputError("Its module is not what was promoted", where=str(kept), do=do)
    return {**champion, "module": str(kept.resolve())}
