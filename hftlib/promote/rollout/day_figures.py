"""What a day of a release shows: replayed, beside its backtest, its P&L, its refusals, its latency.

    seen = measured(day)        Seen, of a `Day` of `days.py`
    seen.wrong                  a sentence where its figures cannot be told

A day is replayed first: where something else goes out now, nothing that is said of it would be
proved. Then `hft.compare` runs its backtest on the market that it heard, with the latencies that it
had itself, and its session is the Result that orders, fills, P&L and refusals are counted from.

Worst case: the journal is replayed twice, then three backtests; a bar shows how far it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hftlib.core.errors import HftError
from hftlib.promote.rollout.days import Day
from hftlib.terminal import Advance, heard_by, patience

_REPLAY = 0.2  # of the time that a day takes


@dataclass(frozen=True, slots=True)
class Seen:
    """The figures of one day; None: it cannot be told."""

    day: Day
    identical: bool | None = None
    orders: int = 0
    fills: int = 0
    refused: int = 0
    rejected: int = 0
    decisions: float | None = None  # of its orders and its backtest's: those that both took
    filled: float | None = None  # of what either filled: what both did
    pnl: float | None = None
    currency: str = ""
    wrong: str = ""


def measured_days(days: Sequence[Day]) -> list[Seen]:
    """Each of them, with one bar over all."""
    made = []
    with patience() as advance:
        for n, day in enumerate(days):

            def told(share: float, what: str, n: int = n, day: Day = day) -> None:
                advance((n + share) / len(days), f"{day.name}: {what}")

            made.append(measured(day, told))
    return made


def measured(day: Day, advance: Advance = lambda _share, _what: None) -> Seen:
    """What one day shows; of a day that is not whole nothing is told."""
    if day.cut:
        return Seen(day, wrong=f"{day.name} is no whole day: {day.cut}")
    try:
        difference = _difference(day, advance)
        if difference:
            return Seen(day, False, wrong=f"{day.name} does not replay: {difference}")
        with heard_by(lambda share, what: advance(_REPLAY + (1 - _REPLAY) * share, what)):
            return _beside_its_backtest(day)
    except HftError as error:
        return Seen(day, wrong=f"{day.name} cannot be measured: {error.what}")


def _difference(day: Day, advance: Advance) -> str:
    """The first line of what goes out now and did not then; empty where all is the same."""
    from hftlib.engine.live.replaying import replay
    from hftlib.ops.launching import laid

    told = replay(day.folder, laid, lambda share, what: advance(_REPLAY * share, what))
    return " ".join(told.difference.split())[:300]


def _beside_its_backtest(day: Day) -> Seen:
    from hftlib.research.parity.aligning import sent
    from hftlib.research.parity.comparing import FITTED, compare

    parity = compare(day.folder)
    result: Any = parity.session
    totals = result.stats.totals.get(parity.currency)
    close = parity.closeness[FITTED]
    return Seen(
        day,
        identical=True,
        orders=len(sent(result.records["orders"])),
        fills=int((result.records["fills"]["quantity"] > 0).sum()),
        refused=sum(result.refused.values()),
        rejected=sum(result.rejected.values()),
        decisions=close.decisions,
        filled=close.fills,
        pnl=float(totals["pnl_net"]) if totals else 0.0,
        currency=parity.currency,
    )
