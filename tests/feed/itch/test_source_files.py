"""Published ITCH files: read whole, cut, packed, damaged, and files that are something else."""

from __future__ import annotations

import datetime
import gzip
import tracemalloc
from collections import Counter
from pathlib import Path
from random import Random

import numpy as np
import pytest
from recorded import recorded

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT, KINDS
from hftlib.core.times import to_text
from hftlib.feed.blocks import CAPACITY_BYTES
from hftlib.feed.itch import messages
from hftlib.feed.itch.messages import build
from hftlib.feed.itch.source import ItchSource
from hftlib.feed.source import CHUNK_EVENTS_MAX, Source

SUMMER = "2023-08-22"
NINE_THIRTY = 34_200 * 10**9
TYPES = "SRHYLVWKJhAFECXDUPQBINO"


def framed(*parts: messages.Message | bytes) -> bytes:
    return b"".join(len(bytes(one)).to_bytes(2, "big") + bytes(one) for one in parts)


def order(reference: int, **values: object) -> messages.Message:
    given = {"locate": 7, "timestamp": NINE_THIRTY + reference, "side": "B", "shares": 100}
    given |= {"stock": "AAPL", "price": "185.01"} | values
    return build("A", reference=reference, **given)


def file_of(folder: Path, data: bytes, name: str = "sample.itch") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def read(path: Path, **options: object) -> tuple[np.ndarray, ItchSource]:
    """All events of a file, and the source when it is done."""
    source = ItchSource(path, **{"date": SUMMER} | options)
    chunks = []
    for chunk in source.chunks():
        assert 0 < len(chunk) <= CHUNK_EVENTS_MAX and chunk.dtype == EVENT
        chunks.append(chunk.copy())
    assert source.share_done == 1.0
    return np.concatenate([np.zeros(0, EVENT), *chunks]), source


def kinds(found: np.ndarray) -> list[str]:
    return [KINDS[kind] for kind in found["kind"]]


@pytest.mark.modes
def test_messages_become_events_in_order(tmp_path):
    data = framed(
        build("S", timestamp=1, event="O"),
        build("R", locate=7, timestamp=2, stock="AAPL", round_lot=100),
        order(11),
        order(12, side="S", price="185.03"),
        build("E", locate=7, timestamp=NINE_THIRTY + 50, reference=11, shares=40, match=5),
        build("D", locate=7, timestamp=NINE_THIRTY + 60, reference=12),
    )
    found, source = read(file_of(tmp_path, data))
    assert kinds(found) == ["SESSION", "NOTICE", "ADD", "ADD", "EXECUTE", "DELETE"]
    assert found["sequence"].tolist() == [1, 2, 3, 4, 5, 6]
    assert found["reference"][2:].tolist() == [11, 12, 11, 12]
    assert found["price"][2:4].tolist() == [1_850_100, 1_850_300]
    assert source.instruments.symbols == ["AAPL"]
    assert source.counts == {"S": 1, "R": 1, "A": 2, "E": 1, "D": 1}
    assert to_text(int(found["time"][2]), zone="America/New_York").startswith(
        "2023-08-22T09:30:00.000000011-04:00"
    )


@pytest.mark.modes
def test_every_type_is_one_event(tmp_path):
    found, source = read(file_of(tmp_path, framed(*map(sample, TYPES))))
    assert len(found) == 23
    assert source.counts == dict.fromkeys(TYPES, 1)


def sample(letter: str) -> messages.Message:
    """A message of the type that a book could take."""
    fields = {field.name for field in messages.MESSAGES[letter].fields}
    given = {"locate": 7, "stock": "AAPL", "side": "B"}
    return build(letter, **{name: value for name, value in given.items() if name in fields})


