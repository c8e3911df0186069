"""Journals written and read back: by the reader, by a slow twin, across segments and restarts."""

from __future__ import annotations

import errno
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from journal_twin import heads, read

from hftlib.core import jit
from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.core.journal import Frame, Journal, frames, kinds, verify

SMALL = {"segment_bytes": 1 << 14, "block_bytes": 4096}
FRAMES = 2_000 if jit.COMPILED else 120


def made(folder, payloads, **options):
    with Journal.create(folder, {"what": "test"}, **SMALL | options) as journal:
        for number, payload in enumerate(payloads):
            assert journal.append(kinds.NOTE, 1000 + number, payload, number % 7) == number + 2
    return folder


@pytest.mark.modes
@pytest.mark.parametrize("durability", ["process", "power"])
def test_what_was_appended_is_read_and_the_slow_twin_reads_the_same(tmp_path, durability):
    payloads = [bytes([n % 251]) * (n * 37 % 400) for n in range(FRAMES)]
    folder = made(tmp_path / "a.journal", payloads, durability=durability)
    found = list(frames(folder))
    assert [frame.payload for frame in found[1:-1]] == payloads
    assert [tuple(frame) for frame in found] == read(folder)
    assert [frame.sequence for frame in found] == list(range(1, FRAMES + 3))
    assert found[5] == Frame(6, 1004, kinds.NOTE, 4, payloads[4])
    assert (found[0].name, found[-1].name) == ("OPENED", "CLOSED")
    assert json.loads(found[0].payload) == {"what": "test"}
    report = verify(folder)
    assert (report.problems, report.state, report.frames) == ([], "closed", FRAMES + 2)
    assert report.sealed == FRAMES + 2 and report.segments > 2 and report.blocks > 4
    assert heads(folder)[-1].hex() == report.head and len(heads(folder)) == report.blocks


