"""Numbers of orders where several strategies run side by side: a number alone says whose it is.

    first strategy    1, 2, 3, ...
    second            1_000_000_000_001, ...
    third             2_000_000_000_001, ...

Each counts in a range of its own of EACH numbers, so an only strategy counts from 1. EACH is a
multiple of 2**12: the low bits of a number, which say where an order lies among its own strategy's,
are those that it would have had alone.

Worst case: a strategy that sends EACH orders comes into the next one's range; at a million a second
that takes eleven days.
"""

from __future__ import annotations

from hftlib.core import jit

EACH = 10**12
SLOTS_MAX = 1 << 12  # of one strategy, where there are several
STRATEGIES_MAX = 32
assert EACH % SLOTS_MAX == 0


@jit.inlined
def whose(number: int) -> int:
    """Which strategy's order this is, counted from 0."""
    return number // EACH


@jit.inlined
def place_of(number: int, each: int, mask: int) -> int:
    """Its place in a table that has `each` places for every strategy, `mask + 1` in all."""
    low = number & (each - 1)
    if number < EACH:  # the first strategy's, and an only one's: no division
        return low
    return (whose(number) * each + low) & mask
