"""The helper thread: segments that come late, disks that fail, memory that is overwritten."""

from __future__ import annotations

import errno
import os
import time

import numpy as np
import pytest
from journal_twin import read

from hftlib.core import jit
from hftlib.core.errors import HostError, StateError
from hftlib.core.journal import (
    FAILED,
    NO_ROOM,
    TOO_LONG,
    Journal,
    append,
    frames,
    is_durable,
    kinds,
    repair,
    segments,
    verify,
)
from hftlib.core.journal.layout import PROGRESS, WRITER

SMALL = {"segment_bytes": 1 << 14, "block_bytes": 4096}
PAYLOAD = np.arange(100, dtype=np.uint8)


def appended(journal, length=100, number=1):
    return append(journal.address, kinds.NOTE, 0, number, PAYLOAD.ctypes.data, length)


def progress_of(folder):
    return np.frombuffer((folder / "writer").read_bytes(), PROGRESS, 1)[0]


@pytest.mark.modes
def test_where_the_next_segment_is_late_nothing_is_lost_and_nothing_is_overwritten(tmp_path):
    with Journal.create(tmp_path / "a", {}, **SMALL) as journal:
        journal._helper.stop()  # it made one segment ahead, and makes no other
        taken = []
        while (sequence := appended(journal, number=len(taken))) > 0:
            taken.append(sequence)
        assert sequence == NO_ROOM and appended(journal) == NO_ROOM and journal.refused == 2
        assert taken == list(range(2, len(taken) + 2)) and len(taken) > 100
        assert appended(journal, 20_000) == appended(journal, -1) == TOO_LONG
        assert journal.why == ""  # nothing is wrong, it is only late
        journal._helper.turn()
        assert appended(journal, number=len(taken)) == taken[-1] + 1
        journal._helper.start()
    notes = [one for one in frames(tmp_path / "a") if one.kind == kinds.NOTE]
    assert [one.time for one in notes] == list(range(len(taken) + 1))
    assert {one.payload for one in notes} == {PAYLOAD.tobytes()}
    assert read(tmp_path / "a")[-1][2] == kinds.CLOSED


def test_python_waits_for_a_segment_and_gives_up_with_a_sentence(tmp_path, monkeypatch):
    with Journal.create(tmp_path / "a", {}, **SMALL) as journal:
        made = segments.make

        def slowly(*arguments):
            time.sleep(0.05)
            return made(*arguments)

        monkeypatch.setattr(segments, "make", slowly)
        for number in range(500):  # faster than segments are made: it waits
            journal.append(kinds.NOTE, number, bytes(100))
        monkeypatch.setattr("hftlib.core.journal.writing.PATIENCE_S", 0.01)
        journal._helper.stop()
        with pytest.raises(HostError, match="not made in time"):
            for number in range(500):
                journal.append(kinds.NOTE, number, bytes(100))
        journal._helper.start()
    assert verify(tmp_path / "a").is_whole


