"""The runner on real sockets against the exchange in lockstep, and its journal replayed."""

import json
import subprocess
import sys
import threading
import time

import pytest
from floor_trial import Trial, begun, killed, trade

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.replaying import COMPARED, about, replay
from hftlib.ops.launching import described, exchange_of, laid
from hftlib.ops.runner import Door, Place, Runner


def test_a_day_is_traded_and_replays_to_the_byte(floor, trial):
    copy = floor.plain("frm1d", "drop_copy")
    trade(floor)
    floor.until(lambda: copy.letters("E"))
    trial.runner.stop()
    assert trial.runner.why == "" and trial.runner.counts["strangers"] == 0
    bought = {"B": 1, "S": -1}
    sides = {one.urn: bought[one.side] for one in copy.letters("A", "U")}
    held = sum(sides[one.urn] * one.quantity for one in copy.letters("E"))
    positions = trial.runner.live.session.seats[0]["positions"]["quantity"]
    assert int(positions[0]) == held, "what it thinks it holds is what the venue says it got"
    told = replay(trial.folder, laid)
    assert told.is_identical, told.difference
    assert told.compared > 40 and told.events == trial.counts("events")


def test_what_was_decided_otherwise_is_found_and_told(floor, trial):
    trade(floor, 5)
    trial.runner.stop()

    def other(told):
        told["strategies"][0]["params"] = {"edge_ticks": 5}
        return laid(told)

    told = replay(trial.folder, other)
    assert not told.is_identical
    assert "journal  SESSION_OUT 0: " in told.difference and "price" in told.difference


def test_a_session_that_is_cut_comes_back_and_the_replay_goes_with_it(floor, trial):
    trade(floor, 10)
    for _ in range(3):
        falls = int(trial.runner.live.links["hangs"][0])
        floor.exchange.faults.begin(floor.exchange, "kill sessions", user="frm1a")
        floor.until(lambda falls=falls: int(trial.runner.live.links["hangs"][0]) > falls)
        floor.until(lambda: trial.runner.live.gateway(0)["state"] == 3)
    maker = floor.plain("frm2b")
    maker.enter(1, "B", 100, "98.00")
    maker.enter(2, "S", 100, "98.30")
    for _ in range(50):
        floor.step()
    trial.runner.stop()
    told = replay(trial.folder, laid)
    assert told.is_identical, told.difference


def test_lines_that_lose_datagrams_are_made_whole_and_so_is_the_replay(floor, trial):
    for line in "ab":
        floor.exchange.faults.begin(floor.exchange, "drop", line=line, chance=0.3)
    trade(floor, 20)
    for line in "ab":
        floor.exchange.faults.end(floor.exchange, "drop", line=line)
    want = int(floor.exchange.record["messages"][0])
    floor.until(lambda: trial.counts("messages") >= want)
    trial.runner.stop()
    seen = [frame.kind for frame in frames(trial.folder)]
    assert kinds.DATAGRAM_OUT in seen
    told = replay(trial.folder, laid)
    assert told.is_identical, told.difference


