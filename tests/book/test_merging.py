"""Venues merged in compiled code are what sorting all their levels together gives."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pytest
from checks import made
from flows import ORDERS, Flow
from sights import BUY, SELL, add, books_of, sight

from hftlib.book import merging
from hftlib.book.capacity import Capacity
from hftlib.book.merging import CONSOLIDATED, MERGED_VIEW, VENUES_MAX
from hftlib.book.reading import NO_PRICE
from hftlib.core import events, jit

ROOM = Capacity(instruments=VENUES_MAX, orders=1 << 12, levels=1 << 11, pages=1 << 10, homes=1 << 9)


def consolidated(venues: list[tuple[Any, int]]) -> np.ndarray[Any, Any]:
    record = np.zeros(1, CONSOLIDATED)
    record["count"] = len(venues)
    for number, (books, row) in enumerate(venues):
        venue = record["venues"][0][number]
        venue["books_at"], venue["instrument"] = books.address - record.ctypes.data, row
    return record


def merged(record: Any, side: int, levels: int) -> list[tuple[Any, ...]]:
    out = np.full(levels + 1, -7, MERGED_VIEW)
    count = merging.merged(record.ctypes.data, side, levels, out.ctypes.data)
    assert set(out["price"][count:].tolist()) == {-7}, "more was written than was asked for"
    return [(*one[:4], list(one[4])) for one in out[:count].tolist()]


def sorted_together(picture: Any, rows: list[int], stale: list[int], side: int) -> Any:
    """The slow way: all levels of all venues into one dict."""
    prices: dict[int, list[Any]] = defaultdict(lambda: [0, 0, 0, [0] * VENUES_MAX, False])
    for number, row in enumerate(rows):
        for price, quantity, orders in sight(picture, row, side).levels if not stale[row] else ():
            one = prices[price]
            one[0] += quantity
            one[1] += orders
            one[2] |= 1 << number
            one[3][number] = quantity
            one[4] |= orders == 0
    ordered = sorted(prices.items(), reverse=side == BUY)
    return [(p, q, 0 if open_ else o, bits, split) for p, (q, o, bits, split, open_) in ordered]


@pytest.mark.modes
@pytest.mark.parametrize("venues", [1, 3, VENUES_MAX])
def test_merging_is_sorting_together(venues):
    seldom = {events.LEVEL: 20, events.GAP: 1.5, events.RECOVERED: 3}
    flow = Flow(instruments=venues, width=9, step=3, off_grid=1, kinds=ORDERS | seldom)
    books, twin = made([1] * venues, ROOM)
    chance = np.random.default_rng(6)
    seen_stale = seen_shared = 0
    for part in np.array_split(flow.made(6_000 if jit.COMPILED else 500, 8), 20):
        books.apply(part)
        twin.apply(part)
        rows = chance.permutation(venues).tolist()
        record, stale = consolidated([(books, row) for row in rows]), []
        stale = [facts["stale"] for facts in twin.facts]
        bits = sum(1 << number for number, row in enumerate(rows) if stale[row])
        assert merging.stale_venues(record.ctypes.data) == bits
        seen_stale += bits != 0
        best = []
        for side in (BUY, SELL):
            slow = sorted_together(twin.picture(), rows, stale, side)
            seen_shared += any(one[3] & (one[3] - 1) for one in slow)
            for levels in (0, 1, 4, 10_000 if jit.COMPILED else 100):
                assert merged(record, side, levels) == slow[:levels]
            best.append(slow[0] if slow else (NO_PRICE, 0, 0, 0, []))
            compare_best(record, side, best[-1])
        assert merging.INSIDES[merging.inside(record.ctypes.data)] == words(*best)
    assert seen_stale and (seen_shared or venues == 1)


def compare_best(record: Any, side: int, best: Any) -> None:
    address = record.ctypes.data
    assert merging.best_price(address, side) == best[0]
    assert merging.best_quantity(address, side) == best[1]
    lowest = (best[3] & -best[3]).bit_length() - 1
    assert merging.best_venue(address, side) == lowest


def words(bid: Any, ask: Any) -> str:
    if NO_PRICE in (bid[0], ask[0]):
        return "empty" if bid[0] == ask[0] else "one side only"
    if bid[0] < ask[0]:
        return "normal"
    return "locked" if bid[0] == ask[0] else "crossed"


@pytest.mark.modes
def test_venues_may_lie_in_different_memory():
    one, other = books_of(add(1, BUY, 10, 5)), books_of(add(1, BUY, 11, 6), add(2, SELL, 10, 1))
    record = consolidated([(one, 0), (other, 0)])
    assert merged(record, BUY, 9) == [
        (11, 6, 1, 2, [0, 6, *[0] * 14]),
        (10, 5, 1, 1, [5, *[0] * 15]),
    ]
    assert merging.inside(record.ctypes.data) == merging.CROSSED


@jit.compiled("int64(int64)")
def edge(address: int) -> int:
    """A strategy: what taking the best ask and hitting the best bid would earn per share."""
    if merging.inside(address) != merging.CROSSED:
        return 0
    return merging.best_price(address, BUY) - merging.best_price(address, SELL)


@pytest.mark.modes
def test_a_compiled_strategy_reads_across_venues():
    one, other = books_of(add(1, BUY, 14, 5)), books_of(add(2, SELL, 10, 1))
    assert edge(consolidated([(one, 0), (other, 0)]).ctypes.data) == 4
    assert edge(consolidated([(one, 0)]).ctypes.data) == 0
    assert merging.best_price(consolidated([(one, 0)]).ctypes.data, SELL) == NO_PRICE
