"""What a runner is told through its control socket (`core/control`).

    {"do": "status"}
    {"do": "halt", "scope": "firm", "who": "ann", "why": "odd fills"}           anybody
    {"do": "halt", "scope": "firm", "role": "process", ...}                     the watchdog
    {"do": "reduce", "scope": "strategy:Maker", "who": "ann", "why": "..."}     anybody
    {"do": "lift", "scope": "firm", "who": "bob", "second": "cyd", "role": "risk", "why": "..."}
    {"do": "limit", "scope": "firm", "name": "position_lots", "value": 500, ...}
    {"do": "flatten", "scope": "strategy:Maker", "who": "ann", "why": "..."}    anybody
    {"do": "param", "scope": "strategy:Maker", "name": "clip", "value": 200, "role": "risk", ...}

What is told becomes a directive: it goes to the hot thread, into the journal, then to risk, which
says whether whoever tells it may; the answer is given when it has been heard.

Worst case: a hot thread that does not come round, in a strategy that never returns, has not heard
within HEARD_S, and that is said: then `hft kill --now` ends the process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from hftlib.core import clock
from hftlib.core.errors import InputError, StateError
from hftlib.ops.runner import Runner
from hftlib.ops.status import status
from hftlib.risk.authority import PROCESS, ROLES
from hftlib.risk.directives import FLOAT, OUTCOMES, SET_PARAMETER
from hftlib.risk.people import (
    Directive,
    flatten,
    halt,
    halt_by_process,
    lift,
    reduce,
    set_limit,
)

HEARD_S, LOOK_S = 2.0, 0.0005
WHERE = "the control socket"
_USUAL = {"scope", "who", "why", "role"}
_SECOND = {"second", "second_role"}
_KNOWN: dict[str, tuple[Callable[..., Directive], set[str]]] = {
    "halt": (halt, _USUAL),
    "reduce": (reduce, _USUAL),
    "lift": (lift, _USUAL | _SECOND),
    "limit": (set_limit, _USUAL | _SECOND | {"name", "value"}),
    "flatten": (flatten, _USUAL | _SECOND),
}
_PARAM = _USUAL | {"name", "value"}


def obey(runner: Runner, said: dict[str, Any]) -> dict[str, Any]:
    """What a line says, done; what is said back."""
    do = said.get("do")
    if do == "status" and len(said) == 1:
        return status(runner)
    if not isinstance(do, str) or do not in (*_KNOWN, "param"):
        what = f"{do!r} is nothing to do"
        raise InputError(what, where=WHERE, do=f"Say status, {', '.join(_KNOWN)}, param.")
    make, names = _KNOWN.get(do, (partial(_parameter, runner), _PARAM))
    given = {name: value for name, value in said.items() if name != "do"}
    unknown = sorted(given.keys() - names)
    missing = sorted({"scope", "who", "why"} - given.keys())
    if unknown or missing:
        what = f"There is no {unknown[0]!r} here" if unknown else f"The {missing[0]} is not said"
        raise InputError(what, where=WHERE, do=f"Say {', '.join(sorted(names))}.")
    if do == "limit":
        given[str(given.pop("name", ""))] = given.pop("value", None)
    if do == "halt" and given.get("role") == ROLES[PROCESS]:
        make = halt_by_process
        del given["role"]
    directive = make(given.pop("scope"), at=clock.now_ns(), **given)
    return {"told": do, "scope": directive.scope} | _heard(runner, directive)


def _parameter(
    runner: Runner,
    scope: str,
    *,
    at: int,
    who: str,
    why: str,
    name: Any = "",
    value: Any = None,
    role: str = "trader",
) -> Directive:
    """Another value of a strategy's parameter, which its class allows."""
    made = halt(scope, at=at, who=who, why=why, role=role)  # the same words are asked for
    seats = runner.live.session.seats
    kind, _, named = scope.partition(":")
    found = [one for one in seats if one.name == (named or seats[0].name)]
    if kind != "strategy" or not found or not (named or len(seats) == 1):
        do = f"Say strategy:NAME with one of {', '.join(one.name for one in seats)}."
        raise InputError(f"{scope!r} is no strategy here", where=WHERE, do=do)
    if not isinstance(name, str):
        raise InputError("A parameter has a name", where=WHERE, do="Say name and value.")
    strategy: Any = found[0].strategy
    which, word, is_float = strategy.parameter(name, value, WHERE)
    return replace(
        made,
        what=SET_PARAMETER,
        second=name.encode()[:32].decode(errors="ignore"),
        which=which | (FLOAT if is_float else 0),
        value=word,
    )


def _heard(runner: Runner, directive: Directive) -> dict[str, Any]:
    """Tell it, and wait for what risk says."""
    header = runner.live.header
    row = directive.row(runner.live.session.risk, clock.now_ns())
    before, begun = int(header["directives"]), clock.monotonic_ns()
    if not runner.is_running:
        raise StateError("The runner trades no more", where=WHERE, do="Look at why: hft status.")
    if not runner.tell(row):
        raise StateError("Too much waits to be heard", where=WHERE, do="Say it again.")
    until = time.monotonic() + HEARD_S
    while int(header["directives"]) == before:
        if time.monotonic() > until:
            raise StateError(
                f"The hot thread has not heard it within {HEARD_S:.0f} s",
                where=WHERE,
                do="It is told as soon as it comes round; end the process with hft kill --now.",
            )
        time.sleep(LOOK_S)
    outcome = int(header["directive"]["outcome"])
    if outcome:
        raise InputError(f"Risk refuses: {OUTCOMES[outcome]}", where=WHERE, do="See docs/risk.md.")
    return {"heard_us": (clock.monotonic_ns() - begun) // 1_000}
