"""A runner that was killed goes on: its journal, and whether the venue and it agree.

    live, after = taken_up(folder, laid)             the memory, as the last frame left it
    runner = Runner(live, folder, about, ..., after=after)
    recovery = Recovery(runner, {"XNAS": DropCopy(...)})      until `is_over`: recovery.turn()
    recovery.told                                    what it waits for, or what came of it

The firm is held (`engine/live/resuming.py`) until each link has heard all that it missed and each
feed is whole; then positions are held against each venue's drop copy that is to be heard.
Where they are the same it goes on. Where they are not, and stay so, the firm is halted with the
first difference as the reason: two people look, and lift it.

Worst case: whoever does not answer is waited for, and nothing is sent meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from hftlib.core import clock
from hftlib.core.errors import InputError
from hftlib.execution.ouch.memory import OPEN
from hftlib.execution.ouch.memory import STATES as GATEWAY_STATES
from hftlib.ops.drop_copy import DropCopy, differences
from hftlib.ops.exchanges import venues_of
from hftlib.ops.runner import Runner
from hftlib.ops.status import status
from hftlib.risk.people import Directive, go_on, halt_by_process

PATIENCE_S = 2.0  # a difference may stay so long: one of the two has more still to hear
WHO, WHY_BYTES = "restart", 64
_ONE_SAYS = "the drop copy says"


def require_same_day(
    about: Mapping[str, Any], exchanges: Mapping[str, Mapping[str, Any]], where: str
) -> None:
    """Each exchange must be in the session in which the journal was begun."""
    for one in about["feeds"]:
        exchange = exchanges[one["venue"]]
        which = f"The exchange {one['venue']}" if len(exchanges) > 1 else "The exchange"
        for name in ("session", "midnight_ns"):
            if one[name] != exchange[name]:
                raise InputError(
                    f"{which}'s {name} is {exchange[name]}, the journal's {one[name]}",
                    where=where,
                    do="That is another day: begin another journal.",
                )


class Recovery:
    """From the restart until it may trade; `turn` it beside the runner."""

    def __init__(self, runner: Runner, copies: Mapping[str, DropCopy] | None = None) -> None:
        """`copies` by venue; of one that has none only its link and its feed are looked at."""
        self._runner, self.copies = runner, dict(copies or {})
        self._venues = venues_of(runner.about)
        self.told, self.is_over = "", False
        self.also: Callable[[], str] = str  # what else is to be waited for, in words: nothing
        self.differences: list[str] = []
        self._since: float | None = None

    def turn(self) -> None:
        """Look whether it may go on."""
        if self.is_over:
            return
        for copy in self.copies.values():
            copy.turn()
        self.told = self._waits_for()
        if self.told:
            return
        self.differences = self._compared()
        if not self.differences:
            why = "all links and feeds are whole"
            if self.copies:
                count = sum(copy.executions for copy in self.copies.values())
                say = f"{len(self.copies)} drop copies say" if len(self.copies) > 1 else _ONE_SAYS
                why = f"as {say}: {count:,} executions"
            self._end(go_on(at=clock.now_ns(), who=WHO, why=why), f"goes on: {why}")
            return
        self._since = self._since or time.monotonic()
        self.told = "; ".join(self.differences)
        if time.monotonic() - self._since > PATIENCE_S:
            why = self.differences[0].encode()[:WHY_BYTES].decode(errors="ignore")
            halted = halt_by_process("firm", at=clock.now_ns(), who=WHO, why=why)
            self._end(halted, f"stays halted: {self.told}")

    def close(self) -> None:
        for copy in self.copies.values():
            copy.close()

    def _end(self, directive: Directive, told: str) -> None:
        row = directive.row(self._runner.live.session.risk, clock.now_ns())
        if self._runner.tell(row):
            self.told, self.is_over = told, True
            self.close()

    def _of(self, venue: str) -> str:
        """Which venue it is about, where there are several."""
        return f"{venue}: " if len(self._venues) > 1 else ""

    def _waits_for(self) -> str:
        live, dialler = self._runner.live, self._runner.dialler
        for n, venue in enumerate(self._venues):
            state = int(live.gateway(n)["state"])
            if state != OPEN:
                why = f", {venue} cannot be reached: {dialler.why[n]}" if dialler.why[n] else ""
                return f"{self._of(venue)}link {n} is {GATEWAY_STATES[state]}{why}"
        for n, (venue, one) in enumerate(zip(self._venues, live.sequencers, strict=True)):
            if one.state != "LIVE":
                return f"{self._of(venue)}feed {n} is {one.state}"
        for venue, copy in self.copies.items():
            if not copy.is_whole:
                return f"{self._of(venue)}the drop copy: {copy.why}"
        return self.also()

    def _compared(self) -> list[str]:
        """Where a venue's drop copy and our positions at that venue differ."""
        found, rows = [], status(self._runner)["positions"] if self.copies else []
        for venue, copy in self.copies.items():
            ours = [row for row in rows if row["venue"] == venue]
            told = [*differences(copy.positions, ours).values()]
            fills = sum(row["fills"] for row in ours)
            if not told and copy.executions < fills:
                told = [f"the venue tells of {copy.executions:,} executions, we know {fills:,}"]
            found += [f"{self._of(venue)}{one}" for one in told]
        return found
