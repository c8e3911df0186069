# mypy: ignore-errors
"""A made level feed of one future in hftbacktest's own format, for the peer and for hftlib alike.

    python level_feed.py FILE.npz --events 1000000 --seed 1

Runs in the peer's environment (see README.md beside this) and imports nothing of hftlib; hftlib
reads the same file through `hftlib.feed.recorded_npz`. Everything is decided in 64-bit integers, so
a seed gives the same bytes everywhere. What it looks like:

    5,000 rows a second in messages of 1 to some 10 rows that share one time, on whole microseconds
    trades at the touch eat its quantity; each TRADE is followed by the level it left behind
    quotes come and go up to DEPTH ticks from the touch, most near it; now and then the touch leaves
    an open spread is closed again from a random side, so the price walks by ticks

Each row is for both sides, EXCH and LOCAL, and received a constant time after it happened: the
venue's order and the order of arrival are one. The book is never crossed and never one-sided.

Worst case: a walk beyond the window of 65,536 ticks stops the maker; no seed came near it.
"""

from __future__ import annotations

import argparse
import hashlib

import numpy as np
from hftbacktest.binding import numba  # the peer's own: hftlib's door leads to another one
from hftbacktest.types import (
    BUY_EVENT,
    DEPTH_EVENT,
    DEPTH_SNAPSHOT_EVENT,
    EXCH_EVENT,
    LOCAL_EVENT,
    SELL_EVENT,
    TRADE_EVENT,
    event_dtype,
)

TICKS_IN_ONE, LOTS_IN_ONE = 10, 1000  # tick 0.1, lot 0.001
# All sizes are even, so that no trade ever fills an order of odd size exactly: hftbacktest's
# exchange with partial fills ends with an error after one that does (README.md, "Partial fills").
SIZE_STEP_LOTS = 2
FIRST_NS = 1_704_153_600_000_000_000  # 2024-01-02 00:00 UTC
MIDDLE_TICKS = 600_000
DEPTH = 16
WINDOW = 1 << 16
MESSAGE_ROWS_MAX = 64
GAP_US = 227  # mean time between messages; 1.135 rows each make 5,000 rows a second

ROW = EXCH_EVENT | LOCAL_EVENT
BID, ASK = 0, 1
LEVEL = (ROW | DEPTH_EVENT | BUY_EVENT, ROW | DEPTH_EVENT | SELL_EVENT)
FIRST_LEVEL = (ROW | DEPTH_SNAPSHOT_EVENT | BUY_EVENT, ROW | DEPTH_SNAPSHOT_EVENT | SELL_EVENT)
TRADE_AGAINST = (ROW | TRADE_EVENT | SELL_EVENT, ROW | TRADE_EVENT | BUY_EVENT)
AWAY = (-1, 1)  # the way from the touch into the book
# Out of 1,000 messages.
TRADES, TOUCHES_LEAVE, CLOSE_THE_SPREAD = 110, 4, 600


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a level feed in hftbacktest's format.")
    parser.add_argument("file")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--feed-latency-ns", type=int, default=500_000)
    parser.add_argument(
        "--grid-us", type=int, default=1, help="times are multiples of it: 1000 makes many equal"
    )
    asked = parser.parse_args()
    rows = make(asked.events, asked.seed, asked.feed_latency_ns, asked.grid_us)
    np.savez(asked.file, data=rows)
    seconds = (rows["exch_ts"][-1] - rows["exch_ts"][0]) / 1e9
    print(f"{len(rows):,} rows over {seconds:,.1f} s, sha256 {digest(rows)}")


def make(events: int, seed: int, feed_latency_ns: int, grid_us: int = 1) -> np.ndarray:
    """At most `events` rows, less than one message fewer."""
    rows = np.zeros(events, event_dtype)
    book = np.zeros((2, WINDOW), np.int64)
    random = np.array([seed], np.uint64)
    made = _play(rows, book, random, feed_latency_ns, grid_us * 1000)
    if made < 0:
        raise SystemExit("The price walked out of the window: take another seed.")
    return rows[:made]


def digest(rows: np.ndarray) -> str:
    return hashlib.sha256(rows.tobytes()).hexdigest()


