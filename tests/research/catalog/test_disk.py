"""One writer, many readers, as real processes: nothing is seen in part, a kill costs nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from store_days import DAY, tape_of
from tapes import OPEN

import hftlib as hft
from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.research.catalog.disk import Folder

WRITERS = Path(__file__).parent / "store_writers.py"
ROOT = WRITERS.parents[3]


def started(*arguments):
    """A process of `store_writers.py`, once it said its first word."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    process = subprocess.Popen(
        [sys.executable, str(WRITERS), *map(str, arguments)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    return process, process.stdout.readline().strip()


@pytest.fixture(scope="module")
def tapes(tmp_path_factory):
    place = tmp_path_factory.mktemp("tapes")
    return [
        tape_of(place / f"{n}.tape", count=4000, seed=n, start=OPEN + n * DAY) for n in range(5)
    ]


@pytest.mark.parametrize("where", ["half", "named"])
def test_a_writer_that_is_killed_leaves_a_store_that_reads_as_before(tapes, tmp_path, where):
    place = tmp_path / "store"
    store = hft.store(place)
    store.add(tapes[0])
    before = store.ticks()
    writer, word = started(where, place, tapes[1].path)
    try:
        assert word == where
        assert hft.store(place).ticks().equals(before)
        assert store.check().sound and len(store.check().left) > 0
        with pytest.raises(StateError) as told:  # it holds the lock
            store.add(tapes[2])
        assert f"process {writer.pid}" in str(told.value) and "need not wait" in str(told.value)
    finally:
        writer.kill()
        writer.wait()
    assert hft.store(place).ticks().equals(before) and len(store.entries) == 1
    assert len(store.check().left) > 0
    store.add(tapes[1])
    assert len(store.ticks()) == 8000 and store.check().left == () and store.check().sound
    named = {part.path for one in store.entries for part in one.parts}
    assert {str(p.relative_to(place)) for p in place.rglob("*.parquet*")} == named


def test_readers_beside_a_writer_see_whole_days_only(tapes, tmp_path):
    place, stop = tmp_path / "store", tmp_path / "stop"
    store = hft.store(place)
    store.add(tapes[0])
    readers = [started("read", place, stop)[0] for _ in range(2)]
    cold, day = tmp_path / "cold", "2026-11-22"
    writes = [
        *(lambda tape=tape: store.add(tape) for tape in tapes[1:]),
        lambda: store.keep(hot="0d", warm="50y", today=day),
        lambda: store.keep(hot="0d", warm="0d", cold=cold, today=day),
        lambda: store.drop(tapes[2].digest),
        lambda: store.add(tapes[2]),
    ]
    try:
        for write in writes:
            write()
            for reader in readers:  # each has asked once more before the next is written
                assert reader.stdout.readline() == "round\n"
    finally:
        stop.touch()
        told = [reader.communicate()[0] for reader in readers]
    whole = {(tape.digest[:12], len(tape)) for tape in tapes}
    for reader, text in zip(readers, told, strict=True):
        assert reader.returncode == 0
        found = json.loads(text.splitlines()[-1])
        assert found["rounds"] >= len(writes) and {tuple(one) for one in found["seen"]} <= whole
    assert len(store.ticks()) == 20_000 and store.check().sound


def test_two_writers_at_once_leave_all_or_one_is_told(tapes, tmp_path):
    """Whoever is second is refused; between two adds the other may have its turn."""
    place = tmp_path / "store"
    first = subprocess.Popen(
        [sys.executable, str(WRITERS), "all", str(place), *(str(t.path) for t in tapes)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    refused = 0
    while first.poll() is None:
        try:
            hft.store(place).add(tapes[4])
        except StateError as error:
            assert "writing to the store" in str(error)
            refused += 1
    store = hft.store(place)
    if first.returncode == 0:
        assert len(store.ticks()) == 20_000
    store.add(tapes[4])
    assert store.check().sound and store.check().left == ()
    counts = store.query("SELECT count(*) AS n FROM ticks GROUP BY file")["n"]
    assert set(counts) == {4000}


def test_a_folder_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("mine")
    for place, word in ((tmp_path, "other things"), (tmp_path / "a.txt", "file, not a folder")):
        with pytest.raises(InputError) as told:
            hft.store(place)
        assert word in str(told.value)
    assert len(hft.store(tmp_path / "nothing").entries) == 0
    assert not (tmp_path / "nothing").exists()  # looking makes nothing


def test_a_damaged_note_is_a_sentence(tapes, tmp_path):
    store = hft.store(tmp_path / "store")
    store.add(tapes[0])
    (note,) = (tmp_path / "store" / "files").glob("*.json")
    text = note.read_text()
    whole = json.loads(text)
    outside = dict(whole, parts=[dict(whole["parts"][0], path="../../etc/passwd")])
    for wrong in ("", "{", "[]", "null", text[:100], text.replace('"ticks"', '"tocks"', 1),
                  text.replace('"events":', '"events":"x', 1), json.dumps(outside),
                  text.replace('"version":1', '"version":9')):  # fmt: skip
        note.write_text(wrong)
        for work in (store.ticks, lambda: hft.store(tmp_path / "store").entries):
            with pytest.raises(HftError) as told:
                work()
            assert str(note) in str(told.value)
    note.write_text(text)
    assert len(store.ticks()) == 4000
    mark = tmp_path / "store" / "STORE.json"
    for wrong in ("", "{}", '{"version": 2}'):
        mark.write_text(wrong)
        with pytest.raises(InputError):
            hft.store(tmp_path / "store")


def test_a_part_that_is_gone_or_cut_is_a_sentence(tapes, tmp_path):
    store = hft.store(tmp_path / "store")
    part = store.add(tapes[0]).entries[0].parts[0]
    path = tmp_path / "store" / part.path
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(HftError):
        store.ticks()
    path.unlink()
    with pytest.raises(HostError) as told:
        store.ticks()
    assert "cannot be read" in str(told.value) and "hft store check" in str(told.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(tapes, tmp_path):
    (tmp_path / "shut").mkdir(mode=0o500)
    with pytest.raises(HostError):
        hft.store(tmp_path / "shut" / "store").add(tapes[0])


def test_a_full_disk_is_a_sentence_and_leaves_the_store_as_it_was(tapes, tmp_path):
    """A limit on the size of files stands for a disk that is full."""
    import resource

    store = hft.store(tmp_path / "store")
    store.add(tapes[0])
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(HostError) as told:
            store.add(tapes[1])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot be written" in str(told.value)
    assert len(store.ticks()) == 4000 and Folder(tmp_path / "store").strangers() == []
    store.add(tapes[1])
    assert len(store.ticks()) == 8000 and Folder(tmp_path / "store").strangers() == []
