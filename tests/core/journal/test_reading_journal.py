"""The writer against a slow one, byte for byte; and readers beside a writer in one process."""

from __future__ import annotations

import random
import threading
import time

import pytest
from journal_twin import HEADER, PAGE, frame, session_of

from hftlib.core import jit
from hftlib.core.errors import StateError
from hftlib.core.journal import Journal, frames, kinds, tail

SEGMENT = 1 << 14


class SlowWriter:
    """Where each frame of a journal should lie, and the bytes of its segments."""

    def __init__(self, first: bytes) -> None:
        self.session = session_of(first)
        self.segments = [bytearray(first[:PAGE])]
        self.sequence = 0

    def append(self, kind: int, time: int, payload: bytes, source: int = 0) -> None:
        made = frame(self.session, self.sequence + 1, time, kind, source, payload)
        here = self.segments[-1]
        # The last page of a segment, and a head, are kept for its end and for last words.
        room = SEGMENT - PAGE - 32 if kind != kinds.CLOSED else SEGMENT - 32
        if len(here) + len(made) > room:
            here += frame(self.session, -(self.sequence + 1), 0, 0, 0, b"")
            self.segments.append(bytearray(PAGE))
        self.segments[-1] += made
        self.sequence += 1


@pytest.mark.modes
@pytest.mark.parametrize("seed", range(6))
def test_every_byte_lies_where_a_slow_writer_puts_it(tmp_path, seed):
    chance = random.Random(seed)
    folder = tmp_path / "a"
    sizes = {"segment_bytes": SEGMENT, "block_bytes": chance.choice((4096, 5000, 1 << 20))}
    twin, journal = None, Journal.create(folder, {}, time=3, **sizes)
    twin = SlowWriter((folder / "000000.segment").read_bytes())
    twin.append(kinds.OPENED, 3, b"{}")
    for number in range(700 if jit.COMPILED else 80):
        if chance.random() < 0.02:
            journal.close(time=number)
            twin.append(kinds.CLOSED, number, b"{}")
            last = twin.sequence
            journal = Journal.carry_on(folder, time=number)
            twin.append(kinds.CARRIED_ON, number, b'{"after": %d}' % last)
            continue
        length = chance.choice((0, 1, 7, 8, 9, chance.randrange(64), chance.randrange(8000)))
        what = (chance.randrange(1, 99), number, chance.randbytes(length), chance.randrange(99))
        what = (kinds.NOTE, *what[1:]) if what[0] == kinds.CLOSED else what
        journal.append(*what)
        twin.append(*what)
    journal.close(time=5)
    twin.append(kinds.CLOSED, 5, b"{}")
    for number, expected in enumerate(twin.segments):
        data = (folder / f"{number:06d}.segment").read_bytes()
        assert HEADER.unpack_from(data)[3] == number
        assert data[PAGE:] == bytes(expected[PAGE:]).ljust(SEGMENT - PAGE, b"\0"), number
    assert not (folder / f"{len(twin.segments):06d}.segment").exists()
    assert len(list(frames(folder))) == twin.sequence


def test_a_reader_in_the_same_process_sees_frames_as_they_come(tmp_path):
    count, got = 3_000, []
    with Journal.create(tmp_path / "a", {}, segment_bytes=1 << 16, block_bytes=1 << 14) as journal:

        def read():
            got.extend(tail(tmp_path / "a", patience_s=20))

        reader = threading.Thread(target=read)
        reader.start()
        for number in range(count):
            journal.append(kinds.NOTE, number, bytes(number % 300))
            if number % 300 == 0:
                time.sleep(0.002)
    reader.join(30)
    assert [one.sequence for one in got] == list(range(1, count + 3))
    assert [len(one.payload) for one in got[1:-1]] == [n % 300 for n in range(count)]


def test_a_reader_waits_as_long_as_it_was_told_to(tmp_path):
    with Journal.create(tmp_path / "a", {}) as journal:
        journal.append(kinds.NOTE, 0, b"one")
        start = time.monotonic()
        assert [one.payload for one in tail(tmp_path / "a", 2, patience_s=0.05)] == [b"one"]
        assert time.monotonic() - start < 10
    assert [one.name for one in tail(tmp_path / "a", 2)] == ["NOTE", "CLOSED"]
    assert list(tail(tmp_path / "a", 99)) == []


def test_a_journal_whose_writer_left_without_a_word_is_told_to_who_follows(tmp_path):
    journal = Journal.create(tmp_path / "a", {})
    journal.append(kinds.NOTE, 0, b"one")
    journal._leave()  # as a process does that ends without close()
    found = []
    with pytest.raises(StateError, match="its writer is gone"):
        found.extend(tail(tmp_path / "a"))
    assert [one.name for one in frames(tmp_path / "a")] == ["OPENED", "NOTE"]
    with Journal.carry_on(tmp_path / "a"):
        pass
    assert [one.name for one in tail(tmp_path / "a")][-1] == "CLOSED"


def test_a_process_that_forgets_to_close_leaves_a_journal_that_can_be_carried_on(tmp_path):
    import subprocess
    import sys

    program = (
        "from hftlib.core.journal import Journal; import sys;"
        "j = Journal.create(sys.argv[1], {}); j.append(5, 0, b'one')"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "a")], check=False)
    assert done.returncode == 0
    with Journal.carry_on(tmp_path / "a") as journal:
        assert journal.sequence == 3
