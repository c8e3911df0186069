"""Real ITCH files and captures, damaged in every way: events or a sentence, never anything else."""

from __future__ import annotations

import ctypes
import gzip
import mmap

import numpy as np
import pytest
from captures import datagram, on_the_wire, pcap
from fuzzing import fuzz_seconds, fuzzed
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core import events, jit
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.feed.itch.messages import MESSAGES, RECORD_BYTES_MAX, build, decode
from hftlib.feed.itch.source import ItchSource
from hftlib.feed.itch.translate import Translator

SECONDS = fuzz_seconds(2.0 if jit.COMPILED else 0.7)


def messages() -> list[bytes]:
    """Two of each type."""
    some = [build(letter, timestamp=34_200 * 10**9, locate=5) for letter in MESSAGES]
    return [bytes(one) for one in some] * 2


MESSAGES_OF_ALL = messages()
FRAMES = b"".join(len(one).to_bytes(2, "big") + one for one in MESSAGES_OF_ALL)
DATAGRAMS = [
    on_the_wire(datagram(number + 1, *MESSAGES_OF_ALL[number : number + 4]))
    for number in range(0, len(MESSAGES_OF_ALL), 4)
]
SAMPLES = {
    "files": [FRAMES, FRAMES + b"\0\0", FRAMES * 20],
    "packed files": [gzip.compress(FRAMES), gzip.compress(FRAMES) * 2],
    "captures": [pcap(DATAGRAMS), pcap(DATAGRAMS[3:] + DATAGRAMS[:5])],
}


def check(path, data: bytes) -> bool:
    """Read it; what comes is whole events that tell of every byte. Whether it was taken at all."""
    path.write_bytes(data)
    try:
        source = ItchSource(path, date="2023-08-22")
        found = np.concatenate([np.zeros(0, EVENT), *(c.copy() for c in source.chunks())])
    except InputError as refused:
        assert len(str(refused)) > 40
        return False
    assert source.share_done == 1.0
    assert (found["kind"] > 0).all() and (found["kind"] <= events.UNREADABLE).all()
    unreadable = found[found["kind"] == events.UNREADABLE]
    assert ((unreadable["reference"] > 0) & (unreadable["reference"] < len(events.REASONS))).all()
    rows = found["instrument"][found["kind"] == events.ADD]
    assert (rows < len(source.instruments)).all()
    assert all(count > 0 for count in source.counts.values())
    if not data.startswith(b"\x1f\x8b") and not source.is_capture:
        assert len(found) <= 1 + len(data) // 3
        assert len(found) >= whole_frames(data)
    return True


def whole_frames(data: bytes) -> int:
    """How many frames there are before the end or a frame of length zero."""
    place = count = 0
    while place + 2 <= len(data):
        size = int.from_bytes(data[place : place + 2], "big")
        if size == 0 or place + 2 + size > len(data):
            break
        place, count = place + 2 + size, count + 1
    return count


@pytest.mark.modes
@pytest.mark.parametrize("kind", SAMPLES)
def test_damaged_input_gives_events_or_a_sentence(tmp_path, kind):
    taken = [
        check(tmp_path / "input", data or b"\0")
        for data in fuzzed(SAMPLES[kind], seconds=SECONDS / len(SAMPLES))
    ]
    assert any(taken) and len(taken) >= 20


@pytest.mark.modes
@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_frames_give_one_event_each(tmp_path_factory, bodies):
    bodies = [MESSAGES_OF_ALL[0], *(body or b"?" for body in bodies)]
    data = b"".join(len(body).to_bytes(2, "big") + body for body in bodies)
    path = tmp_path_factory.mktemp("frames") / "input"
    assert check(path, data)
    (chunk,) = ItchSource(path, date="2023-08-22").chunks()
    assert len(chunk) == len(bodies)


@pytest.fixture
def last_page():
    """A function that puts bytes right before memory which nobody may touch."""
    page = mmap.PAGESIZE
    memory = mmap.mmap(-1, 17 * page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(address + 16 * page), page, 0) == 0

    def placed(data: bytes) -> int:
        memory[16 * page - len(data) : 16 * page] = data
        return address + 16 * page - len(data)

    yield placed
    libc.mprotect(ctypes.c_void_p(address + 16 * page), page, mmap.PROT_READ | mmap.PROT_WRITE)


def test_no_read_goes_beyond_the_last_byte(last_page):
    """The frames end where memory ends: one byte further and this process would die."""
    translator, into = Translator(date="2023-08-22"), np.zeros(100, EVENT)
    record = np.zeros(RECORD_BYTES_MAX, np.uint8)
    for message in MESSAGES_OF_ALL:
        for body in (message, message[:1], message[:-1], b"Z" + message[1:], message + b"?"):
            frame = len(body).to_bytes(2, "big") + body
            assert translator.frames(last_page(frame), len(frame), into) == (len(frame), 1)
            for cut in (1, 2, len(frame) - 1):
                assert translator.frames(last_page(frame[:cut]), cut, into) == (0, 0)
            decode(last_page(body), len(body), record.ctypes.data)
    for data in fuzzed([FRAMES], seconds=SECONDS / 8):
        taken, _made = translator.frames(last_page(data), len(data), into)
        assert taken <= len(data)
