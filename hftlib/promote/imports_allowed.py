"""What an exported cell may import, and what it may use of that: a list, and all else is refused.

    require_allowed(notebook, cells)        a sentence with the cell and the line, or nothing

A strategy needs numbers, its context and constants. So there is a list of modules, for each of them
a list of names, and a list of Python's own functions; no file, process, clock, chance, nor a way to
look behind an object. A module is used as `np.name` only, and never handed on, so that `np.os` or
`dataclasses.sys` are not reached by another name either. Names that no exported cell makes are
refused here, too: in the notebook another cell made them, in the module nobody would.

This is no sandbox: who wants to get around a list written for Python will find how. It finds
slips and lazy tricks early, with their line. What holds against intent is said in
`docs/strategies.md`: a person's review, the signature, and that what trades is machine code whose
outside symbols are counted.

Worst case: linear in the text.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from hftlib.core.errors import InputError
from hftlib.core.jit.signatures import plain
from hftlib.promote.allowed_names import BUILTINS, INNER, allowed_of, modules_allowed
from hftlib.promote.notebook import Cell, Notebook, tree_of

# Ways from a value to files, frames and code. So is what begins with an underscore.
_WORDS_OUT = """tofile dump dumps ctypes format format_map f_globals f_locals f_builtins f_back
    f_code gi_frame gi_code gi_yieldfrom tb_frame tb_next func_globals co_consts mro"""
_WAYS_OUT = frozenset(_WORDS_OUT.split())
_STATEMENTS: dict[type[ast.AST], str] = {
    ast.With: "`with`",
    ast.Try: "`try`",
    ast.TryStar: "`try`",
    ast.Match: "`match`",
    ast.Global: "`global`",
    ast.Nonlocal: "`nonlocal`",
    ast.AsyncFunctionDef: "`async`",
    ast.AsyncFor: "`async`",
    ast.AsyncWith: "`async`",
    ast.Await: "`await`",
    ast.Yield: "`yield`",
    ast.YieldFrom: "`yield`",
}
_JIT = "hftlib.core.jit"
_OWN_METHODS = ("__init__", "__post_init__")
_INSTEAD = {
    "print": "Leave printing to research cells; `compiled=False` shows what a callback does.",
    "open": "Read files in research cells; what a strategy needs of them is a parameter.",
    "getattr": "Write the name: `value.name`.",
    "setattr": "Write the name: `self.name = value`.",
}


@dataclass
class _Names:
    """What the exported cells bind: modules by their name here, and everything else."""

    modules: dict[str, str] = field(default_factory=dict)
    decorators: set[str] = field(default_factory=set)  # `strategy` where it was imported
    bound: set[str] = field(default_factory=set)


class _RefusedError(Exception):
    """Why a node is refused, and what to do; the caller knows where it stands."""

    def __init__(self, node: ast.AST, what: str, do: str) -> None:
        self.line: int | None = getattr(node, "lineno", None)
        self.what, self.do = what, do


def require_allowed(notebook: Notebook, cells: Sequence[Cell]) -> None:
    """Refuse the first thing that an exported cell may not have."""
    names = _Names()
    trees = [(cell, tree_of(notebook, cell)) for cell in cells]
    for each in (_import, _statement, _bind, _use):
        for cell, tree in trees:
            decorators = {id(inner) for node in ast.walk(tree) for inner in _decorators(node)}
            for node in ast.walk(tree):
                try:
                    each(node, names, decorators)
                except _RefusedError as no:
                    where, do = cell.where(notebook.path, no.line), no.do or _other(notebook, node)
                    raise InputError(no.what, where=where, do=do) from None


def _decorators(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef):
        yield from node.decorator_list


def _import(node: ast.AST, names: _Names, _decorators: set[int]) -> None:
    """Imports, which are looked at first: they say which names are modules."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            _require_module(node, alias.name)
            if "." in alias.name and not alias.asname:
                do = f"Write `import {alias.name} as name`."
                raise _RefusedError(node, f"{alias.name} is imported without a name of its own", do)
            names.modules[alias.asname or alias.name] = alias.name
    if isinstance(node, ast.ImportFrom):
        if node.level:
            do = "An exported module stands alone: write what it needs into marked cells."
            raise _RefusedError(node, "The import is relative", do)
        _require_module(node, node.module or "")
        for alias in node.names:
            if alias.name == "*":
                do = f"Name what you need: `from {node.module} import ...`."
                raise _RefusedError(node, "The import takes every name there is", do)
            _require_name(node, node.module or "", alias.name)
            inner = INNER.get((node.module or "", alias.name))
            if inner:
                names.modules[alias.asname or alias.name] = inner
            elif (node.module, alias.name) == ("hftlib", "strategy"):
                names.decorators.add(alias.asname or alias.name)
            else:
                names.bound.add(alias.asname or alias.name)


def _require_module(node: ast.AST, module: str) -> None:
    if module not in modules_allowed():
        raise _RefusedError(
            node,
            f"A strategy may not import {module!r}",
            f"It may import {', '.join(modules_allowed())}; leave the rest to research cells.",
        )


def _require_name(node: ast.AST, module: str, name: str) -> None:
    if name not in allowed_of(module):
        raise _RefusedError(
            node,
            f"{module}.{name} is not among what a strategy may use",
            "Leave it to research cells; docs/strategies.md says what an exported cell may use.",
        )


def _statement(node: ast.AST, _names: _Names, _decorators: set[int]) -> None:
    if type(node) in _STATEMENTS:
        what = f"A strategy has no use for {_STATEMENTS[type(node)]}"
        do = "Write it with plain statements, or leave it to research cells."
        raise _RefusedError(node, what, do)
    # Text that is evaluated: hftlib reads a field's kind so, as type checkers do.
    if isinstance(node, ast.AnnAssign) and isinstance(node.annotation, ast.Constant):
        raise _RefusedError(node, "The kind of a field is in quotes", "Write it without them.")


