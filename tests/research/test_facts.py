"""Stylised facts of flows whose facts are known: made by hand, and at random by known laws."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hftlib as hft
from hftlib.core import events as ev
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.feed.tape_file import write_tape
from hftlib.research.facts import compared, facts, regular_trading
from hftlib.research.inside import INSIDE, TRADE
from hftlib.research.measures import fano, quantiles, sign_correlation, spreads, variance, weighted

S = 10**9


def plain(times: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    made = np.zeros(len(times), EVENT)
    made["time"], made["kind"], made["quantity"] = times, ev.TRADE, 1
    return made


def test_arrivals_at_random_and_by_the_clock_are_told_apart() -> None:
    chance = np.random.default_rng(1)
    span = {"begin": 0, "end": 1000 * S}
    random = facts(plain(np.sort(chance.integers(0, 1000 * S, 100_000))), **span)
    clock = facts(plain(np.arange(0, 1000 * S, S // 100)), **span)
    assert abs(random.gap_variation - 1) < 0.05 and abs(random.burstiness) < 0.03
    assert all(abs(value - 1) < 0.2 for value in random.fano.values())
    assert clock.gap_variation == 0 and clock.burstiness == -1
    assert clock.fano[S] == 0 and clock.gap_ns[50] == S / 100
    assert abs(random.gap_ns[50] - math.log(2) * S / 100) < 0.05 * S / 100
    assert clock.per_second == 100 and clock.events == 100_000


def test_the_fano_factor_counts_empty_windows() -> None:
    # Ten in one of a hundred windows: mean 0.1, mean square 1.
    times = np.full(10, 5 * S + 1)
    assert fano(times, 0, 100 * S, S) == pytest.approx((1 - 0.01) / 0.1)
    assert math.isnan(fano(times[:0], 0, 100 * S, S)) and math.isnan(fano(times, 0, S, S))


def insides(*rows: tuple[int, int, int]) -> np.ndarray[Any, Any]:
    return np.array(list(rows), INSIDE)


def test_spreads_weigh_by_time_within_the_span_while_there_are_two_sides() -> None:
    seen = insides((0, 100, 102), (4, 100, 110), (6, 0, 110), (8, 99, 100))
    values, lasting = spreads(seen, 2, 20)
    assert values.tolist() == [2, 10, 1] and lasting.tolist() == [2, 2, 12]
    assert weighted(values, lasting) == {10: 1, 25: 1, 50: 1, 75: 1, 90: 10, 99: 10}
    assert all(math.isnan(value) for value in weighted(values[:0], lasting[:0]).values())


def test_the_variance_of_a_random_walk_is_the_same_at_every_interval() -> None:
    chance = np.random.default_rng(2)
    steps = chance.choice([-1, 1], 400_000)
    walk = 100_000 + np.cumsum(steps)
    seen = np.zeros(len(walk), INSIDE)
    seen["time"], seen["bid"], seen["ask"] = np.arange(len(walk)) * S // 10, walk, walk + 1
    end = len(walk) * S // 10
    for every in (S // 10, S, 10 * S):
        assert variance(seen, 0, end, every) == pytest.approx(10, rel=0.1)
    assert math.isnan(variance(seen[:1], 0, S, S))
    # A mid that only bounces has the more variance the shorter one looks.
    seen["bid"] = 1000 + np.arange(len(seen)) % 2
    seen["ask"] = seen["bid"] + 1
    assert variance(seen, 0, end, S // 10) == pytest.approx(10)
    assert variance(seen, 0, end, S) == 0


def test_signs_correlate_over_takers_not_over_the_orders_they_hit() -> None:
    rows = [(time * S, 1 if time // 10 % 2 else -1, 1) for time in range(1000) for _ in range(3)]
    found = sign_correlation(np.array(rows, TRADE), 0, 1000 * S)
    assert found[10] == pytest.approx(-0.99, abs=0.01)
    assert found[20] == pytest.approx(0.98, abs=0.01)
    assert found[1] == pytest.approx(0.8, abs=0.01)
    nothing = sign_correlation(np.zeros(0, TRADE), 0, S)
    assert all(math.isnan(value) for value in nothing.values())
    alone = sign_correlation(np.array([(1, 1, 1), (2, -1, 1)], TRADE), 0, S)
    assert alone[1] == -0.5 and math.isnan(alone[2])
    one_way = sign_correlation(np.array([(i, 1, 1) for i in range(50)], TRADE), 0, S)
    assert all(math.isnan(value) for value in one_way.values())


def test_quantiles_of_nothing_are_unknown() -> None:
    assert all(math.isnan(value) for value in quantiles(np.zeros(0)).values())
    assert quantiles(np.arange(101))[75] == 75


def a_tape() -> tuple[np.ndarray[Any, Any], Any]:
    market = hft.synthetic(symbols=["AAA", "BBB"], seconds=60, seed=3)
    return np.concatenate([chunk.copy() for chunk in market.chunks()]), market.instruments


def test_the_span_is_regular_trading_and_the_instrument_the_one_asked_for() -> None:
    whole, instruments = a_tape()
    begin, end = regular_trading(whole)
    assert end - begin == 60 * S
    one = facts(whole, symbol="BBB", instruments=instruments)
    other = facts(whole, symbol=1, begin=begin, end=end)
    assert (one.name, one.seconds, other.name) == ("BBB", 60, "instrument 1")
    mine = whole[(whole["instrument"] == 1) & (whole["kind"] <= ev.TRADE)]
    inside = mine[(mine["time"] >= begin) & (mine["time"] < end)]
    assert one.events == len(inside) == other.events
    assert one.shares["ADD"] == np.count_nonzero(inside["kind"] == ev.ADD) / len(inside)
    assert sum(one.shares.values()) == pytest.approx(1)
    assert one.depth == other.depth and one.unknown == one.repaired == 0
    assert facts(inside, symbol=1).seconds < 60  # nobody said when trading began


def test_facts_show_themselves_as_text_and_as_a_table() -> None:
    whole, instruments = a_tape()
    one, two = (facts(whole, symbol=name, instruments=instruments) for name in ("AAA", "BBB"))
    assert repr(one).splitlines()[0] == "Facts of AAA"
    for word in ("events", "Fano factor", "lifetime", "signature", "sign correlation", "ticks"):
        assert word in repr(one)
    both = compared(one, two)
    assert both.table[0] == ("", "AAA", "BBB")
    assert repr(both).count("\n") == len(both.table) - 1
    page = both._repr_html_()
    assert page.startswith("<table>") and page.count("<tr>") == len(both.table)
    assert "AAA" in one._repr_html_() and "BBB" not in one._repr_html_()


def test_a_name_cannot_smuggle_markup_into_a_notebook() -> None:
    whole, _ = a_tape()
    assert "<script>" not in facts(whole, symbol=0, name="<script>")._repr_html_()


def test_what_is_not_there_is_refused() -> None:
    whole, instruments = a_tape()
    with pytest.raises(InputError, match="no instrument 'CCC'"):
        facts(whole, symbol="CCC", instruments=instruments)
    with pytest.raises(InputError, match="means nothing without its table"):
        facts(whole, symbol="AAA")
    for empty in (whole[:0], whole[whole["kind"] > ev.TRADE]):
        with pytest.raises(InputError, match="no orders or trades of instrument 0"):
            facts(empty)
    with pytest.raises(InputError, match="The span from 5 to 5 ns is empty"):
        facts(whole, begin=5, end=5)


def test_a_span_without_events_has_no_facts_but_nan() -> None:
    whole, _ = a_tape()
    end = int(whole["time"][-1]) + 1
    found = facts(whole, begin=end, end=end + S)
    assert (found.events, found.per_second, found.shares) == (0, 0, {})
    assert math.isnan(found.orders_per_trade) and math.isnan(found.gap_ns[50])
    assert found.spread_ticks > 0  # the last book still stands
    assert "unknown" in repr(found)


def test_a_tape_brings_its_own_names(tmp_path: Path) -> None:
    market = hft.synthetic(symbols=["AAA", "BBB"], seconds=60, seed=3)
    write_tape(tmp_path / "small.tape", market)
    whole, instruments = a_tape()
    tape = hft.open_tape(tmp_path / "small.tape")
    ours, theirs = facts(tape, symbol="BBB"), facts(whole, symbol="BBB", instruments=instruments)
    assert repr(ours) == repr(theirs) and ours.gap_ns == theirs.gap_ns
