"""The plan of a synthetic day: what is asked for, checked; and the timetable made of it.

    09:29:29  O S V, R Y H of each stock
    09:29:30  GATHER: the orders of earlier days, then quoting without trading
    09:29:35  IMBALANCE every five seconds
    09:30:00  Q, and the opening CROSS of each stock
              trading; a HALT now and then: GATHER, IMBALANCE, CROSS
              IMBALANCE every five seconds over the last quarter, at most ten minutes
    the end   M, and the closing CROSS of each stock; E and C a second and two later

Worst case: 256 stocks and a whole day of 23,400 s; anything beyond is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hftlib.core.errors import InputError
from hftlib.core.times import to_ns
from hftlib.core.units import as_int64, shown
from hftlib.feed.synthetic.memory import (
    BREAKER,
    CROSS,
    DIRECTORY,
    GATHER,
    HALT,
    IMBALANCE,
    STEP,
    SYSTEM,
)

SYMBOLS_MAX = 256
SECONDS_MAX = 23_400
OPEN_NS = 34_200 * 10**9
ZONE = "America/New_York"
_SECOND = 10**9
_BEFORE = 30 * _SECOND
_IMBALANCE_EVERY = 5 * _SECOND
_STAGGER = 100_000  # between the crosses of two stocks
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALLOWED = set(_LETTERS + "0123456789.-+=^#")


@dataclass(frozen=True, slots=True)
class Wish:
    """What a market is made from; the same wish is the same bytes."""

    symbols: tuple[str, ...]
    seconds: int
    seed: int
    date: str
    rate: int
    spread_ticks: int
    halts: int


def wished(
    symbols: int | str | Sequence[str],
    seconds: int,
    seed: int,
    date: str,
    rate: int,
    spread_ticks: int,
    halts: int,
) -> Wish:
    """The wish of these arguments, or a refusal that says what is possible."""
    to_ns(f"{date}T09:30:00", zone=ZONE, field="date")
    return Wish(
        _names(symbols),
        _within(seconds, 1, SECONDS_MAX, "seconds"),
        _within(seed, -(2**63), 2**63 - 1, "seed"),
        date,
        _within(rate, 1, 2_000, "rate"),
        _within(spread_ticks, 1, 100, "spread_ticks"),
        _within(halts, 0, 16, "halts"),
    )


def timetable(wish: Wish, halted: list[int]) -> np.ndarray[Any, Any]:
    """All steps of the day in order; `halted` says which stock each halt is about."""
    steps: list[tuple[int, int, int, int]] = []
    begin, end = OPEN_NS - _BEFORE, OPEN_NS + wish.seconds * _SECOND
    day = begin - _SECOND
    for offset, letter in enumerate("OS"):
        steps.append((day + offset * 1000, 0, SYSTEM, ord(letter)))
    steps.append((day + 2000, 0, BREAKER, 0))
    steps.append((OPEN_NS, 0, SYSTEM, ord("Q")))
    closing = min(600 * _SECOND, (end - OPEN_NS) // 4)
    for stock in range(len(wish.symbols)):
        late = stock * _STAGGER
        steps.append((day + 1_000_000 + late, stock, DIRECTORY, 0))
        steps.append((begin + 10 * late, stock, GATHER, 0))
        for time in range(begin + _IMBALANCE_EVERY, OPEN_NS, _IMBALANCE_EVERY):
            steps.append((time + late, stock, IMBALANCE, ord("O")))
        steps.append((OPEN_NS + _STAGGER + late, stock, CROSS, ord("O")))
        for time in range(end - closing, end - _SECOND // 10, _IMBALANCE_EVERY):
            steps.append((time + late, stock, IMBALANCE, ord("C")))
        steps.append((end + _STAGGER + late, stock, CROSS, ord("C")))
    for letter, late in (("M", 0), ("E", _SECOND), ("C", 2 * _SECOND)):
        steps.append((end + late, 0, SYSTEM, ord(letter)))
    for number, stock in enumerate(halted):
        steps += _halt(wish, number, stock)
    made = np.zeros(len(steps), STEP)
    made[:] = sorted(steps, key=lambda step: step[0])
    return made


def _halt(wish: Wish, number: int, stock: int) -> list[tuple[int, int, int, int]]:
    """One halt in its own part of the middle half of the day, so that no two overlap."""
    part = wish.seconds * _SECOND // 2 // wish.halts
    begin = OPEN_NS + wish.seconds * _SECOND // 5 + number * part
    lasts = min(part // 4, 300 * _SECOND)
    return [
        (begin, stock, HALT, 0),
        (begin + lasts, stock, GATHER, 0),
        (begin + lasts + lasts // 4, stock, IMBALANCE, ord("H")),
        (begin + lasts + lasts // 2, stock, CROSS, ord("H")),
    ]


def _names(symbols: int | str | Sequence[str]) -> tuple[str, ...]:
    if isinstance(symbols, str):
        return _names([symbols])
    if not isinstance(symbols, Sequence):
        count = _within(symbols, 1, SYMBOLS_MAX, "symbols")
        # AAA, BBB, ... ZZZ, then AAB, BBC, ...: made up, and easy to tell apart.
        turns = ((i % 26, (i % 26 + i // 26) % 26) for i in range(count))
        return tuple(_LETTERS[a] * 2 + _LETTERS[b] for a, b in turns)
    names = tuple(symbols)
    _within(len(names), 1, SYMBOLS_MAX, "symbols")
    for name in names:
        if not isinstance(name, str) or not 1 <= len(name) <= 8 or not set(name) <= _ALLOWED:
            raise _wrong(f"{shown(name)} is no symbol of the venue", "symbols", "Use A to Z.")
    if len(set(names)) < len(names):
        raise _wrong("A symbol is there twice", "symbols", "Name each one once.")
    return names


def _within(value: object, least: int, most: int, field: str) -> int:
    number = as_int64(value, field)
    if not least <= number <= most:
        raise _wrong(f"{number} is not possible here", field, f"Give {least:,} to {most:,}.")
    return number


def _wrong(what: str, field: str, do: str) -> InputError:
    return InputError(what, where=f"hft.synthetic({field}=...)", do=do)
