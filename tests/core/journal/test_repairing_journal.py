"""Repair: what is cut, what is kept beside it, what is asked before, and what is said of it."""

from __future__ import annotations

import json
import os
import shutil

import pytest
from journal_twin import PAGE, frame, read, session_of

from hftlib.core.errors import InputError, StateError
from hftlib.core.journal import Journal, frames, kinds, repair, repairing, segments, verify

SIZES = {"segment_bytes": 1 << 14, "block_bytes": 4096}
EACH = 100  # frames of 132 bytes, 136 with their padding: some 60 in a segment


def cut_off(folder, count=EACH, **options):
    """What a writer leaves that is killed after so many frames; blocks are sealed behind it."""
    with Journal.create(folder.with_suffix(".open"), {}, time=1, **SIZES | options) as journal:
        for number in range(count):
            journal.append(kinds.NOTE, number, bytes([number % 256]) * 100)
        journal._helper.stop()
        while journal._helper._seal():
            pass
        shutil.copytree(journal.folder, folder)
        journal._helper.start()
    return folder


def at_end(path):
    size = len(path.read_bytes().rstrip(b"\0"))
    return size + -size % 8


def write(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


@pytest.mark.modes
def test_a_torn_end_is_cut_kept_and_told(tmp_path):
    folder = cut_off(tmp_path / "a")
    whole = list(frames(folder))
    path = folder / "000001.segment"
    end = at_end(path)
    torn = frame(session_of(path.read_bytes()), EACH + 2, 5, kinds.NOTE, 0, b"half" * 9)[8:]
    write(path, end + 8, torn)
    done = repair(folder, time=77)
    assert (done.last_frame, done.cut_bytes, done.unsealed_blocks) == (EACH + 1, len(torn) + 8, 0)
    assert done.kept == [f"000001.at-{end}.damaged"]
    assert (folder / done.kept[0]).read_bytes() == bytes(8) + torn
    found = list(frames(folder))
    assert found[:-2] == whole and found[-1].kind == kinds.CLOSED
    said = json.loads(found[-2].payload)
    assert (found[-2].kind, found[-2].time) == (kinds.REPAIRED, 77)
    assert said["kept"] == done.kept and said["after"] == EACH + 1 and said["cut_bytes"] > 30
    assert "bytes behind the last frame" in said["wrong"][0]
    assert verify(folder).is_whole and read(folder) == [tuple(one) for one in found]


@pytest.mark.modes
def test_a_sealed_block_goes_only_where_that_is_allowed(tmp_path):
    folder = cut_off(tmp_path / "a")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write(folder / "000000.segment", PAGE + 500, b"!")
    with pytest.raises(StateError, match=r"more than a torn end, .* sealed blocks would go"):
        repair(folder)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    changed = {name for name in before if before[name] != after.get(name)}
    assert changed <= {"000000.segment", "writer"} and after.keys() == before.keys()
    done = repair(folder, sealed_too=True)
    assert done.unsealed_blocks >= 1 and done.last_frame < 10
    assert "chain.damaged" in done.kept and "000001.segment.damaged" in done.kept
    assert (folder / "chain.damaged").read_bytes() == before["chain"]
    assert (folder / "000001.segment.damaged").read_bytes() == before["000001.segment"]
    assert verify(folder).is_whole
    with Journal.carry_on(folder) as journal:
        for number in range(EACH):
            journal.append(kinds.NOTE, number, bytes(100))
    assert verify(folder).is_whole and len(read(folder)) == done.last_frame + EACH + 4


@pytest.mark.modes
def test_bytes_that_belong_to_nothing_go_and_no_frame_with_them(tmp_path):
    folder = cut_off(tmp_path / "a")
    whole = list(frames(folder))
    write(folder / "000000.segment", (1 << 14) - 40, b"rubbish")
    done = repair(folder)
    assert "behind the segment's end" in done.wrong[0] and done.unsealed_blocks == 0
    assert list(frames(folder))[:-2] == whole and verify(folder).is_whole


@pytest.mark.modes
def test_a_segment_that_is_gone_ends_the_journal_before_it(tmp_path):
    folder = cut_off(tmp_path / "a", 200)
    whole = list(frames(folder))
    (folder / "000001.segment").unlink()
    done = repair(folder, sealed_too=True)
    found = list(frames(folder))
    assert 50 < done.last_frame < 70 and found[: done.last_frame] == whole[: done.last_frame]
    assert "000002.segment.damaged" in done.kept and verify(folder).is_whole


@pytest.mark.modes
def test_a_chain_that_is_damaged_is_made_anew_where_that_is_allowed(tmp_path):
    folder = cut_off(tmp_path / "a")
    whole = list(frames(folder))
    write(folder / "chain", 40, b"\xff")
    with pytest.raises(StateError, match="sealed blocks would go"):
        repair(folder)
    done = repair(folder, sealed_too=True)
    assert done.cut_bytes == 0 and done.kept == ["chain.damaged"]
    assert list(frames(folder))[:-2] == whole and verify(folder).is_whole


@pytest.mark.modes
def test_a_close_that_was_cut_off_is_sealed_by_a_repair(tmp_path):
    folder = tmp_path / "a"
    with Journal.create(folder, {}, **SIZES) as journal:
        journal.append(kinds.NOTE, 0, b"x")
    write(folder / "chain", 0, bytes(128))  # as if killed between CLOSED and its block
    assert "its chain seals 0" in verify(folder).problems[0]
    with pytest.raises(StateError, match="hft journal repair"):
        Journal.carry_on(folder)
    assert "its chain seals 0" in repair(folder).wrong[0]
    assert verify(folder).is_whole


def test_nothing_is_done_where_nothing_is_wrong_and_nothing_can_be(tmp_path):
    folder = cut_off(tmp_path / "a")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "writer"}
    assert "nothing is wrong" in str(repair(folder))
    assert before == {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "writer"}
    write(folder / "000000.segment", 20, b"!")
    with pytest.raises(StateError, match="its header's CRC"):
        repair(folder)
    (folder / "000000.segment").unlink()
    with pytest.raises(InputError, match="This is no journal"):
        repair(folder)


