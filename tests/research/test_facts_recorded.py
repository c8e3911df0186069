"""The synthetic market beside recorded ones: within what bands its stylised facts are theirs.

The recorded: AMZN and GOOG of 2012-06-21 (LOBSTER, whole days; its level files leave out what
happens far from the best prices) and four minutes of AAPL of 2019-12-30 (ITCH). Each band is wide
enough for the three to differ among themselves, and narrow enough that a Poisson market, a book
without cancels or a mid without noise falls out of it.
"""

from __future__ import annotations

import zipfile
from functools import cache
from typing import Any

import numpy as np
import pytest
from recorded import recorded

import hftlib as hft
from hftlib.core.events import EVENT, SNAPSHOT
from hftlib.feed.itch.translate import Translator
from hftlib.feed.lobster import LobsterSource
from hftlib.research.facts import Facts, facts
from hftlib.research.inside import INSIDE

S = 10**9
NAMES = ("AMZN", "GOOG", "AAPL")
# What each recorded one is compared with: its own rate and spread, roughly, and nothing else.
WISHES = {
    "AMZN": {"seconds": 23_400, "rate": 7, "spread_ticks": 12},
    "GOOG": {"seconds": 23_400, "rate": 3, "spread_ticks": 25},
    "AAPL": {"seconds": 277, "rate": 120, "spread_ticks": 5},
}


def joined(source: Any) -> np.ndarray[Any, Any]:
    return np.concatenate([chunk.copy() for chunk in source.chunks()])


def lobster(symbol: str, levels: int) -> Facts:
    """Its messages for the flow, its order book file for the best prices."""
    path = recorded(f"lobster/LOBSTER_SampleFile_{symbol}_2012-06-21_{levels}.zip")
    source = LobsterSource(path)
    tape = joined(source)
    midnight = hft.to_ns("2012-06-21T00:00:00", zone="America/New_York")
    with zipfile.ZipFile(path) as archive:
        (name,) = (n for n in archive.namelist() if "orderbook" in n)
        with archive.open(name) as file:
            rows = np.loadtxt(file, delimiter=",", usecols=(0, 2), dtype=np.int64)
    insides = np.zeros(len(rows), INSIDE)
    insides["time"] = tape["time"][tape["flags"] & SNAPSHOT == 0]
    insides["ask"], insides["bid"] = rows[:, 0] // 100, rows[:, 1] // 100
    return facts(
        tape,
        begin=midnight + 34_200 * S,
        end=midnight + 57_600 * S,
        tick=100,
        name=symbol,
        insides=insides,
    )


def itch() -> Facts:
    data = np.fromfile(
        recorded("itch/AAPL_real_20191230_reconstructed_from_karan.itch50"), np.uint8
    )
    into = np.zeros(60_000, EVENT)
    translator = Translator(date="2019-12-30")
    _, made = translator.frames(data.ctypes.data, len(data), into)
    assert made == 49_947
    return facts(into[:made], name="AAPL")


@cache
def real(name: str) -> Facts:
    if name == "AAPL":
        return itch()
    return lobster(name, 5 if name == "AMZN" else 1)


@cache
def made(name: str) -> Facts:
    market = hft.synthetic(symbols=1, seed=7, halts=0, **WISHES[name])  # type: ignore[arg-type]
    return facts(joined(market), instruments=market.instruments)


def within(factor: float, ours: float, theirs: float) -> bool:
    return theirs / factor <= ours <= theirs * factor


@pytest.mark.parametrize("name", NAMES)
def test_its_rate_and_spread_are_near_the_ones_asked_for(name: str) -> None:
    ours, theirs = made(name), real(name)
    assert within(2, ours.per_second, theirs.per_second)
    assert within(1.5, ours.spread_ticks, theirs.spread_ticks)
    for percent in (25, 50, 75):
        assert within(2, ours.spread_quantiles[percent], theirs.spread_quantiles[percent])
    assert within(3, ours.spread_quantiles[99], theirs.spread_quantiles[99])


