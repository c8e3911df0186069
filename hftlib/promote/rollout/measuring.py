"""May a release leave its stage? Its policy's conditions, each beside what its days have shown.

    verdict = judged(policy, "shadow", [Path("monday.journal"), ...], digest)
    verdict.passed        True, False, or None where it cannot be told yet
    verdict               in a notebook and a terminal: condition, measured, wanted, ok?

Only a pass lets it go on. Too few days, minutes, orders or fills are no failure but too little to
tell, and so is a day that was cut off; a P&L above the band fails as one below it does.

Worst case: that of `day_figures.py`, for each day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hftlib.core.errors import InputError
from hftlib.core.release.rollout_policy import Conditions, Policy
from hftlib.promote.rollout.day_figures import Seen, measured_days
from hftlib.promote.rollout.days import days_of
from hftlib.research import charts
from hftlib.research.sheets import Sheet
from hftlib.research.validation.verdict import WORDS, Verdict

LEAST = 20  # orders or latencies: fewer say nothing about a share of them
_OK = {True: "yes", False: "no", None: "cannot tell"}


@dataclass(frozen=True, slots=True)
class Held:
    """One condition: what was measured, in words with its unit, what is wanted, and whether."""

    key: str
    title: str
    value: float | None
    measured: str
    wanted: str
    ok: bool | None

    @property
    def reason(self) -> str:
        return f"{self.title}: {self.measured}, wanted {self.wanted}"


@dataclass(frozen=True, repr=False)
class StageVerdict(Verdict):
    """A verdict whose figures all stand in one table, beside what was asked for."""

    held: tuple[Held, ...] = ()

    def sheets(self) -> list[Sheet]:
        return [Sheet(f"{self.name}: {self.word}. {self.sentence}", ("", "")), *self.tables]

    def _repr_html_(self) -> str:
        bare = Verdict(self.name, self.passed, self.sentence, {}, self.picture, self.tables)
        return bare._repr_html_()


def judged(policy: Policy, stage: str, journals: Sequence[Path], digest: str) -> StageVerdict:
    """Whether these days are all that the policy asks for before the stage after this one."""
    asked = policy.conditions(stage)
    if not isinstance(digest, str) or len(digest) != 64:
        do = "Give what `hft release digest` says."
        raise InputError(f"{digest!a:.80} is no digest of a release", where="digest", do=do)
    seen = measured_days(days_of(policy, stage, journals, digest))
    held = conditions_held(asked, seen)
    wrong = [one.reason for one in held if one.ok is False]
    unclear = [one.reason for one in held if one.ok is None]
    why = [one.wrong for one in seen if one.wrong]
    passed = False if wrong else None if unclear else True
    days = f"{len(seen):,} day{'s' * (len(seen) != 1)}"
    if passed:
        said = f"All {len(held)} conditions of leaving {stage} hold over {days}."
    else:
        said = f"Over {days}: {'; '.join([*wrong, *unclear])}."
        said += "".join(f" {one.rstrip('.')}." for one in why)
    return StageVerdict(
        f"Leaving {stage}",
        passed,
        said,
        {one.key: one.value for one in held},
        _picture(seen),
        (_table(held, stage), _days_table(seen)),
        held=held,
    )


def conditions_held(asked: Conditions, seen: Sequence[Seen]) -> tuple[Held, ...]:
    """Each condition, in the order of the policy; figures are of the days that can be told."""
    known = [one for one in seen if not one.wrong]
    money = next((one.currency for one in known), "")
    whole = sum(not one.day.cut for one in seen)
    ended = sum(not one.day.why for one in seen if not one.day.cut)
    pnls = [one.pnl for one in known if one.pnl is not None]
    if len({one.currency for one in known}) > 1:
        pnls, money = [], ""  # money of two kinds does not add up
    orders, fills = sum(one.orders for one in known), sum(one.fills for one in known)
    refused, rejected = (
        _share(sum(one.refused for one in known), orders + sum(one.refused for one in known)),
        _share(sum(one.rejected for one in known), orders),
    )
    replayed = [one.identical for one in seen if one.identical is not None]
    minutes = math.fsum(one.day.minutes for one in known)
    return (
        _enough("days_min", "whole days", whole, asked.days_min, ""),
        _enough("minutes_min", "minutes trading", minutes, asked.minutes_min, " min"),
        _enough("orders_min", "orders", orders, asked.orders_min, ""),
        _enough("fills_min", "fills", fills, asked.fills_min, ""),
        _least("decisions_share_min", "decisions as its backtest's",
               _pooled(known, "decisions"), asked.decisions_share_min),
        _least("fills_share_min", "filled as in its backtest",
               _pooled(known, "filled"), asked.fills_share_min),
        _band(math.fsum(pnls) if pnls else None, asked, money),
        _worst(min(pnls, default=None), asked.worst_day_min, money),
        _most("refused_share_max", "refused by its risk", refused, asked.refused_share_max),
        _most("rejected_share_max", "refused by the venue", rejected, asked.rejected_share_max),
        _latency(known, asked.order_p99_us_max),
        _of_all("identical", "days that replay byte for byte", sum(replayed), len(replayed),
                len(seen), "every day"),
        _of_all("ended", "days that went on until told", ended, whole, len(seen), "every day"),
    )  # fmt: skip


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _pooled(known: Sequence[Seen], name: str) -> float | None:
    """Of all days, each by its orders; too few say nothing."""
    told = [(getattr(one, name), one.orders) for one in known if getattr(one, name) is not None]
    total = sum(orders for _, orders in told)
    return math.fsum(s * n for s, n in told) / total if total >= LEAST else None


def _enough(key: str, title: str, value: float, least: float, unit: str) -> Held:
    """Too little is no failure: there is more to come."""
    ok = True if value >= least else None
    return Held(key, title, value, f"{_n(value)}{unit}", f"at least {_n(least)}{unit}", ok)


def _least(key: str, title: str, value: float | None, least: float) -> Held:
    ok = None if value is None else value >= least
    return Held(key, title, value, _percent(value), f"at least {_percent(least)}", ok)


def _most(key: str, title: str, value: float | None, most: float) -> Held:
    ok = None if value is None else value <= most
    return Held(key, title, value, _percent(value), f"at most {_percent(most)}", ok)


def _band(value: float | None, asked: Conditions, money: str) -> Held:
    ok = None if value is None else asked.pnl_min <= value <= asked.pnl_max
    wanted = f"{asked.pnl_min:,.2f} to {asked.pnl_max:,.2f} {money}".rstrip()
    return Held("pnl", "P&L after fees, all days", value, _money(value, money), wanted, ok)


def _worst(value: float | None, least: float, money: str) -> Held:
    ok = None if value is None else value >= least
    wanted = f"at least {least:,.2f} {money}".rstrip()
    return Held("worst_day_min", "P&L of the worst day", value, _money(value, money), wanted, ok)


def _latency(known: Sequence[Seen], most: float) -> Held:
    """Of the slowest day; a day that does not say so, or too few of them, cannot be told."""
    told = [one.day.latency for one in known]
    whole = bool(told) and all("p99" in one for one in told)
    whole = whole and sum(one["count"] for one in told) >= LEAST
    value = max(one["p99"] for one in told) / 1_000 if whole else None
    ok = None if value is None else value <= most
    said = "not told" if value is None else f"{value:,.1f} us"
    wanted = f"at most {_n(most)} us"
    if math.isinf(most):  # the policy says in so many words that it does not ask
        ok, wanted = True, "not asked for"
    title = "frame to wire, p99 of the slowest day"
    return Held("order_p99_us_max", title, value, said, wanted, ok)


def _of_all(key: str, title: str, good: int, told: int, days: int, wanted: str) -> Held:
    ok = False if good < told else True if told == days else None
    return Held(key, title, good, f"{good:,} of {days:,}", wanted, ok)


def _n(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4g}"


def _percent(value: float | None) -> str:
    return "not told" if value is None else f"{value * 100:,.4g} %"


def _money(value: float | None, money: str) -> str:
    return "not told" if value is None else f"{value:,.2f} {money}".rstrip()


def _table(held: Sequence[Held], stage: str) -> Sheet:
    rows = [(one.title, one.measured, one.wanted, _OK[one.ok]) for one in held]
    return Sheet(f"Conditions of leaving {stage}", ("condition", "measured", "wanted", "ok?"), rows)


def _days_table(seen: Sequence[Seen]) -> Sheet:
    heads = ("day", "minutes", "orders", "fills", "P&L", "decisions", "filled", "replays", "")
    rows = [
        (
            one.day.name,
            f"{one.day.minutes:,.2f}",
            f"{one.orders:,}",
            f"{one.fills:,}",
            _money(one.pnl, one.currency),
            _percent(one.decisions),
            _percent(one.filled),
            "not told" if one.identical is None else _OK[one.identical],
            one.day.why or one.day.cut,
        )
        for one in seen
    ]
    return Sheet("Its days", heads, rows)


def _picture(seen: Sequence[Seen]) -> str:
    told = [(one.day.name, one.pnl) for one in seen if one.pnl is not None]
    if len(told) < 2:
        return ""
    names, values = zip(*told, strict=True)
    return charts.bars(names, values, title="P&L of each day, after fees")


__all__ = ["LEAST", "WORDS", "Held", "StageVerdict", "conditions_held", "judged"]
