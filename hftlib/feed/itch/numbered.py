"""Numbered messages of a capture in the order of their numbers, each once.

    next ──▶ 41 42 43 ░░ 45 46 47          44 is a hole: what follows is held
                      44 arrives           ──▶ 44 45 46 47 go out
                      patience is over     ──▶ GAP 44 to before 45, then 45 46 47 go out

A capture that does not begin with message 1 was begun late: all before is a hole from the start,
told as GAP before the first message, so that books made of it are stale as they should be.

A capture often holds both lines of a feed: most messages come twice, and what one line lost the
other brings a moment later. The only clock is that of the capture. What fills a hole after it was
given up goes out late, marked so, and RECOVERED follows when no hole is left open.

Worst case: 4,096 datagrams are held, at most 6 MB of usual size; then the hole is given up early.
Of 4,096 holes given up, the oldest is forgotten: what fills it later counts as seen before, and
RECOVERED follows no more.
"""

from __future__ import annotations

from collections import Counter, deque
from heapq import heappop, heappush
from typing import NamedTuple

from hftlib.core import events

HELD_MAX = 4096
HOLES_MAX = 4096
PATIENCE_NS = 10**9


class Run(NamedTuple):
    """Messages that go out together, or a notice: then `kind` is GAP or RECOVERED."""

    kind: int
    first: int
    after: int
    blocks: bytes | memoryview
    received_ns: int
    is_late: bool = False


class Numbered:
    """Datagrams in by `take`, runs out of `ready`, which is emptied before the next `take`."""

    def __init__(self) -> None:
        self.ready: deque[Run] = deque()
        self.counts: Counter[str] = Counter()
        self._next = 0  # the number wanted next; 0 before the first
        self._began = 0  # the number of the first
        self._held: list[tuple[int, int, int, bytes]] = []  # first, after, received, blocks
        self._holes: list[tuple[int, int]] = []
        self._waiting_since = 0

    def take(self, first: int, after: int, blocks: memoryview, received_ns: int) -> None:
        """Messages `first` to before `after`; of a heartbeat, none."""
        if self._next == 0:
            self._begin(first, received_ns)
        if first > self._next:
            self._hold(first, after, blocks, received_ns)
        else:
            before = self._next
            self._out(first, after, blocks, received_ns)
            self._follow()
            if self._next > before:
                self._waiting_since = received_ns
        overdue = received_ns - self._waiting_since > PATIENCE_NS
        if self._held and (overdue or len(self._held) > HELD_MAX):
            self._give_up(received_ns)

    def end(self) -> None:
        """Nothing comes any more: give up what is missing."""
        while self._held:
            self._give_up(self._held[0][2])

    def _begin(self, first: int, received_ns: int) -> None:
        self._next = self._began = first
        if first > 1:
            self._miss(1, first, received_ns)

    def _miss(self, first: int, after: int, received_ns: int) -> None:
        """A hole that is given up; what fills it yet goes out late."""
        self._holes.append((first, after))
        if len(self._holes) > HOLES_MAX:
            del self._holes[0]
            self.counts["holes forgotten"] += 1
        self.ready.append(Run(events.GAP, first, after, b"", received_ns))

    def _hold(self, first: int, after: int, blocks: memoryview, received_ns: int) -> None:
        if not self._held:
            self._waiting_since = received_ns
        heappush(self._held, (first, after, received_ns, bytes(blocks)))

    def _follow(self) -> None:
        """What was held goes out as far as no number is missing."""
        while self._held and self._held[0][0] <= self._next:
            first, after, received_ns, blocks = heappop(self._held)
            self._out(first, after, blocks, received_ns)

    def _give_up(self, received_ns: int) -> None:
        first = self._held[0][0]
        self.counts["messages missed"] += first - self._next
        self._miss(self._next, first, received_ns)
        self._next = first
        self._waiting_since = received_ns
        self._follow()

    def _out(self, first: int, after: int, blocks: bytes | memoryview, received_ns: int) -> None:
        """What is new of these messages goes out, and what fills a hole."""
        late = [
            (max(first, begin), min(after, end))
            for begin, end in (self._holes if first < self._next else ())
            if begin < after and first < end
        ]
        new = [(max(first, self._next), after)] if after > self._next else []
        wanted = sum(end - begin for begin, end in late + new)
        self.counts["messages seen before"] += after - first - wanted
        for begin, end in late + new:
            is_late = (begin, end) in late
            part = blocks
            if end - begin < after - first:
                part = blocks[_place(blocks, begin - first) : _place(blocks, end - first)]
            self.ready.append(Run(0, begin, end, part, received_ns, is_late))
            if is_late:
                self._fill(begin, end, received_ns)
        self._next = max(self._next, after)

    def _fill(self, begin: int, end: int, received_ns: int) -> None:
        early = begin < self._began
        name = "messages before the first" if early else "messages that came too late"
        self.counts[name] += end - begin
        index = next(i for i, hole in enumerate(self._holes) if hole[0] <= begin < hole[1])
        left, right = self._holes[index]
        parts = ((left, begin), (end, right))
        self._holes[index : index + 1] = [(a, b) for a, b in parts if a < b]
        if not self._holes and not self.counts["holes forgotten"]:
            self.ready.append(Run(events.RECOVERED, 0, 0, b"", received_ns))


def _place(blocks: bytes | memoryview, count: int) -> int:
    """Where the message after the first `count` begins."""
    place = 0
    for _ in range(count):
        place += 2 + (blocks[place] << 8 | blocks[place + 1])
    return place
