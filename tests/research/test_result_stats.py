"""Figures by hand, and on random streams against a twin that goes through fills one by one."""

import json
import math
import statistics

import numpy as np
import pytest
from result_ledger import MS, T0, Ledger, S, market, random_ledger, round_trip

from hftlib.book.reading import NO_PRICE
from hftlib.core import orders as o
from hftlib.core.errors import HftError
from hftlib.core.events import BUY, SELL


def test_a_round_trip_by_hand():
    stats = round_trip().result().stats
    expected = {
        "pnl_gross": 5.0,
        "fees": 0.1,
        "pnl_net": 4.9,
        "turnover": 20_005.0,
        "pnl_bp": 4.9 / 20_005 * 10_000,
        "orders": 2,
        "fills": 3,
        "fill_rate": 1.0,
        "orders_filled": 1.0,
        "order_to_trade": 2 / 3,
        "maker_share": 10_000 / 20_005,
        "quantity_filled": 200,
        "fill_mean": 200 / 3,
        # 60 fell by 0.01, 40 rose by 0.02; after the sale of 100 it rose by 0.04.
        "adverse_1s": (60 * 0.01 - 40 * 0.02 + 100 * 0.04) / 200,
        "adverse_1s_ticks": 1.9,
        "adverse_10ms": 0.0,
        # Known for the second fill alone.
        "adverse_10s": -0.04,
        "slippage": 0.01,
        "slippage_ticks": 1.0,
        "slippage_bp": 0.01 / 100.06 * 10_000,
        "effective_spread": 0.02,
        "realised_spread_10ms": 0.02,
        "realised_spread_1s": 40 * 0.06 / 100,
        "queue_time_median_ns": 1.498 * S,
        "queue_time_p90_ns": 1.898 * S,
        "entry_latency_median_ns": MS,
        "latency_median_ns": 2 * MS,
        "latency_max_ns": 2 * MS,
        "position": 0,
        "position_max": 100,
        # 60 for one second, 100 for three, of ten.
        "position_mean": (60 + 300) / 10,
        "time_flat": 0.5999,
        "time_long": 0.4,
        "time_short": 0.0,
        "volume_share": 0.1,
        # The curve: 0, then -10000 + 100 x 99.95 + 0.20 = -4.80, then 4.90.
        "drawdown": 4.8,
        "drawdown_ns": 10 * S,
        "exposure_max": 9_995.0,
    }
    found = {name: stats[name] for name in expected}
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-9)
    assert stats.instruments["AAPL"]["pnl_net"] == stats["pnl_net"]


def test_the_realised_spread_is_the_effective_one_less_twice_the_adverse_move():
    ledger = random_ledger(4, fills=80, symbols=1)
    for one in ledger.fills:
        one["taker"] = 0
    made = {(one["fill"], one["horizon"]) for one in ledger.markouts}
    ledger.markouts = [one for one in ledger.markouts if one["twice_mid"] != NO_PRICE]
    known = {one["fill"] for one in ledger.markouts if one["horizon"] == 1}
    assert len(known) > 5 and made
    stats = ledger.result().stats
    figures = stats.total
    fills = ledger.result().fills
    fills = fills[fills["mid"].notna() & fills["mid_1s"].notna()]
    sign = np.where(fills["side"] == "buy", 1, -1)
    effective = np.average(2 * sign * (fills["mid"] - fills["price"]), weights=fills["quantity"])
    assert figures["realised_spread_1s"] == pytest.approx(effective - 2 * figures["adverse_1s"])


