"""Bytes on their way: first in, first out, each with its time; beside a list."""

from collections import deque

import numpy as np

from hftlib.core import jit
from hftlib.research import wire_memory as m


@jit.compiled("int64(int64)")
def next_due(pipe: int) -> int:
    """`arrives`, for Python."""
    return m.arrives(pipe)


@jit.compiled("void(int64, int64)")
def take(pipe: int, target: int) -> None:
    """The first piece: its length, then its bytes."""
    count = m.length_of(pipe)
    jit.store_i64(target, count)
    m.pipes.copy(target + 8, m.pipes.first(pipe) + m.PIECE_HEAD, count)
    m.arrived(pipe)


@jit.compiled("int64(int64, int64, int64, int64)")
def put(pipe: int, due: int, address: int, length: int) -> int:
    """`send`, for Python."""
    return 1 if m.send(pipe, due, address, length) else 0


def test_pieces_arrive_as_a_list_has_them():
    memory, chance = m.wire_memory(1 << 12), np.random.default_rng(5)
    pipes = [memory.ctypes.data + at for at in (m.FEED, m.ORDERS, m.REPORTS)]
    twins = [deque() for _ in pipes]
    room, refused, now = np.zeros(1 << 12, np.uint8), 0, 0
    for _ in range(20_000):
        n = int(chance.integers(3))
        pipe, twin = pipes[n], twins[n]
        assert next_due(pipe) == (twin[0][0] if twin else m.FOR_EVER)
        if twin and chance.random() < 0.5:
            take(pipe, room.ctypes.data)
            _, data = twin.popleft()
            assert int(room[:8].view(np.int64)[0]) == len(data)
            assert room[8 : 8 + len(data)].tobytes() == data
        else:
            now += int(chance.integers(100))
            data = chance.bytes(int(chance.integers(1, 200)))
            buffer = np.frombuffer(data, np.uint8)
            held = sum(m.PIECE_HEAD + (len(one) + 7 & -8) for _, one in twin)
            if put(pipe, now, buffer.ctypes.data, len(data)):
                twin.append((now, data))
            else:
                refused += 1
                assert held > (1 << 12) // 4, "it was refused while there was room"
    assert refused > 10


def test_an_empty_pipe_has_nothing_for_ever():
    memory = m.wire_memory(1 << 12)
    assert next_due(memory.ctypes.data + m.FEED) == m.FOR_EVER
