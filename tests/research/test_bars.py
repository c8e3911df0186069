"""Bars against a slow twin that goes through the tape bar by bar; days, splits, slices, bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from slow_market import SlowBooks, flow_of_orders
from tapes import MIDNIGHT, OPEN, SECOND, ArraySource, event, flow, two_stocks

from hftlib.core import events, jit
from hftlib.core.errors import InputError
from hftlib.core.instruments import ACTION, Instruments
from hftlib.core.times import to_ns
from hftlib.feed.tape_file import write_tape
from hftlib.research import bars as module
from hftlib.research.tape import Tape, open_tape

DAY = 86_400 * SECOND
COLUMNS = [
    *("open", "high", "low", "close", "volume", "vwap", "trades"),
    *("bid", "bid_size", "ask", "ask_size", "mid", "spread", "imbalance", "stale"),
]


def written(path: Path, *parts: Any, table: Instruments | None = None) -> Tape:
    write_tape(path, ArraySource(np.concatenate(parts), table), overwrite=True)
    return open_tape(path)


def slow_bars(array: Any, width: int, first: int, last: int) -> dict[tuple[int, int], list[Any]]:
    """For each row and bar of [first, last): open, high, low, close, volume, value, trades, book.

    One event after the other; at the end of each bar every book is looked at, all orders of it.
    """
    books, made = SlowBooks(), {}
    span = array["time"][first:last]
    grid = range(span[0] // width * width, span.max() + 1, width)
    places = iter([*array[:last], None])
    one, number = next(places), 0
    for begin in grid:
        trades: dict[int, list[tuple[int, int]]] = {0: [], 1: []}
        while one is not None and (number < first or one["time"] < begin + width):
            _, traded = books.apply(one)
            printed = not one["flags"] & events.NOT_PRINTABLE
            if traded and printed and number >= first:
                trades[int(one["instrument"])].append(traded)
            one, number = next(places), number + 1
        for row in range(2):
            prices = [price for price, _ in trades[row]]
            sizes = [size for _, size in trades[row]]
            value = sum(p * s for p, s in trades[row])
            made[row, begin] = [
                *((prices[0], max(prices), min(prices), prices[-1]) if prices else (None,) * 4),
                *(sum(sizes), value / sum(sizes) if sizes else None, len(sizes)),
                *(books.best(row, events.BUY) or (None, 0)),
                *(books.best(row, events.SELL) or (None, 0)),
            ]
    return made


def require_equal(frame: pd.DataFrame, twin: dict[tuple[int, int], list[Any]], rows: Any) -> None:
    wanted = [twin[key] for key in sorted(twin) if key[0] in rows]
    assert len(frame) == len(wanted)
    money = {0, 1, 2, 3, 5, 7, 9}
    for column, name in enumerate(COLUMNS[:11]):
        for found, expected in zip(frame[name].tolist(), (w[column] for w in wanted), strict=True):
            scaled = expected / 10_000 if column in money and expected is not None else expected
            assert pd.isna(found) if scaled is None else found == pytest.approx(scaled), name
    pd.testing.assert_series_equal(
        frame["mid"], (frame["bid"] + frame["ask"]) / 2, check_names=False
    )
    pd.testing.assert_series_equal(frame["spread"], frame["ask"] - frame["bid"], check_names=False)
    total = frame["bid_size"] + frame["ask_size"]
    wanted_imbalance = (frame["bid_size"] - frame["ask_size"]) / total.where(total > 0)
    pd.testing.assert_series_equal(frame["imbalance"], wanted_imbalance, check_names=False)


@pytest.mark.modes
@pytest.mark.parametrize("width", ["1s", "300ms", "7s"])
def test_a_slow_twin_makes_the_same_bars(tmp_path: Path, width: str) -> None:
    array = flow_of_orders(2500 if jit.COMPILED else 300, 11)
    tape, ns = written(tmp_path / "t", array), pd.Timedelta(width).value
    twin = slow_bars(array, ns, 0, len(array))
    frame = tape.bars(width)
    assert frame.columns.tolist() == COLUMNS and frame.index.names == ["symbol", "time"]
    require_equal(frame, twin, (0, 1))
    require_equal(frame.loc["MSFT"], twin, (1,))
    alone = tape["MSFT"].bars(width)
    # Its own first and last event may lie within those of the tape.
    begins = alone.index.astype("int64")
    mine = {k: v for k, v in twin.items() if k[0] == 1 and begins[0] <= k[1] <= begins[-1]}
    require_equal(alone, mine, (1,))
    assert alone.index.name == "time" and str(alone.index.dtype) == "datetime64[ns, UTC]"


@pytest.mark.modes
def test_bars_of_a_slice_know_the_book_that_was_there_before(tmp_path: Path) -> None:
    count = 1500 if jit.COMPILED else 300
    array = flow_of_orders(count, 12)
    tape, first, last = written(tmp_path / "t", array), count // 3, count * 2 // 3
    twin = slow_bars(array, SECOND, first, last)
    require_equal(tape[first:last].bars("1s"), twin, (0, 1))


def test_bars_without_trades_may_be_left_out(tmp_path: Path) -> None:
    tape = written(tmp_path / "t", flow_of_orders(2000, 13))
    full, short = tape.bars("300ms"), tape.bars("300ms", empty=False)
    pd.testing.assert_frame_equal(short, full[full["trades"] > 0])
    assert 0 < len(short) < len(full) and full["volume"].sum() == short["volume"].sum()
    quiet = full[full["trades"] == 0]
    assert quiet[["open", "high", "low", "close", "vwap"]].isna().all().all()
    assert (quiet["volume"] == 0).all() and quiet["bid"].notna().any()


def test_every_instrument_has_every_bar_and_none_without_events_has_any(tmp_path: Path) -> None:
    table = two_stocks()
    table.add("QUIET", venue="XNAS")
    tape = written(tmp_path / "t", flow_of_orders(400, 14), table=table)
    frame = tape.bars("1s")
    symbols = frame.index.get_level_values("symbol")
    assert symbols.value_counts().loc[["AAPL", "MSFT"]].nunique() == 1 and "QUIET" not in symbols
    times = frame.loc["AAPL"].index
    assert (np.diff(times.astype("int64")) == SECOND).all()
    assert times[0] == pd.Timestamp(tape.begin // SECOND * SECOND, tz="UTC")
    assert len(tape["QUIET"].bars("1s")) == 0


def trade(moment: int, price: int, quantity: int = 10, **fields: Any) -> np.ndarray[Any, Any]:
    return event("TRADE", time=moment, price=price, quantity=quantity, **fields)


def test_what_counts_as_traded(tmp_path: Path) -> None:
    at = {"time": OPEN}
    hidden = event("EXECUTE", reference=1, quantity=3, price=101, flags=events.NOT_PRINTABLE, **at)
    parts = (
        event("ADD", reference=1, side=1, price=100, quantity=50, **at),
        event("EXECUTE", reference=1, quantity=2, **at),  # at the order's price
        event("EXECUTE", reference=1, quantity=3, price=101, **at),  # at its own
        hidden,
        trade(OPEN, 99, 7),
        event("CROSS", price=98, quantity=11, **at),
        event("CROSS", **at),  # a cross in which nothing traded
        event("EXECUTE", reference=77, quantity=5, **at),  # of an order nobody knows: no price
        event("EXECUTE", reference=77, quantity=5, price=97, **at),
        event("BREAK", **at),
    )
    frame = written(tmp_path / "t", *parts)["AAPL"].bars("1s")
    row = frame.iloc[0]
    assert row["volume"] == 2 + 3 + 7 + 11 + 5 and row["trades"] == 5
    assert (row["open"], row["high"], row["low"], row["close"]) == (0.01, 0.0101, 0.0097, 0.0097)
    value = 2 * 100 + 3 * 101 + 7 * 99 + 11 * 98 + 5 * 97
    assert row["vwap"] == pytest.approx(value / 28 / 10_000)
    assert frame.attrs == {"unpriced": 1, "broken": 1, "late": 0}
    assert (row["bid"], row["bid_size"]) == (0.01, 50 - 2 - 3 - 3)


def test_an_execution_the_books_refuse_is_traded_once(tmp_path: Path) -> None:
    at = {"time": OPEN}
    parts = (
        event("ADD", reference=1, instrument=1, side=1, price=100, quantity=50, **at),
        event("ADD", reference=2, side=1, price=90, quantity=5, **at),
        event("EXECUTE", reference=1, quantity=4, price=101, **at),  # of the other's order
        event("EXECUTE", reference=1, quantity=4, **at),
        event("EXECUTE", reference=2, quantity=9, price=95, **at),  # 5 of them were there
    )
    frame = written(tmp_path / "t", *parts)["AAPL"].bars("1s")
    assert (frame["trades"].iloc[0], frame["volume"].iloc[0]) == (2, 4 + 5)


def test_bars_behind_a_gap_are_stale_and_those_before_are_not(tmp_path: Path) -> None:
    parts = (
        trade(OPEN, 1),
        trade(OPEN, 1, instrument=1),
        event("GAP", time=OPEN + 2 * SECOND, instrument=events.ALL),
        event("UNREADABLE", time=2**62, instrument=0),  # a garbage time makes no bars
        trade(OPEN + 3 * SECOND, 1),
        event("RECOVERED", time=OPEN + 5 * SECOND, instrument=0),
        trade(OPEN + 6 * SECOND, 1, instrument=1),
    )
    frame = written(tmp_path / "t", *parts[:3], *parts[4:]).bars("1s")
    assert frame.loc["AAPL"]["stale"].tolist() == [False] * 2 + [True] * 3 + [False] * 2
    assert frame.loc["MSFT"]["stale"].tolist() == [False] * 2 + [True] * 5
    tape = written(tmp_path / "t", *parts)
    assert len(tape.bars("1s")) == 14 and tape.bars("1s").attrs["late"] == 0


def test_units_of_each_instrument_are_its_own(tmp_path: Path) -> None:
    table = two_stocks()
    row = table.add("BTC", venue="BINANCE", price_unit="0.01", lot_unit="0.001")
    parts = (trade(OPEN, 10_000, 5), trade(OPEN, 6_183_763, 1500, instrument=row))
    frame = written(tmp_path / "t", *parts, table=table).bars("1m")
    assert frame.loc["AAPL"].iloc[0][["close", "volume"]].tolist() == [1.0, 5.0]
    assert frame.loc["BTC"].iloc[0][["close", "volume", "vwap"]].tolist() == [
        61837.63,
        1.5,
        61837.63,
    ]


def test_late_events_belong_to_the_bar_that_is_open(tmp_path: Path) -> None:
    parts = (trade(OPEN, 1), trade(OPEN + 5 * SECOND, 2), trade(OPEN + SECOND, 3), trade(0, 4))
    frame = written(tmp_path / "t", *parts)["AAPL"].bars("1s")
    assert frame["trades"].tolist() == [1, 0, 0, 0, 0, 3] and frame.attrs["late"] == 2
    assert frame["close"].iloc[-1] == 0.0004


def test_days_are_those_of_the_venue_also_where_clocks_change(tmp_path: Path) -> None:
    """Evening trades in New York are the next day in UTC; a Sunday in March has 23 hours."""
    moments = [f"2026-03-{day:02d}T21:00" for day in (6, 7, 8, 9)]
    parts = [
        trade(to_ns(moment, zone="America/New_York"), 100 + n) for n, moment in enumerate(moments)
    ]
    frame = written(tmp_path / "t", *parts)["AAPL"].bars("1d")
    local = frame.index.tz_convert("America/New_York")
    assert [str(day.date()) for day in local] == [m[:10] for m in moments]
    assert (local.hour == 0).all() and frame["trades"].tolist() == [1, 1, 1, 1]
    assert np.diff(frame.index.astype("int64")).tolist() == [DAY, DAY, DAY - 3600 * SECOND]


def test_a_split_and_a_dividend_adjust_what_lies_before_them(tmp_path: Path) -> None:
    """400 before a 4:1 split on day 2, 99 after a dividend of 1 on day 3: one price throughout."""
    table = two_stocks()
    days = [MIDNIGHT + n * DAY + 10 * 3600 * SECOND for n in range(3)]
    midnights = [MIDNIGHT + n * DAY for n in range(3)]
    table.actions = np.array(
        [
            (0, midnights[1], 0.25, 4.0, b"split", b"4:1"),
            (0, midnights[2], 0.99, 1.0, b"dividend", b"1.00"),
        ],
        ACTION,
    )
    parts = [
        event("QUOTE", time=days[0], side=1, price=3_990_000, quantity=8),
        event("QUOTE", time=days[0], side=2, price=4_010_000, quantity=12),
        *(trade(days[0], 4_000_000, 10), trade(days[0], 500_000, 10, instrument=1)),
        *(trade(days[1], 1_000_000, 40), trade(days[2], 990_000, 40)),
    ]
    tape = written(tmp_path / "t", *parts, table=table)
    plain, adjusted = (tape.bars("1d", adjusted=flag).loc["AAPL"] for flag in (False, True))
    assert plain["close"].tolist() == [400.0, 100.0, 99.0]
    assert adjusted["close"].tolist() == pytest.approx([99.0, 99.0, 99.0])
    assert adjusted["vwap"].tolist() == pytest.approx([99.0, 99.0, 99.0])
    assert adjusted["volume"].tolist() == [40.0, 40.0, 40.0]
    first = adjusted.iloc[0]
    assert first[["bid_size", "ask_size"]].tolist() == [32.0, 48.0]
    assert first["mid"] == pytest.approx(99.0) and first["spread"] == pytest.approx(2 * 0.25 * 0.99)
    assert first["imbalance"] == plain.iloc[0]["imbalance"] == -0.2
    other = tape.bars("1d", adjusted=True).loc["MSFT"]
    assert other["close"].iloc[0] == 50.0


@pytest.mark.parametrize("width", ["0s", "-1s", 0, "1y", 1.5, None])
def test_a_width_that_is_none_is_a_sentence(tmp_path: Path, width: Any) -> None:
    with pytest.raises(InputError, match=r"wide|duration"):
        written(tmp_path / "t", trade(OPEN, 1)).bars(width)


def test_too_many_bars_are_a_sentence_before_memory_is_taken(
    tmp_path: Path, monkeypatch: Any
) -> None:
    tape = written(tmp_path / "t", trade(OPEN, 1), trade(OPEN + 3600 * SECOND, 1))
    with pytest.raises(InputError, match=r"1 instruments in 3,600,000,001 bars.*Make them wider"):
        tape["AAPL"].bars("1us")
    assert len(tape.bars("1us", empty=False)) == 2
    monkeypatch.setattr(module, "BARS_MAX", 1)
    with pytest.raises(InputError, match="more than 1 bars"):
        tape.bars("1us", empty=False)


def test_a_time_from_nowhere_does_not_make_a_million_days(tmp_path: Path) -> None:
    tape = written(tmp_path / "t", trade(1, 1), trade(2**62, 1))
    with pytest.raises(InputError, match="claims to last"):
        tape.bars("1d")


@pytest.mark.modes
def test_garbage_makes_bars_and_no_crash(tmp_path: Path) -> None:
    array = flow(5_000 if jit.COMPILED else 300, rows=5, orderly=False)
    array["instrument"][::50] = 2**32 - 1
    array["quantity"][::7] = -1
    array["price"][::11] = 2**62
    frame = written(tmp_path / "t", array).bars("1ms", empty=False)
    assert (frame["trades"] > 0).all() and (frame["high"] >= frame["low"]).all()
