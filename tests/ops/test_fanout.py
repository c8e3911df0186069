"""A journal in a stream of a real server: each event once and in order, whatever is killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import fanout_writer
import pytest
from fanout_writer import Day, written
from stream_servers import SERVERS

from hftlib.core.errors import StateError
from hftlib.core.journal import Journal, frames, kinds
from hftlib.engine.live.decoding import Decoder
from hftlib.ops import fanout
from hftlib.ops.fanout import Fanout, number_of, text_of
from hftlib.ops.fanout_command import _stream, _wanted

HFT = [sys.executable, "-c", "from hftlib.cli import main; main()", "fanout"]
WAIT_S = 120.0


@pytest.fixture(params=SERVERS)
def server(request, tmp_path):
    with SERVERS[request.param](tmp_path) as made:
        yield made


class Tailer:
    """`hft fanout --json` as a process: its lines, and how it ended."""

    def __init__(self, journal: Path, server, *options: str, name: str = "day") -> None:
        command = [*HFT, str(journal), "--to", server.dsn, "--stream", name, "--json", *options]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def until(self, *wanted: str) -> dict:
        """The next line that says one of these; all there are where it ended without."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told = json.loads(line)
            if told["what"] in wanted:
                return told
        assert self.process.stderr is not None
        raise AssertionError(f"it ended: {self.process.stderr.read()}")

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def ended(self) -> tuple[int, str, str]:
        out, errors = self.process.communicate(timeout=WAIT_S)
        return self.process.returncode, out, errors


def whole(journal: Path) -> list[str]:
    """What the events of all but market data and timers are called, decoded in one go."""
    first, *rest = frames(journal)
    decoder, found = Decoder(json.loads(first.payload)), []
    for frame in [first, *rest]:
        told = decoder.take(frame)
        if frame.kind not in (kinds.DATAGRAM, kinds.TIMER):
            found += [text_of((one["frame"], one["n"])) for one in told]
    return found


def require_once_and_in_order(server, journal: Path, rounds: int, name: str = "day") -> None:
    found = server.events(name)
    numbers = [number_of(number) for number, _ in found]
    assert numbers == sorted(set(numbers)), "each once, in order"
    told = [one for _, one in found]
    assert [text_of((one["frame"], one["n"])) for one in told] == [number for number, _ in found]
    wanted = list(range(1, rounds + 1))
    assert [one["urn"] for one in told if one["what"] == "enter"] == wanted
    assert [one["quantity"] for one in told if one["what"] == "executed"] == wanted
    assert [int(one["text"]) for one in told if one["what"] == "note"] == wanted
    assert [number for number, _ in found] == whole(journal)
    assert {one["kind"] for one in told}.isdisjoint({"DATAGRAM", "TIMER"})
    of_wire = [one for one in told if one["what"] == "executed"]
    assert any("rests" in one for one in of_wire), "some were cut in the middle"


