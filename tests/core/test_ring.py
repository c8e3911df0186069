"""The ring against a slow naive twin, between two real processes, and across a killed producer."""

from __future__ import annotations

import random
import threading
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from processes import SIGKILL, answer_of, patience_ends_ns, shared_arena, started
from ring_process import (
    EMPTY,
    POP,
    PUSH,
    ask,
    consume,
    item_of,
    produce,
    steps,
)
from ring_twin import (
    CAPACITIES,
    ITEM_BYTES,
    RingDuel,
    SlowRing,
    fences_stand,
    ring_between_fences,
    words,
)

from hftlib.core import jit
from hftlib.core.arena import Arena
from hftlib.core.errors import InputError, StateError
from hftlib.core.layout import Layout
from hftlib.core.ring import ITEMS_OFFSET, RING_HEADER, Ring, ring_dtype


@pytest.mark.modes
def test_a_slow_twin_agrees_with_the_ring_whatever_is_done_to_it() -> None:
    examples = 150 if jit.COMPILED else 15
    run_state_machine_as_test(RingDuel, settings=settings(max_examples=examples, deadline=None))


@pytest.mark.modes
@pytest.mark.parametrize(("capacity", "item_bytes"), [*zip(CAPACITIES, ITEM_BYTES, strict=True)])
def test_a_slow_twin_replays_a_long_compiled_duel(capacity: int, item_bytes: int) -> None:
    count = 1_000_000 if jit.COMPILED else 1_000
    arena, fast = ring_between_fences(capacity, item_bytes, 2**40 - 5)
    chance = np.random.default_rng(capacity)
    # Tides of filling and draining, so that both ends of the ring's range are reached again.
    tide = np.sin(np.arange(count) / (20 * capacity)) > chance.uniform(-1, 1, count)
    kinds = np.where(tide, PUSH, POP) + 2 * chance.integers(0, 3, count)
    kinds, outcomes, scratch = kinds.astype(np.uint8), words(8 * count), words(item_bytes)
    places = (kinds.ctypes.data, outcomes.ctypes.data, count, scratch.ctypes.data)
    steps(fast.address, item_bytes, *places)
    twin = SlowRing(capacity)
    assert [twin.step(kind, n) for n, kind in enumerate(kinds.tolist())] == outcomes.tolist()
    header = arena["ring"]["header"][0]
    assert (fast.refused, len(fast)) == (twin.refused, len(twin.queue))
    assert header["tail"] - 2**40 > (1000 if jit.COMPILED else 2) * capacity  # wrapped that often
    assert fast.refused > 0 and EMPTY in outcomes
    assert fences_stand(arena)


@pytest.mark.modes
@pytest.mark.parametrize(
    ("capacity", "item_bytes", "count", "copied"),
    [(1024, 32, 20_000_000, False), (1, 256, 300_000, True)],
)
def test_items_pass_between_two_processes_whole_in_order_and_without_loss(
    record_property: Any, capacity: int, item_bytes: int, count: int, copied: bool
) -> None:
    count = count if jit.COMPILED else 3_000
    with shared_arena(Layout(there=ring_dtype(item_of(item_bytes), capacity))) as arena:
        here, report, scratch = Ring(arena["there"]), np.zeros(3, np.int64), words(item_bytes)
        with started("ring_process", "produce", arena.path, 0, count, 0) as child:
            places = (here.address, item_bytes, scratch.ctypes.data if copied else 0)
            until = patience_ends_ns()
            consume(*places, 0, 1, report.ctypes.data, until)  # the child is awake
            start = time.perf_counter()
            consume(*places, 1, count, report.ctypes.data, until)
            seconds = time.perf_counter() - start
            refused = int(answer_of(child))
        assert report.tolist() == [count, 0, 0]
        assert (len(here), here.refused, here.pop()) == (0, refused, None)
    record_property("items_per_second", round(count / seconds))
    print(f"ring of {capacity}: {count / seconds / 1e6:.1f} million items a second")


