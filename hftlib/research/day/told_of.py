"""The figures of a report as plain values: what `hft report day --json` prints.

Money is text with all its decimals (`exact`) where it is a sum of fills; shares and rates are
numbers from 0 on, times are ns. Nothing that is not known is left out: it is null.
Worst case: some kilobytes; the rows of orders are in the exports, not here.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hftlib.core.times import to_text
from hftlib.research.day.accounts import summed
from hftlib.research.day.incidents import feed_of
from hftlib.research.day.session import DaySession
from hftlib.research.day.shadow_orders import decimal_of


def figures_of(report: Any) -> dict[str, Any]:
    """Everything by section."""
    made = {
        "what": "report of a day",
        "sessions": [session_told(one) for one in report.sessions],
        "pnl": {
            "total": summed(report.accounts, ()),
            "strategies": summed(report.accounts, ("strategy",)),
            "instruments": summed(report.accounts, ("symbol", "venue")),
            "venues": summed(report.accounts, ("venue",)),
            "positions": positions(report),
            "attribution": attribution(report),
            "drawdown": {one.currency: one.drawdown for one in report.curves},
        },
        "orders": report.orders,
        "refused": dict(refused(report)),
        "limits": {
            name: [asdict(one) | {"share": one.share} for one in each]
            for name, each in report.limits.items()
        },
        "latencies_ns": report.latencies,
        "execution": report.execution,
        "actions": report.actions,
        "incidents": report.incidents,
        "parity": {name: _parity(one) for name, one in report.parities.items()},
        "not told": report.not_told,
    }
    told: dict[str, Any] = plain(made)
    return told


def session_told(one: DaySession) -> dict[str, Any]:
    """What a session was, and whether it can be believed."""
    about, verified = one.about, one.verified
    return {
        "journal": one.name,
        "mode": one.mode,
        "release": about.get("release"),
        "strategies": strategies_told(one),
        "venues": [link.get("venue") for link in about.get("links", ())],
        "accounts": [link.get("user") for link in about.get("links", ())],
        "hours": about.get("hours"),
        "hftlib": about.get("hftlib"),
        "begin_ns": one.facts.begin,
        "end_ns": one.facts.end,
        "begin": to_text(one.facts.begin) if one.facts.begin else None,
        "end": to_text(one.facts.end) if one.facts.end else None,
        "durability": one.facts.durability,
        "took_over_from": one.before or None,
        "processes": 1 + sum(seam["kind"] == "CARRIED_ON" for seam in one.facts.seams),
        "ended": ended_of(one),
        "verified": {
            "state": verified.state,
            "frames": verified.frames,
            "sealed": verified.sealed,
            "head": verified.head,
            "problems": verified.problems,
        },
        "replay": replay_told(one),
        "feed": feed_of(one),
        "books": one.result.check() if one.result is not None and not one.facts.carried else [],
    }


def strategies_told(one: DaySession) -> list[dict[str, Any]]:
    """Name, parameters and digest of each."""
    result = one.result
    if result is None:
        return [{"name": s.get("class"), "parameters": s.get("params")}
                for s in one.about.get("strategies", ())]  # fmt: skip
    return [
        {"name": name, "parameters": part.about.get("parameters"),
         "digest": part.about.get("strategy_digest")}
        for name, part in result.strategies.items()
    ]  # fmt: skip


def before_of(one: DaySession) -> str:
    """The journal that it took over from, by its name."""
    return one.before.rstrip("/").rpartition("/")[2] or "-"


def ended_of(one: DaySession) -> str:
    """How its day ended, in words."""
    if not one.facts.closings:
        return "it was cut off, or is still written"
    last = one.facts.closings[-1]
    handed = last.get("handed_over")
    if isinstance(handed, dict):
        return f"handed over to {str(handed.get('to')).rpartition('/')[2]}"
    return str(last.get("why") or "as it should")


def replay_told(one: DaySession) -> dict[str, Any]:
    """The verdict, and how it was come by."""
    if one.replayed is not None:
        told = one.replayed
        verdict = "identical" if told.is_identical else "different"
        return {"verdict": verdict, "frames": told.frames, "commands": told.compared,
                "difference": told.difference}  # fmt: skip
    if one.result is not None:
        return {"verdict": "not asked", "commands": one.result.counts.get("commands")}
    return {"verdict": "not asked"}


def positions(report: Any) -> list[dict[str, Any]]:
    """What is held at the end."""
    return [
        dict(zip(("strategy", "symbol", "venue", "currency"), one.key, strict=True))
        | {"position": one.position, "mark": one.mark}
        for one in report.accounts
        if one.position
    ]


PARTS = ("spread", "adverse", "inventory", "unattributed")


def attribution(report: Any) -> list[dict[str, Any]]:
    """Where the P&L of each currency came from; what was held over a seam is a part of its own."""
    sums: dict[str, dict[str, Fraction]] = {}
    for one in report.sessions:
        if one.result is None or not len(one.result.records["fills"]):
            continue
        for (currency,), row in one.result.tca().attribution(()).exact.items():
            into = sums.setdefault(currency, dict.fromkeys(PARTS, Fraction(0)))
            for name in PARTS:
                into[name] += Fraction(row[name] or 0)
    made = []
    for total in summed(report.accounts, ()):
        parts = sums.get(total["currency"], dict.fromkeys(PARTS, Fraction(0)))
        gross = total["gross"]
        seam = None if gross is None else gross - sum(parts.values(), Fraction(0))
        named = {"currency": total["currency"], **parts, "held_over_seams": seam}
        made.append(named | {"gross": gross, "fees": total["fees"], "net": total["net"]})
    return made


def refused(report: Any) -> Counter[str]:
    """How many orders never left, by reason."""
    made: Counter[str] = Counter()
    for one in report.sessions:
        if one.result is not None:
            made.update(one.result.refused)
    return made


def _parity(one: Any) -> Any:
    return one.as_json() if hasattr(one, "as_json") else {"not told": str(one)}


def plain(value: Any) -> Any:
    """The same for JSON."""
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Fraction):
        return f"{decimal_of(value):f}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item"):
        return plain(value.item())
    return value if value is None or isinstance(value, str | int) else str(value)