class Twin:
    """Plain Python over the rows of a ledger, one instrument or all of a currency."""

    def __init__(self, ledger, rows):
        self.ledger, self.rows = ledger, rows
        self.fills = [one for one in ledger.fills if one["instrument"] in rows]
        self.orders = [one for one in ledger.orders if one["instrument"] in rows]
        table = [ledger.instruments[row] for row in range(len(ledger.instruments))]
        self.price = {row: float(table[row].price_unit.size) for row in rows}
        self.lot = {row: float(table[row].lot_unit.size) for row in rows}

    def value(self, one):
        row = one["instrument"]
        return one["price"] * self.price[row] * one["quantity"] * self.lot[row]

    def average_bp(self, moved, against):
        """`moved` in money per unit and `against` the price it is a part of, of each fill."""
        up = down = 0.0
        for one in self.fills:
            move, base = moved(one), against(one)
            if move is not None and base is not None:
                row = one["instrument"]
                units = one["quantity"] * self.lot[row]
                up += units * move * self.price[row]
                down += units * abs(base) * self.price[row]
        return up / down * 10_000 if down else math.nan

    def mid_after(self, one, horizon):
        for mark in self.ledger.markouts:
            if (mark["fill"], mark["horizon"]) == (one["number"], horizon):
                return known(mark["twice_mid"])
        return None

    def figures(self):
        sign = {BUY: 1, SELL: -1}
        gross = 0.0
        for row in self.rows:
            position, cash, _ = self.ledger.held(row)
            mids = [
                one["twice_mid"]
                for one in self.ledger.samples
                if one["instrument"] == row and one["twice_mid"] != NO_PRICE
            ]
            money = self.price[row] * self.lot[row]
            gross += (cash + (position * mids[-1] / 2 if position else 0)) * money
        fees = sum(
            one["fee"] * self.price[one["instrument"]] * self.lot[one["instrument"]]
            for one in self.fills
        )
        waits = [one["time"] - one["entered"] for one in self.fills if not one["taker"]]
        turnover = sum(map(self.value, self.fills))

        def adverse(one, horizon):
            before, after = known(one["twice_mid"]), self.mid_after(one, horizon)
            both = before is not None and after is not None
            return sign[one["side"]] * (before - after) if both else None

        def slipped(one):
            arrival = known(one["sent_mid"])
            paid = arrival is not None and one["taker"]
            return sign[one["side"]] * (one["price"] - arrival) if paid else None

        return {
            "pnl_gross": gross,
            "fees": fees,
            "pnl_net": gross - fees,
            "turnover": turnover,
            "orders": len(self.orders),
            "fills": len(self.fills),
            "order_to_trade": len(self.orders) / len(self.fills),
            "orders_filled": sum(one["filled"] > 0 for one in self.orders) / len(self.orders),
            "maker_share": sum(self.value(one) for one in self.fills if not one["taker"])
            / turnover,
            "adverse_10ms_bp": self.average_bp(
                lambda f: adverse(f, 0), lambda f: known(f["twice_mid"])
            ),
            "adverse_10s_bp": self.average_bp(
                lambda f: adverse(f, 2), lambda f: known(f["twice_mid"])
            ),
            "slippage_bp": self.average_bp(slipped, lambda f: known(f["sent_mid"])),
            "queue_time_median_ns": statistics.median(waits) if waits else math.nan,
            "latency_median_ns": 2 * MS,
            "drawdown": self.drawdown(),
        }

    def drawdown(self):
        """Over the samples of all instruments in order of time."""
        equity, mids, top, deepest = dict.fromkeys(self.rows, 0.0), {}, 0.0, 0.0
        times = sorted({one["time"] for one in self.ledger.samples})
        for time in times:
            for one in self.ledger.samples:
                row = one["instrument"]
                if one["time"] == time and row in equity:
                    if one["twice_mid"] != NO_PRICE:
                        mids[row] = one["twice_mid"] / 2
                    holding = one["position"] * mids.get(row, math.nan) if one["position"] else 0
                    money = self.price[row] * self.lot[row]
                    equity[row] = (one["cash"] - one["fees"] + holding) * money
            total = sum(equity.values())
            if not math.isnan(total):
                top = max(top, total)
                deepest = max(deepest, top - total)
        return deepest


def known(twice_mid):
    return None if twice_mid == NO_PRICE else twice_mid / 2


@pytest.mark.parametrize("seed", range(12))
def test_random_streams_against_the_twin(seed):
    ledger = random_ledger(seed)
    stats = ledger.result().stats
    for label, rows, found in (
        ("S0", [0], stats.instruments["S0"]),
        ("S1", [1], stats.instruments["S1"]),
        ("USD", [0, 1], stats.totals["USD"]),
        ("EUR", [2], stats.totals["EUR"]),
    ):
        expected = Twin(ledger, rows).figures()
        picked = {name: found[name] for name in expected}
        assert picked == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True), label


