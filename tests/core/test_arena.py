"""An arena in one process: made, changed, copied, compared, saved, closed, and every refusal."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core.arena import Arena, Difference, shared_memory
from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.layout import Layout

ORDER = np.dtype([("id", "i8"), ("price", "f8"), ("side", "u1"), ("text", "S3", (2,))], align=True)
LAYOUT = Layout(orders=(ORDER, 5), clock=np.int64, flags=(np.bool_, 7))
PADDING = ORDER.itemsize - 1  # the last byte of an order belongs to no field

Maker = Callable[[Layout], Arena]


@pytest.fixture(params=["private", "file", "shared"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Maker]:
    path = {"private": None, "file": tmp_path / "arena", "shared": shared_memory(f"t{os.getpid()}")}
    place = path[request.param]
    yield lambda layout: Arena.create(layout, place)
    if place is not None:
        place.unlink(missing_ok=True)
        assert not list(place.parent.glob(f"{place.name}*.part"))


def filled(seed: int) -> Arena:
    arena = Arena.create(LAYOUT)
    noise = np.random.default_rng(seed)
    for name in arena.names:
        view = arena[name].view(np.uint8)
        view[:] = noise.integers(0, 2, len(view))
    return arena


def descriptors() -> int:
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


def test_a_new_arena_is_zeros_that_keep_what_is_written(make: Maker) -> None:
    arena = make(LAYOUT)
    assert arena.names == ("orders", "clock", "flags") and arena.writable and not arena.torn
    assert not any(arena[name].view(np.uint8).any() for name in arena.names)
    assert [len(arena[name]) for name in arena.names] == [5, 1, 7]
    arena["orders"]["price"][3] = 2.5
    arena["clock"][0] = -1
    assert arena["orders"][3]["price"] == 2.5 and arena["orders"]["price"].sum() == 2.5
    if arena.path is not None:
        other = Arena.open(arena.path, LAYOUT)
        assert other["orders"][3]["price"] == 2.5 and other["clock"][0] == -1
        assert other.digest() == arena.digest() and not other.writable
        assert os.stat(arena.path).st_mode & 0o077 == 0
        assert os.stat(arena.path).st_size == LAYOUT.total_bytes


@pytest.mark.parametrize("huge_pages", [False, True])
def test_an_arena_may_be_empty_or_ask_for_huge_pages(make: Maker, huge_pages: bool) -> None:
    empty = make(Layout())
    assert empty.names == () and empty.compare(empty) == [] and empty.snapshot().digest()
    large = Arena.create(Layout(x=(np.uint8, 5 << 20)), huge_pages=huge_pages)
    assert not large["x"].any() and large.address_of("x") % 128 == 0


def test_an_array_that_does_not_exist_is_refused_with_the_names_that_do() -> None:
    with pytest.raises(InputError, match=r"no array 'order'.* Use one of: orders, clock, flags"):
        Arena.create(LAYOUT)["order"]


def test_where_an_arena_exists_none_is_made_and_it_stays_as_it_was(tmp_path: Path) -> None:
    first = Arena.create(LAYOUT, tmp_path / "arena")
    first["clock"][0] = 7
    with pytest.raises(StateError, match="There is an arena already"):
        Arena.create(LAYOUT, tmp_path / "arena")
    assert Arena.open(tmp_path / "arena")["clock"][0] == 7
    assert os.listdir(tmp_path) == ["arena"]


def test_a_place_where_no_file_can_be_is_refused_with_a_sentence(tmp_path: Path) -> None:
    for place in (tmp_path / "no" / "arena", Path("/proc/arena"), tmp_path / ("n" * 300)):
        with pytest.raises(HostError, match="cannot be written") as caught:
            Arena.create(LAYOUT, place)
        assert caught.value.where == str(place)
    with pytest.raises(InputError, match="does not name a file"):
        Arena.create(LAYOUT, "")


def test_more_memory_than_there_is_is_refused_with_a_sentence() -> None:
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 42, limits[1]))
    try:
        with pytest.raises(HostError, match="bytes of memory cannot be had"):
            Arena.create(Layout(x=(np.uint8, 1 << 43)))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)


def test_a_full_disk_leaves_no_half_file_and_the_old_one_as_it_was(tmp_path: Path) -> None:
    arena = Arena.create(Layout(x=(np.uint8, 100_000)))
    (tmp_path / "saved").write_bytes(b"old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))  # Python ignores SIGXFSZ
    try:
        with pytest.raises(HostError, match="cannot be written: File too large"):
            arena.save(tmp_path / "saved")
        with pytest.raises(HostError, match="cannot be written: File too large"):
            Arena.create(arena.layout, tmp_path / "made")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(tmp_path) == ["saved"] and (tmp_path / "saved").read_bytes() == b"old"
    assert Arena.open(arena.save(tmp_path / "saved")).digest() == arena.digest()
    Arena.create(arena.layout, tmp_path / "made").close()
    assert os.stat(tmp_path / "made").st_blocks * 512 >= 100_000  # no holes to fill later


@pytest.mark.modes
@given(st.integers(0, 3), st.integers(0, 3))
def test_equal_arenas_have_equal_digests_and_no_difference_and_others_neither(
    ours: int, theirs: int
) -> None:
    one, two = filled(ours), filled(theirs)
    same = all(one[name].tobytes() == two[name].tobytes() for name in one.names)
    assert same == (ours == theirs) == (one.digest() == two.digest()) == (one.compare(two) == [])
    two.restore(one)
    assert one.digest() == two.digest() and one.compare(two) == []
    assert one.snapshot().compare(one) == one.snapshot(into=two).compare(one) == []


@pytest.mark.modes
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, PADDING), st.integers(1, 255))))
def test_compare_names_every_order_that_a_byte_was_changed_in(
    writes: list[tuple[int, int, int]],
) -> None:
    arena = filled(1)
    before = arena.snapshot()
    for index, byte, bits in writes:
        arena["orders"].view(np.uint8).reshape(5, -1)[index, byte] ^= bits
    changed = [n for n in range(5) if arena["orders"][n].tobytes() != before["orders"][n].tobytes()]
    found = arena.compare(before, limit=10**6)
    assert sorted({difference.index for difference in found}) == changed
    assert (arena.digest() == before.digest()) == (found == []) == (changed == [])
    assert arena.compare(before, limit=1) == found[:1]
    arena.restore(before)
    assert arena.compare(before) == []


@pytest.mark.modes
def test_differences_are_named_down_to_padding_and_the_bytes_between_arrays() -> None:
    arena = filled(1)
    arena["clock"][0] = 5
    before = arena.snapshot()
    arena["orders"]["text"][2, 1] = b"new"
    arena["orders"][3:4].view(np.uint8)[PADDING] ^= 1
    arena["clock"][0] = 6
    ctypes.memset(arena.address_of("flags") + arena["flags"].nbytes, 9, 1)  # a stray write
    text, padding, clock, beyond = arena.compare(before)
    assert text.array == "orders" and text.index == 2 and text.field == "text[1]"
    assert padding == Difference("orders", 3, "(padding)", "bytes", "other bytes")
    assert str(clock) == "clock[0]: 6 here, 5 there"
    assert beyond == Difference("flags", 7, "(beyond the last)", "bytes", "other bytes")
    assert arena.digest() != before.digest()


@pytest.mark.modes
def test_arenas_laid_out_differently_are_neither_compared_nor_restored() -> None:
    arena, other = Arena.create(LAYOUT), Arena.create(Layout(clock=np.int64))
    for refused in (arena.compare, arena.restore, other.restore):
        with pytest.raises(InputError, match=r"laid out differently: only one of them .*'orders'"):
            refused(arena if refused == other.restore else other)


@pytest.mark.modes
def test_what_is_saved_is_restored_in_any_arena_of_that_layout(make: Maker, tmp_path: Path) -> None:
    saved = filled(2).save(tmp_path / "saved")
    arena = make(LAYOUT)
    arena["orders"]["id"] = 99
    arena.restore(saved)
    assert arena.compare(filled(2)) == [] and not arena.torn
    arena["clock"][0] += 1
    arena.save(str(saved))
    assert Arena.open(saved, LAYOUT, writable=True).compare(arena) == []
    arena.restore(arena)
    assert not arena.torn
    (tmp_path / "folder").mkdir()
    with pytest.raises(HostError, match="cannot be written"):
        arena.save(tmp_path / "folder")
    assert not list(tmp_path.glob("*.part"))


def test_an_arena_is_not_saved_over_itself(tmp_path: Path) -> None:
    arena = Arena.create(LAYOUT, tmp_path / "arena")
    os.symlink("arena", tmp_path / "alias")
    for path in (tmp_path / "arena", tmp_path / "alias"):
        with pytest.raises(StateError, match="over its own file"):
            arena.save(path)
    os.unlink(tmp_path / "arena")
    other = arena.save(tmp_path / "other")
    assert arena.save(other) == other and arena.save(tmp_path / "arena").exists()


@pytest.mark.modes
def test_a_read_only_arena_refuses_every_write(tmp_path: Path) -> None:
    Arena.create(LAYOUT, tmp_path / "arena").close()
    arena = Arena.open(tmp_path / "arena")
    with pytest.raises(StateError, match="read-only arena cannot change"), arena.change():
        pass
    for refused in (lambda: arena.restore(filled(1)), lambda: filled(1).snapshot(into=arena)):
        with pytest.raises(StateError, match="read-only arena cannot restore"):
            refused()
    for name in arena.names:
        with pytest.raises(ValueError, match="read-only"):
            arena[name][0] = arena[name][0]
        with pytest.raises(ValueError):
            arena[name].flags.writeable = True


@pytest.mark.modes
def test_addresses_are_the_offsets_of_the_layout_and_changes_counts_halves(make: Maker) -> None:
    arena = make(LAYOUT)
    for name, slot in arena.layout.slots.items():
        assert arena.address_of(name) == arena.address + slot.offset
    ctypes.c_int64.from_address(arena.address_of("clock")).value = 77
    assert arena["clock"][0] == 77
    changes = ctypes.c_int64.from_address(arena.changes_address)
    for n in range(3):
        assert changes.value == 2 * n
        with arena.change():
            assert changes.value == 2 * n + 1 and arena.torn
    assert arena.changes_address == arena.address + 128 and not arena.torn


def test_memory_stays_while_an_array_is_held_and_goes_with_the_last(make: Maker) -> None:
    before = descriptors()
    arena = make(LAYOUT)
    orders, path = arena["orders"]["price"], arena.path
    arena.close()
    arena.close()
    assert arena["clock"][0] == 0
    del arena
    gc.collect()
    orders[:] = 4.5
    assert orders.sum() == 22.5
    if path is not None:
        assert Arena.open(path)["orders"]["price"].sum() == 22.5
    del orders
    assert descriptors() == before


def test_a_thousand_arenas_opened_refused_closed_or_dropped_leave_no_descriptor(
    tmp_path: Path,
) -> None:
    path = tmp_path / "arena"
    (tmp_path / "garbage").write_bytes(b"HFTARENA" * 100)
    Arena.create(LAYOUT, path).close()
    refusals: list[Callable[[], Any]] = [
        lambda: Arena.open(path, writable=True),
        lambda: Arena.open(path, Layout(x=np.int64)),
        lambda: Arena.open(tmp_path / "garbage"),
        lambda: Arena.open(tmp_path),
        lambda: Arena.open(tmp_path / "nothing"),
        lambda: Arena.create(LAYOUT, path),
    ]
    before = descriptors()
    for n in range(1000):
        held = Arena.open(path, writable=True)
        with pytest.raises((InputError, StateError)):
            refusals[n % len(refusals)]()
        Arena.open(path)
        Arena.open(path, writable=True, exclusive=False)
        if n % 2:
            held.close()
        del held
        if n % 10 == 0:
            Arena.create(LAYOUT, tmp_path / "short")
            os.unlink(tmp_path / "short")
    assert descriptors() == before


def test_the_notebook_shows_every_array_and_escapes_what_it_shows(tmp_path: Path) -> None:
    layout = Layout(plain=np.int64, odd=(np.dtype([("<img>", "i8")]), 1234))
    arena = Arena.create(layout, tmp_path / "<b>&")
    shown = arena._repr_html_()
    assert "<td>plain</td>" in shown and "<td>odd</td>" in shown and "<td>1,234</td>" in shown
    assert "<b>" not in shown and "<img>" not in shown
    assert "&lt;b&gt;&amp;" in shown and "&lt;img&gt;" in shown
    assert repr(arena).startswith("<Arena ") and "2 arrays, writable" in repr(arena)
    assert "read-only" in repr(Arena.open(arena.path or ""))
