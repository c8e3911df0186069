"""Blocks of a numpy file are the array numpy itself loads; what is no such array is refused."""

from __future__ import annotations

import numpy as np
import pytest
from fuzzing import fuzz_seconds, fuzzed

from hftlib.core.errors import InputError
from hftlib.feed.npy_blocks import NpyBlocks
from hftlib.feed.recorded_npz import HFTBACKTEST_EVENT

PLAIN = np.dtype([(name, HFTBACKTEST_EVENT[name]) for name in HFTBACKTEST_EVENT.names])


def array_of(count: int) -> np.ndarray:
    made = np.zeros(count, PLAIN)
    made["ev"], made["px"] = np.arange(count), np.arange(count) / 4
    return made


def read(path, rows_max=7) -> np.ndarray:
    blocks = NpyBlocks(path, HFTBACKTEST_EVENT, rows_max)
    found = [block.copy() for block in blocks.blocks()]
    assert all(len(block) <= rows_max for block in found) and blocks.share_done == 1.0
    return np.concatenate(found) if found else np.zeros(0, HFTBACKTEST_EVENT)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("count", [0, 1, 7, 50])
def test_a_file_comes_back_in_blocks(tmp_path, save, count):
    save(tmp_path / "a.npz", data=array_of(count), other=array_of(1))
    assert np.array_equal(read(tmp_path / "a.npz"), array_of(count))
    np.save(tmp_path / "a.npy", array_of(count))
    assert np.array_equal(read(tmp_path / "a.npy"), array_of(count))


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"a": array_of(1), "b": array_of(1)}, "holds 2 arrays"),
        ({"data": np.zeros((2, 6))}, "is not the one expected"),
        ({"data": np.zeros((2, 2), PLAIN)}, "is not the one expected"),
        ({"data": np.array([{}])}, "is not the one expected"),
    ],
)
def test_another_array_is_refused(tmp_path, arrays, sentence):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=sentence):
        read(tmp_path / "a.npz")


def test_a_file_that_is_cut_or_none_is_refused(tmp_path):
    path = tmp_path / "a.npy"
    with pytest.raises(InputError, match="no such file"):
        read(path)
    np.save(path, array_of(50))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="ends behind row 48 of 50"):
        read(path)
    path.write_bytes(b"time,price\n1,2\n")
    with pytest.raises(InputError, match="no array of numpy"):
        read(path)


def test_a_broken_file_is_read_or_refused(tmp_path):
    np.savez_compressed(tmp_path / "good.npz", data=array_of(40))
    data, refused = (tmp_path / "good.npz").read_bytes(), 0
    for broken in fuzzed([data], seconds=fuzz_seconds()):
        (tmp_path / "bad.npz").write_bytes(broken)
        try:
            read(tmp_path / "bad.npz")
        except InputError:
            refused += 1
    assert refused
