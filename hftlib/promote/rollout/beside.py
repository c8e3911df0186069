"""Two runners on one feed: which earned more, and can that be told? The A/B report of a rollout.

    both = compare_days("champion.journal", "candidate.journal")
    both                          in a notebook: a sentence, both curves, a row for each figure
    both.difference, .band        the second one's P&L less the first one's, and its 95 %
    both.better                   the name of the better one, or None where it cannot be told

Only what both heard is compared (`same_feed.py`). What they hold is valued by one series of
middles, from both of their samples, so that the difference is of what they traded and nothing else;
its band is a bootstrap of pieces of the time. A shadow's fills are those of a venue's model.

Worst case: both journals are replayed, each as `hft.journal_result` does.
"""

from __future__ import annotations

import html
import math
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.promote.rollout.beside_figures import Side, middles_of, side_of
from hftlib.promote.rollout.days import Day, read_day
from hftlib.promote.rollout.same_feed import Shared, shared_of
from hftlib.research import charts
from hftlib.research.sheets import Sheet, Shown
from hftlib.terminal import heard_by, patience

Array = np.ndarray[Any, Any]
STEPS, STEP_NS_LEAST = 300, 10_000_000
CONFIDENCE, SEED = 0.95, 0
_WHERE = "hft rollout compare"


class Compared(Shown):
    """Two days beside each other."""

    def __init__(self, sides: tuple[Side, Side], shared: Shared, times: Array, money: str) -> None:
        self.sides, self.shared, self.currency = sides, shared, money
        self._seconds = (times - shared.begin) / 1e9
        steps = [np.diff(one.curve, prepend=0.0) for one in sides]
        self.difference = float(sides[1].curve[-1] - sides[0].curve[-1])
        self.band, self.better, self._why = _told(steps[1] - steps[0], sides)

    @property
    def sentence(self) -> str:
        one, other = self.sides
        said = f"{other.name} earned {abs(self.difference):,.2f} {self.currency} "
        said += f"{'less' if self.difference < 0 else 'more'} than {one.name}"
        if self.difference == 0:
            said = f"{other.name} and {one.name} earned the same"
        said += f" over {(self.shared.end - self.shared.begin) / 1e9:,.2f} s that both heard"
        if self.band is not None:
            low, high = self.band
            said += f" ({CONFIDENCE:.0%} between {low:,.2f} and {high:,.2f})"
        return f"{said}. {self._why}"

    def sheets(self) -> list[Sheet]:
        one, other = self.sides
        rows = [
            (name, _word(one.figures[name]), _word(other.figures[name])) for name in one.figures
        ]
        cut = "; ".join(self.shared.cut)
        told = f"Left out: {cut}." if cut else "Nothing was left out."
        return [
            Sheet(self.sentence, ("", "")),
            Sheet("What both heard", ("", one.name, other.name), rows),
            Sheet(f"{self.shared.messages:,} messages of the feed. {told}", ("", "")),
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "sentence": self.sentence,
            "better": self.better,
            "difference": self.difference,
            "band": None if self.band is None else list(self.band),
            "confidence": CONFIDENCE,
            "currency": self.currency,
            "begin": self.shared.begin,
            "end": self.shared.end,
            "messages": self.shared.messages,
            "cut": list(self.shared.cut),
            "sides": [
                {
                    "journal": one.name,
                    "release": one.release,
                    "mode": one.mode,
                    **{name: _plain(value) for name, value in one.figures.items()},
                }
                for one in self.sides
            ],
        }

    def page(self) -> str:
        """One HTML file that needs nothing else."""
        title = html.escape(" beside ".join(one.name for one in self.sides))
        head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        return f'{head}<body style="font:15px system-ui,sans-serif">{self._repr_html_()}</body>'

    def _repr_html_(self) -> str:
        title = " beside ".join(one.name for one in self.sides)
        head = f"<h3>{html.escape(title)}</h3><p>{html.escape(self.sentence)}</p>"
        tables = "".join(one.html() for one in self.sheets()[1:])
        return f"<div>{head}{self.picture}{tables}</div>"

    @property
    def picture(self) -> str:
        """Both curves of P&L, and their difference."""
        one, other = self.sides
        curves = {side.name: (self._seconds, side.curve) for side in self.sides}
        curves["difference"] = (self._seconds, other.curve - one.curve)
        title = f"P&L after fees since both heard the feed, {self.currency}"
        return charts.lines(curves, title=title, across="seconds", zero=True)


def compare_days(first: Path | str, second: Path | str) -> Compared:
    """The second day beside the first one; refused where they did not hear the same feed."""
    from hftlib.research.journal_result import journal_result

    days = read_day(Path(first)), read_day(Path(second))
    made = []
    with patience() as advance:
        for n, day in enumerate(days):

            def told(share: float, what: str, n: int = n) -> None:
                advance((n + share) / 2, what)

            with heard_by(told):
                made.append(journal_result(day.folder))
    names = _names(days)
    shared = shared_of((made[0], made[1]), (days[0].about, days[1].about), names)
    money = _currency(made)
    count = min(STEPS, max(1, (shared.end - shared.begin) // STEP_NS_LEAST))
    times = np.linspace(shared.begin, shared.end, count + 1).astype(np.int64)[1:]
    middles = middles_of(made, shared, money)
    one, other = (
        side_of(day, result, name, shared, n, times, middles, money)
        for n, (day, result, name) in enumerate(zip(days, made, names, strict=True))
    )
    return Compared((one, other), shared, times, money)


def _names(days: tuple[Day, Day]) -> tuple[str, str]:
    """Folders of one name need more of their paths."""
    one, other = (day.folder.resolve() for day in days)
    if one.name != other.name:
        return one.name, other.name
    if one == other:
        return one.name, f"{one.name} again"
    return f"{one.parent.name}/{one.name}", f"{other.parent.name}/{other.name}"


def _currency(results: list[Any]) -> str:
    there = sorted({one.currency for result in results for one in result.instruments})
    if len(there) != 1:
        what = f"Money of {', '.join(there)} does not add up"
        do = "Compare runners whose instruments have one currency: hft live --symbols."
        raise InputError(what, where=_WHERE, do=do)
    return str(there[0])


def _told(
    steps: Array, sides: tuple[Side, Side]
) -> tuple[tuple[float, float] | None, str | None, str]:
    """The band of the difference, who is better, and that in words."""
    from hftlib.research.validation.resampling import bootstrap

    one, other = sides
    if not steps.any():
        return (0.0, 0.0), None, "It is the same in every step of time: neither is better."
    verdict = bootstrap(steps, "pnl", confidence=CONFIDENCE, at_least=0.0, seed=SEED)
    if "lower end" not in verdict.figures:
        why = f"{len(steps):,} steps of time are too few to tell who is better."
        return None, None, why
    low, high = float(verdict.figures["lower end"]), float(verdict.figures["upper end"])
    if low <= 0 <= high:
        return (low, high), None, "That may be chance: who is better cannot be told."
    better = other.name if low > 0 else one.name
    return (low, high), better, f"{better} is better, by more than chance in this span."


def _word(value: Any) -> Any:
    return "not told" if isinstance(value, float) and math.isnan(value) else value


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
