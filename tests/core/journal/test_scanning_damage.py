"""Journals cut at every byte, with every bit turned, killed between any two stores: always found.

What is read of a damaged journal is the beginning of what was written, and never anything else.
"""

from __future__ import annotations

import os
import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
from fuzzing import fuzz_seconds
from journal_twin import PAGE, DamagedError, frame, read, session_of

from hftlib.core import jit
from hftlib.core.errors import HftError, StateError
from hftlib.core.journal import Journal, frames, kinds, repair, verify

SMALL = {"segment_bytes": 1 << 14, "block_bytes": 4096}
PAYLOADS = [b"", b"a", bytes(7), b"eight by", bytes(range(9)), b"\xff" * 64, bytes(200), b"end"]


@pytest.fixture
def closed(tmp_path):
    """A small journal of two segments that is closed: all of it is sealed."""
    folder = tmp_path / "closed.journal"
    with Journal.create(folder, {"a": 1}, time=1, **SMALL) as journal:
        for number, payload in enumerate(PAYLOADS):
            journal.append(kinds.NOTE, number, payload, number)
        journal.append(kinds.NOTE, 9, bytes(7_000))
        for number, payload in enumerate(PAYLOADS):
            journal.append(kinds.DATAGRAM, number, payload, number)
        journal.close(time=2)
    return folder


@pytest.fixture
def killed(tmp_path):
    """What the same leaves when its writer is killed: nothing is sealed yet."""
    folder = tmp_path / "killed.journal"
    options = {"segment_bytes": 1 << 14, "block_bytes": 1 << 20}
    with Journal.create(tmp_path / "open", {"a": 1}, time=1, **options) as journal:
        for number, payload in enumerate(PAYLOADS):
            journal.append(kinds.NOTE, number, payload, number)
        shutil.copytree(journal.folder, folder)
    return folder


def readable(folder: Path) -> tuple[list[tuple], bool]:
    """What can be read, and whether that ended with a refusal."""
    found: list[tuple] = []
    try:
        for one in frames(folder):
            found.append(tuple(one))
    except HftError as error:
        assert "damaged" in str(error) or "no journal" in str(error) or "opened" in str(error)
        return found, True
    return found, False


def twin_refuses(folder: Path) -> bool:
    try:
        read(folder)
    except DamagedError:
        return True
    return False


def is_found(folder: Path) -> bool:
    try:
        return not verify(folder).is_whole
    except HftError:
        return True


def with_byte(path: Path, at: int, turned: int) -> None:
    with open(path, "r+b") as file:
        file.seek(at)
        old = file.read(1)[0]
        file.seek(at)
        file.write(bytes([old ^ turned]))


def used(path: Path) -> int:
    """Where the last byte that is not zero ends."""
    return len(path.read_bytes().rstrip(b"\0"))


def require_found(
    folder: Path, whole: list[tuple], place: tuple[Path, int, int], twin: bool
) -> None:
    """Turn a bit, see that it is found, and turn it back."""
    path, at, turned = place
    with_byte(path, at, turned)
    found, refused = readable(folder)
    assert found == whole[: len(found)], place
    assert is_found(folder), place
    if path.name != "chain":
        assert refused, place
        assert not twin or twin_refuses(folder), place
    with_byte(path, at, turned)


@pytest.mark.modes
def test_every_bit_of_a_small_journal_that_is_turned_is_found(tmp_path):
    folder = tmp_path / "small.journal"
    with Journal.create(folder, {"a": 1}, time=1, **SMALL) as journal:
        for number, payload in enumerate(PAYLOADS[:6]):
            journal.append(kinds.NOTE, number, payload, number)
        journal.close(time=2)
    whole = [tuple(one) for one in frames(folder)]
    segment, chain = folder / "000000.segment", folder / "chain"
    spans = [(segment, 0, 128), (segment, PAGE, used(segment) + 40), (chain, 0, used(chain) + 8)]
    places = [
        (path, at, 1 << bit)
        for path, begin, end in spans
        for at in range(begin, end)
        for bit in range(8)
    ]
    if not jit.COMPILED:
        places = random.Random(3).sample(places, 60)
    for number, place in enumerate(places):
        require_found(folder, whole, place, twin=number % 29 == 0)
    assert verify(folder).is_whole and readable(folder) == (whole, False)


@pytest.mark.modes
def test_bits_turned_in_headers_long_frames_and_zeros_of_several_segments_are_found(closed):
    whole = [tuple(one) for one in frames(closed)]
    chance = random.Random(7)
    paths = [*sorted(closed.glob("*.segment")), closed / "chain"]
    rounds = max(500, int(300 * fuzz_seconds())) if jit.COMPILED else 25
    for number in range(rounds):
        path = chance.choice(paths)
        place = path, chance.randrange(path.stat().st_size), 1 << chance.randrange(8)
        require_found(closed, whole, place, twin=number % 29 == 0)
    assert verify(closed).is_whole


