"""The ring against a slow naive twin, between two real processes, and across a killed producer."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from processes import SIGKILL, answer_of, patience_ends_ns, shared_arena, started
from ring_process import (
    EMPTY,
    OUT_OF_ORDER,
    PEEK_ONLY,
    PEEK_RELEASE,
    POP,
    PUSH,
    RESERVE_ONLY,
    RESERVE_PUBLISH,
    TAKEN,
    TORN_ITEMS,
    ask,
    consume,
    fill,
    item_of,
    produce,
    sequence_of,
    step,
    steps,
)

from hftlib.core import jit, ring
from hftlib.core.arena import Arena
from hftlib.core.errors import InputError, StateError
from hftlib.core.layout import Layout
from hftlib.core.ring import DONE, ITEMS_OFFSET, NOT_NOW, RING_HEADER, Ring, ring_dtype

CAPACITIES = (1, 2, 4, 8, 16, 32, 64)
ITEM_BYTES = (8, 16, 24, 32, 64, 136, 256)
STARTS = (0, 1, 63, 2**40 - 1, 2**40)
FENCE = np.dtype("i8")
FENCE_WORD = 0x0BAD_F00D


class SlowRing:
    """What a ring is, without memory: a queue with room for so many items."""

    def __init__(self, capacity: int) -> None:
        self.capacity, self.refused, self.queue = capacity, 0, deque[int]()

    def step(self, kind: int, number: int) -> int:
        if kind in (PUSH, RESERVE_PUBLISH, RESERVE_ONLY):
            if len(self.queue) == self.capacity:
                self.refused += 1
                return NOT_NOW
            if kind != RESERVE_ONLY:
                self.queue.append(number)
            return DONE
        if not self.queue:
            return EMPTY
        return self.queue[0] if kind == PEEK_ONLY else self.queue.popleft()


def ring_between_fences(capacity: int, item_bytes: int, start: int) -> tuple[Arena, Ring]:
    """A ring whose counters stand at `start`, with words around it that nobody may touch."""
    dtype = ring_dtype(item_of(item_bytes), capacity)
    arena = Arena.create(Layout(before=(FENCE, 16), ring=dtype, after=(FENCE, 16)))
    arena["before"][:] = arena["after"][:] = FENCE_WORD
    arena["ring"]["header"]["head"] = arena["ring"]["header"]["tail"] = start
    return arena, Ring(arena["ring"])


def fences_stand(arena: Arena) -> bool:
    return bool((arena["before"] == FENCE_WORD).all() and (arena["after"] == FENCE_WORD).all())


def words(item_bytes: int) -> np.ndarray[Any, Any]:
    return np.zeros(item_bytes // 8, np.int64)


class RingDuel(RuleBasedStateMachine):
    """Python's end, compiled functions and the twin, in any order, on one ring."""

    @initialize(
        capacity=st.sampled_from(CAPACITIES),
        item_bytes=st.sampled_from(ITEM_BYTES),
        start=st.sampled_from(STARTS),
    )
    def begin(self, capacity: int, item_bytes: int, start: int) -> None:
        self.arena, self.ring = ring_between_fences(capacity, item_bytes, start)
        self.twin, self.start, self.item_bytes, self.number = SlowRing(capacity), start, item_bytes, 0
        self.scratch = words(item_bytes)

    def same(self, kind: int, outcome: int) -> None:
        assert outcome == self.twin.step(kind, self.number)
        self.number += 1

    @rule(kind=st.sampled_from([PUSH, POP, RESERVE_PUBLISH, PEEK_RELEASE, RESERVE_ONLY, PEEK_ONLY]))
    def one_operation(self, kind: int) -> None:
        scratch = self.scratch.ctypes.data
        self.same(kind, step(kind, self.ring.address, self.item_bytes, self.number, scratch))

    @rule(kind=st.sampled_from([PUSH, POP]), times=st.integers(1, 70))
    def a_burst(self, kind: int, times: int) -> None:
        for _ in range(times):
            self.one_operation(kind)

    @rule()
    def python_pushes(self) -> None:
        fill(self.scratch.ctypes.data, self.item_bytes, self.number, 0)
        self.same(PUSH, DONE if self.ring.push(self.scratch.view(self.ring.dtype)[0]) else NOT_NOW)

    @rule()
    def python_pops(self) -> None:
        item = self.ring.pop()
        if item is None:
            return self.same(POP, EMPTY)
        whole = np.array([item])
        return self.same(POP, sequence_of(whole.ctypes.data, self.item_bytes))

    @rule()
    def the_slots_lie_where_the_drawing_says(self) -> None:
        header, first = self.arena["ring"]["header"][0], self.ring.address + ITEMS_OFFSET
        mask = self.ring.capacity - 1
        if self.twin.queue:
            place = first + (int(header["tail"]) & mask) * self.item_bytes
            assert ring.peek(self.ring.address) == place
        if len(self.twin.queue) < self.ring.capacity:
            place = first + (int(header["head"]) & mask) * self.item_bytes
            assert ring.reserve(self.ring.address) == place

    @rule()
    def another_process_opens_it(self) -> None:
        self.ring = Ring(self.arena["ring"])

    @invariant()
    def the_twin_agrees(self) -> None:
        held, twin = len(self.twin.queue), self.twin
        assert (len(self.ring), self.ring.refused) == (held, twin.refused)
        told = f"<Ring {held} of {twin.capacity} items, {twin.refused} refused>"
        assert repr(self.ring) == told
        header = self.arena["ring"]["header"][0]
        assert self.start <= header["tail"] <= header["head"] <= self.start + self.number

    def teardown(self) -> None:
        assert fences_stand(self.arena)


