"""Tables become events exactly, in order of time, and say what in them cannot be one."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import recorded

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.times import to_ns
from hftlib.feed.depth_json import DepthSource
from hftlib.feed.source import CHUNK_EVENTS_MAX
from hftlib.research import frame_tables, frames
from hftlib.research.frames import FrameSource

TIMES = pd.DatetimeIndex(["2026-01-05 09:30:00.000000001", "2026-01-05 09:30:01.000000000"])
TRADES = pd.DataFrame(
    {"time": TIMES, "price": [100.01, 100.02], "size": [200, 100], "side": ["buy", "S"]}
)
QUOTES = pd.DataFrame(
    {
        "time": TIMES,
        "bid": [100.0, np.nan],
        "bid_size": [5.0, np.nan],
        "ask": [100.02, 100.03],
        "ask_size": [7, 8],
    }
)


def source_of(*tables: object, **others: object) -> FrameSource:
    return FrameSource(*tables, **({"symbol": "AAPL", "price_unit": "0.01"} | others))


def read(*tables: object, **others: object) -> np.ndarray:
    chunks = [chunk.copy() for chunk in source_of(*tables, **others).chunks()]
    assert all(0 < len(chunk) <= CHUNK_EVENTS_MAX for chunk in chunks)
    return np.concatenate(chunks)


def told(made: np.ndarray) -> list[tuple]:
    names = ("price", "quantity", "flags")
    return [
        (events.KINDS[e["kind"]], events.SIDES[e["side"]], *(int(e[name]) for name in names))
        for e in made
    ]


def test_trades_and_quotes_become_their_events_by_time():
    late = TRADES.assign(time=TRADES["time"] + pd.Timedelta("1ns"))
    assert told(read(late, QUOTES)) == [
        ("QUOTE", "buy", 10000, 5, 0),
        ("QUOTE", "sell", 10002, 7, events.LAST),
        ("TRADE", "buy", 10001, 200, events.LAST),
        ("QUOTE", "buy", 0, 0, 0),
        ("QUOTE", "sell", 10003, 8, events.LAST),
        ("TRADE", "sell", 10002, 100, events.LAST),
    ]
    source = source_of(TRADES, QUOTES)
    kinds = [events.KINDS[kind] for chunk in source.chunks() for kind in chunk["kind"]]
    assert kinds == ["TRADE", "QUOTE", "QUOTE"] * 2  # trades first within a moment
    assert source.counts == {"trades": 2, "quotes": 2, "unreadable": 0, "times going back": 0}
    assert source.share_done == 1.0


@pytest.mark.parametrize(
    ("times", "others"),
    [
        (TIMES, {}),
        (TIMES.tz_localize("UTC").tz_convert("Asia/Tokyo"), {}),
        (TIMES.tz_localize("UTC").tz_convert("America/New_York").tz_localize(None),
         {"zone": "America/New_York"}),
        (TIMES.astype(np.int64), {}),
        (["2026-01-05T09:30:00.000000001Z", "2026-01-05T09:30:01+00:00"], {}),
    ],
)  # fmt: skip
def test_a_time_is_the_same_however_it_is_written(times, others):
    wanted = [to_ns("2026-01-05T09:30:00.000000001Z"), to_ns("2026-01-05T09:30:01Z")]
    assert read(TRADES.assign(time=times), **others)["time"].tolist() == wanted
    indexed = TRADES.drop(columns="time").set_index(pd.Index(TIMES))
    assert read(indexed)["time"].tolist() == wanted


def test_integers_count_the_unit_of_time_that_is_said():
    made = read(TRADES.assign(time=[1, 2], received=[3, 4]), time_unit="ms")
    assert made["time"].tolist() == [1_000_000, 2_000_000]
    assert made["received"].tolist() == [3_000_000, 4_000_000]


@pytest.mark.parametrize("price", [["100.01", "100.02"], [Decimal("100.01"), Decimal("100.02")]])
def test_text_and_decimals_are_exact_too(price):
    assert read(TRADES.assign(price=price))["price"].tolist() == [10001, 10002]


def test_symbols_of_a_column_get_rows_as_they_appear():
    table = pd.concat([TRADES.assign(ticker="MSFT"), TRADES.assign(ticker=["AAPL", "MSFT"])])
    source = source_of(table, symbol=None, column="ticker")
    (chunk,) = source.chunks()
    assert chunk["instrument"].tolist() == [0, 0, 1, 0]
    assert source.instruments.symbols == ["MSFT", "AAPL"]


def test_a_lone_table_of_quotes_is_known_by_its_columns():
    assert told(read(QUOTES))[0] == ("QUOTE", "buy", 10000, 5, 0)
    renamed = QUOTES.rename(columns={"bid": "Gebot"})
    assert len(read(renamed, columns={"bid": "Gebot"})) == 4


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"price": [np.nan, 1.0]}, events.WRONG_PRICE),
        ({"price": [-1.0, 1.0]}, events.WRONG_PRICE),
        ({"price": [np.inf, 1.0]}, events.WRONG_PRICE),
        ({"price": [None, Decimal(1)]}, events.WRONG_PRICE),
        ({"size": [-5, 1]}, events.WRONG_PRICE),
        ({"side": ["up", "buy"]}, events.WRONG_SIDE),
        ({"time": [pd.NaT, TIMES[1]]}, events.NO_PARSE),
    ],
)
def test_a_row_that_is_no_trade_says_why_and_which(change, why):
    table = pd.concat([TRADES, TRADES.assign(**change)], ignore_index=True)
    source = source_of(table)
    (made,) = source.chunks()
    bad = made[2]
    assert (bad["kind"], bad["reference"], bad["price"]) == (events.UNREADABLE, why, 2)
    assert source.counts["unreadable"] == 1 and source.counts["trades"] == 3
    assert made["kind"].tolist() == [events.TRADE, events.TRADE, events.UNREADABLE, events.TRADE]


def test_a_quote_is_unreadable_as_a_whole():
    source = source_of(QUOTES.assign(ask=[np.nan, 100.03]))
    (made,) = source.chunks()
    assert told(made) == [
        ("UNREADABLE", "", 0, 0, events.LAST),
        ("QUOTE", "buy", 0, 0, 0),
        ("QUOTE", "sell", 10003, 8, events.LAST),
    ]
    assert source.counts["quotes"] == source.counts["unreadable"] == 1


def test_times_that_go_back_stay_and_are_counted():
    source = source_of(TRADES[::-1], QUOTES)
    made = np.concatenate([chunk.copy() for chunk in source.chunks()])
    assert source.counts["times going back"] == 1
    trades = made[made["kind"] == events.TRADE]
    assert trades["price"].tolist() == [10002, 10001]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: FrameSource(symbol="A", price_unit="0.01"), "It takes trades, quotes or both"),
        (lambda: source_of(TRADES, column="time"), "It takes trades, quotes or both"),
        (lambda: source_of({"price": [1]}), "is no table"),
        (lambda: source_of(TRADES.drop(columns="size")), "No column is the size"),
        (lambda: source_of(TRADES.drop(columns="time")), "No column is the time"),
        (lambda: source_of(TRADES, TRADES), "No column is the bid"),
        (lambda: source_of(TRADES, columns={"price": "x"}), "No column is the price"),
        (lambda: source_of(TRADES, symbol=None, column="x"), "There is no column 'x'"),
        (lambda: source_of(TRADES.assign(t=None), symbol=None, column="t"), "lacks a symbol"),
        (lambda: source_of(TRADES.assign(time=[1.0, 2.0])), "times are floats"),
        (lambda: source_of(TRADES.assign(time=["noon", "one"])), "does not read as a time"),
        (lambda: source_of(TRADES.assign(time=[2**62, 1]), time_unit="s"), "does not fit"),
        (lambda: source_of(TRADES, time_unit="m"), "There is no time unit 'm'"),
        (lambda: source_of(TRADES, zone="Mars"), "not the name of a time zone"),
        (lambda: source_of(TRADES, price_unit="0.05"), r"100\.01 is not a multiple.*row 0"),
        (lambda: source_of(TRADES.assign(price=["x", "1"])), "does not read as a number"),
        (lambda: source_of(TRADES.astype({"price": "float32"})), "float32"),
        (lambda: source_of("none.parquet"), "This is no table"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(make, sentence):
    with pytest.raises(InputError, match=sentence):
        list(make().chunks())


def test_a_file_reads_as_its_frame(tmp_path):
    wanted = read(TRADES, QUOTES)
    for name in ("trades", "quotes"):
        table = TRADES if name == "trades" else QUOTES
        table.to_parquet(tmp_path / f"{name}.parquet", index=False)
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        table.set_index("time").to_parquet(tmp_path / f"{name}.indexed.parquet")
        table.set_index("time").rename_axis(None).to_parquet(tmp_path / f"{name}.bare.parquet")
    for end in ("parquet", "csv", "indexed.parquet", "bare.parquet"):
        made = read(tmp_path / f"trades.{end}", str(tmp_path / f"quotes.{end}"))
        assert np.array_equal(made, wanted), end


def test_a_file_that_is_none_is_refused(tmp_path):
    for content in (b"PAR1 and then nothing", b"", b"\xff\xfe\0\0,\n1,2,3\n"):
        path = tmp_path / "table"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"This is no table|No column|damaged"):
            list(source_of(path).chunks())
    (tmp_path / "half.csv").write_text("time,price,size\n1,2,3\n1,2,3,4\n")
    with pytest.raises(InputError, match=r"no table|damaged behind row"):
        list(source_of(tmp_path / "half.csv").chunks())


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 30), max_size=40),
    st.lists(st.integers(0, 30), max_size=40),
    st.integers(1, 9),
)
def test_batches_of_any_size_merge_as_one_sort_would(trade_times, quote_times, rows):
    trades = pd.DataFrame({"time": sorted(trade_times)}).assign(price=1.0, size=1)
    quotes = pd.DataFrame({"time": sorted(quote_times)}).assign(
        bid=1.0, ask=2.0, bid_size=1, ask_size=1
    )
    trades["size"], quotes["bid_size"] = range(len(trades)), range(len(quotes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame_tables, "ROWS_MAX", rows)
        patch.setattr(frames, "CHUNK_EVENTS_MAX", 7)
        source = source_of(trades.astype({"time": "int64"}), quotes.astype({"time": "int64"}))
        made = [event for chunk in source.chunks() for event in chunk.copy()]
    expected = [(time, 0, n, 0) for n, time in enumerate(sorted(trade_times))]
    for n, time in enumerate(sorted(quote_times)):
        expected += [(time, 1, n, 1), (time, 1, n, 2)]
    found = [
        (int(e["time"]), int(e["kind"] == events.QUOTE), int(e["quantity"]), int(e["side"]))
        for e in made
    ]
    firsts = [(t, kind, n) for t, kind, n, side in found if side != events.SELL]
    assert firsts == sorted((t, kind, n) for t, kind, n, side in expected if side != 2)
    assert len(found) == len(expected)
    for before, after in pairwise(found):
        assert (after[3] == events.SELL) == (before[3] == events.BUY)


@settings(max_examples=40)
@given(st.lists(st.integers(0, 9), max_size=30), st.lists(st.integers(0, 9), max_size=30))
def test_a_table_out_of_order_keeps_its_own_order(trade_times, quote_times):
    trades = pd.DataFrame({"time": np.array(trade_times, np.int64)}).assign(price=1.0)
    quotes = pd.DataFrame({"time": np.array(quote_times, np.int64)}).assign(
        bid=1.0, ask=2.0, ask_size=1
    )
    trades["size"], quotes["bid_size"] = range(len(trades)), range(len(quotes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frame_tables, "ROWS_MAX", 3)
        source = source_of(trades, quotes)
        made = [event for chunk in source.chunks() for event in chunk.copy()]
    for kind, times in ((events.TRADE, trade_times), (events.QUOTE, quote_times)):
        kept = [e for e in made if e["kind"] == kind and e["side"] != events.SELL]
        assert [int(e["quantity"]) for e in kept] == list(range(len(times)))
    goes_back = sum(b < a for times in (trade_times, quote_times) for a, b in pairwise(times))
    assert source.counts["times going back"] == goes_back


def test_real_trades_come_back_from_a_table_as_they_were(tmp_path):
    """The recorded trades, as floats in Parquet, are the events of the recording."""
    path = recorded("crypto/hftbacktest_spot_btcusdt_20240808.gz")
    units = {"price_unit": "0.01", "lot_unit": "0.00000001"}
    source = DepthSource(Path(path), symbol="BTCUSDT", **units)
    chunks = [chunk[chunk["kind"] == events.TRADE].copy() for chunk in source.chunks()]
    made = np.concatenate(chunks)
    table = pd.DataFrame(
        {
            "timestamp": pd.to_datetime(made["time"]),
            "local_ts": made["received"],
            "price": made["price"] / 100,
            "qty": made["quantity"] / 10**8,
            "side": np.where(made["side"] == events.BUY, "buy", "sell"),
        }
    )
    table.to_parquet(tmp_path / "trades.parquet", row_group_size=2000)
    again = read(tmp_path / "trades.parquet", symbol="BTCUSDT", **units)
    assert len(again) == 9757
    for field in ("time", "received", "price", "quantity", "side", "kind", "flags"):
        assert np.array_equal(again[field], made[field]), field
