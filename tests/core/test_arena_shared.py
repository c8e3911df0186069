"""An arena among processes: whole pictures, one writer, and what a killed writer leaves behind."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import numpy as np
import pytest
from processes import answer_of, started

from hftlib.core.arena import Arena, shared_memory
from hftlib.core.errors import InputError, StateError
from hftlib.core.layout import Layout

PAIR = np.dtype([("left", "i8"), ("right", "i8")])
LAYOUT = Layout(pair=PAIR)
KILLS = 40


@pytest.fixture
def path() -> Iterator[Path]:
    place = shared_memory(f"test-{os.getpid()}")
    Arena.create(LAYOUT, place).close()
    yield place
    place.unlink()


def write_pair(arena: Arena, n: int) -> None:
    with arena.change():
        arena["pair"]["left"] = n
        arena["pair"]["right"] = n


def resting(child: Popen[str]) -> None:
    """Return once the child says that it rests where its task told it to."""
    assert child.stdout is not None and child.stdout.readline() == "resting\n"


@pytest.mark.modes
def test_another_process_never_sees_half_a_change_unless_it_reads_carelessly(path: Path) -> None:
    arena = Arena.open(path, LAYOUT, writable=True)
    with started("arena_writer", "reader", path) as reader:
        changes = 0
        while reader.poll() is None:
            for rest in range(100):
                changes += 1
                write_pair(arena, changes)
                for _ in range(rest):  # a writer without any pause would starve its readers
                    pass
        careful, torn_careful, torn_careless, seen = map(int, answer_of(reader).split())
    # Its reader asks for 4,000 reads of 200 values; how many a busy host grants is no defect.
    assert careful >= seen >= 50 and changes >= seen
    assert torn_careful == 0
    assert torn_careless > 0, "this test could not have failed"


@pytest.mark.modes
def test_a_writer_killed_between_changes_leaves_a_whole_arena_and_a_free_lock(path: Path) -> None:
    with started("arena_writer", "between", path) as writer:
        resting(writer)
        for _ in range(2):
            with pytest.raises(StateError, match="Another process is writing this arena"):
                Arena.open(path, writable=True)
        onlooker = Arena.open(path)
        assert onlooker.consistent(lambda a: a["pair"][0].item()) == (1000, 1000)
        with pytest.raises(ValueError, match="read-only"):
            onlooker["pair"]["left"] = 0
        Arena.open(path, writable=True, exclusive=False)["pair"]["right"] = 999
        assert onlooker["pair"]["right"][0] == 999
        writer.kill()
        writer.wait()
    arena = Arena.open(path, writable=True)
    assert not arena.torn and arena["pair"][0].item() == (1000, 999)
    write_pair(arena, 1001)
    assert onlooker["pair"][0].item() == (1001, 1001) and not onlooker.torn


@pytest.mark.modes
def test_a_writer_killed_within_a_change_leaves_a_torn_arena_until_it_is_restored(
    path: Path,
) -> None:
    snapshot = Arena.open(path).snapshot()
    with started("arena_writer", "within", path) as writer:
        resting(writer)
        assert Arena.open(path).torn
        writer.kill()
        writer.wait()
    arena = Arena.open(path, writable=True)
    assert arena.torn and arena["pair"][0].item() == (1000, 999)
    assert arena.snapshot().torn
    with pytest.raises(StateError, match="writer is or died within a change"):
        arena.consistent(lambda a: a["pair"][0].item(), attempts=3)
    with pytest.raises(StateError, match="half an event is applied"):
        write_pair(arena, 1001)
    assert arena.torn and arena["pair"][0].item() == (1000, 999)
    arena.restore(snapshot)
    assert not arena.torn
    write_pair(arena, 1)
    assert arena.consistent(lambda a: a["pair"][0].item()) == (1, 1)


@pytest.mark.modes
def test_wherever_a_writer_is_killed_the_arena_says_what_it_left(path: Path) -> None:
    """Real processes again, but forked: forty deaths cost less than one start."""
    torn = 0
    whole = Arena.open(path).snapshot()
    for death in range(KILLS):
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                arena, n = Arena.open(path, writable=True), 0
                while True:
                    write_pair(arena, n := n + 1)
            os._exit(1)
        onlooker = Arena.open(path)
        while onlooker["pair"]["left"][0] < 50 + death % 7:
            assert os.waitpid(child, os.WNOHANG) == (0, 0), "the writer ended by itself"
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        arena = Arena.open(path, LAYOUT, writable=True)
        left, right = arena["pair"][0].item()
        assert left - right in ((0, 1) if arena.torn else (0,))
        torn += arena.torn
        arena.restore(whole)
        arena.close()
        assert not onlooker.torn and onlooker["pair"][0].item() == (0, 0)
    assert 0 < torn < KILLS


@pytest.mark.modes
def test_a_reader_tries_again_when_a_change_came_between_even_if_it_stumbled(path: Path) -> None:
    arena = Arena.open(path, writable=True)
    tries = 0

    def stumble(picture: Arena) -> int:
        nonlocal tries
        tries += 1
        if tries < 3:
            write_pair(arena, tries)
        if tries == 1:
            raise IndexError("half an event")
        return int(picture["pair"]["left"][0])

    assert Arena.open(path).consistent(stumble) == 2 and tries == 3
    with pytest.raises(ZeroDivisionError):  # at rest, a reader's failure is its own
        arena.consistent(lambda _: 1 // 0)
    with pytest.raises(StateError, match="in 5 attempts: the writer is changing it all the time"):
        arena.consistent(lambda a: write_pair(a, 0), attempts=5)


@pytest.mark.modes
def test_a_restore_is_a_change_too_so_no_picture_spans_one(path: Path) -> None:
    arena = Arena.open(path, writable=True)
    write_pair(arena, 1)
    earlier = arena.snapshot()
    tries = 0

    def spanning(picture: Arena) -> tuple[int, int]:
        nonlocal tries
        left = int(picture["pair"]["left"][0])
        if tries == 0:
            write_pair(arena, 2)
        right = int(picture["pair"]["right"][0])
        if tries == 0:
            arena.restore(earlier)
        tries += 1
        return left, right

    assert Arena.open(path).consistent(spanning) == (1, 1) and tries == 2


@pytest.mark.modes
def test_an_exception_within_a_change_tears_the_arena_as_a_crash_would(path: Path) -> None:
    arena = Arena.open(path, writable=True)
    with pytest.raises(KeyError), arena.change():
        raise KeyError("half way")
    assert arena.torn and Arena.open(path).torn
    saved = arena.save(path.with_name(f"{path.name}-saved"))
    try:
        assert Arena.open(saved).torn
    finally:
        saved.unlink()
    with pytest.raises(StateError, match="half an event is applied"), arena.change():
        pytest.fail("a torn arena took a change")


@pytest.mark.modes
def test_changes_do_not_nest(path: Path) -> None:
    arena = Arena.open(path, writable=True)
    with (
        pytest.raises(StateError, match="began and never ended"),
        arena.change(),
        arena.change(),
    ):
        pytest.fail("a change began within a change")
    assert arena.torn


def test_the_lock_is_free_once_closed_although_the_memory_is_still_held(path: Path) -> None:
    first = Arena.open(path, writable=True)
    assert first["pair"].flags.writeable
    with pytest.raises(StateError, match="This very process"):
        Arena.open(path, writable=True)
    first.close()
    with Arena.open(path, writable=True) as second:
        first.close()  # again: it must not give up what is the other's now
        with pytest.raises(StateError, match="This very process"):
            Arena.open(path, writable=True)
        second["pair"]["left"] = 3
    assert first["pair"]["left"][0] == 3
    Arena.open(path, writable=True).close()


def test_an_arena_dropped_without_closing_keeps_its_lock_while_an_array_lives(path: Path) -> None:
    pair = Arena.open(path, writable=True)["pair"]
    gc.collect()
    with pytest.raises(StateError, match="This very process"):
        Arena.open(path, writable=True)
    del pair
    gc.collect()
    assert Arena.open(path, writable=True).writable


def test_the_writer_writes_its_name_into_the_header_and_onlookers_do_not(path: Path) -> None:
    def writer() -> int:
        return int.from_bytes(path.read_bytes()[80:88], "little")

    with path.open("r+b") as file:
        file.seek(80)
        file.write(bytes(8))
    Arena.open(path)
    Arena.open(path, writable=True, exclusive=False)
    assert writer() == 0
    with pytest.raises(InputError):
        Arena.open(path, Layout(), writable=True)
    assert writer() == 0
    Arena.open(path, writable=True).close()
    assert writer() == os.getpid()
