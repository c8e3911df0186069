"""A tape's slices are what looking at every event would choose, and nothing is copied for them."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tapes import OPEN, SECOND, ArraySource, event, flow, highest_times, two_stocks

import hftlib as hft
from hftlib.core import events, jit
from hftlib.core.errors import InputError
from hftlib.core.events import EVENT
from hftlib.core.times import to_ns
from hftlib.feed.tape_file import write_tape
from hftlib.research.clocks import zone_of
from hftlib.research.selection import ALL
from hftlib.research.tape import Tape, open_tape

COUNT = 30_000 if jit.COMPILED else 5_000


def written(path: Path, array: Any, table: Any = None) -> Tape:
    write_tape(path, ArraySource(array, table), overwrite=True)
    return open_tape(path)


@pytest.fixture(scope="module", params=[True, False], ids=["orderly", "times go back"])
def tape(request: Any, tmp_path_factory: Any) -> Tape:
    array = flow(COUNT, orderly=request.param)
    array["instrument"][::501] = ALL
    array["instrument"][::777] = 9
    return written(tmp_path_factory.mktemp("tape") / "day.tape", array)


def same(part: Tape, expected: Any) -> None:
    """The slice against the positions it should have, by every way of reading it."""
    positions = np.flatnonzero(expected)
    assert len(part) == len(positions) and part.positions.tolist() == positions.tolist()
    whole = np.array(part.selection.file.events)
    assert part.events.tobytes() == whole[positions].tobytes()
    chunks = [chunk.copy() for chunk in part.chunks(1000)]
    assert b"".join(chunk.tobytes() for chunk in chunks) == whole[positions].tobytes()
    assert all(0 < len(chunk) <= 1000 for chunk in chunks)
    if len(positions):
        assert part.begin == whole["time"][positions[0]]
        assert part.end == max(0, highest_times(whole[positions])[-1])
        assert part[0] == whole[positions[0]] and part[-1] == whole[positions[-1]]


@pytest.mark.modes
def test_slices_are_what_looking_at_every_event_would_choose(tape: Tape) -> None:
    array = np.array(tape.events)
    here, highest = np.arange(len(array)), highest_times(array)
    of = {row: (array["instrument"] == row) | (array["instrument"] == ALL) for row in range(2)}
    begin, end = (OPEN + s * SECOND for s in (2, 5))
    middle = (highest >= begin) & (highest < end)
    same(tape, here >= 0)
    same(tape["AAPL"], of[0])
    same(tape.only("MSFT"), of[1])
    same(tape["MSFT", "AAPL"], of[0] | of[1])
    same(tape["09:30:02":"09:30:05"], middle)
    same(tape["MSFT", "09:30:02":"09:30:05"], of[1] & middle)
    same(tape["09:30:02":"09:30:05"]["MSFT"], of[1] & middle)
    same(tape["MSFT"]["09:30:02":]["09:30:01":"09:30:05"], of[1] & middle)
    same(tape[100:2000], (here >= 100) & (here < 2000))
    same(tape[100:2000]["AAPL"], of[0] & (here >= 100) & (here < 2000))
    same(tape[-50:], here >= len(array) - 50)
    same(
        tape["AAPL"][10:20],
        of[0] & (here >= np.flatnonzero(of[0])[10]) & (here < np.flatnonzero(of[0])[20]),
    )
    same(
        tape["AAPL"][10:2000]["09:30:02":],
        of[0]
        & (highest >= begin)
        & (here >= np.flatnonzero(of[0])[10])
        & (here < np.flatnonzero(of[0])[2000]),
    )
    same(tape["10:00":"09:00"], here < 0)
    same(tape["AAPL"]["10:00":"09:00"], here < 0)
    same(tape[5:5], here < 0)


@settings(max_examples=100)
@given(st.data())
def test_any_two_times_choose_the_same_events_as_the_running_maximum(tape: Tape, data: Any) -> None:
    highest = highest_times(tape.events)
    moments = st.sampled_from(highest.tolist()) | st.integers(OPEN - 10, OPEN + 60 * SECOND)
    begin = data.draw(st.none() | moments)
    end = data.draw(st.none() | moments)
    rows = data.draw(st.sampled_from([(), ("AAPL",), ("MSFT",)]))
    part = tape.only(*rows) if rows else tape
    first = 0 if begin is None else np.searchsorted(highest, begin)
    last = len(highest) if end is None else np.searchsorted(highest, end)
    wanted = part.positions[(part.positions >= first) & (part.positions < last)]
    assert part.between(begin, end).positions.tolist() == wanted.tolist()


def test_a_time_may_be_written_in_every_way_there_is(tape: Tape) -> None:
    wanted = tape["09:30:02":"09:30:05"].positions.tolist()
    new_york = datetime.timezone(datetime.timedelta(hours=-5))
    for begin, end in (
        ("9:30:02", "09:30:05.000000000"),
        ("2019-12-30T09:30:02", "2019-12-30 14:30:05Z"),
        (datetime.time(9, 30, 2), datetime.datetime(2019, 12, 30, 9, 30, 5)),
        (
            datetime.datetime(2019, 12, 30, 9, 30, 2, tzinfo=new_york),
            np.datetime64(OPEN + 5 * SECOND, "ns"),
        ),
        (pd.Timestamp("2019-12-30 09:30:02", tz="America/New_York"), OPEN + 5 * SECOND),
    ):
        assert tape.between(begin, end).positions.tolist() == wanted
    day = tape["2019-12-30":"2019-12-31"]
    assert len(day) == len(tape) and tape.zone == "America/New_York"


def test_a_clock_time_on_several_days_is_refused(tmp_path: Path) -> None:
    array = flow(10)
    array["time"][5:] += 86_400 * SECOND
    tape = written(tmp_path / "t", array)
    with pytest.raises(InputError, match="any day from 2019-12-30 to 2019-12-31"):
        tape["09:30":]
    assert len(tape["2019-12-31 09:30":]) == 5


def test_a_slice_shares_the_memory_of_its_tape(tape: Tape) -> None:
    for part in (tape["09:30:02":"09:30:05"], tape[100:200]):
        assert np.shares_memory(part.events, tape.events) and not part.events.flags.writeable
        with pytest.raises(ValueError, match="read-only"):
            part.events["time"] = 0
    one = (
        tape["09:30:02":"09:30:05"].selection.of_rows((0,))
        if not len(tape.selection.file.positions_of(2))
        else tape.selection
    )
    assert one.places is None or np.shares_memory(one.places, tape.selection.file.positions)


def test_a_list_of_one_instrument_is_the_index_of_the_file(tmp_path: Path) -> None:
    tape = written(tmp_path / "t", flow(5000))
    places = tape["AAPL", "09:30:01":].selection.places
    assert np.shares_memory(places, tape.selection.file.positions)


@pytest.mark.parametrize(
    "key",
    [1.5, slice(0, 5, 2), slice(0.5, 2), ("AAPL", 3), (), slice("09:30", 5), None, slice(True, 3)],
)
def test_what_says_no_events_is_a_sentence(tape: Tape, key: Any) -> None:
    with pytest.raises(InputError, match="tape"):
        tape[key]


def test_events_and_symbols_that_are_not_there_are_sentences(tape: Tape) -> None:
    with pytest.raises(InputError, match=r"no event (30|5),000 among"):
        tape[COUNT]
    with pytest.raises(InputError, match=r"no instrument 'APPL'.*such as AAPL"):
        tape["APPL"]
    with pytest.raises(InputError, match=r"MSFT is not in this slice.*here is AAPL"):
        tape["AAPL"]["MSFT"]
    with pytest.raises(InputError, match="No instrument was named"):
        tape.only()
    with pytest.raises(InputError, match="does not read as a time"):
        tape["half past nine":]


def test_a_damaged_index_is_a_sentence_and_no_crash(tmp_path: Path) -> None:
    tape = written(tmp_path / "t", flow(5000))
    slot, data = tape._file._placed["positions"], bytearray((tmp_path / "t").read_bytes())
    for value in (0xFFFFFFFF, 0):
        data[slot.offset + 400 : slot.offset + 404] = value.to_bytes(4, "little")
        (tmp_path / "bad").write_bytes(data)
        with pytest.raises(InputError, match="index by instrument of this tape is damaged"):
            open_tape(tmp_path / "bad")["AAPL"]


def test_a_slice_saved_is_a_tape_of_its_own(tape: Tape, tmp_path: Path) -> None:
    part = tape["AAPL", "09:30:02":"09:30:05"]
    summary = part.save(tmp_path / "part.tape")
    saved = open_tape(tmp_path / "part.tape")
    opening = saved.events[: len(saved) - len(part)]
    assert saved.events[len(opening) :].tobytes() == part.events.tobytes()
    assert (opening["flags"] & events.SNAPSHOT).all() and summary.events == len(saved)
    assert saved.counts == {} and len(opening)
    assert saved.symbols == tape.symbols and saved.verify() == summary.digest != tape.digest


def test_a_slice_saved_has_the_books_it_began_with(tmp_path: Path) -> None:
    at = {"time": OPEN, "quantity": 5}
    parts = (
        event("ADD", reference=1, side=1, price=100, **at),
        event("LEVEL", instrument=1, side=2, price=300, **at),
        event("GAP", time=OPEN, instrument=1),
        event("STATUS", time=OPEN, reference=events.HALTED),
        event("EXECUTE", time=OPEN + SECOND, reference=1, quantity=2),
    )
    whole = written(tmp_path / "t", np.concatenate(parts))
    whole[4:].save(tmp_path / "late")
    late = open_tape(tmp_path / "late")
    for symbol in ("AAPL", "MSFT"):
        now, then = whole.book_at(symbol=symbol), late.book_at(symbol=symbol)
        assert (now.bids(9), now.asks(9)) == (then.bids(9), then.asks(9))
        assert (now.stale, now.state) == (then.stale, then.state)
    assert late.book_at(symbol="AAPL").bids(1)[0].quantity == 3
    assert late.book_at(symbol="MSFT").stale
    assert "2, 2 with events" in str(late.summary())


def test_an_empty_tape_answers_everything(tmp_path: Path) -> None:
    tape = written(tmp_path / "t", np.zeros(0, EVENT))
    assert (len(tape), tape.begin, tape.end, tape.duration) == (0, 0, 0, 0)
    assert len(tape["AAPL"]) == 0 and len(tape[:]) == 0
    assert "no events" in repr(tape) and "<table>" in tape._repr_html_()
    assert tape.summary().kinds == {} and tape.validate().sound and len(tape.frame()) == 0
    assert len(tape.bars("1s")) == len(tape["AAPL"].bars("1s")) == 0


def test_what_people_see(tape: Tape) -> None:
    assert repr(tape["AAPL"]).startswith("<Tape ") and "of AAPL, 2019-12-30 09:30:0" in repr(
        tape["AAPL"]
    )
    assert hft.open_tape(tape.path).digest == tape.digest and hft.Tape is Tape
    found = tape.summary()
    shown, page = str(found), tape._repr_html_()
    others = ("(no instrument)", "(every instrument)", "times going back")
    for words in ("AAPL", "MSFT", tape.digest, "UNREADABLE", *others):
        assert words in shown and words in page
    assert sum(found.kinds.values()) == len(tape)
    assert sum(sum(kinds.values()) for kinds in found.by_instrument.values()) == len(tape)


@pytest.mark.modes
def test_a_summary_counts_what_is_there(tape: Tape) -> None:
    part = tape[1000:4000]
    array, found = np.array(part.events), tape[1000:4000].summary()
    names = np.array(events.KINDS)[array["kind"]]
    assert found.kinds == {name: int((names == name).sum()) for name in found.kinds}
    for symbol, row in (("AAPL", 0), ("MSFT", 1)):
        mine = names[array["instrument"] == row]
        assert found.by_instrument[symbol] == {n: int((mine == n).sum()) for n in {*mine.tolist()}}
    assert found.sequence == (1001, 4000) and found.received == 3000
    assert found.times_back == int((np.diff(array["time"]) < 0).sum())


def test_a_frame_has_what_the_events_say(tmp_path: Path) -> None:
    table = two_stocks()
    table.add("BTCUSDT", venue="BINANCE", price_unit="0.01", lot_unit="0.00001")
    array = np.concatenate(
        [
            event("ADD", time=OPEN, reference=7, side=1, price=1_234_500, quantity=5),
            event("EXECUTE", time=OPEN + 1, received=OPEN + 9, reference=7, quantity=2),
            event("LEVEL", time=OPEN + 2, instrument=2, side=2, price=6_183_763, quantity=378_000),
            event("UNREADABLE", time=OPEN + 3, price=4711, quantity=12, instrument=99),
            event("QUOTE", time=OPEN + 4, instrument=1, side=1),
            event("ADD", time=OPEN + 5, side=7, price=1, quantity=1),
        ]
    )
    array["kind"][-1] = 200
    frame = written(tmp_path / "t", array, table).frame()
    assert frame["time"][0] == pd.Timestamp("2019-12-30 14:30", tz="UTC")
    assert frame.index.name == "position"
    assert frame["price"].tolist()[:1] + frame["price"].tolist()[2:3] == [123.45, 61837.63]
    assert frame["price"].isna().tolist() == [False, True, False, True, False, True]
    assert frame["quantity"].tolist()[:3] == [5.0, 2.0, 3.78]
    assert frame["symbol"].tolist() == ["AAPL", "AAPL", "BTCUSDT", "#99", "MSFT", "AAPL"]
    assert frame["kind"].tolist() == ["ADD", "EXECUTE", "LEVEL", "UNREADABLE", "QUOTE", "#200"]
    assert frame["side"].tolist() == ["buy", "", "sell", "", "buy", "#7"]
    assert frame["received"].isna().tolist() == [True, False, True, True, True, True]
    assert frame["price_units"].tolist() == array["price"].tolist()
    assert frame["time"].astype("int64").tolist() == array["time"].tolist()


def test_a_frame_is_bounded(tape: Tape, monkeypatch: Any) -> None:
    monkeypatch.setattr("hftlib.research.tape_frame.FRAME_EVENTS_MAX", 100)
    with pytest.raises(InputError, match="more than a frame should hold"):
        tape.frame()
    assert len(tape.frame(100)) == 100 and len(tape.frame(0)) == 0
    with pytest.raises(InputError, match="is no number of events"):
        tape.frame(-1)
    assert tape["MSFT"].frame(50).index.tolist() == tape["MSFT"].positions[:50].tolist()


def test_clocks_of_venues() -> None:
    assert zone_of(["XNAS", "ARCX"]) == "America/New_York"
    assert zone_of(["XNAS", "XLON"]) == zone_of(["BINANCE"]) == zone_of([]) == "UTC"
    assert zone_of(["Asia/Tokyo"]) == "Asia/Tokyo"
    assert to_ns("2019-12-30T09:30", zone=zone_of(["XNAS"])) == OPEN
