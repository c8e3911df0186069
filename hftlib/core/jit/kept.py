"""Which of the kept machine code belongs to a function: a key finer than numba's own.

numba asks for a function's file, line, name and bytecode. Two lambdas on one line, or code made
from text, agree in all of these and differ in a constant; a global read from a settings file may
differ between two runs of the same file. So the key here holds also what the function means:

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
import inspect
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba.core import caching
from numba.core.dispatcher import Dispatcher

from hftlib.core.errors import HftError
from hftlib.core.jit.cache import cache_directory

_NAME_MAX = 80
_VALUES = (int, float, complex, str, bytes, Enum, np.dtype)


def kept_code(function: Callable[..., Any]) -> Any:
    """numba's cache for this function, in our directory; one that keeps nothing if it has no file.

    It belongs to this function alone, so numba's settings stay as their owner made them.
    """
    directory = cache_directory(function)
    return caching.NullCache() if directory is None else _KeptCode(function, directory)


class _Place(caching._SourceFileBackedLocatorMixin, caching._CacheLocator):
    """Where the files lie: below our directory, whatever numba's settings say."""

    def __init__(self, function: Callable[..., Any], directory: Path) -> None:
        self._py_file = inspect.getfile(function)
        self._lineno = function.__code__.co_firstlineno
        self._path = str(directory / self.get_suitable_cache_subpath(self._py_file))

    def get_cache_path(self) -> str:
        return self._path


class _Kind(caching.CompileResultCacheImpl):
    def __init__(self, function: Callable[..., Any], directory: Path) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = _Place(function, directory)
        self._locator.ensure_cache_path()
        name = f"{Path(self._locator._py_file).stem}.{function.__qualname__}"[-_NAME_MAX:]
        self._filename_base = self.get_filename_base(name, sys.abiflags)


class _KeptCode(caching.FunctionCache):
    def __init__(self, function: Callable[..., Any], directory: Path) -> None:
        self._impl_class = partial(_Kind, directory=directory)
        super().__init__(function)
        # Two processes saving at once would otherwise number their files alike.
        mark = uuid.uuid4().hex[:12]
        self._cache_file._data_name_pattern = f"{self._impl.filename_base}.{mark}.{{number}}.nbc"

    def load_overload(self, signature: Any, context: Any) -> Any:
        try:
            return super().load_overload(signature, context)
        except HftError:
            raise
        # Whatever a file cut short by a power failure makes pickle stumble over: compile anew.
        except Exception:
            self.flush()
            return None

    def _index_key(self, signature: Any, codegen: Any) -> Any:
        return (*super()._index_key(signature, codegen), meaning(self._py_func))


def meaning(function: Callable[..., Any]) -> str:
    """Digest of what decides, besides the types of its arguments, what a function compiles to."""
    digest = hashlib.sha256()
    seen: set[Any] = set()
    waiting = list(_of_code(function))
    while waiting:
        item, names = waiting.pop()
        if isinstance(item, np.ndarray | np.generic) and not item.dtype.hasobject:
            digest.update(f"\0{item.dtype!r}{item.shape}".encode() + item.tobytes())
        elif item is None or isinstance(item, _VALUES):
            digest.update(f"\0{type(item).__name__} {item!r}".encode())
        elif (id(item), names) not in seen:
            seen.add((id(item), names))
            waiting += _inside(item, names)
            digest.update(f"\0{type(item).__name__} {getattr(item, '__qualname__', '')}".encode())
    return digest.hexdigest()


def _inside(item: Any, names: tuple[str, ...]) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """What `item` is made of; of a module or a class only what the code at hand names."""
    if isinstance(item, tuple):
        yield from ((value, names) for value in item)
    elif isinstance(item, ModuleType | type):
        yield from ((getattr(item, name, None), names) for name in names)
    elif isinstance(item, Dispatcher):
        yield from _of_code(item.py_func)
    elif isinstance(item, FunctionType):
        # Not compiled itself: it stands for code of `lowers`, made from the variables around it.
        yield from _around(item, names)


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
