"""Closing what a scope holds, step by step: what goes first, what it waits for, when it is over."""

from __future__ import annotations

import pytest

import hftlib as hft
from hftlib.book.reading import NO_PRICE
from hftlib.core import events, orders
from hftlib.core.orders import REASONS
from hftlib.engine import path
from hftlib.engine.flattening import REFUSED_NS, STEP_NS
from hftlib.risk.authority import NEEDS_TWO, NOT_ALLOWED
from hftlib.risk.controls import HALTED, REDUCING, TRADING_STATES
from hftlib.risk.limits import Limits
from hftlib.risk.memory import FOREVER
from tests.engine.desk import Quiet
from tests.risk.stage import MID, MS, Stage

modes = pytest.mark.modes
SCOPES = ("firm", "portfolio", "strategy", "instrument:AAA")
CLOSED = REASONS[orders.FLATTENING]


def flatten(scope="firm", role="trader", **more):
    return hft.flatten(scope, at="10:00", who="ann", why="lunch", role=role, **more)


def look(desk):
    """Time goes on to the next look around: how long it was."""
    due = int(desk.session.arena["risk"]["next_guard"][0])
    assert due < FOREVER
    waited = due - desk.time
    desk.at(due)
    path.look_around(desk.session.address, due)
    return waited


def cancel(desk, number):
    desk.report(orders.CANCELED, number)


@modes
@pytest.mark.parametrize("scope", SCOPES)
def test_orders_go_first_then_what_is_held_then_it_is_halted(scope):
    desk = Stage("AAA", "BBB", tick=1)
    desk.market()
    desk.bought(MID, 5)
    standing = desk.sell(MID + 5, 3)
    desk.accept(standing)
    desk.sent()
    assert desk.told(flatten(scope)) == 0
    assert [one[:2] for one in desk.sent()] == [("cancel", standing)]
    assert desk.buy(MID - 5, 1) == -orders.FLATTENING
    assert desk.sell(MID + 5, 1) == -orders.FLATTENING, "not even what would reduce"
    look(desk)
    assert desk.sent() == [], "what may still trade is waited for"
    cancel(desk, standing)
    look(desk)
    (kind, first, *what), *more = desk.sent()
    assert (kind, what, more) == ("new", [events.SELL, MID - 1, 5], [])
    assert desk.order(first)["lasts"] == orders.IOC
    look(desk)
    assert desk.sent() == [], "one at a time"
    desk.fill(first, MID - 1, 3, taker=True)
    cancel(desk, first)
    assert 0 <= look(desk) <= STEP_NS
    (_, second, *what), *_ = desk.sent()
    assert what == [events.SELL, MID - 1, 2]
    desk.fill(second, MID - 1, 2, taker=True)
    level = scope.partition(":")[0]
    assert desk.states() == {level: ("reducing", CLOSED)}
    look(desk)
    assert desk.states() == {level: ("halted", CLOSED)}
    assert desk.position()["quantity"] == 0 and desk.sent() == []
    assert desk.session.arena["risk"]["next_guard"][0] == FOREVER
    assert desk.session.arena["risk"]["flattening"][0] == 0


@modes
def test_what_is_short_is_bought_back_from_who_offers():
    desk = Stage("AAA", "BBB", tick=1)
    for instrument in (0, 1):
        desk.market(instrument=instrument)
        number = desk.sell(MID, 4, instrument=instrument)
        desk.accept(number)
        desk.report(
            orders.FILLED,
            number,
            price=MID,
            quantity=4,
            other=7 + instrument,
            instrument=instrument,
        )
    desk.sent()
    desk.told(flatten("strategy"))
    look(desk)
    assert [one[2:] for one in desk.sent()] == [(events.BUY, MID + 1, 4)] * 2


@modes
def test_an_instrument_alone_leaves_the_others_as_they_are():
    desk = Stage("AAA", "BBB", tick=1)
    desk.market()
    desk.market(instrument=1)
    desk.bought(MID, 5)
    other = desk.buy(MID - 1, 2, instrument=1)
    desk.sent()
    desk.told(flatten("instrument:AAA"))
    look(desk)
    assert [one[2:] for one in desk.sent()] == [(events.SELL, MID - 1, 5)]
    assert desk.order(other)["state"] == orders.PENDING_NEW
    assert desk.buy(MID - 1, 1, instrument=1) > 0


@modes
def test_no_order_is_larger_than_one_may_be_and_nobody_there_is_waited_for():
    desk = Stage(tick=1, limits=Limits(strategy={"Quiet": {"order_quantity_lots": 2}}))
    desk.market()
    for _ in range(2):
        desk.bought(MID, 2)
    desk.market(bid=NO_PRICE, ask=MID + 1)
    desk.sent()
    desk.told(flatten())
    for _ in range(3):
        look(desk)
        assert desk.sent() == []
    desk.market()
    for left in (4, 2):
        look(desk)
        ((_, number, side, price, lots),) = desk.sent()
        assert (side, price, lots) == (events.SELL, MID - 1, 2)
        assert desk.position()["quantity"] == left
        desk.fill(number, MID - 1, 2, taker=True)
    look(desk)
    assert desk.states() == {"firm": ("halted", CLOSED)}


