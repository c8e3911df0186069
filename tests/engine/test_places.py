"""What is learnt of venues: latency, how long prices stand, what is hidden."""

import pytest

from hftlib.core import events, orders, parents
from hftlib.core.events import BUY
from tests.engine.parent_desk import ParentDesk

pytestmark = pytest.mark.modes
MS = 10**6


@pytest.fixture
def desk():
    return ParentDesk(venues=("ONE", "TWO"))


def place(desk, row=0):
    one = desk.session.arena["venue_places"][row]
    return {name: one[name] for name in one.dtype.names}


def test_peers_are_the_venues_of_one_symbol_in_a_ring():
    desk = ParentDesk("AAA", "BBB", venues=("ONE", "TWO"))
    assert desk.session.arena["venue_places"]["peer"][:4].tolist() == [1, 0, 3, 2]
    desk = ParentDesk("AAA", venues=("ONE", "TWO", "SIX"))
    assert desk.session.arena["venue_places"]["peer"][:3].tolist() == [1, 2, 0]
    alone = ParentDesk("AAA", "BBB")
    assert alone.session.arena["venue_places"]["peer"][:2].tolist() == [0, 1]
    assert alone.session.arena["parents"]["grouped"][0] == 0


def test_a_latency_is_a_mean_of_what_acceptances_tell(desk):
    twin = -1
    for n in range(20):
        number = desk.buy(9_000, 1, instrument=1)
        desk.time += 1_000 * (n % 5)
        sent = desk.order(number)["sent"]
        desk.accept(number)
        sample = desk.order(number)["venue_accepted"] - sent
        twin = sample if twin < 0 else twin + ((sample - twin) >> 3)
        assert place(desk, 1)["latency"] == twin
        desk.session.arena["session"]["time"] = desk.time
        desk.cancel(number)
        desk.ended(number)
        desk.sent()
    assert place(desk, 0)["latency"] == -1


def test_a_life_is_a_mean_of_how_long_best_prices_stood(desk):
    since, bid = place(desk)["bid_since"], 10_000
    for n in range(12):
        desk.time += 5 * MS * (n % 3 + 1)
        price = 10_000 + 100 * (n % 2)
        desk.event(events.LEVEL, side=BUY, price=bid, quantity=0, flags=0)
        desk.event(events.LEVEL, side=BUY, price=price, quantity=10)
        bid = price
    row = place(desk)
    assert row["bid_since"] > since and row["ask_life"] < 100
    assert 3 * MS < row["bid_life"] < 16 * MS


@pytest.mark.parametrize(
    ("price", "lots", "hidden"),
    [
        (10_100, 400, 0),  # as much as showed there
        (10_100, 1_400, 400),  # more than showed
        (10_050, 70, 70),  # between the best prices: nothing showed
        (10_000, 1_001, 1),
        (10_300, 500, 0),  # behind the best price: not known
    ],
)
def test_hidden_is_what_printed_beyond_what_showed(desk, price, lots, hidden):
    before = place(desk)
    desk.trade(price, lots)
    after = place(desk)
    assert after["printed"] - before["printed"] == lots
    assert after["hidden"] - before["hidden"] == hidden


def test_a_sweep_asks_for_what_is_expected_hidden(desk):
    desk.show(10_000, 10_200, 1_000, row=1)
    desk.trade(10_100, 1_500)  # a third of what printed did not show: half as much as showed
    desk.begin(2_000, algo=parents.SWEEP, limit=10_100.0)
    desk.act()
    assert [row[4] for row in desk.sent()] == [1_500]


def test_a_sweep_counts_on_less_where_prices_do_not_last(desk):
    rows = desk.session.arena["venue_places"]
    rows["latency"][:2], rows["ask_life"][:2] = 3 * MS, 9 * MS
    desk.begin(2_000, algo=parents.SWEEP)
    desk.act()
    assert [row[4] for row in desk.sent()] == [750, 750]


def test_nothing_is_learnt_where_a_symbol_has_one_venue():
    desk = ParentDesk()
    desk.trade(10_050, 70)
    number = desk.buy(9_000, 1)
    desk.accept(number)
    row = place(desk)
    assert (row["printed"], row["latency"], row["watched"]) == (0, -1, 0)


def test_a_refusal_that_is_our_own_fault_leaves_no_venue_out(desk):
    number = desk.begin(100, algo=parents.MANUAL)
    first = desk.child(number, 10_000, 10)
    desk.report(orders.REJECTED, first, other=orders.WOULD_TAKE, quantity=10)
    assert place(desk)["down_until"] == 0
    second = desk.child(number, 10_000, 10)
    desk.report(orders.REJECTED, second, other=orders.VENUE_FULL, quantity=10)
    assert place(desk)["down_until"] > desk.time
