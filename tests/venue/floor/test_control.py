"""The control socket: what is told is done, and nobody at the other end can harm the exchange."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import stat
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from floor_desk import Floor, r

from hftlib.core.control import asking, places, serving
from hftlib.core.control.serving import ANSWER_BYTES_MAX, CLIENTS_MAX, LINE_BYTES_MAX, Control
from hftlib.core.errors import HostError, InputError, StateError
from hftlib.venue.floor.control import obey


class Told(Floor):
    """An exchange in lockstep with a control socket; `ask` says a line and waits for an answer."""

    def __init__(self, path: Path, **more: Any) -> None:
        super().__init__(**more)
        self.path = path / "x.socket"
        self.control = Control(self.path, partial(obey, self.exchange))

    def step(self) -> None:
        super().step()
        self.control.poll()

    def client(self) -> socket.socket:
        own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        own.connect(str(self.path))
        own.setblocking(False)
        return own

    def ask(self, said: Any, own: socket.socket | None = None) -> dict[str, Any]:
        with own or self.client() as through:
            through.send(said if isinstance(said, bytes) else json.dumps(said).encode() + b"\n")
            return self.answer(through)

    def answer(self, own: socket.socket) -> dict[str, Any]:
        heard = [b""]

        def come() -> bool:
            with contextlib.suppress(BlockingIOError):
                heard[0] += own.recv(1 << 20)
            return heard[0].endswith(b"\n")

        self.until(come)
        found: dict[str, Any] = json.loads(heard[0])
        return found

    def __exit__(self, *failure: Any) -> None:
        self.control.close()
        super().__exit__(*failure)


def test_what_is_told_is_done(tmp_path):
    with Told(tmp_path, market={"flow": "agents"}) as floor:
        assert floor.ask({"do": "drop", "line": "a", "chance": 0.25}) == {"ok": True, "notes": []}
        assert floor.exchange.faults.lines[0] == {"drop": 0.25}
        found = floor.ask({"do": "status"})
        assert found["faults"]["drop"]["chance"] == 0.25 and found["states"]["AAA"] == "trading"
        assert found["counts"].keys() == floor.exchange.counts.keys()
        assert floor.ask({"do": "drop", "line": "a", "over": True})["ok"]
        assert floor.exchange.faults.lines[0] == {} and floor.ask({"do": "status"})["faults"] == {}
        assert floor.ask({"do": "halt", "symbols": ["AAA"], "reason": "T1"})["notes"] == []
        assert floor.ask({"do": "status"})["states"] == {"AAA": "halted", "BBB": "trading"}
        (note,) = floor.ask({"do": "closing cross", "symbols": ["AAA"]})["notes"]
        assert note == "closing cross of AAA: the symbol cannot do this from its state"
        assert floor.ask({"do": "halt", "symbols": ["BBB"], "after_seconds": 0.05})["ok"]
        states = floor.exchange.engine.arena["symbols"]["state"]
        assert int(states[1]) == r.TRADING
        floor.until(lambda: int(states[1]) == r.HALTED)
        floor.ask({"do": "silence", "line": "b", "for_seconds": 0.02})
        assert floor.exchange.faults.lines[1] == {"silence": 1.0}
        floor.until(lambda: floor.exchange.faults.lines[1] == {})
        assert floor.ask({"do": "end"})["ok"] and floor.exchange.is_over
        assert floor.ask({"do": "halt"})["what"] == "The day is over"
        assert floor.exchange.told == 7


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ({"do": "dorp"}, "'dorp' is nothing to do"),
        ({"do": ["drop"]}, "is nothing to do"),
        ({}, "None is nothing to do"),
        ({"do": "drop", "chance": 2}, "2 cannot be"),
        ({"do": "drop", "chance": float("nan")}, "nan cannot be"),
        ({"do": "drop", "line": "c"}, "'c' cannot be"),
        ({"do": "drop", "lime": "a"}, "There is no 'lime' here"),
        ({"do": "delay", "milliseconds": 10**30}, "cannot be"),
        ({"do": "halt", "symbols": ["NONE"]}, "There is no symbol 'NONE'"),
        ({"do": "halt", "symbols": "AAA"}, "'AAA' cannot be"),
        ({"do": "halt", "over": True}, "There is no 'over' here"),
        ({"do": "kill sessions", "user": "nobody"}, "There is no user 'nobody'"),
        ({"do": "kill sessions", "user": "frm1d"}, "There is no user 'frm1d' that has orders"),
        ({"do": "kill sessions", "over": True}, "is done at once and has no end"),
        ({"do": "halt", "at": "09:31", "after_seconds": 1}, "It has two times"),
        ({"do": "halt", "at": "29:31"}, "'29:31' cannot be"),
        ({"do": "status", "more": 1}, "'status' is nothing to do"),
        ([1], "is no table of names"),
        (b"no json\n", "is no JSON"),
        (b"\xff\xfe\n", "is no JSON"),
        (b"\n", "is no JSON"),
        (b"[" * 10_000 + b"\n", "is no JSON"),
        (b'{"do": ' + b"9" * 5_000 + b"}\n", "is no"),
    ],
)
def test_what_nobody_understands_is_refused_with_a_sentence_and_changes_nothing(
    tmp_path, said, what
):
    with Told(tmp_path) as floor:
        found = floor.ask(said)
        assert not found["ok"] and what in found["what"], found
        assert found["where"] and found["do"]
        assert floor.exchange.told == 0 and floor.exchange.faults.counts == {}
        assert floor.control.counts["refused"] == 1


def test_lines_may_come_in_pieces_and_several_at_once(tmp_path):
    with Told(tmp_path) as floor, floor.client() as own:
        line = json.dumps({"do": "status"}).encode() + b"\n"
        for n in range(len(line)):
            own.send(line[n : n + 1])
            floor.step()
        assert floor.answer(own)["ok"]
        own.send(b'{"do": "drop"}\n{"do": "drop", "over": true}\n{"do": "hold answers"}\n')
        floor.until(lambda: floor.control.counts["obeyed"] == 4)
        assert list(floor.exchange.faults.on) == ["hold answers"]


def test_whoever_sends_without_end_does_not_read_or_comes_too_often_is_bounded(
    tmp_path, monkeypatch
):
    with Told(tmp_path) as floor:
        with floor.client() as own:  # a line that never ends
            own.send(b"x" * (LINE_BYTES_MAX + 1))
            assert "A line of more than" in floor.answer(own)["what"]
            floor.until(lambda: not floor.control._clients)
        with floor.client() as own:  # questions without end, whose answers nobody reads
            sent = 0
            for _ in range(3_000):
                with contextlib.suppress(BlockingIOError):
                    sent += own.send(b'{"do": "status"}\n' * 20)
                floor.step()
            (client,) = floor.control._clients.values()
            assert len(client.leaving) <= ANSWER_BYTES_MAX
            assert LINE_BYTES_MAX // 2 < len(client.coming) <= LINE_BYTES_MAX + 1 < sent
            monkeypatch.setattr(serving, "PATIENCE_S", 0.0)
            floor.until(lambda: not floor.control._clients)
            monkeypatch.undo()
        many = [floor.client() for _ in range(CLIENTS_MAX)]
        floor.until(lambda: len(floor.control._clients) == CLIENTS_MAX)
        over = floor.client()
        before = floor.control.counts["let go"]
        floor.until(lambda: floor.control.counts["let go"] > before)
        assert len(floor.control._clients) == CLIENTS_MAX and over.recv(1) == b""
        for one in many:
            one.close()
        floor.until(lambda: not floor.control._clients)
        assert floor.ask({"do": "status"})["ok"]


def test_who_says_nothing_for_long_is_let_go(tmp_path, monkeypatch):
    with Told(tmp_path) as floor, floor.client() as own:
        floor.step()
        monkeypatch.setattr(serving, "PATIENCE_S", 0.0)
        floor.until(lambda: not floor.control._clients)
        assert own.recv(1) == b""


@pytest.mark.parametrize("seed", range(3))
def test_garbage_of_every_kind_never_stops_the_exchange(tmp_path, seed):
    draw = random.Random(seed)
    words = [
        b'{"do": "drop"',
        b"}",
        b"\n",
        b"null",
        b'"line"',
        b"\x00",
        b",",
        b": ",
        b"1e999",
        b"[",
    ]
    with Told(tmp_path, market={"flow": "agents"}) as floor:
        clients = [floor.client() for _ in range(4)]
        for _ in range(600):
            n = draw.randrange(4)
            data = b"".join(draw.choices(words, k=draw.randint(1, 12)))
            try:
                clients[n].send(data if draw.random() < 0.7 else draw.randbytes(50))
            except (BlockingIOError, BrokenPipeError, ConnectionResetError):
                clients[n].close()
                clients[n] = floor.client()
            floor.step()
        for one in clients:
            one.close()
        assert floor.control.counts["refused"] > 50
        assert floor.ask({"do": "status"})["ok"] and not floor.exchange.is_over


def test_the_socket_is_its_owners_alone_and_one_left_behind_is_taken_away(tmp_path):
    path = tmp_path / "x.socket"
    first = Control(path, dict)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(StateError, match="Another process listens there"):
        Control(path, dict)
    first._door.close()  # as a kill leaves it
    assert path.exists()
    second = Control(path, dict)
    second.close()
    assert not path.exists()
    path.write_text("not a socket")
    with pytest.raises(InputError, match="something that is no socket"):
        Control(path, dict)
    assert path.read_text() == "not a socket"
    with pytest.raises(InputError, match="too long"):
        Control(tmp_path / ("x" * 120), dict)
    with pytest.raises(HostError, match="Nothing can listen there"):
        Control(tmp_path / "none" / "x.socket", dict)


def test_the_folder_is_ours_alone_or_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = places.own_folder()
    assert folder == tmp_path / "hftlib" and stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert places.place("exchange", "") == folder / f"exchange-{os.getpid()}.socket"
    assert places.place("exchange", "off") is None and places.place("exchange", "/a/b") == Path(
        "/a/b"
    )
    folder.chmod(0o755)
    with pytest.raises(HostError, match="not ours alone"):
        places.own_folder()
    folder.rmdir()
    folder.symlink_to(tmp_path)
    with pytest.raises(HostError, match="not ours alone"):
        places.own_folder()


def test_the_command_finds_the_only_exchange_and_says_what_it_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(StateError, match="No exchange of yours runs here"):
        asking.the_only_one("exchange", "hft exchange --demo")
    with Told(tmp_path) as floor:
        floor.control.close()
        (tmp_path / "hftlib" / "exchange-1.socket").touch()  # left behind, and not even a socket
        floor.control = Control(
            tmp_path / "hftlib" / "exchange-2.socket", partial(obey, floor.exchange)
        )
        over = threading.Event()
        found: list[Any] = []

        def tell() -> None:
            try:
                path = asking.the_only_one("exchange", "hft exchange --demo")
                found.append(asking.told(path, {"do": "drop"}, "exchange"))
                asking.told(path, {"do": "dorp"}, "exchange")
            except InputError as error:
                found.append(error)
            over.set()

        teller = threading.Thread(target=tell)
        teller.start()
        floor.until(over.is_set)
        teller.join()
        assert found[0] == {"notes": []} and "Did you mean 'drop'?" in found[1].do
        second = Control(tmp_path / "hftlib" / "exchange-3.socket", dict)
        with pytest.raises(InputError, match="2 exchanges of yours run here"):
            asking.the_only_one("exchange", "hft exchange --demo")
        second.close()
    with pytest.raises(StateError, match="No exchange listens there"):
        asking.told(tmp_path / "gone.socket", {"do": "status"}, "exchange")
