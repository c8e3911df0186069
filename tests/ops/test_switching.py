"""`hft switch` as its user sees it: every one a process, and a watchdog beside them."""

from __future__ import annotations

import base64
import os
import signal
import time

import pytest
import small_release
from test_live_command_venues import Processes, free_ports, lines, until

import hftlib as hft
from hftlib.core.control.asking import told
from hftlib.core.errors import InputError, StateError
from hftlib.core.instruments import Instruments
from hftlib.core.journal.reading import frames
from hftlib.core.journal.writing import Journal
from hftlib.core.release.keys import save_key
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.replaying import about, replay
from hftlib.ops import switching
from hftlib.ops.carried import last_word
from hftlib.ops.drop_copy import DropCopy
from hftlib.ops.launching import laid
from hftlib.ops.switching import switch

BEGIN_S = 900.0
MAKER = '''
"""Quotes both sides."""

import hftlib as hft


@hft.strategy
class Maker:
    """Quotes both sides."""

    clip: int = hft.param(10, low=1, high=100)
    edge_ticks: int = hft.param(1, low=0, high=50)

    def on_book(self, ctx, i):
        b = ctx.book(i)
        if b.is_open and b.has_both:
            edge = self.edge_ticks * b.tick
            ctx.quote(i, bid=b.bid - edge, ask=b.ask + edge, quantity=self.clip)
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("switch")


@pytest.fixture(scope="module")
def processes(place):
    made = Processes(place)
    yield made
    made.end()


@pytest.fixture(scope="module")
def exchange(processes):
    made = processes.exchange("a", free_ports())
    return lines(made)[0]


@pytest.fixture(scope="module")
def control(place, processes, exchange):
    """A runner that trades, with limits, and a watchdog that looks at it."""
    (place / "maker.py").write_text(MAKER)
    (place / "limits.toml").write_text("[firm]\ndaily_loss_money = 100_000\n")
    path = place / "runner.socket"
    words = ["--exchange", "a.json", "--control", str(path), "--journal", "blue.journal", "--json"]
    words += ["--limits", "limits.toml", "--fee", "taker=1bp", "--symbols", "AAA"]
    processes.blue = processes.start("blue", "live", "maker.py:Maker", *words)
    until(lambda: lines(processes.blue), BEGIN_S, processes.blue)
    trades(path)
    return path


@pytest.fixture
def here(place, monkeypatch):
    monkeypatch.chdir(place)
    return place


def status(path):
    return told(path, {"do": "status"}, "runner")


def fills(path):
    return sum(one["fills"] for one in status(path)["positions"])


def trades(path, more=3):
    wanted = fills(path) + more
    until(lambda: fills(path) >= wanted)


def test_it_is_started_as_the_other_was(tmp_path):
    """Exchanges, accounts, mode, fees, hours and durability; what cannot be so is refused."""
    table = Instruments()
    table.add("AAA", venue="XNAS", tick=100)
    told_of = {
        "instruments": base64.b64encode(table.table.tobytes()).decode(),
        "fees_at": {"XNAS": {"taker": "1bp"}},
        "hours": {"calendar": "XNAS", "close_ns": 61 * 10**9, "end_ns": 10**9},
        "canary": {"share": 0.5},
        "limits": "[firm]",
        "mode": "canary",
    }
    with Journal.create(tmp_path / "day.journal", {}, durability="power") as journal:
        folder = str(journal.folder)
    launch = {"exchange": ["XNAS=/a.json"], "copy_user": ["XNAS=frm1d"], "scale": ["clip"]}
    launch |= {"cpu": 1, "busy": False, "end_ns": 0}
    found = {"launch": launch, "journal": folder, "mode": "canary", "links": [["XNAS", "frm1a"]]}
    words = switching._as_before(found, told_of, None) + switching._kept(found, "")
    text = " ".join(words)
    for part in (
        "--exchange XNAS=/a.json --copy-user XNAS=frm1d --user XNAS=frm1a --symbols AAA@XNAS",
        "--mode canary --share 0.5 --fee XNAS=taker=1bp",
        "--calendar XNAS --end-before-close 60.0 --cpu 1 --scale clip --json --durability power",
    ):
        assert part in text
    busy = found | {"launch": launch | {"busy": True, "end_ns": 1}}
    with pytest.raises(InputError, match="never lets go of processor 1"):
        switching._as_before(busy, told_of, None)
    words = switching._as_before(busy, told_of, 0)
    assert " ".join(words).endswith("--cpu 0 --scale clip --seconds 1.0 --busy --json")
    assert "--share" not in switching._as_before(found, told_of | {"canary": None}, None)
    with pytest.raises(InputError, match="limits of a canary"):
        switching._limits_of(told_of, tmp_path)
    with Journal.create(
        tmp_path / "two.journal", {}, durability="replicated", followed=True
    ) as one:
        folder = str(one.folder)
    replicated = found | {"journal": folder}
    with pytest.raises(StateError, match=r"follows that one alone.*--standby HOST:PORT"):
        switching._kept(replicated, "")
    own = {"--standby-lost": "degrade", "--standby-patience": 3.0, "--secret": ""}
    words = switching._kept(replicated | {"launch": launch | {"followed": own}}, "h:7")
    assert " ".join(words) == "--standby h:7 --standby-lost degrade --standby-patience 3.0"


def test_what_is_wrong_leaves_the_old_one_as_it_was(here, control):
    path = here / "maker.py"
    for words, given in (
        ("switched to one thing", {}),
        ("switched to one thing", {"strategies": ["maker.py:Maker"], "release": path}),
        ("The why is empty", {"strategies": ["maker.py:Maker"], "why": " "}),
        ("There is something already", {"strategies": ["maker.py:Maker"], "journal": here}),
    ):
        more = {"journal": here / "no.journal", "why": "test"} | given
        with pytest.raises(InputError, match=words):
            switch(control, **more)
    with pytest.raises(StateError, match="No runner listens"):
        switch(here / "none", journal=here / "no.journal", why="x", strategies=["maker.py:Maker"])
    with pytest.raises(StateError, match="old runner trades on"):
        switch(control, journal=here / "no.journal", why="x", strategies=["maker.py:Taker"])
    assert told(control, {"do": "hand_over", "step": "describe"}, "runner")["state"] == "trading"
    assert status(control)["pid"]
    assert not (here / "no.journal").exists()


def test_a_damaged_release_leaves_the_old_one_as_it_was(here, control):
    release = small_release.made(here / "releases").folder
    public = save_key(small_release.DESK, here / "desk.key", "a long enough passphrase")
    bad = release / "code" / "Maker.00.o"
    bad.write_bytes(bytes(reversed(bad.read_bytes())))
    before = fills(control)
    with pytest.raises(StateError, match=r"The old runner trades on"):
        switch(control, journal=here / "r.journal", why="x", release=release, trusted=public)
    assert status(control)["scopes"][0]["state"] == "active"
    until(lambda: fills(control) > before)


def test_a_new_one_that_is_killed_leaves_the_old_one_as_it_was(here, control, processes):
    words = ["switch", "maker.py:Maker", "--control", str(control), "--why", "killed"]
    one = processes.start("killed", *words, "--journal", "killed.journal", "--json")
    child = until(lambda: child_of(one.pid), 60, one)
    os.kill(child, signal.SIGKILL)
    assert one.wait(60) == 3
    assert "it ended with -9. The old runner trades on" in one.errors.read_text()
    trades(control, 1)


def child_of(process):
    for folder in os.listdir("/proc"):
        if folder.isdigit():
            try:
                with open(f"/proc/{folder}/stat") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == process:
                return int(folder)
    return 0


def test_a_switch_and_what_becomes_of_the_new_one_after_a_kill(here, control, processes, exchange):
    (here / "watch.toml").write_text("silence_ms = 5_000\nheartbeat_ms = 5_000\n")
    dog = processes.start("dog", "watchdog", "watch.toml", "--socket", str(control), "--json")
    until(lambda: lines(dog), BEGIN_S, dog)
    steps, begun = [], time.monotonic()
    done = switch(
        control,
        journal=here / "green.journal",
        why="tighter",
        who="ann",
        strategies=["maker.py:Maker"],
        params=["edge_ticks=0"],
        say=steps.append,
    )
    assert time.monotonic() - begun < 60
    assert 0 < done.gap_ms < 30_000
    assert "waits for a safe point of the other runner" in steps
    assert processes.blue.wait(30) == 0
    now = status(control)
    assert now["pid"] == done.pid
    assert now["strategies"][0]["parameters"]["edge_ticks"] == 0
    until(lambda: [one for one in lines(dog) if one["what"] == "follows"], 30, dog)
    follows = next(one for one in lines(dog) if one["what"] == "follows")
    assert follows["process"] == done.pid
    first, second = about(here / "blue.journal"), about(here / "green.journal")
    for name in ("limits", "fees", "instruments", "links", "feeds", "mode"):
        assert first.get(name) == second.get(name), name
    carried = last_word(here / "blue.journal")["handed_over"]
    assert (carried["who"], carried["why"]) == ("ann", "tighter")
    assert done.positions == carried["carried"]["positions"] and done.positions
    trades(control)
    assert dog.poll() is None
    dog.kill()

    os.kill(done.pid, signal.SIGKILL)
    usual = ["--exchange", "a.json", "--control", str(control), "--journal", "green.journal"]
    again = processes.start("again", "live", "--resume", *usual, "--json")
    until(lambda: any("goes on" in one.get("recovery", "") for one in lines(again)), 60, again)
    trades(control)
    again.send_signal(signal.SIGTERM)
    assert again.wait(30) == 143

    copy = DropCopy(tuple(exchange["drop_copy"]), "frm1d", "secret")
    copy.hear_to_the_end()
    until(lambda: copy.turn() or copy.is_at_the_end)
    copy.close()
    assert copy.standing == []
    total = 0
    for name in ("blue", "green"):
        folder = here / f"{name}.journal"
        found = replay(folder, laid)
        assert found.is_identical, found.difference
        decoder = Decoder(about(folder))
        told_of = (one for frame in frames(folder) for one in decoder.take(frame))
        total += sum(one["what"] == "executed" for one in told_of)
    assert total == copy.executions, "each once, in one of the two"
    fills = hft.journal_result(here / "green.journal").fills
    assert int(fills.position.iloc[-1]) == copy.positions["AAA"], "with what was carried"
