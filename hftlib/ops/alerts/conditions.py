"""What may be wrong with a runner: each kind of rule is one function over what is seen of it.

    for trouble in KINDS["disk"].of(rule, look): ...       Trouble(key, said, value)

A key tells troubles of one rule and runner apart: a scope, a feed, a limit. What was so before we
looked is no increase: counters are compared with what they were at the first look.

Worst case: a status that lacks what a kind asks for (`limits`, `refusals` of an older runner) has
no such trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from hftlib.ops.disk_room import disk_room
from hftlib.ops.showing import READY
from hftlib.ops.watch_beat import BEAT_S

if TYPE_CHECKING:
    from hftlib.ops.alerts.rules import Rule
    from hftlib.ops.alerts.sight import Look

BEGINS_S = 10.0  # so long a feed or a link may need to be ready for the first time


class Trouble(NamedTuple):
    """What is wrong, in words."""

    key: str
    said: str
    value: float | str


Found = Iterator[Trouble]


class Kind(NamedTuple):
    """A kind of rule: what it says, what a rule of it must give and may give."""

    of: Callable[[Rule, Look], Found]
    needs: tuple[str, ...]
    takes: tuple[str, ...]
    about: str


def _gone(_rule: Rule, look: Look) -> Found:
    if look.page.get("is_left"):
        yield Trouble("", "its process is gone, and its day did not end", "gone")


def _absent(_rule: Rule, look: Look) -> Found:
    if look.status is None and look.is_named and not look.was_there:
        yield Trouble("", "it is not there, and has not been", "absent")


def _stopped(_rule: Rule, look: Look) -> Found:
    found = look.status
    if found is None or found["is_running"] or look.page.get("is_left"):
        return
    if found["why"] and not found["is_handed_over"]:
        yield Trouble("", f"it trades no more: {found['why']}", str(found["why"]))


def _page_old(rule: Rule, look: Look) -> Found:
    age_ms = look.page.get("age_ns", 0) / 1e6
    if look.status is None or look.page.get("is_left") or not look.status["is_running"]:
        return
    assert rule.more_than_ms is not None
    if age_ms > rule.more_than_ms:
        yield Trouble("", f"its hot thread has said nothing for {age_ms:,.0f} ms", age_ms)


def _watchdog_gone(_rule: Rule, look: Look) -> Found:
    beat = look.beat
    if beat is not None and (beat["is_left"] or beat["age_s"] > 4 * BEAT_S):
        yield Trouble("", "its watchdog is gone without a word, nobody guards it", "gone")


def _mismatch(_rule: Rule, look: Look) -> Found:
    for place, words in (look.beat or {}).get("parted", {}).items():
        yield Trouble(place, f"drop copy: {words}", words)


def _trading_state(rule: Rule, look: Look) -> Found:
    for one in _seen(look)["scopes"]:
        if one["state"] in rule.states:
            why = f": {one['why']}" if one["why"] else ""
            yield Trouble(one["scope"], f"{one['scope']} is {one['state']}{why}", one["state"])


def _trading_why(rule: Rule, look: Look) -> Found:
    for one in _seen(look)["scopes"]:
        if one["state"] != "active" and one["why"] in rule.reasons:
            yield Trouble(
                one["scope"], f"{one['scope']} is {one['state']}: {one['why']}", one["why"]
            )


def _strategy_stopped(_rule: Rule, look: Look) -> Found:
    for one in _seen(look)["strategies"]:
        if one["stopped"]:
            yield Trouble(
                one["name"], f"{one['name']} has stopped: {one['stopped']}", one["stopped"]
            )


def _feed_down(_rule: Rule, look: Look) -> Found:
    yield from _not_ready(look, "feed", ("LIVE",))


def _link_down(_rule: Rule, look: Look) -> Found:
    yield from _not_ready(look, "link", READY)


def _not_ready(look: Look, what: str, good: tuple[str, ...]) -> Found:
    found = _seen(look)
    if not found["is_running"]:
        return
    for n, one in enumerate(found[f"{what}s"]):
        if one["state"] in good:
            look.past.lived.add((what, n))
        elif (what, n) in look.past.lived or look.time_s - look.past.begun_s > BEGINS_S:
            why = f": {one['why']}" if one["why"] else ""
            yield Trouble(
                f"{what} {n + 1}",
                f"{what} {n + 1} of {one['venue']} is {one['state']}{why}",
                one["state"],
            )


def _clock_step(rule: Rule, look: Look) -> Found:
    clock = _seen(look)["clock"]
    _, before = look.past.earlier("clock", look.time_s, rule.over_s, clock["steps"])
    if clock["steps"] > before:
        step_ms = clock["step_us_max"] / 1e3
        yield Trouble("", f"its host's clock was set, by {step_ms:+,.1f} ms at most", step_ms)


def _clock_unsynchronised(_rule: Rule, look: Look) -> Found:
    if _seen(look)["clock"]["is_synchronised"] is False:
        yield Trouble("", "its host's clock is not synchronised", 0.0)


def _clock_error(rule: Rule, look: Look) -> Found:
    error_us = _seen(look)["clock"]["sync_error_us"]
    assert rule.more_than_ms is not None
    if error_us is not None and error_us / 1e3 > rule.more_than_ms:
        yield Trouble(
            "", f"its host's clock may be wrong by {error_us / 1e3:,.1f} ms", error_us / 1e3
        )


def _standby_behind(rule: Rule, look: Look) -> Found:
    standby = _seen(look).get("standby")
    if not standby:
        return
    late_ms = standby["lag_ns"] / 1e6
    if rule.more_than_ms is not None and late_ms > rule.more_than_ms:
        yield Trouble("lag", f"its standby is {late_ms:,.0f} ms behind", late_ms)
    if standby["durability"] != "replicated":
        said = f"its orders do not wait for its standby: durability {standby['durability']}"
        yield Trouble("durability", said, standby["durability"])


def _limit_share(rule: Rule, look: Look) -> Found:
    assert rule.share is not None
    for one in _seen(look).get("limits", ()):
        share, name = one["share"], one["name"]
        if share is None or share < rule.share or (rule.limits and name not in rule.limits):
            continue
        if rule.share < 1 <= share:
            continue  # another rule says that it is reached
        said = f"{name} of {one['scope']}: {one['used']:,g} of {one['limit']:,g} {one['unit']}"
        yield Trouble(f"{one['scope']} {name}", said, share)


def _refusals(rule: Rule, look: Look) -> Found:
    for one in _seen(look).get("refusals", ()):
        reason, strategy, count = str(one["reason"]), str(one["strategy"]), int(one["count"])
        if reason not in rule.reasons:
            continue
        key = "refusals", strategy, reason
        # A reason that was none at our first look began at nothing.
        first = count if look.time_s == look.past.begun_s else 0
        look.past.earlier(key, look.past.begun_s, rule.over_s, first)
        _, before = look.past.earlier(key, look.time_s, rule.over_s, count)
        if count > before:
            said = f"{count - before:,} orders of {strategy} refused: {reason}"
            yield Trouble(f"{strategy}: {reason}", said, count - before)


def _rate(rule: Rule, look: Look) -> Found:
    found = _seen(look)
    if rule.count not in found["counts"]:
        return
    count = found["counts"][rule.count]
    since_s, before = look.past.earlier(("rate", rule.count), look.time_s, rule.over_s, count)
    if rule.count == "refused" and any(one["state"] != "active" for one in found["scopes"]):
        return  # a scope that is halted refuses all, and that has an alert of its own
    seconds = look.time_s - since_s
    assert rule.per_second is not None
    each = (count - before) / max(seconds, 1.0)
    if seconds > 0 and each > rule.per_second:
        yield Trouble("", f"{each:,.1f} orders {rule.count} a second", each)


def _loss(rule: Rule, look: Look) -> Found:
    lost = -sum(one["profit"] or 0.0 for one in _seen(look)["positions"])
    if rule.more_than_money is not None and lost > rule.more_than_money:
        yield Trouble("", f"it has lost {lost:,.2f}", lost)


def _latency(rule: Rule, look: Look) -> Found:
    """The objective's budget is burnt so many times faster than it lasts."""
    stage = look.stages.get(rule.stage)
    if stage is None:
        return
    assert rule.under_us is not None and rule.objective is not None and rule.burn is not None
    good = next(count for bound, count in stage.buckets if float(bound) * 1e6 >= rule.under_us)
    key = "latency", rule.stage, rule.under_us
    _, before = look.past.earlier(key, look.time_s, rule.over_s, (stage.count, good))
    total, in_time = stage.count - before[0], good - before[1]
    if total < rule.least:
        return
    late = 1 - in_time / total
    if late > rule.burn * (1 - rule.objective):
        said = f"{late:.2%} of {rule.stage} took more than {rule.under_us:,g} us"
        yield Trouble(rule.stage, f"{said}, of {total:,.0f}", late)


