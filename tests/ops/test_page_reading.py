"""A runner's page: what others see of it while it answers, while it does not, and afterwards."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from floor_trial import Trial, settled, trade

from hftlib.core.arena import Arena
from hftlib.core.control.asking import told
from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.mapping import shared_memory
from hftlib.ops.page import LEFT_MAX, Page, _clear
from hftlib.ops.page_reading import PageReader, page_path, stands
from hftlib.ops.status import status
from hftlib.ops.watch_line import Sight
from hftlib.ops.watch_rules import Rules
from hftlib.ops.watchdog import Watchdog

LIES = (
    ("feed_0", "state", 99),
    ("feed_0", "reason", -3),
    ("gateway_0", "state", 1 << 40),
    ("scopes", "state", 7),
    ("desk", "length", 1 << 50),
    ("desk", "length", 3),
)
PROGRAM = [sys.executable, "-c", "from hftlib.cli import main; main()"]
# A runner whose thread that dials and answers stands still once a file is there: in a system call
# that lets other threads go on, as a full disk or a slow terminal does it.
HELD_UP = """
import sys, time
from pathlib import Path
from hftlib.ops.page import LEFT_MAX, Page, _clear
turn, flag = Page.turn, Path(sys.argv.pop(1))
def held(self, leaves=False):
    turn(self, leaves)
    while flag.exists():
        time.sleep(0.05)
