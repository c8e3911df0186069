"""`python -m hftlib.bench.ways FILE`: what two ideas of the books gain, in turns in one run.

    as they are                   homes, and looking ahead where there are many orders
    without looking ahead         each event waits for its memory
    all orders in one hash        a single home, so every order but one is a guest

All must end with the same books. Worst case: the hash takes three times as long as the homes.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from hftlib.bench.harness import pinned, require_compiled
from hftlib.bench.market import _books_for, _Input
from hftlib.book.books import Books

NEVER = 1 << 62
RUNS = 3


def ways(given: _Input) -> dict[str, Callable[[], Books]]:
    """Makers of empty books for a file, by name."""
    make = _books_for(given, given.read(None)[2])

    def never_ahead() -> Books:
        books = make()
        books.header["look_from"] = NEVER
        return books

    def hashed() -> Books:
        books = make()
        return Books(books.instruments, capacity=replace(books.capacity, homes=1))

    return {
        "as they are": make,
        "without looking ahead": never_ahead,
        "all orders in one hash": hashed,
    }


def costs(path: Path, runs: int = RUNS) -> dict[str, float]:
    """Nanoseconds a message, parsed and applied, by way: medians, taken in turns."""
    require_compiled("hftlib.bench.ways")
    taken: dict[str, list[float]] = {}
    digests = set()
    with pinned(0):
        given = _Input(path)
        made = ways(given)
        for _turn in range(runs + 1):
            for name, make in made.items():
                books = make()
                taken.setdefault(name, []).append(given.read(books)[1])
                digests.add(books.digest())
    assert len(digests) == 1, "the ways must agree"
    return {name: statistics.median(turns[1:]) for name, turns in taken.items()}


if __name__ == "__main__":
    for name, cost in costs(Path(sys.argv[1])).items():
        print(f"{name:24} {cost:6.1f} ns a message")
