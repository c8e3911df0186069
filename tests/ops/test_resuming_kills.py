"""kill -9 of a runner at any moment, again and again: nothing is lost, nothing is sent twice.

A child of this process is the runner; the exchange, its other traders and somebody who hears the
drop copy are here, in lockstep. HFT_KILLS=1000 makes a long story of it.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter

import numpy as np
import pytest
from floor_desk import Floor
from floor_trial import begun, listened_to, trade

from hftlib.core.errors import InputError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.engine.live.memory import RESUMED
from hftlib.engine.live.replaying import Follower, about, replay, taken_up
from hftlib.ops.drop_copy import DropCopy
from hftlib.ops.launching import described, laid
from hftlib.ops.resuming import Recovery
from hftlib.ops.runner import Door, Place, Runner

KILLS = int(os.environ.get("HFT_KILLS", "6"))
LIFE_S = (0.02, 0.9)
ROOM = {
    "feed_messages_max": 1 << 20,
    "feed_store_bytes_max": 1 << 27,
    "session_messages_max": 1 << 18,
    "session_store_bytes_max": 1 << 25,
    "orders_max": 1 << 12,
}


@pytest.fixture
def floor():
    with Floor(exchange=ROOM) as made:
        yield listened_to(made)


def life(places, folder):
    """What the runner's process does, until it is killed or told to end."""
    os.closerange(3, 1024)  # sockets of the exchange, which is another process
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    after, told = 0, described(["QueueImbalance"], places, user="frm1a")
    if folder.exists():
        told = about(folder)
        live, after = taken_up(folder, laid)
    else:
        live = laid(told)
    where = Place([places["line_a"], places["line_b"]], places["recovery"], "127.0.0.1")
    doors = [Door(tuple(places["order_entry"]), "secret")]
    runner = Runner(
        live, folder, told, places=[where], doors=doors, after=after, **({} if after else SMALL)
    )
    recovery = Recovery(runner, {"HFTX": DropCopy(tuple(places["drop_copy"]), "frm1d", "secret")})
    with runner:
        runner.start()
        (folder.parent / "runs").touch()
        while runner.is_running and not ended:
            runner.turn()
            if after:
                recovery.turn()
            time.sleep(0.001)


SMALL = {"segment_bytes": 1 << 22}


def started(places, folder):
    """A new process of it."""
    (folder.parent / "runs").unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            life(places, folder)
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def compiled(floor, folder):
    """All that a child needs is here before it is made; a day that is over stays over."""
    first = begun(floor, folder)
    first.runner.stop()
    floor.others.remove(first)
    with pytest.raises(StateError, match="its day is over"):
        taken_up(folder, laid)


def test_killed_again_and_again_nothing_is_lost_and_nothing_is_sent_twice(floor, tmp_path):
    draw, folder = random.Random(int(os.environ.get("HFT_FUZZ_SEED") or "5")), tmp_path / "day"
    places = floor.exchange.places
    compiled(floor, tmp_path / "before")
    child = started(places, folder)
    floor.until(lambda: len(list(folder.glob("*.segment"))) > 0)
    kept = 0
    for _ in range(KILLS):
        if draw.random() < 0.8:  # the others are killed while they read the journal
            floor.until((folder.parent / "runs").exists)
        until = time.monotonic() + draw.uniform(*LIFE_S)
        trade(floor, 1_000_000, lambda end=until: time.monotonic() > end)
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it ended by itself"
        if draw.random() < 0.3:
            trade(floor, 3)  # a market that goes on without it
        if draw.random() < 0.5:
            kept += keeps(folder)
        child = started(places, folder)
    floor.until((folder.parent / "runs").exists)
    is_over = time.monotonic() + 4.0
    trade(floor, 1_000_000, lambda: time.monotonic() > is_over)
    os.kill(child, signal.SIGTERM)
    gone = [0, 0]
    floor.until(lambda: gone[:] != [0, 0] or _ended(child, gone))
    assert gone[1] == 0
    copy = floor.plain("frm1d", "drop_copy")
    floor.until(lambda: len(copy.messages) and _is_quiet(copy))
    told = replay(folder, laid)
    assert told.is_identical, told.difference
    live = replayed(folder)
    by = {"B": 1, "S": -1}
    sides = {one.urn: by[one.side] for one in copy.letters("A", "U")}
    fills = copy.letters("E")
    seat = live.session.seats[0]
    assert int(seat["positions"]["quantity"][0]) == sum(sides[f.urn] * f.quantity for f in fills)
    assert int(seat["positions"]["fills"].sum()) == len(fills) > 5
    orders = Counter(one.client_id for one in copy.letters("A"))
    assert orders and max(orders.values()) == 1, "an order of ours stood there twice"
    resumed = [f for f in frames(folder) if f.kind == kinds.CONNECTED and _word(f) == RESUMED]
    assert len(resumed) >= KILLS // 2, "the others were killed before they had begun"
    print(
        f"{KILLS} kills, {len(resumed)} resumed, {kept} snapshots, {told}; "
        f"{len(orders)} orders, {len(fills)} fills"
    )


def keeps(folder):
    """A snapshot of where the killed one left it; the next begins there. None before it began."""
    try:
        follower = Follower(folder, laid)
    except InputError:
        return 0
    while follower.turn():
        pass
    follower.keep()
    return 1


def _ended(child, gone):
    found, status = os.waitpid(child, os.WNOHANG)
    if found:
        gone[:] = found, status
    return bool(found)


def _is_quiet(copy):
    seen = len(copy.messages)
    time.sleep(0.05)
    copy.turn()
    return len(copy.messages) == seen


def _word(frame):
    return int(np.frombuffer(frame.payload, np.int64)[0])


def replayed(folder):
    """The memory at the end of the day, by the plainest way."""
    live = laid(about(folder))
    for frame in frames(folder):
        if frame.name in ("DATAGRAM", "SESSION_IN", "CONNECTED", "TIMER", "DIRECTIVE"):
            live.take(frame.kind, frame.source, frame.time, frame.payload)
            assert len(list(live.outputs())) >= 0
    return live
