"""The ring's slow naive twin, and the duel between the two."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from ring_process import (
    EMPTY,
    PEEK_ONLY,
    PEEK_RELEASE,
    POP,
    PUSH,
    RESERVE_ONLY,
    RESERVE_PUBLISH,
    fill,
    item_of,
    sequence_of,
    step,
)

from hftlib.core import ring
from hftlib.core.arena import Arena
from hftlib.core.layout import Layout
from hftlib.core.ring import DONE, ITEMS_OFFSET, NOT_NOW, Ring, ring_dtype

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
        self.twin, self.start, self.number = SlowRing(capacity), start, 0
        self.item_bytes, self.scratch = item_bytes, words(item_bytes)

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
