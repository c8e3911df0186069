"""When somebody acts: arrivals that excite further arrivals, drawn exactly, in whole numbers.

A Hawkes process whose kernel is a sum of exponentials, which over these decades looks like the
power law of real markets. For each time scale a stock keeps its *echo*: how many answers to past
actions are still to come. An action adds to every echo; time makes them die away.

An echo r of scale t brings its next action after -ln(1 - E / r) * t, with E exponential of mean 1,
or never if E >= r. The first of all echoes' and the rhythm's own arrivals is the next action
(Dassios and Zhao 2013): no thinning, no approximation beyond the tables.

Which stock is next is a tournament: a change of one costs log2(stocks) comparisons.

Worst case: an echo stops at 16,384 answers to come, far more than the busiest stock allowed has.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from hftlib.core import jit
from hftlib.feed.synthetic.chance import ONE, ONE_BITS, decay, minus_ln, waiting
from hftlib.feed.synthetic.memory import ECHOES, NEVER, STOCK_BYTES, stock_at

# Time scales in ns, and the answers one action brings at each, in percent: 93 in all.
SCALES_NS = (60_000, 2_000_000, 60_000_000, 1_500_000_000, 30_000_000_000)
ANSWERS_PERCENT = (37, 30, 17, 6, 3)
# News stirs traders at these of the scales.
STIRRED = (2, 3)
ECHO_MAX = ONE << 14
_DAY_NS = 23_400_000_000_000

_scales_ns = np.array(SCALES_NS, np.int64)
_answers = np.array(ANSWERS_PERCENT, np.int64) * ONE // 100
_numbers_at = jit.array_at(np.int64)


@jit.compiled()
def excite(stock: Any, scale: int, answers: int) -> None:
    stock.echoes[scale] = min(ECHO_MAX, stock.echoes[scale] + answers)


@jit.compiled()
def acted(stock: Any) -> None:
    """One more action of this stock: each echo grows."""
    for scale in range(ECHOES):
        excite(stock, scale, _answers[scale])


@jit.compiled()
def die_away(market: Any, stock: Any) -> None:
    """Bring the echoes up to now, a slow one only when 1/4096 of its scale has passed."""
    for scale in range(ECHOES):
        scale_ns = int(_scales_ns[scale])
        passed = market.now - stock.echoed[scale]
        if passed >= scale_ns >> 12:
            # Beyond 17 scales nothing is left, and the product would outgrow an int64 at last.
            exponent = (min(passed, 17 * scale_ns) << ONE_BITS) // scale_ns
            stock.echoes[scale] = (stock.echoes[scale] * decay(market.tables_at, exponent)) >> 24
            stock.echoed[scale] = market.now


@jit.compiled()
def draw_next(market: Any, stock: Any) -> None:
    """When this stock's next action is due, if nothing happens to it before."""
    wait = _times(waiting(market.tables_at, stock.at), _gap_ns(market, stock))
    for scale in range(ECHOES):
        drawn = waiting(market.tables_at, stock.at)
        echo = stock.echoes[scale]
        if drawn < echo:
            word = max(0, (1 << 32) - 1 - (drawn << 32) // echo)
            first = _times(minus_ln(market.tables_at, word), int(_scales_ns[scale]))
            wait = min(wait, first)
    stock.due = market.now + wait


@jit.compiled()
def _times(number: int, scale_ns: int) -> int:
    """A number of 2**-24 times a scale, without outgrowing 63 bits."""
    return (number * (scale_ns >> 4)) >> 20


@jit.compiled()
def _gap_ns(market: Any, stock: Any) -> int:
    """The rhythm of the day: busy at both ends, half as busy at noon."""
    through = min(max(market.now - market.open_ns, 0), _DAY_NS)
    slope = 2048 * through // _DAY_NS - 1024
    return (stock.gap_ns << 10) // (700 + (900 * slope * slope >> 20))


@jit.compiled()
def settle(market: Any, index: int) -> None:
    """Play the tournament again above one stock, whose `due` has changed."""
    tree = _numbers_at(market.tree_at, market.leaves)
    node = (market.leaves + index) >> 1
    while node >= 1:
        left, right = 2 * node, 2 * node + 1
        one = left - market.leaves if left >= market.leaves else int(tree[left])
        other = right - market.leaves if right >= market.leaves else int(tree[right])
        tree[node] = one if due_of(market, one) <= due_of(market, other) else other
        node >>= 1


@jit.compiled()
def due_of(market: Any, index: int) -> int:
    return stock_at(market.stocks_at + index * STOCK_BYTES).due


@jit.compiled()
def earliest(market: Any) -> int:
    """The stock whose action is due first; with a single one there is no tournament."""
    if market.leaves == 1:
        return 0
    return int(_numbers_at(market.tree_at, market.leaves)[1])


@jit.compiled()
def silence(stock: Any) -> None:
    stock.due = NEVER
    for scale in range(ECHOES):
        stock.echoes[scale] = 0
