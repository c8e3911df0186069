"""LOBSTER days: every published row is matched, and every kind of bad file has its sentence."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np
import pytest
from fuzzing import fuzz_seconds, fuzzed
from lobster_naive import NO_LEVEL, LevelsByDict, RowJudge, rows_of
from recorded import recorded
from test_lobster_lines import slowly, told

from hftlib.core import events
from hftlib.core.errors import InputError
from hftlib.core.times import to_ns
from hftlib.feed import lobster
from hftlib.feed.lobster import LobsterSource
from hftlib.feed.source import CHUNK_EVENTS_MAX

NAME = "TEST_2012-06-21_34200000_57600000_{}_1.csv"
SAMPLES = {"AMZN_2012-06-21_1": 13_953, "AMZN_2012-06-21_5": 33_840, "GOOG_2012-06-21_1": 11_207}
LINES = b"""34200.1,1,7,30,1000,1
34200.2,4,7,10,1000,1
34200.3,1,8,5,1010,-1
"""


def day(folder: Path, text: bytes, book: str | None = None) -> Path:
    path = folder / NAME.format("message")
    path.write_bytes(text)
    if book is not None:
        (folder / NAME.format("orderbook")).write_text(book)
    return path


def read(source: LobsterSource) -> np.ndarray:
    return np.concatenate([chunk.copy() for chunk in source.chunks()])


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_level_of_every_row_of_a_real_day_is_matched(sample):
    path = recorded(f"lobster/LOBSTER_SampleFile_{sample}.zip")
    source, judge = LobsterSource(path), RowJudge(LevelsByDict(), rows_of(path))
    for chunk in source.chunks():
        assert len(chunk) <= CHUNK_EVENTS_MAX
        judge.take(chunk)
    assert judge.mismatches == []
    assert judge.row == len(judge.rows) and judge.book.impossible == 0
    assert source.counts["levels that entered the window"] == SAMPLES[sample]
    assert source.counts["levels set right by the row"] == 0
    assert source.counts["unreadable"] == 0 and source.share_done == 1.0
    assert source.instruments.symbols == [sample.partition("_")[0]]


def test_the_judge_sees_one_share_that_is_wrong():
    path = recorded("lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip")
    judge = RowJudge(LevelsByDict(), rows_of(path))
    chunk = next(iter(LobsterSource(path, seed=False).chunks()))[:200].copy()
    assert not judge.mismatches
    seed = next(iter(LobsterSource(path).chunks())).copy()
    (first, *_) = np.flatnonzero(chunk["kind"] == events.ADD)
    chunk["quantity"][first] += 1
    judge.take(seed)
    judge.take(chunk)
    assert judge.mismatches


def test_times_are_those_of_the_exchange_to_the_nanosecond(tmp_path):
    path = day(tmp_path, b"34200.000000001,1,7,30,1000,1\n")
    (event,) = read(LobsterSource(path, seed=False))
    assert event["time"] == to_ns("2012-06-21T09:30:00.000000001-04:00")
    (event,) = read(LobsterSource(path, zone="UTC", date="2012-06-22", seed=False))
    assert event["time"] == to_ns("2012-06-22T09:30:00.000000001Z")


@pytest.mark.parametrize(
    ("first", "row", "seed"),
    [
        ("1,7,30,1000,1", f"{NO_LEVEL},0,1000,30", []),
        ("1,7,30,1000,1", "1010,5,1000,40", [(2, 1010, 5), (1, 1000, 10)]),
        ("4,7,30,1000,1", "1010,5,990,40", [(2, 1010, 5), (1, 990, 40), (1, 1000, 30)]),
        ("3,7,5,1010,-1", "1010,5,1000,40", [(2, 1010, 10), (1, 1000, 40)]),
        ("5,0,5,1010,-1", "1010,5,1000,40", [(2, 1010, 5), (1, 1000, 40)]),
        ("7,0,0,-1,-1", "1010,5,1000,40", [(2, 1010, 5), (1, 1000, 40)]),
    ],
)
def test_the_seed_is_row_0_before_message_0(tmp_path, first, row, seed):
    clear, *levels, message = read(LobsterSource(day(tmp_path, f"1,{first}\n".encode(), row)))
    assert clear["kind"] == events.CLEAR
    assert [(e["side"], e["price"], e["quantity"]) for e in levels] == seed
    assert all(event["flags"] & events.SNAPSHOT for event in (clear, *levels))
    assert (clear, *levels)[-1]["flags"] & events.LAST
    assert not message["flags"] & events.SNAPSHOT and message["sequence"] == 1


def test_a_day_reads_alike_in_blocks_of_any_size_plain_and_zipped(tmp_path, monkeypatch):
    path = day(tmp_path, LINES * 50, "1010,5,1000,30\n" * 150)
    whole = read(LobsterSource(path))
    with zipfile.ZipFile(tmp_path / "day.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for one in ("message", "orderbook"):
            archive.write(tmp_path / NAME.format(one), NAME.format(one))
    assert np.array_equal(read(LobsterSource(tmp_path / "day.zip")), whole)
    for size in (23, 24, 25, 64, 1000):
        monkeypatch.setattr(lobster, "BLOCK_BYTES", size)
        monkeypatch.setattr(lobster, "CHUNK_EVENTS_MAX", 9)
        assert np.array_equal(read(LobsterSource(path)), whole)
    assert len(whole) > 2 + 150  # rows that contradict the messages add levels to them


def test_without_the_order_book_the_first_event_says_that_books_are_stale(tmp_path):
    gap, *rest = read(LobsterSource(day(tmp_path, LINES)))
    assert (gap["kind"], gap["instrument"], gap["time"]) == (events.GAP, 0, rest[0]["time"])
    assert (gap["reference"], gap["other"]) == (0, 0) and len(rest) == 3
    path = day(tmp_path, LINES, "1010,5,1000,30\n")
    bare = read(LobsterSource(path, seed=False))
    assert len(bare) == 3 and bare.tolist() == [event.tolist() for event in rest]


@pytest.mark.modes
def test_a_level_comes_and_goes_with_the_row_of_its_message(tmp_path):
    """The bid at 1000 is deleted and 990 comes up; then a better one pushes 990 out."""
    text = b"1,1,7,30,1000,1\n2,3,7,30,1000,1\n3,1,8,5,995,1\n"
    empty = f"{NO_LEVEL},0"
    rows = f"{empty},1000,30\n{empty},990,4\n{empty},995,5\n"
    source = LobsterSource(day(tmp_path, text, rows))
    made = read(source)[1:]
    fields = ("sequence", "kind", "price", "quantity", "flags")
    last, level = events.LAST, events.SNAPSHOT
    assert made[list(fields)].tolist() == [
        (1, events.ADD, 1000, 30, last),
        (2, events.DELETE, 1000, 30, 0),
        (2, events.LEVEL, 990, 4, level | last),
        (3, events.ADD, 995, 5, 0),
        (3, events.LEVEL, 990, 0, level | last),
    ]
    assert {name: count for name, count in source.counts.items() if "level" in name} == {
        "levels seeded": 0,
        "levels that entered the window": 1,
        "levels that left it": 1,
        "levels set right by the row": 0,
    }


@pytest.mark.modes
def test_a_line_that_does_not_read_is_made_good_by_its_row(tmp_path):
    text = LINES.replace(b"4,7,10", b"4,7,ten")
    rows = f"{NO_LEVEL},0,1000,30\n{NO_LEVEL},0,1000,20\n1010,5,1000,20\n"
    source = LobsterSource(day(tmp_path, text, rows))
    judge = RowJudge(LevelsByDict(), np.array([r.split(",") for r in rows.split()], np.int64))
    judge.take(read(source))
    assert judge.row == 3 and judge.mismatches == []
    assert source.counts["levels set right by the row"] == source.counts["unreadable"] == 1


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (["1010,5,1000,30"] * 2, "ends behind row 2, before the messages"),
        (["1010,5,1000,30"] * 4, "more rows than the message file has lines"),
        (["1010,5,1000,30", "1010,5,1000", "1010,5,1000,30"], "no row of an order book"),
        (["1010,5,1000,30", "1010,5,1000,30,1", "1,1,1,1"], "no row of an order book"),
        (["1010,5,1000,30", "1010,5,1000,-3", "1,1,1,1"], "no row of an order book"),
        (["1010,5,1000,30", "", "1,1,1,1"], "no row of an order book"),
        (["9,5,8,3,9,5,7,3"] * 3, "no row of an order book"),  # the asks are not in order
        ([f"{NO_LEVEL},0,8,3,9,5,7,3"] * 3, "no row of an order book"),
    ],
)
def test_rows_that_do_not_fit_the_messages_are_refused(tmp_path, rows, sentence):
    with pytest.raises(InputError, match=sentence):
        read(LobsterSource(day(tmp_path, LINES, "\n".join(rows) + "\n")))


def test_a_file_that_ends_inside_a_line_says_so(tmp_path):
    source = LobsterSource(day(tmp_path, LINES + b"34201.5,1,9,3"), seed=False)
    *good, last = read(source)
    assert [told(event) for event in good] == [slowly(line) for line in LINES.splitlines()]
    assert (last["kind"], last["reference"]) == (events.UNREADABLE, events.CUT_OFF)
    assert (last["price"], last["quantity"]) == (len(LINES), 13)
    assert source.counts["unreadable"] == 1


def test_a_day_packed_with_gzip_is_the_same_day(tmp_path):
    rows = "1010,5,1000,30\n1010,5,1000,20\n1010,10,1000,20\n"
    plain = read(LobsterSource(day(tmp_path, LINES, rows)))
    for what in ("message", "orderbook"):
        path = tmp_path / NAME.format(what)
        (tmp_path / f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    packed = tmp_path / (NAME.format("message") + ".gz")
    assert np.array_equal(read(LobsterSource(packed)), plain)
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(InputError, match="damaged behind byte"):
        read(LobsterSource(packed))


def test_the_shadows_that_a_mac_puts_into_a_zip_are_none_of_the_day(tmp_path):
    plain = read(LobsterSource(day(tmp_path, LINES)))
    with zipfile.ZipFile(tmp_path / "day.zip", "w") as archive:
        archive.write(tmp_path / NAME.format("message"), NAME.format("message"))
        archive.writestr("__MACOSX/._" + NAME.format("message"), b"shadow")
    assert np.array_equal(read(LobsterSource(tmp_path / "day.zip")), plain)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: LobsterSource(p / "none_here.csv"), "no such file"),
        (lambda p: LobsterSource(day(p, b"")), "No line of this file"),
        (lambda p: LobsterSource(day(p, b"time,type\n1,2\n")), "No line of this file"),
        (lambda p: LobsterSource(day(p, b"x" * (lobster.BLOCK_BYTES + 2))), "A line of over"),
        (lambda p: LobsterSource(day(p, LINES, "1,2,3\n")), "no row of an order book"),
        (lambda p: LobsterSource(day(p, LINES, "a,2,3,4\n")), "no row of an order book"),
        (lambda p: LobsterSource(day(p, LINES, f"{10**18},2,3,4\n")), "no row of an order book"),
        (lambda p: LobsterSource(day(p, LINES, f"5,2,3,-{10**25}\n")), "no row of an order book"),
        (lambda p: LobsterSource(day(p, LINES, "")), "no row of an order book"),
        (lambda p: LobsterSource(day(p, LINES), date="21.6.2012"), "does not read as a time"),
        (lambda p: LobsterSource(day(p, LINES), zone="Mars"), "not the name of a time zone"),
        (lambda p: LobsterSource(day(p, LINES).rename(p / "x.csv")), "does not say its symbol"),
    ],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(tmp_path, make, sentence):
    with pytest.raises(InputError, match=sentence):
        read(make(tmp_path))


def test_a_zip_without_a_message_file_or_damaged_is_refused(tmp_path):
    path = tmp_path / "day.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("else.csv", "1")
    with pytest.raises(InputError, match="holds 0 message files"):
        LobsterSource(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(NAME.format("message"), LINES * 5000)
    data = bytearray(path.read_bytes())
    data[120:140] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(InputError, match="damaged behind byte"):
        read(LobsterSource(path))


def test_a_broken_file_gives_an_event_for_each_line_or_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(lobster, "BLOCK_BYTES", 256)
    refused = 0
    for text in fuzzed([LINES, LINES * 10], seconds=fuzz_seconds()):
        expected = [slowly(line) for line in text.removesuffix(b"\n").split(b"\n")]
        try:
            source = LobsterSource(day(tmp_path, text), zone="UTC", seed=False)
            found = [told(event) for event in read(source)]
        except InputError:
            assert not any(expected) or max(map(len, text.split(b"\n"))) >= 255
            refused += 1
            continue
        midnight = to_ns("2012-06-21T00:00:00Z")
        moved = [row and (row[0], row[1] - midnight, *row[2:]) for row in found]
        assert moved == [
            row and (row[0], row[1] - 1_340_251_200 * 10**9, *row[2:]) for row in expected
        ]
    assert refused, "no file was ever beyond reading"


def test_a_broken_zip_is_read_or_refused(tmp_path):
    day(tmp_path, LINES * 20, "1010,5,1000,30\n" * 60)
    with zipfile.ZipFile(tmp_path / "day.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for one in ("message", "orderbook"):
            archive.write(tmp_path / NAME.format(one), NAME.format(one))
    refused = 0
    for broken in fuzzed([(tmp_path / "day.zip").read_bytes()], seconds=fuzz_seconds(1)):
        (tmp_path / "broken.zip").write_bytes(broken)
        try:
            read(LobsterSource(tmp_path / "broken.zip", symbol="TEST", date="2012-06-21"))
        except InputError:
            refused += 1
    assert refused
