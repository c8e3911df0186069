"""A soak is sound where all held, and each thing that can go wrong in one is found."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import time
from copy import deepcopy

import numpy as np
import pytest
from recorded import recorded, recorded_all

from hftlib.bench import soak, soak_day, soak_host
from hftlib.core import jit
from hftlib.core.errors import StateError
from hftlib.feed.mold import sockets as udp

pytestmark = pytest.mark.skipif(not jit.COMPILED, reason="it soaks compiled code")
MINOR = ("messages came", "the runner grew", "the exchange by")
# A limit of one clip: how far a position goes in nine seconds is luck, one fill comes in each.
MINUTES, RATE, MESSAGES, LOTS = 0.15, 8_000.0, 40, 100


@pytest.fixture(scope="module")
def soaked():
    told = []
    made = soak.soak(MINUTES, lambda _, what: told.append(what), RATE, MESSAGES, LOTS)
    assert any("messages/s" in what and "drops" in what for what in told)
    return made


def failed(one):
    return {check.name for check in one.checks if not check.holds}


def test_a_short_one_trades_loses_nothing_and_breaks_no_limit(soaked):
    # How fast a busy host is, and what is touched for the first time, are other questions.
    minor = {name for name in failed(soaked) if name.startswith(MINOR)}
    assert failed(soaked) - minor == set(), [check for check in soaked.checks if not check.holds]
    day = soaked.day
    assert day.most_messages == MESSAGES and max(day.most_held.values()) == LOTS
    assert day.executions == soaked.copied_executions > 10 and day.cancels > 0
    assert day.messages > RATE * 60 * MINUTES / 2 and day.missing == 0
    assert soaked.replay["frames"] > day.datagrams["a"] + day.datagrams["b"]


def test_machines_are_told_all_of_it(soaked):
    told = json.loads(json.dumps(soaked.as_json()))
    assert told["is_sound"] == soaked.is_sound and len(told["checks"]) == len(soaked.checks) == 12
    assert told["figures"]["journal_bytes_a_minute"] > 0
    assert len(soaked.table().rows) == 12


def broken(soaked, how):
    one = deepcopy(soaked)
    how(one)
    return failed(one) - failed(soaked)


@pytest.mark.parametrize(
    ("how", "name"),
    [
        (lambda one: one.day.most_held.update(AAA=LOTS + 1), f"never more than {LOTS} held"),
        (lambda one: setattr(one, "copied_most", LOTS + 1), f"never more than {LOTS} held"),
        (
            lambda one: setattr(one.day, "most_messages", MESSAGES + 1),
            f"never more than {MESSAGES} orders",
        ),
        (lambda one: setattr(one.day, "missing", 1), "no message was lost"),
        (lambda one: one.samples[-1].update(drops=10**6), "no datagram was dropped"),
        (lambda one: one.samples[-2].update(feed="GAP"), "the feed was live"),
        (lambda one: one.copied.update(AAA=10**6), "the venue says"),
        (lambda one: one.ends["runner"].update(why="the disk is full"), "the runner ended"),
        (lambda one: one.replay.update(is_identical=False), "the journal replays"),
    ],
)
def test_what_does_not_hold_is_named(soaked, how, name):
    found = broken(soaked, how)
    assert any(one.startswith(name) for one in found), found


def test_growth_is_that_of_the_middle_of_each_end():
    from hftlib.bench.soak_verdict import grown

    flat = [100] * 50
    assert grown(flat) == 0 and grown([*flat[:-1], 10_000]) == 0  # one odd look is no growth
    assert grown(list(range(0, 1_000, 10))) == 900


def test_the_recorded_peak_is_that_of_the_recordings():
    recorded("itch")
    busiest = 0
    for path in recorded_all("itch/*"):
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
        times, place = [], 0
        while place + 13 <= len(data):
            times.append(int.from_bytes(data[place + 7 : place + 13], "big"))
            place += 2 + int.from_bytes(data[place : place + 2], "big")
        sorted_times = np.sort(np.array(times))
        within = np.searchsorted(sorted_times, sorted_times + 10**9) - np.arange(len(times))
        busiest = max(busiest, int(within.max()))
    assert busiest == soak.RECORDED_PEAK
    assert soak.RATE == 2 * soak.RECORDED_PEAK


def test_what_the_kernel_drops_is_seen():
    import os

    before = soak_host.drops_of(os.getpid())
    with udp.listening(("127.0.0.1", 0)) as ear, udp.sending() as mouth:
        ear.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        for _ in range(100):
            mouth.sendto(bytes(1_000), ear.getsockname())
        kept = 0
        while True:
            try:
                ear.recv(2_000)
            except BlockingIOError:
                break
            kept += 1
        assert soak_host.drops_of(os.getpid()) - before == 100 - kept > 50


def test_memory_of_ones_own_is_seen_and_mapped_files_are_not(tmp_path):
    import os

    (tmp_path / "file").write_bytes(bytes(8 << 20))
    own, mapped = soak_host.own_kib(os.getpid()), soak_host.mapped_kib(os.getpid())
    file = np.memmap(tmp_path / "file", np.uint8)
    assert int(file.sum()) == 0
    assert soak_host.own_kib(os.getpid()) - own < 2_048
    assert soak_host.mapped_kib(os.getpid()) - mapped > 6_000
    held = np.ones(64 << 20, np.uint8)  # so much is never taken from what was freed before
    assert soak_host.own_kib(os.getpid()) - own > 60_000 and held[0]


def test_a_process_that_ends_by_itself_is_a_sentence(tmp_path):
    refused = "The exchange process ended with 2: error: This file"
    with (
        soak_host.started("exchange", tmp_path, "--config", "nothing.toml") as process,
        pytest.raises(StateError, match=refused),
    ):
        process.first_line(lambda _share, _what: None)
    with soak_host.started("exchange", tmp_path, "--demo", "--json", "--control", "off") as process:
        process.first_line(lambda _share, _what: None)
        process.popen.send_signal(signal.SIGKILL)
        while process.popen.poll() is None:
            time.sleep(0.01)
        with pytest.raises(StateError, match="ended with -9"):
            process.require_alive()


def test_messages_that_never_came_are_counted_by_their_numbers(soaked):
    seen, marks = np.zeros(1, soak_day.SEEN), np.zeros(100, np.uint8)
    from hftlib.feed.mold import packet

    for first, count in ((1, 3), (6, 2), (2, 4), (2, 4)):
        data = np.frombuffer(packet.encode("X", first, [b"abc"] * count), np.uint8)
        soak_day._mark(seen.ctypes.data, data.ctypes.data, len(data), marks.ctypes.data, 100)
    assert marks[:9].tolist() == [0, 1, 1, 1, 1, 1, 1, 1, 0]
    assert seen["fresh"][0] == 7 and seen["highest"][0] == 7 and seen["bytes"][0] == 7 * 5
