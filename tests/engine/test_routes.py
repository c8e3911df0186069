"""Routes as stories of two venues: who is asked, who is left out, and who gets what is left."""

import pytest

from hftlib.core import events, orders, parents
from hftlib.core.events import BUY
from hftlib.core.fees import Fees
from hftlib.engine import path
from tests.engine.parent_desk import SECOND, ParentDesk

pytestmark = pytest.mark.modes
MS = 10**6
ONE, TWO = 0, 1


@pytest.fixture
def desk():
    return ParentDesk(venues=("ONE", "TWO"))


def news(desk):
    """Each new order: its number, venue, price and quantity."""
    return [
        (order, desk.order(order)["instrument"], price, quantity)
        for what, order, _, price, quantity in desk.sent()
        if what == "new"
    ]


def known(desk, one, two):
    """Both venues' latencies are measured."""
    desk.session.arena["venue_places"]["latency"][:2] = one, two


def test_a_sweep_takes_at_the_cheaper_venue_first_and_the_rest_at_the_other(desk):
    desk.show(10_000, 10_200, 300, row=ONE)
    desk.show(10_000, 10_100, 300, row=TWO)
    desk.begin(400, algo=parents.SWEEP)
    desk.act()
    assert sorted(row[1:] for row in news(desk)) == [(ONE, 10_200, 100), (TWO, 10_100, 300)]


def test_it_goes_no_further_than_its_limit(desk):
    desk.show(10_000, 10_200, 300, row=ONE)
    desk.show(10_000, 10_100, 300, row=TWO)
    number = desk.begin(400, algo=parents.SWEEP, limit=10_150.0)
    desk.act()
    ((order, *told),) = news(desk)
    assert told == [TWO, 10_100, 300]
    desk.accept(order)
    desk.fill(order, 10_100, 300)
    assert desk.state(number) == "done"
    assert desk.parent(number)["reason"] == orders.NOTHING_THERE


def test_a_fee_turns_the_order_round():
    desk = ParentDesk(venues=("ONE", "TWO"))
    Fees(taker_per_unit="0.02").lay(
        desk.session.arena["fees"][TWO : TWO + 1], desk.session.instruments[TWO]
    )
    desk.show(10_000, 10_200, 300, row=ONE)
    desk.show(10_000, 10_100, 300, row=TWO)  # 1 cent better, 2 cents dearer
    desk.begin(300, algo=parents.SWEEP)
    desk.act()
    assert [row[1] for row in news(desk)] == [ONE]


def test_the_farther_venue_is_sent_to_first(desk):
    known(desk, 1 * MS, 5 * MS)
    desk.begin(1_500, algo=parents.SWEEP)
    desk.act()
    assert [row[1] for row in news(desk)] == [TWO]
    start = desk.time
    desk.until(start + 4 * MS - 1)
    assert news(desk) == []
    desk.until(start + 4 * MS)
    assert [row[1] for row in news(desk)] == [ONE]


def test_what_is_planned_and_not_sent_is_planned_anew_when_its_venue_stops(desk):
    known(desk, 1 * MS, 5 * MS)
    desk.begin(1_500, algo=parents.SWEEP, seconds=1.0)
    desk.act()
    assert [row[1:] for row in news(desk)] == [(TWO, 10_100, 500)]
    desk.event(events.STATUS, row=ONE, reference=events.HALTED)
    desk.until(desk.time + 10 * MS)
    assert [row[1:] for row in news(desk)] == [(TWO, 10_100, 500)], "what still shows there"
    desk.event(events.STATUS, row=ONE, reference=events.TRADING)
    assert [row[1:] for row in news(desk)] == [(ONE, 10_100, 500)], "and the rest where it trades"


def test_a_reject_sends_it_elsewhere_and_leaves_the_venue_out_for_a_while(desk):
    desk.show(10_000, 10_200, 1_000, row=TWO)
    desk.begin(500, algo=parents.SWEEP, seconds=10.0)
    desk.act()
    ((order, row, *_),) = news(desk)
    assert row == ONE
    desk.report(orders.REJECTED, order, other=orders.VENUE_FULL, quantity=500)
    ((order, row, price, quantity),) = news(desk)
    assert (row, price, quantity) == (TWO, 10_200, 500)
    desk.report(orders.REJECTED, order, other=orders.VENUE_FULL, quantity=500)
    assert news(desk) == [], "both are left out"
    while not (rows := news(desk)):
        desk.wake()
    assert desk.time > 100 * MS and rows[0][1] == ONE, "and come back"