def test_killed_in_the_middle_it_replays_up_to_there(floor, tmp_path):
    places = floor.exchange.places
    (tmp_path / "exchange.json").write_text(json.dumps(places) + "\n")
    program = "from hftlib.cli import main; main()"
    given = ["live", "QueueImbalance", "--exchange", "exchange.json", "--journal", "day.journal"]
    journal = tmp_path / "day.journal"

    def has_traded():  # the other process goes on in its own time
        time.sleep(0.02)
        return sum(frame.kind in COMPARED for frame in frames(journal)) > 20

    with subprocess.Popen(
        [sys.executable, "-c", program, *given], cwd=tmp_path, stderr=subprocess.PIPE
    ) as process:
        try:
            before = floor.exchange.counts["heard"]
            floor.until(lambda: floor.exchange.counts["heard"] > before, 600)
            trade(floor, 2_000, has_traded)
        finally:
            process.kill()
    assert has_traded()
    told = replay(journal, laid)
    assert told.is_identical, told.difference
    assert told.compared > 20
    again = subprocess.run(
        [sys.executable, "-c", program, "replay", "day.journal"],
        check=False, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert again.returncode == 0 and again.stdout.startswith("identical"), again


def test_a_password_is_nowhere_in_the_journal(floor, trial):
    trial.runner.stop()
    for file in trial.folder.iterdir():
        if file.is_file():
            assert b"secret" not in file.read_bytes()
    assert "secret" not in str(about(trial.folder))


def test_a_journal_that_takes_no_more_ends_the_trading(floor, trial):
    trade(floor, 2)
    trial.runner.journal._record["failure"] = 1
    floor.until(lambda: not trial.runner.is_running)
    assert "the journal takes no more" in trial.runner.why
    heard = floor.exchange.counts["heard"]
    for _ in range(50):
        floor.step()
    assert floor.exchange.counts["heard"] == heard, "nothing that is not in the journal leaves"


def test_what_the_desk_tells_is_heard_journaled_and_replayed(floor, trial):
    trade(floor, 5)
    session = trial.runner.live.session
    told = hft.halt("firm", at="10:00", who="ann", why="to see").row(session.risk, 0)
    assert trial.runner.tell(told)
    floor.until(lambda: trial.counts("directives") == 1)
    floor.until(lambda: trial.runner.open_orders == 0)
    before = trial.counts("commands")
    maker = floor.plain("frm2b")
    maker.enter(1, "B", 100, "98.00")
    maker.enter(2, "S", 100, "98.30")
    for _ in range(50):
        floor.step()
    assert trial.counts("commands") == before, "halted"
    trial.runner.stop()
    again = replay(trial.folder, laid)
    assert again.is_identical, again.difference


def test_what_is_wrong_is_said_before_anything_runs(floor, tmp_path):
    trial = Trial(floor, tmp_path / "day.journal")
    with pytest.raises(InputError, match=r"may not run on processor 4096.*Give one of"):
        trial.runner.start(cpu=4096)
    places, address = floor.exchange.places, tuple(floor.exchange.places["order_entry"])
    told = described(["QueueImbalance"], places, user="frm1a")
    for password in ("far too long for a login", "not ascii: ü"):
        with pytest.raises(InputError, match="password"):
            Runner(
                laid(told), tmp_path / "other.journal", told,
                places=[Place([places["line_a"]])], doors=[Door(address, password)],
            )  # fmt: skip
    lines, door = Place([places["line_a"]]), Door(address, "secret")
    for given, match in (
        ({"places": [], "doors": [door]}, "0 places are given for 1 feed"),
        ({"places": [lines], "doors": []}, "0 doors are given for 1 link"),
        ({"places": [lines] * 2, "doors": [door]}, "2 places are given for 1 feed"),
    ):
        with pytest.raises(InputError, match=match):
            Runner(laid(told), tmp_path / "other.journal", told, **given)
    assert not (tmp_path / "other.journal").exists()


def test_one_that_hears_nothing_and_dials_nobody_spins(floor, tmp_path):
    told = described(["QueueImbalance"], floor.exchange.places, user="frm1a")
    doors = [Door(("", 0), "")]
    with Runner(laid(told), tmp_path / "d", told, places=[Place([])], doors=doors) as runner:
        runner.start()
        floor.until(lambda: runner.counts["timers"] > 20)
        assert runner.why == "" and runner.is_running
    assert replay(tmp_path / "d", laid).is_identical


def test_an_exchange_that_still_compiles_is_waited_for(tmp_path):
    file = tmp_path / "exchange.json"
    file.touch()
    with pytest.raises(InputError, match="says no order_entry of an exchange"):
        exchange_of(file)
    names = ("order_entry", "line_a", "line_b", "recovery", "midnight_ns", "session", "ticks")
    line = json.dumps(dict.fromkeys(names, 1)) + "\n"
    later = threading.Timer(0.5, lambda: file.write_text(line))
    later.start()
    assert exchange_of(file, 20.0)["session"] == 1


def test_another_runner_of_the_account_counts_on_and_hears_nothing_of_the_first(floor, tmp_path):
    first = begun(floor, tmp_path / "first.journal")
    trade(floor, 8)
    used = int(first.runner.live.gateway(0)["last_urn"])
    killed(first)
    second = begun(floor, tmp_path / "second.journal")
    gateway = second.runner.live.gateway(0)
    assert used > 5 and int(gateway["last_urn"]) >= used, "else the venue passes over what it sends"
    trade(
        floor, 40, until=lambda: int(second.runner.live.session.seats[0]["positions"]["fills"][0])
    )
    seat = second.runner.live.session.seats[0]
    assert int(seat["positions"]["fills"].sum()) > 0 and second.counts("reports") > 5
    assert int(gateway["strangers"]) <= 2, "the newest of the first one's, and one that came late"
    second.runner.stop()
    told = replay(second.folder, laid)
    assert told.is_identical, told.difference
    decoder = Decoder({"what": "runner"})
    said = [one for frame in frames(second.folder) for one in decoder.take(frame)]
    mine = [one["urn"] for one in said if one["kind"] == "SESSION_OUT" and "urn" in one]
    assert min(mine) > used