@pytest.mark.modes
@given(st.lists(st.tuples(st.binary(max_size=90), st.integers(-(2**63), 2**63 - 1)), max_size=12))
def test_any_bytes_and_any_times_come_back(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("j") / "a.journal"
    with Journal.create(folder, {}, time=5, **SMALL) as journal:
        for payload, time in rows:
            journal.append(kinds.DATAGRAM, time, payload, 65_535)
    found = [(frame.payload, frame.time) for frame in frames(folder) if frame.source]
    assert found == rows and len(read(folder)) == len(rows) + 2


@pytest.mark.modes
def test_one_is_carried_on_as_often_as_wanted(tmp_path):
    folder = made(tmp_path / "a.journal", [b"one"])
    heads_seen = [verify(folder).head]
    for lap in range(3):
        with Journal.carry_on(folder, {"lap": lap}, time=lap) as journal:
            journal.append(kinds.NOTE, lap, bytes(3000 * lap))
        heads_seen.append(verify(folder).head)
    names = [frame.name for frame in frames(folder)]
    assert names == ["OPENED", "NOTE", "CLOSED"] + ["CARRIED_ON", "NOTE", "CLOSED"] * 3
    carried = [frame for frame in frames(folder) if frame.kind == kinds.CARRIED_ON]
    assert [json.loads(frame.payload) for frame in carried] == [
        {"after": 3 + 3 * lap, "lap": lap} for lap in range(3)
    ]
    assert all(verify(folder, head=head).is_whole for head in heads_seen)
    assert read(folder) == [tuple(frame) for frame in frames(folder)]


@pytest.mark.modes
def test_reading_begins_at_a_sequence_or_at_a_time(tmp_path):
    folder = made(tmp_path / "a.journal", [bytes(100)] * (FRAMES // 2))
    whole = list(frames(folder))
    for first in (1, 2, 3, FRAMES // 4, FRAMES // 2, FRAMES // 2 + 2, FRAMES):
        assert list(frames(folder, first)) == whole[first - 1 :]
    for since in (0, 1000, 1001 + FRAMES // 3, 10**19 // 2):
        later = [n for n, frame in enumerate(whole) if frame.time >= since]
        assert list(frames(folder, since=since)) == (whole[later[0] :] if later else [])


def test_one_process_writes_at_a_time_and_a_fork_writes_nothing(tmp_path):
    folder = tmp_path / "a.journal"
    with Journal.create(folder, {}, **SMALL) as journal:
        with pytest.raises(StateError, match="very process is writing this journal"):
            Journal.carry_on(folder)
        child = os.fork()
        if not child:
            code = 1
            try:
                journal.append(kinds.NOTE, 0, b"from the child")
            except StateError as error:
                code = 0 if "parent" in error.what else 2
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        assert journal.append(kinds.NOTE, 0, b"from the parent") == 2
    assert [frame.payload for frame in frames(folder)][1] == b"from the parent"
    with pytest.raises(StateError, match="was closed"):
        journal.append(kinds.NOTE, 0, b"late")
    journal.close()


def test_an_exception_closes_it_and_is_named(tmp_path):
    with pytest.raises(ZeroDivisionError), Journal.create(tmp_path / "a", {}, **SMALL):
        _ = 1 // 0
    assert json.loads(list(frames(tmp_path / "a"))[-1].payload) == {"ended_by": "ZeroDivisionError"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"durability": "forever"}, "There is no durability 'forever'"),
        ({"durability": "replicated"}, "none does here"),
        ({"segment_bytes": 1000}, "A segment cannot have 1000 bytes"),
        ({"segment_bytes": 4096}, "A segment cannot have 4,096 bytes"),
        ({"block_bytes": 1}, "A block cannot have 1 bytes"),
        ({"key": bytes(65)}, "at most 64 bytes"),
    ],
)
def test_what_makes_no_journal_is_a_sentence_and_leaves_nothing(tmp_path, wrong, words):
    with pytest.raises(InputError, match=words):
        Journal.create(tmp_path / "a.journal", {}, **wrong)
    assert not (tmp_path / "a.journal").exists()


def test_a_folder_that_is_there_or_is_none_is_a_sentence(tmp_path):
    with pytest.raises(StateError, match="There is something already"):
        Journal.create(tmp_path, {})
    with pytest.raises(HftError, match="cannot be written"):
        Journal.create(tmp_path / "no" / "where", {})
    with pytest.raises(InputError, match="This is no journal"):
        Journal.carry_on(tmp_path)
    with pytest.raises(InputError, match="is JSON"):
        Journal.create(tmp_path / "a", {"x": object()})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, 0, b""), "0 is no kind"),
        ((65_536, 0, b""), "65536 is no kind"),
        ((4, 0, b"", -1), "-1 is no source"),
        ((4, 2**63, b""), "is no time"),
        ((4, 0, "text"), "is no payload"),
        ((4, 0, bytes(1 << 14)), "16,384 bytes are more than a frame"),
    ],
)
def test_what_is_no_frame_is_a_sentence_and_changes_nothing(tmp_path, arguments, words):
    with Journal.create(tmp_path / "a", {}, **SMALL) as journal:
        with pytest.raises(InputError, match=words):
            journal.append(*arguments)
        assert journal.append(4, 0, b"good") == 2


def test_the_longest_payload_fits_and_one_more_byte_does_not(tmp_path):
    most = (1 << 14) - 2 * 4096 - 64
    with Journal.create(tmp_path / "a", {}, **SMALL) as journal:
        journal.append(4, 0, bytes(most))
        with pytest.raises(InputError, match=f"at most {most:,}"):
            journal.append(4, 0, bytes(most + 1))
        journal.append(4, 0, bytes(most))
    assert [len(f.payload) for f in frames(tmp_path / "a")][1:3] == [most, most]


def test_a_journal_that_cannot_be_made_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "posix_fallocate", full)
        with pytest.raises(HostError, match="No space left on device"):
            Journal.create(tmp_path / "a", {})
    assert not (tmp_path / "a").exists()
    with Journal.create(tmp_path / "a", {}):
        pass
