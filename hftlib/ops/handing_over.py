"""A runner hands over to another that waits beside it: at a safe point, or not at all.

    trading ─ asked ─▶ holding ─ nothing stands ─▶ safe ─ taken ─▶ over: its day ends, as ever
       ▲                  │ HOLD_S are over          │ nobody asked for SILENCE_S
       └── goes on ───────┴──────────────────────────┘

Asked to, it holds the firm by a directive, as before the open or after a restart: no strategy sends
anything, what stands is taken back. It is safe once no order is open and every link is, so all that
was on its way is booked. Its day then ends as any day, and the last word of its journal is what it
holds, and who has it now. Each step is asked for through the control socket, and answered at once:

    {"do": "hand_over", "step": "describe"}                           what it is, and holds
    {"do": "hand_over", "step": "ask", "id": ..., "to": ..., "who": ..., "why": ...}
    {"do": "hand_over", "step": "look", "id": ...}                    how far it is
    {"do": "hand_over", "step": "take", "id": ...}                    only where it is safe

What it cannot bring to a safe point within HOLD_S it takes up again, and so it does where the other
is silent: both stand in its journal. Worst case: HOLD_S + SILENCE_S in which it does not trade.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

from hftlib.core import clock
from hftlib.core.errors import InputError, StateError
from hftlib.execution.ouch.memory import OPEN
from hftlib.execution.ouch.memory import STATES as GATEWAY_STATES
from hftlib.ops.carried import carried_of
from hftlib.ops.exchanges import venues_of
from hftlib.ops.runner import Runner
from hftlib.risk.authority import PROCESS, ROLES
from hftlib.risk.controls import HALTED
from hftlib.risk.people import Directive, go_on, halt
from hftlib.risk.recovering import HOLD

HOLD_S, SILENCE_S = 5.0, 2.0
TRADING, HOLDING, SAFE, OVER = "trading", "holding", "safe", "over"
WHERE = "hft live --take-over"
WHY_BYTES = 64
Told = dict[str, Any]


class HandedOverError(Exception):
    """Another runner has it: the day of this one ends."""


class HandingOver:
    """One runner's way out; `turn` it beside the runner. `launch` is what it was started with."""

    def __init__(self, runner: Runner, launch: Mapping[str, Any]) -> None:
        self._runner, self._launch = runner, dict(launch)
        self.state, self._why = TRADING, ""
        self._to: Told = {}
        self._begun = self._heard = 0.0
        self._asked_ns = self._safe_ns = 0

    def obey(self, said: Mapping[str, Any]) -> Told:
        """One step, and what is said back."""
        step = said.get("step")
        if step == "describe":
            return self._described()
        if step not in ("ask", "look", "take") or not isinstance(said.get("id"), str):
            do = "Say describe, or ask, look and take with an id."
            raise InputError(f"{step!r} is no step of a handover", where=WHERE, do=do)
        if step == "ask":
            self._ask(said)
        elif said["id"] != self._to.get("id"):
            do = "Ask first."
            raise StateError("Nothing is handed over to this one", where=WHERE, do=do)
        self._heard = time.monotonic()
        self.turn()
        if step == "take":
            self._take()
        return {"state": self.state, "why": self._why, "safe_ns": self._safe_ns}

    def turn(self) -> None:
        """See how far it is; once another has it, `HandedOverError`."""
        now = time.monotonic()
        if self.state == OVER:
            raise HandedOverError
        if self.state not in (HOLDING, SAFE):
            return
        self._why = self._waits_for()
        if self.state == HOLDING and not self._why:
            self.state, self._safe_ns = SAFE, clock.now_ns()
        if self.state == HOLDING and now - self._begun > HOLD_S:
            self._go_on(f"no safe point: {self._why}")
        elif now - self._heard > SILENCE_S:
            self._go_on("the other runner is silent")

    def _described(self) -> Told:
        about = self._runner.about
        return {
            "journal": str(self._runner.journal.folder.resolve()),
            "pid": os.getpid(),
            "mode": self._runner.mode,
            "release": about.get("release"),
            "links": [[one["venue"], one["user"]] for one in about["links"]],
            "feeds": [[one["venue"], one["session"], one["midnight_ns"]] for one in about["feeds"]],
            "launch": self._launch,
            "state": self.state,
            "carried": carried_of(self._runner.live),
        }

    def _ask(self, said: Mapping[str, Any]) -> None:
        if self.state != TRADING:
            do = "Wait until it trades again, or ended."
            raise StateError("It is handed over already", where=WHERE, do=do)
        to, who, why = (said.get(name) for name in ("to", "who", "why"))
        halt("firm", at=0, who=who, why=why)  # type: ignore[arg-type]  # the same words are asked for
        if not isinstance(to, str) or not to:
            raise InputError("The other runner has no name", where=WHERE, do="Say to.")
        self._require_ready()
        words = f"handed over to {to}: {why}".encode()[:WHY_BYTES].decode(errors="ignore")
        self._tell(Directive(HOLD, "firm", clock.now_ns(), str(who), words, ROLES[PROCESS]))
        self._to = {"id": said["id"], "to": to, "who": who, "why": why}
        self.state, self._begun, self._asked_ns = HOLDING, time.monotonic(), clock.now_ns()
        self._safe_ns = 0

    def _require_ready(self) -> None:
        rows = self._runner.live.session.arena["scopes"]
        if not self._runner.is_running:
            what = "It trades no more"
        elif int(rows[0]["held_from"]):
            what = "It is held itself: before the open, or after a restart"
        elif rows["flattening"].any():
            what = "It is closing positions"
        else:
            return
        raise StateError(what, where=WHERE, do="See hft status, and switch when that is over.")

    def _take(self) -> None:
        if self.state != SAFE:
            do = "Ask again."
            raise StateError(f"It is not safe to take it: {self.state}", where=WHERE, do=do)
        self.state = OVER
        self._runner.last_words, self._runner.is_handed_over = self._last_words, True

    def _waits_for(self) -> str:
        """What keeps it from a safe point, in words."""
        runner, live = self._runner, self._runner.live
        if int(live.session.arena["scopes"][0]["state"]) != HALTED:
            return "the hot thread has not heard it"
        if orders := runner.open_orders:
            return f"{orders:,} order{'s' * (orders != 1)} not answered"
        for n, venue in enumerate(venues_of(runner.about)):
            state = int(live.gateway(n)["state"])
            if state != OPEN:
                return f"the link to {venue} is {GATEWAY_STATES[state]}"
        return ""

    def _go_on(self, why: str) -> None:
        words = why.encode()[:WHY_BYTES].decode(errors="ignore")
        if self._tell(go_on(at=clock.now_ns(), who="handover", why=words)):
            self.state, self._why = TRADING, why

    def _tell(self, directive: Directive) -> bool:
        return self._runner.tell(directive.row(self._runner.live.session.risk, clock.now_ns()))

    def _last_words(self) -> Told:
        """For the end of the journal: what it holds, after the last word of its strategies."""
        links = [
            {"venue": venue, "last_urn": int(self._runner.live.gateway(n)["last_urn"])}
            for n, venue in enumerate(venues_of(self._runner.about))
        ]
        times = {"asked_ns": self._asked_ns, "safe_ns": self._safe_ns}
        carried = carried_of(self._runner.live)
        return {"handed_over": self._to | times | {"links": links, "carried": carried}}
