"""Limits in a file: `limits.toml`, with the names of `hft.Limits`, checked before anything runs.

    currency = "USD"

    [instrument."*"]                      # every instrument; [instrument.AAPL] for one
    position_lots = 1_000
    order_value_money = 100_000

    [strategy.QueueImbalance]
    daily_loss_money = 5_000

    [portfolio.equities]
    strategies = ["QueueImbalance"]
    gross_exposure_money = 2_000_000

    [firm]
    messages = 1_000

    [rules]
    restricted = ["MSFT"]
    self_match = "cancel_newest"

pydantic says what is unknown, of a wrong kind or out of range, and where; a key that stands twice
is refused by TOML itself. Worst case: a file of over a megabyte is refused unread.
"""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.units import shown
from hftlib.risk.controls import CONTROLS, NO_LIMIT, WINDOWS
from hftlib.risk.limits import (
    CHOICES,
    COUNT_MAX,
    LAUNCH,
    LISTS,
    MINUTES,
    TABLES,
    Limits,
)

BYTES_MAX = 1 << 20
_COUNTED = ("messages", "new_orders", "replaces", "paced_orders", "executions", "message_rate")


def read_limits(path: Path) -> Limits:
    """The limits of a file, or a sentence on what is wrong and where in it."""
    return limits_of(text_of(path), path)


def limits_of(text: str, where: Path) -> Limits:
    """The limits of such a text; `where` it stood, for a sentence."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        do = "Write tables such as [firm] and lines such as messages = 1_000; once each."
        raise InputError(f"This is no TOML: {error}", where=str(where), do=do) from None
    made = Limits(**checked(tables, where))
    made.shared = True
    return made


def text_of(path: Path) -> str:
    """The text of a file of limits, or a sentence."""
    try:
        if path.stat().st_size > BYTES_MAX:
            do = f"A file of limits has at most {BYTES_MAX:,} bytes."
            raise InputError("This file is too large", where=str(path), do=do)
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        do = "Name a TOML file of limits."
        raise InputError(f"This file cannot be read: {why}", where=str(path), do=do) from None


def checked(tables: dict[str, Any], path: Path) -> dict[str, Any]:
    """The same tables, once pydantic has looked at every name and value."""
    from pydantic import ValidationError

    try:
        made: dict[str, Any] = model()(**tables).model_dump(exclude_unset=True)
        return made
    except ValidationError as error:
        first = error.errors()[0]
        inner = ("[key]", "constrained-int", "constrained-float")
        place = ".".join(str(part) for part in first["loc"] if part not in inner)
        more = error.error_count() - 1
        others = f" ({more} more of the kind)" if more else ""
        if first["type"] == "extra_forbidden":
            name = str(first["loc"][-1])
            near = get_close_matches(name, known_names(), n=1)
            do = f"Did you mean {near[0]!r}?" if near else "Take it out, or see docs/risk.md."
            what = f"There is no limit or table {shown(name)}{others}"
        else:
            what = f"{shown(first['input'])} cannot be: {_plain(first['msg'])}{others}"
            do = "See docs/risk.md for what it may be."
        raise InputError(what, where=f"{path}, at {place}", do=do) from None


def _plain(message: str) -> str:
    return message[:1].lower() + message[1:]


def known_names() -> list[str]:
    """Every name that a file may have somewhere."""
    names = [*(one.name for one in CONTROLS), *(one.name for one in WINDOWS)]
    names += [*CHOICES, *LISTS, *TABLES, *MINUTES, *LAUNCH, "strategies", "currency", "rates"]
    return [*names, "instrument", "strategy", "portfolio", "firm", "rules", "launch"]


@cache
def model() -> Any:
    """The pydantic model of a file, made from the catalogue: one truth for names and units."""
    from typing import Annotated, Literal

    from pydantic import ConfigDict, Field, StrictFloat, StrictInt, StrictStr, create_model

    forbid = ConfigDict(extra="forbid")
    whole = Annotated[StrictInt, Field(ge=0, le=NO_LIMIT // 10_000)]
    count = Annotated[StrictInt, Field(ge=0, le=COUNT_MAX)]
    least_one = Annotated[StrictInt, Field(ge=1, le=NO_LIMIT // 10_000)]
    money = whole | Annotated[StrictFloat, Field(ge=0, le=NO_LIMIT // 10_000, allow_inf_nan=False)]
    finite = Annotated[StrictFloat, Field(gt=0, allow_inf_nan=False)]
    above_zero = Annotated[StrictInt, Field(gt=0)] | finite
    names = list[StrictStr]

    def kind(name: str, unit: str) -> Any:
        return money if unit == "money" else count if name in _COUNTED else whole

    fields: dict[str, Any] = {one.name: (kind(one.name, one.unit) | None, None) for one in CONTROLS}
    fields |= {one.name: (least_one | None, None) for one in WINDOWS}
    level: Any = create_model("Level", __config__=forbid, **fields)
    portfolio: Any = create_model(
        "Portfolio", __config__=forbid, strategies=(names, ["*"]), **fields
    )
    rule_fields: dict[str, Any] = {
        name: (Literal[choices] | None, None) for name, choices in CHOICES.items()
    }
    rule_fields |= {name: (names, []) for name in LISTS}
    rule_fields |= dict.fromkeys(TABLES, (above_zero | dict[str, above_zero], 0))
    rule_fields |= dict.fromkeys(MINUTES, (whole, 0))
    launch_fields: dict[str, Any] = {
        name: (names if name in ("instruments", "venues") else money, None) for name in LAUNCH
    }
    return create_model(
        "LimitsFile",
        __config__=forbid,
        currency=(StrictStr, ""),
        rates=(dict[str, above_zero], {}),
        instrument=(dict[str, level], {}),
        strategy=(dict[str, level], {}),
        portfolio=(dict[str, portfolio], {}),
        firm=(level, level()),
        rules=(create_model("Rules", __config__=forbid, **rule_fields), None),
        launch=(create_model("Launch", __config__=forbid, **launch_fields), None),
    )
