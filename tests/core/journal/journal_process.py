"""Children that write journals until they are killed or refused, and one that follows."""

from __future__ import annotations

import resource
import signal
import sys
import time
from pathlib import Path

import numpy as np

from hftlib.core import jit
from hftlib.core.journal import Journal, append, is_durable, kinds, tail

_words_at = jit.array_at(np.int64)


def payload_of(number: int) -> bytes:
    """What stands in frame `number`: enough to know it again."""
    length = 8 + number * 31 % 200
    words = [number * 1_000_003 + offset for offset in range(0, length, 8)]
    return np.array(words, np.int64).tobytes()[:length]


@jit.compiled("int64(int64, int64, int64, int64)")
def append_many(writer: int, payload: int, count: int, told: int) -> int:
    """Append frames, and note the last one acknowledged and the last one durable at `told`."""
    notes = _words_at(told, 2)
    for done in range(count):
        number = notes[0] + 1
        length = 8 + number * 31 % 200
        for offset in range(0, length, 8):
            jit.store_i64(payload + offset, number * 1_000_003 + offset)
        sequence = append(writer, kinds.DATAGRAM, number % 100, number, payload, length)
        if sequence < 0:
            return done
        if is_durable(writer, notes[1] + 1):
            notes[1] += 1
        jit.store_release(told, sequence)
    return count


def write(folder: str, durability: str, told: str) -> None:
    """Append without end, or until killed; a shared file says how far it came."""
    sizes = {"segment_bytes": 1 << 18, "block_bytes": 1 << 14}
    if Path(folder).exists():
        journal = Journal.carry_on(folder)
    else:
        journal = Journal.create(folder, {}, durability=durability, **sizes)
    notes = np.memmap(told, np.int64, "r+", shape=(2,))
    payload = np.zeros(64, np.int64)
    notes[0] = notes[1] = journal.sequence
    while True:
        places = journal.address, payload.ctypes.data
        if append_many(*places, 37, notes.ctypes.data) < 37:
            time.sleep(0.0005)  # the next segment is being made


def slowly(folder: str, count: str) -> None:
    with Journal.create(folder, {}, segment_bytes=1 << 16, block_bytes=1 << 13) as journal:
        for number in range(int(count)):
            journal.append(kinds.NOTE, number, payload_of(number))
            if number % 50 == 0:
                time.sleep(0.001)


def follow(folder: str) -> None:
    """Say how many frames came, and whether they were the right ones, once it is closed."""
    while not (Path(folder) / "000000.segment").exists():
        time.sleep(0.001)
    got = [frame for frame in tail(folder) if frame.kind == kinds.NOTE]
    good = all(frame.payload == payload_of(n) and frame.time == n for n, frame in enumerate(got))
    print(len(got), good)


def fill(folder: str, file_bytes: str) -> None:
    """Append until it is refused; say how often it was taken, and why no more."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    journal = Journal.create(folder, {}, segment_bytes=1 << 16)
    if int(file_bytes):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_bytes), int(file_bytes)))
    count = 0
    try:
        while True:
            journal.append(kinds.NOTE, count, payload_of(count))
            count += 1
    except Exception as error:
        print(count, type(error).__name__, error)
    journal.close()


def main() -> None:
    task, *arguments = sys.argv[1:]
    {"write": write, "slowly": slowly, "follow": follow, "fill": fill}[task](*arguments)
