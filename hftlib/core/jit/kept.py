"""numba's cache for one function, in our directory, with a key finer than numba's own.

Leaves are kept so; entries and callbacks are kept as object code (`native.py`). Imports numba.
Worst case: a damaged file is compiled anew.
"""

from __future__ import annotations

import inspect
import sys
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from numba.core import caching

from hftlib.core.errors import HftError
from hftlib.core.jit.cache import cache_directory
from hftlib.core.jit.meaning import meaning

_NAME_MAX = 80


class _Place(caching._SourceFileBackedLocatorMixin, caching._CacheLocator):
    """Where the files lie: below our directory, whatever numba's settings say."""

    def __init__(self, function: Callable[..., Any], directory: Path) -> None:
        self._py_file = inspect.getfile(function)
        self._lineno = function.__code__.co_firstlineno
        self._path = str(directory / self.get_suitable_cache_subpath(self._py_file))

    def get_cache_path(self) -> str:
        return self._path


class Kept(caching.CompileResultCacheImpl):
    """What is kept of a function: all of it; `suffix` tells its files from those of others."""

    suffix = ""

    def __init__(self, function: Callable[..., Any], directory: Path) -> None:
        self._lineno = function.__code__.co_firstlineno
        self._locator = _Place(function, directory)
        self._locator.ensure_cache_path()
        name = (
            f"{Path(self._locator._py_file).stem}.{function.__qualname__}"[-_NAME_MAX:]
            + self.suffix
        )
        self._filename_base = self.get_filename_base(name, sys.abiflags)


def kept_code(function: Callable[..., Any], kind: type[Kept] = Kept) -> Any:
    """numba's cache for this function, in our directory; one that keeps nothing if it has no file.

    It belongs to this function alone, so numba's settings stay as their owner made them. `kind`
    says what is kept of it.
    """
    directory = cache_directory(function)
    return caching.NullCache() if directory is None else _KeptCode(function, directory, kind)


class _KeptCode(caching.FunctionCache):
    def __init__(self, function: Callable[..., Any], directory: Path, kind: Any) -> None:
        self._impl_class = partial(kind, directory=directory)
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