def test_what_was_tried_counts_as_gone_while_the_price_stands(desk):
    desk.show(10_000, 10_200, 1_000, row=TWO)
    desk.begin(1_200, algo=parents.SWEEP, seconds=10.0, limit=10_100.0)
    desk.act()
    ((order, _, _, quantity),) = news(desk)
    assert quantity == 1_000
    desk.accept(order)
    desk.report(orders.CANCELED, order, other=orders.MOMENT_OVER, quantity=1_000)
    assert news(desk) == [], "the same quote is not hit again"
    desk.show(9_900, 10_000, 1_000, row=ONE)
    ((_, row, price, quantity),) = news(desk)
    assert (row, price) == (ONE, 10_000) and 0 < quantity <= 1_000


def test_a_venue_that_is_silent_is_asked_to_end_and_left_out(desk):
    number = desk.begin(400, algo=parents.POST, seconds=10.0)
    desk.act()
    ((order, row, *_),) = news(desk)
    desk.until(desk.time + 150 * MS)
    assert [r[:2] for r in desk.sent()] == [("cancel", order)]
    assert desk.parent(number)["filled"] == 0
    desk.ended(order)
    ((_, other, _, quantity),) = news(desk)
    assert (other, quantity) == (1 - row, 400)


def test_what_stands_at_a_stale_venue_is_taken_back_and_stands_at_the_other(desk):
    desk.begin(400, algo=parents.SPLIT, seconds=10.0)
    desk.act()
    rows = news(desk)
    assert sorted(row[1:] for row in rows) == [(ONE, 10_000, 200), (TWO, 10_000, 200)]
    for order, *_ in rows:
        desk.accept(order)
    desk.event(events.GAP, row=ONE, reference=1)
    (mine,) = [row[0] for row in rows if row[1] == ONE]
    assert [r[:2] for r in desk.sent()] == [("cancel", mine)]
    desk.fill(mine, 10_000, 50)
    assert news(desk) == [], "its end is not known yet"
    desk.ended(mine)
    assert [row[1:] for row in news(desk)] == [(TWO, 10_000, 150)]


def test_each_child_moves_with_its_own_venue(desk):
    desk.begin(400, algo=parents.SPLIT, seconds=10.0)
    desk.act()
    rows = news(desk)
    for order, *_ in rows:
        desk.accept(order)
    desk.show(10_100, 10_200, row=TWO)
    (mine,) = [row[0] for row in rows if row[1] == TWO]
    assert desk.sent() == [("replace", mine, BUY, 10_100, 200)]


def test_one_that_must_finish_sweeps_at_its_end(desk):
    number = desk.begin(400, algo=parents.POST, seconds=10.0, patience=2.0, flags=parents.FINISH)
    desk.act()
    ((order, *_),) = news(desk)
    desk.accept(order)
    desk.fill(order, 10_000, 100)
    desk.until(desk.time + 8 * SECOND)
    assert [r[:2] for r in desk.sent()] == [("cancel", order)]
    desk.ended(order)
    ((order, _, price, quantity),) = news(desk)
    assert (price, quantity) == (10_100, 300)
    desk.accept(order)
    desk.fill(order, 10_100, 300, taker=True)
    assert desk.state(number) == "done"


def test_a_single_venue_is_a_route_too():
    desk = ParentDesk()
    desk.begin(400, algo=parents.SWEEP)
    desk.act()
    assert [row[1:] for row in news(desk)] == [(0, 10_100, 400)]


def test_a_venue_without_a_session_is_left_out_and_where_all_are_it_waits(desk):
    rules = desk.session.arena["rules"]
    rules["cut_off"][ONE] = 1
    number = desk.begin(400, algo=parents.SWEEP)
    desk.act()
    ((order, *told),) = news(desk)
    assert told == [TWO, 10_100, 400]
    desk.accept(order)
    desk.fill(order, 10_100, 400)
    assert desk.state(number) == "done"
    rules["cut_off"][TWO] = 1
    number = desk.begin(400, algo=parents.SWEEP)
    desk.act()
    desk.show(10_000, 10_100, row=TWO)
    assert news(desk) == [] and desk.state(number) == "running" and desk.refused() == {}
    rules["cut_off"][ONE] = 0
    path.opened(desk.base, ONE, desk.time)
    desk.until(desk.time)
    assert [row[1:] for row in news(desk)] == [(ONE, 10_100, 400)]
