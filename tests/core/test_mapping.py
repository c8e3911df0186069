"""A file is an arena or it is refused: each bit of the header, each length, each kind of junk."""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hftlib.core import mapping
from hftlib.core.arena import Arena
from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.layout import PAGE_BYTES, Layout
from hftlib.core.mapping import ARENA_HEADER, MAGIC, VERSION, shared_memory

HEADER = ARENA_HEADER.itemsize
ORDER = np.dtype([("id", "i8"), ("price", "i8")])
LAYOUT = Layout(orders=(ORDER, 300), clock=np.int64)
CHECKED = ("magic", "version", "total_bytes", "text_bytes", "data_offset", "digest")

words = st.sampled_from(["name", "dtype", "count", "fields", "size", "aligned", "items", "shape"])
junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
    | st.sampled_from(["<i8", "|u1", "|O", "(,)i4", "i4,O", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
    max_leaves=10,
)  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("mapping") / "arena"
    with Arena.create(LAYOUT, place) as arena:
        arena["orders"]["price"] = np.arange(300)
    return place


def header(**fields: Any) -> bytes:
    """A header that is right but for what is given."""
    made = np.zeros(1, ARENA_HEADER)
    for name, value in {"magic": MAGIC, "version": VERSION, **fields}.items():
        made[name] = value
    return made.tobytes()


def refused(path: Path) -> str:
    with pytest.raises(InputError, match="not an arena this version can read") as caught:
        Arena.open(path)
    assert caught.value.where == str(path)
    return caught.value.what


def test_each_flipped_bit_of_header_and_text_is_refused_or_touches_no_layout(path: Path) -> None:
    matters = {
        byte
        for name in CHECKED
        for byte in range(
            ARENA_HEADER.fields[name][1],
            ARENA_HEADER.fields[name][1] + ARENA_HEADER[name].itemsize,
        )
    } | set(range(HEADER, HEADER + len(LAYOUT.text)))
    descriptor = os.open(path, os.O_RDWR)
    whole = os.pread(descriptor, HEADER + len(LAYOUT.text), 0)
    digest = Arena.open(path).digest()
    for byte, value in enumerate(whole):
        for bit in range(8):
            os.pwrite(descriptor, bytes([value ^ 1 << bit]), byte)
            if byte in matters:
                refused(path)
            else:
                arena = Arena.open(path, LAYOUT)
                assert arena.digest() == digest and arena["orders"]["price"][299] == 299
        os.pwrite(descriptor, bytes([value]), byte)
    os.close(descriptor)
    assert Arena.open(path, LAYOUT).digest() == digest and len(matters) == 72 + len(LAYOUT.text)


def test_a_file_cut_short_anywhere_or_grown_is_refused(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    copy = tmp_path / "copy"
    for grown in (len(whole) + 1, len(whole) + PAGE_BYTES):
        copy.write_bytes(whole.ljust(grown, b"\0"))
        assert "not the stated" in refused(copy)
    places = (len(whole) - 1, LAYOUT.slots["clock"].offset, LAYOUT.data_offset)
    for length in (*places, *range(LAYOUT.data_offset - 1, -1, -1)):
        os.truncate(copy, length)
        assert ("less than a header" if length < HEADER else "not the stated") in refused(copy)


def test_a_cut_file_whose_header_agrees_with_its_length_is_refused(
    path: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    for length in (HEADER, HEADER + 10, PAGE_BYTES, 2 * PAGE_BYTES, 9 * PAGE_BYTES):
        raw = bytearray(path.read_bytes().ljust(length, b"\0")[:length])
        raw[16:24] = length.to_bytes(8, "little")
        copy.write_bytes(raw)
        if length != LAYOUT.total_bytes:
            refused(copy)


@given(st.binary(max_size=2 * PAGE_BYTES) | st.binary(max_size=600).map(lambda b: MAGIC + b))
def test_junk_is_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "junk"
    path.write_bytes(raw)
    refused(path)


@settings(max_examples=300)
@given(junk | st.binary(max_size=40), st.integers(1, 3))
def test_a_false_text_under_a_true_digest_is_refused_with_the_path(
    tmp_path_factory: pytest.TempPathFactory, body: Any, pages: int
) -> None:
    """What a careful forger or a program of another version could write."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    digest = np.frombuffer(hashlib.sha256(text).digest(), np.uint8)
    total = pages * PAGE_BYTES
    head = header(total_bytes=total, text_bytes=len(text), data_offset=PAGE_BYTES, digest=digest)
    path = tmp_path_factory.getbasetemp() / "forged"
    path.write_bytes((head + text).ljust(total, b"\0"))
    if text == b"[]" and pages == 1:
        assert Arena.open(path).names == ()
    else:
        refused(path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[" * 100_000, "damaged"),
        (b'[{"name":"a b","dtype":"<i8","count":1}]', "identifier"),
        (b'[{"name":"a","dtype":"|O","count":1}]', "plain memory"),
        (b'[{"name":"a","dtype":"<i8","count":1e999}]', "whole number of items"),
        (b'[{"name":"a","dtype":{"items":"<i8","shape":[1e999]},"count":1}]', "damaged"),
        (b'[{"name":"a","dtype":"<i8","count":70368744177664}]', "more than an arena holds"),
        (b'[{"name":"a","dtype":"<i8","count":2}]', "sizes do not follow"),
    ],
    ids=range(7),
)
def test_a_forged_text_says_what_is_wrong_with_it(text: bytes, says: str, tmp_path: Path) -> None:
    digest = np.frombuffer(hashlib.sha256(text).digest(), np.uint8)
    total = 100 * PAGE_BYTES
    head = header(total_bytes=total, text_bytes=len(text), data_offset=PAGE_BYTES, digest=digest)
    (tmp_path / "forged").write_bytes((head + text).ljust(total, b"\0"))
    assert says in refused(tmp_path / "forged")


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    start = time.monotonic()
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        assert "no regular file" in refused(path)
    assert time.monotonic() - start < 1


def test_a_path_that_leads_nowhere_or_is_forbidden_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path / "no" / "where"):
        with pytest.raises(InputError, match="cannot be opened: No such file"):
            Arena.open(path)
    with pytest.raises(InputError, match="cannot be opened"):
        Arena.open(tmp_path, writable=True)


@pytest.mark.parametrize("target", ["nowhere", "arena"])
def test_a_symbolic_link_is_not_followed(target: str, tmp_path: Path) -> None:
    Arena.create(LAYOUT, tmp_path / "arena").close()
    os.symlink(target, tmp_path / "link")
    for writable in (False, True):
        with pytest.raises(InputError, match=f"symbolic link stands for '{target}'"):
            Arena.open(tmp_path / "link", writable=writable)


def test_what_somebody_else_could_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "arena"
    Arena.create(LAYOUT, path).close()
    for mode in (0o620, 0o602, 0o666):
        path.chmod(mode)
        for writable in (False, True):
            with pytest.raises(InputError, match=r"written by somebody else.*chmod go-w") as caught:
                Arena.open(path, writable=writable)
            assert caught.value.where == str(path)
    path.chmod(0o644)  # others may read it
    assert Arena.open(path).names == ("orders", "clock")
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(InputError, match="written by somebody else"):
        Arena.open(path)


def present_kb(arena: Arena) -> int:
    """How much of the mapping this process has in its page table."""
    inside = False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        name = line.split()[0]
        if not name.endswith(":"):
            start, _, end = name.partition("-")
            inside = int(start, 16) <= arena.address < int(end, 16)
        elif inside and name == "Rss:":
            return int(line.split()[1])
    raise AssertionError("the mapping is nowhere")


@pytest.mark.parametrize("kernel", ["new", "old"])
def test_every_page_is_present_before_an_arena_is_handed_over(
    kernel: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kernel == "old":  # which knows no such advice
        monkeypatch.setattr(mapping, "MADV_POPULATE_READ", 999)
        monkeypatch.setattr(mapping, "MADV_POPULATE_WRITE", 999)
    large = Layout(x=(np.uint8, 8 << 20))
    shared = shared_memory(f"present-{os.getpid()}")
    try:
        for place in (tmp_path / "arena", shared):
            with Arena.create(large, place) as arena:
                assert present_kb(arena) >= 8192
                arena["x"][5 << 20] = 7
            for mode in ({}, {"writable": True}, {"writable": True, "exclusive": False}):
                arena = Arena.open(place, **mode)
                assert present_kb(arena) >= 8192
                assert arena["x"].sum() == 7
    finally:
        shared.unlink(missing_ok=True)


def test_private_memory_is_present_too() -> None:
    assert present_kb(Arena.create(Layout(x=(np.uint8, 8 << 20)))) >= 8192


def test_a_file_cut_short_while_it_is_opened_is_refused_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "arena"
    Arena.create(LAYOUT, path).close()
    taken = mapping.taken

    def cut(*arguments: Any) -> Any:
        memory = taken(*arguments)
        os.truncate(path, PAGE_BYTES)
        return memory

    monkeypatch.setattr(mapping, "taken", cut)
    with pytest.raises(HostError, match="bytes of memory cannot be had"):
        Arena.open(path)


@pytest.mark.parametrize("when", ["before", "meanwhile", "never"])
def test_what_is_saved_beside_a_change_is_torn(
    when: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file must not pass for whole when it holds parts of two events, or half of one."""
    arena = Arena.create(LAYOUT, tmp_path / "arena")
    onlooker = Arena.open(tmp_path / "arena")
    written = os.write

    def half(descriptor: int, data: memoryview) -> int:
        if when == "meanwhile" and len(data) == LAYOUT.total_bytes:
            count = written(descriptor, data[: len(data) // 2])
            with arena.change():
                arena["clock"][0] += 1
            return count
        return written(descriptor, data)

    monkeypatch.setattr(os, "write", half)
    if when == "before":
        with pytest.raises(KeyError), arena.change():
            raise KeyError("half way")
    for number, source in enumerate((arena, onlooker)):
        saved = Arena.open(source.save(tmp_path / f"saved-{number}"))
        assert saved.torn == (when != "never")
        if saved.torn:
            with pytest.raises(StateError, match="died within a change"):
                saved.consistent(lambda a: int(a["clock"][0]), attempts=2)
        else:
            assert saved.compare(arena) == []


@pytest.mark.parametrize("layout", [{"clock": "i8"}, "clock", np.dtype("i8")])
def test_what_is_no_layout_is_refused(layout: Any, path: Path) -> None:
    for refuses in (Arena.create, lambda wrong: Arena.open(path, wrong)):
        with pytest.raises(InputError, match=r"A layout is needed, and this is a \w+.*Layout\("):
            refuses(layout)


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "..", "-x", "a b", "a\0", "a" * 101, "é"])
def test_a_name_that_is_none_for_shared_memory_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="no name for shared memory"):
        shared_memory(name)


@pytest.mark.parametrize(
    ("expected", "says"),
    [
        (Layout(orders=(ORDER, 301), clock=np.int64), "'orders' holds 301 items in one and 300"),
        (Layout(orders=(ORDER, 300), clock=np.float64), "records of 'clock' have different"),
        (Layout(orders=(ORDER, 300)), "only one of them has an array 'clock'"),
        (Layout(clock=np.int64, orders=(ORDER, 300)), "a different order"),
    ],
)
def test_an_arena_laid_out_otherwise_than_expected_says_how(
    path: Path, expected: Layout, says: str
) -> None:
    for writable in (False, True):
        with pytest.raises(InputError, match="The arena is laid out differently") as caught:
            Arena.open(path, expected, writable=writable)
        assert says in caught.value.what and caught.value.where == str(path)
    assert Arena.open(path, LAYOUT, writable=True)["orders"]["price"][299] == 299
