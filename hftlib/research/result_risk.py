"""What risk refused and changed during a run, as DataFrames: with the limit and what was seen.

Limits and what was seen are in the unit that their reason has: lots as quantities of the
instrument, money in the currency of the limits, basis points, ticks, milliseconds, a count.

Worst case: some 200 bytes a row, as in `result_frames.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hftlib.core import events, orders
from hftlib.core.units import INT64_MIN
from hftlib.research.result_strategies import named
from hftlib.risk.controls import CONTROLS, LEVELS, MONEY_ONE, TRADING_STATES
from hftlib.risk.directives import FLOAT, OUTCOMES
from hftlib.risk.states import CHANGES, LIMIT, PARAMETER, REFUSED, RISK_TOLD, STATE

Array = np.ndarray[Any, Any]
# Where two controls share a reason, the row does not say which it was: both units are told.
UNIT_OF = {
    reason: " or ".join(dict.fromkeys(one.unit for one in CONTROLS if one.reason == reason))
    for reason in (one.reason for one in CONTROLS)
}
_REFUSALS = ("time", "symbol", "side", "price", "quantity", "reason")
_CHANGES = ("time", "what", "scope", "before", "after", "reason", "limit", "seen", "unit")


def refusals(rows: Array, made: Any, zone: str, strategies: Sequence[str] = ()) -> Any:
    """A row for each order that never left us; of several strategies, with whose it was."""
    import pandas as pd

    scales, places = made.scales, np.minimum(rows["instrument"], len(made.instruments) - 1)
    names = [*made.instruments.symbols, ""]
    money = np.isin(rows["reason"], [r for r, unit in UNIT_OF.items() if unit == "money"])
    by = np.where(money, MONEY_ONE, 1)
    some = rows["level"] > 0
    columns = {
        "time": _times(rows["sent"], zone),
        "symbol": pd.Categorical([names[one] for one in rows["instrument"].tolist()]),
        "side": [_word(events.SIDES, one) for one in rows["side"].tolist()],
        "price": scales.prices(rows["price"], places),
        "quantity": scales.quantities(rows["quantity"], places),
        "reason": [_word(orders.REASONS, one) for one in rows["reason"].tolist()],
        "level": [LEVELS[one] for one in rows["level"].tolist()],
        "limit": np.where(some, rows["limit"] / by, np.nan),
        "seen": np.where(some, rows["seen"] / by, np.nan),
        "unit": [UNIT_OF.get(one, "") for one in rows["reason"].tolist()],
        "order": rows["id"].copy(),
    }
    if strategies:
        columns["strategy"] = named(rows["strategy"], strategies)
    return pd.DataFrame(columns)


def changes(rows: Array, scopes: list[str], zone: str) -> Any:
    """A row for each change of a state or a limit, with who and why."""
    import pandas as pd

    made = [_change(one, scopes) for one in rows]
    frame = pd.DataFrame(made, columns=[*_CHANGES[1:], "who", "second", "why"])
    frame.insert(0, "time", _times(rows["time"], zone))
    return frame


def _change(one: Any, scopes: list[str]) -> dict[str, Any]:
    what, which = int(one["what"]), int(one["which"])
    row = {
        "what": CHANGES[what],
        "scope": scopes[int(one["scope"])] if int(one["scope"]) < len(scopes) else "",
        "before": "",
        "after": "",
        "reason": _word(orders.REASONS, int(one["reason"])),
        "limit": "",
        "seen": "",
        "unit": "",
        "who": one["who"].decode("utf-8", "replace"),
        "second": one["second"].decode("utf-8", "replace"),
        "why": one["why"].decode("utf-8", "replace"),
    }
    if what == STATE:
        row["before"], row["after"] = (TRADING_STATES[int(one[k])] for k in ("before", "after"))
        row["unit"] = UNIT_OF.get(int(one["reason"]), "")
        if row["unit"]:
            row["who"] = row["who"] or "breaker"
            row["limit"], row["seen"] = (_shown(one[k], row["unit"]) for k in ("limit", "seen"))
    elif what == LIMIT:
        row["reason"], row["unit"] = CONTROLS[which].name, CONTROLS[which].unit
        row["before"], row["after"] = (_shown(one[k], row["unit"]) for k in ("before", "after"))
    elif what == RISK_TOLD:
        row["reason"], row["unit"] = ("value at risk", "expected shortfall")[which], "money"
        row["before"], row["after"] = (_shown(one[k], "money") for k in ("before", "after"))
    elif what == PARAMETER:
        row["reason"], row["second"] = f"parameter {row['second']}", ""
        row["before"], row["after"] = (_word_shown(one[k], which) for k in ("before", "after"))
    elif what == REFUSED:
        row["reason"] = OUTCOMES[int(one["reason"])]
    return row


def _word_shown(word: Any, which: int) -> str:
    """Eight bytes of a state, as the number that they are."""
    return f"{np.array([word], np.int64).view(np.float64)[0]:g}" if which & FLOAT else f"{word:,}"


def _shown(value: Any, unit: str) -> str:
    if value >= 2**62:
        return "none"
    return f"{int(value) / MONEY_ONE:,.2f}" if unit == "money" else f"{int(value):,}"


def _times(ns: Array, zone: str) -> Any:
    import pandas as pd

    stamps = np.where(ns == 0, INT64_MIN, ns).view("datetime64[ns]")
    return pd.DatetimeIndex(stamps).tz_localize("UTC").tz_convert(zone)


def _word(words: tuple[str, ...], code: int) -> str:
    return words[code] if 0 <= code < len(words) else f"{code}"