@pytest.mark.parametrize("name", NAMES)
def test_its_arrivals_are_as_bursty(name: str) -> None:
    ours, theirs = made(name), real(name)
    for percent, factor in ((10, 6), (25, 5), (50, 15), (75, 15), (90, 4), (99, 3)):
        assert within(factor, ours.gap_ns[percent], theirs.gap_ns[percent]), percent
    # At random the variation is 1 and the Fano factors are.
    assert within(1.8, ours.gap_variation, theirs.gap_variation)
    assert abs(ours.burstiness - theirs.burstiness) < 0.25
    for window, factor in ((10**6, 4), (10**7, 4), (10**8, 4), (10**9, 3)):
        assert within(factor, ours.fano[window], theirs.fano[window]), window
        assert ours.fano[window] > 2


@pytest.mark.parametrize("name", NAMES)
def test_most_orders_are_withdrawn_and_soon(name: str) -> None:
    ours, theirs = made(name), real(name)
    assert within(5, ours.orders_per_trade, theirs.orders_per_trade)
    assert within(2, ours.cancels_per_add, theirs.cancels_per_add)
    for percent, factor in ((10, 10), (25, 10), (50, 10), (75, 20), (90, 20)):
        # GOOG's file has its best level only, and orders that live long are deep in the book.
        if (name, percent) != ("GOOG", 90):
            assert within(factor, ours.lifetime_ns[percent], theirs.lifetime_ns[percent]), percent
    assert ours.lifetime_ns[90] > 100 * ours.lifetime_ns[25]  # a heavy tail, as theirs
    assert theirs.lifetime_ns[90] > 100 * theirs.lifetime_ns[25]


@pytest.mark.parametrize("name", NAMES)
def test_its_book_is_as_deep(name: str) -> None:
    levels = 1 if name == "GOOG" else 5  # deeper ones are not in its file
    pairs = zip(made(name).depth[:levels], real(name).depth[:levels], strict=True)
    assert all(within(3, ours, theirs) for ours, theirs in pairs)


@pytest.mark.parametrize("name", NAMES)
def test_its_mid_wanders_as_much_and_its_signature_is_nearly_flat(name: str) -> None:
    ours, theirs = made(name), real(name)
    assert within(2, ours.volatility_ticks, theirs.volatility_ticks)
    for interval in (S // 10, S // 2, S, 2 * S, 5 * S):
        # The variance per second over that at ten seconds: neither bounce nor trend dominates.
        assert 0.4 < ours.signature[interval] < 2.0, interval
        assert 0.4 < theirs.signature[interval] < 2.0, interval
        assert within(2.5, ours.signature[interval], theirs.signature[interval]), interval


@pytest.mark.parametrize("name", NAMES)
def test_buys_follow_buys_for_some_trades(name: str) -> None:
    ours, theirs = made(name), real(name)
    for lag, apart in ((1, 0.2), (2, 0.25), (5, 0.25), (10, 0.2)):
        assert abs(ours.sign_correlation[lag] - theirs.sign_correlation[lag]) < apart, lag
    assert ours.sign_correlation[1] > 0.4 > abs(ours.sign_correlation[20])


def test_other_seeds_are_like_it() -> None:
    """What is said above of one seed is not luck."""
    expected = made("AMZN")
    for seed in (1, 2, 3):
        market = hft.synthetic(
            symbols=1, seconds=7_200, seed=seed, rate=7, spread_ticks=12, halts=0
        )
        found = facts(joined(market), instruments=market.instruments)
        assert within(1.3, found.spread_ticks, expected.spread_ticks)
        assert within(1.5, found.cancels_per_add, expected.cancels_per_add)
        assert within(2, found.volatility_ticks, expected.volatility_ticks)
        assert within(2, found.gap_ns[50], expected.gap_ns[50])
        assert within(1.5, found.fano[10**8], expected.fano[10**8])