def _disk(rule: Rule, look: Look) -> Found:
    room = disk_room(_seen(look))
    if room is None:
        return
    few = rule.less_than_bytes is not None and room.free_bytes < rule.less_than_bytes
    if few or (rule.less_than_share is not None and room.share < rule.less_than_share):
        said = f"{room.free_bytes / 1e9:,.1f} GB ({room.share:.1%}) are free where its journal is"
        yield Trouble("", said, room.free_bytes)


def _seen(look: Look) -> dict[str, Any]:
    assert look.status is not None, "only a runner that is there has such troubles"
    return look.status


ALONE = ("runner_gone", "runner_absent", "watchdog_gone", "mismatch")  # asked of one not there, too
KINDS = {
    "runner_gone": Kind(_gone, (), (), "Its process is gone and its day did not end"),
    "runner_absent": Kind(_absent, (), (), "A runner that was named has never been there"),
    "runner_stopped": Kind(_stopped, (), (), "It ended by itself, with a reason"),
    "page_old": Kind(_page_old, ("more_than_ms",), (), "Its hot thread says nothing for so long"),
    "watchdog_gone": Kind(_watchdog_gone, (), (), "A watchdog that guarded it is gone"),
    "mismatch": Kind(_mismatch, (), (), "The venue's drop copy says otherwise, says its watchdog"),
    "trading_state": Kind(_trading_state, ("states",), (), "A scope is in one of these states"),
    "trading_why": Kind(_trading_why, ("reasons",), (), "A scope is stopped for such a reason"),
    "strategy_stopped": Kind(_strategy_stopped, (), (), "A strategy failed, or stopped itself"),
    "feed_down": Kind(_feed_down, (), (), "A feed is not LIVE"),
    "link_down": Kind(_link_down, (), (), "A link takes no orders"),
    "clock_step": Kind(_clock_step, (), ("over_s",), "The host's clock was set"),
    "clock_unsynchronised": Kind(_clock_unsynchronised, (), (), "It is not synchronised"),
    "clock_error": Kind(_clock_error, ("more_than_ms",), (), "It may be wrong by so much"),
    "standby_behind": Kind(_standby_behind, ("more_than_ms",), (), "The standby lacks something"),
    "limit_share": Kind(_limit_share, ("share",), ("limits",), "So much of a limit is in use"),
    "refusals": Kind(_refusals, ("reasons",), ("over_s",), "Risk refused for such a reason"),
    "rate": Kind(_rate, ("count", "per_second"), ("over_s",), "So many a second"),
    "loss": Kind(_loss, ("more_than_money",), (), "All positions together have lost so much"),
    "latency": Kind(
        _latency,
        ("under_us", "objective", "burn"),
        ("stage", "over_s", "least"),
        "An objective's budget is burnt so many times too fast",
    ),
    "disk": Kind(_disk, (), ("less_than_bytes", "less_than_share"), "The journal's disk fills"),
}
