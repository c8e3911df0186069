"""What a runner's page says of limits: how much of each is used; and what they refused.

    limits_told(about, arrays)     {"scope", "name", "unit", "limit", "used", "share"} of each limit
                                   that a figure can be held against; share 1: it is used up
    refusals_told(about, arrays)   orders that never left, by reason and strategy

Used is what risk holds against the limit for the next order, or of late: positions and money with
all open orders filled, counts in the window that ended with the page, averages once they speak. Of
a scope above instruments, where a limit is of each of them, it is the instrument's that used most.
`fill_rate_percent` is a minimum: its share is what was not filled, of what need not be.

Worst case: with more than INSTRUMENTS_TOLD instruments those of which nothing is used are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hftlib.risk.breakers import RATE_BITS, RATE_LEAST, SLIPPED_LEAST
from hftlib.risk.controls import MONEY_ONE, MS, NO_LIMIT

INSTRUMENTS_TOLD = 64
_RATE = "fill_rate_percent"
Arrays = Mapping[str, Any]


def refusals_told(about: Mapping[str, Any], arrays: Arrays) -> list[dict[str, Any]]:
    """Those that were, the most frequent first."""
    words, made = about["reasons"], []
    for n, name in enumerate(about["strategies"]):
        counts = arrays[f"session_{n}"]["refused"][0].tolist()
        for reason, count in enumerate(counts):
            if count:
                told = words.get(str(reason), f"reason {reason}")
                made.append({"reason": told, "count": count, "strategy": name})
    return sorted(made, key=lambda one: -int(one["count"]))


def limits_told(about: Mapping[str, Any], arrays: Arrays) -> list[dict[str, Any]]:
    """Each that somebody set, of the firm, portfolios, strategies, and instruments."""
    names, scopes = about["scopes"], arrays["scopes"]
    uppers, made = len(arrays["counts"]), []
    held = _held(arrays, len(about["strategies"]), uppers)
    few = len(names) - uppers <= INSTRUMENTS_TOLD
    for row, name in enumerate(names):
        scope = scopes[row]
        limits = scope["limits"].tolist()
        used: dict[str, float] = {}
        for (control, unit), limit in zip(about["controls"], limits, strict=False):
            if limit == NO_LIMIT or (control == _RATE and limit <= 0):
                continue
            used = used or _used(about, arrays, row, held)
            if control not in used or not (few or row < uppers or used[control]):
                continue
            made.append(_limit(about, name, control, unit, limit, used[control]))
    return made


def _limit(
    about: Mapping[str, Any], scope: str, name: str, unit: str, limit: int, used: float
) -> dict[str, Any]:
    share: float | None
    if name == _RATE:
        share = (100 - used) / (100 - limit) if limit < 100 else None
    else:
        share = used / limit if limit else None
    size = MONEY_ONE if unit == "money" else 1
    return {
        "scope": scope,
        "name": name,
        "unit": about["currency"] if unit == "money" else unit,
        "limit": limit / size if size > 1 else limit,
        "used": used / size if size > 1 else used,
        "share": share,
    }


def _held(arrays: Arrays, seats: int, uppers: int) -> list[Any]:
    """Positions and open orders of each scope above instruments: arrays over instruments."""
    parents = arrays["scopes"]["parent"][uppers - seats : uppers].tolist()
    own = [arrays[f"positions_{n}"][:-1] for n in range(seats)]
    made = []
    for row in range(uppers):
        if row == 0:
            whose = list(range(seats))
        elif row < uppers - seats:
            whose = [n for n in range(seats) if parents[n] == row]
        else:
            whose = [row - (uppers - seats)]
        sums = [
            sum((own[n][name] for n in whose), np.zeros(len(own[0]), np.int64))
            for name in ("quantity", "open_buy", "open_sell", "open_orders")
        ]
        made.append(sums)
    return made


def _worst(held: Any) -> Any:
    """The largest position that could come of it, of each instrument: as `risk/exposure.py`."""
    quantity, buys, sells, _ = held
    return np.maximum(np.abs(quantity), np.maximum(abs(quantity + buys), abs(quantity - sells)))


def _used(about: Mapping[str, Any], arrays: Arrays, row: int, held: list[Any]) -> dict[str, float]:
    """What of each limit one scope has used."""
    scope, uppers, views = arrays["scopes"][row], len(arrays["counts"]), arrays["views"]
    if row < uppers:
        found = _of_upper(about, scope, held[row], views)
        counts, which = arrays["counts"][row]["counts"], slice(None)
        ranges = arrays["scopes"][uppers : uppers + len(views)]
    else:
        n = row - uppers
        found = _of_instrument(scope, [one[n] for one in held[0]], views[n])
        counts, which = views[n]["counts"], slice(n, n + 1)
        ranges = arrays["scopes"][row : row + 1]
    found |= dict(zip(about["rings"], counts.tolist(), strict=True))
    found["value_at_risk_money"] = int(scope["value_at_risk"])
    found["shortfall_money"] = int(scope["shortfall"])
    found |= _rates(scope) | _of_data(arrays["live"][0], views[which], ranges)
    return found


def _of_upper(about: Mapping[str, Any], scope: Any, held: Any, views: Any) -> dict[str, float]:
    worst = _worst(held)
    prices = np.abs(0.5 * views["mark"] * np.array(about["factors"], np.float64))
    gain = int(scope["flow"]) + int(scope["worth"])
    return {
        "open_orders": int(scope["open_orders"]),
        "position_lots": int(worst.max()),
        "position_value_money": int(np.floor(worst * prices + 0.5).max()),
        **_sums(scope),
        "daily_loss_money": max(0, -gain),
        "drawdown_money": max(0, int(scope["peak"]) - gain),
    }


def _of_instrument(scope: Any, held: Any, view: Any) -> dict[str, float]:
    gain = int(view["profit"])
    return {
        "open_orders": int(held[3]),
        "position_lots": int(_worst([np.array([one]) for one in held])[0]),
        "position_value_money": int(view["gross"]),
        **_sums(view),
        "daily_loss_money": max(0, -gain),
        "drawdown_money": max(0, int(scope["peak"]) - gain),
    }


def _sums(row: Any) -> dict[str, float]:
    return {
        "gross_exposure_money": int(row["gross"]),
        "net_exposure_money": max(int(row["long"]), -int(row["short"]), 0),
        "capital_money": int(row["capital"]),
    }


def _rates(scope: Any) -> dict[str, float]:
    """Averages of fills and ends, once they speak: until then as if nothing was wrong."""
    ended = int(scope["ended"])
    count = min(ended, RATE_BITS)
    speaks = ended >= RATE_LEAST
    filled, rejected = (int(scope[name]).bit_count() for name in ("filled_bits", "rejected_bits"))
    slips = int(scope["slipped"]) >= SLIPPED_LEAST
    return {
        _RATE: 100 * filled / count if speaks else 100.0,
        "reject_rate_percent": 100 * rejected / count if speaks else 0.0,
        "slippage_bps": max(0.0, int(scope["slippage"]) / 100) if slips else 0.0,
    }


def _of_data(live: Any, views: Any, scopes: Any) -> dict[str, float]:
    """Age, difference of clocks and range of the middle: of the instrument with the largest."""
    now, known = int(live["now"]), [row for row in views if row["venue_time"]]
    ages = [now - int(row["venue_time"]) for row in known]
    skews = [abs(int(row["skew"])) for row in known]
    spans = [
        10_000 * (int(row["highs"]) - int(row["lows"])) / int(row["lows"])
        for row in scopes
        if row["lows"] > 0
    ]
    return {
        "stale_ms": max(0.0, max(ages, default=0) / MS),
        "clock_skew_ms": max(skews, default=0) / MS,
        "volatility_bps": max(spans, default=0.0),
    }