def test_a_journal_that_is_being_written_is_not_repaired(tmp_path):
    with (
        Journal.create(tmp_path / "a", {}, **SIZES),
        pytest.raises(StateError, match="very process is writing this journal"),
    ):
        repair(tmp_path / "a")


def test_a_second_repair_keeps_what_the_first_one_kept(tmp_path):
    folder = cut_off(tmp_path / "a")
    path = folder / "000001.segment"
    end = at_end(path)
    write(path, end + 8, b"first")
    first = repair(folder)
    write(path, end, bytes((1 << 14) - end))  # take the repair's own frames away again
    write(path, end + 8, b"second")
    second = repair(folder, sealed_too=True)
    assert first.kept[0] != second.kept[0] and second.kept[0].startswith(first.kept[0])
    assert b"first" in (folder / first.kept[0]).read_bytes()
    assert b"second" in (folder / second.kept[0]).read_bytes()


@pytest.mark.parametrize("step", range(1, 20))
def test_a_repair_that_is_cut_off_anywhere_can_be_made_again(tmp_path, monkeypatch, step):
    """The disk fails at each of its steps in turn; nothing that was good is lost by that."""
    folder = cut_off(tmp_path / "a", 200)
    whole = list(frames(folder))
    write(folder / "000001.segment", PAGE + 500, b"!")
    left = [step]

    def failing(work):
        def run(*arguments, **options):
            left[0] -= 1
            if left[0] == 0:
                raise OSError(5, os.strerror(5))
            return work(*arguments, **options)

        return run

    with monkeypatch.context() as patched:
        for name in ("_keep", "_synced", "_take_away", "sync_folder", "_say"):
            patched.setattr(repairing, name, failing(getattr(repairing, name)))
        patched.setattr(segments.Segment, "clear", failing(segments.Segment.clear))
        patched.setattr(segments.Segment, "sync", failing(segments.Segment.sync))
        try:
            repair(folder, sealed_too=True)
        except Exception as error:
            assert "Input/output error" in str(error), error
    if not verify(folder).is_whole:
        repair(folder, sealed_too=True)
    found = list(frames(folder))
    kept = next(n for n, one in enumerate(found) if one.kind != kinds.NOTE and n)
    assert found[kept].kind == kinds.REPAIRED, "it says what it did, whenever it is done"
    assert found[:kept] == whole[:kept] and kept > 60 and verify(folder).is_whole
    assert "000002.segment.damaged" in json.loads(found[kept].payload)["kept"]
