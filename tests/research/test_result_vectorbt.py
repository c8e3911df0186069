"""A Portfolio of the same fills: its totals are ours."""

import numpy as np
import pytest
from result_ledger import MS, Ledger, S, market, random_ledger, round_trip

from hftlib.core.errors import HftError
from hftlib.core.events import BUY, SELL
from hftlib.research import result_vectorbt


def assert_agrees(result, currency):
    made = result.to_vectorbt(currency=currency)
    stats = result.stats
    names = [name for name, one in stats.instruments.items() if one["currency"] == currency]
    assert made.wrapper.columns.tolist() == names
    profit = made.final_value() - made.init_cash
    fees = fees_of(made, names)
    for number, name in enumerate(names):
        mine = stats.instruments[name]
        near = {"rel": 1e-9, "abs": 1e-9 * (1 + mine["turnover"])}
        assert float(np.atleast_1d(profit)[number]) == pytest.approx(mine["pnl_net"], **near)
        assert fees[number] == pytest.approx(mine["fees"], **near)
    total = stats.totals[currency]
    near = {"rel": 1e-9, "abs": 1e-9 * (1 + total["turnover"])}
    assert np.sum(profit) == pytest.approx(total["pnl_net"], **near)
    assert len(made.orders.values) == total["fills"]
    return made


def fees_of(made, names):
    records = made.orders.values
    return [records["fees"][records["col"] == n].sum() for n in range(len(names))]


def test_a_round_trip_agrees_and_its_curve_is_there():
    made = assert_agrees(round_trip().result(), "USD")
    value = made.value()["AAPL"] - made.init_cash["AAPL"]
    # Start, three fills and two samples; 100 held at 99.95, the last known middle, in between.
    assert len(value) == 6
    assert value.iloc[-1] == pytest.approx(4.9)
    assert value.min() == pytest.approx(-4.8)
    assert str(value.index.tz) == "America/New_York"


@pytest.mark.parametrize("seed", range(6))
def test_random_fills_agree_with_shorts_rebates_and_fees(seed):
    ledger = random_ledger(seed, fills=120)
    assert min(one["position"] for one in ledger.fills) < 0
    result = ledger.result()
    assert_agrees(result, "USD")
    assert_agrees(result, "EUR")


def test_fills_of_one_moment_follow_each_other():
    ledger = Ledger(market())
    for side, price in ((BUY, 10_000), (SELL, 10_010), (SELL, 10_020), (BUY, 10_005)):
        ledger.fill(ledger.order(side, 3, price, 0), 3, price, S, fee=1)
    ledger.sample(S + MS, 20_000)
    made = assert_agrees(ledger.result(), "USD")
    assert np.diff(made.wrapper.index.view("int64")).tolist() == [1] * 4


def test_a_contract_with_a_multiplier_agrees():
    instruments = market("ES")
    instruments.table["multiplier"] = 50 * 10**6
    ledger = Ledger(instruments)
    ledger.fill(ledger.order(BUY, 2, 10_000, 0), 2, 10_000, S, fee=3)
    ledger.sample(2 * S, 20_050)
    assert_agrees(ledger.result(), "USD")


def test_too_many_samples_are_left_out_and_totals_still_agree(monkeypatch):
    result = random_ledger(1, fills=50, symbols=1).result()
    fills = len(result.records["fills"])
    monkeypatch.setattr(result_vectorbt, "CELLS_MAX", fills + 5)
    made = assert_agrees(result, "USD")
    assert len(made.wrapper.index) == fills + 1
    monkeypatch.setattr(result_vectorbt, "CELLS_MAX", fills - 1)
    with pytest.raises(HftError, match="too many for it"):
        result.to_vectorbt()


def test_what_it_cannot_represent_is_said():
    with pytest.raises(HftError, match="it has one currency, and there are EUR, USD"):
        random_ledger(1).result().to_vectorbt()
    with pytest.raises(HftError, match="nothing trades in 'GBP'"):
        random_ledger(1).result().to_vectorbt(currency="GBP")
    with pytest.raises(HftError, match="there is no fill"):
        Ledger(market()).result().to_vectorbt()
    ledger = Ledger(market())
    ledger.fill(ledger.order(BUY, 1, 5, 0), 1, 0, S)
    with pytest.raises(HftError, match="fill 1 has a price of 0"):
        ledger.result().to_vectorbt()
    with pytest.raises(HftError, match="refuses one of the fills"):
        round_trip().result().to_vectorbt(cash=10.0)
