"""`hft store` as a person and a script use it."""

import json

import pytest
from store_days import DAY, tape_of
from tapes import OPEN
from typer.testing import CliRunner

import hftlib as hft
from hftlib.cli import app
from hftlib.core.errors import HftError

RUNNER = CliRunner()


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HFT_STORE", raising=False)
    monkeypatch.delenv("HFT_STORE_COLD", raising=False)
    monkeypatch.setattr("hftlib.research.catalog.commands.leave_through_finally", lambda: None)
    (tmp_path / "data" / "tapes").mkdir(parents=True)
    for n in range(2):
        path = tmp_path / "data" / "tapes" / f"day{n}.tape"
        tape_of(path, count=900, seed=n, start=OPEN + n * DAY)
    return tmp_path


def here(*arguments, code=0):
    done = RUNNER.invoke(app, ["store", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.stdout


def test_the_whole_way(desk):
    told = here("add", "day0", "data/tapes/day1.tape", "--bars", "1s")
    assert told.count("900 events of 5 symbols") == 2 and "bars of 1s" in told
    assert here("add", "day0").count("already") == 1
    rows = json.loads(here("ls", "--json"))
    assert [(row["what"], row["day"]) for row in rows] == [
        ("bars", "2019-12-30"), ("ticks", "2019-12-30"),
        ("bars", "2019-12-31"), ("ticks", "2019-12-31"),
    ]  # fmt: skip
    assert "Store data/store" in here("ls") and rows[0]["digest"][:12] in here("ls")
    sql = "SELECT day, count(*) AS n FROM ticks GROUP BY day ORDER BY day"
    assert [one["n"] for one in json.loads(here("query", sql, "--json"))] == [900, 900]
    assert "2 rows" in here("query", sql) and "the first 1" in here("query", sql, "--rows", 1)
    plan = json.loads(here("keep", "--today", "2020-01-02", "--hot", "3d", "--dry-run", "--json"))
    assert [one["day"] for one in plan["moves"]] == ["2019-12-30"] * 2 and plan["dry_run"]
    ages = ("--hot", "3d", "--warm", "3d", "--today", "2020-01-02")
    assert "2 parts moved" in here("keep", *ages, "--cold", desk / "cold")
    assert "Backed up to" in here("backup", desk / "b")
    assert json.loads(here("restore", desk / "b", desk / "new", "--json"))["files"] == 9
    assert json.loads(here("check", "--at", desk / "new", "--json"))["sound"]
    assert "all as they were written" in here("check")
    assert "Taken out" in here("drop", rows[0]["digest"][:8], "--at", desk / "new")
    assert len(json.loads(here("ls", "--at", desk / "new", "--json"))) == 2
    assert len(hft.store().ticks()) == 1800


def test_the_environment_says_where_the_store_is(desk, monkeypatch):
    monkeypatch.setenv("HFT_STORE", str(desk / "other"))
    told = json.loads(here("add", "day0", "--json"))
    assert [one["new"] for one in told[0]["entries"]] == [True]
    assert (desk / "other" / "STORE.json").exists() and hft.store().where == str(desk / "other")


def test_a_store_that_is_not_whole_is_exit_code_1(desk):
    here("add", "day0")
    (part,) = (desk / "data" / "store").rglob("*.parquet")
    part.write_bytes(part.read_bytes()[:-1])
    assert not json.loads(here("check", "--json", code=1))["sound"]
    assert "1 are not" in here("check", code=1)


def test_mistakes_are_sentences(desk):
    here("add", "day0")
    for arguments, word in (
        (("add", "nosuch"), "hft data ls"),
        (("add", "day1", "--bars", "wide"), "wide"),
        (("query", "drop table ticks"), "DROP is not reading"),
        (("query", "select 1", "--at", desk), "other things in it"),
        (("keep", "--hot", "x"), "is no age"),
        (("restore", desk / "none", desk / "new"), "no backup"),
        (("restore", desk / "none", "data/store"), "something in the folder"),
        (("drop", "ffffffff"), "Nothing in the store begins"),
        (("ls", "--at", "redis://x"), "no kind of store"),
    ):
        with pytest.raises(HftError) as told:
            RUNNER.invoke(app, ["store", *map(str, arguments)], catch_exceptions=False)
        assert word in str(told.value)
    with pytest.raises(HftError):  # what was written before the mistake is there
        RUNNER.invoke(app, ["store", "add", "day1", "nosuch"], catch_exceptions=False)
    assert len(hft.store().entries) == 2