def test_positions_by_time_against_a_twin_that_looks_every_millisecond():
    ledger = random_ledger(9, fills=8, symbols=1)
    times = [one["received"] for one in ledger.fills]
    times += [one["time"] for one in ledger.samples]
    begin, end = min(times), max(times)
    held = []
    for now in range(begin, end, MS):
        before = [one for one in ledger.fills if one["received"] <= now]
        held.append(before[-1]["position"] if before else 0)
    stats = ledger.result().stats
    assert stats["position_mean"] == pytest.approx(statistics.mean(map(abs, held)), rel=0.01)
    assert stats["time_long"] == pytest.approx(sum(one > 0 for one in held) / len(held), abs=0.01)
    assert stats["time_short"] == pytest.approx(sum(one < 0 for one in held) / len(held), abs=0.01)
    assert stats["time_flat"] + stats["time_long"] + stats["time_short"] == pytest.approx(1)


def test_a_position_that_halves_has_a_half_life():
    """Sold by half every eight seconds, again and again: left after a second, 2 ** (-1/8)."""
    ledger = Ledger(market(lot_unit="0.0001"))
    first = ledger.order(BUY, 2**20, 10_000, 0)
    ledger.fill(first, 2**20, 10_000, 0)
    held, time = 2**20, 0
    while held > 2**6:
        time += S
        sold = held - round(2**20 * 2 ** (-time / S / 8))
        ledger.fill(ledger.order(SELL, sold, 10_000, time - MS), sold, 10_000, time)
        held -= sold
    ledger.sample(time + MS, 20_000)
    assert ledger.result().stats["half_life_ns"] == pytest.approx(8 * S, rel=0.02)


def test_several_currencies_do_not_add():
    stats = random_ledger(2).result().stats
    assert set(stats.totals) == {"EUR", "USD"}
    with pytest.raises(HftError, match="EUR, USD do not add up"):
        stats["pnl_net"]
    assert "total EUR" in str(stats) and "total USD" in str(stats)


def test_shares_of_different_things_do_not_add():
    total = random_ledger(2).result().stats.totals["USD"]
    assert math.isnan(total["adverse_1s"]) and math.isnan(total["quantity_filled"])
    assert not math.isnan(total["adverse_1s_bp"])


def test_replaces_and_cancels_are_messages_and_refusals_are_not_fills():
    ledger = round_trip()
    ledger.orders[0]["replaces"], ledger.orders[1]["replaces"] = 3, 2
    ledger.order(BUY, 100, 9_990, 6 * S, state=o.WAS_CANCELED, reason=o.ASKED)
    ledger.order(BUY, 100, 9_990, 6 * S, state=o.WAS_REJECTED, reason=o.HALTED, accepted=0)
    stats = ledger.result().stats
    assert stats["order_to_trade"] == (4 + 3 + 2 + 1) / 3
    assert stats["fill_rate"] == 0.5 and stats["orders_filled"] == 0.5
    assert stats["orders_refused"] == 1


def test_without_a_middle_what_is_held_has_no_value():
    ledger = Ledger(market())
    ledger.fill(ledger.order(BUY, 1, 10_000, 0), 1, 10_000, S, fee=2)
    ledger.sample(2 * S, NO_PRICE)
    stats = ledger.result().stats
    assert math.isnan(stats["pnl_net"]) and stats["fees"] == 0.02
    assert stats.to_dict()["totals"]["USD"]["pnl_net"] is None
    # A side that is missing while the other is there is no middle either.
    ledger.samples[-1]["twice_mid"] = NO_PRICE + 10_000
    assert math.isnan(ledger.result().stats["pnl_net"])


def test_what_is_flat_again_needs_no_middle():
    ledger = Ledger(market())
    ledger.fill(ledger.order(BUY, 1, 10_000, 0), 1, 10_000, S)
    ledger.fill(ledger.order(SELL, 1, 10_003, 0), 1, 10_003, 2 * S)
    ledger.sample(3 * S, NO_PRICE)
    result = ledger.result()
    assert result.stats["pnl_net"] == pytest.approx(0.03)
    assert result.positions.loc["AAPL", "pnl_net"] == pytest.approx(0.03)
    assert result.equity["pnl_net"].tolist() == pytest.approx([0.03])


