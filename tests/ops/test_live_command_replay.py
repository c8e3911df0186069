"""`hft replay` against a slow replay, on a day of a real runner that is cut, edited and spoilt."""

import json
import random
import shutil

import numpy as np
import pytest
import typer
from floor_desk import Floor
from replay_twin import COMPARED, TAKEN, outcome, slow_replay, written
from test_runner import Trial, trade

import hftlib as hft
from hftlib.bench import replay as bench
from hftlib.core import jit
from hftlib.core.errors import InputError, StateError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import Frame, frames
from hftlib.engine.live import hot, replaying
from hftlib.engine.live.memory import BEGUN
from hftlib.ops.launching import laid
from hftlib.ops.replay_command import replay_command
from hftlib.venue.matching import records as r

NOWHERE = 99  # a link that no runner has


def opened(folder):
    """A market, and a runner in it whose session stands."""
    floor = Floor()
    floor.exchange.command(r.SET_STATE, symbol="AAA", state=r.TRADING)
    ears = floor.ears()  # the exchange compiles what it needs before anybody asks it in vain
    floor.until(lambda: ears.next > int(floor.exchange.record["messages"][0]))
    for one in (ears, floor.desk("frm1b")):
        floor.others.remove(one)
        one.close()
    trial = Trial(floor, folder)
    trial.runner.start()
    floor.until(lambda: trial.runner.live.gateway(0)["state"] == 3)
    floor.until(lambda: trial.runner.live.sequencers[0].state == "LIVE")
    return floor, trial


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """A journal of trading, lost datagrams, a lost session and a directive."""
    folder = tmp_path_factory.mktemp("day") / "day.journal"
    floor, trial = opened(folder)
    with floor:
        for line in "ab":
            floor.exchange.faults.begin(floor.exchange, "drop", line=line, chance=0.3)
        trade(floor, 12)
        for line in "ab":
            floor.exchange.faults.end(floor.exchange, "drop", line=line)
        want = int(floor.exchange.record["messages"][0])
        floor.until(lambda: trial.counts("messages") >= want)
        falls = int(trial.runner.live.links["hangs"][0])
        floor.exchange.faults.begin(floor.exchange, "kill sessions", user="frm1a")
        floor.until(lambda: int(trial.runner.live.links["hangs"][0]) > falls)
        floor.until(lambda: trial.runner.live.gateway(0)["state"] == 3)
        session = trial.runner.live.session
        halted = hft.halt("firm", at="10:00", who="ann", why="to see").row(session.risk, 0)
        assert trial.runner.tell(halted)
        floor.until(lambda: trial.counts("directives") == 1)
        trial.runner.stop()
        assert trial.runner.why == ""
    return folder


@pytest.fixture(scope="module")
def kept(day):
    """Its frames without the first and the last, which every journal has of its own."""
    first, *rest, last = frames(day)
    assert (first.kind, last.kind) == (kinds.OPENED, kinds.CLOSED)
    return rest


@pytest.fixture(scope="module")
def said(day):
    return replaying.about(day)


def both(folder, made=laid):
    ours = outcome(replaying.replay, folder, made)
    assert ours == outcome(slow_replay, folder, made)
    return ours


def outs(kept, *wanted):
    return [n for n, one in enumerate(kept) if one.name in (wanted or COMPARED)]


def test_a_whole_day_in_one_segment_and_in_several(day, kept, said, tmp_path):
    assert {one.name for one in kept} >= TAKEN | COMPARED, "all kinds there are"
    whole = both(day)
    assert whole[-1] == "" and whole[1] == len(outs(kept)) > 30 and whole[2] > 100
    again = written(tmp_path / "again", said, kept, {}, segment_bytes=1 << 14)
    assert len(list(again.glob("*.segment"))) > 5
    assert both(again) == whole


def test_a_day_cut_anywhere_is_identical_up_to_there_or_refused_alike(kept, said, tmp_path):
    chance, seen = random.Random(4), set()
    whole = written(tmp_path / "whole", said, kept)
    segments = sorted(whole.glob("*.segment"))
    for number in range(24):
        folder = tmp_path / f"cut{number}"
        shutil.copytree(whole, folder)
        last = chance.randrange(len(segments))
        for path in segments[last + 1 :]:
            (folder / path.name).unlink()
        path = folder / segments[last].name
        data = path.read_bytes()
        used = len(data.rstrip(b"\0"))
        at = chance.randrange(4096, max(used, 4097))
        path.write_bytes(data[:at] + bytes(len(data) - at))
        told = both(folder)
        seen.add("refused" if len(told) == 2 else told[-1])
        shutil.rmtree(folder)
    assert "refused" in seen
    for n in chance.sample(range(1, len(kept)), 12):  # between two frames: just shorter
        told = both(written(tmp_path / f"short{n}", said, kept[:n]))
        assert told[-1] == "" and told[0] == n + 1


