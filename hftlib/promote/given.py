"""The `parameters` cell: what it says, what the caller says instead, and whose each value is.

    given = overruled(read, given_in(read), {"edge_ticks": 3})
    told_apart(read, given, found)              those that are not the strategy's

A name that the strategy has as a parameter is the strategy's, and its value goes into the release.
Every other is the research cells', and one of them has to use it: so a name that was misspelt is
neither, and refused. Worst case: linear in the notebook's text.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from hftlib.core.errors import HftError, InputError
from hftlib.promote.clean_import import Imported
from hftlib.promote.notebook import Cell, Notebook, tree_of

PARAMETERS, INJECTED = "parameters", "injected-parameters"


def parameters_cell(notebook: Notebook) -> Cell:
    """The one cell with the tag `parameters`."""
    for cell in notebook.cells:
        if INJECTED in cell.tags:
            raise InputError(
                "This is a copy that papermill executed: it has its parameters twice",
                where=cell.where(notebook.path),
                do="Export the notebook it was made from, with -p name=value for other values.",
            )
    found = [cell for cell in notebook.cells if PARAMETERS in cell.tags]
    if len(found) != 1 or found[0].kind != "code":
        cells = " and ".join(str(cell.number) for cell in found)
        told = f"{len(found)} `parameters` cells, {cells}" if found else "no `parameters` cell"
        raise InputError(
            f"The notebook has {told}; it takes exactly one, of code",
            where=str(notebook.path),
            do="Put all parameters into one cell with the tag `parameters` (in JupyterLab the gear"
            " at the right, Cell Tags).",
        )
    if found[0].marked:
        raise InputError(
            "The `parameters` cell is marked for export",
            where=found[0].where(notebook.path),
            do="Take `#| export` off: a release pins the values, the module has the defaults.",
        )
    return found[0]


def given_in(notebook: Notebook) -> dict[str, Any]:
    """What the `parameters` cell says: each line a name and a plain value."""
    cell = parameters_cell(notebook)
    given: dict[str, Any] = {}
    for node in tree_of(notebook, cell).body:
        where = cell.where(notebook.path, node.lineno)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue  # a sentence about them
        target, value = _assigned(node)
        if target is None or value is None:
            do = "Write `name = value` in each line; imports and what is computed go elsewhere."
            what = "The `parameters` cell has a line that sets no name"
            raise InputError(what, where=where, do=do)
        if target in given:
            do = "Leave one of them out."
            raise InputError(f"The parameter {target!r} is set twice", where=where, do=do)
        try:
            given[target] = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            raise InputError(
                f"The parameter {target!r} has to be computed",
                where=where,
                do="Write the value itself: 3600, 0.5, True or 'text'.",
            ) from None
    return given


def _assigned(node: ast.stmt) -> tuple[str | None, ast.expr | None]:
    """The name and the value of `name = value` and `name: int = value`."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target, value = node.targets[0], node.value
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        target, value = node.target, node.value
    else:
        return None, None
    return (target.id, value) if isinstance(target, ast.Name) else (None, None)


def overruled(
    notebook: Notebook, given: dict[str, Any], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """The notebook's values, but those that the caller gives; none that it does not have."""
    for name in parameters:
        if name not in given:
            raise InputError(
                f"The notebook has no parameter {name!r}",
                where=parameters_cell(notebook).where(notebook.path),
                do=meant(name, given, f"It has {', '.join(given) or 'none'}."),
            )
    return {**given, **parameters}


def meant(name: str, known: Iterable[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"Did you mean {near[0]!r}?" if near else otherwise


def told_apart(notebook: Notebook, given: dict[str, Any], found: Imported) -> dict[str, Any]:
    """The values that are not the strategy's, each of them used by some research cell."""
    cell = parameters_cell(notebook)
    if found.wrong:
        raise InputError(found.wrong["what"], where=cell.where(notebook.path), do=found.wrong["do"])
    read = _read_by_research(notebook, cell)
    for name in given:
        if name not in found.names and name not in read:
            listed = f"The strategy has {', '.join(found.names) or 'none'}."
            raise InputError(
                f"The parameter {name!r} is neither the strategy's nor used by any cell",
                where=cell.where(notebook.path),
                do=meant(name, found.names, listed),
            )
    return {name: value for name, value in given.items() if name not in found.names}


def _read_by_research(notebook: Notebook, own: Cell) -> set[str]:
    """The names that research cells use; a cell of commands uses all its words."""
    read: set[str] = set()
    for cell in notebook.cells:
        if cell.kind != "code" or cell.marked or cell is own:
            continue
        try:
            nodes = list(ast.walk(tree_of(notebook, cell)))
        except HftError:
            read |= set(re.findall(r"\w+", cell.source))
            continue
        read |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return read