def test_our_busiest_minute_by_hand():
    ledger = Ledger(market())
    order = ledger.order(BUY, 100, 10_000, 0)
    # The market trades 100, 200 and 50 in three minutes; we 10, 5 and 20.
    for minute, (volume, ours) in enumerate(((0, 10), (100, 5), (300, 20))):
        ledger.sample(minute * 60 * S, 20_000, volume=volume)
        ledger.fill(order, ours, 10_000, minute * 60 * S + S)
    ledger.sample(180 * S, 20_000, volume=350)
    stats = ledger.result().stats
    assert stats["volume_share_peak"] == pytest.approx(20 / 50)
    assert stats["volume_share"] == pytest.approx(35 / 350)


def test_one_fill():
    ledger = Ledger(market())
    ledger.fill(ledger.order(BUY, 4, 10_000, 0, twice_mid=20_000), 2, 10_000, S, taker=1)
    ledger.sample(2 * S, 20_002)
    stats = ledger.result().stats
    assert (stats["pnl_gross"], stats["fill_rate"]) == (pytest.approx(0.02), 0.5)
    assert stats["slippage"] == 0 and stats["maker_share"] == 0
    assert math.isnan(stats["queue_time_median_ns"]) and math.isnan(stats["adverse_1s"])


def test_a_day_of_coins_has_a_longer_year():
    ledgers = [round_trip(), round_trip()]
    ledgers[1].instruments = market(kind="spot")
    for ledger in ledgers:
        for second in range(11, 60):
            ledger.sample(second * S, 20_012)
    for ledger in ledgers:
        # Something to divide by: the middle moves while 100 shares are held.
        ledger.samples[1]["twice_mid"] = 19_000
    shares, coins = (ledger.result().stats["sharpe"] for ledger in ledgers)
    assert coins / shares == pytest.approx(math.sqrt(365 * 24 / (252 * 6.5)))


def test_the_year_and_the_step_can_be_said():
    result = random_ledger(6, symbols=1).result()
    found = result.statistics(step="2s", hours_a_year=1_000)
    assert found["sharpe_step_ns"] == 2 * S
    more = result.statistics(step="2s", hours_a_year=4_000)
    assert more["sharpe"] == pytest.approx(2 * found["sharpe"])
    assert more["sharpe_error"] == pytest.approx(2 * found["sharpe_error"])


def test_figures_are_a_mapping_with_units_and_json():
    stats = round_trip().result().stats
    assert len(stats) == len(list(stats)) == len(stats.figures)
    assert all(name in stats.total for name in stats)
    assert dict(stats)["fills"] == 3
    made = json.loads(json.dumps(stats.to_dict(), allow_nan=False))
    assert made["totals"]["USD"]["pnl_net"] == pytest.approx(4.9)
    assert made["units"]["latency_median_ns"] == "ns" and made["conventions"]
    with pytest.raises(KeyError, match="no figure 'sharp'"):
        stats["sharp"]


def test_the_table_has_units():
    text = str(round_trip().result().stats)
    for part in ("4.90 USD", "1.9 ticks", "2 ms", "1.5 s", "100.0%", "AAPL"):
        assert part in text


def test_many_instruments_are_shown_by_their_turnover():
    ledger = Ledger(market(*(f"S{n}" for n in range(9))))
    for n in range(9):
        order = ledger.order(BUY, n + 1, 10_000, n * S, instrument=n)
        ledger.fill(order, n + 1, 10_000, n * S + MS)
    text = str(ledger.result().stats)
    assert "7 of the instruments not shown" in text and "S8" in text and "S1" not in text


def test_a_run_that_says_when_it_began_counts_from_there():
    about = {"begin": T0 - 10 * S, "end": T0 + 30 * S}
    stats = round_trip().result(about=about).stats
    assert stats["time_long"] == pytest.approx(4 / 40, rel=1e-3)
