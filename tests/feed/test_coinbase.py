"""A Coinbase recording gives each product the book that a plain reading of its JSON gives."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pytest
from fuzzing import fuzz_seconds, fuzzed
from recorded import recorded

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.times import to_ns
from hftlib.feed.coinbase import CoinbaseSource

SAMPLE = "crypto/COINBASE.ws.28.0"
UNITS = {"price_unit": "0.00000001", "lot_unit": "0.00000001"}
LINES = b"""wss://ws-feed.pro.coinbase.com <-> 1618677816.8434298
1618677817.5: {"type":"subscriptions","channels":[]}
1618677817.077736: {"type":"snapshot","product_id":"A-B","bids":[["1.5","2"]],"asks":[["1.6","3"]]}
1618677818.0: {"type":"l2update","product_id":"A-B","changes":[["buy","1.5","0"],["sell","1.7","4"]],"time":"2021-04-17T16:43:37.075687Z"}
1618677818.1: {"type":"l2update","product_id":"C-D","changes":[["buy","1.5","0"]],"time":"2021-04-17T16:43:37.1Z"}
1618677818.2: {"type":"match","trade_id":9,"side":"sell","size":"985","price":"1.6","product_id":"A-B","time":"2021-04-17T16:43:37.089723Z"}
1618677818.3: {"type":"ticker","product_id":"A-B","price":"1.6"}

"""  # noqa: E501


def read(source: CoinbaseSource) -> np.ndarray:
    return np.concatenate([chunk.copy() for chunk in source.chunks()])


@pytest.mark.parametrize("product", ["BAND-GBP", "SKL-USD", "DASH-BTC", "YFI-BTC"])
def test_the_book_of_a_product_is_the_one_of_its_messages(product):
    source = CoinbaseSource(recorded(SAMPLE), symbol=product, **UNITS)
    made = read(source)
    theirs: dict[tuple[str, Decimal], Decimal] = {}
    trades = []
    for line in recorded(SAMPLE).read_text().splitlines():
        if not line or line.startswith("wss"):
            continue
        data = json.loads(line.partition(": ")[2])
        if data.get("product_id") != product:
            continue
        if data["type"] == "snapshot":
            for side, name in (("buy", "bids"), ("sell", "asks")):
                theirs |= {(side, Decimal(p)): Decimal(q) for p, q in data[name]}
        elif data["type"] == "l2update":
            theirs |= {(side, Decimal(p)): Decimal(q) for side, p, q in data["changes"]}
        elif data["type"] == "match":
            came = {"buy": "sell", "sell": "buy"}[data["side"]]
            trades.append((came, Decimal(data["price"]), Decimal(data["size"]), data["trade_id"]))
    ours: dict[tuple[str, Decimal], Decimal] = {}
    unit = Decimal("0.00000001")
    for event in made[made["kind"] == events.LEVEL]:
        place = (events.SIDES[event["side"]], int(event["price"]) * unit)
        ours[place] = int(event["quantity"]) * unit
    assert {k: v for k, v in ours.items() if v} == {k: v for k, v in theirs.items() if v}
    assert len(theirs) > 100
    assert [
        (events.SIDES[e["side"]], int(e["price"]) * unit, int(e["quantity"]) * unit, e["other"])
        for e in made[made["kind"] == events.TRADE]
    ] == trades
    assert source.counts["unreadable"] == 0 and source.counts["recorder's own lines"] == 6
    assert source.counts["trades"] == len(trades) and source.counts["gaps"] == 0


def test_each_message_has_its_events(tmp_path):
    (tmp_path / "x").write_bytes(LINES)
    made = read(CoinbaseSource(tmp_path / "x", symbol="A-B", price_unit="0.1", lot_unit="1"))
    assert [
        (events.KINDS[e["kind"]], events.SIDES[e["side"]], int(e["price"]), int(e["quantity"]))
        for e in made
    ] == [
        ("NOTICE", "", 0, 0),
        ("NOTICE", "", 0, 0),
        ("CLEAR", "", 0, 0),
        ("LEVEL", "buy", 15, 2),
        ("LEVEL", "sell", 16, 3),
        ("LEVEL", "buy", 15, 0),
        ("LEVEL", "sell", 17, 4),
        ("NOTICE", "", 0, 0),
        ("TRADE", "buy", 16, 985),
        ("NOTICE", "", 0, 0),
        ("NOTICE", "", 0, 0),
    ]
    assert made[5]["time"] == to_ns("2021-04-17T16:43:37.075687Z")
    assert made["time"][0] == made["received"][0] == 1_618_677_816_843_429_800
    assert made[2]["received"] == 1_618_677_817_077_736_000


@pytest.mark.parametrize(
    ("good", "bad"), [(b"16:43:37.089723Z", b"noon"), (b"1618677818.2", b"1618677818.2000000001")]
)
def test_a_line_whose_time_does_not_read_is_unreadable(tmp_path, good, bad):
    (tmp_path / "x").write_bytes(LINES.replace(good, bad))
    source = CoinbaseSource(tmp_path / "x", symbol="A-B", price_unit="0.1", lot_unit="1")
    made = read(source)
    assert source.counts["unreadable"] == 1 == (made["kind"] == events.UNREADABLE).sum()


def test_a_broken_recording_never_breaks_the_reader(tmp_path):
    unreadable = 0
    for text in fuzzed([LINES], seconds=fuzz_seconds(1)):
        (tmp_path / "x").write_bytes(text)
        source = CoinbaseSource(tmp_path / "x", symbol="A-B", price_unit="0.1", lot_unit="1")
        try:
            made = read(source)
        except InputError:
            continue
        assert (made["kind"] == events.UNREADABLE).sum() == source.counts["unreadable"]
        unreadable += source.counts["unreadable"]
    assert unreadable


def test_a_product_that_is_not_in_the_recording_is_refused(tmp_path):
    path = tmp_path / "x"
    lines = LINES.splitlines(keepends=True)
    snapshots = b"".join(line for line in lines if b'"snapshot"' in line)
    for text in (LINES, snapshots):
        path.write_bytes(text.replace(b"A-B", b"B-C") + snapshots.replace(b"A-B", b"C-D"))
        source = CoinbaseSource(path, symbol="A-B", price_unit="0.1", lot_unit="1")
        with pytest.raises(InputError, match=r"about A-B.*such as B-C, C-D\."):
            read(source)
        path.write_bytes(text.replace(b"A-B", b"B-C") + snapshots)
        assert len(read(CoinbaseSource(path, symbol="A-B", price_unit="0.1", lot_unit="1")))


def test_the_currency_is_the_one_of_the_product(tmp_path):
    (tmp_path / "x").write_bytes(LINES)
    for product, currency in (("BAND-GBP", "GBP"), ("a-btc", "BTC"), ("X", "USD")):
        source = CoinbaseSource(tmp_path / "x", symbol=product, **UNITS)
        assert source.instruments[0].currency == currency
