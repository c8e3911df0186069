"""Chance without floats: random numbers, logarithms and decay in whole numbers, alike everywhere.

A market from a seed has the same bytes on any machine only if no decision hangs on how a C library
rounds `log`. So the generator is xoshiro128** (Blackman and Vigna 2018), whose 32-bit words never
overflow an int64, and logarithm and exponential are tables of whole numbers with straight lines
between them, made here by the decimal module, which rounds correctly everywhere.

Fractions are counts of 1/2**24 (`ONE`). Worst case: both tables err by less than 2**-22.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal, localcontext
from functools import cache
from typing import Any

import numpy as np

from hftlib.core import jit

ONE_BITS = 24
ONE = 1 << ONE_BITS
_STEPS_BITS = 12
_STEPS = 1 << _STEPS_BITS
_WORD = (1 << 32) - 1
# ln 2 and 1 / ln 2, times 2**24 and 2**30; checked against the decimal module by the tests.
LN_2 = 11_629_080
PER_LN_2 = 1_549_082_005
# exp(-x) is below half a unit of 2**-24 from here on.
_FAR = 17 * ONE
TABLE_WORDS = 2 * (_STEPS + 2)

_words_at = jit.array_at(np.int64)


@cache
def tables() -> np.ndarray[Any, Any]:
    """ln(1 + i/4096), then 2**(-i/4096), in units of 2**-24; one more of each to draw lines to."""
    made = np.zeros(TABLE_WORDS, np.int64)
    with localcontext() as context:
        context.prec = 40
        ln_2 = Decimal(2).ln()
        for i in range(_STEPS + 2):
            share = Decimal(i) / _STEPS
            made[i] = int((1 + share).ln() * ONE + Decimal("0.5"))
            made[_STEPS + 2 + i] = int((-share * ln_2).exp() * ONE + Decimal("0.5"))
    made.flags.writeable = False
    return made


def seeded(*parts: object) -> list[int]:
    """Four words of 32 bits for the thing these parts name, the same on any machine."""
    text = "\0".join(map(str, parts)).encode()
    digest = hashlib.sha256(text).digest()
    return [int.from_bytes(digest[4 * i : 4 * i + 4], "big") | (i == 0) for i in range(4)]


@jit.compiled("int64(int64)")
def draw(words_address: int) -> int:
    """32 random bits; the four words of the state lie at the address."""
    words = _words_at(words_address, 4)
    a, b, c, d = int(words[0]), int(words[1]), int(words[2]), int(words[3])
    times_5 = (b * 5) & _WORD
    turned = ((times_5 << 7) | (times_5 >> 25)) & _WORD
    result = (turned * 9) & _WORD
    shifted = (b << 9) & _WORD
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = ((d << 11) | (d >> 21)) & _WORD
    words[0], words[1], words[2], words[3] = a, b, c, d
    return result


@jit.compiled()
def below(words_address: int, count: int) -> int:
    """A random number from 0 to count - 1, for counts far below 2**31."""
    return (draw(words_address) * count) >> 32


@jit.compiled("int64(int64, int64)")
def minus_ln(tables_address: int, word: int) -> int:
    """-ln((word + 1) / 2**32) in units of 2**-24, for a word of 32 bits."""
    table = _words_at(tables_address, TABLE_WORDS)
    number = word + 1
    power = 63 - jit.leading_zeros(number)
    rest = (number << (44 - power)) & ((1 << 44) - 1)  # what follows the leading one, of 2**44
    step = rest >> 32
    part = rest & _WORD
    low, high = int(table[step]), int(table[step + 1])
    return (32 - power) * LN_2 - low - (((high - low) * part) >> 32)


@jit.compiled("int64(int64, int64)")
def decay(tables_address: int, exponent: int) -> int:
    """exp(-exponent) in units of 2**-24, for an exponent of 0 or more in the same units."""
    if exponent >= _FAR:
        return 0
    table = _words_at(tables_address, TABLE_WORDS)
    halvings = (exponent * PER_LN_2) >> 30
    whole = halvings >> ONE_BITS
    rest = halvings & (ONE - 1)
    step = rest >> (ONE_BITS - _STEPS_BITS)
    part = rest & (_STEPS - 1)
    low, high = int(table[_STEPS + 2 + step]), int(table[_STEPS + 3 + step])
    return (low - (((low - high) * part) >> _STEPS_BITS)) >> whole


@jit.compiled()
def waiting(tables_address: int, words_address: int) -> int:
    """An exponentially distributed number of mean 1, in units of 2**-24."""
    return minus_ln(tables_address, draw(words_address))


@jit.compiled()
def heavy(words_address: int, most: int) -> int:
    """A number from 1 to `most` whose chance of exceeding x falls like 1 / x."""
    return min(most, (1 << 32) // (draw(words_address) + 1))
