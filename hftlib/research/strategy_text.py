"""A strategy's class as a text of its own: what a journal keeps of one from a notebook's cell.

    text = strategy_text(Maker)        a module that has Maker, and all that its code names

The class's lines stand as they are. Above them stands what they name: modules and whatever is
hftlib's or Python's own as imports, numbers and texts as they are now, blocks and plain functions
by their lines.
What cannot be told so (an array, an object) is refused: it belongs into a file or into the class.

A file's class is told so, too, and not by its whole file: a file that runs a backtest when it is
imported would run another one at each replay. Worst case: a name that stands for two things, in
files of two blocks, is refused.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any

from hftlib.core.errors import HftError, InputError
from hftlib.core.units import shown

_PLAIN = (bool, int, float, str, type(None))
_WHERE = "hft.wire_backtest(strategy, ...)"


def strategy_text(strategy: type) -> str:
    """The text of a module with this class in it."""
    told: dict[str, str] = {}
    _tell(strategy.__name__, strategy, told, {})
    imports = sorted(line for line in told.values() if line.startswith(("import ", "from ")))
    others = [line for line in told.values() if line not in imports]
    return "\n\n".join(["\n".join(imports), *others]).strip() + "\n"


def _tell(name: str, value: Any, told: dict[str, str], begun: dict[str, Any]) -> None:
    """One name and all that its own code names, those first."""
    value = getattr(value, "py_func", value)
    if name in begun:
        if begun[name] is not value and begun[name] != value:
            raise _refused(name, "stands for two things")
        return
    begun[name] = value
    home = str(getattr(value, "__module__", ""))
    if isinstance(value, ModuleType):
        told[name] = f"import {value.__name__} as {name}"
    elif _is_imported(home) and hasattr(value, "__qualname__"):
        told[name] = f"from {home} import {value.__qualname__} as {name}"
    elif all(isinstance(one, _PLAIN) for one in _items(value)):
        told[name] = f"{name} = {value!r}"
    elif hasattr(value, "_plan"):
        source = value._plan.source
        _tell_all(source.text, source.names(), told, begun)
        alias = "" if name == source.name else f"\n\n\n{name} = {source.name}"
        told[name] = source.text + alias
    elif isinstance(value, FunctionType):
        text = _lines_of(value)
        _tell_all(text, value.__globals__, told, begun)
        told[name] = text
    else:
        raise _refused(name, f"is of the kind {type(value).__name__}: no text can stand for it")


def _is_imported(home: str) -> bool:
    """Whether it is hftlib's, or Python's own: then it is there wherever the text is read."""
    return home.partition(".")[0] in ("hftlib", *sys.stdlib_module_names)


def _items(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _tell_all(
    text: str, names: Mapping[str, Any], told: dict[str, str], begun: dict[str, Any]
) -> None:
    """Whatever this code names and does not make itself."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
            value = names[node.id]
            if getattr(builtins, node.id, None) is not value:
                _tell(node.id, value, told, begun)


def _lines_of(function: FunctionType) -> str:
    try:
        return textwrap.dedent(inspect.getsource(function)).rstrip()
    except (OSError, TypeError):
        raise _refused(function.__name__, "is a function whose lines cannot be seen") from None


def _refused(name: str, what: str) -> HftError:
    return InputError(
        f"The strategy names {shown(name)}, which {what}",
        where=_WHERE,
        do="Make it a parameter or a state of the class, or a number beside it.",
    )
