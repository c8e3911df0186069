"""Causes of a difference in P&L add up to it, whatever the two did; and each one by hand."""

import pytest
from result_ledger import Ledger, S, market, random_ledger

from hftlib.core import orders as o
from hftlib.core.events import BUY
from hftlib.research.parity import causes as c
from hftlib.research.parity.aligning import aligned


def causes(session, backtest, within=60 * S, currency="USD"):
    mine, theirs = session.records["orders"], backtest.records["orders"]
    pairs = aligned(mine, theirs, mine["sent"], theirs["sent"], within)
    groups = session._grouping.total(currency), backtest._grouping.total(currency)
    return c.causes_of(*groups, pairs, mine, theirs)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_they_add_up_to_the_difference(seed, currency):
    session, backtest = random_ledger(seed).result(), random_ledger(seed + 100).result()
    found = causes(session, backtest, currency=currency)
    totals = [one.stats.totals[currency]["pnl_net"] for one in (session, backtest)]
    assert sum(found.values()) == pytest.approx(totals[0] - totals[1], abs=1e-6)
    assert list(found) == list(c.CAUSES) and any(found.values())


def one_buy(price=10_000, quantity=100, fee=0, filled=True, lasts=o.DAY, last=20_010):
    """One order to buy 100 at 100.00; the middle is 100.05 at the end unless said otherwise."""
    ledger = Ledger(market())
    ledger.sample(0, 20_000)
    order = ledger.order(BUY, 100, 10_000, S, lasts=lasts)
    if filled:
        ledger.fill(order, quantity, price, 2 * S, fee=fee)
    ledger.sample(3 * S, last)
    return ledger.result()


@pytest.mark.parametrize(
    ("session", "cause", "amount"),
    [
        (one_buy(price=9_990), c.PRICE, 10.0),
        (one_buy(quantity=40), c.STOOD, -3.0),
        (one_buy(filled=False), c.STOOD, -5.0),
        (one_buy(fee=200), c.FEES, -2.0),
        (one_buy(last=20_030), c.MIDDLE, 10.0),
    ],
)
def test_each_cause_by_hand(session, cause, amount):
    found = causes(session, one_buy())
    assert found[cause] == pytest.approx(amount)
    assert sum(found.values()) == pytest.approx(amount)


def test_a_take_that_came_too_late_is_a_race():
    found = causes(one_buy(filled=False, lasts=o.IOC), one_buy(lasts=o.IOC))
    assert found[c.TOOK] == pytest.approx(-5.0) and found[c.STOOD] == 0.0


def test_an_order_that_only_one_of_them_sent():
    idle = Ledger(market())
    idle.sample(0, 20_000)
    idle.sample(3 * S, 20_010)
    assert causes(one_buy(), idle.result())[c.ONLY_SESSION] == pytest.approx(5.0)
    assert causes(idle.result(), one_buy())[c.ONLY_BACKTEST] == pytest.approx(-5.0)
