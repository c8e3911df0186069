"""Draws without state: a number stirred so that each bit of it hangs on all.

The same in any mode and process, so a run drawn from a seed is the same run again.
Worst case: it is no secret; who knows the seed knows every draw.
"""

from __future__ import annotations

from hftlib.core import jit

WORD = 0xFFFF_FFFF


@jit.inlined
def stirred(bits: int) -> int:
    """32 bits into 32 others, one to one, so that each bit hangs on all of them."""
    bits ^= bits >> 16
    bits = _product(bits, 0x7FEB352D)
    bits ^= bits >> 15
    bits = _product(bits, 0x846CA68B)
    return bits ^ (bits >> 16)


@jit.inlined
def _product(bits: int, factor: int) -> int:
    """The low 32 bits of a product of two 32-bit words, in two steps that both fit an int64."""
    high = (bits * (factor >> 16)) & 0xFFFF
    return (bits * (factor & 0xFFFF) + (high << 16)) & WORD