@pytest.mark.modes
def test_no_room_is_told_while_there_is_still_some_and_ends_when_there_is_more(
    tmp_path, monkeypatch
):
    full = [True]
    allocate = os.posix_fallocate

    def limited(descriptor, offset, size):
        if full[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        allocate(descriptor, offset, size)

    with Journal.create(tmp_path / "a", {}, **SMALL) as journal:
        monkeypatch.setattr(os, "posix_fallocate", limited)
        while journal.why == "":
            assert appended(journal) > 0
            time.sleep(0.0002)
        assert "segment 2 cannot be made: No space left on device" in journal.why
        assert appended(journal) > 0, "there is room in the segment at hand"
        journal._helper.turn()
        told = progress_of(tmp_path / "a")
        assert (told["trouble"], told["failure"]) == (errno.ENOSPC, 0)
        assert b"No space left" in bytes(told["why"])
        while appended(journal) > 0:
            pass
        assert journal.last_words() >= 4096
        cancels = 0
        while appended(journal) > 0:
            cancels += 1
        assert 30 <= cancels <= 34 and appended(journal) == NO_ROOM
        before = journal.sequence
        with pytest.raises(HostError, match="No space left on device"):
            journal.append(kinds.NOTE, 0, bytes(100))
        full[0] = False
        until = time.monotonic() + 20
        while appended(journal) < 0 and time.monotonic() < until:
            time.sleep(0.01)
        assert (journal.sequence, journal.why) == (before + 1, "")
    assert verify(tmp_path / "a").is_whole


@pytest.mark.modes
def test_a_sync_that_fails_ends_the_journal_for_good(tmp_path, monkeypatch):
    """After it nobody knows what the disk has: a later sync that works proves nothing."""
    journal = Journal.create(tmp_path / "a", {}, durability="power", **SMALL)
    sync, broken = segments.Segment.sync, [True]

    def failing(segment, begin=0, end=0):
        if broken[0]:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(segment.path))
        sync(segment, begin, end)

    monkeypatch.setattr(segments.Segment, "sync", failing)
    until = time.monotonic() + 20
    last = appended(journal)
    while appended(journal) > 0 and time.monotonic() < until:
        last = journal.sequence
        time.sleep(0.001)
    broken[0] = False
    assert appended(journal) == FAILED and "Input/output error" in journal.why
    assert journal.durable == 1 and not is_durable(journal.address, 2)
    with pytest.raises(HostError, match="takes nothing more: Input/output error"):
        journal.append(kinds.NOTE, 0, b"")
    with pytest.raises(HostError, match="Input/output error"):
        journal.sync()
    journal.close()
    assert progress_of(tmp_path / "a")["failure"] == errno.EIO
    assert list(frames(tmp_path / "a"))[-1].sequence >= last
    with Journal.carry_on(tmp_path / "a") as journal:
        assert journal.append(kinds.NOTE, 0, b"on another day") > last


@pytest.mark.modes
@pytest.mark.parametrize("durability", ["process", "power"])
def test_durable_is_what_the_mode_promises(tmp_path, durability):
    with Journal.create(tmp_path / "a", {}, durability=durability, **SMALL) as journal:
        journal._helper.stop()
        sequence = appended(journal)
        at_once = durability == "process"
        assert bool(is_durable(journal.address, sequence)) == at_once
        assert (journal.durable == sequence) == at_once
        assert journal.sync() == sequence
        assert is_durable(journal.address, sequence)
        assert not is_durable(journal.address, sequence + 1)
        journal._helper.start()


