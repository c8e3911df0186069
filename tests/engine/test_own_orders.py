"""Orders of our own that would meet: refused, cancelled, both, or made smaller; nothing crosses."""

import random

import pytest

from hftlib.core import events, orders
from hftlib.risk.limits import SELF_MATCH, Limits
from tests.engine.desk import Desk

pytestmark = pytest.mark.modes
MODES = SELF_MATCH[1:]


def desk_with(mode):
    desk = Desk(limits=Limits(rules={"self_match": mode, "crossed_books": "allow"}), orders_max=64)
    number = desk.sell(10_000, 50)
    desk.accept(number)
    desk.sent()
    return desk, number


def what(desk):
    return [(row[0], row[1], row[4]) for row in desk.sent()]


def test_the_newest_is_refused():
    desk, _ = desk_with("cancel_newest")
    assert desk.buy(10_000, 20) == -orders.OWN_ORDER
    assert what(desk) == []
    assert desk.buy(9_900, 20) > 0, "it does not meet"


def test_the_oldest_is_cancelled_before_the_new_one_leaves():
    desk, old = desk_with("cancel_oldest")
    new = desk.buy(10_000, 20)
    assert new > 0
    assert [row[:2] for row in what(desk)] == [("cancel", old), ("new", new)]


def test_both_go():
    desk, old = desk_with("cancel_both")
    assert desk.buy(10_100, 20) == -orders.OWN_ORDER
    assert [row[:2] for row in what(desk)] == [("cancel", old)]


def test_both_are_made_smaller():
    desk, old = desk_with("decrement")
    assert desk.buy(10_000, 20) == -orders.OWN_ORDER, "all of it would have met our own"
    assert what(desk) == [("replace", old, 30)]
    desk, old = desk_with("decrement")
    new = desk.buy(10_000, 70)
    assert what(desk) == [("cancel", old, 50), ("new", new, 20)]


def test_a_market_order_meets_whatever_stands():
    desk, _ = desk_with("cancel_newest")
    assert desk.buy(0, 20, kind=orders.MARKET) == -orders.OWN_ORDER


def test_a_replace_counts_at_both_its_prices():
    desk, old = desk_with("cancel_newest")
    assert desk.change(old, 9_800, 50) == 0  # on its way: it may stand at either
    assert desk.buy(9_800, 10) == -orders.OWN_ORDER
    bid = desk.buy(9_700, 10)
    desk.accept(bid)
    assert desk.change(bid, 9_900, 10) == -orders.OWN_ORDER


def test_the_venues_affair_when_nobody_says():
    desk = Desk(limits=Limits(rules={"crossed_books": "allow"}))
    desk.accept(desk.sell(10_000, 50))
    assert desk.buy(10_000, 20) > 0


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(4))
def test_no_two_of_ours_ever_stand_where_they_would_meet(mode, seed):
    """Judged by what was sent: an order that was asked to end counts as gone behind the cancel."""
    chance = random.Random(seed)
    desk = Desk(limits=Limits(rules={"self_match": mode}, open_orders=None), orders_max=256)
    refused = sent = 0
    for _ in range(150):
        side = chance.choice((events.BUY, events.SELL))
        number = desk.place(side, 10_000 + 100 * chance.randint(-4, 4), chance.randint(1, 60))
        refused += number == -orders.OWN_ORDER
        sent += number > 0
        if number > 0 and chance.random() < 0.7:
            desk.accept(number)
        table = desk.session.arena["own_orders"]
        live = table[(table["state"] != orders.FREE) & (table["state"] < orders.OVER)]
        live = live[live["pending"] & orders.CANCEL_PENDING == 0]
        bids = live[live["side"] == events.BUY]["price"]
        asks = live[live["side"] == events.SELL]["price"]
        assert bids.max(initial=-1) < asks.min(initial=10**9)
        for one in live:
            if chance.random() < 0.05:
                desk.fill(int(one["id"]), int(one["price"]), int(one["quantity"] - one["filled"]))
    assert sent > 20 and (refused > 5 or mode == "cancel_oldest")
