"""Orders that wait: held for a pause, a band or the soft pace; asked about again, oldest first."""

import pytest

from hftlib.core import events, orders
from hftlib.engine import path, taking_back
from hftlib.engine.holding_back import LOOK_NS
from hftlib.risk.limits import Limits
from tests.engine.desk import Desk

pytestmark = pytest.mark.modes
MS = 1_000_000


class Waiting(Desk):
    """A desk whose market and clock are set by hand."""

    def market(self, state=events.TRADING, bid=9_900, ask=10_100):
        row = self.session.arena["markets"][0]
        row["bid"], row["ask"], row["last"], row["state"] = bid, ask, bid, state
        row["time"] = self.time

    def look(self, ns=LOOK_NS):
        """So much later somebody looks at what waits: what is sent then."""
        self.time += ns
        path.look_around(self.base, self.time)
        return self.sent()

    def take_back(self, number):
        return int(taking_back.take_back(self.base, number))

    def take_back_all(self):
        return int(taking_back.take_back_all(self.base, -1))

    def holding(self):
        row = self.session.arena["holdings"][0]
        return int(row["open_buy"]), int(row["open_sell"]), int(row["open_orders"])

    def refusals(self):
        rows = self.session.arena["refusals"][: int(self.session.arena["session"]["refusals"][0])]
        return [(int(row["id"]), orders.REASONS[row["reason"]]) for row in rows]


def closed(**limits):
    desk = Waiting(limits=Limits(rules={"when_closed": "hold"}, **limits))
    desk.market(events.HALTED)
    return desk


def test_an_order_waits_for_the_end_of_a_halt_and_leaves_then():
    desk = closed()
    number = desk.buy(10_000, 50)
    assert number > 0 and desk.sent() == []
    assert desk.order(number)["state"] == orders.HELD
    assert desk.holding() == (50, 0, 1), "it counts while it waits"
    assert desk.look() == []
    desk.market(events.TRADING)
    ((what, order, side, price, quantity),) = desk.look()
    assert (what, order, side, price, quantity) == ("new", number, events.BUY, 10_000, 50)
    assert desk.order(number)["state"] == orders.PENDING_NEW
    assert desk.holding() == (50, 0, 1)
    assert desk.look() == []


def test_the_oldest_leaves_first():
    desk = closed()
    numbers = [desk.buy(10_000 - 100 * n, 10) for n in range(4)]
    desk.market()
    assert [row[1] for row in desk.look()] == numbers


def test_one_that_waits_can_be_cancelled_at_once_and_counts_no_more():
    desk = closed()
    number = desk.buy(10_000, 50)
    assert desk.take_back(number) == 0 and desk.sent() == []
    assert desk.order(number)["state"] == orders.WAS_CANCELED
    assert desk.holding() == (0, 0, 0)
    desk.market()
    assert desk.look() == []


def test_what_waits_counts_against_a_position_limit():
    desk = closed(position_lots=100)
    assert desk.buy(10_000, 60) > 0
    # The halt is the first reason, so this waits too; it is asked again when it may leave.
    second = desk.buy(10_000, 60)
    assert second > 0
    desk.market()
    told = desk.look()
    assert len(told) == 0 or sum(row[4] for row in told) <= 100
    held = [n for n in (1, 2) if desk.order(n)["state"] == orders.PENDING_NEW]
    assert sum(int(desk.order(n)["quantity"]) for n in held) <= 100


def test_what_may_not_leave_any_more_is_refused_with_its_reason():
    desk = closed(order_value_money=1.0)
    number = desk.buy(10_000, 50)  # 50 shares at one dollar; nobody asked for its value yet
    assert number > 0
    desk.market()
    assert desk.look() == []
    assert desk.order(number)["state"] == orders.WAS_REFUSED
    assert desk.refusals() == [(number, orders.REASONS[orders.VALUE_TOO_LARGE])]
    assert desk.holding() == (0, 0, 0)


def test_the_soft_pace_delays():
    desk = Waiting(limits=Limits(paced_orders=2, messages_window_ms=10, rules={"too_fast": "hold"}))
    desk.market()
    numbers = [desk.buy(10_000, 10) for _ in range(4)]
    assert min(numbers) > 0
    assert [row[1] for row in desk.sent()] == numbers[:2]
    left = []
    for _ in range(12):
        left += [(row[1], desk.time) for row in desk.look()]
    assert [number for number, _ in left] == numbers[2:]
    assert all(time - 1_000 >= 10 * MS for _, time in left)


def test_without_the_rule_nothing_waits():
    desk = Waiting(limits=Limits())
    desk.market(events.HALTED)
    assert desk.buy(10_000, 50) == -orders.NOT_TRADING


def test_a_cancel_of_all_ends_what_waits():
    desk = closed()
    numbers = [desk.buy(10_000, 10), desk.sell(10_100, 10)]
    assert desk.take_back_all() == 2
    assert [desk.order(n)["state"] for n in numbers] == [orders.WAS_CANCELED] * 2
    assert desk.holding() == (0, 0, 0)


def test_what_waits_is_no_attempt_each_time_it_is_asked_about():
    desk = closed(strategy={"message_rate": 5})
    assert desk.buy(10_000, 10) > 0
    for _ in range(20):
        desk.look()
    assert desk.session.arena["scopes"]["state"].max() == 0


def test_a_market_order_that_waited_is_valued_at_the_market():
    desk = closed(order_value_money=1.0)
    number = desk.buy(0, 50, kind=orders.MARKET)
    desk.market()
    assert number > 0 and desk.look() == []
    assert desk.refusals() == [(number, orders.REASONS[orders.VALUE_TOO_LARGE])]


@pytest.mark.parametrize("mode", ["cancel_newest", "cancel_oldest", "cancel_both", "decrement"])
def test_what_waited_meets_none_of_our_own(mode):
    desk = Waiting(limits=Limits(rules={"when_closed": "hold", "self_match": mode}))
    desk.market()
    standing = desk.sell(10_000, 50)
    desk.accept(standing)
    desk.sent()
    desk.market(events.HALTED)
    number = desk.buy(10_000, 20)
    desk.market()
    assert number > 0 and desk.look() == []
    assert desk.refusals() == [(number, orders.REASONS[orders.OWN_ORDER])]
