"""An exchange that is killed at any moment, under traffic, and started again on its journal."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from floor_desk import BUY, Desk, Ears, Plain, groups

from hftlib.core import clock, orders
from hftlib.core.events import SELL
from hftlib.core.journal import frames, kinds
from hftlib.execution import sending
from hftlib.venue.floor.replaying import digest, replayed
from hftlib.venue.floor.tell_command import told

ROOT = Path(__file__).parents[3]
PROGRAM = "from hftlib.cli import main; main()"
START_S, PATIENCE_S = 600.0, 100.0  # the first start may compile everything
KILLS = 3
CONFIGURATION = """
[exchange]
line_a_group = "{line_a_group}"
line_b_group = "{line_b_group}"
feed_messages_max = 1_000_000
[[symbols]]
name = "AAA"
[[symbols]]
name = "BBB"
[[firms]]
name = "FRM1"
[[firms]]
name = "FRM2"
[market]
flow = "agents"
events_per_second = 50
"""
ACCOUNT = '[[accounts]]\nuser = "{}"\npassword = "secret"\nfirm = "{}"\nhears = "{}"\n'


class Loyal(Plain):
    """A client that comes back to where it was, as long as there is somebody to come back to."""

    def turn(self) -> None:
        try:
            if self.socket.fileno() < 0:
                fresh = Plain(self.place, self.user, max(self.next, 1))
                self.socket, self.frames = fresh.socket, fresh.frames
            if self.socket.recv(1, socket.MSG_PEEK):
                super().turn()
            elif not self.is_over:
                self.socket.close()
        except BlockingIOError:
            return
        except OSError:
            self.socket.close()

    def __init__(self, place: list[Any], user: str) -> None:
        self.place, self.user = place, user
        super().__init__(place, user)


class Process:
    """`hft exchange` on a journal; `start` again and again. `others` get a turn while we wait."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.journal = folder, folder / "day.journal"
        users = [(f"frm{n}{letter}", f"FRM{n}", letter) for n in (1, 2) for letter in "ad"]
        text = "".join(
            ACCOUNT.format(user, firm, "orders" if letter == "a" else "drop copy")
            for user, firm, letter in users
        )
        (folder / "exchange.toml").write_text(CONFIGURATION.format(**groups()) + text)
        self.others: list[Any] = []
        self.process: subprocess.Popen[str] | None = None
        self.lines: list[dict[str, Any]] = []
        self.starts = 0

    def start(self, *options: str) -> dict[str, Any]:
        self.starts += 1
        out = self.folder / f"exchange.{self.starts}.json"
        command = [sys.executable, "-c", PROGRAM, "exchange", "--json", "--config"]
        command += ["exchange.toml", "--journal", str(self.journal), *options]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(self.folder)}
        with out.open("w") as opened:
            self.process = subprocess.Popen(
                command, stdout=opened, text=True, cwd=self.folder, env=environment
            )
        return self.line(1)

    def line(self, count: int) -> dict[str, Any]:
        """A line of what it says, once it is there."""
        out = self.folder / f"exchange.{self.starts}.json"
        self.until(lambda: out.read_text().count("\n") >= count, START_S)
        found: dict[str, Any] = json.loads(out.read_text().splitlines()[count - 1])
        return found

    def until(self, holds: Callable[[], Any], seconds: float = PATIENCE_S) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, [(one, vars(one)) for one in self.others]
            assert self.process is None or self.process.poll() in (None, 0, -signal.SIGKILL)
            for one in self.others:
                one.turn()
            time.sleep(0.0005)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()


@contextmanager
def running(folder: Path) -> Iterator[Process]:
    made = Process(folder)
    try:
        yield made
    finally:
        for one in made.others:
            one.close()
        if made.process is not None and made.process.poll() is None:
            made.kill()


class Trader(Desk):
    """A desk with orders of its own making; what has no room is not sent."""

    def __init__(self, places: dict[str, Any], user: str, side: int) -> None:
        exchange = SimpleNamespace(places=places)
        super().__init__(SimpleNamespace(exchange=exchange, now=clock.now_ns()), user)  # type: ignore[arg-type]
        self.side, self.last = side, 0

    def act(self, draw: random.Random) -> None:
        """A new order or a cancel."""
        if self.last and draw.random() < 0.4:
            self.cancel(draw.randint(max(1, self.last - 20), self.last))
            return
        price = 100_0000 + 100 * draw.randint(-20, 20)
        place = (self.room.base, clock.now_ns(), 0, self.side, orders.LIMIT, orders.DAY, 0)
        made = int(sending.new_order(*place, price, 100 * draw.randint(1, 5), 0, 0, 0, 0))
        self.last = max(self.last, made)
        self.leave()

    @property
    def open(self) -> list[int]:
        """Numbers of all orders that are not over."""
        rows = self.room.arena["orders"]
        alive = (rows["state"] > 0) & (rows["state"] < orders.OVER)
        return [int(n) for n in rows["id"][alive]]


