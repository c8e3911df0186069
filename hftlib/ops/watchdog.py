"""A process of its own that watches a runner, and ends what must not go on.

    look ─▶ answers? ─▶ frames go on? ─▶ within the rules? ─▶ look again
              no            no                 no ─▶ halt the firm ─▶ orders gone in time? ─▶ watch
               └─────────────┴─────────────────┬─────────────────────────┴ no ─▶ end the process
                                               └ it is gone ─▶ cancel at the venue ◀─┘

A process is ended by a signal that nothing can catch, also one that was stopped by SIGSTOP. What
stood at the venue is then cancelled there, by a session of its own that is open all the time
(`last_resort.py`); without one it is the venue's to take back (`cancel_on_disconnect`). The same
where the process is gone by itself, or may not be signalled. Its rules are its own
(`watch_rules.py`); its figures are the runner's, asked for through the control socket and read in
its page while nobody answers (`watch_line.py`), and what the venue says is held, by another session
(`drop_copy.py`), of several venues by one each.

That it watches is seen by others too (`watch_beat.py`).

Worst case: what goes wrong between two looks is seen at the next, `LOOK_S` later; a runner that
does not answer is ended after `silence_ms`.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib.core.control.asking import pid_of
from hftlib.core.errors import HftError, StateError
from hftlib.ops.drop_copy import DropCopy, differences
from hftlib.ops.last_resort import LastResort, Resorts, see_through
from hftlib.ops.modes import SHADOW
from hftlib.ops.watch_beat import Beat
from hftlib.ops.watch_line import Sight, follower, stays
from hftlib.ops.watch_rules import Rules, broken

LOOK_S = 0.1
LEAVES_S = 3.0  # a runner waits two for its orders to come back
FOLLOW_S = 15.0  # for whom it handed over to
WHO = "watchdog"
NONE_OF_THE_VENUES = "the runner is a shadow: the venue knows none of what it holds"
OF_OTHERS = "the runner is a shadow: what stands at the venue is of others"
Told = dict[str, Any]


@dataclass(slots=True)
class Watchdog:
    """Watches one runner. `step` looks once; `say` is told each thing that happens."""

    path: Path
    rules: Rules
    say: Callable[[str, Told], None]
    copies: Mapping[str, DropCopy] = field(default_factory=dict)  # by venue
    resort: LastResort | Resorts | None = None
    process: int = 0
    looks: int = 0
    halted: float = 0.0
    has_ended: bool = False
    parted: dict[str, str] = field(default_factory=dict)  # where the venue says other things
    over: str = ""  # why there is nothing to be watched any more
    _sight: Sight | None = None
    _last: Told = field(default_factory=dict)
    _frames: tuple[int, float] = (-1, 0.0)
    _live: dict[int, float] = field(default_factory=dict)
    _parted: dict[tuple[str, str], float] = field(default_factory=dict)  # since it last agreed
    _compared: float = 0.0
    _leaves: float = 0.0
    _follows: float = 0.0  # until when another runner may take the place of one that handed over

    def begin(self) -> None:
        """Find the process; from here on it need not answer to be ended."""
        self.process = pid_of(self.path, "runner")
        self._sight = Sight(self.path, self.process)
        self._sight.last()
        self.say("watching", {"process": self.process})
        if self._sight.wrong:
            self.say("no page", {"why": self._sight.wrong})

    def step(self) -> None:
        """Look once, and do what must be done."""
        self.looks += 1
        for copy in self.copies.values():
            copy.turn()
        if self.resort is not None:
            self.resort.turn()
        if self._follows:
            self._follow()
            return
        found = self._ask()
        if self.over:
            return
        if found is None:
            self._end(f"it has not answered for {self.rules.silence_ms:g} ms")
            return
        now = time.monotonic()
        if not found["is_running"]:
            self._see_off(found, now)
            return
        if not self._last and found["mode"] == SHADOW:
            self._pass_over()
        why = self._hangs(found, now)
        if why:
            self._end(why)
        elif self.halted:
            self._see_it_through(found, now)
        else:
            wrong = [*broken(self.rules, found, self._last), *self._stale(found, now)]
            wrong += self._disagrees(found, now)
            if wrong:
                self._halt(wrong[0], now)
        self._last = found

    def _see_off(self, found: Told, now: float) -> None:
        """It was told to end, or stopped by itself: what stands is on its way back, or is not."""
        if found.get("is_handed_over"):
            self._follows = now + FOLLOW_S
            return
        stands = found["open_orders"] > 0
        self._leaves = self._leaves or now
        if stands and not found["why"] and now - self._leaves < LEAVES_S:
            return
        told = found["why"] or "it was told to end" + ", and orders stand" * stands
        self.over = f"it trades no more: {told}"
        self.say("over", {"why": self.over})
        if found["why"] or stands:
            self._take_back()

    def _follow(self) -> None:
        """It handed over: whoever listens in its place is watched from now on."""
        process = follower(self.path, self.process)
        if process:
            self.process, self._follows, self._leaves, self.halted = process, 0.0, 0.0, 0.0
            self._sight, self._last, self._frames = Sight(self.path, process), {}, (-1, 0.0)
            self.say("follows", {"process": process})
        elif time.monotonic() > self._follows:
            self.over = "it handed over, and nobody took its place"
            self.say("over", {"why": self.over})
            self._take_back()

    def _pass_over(self) -> None:
        """Beside a shadow no rule is of the venue, and nothing is taken back there.

        All else is looked at: a watchdog that ended because of it would guard nothing.
        """
        if self.copies and self.rules.mismatch_ms is not None:
            self.say("passed over", {"rule": "mismatch_ms", "why": NONE_OF_THE_VENUES})
        self.copies = {}
        if self.resort is not None:
            self.resort.close()
            self.resort = None
            self.say("passed over", {"rule": "the cancel session", "why": OF_OTHERS})

    def _hangs(self, found: Told, now: float) -> str:
        """Whether its hot thread has taken no frame for too long."""
        frames = found["counts"]["frames"]
        if frames != self._frames[0]:
            self._frames = (frames, now)
        late = (now - self._frames[1]) * 1e3
        return f"its hot thread has stood for {late:,.0f} ms" * (late > self.rules.heartbeat_ms)

    def _stale(self, found: Told, now: float) -> Iterator[str]:
        for n, one in enumerate(found["feeds"]):
            if one["state"] == "LIVE" or n not in self._live:
                self._live[n] = now
            late = (now - self._live[n]) * 1e3
            if self.rules.stale_ms is not None and late > self.rules.stale_ms:
                of = f" of {one['venue']}" if len(found["feeds"]) > 1 else ""
                yield f"feed {n + 1}{of} is {one['state']} for {late:,.0f} ms"

    def _disagrees(self, found: Told, now: float) -> Iterator[str]:
        """What the venue says is held, and the runner does not, for too long to be on its way.

        Each symbol has a time of its own: of a quick trader each look may find another one on its
        way, and all of them together would never agree.
        """
        if not self.copies or self.rules.mismatch_ms is None:
            return
        wrong: dict[tuple[str, str], str] = {}
        several = len(found["feeds"]) > 1
        for venue, copy in self.copies.items():
            rows = [one for one in found["positions"] if not several or one["venue"] == venue]
            told = {"": copy.why} if copy.why else differences(copy.positions, rows)
            wrong |= {(venue, symbol): words for symbol, words in told.items()}
        last, self._compared = self._compared or now, now
        self._parted = {one: self._parted.get(one, last) for one in wrong}
        for one, since in sorted(self._parted.items(), key=lambda item: item[1]):
            late = (now - since) * 1e3
            if late > self.rules.mismatch_ms:
                told_of = f"{f'{one[0]}: ' * several}{wrong[one]}"
                self.parted[f"{one[1]}@{one[0]}"] = told_of
                yield f"for {late:,.0f} ms: {told_of}"

    def _halt(self, why: str, now: float) -> None:
        """By command first: risk lets nothing new out, and takes back what stands."""
        self.halted = now
        self.say("halting", {"why": why})
        said = {"do": "halt", "scope": "firm", "who": WHO, "why": why[:64], "role": "process"}
        if self._ask(said) is None and not self.over:
            self._end(f"{why}; and it did not hear that it shall halt")

    def _see_it_through(self, found: Told, now: float) -> None:
        states = {one["scope"]: one["state"] for one in found["scopes"]}
        late = (now - self.halted) * 1e3
        if states["firm"] == "halted" and not found["open_orders"]:
            return
        if late > self.rules.grace_ms:
            self._end(f"{found['open_orders']:,} orders stand {late:,.0f} ms after it was halted")

    def _end(self, why: str) -> None:
        """By signal: nothing can catch this one. Then at the venue, if there is a way to."""
        with suppress(ProcessLookupError):
            try:
                os.kill(self.process, signal.SIGKILL)
            except PermissionError:
                why = f"{why}; it is not ours to end"
        self.over, self.has_ended = why, True
        if self.resort is not None:
            self.resort.begin(why)
        self.say("ended", {"why": why, "process": self.process} | self._held())

    def _take_back(self) -> None:
        """It is over without a word, or stopped by itself: at the venue, if there is a way to."""
        if self.resort is not None:
            self.has_ended = True
            self.resort.begin(self.over)

    def _held(self) -> Told:
        """What it held and had standing when it last said so."""
        found = self._sight.last() if self._sight is not None else None
        rows = [] if found is None else found["positions"]
        held = {f"{one['symbol']}@{one['venue']}": 0.0 for one in rows if one["quantity"]}
        for one in rows:
            if one["quantity"]:
                held[f"{one['symbol']}@{one['venue']}"] += one["quantity"]
        return {} if found is None else {"held": held, "open_orders": found["open_orders"]}

    def _ask(self, said: Told | None = None) -> Told | None:
        """Its status, or an answer, in time, or none; one who is gone is not watched any more."""
        patience = self.rules.silence_ms / 1e3
        try:
            assert self._sight is not None, "begun"
            if said is None:
                return self._sight.look(patience)
            return self._sight.ask(said, time.monotonic() + patience)
        except TimeoutError:
            return None
        except (OSError, StateError) as error:
            self.over = "" if stays(self.process) else "the runner is gone"
            if not self.over:  # alive, and hung up: not what a runner does
                self._end(f"it hung up: {error}")
            else:
                self.say("over", {"why": self.over} | self._held())
                self._take_back()  # it did not say that its day is over
            return {}


def watch(dog: Watchdog, seconds: float = 0.0) -> None:
    """Look, and look again, until there is nothing to be watched, and nothing stands."""
    until = time.monotonic() + seconds if seconds else float("inf")
    beat, say = Beat(dog.path), dog.say

    def heard(what: str, facts: Told) -> None:
        beat.say(what, facts)
        say(what, facts)

    dog.say = heard
    dog.begin()
    while not dog.over and time.monotonic() < until:
        begun = time.monotonic()
        try:
            dog.step()
        except (HftError, KeyError, TypeError, ValueError) as error:  # an answer that is none
            dog._end(f"it answers nonsense: {error!r}")
        beat.turn(dog.parted)
        if not dog.over:
            time.sleep(max(0.0, LOOK_S - (time.monotonic() - begun)))
    if dog.resort is not None and dog.resort.has_begun:
        see_through(dog.resort)
    beat.remove()
