"""An order's life, told by its reports: what it becomes, and what that does to the position."""

import random

import pytest

from hftlib.core import orders
from hftlib.core.events import BUY, SELL
from hftlib.core.fees import Fees
from hftlib.core.orders import (
    FILLED_WHOLE,
    LIVE,
    PARTLY_FILLED,
    PENDING_CANCEL,
    PENDING_NEW,
    PENDING_REPLACE,
    REASONS,
    WAS_CANCELED,
    WAS_REJECTED,
)
from tests.engine.desk import Desk

pytestmark = pytest.mark.modes


def test_an_order_is_sent_accepted_filled_in_parts_and_done():
    desk = Desk(fees=Fees(taker="10bp"))
    number = desk.buy(10_000, 300)
    assert desk.order(number)["state"] == PENDING_NEW
    assert desk.sent() == [("new", number, BUY, 10_000, 300)]
    assert desk.position()["open_buy"] == 300

    desk.accept(number)
    assert desk.order(number)["state"] == LIVE
    desk.fill(number, 10_000, 100)
    desk.fill(number, 9_900, 200, taker=True)

    order, position = desk.order(number), desk.position()
    assert (order["state"], order["reason"], order["filled"]) == (FILLED_WHOLE, 0, 300)
    assert order["value"] == 10_000 * 100 + 9_900 * 200
    assert (position["quantity"], position["bought"], position["fills"]) == (300, 300, 2)
    assert position["cash"] == -order["value"]
    assert position["fees"] == 1_980  # 10 bp of the fill that took, 1,980,000
    assert (position["open_buy"], position["open_orders"], position["first_open"]) == (0, 0, 0)
    assert desk.impossible == 0


def test_the_fill_that_overtakes_its_acceptance_counts():
    desk = Desk()
    number = desk.sell(10_000, 100)
    desk.fill(number, 10_000, 40)
    assert (desk.order(number)["state"], desk.position()["open_sell"]) == (PARTLY_FILLED, 60)
    desk.accept(number)
    assert desk.order(number)["state"] == PARTLY_FILLED
    desk.fill(number, 10_000, 60)
    assert (desk.order(number)["state"], desk.position()["quantity"]) == (FILLED_WHOLE, -100)
    assert desk.impossible == 0


ENDS = [(orders.REJECTED, WAS_REJECTED), (orders.CANCELED, WAS_CANCELED)]


@pytest.mark.parametrize(("kind", "state"), ENDS)
def test_what_the_venue_ends_says_why(kind, state):
    desk = Desk()
    number = desk.buy(10_000, 100)
    desk.report(kind, number, other=orders.HALTED)
    assert (desk.order(number)["state"], desk.order(number)["reason"]) == (state, orders.HALTED)
    assert REASONS[orders.HALTED] == "trading is halted"
    assert desk.position()["open_buy"] == 0


def test_a_cancel_that_a_fill_crosses():
    desk = Desk()
    number = desk.buy(10_000, 100)
    desk.accept(number)
    assert desk.cancel(number) == 0
    assert desk.cancel(number) == -orders.BUSY
    assert desk.order(number)["state"] == PENDING_CANCEL
    desk.fill(number, 10_000, 100)
    desk.report(orders.CANCEL_REJECTED, number, other=orders.UNKNOWN_ORDER)
    assert desk.order(number)["state"] == FILLED_WHOLE
    assert desk.cancel(number) == -orders.NO_ORDER
    assert desk.impossible == 0, "the venue's no was under way before it knew"


