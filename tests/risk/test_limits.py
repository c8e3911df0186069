"""Limits: each refuses for its reason, and counts what could happen, not only what did."""

import pytest

from hftlib.core import orders
from hftlib.core.errors import InputError
from hftlib.core.orders import REASONS
from hftlib.risk.limits import Limits
from tests.engine.desk import Desk

modes = pytest.mark.modes


@modes
def test_the_position_is_counted_as_if_all_open_orders_were_filled():
    desk = Desk(limits=Limits(position=100))
    first = desk.buy(10_000, 60)
    assert first > 0
    assert desk.buy(10_000, 41) == -orders.POSITION_TOO_LARGE
    assert desk.buy(10_000, 40) > 0
    assert desk.sell(10_100, 100) > 0, "the other side has its own room"
    assert desk.sell(10_100, 1) == -orders.POSITION_TOO_LARGE
    desk.accept(first)
    desk.fill(first, 10_000, 60)
    assert desk.sell(10_100, 60) > 0, "what is held may be sold on top"
    assert desk.refused() == {REASONS[orders.POSITION_TOO_LARGE]: 2}


@modes
@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(order_quantity=50), orders.ORDER_TOO_LARGE),
        (Limits(open_orders=0), orders.TOO_MANY_OPEN),
        (Limits(order_value=99.99), orders.VALUE_TOO_LARGE),
        (Limits(per_second=0), orders.TOO_FAST),
    ],
)
def test_each_limit_has_its_reason(limits, reason):
    desk = Desk(limits=limits)
    assert desk.buy(10_000, 100) == -reason  # 100 shares at 1.0000: 100.00
    assert desk.sent() == []


@modes
def test_a_second_begins_with_its_first_command():
    desk = Desk(limits=Limits(per_second=2))
    session = desk.session.arena["session"]
    answers = []
    for time in (0, 1, 2, 999_999_999, 1_000_000_000, 1_000_000_001, 1_000_000_002):
        session["time"] = 10**15 + time
        answers.append(desk.buy(10_000, 1) > 0)
    assert answers == [True, True, False, False, True, True, False]


@modes
def test_a_cancel_is_never_refused_by_a_limit():
    desk = Desk(limits=Limits(per_second=1))
    number = desk.buy(10_000, 1)
    assert desk.cancel(number) == 0


def test_limits_by_symbol():
    desk = Desk("AAA", "BBB", limits=Limits(position={"BBB": 10}))
    assert desk.buy(10_000, 1_000) > 0
    assert desk.buy(10_000, 11, instrument=1) == -orders.POSITION_TOO_LARGE
    with pytest.raises(InputError, match="no instrument 'CCC' to limit"):
        Desk("AAA", limits=Limits(position={"CCC": 10}))


@pytest.mark.parametrize("value", [-1, 1.5, "many", True, float("nan")])
def test_what_is_no_limit_is_refused_with_a_sentence(value):
    with pytest.raises(InputError, match="is no limit"):
        Limits(position=value)


def test_an_unknown_limit_is_told_with_the_likely_one():
    with pytest.raises(InputError, match="Did you mean 'position'"):
        Limits(postion=5)
    with pytest.raises(InputError, match="by its name"):
        Limits(1_000)


@modes
def test_a_sale_below_the_market_is_worth_what_the_market_pays():
    desk = Desk(limits=Limits(order_value=100))  # dollars; a price unit is 0.0001
    market = desk.session.arena["markets"]
    market["bid"][0], market["last"][0] = 1_000_000, 1_000_000
    assert desk.sell(100, 1) > 0
    assert desk.sell(100, 2) == -orders.VALUE_TOO_LARGE
    assert desk.sell(100, 2**52) == -orders.VALUE_TOO_LARGE
    assert Desk().sell(100, 2**52) > 0, "alone, without a market, it is worth its limit"
