"""Execution quality: published examples, planted truths, a slow twin, and sums that are exact."""

import json
from fractions import Fraction

import numpy as np
import pytest
from result_ledger import MS, T0, Ledger, S, market, random_ledger, round_trip
from tapes import OPEN, ArraySource, event
from tca_naive import attribution, shortfalls

import hftlib as hft
from hftlib.book.reading import NO_PRICE
from hftlib.core import orders as o
from hftlib.core.errors import HftError
from hftlib.core.events import BUY, SELL
from hftlib.core.instruments import Instruments
from hftlib.research.tape import to_tape

SAMPLES = "50ms"


def one_stock(**more):
    made = Instruments()
    made.add("AAA", venue="XNAS", tick=100, round_lot=1, **more)
    return made


def prices(*rows, instruments=None):
    """A tape of (seconds, bid, ask) in price units of 0.0001, and of prints, with who took."""
    made, sequence = [], 0
    for moment, *row in rows:
        time = OPEN + round(moment * S)
        sequence += 1
        common = {"time": time, "received": time, "sequence": sequence}
        if row[0] == "trade":
            made.append(
                event("TRADE", price=row[1], quantity=row[2], side=row[3], other=sequence, **common)
            )
            continue
        for side, price in ((BUY, row[0]), (SELL, row[1])):
            for old in standing.pop(side, []):
                made.append(event("LEVEL", price=old, quantity=0, side=side, **common))
            made.append(event("LEVEL", price=price, quantity=500, side=side, **common))
            standing.setdefault(side, []).append(price)
    standing.clear()
    return to_tape(ArraySource(np.concatenate(made), instruments or one_stock()))


standing: dict[int, list[int]] = {}


def perold(decision, entry, price, end, filled, asked, fee):
    """A buy decided on at one middle, entered at another, filled in part, and over at a third."""
    tape = prices(
        *(
            (n, round(mid * 10_000) - 100, round(mid * 10_000) + 100)
            for n, mid in enumerate((decision, entry, end))
        )
    )
    ledger = Ledger(tape.instruments)
    ledger.order(
        BUY, asked, round(price * 10_000), 5 * MS, twice_mid=round(decision * 20_000),
        done=T0 + 3 * S, venue_accepted=T0 + S + MS, accepted=T0 + S + 2 * MS, reason=o.ASKED,
    )  # fmt: skip
    paid = {"fee": fee * 10_000, "twice_mid": round(price * 20_000)}
    ledger.fill(1, filled, round(price * 10_000), S + 5 * MS, **paid)
    ledger.orders[0]["state"] = o.FILLED_WHOLE
    result = ledger.result(about={"begin": OPEN, "end": OPEN + 3 * S})
    return result.tca(tape)


def test_the_shortfall_of_the_textbook():
    """The example of Wagner and Edwards in the CFA curriculum: decided at 10.00, the price went to
    10.05 before the order stood, 700 of 1,000 shares were bought at 10.07 with 14 of commission,
    and the rest was given up at 10.08: 0.35 % of delay, 0.14 % of trading, 0.24 % missed, 0.14 %
    of fees, in all 0.87 % of the 10,000 that the paper portfolio cost."""
    tca = perold(10.00, 10.05, 10.07, 10.08, 700, 1_000, 14)
    one = tca.orders.iloc[0]
    assert one["delay"] == pytest.approx(35)
    assert one["trading"] == pytest.approx(14)
    assert one["opportunity"] == pytest.approx(24)
    assert (one["fees"], one["shortfall"]) == (14, pytest.approx(87))
    figures = tca.table(()).rows["USD",]
    assert figures["shortfall_bp"] == pytest.approx(87)
    assert figures["fill_rate"] == pytest.approx(0.7)


def test_the_shortfall_of_another_textbook():
    """Schweser's: decided at 40.00, 40.04 at the next close, 700 of 1,000 at 40.05, given up at
    40.08, 17 of commission: 0.07, 0.02, 0.06 and 0.04 %, together 0.19 %."""
    tca = perold(40.00, 40.04, 40.05, 40.08, 700, 1_000, 17)
    figures = tca.table(()).rows["USD",]
    assert figures["delay"] == pytest.approx(28) and figures["trading"] == pytest.approx(7)
    assert figures["opportunity"] == pytest.approx(24)
    assert round(figures["shortfall_bp"]) == 19


@hft.strategy
class Once:
    """Buys once what it is told to, by taking or by standing, and asks for its end later."""

    quantity: int = hft.param(100, low=1, high=1000)
    passive: bool = hft.param(False)
    cancel_ns: int = hft.param(0, low=0, high=10**12)
    number: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if self.number == 0 and b.has_both:
            self.number = ctx.buy(i, b.bid if self.passive else b.ask, self.quantity)
            if self.cancel_ns > 0:
                ctx.timer(self.cancel_ns)

    def on_timer(self, ctx, number):
        ctx.cancel(self.number)


