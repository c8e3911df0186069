"""Hot, warm, cold: the same answers from all three, and nothing moved that cannot be read back."""

import datetime

import pytest
from store_days import DAY, tape_of
from tapes import OPEN

import hftlib as hft
from hftlib.core.errors import HftError

TODAY = "2020-01-05"  # the days are 2019-12-30, 2020-01-01, 2020-01-03


@pytest.fixture
def store(tmp_path):
    made = hft.store(tmp_path / "store")
    for n in range(3):
        made.add(tape_of(tmp_path / f"{n}.tape", count=1500, seed=n, start=OPEN + 2 * n * DAY))
    return made


def tiers(store):
    return {row["day"]: row["tier"] for row in store.as_json()}


def files(place):
    return sorted(str(path.relative_to(place)) for path in place.rglob("*.parquet*"))


def test_each_day_comes_into_the_tier_of_its_age(store, tmp_path):
    cold, before = tmp_path / "cold", store.ticks()
    some = store.ticks("AAPL", "2019-12-30", "2020-01-02", kinds=["ADD", "TRADE"])
    plan = store.keep(hot="3d", warm="6d", cold=cold, today=TODAY, dry_run=True)
    assert plan.dry_run and "2 parts would move" in str(plan)
    assert set(tiers(store).values()) == {"hot"} and not cold.exists()
    done = store.keep(hot="3d", warm="6d", cold=cold, today=TODAY)
    assert [(one.day, one.before, one.after) for one in done.moves] == [
        ("2019-12-30", "hot", "cold"),
        ("2020-01-01", "hot", "warm"),
    ]
    assert tiers(store) == {"2019-12-30": "cold", "2020-01-01": "warm", "2020-01-03": "hot"}
    assert all(one.bytes_after < one.bytes_before for one in done.moves)
    for one in (store, hft.store(tmp_path / "store")):
        assert one.ticks().equals(before)
        assert one.ticks("AAPL", "2019-12-30", "2020-01-02", kinds=["ADD", "TRADE"]).equals(some)
    assert len(files(tmp_path / "store")) == 2 and len(files(cold)) == 1
    assert store.check().sound and store.check().left == ()
    assert not store.keep(hot="3d", warm="6d", cold=cold, today=TODAY).moves
    assert not store.keep(hot="100d", warm="200d", cold=cold, today=TODAY).moves  # only down
    assert len(store.keep(hot=0, warm=0, cold=cold, today=TODAY).moves) == 2
    assert store.ticks().equals(before) and files(tmp_path / "store") == []


def test_an_object_store_is_read_where_it_is(store, monkeypatch):
    """fsspec's own memory has no folders and no files of this machine, as S3 has none."""
    before = store.ticks()
    monkeypatch.setenv("HFT_STORE_COLD", "memory://desk/store")
    store.keep(hot="0d", warm="3d", today=datetime.date(2020, 1, 5))
    assert list(tiers(store).values()) == ["cold", "cold", "warm"]
    assert store.ticks().equals(before) and store.check().sound
    counts = store.query("SELECT day, count(*) AS n FROM ticks GROUP BY day ORDER BY day")
    assert counts["n"].tolist() == [1500] * 3
    paths = store.query("SELECT path FROM files WHERE tier = 'cold'")["path"]
    assert all(path.startswith("memory://desk/store/ticks/day=") for path in paths)
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file(paths[0].removeprefix("memory:/"), b"PAR1 something else PAR1")
    assert [what for _, what in store.check().problems] == ["it has 24 bytes, not "
        f"{store.entries[0].parts[0].bytes:,}"]  # fmt: skip
    gone = store.entries[0]
    store.drop(gone.digest)  # takes away what lies there, too
    assert not memory.exists(paths[0]) and len(store.ticks()) == 3000


def test_without_a_place_for_it_nothing_is_cold(store, monkeypatch):
    monkeypatch.delenv("HFT_STORE_COLD", raising=False)
    done = store.keep(hot="1d", warm="3d", today=TODAY)
    assert set(tiers(store).values()) == {"warm"}
    assert done.waiting == 2 and "name its place" in str(done)
    assert done.as_json()["waiting"] == 2 and len(done.as_json()["moves"]) == 3


def test_a_cold_place_that_cannot_be_written_moves_nothing(store, tmp_path):
    before, there = store.ticks(), files(tmp_path / "store")
    (tmp_path / "a file").write_text("no folder")
    for place, word in (
        (tmp_path / "a file" / "below", "refused"),
        ("nosuch://bucket/x", "not understood"),
        ("", "3 are old enough"),
        (7, "names no place"),
    ):
        if place == "":
            assert word in str(store.keep(hot="0d", warm="0d", cold="", today=TODAY, dry_run=True))
            continue
        with pytest.raises(HftError) as told:
            store.keep(hot="0d", warm="0d", cold=place, today=TODAY)
        assert word in str(told.value)
    assert store.ticks().equals(before) and set(tiers(store).values()) == {"hot"}
    store.keep(hot="10y", warm="10y", today=TODAY)
    store.add(tape_of(tmp_path / "n.tape", count=300, seed=9, start=OPEN + 9 * DAY))
    assert len(files(tmp_path / "store")) == len(there) + 1  # what was packed in vain is gone


def test_ages_that_are_none_are_refused(store):
    for options in (
        {"hot": "soon"}, {"hot": -1}, {"hot": None}, {"warm": "5m"}, {"hot": "9d", "warm": "5d"},
        {"today": "yesterday"}, {"hot": 1.5}, {"warm": True},
    ):  # fmt: skip
        with pytest.raises(HftError):
            store.keep(**{"today": TODAY, **options})
    assert store.keep(datetime.timedelta(days=400), "90w", today=TODAY).moves == ()
