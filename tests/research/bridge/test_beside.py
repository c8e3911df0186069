"""A bar backtest of vectorbt beside the book: the parts add up to both totals."""

import pytest

import hftlib as hft
from hftlib.core.errors import InputError

vectorbt = pytest.importorskip("vectorbt")


@pytest.fixture(scope="module")
def tape():
    return hft.to_tape(hft.synthetic(symbols=1, seconds=240, seed=7))


@pytest.fixture(scope="module")
def portfolio_and_strategy(tape):
    bars = tape.bars("1s")
    mid = bars["mid"].dropna()
    fast, slow = mid.ewm(5).mean(), mid.ewm(20).mean()
    into, out = fast > slow, fast <= slow
    made = vectorbt.Portfolio.from_signals(mid, into, out, size=100, init_cash=1e6, fees=0.00002)
    return made, hft.signals_to_strategy(into, out, tape, every="1s")


@pytest.mark.parametrize("way", [0, 1, 2])
@pytest.mark.parametrize("latency", ["0s", "200ms"])
def test_both_totals_are_the_libraries_own_and_the_parts_add_up(
    tape, portfolio_and_strategy, way, latency
):
    portfolio, strategy = portfolio_and_strategy
    venue = hft.Venue(order_latency=latency, fees=hft.Fees(taker="0.1bp"))
    result = hft.backtest(strategy, tape, params={"way": way}, venue=venue)
    verdict = hft.beside_bars(result, portfolio, every="1s")
    figures = dict(verdict.figures)
    assert figures["P&L on bars"] == pytest.approx(float(portfolio.total_profit()), abs=1e-6)
    assert figures["P&L in the book"] == pytest.approx(result.stats["pnl_net"], abs=1e-6)
    assert figures["orders on bars"] == portfolio.orders.count() > 3
    assert verdict.passed is (result.stats["pnl_net"] > 0)
    assert "<svg" in verdict._repr_html_()


def test_at_the_close_itself_nothing_is_lost(tape):
    """Bars valued at what a taker pays: then bars and book agree to the cent."""
    bars = tape.bars("1s")
    bars = bars[bars["mid"].notna()]
    into = bars["mid"] * 0 == 1
    into.iloc[90] = True  # 100 lots in and held
    out = into & False
    strategy = hft.signals_to_strategy(into, out, tape, every="1s", quantity=10)
    result = hft.backtest(strategy, tape)
    paid = result.fills["price"].iloc[0]
    close = bars["mid"].copy()
    close.iloc[90] = paid
    portfolio = vectorbt.Portfolio.from_signals(close, into, out, size=10, init_cash=1e6)
    figures = dict(hft.beside_bars(result, portfolio, every="1s").figures)
    assert figures["price paid"] == pytest.approx(0, abs=1e-9)
    assert figures["not filled, or later"] == pytest.approx(0, abs=1e-9)
    assert figures["P&L in the book"] == pytest.approx(float(portfolio.total_profit()), abs=1e-6)


def test_what_does_not_belong_together_is_said(tape, portfolio_and_strategy):
    portfolio, strategy = portfolio_and_strategy
    result = hft.backtest(strategy, tape)
    with pytest.raises(InputError, match="no result"):
        hft.beside_bars(portfolio, portfolio, every="1s")
    with pytest.raises(InputError, match="no vectorbt Portfolio"):
        hft.beside_bars(result, result, every="1s")
    with pytest.raises(InputError):
        hft.beside_bars(result, portfolio, every="soon")


def test_no_order_is_nothing_to_tell(tape):
    mid = tape.bars("1s")["mid"].dropna()
    never = mid < 0
    portfolio = vectorbt.Portfolio.from_signals(mid, never, never, init_cash=1e6)
    strategy = hft.signals_to_strategy(never, never, tape, every="1s")
    verdict = hft.beside_bars(hft.backtest(strategy, tape), portfolio, every="1s")
    assert verdict.passed is None and verdict.figures["P&L in the book"] == 0
