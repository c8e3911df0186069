"""Object code out of a release: a process that is served it compiles nothing, whatever it lacks.

    with noted() as objects: ...      at the making: every object that this process loads, by name
    serve(objects)                    at the launch: from now on these, and no others

An object's name holds a digest of what the function means (`native.py`, `strategy/entries.py`), not
of where files lie nor of the host: so what was made in one place is found in another. That the rest
is the same there (sources, versions, processor) is looked at before anything is served.
Serving cannot be undone. Worst case: a function that the release lacks is refused by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from hftlib.core.errors import CompileError, StateError
from hftlib.core.jit.freezing import forbid_compiling
from hftlib.core.jit.settings import BOUNDS_CHECKED, COMPILED
from hftlib.core.object_code import ObjectCode

_served: dict[str, ObjectCode] = {}
_noted: list[dict[str, ObjectCode]] = []


def serve(objects: Mapping[str, ObjectCode]) -> None:
    """Have every function's machine code come out of these, and forbid compiling."""
    if not COMPILED or BOUNDS_CHECKED:
        raise StateError(
            "This process is set to run uncompiled, or with bounds checks",
            where="a release's code",
            do="Unset NUMBA_DISABLE_JIT and NUMBA_BOUNDSCHECK and run again.",
        )
    _served.update(objects)
    forbid_compiling()


def is_served() -> bool:
    return bool(_served)


def served(file_name: str, name: str) -> ObjectCode | None:
    """The object of this name; None in a process that may compile."""
    if not _served:
        return None
    if file_name not in _served:
        raise CompileError(
            "The release holds no code of this function as it is here",
            where=name,
            do="Make the release again with this version of hftlib and of the strategy.",
        )
    return _served[file_name]


def note(file_name: str, code: ObjectCode) -> None:
    """This process has loaded an object."""
    for one in _noted:
        one[file_name] = code


@contextmanager
def noted() -> Iterator[dict[str, ObjectCode]]:
    """Every object that is loaded meanwhile, by its name."""
    objects: dict[str, ObjectCode] = {}
    _noted.append(objects)
    try:
        yield objects
    finally:
        _noted.remove(objects)
