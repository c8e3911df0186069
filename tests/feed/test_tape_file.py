"""A tape is written whole or not at all, and reads back as what the source gave."""

from __future__ import annotations

import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tapes import ArraySource, event, flow, highest_times, two_stocks

from hftlib.core import jit
from hftlib.core.errors import HostError, InputError, StateError
from hftlib.core.events import EVENT
from hftlib.core.instruments import ACTION, INSTRUMENT, PHASE, Instruments
from hftlib.core.records import field_offset
from hftlib.feed import tape_file, tape_layout
from hftlib.feed.tape_file import write_tape
from hftlib.feed.tape_reading import TapeFile

COUNT = 20_000 if jit.COMPILED else 9_000


def naive_digest(array: Any, table: Instruments) -> str:
    digest = hashlib.sha256(array.tobytes())
    tables = ((INSTRUMENT, table.table), (PHASE, table.phases), (ACTION, table.actions))
    for dtype, rows in tables:
        for row in rows:
            plain = bytearray(dtype.itemsize)
            for name in dtype.names or ():
                kind, offset = dtype[name], field_offset(dtype, name)
                plain[offset : offset + kind.itemsize] = np.array(row[name], kind).tobytes()
            digest.update(plain)
    return digest.hexdigest()


def require_reads_back(path: Path, array: Any, table: Instruments) -> None:
    """The whole file against what is slowly worked out from the events."""
    tape = TapeFile(path)
    assert tape.events.tobytes() == array.tobytes() and not tape.events.flags.writeable
    assert tape.digest == naive_digest(array, table) == tape.verify()
    highest = highest_times(array)
    ends = [min(n + 4096, len(array)) - 1 for n in range(0, len(array), 4096)]
    assert tape.marks.tolist() == highest[ends].tolist()
    for row in range(len(table)):
        assert (
            tape.positions_of(row).tolist() == np.flatnonzero(array["instrument"] == row).tolist()
        )
    strangers = np.flatnonzero(array["instrument"] >= len(table))
    assert tape.positions_of(len(table)).tolist() == strangers.tolist()
    assert tape.header["strangers"] == len(strangers)
    assert tape.orderly == bool((np.diff(array["time"]) >= 0).all())


@pytest.mark.modes
@pytest.mark.parametrize("orderly", [True, False])
@pytest.mark.parametrize("chunk", [1, 1000, 4096, 65_536])
def test_what_a_source_gives_reads_back(tmp_path: Path, chunk: int, orderly: bool) -> None:
    array = flow(COUNT if chunk > 1 else 200, orderly=orderly)
    source = ArraySource(array, chunk=chunk)
    told: list[float] = []
    summary = write_tape(tmp_path / "a.tape", source, progress=lambda share, _: told.append(share))
    require_reads_back(tmp_path / "a.tape", array, source.instruments)
    assert (summary.events, summary.instruments) == (len(array), 2)
    assert summary.bytes == (tmp_path / "a.tape").stat().st_size
    assert (summary.begin, summary.end) == (array["time"][0], highest_times(array)[-1])
    assert told == sorted(told) and told[-1] == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["a.tape"]


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 50), max_size=30),
    st.lists(st.sampled_from([0, 1, 2, 7, 2**22 - 1, 2**22, 2**32 - 1]), min_size=30, max_size=30),
)
def test_any_times_and_any_instruments_are_found_again(
    tmp_path_factory: Any, times: list[int], rows: list[int]
) -> None:
    array = np.zeros(len(times), EVENT)
    array["time"], array["instrument"] = times, rows[: len(times)]
    path = tmp_path_factory.mktemp("tape") / "t"
    source = ArraySource(array, chunk=7)
    write_tape(path, source)
    require_reads_back(path, array, source.instruments)
    tape = TapeFile(path)
    for moment in range(-1, 53):
        naive = next((n for n, t in enumerate(times) if t >= moment), len(times))
        assert tape.first_at(moment) == naive


def test_a_time_is_found_across_blocks_as_by_looking_at_every_event(tmp_path: Path) -> None:
    array = flow(3 * 4096 + 5, orderly=False)
    write_tape(tmp_path / "t", ArraySource(array))
    tape, highest = TapeFile(tmp_path / "t"), highest_times(array)
    for moment in [*array["time"][::97].tolist(), *(array["time"][::389] + 1).tolist()]:
        assert tape.first_at(moment) == np.searchsorted(highest, moment)


@pytest.mark.parametrize("kind", ["UNREADABLE", "NOTICE"])
def test_a_garbage_time_moves_no_slice(tmp_path: Path, kind: str) -> None:
    array = np.concatenate([event("ADD", time=n) for n in range(1, 9001)])
    array[[5, 4100]] = event(kind, time=2**62)
    write_tape(tmp_path / "t", ArraySource(array))
    tape = TapeFile(tmp_path / "t")
    assert tape.end == 9000
    for moment in (1, 7, 4096, 4103, 9000):
        assert tape.first_at(moment) == moment - 1
    assert tape.first_at(9001) == 9000