@pytest.mark.modes
def test_a_slow_twin_agrees_with_the_ring_whatever_is_done_to_it() -> None:
    examples = 150 if jit.COMPILED else 15
    run_state_machine_as_test(RingDuel, settings=settings(max_examples=examples, deadline=None))


@pytest.mark.modes
@pytest.mark.parametrize(("capacity", "item_bytes"), zip(CAPACITIES, ITEM_BYTES, strict=True))
def test_a_slow_twin_replays_a_long_compiled_duel(capacity: int, item_bytes: int) -> None:
    count = 300_000 if jit.COMPILED else 1_000
    arena, fast = ring_between_fences(capacity, item_bytes, 2**40 - 5)
    random = np.random.default_rng(capacity)
    # Tides of filling and draining, so that both ends of the ring's range are reached again.
    tide = np.sin(np.arange(count) / (20 * capacity)) > random.uniform(-1, 1, count)
    kinds = np.where(tide, PUSH, POP) + 2 * random.integers(0, 3, count)
    kinds, outcomes = kinds.astype(np.uint8), words(8 * count)
    places = (kinds.ctypes.data, outcomes.ctypes.data, count, words(item_bytes).ctypes.data)
    steps(fast.address, item_bytes, *places)
    twin = SlowRing(capacity)
    assert [twin.step(kind, n) for n, kind in enumerate(kinds.tolist())] == outcomes.tolist()
    header = arena["ring"]["header"][0]
    assert (fast.refused, len(fast)) == (twin.refused, len(twin.queue))
    assert header["tail"] - 2**40 > (1000 if jit.COMPILED else 2) * capacity  # wrapped that often
    assert fast.refused > 0 and EMPTY in outcomes
    assert fences_stand(arena)


@pytest.mark.modes
def test_items_pass_between_two_processes_whole_in_order_and_without_loss(
    record_property: Any,
) -> None:
    count = 20_000_000 if jit.COMPILED else 3_000
    with shared_arena(Layout(there=ring_dtype(item_of(32), 1024))) as arena:
        here, report = Ring(arena["there"]), np.zeros(4, np.int64)
        with started("ring_process", "produce", arena.path, 0, count, 0) as child:
            until = patience_ends_ns()
            consume(here.address, 32, 0, 1, report.ctypes.data, until)  # the child is awake
            start = time.perf_counter()
            consume(here.address, 32, 1, count, report.ctypes.data, until)
            seconds = time.perf_counter() - start
            refused = int(answer_of(child))
        assert report[TAKEN] == count
        assert (report[OUT_OF_ORDER], report[TORN_ITEMS]) == (0, 0)
        assert (len(here), here.refused, here.pop()) == (0, refused, None)
    record_property("items_per_second", round(count / seconds))
    print(f"{count / seconds / 1e6:.1f} million items a second between two processes")


@pytest.mark.modes
def test_two_processes_play_ping_pong_with_compiled_and_with_python_ends(
    record_property: Any,
) -> None:
    compiled, python = (200_000, 2_000) if jit.COMPILED else (200, 200)
    pair = {name: ring_dtype(item_of(64), 4) for name in ("there", "back")}
    with shared_arena(Layout(**pair)) as arena:
        there, back = Ring(arena["there"]), Ring(arena["back"])
        scratch, report = words(64), np.zeros(4, np.int64)
        addresses = (there.address, back.address, 64, scratch.ctypes.data)
        until = patience_ends_ns()
        with started("ring_process", "echo", arena.path, 1 + compiled + python) as child:
            ask(*addresses, 1, report.ctypes.data, until)
            start = time.perf_counter()
            ask(*addresses, compiled, report.ctypes.data, until)
            seconds = time.perf_counter() - start
            assert report.tolist() == [1 + compiled, 0, 0, 0]
            for number in range(python):
                assert there.push((number, [number + word for word in range(7)]))
                while (answer := back.pop()) is None:
                    assert time.monotonic_ns() < until, "the other process is gone"
                assert answer["sequence"] == number
                assert answer["words"].tolist() == [number + word for word in range(7)]
            answer_of(child)
    record_property("round_trip_ns", round(seconds / compiled * 1e9))
    print(f"{seconds / compiled * 1e9:.0f} ns a round trip between two processes")


def test_a_killed_producer_leaves_whole_items_and_another_carries_on() -> None:
    chance = random.Random(1)
    with shared_arena(Layout(there=ring_dtype(item_of(256), 64))) as arena:
        here, report = Ring(arena["there"]), np.zeros(4, np.int64)
        header = arena["there"]["header"][0]
        taken = 0

        def take(until_number: int) -> int:
            consume(here.address, 256, taken, until_number, report.ctypes.data, patience_ends_ns())
            return until_number

        for _ in range(3):  # killed anywhere, for most of its time within an item
            head = int(header["head"])
            with started("ring_process", "produce", arena.path, head, 2**40, 50) as producer:
                taken = take(taken + chance.randrange(1_000, 20_000))
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
        assert report.tolist() == [taken, 0, 0, 0] == [header["tail"], 0, 0, 0]


def test_the_two_ends_of_one_python_ring_may_be_two_threads_and_a_third_may_watch() -> None:
    items, shared, wrong = 20_000, Ring(np.zeros(1, ring_dtype(item_of(256), 8))), []
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
