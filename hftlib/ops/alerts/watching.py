"""All of it, turn by turn: look at every runner, see what is wrong, tell people, act.

    watching = Watching(rules, runners, folder, os.environ, say)
    while True: watching.turn(); time.sleep(LOOK_S)
    watching.close()

    runners ─▶ eyes ─▶ rules' kinds ─▶ book ─▶ board.json ─▶ channels, recovery, log
                                                             └─ what went wrong with these

What goes wrong with itself is an alert like any other: an address that takes nothing
(`undelivered`), a log that cannot be written (`log`), an action that failed (`action`), a rule
that could not be worked out (`rule-failed`), a runner too many (`left-out`).

Worst case: a turn is late by what a runner without a page is waited for, ASK_S each; an address
that hangs, a runner that is told something and a heartbeat each have a thread of their own.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from hftlib.core import clock
from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.ops.alerts.board import WHO, Board
from hftlib.ops.alerts.book import FIRED, OVER, Book, Found, Step
from hftlib.ops.alerts.conditions import ALONE, KINDS
from hftlib.ops.alerts.receivers import channels_of
from hftlib.ops.alerts.recovery import Recovery
from hftlib.ops.alerts.rules import Rules
from hftlib.ops.alerts.sight import Eye, Look
from hftlib.ops.runners import Runners

LOOK_S, PING_S = 0.25, 5.0
Say = Callable[[str, Mapping[str, Any]], None]
OWN = {
    "undelivered": "critical",
    "log": "critical",
    "action": "critical",
    "rule-failed": "warning",
    "left-out": "warning",
}


class Watching:
    """One process of alerts; a folder has one at a time."""

    def __init__(
        self,
        rules: Rules,
        runners: Runners,
        folder: Path,
        environment: Mapping[str, str],
        say: Say,
    ) -> None:
        self.rules, self.runners, self.board = rules, runners, Board(folder)
        self._say, self._eyes = say, dict[str, Eye]()
        with self.board.held() as board:
            known = set(rules.rules) | set(OWN) | {"alerts-full"}
            # A rule that is no more cannot say that its trouble is over.
            board["alerts"] = [one for one in board["alerts"] if one["rule"] in known]
        self._only_one = _claimed(folder)
        try:
            self.channels = channels_of(rules, environment)
            self.book, self.recovery = Book(rules, clock.now_ns()), Recovery(self.board)
            self.turned_s = time.monotonic()
            self._pings = _pinging(rules, environment, self)
        except BaseException:
            os.close(self._only_one)
            raise
        self.board.note(WHO, "began", f"{len(rules.rules)} rules", receivers=len(self.channels))

    def turn(self) -> list[Step]:
        """Look at everything once."""
        now_s = time.monotonic()
        looks = self._looks(now_s)
        found, held = self._found(looks)
        found += list(self._own())
        with self.board.held() as board:
            steps = self.book.take(board, found, held, clock.now_ns())
            for one in steps:
                self._act(one, board)
        for one in steps:
            self._tell(one)
        self.turned_s = time.monotonic()
        return steps

    def close(self) -> None:
        """What waits may still leave; what did not stands in the log."""
        self.recovery.close()
        for one in self._every():
            one.close()
        for label, line in self._lost():
            self.board.note(WHO, "undelivered", label, line)
        self.board.note(WHO, "ended", "")
        os.close(self._only_one)

    def _looks(self, now_s: float) -> list[Look]:
        there = self.runners.now()
        for name, socket in there.items():
            if name not in self._eyes or self._eyes[name].socket != socket:
                self._eyes[name] = Eye(name, socket, bool(self.runners.named), now_s)
        self._eyes = {name: self._eyes[name] for name in there}
        return [one.look(now_s) for one in self._eyes.values()]

    def _found(self, looks: list[Look]) -> tuple[list[Found], set[tuple[str, str]]]:
        """What is wrong, and of which rules and runners nothing can be said."""
        found: list[Found] = []
        held: set[tuple[str, str]] = set()
        for look in looks:
            for name, rule in self.rules.rules.items():
                if rule.runners and look.name not in rule.runners:
                    continue
                is_dead = look.status is None or look.page.get("is_left")
                if is_dead and rule.kind not in ALONE:
                    if look.page.get("is_left"):
                        held.add((name, look.name))  # as it was: nobody has said otherwise
                    continue
                try:
                    for one in KINDS[rule.kind].of(rule, look):
                        found.append(
                            Found(name, look.name, one.key, rule.severity, one.said, one.value)
                        )
                except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
                    said = f"its rule {name} cannot be worked out: {error!r}"
                    severity = OWN["rule-failed"]
                    found.append(Found("rule-failed", look.name, name, severity, said, ""))
                    held.add((name, look.name))
        return found, held

    def _own(self) -> Iterator[Found]:
        """What is wrong with telling people."""
        for one in self._every():
            if one.failing:
                said = f"{one.label} takes no messages, after {one.failures} tries"
                yield Found("undelivered", "", one.label, OWN["undelivered"], said, one.failures)
        for label, line in self._lost():
            self.board.note(WHO, "undelivered", label, line)
            self._say("undelivered", {"receiver": label, "line": line})
        if self.board.wrong:
            yield Found("log", "", "", OWN["log"], f"the log takes nothing: {self.board.wrong}", "")
        for (rule, runner), why in list(self.recovery.failed.items()):
            yield Found("action", runner, rule, OWN["action"], f"rule {rule} could not {why}", "")
        if self.runners.left_out:
            said = f"{self.runners.left_out} runners are beyond what is looked at"
            yield Found("left-out", "", "", OWN["left-out"], said, self.runners.left_out)

    def _act(self, step: Step, board: dict[str, Any]) -> None:
        rule = self.rules.rules.get(step.alert["rule"])
        is_new = step.what == FIRED and not step.to
        if rule is None or rule.action is None or not is_new:
            return
        eye = self._eyes.get(step.alert["runner"])
        if eye is not None:
            self.recovery.begin(step.alert, rule, eye.socket, board["acts"], clock.now_ns())

    def _tell(self, step: Step) -> None:
        one = step.alert
        if step.what != FIRED or not step.to:  # fired: once as it fires, and once as it is told
            what = f"{one['id']} {one['rule']} {one['runner']}"
            self.board.note(WHO, step.what, what, one["said"], severity=one["severity"])
            self._say(step.what, one)
        of = f" of {one['runner']}" if one["runner"] else ""
        after = {FIRED: "", OVER: "resolved: "}.get(step.what, f"{step.what}: ")
        line = f"{after}{one['id']} {one['rule']}{of}: {one['said']}"
        severity = "info" if step.what == OVER else one["severity"]
        for name in step.to:
            for channel in self.channels.get(name, ()):
                if not (one["rule"] == "undelivered" and one["key"] == channel.label):
                    channel.say(severity, line)

    def _every(self) -> list[Any]:
        return [one for some in self.channels.values() for one in some]

    def _lost(self) -> list[tuple[str, str]]:
        return [(one.label, line) for one in self._every() for line in one.lost()]


def _claimed(folder: Path) -> int:
    """That no other process watches with this folder."""
    place = folder / "running.lock"
    try:
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        do = "Give a folder that you can write: --folder."
        why = f"Alerts cannot lie there: {error.strerror}"
        raise HostError(why, where=str(place), do=do) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        do = "Leave it to that one, or give another folder: --folder."
        raise StateError("Another hft alerts uses this folder", where=str(folder), do=do) from None
    return descriptor


def _pinging(
    rules: Rules, environment: Mapping[str, str], watching: Watching
) -> threading.Thread | None:
    """The dead man's switch, where one is wanted: it is told while turns are made."""
    if rules.heartbeat is None:
        return None
    url = environment.get(rules.heartbeat.url_env, "").strip()
    if not url.startswith(("http://", "https://")):
        do = f"Set {rules.heartbeat.url_env} to an address, http:// or https://."
        raise InputError("The heartbeat has no address", where="heartbeat.url_env", do=do)
    every_s = rules.heartbeat.every_s

    def run() -> None:
        import urllib.request

        while True:
            if time.monotonic() - watching.turned_s < PING_S:
                with suppress(OSError, HftError, ValueError):
                    urllib.request.urlopen(url, timeout=PING_S).close()
            time.sleep(every_s)

    thread = threading.Thread(target=run, name="heartbeat of alerts", daemon=True)
    thread.start()
    return thread
