"""Monte Carlo: the same draws for the same seed, nothing drawn is the backtest, edges survive."""

import math

import pytest
from planted_market import VENUE, Follow, days, market

import hftlib as hft
from hftlib.core.errors import InputError

RUNS = 12


@pytest.fixture(scope="module")
def tape():
    return market(seconds=60)


def drawn(tape, **settings):
    return hft.validation.monte_carlo(Follow, tape, **{"runs": RUNS, "venue": VENUE} | settings)


def test_a_known_edge_does_not_hang_on_chance_and_noise_never_earns(tape):
    verdict = drawn(tape)
    told = verdict.figures
    assert verdict.passed and told["runs that earn"] == RUNS, verdict
    assert told["P&L an hour, lowest"] < told["P&L an hour, median"]
    assert 0.01 < told["share of attempts refused"] < 0.3
    assert "as backtested" in verdict.picture
    noise = drawn(market(seconds=60, turn=0.5))
    assert noise.passed is False and noise.figures["runs that earn"] == 0


def test_a_seed_is_one_set_of_draws_and_another_is_another(tape):
    one, same, other = (drawn(tape, seed=seed).figures for seed in (1, 1, 2))
    assert one == same and one != other


def test_where_nothing_is_drawn_every_run_is_the_backtest(tape):
    verdict = drawn(tape, reject=0, start=0, venue=hft.Venue())
    told = verdict.figures
    result = hft.backtest(Follow, tape)
    hours = tape.duration / 3.6e12
    assert told["P&L an hour, lowest"] == pytest.approx(result.stats["pnl_net"] / hours)
    assert told["P&L an hour, median"] == told["P&L an hour, as backtested"]
    assert told["share of attempts refused"] == 0 and "no latency drawn" in verdict.sentence


def test_the_more_is_refused_the_fewer_are_the_fills(tape):
    few, many = (
        drawn(tape, reject=reject, start=0, venue=hft.Venue()).figures for reject in (0.05, 0.6)
    )
    assert few["share of attempts refused"] < many["share of attempts refused"]
    assert few["fills, mean of runs"] > many["fills, mean of runs"]
    assert few["P&L an hour, median"] > many["P&L an hour, median"]


def test_orders_can_be_drawn_from_a_latency_of_ones_own(tape):
    slow = hft.Latency.lognormal("1s", "3s")
    told = drawn(tape, latency=slow, reject=0, start=0)
    assert told.figures["P&L an hour, median"] < told.figures["P&L an hour, as backtested"]
    assert "lognormal" in told.sentence


def test_a_limit_of_ones_own_holds_when_the_moments_are_over(tape):
    """The firm's largest order is what refuses; a strategy beyond it must stay refused."""
    limits = hft.Limits(firm={"order_quantity_lots": 10})
    verdict = drawn(tape, limits=limits)
    assert verdict.passed is None and verdict.figures["fills, mean of runs"] == 0


def test_several_tapes_take_turns():
    verdict = drawn(days(2, seconds=60), start="5s")
    assert verdict.passed and "begun within 5 s" in verdict.sentence


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"runs": 5}, "no number of runs"),
        ({"runs": "all"}, "no number of runs"),
        ({"reject": 1}, "no share of the time"),
        ({"reject": -0.1}, "no share of the time"),
        ({"reject": math.nan}, "no share of the time"),
        ({"latency": 0.5}, "draws no latency"),
        ({"latency": "slow"}, "draws no latency"),
        ({"start": 1.0}, "no start"),
        ({"start": "10m"}, "no start"),
        ({"start": "soon"}, "start"),
        ({"queue": ("best",)}, "no setting of queue"),
        ({"seed": 1.5}, "seed"),
        ({"sed": 1}, "no setting 'sed'"),
    ],
)
def test_what_is_wrong_is_said(tape, settings, said):
    with pytest.raises(InputError, match=said):
        drawn(tape, **settings)
