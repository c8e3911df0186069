"""What moves a market by itself: agents, a tape, or nobody. One of them to an exchange.

    flow = made(configuration, parts, first)      None: only participants trade
    flow.until(floor, now)                        all that is due up to now
    flow.counts, flow.is_over                     what came of it; that the day is over with it

Worst case: as the flow's own; either does a bounded number of commands at once.
"""

from __future__ import annotations

from typing import Any, Protocol

from hftlib.venue.floor import agents
from hftlib.venue.floor.tape_opening import TapeFlow


class MarketFlow(Protocol):
    """What an exchange asks of what moves its market."""

    @property
    def counts(self) -> dict[str, int]: ...

    @property
    def is_over(self) -> bool: ...

    def until(self, floor: int, now: int) -> None: ...


class Crowd:
    """The agents of `agents.py`."""

    is_over = False

    def __init__(self, *settings: Any) -> None:
        self.counts: dict[str, int] = {}
        self.memory = agents.crowd_memory(*settings)

    def until(self, floor: int, now: int) -> None:
        agents.flow(floor, self.memory.ctypes.data, now)


def made(configuration: Any, parts: Any, first: int) -> MarketFlow | None:
    """The flow that the file asks for."""
    market, house = configuration.market, (parts.house, parts.house_firm)
    if market.flow == "off":
        return None
    if market.flow == "tape":
        most, zone = configuration.exchange.orders_max, configuration.clock.zone
        return TapeFlow(market, parts.symbols, house, most, first, zone)
    rate = (market.events_per_second, market.seed, first)
    return Crowd(*house, parts.prices, parts.ticks, *rate)