def traded(desk: Desk) -> list[tuple[int, int, int]]:
    """Match number, price and quantity of each fill that was told."""
    told = [one for one in desk.reports if one["kind"] == orders.FILLED]
    return [(one["other"], one["price"], one["quantity"]) for one in told]


@pytest.mark.parametrize("seed", range(1))
def test_killed_at_any_moment_and_started_again_nobody_lost_or_doubled_a_message(tmp_path, seed):
    draw = random.Random(seed)
    with running(tmp_path) as exchange:
        places = exchange.start()
        assert places["replayed"] == 0 and places["journal"] == str(exchange.journal)
        ears = Ears(places)
        traders = [Trader(places, "frm1a", BUY), Trader(places, "frm2a", SELL)]
        copies = [Loyal(places["drop_copy"], f"frm{n}d") for n in (1, 2)]
        exchange.others += [ears, *traders, *copies]
        exchange.until(lambda: all(one.gateway.state == "OPEN" for one in traders))
        before = 0
        for _ in range(KILLS):
            end = time.monotonic() + draw.uniform(0.5, 2.0)
            while time.monotonic() < end:
                for one in traders:
                    one.act(draw)
                for one in exchange.others:
                    one.turn()
            exchange.kill()
            for one in traders:  # what they say now reaches nobody
                one.act(draw)
            again = exchange.start()
            assert again["replayed"] > before and again.keys() == places.keys()
            own = ("control", "replayed")
            assert all(again[name] == places[name] for name in again if name not in own)
            before = again["replayed"]
            exchange.until(lambda: all(one.gateway.state == "OPEN" for one in traders))
        for one in traders:
            for number in one.open:
                one.cancel(number)
        exchange.until(lambda: not any(one.open for one in traders))
        path = exchange.folder / "hftlib" / f"exchange-{exchange.process.pid}.socket"
        found = told(path, {"do": "status"}, "exchange")
        assert found["counts"]["heard"] > 50
        assert told(path, {"do": "end"}, "exchange") == {"notes": []}
        exchange.until(lambda: all(one.is_over for one in copies) and ears.receiver.ended)
        assert exchange.process.wait(60) == 0
        last = exchange.line(2)
    for trader, copy in zip(traders, copies, strict=True):
        counters = trader.room.arena["execution"][0]
        # What is late is a cancel that was refused because a fill came first.
        assert [int(counters[n]) for n in ("repeated", "impossible")] == [0, 0]
        fills = traded(trader)
        assert len(set(fills)) == len(fills)
        assert fills == [(m.match, int(m.price * 10_000), m.quantity) for m in copy.letters("E")]
        assert abs(trader.position()) == sum(quantity for *_, quantity in fills)
        assert list(copy.messages) == list(range(1, len(copy.messages) + 1))
    assert any(traded(one) for one in traders)
    again = replayed(exchange.journal)  # which compares its digest with that of the process
    try:
        blocks, offsets = again.parts.feed.store
        count = again.counts["messages"]
        assert count == last["counts"]["messages"] == len(ears.messages)
        store = [blocks[int(offsets[n]) + 2 : int(offsets[n + 1])].tobytes() for n in range(count)]
        assert ears.messages == store and not ears.books.impossible
        for n, copy in enumerate(copies, 1):
            assert again.parts.copies.count(f"FRM{n}") == len(copy.messages)
    finally:
        again.parts.close()
    (closed,) = [one for one in frames(exchange.journal) if one.kind == kinds.CLOSED]
    assert json.loads(closed.payload)["digest"] == digest(again)


def test_the_fault_restart_ends_the_process_and_is_back_on_the_same_ports(tmp_path):
    with running(tmp_path) as exchange:
        places = exchange.start()
        trader, copy = Trader(places, "frm1a", BUY), Loyal(places["drop_copy"], "frm1d")
        exchange.others += [trader, copy]
        exchange.until(lambda: trader.gateway.state == "OPEN")
        stands = trader.new(100, BUY, 50_0000)
        exchange.until(lambda: "ACCEPTED" in trader.kinds(stands))
        command = [sys.executable, "-c", PROGRAM, "exchange", "tell", "restart"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_RUNTIME_DIR": str(tmp_path)}
        done = subprocess.run(
            [*command, "--milliseconds", "100"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0 and done.stdout == "Told: restart.\n", done.stderr
        again = exchange.line(2)
        assert again.pop("replayed") > 0 and again == {k: places[k] for k in again}
        exchange.until(lambda: "RECONCILED" in trader.kinds(stands))
        trader.cancel(stands)
        exchange.until(lambda: "CANCELED" in trader.kinds(stands))
        exchange.until(lambda: [m.type for m in copy.heard()] == ["A", "C"])
        assert exchange.process is not None
        exchange.process.send_signal(signal.SIGINT)
        exchange.until(lambda: exchange.process.poll() == 0)
        last = exchange.line(3)
        assert last["counts"]["told"] == 2 and last["faults"] == {"begun: restart": 1}
        done = subprocess.run(
            [*command[:4], "replay", str(exchange.journal), "--json"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout)
        assert found["is_over"] and found["counts"]["said"] == last["counts"]["said"]
