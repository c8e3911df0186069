"""An alert's life, with time as an argument: once each, repeated, escalated, acknowledged, over."""

from __future__ import annotations

from datetime import time

import pytest

from hftlib.ops.alerts.board import ACKNOWLEDGED, FIRING, RESOLVED
from hftlib.ops.alerts.book import KEPT_MAX, OPEN_MAX, Book, Found
from hftlib.ops.alerts.rules import Quiet, Receiver, Rule, Rules, Tell

S = 1_000_000_000
LEVELS = (("desk",), ("head",), ("officer",))
NONE = set()


def rules(for_s=0.0, clear_s=1.0, **more):
    given = {"escalate_s": 60.0, "repeat_s": 300.0, "critical": LEVELS, "warning": (("desk",),)}
    receivers = {name: Receiver(url_env="X") for name in ("desk", "head", "officer")}
    made = {"odd": Rule(kind="runner_gone", severity="critical", for_s=for_s, clear_s=clear_s)}
    return Rules(rules=made, receivers=receivers, tell=Tell(**given), **more)


class Life:
    """A book and its board; `at` is a turn at that second, with this wrong."""

    def __init__(self, **more):
        self.book = Book(rules(**more), 0)
        self.board = {"number": 0, "alerts": [], "mutes": [], "acts": {}}

    def at(self, second, *keys, severity="critical", held=NONE):
        found = [Found("odd", "maker", key, severity, f"{key} at {second}", second) for key in keys]
        steps = self.book.take(self.board, found, held, 10**18 + round(second * S))
        return [(one.what, one.alert["key"], one.to) for one in steps]

    def state(self, key="a"):
        return next(one["state"] for one in self.board["alerts"] if one["key"] == key)


def test_it_is_told_once_and_again_and_to_more_people():
    life = Life()
    assert life.at(0, "a") == [("fired", "a", ()), ("fired", "a", ("desk",))]
    assert life.at(1, "a") == [] and life.at(59.9, "a") == []
    assert life.at(60, "a") == [("escalated", "a", ("desk", "head"))]
    assert life.at(119.9, "a") == []
    assert life.at(120, "a") == [("escalated", "a", ("desk", "head", "officer"))]
    assert life.at(419, "a") == []
    assert life.at(420, "a") == [("told again", "a", ("desk", "head", "officer"))]
    assert life.board["alerts"][0]["said"] == "a at 420" and len(life.board["alerts"]) == 1
    assert life.at(421) == [], "a moment without it is not its end"
    assert life.at(422) == [("resolved", "a", ("desk", "head", "officer"))]
    assert life.state() == RESOLVED and life.at(9_999) == []


def test_what_is_acknowledged_is_told_no_more_until_it_comes_again():
    life = Life()
    life.at(0, "a")
    life.board["alerts"][0] |= {"state": ACKNOWLEDGED, "by": "ann", "why": "on it"}
    assert life.at(1_000, "a") == []
    assert life.at(1_001) == []
    assert life.at(1_002) == [("resolved", "a", ("desk",))]
    assert life.at(1_100, "a")[1:] == [("fired", "a", ("desk",))]
    assert [one["id"] for one in life.board["alerts"]] == ["A2"]


def test_one_that_comes_and_goes_keeps_its_number_and_is_not_told_each_time():
    life = Life()
    life.at(0, "a")
    life.at(1)
    assert life.at(2) == [("resolved", "a", ("desk",))]
    assert life.at(3, "a") == [("fired", "a", ())] and life.state() == FIRING
    assert life.at(29.9, "a") == []
    assert life.at(30, "a") == [("fired", "a", ("desk",))]
    assert [one["id"] for one in life.board["alerts"]] == ["A1"]


def test_one_that_swings_about_its_edge_is_one_alert():
    life = Life(clear_s=30.0)
    assert len(life.at(0, "a")) == 2
    for second in range(1, 60):
        assert life.at(second, *["a"] * (second % 20 == 0)) == [], second
    assert life.at(60, "a") == [("escalated", "a", ("desk", "head"))], "nobody took it on"
    assert life.at(61) == life.at(90.9) == [] and life.state() == FIRING
    assert life.at(91) == [("resolved", "a", ("desk", "head"))]


def test_it_must_hold_for_so_long_without_a_break():
    life = Life(for_s=5.0)
    assert life.at(0, "a") == [] and life.at(4.9, "a") == []
    assert life.at(4.95) == [] and life.at(5, "a") == []
    assert life.at(9.9, "a") == [] and len(life.at(10, "a")) == 2


def test_of_what_nothing_can_be_said_it_stays_as_it_was():
    life = Life()
    life.at(0, "a")
    for second in range(1, 50):
        assert life.at(second, held={("odd", "maker")}) == []
    assert life.state() == FIRING


def test_what_is_muted_is_on_the_board_and_told_if_it_lasts():
    life = Life()
    life.board["mutes"] = [{"rule": "odd", "until_ns": 10**18 + 100 * S}]
    assert life.at(0, "a") == [("fired", "a", ())] and life.state() == FIRING
    assert life.at(99.9, "a") == []
    assert life.at(100, "a") == [("fired", "a", ("desk",))]


@pytest.mark.parametrize(("severity", "told"), [("critical", True), ("warning", False)])
def test_quiet_hours_keep_what_is_less_than_critical(severity, told):
    # 10**18 ns is 2001-09-09 01:46:40 UTC.
    life = Life(quiet=Quiet(begin=time(22), end=time(1, 47)))
    steps = life.at(0, "a", severity=severity)
    assert (("fired", "a", ("desk",)) in steps) == told
    assert (("fired", "a", ("desk",)) in life.at(19.9, "a", severity=severity)) is False
    assert (("fired", "a", ("desk",)) in life.at(20, "a", severity=severity)) == (not told)


def test_quiet_hours_are_of_their_zone():
    life = Life(quiet=Quiet(begin=time(3), end=time(4), zone="Europe/Berlin"))
    assert len(life.at(0, "a", severity="warning")) == 1, "it is 03:46 there"


def test_there_is_a_bound_and_what_is_over_is_forgotten_in_time():
    life = Life()
    life.at(0, *(f"k{n}" for n in range(OPEN_MAX + 50)))
    assert len(life.board["alerts"]) == OPEN_MAX + 1
    assert life.board["alerts"][-1]["rule"] == "alerts-full"
    life.at(1)
    life.at(2)
    assert len(life.board["alerts"]) == KEPT_MAX
