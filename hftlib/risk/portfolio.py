"""What a portfolio may lose: value at risk, expected shortfall, exposure, concentration.

    seen = portfolio_risk({"AAPL": 10e6, "T": 5e6}, returns, method="historical", confidence=0.99)
    seen.value_at_risk, seen.expected_shortfall, seen.volatility       money, losses positive
    seen.parts                                                         of each, summing to the whole
    seen.gross, seen.net, seen.concentration                           1 / concentration: how many
                                                                       equal holdings it is like
    historical   the portfolio of today through each period that was seen
    parametric   normal returns with the covariance that was seen
    ewma         the same, with what is recent weighing more (RiskMetrics: decay 0.94, mean 0)

Off the hot path, in floats: a figure to steer by. `value_at_risk` is the loss that is not exceeded
with this confidence over `horizon` periods; longer than one by the square root of time, which holds
for independent returns only. Expected shortfall is the mean loss of the worst 1 - confidence of
cases, the last of them in part.

Worst case: memory of periods times instruments, some floats each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.units import shown

METHODS = ("historical", "parametric", "ewma")
_WHERE = "portfolio_risk(...)"


@dataclass(frozen=True, slots=True)
class PortfolioRisk:
    """Money of one currency; losses are positive."""

    method: str
    confidence: float
    horizon: float
    value_at_risk: float
    expected_shortfall: float
    volatility: float
    parts: dict[str, float]
    gross: float
    net: float
    concentration: float


def portfolio_risk(
    exposures: Mapping[str, float],
    returns: Mapping[str, Any],
    *,
    method: str = "historical",
    confidence: float = 0.99,
    horizon: float = 1.0,
    decay: float = 0.94,
) -> PortfolioRisk:
    """Of these holdings, in money, by the returns of the same periods of each, oldest first."""
    if method not in METHODS:
        raise _refused(f"There is no method {shown(method)}", f"Use one of: {', '.join(METHODS)}.")
    _require(0.5 < confidence < 1.0, "confidence", confidence, "between 0.5 and 1, such as 0.99")
    _require(0.0 < horizon < math.inf, "horizon", horizon, "of so many periods, above 0")
    _require(0.0 < decay < 1.0, "decay", decay, "between 0 and 1, such as 0.94")
    names = list(exposures)
    held = np.array([float(exposures[name]) for name in names])
    seen = _matrix(names, returns, held)
    stretch = math.sqrt(horizon)
    if method == "historical":
        risk, shortfall, volatility, parts = _historical(held, seen, confidence)
    else:
        covariance = _weighted(seen, decay) if method == "ewma" else np.cov(seen, rowvar=False)
        risk, shortfall, volatility, parts = _normal(held, np.atleast_2d(covariance), confidence)
    gross = float(np.abs(held).sum())
    return PortfolioRisk(
        method,
        confidence,
        horizon,
        risk * stretch,
        shortfall * stretch,
        volatility * stretch,
        dict(zip(names, (parts * stretch).tolist(), strict=True)),
        gross,
        float(held.sum()),
        float(((held / gross) ** 2).sum()) if gross > 0.0 else 0.0,
    )


def _normal(held: Any, covariance: Any, confidence: float) -> tuple[float, float, float, Any]:
    along = covariance @ held
    volatility = math.sqrt(max(float(held @ along), 0.0))
    normal = NormalDist()
    quantile = normal.inv_cdf(confidence)
    shares = held * along / volatility**2 if volatility > 0.0 else np.zeros(len(held))
    shortfall = volatility * normal.pdf(quantile) / (1.0 - confidence)
    return quantile * volatility, shortfall, volatility, shares * (quantile * volatility)


def _historical(held: Any, seen: Any, confidence: float) -> tuple[float, float, float, Any]:
    """The tail of `periods * (1 - confidence)` cases, the last in part, is shared by holding."""
    losses = -(seen @ held)
    worst = np.argsort(-losses, kind="stable")
    tail = len(losses) * (1.0 - confidence)
    # 100 * (1 - 0.99) is a little more than one: a whole case is not to be missed by a float's end.
    whole = math.floor(tail + 1e-9)
    weights = np.zeros(len(losses))
    weights[worst[:whole]] = 1.0
    if whole < len(losses):
        weights[worst[whole]] = max(tail - whole, 0.0)
    last = worst[min(whole, len(losses) - 1)]
    risk = float(losses[last])
    deviation = float(losses.std(ddof=1))
    return risk, float(weights @ losses) / tail, deviation, -(seen[last] * held)


def _weighted(seen: Any, decay: float) -> Any:
    weights = decay ** np.arange(len(seen) - 1, -1, -1.0)
    return (seen * (weights / weights.sum())[:, None]).T @ seen


def _matrix(names: list[str], returns: Mapping[str, Any], held: Any) -> Any:
    if not names:
        raise _refused("There is no holding", "Name at least one, with its money.")
    missing = [name for name in names if name not in returns]
    if missing:
        raise _refused(
            f"There are no returns of {', '.join(missing)}", "Give those of each holding."
        )
    columns = [np.asarray(returns[name], np.float64).reshape(-1) for name in names]
    lengths = {len(column) for column in columns}
    if len(lengths) > 1 or min(lengths) < 2:
        counted = ", ".join(f"{n} {len(c)}" for n, c in zip(names, columns, strict=True))
        raise _refused(
            f"Returns must be of the same periods, two at least: {counted}", "Align them."
        )
    made = np.column_stack(columns)
    for n, name in enumerate(names):
        if not math.isfinite(held[n]) or not np.isfinite(made[:, n]).all():
            raise _refused(f"{name} has a value that is no number", "Fill or drop that period.")
    return made


def _require(fine: bool, name: str, value: float, wanted: str) -> None:
    if not fine:
        raise _refused(f"{shown(value)} is no {name}", f"Give one {wanted}.")


def _refused(what: str, do: str) -> InputError:
    return InputError(what, where=_WHERE, do=do)
