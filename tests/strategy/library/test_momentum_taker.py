"""The momentum taker on the synthetic market: in on a cross, out by the clock."""

import numpy as np
import pytest
from trials import MARKET, VENUE, halts, held, tried

import hftlib as hft

SECOND = 10**9


@pytest.fixture(scope="module")
def tape():
    return hft.to_tape(MARKET)


def test_it_trades_on_the_synthetic_market(tape):
    result = tried(hft.library.MomentumTaker, tape, limit=300)
    assert len(result.records["fills"]) > 20
    assert result.records["fills"]["taker"].all(), "it only takes"


def test_it_holds_nothing_for_longer_than_it_says(tape):
    """But for halts, what it holds is gone soon after `hold`."""
    params = {"hold": "2s", "stop_ticks": 1e6, "entry_ticks": 0.5}
    result = hft.backtest(hft.library.MomentumTaker, tape, params=params, venue=VENUE)
    spans = 0
    events = np.array(tape.events)
    for row in range(3):
        last = int(events[events["instrument"] == row]["time"][-1])
        times, position = held(result, row)
        starts = times[:-1][(np.concatenate([[0], position[:-2]]) == 0) & (position[:-1] != 0)]
        for start in starts.tolist():
            after = times[(times > start) & (position == 0)]
            end = int(after[0]) if len(after) else last
            halted = sum(max(0, min(end, b) - max(start, a)) for a, b in halts(tape, row))
            assert end - start - halted < 3 * SECOND
            spans += 1
    assert spans > 10


def test_a_limit_below_its_clip_is_an_answer(tape):
    result = tried(hft.library.MomentumTaker, tape, limit=50)
    assert len(result.records["orders"]) == 0
    refused = sum(result.refused.values())
    assert 0 < refused <= 3 * 60 * 20, "tried again after a pause, not at each event"
