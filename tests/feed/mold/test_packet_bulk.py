"""Every kind of MoldUDP64 datagram in bulk: random ones against a twin that reads them with numpy.

A datagram of messages has the same sizes throughout its block of datagrams, and each block others.
Headers alone are heartbeats, ends and requests; some numbers are beyond what any session reaches.

Worst case: Python writes some 200,000 datagrams a second, so ten million take a minute.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from fuzzing import fuzz_messages, fuzz_seed
from wire_bulk import blocks, chance, number, random_rows

from hftlib.core import jit
from hftlib.feed.mold import packet as p

pytestmark = pytest.mark.modes
DATAGRAMS = 100_000 if jit.COMPILED else 60
BLOCK = 4_096 if jit.COMPILED else 10
BLOCK_BYTES = 1 << 22
HEADER, SEQUENCE_AT, COUNT_AT = 20, 10, 18  # as the protocol lists them
MOST = 1 << 62
COUNTS = {"heartbeat": (0, 0), "end": (0xFFFF, 0xFFFF), "request": (1, 0xFFFE)}
VERDICTS = {"heartbeat": p.HEARTBEAT, "end": p.END, "request": p.TOO_FEW}


@jit.compiled("int64(int64, int64, int64, int64, int64)")
def read_all(datagrams, size, count, verdicts, places):
    """The verdict on each; of good ones, the weighed sum of where messages begin and the end."""
    good = 0
    for n in range(count):
        at = datagrams + n * size
        verdict = p.examine(at, size)
        total = 0
        if verdict == p.MESSAGES:
            good += 1
            for k in range(jit.load_be_u16(at + p.COUNT_OFFSET) + 1):
                total += (k + 1) * (p.skip(at + p.HEADER_BYTES, k) - at)
        jit.store_i64(verdicts + 8 * n, verdict)
        jit.store_i64(places + 8 * n, total)
    return good


@jit.compiled("void(int64, int64, int64)")
def write_all(source, count, target):
    """The headers of datagrams of nothing else, field by field."""
    for n in range(count):
        at = source + n * p.HEADER_BYTES
        sequence = jit.load_be_i64(at + p.SEQUENCE_OFFSET)
        announced = jit.load_be_u16(at + p.COUNT_OFFSET)
        p.write_header(target + n * p.HEADER_BYTES, at, sequence, announced)


def numbered(random, rows):
    """Rows with a sequence each, most of them one that may be: which."""
    count = len(rows)
    sequences = random.integers(0, 1 << 64, count, np.uint64)
    sequences >>= random.integers(0, 64, count).astype(np.uint64)
    sequences[: min(3, count)] = [MOST, MOST + 1, 0][: min(3, count)]
    rows[:, SEQUENCE_AT:COUNT_AT] = sequences.astype(">u8").view(np.uint8).reshape(count, 8)
    assert (number(rows, SEQUENCE_AT, 8) == sequences).all()
    return sequences <= MOST, sequences.tolist()


def verdicts_on(rows):
    count, size = rows.shape
    verdicts, places = np.full(count, -1, np.int64), np.zeros(count, np.int64)
    where = (rows.ctypes.data, size, count, verdicts.ctypes.data, places.ctypes.data)
    return int(read_all(*where)), verdicts, places


@pytest.mark.parametrize("kind", COUNTS)
def test_headers_alone_are_read_and_written_as_they_are(kind):
    random, total = chance(16 * fuzz_seed() + len(kind)), fuzz_messages(DATAGRAMS)
    low, high = COUNTS[kind]
    for count in blocks(total, BLOCK):
        rows = random_rows(random, count, HEADER)
        good, sequences = numbered(random, rows)
        counts = random.integers(low, high + 1, count)
        rows[:, COUNT_AT:] = counts.astype(">u2").view(np.uint8).reshape(count, 2)
        carrying, verdicts, _ = verdicts_on(rows)
        assert carrying == 0
        assert (verdicts == np.where(good, VERDICTS[kind], p.BEYOND)).all()
        again = np.zeros_like(rows)
        write_all(rows.ctypes.data, count, again.ctypes.data)
        assert (again == rows).all()
        data = rows.tobytes()
        datagrams = [data[at : at + HEADER] for at in range(0, len(data), HEADER)]
        sessions = [one[:SEQUENCE_AT] for one in datagrams]
        fields = list(zip(sessions, sequences, counts.tolist(), strict=True))
        assert [p.header_of(one) for one in datagrams] == fields
        may = np.flatnonzero(good).tolist()
        assert [p.header(*fields[n]) for n in may] == [datagrams[n] for n in may]
    print(f"MoldUDP64 {kind}: {total:,} datagrams, no difference")


def drawn(random, count):
    """Datagrams of messages with random sizes; where each message begins, then the end."""
    messages = int(random.choice([1, 1, 2, 3, 6, 20]))
    most = int(random.choice([0, 20, 60, 60, 60, 500]))
    sizes = random.integers(0, most + 1, messages)
    ends = HEADER + np.cumsum(sizes + 2)
    count = min(count, max(2, BLOCK_BYTES // int(ends[-1])))
    rows = random_rows(random, count, int(ends[-1]))
    rows[:, COUNT_AT:HEADER] = list(messages.to_bytes(2, "big"))
    begins = [HEADER, *ends.tolist()]
    for begin, size in zip(begins, sizes.tolist(), strict=False):
        rows[:, begin : begin + 2] = list(size.to_bytes(2, "big"))
    return rows, begins


def test_datagrams_of_messages_are_read_and_written_as_they_are():
    random, total, done = chance(16 * fuzz_seed()), fuzz_messages(DATAGRAMS), 0
    while done < total:
        rows, begins = drawn(random, min(BLOCK, max(2, total - done)))
        good, sequences = numbered(random, rows)
        carrying, verdicts, places = verdicts_on(rows)
        assert carrying == good.sum()
        assert (verdicts == np.where(good, p.MESSAGES, p.BEYOND)).all()
        assert (places[good] == sum(k * begin for k, begin in enumerate(begins, 1))).all()
        # What is cut off or goes on is refused, wherever that is.
        cut = int(random.integers(0, rows.shape[1]))
        shorter = np.ascontiguousarray(rows[:64, :cut])
        longer = np.concatenate([rows[:64], rows[:64, :1]], axis=1)
        otherwise = p.SHORT if cut < HEADER else p.BEYOND
        wanted = np.where(good[:64], reason(cut, begins), otherwise)
        assert cut == 0 or (verdicts_on(shorter)[1] == wanted).all()
        assert (verdicts_on(longer)[1] == np.where(good[:64], p.TRAILING, p.BEYOND)).all()
        written(rows, sequences, np.flatnonzero(good).tolist(), begins)
        done += len(rows)
    print(f"MoldUDP64 messages: {done:,} datagrams, no difference")


def reason(cut, begins):
    """Why a datagram that ends there is refused."""
    if cut < HEADER:
        return p.SHORT
    return p.TOO_FEW if cut in begins[:-1] else p.CUT_OFF


def written(rows, sequences, may, begins):
    """Python's writer makes the same bytes, and its reader finds the same messages in some."""
    data, size = rows.tobytes(), rows.shape[1]
    for n in may:
        datagram = data[n * size : (n + 1) * size]
        messages = [datagram[begin + 2 : end] for begin, end in pairwise(begins)]
        assert p.encode(datagram[:10], sequences[n], messages) == datagram
        if n < 20:
            assert p.messages_of(datagram) == messages