@numba.njit
def _play(rows, book, random, latency, grid):
    touch = np.array([WINDOW // 2, WINDOW // 2 + 1], np.int64)
    time = clock = FIRST_NS
    row = 0
    for side in range(2):
        for level in range(DEPTH):
            index = touch[side] + AWAY[side] * level
            book[side, index] = 60 + _below(random, 120)
            row = _put(rows, row, FIRST_LEVEL[side], time, latency, index, book[side, index])
    while row + MESSAGE_ROWS_MAX <= len(rows):
        if min(touch[0], WINDOW - touch[1]) < 4 * DEPTH:
            return -1
        clock += 1000 * (1 + _below(random, 2 * GAP_US - 1))
        time = (clock + grid - 1) // grid * grid
        side, what = _below(random, 2), _below(random, 1000)
        if what < TRADES:
            row = _trade(rows, row, book, touch, random, side, time, latency)
        elif what < TRADES + TOUCHES_LEAVE:
            row = _set(rows, row, book, touch, side, touch[side], 0, time, latency)
        elif touch[ASK] - touch[BID] > 1 and what < CLOSE_THE_SPREAD:
            index = touch[side] - AWAY[side]
            size = 1 + _below(random, 30)
            row = _set(rows, row, book, touch, side, index, size, time, latency)
        else:
            depth = min(_below(random, DEPTH), _below(random, DEPTH))
            index = touch[side] + AWAY[side] * depth
            size = _changed(book[side, index], 160 + 8 * depth, random)
            row = _set(rows, row, book, touch, side, index, size, time, latency)
    return row


@numba.njit
def _trade(rows, row, book, touch, random, side, time, latency):
    """Someone takes from `side`: mostly a few lots, now and then more than the level has."""
    left = 1 + _below(random, 24)
    if _below(random, 16) == 0:
        left += _below(random, 120)
    for _ in range(4):
        index = touch[side]
        there = book[side, index]
        size = min(left, there)
        row = _put(rows, row, TRADE_AGAINST[side], time, latency, index, size)
        row = _set(rows, row, book, touch, side, index, there - size, time, latency)
        left -= size
        if left == 0:
            break
    return row


@numba.njit
def _set(rows, row, book, touch, side, index, size, time, latency):
    """One level as it is now, and what that does to the touch and to the far end."""
    book[side, index] = size
    row = _put(rows, row, LEVEL[side], time, latency, index, size)
    away = AWAY[side]
    if (touch[side] - index) * away > 0:
        touch[side] = index
        far = index + away * DEPTH
        if book[side, far] > 0:
            book[side, far] = 0
            row = _put(rows, row, LEVEL[side], time, latency, far, 0)
    elif index == touch[side] and size == 0:
        for depth in range(1, DEPTH + 1):
            if book[side, index + away * depth] > 0:
                touch[side] = index + away * depth
                return row
        touch[side] = index + away
        book[side, index + away] = 10
        row = _put(rows, row, LEVEL[side], time, latency, index + away, 10)
    return row


@numba.njit
def _changed(size, usual, random):
    """A level's next size: the larger it is beyond the usual, the likelier it shrinks."""
    if _below(random, 2 * usual) >= size:
        return size + 1 + _below(random, 60)
    return size - 1 - _below(random, min(size, 60))


@numba.njit
def _put(rows, row, mark, time, latency, index, size):
    rows[row].ev = mark
    rows[row].exch_ts = time
    rows[row].local_ts = time + latency
    # Divided, not multiplied: the float nearest to the decimal, as a parser would give it.
    rows[row].px = (MIDDLE_TICKS - WINDOW // 2 + index) / TICKS_IN_ONE
    rows[row].qty = size * SIZE_STEP_LOTS / LOTS_IN_ONE
    return row + 1


@numba.njit
def _below(random, bound):
    """splitmix64, from 0 to bound - 1; the bias of the remainder is far below what matters here."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    word = random[0]
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.int64((word ^ (word >> np.uint64(31))) >> np.uint64(33)) % np.int64(bound)


if __name__ == "__main__":
    main()
