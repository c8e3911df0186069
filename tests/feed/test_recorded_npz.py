"""hftbacktest's files give what their rows say, row by row, and what the raw recording said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded import recorded

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.feed import recorded_npz as npz
from hftlib.feed.depth_json import DepthSource
from hftlib.feed.recorded_npz import HFTBACKTEST_EVENT, HftBacktestSource
from hftlib.feed.source import CHUNK_EVENTS_MAX

BOTH = npz.EXCH | npz.LOCAL


def source_of(path: Path, **others: object) -> HftBacktestSource:
    given = {"symbol": "BTCUSDT", "tick_size": 0.1, "lot_size": "0.001"} | others
    return HftBacktestSource(path, **given)


def read(path: Path, **others: object) -> np.ndarray:
    return np.concatenate([chunk.copy() for chunk in source_of(path, **others).chunks()])


def saved(folder: Path, rows: list[tuple]) -> Path:
    """Rows of (ev, exchange time, local time, price, quantity, order) in a file of their own."""
    made = np.array([(*row, 0, 0.0) for row in rows], HFTBACKTEST_EVENT)
    np.savez_compressed(folder / "rows.npz", data=made)
    return folder / "rows.npz"


def test_each_kind_of_row_has_its_event(tmp_path):
    rows = [
        (BOTH | npz.BUYS | npz.DEPTH_CLEAR, 10, 20, 99.0, 0.0, 0),
        (BOTH | npz.BUYS | npz.DEPTH_SNAPSHOT, 10, 20, 100.1, 1.5, 0),
        (BOTH | npz.BUYS | npz.DEPTH_SNAPSHOT, 10, 20, 100.0, 2.5, 0),
        (BOTH | npz.SELLS | npz.DEPTH, 11, 21, 100.3, 0.0, 0),
        (BOTH | npz.SELLS | npz.TRADE, 12, 22, 100.1, 0.001, 0),
        (npz.EXCH | npz.SELLS | npz.TRADE, 13, 23, 100.1, 0.001, 0),
        (BOTH | npz.SELLS | npz.DEPTH_BBO, 14, 24, 100.2, 1.0, 0),
        (BOTH | 103, 15, 25, 100.2, float("nan"), 0),
        (BOTH | npz.BUYS | npz.ADD_ORDER, 16, 26, 99.9, 0.03, 7),
        (BOTH | npz.BUYS | npz.MODIFY_ORDER, 17, 27, 99.9, 0.02, 7),
        (BOTH | npz.BUYS | npz.FILL, 18, 28, 99.9, 0.005, 7),
        (BOTH | npz.BUYS | npz.MODIFY_ORDER, 19, 29, 99.8, 0.01, 7),
        (BOTH | npz.BUYS | npz.CANCEL_ORDER, 20, 30, 99.8, 0.01, 7),
    ]
    path = saved(tmp_path, rows)
    source = source_of(path)
    made = np.concatenate([chunk.copy() for chunk in source.chunks()])
    assert [
        (
            events.KINDS[event["kind"]],
            events.SIDES[event["side"]],
            *(int(event[name]) for name in ("reference", "other", "price", "quantity", "flags")),
        )
        for event in made
    ] == [
        ("CLEAR", "buy", 0, 0, 990, 0, events.LAST),
        ("LEVEL", "buy", 0, 0, 1001, 1500, events.SNAPSHOT),
        ("LEVEL", "buy", 0, 0, 1000, 2500, events.SNAPSHOT | events.LAST),
        ("LEVEL", "sell", 0, 0, 1003, 0, events.LAST),
        ("TRADE", "sell", 0, 0, 1001, 1, events.LAST),
        ("QUOTE", "sell", 0, 0, 1002, 1000, events.LAST),
        ("NOTICE", "", 103, 0, 0, 0, events.LAST),
        ("ADD", "buy", 7, 0, 999, 30, events.LAST),
        ("CANCEL", "buy", 7, 0, 999, 10, events.LAST),
        ("EXECUTE", "buy", 7, 0, 999, 5, events.LAST),
        ("REPLACE", "buy", 7, 7, 998, 10, events.LAST),
        ("DELETE", "buy", 7, 0, 998, 10, events.LAST),
    ]
    assert made["time"].tolist() == [10, 10, 10, 11, 12, *range(14, 21)]
    assert made["received"].tolist() == [20, 20, 20, 21, 22, *range(24, 31)]
    assert source.counts == {
        "rows": 13,
        "rows of the venue's order only": 1,
        "unreadable": 0,
    }


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ((BOTH | npz.DEPTH, 1, 1, 1.0, 1.0, 0), events.WRONG_SIDE),
        ((BOTH | npz.BUYS | npz.SELLS | npz.TRADE, 1, 1, 1.0, 1.0, 0), events.WRONG_SIDE),
        ((BOTH | npz.BUYS | npz.DEPTH, 1, 1, float("nan"), 1.0, 0), events.WRONG_PRICE),
        ((BOTH | npz.BUYS | npz.DEPTH, 1, 1, float("inf"), 1.0, 0), events.WRONG_PRICE),
        ((BOTH | npz.BUYS | npz.DEPTH, 1, 1, -1.0, 1.0, 0), events.WRONG_PRICE),
        ((BOTH | npz.BUYS | npz.DEPTH, 1, 1, 1.0, float("nan"), 0), events.WRONG_PRICE),
        ((BOTH | npz.BUYS | 6, 1, 1, 1.0, 1.0, 0), events.UNKNOWN_TYPE),
        ((BOTH | npz.BUYS, 1, 1, 1.0, 1.0, 0), events.UNKNOWN_TYPE),
        ((npz.BUYS | npz.DEPTH, 1, 1, 1.0, 1.0, 0), events.NO_PARSE),
        ((BOTH | npz.BUYS | npz.ADD_ORDER, 1, 1, 1.0, 1.0, 2**63), events.NO_PARSE),
    ],
)
def test_a_row_that_means_nothing_says_why_and_where(tmp_path, row, why):
    good = (BOTH | npz.BUYS | npz.DEPTH, 1, 1, 1.0, 1.0, 0)
    source = source_of(saved(tmp_path, [good, row, good]))
    first, bad, last = np.concatenate([chunk.copy() for chunk in source.chunks()])
    assert (bad["kind"], bad["reference"], bad["other"]) == (events.UNREADABLE, why, row[0] & 0xFF)
    assert (bad["price"], bad["quantity"], bad["side"]) == (64, 64, 0)
    assert first["kind"] == last["kind"] == events.LEVEL and source.counts["unreadable"] == 1


def test_a_wrong_tick_or_lot_is_named(tmp_path):
    good = (BOTH | npz.BUYS | npz.DEPTH, 1, 1, 1.0, 1.0, 0)
    path = saved(
        tmp_path, [good, (npz.EXCH | npz.DEPTH, 1, 1, 0.3, 1.0, 0), (*good[:3], 1.05, 1.0, 0)]
    )
    with pytest.raises(InputError, match=r"1\.05 is not a multiple of 0\.1.*row 2, px"):
        read(path)
    with pytest.raises(InputError, match=r"1\.0 is not a multiple of 3.*row 0, qty"):
        read(path, tick_size="0.01", lot_size=3)


@pytest.mark.parametrize("rows", [[], [(npz.EXCH | npz.DEPTH, 1, 1, 1.0, 1.0, 0)]])
def test_a_file_without_received_rows_is_refused(tmp_path, rows):
    with pytest.raises(InputError, match="No row of this file is marked as received"):
        read(saved(tmp_path, rows))


SIDES = {npz.BUYS: events.BUY, npz.SELLS: events.SELL}


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([npz.DEPTH, npz.TRADE, npz.DEPTH_SNAPSHOT]),
            st.sampled_from([npz.BUYS, npz.SELLS]),
            st.integers(0, 3),
            st.integers(0, 10**7),
            st.integers(0, 10**9),
        ),
        min_size=1,
        max_size=30,
    ),
    st.integers(2, 9),
)
def test_blocks_of_any_size_give_the_rows_as_they_are(rows, block):
    import tempfile

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(npz, "CHUNK_EVENTS_MAX", block)
        time, written = 0, []
        for kind, side, step, price, size in rows:
            time += step
            written.append((BOTH | kind | side, time, time, price / 10, size / 1000, 0))
        made = read(saved(Path(folder), written))
    for at, (event, (kind, side, _, price, size)) in enumerate(zip(made, rows, strict=True)):
        assert event["kind"] == (events.TRADE if kind == npz.TRADE else events.LEVEL)
        assert (event["side"], event["price"], event["quantity"]) == (SIDES[side], price, size)
        after = made[at + 1] if at + 1 < len(made) else None
        ends = after is None or any(after[f] != event[f] for f in ("time", "received", "kind"))
        assert bool(event["flags"] & events.LAST) == ends


def test_a_real_recording_gives_the_same_changes_from_either_file(tmp_path):
    raw = recorded("crypto/hftbacktest_usdm_btcusdt_20240808.gz")
    with gzip.open(raw, "rb") as file:
        lines = [line for _, line in zip(range(30_000), file, strict=False)]
    (tmp_path / "raw").write_bytes(b"".join(lines))
    rows, started = [], False
    for line in lines:
        local, _, text = line.partition(b" ")
        message = json.loads(text)
        started |= "lastUpdateId" in message  # what came before is in the snapshot or replayed
        data = message.get("data", message)
        if not started or data.get("e") == "bookTicker":
            continue
        stamp = (data["T"] * 1_000_000, int(local))
        if data.get("e") == "trade":
            side = npz.SELLS if data["m"] else npz.BUYS
            rows.append((BOTH | side | npz.TRADE, *stamp, float(data["p"]), float(data["q"]), 0))
            continue
        kind = npz.DEPTH_SNAPSHOT if "bids" in data else npz.DEPTH
        for side, pairs in zip((npz.BUYS, npz.SELLS), (("b", "bids"), ("a", "asks")), strict=True):
            levels = data.get(pairs[0], data.get(pairs[1]))
            rows += [(BOTH | side | kind, *stamp, float(p), float(q), 0) for p, q in levels]
    packed = read(saved(tmp_path, rows))
    depth = DepthSource(
        tmp_path / "raw", symbol="BTCUSDT", price_unit="0.1", lot_unit="0.001", rule="futures"
    )
    plain = np.concatenate([chunk.copy() for chunk in depth.chunks()])
    plain = plain[plain["flags"] & events.RECOVERED_LATE == 0]
    plain = plain[np.flatnonzero(plain["kind"] == events.CLEAR)[0] :]
    plain = plain[np.isin(plain["kind"], (events.LEVEL, events.TRADE))]
    assert len(packed) == len(plain) > CHUNK_EVENTS_MAX
    for field in ("time", "received", "kind", "side", "price", "quantity", "flags"):
        assert np.array_equal(packed[field], plain[field]), field
