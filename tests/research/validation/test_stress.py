"""Stress: a known edge survives; what lives on no costs, or on no latency, is refused."""

import json
import math

import pytest
from planted_market import VENUE, Follow, days, market

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.research.validation.stress import break_even, checked_multiples

FREE = hft.Venue()
DEAR = hft.Venue(fees=hft.Fees(taker="0.5bp"))


@pytest.fixture(scope="module")
def tape():
    return market()


@pytest.fixture(scope="module")
def weak():
    """An edge that is about as large as the half-spread."""
    return market(turn=0.2)


def test_a_known_edge_survives_costs_and_latency(tape):
    costs = hft.validation.stress_costs(Follow, tape, venue=VENUE)
    assert costs.passed and costs.figures["break-even, times costs"] > 1.5, costs
    slow = hft.validation.stress_latency(Follow, tape, venue=VENUE)
    assert slow.passed and len(slow.tables[0].rows) == 5, slow
    assert "<svg" in costs.picture and "<svg" in slow.picture
    json.dumps([costs.as_json(), slow.as_json()], allow_nan=False)


def test_one_that_earns_only_without_costs_is_refused(weak):
    verdict = hft.validation.stress_costs(Follow, weak, venue=DEAR)
    told = verdict.figures
    assert told["P&L at 0 times"] > 0 > told["P&L at 1 times"]
    assert verdict.passed is False and 0 < told["break-even, times costs"] < 1


def test_one_that_earns_only_without_latency_is_refused():
    venue = hft.Venue(order_latency="1s")
    verdict = hft.validation.stress_latency(Follow, market(turn=0.1), venue=venue)
    told = verdict.figures
    assert told["P&L at 0 times"] > 0 > told["P&L at 1 times"]
    assert verdict.passed is False and 0 < told["break-even, times latency"] < 1
    assert told["break-even, an order under way"].endswith("ms")


def test_noise_is_refused_by_its_costs():
    verdict = hft.validation.stress_costs(Follow, market(turn=0.5), venue=DEAR)
    assert verdict.passed is False


def test_costs_are_those_that_fills_counted_by_hand_have(weak):
    verdict = hft.validation.stress_costs(Follow, weak, multiples=(0, 2), survive=2, venue=DEAR)
    for multiple in (0, 1, 2):
        venue = hft.Venue(fees=hft.Fees(taker=f"{0.5 * multiple}bp"))
        result = hft.backtest(Follow, weak, venue=venue)
        beyond = 0.0
        for fill in result.fills.itertuples():
            if fill.role == "taker":
                beyond += abs(fill.price - fill.mid) * fill.quantity
        expected = result.stats["pnl_net"] - (multiple - 1) * beyond
        assert verdict.figures[f"P&L at {multiple} times"] == pytest.approx(expected)


def test_several_tapes_add_up():
    tapes = days(2, seconds=60)
    both = hft.validation.stress_latency(Follow, tapes, multiples=(1, 2), venue=VENUE)
    alone = [hft.backtest(Follow, one, venue=VENUE).stats["pnl_net"] for one in tapes]
    assert both.figures["P&L at 1 times"] == pytest.approx(sum(alone))


def test_without_costs_nothing_is_told():
    """A maker at a venue without fees pays nothing: that it survives more of it says nothing."""
    tape = hft.synthetic(symbols=2, seconds=60)
    verdict = hft.validation.stress_costs(hft.library.QueueImbalance, tape, venue=FREE)
    assert verdict.figures["fills"] >= 20 and verdict.passed is None
    assert "no costs to multiply" in verdict.sentence
    rebate = hft.Venue(fees=hft.Fees(maker="-0.2bp"))
    verdict = hft.validation.stress_costs(hft.library.QueueImbalance, tape, venue=rebate)
    told = verdict.figures
    assert verdict.passed is not None and told["P&L at 1 times"] > told["P&L at 2 times"]


def test_without_latency_or_fills_nothing_is_told(tape):
    verdict = hft.validation.stress_latency(Follow, tape, venue=FREE)
    assert verdict.passed is None and "no latency to multiply" in verdict.sentence
    params = {"moves": 40}
    verdict = hft.validation.stress_costs(Follow, tape, venue=VENUE, params=params)
    assert verdict.passed is None and "tell nothing" in verdict.sentence


def test_the_break_even_is_where_the_line_comes_to_zero():
    assert break_even([0, 1, 2], [4.0, 2.0, -2.0]) == 1.5
    assert break_even([0, 1, 2], [4.0, 2.0, 1.0]) == math.inf
    assert break_even([0, 1, 2], [4.0, -4.0, 1.0]) == 0.5
    assert math.isnan(break_even([0, 1, 2], [-4.0, -4.0, 1.0]))
    assert break_even([0, 1, 2], [-1.0, 1.0, 0.0]) == 2.0


def test_multiples_are_ordered_and_have_one():
    assert checked_multiples((3, 0, 3), "here") == [0.0, 1.0, 3.0]
    for bad in ((), (-1,), ("two",), 2, (True,), (math.nan,), (10_000,), None, "12"):
        with pytest.raises(InputError, match="no multiples"):
            checked_multiples(bad, "here")


@pytest.mark.parametrize("name", ["stress_costs", "stress_latency"])
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"multiples": "many"}, "no multiples"),
        ({"survive": 0.5}, "could survive"),
        ({"survive": 99}, "could survive"),
        ({"survive": "all"}, "could survive"),
        ({"laten": 3}, "no setting 'laten'"),
        ({"venue": "fast"}, "no setting of venues"),
    ],
)
def test_what_is_wrong_is_said(tape, name, settings, said):
    with pytest.raises(InputError, match=said):
        getattr(hft.validation, name)(Follow, tape, **settings)
