"""Where people hear: a thread for each address, so that one that hangs delays nobody else.

    channels = channels_of(rules, os.environ)      {"desk": [Channel, ...], ...}
    channel.say("critical", "runner-gone of maker: ...")
    channel.close()

What is said within `group_s` is one message: a burst of a hundred alerts is one. Where it is not
taken it is tried again, twice as long after each failure, with what came meanwhile in it. After
TRIES_TOLD failures `failing` says so, which is an alert for the others; after GIVE_UP_S what it
held is `lost`, and that stands in the log.

An address may hold a secret: it is shown nowhere, only the receiver's name and a number are, and
what apprise itself would log is not.

Worst case: LINES_MAX lines wait for one address; older ones are dropped, and counted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from hftlib.core.errors import InputError
from hftlib.ops.alerts.rules import SEVERITIES, Receiver, Rules, urls_of

LINES_MAX, SHOWN_MAX = 2_000, 40
WAIT_S_MAX, GIVE_UP_S, TRIES_TOLD = 60.0, 900.0, 2
LEAVES_S = 3.0


class Channel(threading.Thread):
    """One address."""

    def __init__(self, name: str, apprise: Any, group_s: float, grows_s: float) -> None:
        super().__init__(name=f"alerts to {name}", daemon=True)
        self.label, self._apprise = name, apprise
        self._group_s, self._grows_s = group_s, grows_s
        self._lines: deque[tuple[str, str]] = deque()
        self._wake, self._ends = threading.Condition(), False
        self.sent = self.failures = self.dropped = 0
        self._lost: list[str] = []
        self._held: list[tuple[str, str]] = []  # what is being told
        self.start()

    @property
    def failing(self) -> bool:
        """Whether it does not take what it is told."""
        return self.failures >= TRIES_TOLD

    def say(self, severity: str, line: str) -> None:
        with self._wake:
            if len(self._lines) >= LINES_MAX:
                self._lines.popleft()
                self.dropped += 1
            self._lines.append((severity, line))
            self._wake.notify()

    def lost(self) -> list[str]:
        """What was given up since it was asked last."""
        with self._wake:
            found, self._lost = self._lost, []
        return found

    def close(self) -> None:
        """What waits may still leave, for a while; what did not is lost."""
        until = time.monotonic() + LEAVES_S
        with self._wake:
            self._ends = True
            self._wake.notify()
        self.join(max(0.0, until - time.monotonic()))
        with self._wake:
            self._lost += [line for _, line in (*self._held, *self._lines)]
            self._held = []

    def run(self) -> None:
        while True:
            with self._wake:
                while not self._lines and not self._ends:
                    self._wake.wait()
                if not self._lines:
                    return
            if not self._ends:
                time.sleep(self._group_s)  # what comes with it is one message
            self._deliver()

    def _deliver(self) -> None:
        first, wait = time.monotonic(), self._grows_s
        while True:
            with self._wake:
                self._held += self._lines
                self._lines.clear()
                held = list(self._held)
            if self._is_taken(held):
                with self._wake:
                    self._held = []
                self.sent, self.failures = self.sent + 1, 0
                return
            self.failures += 1
            if self._ends or time.monotonic() - first > GIVE_UP_S or len(held) > 2 * LINES_MAX:
                with self._wake:
                    self._lost += [line for _, line in self._held]
                    self._held = []
                return
            with self._wake:
                if not self._ends:
                    self._wake.wait_for(lambda: self._ends, wait)
            wait = min(2 * wait, WAIT_S_MAX)

    def _is_taken(self, held: list[tuple[str, str]]) -> bool:
        title, body, kind = message_of(held)
        try:
            return bool(self._apprise.notify(title=title, body=body, notify_type=kind))
        except Exception:  # a plug-in's own: it says an address, so nothing of it is shown
            return False


def message_of(held: list[tuple[str, str]]) -> tuple[str, str, str]:
    """A title, a text and apprise's kind for lines, the gravest first."""
    rows = sorted(held, key=lambda one: -SEVERITIES.index(one[0]))
    worst, first = rows[0]
    title = f"[{worst}] {first}"
    if len(rows) > 1:
        title = f"[{worst}] {len(rows)} alerts, first: {first}"
    lines = [f"[{severity}] {line}" for severity, line in rows[:SHOWN_MAX]]
    if len(rows) > SHOWN_MAX:
        lines.append(f"... and {len(rows) - SHOWN_MAX:,} more: hft alerts show")
    kinds = {"info": "info", "warning": "warning", "critical": "failure"}
    return title[:200], "\n".join(lines), kinds[worst]


def channels_of(rules: Rules, environment: Mapping[str, str]) -> dict[str, list[Channel]]:
    """A channel for each address of each receiver; one that is none is a sentence without it."""
    given = {name: urls_of(one, environment) for name, one in rules.receivers.items()}
    if not given:
        return {}
    made = {
        name: [_object(name, n, url) for n, url in enumerate(urls, 1)]
        for name, urls in given.items()
    }
    return {
        name: [_channel(rules, name, one, n) for n, one in enumerate(objects, 1)]
        for name, objects in made.items()
    }


def _channel(rules: Rules, name: str, made: Any, number: int) -> Channel:
    receiver: Receiver = rules.receivers[name]
    label = name if number == 1 else f"{name} {number}"
    return Channel(label, made, rules.tell.group_s, receiver.grows_s)


def _object(name: str, number: int, url: str) -> Any:
    try:
        import apprise
    except ImportError:
        do = "Run `pip install 'hftlib[alerts]'`."
        what = "The package apprise is not installed"
        raise InputError(what, where="hft alerts", do=do) from None
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.CRITICAL + 1)  # its lines name addresses
    logger.propagate = False
    made = apprise.Apprise()
    if not made.add(url):
        do = "Write it as apprise has it: mailto://, slack://, pagerduty://, json://HOST/PATH, ..."
        where = f"receiver {name}"
        raise InputError(f"Its URL number {number} is none that apprise knows", where=where, do=do)
    return made
