"""A runner that was killed goes on: its journal, and whether the venue and it agree.

    live, after = taken_up(folder, laid)             the memory, as the last frame left it
    runner = Runner(live, folder, about, ..., after=after)
    recovery = Recovery(runner, DropCopy(...))       until `is_over`: recovery.turn()
    recovery.told                                    what it waits for, or what came of it

The firm is held (`engine/live/resuming.py`) until each link has heard all that it missed and each
feed is whole; then positions are held against the venue's drop copy, if there is one to be heard.
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
from hftlib.ops.runner import Runner
from hftlib.ops.status import status
from hftlib.risk.people import Directive, go_on, halt_by_process

PATIENCE_S = 2.0  # a difference may stay so long: one of the two has more still to hear
WHO, WHY_BYTES = "restart", 64


def require_same_day(about: Mapping[str, Any], exchange: Mapping[str, Any], where: str) -> None:
    """The exchange must be in the session in which the journal was begun."""
    for one in about["feeds"]:
        for name in ("session", "midnight_ns"):
            if one[name] != exchange[name]:
                raise InputError(
                    f"The exchange's {name} is {exchange[name]}, the journal's {one[name]}",
                    where=where,
                    do="That is another day: begin another journal.",
                )


class Recovery:
    """From the restart until it may trade; `turn` it beside the runner."""

    def __init__(self, runner: Runner, copy: DropCopy | None = None) -> None:
        self._runner, self._copy = runner, copy
        self.told, self.is_over = "", False
        self.also: Callable[[], str] = str  # what else is to be waited for, in words: nothing
        self.differences: list[str] = []
        self._since: float | None = None

    def turn(self) -> None:
        """Look whether it may go on."""
        if self.is_over:
            return
        if self._copy is not None:
            self._copy.turn()
        self.told = self._waits_for()
        if self.told:
            return
        self.differences = self._compared()
        if not self.differences:
            why = "all links and feeds are whole"
            if self._copy is not None:
                why = f"as the drop copy says: {self._copy.executions:,} executions"
            self._end(go_on(at=clock.now_ns(), who=WHO, why=why), f"goes on: {why}")
            return
        self._since = self._since or time.monotonic()
        self.told = "; ".join(self.differences)
        if time.monotonic() - self._since > PATIENCE_S:
            why = self.differences[0].encode()[:WHY_BYTES].decode(errors="ignore")
            halted = halt_by_process("firm", at=clock.now_ns(), who=WHO, why=why)
            self._end(halted, f"stays halted: {self.told}")

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()

    def _end(self, directive: Directive, told: str) -> None:
        row = directive.row(self._runner.live.session.risk, clock.now_ns())
        if self._runner.tell(row):
            self.told, self.is_over = told, True
            self.close()

    def _waits_for(self) -> str:
        live = self._runner.live
        for n in range(len(live.links)):
            state = int(live.gateway(n)["state"])
            if state != OPEN:
                return f"link {n} is {GATEWAY_STATES[state]}"
        for n, one in enumerate(live.sequencers):
            if one.state != "LIVE":
                return f"feed {n} is {one.state}"
        if self._copy is not None and not self._copy.is_whole:
            return f"the drop copy: {self._copy.why}"
        return self.also()

    def _compared(self) -> list[str]:
        if self._copy is None:
            return []
        rows = status(self._runner)["positions"]
        found = differences(self._copy.positions, rows)
        fills = sum(row["fills"] for row in rows)
        if not found and self._copy.executions < fills:
            return [f"the venue tells of {self._copy.executions:,} executions, we know {fills:,}"]
        return found
