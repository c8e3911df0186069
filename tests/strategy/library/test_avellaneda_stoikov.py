"""The inventory-aware maker on the synthetic market, and its quotes against the formulas."""

import math

import pytest
from trials import MARKET, VENUE, most_held, tried

import hftlib as hft
from tests.strategy.desk import Desk


@pytest.fixture(scope="module")
def tape():
    return hft.to_tape(MARKET)


def test_it_trades_on_the_synthetic_market(tape):
    result = tried(hft.library.AvellanedaStoikov, tape, limit=300)
    assert len(result.records["fills"]) > 40
    assert not result.records["fills"]["taker"].any(), "it only makes"


def test_the_more_it_dislikes_risk_the_less_it_holds(tape):
    held = [
        most_held(
            hft.backtest(
                hft.library.AvellanedaStoikov,
                tape,
                params={"gamma": gamma, "clips_max": 50},
                venue=VENUE,
            ),
            3,
        )
        for gamma in (0.001, 2.0)
    ]
    assert held[0] > held[1] > 0


@pytest.mark.modes
@pytest.mark.parametrize("compiled", [True, False])
def test_its_quotes_are_the_formulas(compiled):
    gamma, kappa = 0.2, 0.8
    desk = Desk(hft.library.AvellanedaStoikov(gamma=gamma, kappa=kappa, horizon="4s"), compiled)
    desk.positions[0]["quantity"] = 150
    desk.call("on_book", 0)
    assert desk.asked() == [], "volatility is not known yet"
    desk.context["time"] += 500_000_000
    for side in ("bid", "ask"):
        desk.markets[0][side] += 8
    desk.call("on_book", 0)
    sigma = 8 / math.sqrt(0.5) / 2  # ticks of 2
    risk = gamma * sigma**2 * 4
    reservation = 1_009 - 1.5 * risk * 2
    edge = (risk / 2 + math.log(1 + gamma / kappa) / gamma) * 2
    # A bid far below is quoted there; an ask below the bid stops above it.
    wanted = (0, reservation - edge, max(reservation + edge, 1_010), 100, 100, 1)
    assert desk.asked()[-1][1:] == pytest.approx(wanted)
    desk.positions[0]["quantity"] = 500
    desk.call("on_book", 0)
    assert desk.asked()[-1][4:6] == (0, 100), "at its most it only sells"
    desk.call("on_halt", 0)
    assert desk.asked()[-1][1:] == (0, 0.0, 0.0, 0, 0, 0)
