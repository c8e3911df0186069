"""The ledger at its edge: sums by whatever is asked for, rates, words, and what it refuses."""

import json
from fractions import Fraction

import numpy as np
import pytest
from result_ledger import MS, T0, S, market, random_ledger, records, round_trip
from result_ledger import Ledger as Desk

import hftlib as hft
from hftlib.core.errors import HftError
from hftlib.core.events import BUY, SELL
from hftlib.core.orders import FILL
from hftlib.execution.ledger_memory import MONEY_MAX
from hftlib.research.result_money import ratios_of


def fills_of(desk, strategies=1):
    made = records(FILL, desk.fills)
    made["strategy"] = np.arange(len(made)) % strategies
    return made


def unit_of(instruments, row):
    one = instruments.table[row]
    names = ("price_unit_over", "price_unit_under", "lot_unit_over", "lot_unit_under", "multiplier")
    return ratios_of(*(int(one[name]) for name in names))["money"]


def test_a_result_has_its_ledger():
    ledger = round_trip().result().ledger()
    (one,) = ledger.table().exact
    assert one["realised"] == 5 and one["fees"] == Fraction("0.1") and one["unrealised"] == 0
    assert (one["gross"], one["net"]) == (5, Fraction("4.9"))
    assert (one["position"], one["bought"], one["sold"], one["fills"]) == (0, 100, 100, 3)
    assert one["turnover"] == 100 * 100 + 100 * Fraction("100.05")
    assert ledger.frame.loc[("AAPL", "USD"), "net"] == 4.9
    page = ledger._repr_html_()
    assert "AAPL" in page and "4.90" in page
    assert ledger.check() == []


@pytest.mark.parametrize("method", ["fifo", "average"])
@pytest.mark.parametrize("seed", range(6))
def test_its_sum_is_the_pnl_of_the_statistics(method, seed):
    result = random_ledger(seed).result()
    ledger = result.ledger(method)
    assert ledger.check() == []
    for one in ledger.table(by=()).exact:
        told = result.stats.totals[one["currency"]]
        if one["gross"] is None:
            assert np.isnan(told["pnl_gross"])
            continue
        assert float(one["gross"]) == pytest.approx(told["pnl_gross"], abs=1e-6)
        assert float(one["net"]) == pytest.approx(told["pnl_net"], abs=1e-6)
        assert float(one["turnover"]) == pytest.approx(told["turnover"])


@pytest.mark.parametrize("seed", range(4))
def test_every_sum_is_the_sum_of_its_parts(seed):
    desk = random_ledger(seed, fills=120)
    fills = fills_of(desk, strategies=3)
    marks = {row: Fraction(70 + row) for row in range(3)}
    ledger = hft.Ledger(desk.instruments, fills, marks=marks)
    finest = ledger.table(by=("strategy", "instrument", "venue")).exact
    for by in ((), ("strategy",), ("instrument",), ("venue",), ("currency", "strategy")):
        for one in ledger.table(by=by).exact:
            mine = [
                part for part in finest if all(part[key] == one[key] for key in (*by, "currency"))
            ]
            for name in ("cash", "cost", "realised", "unrealised", "gross", "fees", "net"):
                assert one[name] == sum(part[name] for part in mine), name
            assert one["realised"] == one["cash"] + one["cost"]
    total = {one["currency"]: one for one in ledger.table(by=()).exact}
    for currency in ("USD", "EUR"):
        # Straight from the fills: what came in, what went out, what is held at its mark.
        cash = held = Fraction(0)
        for fill in fills:
            row = int(fill["instrument"])
            if desk.instruments[row].currency == currency:
                sign = 1 if fill["side"] == BUY else -1
                amount = int(fill["price"]) * int(fill["quantity"]) * unit_of(desk.instruments, row)
                cash -= sign * amount
                size = desk.instruments[row].price_unit.size
                units = marks[row] / size * unit_of(desk.instruments, row)
                held += sign * int(fill["quantity"]) * units
        assert total[currency]["gross"] == cash + held