def test_a_taker_pays_half_the_spread_and_gets_the_vwap_of_the_prints():
    """Middle 10.00, spread 0.02: 100 shares cost 1.00; the market prints 100 at 10.00 and 300 at
    10.04 while the order is under way, so its VWAP is 10.03; afterwards the middle rises to 10.05
    and stays there. The P&L of 100 x 0.04 is -1.00 of spread, 5.00 of drift after the fill."""
    rows = [
        (0, 99_900, 100_100),
        (0.004, "trade", 100_000, 100, BUY),
        (0.006, "trade", 100_400, 300, BUY),
    ]
    rows += [(0.5, 100_400, 100_600), (0.6, "trade", 100_500, 7, BUY), (5, 100_400, 100_600)]
    tape = prices(*rows)
    venue = hft.Venue(order_latency="10ms", fees=hft.Fees(taker_per_unit="0.001"))
    result = hft.backtest(Once, tape, venue=venue, every=SAMPLES)
    assert result.ok and len(result.fills) == 1 and result.check() == []
    tca = result.tca()
    one = tca.orders.iloc[0]
    assert (one["average"], one["arrival_mid"], one["vwap"]) == (10.01, 10.00, pytest.approx(10.03))
    assert one["market_volume"] == 400
    assert one["execution"] == pytest.approx(1.00) and one["trading"] == pytest.approx(1.00)
    assert (one["delay"], one["opportunity"]) == (0, 0)
    assert one["shortfall"] == pytest.approx(1.00 + 0.10)
    assert one["first_fill_ns"] == one["filled_ns"] == 10 * MS
    figures = tca.table().rows["AAA", "USD"]
    assert figures["vwap_bp"] == pytest.approx(-0.02 / 10.03 * 10_000)
    assert figures["participation"] == pytest.approx(100 / 400)
    assert figures["arrival_bp"] == figures["mid_bp"] == pytest.approx(0.01 / 10.01 * 10_000)
    assert figures["markout_10ms_bp"] == pytest.approx(-0.01 / 10.01 * 10_000)
    assert figures["markout_1s_bp"] == pytest.approx(0.04 / 10.01 * 10_000)
    parts = tca.attribution().exact["AAA", "USD"]
    assert parts == {
        "spread": -1, "adverse": 5, "inventory": 0, "unattributed": 0, "gross": 4,
        "fees": Fraction("0.1"), "net": Fraction("3.9"),
    }  # fmt: skip
    later = result.tca(horizon="10ms").attribution("role").exact["taker", "USD"]
    assert (later["spread"], later["adverse"], later["inventory"]) == (-1, 0, 5)
    assert tca.check() == []


def race_tape():
    """500 stand at 9.99. They are sold at 1.005 s, when a cancel asked for at 1 s is still under
    way; the middle falls from 10.00 to 9.94 with it, and stays there."""
    rows = [(0, 99_900, 100_100), (0.9, 99_900, 100_100)]
    rows += [(1.005, "trade", 99_800, 900, SELL), (1.0051, 99_300, 99_500), (9, 99_300, 99_500)]
    return prices(*rows)


def test_a_race_to_cancel_is_lost_by_what_the_market_moved():
    venue = hft.Venue(order_latency="10ms")
    params = {"passive": True, "cancel_ns": S, "quantity": 100}
    result = hft.backtest(Once, race_tape(), params=params, venue=venue, every=SAMPLES)
    assert len(result.fills) == 1
    tca = result.tca()
    (race,) = (one for _, one in tca.races.iterrows())
    assert race["asked"] == "cancel" and race["lost"]
    assert race["asked_at"].value == OPEN + S
    assert race["ahead"] == 500 and race["queue_ns"] == (1_005 - 10) * MS
    # Bought at 9.99 what is worth 9.94 a second later: the cancel would have saved 5.00.
    figures = tca.table().rows["AAA", "USD"]
    assert (figures["races"], figures["races_lost"], figures["races_share"]) == (1, 1, 1)
    assert figures["races_cost"] == pytest.approx(5.00)
    assert figures["ahead_median"] == 500
    assert "One race lost" in tca._repr_html_()


