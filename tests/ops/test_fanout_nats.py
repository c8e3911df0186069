"""What only NATS has: JetStream that is off, streams of others, heartbeats while nothing comes."""

from __future__ import annotations

import time

import pytest
from fanout_writer import ABOUT, SIZES, Day, written
from stream_servers import NatsServer
from test_fanout import made, require_once_and_in_order

from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.journal import Journal
from hftlib.ops.fanout import Fanout
from hftlib.ops.fanout_command import _stream, _wanted

PINGS = 'ping_interval: "500ms"\nping_max: 1\n'


def published(journal, dsn, name="day"):
    one = Fanout(journal, _stream(dsn, name), _wanted(""), lambda _what, _more: None)
    try:
        while not one.is_done:
            one.turn()
    finally:
        one.stream.close()


def test_it_stays_connected_while_nothing_is_written(tmp_path):
    (tmp_path / "pings.conf").write_text(PINGS)
    heard, day = [], Day(1)
    options = ("-c", str(tmp_path / "pings.conf"))
    with (
        NatsServer(tmp_path, *options) as server,
        Journal.create(tmp_path / "day.journal", ABOUT, **SIZES) as journal,
    ):
        one = made(journal.folder, server, "day")
        one.say = lambda what, _more: heard.append(what)
        for _ in range(3):
            day.write(journal)
            until = time.monotonic() + 2.0  # four times what the server waits for an answer
            while time.monotonic() < until:
                one.turn()
        day.end(journal)
        journal.close()
        while not one.is_done:
            one.turn()
        one.stream.close()
        assert heard == ["connected", "closed"]
        require_once_and_in_order(server, journal.folder, 3)


def test_a_stream_that_was_emptied_or_is_of_another_is_refused(tmp_path):
    journal = written(tmp_path / "day.journal", 20)
    with NatsServer(tmp_path) as server:
        published(journal, server.dsn)
        server.asked(lambda js: js.purge_stream("day"))
        with pytest.raises(StateError, match="The last message of the stream is gone"):
            published(journal, server.dsn)
        server.asked(lambda js: js.add_stream(name="orders", subjects=["elsewhere"]))
        with pytest.raises(StateError, match="does not take the subjects orders"):
            published(journal, server.dsn, "orders")

        async def fill(js):
            await js.add_stream(name="theirs", subjects=["theirs.>"])
            await js.publish("theirs.x", b"a message")

        server.asked(fill)
        with pytest.raises(StateError, match="no event of a journal"):
            published(journal, server.dsn, "theirs")


def test_a_stream_that_was_made_before_is_filled(tmp_path):
    journal = written(tmp_path / "day.journal", 20)
    with NatsServer(tmp_path) as server:
        server.asked(lambda js: js.add_stream(name="day", subjects=["day.>", "more"]))
        published(journal, server.dsn)
        require_once_and_in_order(server, journal, 20)


def test_a_full_stream_is_waited_for_and_has_no_hole(tmp_path):
    journal, heard = written(tmp_path / "day.journal", 300), []
    with NatsServer(tmp_path) as server:
        limits = {"name": "day", "subjects": ["day.>"]}
        server.asked(lambda js: js.add_stream(**limits, max_msgs=100, discard="new"))
        one = made(journal, server, "day")
        one.say = lambda what, more: heard.append((what, more))
        while "away" not in dict(heard):
            one.turn()
        assert len(server.events("day")) == 100 and "maximum" in dict(heard)["away"]["why"]
        server.asked(lambda js: js.update_stream(**limits, max_msgs=-1, discard="new"))
        while not one.is_done:
            one.turn()
        one.stream.close()
        require_once_and_in_order(server, journal, 300)


def test_without_jetstream_or_a_password_it_is_a_sentence(tmp_path):
    journal = written(tmp_path / "day.journal", 5)
    with NatsServer(tmp_path, "--plain") as server, pytest.raises(HostError, match="JetStream"):
        published(journal, server.dsn)
    (tmp_path / "again").mkdir()
    with NatsServer(tmp_path / "again", "--user", "ann", "--pass", "geheim") as server:
        for dsn in (server.dsn, server.dsn.replace("//", "//ann:falsch@")):
            with pytest.raises(InputError, match="does not let us") as refused:
                published(journal, dsn)
            assert "falsch" not in str(refused.value)
        published(journal, server.dsn.replace("//", "//ann:geheim@"))


@pytest.mark.parametrize("name", ["a b", "a.b", "*", "a>", "a/b", "a\n"])
def test_a_name_that_no_stream_can_have_is_refused(name):
    with pytest.raises(InputError, match="is no name of a stream"):
        _stream("nats://127.0.0.1:1", name)
