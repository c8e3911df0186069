"""Who may write: never two at once, whoever closes, forks, is killed, or saves over a name."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hftlib.core import mapping
from hftlib.core.arena import Arena, shared_memory
from hftlib.core.claim import is_written
from hftlib.core.errors import HostError, StateError
from hftlib.core.layout import Layout

LAYOUT = Layout(clock="i8")


@pytest.fixture
def path() -> Iterator[Path]:
    place = shared_memory(f"claim-{os.getpid()}")
    Arena.create(LAYOUT, place).close()
    yield place
    place.unlink(missing_ok=True)


def in_a_child(story: Callable[[], None]) -> None:
    """Run the story in a forked child, and fail where it fails."""
    child = os.fork()
    if child == 0:
        try:
            story()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, "the forked child says what is wrong"


def refused(arena: Arena, why: str) -> None:
    """Neither `change` nor `restore` touches the arena."""
    before, snapshot = arena.digest(), Arena.create(LAYOUT)
    snapshot["clock"][0] = 99
    with pytest.raises(StateError, match=f"{why} cannot change"), arena.change():
        arena["clock"][0] = 99
    with pytest.raises(StateError, match=f"{why} cannot restore"):
        arena.restore(snapshot)
    assert arena.digest() == before and not arena.torn


def test_a_closed_arena_is_read_but_not_changed_any_more(path: Path) -> None:
    first = Arena.open(path, writable=True)
    with first.change():
        first["clock"][0] = 1
    first.close()
    refused(first, "A closed arena")
    with Arena.open(path, writable=True) as second, second.change():
        second["clock"][0] = 2
    assert first["clock"][0] == 2 and first.snapshot()["clock"][0] == 2
    refused(first, "A closed arena")


def test_the_other_end_of_a_ring_writes_its_ring_and_changes_nothing_else(path: Path) -> None:
    with Arena.open(path, writable=True) as owner:
        beside = Arena.open(path, writable=True, exclusive=False)
        refused(beside, "beside its writer, with exclusive=False,")
        beside["clock"][0] = 3
        assert owner["clock"][0] == 3
    refused(beside, "beside its writer, with exclusive=False,")


def test_a_private_arena_has_no_claim_to_lose() -> None:
    arena = Arena.create(LAYOUT)
    arena.close()

    def changes() -> None:
        with arena.change():
            arena["clock"][0] += 1

    in_a_child(changes)
    changes()
    assert arena["clock"][0] == 1


def test_a_forked_child_neither_changes_the_arena_nor_frees_its_lock(path: Path) -> None:
    arena = Arena.open(path, writable=True)

    def meddle() -> None:
        refused(arena, "A forked child's copy of an arena")
        arena.close()
        refused(arena, "A forked child's copy of an arena")
        with pytest.raises(StateError, match="Another process is writing this arena"):
            Arena.open(path, writable=True)

    in_a_child(meddle)
    with pytest.raises(StateError, match="This very process"):
        Arena.open(path, writable=True)
    with arena.change():
        arena["clock"][0] = 4
    arena.close()
    in_a_child(lambda: Arena.open(path, writable=True).restore(arena.snapshot()))


def test_a_helper_that_outlives_its_killed_writer_keeps_nobody_out(path: Path) -> None:
    told, tell = os.pipe()
    writer = os.fork()
    if writer == 0:
        with contextlib.suppress(BaseException):
            arena = Arena.open(path, writable=True)
            helper = os.fork()
            if helper:
                os.write(tell, helper.to_bytes(8, "little"))
            while True:
                signal.pause()
            arena.close()
        os._exit(1)
    helper = int.from_bytes(os.read(told, 8), "little")
    try:
        with pytest.raises(StateError, match="Another process"):
            Arena.open(path, writable=True)
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        os.kill(helper, 0)  # it lives, and has the mapping still
        with Arena.open(path, writable=True) as arena, arena.change():
            arena["clock"][0] = 5
    finally:
        os.kill(helper, signal.SIGKILL)
        os.close(told)
        os.close(tell)


def test_nothing_is_saved_over_an_arena_that_is_being_written(path: Path) -> None:
    arena, other = Arena.open(path, writable=True), Arena.create(LAYOUT)
    inode = path.stat().st_ino
    for saved in (arena.snapshot(), other, Arena.open(path).snapshot()):
        with pytest.raises(StateError, match=r"This very process.*Save under another name"):
            saved.save(path)
    arena.close()
    assert path.stat().st_ino == inode and not list(path.parent.glob(f"{path.name}.*"))
    other.save(path)
    assert path.stat().st_ino != inode


def test_nothing_is_saved_over_what_another_process_writes(path: Path) -> None:
    ready, say = os.pipe()
    writer = os.fork()
    if writer == 0:
        with contextlib.suppress(BaseException):
            arena = Arena.open(path, writable=True)
            os.write(say, b"!")
            signal.pause()
            arena.close()
        os._exit(1)
    os.read(ready, 1)
    try:
        with pytest.raises(StateError, match=r"Another process.*Save under another name"):
            Arena.create(LAYOUT).save(path)
    finally:
        os.kill(writer, signal.SIGKILL)
        os.waitpid(writer, 0)
        os.close(ready)
        os.close(say)
    Arena.create(LAYOUT).save(path)
    assert not list(path.parent.glob(f"{path.name}.*"))


def test_what_is_no_arena_is_replaced_by_a_saved_one(tmp_path: Path) -> None:
    target = tmp_path / "notes"
    target.write_text("not an arena")
    assert Arena.open(Arena.create(LAYOUT).save(target)).names == ("clock",)
    assert os.listdir(tmp_path) == ["notes"]


@pytest.mark.parametrize("then", ["replaced", "removed"])
def test_a_file_that_loses_its_name_while_it_is_opened_is_not_written(
    path: Path, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a writer would do to it, nobody would ever see."""
    checked = mapping.checked

    def slowly(*arguments: object) -> Layout:
        layout = checked(*arguments)
        if then == "replaced":
            Arena.create(LAYOUT).save(path)
        else:
            path.unlink()
        return layout

    monkeypatch.setattr(mapping, "checked", slowly)
    with pytest.raises(StateError, match=r"replaced or removed in the moment.*Try again"):
        Arena.open(path, writable=True)