Page.turn = held
from hftlib.cli import main
main()
"""


@pytest.fixture
def paged(floor, tmp_path):
    """A runner that trades, with its page beside it."""
    trial = Trial(floor, tmp_path / "day.journal")
    page = Page(trial.runner, tmp_path / "runner.page")
    trial.runner.start()
    trade(floor, 20)
    yield trial, page
    trial.runner.stop()
    page.remove()


def test_a_page_says_what_the_status_says(floor, paged):
    trial, page = paged
    floor.until(
        lambda: trial.counts("commands") > 4 and status(trial.runner)["positions"][0]["bid"]
    )
    settled(trial)
    with PageReader(page.path) as reader:
        seen, said = reader.status(), status(trial.runner)
    assert not seen["page"]["is_left"] and not seen["page"]["is_torn"]
    for name in said.keys() - {"time_ns", "clock", "counts", "latencies_ns"}:
        assert seen[name] == said[name], name
    counts = seen["counts"] | {"journaled": said["counts"]["journaled"]}
    assert counts == said["counts"] and counts["commands"] > 4
    assert seen["latencies_ns"] == said["latencies_ns"]
    assert stat.S_IMODE(page.path.stat().st_mode) == 0o600


def test_its_heartbeat_goes_on_without_the_thread_that_answers(floor, paged):
    _, page = paged
    with PageReader(page.path) as reader:
        first = reader.status()
        until = time.monotonic() + 10
        while reader.status()["counts"]["frames"] < first["counts"]["frames"] + 20:
            assert time.monotonic() < until  # nobody turns the runner here
        assert reader.status()["page"]["age_ns"] < 5e9


def test_many_pieces_are_copied_in_turn(floor, paged):
    trial, page = paged
    settled(trial)
    assert len(page._pieces) > 6 and page._pieces["length"].max() <= 1 << 14
    others = ("about", "desk", "latencies", "trails", "counts", "moments", "views", "working")
    copied = [name for name in page.arena.names if name not in others]
    before = {name: page.arena[name].tobytes() for name in copied}
    for name in copied:
        page.arena[name].view("u1")[:] = 255
    from hftlib.engine.live.publishing import publish

    for _ in range(10):
        publish(int(trial.runner.record["copying"]), trial.runner.live.address)
    with PageReader(page.path) as reader:
        assert reader.status()["counts"]["frames"] == int(trial.runner.live.header["frames"])
    assert {name: page.arena[name].tobytes() for name in copied} == before


def spoilt(page: Path, how: str) -> None:
    data = bytearray(page.read_bytes())
    if how == "empty":
        data = bytearray()
    elif how == "short":
        del data[len(data) // 2 :]
    elif how == "letters":
        data[:] = os.urandom(len(data))
    elif how == "text":
        data[192:200] = b"nonsense"
    elif how == "version":
        data[8] = 9
    page.write_bytes(data)


def test_what_is_no_page_is_a_sentence(paged, tmp_path):
    copy = tmp_path / "copy.page"
    for how in ("empty", "short", "letters", "text", "version"):
        copy.write_bytes(paged[1].path.read_bytes())
        copy.chmod(0o600)
        spoilt(copy, how)
        with pytest.raises(HftError) as said:
            PageReader(copy)
        assert "page" in str(said.value) or "arena" in str(said.value), how


def test_a_page_that_lies_is_a_sentence(paged, tmp_path):
    _, page = paged
    for n, (name, field, value) in enumerate(LIES):
        copy = page.arena.save(tmp_path / f"copy{n}.page")
        with Arena.open(copy, writable=True) as arena:
            arena[name][field] = value
        with PageReader(copy) as reader, pytest.raises(StateError, match="nonsense"):
            reader.status()


def test_a_page_of_random_bytes_behind_a_right_layout_never_crashes(paged, tmp_path):
    copy = paged[1].arena.save(tmp_path / "copy.page")
    for seed in range(20):
        with Arena.open(copy, writable=True) as arena:
            for name in arena.names:
                if name not in ("about", "desk"):
                    noise = os.urandom(arena[name].nbytes) if seed else b"\xff" * arena[name].nbytes
                    arena[name].view("u1")[:] = memoryview(noise)
        with PageReader(copy) as reader:
            try:
                reader.status()
            except StateError as error:
                assert "nonsense" in str(error)


def test_a_page_that_others_may_write_or_that_is_cut_short_is_a_sentence(paged, tmp_path):
    copy = paged[1].arena.save(tmp_path / "copy.page")
    copy.chmod(0o666)
    with pytest.raises(InputError, match="somebody else"):
        PageReader(copy)
    copy.chmod(0o600)
    with PageReader(copy) as reader:
        os.truncate(copy, 4096)
        with pytest.raises(StateError, match="cut short"):
            reader.status()
    (tmp_path / "link.page").symlink_to(copy)
    with pytest.raises(StateError, match="cannot be read"):
        PageReader(tmp_path / "link.page")
    with pytest.raises(StateError, match="No such file"):
        PageReader(tmp_path / "none.page")


def test_a_page_of_another_process_is_not_believed(paged, tmp_path):
    socket = tmp_path / "some.socket"
    there = page_path(socket)
    paged[1].arena.save(there)
    try:
        sight = Sight(socket, process=1)
        assert sight.last() is None and "of another process" in sight.wrong
        own = Sight(socket, process=os.getpid())
        assert own.last()["pid"] == os.getpid() and not own.wrong
    finally:
        there.unlink()


def test_pages_of_killed_runners_are_cleared_but_the_newest(paged, tmp_path):
    """Who is gone says so by its process; a page that lives, and one that is none, stay."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    lives = tmp_path / shared_memory("page-lives").name
    paged[1].arena.save(lives)
    (none := tmp_path / shared_memory("page-none").name).write_text("no page")
    for n in range(LEFT_MAX + 3):
        one = paged[1].arena.save(tmp_path / shared_memory(f"page-{n}").name)
        with Arena.open(one, writable=True) as arena:
            about = arena["about"].tobytes()
            pid = f'"pid": {os.getpid()}'.encode()
            other = f'"pid": {gone.pid}'.encode().ljust(len(pid))
            assert pid in about and len(other) == len(pid)
            arena["about"][:] = np.frombuffer(about.replace(pid, other), np.uint8)
        os.utime(one, (n + time.time() - 100, n + time.time() - 100))
    _clear(tmp_path / shared_memory("page-mine").name)
    stay = {one.name.rpartition("-")[2] for one in tmp_path.glob("*page-*")}
    assert stay == {"lives", "none"} | {str(n) for n in range(3, LEFT_MAX + 3)}
    assert lives.exists() and none.exists()


