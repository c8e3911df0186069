"""A runner's day as its journal has it: what it did, and what a backtest of it is made of.

    day = Session("day.journal")
    day.result                     of `hft.journal_result`
    day.market(hold_ns)            the feed without our own orders
    day.backtest(tape, venue)      the journal's strategies, parameters and limits on it

Worst case: that of `hft.journal_result`, some 100 microseconds a frame, and one pass more.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.events import GAP, RECOVERED, RECOVERED_LATE
from hftlib.core.fees import Fees
from hftlib.core.journal import frames
from hftlib.core.journal.kinds import CONNECTED, KINDS
from hftlib.engine.live.making import fees_at, strategies_of
from hftlib.engine.live.memory import ENDED
from hftlib.research.backtest import backtest
from hftlib.research.journal_result import about_of, journal_result
from hftlib.research.parity.without_us import market_without_us
from hftlib.research.result import Result
from hftlib.research.tape import Tape
from hftlib.risk.limits import Limits
from hftlib.risk.limits_file import limits_of
from hftlib.venue.venue import Venue

Venues = Mapping[str, Venue]
_WORD = struct.Struct("<qq")
_OF_GAPS = (GAP, RECOVERED)


class Session:
    """One journal of a runner."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self.result: Result = journal_result(self.folder)
        self.about = about_of(self.folder)

    @property
    def venues(self) -> list[str]:
        """Those whose instruments it may trade."""
        return sorted({one.venue for one in self.result.instruments})

    @property
    def is_one_clock(self) -> bool:
        """Whether what we and the venue call now is one time."""
        return bool(self.result.about["one clock"])

    @cached_property
    def limits(self) -> Limits:
        text = self.about["limits"]
        return limits_of(text, self.folder) if text else Limits()

    def strategies(self) -> dict[str, Any]:
        """By name, made anew from the texts in the journal."""
        return strategies_of(self.about)

    def with_fees(self, venue: Venue | Venues | None) -> dict[str, Venue]:
        """Settings for each venue: as given, or nothing but what the journal says fills cost."""
        if isinstance(venue, Mapping):
            if missing := [one for one in self.venues if one not in venue]:
                raise InputError(
                    f"{missing[0]} has no settings",
                    where="hft.compare(venue={...})",
                    do=f"Give settings for {', '.join(self.venues)}, or one hft.Venue for all.",
                )
            return {one: venue[one] for one in self.venues}
        made = venue or Venue()
        if venue is not None:
            return dict.fromkeys(self.venues, made)
        return {one: replace(made, fees=Fees(**fees_at(self.about, one))) for one in self.venues}

    def market(self, hold_ns: int) -> Tape:
        """What it heard from when it was up to date, less its own orders; before that the books."""
        # Where the clocks are two, nobody knows when the day ended by the venue's.
        end = self._heard_until() if self.is_one_clock else 0
        tape = market_without_us(self.result, hold_ns, end)
        found = tape.events
        caught_up = (found["flags"] & RECOVERED_LATE != 0) | np.isin(found["kind"], _OF_GAPS)
        behind = int(np.argmin(caught_up)) if len(found) and not caught_up.all() else 0
        return tape[behind:] if behind else tape

    def _heard_until(self) -> int:
        """When strategies ended, or were last told of anything: they heard what was due before."""
        until = 0
        for one in frames(self.folder):
            is_word = one.kind == CONNECTED and len(one.payload) == _WORD.size
            if is_word and _WORD.unpack(one.payload)[0] == ENDED:
                return one.time
            if KINDS[one.kind].direction == "in":
                until = max(until, one.time)
        return until

    def backtest(self, tape: Tape, venue: Venues) -> Result:
        """The same strategies over the tape, as they would have gone."""
        return backtest(self.strategies(), tape, venue=venue, limits=self.limits)
