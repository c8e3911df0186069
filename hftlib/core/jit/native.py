"""Entries and callbacks as object code of their own: who finds it kept never imports numba.

    NAME.DIGEST.o, .o.json   beside numba's cache (`cache.py`), made by `native_code.py`
    NAME.DIGEST.numba        such code cannot stand alone (it allocates, or touches Python): numba's
                             own cache keeps it, and it is run by numba's dispatcher

The digest is of the signature and of what the function means; the directory's name covers sources,
compiler, settings and processor. An exception is noted as an account (`reporting.py`): after an
entry it is raised where it was called; in a callback nobody could take it, so it is printed.

Worst case: a damaged file is made again; machine code of a wrong digest is never run.
"""

from __future__ import annotations

import ctypes
import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import HftError
from hftlib.core.jit.cache import cache_directory
from hftlib.core.jit.freezing import refuse
from hftlib.core.jit.lowering import wake
from hftlib.core.jit.meaning import meaning
from hftlib.core.jit.released import note, served
from hftlib.core.jit.signatures import Signature, plain
from hftlib.core.object_code import link, read

RAISED, IGNORED = "hft_raised", "hft_ignored"
_NAME_MAX = 50  # with its digest a name that every archive holds
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
# What numba takes for these without converting; of narrower kinds numpy's own only.
_TYPES: dict[str, tuple[type, ...]] = {"int64": (int, np.int64), "float64": (float, np.float64)}
_NOTE = ctypes.CFUNCTYPE(None, ctypes.c_int64)
_accounts: dict[int, int] = {}


@dataclass(slots=True)
class Native:
    """One function with one plain signature, and its machine code once it is asked for."""

    function: Callable[..., Any]
    signature: str
    options: dict[str, Any]
    is_callback: bool
    was_kept: bool = False
    _address: int | None = None  # 0: numba's way

    @property
    def name(self) -> str:
        return f"{self.function.__module__}.{self.function.__qualname__}"

    @property
    def address(self) -> int:
        """Where the machine code lies, or 0 where it is numba's to run."""
        if self._address is None:
            # Two threads may both come here: each makes good code, and one of it stays.
            made = self._ready()
            self._address = made if self._address is None else self._address
        return self._address

    def takes(self, given: tuple[type, ...]) -> bool:
        """Whether arguments of these types are exactly what the signature says."""
        kinds = self._plain.arguments
        return len(given) == len(kinds) and all(map(_fits, given, kinds))

    @property
    def run(self) -> Callable[..., Any]:
        """What calls the code from Python, with arguments of the right types."""
        function = ctypes.CFUNCTYPE(*self._plain.prototype)(self.address)
        wholes = [n for n, kind in enumerate(self._plain.arguments) if kind == "int64"]

        def run(*values: Any) -> Any:
            for n in wholes:
                if not _INT_MIN <= values[n] <= _INT_MAX:
                    raise OverflowError("int too big to convert")  # ctypes would cut it off
            result = function(*values)
            if _accounts and (account := _accounts.pop(threading.get_ident(), 0)):
                raise _exception(account)
            return result

        return run

    @property
    def _plain(self) -> Signature:
        known = plain(self.signature)
        assert known is not None
        return known

    def _ready(self) -> int:
        refuse(self.name)
        file_name = self._file_name()
        if (code := served(file_name, self.name)) is not None:
            self.was_kept = True
            return _linked(code)
        directory = cache_directory(self.function)
        kept = directory / file_name if directory else None
        if kept is not None:
            if kept.with_suffix(".numba").exists():
                return 0
            if kept.exists():
                with suppress(HftError):
                    code = read(kept)
                    address = _linked(code)
                    note(file_name, code)
                    self.was_kept = True
                    return address
        return self._made(kept, file_name)

    def _made(self, kept: Path | None, file_name: str) -> int:
        wake()
        from hftlib.core.jit.native_code import native_code

        code, is_for_keeps = native_code(self)
        with suppress(HftError, OSError):
            if kept is not None and code is None:
                kept.with_suffix(".numba").touch()
            elif kept is not None and code is not None and is_for_keeps:
                code.save(kept)
        if code is None:
            return 0
        note(file_name, code)
        return _linked(code)

    def _file_name(self) -> str:
        key = f"{self.signature}\0{self.is_callback}\0{sorted(self.options.items())}"
        digest = hashlib.sha256(f"{key}\0{self.name}\0{meaning(self.function)}".encode())
        name = "".join(letter if letter.isalnum() else "_" for letter in self.name)
        return f"{name[-_NAME_MAX:]}.{digest.hexdigest()[:32]}.o"


def standing_alone(
    function: Callable[..., Any], signature: str, options: dict[str, Any], is_callback: bool = False
) -> Native | None:
    """The function with this signature, if numbers that C passes alike are all that it takes."""
    known = plain(signature)
    if known is None or "boolean" in (known.result, *known.arguments):
        return None
    return Native(function, signature, options, is_callback)


def _linked(code: Any) -> int:
    return link(code, checked=True, beside=_notes())


def _fits(given: type, kind: str) -> bool:
    return given in _TYPES[kind] if kind in _TYPES else given is getattr(np, kind)


@_NOTE
def _raised(account: int) -> None:
    _accounts[threading.get_ident()] = account


@_NOTE
def _ignored(account: int) -> None:
    raise _exception(account)  # ctypes prints it: there is nobody above


@cache
def _notes() -> dict[str, int]:
    """What code that may raise calls to say so."""
    every = ((RAISED, _raised), (IGNORED, _ignored))
    return {name: ctypes.cast(function, ctypes.c_void_p).value or 0 for name, function in every}


def _exception(account: int) -> BaseException:
    from hftlib.core.jit.reporting import raised_at

    return raised_at(account)
