"""The queue-imbalance maker on the synthetic market, and its quotes by hand."""

import pytest
from trials import MARKET, VENUE, halts, most_held, tried

import hftlib as hft
from tests.strategy.desk import Desk


@pytest.fixture(scope="module")
def tape():
    return hft.to_tape(MARKET)


def test_it_trades_on_the_synthetic_market(tape):
    result = tried(hft.library.QueueImbalance, tape, limit=300)
    assert len(result.records["fills"]) > 40
    assert not result.records["fills"]["taker"].any(), "it only makes"
    assert any(halts(tape, row) for row in range(3)), "the tape has halts to stand back from"


def test_it_holds_no_more_than_it_says_without_any_limit(tape):
    result = hft.backtest(
        hft.library.QueueImbalance, tape, params={"clips_max": 2, "clip": 70}, venue=VENUE
    )
    assert 70 < most_held(result, 3) <= 140


@pytest.mark.modes
@pytest.mark.parametrize("compiled", [True, False])
def test_it_leans_with_the_queue_and_against_what_it_holds(compiled):
    desk = Desk(hft.library.QueueImbalance(edge_ticks=3, lean_ticks=2.0), compiled)
    desk.call("on_book", 0)
    desk.positions[0]["quantity"] = 450
    desk.call("on_book", 0)
    first, second = (one for one in desk.asked() if one[0] == "quote")
    # The desk answers one over the count of calls for an imbalance: 1, then 1/3.
    assert first[1:] == (0, 1_001 + 4 - 6, 1_001 + 4 + 6, 100, 100, 1)
    fair = 1_001 + (2 / 3 - 4.5) * 2
    assert second[1:] == pytest.approx((0, fair - 6, 1_002, 50, 100, 1))
    desk.markets[0]["ask"] = -(2**60)
    desk.call("on_book", 0)
    assert desk.asked()[-1][1:] == (0, 0.0, 0.0, 0, 0, 0), "an empty side: nothing is wanted"