@pytest.mark.modes
def test_two_processes_play_ping_pong_with_compiled_and_with_python_ends(
    record_property: Any,
) -> None:
    compiled, python = (200_000, 1_000) if jit.COMPILED else (200, 200)
    pair = {name: ring_dtype(item_of(64), 4) for name in ("there", "back")}
    with shared_arena(Layout(**pair)) as arena:
        there, back = Ring(arena["there"]), Ring(arena["back"])
        scratch, report = words(64), np.zeros(3, np.int64)
        addresses = (there.address, back.address, 64, scratch.ctypes.data)
        until = patience_ends_ns()
        with started("ring_process", "echo", arena.path, 1 + compiled + python) as child:
            ask(*addresses, 1, report.ctypes.data, until)
            start = time.perf_counter()
            ask(*addresses, compiled, report.ctypes.data, until)
            seconds = time.perf_counter() - start
            assert report.tolist() == [1 + compiled, 0, 0]
            for number in range(python):
                assert there.push((number, [number + word for word in range(7)]))
                while (answer := back.pop()) is None:
                    assert time.monotonic_ns() < until, "the other process is gone"
                assert answer["sequence"] == number
                assert answer["words"].tolist() == [number + word for word in range(7)]
            answer_of(child)
    record_property("round_trip_ns", round(seconds / compiled * 1e9))
    print(f"ring ping-pong: {seconds / compiled * 1e9:.0f} ns a round trip")