def test_a_fill_from_before_we_asked_is_no_lost_race():
    """The same cancel, asked for at 1.010 s: the fill of 1.005 s is heard of at 1.015 s."""
    params = {"passive": True, "cancel_ns": S + 10 * MS, "quantity": 100}
    venue = hft.Venue(order_latency="10ms")
    result = hft.backtest(Once, race_tape(), params=params, venue=venue, every=SAMPLES)
    tca = result.tca()
    assert tca.races["asked"].tolist() == ["cancel"] and tca.races["lost"].tolist() == [False]
    figures = tca.table().rows["AAA", "USD"]
    assert (figures["races"], figures["races_lost"], figures["races_cost"]) == (1, 0, 0)
    # Asked after we heard of it: no race at all.
    params["cancel_ns"] = S + 20 * MS
    result = hft.backtest(Once, race_tape(), params=params, venue=venue, every=SAMPLES)
    assert len(result.tca().races) == 0 and len(result.fills) == 1


def test_what_is_never_filled_costs_the_move_it_missed():
    """100 asked for at 9.99 with the middle at 10.00; it is cancelled at 11.00."""
    tape = prices((0, 99_900, 100_100), *((n, 109_900, 110_100) for n in (1, 1.5, 9)))
    params = {"passive": True, "cancel_ns": 2 * S, "quantity": 100}
    result = hft.backtest(Once, tape, params=params, every=SAMPLES)
    assert len(result.fills) == 0
    for tca in (result.tca(), hft.Tca(_without_tape(result))):
        one = tca.orders.iloc[0]
        assert (one["execution"], one["opportunity"]) == (0, pytest.approx(100.0))
        assert one["shortfall"] == pytest.approx(100.0)
        figures = tca.table(()).rows["USD",]
        assert figures["fill_rate"] == 0 and figures["shortfall_bp"] == pytest.approx(1_000)
        assert tca.attribution().rows == {} and "There is no fill" in tca._repr_html_()


def _without_tape(result):
    given = {name: result.records[name] for name in ("orders", "fills", "equity", "markouts")}
    return hft.Result(result.instruments, **given, about=result.about, horizons=result.horizons)


@pytest.mark.parametrize("seed", range(12))
def test_the_twin_agrees_and_the_parts_are_the_whole(seed):
    result = random_ledger(seed).result()
    tca = result.tca(horizon=result.horizons[seed % 3])
    found = tca.orders
    for number, slow in shortfalls(result).items():
        one = found.loc[number]
        if slow is None:
            assert np.isnan(one["shortfall"])
            continue
        assert one["execution"] == pytest.approx(float(slow[0]), abs=1e-9)
        assert one["opportunity"] == pytest.approx(float(slow[1]), abs=1e-9)
        assert one["shortfall"] == pytest.approx(float(sum(slow)), abs=1e-9)
    exact = {key[0]: one for key, one in tca.attribution().exact.items()}
    for row, slow in attribution(result, seed % 3).items():
        one = exact[result.instruments[row].symbol]
        if slow is None:
            assert one["gross"] is None and one["net"] is None
            continue
        assert [one[n] for n in ("spread", "adverse", "inventory", "unattributed", "gross")] == slow
        assert sum(slow[:4]) == slow[4]
    assert tca.check() == []


@pytest.mark.parametrize("seed", range(4))
def test_a_broken_trade_is_as_if_it_had_never_been(seed):
    """Breaks stand in the log as fills of less than nothing, at other middles than the trade's."""
    ledger = random_ledger(seed)
    whole, chosen = len(ledger.fills), (3, 11, 25)
    for n in chosen:
        one = dict(ledger.fills[n])
        one |= {"number": len(ledger.fills) + 1, "twice_mid": one["twice_mid"] + 8}
        one |= {"quantity": -one["quantity"], "fee": -one["fee"]}
        ledger.fills.append(one)
    told = ledger.result()
    tca = told.tca()
    assert len(tca.fills) == whole - 3
    assert not set(tca.fills.index) & {n + 1 for n in chosen}
    assert tca.check() == [] and told.ledger().refused == {}
    del ledger.fills[whole:]
    for n in sorted(chosen, reverse=True):
        del ledger.fills[n]
    never = ledger.result()
    assert told.ledger().table().exact == never.ledger().table().exact
    assert tca.attribution().exact == never.tca().attribution().exact


@pytest.mark.parametrize("seed", range(4))
def test_every_sum_is_the_sum_of_its_parts(seed):
    tca = random_ledger(seed).result().tca()
    finest = tca.attribution(("instrument", "side", "role"))
    at = finest.by.index
    for by in ((), ("role",), ("side",), ("instrument",)):
        table = tca.attribution(by)
        for key, one in table.exact.items():
            mine = [
                part
                for other, part in finest.exact.items()
                if all(other[at(name)] == key[table.by.index(name)] for name in table.by)
            ]
            for name in ("spread", "gross", "fees", "net"):
                if one[name] is not None and all(part[name] is not None for part in mine):
                    assert one[name] == sum(part[name] for part in mine)
    whole = tca.table(()).rows
    for currency in ("USD", "EUR"):
        parts = [one for key, one in tca.table().rows.items() if key[1] == currency]
        for name in ("orders", "fills", "turnover", "execution", "shortfall", "races_cost"):
            assert whole[currency,][name] == pytest.approx(sum(part[name] for part in parts))


