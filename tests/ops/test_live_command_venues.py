"""One runner at two exchanges, all of them processes: one is killed, the other trades on."""

from __future__ import annotations

import io
import json
import signal
import socket
import subprocess
import sys
import time

import pytest

import hftlib as hft
from hftlib.core.control.asking import told
from hftlib.core.journal.reading import frames
from hftlib.core.journal.showing import summary
from hftlib.engine.live.decoding import Decoder
from hftlib.engine.live.replaying import about, replay
from hftlib.ops.launching import laid
from hftlib.ops.metrics.families import families
from hftlib.ops.showing import status_table

BEGIN_S, PATIENCE_S = 900.0, 60.0
PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from hftlib.cli import main; main()"
)
IDEA = '''
import hftlib as hft


@hft.strategy
class Both:
    """Takes a little at each venue again and again, and gives it back."""

    every: int = hft.param(20_000_000, low=1000, duration=True)

    def on_start(self, ctx):
        ctx.timer(self.every, 0)

    def on_timer(self, ctx, number):
        ctx.timer(self.every, 0)
        for i in range(2):
            b = ctx.book(i)
            if b.is_open and b.has_both and ctx.open_orders(i) == 0:
                if ctx.position(i) <= 0:
                    ctx.buy(i, float(b.ask), 10, lasts=hft.IOC)
                else:
                    ctx.sell(i, float(b.bid), 10, lasts=hft.IOC)
'''


class Processes:
    """All that a story starts; what is left of them is ended with it."""

    def __init__(self, folder):
        self.folder, self.every = folder, []

    def start(self, name, *words):
        out = self.folder / f"{name}.json"
        with out.open("wb") as stdout, (self.folder / f"{name}.errors").open("wb") as errors:
            made = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, *words],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=errors,
            )
        made.out, made.errors = out, self.folder / f"{name}.errors"
        self.every.append(made)
        return made

    def exchange(self, name, ports):
        config = self.folder / f"{name}.toml"
        if not config.exists():
            config.write_text(exchange_text(ports))
        words = ["--config", config.name, "--json", "--control", "off"]
        made = self.start(name, "exchange", *words, "--journal", f"{name}.exchange")
        until(lambda: lines(made), BEGIN_S, made)
        return made

    def end(self):
        for one in self.every:
            if one.poll() is None:
                one.kill()
            one.wait()


def exchange_text(ports):
    names = ("order_entry_port", "drop_copy_port", "recovery_port", "line_a_port", "line_b_port")
    lines = ["[exchange]", 'state = "trading"']
    lines += [f"{name} = {port}" for name, port in zip(names, ports, strict=True)]
    lines += ["[market]", 'flow = "agents"', "events_per_second = 100.0"]
    for name in ("AAA", "BBB"):
        lines += ["[[symbols]]", f'name = "{name}"', 'reference_price_money = "100.00"']
    lines += ["[[firms]]", 'name = "FRM1"']
    for user, hears in (("frm1a", "orders"), ("frm1b", "orders"), ("frm1d", "drop copy")):
        account = {"user": user, "password": "secret", "firm": "FRM1", "hears": hears}
        lines += ["[[accounts]]", *(f"{key} = {json.dumps(one)}" for key, one in account.items())]
    return "\n".join(lines) + "\n"


def free_ports():
    """Two for connections, three for datagrams; all held until the last is found."""
    kinds = [socket.SOCK_STREAM] * 2 + [socket.SOCK_DGRAM] * 3
    held = [socket.socket(socket.AF_INET, kind) for kind in kinds]
    for one in held:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return found


def lines(process):
    text = process.out.read_text()
    return [json.loads(one) for one in text.splitlines(True) if one.endswith("\n")]


def until(holds, seconds=PATIENCE_S, *processes):
    end = time.monotonic() + seconds
    while not (found := holds()):
        for one in processes:
            assert one.poll() is None, one.errors.read_text()
        assert time.monotonic() < end, [one.errors.read_text() for one in processes]
        time.sleep(0.02)
    return found


@pytest.fixture
def processes(tmp_path):
    made = Processes(tmp_path)
    yield made
    made.end()


class Desk:
    """What `hft status` would show of the runner."""

    def __init__(self, path):
        self.path = path

    @property
    def status(self):
        return told(self.path, {"do": "status"}, "runner")

    def fills(self, venue):
        return sum(one["fills"] for one in self.status["positions"] if one["venue"] == venue)

    def is_ready(self, venue):
        found = self.status
        feeds = {one["venue"]: one["state"] for one in found["feeds"]}
        links = {one["venue"]: one["state"] for one in found["links"]}
        return (feeds[venue], links[venue]) == ("LIVE", "OPEN")

    def trades(self, venue, more=10):
        before = self.fills(venue)
        return until(lambda: self.fills(venue) >= before + more)


def shown(found):
    from rich.console import Console

    console = Console(record=True, width=160, file=io.StringIO())
    console.print(status_table(found))
    return console.export_text()