def test_what_was_decided_otherwise_is_told_in_the_same_words(day):
    def other(told):
        told["strategies"][0]["params"] = {"edge_ticks": 5}
        return laid(told)

    told = both(day, other)
    assert "is another, after frame" in told[-1] and "price" in told[-1]


def test_a_byte_of_what_went_out_that_is_edited_is_found_in_its_frame(kept, said, tmp_path):
    chance = random.Random(9)
    wanted = [
        *chance.sample(outs(kept, "SESSION_OUT"), 5),
        chance.choice(outs(kept, "DATAGRAM_OUT")),
    ]
    for n in wanted:
        one = kept[n]
        at = chance.randrange(len(one.payload))
        bad = one.payload[:at] + bytes([one.payload[at] ^ 1]) + one.payload[at + 1 :]
        spoilt = [*kept[:n], one._replace(payload=bad), *kept[n + 1 :]]
        told = both(written(tmp_path / f"{n}", said, spoilt, {}))
        assert told[-1].startswith(f"frame {n + 2:,} is another, after frame")
        assert told[0] == n + 2


def test_what_went_out_and_was_taken_away_or_put_in_is_found(kept, said, tmp_path):
    chance = random.Random(2)
    for n in chance.sample(outs(kept), 4):
        less = both(written(tmp_path / f"less{n}", said, [*kept[:n], *kept[n + 1 :]], {}))
        assert less[-1] and less[0] == n + 2, "found at the frame that is there instead"
        more = both(written(tmp_path / f"more{n}", said, [*kept[: n + 1], *kept[n:]], {}))
        assert more[-1] and more[0] == n + 3
    n = chance.choice([n for n, one in enumerate(kept) if one.name == "TIMER"])
    strange = Frame(0, kept[n].time, kinds.SESSION_OUT, 0, b"\0\1R")
    told = both(written(tmp_path / "strange", said, [*kept[: n + 1], strange, *kept[n + 1 :]], {}))
    assert told[-1].startswith(f"frame {n + 3:,} is another, after frame {n + 2:,} (TIMER)")


def test_the_last_output_may_lack_unless_it_was_closed_without_a_reason(kept, said, tmp_path):
    n = outs(kept, "SESSION_OUT")[-1]
    ends = {"cut": None, "closed": {"why": ""}, "full": {"why": "the journal takes no more"}}
    told = {end: both(written(tmp_path / end, said, kept[:n], ends[end]))[-1] for end in ends}
    assert told["cut"] == told["full"] == ""
    assert told["closed"].startswith("the journal lacks what goes out now, after frame")


def test_a_runner_that_stopped_by_a_fault_stops_here_too(tmp_path):
    folder = tmp_path / "day.journal"
    floor, trial = opened(folder)
    with floor:
        trade(floor, 2)
        runner = trial.runner
        runner.record["stop"] = 1
        runner._thread.join()
        begun = np.array([BEGUN, 0], np.int64)
        said_so = (kinds.CONNECTED, NOWHERE, begun.ctypes.data, begun.nbytes)
        assert hot.frame(runner._memory.ctypes.data, *said_so) != 0
        runner.stop()
        assert "no driver writes" in runner.why
    told = both(folder)
    assert told[-1] == ""
    first, *rest, last = frames(folder)
    assert json.loads(last.payload)["why"] == runner.why
    went_on = [*rest, Frame(0, rest[-1].time + 1, kinds.TIMER, 0, b"")]
    told = both(written(tmp_path / "on", json.loads(first.payload), went_on, {}))
    assert told[-1].startswith("the runner stops now, after frame")
    assert told[-1].endswith("a frame says something that no driver writes")


def test_the_command_says_it_in_words_and_for_machines(
    day, kept, said, tmp_path, capsys, monkeypatch
):
    # Of all that tests have loaded by now most is none of its business.
    monkeypatch.setattr(jit, "warm", lambda report: report(1, 1, ""))
    replay_command(day)
    assert capsys.readouterr().out.startswith("identical: ")
    n = outs(kept, "SESSION_OUT")[3]
    bad = written(tmp_path / "bad", said, [*kept[:n], *kept[n + 1 :]], {})
    with pytest.raises(typer.Exit) as left:
        replay_command(bad, json_out=True)
    told = json.loads(capsys.readouterr().out)
    assert left.value.exit_code == 1 and told["difference"] and not told["is_identical"]


def test_the_bench_measures_a_day_that_is_identical_only(day, kept, said, tmp_path):
    rows = bench.benches(day)
    for row in rows:
        assert row.run() > 0 < row.probe(), row.name
    assert [row.name for row in rows if row.budget] == ["an event, replayed"]
    with pytest.raises(InputError, match="needs a journal"):
        bench.benches()
    with pytest.raises(InputError, match="No event came in"):
        bench.benches(written(tmp_path / "empty", said, [], {}))
    n = outs(kept)[0]
    with pytest.raises(StateError, match="not what the runner did: "):
        bench.benches(written(tmp_path / "bad", said, [*kept[:n], *kept[n + 1 :]], {}))
