"""What happens to open orders and quotes when a state changes, or data are not to be trusted."""

from __future__ import annotations

import pytest

import hftlib as hft
from hftlib.core import orders
from hftlib.core.orders import REASONS
from hftlib.engine import path
from hftlib.engine.enforcing import guard
from hftlib.risk.controls import HALTED, REDUCING, TRADING_STATES
from hftlib.risk.limits import Limits
from hftlib.risk.memory import FOREVER
from tests.risk.stage import MID, MS, Stage, limited

modes = pytest.mark.modes
SCOPES = ("firm", "portfolio", "strategy", "instrument:AAA")


def open_orders(desk):
    """Buys and sells of both kinds of life: accepted, and still on their way."""
    first, second = desk.buy(MID - 5, 2), desk.sell(MID + 5, 3)
    desk.accept(first)
    return first, second, desk.buy(MID - 6, 4, instrument=1)


def cancelled(desk):
    return sorted(one[1] for one in desk.sent() if one[0] == "cancel")


def halt(scope, **more):
    return hft.halt(scope, at="10:00", who="ann", why="odd fills", **more)


def reduce(scope, **more):
    return hft.reduce(scope, at="10:00", who="ann", why="odd fills", **more)


def lift(scope, **more):
    return hft.lift(scope, at="10:00", who="bob", why="explained", **more)


@modes
@pytest.mark.parametrize("scope", SCOPES)
def test_a_halt_cancels_every_open_order_of_its_scope(scope):
    desk = Stage("AAA", "BBB", tick=1)
    first, second, other = open_orders(desk)
    desk.sent()
    assert desk.told(halt(scope)) == 0
    own = [first, second] if scope == "instrument:AAA" else [first, second, other]
    assert cancelled(desk) == own
    assert desk.buy(MID, 1) == -orders.TRADING_HALTED
    other_leaves = desk.buy(MID, 1, instrument=1) > 0
    assert other_leaves is (scope == "instrument:AAA")
    told = desk.session.arena["context"]["trading_state"][0]
    assert TRADING_STATES[told] == "halted"


@modes
@pytest.mark.parametrize("scope", SCOPES)
def test_reducing_cancels_the_sides_that_could_make_more_of_a_position(scope):
    desk = Stage("AAA", "BBB", tick=1)
    desk.bought(MID, 5)
    first, second, other = open_orders(desk)
    desk.sent()
    assert desk.told(reduce(scope)) == 0
    assert cancelled(desk) == ([first] if scope == "instrument:AAA" else [first, other])
    assert desk.order(second)["state"] == orders.PENDING_NEW
    desk.accept(second)
    more = desk.sell(MID + 4, 3)
    assert more == -orders.REDUCING_ONLY, "three and three are more than five"
    assert desk.sell(MID + 4, 2) > 0


@modes
def test_reducing_cancels_a_side_that_could_go_beyond_nothing():
    desk = Stage(tick=1)
    desk.bought(MID, 5)
    numbers = [desk.sell(MID + 5, 3), desk.sell(MID + 6, 3)]
    desk.sent()
    desk.told(reduce("firm"))
    assert cancelled(desk) == numbers, "which of them fills is not ours to say"


@modes
def test_an_order_that_is_being_replaced_is_cancelled_too():
    desk = Stage(tick=1)
    number = desk.buy(MID, 5)
    desk.accept(number)
    assert desk.change(number, MID + 1, 6) == 0
    desk.sent()
    desk.told(halt("firm"))
    assert cancelled(desk) == [number]


@modes
@pytest.mark.parametrize("state", [HALTED, REDUCING])
def test_a_quote_does_not_come_back_by_itself(state):
    desk = Stage(tick=1)
    desk.market()
    desk.quote(MID - 5, MID + 5, 2)
    numbers = [one[1] for one in desk.sent()]
    for number in numbers:
        desk.accept(number)
    desk.told(halt("firm") if state == HALTED else reduce("firm"))
    assert cancelled(desk) == numbers
    for number in numbers:
        desk.report(orders.CANCELED, number, quantity=2, other=orders.ASKED)
    assert desk.told(lift("firm", second="cyd")) == 0
    desk.market(when=MS)
    assert desk.sent() == []
    desk.quote(MID - 5, MID + 5, 2)
    assert [one[0] for one in desk.sent()] == ["new", "new"]


@modes
def test_a_replace_of_a_quote_that_halts_on_its_way_is_taken_off():
    desk = Stage(tick=1)
    desk.market()
    desk.quote(MID - 5, MID + 5, 2)
    for _, number, *_ in desk.sent():
        desk.accept(number)
    desk.scope("firm")["state"] = HALTED
    desk.quote(MID - 4, MID + 6, 2)
    assert [one[0] for one in desk.sent()] == ["cancel", "cancel"]


@modes
def test_lifting_one_scope_leaves_the_others_as_they_are():
    desk = Stage(tick=1)
    desk.told(halt("firm"))
    desk.told(reduce("strategy"))
    assert desk.told(lift("firm")) == 2, "it takes two people"
    assert desk.told(lift("firm", second="bob")) == 2, "who are two"
    assert desk.told(lift("firm", second="cyd", second_role="trader")) == 2
    assert desk.told(lift("firm", second="cyd")) == 0
    assert desk.buy(MID, 1) == -orders.REDUCING_ONLY
    assert desk.told(lift("strategy", role="trader")) == 1
    assert desk.told(lift("strategy")) == 0
    assert desk.buy(MID, 1) > 0
    assert TRADING_STATES[desk.session.arena["context"]["trading_state"][0]] == "active"


