"""What people tell risk, as they write it: halt, reduce, lift, another limit, and who says so.

    hft.halt("firm", at="10:00", who="ann", why="odd fills")
    hft.lift("firm", at="10:05", who="bob", second="cyd", why="explained")
    hft.set_limit("instrument:AAPL", at="11:00", who="bob", why="calm", position_lots=500)
    hft.flatten("strategy:Maker", at="11:30", who="ann", why="lunch")

A scope is "firm", "portfolio:NAME", "strategy:NAME" or "instrument:SYMBOL"; the name may be left
out where there is one. A role is trader, risk or officer: tightening and halting is for all of
them, loosening and lifting for risk and officer, and for the firm it takes two people.

Worst case: text beyond its 32 or 64 bytes is refused, since who said what must not be cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.risk.authority import PROCESS, ROLES
from hftlib.risk.controls import (
    ACTIVE,
    FIRM,
    HALTED,
    LEVELS,
    NAMES,
    REDUCING,
)
from hftlib.risk.directives import DIRECTIVE, SET_LIMIT, SET_STATE
from hftlib.risk.flattening import FLATTEN
from hftlib.risk.laying import RiskRoom
from hftlib.risk.limits import checked_value
from hftlib.risk.recovering import GO_ON

PEOPLE = ("trader", "risk", "officer")


@dataclass(frozen=True, slots=True)
class Directive:
    """One thing that somebody tells risk at a time."""

    what: int
    scope: str
    at: Any
    who: str
    why: str
    role: str = "risk"
    second: str = ""
    second_role: str = ""
    which: int = 0
    value: int = 0

    def row(self, room: RiskRoom, time: int) -> np.ndarray[Any, Any]:
        """The record, for the scopes of a session."""
        made = np.zeros(1, DIRECTIVE)
        one = made[0]
        one["time"], one["what"], one["which"], one["value"] = (
            time,
            self.what,
            self.which,
            self.value,
        )
        one["scope"] = scope_row(room, self.scope)
        one["role"] = ROLES.index(self.role)
        one["second_role"] = ROLES.index(self.second_role) if self.second else 0
        for name in ("who", "second", "why"):
            one[name] = getattr(self, name).encode()
        return made


def halt(scope: str, *, at: Any, who: str, why: str, role: str = "trader") -> Directive:
    """Only cancels may leave this scope; every open order of it is cancelled."""
    return _state(HALTED, scope, at, who, why, role, "", "")


def halt_by_process(scope: str, *, at: Any, who: str, why: str) -> Directive:
    """The same, said by a process that watches."""
    _require(scope, who, why, PEOPLE[0], "", "")
    return Directive(SET_STATE, scope, at, who, why, ROLES[PROCESS], value=HALTED)


def go_on(*, at: Any, who: str, why: str) -> Directive:
    """What was held after a restart goes on, says the process that compared it with the venue."""
    _require("firm", who, why, PEOPLE[0], "", "")
    return Directive(GO_ON, "firm", at, who, why, ROLES[PROCESS])


def reduce(scope: str, *, at: Any, who: str, why: str, role: str = "trader") -> Directive:
    """Only orders that bring a position nearer to nothing may leave this scope."""
    return _state(REDUCING, scope, at, who, why, role, "", "")


def lift(
    scope: str,
    *,
    at: Any,
    who: str,
    why: str,
    role: str = "risk",
    second: str = "",
    second_role: str = "risk",
) -> Directive:
    """The scope is active again; for the firm it takes two people."""
    return _state(ACTIVE, scope, at, who, why, role, second, second_role)


def set_limit(
    scope: str,
    *,
    at: Any,
    who: str,
    why: str,
    role: str = "risk",
    second: str = "",
    second_role: str = "risk",
    **limit: Any,
) -> Directive:
    """Another value of one limit of a scope, named as in `hft.Limits`."""
    if len(limit) != 1 or next(iter(limit)) not in NAMES:
        raise InputError(
            f"{shown(sorted(limit))} is not one limit",
            where="hft.set_limit(...)",
            do=f"Name one with its value, such as position_lots=500; there is {', '.join(NAMES)}.",
        )
    name, value = next(iter(limit.items()))
    number = checked_value(name, value, f"hft.set_limit({name}=...)")
    which = NAMES.index(name)
    _require(scope, who, why, role, second, second_role)
    return Directive(
        SET_LIMIT, scope, at, who, why, role, second, second_role if second else "", which, number
    )


def flatten(
    scope: str,
    *,
    at: Any,
    who: str,
    why: str,
    role: str = "trader",
    second: str = "",
    second_role: str = "risk",
) -> Directive:
    """What the scope holds is closed, nothing else leaves it, then it is halted.

    What is halted already takes whoever may lift it.
    """
    _require(scope, who, why, role, second, second_role)
    return Directive(FLATTEN, scope, at, who, why, role, second, second_role if second else "")


def _state(
    state: int, scope: str, at: Any, who: str, why: str, role: str, second: str, second_role: str
) -> Directive:
    _require(scope, who, why, role, second, second_role)
    return Directive(
        SET_STATE, scope, at, who, why, role, second, second_role if second else "", 0, state
    )


def _require(scope: str, who: str, why: str, role: str, second: str, second_role: str) -> None:
    if not isinstance(scope, str) or scope.partition(":")[0] not in LEVELS[1:]:
        do = 'Name one: "firm", "portfolio:NAME", "strategy:NAME" or "instrument:SYMBOL".'
        raise InputError(f"{shown(scope)} is no scope", where="scope", do=do)
    for name, text, room in (("who", who, 32), ("second", second, 32), ("why", why, 64)):
        if not isinstance(text, str) or len(text.encode()) > room or "\0" in text:
            do = f"Give at most {room} bytes of text."
            raise InputError(f"{shown(text)} does not fit", where=name, do=do)
        if not text.strip() and name != "second":
            do = "Say who tells it and why: both stand in the log."
            raise InputError(f"The {name} is empty", where=name, do=do)
    if second and second != who and _folded(second) == _folded(who):
        do = "Two people must say it; write each name in one way."
        raise InputError(f"{shown(who)} and {shown(second)} are one", where="second", do=do)
    for one in (role, second_role) if second else (role,):
        if one not in PEOPLE:
            do = f"Use one of {', '.join(PEOPLE)}."
            raise InputError(f"{shown(one)} is no role of a person", where="role", do=do)


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def scope_row(room: RiskRoom, scope: str) -> int:
    """The row that is meant; a name that is not there is refused with those that are."""
    kind, _, name = scope.partition(":")
    level = LEVELS.index(kind)
    named = [known for other, known, _ in room.scopes if other == level]
    if not name and level != FIRM and len(named) == 1:
        name = named[0]
    row = room.row(level, name)
    if row < 0 or (level != FIRM and name not in named):
        raise InputError(
            f"There is no {kind} {shown(name)} here",
            where=f"the scope {shown(scope)}",
            do=f"Use {kind}:NAME with one of {', '.join(named[:8])}.",
        )
    return row


def in_order(rows: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """All directives by time; what is told at one time stays in the order it was written."""
    made = np.zeros(sum(map(len, rows)), DIRECTIVE)
    begin = 0
    for one in rows:
        made[begin : begin + len(one)] = one
        begin += len(one)
    return made[np.argsort(made["time"], kind="stable")]
