"""Arbitrage between a venue and one that shows the same stock later."""

import numpy as np
import pytest
from trials import held, late_venue, tried

import hftlib as hft
from hftlib.core.orders import IOC, LIMIT, WAS_EXPIRED
from tests.strategy.desk import Desk

LAG_NS = 2 * 10**9
FAST = hft.Venue(feed_latency="50us", order_latency="100us")


def most_open(result):
    """The largest difference between the legs, after any fill."""
    fills = result.records["fills"]
    sign = np.where(fills["side"] == hft.BUY, 1, -1)
    return abs(np.cumsum(sign * fills["quantity"])).max()


@pytest.fixture(scope="module")
def tape():
    return late_venue(hft.synthetic(symbols=1, seconds=120, seed=5, spread_ticks=2), LAG_NS)


def test_it_trades_both_legs_and_ends_level(tape):
    result = tried(hft.library.CrossVenueArbitrage, tape, limit=500, venue=FAST, edge_ticks=0.5)
    fills = result.records["fills"]
    assert set(fills["instrument"].tolist()) == {0, 1}
    assert len(fills) >= 10 and fills["taker"].all()
    assert sum(held(result, row)[1][-1] for row in range(2)) == 0


def test_where_it_is_the_fastest_it_earns(tape):
    result = hft.backtest(
        hft.library.CrossVenueArbitrage, tape, venue=FAST, params={"edge_ticks": 0.5}
    )
    assert result.stats["pnl_net"] > 0


def test_where_orders_come_late_a_leg_is_missed_and_levelled(tape):
    slow = hft.Venue(feed_latency="50us", order_latency="1500ms")
    result = tried(hft.library.CrossVenueArbitrage, tape, limit=500, venue=slow, edge_ticks=0.5)
    orders = result.records["orders"]
    assert (orders["filled"] == 0).any(), "a leg that found nothing"
    assert most_open(result) <= 100, "one clip is open at most"
    assert np.ptp(np.bincount(orders["instrument"], minlength=2)) > 0, "a leg without its other"


def test_costs_that_nothing_covers_keep_it_out(tape):
    params = {"cost": 0.05}
    result = hft.backtest(hft.library.CrossVenueArbitrage, tape, venue=FAST, params=params)
    assert len(result.records["orders"]) == 0


def test_a_limit_is_an_answer_and_the_legs_still_agree(tape):
    result = tried(hft.library.CrossVenueArbitrage, tape, limit=130, venue=FAST, edge_ticks=0.5)
    assert sum(held(result, row)[1][-1] for row in range(2)) == 0
    assert result.refused
    assert most_open(result) <= 100


@pytest.mark.modes
@pytest.mark.parametrize("compiled", [True, False])
def test_a_missed_leg_is_levelled_at_the_better_venue(compiled):
    desk = Desk(hft.library.CrossVenueArbitrage(chase_ticks=5, pause="1ms"), compiled)
    desk.markets[1]["bid"], desk.markets[1]["ask"] = 1_006, 1_008
    desk.call("on_book", 1)
    sold, bought = (one for one in desk.asked() if one[0] == "submit")
    assert sold[1:] == (1, hft.SELL, 1_006, 10, LIMIT, IOC, 0, 0, 0)
    assert bought[1:] == (0, hft.BUY, 1_002, 10, LIMIT, IOC, 0, 0, 0)
    # Ten were sold, four bought; the other six were gone.
    desk.positions[1]["quantity"], desk.positions[0]["quantity"] = -10, 4
    desk.orders[1]["state"] = WAS_EXPIRED
    desk.call("on_order", 0, desk.address("orders", 1))
    assert sum(one[0] == "submit" for one in desk.asked()) == 2, "it rests"
    desk.context["time"] += 1_000_000
    desk.call("on_timer", 0)
    assert desk.asked()[-1][1:] == (0, hft.BUY, 1_002 + 5 * 2, 6, LIMIT, IOC, 0, 0, 0)
    desk.positions[0]["quantity"] = 10
    desk.context["time"] += 1_000_000
    before = len(desk.asked())
    desk.call("on_book", 0)
    assert len(desk.asked()) == before, "what was tried counts as gone while its price stands"
    desk.markets[0]["ask_quantity"] += 7
    desk.markets[1]["bid"] = 1_004
    desk.call("on_book", 0)
    assert [one[2:5] for one in desk.asked()[before:] if one[0] == "submit"] == [
        (hft.SELL, 1_004, 10),
        (hft.BUY, 1_002, 10),
    ]
    desk.markets[1]["state"] = ord("H")
    desk.markets[1]["bid"] = 1_100
    desk.context["time"] += 1_000_000
    before = len(desk.asked())
    desk.call("on_book", 1)
    assert len(desk.asked()) == before, "nothing is traded against a venue that is halted"
