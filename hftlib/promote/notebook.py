"""A strategy's notebook as a file: its cells, and which of them are marked.

    read = read_notebook(Path("notebooks/strategies/flow_momentum.ipynb"))
    read.cells[3].source, read.cells[3].tags, read.marked
    tree_of(read, read.cells[3])

Cells are counted from 1, those of text among them, since nobody sees an execution count in a
notebook whose outputs were stripped.

Only text is read here and nothing is executed. Outputs, execution counts and metadata other than
tags decide nothing. Worst case: a notebook of NOTEBOOK_BYTES_MAX, half a second.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError

NOTEBOOK_BYTES_MAX = 32 << 20
_KINDS = ("code", "markdown", "raw")
# What nbdev's exporter looks for: a comment `#|` with a word, before the first line of code.
_DIRECTIVE = re.compile(r"\s*#\s*\|\s*([^\s:]+)\s*:?\s*(.*?)\s*$")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell; `marked` is the line that exports it, or nothing."""

    number: int
    kind: str
    source: str
    tags: tuple[str, ...]
    marked: str

    def where(self, notebook: Path, line: int | None = None) -> str:
        """Where it is, for a person: the cell, the line, and what stands there."""
        place = f"cell {self.number} of {notebook.name}"
        lines = self.source.split("\n")
        if line is None or not 1 <= line <= len(lines):
            return place
        text = lines[line - 1].strip()
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        return f"{place}, line {line}: `{shown}`"


@dataclass(frozen=True, slots=True)
class Notebook:
    """Its cells in order."""

    path: Path
    cells: tuple[Cell, ...]

    @property
    def marked(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.marked]


def read_notebook(path: Path) -> Notebook:
    """The cells of a notebook, or a sentence on why it is none."""
    told = _parsed(path, _text(path))
    cells = told.get("cells") if isinstance(told, dict) else None
    if not isinstance(told, dict) or "nbformat" not in told:
        raise _no_notebook(path, "has no `nbformat`")
    if told["nbformat"] != 4 or isinstance(told["nbformat"], bool):
        raise InputError(
            f"The notebook is of format {told['nbformat']!r}; format 4 is read",
            where=str(path),
            do="Open it in JupyterLab and save it again, which brings it to format 4.",
        )
    if not isinstance(cells, list):
        raise _no_notebook(path, "has no list of cells")
    metadata = told.get("metadata")
    kernel = metadata.get("kernelspec") if isinstance(metadata, dict) else None
    language = kernel.get("language", "python") if isinstance(kernel, dict) else "python"
    if language != "python":
        raise InputError(
            f"The notebook's language is {language!r}",
            where=str(path),
            do="Write strategies in Python, in a notebook with a Python kernel.",
        )
    return Notebook(path, tuple(_cell(path, n, cell) for n, cell in enumerate(cells, 1)))


def _text(path: Path) -> str:
    """The file as text, if it is one that a notebook could be."""
    if not path.exists():
        raise InputError(
            "There is no such notebook", where=str(path), do="Give the path of an .ipynb file."
        )
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no plain file"
        raise InputError(f"This is {what}", where=str(path), do="Name one .ipynb file.")
    try:
        size = path.stat().st_size
        if size > NOTEBOOK_BYTES_MAX:
            raise InputError(
                f"The notebook has {size:,} bytes; {NOTEBOOK_BYTES_MAX:,} are read at most",
                where=str(path),
                do="Clear its outputs (`nbstripout FILE`) and save it.",
            )
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"The notebook cannot be read: {error.strerror}", where=str(path), do="Let it be read."
        ) from None
    except UnicodeDecodeError:
        raise _no_notebook(path, "is not text in UTF-8") from None


def _parsed(path: Path, text: str) -> Any:
    if not text.strip():
        raise _no_notebook(path, "is empty")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise _no_notebook(path, f"is no JSON{where}") from None


def _cell(path: Path, number: int, told: Any) -> Cell:
    """One cell, of which only its kind, its text and its tags are looked at."""
    told = told if isinstance(told, dict) else {}
    kind, source = told.get("cell_type"), told.get("source")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if kind not in _KINDS or not isinstance(source, str):
        raise _no_notebook(path, f"has no kind or no text in its cell {number}")
    metadata = told.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    names = tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
    marked = _mark(source) if kind == "code" else ""
    return Cell(number, kind, source, names, marked)


def _mark(source: str) -> str:
    """The first `#| export` before any code as its words, or what looks as if it was meant."""
    for line in source.splitlines():
        found = _DIRECTIVE.match(line)
        if found and found[1].lower().startswith("exp"):
            return f"{found[1]} {found[2]}".strip()
        if line.strip() and not found and not line.lstrip().startswith("%%"):
            break
    return ""


def _no_notebook(path: Path, why: str) -> InputError:
    return InputError(
        f"This is no notebook: it {why}",
        where=str(path),
        do="Give an .ipynb file as JupyterLab saves it, such as a copy of one in"
        " notebooks/strategies/.",
    )


def tree_of(notebook: Notebook, cell: Cell) -> ast.Module:
    """What a cell says, or where it is no Python."""
    try:
        return ast.parse(cell.source)
    except SyntaxError as error:
        what, line = f"The cell is no Python: {error.msg}", error.lineno
    except (ValueError, RecursionError, MemoryError) as error:
        what, line = f"The cell is no Python that can be read: {error}", None
    raise InputError(
        what,
        where=cell.where(notebook.path, line),
        do="Correct the line; `%` and `!` commands belong into cells that are not exported.",
    )
