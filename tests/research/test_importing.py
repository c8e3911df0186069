"""What a file is, by its name and its first bytes; and which options its source takes."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hftlib.core.errors import InputError
from hftlib.research.importing import KINDS, Kind, grouped, kind_of, source_of

SYSTEM_EVENT = b"\0\x0cS" + bytes(10) + b"O"
NAMES = {
    "12302019.NASDAQ_ITCH50": ("itch", SYSTEM_EVENT),
    "feed.pcap": ("itch", bytes.fromhex("d4c3b2a1") + bytes(20)),
    "feed.pcapng": ("itch", bytes.fromhex("0a0d0d0a") + bytes(20)),
    "AMZN_2012-06-21_34200000_57600000_message_5.csv": ("lobster", b"34200.01,1,2,3,4,1\n"),
    "btc.json": ("depth", b'1723161254206652067 {"lastUpdateId":5'),
    "btc.npy": ("hftbacktest", b"\x93NUMPY\x01\x00"),
    "trades.parquet": ("frame", b"PAR1"),
    "trades.csv": ("frame", b"time,price,size\n"),
    "es.dbn": ("databento", b"DBN\x03"),
    "es.mbo.dbn.zst": ("databento", bytes.fromhex("28b52ffd")),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_says_what_it_is(tmp_path: Path, name: str, packed: bool) -> None:
    kind, head = NAMES[name]
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(head) if packed else head)
    assert kind_of(path).name == kind


@pytest.mark.parametrize(
    ("member", "kind"),
    [("AMZN_2012-06-21_34200000_57600000_message_5.csv", "lobster"), ("data.npy", "hftbacktest")],
)
def test_a_zip_is_what_is_in_it(tmp_path: Path, member: str, kind: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(member, "x")
    assert kind_of(tmp_path / "a.zip").name == kind


@given(st.binary(max_size=200))
def test_any_bytes_are_a_kind_or_a_sentence(tmp_path_factory: Any, data: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    for head in (b"", b"\x1f\x8b", b"PK\x03\x04", b"\0"):
        path.write_bytes(head + data)
        try:
            assert kind_of(path).name in KINDS
        except InputError as error:
            assert "empty" in str(error) or "looks like nothing" in str(error)


def test_a_message_file_goes_with_its_order_book(tmp_path: Path) -> None:
    stem = "AMZN_2012-06-21_34200000_57600000"
    book, message = (tmp_path / f"{stem}_{what}_5.csv" for what in ("orderbook", "message"))
    other = tmp_path / "day.itch"
    assert grouped([book, other, message]) == [(message, book), (other,)]
    packed = [path.with_name(f"{path.name}.gz") for path in (message, book)]
    deeper = message.with_name(f"{stem}_message_10.csv")
    found = grouped([deeper, book, *packed, message])
    assert found == [(deeper,), (message, book), tuple(packed)], "each number of levels by itself"
    with pytest.raises(InputError, match=r"named twice.*message_5\.csv"):
        grouped([message, book, message])


def test_a_packed_file_whose_reader_does_not_unpack_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "btc.npy.gz"
    path.write_bytes(gzip.compress(b"\x93NUMPY\x01\x00"))
    options = {"symbol": "BTC", "price_unit": "0.1", "lot_unit": "1"}
    for kind in ("hftbacktest", "databento"):
        with pytest.raises(InputError, match=r"packed with gzip is not read here\..*Unpack it"):
            source_of(KINDS[kind], [path], options)


def test_a_source_gets_what_it_takes_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.itch"
    path.write_bytes(SYSTEM_EVENT * 20)
    none = dict.fromkeys(("date", "zone", "venue", "symbol", "price_unit", "lot_unit"))
    source: Any = source_of(KINDS["itch"], [path], none | {"date": "2026-01-05"})
    assert source.date == "2026-01-05"
    with pytest.raises(InputError, match=r"ITCH 5.0 is not read with --symbol.*takes --date"):
        source_of(KINDS["itch"], [path], none | {"symbol": "A"})
    with pytest.raises(InputError, match="--symbol and --price-unit and --lot-unit must be given"):
        source_of(KINDS["hftbacktest"], [path], none)
    with pytest.raises(InputError, match="is one file, not 2"):
        source_of(KINDS["itch"], [path, path], none | {"date": "2026-01-05"})
    missing = Kind("x", "a thing", "feed.no_such_module", "Source")
    with pytest.raises(InputError, match="What reads a thing is not installed"):
        source_of(missing, [path], none)
