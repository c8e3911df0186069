"""A runner whose journal a standby follows: what the exchange sees has its cause in the copy.

The exchange is here, in lockstep; the standby is a process of its own, killed and begun again, and
so is the runner where it is killed.
"""

import os
import shutil
import signal
import time

import numpy as np
import pytest
from floor_desk import Floor
from floor_trial import listened_to, trade
from standby_process import Child, Followed, begun, resumed

from hftlib.core.errors import HftError, StateError
from hftlib.core.journal import frames, kinds, verify
from hftlib.core.soup import frames as soup
from hftlib.engine.live.replaying import Follower, replay
from hftlib.ops import epochs
from hftlib.ops.drop_copy import DropCopy
from hftlib.ops.launching import described, laid
from hftlib.ops.metrics.families import families
from hftlib.ops.runner import Door, Place, Runner
from hftlib.ops.showing import _standby, worries
from hftlib.ops.standby_meeting import Plan
from hftlib.ops.status import status
from hftlib.ops.watch_rules import Rules, broken

STRICT = Rules(standby_ms=5_000.0)


@pytest.fixture
def floor():
    with Floor() as made:
        yield listened_to(made)


def lane(trial):
    return trial.runner._lanes[0]


def said_in(folder):
    """Bytes of the session that a journal says went out."""
    return b"".join(one.payload for one in frames(folder) if one.kind == kinds.SESSION_OUT)


def same(one, other):
    names = sorted(path.name for path in one.glob("*.segment"))
    chains = [(folder / "chain").read_bytes().rstrip(b"\0") for folder in (one, other)]
    same = all((one / name).read_bytes() == (other / name).read_bytes() for name in names)
    return same and chains[0] == chains[1] != b""


def acknowledged(trial):
    return trial.link.told["lag_frames"] == 0


def test_a_day_is_here_and_there_and_replays_from_both(floor, tmp_path):
    with Child(tmp_path / "copy") as standby:
        trial = begun(Followed(floor, tmp_path / "day", standby.plan()))
        trade(floor, 12, until=lambda: trial.counts("commands") > 10)
        assert trial.counts("commands") > 5
        told = status(trial.runner)["standby"]
        assert told["address"] == f"127.0.0.1:{standby.port}" and told["state"] == "ships"
        assert told["durability"] == "replicated" and told["round_trip_ns"] > 0
        labels = {one.name for one in families(status(trial.runner))}
        assert {"hftlib_standby_ready", "hftlib_standby_lag_seconds"} <= labels
        assert "has" in str(_standby(told)) and list(broken(STRICT, status(trial.runner), {})) == []
        beside = Follower(standby.folder, laid)  # an audit, and snapshots, on the other host
        while beside.turn():
            pass
        assert beside.frames > 20 and beside.keep().exists()
        there = standby.ask("status")
        assert there["follows"] and 0 < there["acknowledged"] <= there["sequence"]
        assert not [one for one in worries(status(trial.runner)) if "standby" in one]
        trial.runner.stop()
        assert trial.runner.why == "" and trial.link.why == ""
        assert standby.ended() == 0
    assert same(tmp_path / "day", tmp_path / "copy")
    assert verify(tmp_path / "copy").state == "closed"
    mine, theirs = (replay(tmp_path / name, laid) for name in ("day", "copy"))
    assert theirs.is_identical and theirs.compared == mine.compared > 3


def test_nothing_leaves_while_the_standby_is_away_and_all_goes_on_when_it_is_back(floor, tmp_path):
    with Child(tmp_path / "copy") as standby:
        trial = begun(Followed(floor, tmp_path / "day", standby.plan(patience_s=60.0)))
        trade(floor, 5)
        floor.until(lambda: len(said_in(trial.folder)) == int(lane(trial)["sent"]))
        standby.kill()
        floor.until(lambda: trial.link.state == "away")
        before, commands = int(lane(trial)["sent"]), trial.counts("commands")
        trade(floor, 12, until=lambda: trial.counts("commands") > commands + 2)
        for _ in range(50):
            floor.step()
        assert trial.counts("commands") > commands + 2, "it decides all the same"
        assert int(lane(trial)["sent"]) == before < len(said_in(trial.folder))
        told = status(trial.runner)
        assert any("standby" in one for one in worries(told))
        assert any("standby is" in one for one in broken(Rules(standby_ms=1.0), told, {}))
        standby.begin()
        floor.until(lambda: int(lane(trial)["sent"]) == len(said_in(trial.folder)) > before)
        assert trial.link.dials > 1
        trade(floor, 3)
        trial.runner.stop()
        assert trial.runner.why == "" and standby.ended() == 0
    assert same(tmp_path / "day", tmp_path / "copy")
    assert replay(tmp_path / "copy", laid).is_identical


