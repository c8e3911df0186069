"""The figures of a day: counts of orders, rates, what came of them, latencies.

    order_figures(rows)                 of the record of orders, by event
    latency_rows(sessions)              each stage as the runner measured it, and to the venue
    execution_rows(sessions)            by venue, instrument, side: for execution reports

Rates: rejected and refused of orders sent, canceled of orders taken, messages for each fill. Only
what left us counts: a repeated message counts once. Worst case: one pass over the rows for each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from hftlib.research.day.session import DaySession
from hftlib.research.day.shadow_orders import decimal_of

Row = dict[str, Any]


def order_figures(rows: Iterable[Row]) -> dict[str, Any]:
    """Of some rows of the record: counts, and rates where there is anything to divide by."""
    events = Counter(row["event"] for row in rows if not row["repeated"])
    sent, fills = events["NEW"], events["PARTIAL"] + events["FILL"]
    messages = sent + events["MODIFY"] + events["CANCEL"]
    taken = events["ACCEPTED"]
    return {
        "orders": sent,
        "changes": events["MODIFY"],
        "cancels": events["CANCEL"],
        "accepted": taken,
        "rejected": events["REJECTED"] + events["MODIFY_REJECTED"],
        "canceled": events["CANCELED"],
        "expired": events["EXPIRED"],
        "cancels_refused": events["CANCEL_REJECTED"],
        "fills": fills,
        "messages": messages,
        "order_to_trade": _over(messages, fills),
        "reject_rate": _over(
            events["REJECTED"] + events["MODIFY_REJECTED"], sent + events["MODIFY"]
        ),
        "cancel_rate": _over(events["CANCELED"], taken),
        "fill_share": _over(events["FILL"], sent),
    }


def _over(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def latency_rows(sessions: Sequence[DaySession]) -> list[Row]:
    """Stages of each runner, by its own histograms, then answers of the venue, by its orders."""
    made = []
    for one in sessions:
        for stage, told in one.facts.latencies.items():
            names = {"count": "count", "p50": "p50", "p99": "p99", "max": "max"}
            row: Row = {"journal": one.name, "stage": stage}
            made.append(row | {name: told.get(key) for name, key in names.items()})
        made += _answers(one)
    return made


def _answers(session: DaySession) -> list[Row]:
    """From our sending until we heard of it: orders, replaces, cancels, by the record's times."""
    asked: dict[tuple[Any, ...], int] = {}
    waits: dict[str, list[int]] = {}
    for row in session.facts.rows:
        key = (row["account"], row["user_reference"] or row["order_id"])
        if row["event"] in _ASKED and not row["repeated"]:
            asked[(*key, _ASKED[row["event"]])] = row["time_ns"]
        elif row["event"] in _ANSWERED:
            stage = _ANSWERED[row["event"]]
            begin = asked.pop((*key, stage), None)
            if begin is not None:
                waits.setdefault(stage, []).append(row["time_ns"] - begin)
    return [_wait(session.name, stage, np.array(each)) for stage, each in sorted(waits.items())]


def _wait(name: str, stage: str, each: Any) -> Row:
    return {
        "journal": name,
        "stage": stage,
        "count": len(each),
        "p50": int(np.percentile(each, 50)),
        "p99": int(np.percentile(each, 99)),
        "max": int(each.max()),
    }


_NEW, _CHANGE, _CANCEL = "order, there and back", "change, there and back", "cancel, there and back"
_ASKED = {"NEW": _NEW, "MODIFY": _CHANGE, "CANCEL": _CANCEL}
_ANSWERED = {
    "ACCEPTED": _NEW,
    "REJECTED": _NEW,
    "MODIFIED": _CHANGE,
    "MODIFY_REJECTED": _CHANGE,
    "CANCELED": _CANCEL,
    "CANCEL_REJECTED": _CANCEL,
}


def execution_rows(sessions: Sequence[DaySession]) -> list[Row]:
    """A row for each journal, venue, instrument and side, in the columns of `schema.EXECUTION`."""
    made = []
    for one in sessions:
        groups: dict[tuple[str, str, str], list[Row]] = {}
        for row in one.facts.rows:
            if row["symbol"] and not row["repeated"]:
                groups.setdefault((row["venue"], row["symbol"], _side(row)), []).append(row)
        spreads = _spreads(one)
        for key in sorted(groups):
            made.append(_executed(one, key, groups[key]) | spreads.get(key, {}))
    return made


def _side(row: Row) -> str:
    return "buy" if row["side"] == "buy" else "sell"


def _executed(session: DaySession, key: tuple[str, str, str], rows: list[Row]) -> Row:
    events = Counter(row["event"] for row in rows)
    sent = {row["order_id"]: row for row in rows if row["event"] == "NEW"}
    fills = [row for row in rows if row["event"] in ("PARTIAL", "FILL")]
    first: dict[str, int] = {}
    for row in fills:
        first.setdefault(row["order_id"], row["time_ns"])
    turnover = _turnover(fills)
    passive = _turnover([row for row in fills if row["liquidity"] == "passive"])
    waits = [time - sent[number]["time_ns"] for number, time in first.items() if number in sent]
    return {
        "journal": session.name,
        "venue": key[0],
        "symbol": key[1],
        "side": key[2],
        "currency": rows[0]["currency"],
        "orders": events["NEW"],
        "canceled": events["CANCELED"],
        "rejected": events["REJECTED"],
        "orders_with_fill": len(first),
        "quantity_sent": sum((row["quantity"] for row in sent.values()), Decimal(0)),
        "quantity_filled": sum((row["traded_quantity"] for row in fills), Decimal(0)),
        "turnover": turnover,
        "passive_share": _share(passive, turnover),
        "time_to_fill_ns": sum(waits) // len(waits) if waits else None,
    }


def _turnover(fills: list[Row]) -> Decimal:
    return sum((abs(row["traded_price"] * row["traded_quantity"]) for row in fills), Decimal(0))


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return decimal_of(Fraction(part) / Fraction(whole)) if whole else None


def _spreads(session: DaySession) -> dict[tuple[str, str, str], Row]:
    """Fees, effective and realised spread, from the fills of the result."""
    if session.result is None or not len(session.result.records["fills"]):
        return {}
    tca = session.result.tca()
    made = {}
    for key, part in tca.fills.groupby(["venue", "symbol", "side"], observed=True):
        venue, symbol, side = (str(one) for one in key)
        made[venue, symbol.removesuffix(f"@{venue}"), side] = _spread(part, tca)
    return made


def _spread(part: Any, tca: Any) -> Row:
    quantity = part["quantity"].to_numpy(float)
    return {
        "fees": _decimal(part["fee"].to_numpy(float).sum()),
        "realised_after_ns": int(tca.result.horizons[tca._horizon]),
        "effective_spread": _mean(part["cost_mid"].to_numpy(float), quantity, 2),
        "realised_spread": _mean(part[f"markout_{tca.horizon}"].to_numpy(float), quantity, -2),
    }


def _mean(money: Any, quantity: Any, times: int) -> Decimal | None:
    """Money by quantity, so many times, of what is known."""
    known = ~np.isnan(money)
    total = quantity[known].sum()
    return _decimal(times * float(money[known].sum()) / total) if total else None


def _decimal(value: Any) -> Decimal:
    return decimal_of(Fraction(round(float(value) * 10**9), 10**9))
