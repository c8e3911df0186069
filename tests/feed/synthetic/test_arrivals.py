"""Arrivals against the theory of the process they claim to be, computed here in floats."""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.feed.synthetic.arrivals import (
    ANSWERS_PERCENT,
    SCALES_NS,
    acted,
    die_away,
    draw_next,
    earliest,
    settle,
)
from hftlib.feed.synthetic.chance import ONE
from hftlib.feed.synthetic.memory import NEVER, STOCK_BYTES, market_at, stock_at
from hftlib.feed.synthetic.plan import wished
from hftlib.feed.synthetic.start import Day

numbers_at = jit.array_at(np.int64)


@jit.compiled("void(int64, int64, int64)")
def arrive(market_address, times_address, count):
    """Nothing but arrivals of the first stock."""
    market = market_at(market_address)
    stock = stock_at(market.stocks_at)
    times = numbers_at(times_address, count)
    draw_next(market, stock)
    for number in range(count):
        market.now = stock.due
        times[number] = market.now
        die_away(market, stock)
        acted(stock)
        draw_next(market, stock)


def a_day(symbols: int, rate: int) -> Day:
    return Day(wished(symbols, 1, 5, "2026-01-05", rate, 6, 0))


def arrivals(rate: int, count: int) -> tuple[Day, np.ndarray[Any, Any]]:
    day, times = a_day(1, rate), np.zeros(count, np.int64)
    arrive(day.address, times.ctypes.data, count)
    return day, times


def base_rate(day: Day) -> float:
    """Before the opening the day's rhythm stands at its first value, 1600 / 1024."""
    return 1600 / 1024 * 1e9 / float(day.stocks["gap_ns"][0])


def test_time_changed_by_the_intensity_is_a_plain_poisson_process() -> None:
    day, times = arrivals(25, 100_000)
    answers, scales = np.array(ANSWERS_PERCENT) / 100, np.array(SCALES_NS) / 1e9
    echoes, base = np.zeros(len(scales)), base_rate(day)
    gaps = np.diff(times / 1e9)
    residuals = np.zeros(len(gaps))
    for number, gap in enumerate(gaps):
        echoes += answers
        left = echoes * np.exp(-gap / scales)
        residuals[number] = base * gap + (echoes - left).sum()
        echoes = left
    assert abs(residuals.mean() - 1) < 5 / len(gaps) ** 0.5
    # Kolmogorov and Smirnov's distance to the exponential law, its one in a million point.
    order = np.sort(1 - np.exp(-residuals))
    distance = np.abs(order - (np.arange(len(order)) + 0.5) / len(order)).max()
    assert distance < 2.7 / len(order) ** 0.5
    assert abs(np.corrcoef(residuals[:-1], residuals[1:])[0, 1]) < 5 / len(gaps) ** 0.5


def test_arrivals_cluster_as_much_as_their_answers_say() -> None:
    day, times = arrivals(50, 300_000)
    rate = len(times) / ((times[-1] - times[0]) / 1e9)
    expected = base_rate(day) / (1 - sum(ANSWERS_PERCENT) / 100)
    assert 0.8 * expected < rate < 1.25 * expected  # 14 answers to each: one run wanders far
    gaps = np.diff(times)
    assert gaps.std() / gaps.mean() > 2 and (gaps >= 0).all()


@jit.compiled("void(int64, int64, int64)")
def set_due(market_address, index, due):
    market = market_at(market_address)
    stock_at(market.stocks_at + index * STOCK_BYTES).due = due
    settle(market, index)


@jit.compiled("int64(int64)")
def first_of(market_address):
    return earliest(market_at(market_address))


def test_the_tournament_finds_the_earliest_of_any_number_of_stocks() -> None:
    chance = np.random.default_rng(1)
    for count in (1, 2, 3, 5, 8, 13):
        day = a_day(count, 25)
        for _ in range(200):
            due = int(chance.integers(0, 20)) if chance.random() < 0.8 else NEVER
            set_due(day.address, int(chance.integers(0, count)), due)
            found = first_of(day.address)
            assert found < count or (day.stocks["due"] == NEVER).all()
            assert day.stocks["due"][found] == day.stocks["due"].min()


def test_an_echo_is_what_is_still_to_come() -> None:
    day, times = arrivals(25, 1000)
    expected = [
        sum(share / 100 * np.exp(-(times[-1] - time) / scale) for time in times)
        for share, scale in zip(ANSWERS_PERCENT, SCALES_NS, strict=True)
    ]
    found = day.stocks["echoes"][0] / ONE
    # Slow echoes lag by up to 1/4096 of their scale, and each of 1000 steps rounds down.
    assert np.allclose(found, expected, rtol=2e-3, atol=1e-4)