def two_currencies():
    """10 of A in dollars, 20 of B in euros; B gains 1 before and 3 after its rate changes."""
    table = market("A")
    table.add("B", venue="XETR", currency="EUR", price_unit="0.01")
    desk = Desk(table)
    for row, price, sells in ((0, 10_000, (10_100,)), (1, 5_000, (5_100, 5_300))):
        buy = desk.order(BUY, 10 * len(sells), price, MS, instrument=row)
        desk.fill(buy, 10 * len(sells), price, S, fee=100)
        for n, each in enumerate(sells, 1):
            sell = desk.order(SELL, 10, each, n * 10 * S, instrument=row)
            desk.fill(sell, 10, each, n * 10 * S + S, fee=200)
    return desk


def test_rates_make_one_currency_of_several():
    ledger = two_currencies().result().ledger(by=("venue",), fx={"EUR": "1.10"})
    by_venue = {one["venue"]: one for one in ledger.table(("venue",), fx={"EUR": "1.10"}).exact}
    assert by_venue["XNAS"]["realised"] == 10 and by_venue["XNAS"]["into"] == "USD"
    assert by_venue["XETR"]["realised"] == 40 * Fraction("1.10")
    assert by_venue["XETR"]["fees"] == 5 * Fraction("1.10")
    (total,) = ledger.table((), fx={"EUR": "1.10"}).exact
    assert total["net"] == 10 + 44 - 3 - Fraction("5.5")
    (other,) = ledger.table((), fx={"USD": "10/11"}).exact
    assert other["into"] == "EUR" and other["net"] * Fraction("1.10") == total["net"]
    (third,) = ledger.table((), fx={"USD": "0.8", "EUR": "0.88"}, into="GBP").exact
    assert third["net"] == total["net"] * Fraction("0.8")
    assert "in USD" in str(ledger) and "XETR" in str(ledger)
    assert "cash" not in ledger.frame.columns


def test_each_profit_is_exchanged_at_the_rate_of_its_moment():
    desk = two_currencies()
    rates = {"EUR": [(T0, "1.10"), (T0 + 15 * S, "1.20"), (T0 + 60 * S, "2")]}
    ledger = hft.Ledger(desk.instruments, fills_of(desk), marks={"A": 101, "B": 53})
    (one,) = (x for x in ledger.table(fx=rates).exact if x["instrument"] == "B")
    # 10 euros at 1.10 and 30 at 1.20; fees 1 and 2 at 1.10, 2 at 1.20.
    assert one["realised"] == 11 + 36
    assert one["fees"] == Fraction("3.3") + Fraction("2.4")
    buy = desk.order(BUY, 10, 5_000, 70 * S, instrument=1)
    desk.fill(buy, 10, 5_000, 70 * S)
    ledger.take(fills_of(desk)[-1:])
    (one,) = (x for x in ledger.table(fx=rates).exact if x["instrument"] == "B")
    assert one["realised"] == 47 and one["unrealised"] == 30 * 2, "what is open, at the last rate"


def test_without_a_mark_what_is_open_is_not_known():
    desk = Desk(market())
    desk.fill(desk.order(BUY, 10, 10_000, MS), 10, 10_000, S)
    ledger = desk.result().ledger()
    (one,) = ledger.table().exact
    assert one["unrealised"] is None and one["net"] is None and one["realised"] == 0
    assert np.isnan(ledger.frame["net"].iloc[0])
    assert json.dumps(ledger.table().to_dict())
    ledger.mark("AAPL", "100.005")
    assert ledger.table().exact[0]["unrealised"] == Fraction("0.05")
    ledger.mark(0, "99")
    assert ledger.frame["net"].iloc[0] == -10