def test_a_standby_that_stays_away_stops_the_runner_with_the_reason(floor, tmp_path):
    with Child(tmp_path / "copy") as standby:
        trial = begun(Followed(floor, tmp_path / "day", standby.plan(patience_s=1.5)))
        trade(floor, 4)
        floor.until(lambda: acknowledged(trial) or trial.link.told["lag_frames"] < 5)
        standby.kill()
        trade(floor, 1_000, until=lambda: not trial.runner.is_running)
        floor.until(lambda: not trial.runner.is_running)
        assert (
            "the standby 127.0.0.1" in trial.runner.why
            and "has said nothing for" in trial.runner.why
        )
        sent = int(lane(trial)["sent"])
        trade(floor, 2)
        assert int(lane(trial)["sent"]) == sent
        trial.runner.stop()
        floor.others.remove(trial)
        assert said_in(standby.folder)[:0] == b"" and len(said_in(standby.folder)) >= sent
        assert replay(tmp_path / "day", laid).is_identical
        assert replay(tmp_path / "copy", laid).is_identical
        standby.begin()  # it is back, and so is the runner
        again = resumed(floor, tmp_path / "day", standby.plan())
        assert "goes on" in again.recovery.told
        trade(floor, 4)
        again.runner.stop()
        assert standby.ended() == 0
    assert same(tmp_path / "day", tmp_path / "copy")


def test_degrade_goes_on_in_power_says_so_and_comes_back(floor, tmp_path):
    with Child(tmp_path / "copy") as standby:
        plan = standby.plan(patience_s=1.5, lost="degrade")
        trial = begun(Followed(floor, tmp_path / "day", plan))
        trade(floor, 4)
        standby.kill()
        trade(floor, 1_000, until=lambda: trial.link.told["durability"] == "power")
        before = int(lane(trial)["sent"])
        trade(floor, 40, until=lambda: int(lane(trial)["sent"]) > before + 100)
        assert int(lane(trial)["sent"]) > before + 100, "it trades without it"
        told = status(trial.runner)
        assert any("durability is power" in one for one in worries(told))
        assert any("orders do not wait" in one for one in broken(STRICT, told, {}))
        standby.begin()
        trade(floor, 1_000, until=lambda: trial.link.told["durability"] == "replicated")
        assert trial.link.told["durability"] == "replicated"
        trade(floor, 3)
        trial.runner.stop()
        assert standby.ended() == 0
    notes = [one.payload.decode() for one in frames(tmp_path / "day") if one.kind == kinds.NOTE]
    assert [one.split(":")[0] for one in notes] == ["durability power", "durability replicated"]
    assert same(tmp_path / "day", tmp_path / "copy")
    assert replay(tmp_path / "copy", laid).is_identical


def test_a_standby_that_took_over_fences_its_runner_and_the_day_goes_on_from_the_copy(
    floor, tmp_path
):
    copy = tmp_path / "copy"
    with Child(copy) as standby:
        trial = begun(Followed(floor, tmp_path / "day", standby.plan()))
        trade(floor, 6)
        with pytest.raises(StateError, match="nobody told it to take over"):
            epochs.require_own(copy)
        assert standby.ask("promote")["epoch"] == 2
        trade(floor, 1_000, until=lambda: not trial.runner.is_running)
        floor.until(lambda: not trial.runner.is_running)
        assert "was told to take over: epoch 2" in trial.runner.why
        sent = int(lane(trial)["sent"])
        assert len(said_in(copy)) >= sent, "what the exchange saw is in the copy"
        trial.runner.stop()
        floor.others.remove(trial)
        with pytest.raises(HftError, match="told to take over"):
            resumed(floor, tmp_path / "day", standby.plan())
        floor.others[:] = [one for one in floor.others if not hasattr(one, "recovery")]
        with Child(tmp_path / "third") as third:
            assert epochs.require_own(copy).epoch == 2
            plan = Plan(("127.0.0.1", third.port), epoch=2)
            again = resumed(floor, copy, plan)
            assert "goes on: as the drop copy says" in again.recovery.told
            trade(floor, 5)
            again.runner.stop()
            assert third.ended() == 0
            assert epochs.read(tmp_path / "third").epoch == 2
    assert same(copy, tmp_path / "third")
    assert replay(copy, laid).is_identical