def test_one_exchange_is_killed_and_comes_back_and_the_other_trades_on(processes, tmp_path):
    (tmp_path / "ideas.py").write_text(IDEA)
    ports = [free_ports(), free_ports()]
    processes.exchange("a", ports[0])
    second = processes.exchange("b", ports[1])
    control = tmp_path / "control"
    usual = ["--exchange", "XNAS=a.json", "--exchange", "XBOS=b.json", "--journal", "day.journal"]
    usual += ["--json", "--control", str(control)]
    given = ["--symbols", "AAA", "--user", "frm1a", "--user", "XBOS=frm1b"]
    given += ["--fee", "taker=1bp", "--fee", "XBOS=taker=2bp"]
    runner = processes.start("runner", "live", "ideas.py:Both", *usual, *given)
    until(lambda: lines(runner), BEGIN_S, runner)
    desk = Desk(control)
    for venue in ("XNAS", "XBOS"):
        desk.trades(venue)

    second.send_signal(signal.SIGKILL)
    second.wait()
    until(lambda: not desk.is_ready("XBOS"))
    until(lambda: {"venue": "XBOS", "state": "SILENT"}.items() <= desk.status["feeds"][1].items())
    before, found = desk.fills("XBOS"), desk.status
    assert "feed 2 of XBOS is SILENT" in shown(found) and "venue" in shown(found)
    told_of = {one.name: one.samples for one in families(found)}
    assert [(one.labels["venue"], one.value) for one in told_of["hftlib_feed_ready"]] == [
        ("XNAS", 1.0),
        ("XBOS", 0.0),
    ]
    assert {one.labels["venue"] for one in told_of["hftlib_fills"]} == {"XNAS", "XBOS"}
    desk.trades("XNAS", 20)
    assert desk.fills("XBOS") == before and desk.is_ready("XNAS")
    assert "refused" in desk.status["links"][1]["why"]
    states = {one["scope"]: one["state"] for one in desk.status["scopes"]}
    assert states["firm"] == states["instrument:AAA@XBOS"] == "active"

    third = processes.exchange("b", ports[1])
    until(lambda: desk.is_ready("XBOS"))
    desk.trades("XBOS")

    for one in (runner, third):
        one.kill()
        one.wait()
    again = processes.start("again", "live", "--resume", *usual)
    waits = "XBOS: link 1 is SHUT, XBOS cannot be reached: Connection refused"
    until(lambda: {"recovery": waits} in lines(again), BEGIN_S, again)
    states = {one["scope"]: one["state"] for one in desk.status["scopes"]}
    assert states["firm"] == "halted", "nobody trades before all agree"
    fourth = processes.exchange("b", ports[1])
    said = "as 2 drop copies say"
    until(lambda: any(said in one.get("recovery", "") for one in lines(again)), BEGIN_S, again)
    for venue in ("XNAS", "XBOS"):
        desk.trades(venue)

    (tmp_path / "watch.toml").write_text("mismatch_ms = 1_000\n")
    words = ["watchdog", "watch.toml", *usual[:4], "--socket", str(control), "--json"]
    dog = processes.start("dog", *words)
    until(lambda: lines(dog), BEGIN_S, dog)
    for venue in ("XNAS", "XBOS"):
        desk.trades(venue, 20)
    assert [one["what"] for one in lines(dog)] == ["watching"]
    fourth.send_signal(signal.SIGKILL)
    halted = until(lambda: [one for one in lines(dog) if one["what"] == "halting"], PATIENCE_S, dog)
    assert ": XBOS: " in halted[0]["why"]
    dog.kill()  # or it takes the end for a failure
    again.send_signal(signal.SIGTERM)
    again.wait()

    folder = tmp_path / "day.journal"
    found = replay(folder, laid)
    assert found.is_identical, found.difference
    live, decoder, venues = laid(about(folder)), Decoder(about(folder)), set()
    for frame in frames(folder):
        for told_of in decoder.take(frame):
            venues.add((told_of["kind"], told_of["source"], told_of.get("venue")))
        if frame.name in ("DATAGRAM", "SESSION_IN", "CONNECTED", "TIMER", "DIRECTIVE"):
            live.take(frame.kind, frame.source, frame.time, frame.payload)
            assert len(list(live.outputs())) >= 0
    assert live.session.books.impossible == {}, "both venues count their orders from 1"
    for kind, first in (("DATAGRAM", 4), ("SESSION_OUT", 1), ("SESSION_IN", 1), ("CONNECTED", 1)):
        assert venues >= {(kind, 0, "XNAS"), (kind, first, "XBOS")}
    described = about(folder)
    assert [one["user"] for one in described["links"]] == ["frm1a", "frm1b"]
    assert described["fees_at"] == {"XBOS": {"taker": "2bp"}, "XNAS": {"taker": "1bp"}}
    result = hft.journal_result(folder)
    result.check()
    fills = result.fills
    shares = (fills.fee / (fills.price * fills.quantity)).groupby(fills.symbol).median()
    assert shares["AAA@XBOS"] > 1.5 * shares["AAA@XNAS"] > 0
    table = result.tca().table("venue").frame
    assert set(table.index.get_level_values("venue")) == {"XNAS", "XBOS"}
    assert summary(folder).venues == "XNAS, XBOS"
