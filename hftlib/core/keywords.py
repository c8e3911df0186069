"""Settings that are given by name: one that is not known is refused with a sentence.

    @by_name
    @dataclass(frozen=True, kw_only=True)
    class Limits: ...

    Limits(postion=5)     Limits has no setting 'postion'. ... Did you mean 'position_lots'?

Worst case: none, settings are made before a run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from difflib import get_close_matches
from functools import wraps
from typing import Any, TypeVar

from hftlib.core.errors import InputError
from hftlib.core.units import shown

_Settings = TypeVar("_Settings")


def by_name(cls: type[_Settings]) -> type[_Settings]:
    """The dataclass, whose settings are taken by name only, and unknown names refused."""
    plain: Any = cls.__init__
    known = [field.name for field in fields(cls) if field.init]  # type: ignore[arg-type]

    @wraps(plain)
    def checked(self: Any, *values: Any, **given: Any) -> None:
        if values:
            what = f"{cls.__name__} takes each setting by its name, not {shown(values[0])} alone"
            first = f"{cls.__name__}({known[0]}={shown(values[0])})"
            do = f"Write for instance {first}; it knows {', '.join(known)}."
            raise InputError(what, where=f"{cls.__name__}(...)", do=do)
        require_known(given, known, cls.__name__)
        plain(self, **given)

    cls.__init__ = checked  # type: ignore[method-assign]
    return cls


def require_known(given: Iterable[str], known: list[str], name: str) -> None:
    """Refuse the first name that is not known, with those it could be."""
    for one in given:
        if one not in known:
            where = f"{name}({one}=...)"
            raise InputError(f"{name} has no setting {one!r}", where=where, do=_meant(one, known))


def _meant(name: str, known: list[str]) -> str:
    # `latency` is as good a name for one of them as for the other.
    near = [one for one in known if name in one] or get_close_matches(name, known, n=1)
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    return f"There is {', '.join(known)}."