def life(places, folder, plan):
    """What the runner's process does, until it is killed."""
    os.closerange(3, 1024)
    told = described(["QueueImbalance"], places, user="frm1a")
    where = Place([places["line_a"], places["line_b"]], places["recovery"], "127.0.0.1")
    doors = [Door(tuple(places["order_entry"]), "secret")]
    settings = {"segment_bytes": 1 << 22, "durability": "replicated", "followed": True}
    runner = Runner(laid(told), folder, told, places=[where], doors=doors, **settings)
    runner.follow(plan)
    with runner:
        runner.start()
        while runner.is_running:
            runner.turn()
            time.sleep(0.001)


def test_kill_9_of_the_runner_and_the_copy_goes_on_with_all_that_the_exchange_saw(floor, tmp_path):
    compiled = begun(Followed(floor, tmp_path / "before", warm_plan(tmp_path, floor)))
    compiled.runner.stop()
    floor.others.remove(compiled)
    floor.warm.kill()
    draw, copy = np.random.default_rng(4), tmp_path / "copy"
    with Child(copy) as standby:
        child = os.fork()
        if child == 0:
            try:
                life(floor.exchange.places, tmp_path / "day", standby.plan())
            finally:
                os._exit(1)
        floor.until(lambda: len(standby.words) > 1)
        until = time.monotonic() + 1.5 + draw.uniform(0, 0.5)
        trade(floor, 1_000_000, lambda: time.monotonic() > until)
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, "it ended by itself"
        for _ in range(200):
            floor.step()  # what was on its way arrives
        time.sleep(0.05)
        assert standby.ask("promote")["epoch"] == 2
        heard = orders_heard(floor)
        told = orders_in(copy)
        assert len(heard) > 5 and heard <= told, "an order has no cause in the copy"
        assert orders_in(tmp_path / "day") >= told, "the copy is the beginning of the journal"
    trade(floor, 3)
    again = resumed(floor, copy, None, "power")
    assert "goes on: as the drop copy says" in again.recovery.told
    trade(floor, 5)
    again.runner.stop()
    assert replay(copy, laid).is_identical and verify(copy).is_whole
    ears = DropCopy(tuple(floor.exchange.places["drop_copy"]), "frm1d", "secret")
    floor.until(lambda: ears.turn() or ears.is_whole)
    seat = again.runner.live.session.seats[0]
    assert sum(ears.positions.values()) == int(seat["positions"]["quantity"].sum())
    ears.close()


def warm_plan(tmp_path, floor):
    """A first day, so that a forked child finds all compiled."""
    floor.warm = Child(tmp_path / "warm")
    return floor.warm.plan()


def orders_in(folder):
    """User references that a journal's runner entered, as its session's bytes say."""
    one = soup.Frames(soup.CLIENT)
    found = set()
    for frame in frames(folder):
        if frame.kind == kinds.SESSION_OUT:
            if frame.payload[2:3] == b"L":
                one = soup.Frames(soup.CLIENT)
            for piece in one.take(frame.payload):
                if piece.type == b"U" and piece.payload[:1] == b"O":
                    found.add(int.from_bytes(piece.payload[1:5], "big"))
    return found


def orders_heard(floor):
    """Those that the exchange has accepted, as the drop copy tells."""
    copy = floor.plain("frm1d", "drop_copy")
    seen = -1
    while len(copy.messages) != seen:
        seen = len(copy.messages)
        for _ in range(50):
            floor.step()
    heard = {one.urn for one in copy.letters("A")}
    floor.others.remove(copy)
    copy.close()
    return heard


def test_who_is_no_standby_of_this_journal_is_refused_before_anything_is_sent(floor, tmp_path):
    with Child(tmp_path / "copy") as standby:
        first = begun(Followed(floor, tmp_path / "day", standby.plan()))
        trade(floor, 3)
        floor.until(lambda: first.link.told["acknowledged"] > 50)
        with pytest.raises(HftError, match="has a copy of one"):
            Followed(floor, tmp_path / "other", standby.plan())
        floor.others.pop()
        first.runner.stop()
        standby.ended()
    floor.others.remove(first)
    shutil.rmtree(tmp_path / "copy")


def test_standby_words(floor, tmp_path):
    with pytest.raises(HftError, match="No standby answers"):
        Followed(floor, tmp_path / "day", Plan(("127.0.0.1", 1)))
    floor.others.pop()