def test_a_killed_producer_leaves_whole_items_and_another_carries_on() -> None:
    chance = random.Random(1)
    with shared_arena(Layout(there=ring_dtype(item_of(256), 64))) as arena:
        here, report = Ring(arena["there"]), np.zeros(3, np.int64)
        header = arena["there"]["header"][0]
        taken = 0

        def take(until_number: int) -> int:
            until = patience_ends_ns()
            consume(here.address, 256, 0, taken, until_number, report.ctypes.data, until)
            return until_number

        for _ in range(2):  # killed anywhere, for most of its time within an item
            head = int(header["head"])
            with started("ring_process", "produce", arena.path, head, 2**40, 20) as producer:
                taken = take(taken + chance.randrange(500, 5_000))
                producer.kill()
                assert producer.wait() == -SIGKILL
            assert 0 <= len(here) <= here.capacity
            taken = take(taken + len(here) // 2)  # some of it waits for the next producer
        taken = take(int(header["head"]))
        with started("ring_process", "die", arena.path) as producer:  # killed halfway, for certain
            assert producer.wait() == -SIGKILL
        slot = here.address + ITEMS_OFFSET + (taken & 63) * 256
        assert jit.load_i64(slot) == -1, "half an item was written"
        assert (header["head"], len(here), here.pop()) == (taken, 0, None)
        assert produce(here.address, 256, taken, taken + 64, 0, patience_ends_ns()) == 0
        taken = take(taken + 64)
        assert report.tolist() == [taken, 0, 0] == [header["tail"], 0, 0]


def test_the_two_ends_of_one_python_ring_may_be_two_threads_and_a_third_may_watch() -> None:
    items, shared, wrong = 1_500, Ring(np.zeros(1, ring_dtype(item_of(256), 8))), []
    until = patience_ends_ns()

    def pushes() -> None:
        for number in range(items):
            item = (number, np.full(31, number))
            while not shared.push(item) and time.monotonic_ns() < until:
                time.sleep(0)

    def pops() -> None:
        for number in range(items):
            while (item := shared.pop()) is None and time.monotonic_ns() < until:
                time.sleep(0)
            if item is None or item["sequence"] != number or (item["words"] != number).any():
                wrong.append((number, item))

    ends = [threading.Thread(target=end) for end in (pushes, pops)]
    for end in ends:
        end.start()
    while any(end.is_alive() for end in ends):
        assert 0 <= len(shared) <= 8
    assert wrong == []


def plain(dtype: np.dtype[Any], count: int = 1) -> np.ndarray[Any, Any]:
    return np.zeros(count, dtype)


@pytest.mark.parametrize("capacity", [0, -1, 3, 63, True, 2.0, None, "8"])
def test_a_capacity_is_a_power_of_two(capacity: Any) -> None:
    with pytest.raises(InputError, match="power of two of items, not "):
        ring_dtype(item_of(8), capacity)


@pytest.mark.parametrize("item", ["V0", "V4", "V12", "u1", "O"])
def test_items_are_plain_words(item: str) -> None:
    with pytest.raises(InputError, match="plain memory copied in words of 8 bytes"):
        ring_dtype(np.dtype(item), 4)


def test_a_ring_too_large_for_a_dtype_is_refused_and_the_largest_is_not() -> None:
    assert ring_dtype(item_of(8), 1 << 27).itemsize == 192 + (1 << 30)
    for capacity in (1 << 28, 1 << 32, 1 << 70):
        with pytest.raises(InputError, match="more than a ring holds"):
            ring_dtype(item_of(8), capacity)


def test_memory_that_is_no_single_ring_is_refused() -> None:
    good = ring_dtype(item_of(32), 4)
    odd = np.zeros(good.itemsize + 8, np.uint8)[4 : 4 + good.itemsize].view(good)
    three = np.dtype([("header", RING_HEADER), ("items", item_of(32), (3,))])
    for memory in (plain(good, 2), plain(good, 0), odd, plain(three), plain(item_of(32))):
        with pytest.raises(InputError, match=r"ring.*ring_dtype|power of two"):
            Ring(memory)
    for items in (item_of(32), np.dtype("i8")):
        with pytest.raises(InputError, match="no single ring"):
            Ring(plain(np.dtype([("header", RING_HEADER), ("items", items)])))
    assert Ring(plain(good, 2)[1:]).capacity == 4


def test_a_ring_is_not_opened_as_one_of_another_size() -> None:
    memory = plain(ring_dtype(item_of(32), 8))
    Ring(memory).push((1, [2, 3, 4]))
    for item_bytes, capacity in ((64, 4), (16, 16)):
        other = ring_dtype(item_of(item_bytes), capacity)
        with pytest.raises(StateError, match=f"a ring already, of capacity 8 and not {capacity}"):
            Ring(memory.view(other))
    narrower = memory.view(np.uint8)[: 192 + 8 * 16].view(ring_dtype(item_of(16), 8))
    with pytest.raises(StateError, match="a ring already, of item_bytes 32 and not 16"):
        Ring(narrower)
    assert Ring(memory).pop()["words"].tolist() == [2, 3, 4]


def test_an_onlooker_of_a_read_only_arena_reads_the_header_and_gets_no_end() -> None:
    with shared_arena(Layout(there=ring_dtype(item_of(32), 4))) as arena:
        Ring(arena["there"]).push((7, [0, 0, 0]))
        onlooker = Arena.open(arena.path)["there"]
        assert onlooker["header"]["head"][0] == 1
        with pytest.raises(StateError, match="read-only, and both ends of a ring write"):
            Ring(onlooker)


def test_items_may_be_numbers_or_arrays_of_them() -> None:
    numbers = Ring(plain(ring_dtype(np.dtype("i8"), 2)))
    assert (numbers.push(5), numbers.pop(), numbers.dtype) == (True, 5, np.dtype("i8"))
    four = np.dtype(("i8", (4,)))
    arrays = Ring(plain(ring_dtype(four, 2)))
    assert arrays.dtype == four and arrays.push([1, 2, 3, 4]) and arrays.push([5, 6, 7, 8])
    assert [arrays.pop().tolist(), arrays.pop().tolist()] == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize("item", [(1.9,), 5, (1, 2), ("1",), (True,), (2**70,), None])
def test_an_item_is_never_converted_on_its_way_in(item):
    ring = Ring(np.zeros(1, ring_dtype(np.dtype([("a", np.int64)]), 4)))
    with pytest.raises(InputError, match="is not a value for this record"):
        ring.push(item)
    assert len(ring) == 0
    assert ring.push((7,)) and ring.pop()["a"] == 7
