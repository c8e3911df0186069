"""The day's curve in each currency: P&L, drawdown, exposure, over all journals.

    for curve in curves_of(sessions): curve.currency, curve.times, curve.net, curve.fall

A runner that took over from another goes on with its curve, for it was told what that one held; of
runners side by side the curves add up. Samples are a second apart and hold until the next one.
Worst case: a few arrays as long as all samples together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.research.day.session import DaySession

Array = np.ndarray[Any, Any]
_NAMES = ("times", "gross", "net", "exposure", "exposure_net")
_FOREVER = 2**62


@dataclass(frozen=True)
class DayCurve:
    """One currency's."""

    currency: str
    times: Array
    gross: Array
    net: Array
    exposure: Array  # long and short added
    exposure_net: Array

    @property
    def fall(self) -> Array:
        """How far below its top it is, as a negative number."""
        if not len(self.net):
            return self.net
        known = np.where(np.isnan(self.net), -np.inf, self.net)
        top = np.maximum(0.0, np.maximum.accumulate(known))
        return np.where(np.isnan(self.net), np.nan, self.net - top)

    @property
    def drawdown(self) -> float:
        """The deepest fall, as a positive number."""
        fall = self.fall[~np.isnan(self.fall)]
        return abs(float(fall.min())) if len(fall) else 0.0


def curves_of(sessions: Sequence[DaySession]) -> list[DayCurve]:
    """A curve for each currency in which anything was traded."""
    found = [one for one in sessions if one.result is not None and _currencies(one)]
    chains: list[list[DaySession]] = []
    for one in found:
        of = next((c for c in chains if not one.carries and c[-1].name == _name(one)), None)
        (of.append(one) if of is not None else chains.append([one]))
    currencies = sorted({name for one in found for name in _currencies(one)})
    return [_summed(name, [_joined(chain, name) for chain in chains]) for name in currencies]


def _name(session: DaySession) -> str:
    return session.before.rstrip("/").rpartition("/")[2]


def _currencies(session: DaySession) -> list[str]:
    result: Any = session.result
    return list(result._grouping.currencies)


def _joined(chain: list[DaySession], currency: str) -> DayCurve:
    """One behind the other: until a runner has taken over, the one before it says how it stands."""
    found: dict[str, list[Array]] = {name: [] for name in _NAMES}
    for n, one in enumerate(chain):
        result: Any = one.result
        if currency in _currencies(one):
            curve = result._grouping.total(currency).curve
            since = one.facts.carried_ns if n else 0
            until = chain[n + 1].facts.carried_ns if n + 1 < len(chain) else _FOREVER
            kept = (curve.times >= since) & (curve.times < until)
            for name, values in found.items():
                values.append(getattr(curve, name)[kept])
    times = np.concatenate([np.zeros(0, np.int64), *found.pop("times")])
    joined = {name: np.concatenate([np.zeros(0), *parts]) for name, parts in found.items()}
    return DayCurve(currency, times, **joined)


def _summed(currency: str, curves: list[DayCurve]) -> DayCurve:
    """The sum of those that ran side by side, at each time at which one has a sample."""
    if len(curves) == 1:
        return curves[0]
    times = np.unique(np.concatenate([one.times for one in curves]))
    sums = {name: np.zeros(len(times)) for name in ("gross", "net", "exposure", "exposure_net")}
    for one in curves:
        at = np.searchsorted(one.times, times, side="right") - 1
        for name, total in sums.items():
            values = getattr(one, name)
            if len(values):
                total += np.where(at >= 0, values[np.maximum(at, 0)], 0.0)
    return DayCurve(currency, times, **sums)
