"""What is looked at while a soak runs: samples once a second, and the drop copy all the time.

    looks = Looks(exchange, runner, at_exchange, at_runner, copy, seen)
    looks.begin(advance)             until the runner hears the feed and may send orders
    looks.watch(seconds, advance)    a Sample each second into `seen`
    looks.hear_out(advance)          the rest of the drop copy

Worst case: a process that does not answer for half a minute ends it with a sentence.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hftlib.bench import soak_host as host
from hftlib.core.control.asking import told
from hftlib.core.errors import StateError
from hftlib.ops.drop_copy import DropCopy
from hftlib.terminal import Advance

EACH_S, TURN_S, PATIENCE_S = 1.0, 0.05, 300.0


@dataclass(slots=True)
class Sample:
    """One look, once a second."""

    seconds: float
    messages: int
    commands: int
    refused: int
    published: int
    said: int
    copied: int
    drops: int
    runner_kib: int
    runner_mapped_kib: int
    exchange_kib: int
    feed: str


@dataclass(slots=True)
class Watched:
    """What was seen while it ran."""

    begun_ns: int = 0
    drops_before: int = 0
    samples: list[Sample] = field(default_factory=list)
    status: dict[str, Any] = field(default_factory=dict)
    exchange: dict[str, Any] = field(default_factory=dict)


class Copy(DropCopy):
    """The venue's word on what we hold, and the most it ever was."""

    most_held = bytes_heard = 0

    def _message(self, told: Any) -> None:
        super()._message(told)
        self.bytes_heard += len(bytes(told))
        if told.type == "E":
            self.most_held = max(self.most_held, *map(abs, self.positions.values()))


class Looks:
    """What is looked at while it runs."""

    def __init__(
        self,
        exchange: host.Process,
        runner: host.Process,
        at_exchange: Path,
        at_runner: Path,
        copy: Copy,
        seen: Watched,
    ) -> None:
        self._exchange, self._runner, self._copy, self._seen = exchange, runner, copy, seen
        self._at_exchange, self._at_runner = at_exchange, at_runner

    @property
    def drops(self) -> int:
        return host.drops_of(self._runner.pid) + host.drops_of(self._exchange.pid)

    def ask(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the runner and the exchange say of themselves."""
        said = {"do": "status"}
        return told(self._at_runner, said, "runner"), told(self._at_exchange, said, "exchange")

    def begin(self, advance: Advance) -> None:
        """Wait until it has all that it missed, and may trade."""
        self._until(
            lambda status: (
                status["feeds"][0]["state"] == "LIVE"
                and status["links"][0]["state"] == "OPEN"
                and self._copy.is_whole
            ),
            "the runner hears the feed and may send orders",
            advance,
        )

    def hear_out(self, advance: Advance) -> None:
        """The rest of the drop copy, until nothing more comes."""
        heard, quiet = -1, 0
        while quiet < 20:
            self._copy.turn()
            quiet = quiet + 1 if self._copy.heard == heard else 0
            heard = self._copy.heard
            advance(1.0, "hearing the drop copy out")
            time.sleep(TURN_S)

    def _until(self, is_so: Callable[[dict[str, Any]], bool], what: str, advance: Advance) -> None:
        until = time.monotonic() + PATIENCE_S
        while True:
            self._runner.require_alive()
            self._copy.turn()
            if is_so(told(self._at_runner, {"do": "status"}, "runner")):
                return
            if time.monotonic() > until:
                raise StateError(
                    f"Not in {PATIENCE_S:.0f} s: {what}",
                    where="hft bench soak",
                    do="Run it with two cores free; `hft doctor` says what else the host lacks.",
                )
            advance(0.0, what)
            time.sleep(TURN_S)

    def watch(self, seconds: float, advance: Advance) -> None:
        """A sample each second, for so long."""
        begun = time.monotonic()
        due = begun
        while (now := time.monotonic()) < begun + seconds:
            self._copy.turn()
            if now >= due:
                due += EACH_S
                one = self._sample(now - begun)
                advance((now - begun) / seconds, self._line(one))
            time.sleep(TURN_S)
        self._seen.samples.append(self._sample(seconds))

    def _sample(self, seconds: float) -> Sample:
        for process in (self._exchange, self._runner):
            process.require_alive()
        status, exchange = self.ask()
        kept, counts = exchange["counts"], status["counts"]
        feeds = {one["state"] for one in status["feeds"]}
        made = Sample(
            seconds,
            counts["messages"],
            counts["commands"],
            counts["refused"],
            kept["messages"],
            kept["said"],
            kept["copied"],
            self.drops,
            host.own_kib(self._runner.pid),
            host.mapped_kib(self._runner.pid),
            host.own_kib(self._exchange.pid),
            ", ".join(sorted(feeds)),
        )
        self._seen.samples.append(made)
        return made

    def _line(self, one: Sample) -> str:
        """What a person wants to see while it runs."""
        before = self._seen.samples[-2] if len(self._seen.samples) > 1 else one
        passed = max(one.seconds - before.seconds, 1e-9)
        return (
            f"{(one.messages - before.messages) / passed:,.0f} messages/s, "
            f"{(one.commands - before.commands) / passed:,.0f} commands/s, {one.drops} drops, "
            f"feed {one.feed}, runner {one.runner_kib / 1024:.1f} MiB, "
            f"exchange {one.exchange_kib / 1024:.0f} MiB"
        )
