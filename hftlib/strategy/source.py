"""Where a class was written: its lines, its tree, and how to name a place in it to a person.

A class in a notebook's cell has no file; the lines of the cell are where Python's own tracebacks
take them from (`linecache`). The lines of a file are read anew for each class, since it may have
been edited and run again. The class is found by its name and by the line that decorates it, for a
cell may hold an older one of the same name.

Worst case: code without lines to be seen (made from text, typed into a plain prompt) is refused.
"""

from __future__ import annotations

import ast
import linecache
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.core.errors import CompileError


@dataclass(frozen=True, slots=True)
class Source:
    """The class statement of a strategy or block."""

    name: str
    file: str
    label: str
    lines: tuple[str, ...]
    tree: ast.ClassDef
    namespace: dict[str, Any]
    around: dict[str, Any]

    def where(self, line: int) -> str:
        text = self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""
        return f"{self.label}, line {line}" + (f": `{text}`" if text else "")

    def error(self, what: str, line: int, do: str) -> CompileError:
        return CompileError(what, where=self.where(line), do=do)

    @property
    def first_line(self) -> int:
        return min([self.tree.lineno, *(item.lineno for item in self.tree.decorator_list)])

    @property
    def text(self) -> str:
        lines = self.lines[self.first_line - 1 : self.tree.end_lineno]
        return textwrap.dedent("\n".join(lines))

    def names(self) -> dict[str, Any]:
        """What the class's code can see: its module, and the function around it."""
        return {**self.namespace, **self.around}


def read(cls: type, depth: int) -> Source:
    """The source of a class that the caller, `depth` frames up, is decorating now."""
    frame = sys._getframe(depth)
    file, line = frame.f_code.co_filename, frame.f_lineno
    lines = tuple(text.rstrip("\n") for text in _lines(file, frame.f_globals))
    around = {} if frame.f_locals is frame.f_globals else dict(frame.f_locals)
    label = _label(file)
    try:
        tree = _found(ast.parse("\n".join(lines)), cls.__name__, line)
    except SyntaxError:
        tree = None
    if tree is None:
        raise CompileError(
            f"The lines of the class {cls.__name__!r} cannot be seen",
            where=f"{label}, line {line}",
            do="Write it in a notebook's cell or in a file; hftlib reads its lines to compile it.",
        )
    return Source(cls.__name__, file, label, lines, tree, frame.f_globals, around)


def _lines(file: str, namespace: dict[str, Any]) -> list[str]:
    """The lines as they are now: what was kept of a file may be of an older text of it."""
    if Path(file).is_file():
        return linecache.updatecache(file, namespace)
    # A cell, or a module in an archive: nothing on disk could be newer than what is kept.
    return linecache.getlines(file, namespace)


def _found(tree: ast.Module, name: str, line: int) -> ast.ClassDef | None:
    classes = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name == name]
    for found in classes:
        first = min([found.lineno, *(item.lineno for item in found.decorator_list)])
        if first <= line <= (found.end_lineno or first):
            return found
    return None


def _label(file: str) -> str:
    if re.search(r"ipykernel|^<ipython-input", file):
        # IPython knows which cell a name of its own stands for; its tracebacks say `Cell In[3]`.
        shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
        told = getattr(getattr(shell, "compile", None), "format_code_name", lambda _: None)(file)
        return f"cell {told[1]}" if told else "this cell"
    path = Path(file)
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return path.name
