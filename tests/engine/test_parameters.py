"""Another value of a parameter while a strategy trades: who may, and where it is written."""

from __future__ import annotations

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.engine import path
from hftlib.risk.authority import NOT_ALLOWED, ROLES
from hftlib.risk.directives import DIRECTIVE, FLOAT, NO_SUCH, SET_PARAMETER
from hftlib.risk.states import PARAMETER, REFUSED
from tests.engine.desk import Desk, Quiet

modes = pytest.mark.modes


@hft.strategy
class Tuned:
    """Counts in steps that may be changed while it counts."""

    seen: float = hft.state()
    step: int = hft.param(1, low=1, high=9)
    share: float = hft.param(0.5, low=0.0, high=1.0)
    is_shy: bool = hft.param(False)
    wait: int = hft.param("1s", duration=True)

    def on_start(self, ctx):
        self.seen = 0.0
        ctx.timer(1_000, 1)

    def on_timer(self, ctx, number):
        ctx.timer(1_000, 1)
        self.seen += self.step * self.share


def told(desk, which, value, scope=None, role="risk"):
    row = np.zeros(1, DIRECTIVE)
    one = row[0]
    one["what"], one["which"], one["value"] = SET_PARAMETER, which, value
    one["scope"] = desk.session.risk.row(2, "Tuned") if scope is None else scope
    one["role"], one["who"], one["second"] = ROLES.index(role), b"ann", b"step"
    one["time"] = desk.time + 1
    path.directive(desk.session.address, row.ctypes.data)
    return int(row["outcome"][0])


@pytest.fixture
def desk():
    made = Desk(strategy={"Quiet": Quiet(), "Tuned": Tuned()})
    made.tuned = made.beside(1)
    return made


def logged(desk):
    count = int(desk.session.arena["risk"]["changes"][0])
    return desk.session.arena["changes"][:count]


def test_a_value_is_written_where_the_class_has_it_and_stands_in_the_log(desk):
    strategy, state = Tuned(), desk.tuned.seat["state"]
    given = {"step": 3, "share": 0.25, "is_shy": True, "wait": "2s"}
    wanted = {"step": 3, "share": 0.25, "is_shy": True, "wait": 2 * 10**9}
    assert strategy.parameters_in(state) == strategy.parameters
    for n, (name, value) in enumerate(given.items()):
        which, word, is_float = strategy.parameter(name, value, "here")
        assert is_float is (name == "share")
        before = int(state.view(np.int64)[which // 8])
        assert told(desk, which | FLOAT * is_float, word) == 0
        row = logged(desk)[n]
        assert (row["what"], row["who"], row["second"]) == (PARAMETER, b"ann", b"step")
        assert (row["before"], row["after"]) == (before, word)
        assert strategy.parameters_in(state)[name] == wanted[name]
    assert strategy.parameters_in(state) == wanted
    assert float(state["seen"][0]) == 0.0 and int(state["steps_max"][0]) > 0


@pytest.mark.parametrize("role", ROLES)
def test_the_role_risk_or_higher_may(desk, role):
    which, word, _ = Tuned().parameter("step", 7, "here")
    may = role in ("risk", "officer")
    assert told(desk, which, word, role=role) == (0 if may else NOT_ALLOWED)
    assert int(desk.tuned.seat["state"]["step"][0]) == (7 if may else 1)
    assert logged(desk)["what"][-1] == (PARAMETER if may else REFUSED)


def test_a_place_or_a_scope_that_is_none_is_refused_and_nothing_is_written(desk):
    size = Tuned().state_dtype.itemsize
    before = desk.session.arena["state_1"].tobytes()
    for which in (-8, 0, 8, 56, 63, 65, size, size + 8, 2**40, -(2**62)):
        assert told(desk, which, 1) == NO_SUCH, which
    quiet, firm = desk.session.risk.row(2, "Quiet"), desk.session.risk.row(4, "")
    for scope in (quiet, firm, -1, 10**6, 2**62):
        assert told(desk, 72, 1, scope=scope) == NO_SUCH
    assert desk.session.arena["state_1"].tobytes() == before
    assert set(logged(desk)["what"]) == {REFUSED}


def test_what_the_class_does_not_allow_is_said_before_it_is_told():
    for name, value, words in (
        ("stp", 2, "has no parameter"),
        ("step", 10, "above"),
        ("step", 1.5, "whole number"),
        ("share", "x", "number"),
        ("seen", 1.0, "has no parameter"),
        ("wait", "soon", "."),
    ):
        with pytest.raises(InputError, match=words):
            Tuned().parameter(name, value, "here")


def test_the_next_callback_counts_with_it(desk):
    path.start(desk.session.address, desk.time, desk.time)
    seat = desk.tuned.seat
    for step, seen in ((1, 0.5), (5, 3.0)):
        which, word, _ = Tuned().parameter("step", step, "here")
        assert told(desk, which, word) == 0
        desk.at(int(seat["session"]["next_timer"][0]))
        path.timer(desk.session.address)
        assert float(seat["state"]["seen"][0]) == seen
