"""A slider's book is the book that a replay from the tape's beginning has, wherever it goes."""

from __future__ import annotations

import numpy as np
import pytest

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.lab import book_times
from hftlib.lab.book_times import BookTimes


@pytest.fixture(scope="module")
def tape():
    return hft.to_tape(hft.synthetic(symbols=2, seconds=60, seed=7))


def test_every_moment_in_any_order_is_that_of_a_whole_replay(tape, monkeypatch):
    monkeypatch.setattr(book_times, "STEP_MIN", 100)
    times = BookTimes(tape, "AAB" if "AAB" in tape.symbols else tape.symbols[-1])
    assert len(times.path) > 20
    symbol = times.instrument.symbol
    moments = np.linspace(tape.begin - 10, tape.end + 10, 12).astype(np.int64)
    order = np.random.default_rng(3).permutation(moments)
    for moment in [*order.tolist(), *moments[-3:].tolist(), *moments[:3].tolist()]:
        there, here = tape.book_at(moment, symbol), times.at(moment)
        assert str(here) == str(there)
        for mine, theirs in zip(here.asks(3), there.asks(3), strict=True):
            assert here.orders_at(mine.price) == there.orders_at(theirs.price)


def test_a_checkpoint_tells_the_middle_then(tape, monkeypatch):
    monkeypatch.setattr(book_times, "STEP_MIN", 500)
    times = BookTimes(tape, tape.symbols[0])
    for time, middle in times.path[1:-1:5]:
        if time:
            assert np.isfinite(middle) == np.isfinite(times.at(time).mid)


def test_what_names_no_book_is_a_sentence(tape):
    for given, said in (
        ((None, "AAA"), "None is no tape"),
        ((tape,), "A book is of one instrument"),
        ((tape, "ZZZ"), "ZZZ"),
        ((tape, "AAA", "nowhere"), "no instrument"),
    ):
        with pytest.raises(InputError, match=said):
            BookTimes(*given[:2], venue=given[2] if len(given) > 2 else None)
    with pytest.raises(InputError, match="no time of a tape"):
        BookTimes(tape, "AAA").at("soon")
