"""`hft bench itch` and `hft bench book` on a small market: the figures are of that file."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from hftlib.bench import market
from hftlib.book.books import Books
from hftlib.book.capacity import Capacity
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.feed.itch.translate import Translator
from hftlib.feed.synthetic.market import synthetic


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "small.itch50"
    synthetic(symbols=2, seconds=60, seed=3).write_itch(path)
    return path


def quiet(_done: int, _what: str) -> None:
    """No progress bar in tests."""


def test_the_digest_is_that_of_the_books_of_the_file(file):
    reading = market.read_file("book", file, 1, quiet)
    data = np.fromfile(file, np.uint8)
    translator, into = Translator(date="2020-01-01"), np.zeros(1 << 16, EVENT)
    taken, made = translator.frames(data.ctypes.data, len(data), into)
    assert taken == len(data)
    books = Books(translator.instruments, capacity=Capacity(instruments=2))
    books.apply(into[:made])
    assert reading.digest == books.digest()
    assert reading.messages == made and reading.instruments == 2


@pytest.mark.parametrize("what", ["itch", "book"])
def test_machines_get_all_that_people_see(file, what):
    given = json.loads(json.dumps(market.read_file(what, file, 1, quiet).as_json()))
    (row,) = given["measurements"]
    assert row["median"] > 0 and row["against_median"] > 0
    assert row["ratio"] == pytest.approx(row["median"] / row["against_median"])
    assert given["messages_per_second"] == pytest.approx(1e9 / row["median"])
    assert list(given["latency_ns"]) == ["p50", "p90", "p99", "p99.9", "p100"]
    assert sorted(given["latency_ns"].values()) == list(given["latency_ns"].values())
    assert bool(given["digest"]) == (what == "book")
    assert given["host"]["numba"]


def test_a_packed_file_is_the_same_file(file, tmp_path):
    packed = tmp_path / "small.itch50.gz"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    plain, unpacked = (market.read_file("book", one, 1, quiet) for one in (file, packed))
    assert plain.digest == unpacked.digest


@pytest.mark.parametrize("content", [b"", b"\0\0", b"no ITCH at all"])
def test_what_is_no_itch_is_refused(tmp_path, content):
    path = tmp_path / "wrong.itch50"
    path.write_bytes(content)
    with pytest.raises(InputError, match="no ITCH message"):
        market.read_file("itch", path, 1, quiet)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        market.read_file("itch", tmp_path / "none.itch50", 1, quiet)
