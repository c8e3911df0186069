"""Pairs on the synthetic market, by taking and by making the first leg."""

import pytest
from trials import MARKET, held, tried

import hftlib as hft


@pytest.fixture(scope="module")
def tape():
    return hft.to_tape(MARKET)


def test_it_trades_on_the_synthetic_market(tape):
    result = tried(hft.library.Pairs, tape, limit=300, every="20ms", enter=1.5)
    fills = result.records["fills"]
    assert len(fills) > 10 and fills["taker"].all()
    assert set(fills["instrument"].tolist()) == {0, 1}


def test_it_makes_the_first_leg_where_it_shall():
    calm = hft.to_tape(hft.synthetic(symbols=2, seconds=120, seed=3))
    result = tried(hft.library.Pairs, calm, limit=300, every="50ms", enter=1.0, passive=True)
    fills = result.records["fills"]
    assert len(fills) >= 4 and set(fills["instrument"].tolist()) == {0, 1}
    assert (fills["taker"] == fills["instrument"]).all(), "the first leg makes, the second takes"


def test_the_second_leg_stands_against_the_first(tape):
    result = tried(hft.library.Pairs, tape, limit=300, every="20ms", enter=1.5, ratio=0.5)
    first, second = (int(held(result, row)[1][-1]) for row in range(2))
    assert second == -round(first * 0.5)
    assert abs(held(result, 1)[1]).max() <= 50


def test_a_limit_below_its_clip_is_an_answer(tape):
    result = tried(hft.library.Pairs, tape, limit=50, every="20ms", enter=1.5)
    assert len(result.records["orders"]) == 0 and result.refused
