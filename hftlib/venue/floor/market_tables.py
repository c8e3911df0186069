"""What moves the market of an exchange, as its file says it, and what holds it.

    [market]
    flow = "tape"
    tape = "day.tape"            # beside the file, or a whole path
    tape_from = "09:30:00"       # what was before happens at once
    at_end = "loop"              # stay, loop, end

    [luld]
    tier_2 = ["BBB"]             # all others are of tier 1

Worst case: none, these are drawings; `configuration` says what is wrong with a file.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr

from hftlib.core.errors import InputError
from hftlib.venue.floor.doings import Clock

Positive = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
SECOND_NS = 1_000_000_000
WINDOW_SECONDS_MAX = 600
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
_SPAN = r"^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?-[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$"


class LuldTable(BaseModel):
    """Its defaults are the plan's as it was until its 18th amendment, doubled twice a day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tier_2: list[StrictStr] = Field(default_factory=list)
    begin: Clock = "09:30:00"
    end: Clock = "16:00:00"
    doubled: Annotated[list[Annotated[StrictStr, Field(pattern=_SPAN)]], Field(max_length=2)] = (
        Field(default_factory=lambda: ["09:30:00-09:45:00", "15:35:00-16:00:00"])
    )
    window_seconds: Annotated[StrictInt, Field(ge=1, le=WINDOW_SECONDS_MAX)] = 300
    move_percent: Positive = 1.0
    hold_seconds: Seconds = 30.0
    limit_seconds: Seconds = 15.0
    pause_seconds: Seconds = 300.0
    gather_seconds: Seconds = 60.0
    look_ms: Annotated[StrictInt, Field(ge=1, le=60_000)] = 100


class MarketTable(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    flow: Literal["off", "agents", "tape"] = "off"
    seed: Annotated[StrictInt, Field(ge=0)] = 7
    events_per_second: Positive = 200.0
    tape: StrictStr = ""
    tape_from: Clock | None = None
    at_end: Literal["stay", "loop", "end"] = "stay"


def require_market(market: MarketTable, where: str) -> None:
    """What one line says of another must agree."""
    if (market.flow == "tape") != bool(market.tape):
        raise InputError(
            "A tape and a flow from it belong together",
            where=f"{where}, at market",
            do='Write both flow = "tape" and tape = "day.tape", or neither.',
        )


def require_luld(made: Any, where: str) -> None:
    """What a file says of bands must agree."""
    if made.luld is None:
        return
    known = [one.name for one in made.symbols]
    strange = [name for name in made.luld.tier_2 if name not in known]
    fixed = [one.name for one in made.symbols if one.bands_bps]
    what, do = "", ""
    if strange:
        what, do = f"There is no symbol {strange[0]!r}", "Name it under [[symbols]]."
    elif fixed:
        what = f"{fixed[0]} has bands_bps, and [luld] makes bands of its own"
        do = "Leave one of the two out."
    elif made.luld.gather_seconds > made.luld.pause_seconds:
        what = "Orders gather for longer than the pause lasts"
        do = "Give at most pause_seconds as gather_seconds."
    elif any(span.split("-")[0] >= span.split("-")[1] for span in made.luld.doubled):
        what, do = "A span of time ends before it begins", 'Write "09:30:00-09:45:00".'
    if what:
        raise InputError(what, where=f"{where}, at luld", do=do)


def nanoseconds(clock: str) -> int:
    """A time of day, since midnight."""
    hours, minutes, *seconds = map(int, clock.split(":"))
    return (3600 * hours + 60 * minutes + sum(seconds)) * SECOND_NS
