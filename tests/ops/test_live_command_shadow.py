"""A shadow of two exchanges, all of them processes: a model of each answers, nothing is sent."""

from __future__ import annotations

import signal

import pytest
from test_live_command_venues import BEGIN_S, IDEA, Desk, Processes, free_ports, lines, until

import hftlib as hft
from hftlib.core.errors import InputError
from hftlib.core.journal import kinds
from hftlib.core.journal.reading import frames
from hftlib.core.journal.showing import summary
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.replaying import about, replay
from hftlib.ops.drop_copy import DropCopy
from hftlib.ops.exchanges import Exchanges
from hftlib.ops.launching import laid
from hftlib.ops.page_reading import PageReader, page_path
from hftlib.research.journal_feed import JournalFeed
from hftlib.strategy.files import strategy_named

VENUES = ("XNAS", "XBOS")
BOTH = ["--exchange", "XNAS=a.json", "--exchange", "XBOS=b.json", "--symbols", "AAA"]
FAR = ["--latency-us", "50", "--latency-us", "XBOS=400"]
OTHERWISE = {"twice_mid"}  # as in tests/engine/live/test_shadow.py


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = tmp_path_factory.mktemp("shadows")
    (made / "ideas.py").write_text(IDEA)
    return made


@pytest.fixture(scope="module")
def processes(place):
    made = Processes(place)
    for name in "ab":
        made.exchange(name, free_ports())
    yield made
    made.end()


def shadow(processes, name, *more):
    """One that has begun, and how to ask it."""
    control = processes.folder / f"{name}.socket"
    words = ["--journal", f"{name}.journal", "--control", str(control), "--json", *more]
    made = processes.start(name, "live", *words)
    until(lambda: lines(made), BEGIN_S, made)
    return made, Desk(control)


def ended(process, folder):
    """Told to end its day; all of it, once it is known to replay."""
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) in (0, 143), process.errors.read_text()
    told = replay(folder, laid)
    assert told.is_identical and told.compared > 20, told.difference
    return list(frames(folder))


def test_each_venue_has_a_model_and_its_fills_are_a_backtests(processes, place):
    words = ["ideas.py:Both", "QueueImbalance", *BOTH, "--mode", "shadow", *FAR]
    runner, desk = shadow(processes, "day", *words)
    began = lines(runner)[0]
    assert began["shadow"]["order_ns"] == 50_000
    assert began["shadow_at"]["XBOS"]["report_ns"] == 400_000
    for venue in VENUES:
        desk.trades(venue, 20)
    found = desk.status
    assert found["mode_says"].startswith("shadow, 50 us (XNAS), 400 us (XBOS) to the models")
    with PageReader(page_path(desk.path)) as page:
        told = [found["links"], page.status()["links"]]
    for links in told:
        assert [(one["venue"], one["state"], one["is_up"]) for one in links] == [
            ("XNAS", "MODEL", False),
            ("XBOS", "MODEL", False),
        ]
        assert all(one["commands"] > 6 and one["reports"] > 6 for one in links)

    folder = place / "day.journal"
    kept = ended(runner, folder)
    assert not {one.kind for one in kept} & {kinds.SESSION_OUT, kinds.SESSION_IN}
    decoder = Decoder(about(folder))
    said = [one for frame in kept if frame.kind == kinds.SHADOW for one in decoder.take(frame)]
    assert {(one["source"], one["venue"]) for one in said} == {(0, "XNAS"), (1, "XBOS")}
    assert all(one["instrument"] == one["source"] for one in said if "instrument" in one)
    for venue in VENUES:
        mine = [one for one in said if one["venue"] == venue]
        assert {one["what"] for one in mine} >= {"new", "accepted", "filled"}
    assert summary(folder).venues == "XNAS, XBOS"
    for name in "ab":
        nothing_stood(processes, name)
    fills_of_a_backtest(folder, place)


def nothing_stood(processes, name):
    """The firm's drop copy, from the session's first message on: it has none."""
    exchange = Exchanges([processes.folder / f"{name}.json"], "test").told()["HFTX"]
    copy = DropCopy(tuple(exchange["drop_copy"]), "frm1d", "secret")
    until(lambda: copy.turn() or copy.is_whole)
    assert copy.executions == 0 and copy.standing == []
    copy.close()


def fills_of_a_backtest(folder, place):
    tape = hft.to_tape(JournalFeed(folder, about(folder)))
    both = [strategy_named(one) for one in (f"{place / 'ideas.py'}:Both", "QueueImbalance")]
    venues = {"XNAS": hft.Venue(order_latency="50us"), "XBOS": hft.Venue(order_latency="400us")}
    wanted, found = hft.backtest(both, tape, venue=venues), hft.journal_result(folder)
    assert "50 us (XNAS), 400 us (XBOS) away" in " ".join(found.about["not told"])
    # On the tape nobody tells the strategies that their day is over.
    end = next(one.time for one in frames(folder) if one.name == "CONNECTED")
    ours, theirs = (
        one.records["fills"][one.records["fills"]["received"] < min(end, tape.end)]
        for one in (found, wanted)
    )
    assert len(ours) == len(theirs) > 10
    assert set(ours["instrument"]) == {0, 1} == set(found.records["orders"]["strategy"])
    # Ours are numbered as we hear of them, a backtest's as venues fill them.
    for name in set(ours.dtype.names) - OTHERWISE - {"number"}:
        assert ours[name].tolist() == theirs[name].tolist(), name


def test_killed_it_goes_on_and_one_that_is_gone_is_stale_for_itself(processes, place):
    words = ["ideas.py:Both", *BOTH, "--mode", "shadow"]
    runner, desk = shadow(processes, "killed", *words)
    for venue in VENUES:
        desk.trades(venue, 4)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    again, desk = shadow(processes, "killed", *BOTH[:4], "--resume")
    until(lambda: any("goes on" in one.get("recovery", "") for one in lines(again)), 60, again)
    before = desk.status
    assert before["mode"] == "shadow" and all(desk.fills(venue) >= 4 for venue in VENUES)
    for venue in VENUES:
        desk.trades(venue, 4)
    second = processes.every[1]
    second.send_signal(signal.SIGSTOP)
    try:
        until(lambda: desk.status["feeds"][1]["state"] == "SILENT")
        desk.trades("XNAS", 4)
        assert [one["state"] for one in desk.status["links"]] == ["MODEL", "MODEL"]
    finally:
        second.send_signal(signal.SIGCONT)
    desk.trades("XBOS", 4)
    kept = ended(again, place / "killed.journal")
    assert not {one.kind for one in kept} & {kinds.SESSION_OUT, kinds.SESSION_IN}


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (["XLON=50"], "There is no venue 'XLON' here"),
        (["near"], "'near' is no number"),
        (["XBOS=nan"], "'nan' is no number"),
        (["50", "60"], "--latency-us is given twice for all"),
    ],
)
def test_what_is_no_distance_is_a_sentence(given, match):
    exchanges = Exchanges(["XNAS=a.json", "XBOS=b.json"], "hft live")
    assert exchanges.latencies([]) == (None, {})
    assert exchanges.latencies(["50"]) == (50.0, {})
    assert exchanges.latencies(["50", "XBOS=120"]) == (None, {"XNAS": 50.0, "XBOS": 120.0})
    with pytest.raises(InputError, match=match):
        exchanges.latencies(given)
