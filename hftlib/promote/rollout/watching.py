"""Beside a champion's runner: what breaks its release's policy is halted at once, and rolled back.

    look ─▶ answers? ─ no ─▶ its journal is closed? ─ yes ─▶ over: its day has ended
              │                   └ no, for silence_ms ──┐
              └─ yes ─▶ within the policy? ─ no ─────────┴─▶ halt ─▶ roll back ─▶ switch ─▶ over
                                └─ yes ─▶ look again

The firm is halted by command first, so that nothing more goes out; a process that does not hear it
is ended by a signal, as a watchdog would. Then the rollback's step is signed and written, and the
runner is switched to the champion before. Each is tried once: what fails is said, for a person.
Somebody who has rolled back meanwhile is not overtaken.

How it stands is seen as by a watchdog (`ops/watch_line.py`): by its answer, or by its page where
that waits. Worst case: what goes wrong between two looks is seen at the next, `LOOK_S` later; the
switch takes as long as the other release needs to be launched, with the firm halted meanwhile.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib.core.control.asking import pid_of
from hftlib.core.errors import HftError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames, sealed_in
from hftlib.core.journal.walking import is_live
from hftlib.core.release.rollout_policy import Breach
from hftlib.ops.watch_line import Sight, stays
from hftlib.promote.rollout.breaches import Breaches

LOOK_S, HALT_S = 0.1, 2.0
WHO = "rollout watch"
Told = dict[str, Any]
Say = Callable[[str, Told], None]


@dataclass(slots=True)
class RolloutWatch:
    """One runner, watched; `back` rolls back and says what it did."""

    control: Path
    journal: Path
    digest: str
    breach: Breach
    back: Callable[[str, bool], None]  # why, and whether the runner is there to be switched
    say: Say
    over: str = ""
    has_acted: bool = False
    looks: int = 0
    process: int = 0
    _sight: Sight | None = None
    _heard: float = 0.0
    _rules: Breaches | None = None
    _untold: set[str] = field(default_factory=set)

    def begin(self) -> None:
        """Find the process; from here on silence counts."""
        self.process = pid_of(self.control, "runner")
        self._sight = Sight(self.control, self.process)
        self._heard, self._rules = time.monotonic(), Breaches(self.breach)
        self.say("watching", {"process": self.process, "journal": str(self.journal)})
        self._sight.last()
        if self._sight.wrong:
            self.say("no page", {"why": self._sight.wrong})

    def step(self) -> None:
        """Look once, and do what must be done."""
        self.looks += 1
        found = self._look()
        now = time.monotonic()
        if not found:
            self._silent(now)
            return
        self._heard = now
        ran = found.get("release")
        if isinstance(ran, dict) and ran.get("digest") != self.digest:
            self._end("another release runs there now")
        elif found.get("is_running") is False:
            if why := str(found.get("why") or ""):
                self._breached(f"its runner has stopped: {why}")
        elif self._rules is not None:
            wrong, untold = self._rules.look(found, now)
            for rule in sorted(untold.keys() - self._untold):
                self.say("cannot tell", {"rule": rule, "why": untold[rule]})
            self._untold = set(untold)
            if wrong:
                self._breached(wrong[0])

    def _silent(self, now: float) -> None:
        """No answer: its day may have ended as it should."""
        told = last_words(self.journal)
        if told is not None:
            why = str(told.get("why") or "")
            if why:
                self._breached(f"its runner has stopped: {why}")
            else:
                self._end("its day has ended")
            return
        late = (now - self._heard) * 1e3
        if late >= self.breach.silence_ms:
            rule = f"the rule is {self.breach.silence_ms:,g}"
            self._breached(f"it has not answered for {late:,.0f} ms, {rule}")

    def _breached(self, why: str) -> None:
        """Once: halt, then back."""
        self.has_acted, self.over = True, why
        self.say("breach", {"why": why})
        alive = self._halt(why)
        try:
            self.back(why, alive)
        except HftError as error:
            self.say("not rolled back", {"why": f"{error.what}: {error.do}"})

    def _halt(self, why: str) -> bool:
        """Nothing more goes out; whether the runner is still there."""
        said = {"do": "halt", "scope": "firm", "who": WHO, "why": _short(why), "role": "process"}
        if self._told(said):
            self.say("halted", {"scope": "firm"})
            return True
        if self.process and stays(self.process):
            try:
                os.kill(self.process, signal.SIGKILL)
                self.say("ended", {"process": self.process})
            except (PermissionError, ProcessLookupError) as error:
                self.say("not ended", {"process": self.process, "why": str(error)})
        else:
            self.say("gone", {"process": self.process})
        return False

    def _end(self, why: str) -> None:
        self.over = why
        self.say("over", {"why": why})

    def _look(self) -> Told:
        """Its status, by its answer, or by its page while that waits; nothing where it is silent.

        Who hung up is asked anew at the next look; until then silence counts from the last answer.
        """
        silence_s = self.breach.silence_ms / 1e3
        assert self._sight is not None, "begun"
        try:
            return self._sight.look(silence_s)
        except TimeoutError:  # whatever its page says, nobody answers
            self._heard = min(self._heard, time.monotonic() - silence_s)
        except (OSError, StateError, ValueError, KeyError, TypeError):
            self._sight = Sight(self.control, self.process)
        return {}

    def _told(self, said: Told) -> bool:
        """Whether it has heard this; of one that is silent a new connection is asked."""
        try:
            return bool(Sight(self.control, self.process).ask(said, time.monotonic() + HALT_S))
        except (OSError, StateError, ValueError, KeyError, TypeError):
            return False


def last_words(journal: Path) -> Told | None:
    """What its last frame says, where it was closed and nobody goes on with it."""
    try:
        if is_live(journal):
            return None
        last = None
        for last in frames(journal, max(1, sealed_in(journal))):  # noqa: B007  (the last one)
            pass
        if last is None or last.kind != kinds.CLOSED:
            return None
        told = json.loads(last.payload)
    except (HftError, OSError, ValueError):
        return None
    return told if isinstance(told, dict) else {}


def watch(beside: RolloutWatch, seconds: float = 0.0) -> None:
    """Look, and look again, until there is nothing to be watched."""
    until = time.monotonic() + seconds if seconds else float("inf")
    beside.begin()
    while not beside.over and time.monotonic() < until:
        begun = time.monotonic()
        beside.step()
        if not beside.over:
            time.sleep(max(0.0, LOOK_S - (time.monotonic() - begun)))


def _short(why: str) -> str:
    """As long as a directive's words may be."""
    return why.encode()[:64].decode(errors="ignore")
