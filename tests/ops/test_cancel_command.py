"""The venue asked itself, by real processes: a runner that is stopped or killed leaves nothing.

HFT_ORDERS=10000 python -m pytest -s tests/ops/test_cancel_command.py -k measured
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

import pytest
from floor_desk import groups

from hftlib.core import ouch
from hftlib.core.soup import frames
from hftlib.engine.live.replaying import replay
from hftlib.ops.cancel_session import CancelSession
from hftlib.ops.drop_copy import DropCopy
from hftlib.ops.last_resort import LastResort, see_through
from hftlib.ops.launching import laid

ORDERS = int(os.environ.get("HFT_ORDERS", "200"))
PROGRAM = [sys.executable, "-c", "from hftlib.cli import main; main()"]
CONFIGURATION = """
[exchange]
line_a_group = "{line_a_group}"
line_b_group = "{line_b_group}"
orders_max = 32768
[[symbols]]
name = "AAA"
[[firms]]
name = "FRM1"
[[accounts]]
user = "frm1a"
password = "secret"
firm = "FRM1"
cancel_on_disconnect = false
[[accounts]]
user = "frm1d"
password = "secret"
firm = "FRM1"
hears = "drop copy"
[[accounts]]
user = "frm1k"
password = "secret"
firm = "FRM1"
purges = true
[market]
flow = "agents"
events_per_second = 100
"""
STRATEGY = '''
import hftlib as hft


@hft.strategy
class Rests:
    """Orders far from the market, which stand until somebody takes them back."""

    sent: int = hft.state()

    def on_book(self, ctx, i):
        b = ctx.book(i)
        # The first may be refused: the books can be whole before the session is open.
        if ctx.open_orders(i) < 20 and self.sent < 40 and b.is_open and b.has_both:
            if ctx.buy(i, b.bid - (100.0 + self.sent) * b.tick, 100) > 0:
                self.sent += 1
'''


class Scene:
    """An exchange, and whatever is started beside it; all of them processes."""

    def __init__(self, folder):
        self.folder, self.others = folder, []
        (folder / "exchange.toml").write_text(CONFIGURATION.format(**groups()))
        (folder / "rests.py").write_text(STRATEGY)
        with (folder / "exchange.json").open("w") as file:
            given = ["exchange", "--config", "exchange.toml", "--json"]
            self.others.append(subprocess.Popen([*PROGRAM, *given], cwd=folder, stdout=file))
        until(lambda: (folder / "exchange.json").read_text().endswith("\n"), 300)
        self.places = json.loads((folder / "exchange.json").read_text().splitlines()[0])

    def start(self, *given, **more):
        made = subprocess.Popen(
            [*PROGRAM, *given], cwd=self.folder, stdout=subprocess.PIPE, text=True, **more
        )
        self.others.append(made)
        return made

    def runner(self):
        """One that has orders standing; and the process."""
        given = ["rests.py:Rests", "--exchange", "exchange.json", "--journal", "day.journal"]
        made = self.start("live", *given, "--json")
        json.loads(made.stdout.readline())
        copy = self.copy()
        until(lambda: (copy.turn(), len(copy.standing))[1] >= 20, 30)
        copy.close()
        return made

    def copy(self):
        return DropCopy(tuple(self.places["drop_copy"]), "frm1d", "secret")

    def standing(self):
        """What the venue says stands now."""
        copy = self.copy()
        copy.hear_to_the_end()
        until(lambda: (copy.turn(), copy.is_at_the_end)[1], 30)
        copy.close()
        return copy.standing

    def close(self):
        for one in reversed(self.others):
            one.kill()
            one.wait()
            if one.stdout is not None:
                one.stdout.close()


def until(holds, seconds):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    made = Scene(tmp_path)
    yield made
    made.close()


def told(process):
    """Each line of JSON until it ends."""
    return [json.loads(line) for line in process.stdout]


def test_a_stopped_runner_is_ended_and_its_orders_are_taken_back_at_the_venue(scene):
    (scene.folder / "watch.toml").write_text("silence_ms = 300\nheartbeat_ms = 10_000\n")
    runner = scene.runner()
    given = ["--exchange", "exchange.json", "--cancel-user", "frm1k", "--json"]
    dog = scene.start("watchdog", "watch.toml", *given)
    assert json.loads(dog.stdout.readline())["process"] == runner.pid
    time.sleep(1.0)  # its session at the venue stands by then
    os.kill(runner.pid, signal.SIGSTOP)
    said = told(dog)
    words = [one["what"] for one in said if one["what"] != "waits"]
    assert words == ["cancelling", "ended", "asked", "answered", "nothing stands"]
    assert said[-1]["cancelled"] == 20 and dog.wait(20) == 1
    assert runner.wait(20) == -signal.SIGKILL and not scene.standing()
    again = replay(scene.folder / "day.journal", laid)
    assert again.is_identical, again.difference
    print({one["what"]: one["after_ms"] for one in said if "after_ms" in one})


def test_a_runner_that_was_killed_by_somebody_else_leaves_nothing_either(scene):
    (scene.folder / "watch.toml").write_text("silence_ms = 5_000\nheartbeat_ms = 10_000\n")
    runner = scene.runner()
    given = ["--exchange", "exchange.json", "--cancel-user", "frm1k", "--json"]
    dog = scene.start("watchdog", "watch.toml", *given)
    dog.stdout.readline()
    runner.kill()
    said = told(dog)
    assert "the runner is gone" in {one.get("why") for one in said}
    assert said[-1]["what"] == "nothing stands" and dog.wait(20) == 1 and not scene.standing()


def test_a_person_cancels_all_without_a_runner_and_two_let_orders_in_again(scene):
    scene.runner().kill()
    assert len(scene.standing()) >= 20
    common = ["--exchange", "exchange.json", "--json"]
    done = scene.start("cancel-all", "--why", "the host is lost", *common)
    said = told(done)
    assert done.wait() == 0 and [one["what"] for one in said][-2:] == [
        "nothing stands",
        "cancelled",
    ]
    assert len(said[-1]["orders"]) == said[-2]["cancelled"] == 20
    first = said[-1]["orders"][0]
    assert (first["of"], first["side"], first["quantity"]) == (1, "B", 100)
    assert not scene.standing()
    alone = scene.start("allow-entry", "--why", "x", "--who", "ann", "--second", "ann", *common)
    assert alone.wait() == 2
    both = scene.start("allow-entry", "--why", "x", "--who", "ann", "--second", "bob", *common)
    assert told(both)[-1]["what"] == "entry is allowed" and both.wait() == 0


def test_what_cannot_be_done_is_said_and_not_waited_for_for_ever(scene):
    given = ["--exchange", "exchange.json", "--why", "x", "--seconds", "1.5"]
    wrong = scene.start("cancel-all", "--user", "frm1x", *given, stderr=subprocess.PIPE)
    _out, error = wrong.communicate(timeout=60)
    assert wrong.returncode == 3 and "it is not known that nothing stands" in error
    no_proof = scene.start("cancel-all", "--copy-user", "", *given, stderr=subprocess.PIPE)
    _out, error = no_proof.communicate(timeout=60)
    assert no_proof.returncode == 3 and "nothing proves" in error
    (scene.folder / "watch.toml").write_text("silence_ms = 300\n")
    dog = scene.start("watchdog", "watch.toml", "--cancel-user", "frm1k", stderr=subprocess.PIPE)
    _out, error = dog.communicate(timeout=60)
    assert dog.returncode == 2 and "No exchange is named to cancel at" in error


def test_many_orders_measured(scene):
    """From the wish to the venue's answer, and until the drop copy has told of each of them."""
    with socket.create_connection(tuple(scene.places["order_entry"])) as ann:
        ann.sendall(frames.login("frm1a", "secret", sequence=1))
        usual = {"symbol": "AAA", "tif": "0", "display": "Y", "capacity": "P", "iso": "N"}
        usual |= {"side": "B", "quantity": 100, "cross": "N"}
        for urn in range(1, ORDERS + 1):
            order = ouch.inbound("O", urn=urn, price=f"{80 + urn % 1000 / 100:.2f}", **usual)
            ann.sendall(frames.encode(b"U", bytes(order)))
            ann.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                ann.recv(1 << 20)
            ann.setblocking(True)
        said = {}
        copy = scene.copy()
        session = CancelSession(tuple(scene.places["order_entry"]), "frm1k", "secret")
        resort = LastResort(session, copy, lambda what, more: said.update({what: more}))
        until(lambda: (resort.turn(), copy.turn(), len(copy.standing))[2] == ORDERS, 120)
        until(lambda: (resort.turn(), session.is_open)[1], 20)
        resort.begin("measured")
        assert see_through(resort, 60)
        resort.close()
    assert said["nothing stands"]["cancelled"] == ORDERS and not scene.standing()
    print(f"{ORDERS:,} orders:", {what: one.get("after_ms") for what, one in said.items()})


def test_it_may_be_done_again_at_once(scene):
    """Two at the same time take the account from each other, and both get there."""
    place = tuple(scene.places["order_entry"])
    made = [
        LastResort(CancelSession(place, "frm1k", "secret"), scene.copy(), lambda *_: None)
        for _ in range(2)
    ]
    for one in made:
        one.begin("twice")
    assert see_through(made[0], 20) and see_through(made[1], 20)
    for one in made:
        one.close()
