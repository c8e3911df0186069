"""Capacity: P&L by size against single backtests, impact on; sizes that cannot be are said."""

import pytest
from planted_market import VENUE, Follow, days, market

import hftlib as hft
from hftlib.core.errors import InputError


@pytest.fixture(scope="module")
def tape():
    return market()


@hft.strategy
class Plain:
    """Its one parameter is no size."""

    keen: bool = hft.param(True)
    nothing: int = hft.param(0, low=0)


def test_a_known_edge_has_room_and_what_is_not_allowed_is_said(tape):
    verdict = hft.validation.capacity(Follow, tape, venue=VENUE)
    assert verdict.passed and "does not allow 5, 10 times" in verdict.sentence, verdict
    assert [row[1] for row in verdict.tables[0].rows] == [100, 200]
    assert verdict.figures["capacity"] == 200 and "or more" in verdict.sentence
    assert "what usually stands" in verdict.sentence or "usually stands" in verdict.sentence


def test_taking_that_moves_the_price_brings_less_a_unit_and_then_less_at_all(tape):
    impact = hft.Impact(permanent=1, transient=1, per=100, half_life="30s")
    venue = hft.Venue(impact=impact)
    verdict = hft.validation.capacity(Follow, tape, multiples=(1, 2, 4), venue=venue)
    each = [row[3] for row in verdict.tables[0].rows]
    assert each[0] > each[1] > each[2]
    assert verdict.passed is False and "the venue's impact" in verdict.sentence, verdict
    for _, clip, pnl, _, own, fills in verdict.tables[0].rows:
        alone = hft.backtest(Follow, tape, params={"clip": clip}, venue=venue)
        by_order = alone.fills.groupby("order")["quantity"].sum()
        cost = sum(size * 0.01 * 2 * size / 100 / 2 for size in by_order)
        assert own == pytest.approx(cost) and fills == len(alone.fills)
        assert pnl == pytest.approx(alone.stats["pnl_net"] - cost)


def test_noise_has_no_capacity():
    verdict = hft.validation.capacity(Follow, market(turn=0.5), venue=VENUE)
    assert verdict.passed is False and verdict.figures["capacity"] == 0
    assert "no capacity" in verdict.sentence


def test_several_tapes_and_a_made_strategy(tape):
    verdict = hft.validation.capacity(
        lambda _tape: Follow, days(2, seconds=60), multiples=(1, 3), venue=VENUE
    )
    assert verdict.passed and [row[0] for row in verdict.tables[0].rows] == [1.0, 3.0]


def test_where_no_larger_size_is_allowed_there_is_no_curve(tape):
    verdict = hft.validation.capacity(
        Follow, tape, multiples=(1, 2), params={"clip": 400}, venue=VENUE
    )
    assert verdict.passed is None and "may not be made larger" in verdict.sentence


@pytest.mark.parametrize(
    ("strategy", "settings", "said"),
    [
        (Follow, {"param": "size"}, "no parameter 'size'.*clip"),
        (Plain, {"param": "keen"}, "no size"),
        (Plain, {"param": "nothing"}, "no size"),
        ([Follow, Plain], {}, "no one size"),
        (Follow, {"multiples": ()}, "no multiples"),
        (Follow, {"clip": 3}, "no setting 'clip'"),
        (7, {}, "no strategy"),
    ],
)
def test_what_is_wrong_is_said(tape, strategy, settings, said):
    with pytest.raises(InputError, match=said):
        hft.validation.capacity(strategy, tape, **settings)
