"""Is a Sharpe ratio above what was asked, or is the record too short to say? One series, no search.

    sharpe(result.pnl("1m"))                      above 0 with 95 % certainty?
    sharpe(pnl, against=0.01, at_least=0.99, steps_a_year=252 * 390)

The probabilistic Sharpe ratio takes skew and fat tails into account; the least length of a record
says how many steps like these would do. `against` is a ratio of one step. Where many parameters
were tried, ask `deflated_sharpe` instead. Worst case: a few passes over the series.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from hftlib.research import charts
from hftlib.research.validation.given import (
    ROWS_LEAST,
    Series,
    number,
    percent,
    series_of,
    share,
)
from hftlib.research.validation.moments import (
    Moments,
    moments,
    neighbours,
    probability,
    steps_needed,
)
from hftlib.research.validation.verdict import Verdict

NAME = "Probabilistic Sharpe ratio"
TOGETHER = 0.1  # a correlation of neighbouring steps from which certainty is overstated
_POINTS = 60


def sharpe(
    pnl: Any,
    against: float = 0.0,
    *,
    at_least: float = 0.95,
    steps_a_year: float | None = None,
) -> Verdict:
    """How probable it is that the true Sharpe ratio of a step is above `against`."""
    series = series_of(pnl, "sharpe")
    against, at_least = number(against, "against"), share(at_least, "at_least")
    known = moments(series.values)
    chance = probability(known, against)
    needed = steps_needed(known, against, at_least)
    figures: dict[str, Any] = {
        "probability": chance,
        "at least": at_least,
        "Sharpe ratio of a step": known.sharpe,
        "against": against,
        **year(known.sharpe, steps_a_year),
        "steps of time": known.steps,
        "steps needed": whole_steps(needed),
        **shape(series, known),
    }
    lacking = missing(known)
    if lacking:
        return Verdict(NAME, None, lacking, figures)
    passed = chance >= at_least
    said = (
        f"With a Sharpe ratio of {known.sharpe:.4g} a step over {known.steps:,} steps, the true "
        f"one is above {against:.4g} with a probability of {percent(chance)}; at least "
        f"{percent(at_least)} is asked. {enough(known, needed)}{together(series)}"
    )
    return Verdict(NAME, passed, said.strip(), figures, _picture(series, against, at_least))


def missing(known: Moments) -> str:
    """Why nothing can be told, or nothing."""
    if known.steps < ROWS_LEAST:
        return f"{known.steps} steps of time say nothing about luck: at least {ROWS_LEAST} do."
    if math.isnan(known.sharpe):
        return f"The P&L is the same in all {known.steps:,} steps: there is nothing to judge."
    if known.spread <= 0.0:
        return "The P&L has two values only, too few to say how sure its mean is."
    return ""


def enough(known: Moments, needed: float) -> str:
    """Whether the record is long enough, in words."""
    if not math.isfinite(needed):
        return "No length of such a record would do."
    if needed > known.steps:
        return f"A record like this one would need {math.ceil(needed):,} steps."
    return f"{math.ceil(needed):,} steps would have been enough."


def whole_steps(needed: float) -> float:
    return math.ceil(needed) if math.isfinite(needed) else needed


def together(series: Series) -> str:
    """A warning where steps are no sample each of its own, as all of this takes them to be."""
    near, luck = neighbours(series.values), 3.0 / math.sqrt(len(series))
    if not near > max(TOGETHER, luck):
        return ""
    return f" Neighbouring steps move together ({near:.2f}), so it is less sure: take longer steps."


def year(ratio: float, steps: float | None) -> dict[str, float]:
    if steps is None:
        return {}
    each = number(steps, "steps_a_year", above=0.0, such_as="252")
    return {"Sharpe ratio of a year": ratio * math.sqrt(each)}


def shape(series: Series, known: Moments) -> dict[str, float]:
    enough_of_it = len(series) > 2
    return {
        "skew": known.skew,
        "kurtosis (normal: 3)": known.kurtosis,
        "correlation of neighbours": neighbours(series.values) if enough_of_it else math.nan,
    }


def _picture(series: Series, against: float, at_least: float) -> str:
    """How certain it became as the record grew."""
    ends = np.unique(np.linspace(ROWS_LEAST, len(series), _POINTS).astype(int))
    grown = [probability(moments(series.values[:end]), against) for end in ends]
    curves = {"probability": (ends, grown), "asked": (ends[[0, -1]], [at_least] * 2)}
    return charts.lines(
        curves, title=f"Probability that the Sharpe ratio is above {against:g}", across="steps"
    )
