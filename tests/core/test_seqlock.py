"""A cell is read whole or not at all: beside a busy writer, a killed one, and in any order."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from processes import SIGKILL, answer_of, patience_ends_ns, shared_arena, started
from seqlock_process import (
    GAVE_UP,
    PLAIN_TORN,
    READS,
    TORN_READS,
    VALUE,
    VALUE_BYTES,
    VALUES_SEEN,
    WENT_BACK,
    WORDS,
    number_of,
    read_until,
    write_half,
)

from hftlib.core import jit, seqlock
from hftlib.core.arena import Arena
from hftlib.core.errors import InputError, StateError
from hftlib.core.layout import Layout
from hftlib.core.records import CACHE_LINE_BYTES
from hftlib.core.seqlock import ATTEMPTS, BEGUN, CELL_HEADER, READ, TORN, Cell, cell_dtype

LAYOUT = Layout(cell=cell_dtype(VALUE), go=(np.dtype("i8"), 2))


def all_equal(number: int) -> tuple[list[int]]:
    return ([number] * WORDS,)


def number_in(value: Any) -> int:
    assert (value["words"] == value["words"][0]).all(), f"torn: {value}"
    return int(value["words"][0])


@pytest.mark.modes
def test_no_read_is_torn_beside_a_writer_in_another_process(record_property: Any) -> None:
    last = 2_000_000 if jit.COMPILED else 500
    report, scratch = np.zeros(6, np.int64), np.zeros(WORDS, np.int64)
    with shared_arena(LAYOUT) as arena:
        cell, python_reads, until = Cell(arena["cell"]), 0, patience_ends_ns()
        with started("seqlock_process", "write", arena.path, last) as child:
            while not arena["go"][1]:  # the writer is awake
                assert time.monotonic_ns() < until, "the other process is gone"
                time.sleep(0.001)
            places = (arena.address_of("cell"), scratch.ctypes.data, last // 2, report.ctypes.data)
            read_until(*places, arena.address_of("go"), until)
            seen = last // 2
            while seen < last and time.monotonic_ns() < until:
                try:
                    number = number_in(cell.read())
                except StateError:  # a busy writer may keep a reader out; it may not mislead it
                    continue
                assert number >= seen
                seen, python_reads = number, python_reads + 1
            answer_of(child)
        assert number_in(cell.read()) == last
        assert seen == last and report[READS] > 0 and report[VALUES_SEEN] > 1
        assert (report[TORN_READS], report[WENT_BACK]) == (0, 0)
        assert arena["cell"]["header"]["sequence"][0] == 2 * last
    told = {"python_reads": python_reads, "reads": report[READS], "values": report[VALUES_SEEN]}
    told |= {"gave_up": report[GAVE_UP], "torn_without_the_lock": report[PLAIN_TORN]}
    for name, count in told.items():
        record_property(name, int(count))
    print("seqlock:", ", ".join(f"{name} {count:,}" for name, count in told.items()))


@pytest.mark.modes
def test_a_plain_copy_shows_the_half_written_value_that_a_read_refuses() -> None:
    arena = Arena.create(LAYOUT)
    cell, address, scratch = Cell(arena["cell"]), arena.address_of("cell"), np.zeros(WORDS, "i8")
    cell.write(all_equal(1))
    write_half(address, 2, 0)
    jit.copy_words(scratch.ctypes.data, address + CACHE_LINE_BYTES, VALUE_BYTES)
    assert number_of(scratch.ctypes.data) == -1
    assert sorted({*arena["cell"]["value"]["words"][0].tolist()}) == [1, 2]
    assert seqlock.read(address, scratch.ctypes.data, VALUE_BYTES, ATTEMPTS) == TORN
    seqlock.end(address)
    assert seqlock.read(address, scratch.ctypes.data, VALUE_BYTES, 1) == READ


def test_a_writer_killed_within_a_write_leaves_no_value_until_the_next_writer_mends_it() -> None:
    with shared_arena(LAYOUT) as arena:
        cell, scratch = Cell(arena["cell"]), np.zeros(WORDS, np.int64)
        places = (arena.address_of("cell"), scratch.ctypes.data, VALUE_BYTES)
        cell.write(all_equal(1))
        with started("seqlock_process", "die", arena.path, 7) as writer:
            assert writer.wait() == -SIGKILL
        assert seqlock.read(*places, ATTEMPTS) == TORN
        with pytest.raises(StateError, match=r"each of 50 attempts.*died within a write"):
            cell.read(attempts=50)
        Cell(arena["cell"]).write(all_equal(8))
        assert number_in(cell.read()) == 8
        assert seqlock.read(*places, 1) == READ


@pytest.mark.modes
def test_a_compiled_writer_changes_a_whole_arena_and_refuses_a_torn_one() -> None:
    arena = Arena.create(LAYOUT)
    for number in range(1, 4):
        assert seqlock.begin(arena.changes_address) == BEGUN and arena.torn
        arena["go"][0] = number
        seqlock.end(arena.changes_address)
        assert not arena.torn and arena.consistent(lambda a: int(a["go"][0])) == number
    whole = arena.snapshot()
    assert seqlock.begin(arena.changes_address) == BEGUN
    arena["go"][0] = 4  # and here it dies
    for _ in range(2):
        assert seqlock.begin(arena.changes_address) == TORN
        assert arena.torn and arena.snapshot().torn
    with pytest.raises(StateError, match="half an event is applied"), arena.change():
        pytest.fail("a torn arena took a change")
    arena.restore(whole)
    assert seqlock.begin(arena.changes_address) == BEGUN and arena["go"][0] == 3


@pytest.mark.modes
@settings(max_examples=200 if jit.COMPILED else 50)
@given(st.lists(st.sampled_from(["write", "die", "read"]), max_size=40))
def test_whatever_writers_do_a_read_is_the_last_whole_value_or_refused(events: list[str]) -> None:
    arena = Arena.create(LAYOUT)
    cell, sequence = Cell(arena["cell"]), arena["cell"]["header"]["sequence"]
    whole, torn = 0, False
    for number, event in enumerate(events, 1):
        before = int(sequence[0])
        if event == "write":
            cell.write(all_equal(number))
            whole, torn = number, False
        elif event == "die":
            write_half(arena.address_of("cell"), number, 0)
            torn = True
        elif torn:
            with pytest.raises(StateError):
                cell.read(attempts=3)
        else:
            assert number_in(cell.read()) == whole
        # Never back to a number seen before: a reader would take two writes for one.
        assert sequence[0] > before or event == "read"
        assert sequence[0] % 2 == torn


def test_threads_may_share_one_cell() -> None:
    large = np.dtype([("words", "i8", (8192,))])
    cell, torn, done = Cell(np.zeros(1, cell_dtype(large))), [], threading.Event()

    def reads() -> None:
        while not done.is_set():
            try:
                value = cell.read()["words"]
            except StateError:
                continue
            if (value != value[0]).any():
                torn.append(value)

    readers = [threading.Thread(target=reads) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(300):
        cell.write((np.full(8192, number),))
        time.sleep(0)
    done.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert (cell.read()["words"] == 299).all()


def test_a_read_is_a_copy_that_later_writes_leave_alone() -> None:
    cell = Cell(np.zeros(1, cell_dtype(VALUE)))
    cell.write(all_equal(5))
    kept = cell.read()
    cell.write(all_equal(6))
    assert (number_in(kept), number_in(cell.read()), cell.dtype) == (5, 6, VALUE)
    kept["words"] = 9
    assert number_in(cell.read()) == 6


def test_the_bytes_between_fields_are_zero_whatever_was_there_before() -> None:
    gapped = np.dtype({"names": ["a", "b"], "formats": ["i1", "i8"], "offsets": [0, 8]})
    memory = np.zeros(1, cell_dtype(gapped))
    memory.view(np.uint8)[CACHE_LINE_BYTES:] = 0xFF
    cell = Cell(memory)
    assert cell.read()["a"] == -1
    cell.write((1, 2))
    assert memory.view(np.uint8)[CACHE_LINE_BYTES:].tolist() == [1, *[0] * 7, 2, *[0] * 7]


def test_a_cell_of_a_read_only_arena_is_read_and_not_written() -> None:
    with shared_arena(LAYOUT) as arena:
        Cell(arena["cell"]).write(all_equal(3))
        onlooker = Cell(Arena.open(arena.path)["cell"])
        assert number_in(onlooker.read()) == 3
        with pytest.raises(StateError, match="opened read-only"):
            onlooker.write(all_equal(4))
        Cell(arena["cell"]).write(all_equal(5))
        assert number_in(onlooker.read()) == 5


def test_memory_that_is_no_single_cell_is_refused() -> None:
    good = cell_dtype(VALUE)
    odd = np.zeros(good.itemsize + 8, np.uint8)[4 : 4 + good.itemsize].view(good)
    near = np.dtype([("header", CELL_HEADER), ("value", VALUE), ("more", "i8")])
    late = {"names": ["header", "value"], "formats": [CELL_HEADER, VALUE], "offsets": [0, 128]}
    wrong = [np.zeros(2, good), np.zeros(0, good), odd, np.zeros(1, VALUE), np.zeros(8)]
    wrong += [np.zeros(1, near), np.zeros(1, np.dtype(late))]
    for memory in wrong:
        with pytest.raises(InputError, match=r"no single cell: \d items of .*cell_dtype"):
            Cell(memory)
    assert number_in(Cell(np.zeros(2, good)[1:]).read()) == 0


@pytest.mark.parametrize("value", ["V0", "V4", "V12", "u1", "O"])
def test_values_are_plain_words(value: str) -> None:
    with pytest.raises(InputError, match="plain memory copied in words of 8 bytes"):
        cell_dtype(np.dtype(value))


def test_a_value_may_be_a_number_or_an_array() -> None:
    number = Cell(np.zeros(1, cell_dtype(np.dtype("f8"))))
    number.write(2.5)
    assert number.read() == 2.5
    three = Cell(np.zeros(1, cell_dtype(np.dtype(("i8", (3,))))))
    three.write([1, 2, 3])
    assert three.read().tolist() == [1, 2, 3]


def test_a_value_is_never_converted_on_its_way_in():
    cell = Cell(np.zeros(1, cell_dtype(np.dtype([("a", np.int64), ("b", np.float64)]))))
    for wrong in ((1.9, 2.0), (1,), 5, ("1", 2.0), (True, 2.0), (2**70, 2.0)):
        with pytest.raises(InputError, match="is not a value for this record"):
            cell.write(wrong)
    cell.write((7, 2))
    assert tuple(cell.read()) == (7, 2.0)