def test_without_a_second_descriptor_there_is_no_lock_and_no_arena(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def full(name: str | Path, *more: int) -> int:
        if str(name).startswith("/proc/self/fd/"):
            raise OSError(24, "Too many open files")
        return opened(name, *more)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(HostError, match=r"for its lock: Too many open files"):
        Arena.open(path, writable=True)
    monkeypatch.undo()
    Arena.open(path, writable=True).close()


@pytest.mark.parametrize("how", ["kept", "in a cycle", "closed"])
def test_an_interpreter_that_ends_with_an_open_arena_says_nothing(path: Path, how: str) -> None:
    story = (
        "import sys; from hftlib.core.arena import Arena; "
        "arena = Arena.open(sys.argv[1], writable=True); sys.kept = arena, arena['clock']; "
        f"arena.itself = arena if {how!r} == 'in a cycle' else None; "
        f"arena.close() if {how!r} == 'closed' else None"
    )
    done = subprocess.run(
        [sys.executable, "-c", story, str(path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    Arena.open(path, writable=True).close()


def test_onlookers_may_ask_who_writes_and_keep_nobody_out(path: Path) -> None:
    assert not is_written(path) and not is_written(path.with_name("nowhere"))
    with Arena.open(path, writable=True):
        assert is_written(path)
        in_a_child(lambda: None if is_written(path) else pytest.fail("the parent writes it"))
    assert not is_written(path)
    stop = threading.Event()

    def ask_without_end() -> None:
        while not stop.is_set():
            is_written(path)

    onlooker = threading.Thread(target=ask_without_end)
    onlooker.start()
    try:
        for _ in range(200):
            Arena.open(path, writable=True).close()
    finally:
        stop.set()
        onlooker.join()