@modes
def test_after_a_refusal_it_tries_again_later_and_the_strategy_did_not_ask():
    desk = Stage(tick=1, limits=Limits(collar_ticks=3))
    desk.market()
    desk.bought(MID, 2)
    desk.market(bid=MID - 50, ask=MID + 1)
    desk.sent()
    desk.told(flatten())
    look(desk)
    assert desk.sent() == [] and desk.last_refusal()[0] == REASONS[orders.OUTSIDE_COLLAR]
    due = int(desk.session.arena["risk"]["next_guard"][0])
    assert due - desk.time == REFUSED_NS
    desk.market(when=MS)
    look(desk)
    assert [one[2:] for one in desk.sent()] == [(events.SELL, MID - 1, 2)]


@modes
def test_two_that_hold_the_opposite_of_each_other_both_close():
    one = Stage(strategy={"a": Quiet(), "b": Quiet()}, tick=1)
    other = one.beside(1)
    one.market()
    one.bought(MID, 5)
    number = other.sell(MID, 5)
    other.accept(number)
    other.fill(number, MID, 5)
    for desk in (one, other):
        desk.sent()
    assert one.told(flatten()) == 0
    look(one)
    ((_, mine, *what),) = one.sent()
    ((_, theirs, *others),) = other.sent()
    assert what == [events.SELL, MID - 1, 5] and others == [events.BUY, MID + 1, 5]
    one.fill(mine, MID - 1, 5)
    look(one)
    assert one.states() == {"firm": ("reducing", CLOSED)}, "the other is not closed yet"
    other.fill(theirs, MID + 1, 5)
    look(one)
    assert one.states() == {"firm": ("halted", CLOSED)}


@modes
def test_a_strategy_that_stopped_is_closed_too():
    desk = Stage(tick=1)
    desk.market()
    desk.bought(MID, 5)
    desk.sent()
    desk.seat["context"]["stopped"] = 1
    assert desk.sell(MID, 5) == -orders.STOPPED
    desk.told(flatten())
    look(desk)
    assert [one[2:] for one in desk.sent()] == [(events.SELL, MID - 1, 5)]
    assert desk.sell(MID, 5) == -orders.STOPPED


@modes
def test_what_holds_nothing_is_halted_at_the_next_look():
    desk = Stage(tick=1)
    desk.told(flatten("strategy"))
    assert desk.states() == {"strategy": ("reducing", CLOSED)}
    assert look(desk) == 0
    assert desk.states() == {"strategy": ("halted", CLOSED)}


@modes
@pytest.mark.parametrize("state", [REDUCING, HALTED])
def test_whoever_moves_the_scope_ends_it(state):
    desk = Stage(tick=1)
    desk.market()
    desk.bought(MID, 5)
    desk.sent()
    desk.told(flatten("strategy"))
    said = {"at": "10:00", "who": "bob", "why": "I do it by hand"}
    assert desk.told(hft.halt("strategy", **said)) == 0
    if state == REDUCING:
        assert desk.told(hft.lift("strategy", **said)) == 0
        assert desk.told(hft.reduce("strategy", **said)) == 0
    assert desk.scope("strategy")["flattening"] == 0
    look(desk)
    assert desk.sent() == [], "nothing is closed any more"
    assert desk.states()["strategy"][0] == TRADING_STATES[state]
    allowed = desk.sell(MID, 5) > 0
    assert allowed is (state == REDUCING)


@modes
def test_said_while_reducing_it_begins_and_stands_in_the_log():
    desk = Stage(tick=1)
    desk.market()
    desk.bought(MID, 5)
    desk.told(hft.reduce("firm", at="10:00", who="ann", why="calm"))
    desk.sent()
    assert desk.told(flatten()) == 0
    look(desk)
    assert [one[2:] for one in desk.sent()] == [(events.SELL, MID - 1, 5)]
    assert [one[:2] for one in desk.changes()] == [
        ("reducing", REASONS[orders.BY_PERSON]),
        ("reducing", CLOSED),
    ]


@modes
def test_what_is_halted_takes_who_may_lift_it():
    for scope in SCOPES:
        desk = Stage(tick=1)
        desk.market()
        desk.bought(MID, 5)
        desk.told(hft.halt(scope, at="10:00", who="ann", why="stop"))
        desk.sent()
        firm = scope == "firm"
        assert desk.told(flatten(scope)) == (NEEDS_TWO if firm else NOT_ALLOWED)
        assert desk.told(flatten(scope, role="risk")) == (NEEDS_TWO if firm else 0)
        if firm:
            assert desk.told(flatten(scope, role="risk", second="bob")) == 0
        look(desk)
        assert [one[2:] for one in desk.sent()] == [(events.SELL, MID - 1, 5)]


def test_a_process_may_not():
    desk = Stage(tick=1)
    row = flatten().row(desk.session.risk, desk.time)
    row["role"] = 1
    path.directive(desk.session.address, row.ctypes.data)
    assert row["outcome"][0] == NOT_ALLOWED and desk.states() == {}