def test_a_replace_reserves_the_larger_quantity_until_it_is_answered():
    desk = Desk()
    number = desk.buy(10_000, 100)
    desk.accept(number)
    desk.sent()
    assert desk.change(number, 10_100, 250) == 0
    assert desk.sent() == [("replace", number, BUY, 10_100, 250)]
    assert desk.order(number)["state"] == PENDING_REPLACE
    assert desk.position()["open_buy"] == 250
    desk.fill(number, 10_000, 30)
    assert desk.position()["open_buy"] == 220
    desk.report(orders.REPLACED, number, price=10_100, quantity=220)
    order = desk.order(number)
    assert (order["price"], order["quantity"], order["filled"]) == (10_100, 250, 30)
    assert (order["state"], order["pending"], order["replaces"]) == (PARTLY_FILLED, 0, 1)
    assert desk.position()["open_buy"] == 220


def test_a_replace_for_more_that_comes_too_late_leaves_nothing_open():
    desk = Desk()
    number = desk.buy(10_000, 100)
    desk.accept(number)
    desk.change(number, 10_000, 150)
    desk.fill(number, 10_000, 100)
    assert desk.order(number)["state"] == PENDING_REPLACE, "it may still come to 150"
    desk.report(orders.REPLACE_REJECTED, number, other=orders.UNKNOWN_ORDER)
    assert (desk.order(number)["state"], desk.position()["open_buy"]) == (FILLED_WHOLE, 0)


def test_what_fits_no_state_is_counted_and_the_money_still_moves():
    desk = Desk()
    number = desk.buy(10_000, 100)
    desk.accept(number)
    desk.accept(number)
    desk.report(orders.CANCELED, number, other=orders.ASKED, quantity=100)
    desk.report(orders.CANCELED, number, other=orders.ASKED, quantity=100)
    desk.fill(number, 10_000, 10)
    desk.report(orders.ACCEPTED, 777)
    assert desk.counts() == {"repeated": 2, "late": 1, "impossible": 1}
    assert desk.position()["quantity"] == 10
    assert (desk.position()["open_buy"], desk.position()["open_orders"]) == (0, 0)


def test_orders_beyond_the_table_are_refused_and_slots_come_back():
    desk = Desk(orders_max=8)
    numbers = [desk.buy(10_000, 1) for _ in range(7)]
    assert all(number > 0 for number in numbers)
    assert desk.buy(10_000, 1) == -orders.NO_ROOM
    desk.report(orders.CANCELED, numbers[3], other=orders.ASKED)
    again = desk.buy(10_000, 1)
    assert again > numbers[-1] and again % 8 == numbers[3] % 8


def test_random_lives_against_a_twin_of_dictionaries():
    """Thousands of orders under any reports in any order; sums must agree at every step."""
    draw = random.Random(11)
    desk = Desk(orders_max=64)
    twin: dict[int, dict[str, int]] = {}
    held = cash = 0
    for _ in range(3_000):
        desk.session.arena["execution"]["fills"] = 0
        desk.session.arena["execution"]["ended"] = 0
        alive = [n for n, one in twin.items() if one["open"]]
        if len(alive) < 20 and draw.random() < 0.5:
            side, price, quantity = draw.choice((BUY, SELL)), 100 * draw.randint(50, 150), 10
            number = desk.place(side, price, quantity)
            twin[number] = {"side": side, "left": quantity, "open": 1, "price": price}
        elif alive:
            number = draw.choice(alive)
            one = twin[number]
            what = draw.random()
            if what < 0.3:
                desk.accept(number)
            elif what < 0.8:
                quantity = draw.randint(1, one["left"])
                desk.fill(number, one["price"], quantity)
                one["left"] -= quantity
                one["open"] = int(one["left"] > 0)
                sign = 1 if one["side"] == BUY else -1
                held += sign * quantity
                cash -= sign * quantity * one["price"]
            else:
                desk.report(orders.CANCELED, number, other=orders.ASKED)
                one["open"] = one["left"] = 0
        desk.sent()
        position = desk.position()
        assert (position["quantity"], position["cash"]) == (held, cash)
        for side, name in ((BUY, "open_buy"), (SELL, "open_sell")):
            want = sum(one["left"] for one in twin.values() if one["side"] == side and one["open"])
            assert position[name] == want
        assert position["open_orders"] == sum(one["open"] for one in twin.values())
