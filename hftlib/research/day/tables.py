"""The rows of every export, in the columns of `schema.py`, and no other.

Worst case: of a day of a million messages a gigabyte, for rows are dicts until they are written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from hftlib.core import events, orders
from hftlib.core.units import exact_fraction
from hftlib.research.day.accounts import strategies_in
from hftlib.research.day.schema import TABLES
from hftlib.research.day.session import DaySession
from hftlib.research.day.shadow_orders import decimal_of
from hftlib.research.ledger_tables import money_unit
from hftlib.research.result_money import UNKNOWN_BELOW
from hftlib.research.result_risk import UNIT_OF
from hftlib.risk.controls import LEVELS, MONEY_ONE

Row = dict[str, Any]


def tables_of(report: Any) -> dict[str, list[Row]]:
    """All exports of a report."""
    found = {
        "orders": [row for one in report.sessions for row in one.facts.rows],
        "fills": [row for one in report.sessions for row in fill_rows(one)],
        "refusals": [row for one in report.sessions for row in refusal_rows(one)],
        "actions": report.actions,
        "incidents": report.incidents,
        "clocks": [row for one in report.sessions for row in clock_rows(one)],
        "execution": report.execution,
    }
    return {name: [_whole(name, row) for row in rows] for name, rows in found.items()}


def _whole(table: str, row: Mapping[str, Any]) -> Row:
    """Every column, and `time` from the ns that stand beside it."""
    made = {column.name: row.get(column.name) for column in TABLES[table]}
    if "time" in made:
        made["time"] = row["venue_time_ns"] if table == "fills" else row["time_ns"]
    return made


def fill_rows(session: DaySession) -> list[Row]:
    """A row for each fill, exact."""
    result: Any = session.result
    if result is None:
        return []
    names, made = strategies_in(result), []
    held: dict[tuple[int, int], int] = {}
    for fill in result.records["fills"]:
        row, seat = int(fill["instrument"]), int(fill["strategy"])
        one = result.instruments[row]
        price, lot = (exact_fraction(u.size, "") for u in (one.price_unit, one.lot_unit))
        twice, lots = int(fill["twice_mid"]), int(fill["quantity"])
        held[row, seat] = held.get((row, seat), 0) + (lots if fill["side"] == events.BUY else -lots)
        made.append(
            {
                "journal": session.name,
                "venue_time_ns": int(fill["time"]),
                "time_ns": int(fill["received"]),
                "order_id": str(int(fill["order"])),
                "trade_id": str(int(fill["match"])),
                "strategy": names[seat] if seat < len(names) else "",
                "venue": one.venue,
                "symbol": one.symbol,
                "currency": one.currency,
                "side": events.SIDES[int(fill["side"])],
                "price": decimal_of(int(fill["price"]) * price),
                "quantity": decimal_of(lots * lot),
                "fee": decimal_of(int(fill["fee"]) * money_unit(result.instruments, row)),
                "liquidity": "aggressive" if fill["taker"] else "passive",
                "middle": decimal_of(Fraction(twice, 2) * price) if twice > UNKNOWN_BELOW else None,
                "position": decimal_of(held[row, seat] * lot),
            }
        )
    return made


def refusal_rows(session: DaySession) -> list[Row]:
    """A row for each order that never left us."""
    result: Any = session.result
    if result is None:
        return []
    names, made = strategies_in(result), []
    for row in result.records["refusals"]:
        number, seat = int(row["instrument"]), int(row["strategy"])
        one = result.instruments[number] if number < len(result.instruments) else None
        price = exact_fraction(one.price_unit.size, "") if one else Fraction(0)
        lot = exact_fraction(one.lot_unit.size, "") if one else Fraction(0)
        reason, level = int(row["reason"]), int(row["level"])
        unit = UNIT_OF.get(reason, "") if level else ""
        by = MONEY_ONE if unit == "money" else 1
        asked = int(row["price"])
        made.append(
            {
                "journal": session.name,
                "time_ns": int(row["sent"]),
                "strategy": names[seat] if seat < len(names) else "",
                "venue": one.venue if one else "",
                "symbol": one.symbol if one else "",
                "side": _word(events.SIDES, int(row["side"])),
                "price": decimal_of(asked * price) if asked else None,
                "quantity": decimal_of(int(row["quantity"]) * lot),
                "reason": _word(orders.REASONS, reason),
                "level": _word(LEVELS, level),
                "limit": decimal_of(Fraction(int(row["limit"]), by)) if level else None,
                "seen": decimal_of(Fraction(int(row["seen"]), by)) if level else None,
                "unit": unit,
            }
        )
    return made


def clock_rows(session: DaySession) -> list[Row]:
    """A row for each look at the clock that was journaled."""
    made = []
    for one in session.facts.clocks:
        offset, most = int(one.get("offset_ns", 0)), int(one.get("error_ns_max", 0))
        believed = int(one.get("error_ns", 0))
        made.append(
            {
                "journal": session.name,
                "time_ns": int(one["time"]),
                "why": str(one.get("why", "")),
                "offset_ns": offset,
                "error_ns": None if believed < 0 else believed,
                "error_ns_max": None if most < 0 else most,
                "divergence_ns_max": None if most < 0 else abs(offset) + most,
                "step_ns": int(one.get("step_ns", 0)),
                "is_synchronised": bool(one.get("is_synchronised")),
            }
        )
    return made


def _word(words: Sequence[str], number: int) -> str:
    return words[number] if 0 <= number < len(words) else str(number)
