"""`hft bench soak --minutes 10` (`make soak`): a runner that trades for a while at twice the peak.

    hft exchange, agents ─ two lines of multicast ─▶ hft live, limits that bite ─ OUCH ─▶ back
                         ─ drop copy ─▶ this process, which also looks into /proc once a second

Two real processes on real sockets. The feed runs at twice RECORDED_PEAK all the time; a strategy
that quotes at every event wants more than its limits grant. Then it says whether no datagram was
dropped or lost for good, memory did not grow, no limit was ever broken, and the journal replays.

RECORDED_PEAK: the busiest second of all recordings of a feed that the project has is one of the
pre-open of 2019-10-30, of 8,915 symbols; the busiest one of orders has 1,205 messages.

Worst case: the journal takes some 300 to 600 MB a minute, in a temporary folder (TMPDIR).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hftlib.bench import soak_host as host
from hftlib.bench.soak_day import looked_over
from hftlib.bench.soak_verdict import Soaked
from hftlib.core import clock
from hftlib.core.control.asking import told
from hftlib.core.errors import StateError
from hftlib.ops.drop_copy import DropCopy
from hftlib.terminal import Advance
from hftlib.venue.floor.demo import ACCOUNTS

RECORDED_PEAK = 26_721  # messages in a second
RATE = 2 * RECORDED_PEAK
AHEAD = 1.06  # of the rate wanted: what is asked of the agents, so that no second falls short
MESSAGES_EACH = 0.9  # of the feed, for a command of the agents
MESSAGE_BYTES = 44  # at most, with its length
SYMBOLS = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG", "HHH")
STRATEGY, USER, COPY_USER, PASSWORD = "QueueImbalance", "frm1a", "frm1d", "secret"
POSITION_LOTS, MESSAGES = 300, 1_000  # limits; the strategy would hold 500, and say far more
WARM_S, WARM_SHARE, WARM_S_LEAST = 60.0, 0.25, 3.0
EACH_S, TURN_S, PATIENCE_S = 1.0, 0.05, 300.0
ROOM = 1.5  # for what the exchange keeps, beside what it should come to


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


def soak(
    minutes: float,
    advance: Advance,
    rate: float = RATE,
    messages: int = MESSAGES,
    position_lots: int = POSITION_LOTS,
) -> Soaked:
    """Run it, and say what came of it. `messages` and `position_lots` are the limits.

    The market opens once the runner listens: what lies before is asked for piece by piece, and
    that takes longer than the feed goes on at this rate.
    """
    seconds = 60.0 * minutes
    warm_s = max(WARM_S_LEAST, min(WARM_S, WARM_SHARE * seconds))
    with tempfile.TemporaryDirectory(prefix="hft-soak-") as made:
        folder = Path(made)
        write_configuration(folder, rate, warm_s + seconds, messages, position_lots)
        soaked = Soaked(minutes, rate, messages, position_lots)
        _run(folder, soaked, seconds, warm_s, advance)
        soaked.journal_bytes = host.folder_bytes(folder / "day.journal")
        soaked.replay = _replayed(folder, advance)
    return soaked


def write_configuration(
    folder: Path, rate: float, seconds: float, messages: int, position_lots: int
) -> None:
    """What the exchange and the runner are told: `exchange.toml`, `limits.toml`."""
    feed_messages = int(ROOM * AHEAD * rate * (seconds + PATIENCE_S)) + (1 << 20)
    own_messages = int(ROOM * 20 * messages * (seconds + PATIENCE_S)) + (1 << 16)
    tables: dict[str, Any] = {
        "state": '"closed"',  # agents act, and nothing comes of it
        "feed_messages_max": feed_messages,
        "feed_store_bytes_max": MESSAGE_BYTES * feed_messages,
        "session_messages_max": own_messages,
        "session_store_bytes_max": 80 * own_messages,
    }
    lines = ["[exchange]", *(f"{name} = {value}" for name, value in tables.items())]
    for name in SYMBOLS:
        lines += ["[[symbols]]", f'name = "{name}"']
    for firm in ("FRM1", "FRM2"):
        lines += ["[[firms]]", f'name = "{firm}"']
    for account in ACCOUNTS:
        lines += ["[[accounts]]", *(f'{name} = "{value}"' for name, value in account.items())]
    each = AHEAD * rate / MESSAGES_EACH / len(SYMBOLS)
    lines += ["[market]", 'flow = "agents"', f"events_per_second = {each:.1f}"]
    (folder / "exchange.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    limits = ['[instrument."*"]', f"position_lots = {position_lots}"]
    limits += ['[strategy."*"]', f"messages = {messages}"]
    (folder / "limits.toml").write_text("\n".join(limits) + "\n", encoding="utf-8")


def _run(folder: Path, soaked: Soaked, seconds: float, warm_s: float, advance: Advance) -> None:
    at_exchange, at_runner = folder / "exchange.socket", folder / "runner.socket"
    given = ["--config", "exchange.toml", "--json", "--control", str(at_exchange)]
    with host.started("exchange", folder, *given) as exchange:
        places = exchange.first_line(advance)
        given = [
            STRATEGY,
            "--exchange",
            "exchange.json",
            "--journal",
            "day.journal",
            "--user",
            USER,
        ]
        given += ["--limits", "limits.toml", "--json", "--control", str(at_runner)]
        with host.started("live", folder, *given) as runner:
            runner.first_line(advance)
            copy = Copy(tuple(places["drop_copy"]), COPY_USER, PASSWORD)
            seen = Watched()
            looks = _Looks(exchange, runner, at_exchange, at_runner, copy, seen)
            looks.begin(advance)
            told(at_exchange, {"do": "trade"}, "exchange")
            looks.watch(warm_s, lambda _share, what: advance(0.0, f"warming up: {what}"))
            seen.samples.clear()
            seen.begun_ns, seen.drops_before = clock.now_ns(), looks.drops
            looks.watch(seconds, advance)
            seen.status, seen.exchange = looks.ask()
            soaked.ends["runner"] = runner.end()
            looks.hear_out(advance)
        soaked.ends["exchange"] = exchange.end()
    copy.close()
    soaked.watched, soaked.copied = asdict(seen), dict(copy.positions)
    soaked.copied_bytes_each = copy.bytes_heard / max(copy.heard, 1)
    soaked.copied_most, soaked.copied_executions = copy.most_held, copy.executions
    most = int(soaked.ends["exchange"]["counts"]["messages"])
    soaked.day = looked_over(folder / "day.journal", seen.begun_ns, most, advance)


class _Looks:
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


def _replayed(folder: Path, advance: Advance) -> dict[str, Any]:
    """`hft replay` of the day, in a process of its own."""
    advance(1.0, "replaying the journal")
    done = subprocess.run(
        [sys.executable, "-c", host.PROGRAM, "replay", "day.journal", "--json"],
        check=False, cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    if not lines:
        raise StateError(
            f"The replay said nothing: {done.stderr.strip()[-500:]}",
            where="hft bench soak",
            do="That is a fault of ours; please report it.",
        )
    found: dict[str, Any] = json.loads(lines[-1])
    return found