def test_each_event_is_there_once_however_often_tailer_and_server_are_killed(server, tmp_path):
    chance, journal = random.Random(server.program), tmp_path / "day.journal"
    writer = subprocess.Popen(
        [sys.executable, fanout_writer.__file__, str(journal), "7", "0.001"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    tailer = None
    try:
        while not (journal / "000000.segment").exists():
            time.sleep(0.01)
        before = [-1]
        for _ in range(5):
            tailer = Tailer(journal, server)
            tailer.until("connected")
            time.sleep(chance.random() * 0.3)
            tailer.kill()
            before.append(len(server.events("day")))
        assert sorted(before) == before and before[-1] > before[1], "it got on, and lost nothing"
        tailer = Tailer(journal, server)
        for _ in range(3):
            tailer.until("connected")
            time.sleep(chance.random() * 0.3)
            server.kill()
            tailer.until("away")
            server.start()
        tailer.until("connected")
        server.kill()
        tailer.kill()  # both
        server.start()
        tailer = Tailer(journal, server, "--until-end")
        tailer.until("connected")
        out, _ = writer.communicate("", timeout=WAIT_S)
        code, _, errors = tailer.ended()
        assert (code, errors) == (0, "")
        require_once_and_in_order(server, journal, int(out))
    finally:
        writer.kill()
        if tailer is not None:
            tailer.kill()


def test_stopped_politely_and_gone_on_when_the_journal_is_carried_on(server, tmp_path):
    journal, day = tmp_path / "day.journal", Day(3)
    with Journal.create(journal, fanout_writer.ABOUT, **fanout_writer.SIZES) as open_one:
        for _ in range(200):
            day.write(open_one)
    tailer = Tailer(journal, server)
    assert tailer.until("connected")["after"] == "0-0"
    first = tailer.until("closed")["frame"]
    with Journal.carry_on(journal) as open_one:
        for _ in range(300):
            day.write(open_one)
        day.end(open_one)
    assert tailer.until("closed")["frame"] > first + 1_000
    tailer.process.send_signal(signal.SIGTERM)
    code, out, errors = tailer.ended()
    last = json.loads(out.splitlines()[-1])
    assert (code, last["what"], errors) == (143, "end", "")
    assert last["after"] == whole(journal)[-1]
    require_once_and_in_order(server, journal, 500)
    again = Tailer(journal, server)
    assert again.until("connected")["after"] == last["after"]
    again.until("closed")
    again.process.send_signal(signal.SIGINT)
    code, out, errors = again.ended()
    assert (code, errors) == (0, "") and json.loads(out.splitlines()[-1])["events"] == 0


def test_two_that_publish_the_same_are_as_good_as_one(server, tmp_path):
    journal = written(tmp_path / "day.journal", 3_000)
    both = [Tailer(journal, server, "--until-end") for _ in range(2)]
    for one in both:
        code, _, errors = one.ended()
        assert (code, errors) == (0, "")
    require_once_and_in_order(server, journal, 3_000)


def made(journal: Path, server, name: str, names: str = "") -> Fanout:
    return Fanout(journal, _stream(server.dsn, name), _wanted(names), lambda _what, _more: None)


class CutError(Exception):
    """Here it ends, as if it had been killed."""


def test_it_goes_on_behind_any_event_also_within_a_message_and_a_frame(server, tmp_path):
    """Ended after each event of a day in turn: the next one has the very next event."""
    journal = written(tmp_path / "day.journal", 12, seed=5)
    count = len(whole(journal))
    for cut in range(1, count):
        one = made(journal, server, f"cut{cut}")
        send, left = one.stream.publish, [cut]

        def publish(events, send=send, left=left):
            if events[: left[0]]:
                send(events[: left[0]])
            left[0] -= len(events)
            if left[0] <= 0:
                raise CutError

        one.stream.publish = publish
        with pytest.raises(CutError):
            while True:
                one.turn()
        one.stream.close()
        next_one = made(journal, server, f"cut{cut}")
        while not next_one.is_done:
            next_one.turn()
        next_one.stream.close()
        assert next_one.counts.events == count - cut
        require_once_and_in_order(server, journal, 12, f"cut{cut}")


def test_a_stream_of_another_journal_is_refused_and_none_is_published(server, tmp_path):
    ours, theirs = (written(tmp_path / f"{n}.journal", 50 + n, seed=n) for n in (1, 2))
    tailer = Tailer(ours, server, "--until-end")
    assert tailer.ended()[0] == 0
    before = server.events("day")
    for other in (theirs, written(tmp_path / "short.journal", 1)):
        code, _, errors = Tailer(other, server, "--until-end").ended()
        assert code == 3 and "of another journal" in errors and "Name another stream" in errors
    assert server.events("day") == before


def test_one_that_was_cut_off_is_published_and_then_refused_until_the_end(server, tmp_path):
    journal = tmp_path / "day.journal"
    writer = subprocess.Popen(
        [sys.executable, fanout_writer.__file__, str(journal), "7", "0.001"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not (journal / "000000.segment").exists() or len(list(frames(journal))) < 500:
        time.sleep(0.05)
    writer.kill()
    writer.communicate()
    code, out, errors = Tailer(journal, server, "--until-end").ended()
    assert code == 3 and "was cut off" in errors and '"cut off"' in out
    assert [number for number, _ in server.events("day")] == whole(journal)


def test_a_damaged_journal_is_published_as_far_as_it_is_whole(server, tmp_path):
    journal = written(tmp_path / "day.journal", 500)
    good = whole(journal)
    path = journal / "000000.segment"
    data = bytearray(path.read_bytes())
    data[60_000] ^= 1
    path.write_bytes(data)
    code, _, errors = Tailer(journal, server).ended()
    assert code == 3 and "The journal is damaged" in errors
    found = [number for number, _ in server.events("day")]
    assert 0 < len(found) < len(good) and found == good[: len(found)]


def test_kinds_that_were_asked_for(server, tmp_path):
    journal = written(tmp_path / "day.journal", 40)
    wanted = {"all": {"TIMER", "DATAGRAM", "NOTE"}, "note, datagram": {"NOTE", "DATAGRAM"}}
    for n, (names, least) in enumerate(wanted.items()):
        one = made(journal, server, f"kinds{n}", names)
        while not one.is_done:
            one.turn()
        told = [event for _, event in server.events(f"kinds{n}")]
        one.stream.close()
        assert {event["kind"] for event in told} >= least
        market = [event for event in told if event["kind"] == "DATAGRAM"]
        assert [event["types"] for event in market] == ["A1"] * 40
    assert {event["kind"] for event in told} == {"NOTE", "DATAGRAM"}


def test_numbers_of_events_are_read_as_they_are_written():
    assert number_of(text_of((4711, 2))) == (4711, 2)
    assert [number_of(one) for one in ("", "7", "a-1", "1-", "-1", "1-2-3")] == [None] * 6


def test_it_is_sent_in_batches(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fanout, "EVENTS_MAX", 7)
    journal = written(tmp_path / "day.journal", 100)
    one = made(journal, server, "day")
    sizes, send = [], one.stream.publish
    one.stream.publish = lambda events: (sizes.append(len(events)), send(events))
    while not one.is_done:
        one.turn()
    one.stream.close()
    assert max(sizes) == 7 and sum(sizes) == len(whole(journal)) == one.counts.events
    require_once_and_in_order(server, journal, 100)


def test_a_journal_that_says_nothing_of_itself_is_published_as_bytes(server, tmp_path):
    with Journal.create(tmp_path / "plain.journal", {}) as journal:
        journal.append(kinds.SESSION_IN, 5, b"\0\x01H")
        journal.append(4_000, 6, b"of a later version")
    one = made(journal.folder, server, "plain")
    while not one.is_done:
        one.turn()
    one.require_closed()
    told = [event for _, event in server.events("plain")]
    assert [event["what"] for event in told] == ["opened", "session in", "kind 4000", "closed"]
    one.stream.close()
    other = made(written(tmp_path / "day.journal", 5), server, "plain")
    with pytest.raises(StateError, match="another journal"):
        other.turn()
    other.stream.close()