@pytest.mark.modes
@pytest.mark.parametrize("how", ["zeros", "ones", "chance"])
def test_a_journal_torn_at_any_byte_of_its_last_block_is_found_or_is_just_shorter(killed, how):
    whole = [tuple(one) for one in frames(killed)]
    path = killed / "000000.segment"
    good, end = path.read_bytes(), used(path)
    end += -end % 8
    filler = {"zeros": bytes(end), "ones": b"\xff" * end, "chance": random.Random(1).randbytes(end)}
    begins, at = [], PAGE
    for one in whole:
        begins.append(at)
        at += len(frame(bytes(16), *one))
    assert at == end
    for cut in range(PAGE, end, 1 if jit.COMPILED else 37):
        data = good[:cut] + filler[how][cut:end] + good[end:]
        path.write_bytes(data)
        found, refused = readable(killed)
        # Where the filler is what stood there, a frame is as good as before.
        ends = [*begins[1:], end]
        hit = [data[a:b] != good[a:b] for a, b in zip(begins, ends, strict=True)]
        first = hit.index(True) if any(hit) else len(whole)
        assert found == whole[:first]
        left = first < len(whole) and any(data[begins[first] : end])
        assert refused == left == is_found(killed) == twin_refuses(killed)
        if refused and cut % 50 == 0:
            with pytest.raises(StateError, match="hft journal repair"):
                Journal.carry_on(killed)
    path.write_bytes(good)
    assert readable(killed) == (whole, False)


@pytest.mark.modes
def test_a_kill_between_any_two_stores_of_an_append_leaves_nothing_or_a_torn_end(killed):
    whole = [tuple(one) for one in frames(killed)]
    path = killed / "000000.segment"
    good, end = path.read_bytes(), used(path)
    added = (len(whole) + 1, 77, kinds.COMMAND, 3, bytes(range(1, 60)))
    place = end + -end % 8
    frame_bytes = frame(session_of(good), *added)
    # As `write_frame` stores: time, about, the payload, crc; the sequence last.
    order = [8, 16, *range(32, len(frame_bytes), 8), 24, 0]
    for stores in range(len(order) + 1):
        data = bytearray(good)
        for offset in order[:stores]:
            data[place + offset : place + offset + 8] = frame_bytes[offset : offset + 8]
        path.write_bytes(data)
        found, refused = readable(killed)
        assert found == whole + ([added] if stores == len(order) else [])
        assert refused == (0 < stores < len(order)) == is_found(killed)


def test_a_page_that_never_reached_the_disk_is_found(closed):
    whole = [tuple(one) for one in frames(closed)]
    for path in sorted(closed.glob("*.segment")):
        good = path.read_bytes()
        for page in range(0, used(path), 512):
            if any(good[page : page + 512]):
                path.write_bytes(good[:page] + bytes(512) + good[page + 512 :])
                found, refused = readable(closed)
                assert found == whole[: len(found)] and refused and is_found(closed)
        path.write_bytes(good)


def test_files_that_are_missing_short_or_of_another_journal_are_found(closed, tmp_path):
    other = tmp_path / "other.journal"
    with Journal.create(other, {"a": 1}, time=1, **SMALL) as journal:
        journal.append(kinds.NOTE, 0, bytes(7_800))
        journal.append(kinds.NOTE, 0, bytes(7_800))
    names = [path.name for path in sorted(closed.iterdir()) if path.name != "writer"]
    assert names == ["000000.segment", "000001.segment", "chain"]
    for name in names:
        path = closed / name
        good = path.read_bytes()
        bad = {
            "missing": None,
            "short": good[:200] if name == "chain" else good[:-4096],
            "empty": b"",
            "long": good + bytes(7) + b"\1",
            "another's": (other / name).read_bytes(),
        }
        for how, data in bad.items():
            path.unlink() if data is None else path.write_bytes(data)
            assert is_found(closed), (name, how)
            if name != "chain":
                assert readable(closed)[1], (name, how)
            with pytest.raises(HftError):
                Journal.carry_on(closed).close()
            path.write_bytes(good)
    assert verify(closed).is_whole


@pytest.mark.modes
def test_garbage_of_every_kind_is_refused_and_never_repaired_into_something_else(closed):
    chance = random.Random(11)
    whole = [tuple(one) for one in frames(closed)]
    goods = {path: path.read_bytes() for path in closed.iterdir() if path.name != "writer"}
    for _ in range(60 if jit.COMPILED else 4):
        path = chance.choice(sorted(goods))
        data = bytearray(goods[path])
        at, size = chance.randrange(used(path)), chance.choice((1, 8, 32, 700))
        data[at : at + size] = chance.randbytes(len(data[at : at + size]))
        if bytes(data) == goods[path]:
            continue  # chance has said what stood there
        path.write_bytes(data)
        assert is_found(closed)
        with suppress(HftError):  # the very first page: there is nothing to hold on to
            repair(closed, sealed_too=True, time=3)
            assert verify(closed).is_whole
            assert not twin_refuses(closed)
            found = [tuple(one) for one in frames(closed)]
            kept = next(n for n, one in enumerate(found) if one[2] == kinds.REPAIRED)
            assert found[:kept] == whole[:kept]
        for left in closed.iterdir():
            if left.name != "writer":
                os.unlink(left)
        for path, data in goods.items():
            path.write_bytes(data)
