"""A picture stays as it was taken, whatever the writer does next and however it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hftlib.core.arena import Arena
from hftlib.core.layout import Layout

PAIR = np.dtype([("left", "i8"), ("right", "i8")])
LAYOUT = Layout(pair=(PAIR, 3), clock="i8")


@pytest.fixture
def arena(tmp_path: Path) -> Iterator[Arena]:
    with Arena.create(LAYOUT, tmp_path / "arena") as made:
        yield made


@pytest.mark.parametrize(
    "read",
    [
        lambda a: a["pair"],
        lambda a: a["pair"][1],
        lambda a: a["pair"]["left"][::2],
        lambda a: a["pair"].view(np.uint8).reshape(3, -1),
        lambda a: (a["clock"], 5, a["pair"][0]),
        lambda a: [a["clock"], [a["pair"]]],
        lambda a: {"clock": a["clock"], "more": (a["pair"]["right"],)},
    ],
)
@pytest.mark.parametrize("whose", ["the writer's", "an onlooker's"])
def test_a_picture_stays_as_it_was_taken(
    read: Callable[[Arena], Any], whose: str, arena: Arena
) -> None:
    looking = arena if whose == "the writer's" else Arena.open(arena.path or "")
    picture = looking.consistent(read)
    taken = repr(picture)
    assert type(picture) is type(read(looking)) and taken == repr(read(looking))
    with arena.change():
        arena["pair"].view(np.uint8)[:] = 0x11
        arena["clock"][0] = 0x11
    assert repr(picture) == taken != repr(read(looking))


def test_what_is_the_readers_own_is_handed_over_as_it_is(arena: Arena) -> None:
    own = np.zeros(5)
    assert arena.consistent(lambda _: own) is own
    assert arena.consistent(lambda a: int(a["clock"][0])) == 0
    assert arena.consistent(Arena.snapshot).compare(arena) == []


def test_a_change_between_the_reading_and_the_copying_is_noticed(arena: Arena) -> None:
    """The copy is part of the picture: it is taken before `changes` is looked at again."""
    readings = 0

    class Slow(np.ndarray):
        def copy(self, *order: Any) -> Any:
            if readings == 1:
                with arena.change():
                    arena["clock"][0] = 9
            return super().copy(*order)

    def read(picture: Arena) -> Any:
        nonlocal readings
        readings += 1
        return picture["clock"].view(Slow)

    assert arena.consistent(read)[0] == 9 and readings == 2