def test_what_is_open_and_what_each_fill_brought():
    desk = Desk(market())
    for n, (side, quantity, price) in enumerate(
        [(BUY, 10, 10_000), (BUY, 5, 10_100), (SELL, 12, 10_200)]
    ):
        desk.fill(desk.order(side, quantity, price, n * S), quantity, price, n * S + MS)
    ledger = desk.result().ledger()
    assert ledger.entries["realised"].tolist() == [0, 0, 22]
    assert ledger.entries["state"].tolist() == ["booked"] * 3
    assert ledger.lots[["quantity", "price"]].values.tolist() == [[3, 101]]
    assert len(desk.result().ledger("average").lots) == 0
    assert ledger.take_back(desk.fills[1]["match"], "AAPL") == 1
    assert ledger.entries["state"].tolist() == ["booked", "broken", "booked"]
    assert ledger.lots[["quantity", "price"]].values.tolist() == [[-2, 102]]
    assert ledger.entries["realised"].tolist() == [0, 0, 20]
    with pytest.raises(HftError, match="broken already"):
        ledger.take_back(desk.fills[1]["match"], "AAPL")


def test_a_broken_trade_of_a_result_never_was():
    desk = two_currencies()
    result = desk.result()
    whole = result.ledger()
    broken = result.ledger(broken=[(desk.fills[1]["match"], "A")])
    assert broken.table().exact[0]["position"] == 10
    assert whole.table().exact[0]["position"] == 0
    assert broken.booked["state"].tolist() == [0, 1, 0, 0, 0]


def test_many_fills_make_it_grow():
    desk = random_ledger(3)
    fills = np.concatenate([fills_of(desk)] * 900)
    fills["strategy"] = np.arange(len(fills)) % 40
    pieces = hft.Ledger(desk.instruments)
    for first in range(0, len(fills), 7_001):
        pieces.take(fills[first : first + 7_001])
    whole = hft.Ledger(desk.instruments, fills)
    assert len(whole.booked) == len(fills) > 1 << 14 and len(whole.accounts) == 120
    assert whole.accounts.tolist() == pieces.accounts.tolist()
    assert whole.check() == [] and whole.refused == {}


def test_what_is_too_large_to_count_is_told():
    desk = Desk(market())
    desk.fill(desk.order(BUY, 10, 10_000, MS), 10, 10_000, S)
    fills = np.concatenate([fills_of(desk)] * 3)
    fills["number"] = (1, 2, 3)
    fills["price"][1] = MONEY_MAX // 2
    ledger = hft.Ledger(desk.instruments, fills)
    assert ledger.refused == {"its money is beyond what the ledger counts exactly": 1}
    assert "the first is number 2" in str(ledger) and "not in any sum" in ledger._repr_html_()
    assert ledger.table().exact[0]["bought"] == 20


MISTAKES = [
    (lambda r: r.ledger("lifo"), "no method 'lifo'"),
    (lambda r: r.ledger(by="desk"), "no sums by 'desk'"),
    (lambda r: r.ledger().table(fx={"USD": "1"}), "All of them have a rate"),
    (lambda r: r.ledger().table(fx={}, into="EUR"), "no rate for USD"),
    (lambda r: r.ledger().table(fx={"EUR": "1.1"}, into=""), "'' is no currency"),
    (lambda r: r.ledger().table(fx="1.1"), "holds no rates"),
    (lambda r: r.ledger().table(fx={"EUR": "0"}), "'0' is no rate"),
    (lambda r: r.ledger().table(fx={"EUR": []}), "are no rates"),
    (lambda r: r.ledger().table(fx={"EUR": [(2, 1), (1, 1)]}), "go back"),
    (
        lambda r: r.ledger().table(fx={"USD": [(T0 + 60 * S, 1)]}, into="EUR").frame,
        "The first rate",
    ),
    (lambda r: hft.Ledger(r.instruments, [1]), "no flat array of FILL"),
    (lambda r: hft.Ledger(market(), np.ones(1, FILL)), "name instrument 1, and there are 1"),
    (lambda r: r.ledger().take_back(7, "AAPL"), "bears the number 7"),
    (lambda r: r.ledger().mark("MSFT", 1), "no instrument 'MSFT'"),
]


@pytest.mark.parametrize(("call", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_mistakes_are_sentences(call, said):
    with pytest.raises(HftError, match=said):
        call(round_trip().result())
