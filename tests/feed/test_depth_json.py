"""Recorded Binance streams give the book that a plain reading of the JSON gives, line by line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from fuzzing import fuzz_seconds, fuzzed
from recorded import recorded

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.feed.depth import Phase, Rule
from hftlib.feed.depth_json import DepthSource
from hftlib.feed.source import CHUNK_EVENTS_MAX

FILES = {
    "usdm": ("crypto/hftbacktest_usdm_btcusdt_20240808.gz", "0.1", "0.001", Rule.FUTURES),
    "spot": ("crypto/hftbacktest_spot_btcusdt_20240808.gz", "0.01", "0.00000001", Rule.SPOT),
}
FIELDS = ("kind", "side", "price", "quantity")
Book = dict[tuple[str, str], Decimal]


def source_of(path: Path, **others: object) -> DepthSource:
    given = {"symbol": "BTCUSDT", "price_unit": "0.01", "lot_unit": "0.00000001"} | others
    return DepthSource(path, **given)


def read(source: DepthSource) -> np.ndarray:
    return np.concatenate([chunk.copy() for chunk in source.chunks()])


def changed(book: Book, data: dict, buys: str, sells: str) -> None:
    for name in (buys, sells):
        for price, quantity in data[name]:
            book[name[0], price] = Decimal(quantity)
            if not book[name[0], price]:
                del book[name[0], price]


def plainly(path: Path) -> Iterator[tuple[int, Book | None, tuple | None]]:
    """For each line its receive time, the book then (None: not known yet), and its trade."""
    book, waiting = None, []
    with gzip.open(path, "rb") as file:
        recording = file.readlines()
    for line in recording:
        received, _, text = line.partition(b" ")
        data, trade = json.loads(text), None
        data = data.get("data", data)
        if "lastUpdateId" in data:
            book = {}
            changed(book, data, "bids", "asks")
            for diff in waiting:
                if diff["u"] > data["lastUpdateId"]:
                    changed(book, diff, "b", "a")
        elif data.get("e") == "depthUpdate":
            if book is None:
                waiting.append(data)
            else:
                changed(book, data, "b", "a")
        elif data.get("e") == "trade":
            side = "sell" if data["m"] else "buy"
            trade = (side, data["t"], Decimal(data["p"]), Decimal(data["q"]), data["T"])
        yield int(received), book, trade


@pytest.mark.parametrize("market", FILES)
def test_the_book_is_the_one_of_the_json_at_every_line(market):
    name, price_unit, lot_unit, rule = FILES[market]
    source = source_of(recorded(name), price_unit=price_unit, lot_unit=lot_unit)
    made = read(source)
    starts = np.flatnonzero(np.diff(made["received"], prepend=-1))
    groups = {int(group[0]["received"]): group for group in np.split(made, starts[1:])}
    assert len(groups) == len(starts), "each line has its own receive time"
    ours: dict[tuple[int, int], int] = {}
    trades = 0
    letters = {events.BUY: "b", events.SELL: "a"}
    for number, (received, book, trade) in enumerate(plainly(recorded(name))):
        group = groups.pop(received)
        assert group[-1]["flags"] & events.LAST
        levels = group[(group["kind"] == events.LEVEL) | (group["kind"] == events.CLEAR)]
        for kind, side, price, quantity in levels[list(FIELDS)].tolist():
            if kind == events.CLEAR:
                ours = {}
            elif quantity:
                ours[letters[side], price] = quantity
            else:
                ours.pop((letters[side], price), None)
        assert len(ours) == len(book or {})
        if trade:
            trades += 1
            (event,) = group
            price, size = (
                event["price"] * Decimal(price_unit),
                event["quantity"] * Decimal(lot_unit),
            )
            found = (events.SIDES[event["side"]], event["other"], price, size)
            assert found == trade[:4] and event["time"] == trade[4] * 1_000_000
        if number % 500 == 0 or not groups:
            theirs = {(side, Decimal(price)): size for (side, price), size in (book or {}).items()}
            assert theirs == {
                (side, price * Decimal(price_unit)): size * Decimal(lot_unit)
                for (side, price), size in ours.items()
            }
    assert not groups and len(ours) > 1000 and trades > 9000
    assert (source.state.phase, source.state.rule) == (Phase.LIVE, rule)
    assert source.counts["gaps"] == source.counts["unreadable"] == 0
    assert source.counts["trades"] == trades and source.share_done == 1.0


@pytest.mark.parametrize("market", FILES)
def test_a_lost_message_of_a_real_stream_is_seen(market, tmp_path):
    name, price_unit, lot_unit, _ = FILES[market]
    with gzip.open(recorded(name), "rb") as file:
        lines = [line for _, line in zip(range(3000), file, strict=False)]
    updates = [n for n, line in enumerate(lines) if b'"depthUpdate"' in line]
    path = tmp_path / "stream"
    lost = lines[: updates[100]] + lines[updates[100] + 1 :]
    path.write_bytes(b"".join(lost))
    source = source_of(path, price_unit=price_unit, lot_unit=lot_unit)
    made = read(source)
    (gap,) = np.flatnonzero(made["kind"] == events.GAP)
    assert source.state.phase is Phase.GAP and source.counts["gaps"] == 1
    behind = made[gap:]
    assert not (behind["kind"] == events.LEVEL).any()
    assert (
        json.loads(lines[updates[100]].split(b" ", 1)[1])["data"]["u"] > behind[0]["reference"] - 1
    )


SNAPSHOT = b'1 {"lastUpdateId":10,"bids":[["99.00","1.5"]],"asks":[["101.00","2"]]}\n'
DIFF = (
    b'2 {"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1700000000000,"s":"BTCUSDT",'
    b'"U":11,"u":12,"b":[["99.01","3"]],"a":[["101.00","0"]]}}\n'
)
TRADE = (
    b'3 {"e":"trade","E":1700000000002,"T":1700000000001,"s":"BTCUSDT","t":77,"p":"99.01",'
    b'"q":"0.25","m":false}\n'
)
QUOTE = b'4 {"u":12,"s":"BTCUSDT","b":"99.01","B":"3","a":"101.01","A":"2"}\n'
GOOD = SNAPSHOT + DIFF + TRADE + QUOTE


def test_each_message_has_its_events(tmp_path):
    path = tmp_path / "stream"
    path.write_bytes(GOOD)
    source = source_of(path)
    assert [
        (events.KINDS[e["kind"]], events.SIDES[e["side"]], e["price"], e["quantity"], e["sequence"])
        for e in read(source)
    ] == [
        ("CLEAR", "", 0, 0, 10),
        ("LEVEL", "buy", 9900, 150_000_000, 10),
        ("LEVEL", "sell", 10100, 200_000_000, 10),
        ("LEVEL", "buy", 9901, 300_000_000, 12),
        ("LEVEL", "sell", 10100, 0, 12),
        ("TRADE", "buy", 9901, 25_000_000, 0),
        ("NOTICE", "", 0, 0, 0),
    ]
    assert read(source_of(path))["received"].tolist() == [1, 1, 1, 2, 2, 3, 4]
    path.write_bytes(GOOD + TRADE.replace(b"BTCUSDT", b"ETHUSDT"))
    assert read(source_of(path, symbol="ETHUSDT"))["kind"].tolist().count(events.NOTICE) == 3


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"5",
        b"5 {",
        b"5 []",
        b'5 "text"',
        b"five " + DIFF[2:].strip(),
        DIFF.replace(b'"99.01"', b'"cheap"').strip(),
        DIFF.replace(b'"99.01"', b'"-99.01"').strip(),
        DIFF.replace(b'["99.01","3"]', b'["99.01"]').strip(),
        DIFF.replace(b'"u":12', b'"u":"12"').strip(),
        DIFF.replace(b'"u":12', b'"u":9').strip(),
        DIFF.replace(b'"u":12', b'"u":99999999999999999999').strip(),
        DIFF.replace(b'"E":1700000000000,', b"").strip(),
        TRADE.replace(b"false", b"0").strip(),
        b"6 " + b'{"a":' * 5000 + b"1" + b"}" * 5000,
    ],
)
def test_a_line_that_does_not_read_shows_where_it_is_and_harms_no_book(tmp_path, line):
    path = tmp_path / "stream"
    path.write_bytes(SNAPSHOT + line + b"\n" + DIFF)
    source = source_of(path)
    made = read(source)
    (bad,) = made[made["kind"] == events.UNREADABLE]
    assert (bad["reference"], bad["price"], bad["quantity"]) == (
        events.NO_PARSE,
        len(SNAPSHOT),
        len(line),
    )
    assert source.counts["unreadable"] == 1 and source.state.phase is Phase.LIVE


def test_a_unit_that_does_not_fit_is_named_with_one_that_does(tmp_path):
    path = tmp_path / "stream"
    path.write_bytes(GOOD)
    with pytest.raises(InputError, match=r"99\.01 in line 2 .*fine enough: 0\.01 here"):
        read(source_of(path, price_unit="0.1"))
    with pytest.raises(InputError, match=r"1\.5 in line 1 .*fine enough: 0\.1 here"):
        read(source_of(path, lot_unit="1"))


@pytest.mark.parametrize(
    ("text", "others", "sentence"),
    [
        (b"", {}, "No line of this file"),
        (b"a,b,c\n1,2,3\n", {}, "No line of this file"),
        (GOOD, {"rule": "options"}, "There is no rule 'options'"),
        (GOOD, {"price_unit": "0"}, "cannot be a unit"),
        (GOOD, {"symbol": ""}, "The symbol is empty"),
    ],
)
def test_what_is_no_depth_stream_is_refused_with_a_sentence(tmp_path, text, others, sentence):
    path = tmp_path / "stream"
    path.write_bytes(text)
    with pytest.raises(InputError, match=sentence):
        read(source_of(path, **others))


def test_a_symbol_that_is_not_in_the_recording_is_refused():
    """The snapshot names no symbol, so it is no sign that the symbol is right."""
    path = recorded(FILES["usdm"][0])
    source = source_of(path, symbol="BTCUSD", price_unit="0.1", lot_unit="0.001")
    with pytest.raises(InputError, match=r"about BTCUSD\..*such as BTCUSDT\."):
        read(source)


def test_a_snapshot_larger_than_a_chunk_is_cut_into_chunks(tmp_path):
    levels = json.dumps([[f"{n / 100:.2f}", "1"] for n in range(1, CHUNK_EVENTS_MAX + 10)])
    path = tmp_path / "stream"
    path.write_text(f'1 {{"lastUpdateId":10,"bids":{levels},"asks":[]}}\n')
    chunks = [len(chunk) for chunk in source_of(path).chunks()]
    assert chunks == [CHUNK_EVENTS_MAX, 10]


def test_a_broken_stream_never_breaks_the_reader(tmp_path):
    path, unreadable, refused = tmp_path / "stream", 0, 0
    for text in fuzzed([GOOD, GOOD * 2], seconds=fuzz_seconds()):
        path.write_bytes(text)
        source = source_of(path)
        try:
            made = read(source)
        except InputError:
            refused += 1
            continue
        assert (made["kind"] == events.UNREADABLE).sum() == source.counts["unreadable"]
        unreadable += source.counts["unreadable"]
    assert unreadable and refused
