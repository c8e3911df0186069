"""What goes into a store comes out: of a folder and of ClickHouse alike, beside plain pandas."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest
from store_days import DAY, SYMBOLS, named, tape_of
from tapes import OPEN, SECOND

import hftlib as hft
from hftlib.core.errors import HftError, InputError, StateError
from hftlib.core.journal import Journal, kinds
from hftlib.research.catalog import framing
from hftlib.research.catalog import store as of_store
from hftlib.research.catalog.asking import BAR_COLUMNS, TICK_COLUMNS


@pytest.fixture(scope="module")
def tapes(tmp_path_factory):
    """One day; three days in one; the day after them. Then a market with books."""
    place = tmp_path_factory.mktemp("tapes")
    made = {
        "one": tape_of(place / "one.tape", seed=1),
        "three": tape_of(place / "three.tape", seed=2, days=3, start=OPEN + DAY),
        "late": tape_of(place / "late.tape", seed=3, start=OPEN + 4 * DAY),
    }
    market = hft.synthetic(symbols=3, seconds=10, seed=5)
    return made | {"market": hft.to_tape(market, place / "market.tape")}


def same(ours, theirs):
    pd.testing.assert_frame_equal(named(ours), named(theirs), check_index_type=False)


def refused(work, *words, kind=HftError):
    with pytest.raises(kind) as told:
        work()
    for word in words:
        assert word in str(told.value), str(told.value)


def test_all_that_is_on_a_tape_comes_back_as_the_tape_shows_it(store, tapes):
    for tape in (tapes["one"], tapes["three"]):
        store.add(tape)
    whole = pd.concat([named(tapes[name].frame()) for name in ("one", "three")])
    same(store.ticks(), whole)
    same(store.ticks(begin="2019-12-31", end="2020-02-01"), tapes["three"].frame())
    assert list(store.ticks().columns) == list(TICK_COLUMNS) == list(tapes["one"].frame().columns)
    assert store.symbols == sorted([*SYMBOLS, "#77"])
    for symbol in SYMBOLS:
        same(store.ticks(symbol, end="2019-12-31"), tapes["one"][symbol].frame())


def test_random_questions_have_the_answers_of_pandas(store, tapes):
    chance = np.random.default_rng(11)
    for name in ("one", "three", "late"):
        store.add(tapes[name])
    whole = pd.concat([named(tapes[name].frame()) for name in ("one", "three", "late")])
    times = whole["time"].astype("int64").to_numpy()
    for _ in range(25):
        symbols = list(chance.choice(SYMBOLS, chance.integers(1, 4), replace=False))
        words = list(chance.choice(["ADD", "TRADE", "GAP", "CLEAR", "DELETE"], 2, replace=False))
        begin, end = sorted(int(one) for one in chance.choice(times, 2))
        found = store.ticks(symbols, begin, end, kinds=words, columns=["time", "symbol", "lots"])
        wanted = whole[
            whole["symbol"].isin([*symbols, "*"])
            & whole["kind"].isin(words)
            & (times >= begin)
            & (times < end)
        ]
        pd.testing.assert_frame_equal(named(found), wanted[["time", "symbol", "lots"]])


def test_bars_are_those_of_the_tape(store, tapes):
    tape = tapes["market"]
    store.add(tape, bars=("1s", "60s", "1d"))
    for width in ("1s", "1m", "1d"):
        wanted = tape.bars(width)
        options = {"check_freq": False, "check_categorical": False}
        pd.testing.assert_frame_equal(store.bars(None, width), wanted, **options)
        one = tape.symbols[1]
        pd.testing.assert_frame_equal(store.bars(one, width), wanted.loc[one], **options)
        assert tuple(wanted.columns) == BAR_COLUMNS
    some = store.bars([one], "1s", "09:30:03", "09:30:05")
    assert len(some) == 2 and some.index.names == ["symbol", "time"]
    refused(lambda: store.bars(one, "5s"), "no bars of 5s", "1d, 1m, 1s", "bars='5s'")
    refused(lambda: store.bars(one, 0), "cannot be 0 wide")
    refused(lambda: store.bars("NOPE", "1s"), "no 'NOPE'")


def test_what_is_there_is_not_added_again(store, tapes):
    first = store.add(tapes["market"])
    assert "3 symbols" in str(first) and len(first.new) == 1
    again = store.add(str(tapes["market"].path))
    assert not again.new and "already" in str(again)
    more = store.add(tapes["market"], bars="1m")
    assert [one.what for one in more.new] == ["bars"] and len(more.entries) == 2
    assert len(store.ticks()) == len(tapes["market"])
    rows = store.as_json()
    assert [(row["what"], row["day"], row["width"]) for row in rows] == [
        ("bars", "2026-01-05", "1m"),
        ("ticks", "2026-01-05", ""),
    ]
    assert all(row["digest"] == tapes["market"].digest for row in rows)
    assert tapes["market"].digest[:12] in str(store) and "market.tape" in str(store)
    assert "AAA" in store._repr_html_()


def test_the_same_symbol_at_the_same_time_is_not_taken_from_two_tapes(store, tapes, tmp_path):
    other = tape_of(tmp_path / "other.tape", seed=9)
    store.add(tapes["one"])
    refused(lambda: store.add(other), "would count twice", "store.drop(", kind=StateError)
    assert len(store.entries) == 1
    gone = store.drop(tapes["one"].digest[:8])
    assert "3,000 events" in str(gone) and not store.entries and len(store.query(ALL)) == 0
    store.add(other)
    same(store.ticks(), other.frame())
    store.add(tapes["late"])  # another time is no matter


ALL = "SELECT * FROM ticks"
TRADES = (
    "SELECT symbol, kind, count(*) AS n, sum(lots) AS lots, min(position) AS first, "
    "avg(price) AS price FROM ticks WHERE time >= '2019-12-31' GROUP BY symbol, kind "
    "ORDER BY symbol, kind"
)


def test_sql_counts_as_pandas_does(store, tapes):
    store.add(tapes["one"])
    store.add(tapes["three"])
    found = store.query(TRADES)
    frame = named(tapes["three"].frame()).reset_index()
    wanted = frame.groupby(["symbol", "kind"])
    pd.testing.assert_frame_equal(
        found[["n", "lots", "first", "price"]].astype("float64"),
        wanted.agg(n=("lots", "size"), lots=("lots", "sum"), first=("position", "min"),
                   price=("price", "mean")).reset_index(drop=True).astype("float64"),
    )  # fmt: skip
    days = store.query("SELECT day, count(*) AS n FROM ticks GROUP BY day ORDER BY day")
    assert days["n"].tolist() == [3000, 1000, 1000, 1000]
    files = store.query("SELECT what, tier, sum(events) AS n FROM files GROUP BY what, tier")
    assert files.values.tolist() == [["ticks", "hot", 6000]]
    assert len(store.query("SELECT * FROM bars")) == len(store.query("SELECT * FROM frames;")) == 0


def test_sql_only_reads(store, tapes, tmp_path):
    store.add(tapes["one"])
    out = tmp_path / "out"
    for text in (
        "DROP TABLE ticks", "DELETE FROM ticks", "INSERT INTO files SELECT * FROM files",
        "UPDATE ticks SET lots = 0", "CREATE TABLE a (b INT)", "/* select */ TRUNCATE ticks",
        f"COPY (SELECT 1) TO '{out}'", "ATTACH 'a.db'", "SET threads = 1", "INSTALL httpfs",
        "(DROP VIEW ticks)", "-- select\nALTER TABLE ticks ADD COLUMN b INT",
    ):  # fmt: skip
        refused(lambda text=text: store.query(text), "only read by SQL", kind=InputError)
    for text in (f"SELECT 1 INTO OUTFILE '{out}'", f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{out}'"):
        refused(lambda text=text: store.query(text))
    refused(lambda: store.query("WITH a AS (SELECT 1) INSERT INTO ticks SELECT * FROM ticks"))
    refused(lambda: store.query("SELECT 1; DROP TABLE ticks"), "Several questions")
    refused(lambda: store.query("SELECT nope FROM ticks"), "not understood", "nope")
    refused(lambda: store.query("SELECT FROM WHERE"), "not understood")
    for nothing in ("", "  ", None, 7, b"SELECT 1"):
        refused(lambda nothing=nothing: store.query(nothing), "is no question")
    assert not out.exists() and len(store.ticks()) == 3000
    assert store.query("SELECT ';' AS a, 'drop table' AS b").values.tolist() == [
        [";", "drop table"]
    ]


def test_a_wrong_question_is_a_sentence(store, tapes):
    refused(lambda: store.ticks("AAPL"), "no 'AAPL' in the store", "Add a tape")
    assert len(store.ticks()) == 0  # of an empty store, all of it
    store.add(tapes["one"])
    refused(lambda: store.ticks("APPL"), "no 'APPL'", "AAPL")
    refused(lambda: store.ticks(["AAPL", "NOPE"]), "no 'NOPE'")
    for symbols in ([], 7, [7], b"AAPL", {"AAPL": 1}, ""):
        refused(lambda symbols=symbols: store.ticks(symbols), "names no symbol")
    refused(lambda: store.ticks(kinds="TRADES"), "TRADES", "Did you mean TRADE?")
    refused(lambda: store.ticks(kinds=7), "names no kind")
    refused(lambda: store.ticks(columns=["time", "prise"]), "prise", "Did you mean price?")
    refused(lambda: store.ticks(columns=[]), "names no column")
    refused(lambda: store.ticks(begin="yesterday"), "begin")
    refused(lambda: store.ticks(begin=1.5), "begin")
    refused(lambda: store.ticks(end="2019-13-01"), "end")
    refused(lambda: store.ticks("AAPL", venue="XBOS"), "is of XNAS", "XBOS")
    refused(lambda: store.bars("AAPL", "soon"), "soon")
    refused(lambda: store.bars("AAPL", "1m"), "no bars of 1m of AAPL")
    refused(lambda: store.bars(None, "1m"), "no bars of 1m")
    for thing in (None, 7, "", b"one.tape"):
        refused(lambda thing=thing: store.add(thing), "neither a tape nor a journal")
    refused(lambda: store.add("/nowhere/a.tape"), "cannot be opened")
    refused(lambda: store.add(tapes["late"].path.parent), "no journal")
    refused(lambda: store.add(tapes["late"]["AAPL"]), "slice", "save")
    refused(lambda: store.add(tapes["late"], bars="never"), "never")
    for digest in (None, "", "abc", 12345):
        refused(lambda digest=digest: store.drop(digest), "is no digest")
    refused(lambda: store.drop("0123456789ab"), "Nothing in the store begins")
    assert [one.file for one in store.entries] == [tapes["one"].digest[:12]]


def test_a_symbol_of_two_venues_needs_the_venue(store, tmp_path):
    from tapes import ArraySource, flow

    from hftlib.core.instruments import Instruments
    from hftlib.feed.tape_file import write_tape

    both = Instruments()
    for venue in ("XNAS", "XBOS"):
        both.add("AAPL", venue=venue, calendar="XNAS")
    write_tape(tmp_path / "two.tape", ArraySource(flow(400), both))
    tape = hft.open_tape(tmp_path / "two.tape")
    store.add(tape)
    refused(lambda: store.ticks("AAPL"), "XBOS and XNAS", "venue=")
    same(store.ticks("AAPL", venue="XBOS"), named(tape.only("AAPL", venue="XBOS").frame()).assign(
        symbol="AAPL"))  # fmt: skip
    assert store.ticks(columns="venue")["venue"].value_counts().to_dict() == {
        venue: len(tape.only("AAPL", venue=venue)) for venue in ("XNAS", "XBOS")
    }


def test_times_are_taken_as_tapes_take_them(store, tapes):
    store.add(tapes["one"])
    tape = tapes["one"]
    half = OPEN + 1 * SECOND
    wanted = named(tape.frame())
    wanted = wanted[wanted["time"].astype("int64") < half]
    for end in (half, "2019-12-30 09:30:01", "09:30:01", "2019-12-30T14:30:01Z",
                np.datetime64("2019-12-30T14:30:01"), datetime.time(9, 30, 1)):  # fmt: skip
        same(store.ticks(end=end), wanted)
    assert len(store.ticks("AAPL", "2030-01-01")) == 0
    assert store.ticks("AAPL", "2030-01-01").dtypes["price"] == "float64"
    more = store.ticks("AAPL", columns=["position", "venue", "day", "file", "time"])
    assert str(more["time"].dtype) == "datetime64[ns, UTC]"
    assert set(more["file"]) == {tape.digest[:12]} and len(set(more["day"])) == 1
    assert more["position"].tolist() == more.index.tolist()


def test_a_journal_is_a_table_of_its_frames(store, tmp_path):
    folder = tmp_path / "day.journal"
    sizes = {"segment_bytes": 1 << 16, "block_bytes": 1 << 14}
    with Journal.create(folder, {"what": "test"}, time=OPEN, **sizes) as journal:
        for n in range(50):
            journal.append(kinds.NOTE, OPEN + n, f"note {n}".encode(), 3)
        refused(lambda: store.add(folder), "being written", kind=StateError)
        journal.close(time=OPEN + 60)
    added = store.add(folder)
    assert "frames" in str(added) and len(added.new) == 1
    assert not store.add(str(folder)).new
    refused(lambda: store.add(folder, bars="1m"), "no bars")
    found = store.query("SELECT sequence, kind, payload, length FROM frames ORDER BY sequence")
    notes = found[found["kind"] == "NOTE"]
    assert [bytes(one) if isinstance(one, bytes) else one.encode() for one in notes["payload"]] == [
        f"note {n}".encode() for n in range(50)
    ]
    assert notes["length"].tolist() == [len(f"note {n}") for n in range(50)]
    segment = sorted(folder.glob("*.segment"))[0]
    data = bytearray(segment.read_bytes())
    data[5000] ^= 1
    segment.write_bytes(data)
    refused(lambda: store.add(folder), "damaged", "hft journal")


def test_more_rows_than_a_frame_should_hold_are_refused(store, tapes, monkeypatch):
    store.add(tapes["one"])
    for module in (framing, of_store):
        monkeypatch.setattr(module, "FRAME_EVENTS_MAX", 2999)
    refused(store.ticks, "More ticks than a frame should hold, 2,999")
    assert len(store.ticks(end=tapes["one"].end)) == 2999
    assert len(store.query("SELECT * FROM ticks")) == 3000
