"""What a strategy asks for becomes what is sent: prices on the grid, and refusals by reason."""

import math

import pytest

from hftlib.core import orders
from hftlib.core.events import BUY, SELL
from hftlib.risk.limits import Limits
from tests.engine.desk import Desk

pytestmark = pytest.mark.modes


@pytest.mark.parametrize(
    ("side", "price", "sent"),
    [
        (BUY, 10_000.0, 10_000),
        (BUY, 10_099.9, 10_000),
        (BUY, 10_099.99999, 10_100),  # a hair below: what a sum of floats makes of a tick
        (SELL, 10_000.1, 10_100),
        (SELL, 10_000.00001, 10_000),
        (BUY, -150.0, -200),
        (SELL, -150.0, -100),
    ],
)
def test_a_price_between_ticks_asks_for_less(side, price, sent):
    desk = Desk(limits=Limits(rules={"any_price": ["*"]}))
    desk.place(side, price, 5)
    assert [row[3] for row in desk.sent()] == [sent]


@pytest.mark.parametrize("price", [math.nan, math.inf, -math.inf, 1e300])
def test_what_is_no_price_is_refused(price):
    desk = Desk()
    assert desk.buy(price, 5) == -orders.NO_PRICE
    assert desk.place(BUY, 100, 5, kind=orders.STOP, trigger=price) == -orders.NO_PRICE
    assert desk.sent() == []


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"quantity": 0}, orders.NO_QUANTITY),
        ({"quantity": -5}, orders.NO_QUANTITY),
        ({"display": -1}, orders.NO_QUANTITY),
        ({"instrument": 1}, orders.NO_INSTRUMENT),
        ({"instrument": -1}, orders.NO_INSTRUMENT),
        ({"instrument": 2**40}, orders.NO_INSTRUMENT),
        ({"side": 0}, orders.NO_KIND),
        ({"side": 3}, orders.NO_KIND),
        ({"kind": 0}, orders.NO_KIND),
        ({"kind": 9}, orders.NO_KIND),
        ({"lasts": 0}, orders.NO_KIND),
        ({"flags": 64}, orders.NO_KIND),
    ],
)
def test_each_wrong_wish_has_its_reason(asked, reason):
    desk = Desk()
    wish = {"side": BUY, "price": 10_000.0, "quantity": 5} | asked
    assert desk.place(wish.pop("side"), wish.pop("price"), wish.pop("quantity"), **wish) == -reason
    assert desk.refused() == {orders.REASONS[reason]: 1}


def test_a_flood_within_one_event_is_refused_when_the_table_is_full():
    desk = Desk(orders_max=16)
    numbers = [desk.buy(10_000, 1) for _ in range(15)]
    answers = [desk.cancel(number) for number in numbers]
    assert answers == [0] * 15
    for number in numbers:
        desk.report(orders.CANCELED, number, other=orders.ASKED)
    assert desk.buy(10_000, 1) > 0
    assert desk.buy(10_000, 1) > 0
    assert desk.buy(10_000, 1) == -orders.TOO_MANY_AT_ONCE
    assert len(desk.sent()) == 32
    assert desk.buy(10_000, 1) > 0


def test_a_smaller_order_needs_no_room():
    desk = Desk()
    number = desk.buy(10_000, 100)
    desk.accept(number)
    assert desk.change(number, 10_000, 0) == -orders.NO_QUANTITY
    assert desk.change(number, 10_000, 40) == 0
    assert desk.change(number, 10_000, 30) == -orders.BUSY
    desk.report(orders.REPLACED, number, price=10_000, quantity=40)
    assert desk.position()["open_buy"] == 40