def test_a_maker_of_a_real_run_adds_up_over_venues_and_roles():
    tape = to_tape(hft.synthetic(symbols=3, seconds=20, seed=4))
    venue = hft.Venue(
        order_latency="150us", feed_latency="40us", fees=hft.Fees(maker="-0.2bp", taker="1bp")
    )
    result = hft.backtest(hft.library.QueueImbalance, tape, venue=venue)
    tca = result.tca()
    assert tca.check() == [] and len(result.fills) > 30
    net = {key[0]: one["net"] for key, one in tca.attribution(()).exact.items()}
    assert float(net["USD"]) == pytest.approx(result.stats["pnl_net"], abs=1e-6)
    assert len(tca.races) > 0 and (result.records["fills"]["ahead"] > 0).any()
    # What the venue's own figures say of the same fills.
    figures, stats = tca.table(()).rows["USD",], result.stats
    for name in result.tca().horizons:
        kept = stats[f"realised_spread_{name}_bp"]
        assert kept == kept
    assert figures["fills"] == stats["fills"] and figures["turnover"] == stats["turnover"]
    assert figures["queue_median_ns"] == stats["queue_time_median_ns"]
    mean_of_both = -figures["mid_bp"] * 2
    if stats["maker_share"] == 1:
        assert mean_of_both == pytest.approx(stats["effective_spread_bp"], rel=1e-3)
    told = json.loads(json.dumps(tca.to_dict(), allow_nan=False))
    assert told["does not add up"] == [] and told["instruments"][0]["instrument"] == "AAA"
    assert set(told["units"]) == set(told["definitions"])
    page = tca._repr_html_()
    assert "Where the P&amp;L came from" in page and "implementation shortfall" in page
    assert "AAA" in repr(tca) and len(tca.plot().data) > 8


def test_the_tape_of_a_loaded_result_is_given_and_must_be_the_same(tmp_path):
    tape = to_tape(hft.synthetic(symbols=1, seconds=5, seed=2))
    other = to_tape(hft.synthetic(symbols=1, seconds=5, seed=3))
    result = hft.backtest(hft.library.QueueImbalance, tape)
    result.save(tmp_path / "kept")
    loaded = hft.Result.load(tmp_path / "kept")
    here = result.tca().table().to_dict()
    assert loaded.tca(tape).table().to_dict() == here
    without = loaded.tca().table().rows["AAA", "USD"]
    assert np.isnan(without["vwap_bp"]) and np.isnan(without["delay"])
    assert without["execution"] == here["rows"][0]["execution"]
    with pytest.raises(HftError, match="is not the tape that this result was made on"):
        loaded.tca(other)


def test_nothing_happened():
    tca = Ledger(market()).result().tca()
    assert tca.table().rows == {} and tca.attribution().rows == {} and tca.check() == []
    assert len(tca.orders) == 0 and len(tca.fills) == 0 and len(tca.races) == 0
    assert "There is no fill" in tca._repr_html_() and json.dumps(tca.to_dict())
    assert len(tca.plot("shortfall").data) == 3


def test_orders_that_never_left_us_are_none_of_these():
    ledger = round_trip()
    ledger.order(BUY, 10, 10_000, S, state=o.WAS_REFUSED, reason=o.NO_QUANTITY, twice_mid=NO_PRICE)
    assert ledger.result().tca().table().rows["AAPL", "USD"]["orders"] == 2


def test_a_name_from_outside_is_escaped():
    result = round_trip().result(about={"strategy": "<script>alert(1)</script>"})
    assert "<script>" not in result.tca()._repr_html_()


MISTAKES = [
    (lambda r: r.tca(horizon="7s"), "no markouts at '7s'"),
    (lambda r: r.tca().table("role"), "no such costs by 'role'"),
    (lambda r: r.tca().attribution("desk"), "no such costs by 'desk'"),
    (lambda r: r.tca().plot("pie"), "no picture 'pie'"),
    (lambda r: r.tca("no.tape"), "no.tape"),
]


@pytest.mark.parametrize(("call", "said"), MISTAKES, ids=[said for _, said in MISTAKES])
def test_mistakes_are_sentences(call, said):
    with pytest.raises(HftError, match=said):
        call(round_trip().result())
