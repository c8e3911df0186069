"""Edits by somebody who knows the format: CRCs made anew, records made anew, ends cut off."""

from __future__ import annotations

import shutil
import struct
from contextlib import suppress

import pytest
from journal_twin import BLOCK, PAGE, crc32c, frame, heads, session_of

from hftlib.core.errors import HftError, InputError
from hftlib.core.journal import Journal, frames, kinds, verify

SMALL = {"segment_bytes": 1 << 14, "block_bytes": 4096}
KEY = b"kept in the safe"


def made(folder, key=None, count=150):
    with Journal.create(folder, {}, key=key, time=1, **SMALL) as journal:
        for number in range(count):
            journal.append(kinds.NOTE, number, b"sold 100 at 25", number)
    return folder


def forged(folder, sequence=20, payload=b"sold 999 at 25"):
    """A frame replaced by another of the same size, with the CRC that belongs to it."""
    path = folder / "000000.segment"
    data, at = bytearray(path.read_bytes()), PAGE
    for one in frames(folder):
        size = len(frame(bytes(16), *one))
        if one.sequence == sequence:
            whole = frame(session_of(data), one.sequence, one.time, one.kind, one.source, payload)
            data[at : at + size] = whole
        at += size
    path.write_bytes(data)


def resealed(folder, key=b""):
    """The chain with the hashes that belong to the segments now, as a forger would make it."""
    path = folder / "chain"
    data = bytearray(path.read_bytes())
    for number, head in enumerate(heads(folder, key)):
        at = 128 * number
        data[at + 72 : at + 104] = head
        data[at + 120 : at + 128] = struct.pack("<q", crc32c(bytes(data[at : at + 120])))
    path.write_bytes(data)


@pytest.mark.modes
def test_a_frame_that_was_edited_with_its_crc_is_found_by_the_chain(tmp_path):
    folder = made(tmp_path / "a")
    forged(folder)
    assert [one.payload for one in frames(folder)][19] == b"sold 999 at 25", "its CRC is right"
    (problem,) = verify(folder).problems
    assert "a block's hash is not that of its bytes" in problem and "Block 0" in problem


@pytest.mark.modes
def test_a_chain_that_was_made_anew_is_found_by_a_head_noted_elsewhere(tmp_path):
    folder = made(tmp_path / "a")
    noted = verify(folder).head
    forged(folder)
    resealed(folder)
    assert verify(folder).is_whole, "without the head there is nothing to compare with"
    report = verify(folder, head=noted)
    assert report.state == "damaged" and "none of this journal's" in report.problems[0]


@pytest.mark.modes
def test_a_chain_with_a_key_cannot_be_made_anew_without_it(tmp_path):
    folder = made(tmp_path / "a", KEY)
    assert verify(folder, key=KEY).is_whole
    assert heads(folder, KEY)[-1].hex() == verify(folder, key=KEY).head
    forged(folder)
    resealed(folder, b"a guess")
    assert not verify(folder, key=KEY).is_whole
    with pytest.raises(InputError, match="is made with a key"):
        verify(folder)
    with pytest.raises(InputError, match="is made with a key"):
        Journal.carry_on(folder)
    with pytest.raises(InputError, match="made without a key"):
        verify(made(tmp_path / "b"), key=KEY)
    with pytest.raises(HftError):
        Journal.carry_on(folder, key=b"another")


@pytest.mark.modes
def test_a_journal_that_was_cut_short_does_not_have_the_head_that_was_noted(tmp_path):
    folder, shorter = made(tmp_path / "a"), tmp_path / "shorter"
    with Journal.carry_on(folder) as journal:
        journal.append(kinds.NOTE, 0, b"what somebody wants to forget")
        shutil.copytree(folder, shorter)  # as it was before: a whole journal
    noted = verify(folder).head
    assert verify(shorter).is_whole
    assert "cut short" in verify(shorter, head=noted).problems[0]
    # What was noted earlier is still good for what came later.
    for head in heads(folder):
        assert verify(folder, head=head.hex()).is_whole


@pytest.mark.modes
@pytest.mark.parametrize("field", range(9))
def test_a_record_of_the_chain_that_lies_about_its_block_is_found(tmp_path, field):
    folder = made(tmp_path / "a")
    path = folder / "chain"
    good = path.read_bytes()
    for lie in (1, -1, 64, 1 << 40):
        data = bytearray(good)
        (value,) = struct.unpack_from("<q", data, 128 + 8 * field)
        struct.pack_into("<q", data, 128 + 8 * field, value + lie)
        struct.pack_into("<q", data, 248, crc32c(bytes(data[128:248])))
        path.write_bytes(data)
        assert not verify(folder).is_whole, (field, lie)
        found = []
        with suppress(HftError):
            found += frames(folder, 40)
        assert all(one.payload in (b"sold 100 at 25", b"{}") for one in found)
    path.write_bytes(good)
    assert verify(folder).is_whole


def test_a_frame_of_another_journal_is_no_frame_of_this_one(tmp_path):
    one, other = made(tmp_path / "a"), made(tmp_path / "b")
    data = bytearray((one / "000000.segment").read_bytes())
    data[PAGE:] = (other / "000000.segment").read_bytes()[PAGE:]
    (one / "000000.segment").write_bytes(data)
    assert not verify(one).is_whole
    with pytest.raises(HftError, match="CRC"):
        list(frames(one))


def test_the_report_reads_as_a_sentence(tmp_path):
    folder = made(tmp_path / "a")
    told = str(verify(folder))
    blocks = [BLOCK.unpack_from((folder / "chain").read_bytes(), 128 * n) for n in range(2)]
    assert blocks[1][0] == 1
    assert f"closed; 152 frames in 1 segments, 152 of them sealed in {len(heads(folder))}" in told


def test_a_live_journal_is_verified_beside_its_writer(tmp_path):
    with Journal.create(tmp_path / "a", {}, **SMALL) as journal:
        for lap in range(30):
            for number in range(40):
                journal.append(kinds.NOTE, number, bytes(100))
            report = verify(tmp_path / "a")
            assert report.is_whole and report.state == "live", report
            assert 40 * lap < report.frames <= journal.sequence