@pytest.mark.modes
def test_a_sync_in_any_mode_covers_segments_that_are_long_full(tmp_path, monkeypatch):
    with Journal.create(tmp_path / "a", {}, **SMALL) as journal:
        for number in range(400 if jit.COMPILED else 250):
            journal.append(kinds.NOTE, number, bytes(100))
        seen, sync, whole = set(), os.fdatasync, segments.Segment.sync

        def noted(descriptor):
            seen.add(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
            sync(descriptor)

        def mapped(segment, begin=0, end=0):
            assert begin == 0, "no earlier sync has covered it"
            seen.add(segment.path.name)
            whole(segment, begin, end)

        monkeypatch.setattr(os, "fdatasync", noted)
        monkeypatch.setattr(segments.Segment, "sync", mapped)
        journal._helper.syncer._done = 0, 0
        assert journal.sync() == journal.sequence
        last = int(journal._record["number"])
        assert last >= 2
        assert {f"{n:06d}.segment" for n in range(last + 1)} <= seen
        monkeypatch.undo()


@pytest.mark.modes
def test_memory_that_this_process_overwrites_is_found_before_it_is_sealed(tmp_path):
    journal = Journal.create(tmp_path / "a", {}, **SMALL)
    journal._helper.stop()
    appended(journal)
    stray = int(journal._record["segment"]) + int(journal._record["position"]) - 8
    jit.store_i64(stray, 12345)  # as a wrong address in a strategy would
    journal._helper.turn()
    assert appended(journal) == FAILED
    assert "something overwrote the journal: segment 0 at byte" in journal.why
    journal.close()
    assert not verify(tmp_path / "a").is_whole


@pytest.mark.modes
def test_a_fault_of_the_helper_is_told_and_ends_the_journal(tmp_path, monkeypatch):
    journal = Journal.create(tmp_path / "a", {}, **SMALL)
    journal._helper.stop()
    monkeypatch.setattr(journal._helper, "_make_ready", lambda: 1 / 0)
    journal._helper.turn()
    assert appended(journal) == FAILED and "ZeroDivisionError" in journal.why
    journal.close()


def test_room_that_a_closed_journal_does_not_use_is_given_back(tmp_path):
    with Journal.create(tmp_path / "a", {}, segment_bytes=1 << 22) as journal:
        journal.append(kinds.NOTE, 0, b"small")
        assert (tmp_path / "a" / "000001.segment").exists()
    taken = sum(path.stat().st_blocks * 512 for path in (tmp_path / "a").iterdir())
    assert taken < 100_000, "or this file system has no holes"
    assert not (tmp_path / "a" / "000001.segment").exists()
    with Journal.carry_on(tmp_path / "a") as journal:  # the holes are filled before it is mapped
        assert (tmp_path / "a" / "000000.segment").stat().st_blocks * 512 >= 1 << 22


def test_onlookers_are_told_how_it_is(tmp_path):
    with Journal.create(tmp_path / "a", {}, **SMALL) as journal:
        for number in range(200):
            journal.append(kinds.NOTE, number, bytes(100))
        journal.sync()
        journal._helper.tell()
        told = progress_of(tmp_path / "a")
        assert (told["magic"], told["writer_pid"]) == (b"HFTJWRTR", os.getpid())
        assert told["sequence"] == told["durable"] == 201 and 0 < told["sealed"] <= 201


def test_a_writer_record_lies_on_lines_of_its_own():
    """What the appender writes and what the helper writes share no cache line."""
    lines = {name: WRITER.fields[name][1] // 64 for name in WRITER.names}
    assert {lines[name] for name in ("segment", "position", "sequence", "failure")} == {0}
    assert lines["next_segment"] == 1 and lines["durable"] == lines["trouble"] == 2


def test_a_sync_that_fails_at_the_very_end_is_told_by_close(tmp_path, monkeypatch):
    def failing(*_arguments):
        raise OSError(errno.EIO, os.strerror(errno.EIO), "the disk")

    journal = Journal.create(tmp_path / "a", {}, **SMALL)
    journal.append(kinds.NOTE, 0, b"x")
    with monkeypatch.context() as patched:
        patched.setattr(segments.Segment, "sync", failing)
        with pytest.raises(HostError, match="Input/output error: the disk"):
            journal.close()
    with pytest.raises(StateError, match="its chain seals 0"):  # closed, and not as it should be
        Journal.carry_on(tmp_path / "a")
    assert repair(tmp_path / "a").last_frame == 3 and verify(tmp_path / "a").is_whole


def test_what_waits_to_be_sealed_is_bounded_and_the_appender_waits_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr("hftlib.core.journal.sealing.UNSEALED_MAX", 4)
    with Journal.create(tmp_path / "a", {}, **SMALL) as journal:
        journal._helper.stop()
        with monkeypatch.context() as patched:
            patched.setattr(journal._helper, "_seal", lambda: False)
            while appended(journal) > 0 or journal._helper.turn() or appended(journal) > 0:
                pass
            assert appended(journal) == NO_ROOM and journal._record["number"] == 4
        for _ in range(20):
            journal._helper.turn()
        assert appended(journal) > 0
        journal._helper.start()
    assert verify(tmp_path / "a").is_whole