REAL = {
    "12302019_SNIPPET.NASDAQ_ITCH50": (1_000, "2019-12-30"),
    "AAPL_real_20191230_reconstructed_from_karan.itch50": (49_947, "2019-12-30"),
    "LOBSTER_as_ITCH50_20120621.itch50.gz": (407_166, "2012-06-21"),
    "sephorah_sample_1mb.itch": (35_536 + 1, None),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_are_read_to_the_end(name):
    count, date = REAL[name]
    path = recorded(f"itch/{name}")
    found, source = read(path, date=(date and None) or date or "2020-01-30")
    assert source.date == (date or "2020-01-30")
    assert len(found) == count
    unreadable = found[found["kind"] == events.UNREADABLE]
    if date is None:
        assert unreadable["reference"].tolist() == [events.CUT_OFF]
        assert unreadable["quantity"].tolist() == [8] and kinds(found)[-1] == "UNREADABLE"
        assert source.counts["bytes of a frame cut off at the end"] == 8
    else:
        assert len(unreadable) == 0
    assert sum(source.counts[one] for one in source.counts if len(one) == 1) == count - (not date)
    assert (found["sequence"] == np.arange(1, count + 1)).all()


def test_a_packed_file_reads_as_the_plain_one_and_any_file_reads_twice(tmp_path):
    path = recorded("itch/LOBSTER_as_ITCH50_20120621.itch50.gz")
    plain, _ = read(file_of(tmp_path, gzip.decompress(path.read_bytes())))
    packed, source = read(path, date=SUMMER)
    assert plain.tobytes() == packed.tobytes()
    again = np.concatenate([chunk.copy() for chunk in source.chunks()])
    assert again.tobytes() == packed.tobytes()


def test_buffers_and_chunks_end_anywhere(tmp_path):
    """More events than a chunk and more bytes than the buffer, frames of every length."""
    count = CHUNK_EVENTS_MAX * 2 + 17
    letters = Random(5).choices(TYPES, k=count)
    by_letter = {letter: framed(sample(letter)) for letter in TYPES}
    data = b"".join(by_letter[letter] for letter in letters)
    assert len(data) > CAPACITY_BYTES * 1.5
    found, source = read(file_of(tmp_path, data))
    assert len(found) == count
    assert source.counts == Counter(letters)


def test_progress_only_grows(tmp_path):
    data = framed(*(order(n) for n in range(50))) * 4000
    for stored in (data, gzip.compress(data, 1)):
        source = ItchSource(file_of(tmp_path, stored), date=SUMMER)
        shares = [source.share_done for _chunk in source.chunks()]
        assert shares == sorted(shares) and 0 < shares[0] < 0.8 and source.share_done == 1.0


def test_memory_stays_bounded_whatever_the_file(tmp_path):
    data = framed(*(order(n) for n in range(50))) * 4000
    path = file_of(tmp_path, gzip.compress(data * 5, 1))
    read(file_of(tmp_path, data[:100], "warm"))
    source: Source = ItchSource(path, date=SUMMER)
    tracemalloc.start()
    total = sum(len(chunk) for chunk in source.chunks())
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == 1_000_000 and peak < 12_000_000 < 38 * total


@pytest.mark.modes
def test_a_session_that_ends_is_counted_and_so_is_what_follows(tmp_path):
    data = framed(order(1), order(2)) + b"\0\0"
    found, source = read(file_of(tmp_path, data))
    assert kinds(found) == ["ADD", "ADD"] and source.counts["end of the session"] == 1
    found, source = read(file_of(tmp_path, data + framed(order(3))))
    assert kinds(found) == ["ADD", "ADD", "UNREADABLE"]
    assert found["price"][-1] == len(data) and found["quantity"][-1] == 38
    assert source.counts["bytes behind the end of the session"] == 38
    found, source = read(file_of(tmp_path, data + bytes(3 * CAPACITY_BYTES)))
    assert kinds(found) == ["ADD", "ADD"]  # padding
    assert source.counts["zero bytes that fill the file up"] == 3 * CAPACITY_BYTES
    found, source = read(file_of(tmp_path, data + bytes(3 * CAPACITY_BYTES) + b"x"))
    assert found["quantity"][-1] == 3 * CAPACITY_BYTES + 1


@pytest.mark.modes
@pytest.mark.parametrize("left", [1, 2, 3, 37])
def test_a_file_cut_off_ends_with_an_unreadable_event(tmp_path, left):
    found, source = read(file_of(tmp_path, framed(order(1)) + framed(order(2))[:left]))
    assert kinds(found) == ["ADD", "UNREADABLE"]
    assert (found["reference"][1], found["quantity"][1]) == (events.CUT_OFF, left)
    assert source.counts["bytes of a frame cut off at the end"] == left


def test_a_gzip_file_cut_off_or_continued_says_so(tmp_path):
    data = framed(*(order(n) for n in range(5)))
    found, source = read(file_of(tmp_path, gzip.compress(data)[:-4]))
    assert kinds(found) == ["ADD"] * 5 + ["UNREADABLE"]
    assert found["reference"][-1] == events.CUT_OFF
    assert source.counts["gzip data that ends too early"] == 1
    found, source = read(file_of(tmp_path, gzip.compress(data) + b"trailer"))
    assert kinds(found) == ["ADD"] * 5 + ["UNREADABLE"]
    assert (found["reference"][-1], found["quantity"][-1]) == (events.NO_PARSE, 7)
    assert source.counts["bytes behind the gzip data"] == 7
    with pytest.raises(InputError, match="gzip data is damaged"):
        damaged = bytearray(gzip.compress(data))
        damaged[-6] ^= 1
        read(file_of(tmp_path, bytes(damaged)))


@pytest.mark.modes
def test_garbage_within_frames_is_unreadable_one_by_one(tmp_path):
    data = framed(order(1), b"Z" * 30, bytes(order(2))[:-1], bytes(order(3)) + b"?", order(4))
    found, source = read(file_of(tmp_path, data))
    assert kinds(found) == ["ADD", *["UNREADABLE"] * 3, "ADD"]
    assert found["reference"][1:4].tolist() == [
        events.UNKNOWN_TYPE,
        events.WRONG_LENGTH,
        events.WRONG_LENGTH,
    ]
    assert found["quantity"][1:4].tolist() == [30, 35, 37]
    assert source.counts["unreadable"] == 3


@pytest.mark.parametrize(
    "name, date",
    [
        ("12302019.NASDAQ_ITCH50", "2019-12-30"),
        ("S013020-v50.08222023.gz", "2023-08-22"),
        ("itch_20230822_am.bin", "2023-08-22"),
        ("02292024", "2024-02-29"),
        ("99999999_20200130.itch", "2020-01-30"),
    ],
)
def test_the_date_is_found_in_the_name(tmp_path, name, date):
    path = file_of(tmp_path, framed(order(1)), name)
    assert ItchSource(path).date == date
    assert ItchSource(path, date="2001-02-03").date == "2001-02-03"
    assert ItchSource(path, date=datetime.date(2001, 2, 3)).date == "2001-02-03"


@pytest.mark.parametrize("name", ["sample.itch", "123020191.itch", "02302024.itch", "30122019"])
def test_without_a_date_nothing_is_guessed(tmp_path, name):
    with pytest.raises(InputError, match=r"no date.*Pass date='2019-12-30'"):
        ItchSource(file_of(tmp_path, framed(order(1)), name))


@pytest.mark.parametrize("date", ["30.12.2019", "2019-02-30", 20191230, 1.5, ""])
def test_a_wrong_date_is_told(tmp_path, date):
    with pytest.raises(InputError, match="is not a date"):
        ItchSource(file_of(tmp_path, framed(order(1))), date=date)


def test_the_offset_is_that_of_the_day_and_the_zone(tmp_path):
    path = file_of(tmp_path, framed(order(0)))
    noon = {"2023-08-22": "13:30", "2023-12-22": "14:30"}
    for date, clock in noon.items():
        found, _ = read(path, date=date)
        assert to_text(int(found["time"][0])).startswith(f"{date}T{clock}:00.000000000")
    found, _ = read(path, zone="UTC")
    assert to_text(int(found["time"][0])).startswith(f"{SUMMER}T09:30")
    with pytest.raises(InputError, match="not the name of a time zone"):
        ItchSource(path, date=SUMMER, zone="New York")


SOMETHING_ELSE = {
    "text": b"Time,Type,OrderID\n34200.1,1,7\n" * 100,
    "json": b'{"stream":"btcusdt@depth"}\n',
    "zeros": bytes(1000),
    "noise": Random(1).randbytes(100_000),
    "types of other lengths": framed(b"A" * 20, b"D" * 7, b"S" * 300),
    "one byte": b"A",
    "two bytes": b"\0\x0c",
    "messages without lengths": b"".join(bytes(order(n)) for n in range(50)),
}


@pytest.mark.parametrize("what", SOMETHING_ELSE)
def test_a_file_of_something_else_is_refused_at_once(tmp_path, what):
    for data in (SOMETHING_ELSE[what], gzip.compress(SOMETHING_ELSE[what])):
        with pytest.raises(InputError, match=r"neither ITCH 5\.0 nor a capture; it begins with"):
            ItchSource(file_of(tmp_path, data), date=SUMMER)


def test_what_is_no_file_is_refused_at_once(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        ItchSource(tmp_path / "none")
    with pytest.raises(InputError, match="a folder"):
        ItchSource(tmp_path)
    with pytest.raises(InputError, match="empty"):
        ItchSource(file_of(tmp_path, b""))
