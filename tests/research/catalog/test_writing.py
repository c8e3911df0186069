"""The parts of a tape: each event once, symbols together, days apart; what a reader can skip."""

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from store_days import DAY, SYMBOLS, tape_of
from tapes import OPEN

import hftlib as hft
from hftlib.research.catalog import writing
from hftlib.research.catalog.writing import planned


@pytest.fixture
def small(monkeypatch):
    """Parts and row groups of a size that a small tape has several of."""
    monkeypatch.setattr(writing, "GROUP_EVENTS", 150)
    monkeypatch.setattr(writing, "PART_EVENTS", 700)


@pytest.fixture(scope="module")
def tape(tmp_path_factory):
    return tape_of(tmp_path_factory.mktemp("tape") / "a.tape", count=4000, days=3, seed=6)


def test_a_plan_has_every_event_once_and_keeps_to_its_limits(small, tape):
    plans = planned(tape.selection.file, tape.zone)
    everything = np.concatenate([p for plan in plans for g in plan.groups for _, p in g])
    assert sorted(everything.tolist()) == list(range(len(tape)))
    assert len(plans) > 3 and {plan.day for plan in plans} == {
        "2019-12-30", "2019-12-31", "2020-01-01",
    }  # fmt: skip
    assert len({(plan.day, plan.number) for plan in plans}) == len(plans)
    for plan in plans:
        sizes = [sum(len(places) for _, places in group) for group in plan.groups]
        assert max(sizes) <= 150 and min(sizes) > 0
        names = [name for group in plan.groups for name, _ in group]
        assert names == sorted(names)
    for day in {plan.day for plan in plans}:  # no symbol of a day is in two parts
        of_day = [{n for g in p.groups for n, _ in g} for p in plans if p.day == day]
        assert len(of_day) == 1 or not set.intersection(*of_day)


def test_days_are_cut_where_the_tape_cuts_them(tape):
    plans = planned(tape.selection.file, tape.zone)
    for day, after in (("2019-12-30", "2019-12-31"), ("2019-12-31", "2020-01-01")):
        wanted = tape.between(day, after).positions
        found = [p for plan in plans if plan.day == day for g in plan.groups for _, p in g]
        assert sorted(np.concatenate(found).tolist()) == wanted.tolist()


def test_row_groups_say_which_symbols_and_times_they_have(small, tape, tmp_path):
    store = hft.store(tmp_path / "store")
    entry = store.add(tape).entries[0]
    assert sum(part.events for part in entry.parts) == len(tape)
    for part in entry.parts:
        with pq.ParquetFile(tmp_path / "store" / part.path) as file:
            about = file.metadata
            assert about.num_rows == part.events and about.num_row_groups > 1
            for number in range(about.num_row_groups):
                table = file.read_row_group(number)
                group = about.row_group(number)
                columns = {group.column(n).path_in_schema: group.column(n) for n in range(16)}
                symbols = table["symbol"].cast("string").to_pylist()
                told = columns["symbol"].statistics
                assert (told.min, told.max) == (min(symbols), max(symbols))
                times = table["time"].cast("int64").to_numpy()
                assert part.low <= times.min() and times.max() <= part.high
                assert columns["time"].statistics.has_min_max
                assert columns["price"].compression == "LZ4"


def test_other_readers_find_days_and_files_in_the_paths(tape, tmp_path):
    store = hft.store(tmp_path / "store")
    store.add(tape, bars="1h")
    every = f"read_parquet('{tmp_path}/store/ticks/**/*.parquet', hive_partitioning = true)"
    rows = duckdb.sql(f"SELECT day, count(*) FROM {every} GROUP BY day ORDER BY day").fetchall()
    assert [(str(day), n) for day, n in rows] == [
        (day, len(tape.between(day, after)))
        for day, after in (
            ("2019-12-30", "2019-12-31"), ("2019-12-31", "2020-01-01"), ("2020-01-01", None),
        )
    ]  # fmt: skip
    frame = pq.read_table(tmp_path / "store" / "ticks").to_pandas()
    assert len(frame) == len(tape) and set(frame["symbol"]) >= set(SYMBOLS)


def test_a_tape_of_no_events_is_there_and_has_nothing(tmp_path):
    tape = tape_of(tmp_path / "none.tape", count=0)
    store = hft.store(tmp_path / "store")
    assert "0 events" in str(store.add(tape)) and not store.add(tape).new
    assert len(store.ticks()) == 0 and store.check().sound


def test_a_reading_of_one_symbol_opens_only_the_parts_that_have_it(small, tmp_path):
    store = hft.store(tmp_path / "store")
    for number in range(3):
        store.add(tape_of(tmp_path / f"{number}.tape", seed=number, start=OPEN + number * DAY))
    wanted = store.ticks("AAPL", "2019-12-31", "2020-01-01")
    parts = [part for one in store.entries for part in one.parts]
    needed = [p for p in parts if p.day == "2019-12-31" and (p.has(["AAPL", "*"], None))]
    assert 0 < len(needed) < len(parts)
    for part in set(parts) - set(needed):  # what is not needed may as well be gone
        (tmp_path / "store" / part.path).unlink()
    assert store.ticks("AAPL", "2019-12-31", "2020-01-01").equals(wanted) and len(wanted)
