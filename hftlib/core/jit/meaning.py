"""What a function means: the part of its key that no file's name, line or time can tell.

numba asks for a function's file, line, name and bytecode. Two lambdas on one line, or code made
from text, agree in all of these and differ in a constant; a global read from a settings file may
differ between two runs of the same file. So kept code is found by what the function means:

    function ── constants, default arguments
             ── what it names ── numbers, texts, dtypes, arrays      their value
                              ── compiled functions                  what they mean, in turn
                              ── modules, classes                    what it names of them
             ── variables of the function around it                  likewise

Worst case: values of other kinds are not looked at, nor what a file registers with numba by hand
(`lowers`, overloads); the name of the directory covers files (`cache.py`).
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

_records: dict[int, tuple[np.dtype[Any], str]] = {}  # by identity: they are held here
_VALUES = (int, float, complex, str, bytes, Enum, np.dtype)


class StandsForFunction:
    """What takes a function's place and is compiled from it."""

    py_func: Callable[..., Any]


def meaning(function: Callable[..., Any]) -> str:
    """Digest of what decides, besides the types of its arguments, what a function compiles to."""
    digest = hashlib.sha256()
    seen: set[Any] = set()
    waiting = list(_of_code(function))
    while waiting:
        item, names = waiting.pop()
        if isinstance(item, np.ndarray | np.generic) and not item.dtype.hasobject:
            digest.update(f"\0{_text(item.dtype)}{item.shape}".encode() + item.tobytes())
        elif item is None or isinstance(item, _VALUES):
            digest.update(f"\0{type(item).__name__} {_text(item)}".encode())
        elif (id(item), names) not in seen:
            seen.add((id(item), names))
            waiting += _inside(item, names)
            digest.update(f"\0{type(item).__name__} {getattr(item, '__qualname__', '')}".encode())
    return digest.hexdigest()


def _text(value: Any) -> str:
    """The value's own text; that of a record takes numpy long, and every function meets it."""
    if not isinstance(value, np.dtype) or value.fields is None:
        return repr(value)
    if id(value) not in _records:
        _records[id(value)] = value, repr(value)
    return _records[id(value)][1]


def _inside(item: Any, names: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """What `item` is made of; of a module or a class only what the code at hand names."""
    if isinstance(item, tuple):
        yield from ((value, names) for value in item)
    elif isinstance(item, ModuleType | type):
        found = (getattr(item, name, None) for name in names)
        yield from ((None if _is_ours(one) else one, names) for one in found)
    elif _is_compiled(item):
        yield from _of_code(item.py_func)
    elif isinstance(item, FunctionType):
        # Not compiled itself: it stands for code of `lowers`, made from the variables around it.
        yield from _around(item, names)


def _is_ours(value: Any) -> bool:
    """A module of this package: whether it is there hangs on whether numba has been loaded.

    No code names one, but a field may be called like one, such as `kept`. So it counts as nothing,
    as before it is loaded; the digest of the source covers what is written in it.
    """
    return isinstance(value, ModuleType) and value.__name__.startswith(f"{__package__}.")


def _is_compiled(item: Any) -> bool:
    numba = sys.modules.get("numba.core.dispatcher")
    return isinstance(item, StandsForFunction) or (
        numba is not None and isinstance(item, numba.Dispatcher)
    )


def _of_code(function: Any) -> Iterator[tuple[Any, tuple[str, ...]]]:
    codes = [function.__code__]
    for code in codes:
        codes += [const for const in code.co_consts if isinstance(const, CodeType)]
    names = tuple(name for code in codes for name in code.co_names)
    for code in codes:
        yield code.co_code, ()
        yield repr([const for const in code.co_consts if not isinstance(const, CodeType)]), ()
    yield (function.__defaults__ or ()), names
    yield tuple(sorted((function.__kwdefaults__ or {}).items())), names
    yield from ((function.__globals__.get(name), names) for name in names)
    yield from _around(function, names)


def _around(function: Any, names: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, ()
        with suppress(ValueError):  # not assigned yet
            yield cell.cell_contents, names
