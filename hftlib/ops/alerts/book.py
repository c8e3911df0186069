"""Alerts from firing to resolved: each is one thing, told once, and again as long as nobody acts.

    trouble ── for_s ──▶ firing ──▶ acknowledged ──▶ resolved
                           │  ▲ repeat_s: told again     ▲
                           │  └ escalate_s: to the next list, too
                           └── gone for clear_s ─────────┘

    steps = take(found, rules, seen, now)      what is to be told or done, in order

An alert is known by its rule, runner and key. One that comes again within AGAIN_S is the same one:
it keeps its number, and is told at most each FLAP_S. What is muted or falls into quiet hours is on
the board, and is told if it still fires when they end.

Worst case: OPEN_MAX of them are open at once; what comes beyond is one alert that says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from hftlib.core.times import zone_named
from hftlib.ops.alerts.board import ACKNOWLEDGED, FIRING, RESOLVED, Alert
from hftlib.ops.alerts.rules import SEVERITIES, Quiet, Rules

OPEN_MAX, KEPT_MAX = 500, 200
CLEAR_S, AGAIN_S, FLAP_S = 1.0, 60.0, 30.0  # CLEAR_S: of what has no rule
SECOND = 1_000_000_000
FIRED, AGAIN, ESCALATED, OVER = "fired", "told again", "escalated", "resolved"


class Found(NamedTuple):
    """A trouble of one rule and runner."""

    rule: str
    runner: str
    key: str
    severity: str
    said: str
    value: float | str


@dataclass(frozen=True, slots=True)
class Step:
    """Something happened to an alert; `to`: receivers that hear of it."""

    what: str
    alert: Alert
    to: tuple[str, ...] = ()


class Book:
    """What is kept from turn to turn, and not on the board: since when something holds."""

    def __init__(self, rules: Rules, now_ns: int) -> None:
        self.rules = rules
        self._since: dict[tuple[str, str, str], int] = {}
        self._clear: dict[str, int] = {}
        self._begun_ns = now_ns

    def take(
        self, board: dict[str, Any], found: Iterable[Found], held: set[tuple[str, str]], now_ns: int
    ) -> list[Step]:
        """One turn. `held`: rules and runners of which nothing could be said: they stay."""
        troubles = {(one.rule, one.runner, one.key): one for one in found}
        self._since = {key: self._since.get(key, now_ns) for key in troubles}
        rows = {(one["rule"], one["runner"], one["key"]): one for one in board["alerts"]}
        steps: list[Step] = []
        for key, one in troubles.items():
            rule = self.rules.rules.get(one.rule)
            if rule is not None and now_ns - self._since[key] < rule.for_s * SECOND:
                continue
            self._fire(board, rows.get(key), one, now_ns, steps)
        for one in board["alerts"]:
            key = one["rule"], one["runner"], one["key"]
            if one["state"] == RESOLVED or key[:2] in held:
                continue
            if key in troubles:
                self._clear.pop(one["id"], None)
            elif now_ns - self._clear.setdefault(one["id"], now_ns) >= self._patience_ns(one):
                del self._clear[one["id"]]
                one |= {"state": RESOLVED, "over_ns": now_ns}
                steps.append(Step(OVER, dict(one), tuple(one["to"]) * self.rules.tell.resolved))
        for one in board["alerts"]:
            if one["state"] == FIRING:
                self._tell(one, self._is_muted(board, one, now_ns), now_ns, steps)
        _forget(board)
        return steps

    def _fire(
        self,
        board: dict[str, Any],
        was: Alert | None,
        one: Found,
        now_ns: int,
        steps: list[Step],
    ) -> None:
        if was is not None and was["state"] != RESOLVED:
            was |= {"said": one.said, "value": one.value}
            return
        if was is not None and now_ns - was["over_ns"] < AGAIN_S * SECOND:
            was |= {"state": FIRING, "said": one.said, "value": one.value, "by": "", "why": ""}
            was |= {"count": was["count"] + 1}
            steps.append(Step(FIRED, dict(was)))
            return
        stands = sum(one["state"] != RESOLVED for one in board["alerts"])
        if stands >= OPEN_MAX and one.rule != "alerts-full":
            said = f"{OPEN_MAX} alerts are open, and more come: {one.rule} of {one.runner}"
            if any(a["rule"] == "alerts-full" and a["state"] != RESOLVED for a in board["alerts"]):
                return
            one = Found("alerts-full", "", "", "critical", said, OPEN_MAX)
        board["number"] += 1
        alert: Alert = {"id": f"A{board['number']}", "state": FIRING, "by": "", "why": ""}
        alert |= one._asdict()
        alert |= {"since_ns": now_ns, "over_ns": 0, "told_ns": 0, "level": 0, "to": []}
        alert |= {"count": 1, "told_count": 0}
        if was is not None:
            board["alerts"].remove(was)
        board["alerts"].append(alert)
        steps.append(Step(FIRED, dict(alert)))

    def _tell(self, one: Alert, is_muted: bool, now_ns: int, steps: list[Step]) -> None:
        """Who has not heard of it, or not lately."""
        levels, tell = self.rules.levels(one["severity"]), self.rules.tell
        if is_muted or not levels:
            return
        if not one["told_ns"]:
            what, level = FIRED, 1
        elif one["level"] < len(levels) and now_ns - one["told_ns"] >= tell.escalate_s * SECOND:
            what, level = ESCALATED, one["level"] + 1
        elif one["count"] > one["told_count"] and now_ns - one["told_ns"] >= FLAP_S * SECOND:
            what, level = FIRED, one["level"]  # it was over meanwhile, and that was told
        elif now_ns - one["told_ns"] >= tell.repeat_s * SECOND:
            what, level = AGAIN, one["level"]
        else:
            return
        names = {name: None for some in levels[:level] for name in some}
        one |= {"told_ns": now_ns, "told_count": one["count"], "level": level, "to": list(names)}
        steps.append(Step(what, dict(one), tuple(names)))

    def _patience_ns(self, one: Alert) -> float:
        """For how long it must be gone before it is over."""
        rule = self.rules.rules.get(one["rule"])
        return (CLEAR_S if rule is None else rule.clear_s) * SECOND

    def _is_muted(self, board: dict[str, Any], one: Alert, now_ns: int) -> bool:
        muted = {mute["rule"] for mute in board["mutes"] if mute["until_ns"] > now_ns}
        if one["rule"] in muted:
            return True
        quiet = self.rules.quiet
        if quiet is None or not is_quiet(quiet, now_ns):
            return False
        return SEVERITIES.index(one["severity"]) < SEVERITIES.index(quiet.below)


def is_quiet(quiet: Quiet, now_ns: int) -> bool:
    """Whether it is one of these hours, which may go over midnight."""
    at = datetime.fromtimestamp(now_ns / SECOND, UTC).astimezone(zone_named(quiet.zone)).time()
    if quiet.begin <= quiet.end:
        return quiet.begin <= at < quiet.end
    return at >= quiet.begin or at < quiet.end


def _forget(board: dict[str, Any]) -> None:
    """Of what is over the newest stay."""
    over = sorted(
        (a for a in board["alerts"] if a["state"] == RESOLVED), key=lambda a: a["over_ns"]
    )
    for one in over[: max(0, len(over) - KEPT_MAX)]:
        board["alerts"].remove(one)


__all__ = ["ACKNOWLEDGED", "AGAIN", "ESCALATED", "FIRED", "OVER", "Book", "Found", "Step"]