@modes
def test_a_breaker_takes_orders_back_at_the_news_that_trips_it():
    desk = Stage(limits=limited("firm", {"daily_loss_money": 20}), tick=1)
    desk.market()
    desk.bought(MID, 1)
    buy, sell = desk.buy(MID - 50, 1), desk.sell(MID + 50, 1)
    desk.sent()
    desk.market(MID - 26, MID - 24)
    assert cancelled(desk) == [buy]
    desk.market(MID - 36, MID - 34)
    assert cancelled(desk) == [sell]


@modes
@pytest.mark.parametrize("which", ["stale", "crossed"])
def test_data_not_to_be_trusted_take_the_instruments_orders_back(which):
    desk = Stage("AAA", "BBB", limits=Limits(stale_ms=10_000), tick=1)
    for n in (0, 1):
        desk.market(instrument=n)
    first, second, other = open_orders(desk)
    desk.quote(MID - 5, MID + 5, 2)
    quoted = [one[1] for one in desk.sent()][-2:]
    row = desk.session.arena["markets"][0]
    if which == "stale":
        row["stale"] = 1
        desk.market()
    else:
        desk.market(bid=MID + 2)
        assert desk.sent() == [], "for a moment it may be a message half told"
        desk.market(bid=MID + 2, when=1_000_000)
    assert cancelled(desk) == [first, second, *quoted]
    assert desk.buy(MID, 1) == -(orders.STALE if which == "stale" else orders.CROSSED)
    assert desk.buy(MID, 1, instrument=1) > 0
    row["stale"] = 0
    desk.sent()
    desk.market()
    assert desk.buy(MID, 1) > 0
    assert [one[0] for one in desk.sent()] == ["new"], "the quote does not come back"
    assert desk.order(other)["state"] == orders.PENDING_NEW


@modes
def test_silence_is_noticed_without_any_news():
    desk = Stage("AAA", "BBB", limits=Limits(stale_ms=10), tick=1)
    for n in (0, 1):
        desk.market(instrument=n)
    number = desk.buy(MID, 1)
    desk.sent()
    desk.wait(10 * MS)
    guard(desk.base, desk.time)
    assert cancelled(desk) == []
    risk = desk.session.arena["risk"][0]
    assert risk["next_guard"] == desk.time + risk["guard_ns"]
    desk.wait(10 * MS)
    guard(desk.base, desk.time)
    assert cancelled(desk) == [number]


@modes
def test_a_limit_first_set_during_a_session_is_watched_from_then_on():
    desk = Stage(tick=1)
    risk = desk.session.arena["risk"][0]
    assert desk.session.arena["session"]["watching"][0] == 0
    assert risk["next_guard"] == FOREVER
    desk.market()
    desk.bought(MID, 1)
    told = {"at": "10:00", "who": "ann", "why": "careful", "role": "trader"}
    assert desk.told(hft.set_limit("firm", daily_loss_money=0.002, **told)) == 0
    assert desk.session.arena["session"]["watching"][0] == 1
    assert desk.session.arena["session"]["eager"][0] == 1
    desk.market()
    assert desk.states() == {}
    desk.market(MID - 22, MID - 20)
    assert desk.states() == {"firm": ("reducing", REASONS[orders.LOSS])}
    assert desk.told(hft.set_limit("firm", stale_ms=5, **told)) == 0
    assert risk["next_guard"] <= desk.time


@modes
def test_a_limit_on_the_loss_of_a_trade_knows_what_was_paid_before_it_was_set():
    said = {"at": "10:00", "who": "ann", "why": "careful", "role": "trader"}
    desk = Stage(tick=1)
    number = desk.sell(MID, 1)
    desk.accept(number)
    desk.fill(number, MID, 1)
    assert desk.told(hft.set_limit("firm", trade_loss_money=0.002, **said)) == 0
    desk.bought(MID, 1)
    assert desk.states() == {}, "bought back for what it was sold for"
    desk.bought(MID, 1)
    number = desk.sell(MID - 21, 1)
    desk.accept(number)
    desk.fill(number, MID - 21, 1)
    assert desk.states() == {"firm": ("reducing", REASONS[orders.TRADE_LOSS])}


@modes
def test_what_trips_a_breaker_in_its_own_call_is_taken_back_in_it():
    desk = Stage(limits=limited("strategy", {"message_rate": 2}), tick=1)
    desk.session.arena["context"]["handles"] = (1 << 20) - 1
    numbers = [desk.buy(MID - n, 1) for n in range(2)]
    assert desk.buy(MID, 1) == -orders.REDUCING_ONLY
    desk.sent()
    # Any call of the strategy that is over: here that of a timer.
    session = desk.session.arena["session"][0]
    session["timers"]["due"][0], session["timers_used"], session["next_timer"] = (
        desk.time,
        1,
        desk.time,
    )
    path.timer(desk.base)
    assert cancelled(desk) == numbers


@modes
def test_states_are_told_apart_by_who_and_why():
    desk = Stage(tick=1)
    desk.told(halt("instrument:AAA", role="officer"))
    row = desk.session.arena["changes"][0]
    assert row["who"] == b"ann" and row["why"] == b"odd fills"
    assert REASONS[row["reason"]] == "a person said so"
