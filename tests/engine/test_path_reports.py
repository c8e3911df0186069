"""What the engine makes of reports beyond the usual: who is told, and what a quote does then."""

import pytest

from hftlib.core import events, orders
from hftlib.core.events import BUY, SELL
from hftlib.core.orders import HELD, LIVE, POST_ONLY, UNKNOWN, WAS_CANCELED
from hftlib.execution.sending import new_order
from hftlib.strategy.abi import ON_FILL, ON_ORDER
from tests.engine.desk import Desk, Quiet

pytestmark = pytest.mark.modes


def listening(*symbols: str) -> Desk:
    return Desk(*symbols, strategy=Quiet(handles=(1 << ON_ORDER) | (1 << ON_FILL)))


def told(desk: Desk) -> tuple[int, int]:
    """How often on_order and on_fill were called since the last look."""
    calls = desk.session.arena["session"]["callbacks"][0]
    made = int(calls[ON_ORDER]), int(calls[ON_FILL])
    calls[:] = 0
    return made


def cut_off(desk: Desk, instrument: int) -> None:
    desk.report(orders.DISCONNECTED, 0, instrument=instrument)


def test_a_venue_that_is_cut_off_leaves_its_orders_unknown_and_each_is_told_of():
    desk = listening("AAA", "BBB")
    first, second = desk.buy(9_900, 10), desk.sell(10_100, 10)
    other = desk.buy(9_900, 10, instrument=1)
    desk.accept(first)
    told(desk)
    cut_off(desk, 0)
    assert told(desk) == (2, 0)
    assert [desk.order(n)["state"] for n in (first, second)] == [UNKNOWN, UNKNOWN]
    assert desk.order(other)["state"] == orders.PENDING_NEW
    assert desk.counts() == {"unknown": 2}
    assert desk.position()["open_buy"] == 10, "it counts with all it may come to"
    cut_off(desk, events.ALL)
    assert desk.counts() == {"unknown": 3}
    desk.report(orders.RECONCILED, first, other=0, quantity=10, price=9_900)
    desk.report(orders.RECONCILED, second, other=0, quantity=0)
    assert desk.order(first)["state"] == LIVE
    assert (desk.order(second)["state"], desk.order(second)["reason"]) == (
        WAS_CANCELED,
        orders.FOUND_OVER,
    )
    assert desk.position()["open_sell"] == 0


def test_a_broken_trade_is_told_as_a_fill_taken_back():
    desk = listening()
    number = desk.buy(10_000, 100)
    desk.accept(number)
    told(desk)
    desk.report(orders.FILLED, number, price=10_000, quantity=30, other=7)
    desk.report(orders.BROKEN, number, other=7)
    assert told(desk) == (2, 2)
    rows = desk.session.arena["fills"][:2]
    assert rows["quantity"].tolist() == [30, -30]
    assert rows["match"].tolist() == [7, 7]
    position = desk.position()
    assert (position["quantity"], position["cash"], position["bought"]) == (0, 0, 0)
    assert (desk.order(number)["state"], position["open_buy"]) == (LIVE, 70)


def test_a_break_that_comes_before_its_fill_is_told_with_it():
    desk = listening()
    number = desk.buy(10_000, 100)
    desk.accept(number)
    desk.report(orders.BROKEN, number, other=7)
    told(desk)
    desk.report(orders.FILLED, number, price=10_000, quantity=30, other=7)
    assert told(desk) == (1, 2)
    assert desk.position()["quantity"] == 0
    assert desk.counts() == {"unmatched": 1, "broken": 1}


def test_a_fill_of_an_order_whose_slot_is_anothers_still_moves_the_money():
    desk = Desk(orders_max=4)
    old = desk.buy(10_000, 10)
    desk.report(orders.CANCELED, old, other=orders.ASKED)
    numbers = []
    while (old + 4) not in numbers:
        numbers.append(desk.sell(10_100, 1))
        desk.report(orders.REJECTED, numbers[-1], other=orders.HALTED)
    desk.report(orders.FILLED, old, price=10_000, quantity=4, other=9, side=SELL, instrument=0)
    assert (desk.position()["quantity"], desk.position()["cash"]) == (-4, 40_000)
    assert desk.counts() == {"late": 1}


@pytest.fixture
def held() -> tuple[Desk, int]:
    """A desk whose quote's bid is held: made and counted, not sent."""
    desk = Desk()
    place = (1, 1, 0, 9_900, 100, 0, 0, 0)
    number = int(new_order(desk._execution, desk.time, 0, BUY, *place, 1))
    row = desk.session.arena["positions"][0]
    row["quote_bid"], row["want_bid"], row["want_bid_quantity"] = number, 9_900, 100
    return desk, number


def test_a_held_side_of_a_quote_is_changed_without_a_message(held):
    desk, number = held
    desk.quote(9_800, 10_100, 100, 0)
    assert desk.sent() == []
    order = desk.order(number)
    assert (order["state"], order["price"], order["quantity"]) == (HELD, 9_800, 100)


def test_a_held_side_that_is_wanted_otherwise_makes_room_at_once(held):
    desk, number = held
    desk.quote(9_900, 10_100, 100, 0, flags=POST_ONLY)
    assert (desk.order(number)["state"], desk.order(number)["reason"]) == (
        WAS_CANCELED,
        orders.ASKED,
    )
    assert desk.sent() == [("new", number + 1, BUY, 9_900, 100)]


def test_a_held_side_that_is_not_wanted_ends_without_a_message(held):
    desk, number = held
    desk.quote(9_900, 10_100, 0, 0)
    assert desk.order(number)["state"] == WAS_CANCELED
    assert desk.sent() == []
    assert (desk.position()["open_buy"], desk.position()["open_orders"]) == (0, 0)


def test_a_side_whose_fate_is_unknown_is_left_alone_until_it_is_known():
    desk = Desk()
    desk.quote(9_900, 10_100, 100, 0)
    ((_, number, *_),) = desk.sent()
    desk.accept(number)
    cut_off(desk, 0)
    desk.quote(9_800, 10_100, 100, 0)
    assert desk.sent() == []
    desk.report(orders.RECONCILED, number, other=0, quantity=100, price=9_900)
    assert desk.sent() == [("replace", number, BUY, 9_800, 100)]
