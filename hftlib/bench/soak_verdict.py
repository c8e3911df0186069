"""What a soak came to: each thing that must hold, what was found, and the verdict.

    soaked.checks      name, whether it holds, what was found
    soaked.is_sound    all of them
    soaked.as_json(), soaked.table()

Memory: RssAnon, what the middle sample of the last tenth has above that of the first tenth. The
runner may not grow by more than RUNNER_KIB_MAX; the exchange keeps every message of its feed and of
its sessions for those who ask for it later, which is taken off. Either limit is of whole pages.

Worst case: none, it is arithmetic.
"""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from hftlib.bench.harness import host
from hftlib.bench.soak_day import Day

HUGE_KIB = 2_048  # memory that is touched for the first time may come in pages so large
RUNNER_KIB_MAX = 2 * HUGE_KIB
EXCHANGE_KIB_MAX = 4 * HUGE_KIB  # it has four stores that grow: feed, its index, two streams
INDEX_BYTES, FRAME_BYTES = 8, 3  # beside each message that the exchange keeps, each of a session


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold."""

    name: str
    holds: bool
    found: str


@dataclass(slots=True)
class Soaked:
    """A soak, and all that is known of it."""

    minutes: float
    rate: float
    messages: int
    position_lots: int
    watched: dict[str, Any] = field(default_factory=dict)
    ends: dict[str, Any] = field(default_factory=dict)
    day: Day = field(default_factory=Day)
    copied: dict[str, int] = field(default_factory=dict)
    copied_most: int = 0
    copied_bytes_each: float = 0.0
    copied_executions: int = 0
    journal_bytes: int = 0
    replay: dict[str, Any] = field(default_factory=dict)

    @property
    def samples(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.watched["samples"]
        return found

    @property
    def drops(self) -> int:
        return int(self.samples[-1]["drops"] - self.watched["drops_before"])

    @property
    def runner_grown_kib(self) -> float:
        return grown([one["runner_kib"] for one in self.samples])

    @property
    def exchange_grown_kib(self) -> float:
        """Without what it keeps for those who ask later: its feed, and both sessions' streams."""
        each = {
            "published": self.day.message_bytes / max(self.day.messages, 1),
            "said": self.day.answer_bytes / max(self.day.answers, 1) + FRAME_BYTES,
            "copied": self.copied_bytes_each + FRAME_BYTES,
        }
        kept = sum(
            grown([one[name] for one in self.samples]) * (size + INDEX_BYTES)
            for name, size in each.items()
        )
        return grown([one["exchange_kib"] for one in self.samples]) - kept / 1024

    @property
    def checks(self) -> list[Check]:
        return [*self._feed(), *self._memory(), *self._limits(), *self._books()]

    @property
    def is_sound(self) -> bool:
        return all(one.holds for one in self.checks)

    def _feed(self) -> list[Check]:
        day, counts = self.day, self.ends["runner"]["counts"]
        feeds = {one["feed"] for one in self.samples}
        rates = f"{day.mean_rate:,.0f} a second, {day.least_rate:,} in the slowest"
        taken = f"{counts['messages']:,} of {day.messages:,} taken, {day.missing:,} never came"
        return [
            Check(f"messages came at {self.rate:,.0f} a second", day.mean_rate >= self.rate, rates),
            Check("no datagram was dropped", self.drops == 0, f"{self.drops:,} drops"),
            Check(
                "no message was lost for good",
                day.missing == 0 and counts["messages"] == day.messages,
                f"{taken}; {day.requests_late:,} requests for lost ones",
            ),
            Check("the feed was live at each look", feeds == {"LIVE"}, ", ".join(sorted(feeds))),
        ]

    def _memory(self) -> list[Check]:
        runner, exchange = self.runner_grown_kib, self.exchange_grown_kib
        return [
            Check(
                f"the runner grew by {RUNNER_KIB_MAX:,} KiB at most",
                runner <= RUNNER_KIB_MAX,
                f"{runner:+,.0f} KiB, of {self.samples[-1]['runner_kib'] / 1024:,.0f} MiB",
            ),
            Check(
                f"the exchange by {EXCHANGE_KIB_MAX:,} KiB, beside what it keeps of the day",
                exchange <= EXCHANGE_KIB_MAX,
                f"{exchange:+,.0f} KiB, of {self.samples[-1]['exchange_kib'] / 1024:,.0f} MiB",
            ),
        ]

    def _limits(self) -> list[Check]:
        day, most = self.day, max(self.day.most_held.values(), default=0)
        tenth = max(2, len(self.samples) // 10)  # the last look may be right behind another
        late = self.samples[-1]["refused"] - self.samples[-1 - tenth]["refused"]
        return [
            Check(
                f"never more than {self.position_lots:,} held of a symbol",
                most <= self.position_lots and self.copied_most <= self.position_lots,
                f"{most:,} by the journal, {self.copied_most:,} by the drop copy",
            ),
            Check(
                f"never more than {self.messages:,} orders and replaces in a second",
                day.most_messages <= self.messages,
                f"{day.most_messages:,} in the busiest, {day.commands:,} in all",
            ),
            Check(
                "limits were reached, and refused to the end",
                late > 0 and most == self.position_lots and day.most_messages == self.messages,
                f"{self.samples[-1]['refused']:,} refused, {late:,} in the last tenth",
            ),
        ]

    def _books(self) -> list[Check]:
        held = {name: n for name, n in self.day.held.items() if n}
        copied = {name: n for name, n in self.copied.items() if n}
        why = self.ends["runner"]["why"]
        return [
            Check(
                "the venue says we hold what the journal says",
                held == copied and self.day.executions == self.copied_executions,
                f"{self.day.executions:,} and {self.copied_executions:,} executions",
            ),
            Check("the runner ended because it was told to", not why, why or "it did"),
            Check(
                "the journal replays to the byte",
                bool(self.replay["is_identical"]),
                self.replay["difference"].splitlines()[0]
                if self.replay["difference"]
                else f"{self.replay['frames']:,} frames in {self.replay['seconds']:.0f} s",
            ),
        ]

    def as_json(self) -> dict[str, Any]:
        """All of it, ready for `json.dumps`; of samples the first, the middle and the last."""
        day = asdict(self.day)
        few = self.samples
        figures = {
            "drops": self.drops,
            "drops_before": self.watched["drops_before"],
            "runner_grown_kib": self.runner_grown_kib,
            "exchange_grown_kib": self.exchange_grown_kib,
            "journal_bytes": self.journal_bytes,
            "journal_bytes_a_minute": self.journal_bytes_a_minute,
            "latencies_ns": self.watched["status"]["latencies_ns"],
        }
        asked = {name: getattr(self, name) for name in ("minutes", "rate", "messages")}
        return {
            "host": host(),
            "asked": asked | {"position_lots": self.position_lots},
            "is_sound": self.is_sound,
            "checks": [asdict(one) for one in self.checks],
            "figures": figures,
            "day": day,
            "ends": self.ends,
            "replay": self.replay,
            "samples": [few[0], few[len(few) // 2], few[-1]],
        }

    @property
    def journal_bytes_a_minute(self) -> float:
        return self.journal_bytes / max(self.day.seconds / 60, 1e-9)

    def table(self) -> Any:
        """A line for each check, and the verdict."""
        from rich.box import SIMPLE
        from rich.table import Table

        made = Table(
            title="sound" if self.is_sound else "NOT sound",
            caption=self._caption(),
            box=SIMPLE,
            pad_edge=False,
        )
        for name in ("must hold", "found", ""):
            made.add_column(name, overflow="fold")
        for one in self.checks:
            made.add_row(one.name, one.found, "yes" if one.holds else "[bold red]NO[/]")
        return made

    def _caption(self) -> str:
        within = ", ".join(f"{n:,} in {span}" for span, n in self.day.most_within.items())
        return (
            f"{self.minutes:g} minutes; the most messages: {within}; "
            f"the journal took {self.journal_bytes_a_minute / 1e6:,.0f} MB a minute"
        )


def grown(values: list[int]) -> float:
    """The middle of the last tenth less that of the first."""
    tenth = max(1, len(values) // 10)
    return float(statistics.median(values[-tenth:]) - statistics.median(values[:tenth]))
