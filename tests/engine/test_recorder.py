"""Logs in memory and in files are the same rows; a folder that cannot hold them is a sentence."""

import numpy as np
import pytest

from hftlib.core.errors import HostError
from hftlib.core.records import record
from hftlib.engine import recorder
from hftlib.engine.recorder import Recorder, copied, room_for

ROW = record("kept row", 16, "0 number int64\n8 value float64")


def rows(count):
    made = np.zeros(count, ROW)
    made["number"] = np.random.default_rng(count).permutation(count)
    made["value"] = made["number"] / 7
    return made


@pytest.mark.parametrize("spill", [1, 1 << 30])
def test_what_is_taken_is_what_is_kept(monkeypatch, spill):
    monkeypatch.setattr(recorder, "SPILL_BYTES", spill)
    log, all_of_it = Recorder(ROW), rows(1_000)
    assert len(log.rows()) == 0
    early = []
    for first in range(0, 1_000, 100):
        log.take(all_of_it[first : first + 100])
        if first % 300 == 0:
            early.append(log.rows())
    for seen in early:
        assert np.array_equal(seen, all_of_it[: len(seen)])
        assert not seen.flags.writeable
    assert np.array_equal(log.rows(), all_of_it)
    assert isinstance(log.rows(), np.memmap) == (spill == 1)


@pytest.mark.parametrize("spill", [1, 1 << 30])
@pytest.mark.parametrize("chunk", [7, 1 << 16])
def test_copies_are_what_numpy_makes_and_can_be_changed(monkeypatch, spill, chunk):
    monkeypatch.setattr(recorder, "SPILL_BYTES", spill)
    monkeypatch.setattr(recorder, "CHUNK", chunk)
    here = rows(500)
    mask, order = here["number"] % 3 == 0, np.argsort(here["number"])
    for made, wanted in (
        (copied(here), here),
        (copied(here, mask), here[mask]),
        (copied(here, order), here[order]),
    ):
        assert np.array_equal(made, wanted)
        assert isinstance(made, np.memmap) == (spill == 1)
        made["number"] += 1
        assert not np.array_equal(made, wanted)
    assert len(copied(here[:0])) == 0


def test_a_folder_that_is_not_there_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(recorder, "SPILL_BYTES", 1)
    monkeypatch.setattr(recorder.tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(HostError, match=r"could not be written: No such file.*TMPDIR"):
        room_for(100, ROW)
    with pytest.raises(HostError, match=r"could not be written: No such file.*TMPDIR"):
        Recorder(ROW).take(rows(10))
