"""`hft switch` in each mode, and with a standby: the new one is what the old one was."""

from __future__ import annotations

import os
import signal

import pytest
from test_live_command_venues import BEGIN_S, IDEA, Desk, Processes, free_ports, lines, until

from hftlib.core.errors import InputError, StateError
from hftlib.core.journal import kinds, verify
from hftlib.core.journal.reading import frames
from hftlib.engine.live.replaying import about, replay
from hftlib.ops.carried import last_word
from hftlib.ops.launching import laid
from hftlib.ops.switching import switch

LIMITS = '[instrument."*"]\nposition_lots = 4_000\n[firm]\ndaily_loss_money = 1_000_000\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = tmp_path_factory.mktemp("modes")
    (made / "ideas.py").write_text(IDEA)
    (made / "limits.toml").write_text(LIMITS)
    return made


@pytest.fixture(scope="module")
def processes(place):
    made = Processes(place)
    for name in "ab":
        made.exchange(name, free_ports())
    yield made
    made.end()


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


def begun(processes, name, *words):
    """A runner that trades at each of its venues."""
    control = processes.folder / f"{name}.socket"
    usual = ["--journal", f"{name}.journal", "--control", str(control), "--json"]
    made = processes.start(name, "live", *words, *usual)
    until(lambda: lines(made), BEGIN_S, made)
    desk = Desk(control)
    for one in desk.status["links"]:
        desk.trades(one["venue"], 4)
    return made, desk


def switched(blue, desk, name, **given):
    """To another of its kind; both, and what the old one said last."""
    folder = desk.path.parent
    given = {"strategies": ["ideas.py:Both"], "params": ["every=30000000"]} | given
    done = switch(desk.path, journal=folder / f"{name}.journal", why="slower", **given)
    assert blue.wait(30) == 0
    found = desk.status
    assert found["pid"] == done.pid
    assert found["strategies"][0]["parameters"]["every"] == 30_000_000
    for one in found["links"]:
        desk.trades(one["venue"], 4)
    return done, found


def both_replay(folder, *names):
    """What they were is the same, and each goes out again."""
    first, second = (about(folder / f"{name}.journal") for name in names)
    for name in ("mode", "shadow", "shadow_at", "links", "feeds", "instruments", "fees"):
        assert first.get(name) == second.get(name), name
    for name in names:
        told = replay(folder / f"{name}.journal", laid)
        assert told.is_identical and told.compared, told.difference
    return first, second


def test_a_shadow_of_two_venues(processes, here):
    exchanges = ["--exchange", "XNAS=a.json", "--exchange", "XBOS=b.json", "--symbols", "AAA"]
    words = ["--mode", "shadow", "--latency-us", "40", "--latency-us", "XBOS=90"]
    blue, desk = begun(processes, "one", "ideas.py:Both", *exchanges, *words)
    done, found = switched(blue, desk, "two")
    assert found["mode"] == "shadow"
    assert "40 us (XNAS), 90 us (XBOS)" in found["mode_says"]
    assert [one["state"] for one in found["links"]] == ["MODEL", "MODEL"]
    carried = last_word(here / "one.journal")["handed_over"]["carried"]
    assert done.positions == carried["positions"]
    ended(desk, done)
    both_replay(here, "one", "two")
    for name in ("one", "two"):
        seen = {one.kind for one in frames(here / f"{name}.journal")}
        assert kinds.SHADOW in seen and not seen & {kinds.SESSION_OUT, kinds.SESSION_IN}


def ended(desk, done):
    os.kill(done.pid, signal.SIGTERM)
    until(lambda: last_word(done.journal) is not None)
    until(lambda: not desk.path.exists())


def test_a_canary_keeps_its_share_of_what_is_given_again(processes, here):
    words = ["--mode", "canary", "--share", "0.5", "--limits", "limits.toml"]
    given = ["QueueImbalance", "-p", "clip=100", "--exchange", "a.json", "--symbols", "AAA"]
    blue, desk = begun(processes, "three", *given, *words)
    with pytest.raises(InputError, match=r"limits of a canary.*--limits"):
        switch(desk.path, journal=here / "no.journal", why="x", strategies=["QueueImbalance"])
    given = {"strategies": ["QueueImbalance"], "params": ["clip=60"]}
    done = switch(
        desk.path, journal=here / "four.journal", why="less", limits=here / "limits.toml", **given
    )
    assert blue.wait(30) == 0
    found = desk.status
    assert found["mode_says"].startswith("canary of 0.5")
    assert found["strategies"][0]["parameters"]["clip"] == 30
    desk.trades(found["links"][0]["venue"], 4)
    ended(desk, done)
    first, second = both_replay(here, "three", "four")
    assert first["limits"] == second["limits"] and "position_lots = 2000\n" in second["limits"]


def test_one_that_is_live_and_has_a_standby_goes_to_another_with_its_own(processes, here):
    standbys = [standby(processes, name) for name in ("east", "west")]
    words = ["--mode", "live", "--yes", "--limits", "limits.toml", "--standby", standbys[0][1]]
    given = ["ideas.py:Both", "--exchange", "b.json", "--standby-patience", "9"]
    blue, desk = begun(processes, "five", *given, *words)
    for more, match in (
        ({"yes": True}, r"follows that one alone.*--standby HOST:PORT"),
        ({"standby": standbys[1][1]}, r"Nobody is at a terminal.*Give --yes"),
    ):
        with pytest.raises(StateError, match=match):
            switch(desk.path, journal=here / "no.journal", why="x", strategies=["ideas.py:Both"],
                   **more)  # fmt: skip
    desk.trades(desk.status["links"][0]["venue"], 4)
    done, found = switched(blue, desk, "six", yes=True, standby=standbys[1][1])
    assert found["mode"] == "live" and found["standby"]["address"] == standbys[1][1]
    assert standbys[0][0].wait(30) == 0, "the journal that it followed was closed"
    ended(desk, done)
    assert standbys[1][0].wait(30) == 0
    both_replay(here, "five", "six")
    for name, copy in (("five", "east"), ("six", "west")):
        assert verify(here / f"{copy}.copy").is_whole
        last, there = last_word(here / f"{name}.journal"), last_word(here / f"{copy}.copy")
        assert last == there


def standby(processes, name):
    """Its process, and where it listens."""
    words = ["--listen", "127.0.0.1:0", "--journal", f"{name}.copy", "--json", "--control", "off"]
    made = processes.start(name, "standby", *words)
    until(lambda: lines(made), 60, made)
    return made, lines(made)[0]["at"]
