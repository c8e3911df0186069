"""`hft bench --probe`: what the machine itself can do, as the yardstick for everything else.

Memory read in order, memory read at random with each read waiting for the last, and an echo over
loopback sockets between two compiled loops: no library is faster than these.
Worst case: a lost datagram ends the echo after `ASKS_MAX` attempts instead of hanging.
"""

from __future__ import annotations

import socket

import numpy as np

from hftlib.bench.harness import Bench, beside, pinned, require_all, require_compiled
from hftlib.core import clock, histogram, jit

STREAM_BYTES = 256 << 20
CHAIN_LINES = (128 << 20) // 64
CHAIN_STEPS = 1_000_000
ECHOES = 20_000
MESSAGE_BYTES = 64
ASKS_MAX = 30_000_000  # some ten seconds at 340 ns each, measured: a lost datagram ends the bench
MSG_DONTWAIT = int(socket.MSG_DONTWAIT)

_words_at = jit.array_at(np.int64)
_send = jit.libc("send", "int64(int32, int64, int64, int32)")
_recv = jit.libc("recv", "int64(int32, int64, int64, int32)")


@jit.compiled("float64(int64, int64, int64)")
def stream(address: int, words: int, out_address: int) -> float:
    """ns per 64 bytes read in order."""
    memory = _words_at(address, words)
    total = 0
    start = clock.monotonic_ns()
    for index in range(words):
        total += memory[index]
    elapsed = clock.monotonic_ns() - start
    jit.store_i64(out_address, total)
    return elapsed / (words // 8)


@jit.compiled("float64(int64, int64, int64)")
def chase(address: int, steps: int, out_address: int) -> float:
    """ns per read, when each read says where the next one is."""
    line = 0
    start = clock.monotonic_ns()
    for _ in range(steps):
        line = jit.load_i64(address + (line << 6))
    elapsed = clock.monotonic_ns() - start
    jit.store_i64(out_address, line)
    return elapsed / steps


@jit.compiled()
def wait_for(descriptor: int, buffer: int) -> int:
    """Receive by asking again and again, as a live loop does: sleeping would cost a wake-up."""
    for _ in range(ASKS_MAX):
        received = _recv(descriptor, buffer, MESSAGE_BYTES, MSG_DONTWAIT)
        if received > 0:
            return received
    return 0


@jit.compiled("int64(int32, int64, int64)")
def echo(descriptor: int, buffer: int, count: int) -> int:
    """Send every message back; the number sent back before something failed."""
    for done in range(count):
        received = wait_for(descriptor, buffer)
        if received == 0 or _send(descriptor, buffer, received, 0) != received:
            return done
    return count


@jit.compiled("int64(int32, int64, int64, int64)")
def ask(descriptor: int, buffer: int, latencies: int, count: int) -> int:
    """Send a message, wait for its echo, record the round trip."""
    for done in range(count):
        before = clock.monotonic_ns()
        if _send(descriptor, buffer, MESSAGE_BYTES, 0) != MESSAGE_BYTES:
            return done
        if wait_for(descriptor, buffer) != MESSAGE_BYTES:
            return done
        histogram.record_value(latencies, clock.monotonic_ns() - before)
    return count


def benches() -> list[Bench]:
    """All rows of `hft bench --probe`."""
    require_compiled("hft bench --probe")
    memory = np.ones(STREAM_BYTES // 8, np.int64)
    out = np.zeros(1, np.int64)
    chain = _chain()
    return [
        Bench(
            "memory stream, per 64 B",
            lambda: stream(memory.ctypes.data, memory.size, out.ctypes.data),
        ),
        Bench(
            "dependent random read, 128 MiB",
            lambda: chase(chain.ctypes.data, CHAIN_STEPS, out.ctypes.data),
        ),
        Bench("UDP loopback round trip, p50", lambda: _round_trip(*_udp_pair())),
        Bench("TCP loopback round trip, p50", lambda: _round_trip(*_tcp_pair())),
    ]


def _chain() -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """One random cycle through all lines, so that no read can be guessed from the last."""
    order = np.random.default_rng(7).permutation(CHAIN_LINES)
    lines = np.zeros((CHAIN_LINES, 8), np.int64)
    lines[order, 0] = np.roll(order, -1)
    return lines.reshape(-1)


def _round_trip(asker: socket.socket, echoer: socket.socket) -> float:
    there, back = np.zeros(MESSAGE_BYTES, np.uint8), np.zeros(MESSAGE_BYTES, np.uint8)
    latencies = histogram.Histogram()
    with asker, echoer:
        echoed = beside(lambda: echo(echoer.fileno(), back.ctypes.data, ECHOES), core=1)
        with pinned(0):
            asked = ask(asker.fileno(), there.ctypes.data, latencies.address, ECHOES)
        require_all("messages over loopback", ECHOES, asked, echoed.result())
    return float(latencies.percentile(50))


def _udp_pair() -> tuple[socket.socket, socket.socket]:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    other.bind(("127.0.0.1", 0))
    one.connect(other.getsockname())
    other.connect(one.getsockname())
    return one, other


def _tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        one = socket.create_connection(server.getsockname())
        other, _ = server.accept()
    for end in (one, other):
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one, other
