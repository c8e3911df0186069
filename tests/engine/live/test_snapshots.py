"""A runner's memory in a file: what is taken up from it is what a replay of the whole day makes."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from floor_desk import Floor
from floor_trial import Resumed, Trial, begun, killed, listened_to, trade

from hftlib.core.errors import StateError
from hftlib.core.journal.reading import frames as read
from hftlib.core.journal.repairing import repair
from hftlib.core.journal.scanning import MORE
from hftlib.core.journal.walking import Place, Walk
from hftlib.core.soup.memory import CLIENT
from hftlib.engine.live import snapshots
from hftlib.engine.live.comparing import TAKEN, let_go
from hftlib.engine.live.memory import LIVE
from hftlib.engine.live.replaying import Follower, about, replay, taken_up
from hftlib.engine.live.shadow_memory import SHADOW
from hftlib.engine.live.snapshots import keep, snapshots_of, take_up
from hftlib.engine.live.way import Way
from hftlib.feed.mold.memory import DELIVERY
from hftlib.ops.launching import laid
from hftlib.ops.modes import Mode


@pytest.fixture(scope="module")
def floor():
    with Floor() as made:
        yield listened_to(made)


@pytest.fixture(scope="module", params=["paper", "shadow"])
def day(floor, tmp_path_factory, request):
    """A journal whose runner was killed while it traded."""
    folder = tmp_path_factory.mktemp("day") / "day.journal"
    if request.param == "paper":
        trial = begun(floor, folder)
    else:
        trial = Trial(floor, folder, mode=Mode("shadow", latency_us=50.0))
        trial.runner.start()
        floor.until(lambda: trial.runner.live.sequencers[0].state == "LIVE")
    trade(floor, 12)
    return killed(trial)


@pytest.fixture
def folder(day, tmp_path):
    """A copy of it, without snapshots."""
    shutil.copytree(day, tmp_path / "copy.journal", ignore=shutil.ignore_patterns("snapshots"))
    return tmp_path / "copy.journal"


def a_way(folder, start=None):
    way = Way(laid(about(folder)))
    return way, Walk(folder, start=start)


def to_the_end(way, walk):
    while walk.step() == MORE:
        assert not way.parts_in(walk), way.difference
    return way


def plain(live):
    """Its memory, but for the addresses, which belong to the process."""
    found = {name: piece.copy() for name, piece in live.pieces().items()}
    for at, names in (
        (live.feeds, ("sequencer", "translator")),
        (live.links, ("gateway", "client")),
    ):
        base = at.ctypes.data - live.address
        for row in range(len(at)):
            for name in names:
                begin = base + row * at.dtype.itemsize + at.dtype.fields[name][1]
                found["live"][begin : begin + 8] = 0
    found["live"][:8] = 0  # of the session
    arena = live.session.arena
    for seat in live.session.seats:
        context = seat["context"]
        begin = context.ctypes.data - arena.state.ctypes.data
        for name in ("services", "entry"):
            dtype, at = context.dtype.fields[name][:2]
            found["session"][begin + at : begin + at + dtype.itemsize] = 0
    for n, one in enumerate(live.sequencers):  # of the datagram at hand, which is gone
        fields = one.state_record.dtype.fields
        given = fields["delivery"][1] + DELIVERY.fields["address"][1]
        for at in (fields["current"][1], given):
            found[f"sequencer {n}"][at : at + 8] = 0
    for n in range(len(live.links)):
        at = CLIENT.fields["address"][1]
        found[f"client {n}"][at : at + 8] = 0
    if live.shadow is not None:
        found["live"][LIVE.fields["shadow"][1] :][:8] = 0
        for name in ("exchange", "commands", "reports"):  # the last two: where items lie
            found["shadow"][SHADOW.fields[name][1] :][:8] = 0
    return found


def require_same(one, other):
    mine, theirs = plain(one), plain(other)
    assert mine.keys() == theirs.keys()
    for name in mine:
        differing = np.flatnonzero(mine[name] != theirs[name])
        assert not len(differing), f"{name} differs at {differing[:8]}, {len(differing)} bytes"


def test_what_is_taken_up_is_what_a_replay_of_the_whole_day_makes(folder):
    way, walk = a_way(folder)
    done = points = 0
    most = 53 if way.live.shadow is None else 89  # a shadow's memory is large
    while walk.step(most) == MORE:
        assert not way.parts_in(walk)
        done += walk.found
        assert keep(way, walk).stem == f"{done:012d}"
        again = Way(laid(about(folder)))
        place, told = take_up(again, folder)
        assert place == walk.place and told == [f"from {done:012d}.snapshot"]
        require_same(again.live, way.live)
        if points % 4 == 0:
            ended = to_the_end(again, Walk(folder, start=place))
            whole = to_the_end(*a_way(folder))
            assert ended.counts == whole.counts
            require_same(ended.live, whole.live)
        points += 1
    assert points > (4 if most == 53 else 1) and way.count("compared") > 5
    assert len(snapshots_of(folder)) == min(points, snapshots.KEPT_FILES)


def a_snapshot(folder, most=200):
    """One in the middle of the day, the way behind it, and its file."""
    way, walk = a_way(folder)
    assert walk.step(most) == MORE and not way.parts_in(walk)
    return way, keep(way, walk)


def passed_over(folder):
    place, told = take_up(Way(laid(about(folder))), folder)
    assert len(told) == 1 and " is passed over: " in told[0] and place == Place()
    return told[0].partition(": ")[2]


def test_one_that_was_changed_anywhere_is_passed_over(folder):
    way, path = a_snapshot(folder)
    whole = bytearray(path.read_bytes())
    live = Way(laid(about(folder)))
    fresh = plain(live.live)
    places = {0, 8, 16, 400, len(whole) // 2, len(whole) - 33, len(whole) - 1}
    for place in sorted(places):
        for bit in (0, 7):
            whole[place] ^= 1 << bit
            path.write_bytes(whole)
            whole[place] ^= 1 << bit
            begin, told = take_up(live, folder)
            assert begin == Place() and "its bytes are not those that were written" in told[0]
    for length in (0, 7, 15, 16, 31, 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert take_up(live, folder)[0] == Place()
    assert all(np.array_equal(fresh[name], held) for name, held in plain(live.live).items())
    path.write_bytes(whole)
    assert take_up(live, folder)[0].sequence == int(path.stem) + 1
    require_same(live.live, way.live)


def test_one_of_another_journal_code_or_past_is_passed_over(
    folder, day, floor, tmp_path, monkeypatch
):
    path = a_snapshot(folder)[1]
    with monkeypatch.context() as other:
        other.setattr(snapshots, "code", lambda: "of yesterday")
        assert passed_over(folder) == "another version of hftlib made it"
    trial = begun(floor, tmp_path / "other.journal")
    trade(floor, 1)
    strange = killed(trial)
    (strange / "snapshots").mkdir()
    shutil.copy(path, strange / "snapshots")
    assert passed_over(strange) == "it is of another journal"


def test_a_past_that_is_not_the_one_it_was_made_from_is_refused(folder):
    follower = Follower(folder, laid)
    while follower.turn():
        pass
    path = follower.keep()
    head, pages = snapshots._read(path)
    assert pages and head["place"]["sequence"] == follower.frames + 1
    live = Way(laid(about(folder))).live
    head |= {"sealed": 1, "head": "00" * 32}
    with pytest.raises(Exception, match="the journal before it is not the one"):
        snapshots._require_fit(head, folder, live)


def test_a_place_at_which_no_such_frame_stands_is_damage(folder):
    path = a_snapshot(folder)[1]
    segment = next(folder.glob("*.segment"))
    held = bytearray(segment.read_bytes())
    place = snapshots._read(path)[0]["place"]["position"]
    held[place + 40] ^= 1
    segment.write_bytes(held)
    with pytest.raises(StateError, match="damaged"):
        taken_up(folder, laid)


def test_one_of_frames_that_a_repair_cut_off_is_passed_over_for_the_one_before(folder):
    way, walk = a_way(folder)
    # What went out and is cut off can be gone on from by nobody: it is an input that is torn.
    kinds_of, second = [one.kind for one in read(folder)], 120
    while kinds_of[second - 1] not in TAKEN:
        second += 1
    made = []
    for most in (60, second - 60):
        assert walk.step(most) == MORE and walk.found == most and not way.parts_in(walk)
        made.append(keep(way, walk))
    older, newest = made
    cut = snapshots._read(newest)[0]["last"]
    segments = sorted(folder.glob("*.segment"))
    with segments[cut[0]].open("r+b") as segment:  # a torn write, in its last frame
        segment.seek(cut[1] + 8)
        segment.write(b"torn")
    done = repair(folder, sealed_too=True)
    assert done is not None
    place, told = take_up(Way(laid(about(folder))), folder)
    why = "it holds frames that the journal no longer has"
    assert told == [f"{newest.name} is passed over: {why}", f"from {older.name}"]
    assert place.sequence == int(older.stem) + 1
    said = []
    live, frames = taken_up(folder, laid, say=said.append)  # what `hft live --resume` does
    assert said == told and frames >= int(newest.stem)
    whole = to_the_end(*a_way(folder))
    let_go(whole.live.address)
    require_same(live, whole.live)


def test_the_last_few_are_kept_and_the_newest_that_is_whole_is_taken(folder):
    way, walk = a_way(folder)
    made = []
    for _ in range(5):
        assert walk.step(50) == MORE and not way.parts_in(walk)
        made.append(keep(way, walk))
    assert snapshots_of(folder) == made[:-4:-1]
    made[-1].write_bytes(made[-1].read_bytes()[:-1])
    place, told = take_up(Way(laid(about(folder))), folder)
    assert place.sequence == int(made[-2].stem) + 1
    assert len(told) == 2 and told[1] == f"from {made[-2].name}"


def test_a_day_goes_on_from_a_snapshot_and_replays_as_a_whole(tmp_path):
    with Floor() as floor:  # of its own: the drop copy tells of every runner of the firm
        _goes_on(listened_to(floor), tmp_path)


def _goes_on(floor, tmp_path):
    trial = begun(floor, tmp_path / "own.journal")
    follower = Follower(trial.folder, laid)
    trade(floor, 4)
    while follower.turn():
        pass
    assert not follower.is_over and follower.frames > 100
    follower.keep()
    trade(floor, 4)
    held = int(trial.runner.live.session.seats[0]["positions"]["quantity"][0])
    killed(trial)
    told = []
    again = Resumed(floor, trial.folder, say=told.append)
    assert told == [f"from {follower.kept:012d}.snapshot"]
    assert int(again.runner.live.session.seats[0]["positions"]["quantity"][0]) == held
    again.runner.start()
    floor.until(lambda: again.recovery.is_over)
    assert again.recovery.told.startswith("goes on: as the drop copy")
    trade(floor, 4)
    while follower.turn():  # the same follower hears another process go on
        pass
    again.runner.stop()
    while follower.turn():
        pass
    assert follower.is_over and follower.has_ended
    told = replay(trial.folder, laid)
    assert told.is_identical and follower.frames == told.frames
    with pytest.raises(StateError, match="its day is over"):
        taken_up(trial.folder, laid)
