"""What only Redis has: streams that are trimmed, other keys, passwords, memory that is full."""

from __future__ import annotations

import pytest
from fanout_writer import ABOUT, SIZES, Day, written
from stream_servers import RedisServer
from test_fanout import made, require_once_and_in_order, whole

from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.journal import Journal
from hftlib.ops.fanout import Fanout
from hftlib.ops.fanout_command import _stream, _wanted


@pytest.fixture
def server(tmp_path):
    with RedisServer(tmp_path) as one:
        yield one


def published(journal, server, name="day"):
    one = made(journal, server, name)
    try:
        while not one.is_done:
            one.turn()
    finally:
        one.stream.close()
    return one.counts.events


@pytest.mark.parametrize("left", [0, 3])
def test_a_trimmed_stream_goes_on_behind_its_last_event(server, tmp_path, left):
    journal, day = tmp_path / "day.journal", Day(3)
    with Journal.create(journal, ABOUT, **SIZES) as one:
        for _ in range(50):
            day.write(one)
    published(journal, server)
    before = whole(journal)
    with server.client() as one:
        one.xtrim("day", maxlen=left, approximate=False)
    with Journal.carry_on(journal) as one:
        for _ in range(50):
            day.write(one)
        day.end(one)
    published(journal, server)
    want = whole(journal)
    found = [number for number, _ in server.events("day")]
    assert found == want[len(before) - left :]
    told = dict(server.events("day"))
    published(journal, server, "again")
    same = dict(server.events("again"))
    assert all(same[number]["what"] == event["what"] for number, event in told.items())


@pytest.mark.parametrize("number", ["1795328175263-0", "1795328175263-1", "2-1"])
def test_a_stream_that_somebody_else_fills_is_refused(server, tmp_path, number):
    journal = written(tmp_path / "day.journal", 20)
    with server.client() as one:
        one.xadd("day", {"a": 1}, id=number)
    with pytest.raises(StateError, match=r"no event of a journal|of another journal"):
        published(journal, server)
    assert len(server.events("day")) == 1


def test_what_is_no_stream_is_refused_and_an_empty_one_is_begun(server, tmp_path):
    journal = written(tmp_path / "day.journal", 20)
    with server.client() as one:
        one.set("day", "x")
        one.xgroup_create("begun", "readers", mkstream=True)
    with pytest.raises(StateError, match="something else of that name"):
        published(journal, server)
    published(journal, server, "begun")
    require_once_and_in_order(server, journal, 20, "begun")


def test_a_server_without_room_is_waited_for_and_has_no_hole(server, tmp_path):
    journal, heard = written(tmp_path / "day.journal", 3_000), []
    one = made(journal, server, "day")
    one.say = lambda what, more: heard.append((what, more))
    with server.client() as desk:
        one.turn()
        desk.config_set("maxmemory", desk.info("memory")["used_memory"] + 60_000)
        while "away" not in dict(heard):
            one.turn()
        held = desk.xlen("day")
        assert 0 < held < len(whole(journal)) and "maxmemory" in dict(heard)["away"]["why"]
        one.turn()
        desk.config_set("maxmemory", 0)
        while not one.is_done:
            one.turn()
    one.stream.close()
    require_once_and_in_order(server, journal, 3_000)


def test_a_password_opens_it_and_is_nowhere_told(tmp_path):
    journal = written(tmp_path / "day.journal", 20)
    with RedisServer(tmp_path, "--requirepass", "geheim") as server:
        plain = server.dsn
        for dsn in (plain, plain.replace("//", "//:falsch@")):
            with pytest.raises(InputError, match="does not let us") as refused:
                _published(journal, dsn)
            assert "falsch" not in str(refused.value)
        _published(journal, plain.replace("//", "//:geheim@"))


def _published(journal, dsn):
    one = Fanout(journal, _stream(dsn, "day"), _wanted(""), lambda _what, _more: None)
    assert "geheim" not in one.stream.place
    try:
        while not one.is_done:
            one.turn()
    finally:
        one.stream.close()


def test_a_database_that_there_is_not_is_a_sentence(server, tmp_path):
    journal = written(tmp_path / "day.journal", 5)
    for dsn in (server.dsn.replace("/0", "/99"), server.dsn.replace("/0", "/0?socket_timeout=x")):
        with pytest.raises(HftError, match=r"does not let us|names no Redis"):
            _published(journal, dsn)
