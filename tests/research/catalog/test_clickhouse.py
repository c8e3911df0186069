"""What only a store in ClickHouse has: attempts that nobody sees, DSNs, a server that is away."""

import socket

import pytest
from store_days import tape_of

import hftlib as hft
from hftlib.core.errors import HftError, HostError, InputError, StateError
from hftlib.research.catalog import clickhouse
from hftlib.research.catalog.adding import noted
from hftlib.research.catalog.clickhouse import _parted, _shown


@pytest.fixture
def store(request):
    made = hft.store(f"chdb://memory/{request.node.name}")
    yield made
    made.backend.close()


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return tape_of(tmp_path_factory.mktemp("tape") / "a.tape", count=800)


class Killed(BaseException):
    """Stands for a process that ends here: nothing in between may catch it."""


def test_a_writer_that_ends_half_way_leaves_rows_that_nobody_sees(store, tape, monkeypatch):
    def progress(_share, _what):
        raise Killed

    entry = noted("ticks", tape.digest, tape)
    with pytest.raises(Killed):
        store.backend.add_ticks(entry, tape, progress)
    assert store.query("SELECT count(*) AS n FROM ticks_kept")["n"][0] > 0
    assert len(store.ticks()) == 0 and not store.entries
    store.add(tape)
    assert len(store.ticks()) == 800
    assert store.query("SELECT count(*) AS n FROM ticks_kept")["n"][0] > 800
    store.drop(tape.digest)
    with pytest.raises(Killed):
        store.backend.add_ticks(entry, tape, progress)
    monkeypatch.setattr(clickhouse, "STALE_NS", 0)  # a day later
    store.add(tape)
    assert store.query("SELECT count(*) AS n FROM ticks_kept")["n"][0] == 800


def test_two_who_add_the_same_at_once_count_it_once(store, tape):
    """Neither may take the other's rows for those of one that died."""
    entry = noted("ticks", tape.digest, tape)

    def meanwhile(_share, _what):
        if not store.entries:
            other = hft.store(store.where)
            other.add(tape)
            other.backend.close()

    store.backend.add_ticks(entry, tape, meanwhile)
    assert len(store.entries) == 1
    assert store.query("SELECT count(*) AS n FROM ticks")["n"][0] == 800
    assert not store.add(tape).new
    with pytest.raises(StateError):
        store.backend.add_ticks(entry, tape, meanwhile)


def test_the_two_handles_of_one_store_see_the_same(store, tape):
    store.add(tape, bars="1s")
    other = hft.store(store.where)
    assert len(other.ticks("AAPL")) == len(store.ticks("AAPL")) > 0
    other.drop(tape.digest)
    assert not store.entries and len(store.query("SELECT * FROM bars_kept")) == 0
    other.backend.close()


def test_what_a_folder_does_is_left_to_the_server(store):
    for work in (store.check, lambda: store.backup("x"), lambda: store.restore("x"), store.keep):
        with pytest.raises(StateError) as told:
            work()
        assert "this one is ClickHouse" in str(told.value)


def test_dsns_are_taken_apart_and_show_no_password():
    assert _parted("clickhouse://me:word@host:8124/desk?secure=1") == (
        "http://me:word@host:8124?secure=1", "desk",
    )  # fmt: skip
    assert _parted("clickhouses://host") == ("https://host", "hft")
    assert _parted("chdb:///a/folder") == ("chdb:///a/folder", "hft")
    assert _parted("chdb://memory") == ("chdb://memory", "hft")
    assert _shown("clickhouse://me:word@host:8124/desk") == "clickhouse://me@host:8124/desk"
    for wrong in (
        "clickhouse://",
        "clickhouse:///desk",
        "clickhouse://host/a b",
        "chdb://memory/a;b",
    ):
        with pytest.raises(InputError):
            hft.store(wrong)
    for wrong in ("redis://host", "s3://bucket/x", "", "  ", 7, b"chdb://memory"):
        with pytest.raises(HftError):
            hft.store(wrong)


def test_a_server_that_is_away_is_a_sentence_without_the_password():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(HostError) as told:
        hft.store(f"clickhouse://me:secretword@127.0.0.1:{port}/hft")
    assert "cannot be reached" in str(told.value) and "secretword" not in str(told.value)
