"""Whole synthetic days before a judge that knows an exchange and nothing of the generator."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from exchange_judge import Judge, Order, Stock

from hftlib.feed.synthetic.market import synthetic


@pytest.mark.parametrize("seed", range(6))
def test_a_day_breaks_no_rule_of_an_exchange(seed: int) -> None:
    market = synthetic(symbols=3, seconds=90, seed=seed, rate=60, spread_ticks=3, halts=2)
    judge = Judge().day(market.itch_bytes())
    for stock in judge.stocks.values():
        assert stock.crosses[0] == "O" and stock.crosses[-1] == "C"
        # What is never empty is two-sided at the end as well.
        assert stock.best("B") and stock.best("S")
    assert sum(stock.crosses.count("H") for stock in judge.stocks.values()) == 2
    assert set(judge.counts) == set("SVRHYAFEXDUPQIC")


@pytest.mark.parametrize(
    "wish",
    [
        {"symbols": 1, "seconds": 1, "rate": 2_000, "spread_ticks": 1, "halts": 16},
        {"symbols": 1, "seconds": 2, "rate": 1, "spread_ticks": 100, "halts": 0},
        {"symbols": 40, "seconds": 20, "rate": 20, "spread_ticks": 1, "halts": 16},
        {"symbols": 1, "seconds": 1_500, "rate": 60, "spread_ticks": 100, "halts": 5},
        {"symbols": 2, "seconds": 30, "rate": 1_500, "spread_ticks": 1, "halts": 1},
    ],
)
def test_extreme_wishes_break_none_either(wish: dict[str, int]) -> None:
    judge = Judge().day(synthetic(seed=11, **wish).itch_bytes())
    assert sum(stock.crosses.count("H") for stock in judge.stocks.values()) == wish["halts"]


@pytest.mark.modes
def test_a_small_day_breaks_no_rule_uncompiled_or_bounds_checked_either() -> None:
    judge = Judge().day(synthetic(symbols=2, seconds=4, seed=3, rate=4).itch_bytes())
    assert judge.counts["A"] > 300


def test_most_orders_are_cancelled_and_traders_cluster() -> None:
    judge = Judge().day(synthetic(symbols=2, seconds=200, seed=1).itch_bytes())
    counts = judge.counts
    came = counts["A"] + counts["F"] + counts["U"]
    gone = counts["D"] + counts["U"]
    assert 0.7 * came < gone < came
    assert 3 * counts["E"] < came


def frames_of(data: bytes) -> list[bytearray]:
    frames, at = [], 0
    while at < len(data):
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        frames.append(bytearray(data[at:end]))
        at = end
    return frames


def nth(frames: list[bytearray], kind: str, number: int = 0) -> int:
    return [i for i, frame in enumerate(frames) if frame[2] == ord(kind)][number]


def put(frames: list[bytearray], index: int, at: int, count: int, value: int) -> None:
    """Overwrite a field of a message; `at` is its offset in the message."""
    frames[index][2 + at : 2 + at + count] = value.to_bytes(count, "big")


BROKEN: dict[str, Callable[[list[bytearray]], object]] = {
    "an order is never told": lambda f: f.pop(nth(f, "A", 5)),
    "an order is told twice": lambda f: f.insert(nth(f, "A", 9), f[nth(f, "A", 9)]),
    "an execution is too large": lambda f: put(f, nth(f, "E", 3), 19, 4, 10**6),
    "an execution of nobody": lambda f: put(f, nth(f, "E", 3), 11, 8, 10**9),
    "an order jumps its queue": lambda f: put(f, nth(f, "A", 200), 32, 4, 100),
    "a price off the tick": lambda f: put(f, nth(f, "A", 7), 32, 4, 1_000_050),
    "time runs back": lambda f: put(f, nth(f, "D", 30), 5, 6, 0),
    "no opening": lambda f: f.pop(nth(f, "S", 2)),
    "no end": lambda f: f.pop(),
    "a halt nobody told": lambda f: f.pop(nth(f, "H", 2)),
    "trading begins without a cross": lambda f: f.pop(nth(f, "Q")),
    "a cross at two prices": lambda f: put(f, nth(f, "C"), 32, 4, 100),
    "a cross of too few shares": lambda f: put(f, nth(f, "Q"), 11, 8, 1),
    "an unseen trade outside": lambda f: put(f, nth(f, "P"), 32, 4, 100),
    "a match number twice": lambda f: put(f, nth(f, "E", 9), 23, 8, 1),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_judge_is_no_rubber_stamp(name: str) -> None:
    frames = frames_of(synthetic(symbols=2, seconds=20, seed=4).itch_bytes())
    Judge().day(b"".join(frames))
    BROKEN[name](frames)
    with pytest.raises((AssertionError, KeyError)):
        Judge().day(b"".join(frames))


def test_the_judge_insists_on_the_oldest_order_of_the_best_price() -> None:
    judge, stock = Judge(), Stock(b"AAA     ")
    judge.system, stock.state = "OSQ", "T"
    orders = [Order(number, "B", 100, price) for number, price in ((1, 500), (2, 500), (3, 400))]
    for order in orders:
        stock.add(order)
        judge.orders[order.number] = stock, order
    for number, reason in ((2, "not the oldest"), (3, "not the best price")):
        with pytest.raises(AssertionError, match=reason):
            judge.on_E(struct.pack(">11xQIQ", number, 50, judge.match + 1), stock)
    judge.on_E(struct.pack(">11xQIQ", 1, 100, judge.match + 1), stock)
    judge.on_E(struct.pack(">11xQIQ", 2, 100, judge.match + 1), stock)
    judge.on_E(struct.pack(">11xQIQ", 3, 100, judge.match + 1), stock)
    assert stock.best("B") == 0
