"""What a gate judges: the strategy of an exported module, with its parameters, in a market.

    subject = Subject.made(module, strategy, parameters, market)
    subject.backtest(tape)            a Result, at the venue and within the limits of the plan
    subject.on_the_wire(tape, journal, "50us")        another, as bytes against our exchange
    hft.validation.stress_costs(subject.kind, tapes, **subject.settings)

The class comes from the file that is named, never from a notebook's cells: what is judged is what
will run. Worst case: importing the module runs it, as Python does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hftlib.core.errors import InputError
from hftlib.core.fees import Fees
from hftlib.core.keywords import require_known
from hftlib.core.units import shown
from hftlib.research.result import Result
from hftlib.research.tape import Tape, open_tape
from hftlib.strategy.files import strategy_named
from hftlib.venue.venue import Venue

MARKET = ("order_latency", "feed_latency", "queue", "maker", "taker", "limits")


@dataclass(frozen=True)
class Subject:
    """A strategy as it is to trade, and where."""

    kind: Any
    params: dict[str, Any]
    venue: Venue
    limits: Path

    @classmethod
    def made(
        cls,
        module: str | Path,
        strategy: str,
        parameters: Mapping[str, Any],
        market: Mapping[str, Any],
    ) -> Subject:
        kind = strategy_named(f"{module}:{strategy}")
        kind(**parameters)  # what is wrong with them is said before anything runs
        return cls(kind, dict(parameters), venue_of(market), Path(market["limits"]))

    @property
    def name(self) -> str:
        return str(self.kind.__name__)

    @property
    def settings(self) -> dict[str, Any]:
        """What every function that runs a strategy again takes."""
        return {"params": self.params, "venue": self.venue, "limits": self.limits}

    def backtest(self, tape: Tape, **others: Any) -> Result:
        from hftlib.research.backtest import backtest

        return backtest(self.kind, tape, **{**self.settings, **others})

    def on_the_wire(self, tape: Tape, journal: Path, latency: str) -> Result:
        """The same against our exchange as bytes, each message journaled; `latency` one way."""
        from hftlib.research.wire_backtest import wire_backtest

        both: dict[str, Any] = {"feed_latency": latency, "order_latency": latency}
        both |= {"params": self.params, "limits": self.limits}
        return wire_backtest(self.kind, tape, folder=journal, **both)


def venue_of(market: Mapping[str, Any]) -> Venue:
    """The venue that a plan describes: latencies, queue, fees."""
    require_known(market, list(MARKET), "the market of a plan")
    lacking = [name for name in MARKET if name not in market]
    if lacking:
        raise InputError(
            f"The market does not say its {lacking[0]}",
            where="the market of a plan",
            do=f"It has {', '.join(MARKET)}.",
        )
    return Venue(
        order_latency=market["order_latency"],
        feed_latency=market["feed_latency"],
        queue=market["queue"],
        fees=Fees(maker=market["maker"], taker=market["taker"]),
    )


def tapes_at(paths: Sequence[str | Path]) -> list[Tape]:
    """The tapes of these paths; a gate without one has nothing to judge on."""
    if isinstance(paths, str) or not isinstance(paths, Sequence) or not paths:
        raise InputError(
            f"{shown(paths)} names no tapes", where="the days of a gate", do="Give their paths."
        )
    return [open_tape(path) for path in paths]