def started(tmp_path, flag):
    given = ["live", "QueueImbalance", "--exchange", "exchange.json", "--journal", "day.journal"]
    return subprocess.Popen(
        [sys.executable, "-c", HELD_UP, str(flag), *given, "--json"],
        cwd=tmp_path, stdout=subprocess.PIPE,
    )  # fmt: skip


def test_a_watchdog_sees_what_a_held_up_runner_holds_and_after_its_end(
    floor, tmp_path, monkeypatch
):
    """It does not answer, and breaks a rule: the rule is what it is ended for, and not silence."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "exchange.json").write_text(json.dumps(floor.exchange.places) + "\n")
    flag, said = tmp_path / "held", []
    runner = started(tmp_path, flag)
    try:
        before = floor.exchange.counts["heard"]
        floor.until(lambda: floor.exchange.counts["heard"] > before, 600)
        socket = Path(json.loads(runner.stdout.readline())["control"])
        page = page_path(socket)
        trade(floor, 3)
        assert told(socket, {"do": "status"}, "runner")["pid"] == runner.pid
        rules = Rules(silence_ms=3_000, heartbeat_ms=20_000, grace_ms=500, position=1)
        dog = Watchdog(socket, rules, lambda what, more: said.append((what, more)))
        dog.begin()
        flag.touch()
        with pytest.raises(StateError, match="did not answer"):
            told(socket, {"do": "status"}, "runner", patience_s=0.5)
        found = stands(socket, 0.2)
        assert found["pid"] == runner.pid and found["page"]["age_ns"] < 5e9
        assert found["is_running"]
        shown = subprocess.run(
            [*PROGRAM, "status", "--socket", str(socket)],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "does not answer: this is what its page says" in " ".join(shown.stdout.split())
        with PageReader(page) as reader:

            def holds():
                return any(one["quantity"] for one in reader.status()["positions"])

            for _ in range(20):
                trade(floor, 400, holds)
                time.sleep(0.2)  # the market stands still; what was on its way arrives
                if holds():
                    break
            while not dog.over:
                dog.step()
        assert [what for what, _ in said] == ["watching", "halting", "ended"], said
        assert "the rule is 1" in said[1][1]["why"]
        ended = said[2][1]
        assert "did not hear" in ended["why"] and any(ended["held"].values())
        assert runner.wait(20) == -signal.SIGKILL
        with PageReader(page) as reader:  # it is there after the kill
            last = reader.status()
        assert last["page"]["is_left"] and not last["is_running"]
        assert {o["symbol"]: o["quantity"] for o in last["positions"] if o["quantity"]} == {
            one.partition("@")[0]: count for one, count in ended["held"].items()
        }
        page.unlink()
    finally:
        flag.unlink(missing_ok=True)
        runner.kill()
        runner.wait()


def test_a_page_goes_with_the_day(floor, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "exchange.json").write_text(json.dumps(floor.exchange.places) + "\n")
    runner = started(tmp_path, tmp_path / "never")
    try:
        before = floor.exchange.counts["heard"]
        floor.until(lambda: floor.exchange.counts["heard"] > before, 600)
        socket = Path(json.loads(runner.stdout.readline())["control"])
        page = page_path(socket)
        assert page.exists() and stat.S_IMODE(page.stat().st_mode) == 0o600
        trade(floor, 3)
        asked = [*PROGRAM, "status", "--socket", str(socket), "--json"]
        said = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
        assert "page" not in said and said["is_running"]  # it answered, and its page adds
        assert {one["symbol"] for one in said["ladders"]} == {"AAA", "BBB"}
        assert said["limits"] and {"orders", "fills", "refusals"} <= said.keys()
        runner.terminate()
        floor.until(lambda: runner.poll() is not None, 60)
        assert not page.exists()
    finally:
        runner.kill()
        runner.wait()
