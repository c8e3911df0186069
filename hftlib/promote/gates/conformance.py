"""Gate 7: does it live within its limits, and does each of them refuse what it must?

The candidate runs over the days within the limits that it will trade with; what it held and asked
for is counted from its orders and fills, not from what risk says of itself. Then every limit of the
file is provoked by itself (`provoking.py`). Worst case: a run a day, and a short one a limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hftlib.promote.gates.provoking import Provoked, provocations, provoked
from hftlib.promote.gates.subject import Subject
from hftlib.research import charts
from hftlib.research.result import Result
from hftlib.research.sheets import Sheet
from hftlib.research.tape import Tape
from hftlib.research.validation.verdict import Verdict
from hftlib.risk.limits import Limits
from hftlib.risk.limits_file import read_limits

NAME = "Risk conformance"


def judge(
    subject: Subject, days: Sequence[Tape], *, refused_share_max: float, events_max: int
) -> Verdict:
    """Whether it stays within, and each limit says no."""
    limits = read_limits(subject.limits)
    results = [subject.backtest(tape) for tape in days]
    reasons = [reason for one in results for reason in _beyond(one, limits)]
    orders = sum(len(one.records["orders"]) for one in results)
    refused = sum(sum(one.refused.values()) for one in results)
    share = refused / max(1, refused + orders)
    if share > refused_share_max:
        reasons.append(f"{share:.1%} of what it asked for was refused, not {refused_share_max:.1%}")
    part = days[0][:events_max] if len(days[0]) > events_max else days[0]
    answers = [provoked(one, part, subject.venue) for one in provocations(limits)]
    silent = [one for one in answers if not one.is_refused]
    reasons += [f"{_called(one)} did not refuse its provocation" for one in silent if _tried(one)]
    untold = [f"{_called(one)}: {one.reason}" for one in silent if not _tried(one)]
    figures: dict[str, Any] = {
        "limits": len(answers),
        "limits that refused": len(answers) - len(silent),
        "orders": orders,
        "refused": refused,
        "share refused": share,
        "most held": max((_most_held(one) for one in results), default=0),
    }
    sheet = _sheet(answers)
    picture = charts.bars(
        [one.provocation.control for one in answers],
        [one.times for one in answers],
        title="How often each limit refused its provocation",
    )
    if reasons or not answers:
        why = "; ".join(reasons) or "the file has no limits"
        return Verdict(NAME, False, f"{_sentence(why)}.", figures, picture, (sheet,))
    if untold or not orders:
        why = "; ".join(untold) or "it sent no orders, so nothing is known of them"
        return Verdict(NAME, None, f"{_sentence(why)}.", figures, picture, (sheet,))
    told = (
        f"It stayed within its limits over {len(days)} days with {orders:,} orders, of which"
        f" {share:.1%} were refused; each of {len(answers)} limits refused its provocation."
    )
    return Verdict(NAME, True, told, figures, picture, (sheet,))


def _beyond(result: Result, limits: Limits) -> list[str]:
    """In what a run went beyond its limits, was stopped by one, or does not add up."""
    name = result.about["tape"]
    made = [f"{name}: {line}" for line in result.check()]
    if result.ended:
        made.append(f"{name}: it ended early: {result.ended}")
    log = result.risk_log
    if len(log):
        states = log[log["after"].astype(str).isin(("reducing", "halted"))]
        made += [f"{name}: it was {row.after}: {row.reason}" for row in states.head(1).itertuples()]
    fills = result.fills
    for symbol, position in _positions(fills).items():
        most = limits.of_instrument(symbol).get("position_lots")
        if most is not None and position > most:
            made.append(f"{name}: it held {position:,} lots of {symbol}, beyond {most:,}")
    orders = result.orders
    for symbol in orders["symbol"].unique() if len(orders) else ():
        most = limits.of_instrument(str(symbol)).get("order_quantity_lots")
        largest = int(orders.loc[orders["symbol"] == symbol, "quantity"].max())
        if most is not None and largest > most:
            made.append(f"{name}: an order was of {largest:,} lots of {symbol}, beyond {most:,}")
    return made


def _positions(fills: Any) -> dict[str, int]:
    if not len(fills):
        return {}
    held = fills.groupby("symbol", observed=True)["position"].agg(lambda one: one.abs().max())
    return {str(symbol): int(value) for symbol, value in held.items()}


def _most_held(result: Result) -> int:
    return max(_positions(result.fills).values(), default=0)


def _tried(one: Provoked) -> bool:
    return bool(one.provocation.params)


def _called(one: Provoked) -> str:
    return f"the {one.provocation.level}'s {one.provocation.control}"


def _sheet(answers: Sequence[Provoked]) -> Sheet:
    heads = ("limit", "of", "in the file", "provoked at", "times refused", "because")
    rows: list[tuple[Any, ...]] = [
        (
            one.provocation.control,
            one.provocation.level,
            f"{one.provocation.written:,g}",
            f"{one.provocation.value:,g}",
            one.times,
            one.reason,
        )
        for one in answers
    ]
    return Sheet("Every limit, provoked", heads, rows)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