def test_a_folder_is_no_name_for_a_tape(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a folder"):
        write_tape(tmp_path, ArraySource(flow(1)), overwrite=True)


def test_phases_actions_names_and_counts_are_kept(tmp_path: Path) -> None:
    table = two_stocks()
    table.phases = np.array([(b"XNAS", b"continuous", 5, 9)], PHASE)
    table.actions = np.array([(1, 7, 0.25, 4.0, b"split", b"4:1")], ACTION)
    write_tape(tmp_path / "t", ArraySource(flow(10), table))
    tape = TapeFile(tmp_path / "t")
    assert tape.instruments.symbols == ["AAPL", "MSFT"]
    assert tape.instruments.phases.tolist() == table.phases.tolist()
    assert tape.instruments.actions.tolist() == table.actions.tolist()
    assert (tape.name, tape.counts) == ("by hand", {"messages": 10})
    assert (tape.begin, tape.end) == (flow(10)["time"][0], highest_times(flow(10))[-1])


def test_an_empty_source_is_an_empty_tape(tmp_path: Path) -> None:
    write_tape(tmp_path / "t", ArraySource(np.zeros(0, EVENT)))
    require_reads_back(tmp_path / "t", np.zeros(0, EVENT), two_stocks())
    assert TapeFile(tmp_path / "t").first_at(0) == 0


def test_many_instruments_scatter_through_a_small_mapping(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(tape_file, "MAPPED_BYTES_MAX", 8192)
    table = Instruments()
    for number in range(3000):
        table.add(f"S{number}", venue="X")
    array = flow(150_000, rows=3100)
    write_tape(tmp_path / "t", ArraySource(array, table))
    tape = TapeFile(tmp_path / "t")
    order = np.argsort(np.minimum(array["instrument"], 3000), kind="stable")
    assert tape.positions.tolist() == order.tolist()
    tape.verify()


def test_a_name_that_is_taken_is_refused_and_nothing_is_read(tmp_path: Path) -> None:
    write_tape(tmp_path / "t", ArraySource(flow(10)))
    before = TapeFile(tmp_path / "t").digest
    with pytest.raises(StateError, match="a file of that name already"):
        write_tape(tmp_path / "t", ArraySource(flow(10), fails=AssertionError("was read")))
    assert TapeFile(tmp_path / "t").verify() == before
    write_tape(tmp_path / "t", ArraySource(flow(11)), overwrite=True)
    assert len(TapeFile(tmp_path / "t").events) == 11


def test_a_name_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    class Slow(ArraySource):
        def chunks(self) -> Any:
            (tmp_path / "t").write_text("somebody else's")
            yield from super().chunks()

    with pytest.raises(StateError, match="a file of that name already"):
        write_tape(tmp_path / "t", Slow(flow(10)))
    assert (tmp_path / "t").read_text() == "somebody else's" and len([*tmp_path.iterdir()]) == 1


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), SystemExit(143), ValueError("bad")])
def test_an_interrupted_or_failing_source_leaves_nothing(
    tmp_path: Path, failure: BaseException
) -> None:
    write_tape(tmp_path / "old", ArraySource(flow(10)))
    before = (tmp_path / "old").read_bytes()
    for name, overwrite in (("new", False), ("old", True)):
        with pytest.raises(type(failure)):
            source = ArraySource(flow(9000), chunk=1000, fails=failure)
            write_tape(tmp_path / name, source, overwrite=overwrite)
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old").read_bytes() == before


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    size = write_tape(tmp_path / "t", ArraySource(flow(9000))).bytes
    (tmp_path / "t").unlink()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:  # at the header, within the events, when the index is allocated, at the last byte
        for room in (10, 300_000, 9000 * 64 + 5000, size - 1):
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
            with pytest.raises(HostError, match="The tape cannot be written: File too large"):
                write_tape(tmp_path / "t", ArraySource(flow(9000), chunk=500))
            assert list(tmp_path.iterdir()) == []
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        write_tape(tmp_path / "t", ArraySource(flow(9000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    TapeFile(tmp_path / "t").verify()


@pytest.mark.parametrize("name", ["no/such/folder/t", "", "/proc/t", "/dev/null/t"])
def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises((HostError, InputError), match=r"cannot be written|names no file"):
        write_tape(tmp_path / name if name else "", ArraySource(flow(10)))


def test_a_source_that_gives_no_events_is_refused(tmp_path: Path) -> None:
    for wrong in (np.zeros(4), flow(8)[::2], flow(70_000), [1]):
        source = ArraySource(flow(1))
        source.chunks = lambda wrong=wrong: iter([wrong])
        with pytest.raises(InputError, match="events side by side"):
            write_tape(tmp_path / "t", source)
    assert list(tmp_path.iterdir()) == []


CHILD = """
import sys; sys.path[:0] = [{tests!r}]
from tapes import ArraySource, flow
from hftlib.feed.tape_file import write_tape
from hftlib.terminal import leave_through_finally
leave_through_finally()
class Endless(ArraySource):
    def chunks(self):
        while True:
            yield from super().chunks()
            print("going on", flush=True)
write_tape(sys.argv[1], Endless(flow(60000)))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_killed_writer_leaves_nothing_that_opens(tmp_path: Path, number: int) -> None:
    tests = str(Path(__file__).parent.parent)
    program = [sys.executable, "-c", CHILD.format(tests=tests), str(tmp_path / "t")]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=Path(tests).parent
    ) as child:
        assert child.stdout
        child.stdout.readline()
        (part,) = tmp_path.iterdir()
        write_tape(tmp_path / "t", ArraySource(flow(5)))  # a part in use is nobody else's to remove
        assert part.exists()
        (tmp_path / "t").unlink()
        child.send_signal(number)
        child.stdout.read()
        assert child.wait(timeout=30) != 0
    left = list(tmp_path.iterdir())
    assert left == ([part] if number == signal.SIGKILL else [])
    for path in left:
        with pytest.raises(InputError, match="not a tape"):
            TapeFile(path)
    write_tape(tmp_path / "t", ArraySource(flow(5)))
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: Any) -> Path:
    path = tmp_path_factory.mktemp("whole") / "t"
    table = two_stocks()
    table.actions = np.array([(1, 7, 0.25, 4.0, b"split", b"4:1")], ACTION)
    write_tape(path, ArraySource(flow(5000), table))
    return path


@settings(max_examples=300)
@given(st.integers(0, 4095), st.integers(1, 255))
def test_no_byte_of_the_header_changes_unseen(whole: Path, place: int, flip: int) -> None:
    data = bytearray(whole.read_bytes())
    data[place] ^= flip
    damaged = whole.with_name("damaged")
    damaged.write_bytes(data)
    with pytest.raises(InputError, match="not a tape"):
        TapeFile(damaged)


WORDS = [0, 1, -1, 2**31, 2**40, 2**62, 2**63 - 1, -(2**63), 4096, 5000, 5001]


@settings(max_examples=300)
@given(st.integers(1, 39), st.sampled_from(WORDS), st.booleans())
def test_a_header_that_lies_is_refused_even_under_its_own_seal(
    whole: Path, word: int, value: int, also_flags: bool
) -> None:
    data = np.fromfile(whole, np.uint8)
    header = data[:4096].view(tape_layout.TAPE_HEADER)
    header.view(np.int64)[word] = value
    header["seal"] = tape_layout.seal(header)
    damaged = whole.with_name("damaged")
    damaged.write_bytes(data.tobytes())
    harmless = {3, 4, 5, 6, 7, *range(8, 16)}  # flags, times, strangers, digests: words, not places
    sound = np.fromfile(whole, np.int64)[word] == value
    if word in harmless or sound:
        TapeFile(damaged)
    else:
        with pytest.raises(InputError, match="not a tape"):
            TapeFile(damaged)


@pytest.mark.parametrize(
    ("name", "is_one"), [("ITCH 5.0, day", True), ("synthetic market", True), ("table, t", False)]
)
def test_of_an_old_tape_the_name_tells_whether_it_is_one_stream(
    tmp_path: Path, name: str, is_one: bool
) -> None:
    source = ArraySource(flow(10))
    source.name, source.is_one_stream = name, not is_one
    write_tape(tmp_path / "t", source)
    assert TapeFile(tmp_path / "t").is_one_stream is not is_one
    said = f', "one_stream": {str(not is_one).lower()}'.encode()
    data = (tmp_path / "t").read_bytes()
    assert data.count(said) == 1
    (tmp_path / "old").write_bytes(data.replace(said, b" " * len(said)))
    assert TapeFile(tmp_path / "old").is_one_stream is is_one


@pytest.mark.parametrize("share", [0.0, 0.001, 0.012, 0.5, 0.999])
def test_a_file_cut_short_or_gone_on_is_refused(whole: Path, share: float) -> None:
    data = whole.read_bytes()
    damaged = whole.with_name("damaged")
    damaged.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match="not a tape"):
        TapeFile(damaged)
    damaged.write_bytes(data + b"\0")
    with pytest.raises(InputError, match=r"it has .* bytes and should have"):
        TapeFile(damaged)


def test_verify_finds_any_changed_byte_of_the_content(whole: Path) -> None:
    data, chance = whole.read_bytes(), np.random.default_rng(5)
    tape = TapeFile(whole)
    damaged = whole.with_name("damaged")
    for name, slot in tape._placed.items():
        if not slot.nbytes or name == "about":
            continue
        changed = bytearray(data)
        changed[slot.offset + int(chance.integers(slot.nbytes))] ^= 64
        damaged.write_bytes(changed)
        with pytest.raises(InputError, match="not a tape"):  # at the opening, or by reading it all
            TapeFile(damaged).verify()


def test_what_is_no_tape_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello" * 2000)
    os.mkfifo(tmp_path / "pipe")
    for name in ("text", "pipe", "", "missing", "a\0b"):
        start = time.monotonic()
        with pytest.raises(InputError, match=r"not a tape|cannot be opened"):
            TapeFile(tmp_path / name)
        assert time.monotonic() - start < 10


def test_an_event_by_hand_is_what_it_says() -> None:
    assert event("ADD", price=5)[0].tolist()[5] == 5
