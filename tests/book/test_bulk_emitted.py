"""Parser and books as object code: no allocation, no exception, no Python: for a live runner."""

from __future__ import annotations

import numpy as np
import pytest

from hftlib.book.books import Books
from hftlib.book.bulk import apply_events
from hftlib.book.capacity import Capacity
from hftlib.core import jit, object_code
from hftlib.core.events import EVENT
from hftlib.feed.itch.translate import FRAMES, Translator, translate_frames
from hftlib.feed.synthetic.market import synthetic

DATE = "2026-01-05"
_frames_at = jit.record_at(FRAMES)


@jit.callback("int64(int64, int64, int64)")
def read_into_books(translator: int, frames_address: int, books: int) -> int:
    """What a feed's thread does with a piece of the stream."""
    target = _frames_at(frames_address).target
    made = translate_frames(translator, frames_address)
    apply_events(books, target, made)
    return made


@pytest.mark.skipif(jit.BOUNDS_CHECKED, reason="checks raise, and what raises is not emitted")
def test_emitted_machine_code_builds_the_same_books():
    data = np.frombuffer(synthetic(symbols=2, seconds=30, seed=5, date=DATE).itch_bytes(), np.uint8)
    into = np.zeros(1 << 16, EVENT)
    translator = Translator(date=DATE)
    _taken, made = translator.frames(data.ctypes.data, len(data), into)
    ours = Books(translator.instruments, capacity=Capacity(instruments=2))
    ours.apply(into[:made])
    emitted = object_code.link(jit.emit(read_into_books))
    theirs = Books(translator.instruments, capacity=Capacity(instruments=2))
    begin, again = data.ctypes.data, Translator(date=DATE)
    frames = np.array([(begin, begin + len(data), into.ctypes.data, len(into))], FRAMES)
    call = jit.caller(read_into_books.signature)
    assert call(emitted, again.address, frames.ctypes.data, theirs.address) == made
    assert theirs.digest() == ours.digest() and ours.header["orders"] > 0