def _bind(node: ast.AST, names: _Names, _decorators: set[int]) -> None:
    """Every name that some exported cell makes."""
    name = None
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        name = node.id
    elif isinstance(node, ast.ClassDef | ast.FunctionDef):
        name = node.name
        if name.startswith("__") and name not in _OWN_METHODS:
            do = "Give it a plain name: callbacks are on_book, on_trade and their kin."
            raise _RefusedError(node, f"{name} is one of Python's own methods", do)
    elif isinstance(node, ast.arg):
        name = node.arg
    elif isinstance(node, ast.alias):
        name = node.asname if node.asname and node.asname.startswith("_") else None
    if name is None:
        return
    if name.startswith("__") and name not in (*_OWN_METHODS, "__all__"):
        raise _RefusedError(node, f"{name!r} is one of Python's own names", "Choose a plain name.")
    if name in names.modules or name in names.decorators:
        raise _RefusedError(node, f"{name!r} is a module and something else", "Rename one of them.")
    names.bound.add(name)


def _use(node: ast.AST, names: _Names, decorators: set[int]) -> None:
    """Names that are read, and attributes."""
    if isinstance(node, ast.Call):
        _call(node, names)
    if isinstance(node, ast.Attribute):
        _attribute(node, names, decorators)
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        _name(node, names, decorators)


def _name(node: ast.Name, names: _Names, decorators: set[int]) -> None:
    name = node.id
    if name in names.modules:
        # `np` alone: below `np.pi` it was marked as looked at.
        if not getattr(node, "is_base", False):
            do = f"Write `{name}.something` where you need it."
            raise _RefusedError(node, f"The module {name!r} is handed on as a value", do)
    elif name in names.decorators:
        if id(node) not in decorators:
            raise _RefusedError(
                node, f"{name!r} is used as a value", f"Write `@{name}` above a class."
            )
    elif name not in names.bound and name not in BUILTINS:
        if hasattr(builtins, name) or name.startswith("__"):
            do = _INSTEAD.get(name, "Leave it to research cells.")
            raise _RefusedError(node, f"A strategy may not use {name!r}", do)
        raise _RefusedError(node, f"No exported cell makes {name!r}", "")


def _call(node: ast.Call, names: _Names) -> None:
    """`jit.compiled("int64(int64)")`: its text is evaluated where it is not as plain as this."""
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr != "compiled":
        return
    if _module(function.value, names) != _JIT:
        return
    texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
    is_plain = all(isinstance(text, str) and plain(text) is not None for text in texts)
    if len(texts) < len(node.args) or node.keywords or not is_plain:
        do = 'Write it out, with kinds of numbers alone: @hft.jit.compiled("int64(float64)").'
        raise _RefusedError(node, "The signature of a compiled function is not plain", do)
    function.is_called = True  # type: ignore[attr-defined]


def _attribute(node: ast.Attribute, names: _Names, decorators: set[int]) -> None:
    """`np.pi`, `hft.sizing.by_equity`, `self.fair`, and what is refused of the like."""
    module = _module(node.value, names)
    if module:
        _require_name(node, module, node.attr)
        if not isinstance(node.ctx, ast.Load):
            do = "Give your own thing a name of its own."
            raise _RefusedError(node, f"{ast.unparse(node)} is changed, which is not yours", do)
        if module == _JIT and not getattr(node, "is_called", False):
            do = "Write `@hft.jit.compiled()` above a function."
            raise _RefusedError(node, "jit.compiled is used as a value", do)
        is_room = (module, node.attr) == ("hftlib", "strategy")
        if is_room and id(node) not in decorators:
            do = "Write `@hft.strategy` above a class."
            raise _RefusedError(node, "hft.strategy is used as a value", do)
        if (module, node.attr) in INNER and not getattr(node, "is_base", False):
            what = f"The module {ast.unparse(node)!r} is handed on as a value"
            raise _RefusedError(
                node, what, f"Write `{ast.unparse(node)}.something` where you need it."
            )
        return
    if node.attr.startswith("_"):  # a strategy's own methods have no underscore in front either
        do = "Use what has a plain name."
        raise _RefusedError(node, f"{node.attr!r} looks behind a value", do)
    if node.attr in _WAYS_OUT:
        what = f"'.{node.attr}' leads out of a strategy"
        raise _RefusedError(node, what, "Leave it to research cells; for text there are f-strings.")


def _module(node: ast.expr, names: _Names) -> str:
    """Which module of the list `node` is, if it is one; the node is then marked as looked at."""
    found = ""
    if isinstance(node, ast.Name):
        found = names.modules.get(node.id, "")
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        found = INNER.get((names.modules.get(node.value.id, ""), node.attr), "")
    if found:
        node.is_base = True  # type: ignore[attr-defined]
    return found


def _other(notebook: Notebook, node: ast.AST) -> str:
    """Where in the notebook a name is made that no exported cell makes."""
    wanted = getattr(node, "id", "")
    for cell in notebook.cells:
        if cell.kind == "code" and not cell.marked and wanted in _made_in(cell):
            return f"Cell {cell.number} makes it: mark that one, too, or make it an hft.param."
    return "Make it in a marked cell, or correct its spelling."


def _made_in(cell: Cell) -> set[str]:
    """The names that a research cell makes, as far as it can be read."""
    try:
        tree = ast.parse(cell.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    made: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            made.add(node.name)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            made.add(node.id)
        if isinstance(node, ast.Import | ast.ImportFrom):
            made |= {alias.asname or alias.name.partition(".")[0] for alias in node.names}
    return made
