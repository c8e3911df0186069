"""A file through one small buffer: every byte once, in order, plain or packed, whole or broken."""

from __future__ import annotations

import ctypes
import gzip
import os
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core.errors import InputError
from hftlib.feed.blocks import PACKED_BYTES, Blocks

DATA = Random(7).randbytes(300_000) + bytes(200_000)


def file_of(folder: Path, data: bytes) -> Path:
    path = folder / "input"
    path.write_bytes(data)
    return path


def read_all(path: Path, capacity: int = 4096) -> tuple[bytes, Blocks]:
    """Everything in the file, taken in steps of uneven size."""
    parts, random = [], Random(3)
    with Blocks(path, capacity_bytes=capacity) as blocks:
        while blocks.fill() or blocks.length:
            count = random.randrange(1, blocks.length + 1)
            parts.append(bytes(blocks.unread[:count]))
            assert blocks.position + count == sum(map(len, parts))
            blocks.take(count)
        assert blocks.at_end and not blocks.has(1)
    return b"".join(parts), blocks


@pytest.mark.parametrize("capacity", [16, 4096, 1 << 20])
def test_every_byte_comes_once(tmp_path, capacity):
    data = DATA[:2_000] if capacity == 16 else DATA
    for stored in (data, gzip.compress(data)):
        got, blocks = read_all(file_of(tmp_path, stored), capacity)
        assert got == data
        assert not blocks.is_cut_off and not blocks.garbage_bytes
        assert blocks.share_done == 1.0


def test_what_is_unread_lies_at_the_address(tmp_path):
    with Blocks(file_of(tmp_path, DATA), capacity_bytes=1000) as blocks:
        assert blocks.has(10)
        blocks.take(3)
        assert ctypes.string_at(blocks.address, blocks.length) == DATA[3:1000]
        assert bytes(blocks.unread) == DATA[3:1000]
        assert blocks.fill() and bytes(blocks.unread) == DATA[3:1003]
        assert not blocks.fill() and not blocks.at_end  # full is not the end
        assert not blocks.has(1001)
        assert 0 < blocks.share_done < 0.01


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5), st.integers(0, 9))
def test_members_of_a_gzip_file_follow_each_other(tmp_path_factory, members, zeros):
    packed = b"".join(gzip.compress(member) + bytes(zeros) for member in members)
    got, blocks = read_all(file_of(tmp_path_factory.mktemp("members"), packed), 64)
    assert got == b"".join(members)
    assert not blocks.is_cut_off and not blocks.garbage_bytes


def test_a_second_member_is_found_wherever_the_reads_fall(tmp_path):
    """A read ends before, within and after the two bytes that tell the second member."""
    first = gzip.compress(b"first")
    for reads in (1, 2, 3):
        for offset in range(-4, 4):
            zeros = bytes(reads * PACKED_BYTES - len(first) + offset)
            packed = first + zeros + gzip.compress(b"second")
            got, blocks = read_all(file_of(tmp_path, packed), 64)
            assert got == b"firstsecond" and not blocks.garbage_bytes, (reads, offset)


@pytest.mark.parametrize("cut", [1, 4, 9, 1000, 100_000])
def test_a_gzip_file_that_ends_too_early_gives_what_it_has(tmp_path, cut):
    got, blocks = read_all(file_of(tmp_path, gzip.compress(DATA)[:-cut]), 1 << 16)
    assert blocks.is_cut_off
    assert DATA.startswith(got) and (cut > 9 or got == DATA)


def test_garbage_behind_the_last_member_is_counted(tmp_path):
    got, blocks = read_all(file_of(tmp_path, gzip.compress(DATA) + b"garbage" * 20_000))
    assert got == DATA and blocks.garbage_bytes == 140_000


def test_damaged_gzip_data_is_refused_with_its_place(tmp_path):
    packed = bytearray(gzip.compress(DATA))
    packed[150_000] ^= 0xFF
    checksum = bytearray(gzip.compress(b"a short one"))
    checksum[-8] ^= 1
    for stored in (packed, checksum):
        with pytest.raises(InputError, match=r"gzip data is damaged.*input, after [\d,]+ unpacked"):
            read_all(file_of(tmp_path, bytes(stored)))


def test_what_cannot_be_read_is_told(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        Blocks(tmp_path / "none")
    with pytest.raises(InputError, match="a folder, not a file"):
        Blocks(tmp_path)
    with pytest.raises(InputError, match="goes through a file"):
        Blocks(file_of(tmp_path, b"x") / "inside")
    with pytest.raises(InputError, match="The file is empty"):
        Blocks(file_of(tmp_path, b""))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="a pipe or a device"):
        Blocks(tmp_path / "pipe")
    for magic, name in ((b"PK\3\4", "zip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh9", "bzip2")):
        with pytest.raises(InputError, match=f"packed with {name}"):
            Blocks(file_of(tmp_path, magic + b"...."))


def test_a_large_file_needs_no_more_than_its_buffer(tmp_path):
    """The buffer is all that grows with nothing: 64 MB of zeros through 64 KiB."""
    path = file_of(tmp_path, gzip.compress(bytes(1 << 26), compresslevel=1))
    total = 0
    with Blocks(path, capacity_bytes=1 << 16) as blocks:
        while blocks.fill():
            assert blocks.length <= 1 << 16
            total += blocks.length
            blocks.take(blocks.length)
    assert total == 1 << 26
