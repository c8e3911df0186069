"""A share of an amount, in whole units, exact at any size: what part of a cost some lots bear.

amount * part / whole may need 126 bits on the way to 62. Where the whole is small the product fits;
else it is divided as it is multiplied, bit by bit. Worst case: 62 steps of a few additions.
"""

from __future__ import annotations

from hftlib.core import jit

_PRODUCT_MAX = 1 << 31


@jit.compiled("int64(int64, int64, int64)")
def share_below(amount: int, part: int, whole: int) -> int:
    """amount * part / whole, rounded down; 0 <= part <= whole, 0 < whole, exact at any size."""
    wholes, rest = amount // whole, amount % whole
    if whole <= _PRODUCT_MAX:
        return wholes * part + rest * part // whole
    quotient, left = 0, 0
    for bit in range(61, -1, -1):
        quotient, left = 2 * quotient, 2 * left
        if left >= whole:
            quotient, left = quotient + 1, left - whole
        if (part >> bit) & 1:
            left += rest
            if left >= whole:
                quotient, left = quotient + 1, left - whole
    return wholes * part + quotient
