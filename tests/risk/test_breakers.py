"""Edges of breakers that no story of a limit meets."""

import pytest

from hftlib.risk.memory import R_ATTEMPTS
from tests.risk.stage import MID, MS, Stage, limited

pytestmark = pytest.mark.modes


def test_a_fill_of_an_order_sent_into_no_market_says_nothing_of_slippage():
    desk = Stage(limits=limited("strategy", {"slippage_bps": 1}))
    market = desk.session.arena["markets"][0]
    assert market["bid"] < 0, "nothing stands there yet"
    number = desk.buy(MID, 10)
    desk.accept(number)
    for sent_mid in (0, -(2**60)):
        desk.session.arena["own_orders"]["twice_mid"] = sent_mid
        desk.fill(number, MID, 1)
    assert desk.scope("strategy")["slipped"] == 0
    desk.session.arena["own_orders"]["twice_mid"] = 2
    desk.fill(number, MID, 1)
    assert desk.scope("strategy")["slipped"] == 1


def test_a_window_of_volatility_ends_as_its_time_is_over():
    desk = Stage(limits=limited("instrument", {"volatility_bps": 100, "volatility_window_ms": 10}))
    desk.market(MID - 1, MID + 1)
    began = desk.scope("instrument")["window_began"]
    desk.market(MID + 49, MID + 51, when=10 * MS - 1)
    assert desk.scope("instrument")["window_began"] == began
    assert desk.scope("instrument")["highs"] - desk.scope("instrument")["lows"] == 100
    desk.market(MID + 98, MID + 102, when=1)
    assert desk.scope("instrument")["window_began"] == began + 10 * MS
    assert desk.scope("instrument")["highs"] == desk.scope("instrument")["lows"]
    assert desk.states() == {}


def test_attempts_are_counted_where_somebody_limits_them():
    desk = Stage(limits=limited("strategy", {"message_rate": 100, "daily_loss_money": 10_000}))
    desk.market()
    for _ in range(3):
        desk.buy(MID, 1)
    tails = {
        level: int(desk.scope(level)["ring_tail"][R_ATTEMPTS]) for level in ("strategy", "firm")
    }
    assert tails == {"strategy": 3, "firm": 0}
