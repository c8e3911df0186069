"""What an exchange does at a time: doings of its day, and faults. In a file, or told while it runs.

    [[schedule]]                [[faults]]
    at = "09:31:00"             after_seconds = 30
    do = "halt"                 do = "drop"
    symbols = ["AAA"]           line = "a"

What is told while it runs (`control.py`) is the same table, and without a time it is done now. Here
is what either may say, and the sentence for what they may not.

Worst case: none, these are a few words each.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from hftlib.core.errors import InputError
from hftlib.core.units import shown

PAGE = "See docs/exchange.md."
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"  # a time of a day
Clock = Annotated[StrictStr, Field(pattern=CLOCK, max_length=8)]
Seconds = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]
DOINGS = {
    "auction": "orders gather",
    "trade": "trading, if nothing crosses",
    "halt": "cancels only",
    "pause": "cancels only",
    "close": "no orders",
    "opening cross": "cross, then trading",
    "closing cross": "cross, then closed",
    "reopening cross": "cross, then trading",
    "indicate opening": "what the cross would do",
    "indicate closing": "what the cross would do",
    "indicate reopening": "what the cross would do",
    "end": "the day is over",
}
FAULTS = {
    "drop": "datagrams of a line are lost, each by `chance`",
    "duplicate": "likewise, sent twice",
    "reorder": "likewise, sent after the next one",
    "corrupt": "likewise, cut short",
    "delay": "likewise, sent `milliseconds` later",
    "silence": "nothing is sent on a line, no heartbeat either",
    "kill sessions": "connections of `user` (of all) are cut",
    "hold answers": "no session is sent anything until it is over",
    "slow answers": "each answer is sent `milliseconds` later",
    "refuse orders": "no firm may enter or replace",
    "reject orders": "each order or replace is refused by `chance`",
    "miss execution": "the next execution is not told to its owner, only to drop copies",
    "late fill": "executions, by `chance`, are told to `user` (to all) behind the order's cancel",
    "step clock": "the clock jumps ahead by `milliseconds`",
    "restart": "the process ends at once, and is back after `milliseconds`: it needs a journal",
}


class Table(BaseModel):
    """A table of the file: nothing in it that is not drawn here."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DoingTable(Table):
    at: Clock | None = None
    after_seconds: Seconds | None = None
    do: Literal[tuple(DOINGS)]  # type: ignore[valid-type]
    symbols: Annotated[list[StrictStr], Field(max_length=10_000)] = []
    reason: Annotated[StrictStr, Field(max_length=4, pattern=r"^[ -~]*$")] = ""


class FaultTable(Table):
    at: Clock | None = None
    after_seconds: Seconds | None = None
    for_seconds: Seconds = 0.0
    do: Literal[tuple(FAULTS)]  # type: ignore[valid-type]
    line: Literal["a", "b", "both"] = "both"
    chance: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    milliseconds: Annotated[StrictInt, Field(ge=0, le=86_400_000)] = 0
    user: StrictStr = ""
    over: StrictBool = False  # what lasts is over at that time


def told(said: dict[str, Any], where: str) -> DoingTable | FaultTable:
    """What somebody tells an exchange that runs; what it names is not looked at."""
    do = said.get("do")
    if not isinstance(do, str) or do not in (*DOINGS, *FAULTS):
        near = get_close_matches(do, [*DOINGS, *FAULTS], n=1) if isinstance(do, str) else []
        first = f"Did you mean {near[0]!r}? " if near else ""
        raise InputError(
            f"{shown(do)} is nothing to do",
            where=f"{where}, at do",
            do=f"{first}There are {', '.join([*DOINGS, *FAULTS])}.",
        )
    kind = DoingTable if do in DOINGS else FaultTable
    try:
        made = kind(**said)
    except (ValidationError, TypeError) as error:
        if isinstance(error, ValidationError):
            raise refusal(error, where, kind.model_fields) from None
        raise InputError("These are no names", where=where, do=PAGE) from None
    if made.at is not None and made.after_seconds is not None:
        raise InputError("It has two times", where=where, do="Say at, or after_seconds, or none.")
    return made


def require_known(
    one: DoingTable | FaultTable, where: str, symbols: Iterable[str], users: Iterable[str]
) -> None:
    """What it names must be there."""
    if isinstance(one, FaultTable):
        if one.user and one.user not in users:
            what = f"There is no user {shown(one.user)} that has orders"
            raise InputError(what, where=where, do="Name one of [[accounts]] that trades.")
        return
    known = set(symbols)
    for name in one.symbols:
        if name not in known:
            raise InputError(
                f"There is no symbol {shown(name)}", where=where, do="Name it under [[symbols]]."
            )


def require_time(one: DoingTable | FaultTable, where: str) -> None:
    """In a file each needs one time, no more."""
    if (one.at is None) == (one.after_seconds is None):
        do = 'Write either at = "09:31:00" or after_seconds = 60.'
        raise InputError("It needs one time", where=where, do=do)


def refusal(error: ValidationError, where: str, names: Iterable[str]) -> InputError:
    """What pydantic found, as a sentence with its place; `names` are those that there are."""
    # A name that is misspelt is missing too: the name says more.
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    place = ".".join(str(part) for part in first["loc"])
    more = error.error_count() - 1
    others = f" ({more} more of the kind)" if more else ""
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        near = get_close_matches(name, list(names), n=1)
        do = f"Did you mean {near[0]!r}?" if near else "Take it out, or see docs/exchange.md."
        what = f"There is no {shown(name)} here{others}"
    elif first["type"] == "missing":
        what, do = f"It is missing{others}", "See docs/exchange.md for an example."
    else:
        said = "that" if "password" in first["loc"] else shown(first["input"])
        message = first["msg"][:1].lower() + first["msg"][1:]
        what, do = f"{said} cannot be: {message}{others}", PAGE
    return InputError(what, where=f"{where}, at {place}", do=do)


def as_said(one: DoingTable | FaultTable) -> dict[str, Any]:
    """Only what it says, so that it can be kept and said again."""
    return one.model_dump(mode="json", exclude_unset=True)
